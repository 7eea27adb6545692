"""SQLite: one writer at a time, a file that must be writable, and settings that make a commit durable."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy.engine import URL, Connection

from regen_core.adapters.sql import faults
from regen_core.adapters.sql.backend import Ask, Backend, Claims
from regen_core.adapters.sql.key_file import KeyFile
from regen_core.adapters.sql.schema import METADATA
from regen_core.ports import StoreFault

__all__ = ["SETTINGS", "BACKEND"]

SETTINGS: Mapping[str, str] = {
    "journal_mode": "WAL",
    "synchronous": "FULL",
    "fullfsync": "ON",
    "foreign_keys": "ON",
}
"""What every connection sets. With WAL and FULL a commit is on the disk before it is acknowledged; NORMAL loses
acknowledged commits with the power. ``fullfsync`` makes macOS flush the disk's own cache; elsewhere it does nothing."""

_NEEDED: Final = (
    ("journal_mode", ("wal",), "WAL"),
    ("synchronous", (2, 3), "FULL"),
    ("foreign_keys", (1,), "ON"),
)
"""Settings that are read back on every connection, the values that will do, and their name for people."""

_BY_NAME: Final = (
    ("SQLITE_NOTADB", faults.NotADatabase),
    ("SQLITE_CORRUPT", faults.NotADatabase),
    ("SQLITE_READONLY", faults.ReadOnlyDatabase),
    ("SQLITE_BUSY", faults.DatabaseBusy),
    ("SQLITE_LOCKED", faults.DatabaseBusy),
    ("SQLITE_FULL", faults.DatabaseFull),
)
"""How the driver's names of errors begin, and what they mean here."""

_DETAILS: Final = {
    "SQLITE_CANTOPEN": "no file can be made or opened there",
    "SQLITE_IOERR_WRITE": "SQLITE_IOERR_WRITE, as where a quota or a limit of its file's size is reached",
}
"""What is said instead of some of the driver's names."""

_UNDECODED: Final = "Could not decode to UTF-8"
"""How the driver says that a text is none; it has no name for that."""

_ALTERED: Final = (
    (re.compile("no such table"), "a table is missing"),
    (re.compile("no such column|has no column named"), "a column is missing"),
    (re.compile("because it is a view"), "a view has a table's name"),
    (re.compile("ON CONFLICT clause does not match"), "a key is missing"),
)
"""What the texts of SQLITE_ERROR hold where the schema isn't ours, and what we say."""

_BY_KEY: Final = frozenset(
    each.name for each in METADATA.tables.values() if not each.dialect_options["sqlite"]["with_rowid"]
)
"""Tables that are kept by their key: their index has the table's name."""

_PARAMETERS: Final = frozenset({"uri", "mode", "cache", "immutable", "psow", "vfs"})
"""Of an SQLite URL. ``nolock`` isn't one: writers would damage the file."""

_BAD_PARAMETER: Final = "after its ? are only " + ", ".join(sorted(_PARAMETERS - {"uri"})) + ", with uri=true and file:"

_OUR_OWN: Final = (sqlite3.ProgrammingError, sqlite3.InterfaceError, sqlite3.IntegrityError)
"""Errors that the database isn't to blame for."""


def _check(url: URL, where: str) -> None:
    """Refuse what the operating system wouldn't let us write, before SQLite makes files beside it."""
    if any((url.host, url.port, url.username, url.password)):
        raise faults.UnreadableDatabaseUrl(where, "a file's URL begins with sqlite:///")
    if url.database in (None, "", ":memory:"):
        raise faults.UnreadableDatabaseUrl(where, "a database in memory keeps nothing")
    if "ro" in url.query.get("mode", "") or "immutable" in url.query:
        raise faults.ReadOnlyDatabase(where)
    unknown = url.query.keys() - _PARAMETERS
    if unknown or (url.query and "uri" not in url.query):
        raise faults.UnreadableDatabaseUrl(where, _BAD_PARAMETER)
    path = str(url.database)
    if path.startswith("file:"):
        return
    directory = os.path.dirname(path) or "."
    if os.path.exists(path) and not os.path.isfile(path):
        what = "directory" if os.path.isdir(path) else "device or a pipe"
        raise faults.UnreadableDatabaseUrl(where, f"it names a {what}, and a file is needed")
    if not os.path.isdir(directory):
        raise faults.DatabaseUnavailable(where, "its directory doesn't exist")
    if not os.access(directory, os.W_OK) or (os.path.exists(path) and not os.access(path, os.W_OK)):
        raise faults.ReadOnlyDatabase(where)


