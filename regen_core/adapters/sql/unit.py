"""The unit of work: one transaction of the database, on the driver's cursor.

Owns begin, commit and roll back, and the connections that wait for the next unit. What happens within a unit happens as
a whole or not at all, and is durable when the unit has ended without an exception (IDM-7).
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, Final, Self

from attrs import field, frozen
from sqlalchemy import Engine
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.pool import PoolProxiedConnection

from regen_core.adapters.sql.backend import Backend, raise_translated, translated
from regen_core.adapters.sql.faults import ConnectionLost, ForkedInUse, ServerUnavailable
from regen_core.adapters.sql.forks import is_told_of_forks, keep_for_ever
from regen_core.adapters.sql.prepared import Prepared, together

__all__ = ["Connections", "Row", "UnitOfWork"]

Row = tuple[Any, ...]

_MOST_IDLE: Final = 16
"""Connections kept for the next unit: as many as threads may soon be back; more are closed."""

_Held = tuple[PoolProxiedConnection, DBAPICursor]

_torn: Final[set[str]] = set()
"""Drivers of which this process has connections that were in use when it was forked, and can't be used or closed."""


@frozen(eq=False)
class Connections:
    """Open connections of one store, each used by one unit at a time; taking an idle one costs next to nothing."""

    engine: Engine
    backend: Backend
    where: str
    _idle: list[_Held] = field(factory=list, init=False)
    _open: set[PoolProxiedConnection] = field(factory=set, init=False)
    _opening: list[None] = field(factory=list, init=False)

    def __attrs_post_init__(self) -> None:
        self._refuse_torn()
        is_told_of_forks(self)

    def before_fork(self) -> None:
        """Close what is idle where a forked process couldn't be kept from it: it is opened again when it is needed."""
        if self.backend.sever is None:
            with suppress(Exception):
                self._close_idle()

    def in_child(self) -> None:
        """Leave the parent's connections to the parent (:attr:`Backend.sever`)."""
        if self.backend.sever is not None:
            for each in self._open:
                self.backend.sever(each.driver_connection)
        elif self._open or self._opening:
            _torn.add(self.backend.driver)
            keep_for_ever([*self._idle, *self._open, *[each.driver_connection for each in self._open]])
            self._idle.clear()

    def _refuse_torn(self) -> None:
        if self.backend.driver in _torn:
            raise ForkedInUse(self.where)

    @contextmanager
    def opening(self) -> Iterator[None]:
        """The time in which a connection is made, or one is used that isn't kept here."""
        self._opening.append(None)
        try:
            yield
        finally:
            self._opening.pop()

    def take(self) -> _Held:
        """An idle connection with its cursor, or a new one; what broke while it was idle is closed."""
        while True:
            try:
                held = self._idle.pop()
            except IndexError:
                break
            if self.backend.is_alive(held[0].driver_connection):
                return held
            self.drop(held)
        self._refuse_torn()
        try:
            with translated(self.backend, self.where), self.opening():
                connection = self.engine.raw_connection()
                self._open.add(connection)
                return connection, connection.cursor()
        except ConnectionLost as lost:
            raise ServerUnavailable(self.where, *lost.details) from lost

    def give(self, held: _Held) -> None:
        """Keep a connection that is in no transaction for the next unit."""
        if len(self._idle) < _MOST_IDLE:
            self._idle.append(held)
        else:
            self._close(held)

    def drop(self, held: _Held) -> None:
        """Close a connection that is of no use any more."""
        held[0].invalidate()
        self._open.discard(held[0])

    def _close(self, held: _Held) -> None:
        held[0].close()
        self._open.discard(held[0])

    def _close_idle(self) -> None:
        while self._idle:
            self._close(self._idle.pop())

    def ask(self, question: str) -> Sequence[Row]:
        """The rows that answer a question, in a unit of its own."""
        with UnitOfWork(self, self.backend.reading) as unit:
            return unit.all(Prepared(question, tuple), ())

    def close(self) -> None:
        """Close what is idle."""
        self._close_idle()
        self.engine.dispose()


