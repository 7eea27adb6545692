"""The rows that the stores write, made by the core beforehand: what a driver alone is given to write.

After a measurement both databases are read back and must hold the same, so neither side does less than the other.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from benchmarks.cases import request
from regen_core import BillingDocument, Regeneration, Scope, decide
from regen_core.adapters.sql.contents import content_row
from regen_core.adapters.sql.rows import Occasions, key_row, transaction_row
from regen_core.idempotency import key_digest, meaning_of
from regen_core.transactions import NO_TRANSACTIONS
from regen_core.wire.requests import meaning_json

__all__ = ["AT", "CLIENT", "Rows", "SCOPE", "loaded", "regenerated", "together"]

AT: Final = datetime(2026, 1, 31, 12, 0, 0, 123456, tzinfo=UTC)
"""The clock of every store that is measured: it stands still, so that equal rows are equal."""

CLIENT: Final = "client"
SCOPE: Final = Scope(tenant="tenant", entity="entity", orgs=None)
_WRITTEN_FROM: Final = 1
"""The only version of every document."""

Rows = dict[str, list[tuple[Any, ...]]]
"""Rows by table; ``moved`` are documents whose version rises, each with the version that it was read with."""


def loaded(document: BillingDocument) -> Rows:
    """What loading a new document writes."""
    header, start = document.header, key_row(document.key)
    about = (_WRITTEN_FROM, header.date.isoformat(), header.currency)
    return {
        "documents": [(*start, header.number, header.org, 1, _WRITTEN_FROM)],
        "document_versions": [(*start, *about, *content_row(document))],
        "document_items": [(*start[:3], item.id, start[3]) for item in document.items],
    }


def regenerated(document: BillingDocument, keys: Sequence[str]) -> Iterator[Rows]:
    """What REMIGRATE of a document writes each time, first of all and then again, under these Idempotency-Keys."""
    asked, stored, start = request(document, re_migrate=True), NO_TRANSACTIONS, key_row(document.key)
    meaning = json.dumps(
        meaning_json(meaning_of(SCOPE, asked)), ensure_ascii=False, separators=(",", ":"), sort_keys=True
    )
    for time, key in enumerate(keys, start=1):
        done = decide(document, stored, asked)
        assert isinstance(done, Regeneration)
        digest = key_digest(SCOPE.tenant, CLIENT, key)
        answered = (start[0], digest, meaning, 200, b"done", start[1], start[2], start[3], AT.isoformat(), None)
        yield {"moved": [(*start, time)], **_changed(done, start), "idempotency": [answered]}
        stored = done.stored_after


def _changed(done: Regeneration, start: tuple[Any, ...]) -> Rows:
    occasions, at, rows = Occasions(), AT.isoformat(), Rows(transactions=[], outbox=[])
    for place, line in enumerate(done.lines):
        after, sent = line.after, line.delivery
        assert after is not None, "REMIGRATE writes every line of these documents"
        assert sent is not None, "and sends it"
        told = (*transaction_row(after.transaction, occasions), _WRITTEN_FROM)
        rows["transactions"].append((*start, after.transaction.item.id, place, after.deliveries, *told))
        rows["outbox"].append(
            (*start, after.transaction.item.id, sent.number, sent.flag.value, sent.action.value, *told, at)
        )
    return rows


def together(each: Sequence[Rows]) -> Rows:
    """The rows of several documents, table by table."""
    return {table: [row for rows in each for row in rows[table]] for table in each[0]}
