"""How PostgreSQL finds rows that were loaded a moment ago: by their keys, not by reading all that a tenant has."""

from __future__ import annotations

import json
from typing import Any

import pytest
from attrs import evolve

from regen_core.access import Scope
from regen_core.adapters.sql import SqlStore, pipelined
from regen_core.adapters.sql.conditions import org_count, org_values
from regen_core.adapters.sql.prepared import Prepared
from regen_core.documents import DocumentType
from regen_core.request import RegenerateRequest
from tests.concurrency.requests import ALL, invoice
from tests.conformance.databases import PostgresqlDatabase
from tests.postgresql_server import Server

DOCUMENTS, BATCH, ASKED = 2_000, 500, 64
MANY_ORGS = evolve(ALL, orgs=frozenset(f"o{number}" for number in range(1_000)))


def pages_read(server: Server, schema: PostgresqlDatabase) -> dict[str, int]:
    """Pages that the server looks at to find so many documents, by statement, in a store that was filled just now."""
    ids = [f"d{number:05}" for number in range(DOCUMENTS)]
    listed, orgs = org_count(MANY_ORGS), org_values(MANY_ORGS)
    with SqlStore.open(schema.url) as store:
        for start in range(0, DOCUMENTS, BATCH):
            store.load_all([invoice(each) for each in ids[start : start + BATCH]])
        store.regenerate_all(ALL, [RegenerateRequest(type=DocumentType.INVOICE, id=each) for each in ids[:BATCH]])
        look = store._units.statements.lookups
        asked = {
            "lock one": (look.lock_document(("document_id",), None), ids[7:8]),
            "one": (look.documents_named(("document_id",), None), ids[7:8]),
            "transactions of one": (look.transactions_of, ids[7:8]),
            "lock many": (look.lock_documents("document_id", None, ASKED), ids[:ASKED]),
            "many": (look.documents_of("document_id", None, ASKED), ids[:ASKED]),
            "transactions of many": (look.transactions_of_all("document_id", ASKED), ids[:ASKED]),
            "lock one of many organisations": (look.lock_document(("document_id",), listed), [ids[7], *orgs]),
            "one of many organisations": (look.documents_named(("document_id",), listed), [ids[7], *orgs]),
            "many of many organisations": (look.documents_of("document_id", listed, ASKED), [*ids[:ASKED], *orgs]),
        }
        return {name: _pages(server, schema, ALL, *each) for name, each in asked.items()}


def _pages(server: Server, schema: PostgresqlDatabase, scope: Scope, statement: Prepared, ids: list[str]) -> int:
    given = statement.bind((scope.tenant, scope.entity, "Invoice", *ids))
    with server.connect() as connection:
        connection.execute(f"SET search_path = {schema.schema}")
        row: Any = connection.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement.sql}", given).fetchone()
    told = row[0] if isinstance(row[0], list) else json.loads(row[0])
    return int(told[0]["Plan"]["Shared Hit Blocks"]) + int(told[0]["Plan"]["Shared Read Blocks"])


MOST = {
    "lock one": 16,
    "one": 16,
    "transactions of one": 16,
    "lock many": 400,
    "many": 500,
    "transactions of many": 500,
    "lock one of many organisations": 16,
    "one of many organisations": 16,
    "many of many organisations": 500,
}
"""Pages: a handful per document. Reading all of them for each that is asked for takes tens of thousands."""


def test_documents_are_found_by_their_keys_from_the_first_batch_on(
    postgresql: Server, schema: PostgresqlDatabase
) -> None:
    """The tables are counted when they have grown, not a minute later."""
    found = pages_read(postgresql, schema)
    assert {name: pages for name, pages in found.items() if pages > MOST[name]} == {}


def test_control_uncounted_tables_are_read_from_one_end_to_the_other(
    postgresql: Server, schema: PostgresqlDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the counting the server takes the wrong way."""
    monkeypatch.setattr(
        pipelined, "_GROWN", Prepared("SELECT relname FROM pg_class WHERE relname = ANY(%s) LIMIT 0", tuple)
    )
    found = pages_read(postgresql, schema)
    assert any(pages > MOST[name] for name, pages in found.items())
