"""A period's indexes leave PostgreSQL's other ways alone: a document is found by its key, counted tables or not."""

from __future__ import annotations

import pytest

from regen_core.adapters.sql import SqlStore
from regen_core.adapters.sql.prepared import Prepared
from tests.conformance.databases import PostgresqlDatabase
from tests.postgresql_server import Server

DOCUMENTS = 3_000
PLACE = ("t1", "e1", "Invoice", "d7")
KEY = "tenant, entity, document_type, document_id"
LINE = "date, currency, header, header_carried, item, item_carried"
FILLED = {
    "document_versions": (f"{KEY}, version, date, currency, header, header_carried, items, items_carried", "1", 6),
    "revenue": (
        f"{KEY}, item_id, document_number, kind, transaction_id, revenue_type, standalone, revision, state, {LINE}",
        "'i', 'n', 'line', 'x', 'INV', 0, 1, 'active'",
        6,
    ),
}
"""Tables, their columns, what stands between key and date, and how many texts there are from the date on."""


@pytest.fixture
def filled(schema: PostgresqlDatabase) -> PostgresqlDatabase:
    """Rows that the server has not counted, and won't."""
    SqlStore.open(schema.url).close()
    for table, (columns, between, texts) in FILLED.items():
        schema.run(f"ALTER TABLE {table} SET (autovacuum_enabled = off)")
        values = f"'t1', 'e1', 'Invoice', 'd' || n, {between}, '2026-01-31'{', repeat(md5(n::text), 8)' * (texts - 1)}"
        schema.run(f"INSERT INTO {table} ({columns}) SELECT {values} FROM generate_series(1, {DOCUMENTS}) n")  # noqa: S608
    return schema


def ways(server: Server, schema: PostgresqlDatabase) -> list[str]:
    """How a version's content and a held line are found."""
    with SqlStore.open(schema.url) as store:
        statements = store._units.statements
        asked: list[tuple[Prepared, str | int]] = [(statements.version_content, 1), (statements.held, "i")]
    with server.connect() as connection:
        connection.execute(f"SET search_path = {schema.schema}")
        return [
            str(connection.execute(f"EXPLAIN {each.sql}", each.bind((*PLACE, last))).fetchall()) for each, last in asked
        ]


def test_a_document_is_found_by_its_key(postgresql: Server, filled: PostgresqlDatabase) -> None:
    """The date is the first column of the indexes, and nobody who looks for a document gives one."""
    for way, table in zip(ways(postgresql, filled), FILLED, strict=True):
        assert f"{table}_pkey" in way


def test_control_an_index_by_tenant_first_is_taken_for_the_key(postgresql: Server, filled: PostgresqlDatabase) -> None:
    """All rows of a tenant would be read to find one."""
    for table in FILLED:
        filled.run(f"DROP INDEX {table}_date")
        filled.run(f"CREATE INDEX {table}_date ON {table} (tenant, entity, date, document_type, document_id)")
    assert any("_date" in way for way in ways(postgresql, filled))
