"""The unit of work: one transaction of the database, on the driver's cursor.

Owns begin, commit and roll back. What happens within happens as a whole or not at all, and is durable when the unit has
ended without an exception (IDM-7).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Engine
from sqlalchemy.engine.interfaces import DBAPICursor

from regen_core.adapters.sql.faults import translated
from regen_core.adapters.sql.prepared import Prepared

__all__ = ["READING", "UnitOfWork", "WRITING", "unit_of_work"]

Row = tuple[Any, ...]

READING: Final = "BEGIN"
"""A snapshot to read from; SQLite takes no lock that a writer would wait for."""

WRITING: Final = "BEGIN IMMEDIATE"
"""The write lock from the start: what is read can't be moved by another writer before it is written."""


class UnitOfWork:
    """Runs prepared statements within one unit; rows are given in the statement's declared order."""

    __slots__ = ("_cursor",)

    def __init__(self, cursor: DBAPICursor) -> None:
        self._cursor = cursor

    def one(self, statement: Prepared, row: Row) -> Row | None:
        """The first row of the answer, or ``None``."""
        self._cursor.execute(statement.sql, statement.bind(row))
        return self._cursor.fetchone()

    def all(self, statement: Prepared, row: Row) -> Sequence[Row]:
        """All rows of the answer."""
        self._cursor.execute(statement.sql, statement.bind(row))
        return self._cursor.fetchall()

    def write(self, statement: Prepared, row: Row) -> int:
        """Change rows; how many were changed."""
        self._cursor.execute(statement.sql, statement.bind(row))
        return self._cursor.rowcount

    def write_many(self, statement: Prepared, rows: Sequence[Row]) -> None:
        """Change rows, once per given row."""
        if rows:
            self._cursor.executemany(statement.sql, [statement.bind(row) for row in rows])


@contextmanager
def unit_of_work(engine: Engine, begin: str, where: str) -> Iterator[UnitOfWork]:
    """One unit: committed at the end, rolled back by an exception."""
    with translated(where):
        connection = engine.raw_connection()
        try:
            cursor = connection.cursor()
            cursor.execute(begin)
            try:
                yield UnitOfWork(cursor)
                cursor.execute("COMMIT")
            except BaseException:
                connection.rollback()
                raise
        finally:
            connection.close()
