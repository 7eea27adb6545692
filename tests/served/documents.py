"""What the served databases hold: a document for each way in which a request can end, as Zuora's REST API shows it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from regen_core.adapters.cli.main import cli

__all__ = ["DOCUMENTS", "DRAFT", "FOREIGN", "HIDDEN", "LONG", "PLAIN", "UNMAPPABLE", "UNSENT", "load", "revisions"]


def _invoice(name: str, items: int = 2, *, status: str = "Posted", **more: Any) -> dict[str, Any]:
    item = {"chargeAmount": "10.00", "sourceItemType": "SubscriptionComponent", **more}
    return {
        "id": f"invoice-{name}",
        "invoiceNumber": f"INV-{name}",
        "invoiceDate": "2026-01-31",
        "status": status,
        "currency": "EUR",
        "invoiceItems": [{"id": f"item-{name}-{at}", **item} for at in range(items)],
    }


PLAIN = _invoice("plain")
LONG = _invoice("long", 40)
"""So many items that the answer is longer than 1,000 bytes."""

DRAFT = _invoice("draft", status="Draft")
UNSENT = _invoice("unsent")
"""Nothing is ever generated for it, so that there is nothing to resend."""

UNMAPPABLE = _invoice("unmappable", sourceItemType="OrderLineItem", regenCore={"orderLineItemCategory": "Return"})
HIDDEN = _invoice("hidden")
"""Only ever asked for by a request that is hidden in another one."""

FOREIGN = _invoice("foreign")
"""Another tenant's."""

DOCUMENTS = (PLAIN, LONG, DRAFT, UNSENT, UNMAPPABLE, HIDDEN)


def load(db: str, tenant: str, entity: str, documents: Iterable[dict[str, Any]], folder: Path) -> None:
    """Load documents as an operator does."""
    path = folder / f"{tenant}.ndjson"
    path.write_text("".join([json.dumps(document) + "\n" for document in documents]))
    _regen("--db", db, "--tenant", tenant, "--entity", entity, "load", str(path))


def revisions(db: str, tenant: str, entity: str, document: dict[str, Any]) -> list[int]:
    """The revisions of what is stored for a document; none where nothing is."""
    asked = ("show", "transactions", "--type", "Invoice", "--id", document["id"])
    shown = json.loads(_regen("--db", db, "--tenant", tenant, "--entity", entity, "--json", *asked))
    return [row["transaction"]["revision"] for row in shown["transactions"]]


def _regen(*arguments: str) -> str:
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == 0, done.output
    return done.stdout
