"""Opening a database: which kind it is, its settings, read back, and its schema, made, upgraded or refused.

Owns what a database must be before anything is read from it or written to it: ours, of the version that this library
knows, writable, and durable at every commit. All else is refused with a fault that says what to do.
"""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any, Final

from sqlalchemy import Dialect, create_engine, event, make_url, select
from sqlalchemy.engine import URL, Connection
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import CreateIndex, CreateTable

from regen_core.adapters.sql.backend import Backend, translated
from regen_core.adapters.sql.faults import (
    ConnectionLost,
    ForeignDatabase,
    NewerDatabase,
    OlderDatabase,
    ServerUnavailable,
    UnreadableDatabaseUrl,
)
from regen_core.adapters.sql.schema import METADATA, SCHEMA_VERSION, version_table
from regen_core.adapters.sql.unit import Connections

__all__ = ["BUSY_TIMEOUT", "open_database", "shown_url"]

BUSY_TIMEOUT: Final = 10.0
"""Seconds to wait for another writer: longer than any batch of ours holds a lock, short enough to tell a person."""

FIRST_VERSION: Final = "0001"
"""The oldest schema from which there is a way to the present one."""


_MODULES: Final = {
    "sqlite": "regen_core.adapters.sql.on_sqlite",
    "postgresql": "regen_core.adapters.sql.on_postgresql",
}
"""The kinds of databases, each imported when it is opened: one driver is needed, not all."""


_PASSWORDS: Final = re.compile(r"(\A[\w+]+://[^:/]*:)[^@]*(?=@)|([?&](?:ssl)?password=)[^&]*", re.IGNORECASE)
"""A password where a URL has it, and where libpq takes it as a parameter."""


def shown_url(url: str) -> str:
    """A database URL as it may appear in a message: as it was written, without its passwords.

    >>> shown_url("postgresql://me:secret@host/my db?sslpassword=secret"), shown_url("sqlite:///:memory:")
    ('postgresql://me:***@host/my db?sslpassword=***', 'sqlite:///:memory:')
    """
    return _PASSWORDS.sub(lambda found: f"{found[1] or found[2]}***", url)


def open_database(url: str, *, busy_timeout: float = BUSY_TIMEOUT) -> Connections:
    """Connections to a database of ours, whose schema is made where it is empty and upgraded where it is older.

    ``busy_timeout`` in seconds. Raises a :class:`~regen_core.ports.StoreFault` for a URL that leads to no database that
    the store can use, a database that is somebody else's, newer, read-only or locked, and for weak durability.
    """
    url = re.sub(r"\Apostgres://", "postgresql://", url)  # libpq takes both
    parsed, backend = _known(url)
    where = shown_url(url)
    backend.check(parsed, where)
    style: Any = {} if backend.paramstyle is None else {"paramstyle": backend.paramstyle}
    engine = create_engine(parsed, connect_args=dict(backend.options(busy_timeout)), poolclass=NullPool, **style)

    @event.listens_for(engine, "do_connect")
    def connect(dialect: Dialect, _: object, given: Any, named: Any) -> Any:
        connection = dialect.connect(*given, **named)
        try:
            backend.set_up(connection, where, busy_timeout)
        except BaseException:
            connection.close()
            raise
        return connection

    connections = Connections(engine, backend, where)
    try:
        with translated(backend, where):
            ensure_schema(connections)
    except ConnectionLost as lost:
        connections.close()
        raise ServerUnavailable(where, *lost.details) from lost
    except BaseException:
        connections.close()
        raise
    return connections


def _known(url: str) -> tuple[URL, Backend]:
    """A URL with the driver that is used, and the kind of database that it leads to."""
    try:
        parsed = make_url(url)
        kind = parsed.get_backend_name()
        parsed.get_dialect()
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError, ValueError):  # the last for a port that is none
        raise UnreadableDatabaseUrl(_without_password(url), "it is not a database URL") from None
    if kind not in _MODULES:
        raise UnreadableDatabaseUrl(shown_url(url), "it is neither SQLite's nor PostgreSQL's")
    try:
        backend: Backend = import_module(_MODULES[kind]).BACKEND
    except ImportError:
        missing = "its driver is missing: pip install 'regen-core[postgresql]'"
        raise UnreadableDatabaseUrl(shown_url(url), missing) from None
    return parsed.set(drivername=backend.driver), backend


def _without_password(url: str) -> str:
    return "given" if "@" in url else repr(url)


def ensure_schema(connections: Connections) -> None:
    """Make the schema in an empty database, upgrade an older one, refuse what isn't ours or newer."""
    backend, where = connections.backend, connections.where
    try:
        with connections.engine.connect() as connection:
            if _found_version(connection, backend, where) == SCHEMA_VERSION:
                return
            connection.exec_driver_sql(backend.writing)
            if backend.schema_lock is not None:
                connection.exec_driver_sql(backend.schema_lock)
            _bring_up(connection, _found_version(connection, backend, where))
            if backend.estimate is not None:
                backend.estimate(connection)
            connection.exec_driver_sql("COMMIT")
    except DBAPIError as error:
        raise (error.orig or error) from None


def _found_version(connection: Connection, backend: Backend, where: str) -> str | None:
    """The version that a database is of, ``None`` where it is empty; raises where it is neither that nor ours."""
    tables = {row[0] for row in connection.exec_driver_sql(backend.tables)}
    if not tables:
        return None
    if version_table.name not in tables:
        raise ForeignDatabase(where)
    row = connection.execute(select(version_table.c.version_num)).first()
    found = "none" if row is None else str(row[0])
    if row is None or found < FIRST_VERSION:
        raise OlderDatabase(where, found, SCHEMA_VERSION)
    if found > SCHEMA_VERSION:
        raise NewerDatabase(where, found, SCHEMA_VERSION)
    return found


def _bring_up(connection: Connection, found: str | None) -> None:
    """Make or upgrade the schema, within a transaction that the caller began and commits."""
    if found is None:
        for each in METADATA.sorted_tables:
            connection.execute(CreateTable(each))
            for index in sorted(each.indexes, key=str):
                connection.execute(CreateIndex(index))
        connection.execute(version_table.insert().values(version_num=SCHEMA_VERSION))
    elif found != SCHEMA_VERSION:
        from regen_core.adapters.sql.upgrades import upgrade  # noqa: PLC0415  # its library takes time to import

        upgrade(connection)
