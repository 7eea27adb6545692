"""The unit of work where the way to the server and back costs more than the work there: statements travel together.

A statement is sent at once and its answer is read when somebody asks for it. So the beginning travels with the first
question, and all writes travel with the commit. The server does one after the other; after one that failed it does
nothing until the unit is given up, the commit included.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from types import TracebackType
from typing import Any, Final, Self

import psycopg

from regen_core.adapters.sql import faults
from regen_core.adapters.sql.backend import raise_translated
from regen_core.adapters.sql.prepared import Prepared, together
from regen_core.adapters.sql.unit import Connections, Row, UnitOfWork

__all__ = ["COPIED_FROM", "PipelinedUnit"]

COPIED_FROM: Final = 40
"""So many rows are cheaper to copy in than to insert, although the pipeline is left for them."""


_GROWN: Final = Prepared(
    "SELECT relname FROM pg_catalog.pg_class "
    "WHERE relnamespace = current_schema()::regnamespace AND relname = ANY(%s) "
    "AND pg_relation_size(oid) > 4 * relpages::bigint * current_setting('block_size')::bigint",
    tuple,
)
"""Which of some tables have no statistics, or some from when they were a fourth of what they are."""


class PipelinedUnit(UnitOfWork):
    """One unit on a psycopg connection in pipeline mode."""

    __slots__ = ("_committing", "_connection", "_copied", "_mode", "_pipeline")

    def __init__(self, connections: Connections, begin: str) -> None:
        super().__init__(connections, begin)
        self._committing = False
        self._copied: set[str] = set()

    def __enter__(self) -> Self:
        self._held = self._connections.take()
        connection: Any = self._held[0].driver_connection
        self._connection: psycopg.Connection[Any] = connection
        self._mode = connection.pipeline()
        self._cursor = connection.cursor()
        try:
            self._pipeline = self._mode.__enter__()
            self._cursor.execute(self._begin)
        except BaseException as error:
            self._abandon(error)
            raise
        return self

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> None:
        if error is not None:
            self._abandon(error)
            return
        try:
            if self._copied:
                self._count()
            self._committing = True
            self._cursor.execute("COMMIT")
            self._mode.__exit__(None, None, None)
        except BaseException as failed:
            self._abandon(failed)
            raise
        self._connections.give(self._held)

    def _count(self) -> None:
        """Let the server count the tables that rows were copied into, where they have grown since it last did.

        Without that it takes tenant, entity and type for names that hardly a row shares, and reads all rows of a tenant
        to find one document: a minute or longer, until it has counted them by itself. A table that somebody else counts
        now is left to them.
        """
        for (table,) in self.all(_GROWN, (sorted(self._copied),)):
            self._cursor.execute(f'ANALYZE (SKIP_LOCKED) "{table}"')

    def _abandon(self, error: BaseException) -> None:
        """Leave the pipeline and roll back.

        After an error of the server the connection is closed instead: statements that were skipped weren't prepared,
        and the driver doesn't know which of them those are.
        """
        try:
            if self._connection.pgconn.pipeline_status:
                self._mode.__exit__(None, None, None)
            if isinstance(error, psycopg.Error):
                raise error
            self._connection.execute("ROLLBACK")
        except Exception:  # noqa: BLE001  # whatever it is, the connection is lost and the first error counts
            self._connections.drop(self._held)
        else:
            self._connections.give(self._held)
        self._raise_fault(error)

    def _raise_fault(self, error: BaseException) -> None:
        backend, where = self._connections.backend, self._connections.where
        try:
            raise_translated(backend, error, where)
        except faults.ConnectionLost as lost:
            if self._committing:
                raise faults.OutcomeUnknown(where, *lost.details) from error
            raise

    def one(self, statement: Prepared, row: Row) -> Row | None:
        """The first row of the answer, or ``None``."""
        cursor = self._connection.cursor()
        cursor.execute(statement.sql, statement.bind(row))
        return cursor.fetchone()

    def all(self, statement: Prepared, row: Row) -> Sequence[Row]:
        """All rows of the answer."""
        cursor = self._connection.cursor()
        cursor.execute(statement.sql, statement.bind(row))
        return cursor.fetchall()

    def ask(self, questions: Iterable[tuple[Prepared, Row]]) -> list[Sequence[Row]]:
        """All rows of several answers, asked for before the first is read."""
        cursors = []
        for statement, row in questions:
            cursor = self._connection.cursor()
            cursor.execute(statement.sql, statement.bind(row))
            cursors.append(cursor)
        return [cursor.fetchall() for cursor in cursors]

    def parts(self, statement: Prepared, row: Row, most: int) -> Generator[Sequence[Row], None, None]:
        """The answer, at most so many rows at a time; the server keeps the rest until the unit ends."""
        self.put(Prepared(f"DECLARE parts NO SCROLL CURSOR FOR {statement.sql}", statement.bind), row)
        fetch = Prepared(f"FETCH FORWARD {most} FROM parts", tuple)
        while rows := self.all(fetch, ()):
            yield rows

    def write(self, statement: Prepared, row: Row) -> int:
        """Change rows; how many were changed."""
        return self.write_each(statement, [row])

    def write_each(self, statement: Prepared, rows: Iterable[Row]) -> int:
        """Change rows, once per given row; how many were changed in all."""
        cursors = []
        for row in rows:
            cursor = self._connection.cursor()
            cursor.execute(statement.sql, statement.bind(row))
            cursors.append(cursor)
        self._pipeline.sync()
        return sum([cursor.rowcount for cursor in cursors])

    def put(self, statement: Prepared, row: Row) -> None:
        """Change rows; nobody waits for it."""
        self._cursor.execute(statement.sql, statement.bind(row))

    def write_many(self, statement: Prepared, rows: Sequence[Row]) -> None:
        """Change rows, once per given row, several at once where they are added; nobody waits for it."""
        if statement.several is None:
            for row in rows:
                self.put(statement, row)
        else:
            for several, given in together(statement.several, rows):
                self.put(several, given)

    def add_many(self, statement: Prepared, rows: Sequence[Row]) -> None:
        """Add rows to a table; many are copied in, which the pipeline is left for."""
        if len(rows) < COPIED_FROM or statement.copy is None:
            self.write_many(statement, rows)
            return
        self._mode.__exit__(None, None, None)
        with self._connection.cursor().copy(statement.copy) as copy:
            for row in rows:
                copy.write_row(row)
        self._copied.add(statement.copy.split()[1])  # COPY table …
        self._mode = self._connection.pipeline()
        self._pipeline = self._mode.__enter__()
        cursor: Any = self._connection.cursor()
        self._cursor = cursor
