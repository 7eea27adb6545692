"""The same rows by the drivers alone: what a store costs when it decides nothing, checks nothing and knows no dialect.

The statements are written by hand, one per row where a document is worked on alone, and as the driver does many rows
fastest where documents come in batches. What is read is fetched and thrown away.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any, Protocol

import psycopg

from benchmarks.cases import request
from regen_core import BillingDocument, Regeneration, decide
from regen_core.adapters.sql.rows import Occasions, content_row, key_row, transaction_row
from regen_core.transactions import NO_TRANSACTIONS

__all__ = ["Raw", "RawPostgresql", "RawSqlite", "Rows", "rows_of", "together"]

_KEY = ("tenant", "entity", "document_type", "document_id")
_TRANSACTION = (
    *("transaction_id", "revenue_type", "standalone", "revision", "state"),
    *("created_at", "created_by", "updated_at", "updated_by"),
)
_COLUMNS = {
    "documents": (*_KEY, "number", "org", "version", "content_version"),
    "document_versions": (
        *(*_KEY, "version", "date", "currency"),
        *("header", "header_carried", "items", "items_carried"),
    ),
    "document_items": (*_KEY[:3], "item_id", "document_id"),
    "transactions": (*_KEY, "item_id", "place", "deliveries", *_TRANSACTION, "content_version"),
    "outbox": (*_KEY, "item_id", "number", "flag", "action", *_TRANSACTION, "content_version", "committed_at"),
    "idempotency": (
        *("tenant", "key_digest", "meaning", "status", "body"),
        *("entity", "document_type", "document_id", "set_at"),
    ),
}
_AT = "2026-01-31T12:00:00.123456+00:00"
Rows = dict[str, list[tuple[Any, ...]]]
"""Rows by table."""


def rows_of(document: BillingDocument, time: int, key: str) -> Rows:
    """What the store writes for a document: loading it, and the ``time``-th regeneration of it under a key."""
    header, start, occasions = document.header, key_row(document.key), Occasions()
    done = decide(document, NO_TRANSACTIONS, request(document))
    assert isinstance(done, Regeneration)
    told = [(line.after, line.delivery) for line in done.lines]
    pairs = [(after.transaction, delivery) for after, delivery in told if after is not None and delivery is not None]
    kept = [(transaction, (*transaction_row(transaction, occasions), 1)) for transaction, _ in pairs]
    meaning = (
        '{"entity":"entity","method":"POST","path":"/v1/uno-regenerate/billing-transaction","requested_orgs":null}'
    )
    return {
        "documents": [(*start, header.number, None, 1, 1)],
        "document_versions": [(*start, 1, header.date.isoformat(), header.currency, *content_row(document))],
        "document_items": [(*start[:3], item.id, start[3]) for item in document.items],
        "transactions": [(*start, each.item.id, place, time, *row) for place, (each, row) in enumerate(kept)],
        "outbox": [(*start, each.item.id, time, "Y", "line", *row, _AT) for each, row in kept],
        "idempotency": [(start[0], key, meaning, 200, b"done", start[1], start[2], start[3], _AT)],
    }


def _insert(table: str, mark: str) -> str:
    columns = _COLUMNS[table]
    text = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join([mark] * len(columns))})"  # noqa: S608
    if table != "transactions":
        return text
    changed = ", ".join(f"{name} = excluded.{name}" for name in columns[5:])
    return f"{text} ON CONFLICT ({', '.join(columns[:5])}) DO UPDATE SET {changed}"


def _texts(mark: str) -> dict[str, str]:
    of = " AND ".join(f"d.{name} = {mark}" for name in _KEY)
    joined = " AND ".join(f"v.{name} = d.{name}" for name in _KEY)
    return {
        **{table: _insert(table, mark) for table in _COLUMNS},
        "document": (
            "SELECT d.document_id, d.number, d.version, d.content_version, v.header, v.header_carried, v.items, "  # noqa: S608
            f"v.items_carried FROM documents d JOIN document_versions v ON {joined} AND v.version = d.content_version "
            f"WHERE {of}"
        ),
        "lines": f"SELECT * FROM transactions d WHERE {of} ORDER BY place",  # noqa: S608
        "record": f"SELECT * FROM idempotency WHERE tenant = {mark} AND key_digest = {mark}",  # noqa: S608
        "moved": f"UPDATE documents AS d SET version = version + 1 WHERE {of}",  # noqa: S608
    }


class Raw(Protocol):
    """A driver at work."""

    def one(self, rows: Rows) -> None:
        """Work on one document alone: two reads, its rows, its key's record, one commit."""
        ...

    def many(self, rows: Rows) -> None:
        """Add many rows in one commit."""
        ...


class RawSqlite:
    """The standard library's driver, with the settings that make a commit durable."""

    def __init__(self, path: str) -> None:
        self.connection = sqlite3.connect(path, isolation_level=None)
        for setting in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            self.connection.execute(f"PRAGMA {setting}").close()
        self._texts = _texts("?")

    def one(self, rows: Rows) -> None:
        execute, texts = self.connection.cursor().execute, self._texts
        key, record = rows["documents"][0][:4], rows["idempotency"][0]
        execute("BEGIN IMMEDIATE")
        execute(texts["record"], record[:2]).fetchone()
        execute(texts["document"], key).fetchone()
        execute(texts["lines"], key).fetchall()
        execute(texts["moved"], key)
        for table in ("transactions", "outbox", "idempotency"):
            for row in rows[table]:
                execute(texts[table], row)
        execute("COMMIT")

    def many(self, rows: Rows) -> None:
        cursor = self.connection.cursor()
        cursor.execute("BEGIN IMMEDIATE")
        for table, given in rows.items():
            cursor.executemany(self._texts[table], given)
        cursor.execute("COMMIT")


class RawPostgresql:
    """psycopg, each statement prepared once, each answer waited for; many rows by COPY."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        connection.prepare_threshold = 0
        self._texts = _texts("%s")

    def one(self, rows: Rows) -> None:
        execute, texts = self.connection.cursor().execute, self._texts
        key, record = rows["documents"][0][:4], rows["idempotency"][0]
        execute("BEGIN")
        execute(texts["record"], record[:2]).fetchone()
        execute(texts["document"] + " FOR UPDATE OF d", key).fetchone()
        execute(texts["lines"], key).fetchall()
        execute(texts["moved"], key)
        for table in ("transactions", "outbox", "idempotency"):
            for row in rows[table]:
                execute(texts[table], row)
        execute("COMMIT")

    def many(self, rows: Rows) -> None:
        with self.connection.transaction():
            for table, given in rows.items():
                text = f"COPY {table} ({', '.join(_COLUMNS[table])}) FROM STDIN"
                with self.connection.cursor().copy(text) as copy:
                    for row in given:
                        copy.write_row(row)


def together(each: Sequence[Rows], *tables: str) -> Rows:
    """The rows of several documents, table by table."""
    return {table: [row for rows in each for row in rows[table]] for table in tables}
