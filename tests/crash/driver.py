"""SQLite connections that tell of every statement, for any engine and whatever the store does with its cursors."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Dialect, Engine, event

__all__ = ["Around", "connections", "straight"]

Around = Callable[[str, Callable[[], Any]], Any]
"""Is given the name of what is to be run and the way to run it, and runs it."""

_WRITES: Final = ("INSERT", "UPDATE", "DELETE", "REPLACE", "WITH", "CREATE", "ALTER", "DROP")


def straight(_: str, run: Callable[[], Any]) -> Any:
    """Run it, no more."""
    return run()


def _connection_class(around: Around, *, in_pieces: bool) -> type[sqlite3.Connection]:
    class Cursor(sqlite3.Cursor):
        def execute(self, sql: str, parameters: Any = (), /) -> Any:
            return self._ran(sql, lambda: sqlite3.Cursor.execute(self, sql, parameters))

        def executemany(self, sql: str, parameters: Any, /) -> Any:
            return self._ran(sql, lambda: sqlite3.Cursor.executemany(self, sql, parameters))

        def _ran(self, sql: str, run: Callable[[], Any]) -> Any:
            answer = around(" ".join(sql.split()[:3]), run)
            if in_pieces and self.connection.in_transaction and sql.lstrip().upper().startswith(_WRITES):
                for statement in ("COMMIT", "BEGIN IMMEDIATE"):
                    sqlite3.Cursor(self.connection).execute(statement)
            return answer

    class Watched(sqlite3.Connection):
        def cursor(self, *_: Any) -> Any:
            return super().cursor(Cursor)

        def commit(self) -> None:
            around("commit", super().commit)

        def rollback(self) -> None:
            around("rollback", super().rollback)

    return Watched


@contextmanager
def connections(around: Around, *, in_pieces: bool = False) -> Iterator[None]:
    """Let every SQLite connection that SQLAlchemy opens within the block run its statements through ``around``.

    ``in_pieces`` is a control: what should be one unit of work is committed statement by statement.
    """
    factory = _connection_class(around, in_pieces=in_pieces)

    def connecting(dialect: Dialect, _record: Any, _positional: Any, named: dict[str, Any]) -> None:
        if dialect.name == "sqlite":
            named["factory"] = factory

    event.listen(Engine, "do_connect", connecting)
    try:
        yield
    finally:
        event.remove(Engine, "do_connect", connecting)
