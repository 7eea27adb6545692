"""What can be wrong with a database, each with a sentence that says what to do.

Messages name the database by its URL without a password, never a statement. Which error of a driver stands for which
fault, each backend says.
"""

from __future__ import annotations

from regen_core.ports import StoreFault

__all__ = [
    "AlteredTables",
    "ConnectionLost",
    "DamagedRows",
    "DatabaseBusy",
    "DatabaseFull",
    "DatabaseUnavailable",
    "DurabilityTooWeak",
    "ForeignDatabase",
    "ForkedInUse",
    "IgnoredWrite",
    "KeyFileReadOnly",
    "NewerDatabase",
    "NotADatabase",
    "OlderDatabase",
    "OutcomeUnknown",
    "PassingConflict",
    "ReadOnlyDatabase",
    "ServerUnavailable",
    "SharedConnection",
    "StatementStopped",
    "UnreadableDatabaseUrl",
    "UnsuitableDatabase",
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

    says = "can't be opened: {}. Give a URL such as sqlite:///regen.db or postgresql://user@host/database."


class NotADatabase(_DatabaseFault):
    """The file is no SQLite database, or a damaged one."""

    says = "is not an SQLite database or is damaged. Name another file, or restore it from a backup."


class ForeignDatabase(_DatabaseFault):
    """There are tables, views or sequences, but not the library's."""

    says = "belongs to another program: it has tables, views or sequences, and none is ours. Name another database."


class NewerDatabase(_DatabaseFault):
    """The schema is of a later version than this library knows."""

    says = "has schema version {}, and this version of regen-core knows {}. Upgrade regen-core."


class OlderDatabase(_DatabaseFault):
    """The schema is of an earlier version, and no upgrade is known."""

    says = (
        "has schema version {}, this version of regen-core needs {} and knows no way there. Use the older regen-core."
    )


class ReadOnlyDatabase(_DatabaseFault):
    """The file or its directory can't be written, or the role may not write."""

    says = "is read-only. Make it writable (a file with its directory, a role's rights), or name another database."


class KeyFileReadOnly(ReadOnlyDatabase):
    """The file in which Idempotency-Keys are claimed can't be written, or not be made."""

    says = (
        "can't claim an Idempotency-Key: the file beside it with -keys behind its name can't be written. Nothing of "
        "this operation was stored. Let whoever may write the database write that file and its directory, too."
    )


class DatabaseBusy(_DatabaseFault):
    """Another process held a lock for longer than the busy timeout, in seconds."""

    says = "is locked by another process, and waiting for its lock took too long. Try again when that one is done."


class StatementStopped(_DatabaseFault):
    """The server ended a statement: it took longer than it may, or somebody cancelled it."""

    says = (
        "stopped a statement that took too long, or that somebody cancelled. Nothing of this operation was stored. "
        "Repeat it when the server is less busy, in smaller batches where it has any."
    )


class DatabaseFull(_DatabaseFault):
    """The disk is full, or a limit of the database is reached."""

    says = "can't grow: the disk is full. Nothing of this operation was stored; make room and repeat it."


class DurabilityTooWeak(_DatabaseFault):
    """A setting that makes commits durable reads weaker than it must; details: name, value found, value needed."""

    says = (
        "doesn't keep commits safe: {} is {}, needed is {}. Change the setting; a file needs a file system that "
        "supports it."
    )


class DatabaseUnavailable(_DatabaseFault):
    """Any other failure of the database; the detail is the driver's name of it."""

    says = "failed ({}). Nothing of this operation was stored. Check that its directory exists and its disk is well."


class DamagedRows(NotADatabase):
    """Rows that the library didn't write, or not like this."""

    says = "holds rows that can't be read: they are damaged. Restore it from a backup."


class AlteredTables(_DatabaseFault):
    """Tables or columns of ours are missing, or others stand in their place; the detail says which of these."""

    says = (
        "doesn't have its tables as this library made them: {}. Nothing of this operation was stored. Restore it from "
        "a backup, or name another database."
    )


class SharedConnection(_DatabaseFault):
    """A connection's prepared statements aren't its own; the detail says how that was noticed."""

    says = (
        "is reached by a connection that something else uses, too: {}. Nothing of this operation was stored. Let a "
        "pooler hand out whole sessions, and open a store in the process that uses it."
    )


class ForkedInUse(_DatabaseFault):
    """The process was forked from one that was just using SQLite, whose locks it would take for its own."""

    says = (
        "can't be used in this process: it was forked while another thread, or the call that forked it, was using an "
        "SQLite database. Fork while nothing uses one, or start new processes ('spawn')."
    )


class IgnoredWrite(_DatabaseFault):
    """A document's row didn't take its new version, although nobody else can have moved it."""

    says = (
        "didn't take what was written to it, and no other writer can have been in the way. Nothing of this operation "
        "was stored. Remove the trigger or rule that another program has put on its tables, or restore a backup."
    )


class UnsuitableDatabase(_DatabaseFault):
    """A property that can't be changed from here; details: name, value found, value needed."""

    says = "can't hold our data: {} is {}, needed is {}. Name another database."


class ServerUnavailable(_DatabaseFault):
    """The server didn't answer, or let nobody in; the detail says why, as far as that is known."""

    says = (
        "can't be reached: {}. Nothing was stored. Check that its server runs, and the host, user, password and "
        "database of the URL."
    )


class PassingConflict(_DatabaseFault):
    """Other writers were in the way again and again; the detail is the driver's name of it. It may be tried again."""

    says = "is busy with other writers of the same documents ({}). Nothing of this operation was stored; repeat it."


class ConnectionLost(PassingConflict):
    """The connection broke before the commit was asked for."""

    says = "lost the connection ({}). Nothing of this operation was stored; repeat it when the server is back."


class OutcomeUnknown(_DatabaseFault):
    """The connection broke while a commit was under way: the one fault after which the operation may be stored."""

    says = (
        "lost the connection during a commit ({}): the operation is stored as a whole or not at all, and nobody "
        "knows which. Repeating it under the same Idempotency-Key is safe, and so is loading the same documents again; "
        "without a key look first, with 'regen show'."
    )
