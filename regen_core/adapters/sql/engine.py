"""Opening a database: its settings, read back, and its schema, created or checked.

Owns what a database must be before anything is read from it or written to it: ours, of the version that this library
knows, writable, and durable at every commit. All else is refused with a fault that says what to do.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Dialect, Select, create_engine, event, literal_column, make_url, select, table
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import CreateIndex, CreateTable

from regen_core.adapters.sql.faults import (
    DurabilityTooWeak,
    ForeignDatabase,
    NewerDatabase,
    OlderDatabase,
    ReadOnlyDatabase,
    UnreadableDatabaseUrl,
)
from regen_core.adapters.sql.prepared import prepare
from regen_core.adapters.sql.schema import METADATA, SCHEMA_VERSION, version_table
from regen_core.adapters.sql.unit import READING, WRITING, Connections, UnitOfWork

__all__ = ["BUSY_TIMEOUT", "SETTINGS", "open_database", "shown_url"]

BUSY_TIMEOUT: Final = 10.0
"""Seconds to wait for another writer: longer than any batch of ours holds the lock, short enough to tell a person."""

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


_TABLES: Final[Select[Any]] = (
    select(literal_column("name"))
    .select_from(table("sqlite_master"))
    .where(literal_column("type") == literal_column("'table'"))
)
"""The names of all tables there are, whoever made them."""


def shown_url(url: URL) -> str:
    """A database URL as it may appear in a message: without its password."""
    return url.render_as_string(hide_password=True)


def open_database(url: str, *, busy_timeout: float = BUSY_TIMEOUT) -> Connections:
    """Connections to a database of ours, whose schema is created where the database is empty.

    ``busy_timeout`` in seconds. Raises a :class:`~regen_core.ports.StoreFault` for a URL that isn't an SQLite file's, a
    file that is no database, somebody else's, newer, older, read-only or locked, and for weak durability.
    """
    parsed = _sqlite_url(url)
    where = shown_url(parsed)
    _check_writable(parsed, where)
    engine = create_engine(parsed, connect_args={"timeout": busy_timeout}, poolclass=NullPool)

    @event.listens_for(engine, "connect")
    def set_up(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None
        try:
            apply_settings(connection, where)
        except BaseException:
            connection.close()
            raise

    connections = Connections(engine, where)
    try:
        ensure_schema(connections)
    except BaseException:
        connections.close()
        raise
    return connections


def _sqlite_url(url: str) -> URL:
    try:
        parsed = make_url(url)
        is_sqlite = parsed.get_dialect().name == "sqlite"
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError):
        raise UnreadableDatabaseUrl(_without_password(url), "it is not a database URL") from None
    if not is_sqlite:
        raise UnreadableDatabaseUrl(shown_url(parsed), "this version works on SQLite files only")
    if parsed.database in (None, "", ":memory:"):
        raise UnreadableDatabaseUrl(shown_url(parsed), "a database in memory keeps nothing")
    return parsed


def _without_password(url: str) -> str:
    return "given" if "@" in url else repr(url)


def _check_writable(url: URL, where: str) -> None:
    """Refuse what the operating system wouldn't let us write, before SQLite makes files beside it."""
    path = str(url.database)
    if "ro" in url.query.get("mode", "") or "immutable" in url.query:
        raise ReadOnlyDatabase(where)
    if path.startswith("file:"):
        return
    directory = os.path.dirname(path) or "."
    if os.path.exists(path) and not (os.access(path, os.W_OK) and os.access(directory, os.W_OK)):
        raise ReadOnlyDatabase(where)


def apply_settings(connection: sqlite3.Connection, where: str) -> None:
    """Set what a connection needs and read it back; raises :class:`DurabilityTooWeak` where it didn't take."""
    for name, value in SETTINGS.items():
        connection.execute(f"PRAGMA {name} = {value}").close()
    for name, enough, needed in _NEEDED:
        found = connection.execute(f"PRAGMA {name}").fetchone()[0]
        if found not in enough:
            raise DurabilityTooWeak(where, name, found, needed)


def ensure_schema(connections: Connections) -> None:
    """Create the schema in an empty database, or refuse a database that isn't ours or not of our version."""
    dialect, where = connections.engine.dialect, connections.where
    with UnitOfWork(connections, READING) as unit:
        is_empty = _check_schema(dialect, unit, where)
    if is_empty:
        with UnitOfWork(connections, WRITING) as unit:
            if _check_schema(dialect, unit, where):
                _create(dialect, unit)


def _check_schema(dialect: Dialect, unit: UnitOfWork, where: str) -> bool:
    """Whether the database is empty; raises where it is neither empty nor ours."""
    tables = {row[0] for row in unit.all(prepare(_TABLES, dialect, ()), ())}
    if not tables:
        return True
    if version_table.name not in tables:
        raise ForeignDatabase(where)
    row = unit.one(prepare(select(version_table.c.version_num), dialect, ()), ())
    found = "none" if row is None else str(row[0])
    if row is None or found < SCHEMA_VERSION:
        raise OlderDatabase(where, found, SCHEMA_VERSION)
    if found > SCHEMA_VERSION:
        raise NewerDatabase(where, found, SCHEMA_VERSION)
    return False


def _create(dialect: Dialect, unit: UnitOfWork) -> None:
    for each in METADATA.sorted_tables:
        unit.write(prepare(CreateTable(each), dialect, ()), ())
        for index in sorted(each.indexes, key=str):
            unit.write(prepare(CreateIndex(index), dialect, ()), ())
    unit.write(prepare(version_table.insert(), dialect, ("version_num",)), (SCHEMA_VERSION,))
