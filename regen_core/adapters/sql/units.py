"""Beginning units of work on one store's connections, and beginning again where writers were in each other's way."""

from __future__ import annotations

import time
from collections.abc import Callable
from random import SystemRandom
from typing import Final, TypeVar

from regen_core.adapters.sql.contents import Content
from regen_core.adapters.sql.faults import PassingConflict
from regen_core.adapters.sql.reading import Reader
from regen_core.adapters.sql.rows import Contents, Occasions, read_content
from regen_core.adapters.sql.statements import statements_of
from regen_core.adapters.sql.unit import Connections, Row, UnitOfWork
from regen_core.unchecked import unchecked

__all__ = ["MOST_ATTEMPTS", "Units"]

T = TypeVar("T")

_new_reader: Final = unchecked(Reader)

MOST_ATTEMPTS: Final = 30
"""How often a unit is begun before its conflict is told: more than writers that meet at one document on any machine."""

_LONGEST_PAUSE: Final = 0.05
"""Seconds: units take milliseconds, so whoever waited this long most likely comes through."""

_random: Final = SystemRandom()


def _kind(*, is_pipelined: bool) -> type[UnitOfWork]:
    if not is_pipelined:
        return UnitOfWork
    from regen_core.adapters.sql.pipelined import PipelinedUnit  # noqa: PLC0415  # only PostgreSQL needs its driver

    return PipelinedUnit


class Units:
    """Units of work that read, that write, and that write what they read at one moment."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._kind = _kind(is_pipelined=connections.backend.is_pipelined)
        self.statements = statements_of(connections.engine.dialect)
        self._contents = Contents()

    def reading(self) -> Reader:
        """A unit that only reads, all of it as of one moment."""
        return self._reader(self._connections.backend.reading)

    def writing(self) -> Reader:
        """A unit that locks a document before it reads it."""
        return self._reader(self._connections.backend.writing)

    def _reader(self, begin: str, contents: Callable[[Row, Row], Content] | None = None) -> Reader:
        unit = self._kind(self._connections, begin)
        return _new_reader(unit, self.statements, contents or self._contents.of, Occasions(), {})

    def write(self, work: Callable[[Reader], T]) -> T:
        """Do work in a unit that writes; where other writers were in the way, all of it again."""
        return self._again(work, self._connections.backend.writing)

    def write_once(self, work: Callable[[Reader], T]) -> T:
        """The same for documents of which most aren't read again soon: what others read lately stays at hand."""
        return self._again(work, self._connections.backend.writing, read_content)

    def write_as_read(self, work: Callable[[Reader], T]) -> T:
        """The same, where what was read at one moment must still hold when it is written."""
        return self._again(work, self._connections.backend.writing_as_read)

    def _again(
        self, work: Callable[[Reader], T], begin: str, contents: Callable[[Row, Row], Content] | None = None
    ) -> T:
        for attempt in range(1, MOST_ATTEMPTS):
            try:
                with self._reader(begin, contents) as reader:
                    return work(reader)
            except PassingConflict:
                time.sleep(_random.uniform(0, min(_LONGEST_PAUSE, 0.001 * 2**attempt)))
        with self._reader(begin, contents) as reader:
            return work(reader)