class UnitOfWork:
    """One unit, as a context: committed at its end, rolled back by an exception.

    Rows are given in the statement's declared order. A driver's error leaves as a
    :class:`~regen_core.ports.StoreFault`.
    """

    __slots__ = ("_begin", "_connections", "_cursor", "_held", "key_claim", "locks_rows", "where")

    def __init__(self, connections: Connections, begin: str) -> None:
        backend = connections.backend
        self._connections, self._begin, self.where = connections, begin, connections.where
        self.locks_rows = backend.locks_rows and begin != backend.reading
        self.key_claim = None if backend.key_claim is None else Prepared(backend.key_claim, tuple)

    def __enter__(self) -> Self:
        self._held = self._connections.take()
        self._cursor = self._held[1]
        try:
            self._cursor.execute(self._begin)
        except BaseException as error:
            self._abandon(error)
            raise
        return self

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> None:
        if _torn:
            raise ForkedInUse(self.where) from error
        if error is not None:
            self._abandon(error)
            return
        try:
            self._cursor.execute("COMMIT")
        except BaseException as failed:
            self._abandon(failed)
            raise
        self._connections.give(self._held)

    def _abandon(self, error: BaseException) -> None:
        """Roll back; a connection that can't even do that is closed. Raises the error's translation, if it has one."""
        connection = self._held[0]
        try:
            connection.rollback()
        except Exception:  # noqa: BLE001  # whatever it is, the connection is lost and the first error counts
            self._connections.drop(self._held)
        else:
            self._connections.give(self._held)
        raise_translated(self._connections.backend, error, self._connections.where)

    def one(self, statement: Prepared, row: Row) -> Row | None:
        """The first row of the answer, or ``None``."""
        self._cursor.execute(statement.sql, statement.bind(row))
        return self._cursor.fetchone()

    def all(self, statement: Prepared, row: Row) -> Sequence[Row]:
        """All rows of the answer."""
        self._cursor.execute(statement.sql, statement.bind(row))
        return self._cursor.fetchall()

    def ask(self, questions: Iterable[tuple[Prepared, Row]]) -> list[Sequence[Row]]:
        """All rows of several answers, none of which a question depends on."""
        return [self.all(statement, row) for statement, row in questions]

    def parts(self, statement: Prepared, row: Row, most: int) -> Generator[Sequence[Row], None, None]:
        """The answer, at most so many rows at a time; other questions may be asked in between."""
        cursor = self._held[0].cursor()
        try:
            cursor.execute(statement.sql, statement.bind(row))
            while rows := cursor.fetchmany(most):
                yield rows
        finally:
            cursor.close()

    def write(self, statement: Prepared, row: Row) -> int:
        """Change rows; how many were changed."""
        self._cursor.execute(statement.sql, statement.bind(row))
        return self._cursor.rowcount

    def write_each(self, statement: Prepared, rows: Iterable[Row]) -> int:
        """Change rows, once per given row; how many were changed in all."""
        self._cursor.executemany(statement.sql, [statement.bind(row) for row in rows])
        return self._cursor.rowcount

    def put(self, statement: Prepared, row: Row) -> None:
        """Change rows, however many."""
        self._cursor.execute(statement.sql, statement.bind(row))

    def add_many(self, statement: Prepared, rows: Sequence[Row]) -> None:
        """Add rows to a table."""
        self.write_many(statement, rows)

    def write_many(self, statement: Prepared, rows: Sequence[Row]) -> None:
        """Change rows, once per given row, several at once where they are added; nobody asks how many were changed."""
        if statement.several is not None:
            for several, given in together(statement.several, rows):
                self.put(several, given)
        elif rows:
            self._cursor.executemany(statement.sql, [statement.bind(row) for row in rows])
