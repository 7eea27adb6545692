"""The same work by the drivers alone: what a store costs when it decides nothing, checks nothing and knows no dialect.

The statements are written by hand: one per row where a document is worked on alone, and as the driver does many rows
fastest where documents come in batches. They claim the key, lock the document, read what a store has to read, compare
the version, and commit as durably; what they read is fetched and thrown away, and what they write was made beforehand.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any, Final, Protocol

import psycopg

from benchmarks.stored_rows import Rows

__all__ = ["Raw", "RawPostgresql", "RawSqlite"]

_KEY: Final = ("tenant", "entity", "document_type", "document_id")
_TRANSACTION: Final = (
    *("transaction_id", "revenue_type", "standalone", "revision", "state"),
    *("created_at", "created_by", "updated_at", "updated_by"),
)
_CONTENT: Final = ("header", "header_carried", "items", "items_carried")
_COLUMNS: Final = {
    "documents": (*_KEY, "number", "org", "version", "content_version"),
    "document_versions": (*_KEY, "version", "date", "currency", *_CONTENT),
    "document_items": (*_KEY[:3], "item_id", "document_id"),
    "transactions": (*_KEY, "item_id", "place", "deliveries", *_TRANSACTION, "content_version"),
    "outbox": (*_KEY, "item_id", "number", "flag", "action", *_TRANSACTION, "content_version", "committed_at"),
    "idempotency": (
        *("tenant", "key_digest", "meaning", "status", "body", "entity", "document_type", "document_id"),
        *("set_at", "other_document_id"),
    ),
}
_MOST_NAMES: Final = 256
"""Most names that one statement looks up."""


def _insert(table: str, mark: str) -> str:
    columns = _COLUMNS[table]
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join([mark] * len(columns))})"  # noqa: S608


def _put(table: str, mark: str, key: int) -> str:
    names = _COLUMNS[table]
    changed = ", ".join(f"{name} = excluded.{name}" for name in names[key:])
    return f"{_insert(table, mark)} ON CONFLICT ({', '.join(names[:key])}) DO UPDATE SET {changed}"


class Texts:
    """The statements, for drivers that mark a parameter as ``mark``."""

    def __init__(self, mark: str) -> None:
        self._mark = mark
        key = " AND ".join(f"d.{name} = {mark}" for name in _KEY)
        shown = ", ".join(f"d.{name}" for name in _COLUMNS["transactions"][4:])
        self.add = {table: _insert(table, mark) for table in _COLUMNS}
        self.one = {
            "transactions": _put("transactions", mark, 5),
            "outbox": self.add["outbox"],
            "idempotency": _put("idempotency", mark, 2),
        }
        self.document = f"{self._documents} WHERE {key}"
        self.lines = f"SELECT {shown} FROM transactions d WHERE {key} ORDER BY place"  # noqa: S608
        read = ", ".join(_COLUMNS["idempotency"][2:])
        self.record = f"SELECT {read} FROM idempotency WHERE tenant = {mark} AND key_digest = {mark}"  # noqa: S608
        self.move = f"UPDATE documents AS d SET version = version + 1 WHERE {key} AND d.version = {mark}"  # noqa: S608

    @property
    def _documents(self) -> str:
        joined = " AND ".join(f"v.{name} = d.{name}" for name in _KEY)
        content = ", ".join(f"v.{name}" for name in _CONTENT)
        shown = f"d.document_id, d.number, d.version, d.content_version, {content}"
        return f"SELECT {shown} FROM documents d JOIN document_versions v ON {joined} AND v.version = d.content_version"  # noqa: S608

    def _among(self, column: str, names: int) -> str:
        of = " AND ".join(f"d.{name} = {self._mark}" for name in _KEY[:3])
        return f"{of} AND d.{column} IN ({', '.join([self._mark] * names)})"

    def documents_of(self, names: int) -> str:
        """Documents with their content, by id."""
        return f"{self._documents} WHERE {self._among('document_id', names)}"

    def lock(self, names: int) -> str:
        """Documents, locked in one order for all."""
        among = self._among("document_id", names)
        return f"SELECT d.document_id FROM documents d WHERE {among} ORDER BY document_id FOR UPDATE"  # noqa: S608

    def lines_of(self, names: int) -> str:
        """Transactions of many documents."""
        shown = ", ".join(f"d.{name}" for name in _COLUMNS["transactions"][3:])
        among = self._among("document_id", names)
        return f"SELECT {shown} FROM transactions d WHERE {among} ORDER BY place"  # noqa: S608

    def owners(self, table: str, column: str, names: int) -> str:
        """Who has numbers or items."""
        return f"SELECT d.{column}, d.document_id FROM {table} d WHERE {self._among(column, names)}"  # noqa: S608


class Raw(Protocol):
    """A driver at work."""

    def one(self, rows: Rows) -> None:
        """Work on one document alone: claim the key, read, write row by row, commit."""
        ...

    def load(self, rows: Rows) -> None:
        """Add many documents in one commit, once it is known that nobody has them, their numbers or their items."""
        ...

    def regenerate(self, rows: Rows) -> None:
        """Read many documents and add what regenerating them writes, in one commit."""
        ...

    def holds(self) -> dict[str, list[str]]:
        """Every row of every table, in an order of its own."""
        ...

    def settle(self) -> None:
        """Let the database finish what it has put off."""
        ...


def _parts(rows: Sequence[tuple[Any, ...]], column: int) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """Names in parts, each with what a look-up by them is given."""
    for start in range(0, len(rows), _MOST_NAMES):
        part = rows[start : start + _MOST_NAMES]
        yield len(part), (*part[0][:3], *[row[column] for row in part])


def _dumped(execute: Any) -> dict[str, list[str]]:
    shown = {table: ", ".join(columns) for table, columns in _COLUMNS.items()}
    return {
        table: sorted(map(repr, execute(f"SELECT {columns} FROM {table}").fetchall()))  # noqa: S608
        for table, columns in shown.items()
    }


class RawSqlite:
    """The standard library's driver, with the settings that make a commit durable."""

    def __init__(self, path: str) -> None:
        self.connection = sqlite3.connect(path, isolation_level=None)
        for setting in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            self.connection.execute(f"PRAGMA {setting}").close()
        self._texts = Texts("?")
        self._keys = os.open(f"{path}-raw-keys", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)

    def one(self, rows: Rows) -> None:
        execute, texts = self.connection.cursor().execute, self._texts
        moved, record = rows["moved"][0], rows["idempotency"][0]
        place = int(record[1][:15], 16)
        fcntl.lockf(self._keys, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
        execute("BEGIN IMMEDIATE")
        execute(texts.record, record[:2]).fetchone()
        execute(texts.document, moved[:4]).fetchone()
        execute(texts.lines, moved[:4]).fetchall()
        assert execute(texts.move, moved).rowcount == 1
        for table, text in texts.one.items():
            for row in rows[table]:
                execute(text, row)
        execute("COMMIT")
        fcntl.lockf(self._keys, fcntl.LOCK_UN, 1, place)

    def load(self, rows: Rows) -> None:
        cursor, texts = self.connection.cursor(), self._texts
        cursor.execute("BEGIN IMMEDIATE")
        for size, given in _parts(rows["documents"], 3):
            cursor.execute(texts.documents_of(size), given).fetchall()
        for size, given in _parts(rows["documents"], 4):
            cursor.execute(texts.owners("documents", "number", size), given).fetchall()
        for size, given in _parts(rows["document_items"], 3):
            cursor.execute(texts.owners("document_items", "item_id", size), given).fetchall()
        for table, added in rows.items():
            cursor.executemany(texts.add[table], added)
        cursor.execute("COMMIT")

    def regenerate(self, rows: Rows) -> None:
        cursor, texts = self.connection.cursor(), self._texts
        cursor.execute("BEGIN IMMEDIATE")
        for size, given in _parts(rows["moved"], 3):
            cursor.execute(texts.documents_of(size), given).fetchall()
            cursor.execute(texts.lines_of(size), given).fetchall()
        cursor.executemany(texts.move, rows["moved"])
        assert cursor.rowcount == len(rows["moved"])
        for table in ("transactions", "outbox"):
            cursor.executemany(texts.add[table], rows[table])
        cursor.execute("COMMIT")

    def holds(self) -> dict[str, list[str]]:
        return _dumped(self.connection.execute)

    def settle(self) -> None:
        self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()


_GROWN: Final = """
SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relname = ANY(%s)
AND pg_relation_size(oid) > 4 * relpages::bigint * 8192
"""


class RawPostgresql:
    """psycopg, each statement prepared once, each answer waited for; many rows by COPY, into tables that are counted.

    Uncounted, the server reads each table from one end to the other for its look-ups, in minutes instead of seconds.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        connection.prepare_threshold = 0
        self._texts = Texts("%s")

    def one(self, rows: Rows) -> None:
        cursor, texts = self.connection.cursor(), self._texts
        execute = cursor.execute
        moved, record = rows["moved"][0], rows["idempotency"][0]
        execute("BEGIN")
        number = int.from_bytes(bytes.fromhex(record[1])[:8], "big", signed=True)
        execute("SELECT pg_try_advisory_xact_lock(%s)", (number,)).fetchone()
        execute(texts.record, record[:2]).fetchone()
        execute(texts.document + " FOR UPDATE OF d", moved[:4]).fetchone()
        execute(texts.lines, moved[:4]).fetchall()
        assert execute(texts.move, moved).rowcount == 1
        for table, text in texts.one.items():
            for row in rows[table]:
                execute(text, row)
        execute("COMMIT")

    def load(self, rows: Rows) -> None:
        texts = self._texts
        with self.connection.transaction():
            cursor = self.connection.cursor()
            for size, given in _parts(rows["documents"], 3):
                cursor.execute(texts.lock(size), given).fetchall()
                cursor.execute(texts.documents_of(size), given).fetchall()
            for size, given in _parts(rows["documents"], 4):
                cursor.execute(texts.owners("documents", "number", size), given).fetchall()
            for size, given in _parts(rows["document_items"], 3):
                cursor.execute(texts.owners("document_items", "item_id", size), given).fetchall()
            for table, added in rows.items():
                self._copy(table, added)
            self._count(*rows)

    def regenerate(self, rows: Rows) -> None:
        texts = self._texts
        with self.connection.transaction():
            cursor = self.connection.cursor()
            for size, given in _parts(rows["moved"], 3):
                cursor.execute(texts.lock(size), given).fetchall()
                cursor.execute(texts.documents_of(size), given).fetchall()
                cursor.execute(texts.lines_of(size), given).fetchall()
            cursor.executemany(texts.move, rows["moved"])
            assert cursor.rowcount == len(rows["moved"])
            for table in ("transactions", "outbox"):
                self._copy(table, rows[table])
            self._count("transactions", "outbox")

    def _count(self, *tables: str) -> None:
        for (table,) in self.connection.execute(_GROWN, (list(tables),)).fetchall():
            self.connection.execute(f"ANALYZE {table}")

    def _copy(self, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
        text = f"COPY {table} ({', '.join(_COLUMNS[table])}) FROM STDIN"
        with self.connection.cursor().copy(text) as copy:
            for row in rows:
                copy.write_row(row)

    def holds(self) -> dict[str, list[str]]:
        return _dumped(self.connection.execute)

    def settle(self) -> None:
        self.connection.execute("VACUUM ANALYZE")
        self.connection.execute("CHECKPOINT")