def _set_up(connection: sqlite3.Connection, where: str, _: float) -> None:
    """Set what a connection needs and read it back; raises :class:`DurabilityTooWeak` where it didn't take."""
    connection.isolation_level = None
    for name, value in SETTINGS.items():
        connection.execute(f"PRAGMA {name} = {value}").close()
    for name, enough, needed in _NEEDED:
        found = connection.execute(f"PRAGMA {name}").fetchone()[0]
        if found not in enough:
            raise faults.DurabilityTooWeak(where, name, found, needed)


def _options(busy_timeout: float) -> Mapping[str, Any]:
    return {"timeout": busy_timeout}


_NAMED: Final = ("documents", "document_versions", "document_items", "transactions")
"""The tables in which names are looked up."""

_MANY: Final = 1_000_000
"""Rows that a table is said to have: the plans for as many are right for few."""

_SHARED: Final = ("tenant", "entity", "document_type")
"""Columns that all rows may share."""


def _estimate(connection: Connection) -> None:
    """Tell SQLite what it would guess wrong: only names tell rows apart, as one tenant may have them all.

    Left to itself it takes three columns of a key for selective, and reads all of a tenant's rows where many names are
    looked up. The estimates are rows of its own table, in its format: how many rows share an index's first columns.
    """
    ask = connection.exec_driver_sql
    ask("ANALYZE sqlite_schema")  # makes the table of estimates, and counts nothing
    for table in _NAMED:
        ask(f"DELETE FROM sqlite_stat1 WHERE tbl = '{table}'")  # noqa: S608  # names of our own
        for _, index, is_unique, origin, _ in ask(f"PRAGMA index_list({table})").all():
            columns = [row[2] for row in ask(f"PRAGMA index_info({index})")]
            name = table if origin == "pk" and table in _BY_KEY else index
            ask("INSERT INTO sqlite_stat1 VALUES (?, ?, ?)", (table, name, _shares(columns, is_unique=is_unique)))
    ask("ANALYZE sqlite_schema")  # reads them


def _shares(columns: Sequence[str], *, is_unique: bool) -> str:
    told = [_MANY, *[_MANY if set(columns[: count + 1]) <= set(_SHARED) else 5 for count in range(len(columns))]]
    return " ".join(map(str, [*told[:-1], 1] if is_unique else told))


_FILE: Final = "SELECT CAST(file AS BLOB) FROM pragma_database_list WHERE name = 'main'"
"""The file as SQLite found it, whichever way the URL spells it; as bytes, since a name need not be text."""


def _claims(ask: Ask, where: str) -> Claims:
    """Keys are claimed in a file beside the database, which is made when the first one is."""

    @cache
    def key_file() -> KeyFile:
        return KeyFile(os.path.realpath(os.fsdecode(ask(_FILE)[0][0])), where)

    return lambda digest: key_file().claimed(digest)


def _fault_of(error: BaseException, where: str) -> StoreFault | None:
    if not isinstance(error, sqlite3.Error) or isinstance(error, _OUR_OWN):
        return None
    name, text = getattr(error, "sqlite_errorname", None) or type(error).__name__, str(error)
    for prefix, kind in _BY_NAME:
        if name.startswith(prefix):
            return kind(where)
    if text.startswith(_UNDECODED):
        return faults.DamagedRows(where)
    for part, told in _ALTERED if name == "SQLITE_ERROR" else ():
        if part.search(text):
            return faults.AlteredTables(where, told)
    return faults.DatabaseUnavailable(where, _DETAILS.get(name, name))


BACKEND: Final = Backend(
    driver="sqlite",
    paramstyle=None,
    reading="BEGIN",
    writing="BEGIN IMMEDIATE",
    writing_as_read="BEGIN IMMEDIATE",
    names="SELECT name FROM sqlite_master",
    changing=(),
    estimate=_estimate,
    locks_rows=False,
    key_claim=None,
    is_pipelined=False,
    check=_check,
    options=_options,
    set_up=_set_up,
    is_alive=lambda _: True,
    sever=None,
    claims=_claims,
    fault_of=_fault_of,
)
"""``BEGIN IMMEDIATE`` takes the one write lock at once: what a unit reads no other writer moves before it commits."""
