"""What sets one kind of database apart from another: a value per kind, and nothing about it anywhere else.

Owns the list of differences. Everything that isn't in :class:`Backend` is the same on every database: the schema, the
statements, what a unit of work does and in which order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from attrs import frozen
from sqlalchemy.engine import URL, Connection

from regen_core.adapters.sql.faults import DamagedRows
from regen_core.ports import StoreFault
from regen_core.wire.codec import NotCanonical

__all__ = ["Ask", "Backend", "Claims", "raise_translated", "translated"]

Claims = Callable[[str], AbstractContextManager[bool]]
"""Claims an Idempotency-Key, by its digest, for the time of a block; whether it was free (IDM-3)."""

Ask = Callable[[str], Sequence[tuple[Any, ...]]]
"""The rows that answer a question, asked in a unit of work of its own."""


@frozen(kw_only=True, eq=False)
class Backend:
    """One kind of database.

    Fields: ``driver`` the SQLAlchemy name of the driver that is used; ``paramstyle`` how it wants parameters,
    ``None`` for its own choice; ``reading``, ``writing`` and ``writing_as_read`` the texts that begin a unit, the
    last where what was read must still hold when it is written; ``names`` asks what there is, ``changing`` is done
    before a schema is made or upgraded: one process at a time does that, however long it takes; ``estimate`` tells a
    new schema's planner what it would guess wrong, ``None`` where it counts (:mod:`pipelined`); ``locks_rows``
    whether a document's row is locked on its own, ``key_claim`` the statement that tries to claim a key (``None``
    where no other unit can be under way); ``is_pipelined`` whether statements travel before the answers to those
    before them are read; ``check`` looks at a URL before it is opened, ``options`` what the driver is given with a
    lock timeout in seconds, ``set_up`` prepares a connection and refuses weak settings; ``is_alive`` tells of an idle
    connection whether it can still be used, without asking the server; ``sever`` cuts a forked process's copy of a
    connection off without a word to the server, ``None`` where that can't be; ``claims`` makes what claims keys across
    processes, which may ask the database; ``fault_of`` translates the driver's errors, ``None`` where the database
    isn't to blame.
    """

    driver: str
    paramstyle: str | None
    reading: str
    writing: str
    writing_as_read: str
    names: str
    changing: tuple[str, ...]
    estimate: Callable[[Connection], None] | None
    locks_rows: bool
    key_claim: str | None
    is_pipelined: bool
    check: Callable[[URL, str], None]
    options: Callable[[float], Mapping[str, Any]]
    set_up: Callable[[Any, str, float], None]
    is_alive: Callable[[Any], bool]
    sever: Callable[[Any], None] | None
    claims: Callable[[Ask, str], Claims]
    fault_of: Callable[[BaseException, str], StoreFault | None]


def raise_translated(backend: Backend, error: BaseException, where: str) -> None:
    """Raise the fault that an error stands for; do nothing for an error of our own making."""
    fault = DamagedRows(where) if isinstance(error, NotCanonical) else backend.fault_of(error, where)
    if fault is not None:
        raise fault from error


@contextmanager
def translated(backend: Backend, where: str) -> Iterator[None]:
    """Raise driver errors as faults; an error in our own use of the driver stays what it is."""
    try:
        yield
    except Exception as error:
        raise_translated(backend, error, where)
        raise
