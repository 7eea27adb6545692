"""What can be wrong with a database, each with a sentence that says what to do.

Owns the translation of driver errors. Messages name the database by its URL without a password, never a statement.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from regen_core.ports import StoreFault
from regen_core.wire.codec import NotCanonical

__all__ = [
    "DatabaseBusy",
    "DatabaseFull",
    "DatabaseUnavailable",
    "DurabilityTooWeak",
    "ForeignDatabase",
    "NewerDatabase",
    "NotADatabase",
    "OlderDatabase",
    "ReadOnlyDatabase",
    "UnreadableDatabaseUrl",
    "raise_translated",
    "translated",
]


class _DatabaseFault(StoreFault):
    """A fault of the database ``where`` leads to."""

    says = "can't be used"

    def __init__(self, where: str, *details: object) -> None:
        super().__init__(f"The database {where} {self.says.format(*details)}")
        self.where, self.details = where, details

    def __reduce__(self) -> tuple[type[_DatabaseFault], tuple[object, ...]]:
        return type(self), (self.where, *self.details)


class UnreadableDatabaseUrl(_DatabaseFault):
    """The URL is none that the store can open; the detail says why."""

    says = "can't be opened: {}. Give a URL such as sqlite:///regen.db."


class NotADatabase(_DatabaseFault):
    """The file is no SQLite database, or a damaged one."""

    says = "is not an SQLite database or is damaged. Name another file, or restore it from a backup."


class ForeignDatabase(_DatabaseFault):
    """There are tables, but not the library's."""

    says = "belongs to another program: it has tables, and none of them is ours. Name another database."


class NewerDatabase(_DatabaseFault):
    """The schema is of a later version than this library knows."""

    says = "has schema version {}, and this version of regen-core knows {}. Upgrade regen-core."


class OlderDatabase(_DatabaseFault):
    """The schema is of an earlier version, and no upgrade is known."""

    says = (
        "has schema version {}, this version of regen-core needs {} and knows no way there. Use the older regen-core."
    )


class ReadOnlyDatabase(_DatabaseFault):
    """The file or its directory can't be written."""

    says = "is read-only. Make the file and its directory writable, or name another database."


class DatabaseBusy(_DatabaseFault):
    """Another process held the write lock for longer than the busy timeout, in seconds."""

    says = "is locked by another process, and waiting for its lock took too long. Try again when that one is done."


class DatabaseFull(_DatabaseFault):
    """The disk is full, or a limit of the database is reached."""

    says = "can't grow: the disk is full. Nothing of this operation was stored; make room and repeat it."


class DurabilityTooWeak(_DatabaseFault):
    """A setting that makes commits durable reads weaker than it must; details: name, value found, value needed."""

    says = "doesn't keep commits safe: {} is {}, needed is {}. Use a local file system that supports it."


class DatabaseUnavailable(_DatabaseFault):
    """Any other failure of the database; the detail is the driver's name of it."""

    says = "failed ({}). Nothing of this operation was stored. Check that its directory exists and its disk is well."


_BY_NAME = (
    ("SQLITE_NOTADB", NotADatabase),
    ("SQLITE_CORRUPT", NotADatabase),
    ("SQLITE_READONLY", ReadOnlyDatabase),
    ("SQLITE_BUSY", DatabaseBusy),
    ("SQLITE_LOCKED", DatabaseBusy),
    ("SQLITE_FULL", DatabaseFull),
)
"""How the driver's names of errors begin, and what they mean here."""


def fault_of(error: sqlite3.Error, where: str) -> _DatabaseFault:
    """The fault that a driver error stands for."""
    name = getattr(error, "sqlite_errorname", None) or type(error).__name__
    for prefix, kind in _BY_NAME:
        if name.startswith(prefix):
            return kind(where)
    return DatabaseUnavailable(where, name)


def raise_translated(error: BaseException, where: str) -> None:
    """Raise the fault that an error stands for; do nothing for an error of our own making."""
    if isinstance(error, NotCanonical):
        raise NotADatabase(where) from error
    if isinstance(error, sqlite3.Error) and not isinstance(error, _OUR_OWN):
        raise fault_of(error, where) from error


_OUR_OWN = (sqlite3.ProgrammingError, sqlite3.InterfaceError, sqlite3.IntegrityError)
"""Errors that the database isn't to blame for."""


@contextmanager
def translated(where: str) -> Iterator[None]:
    """Raise driver errors as faults; an error in our own use of the driver stays what it is."""
    try:
        yield
    except Exception as error:
        raise_translated(error, where)
        raise
