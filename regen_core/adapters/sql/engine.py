"""Opening a database: which kind it is, its settings, read back, and its schema, made, upgraded or refused.

Owns what a database must be before anything is read from it or written to it: ours, of the version that this library
knows, writable, and durable at every commit. All else is refused with a fault that says what to do.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib import import_module
from typing import Any, Final

from attrs import define
from sqlalchemy import Dialect, Engine, create_engine, event
from sqlalchemy.engine import URL, Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import CreateIndex, CreateTable

from regen_core.adapters.sql.backend import Backend, translated
from regen_core.adapters.sql.faults import (
    AlteredTables,
    ConnectionLost,
    ForeignDatabase,
    NewerDatabase,
    OlderDatabase,
    ServerUnavailable,
    UnreadableDatabaseUrl,
)
from regen_core.adapters.sql.schema import METADATA, SCHEMA_VERSION, version_table
from regen_core.adapters.sql.unit import Connections
from regen_core.adapters.sql.urls import read_url, shown_url

__all__ = ["BUSY_TIMEOUT", "open_database"]

BUSY_TIMEOUT: Final = 10.0
"""Seconds to wait for another writer: longer than any batch of ours holds a lock, short enough to tell a person."""

FIRST_VERSION: Final = "0001"
"""The oldest schema from which there is a way to the present one."""

_VERSION: Final = f"SELECT version_num FROM {version_table.name}"  # noqa: S608  # a name of our own

_MODULES: Final = {
    "sqlite": "regen_core.adapters.sql.on_sqlite",
    "postgresql": "regen_core.adapters.sql.on_postgresql",
}
"""The kinds of databases, each imported when it is opened: one driver is needed, not all."""


def open_database(url: str, *, busy_timeout: float = BUSY_TIMEOUT) -> Connections:
    """Connections to a database of ours, whose schema is made where it is empty and upgraded where it is older.

    ``busy_timeout`` in seconds. Raises a :class:`~regen_core.ports.StoreFault` for a URL that leads to no database that
    the store can use, a database that is somebody else's, newer, read-only or locked, and for weak durability; and so
    does each connection that is opened later, where another program upgraded the schema in the meantime.
    """
    url = re.sub(r"\Apostgres://", "postgresql://", url)  # libpq takes both
    where = shown_url(url)
    parsed, backend = _known(url, where)
    backend.check(parsed, where)
    connecting = _Connecting(backend, where, busy_timeout)
    connections = Connections(_engine(parsed, connecting), backend, where)
    try:
        with translated(backend, where), connections.opening():
            ensure_schema(connections)
    except ConnectionLost as lost:
        connections.close()
        raise ServerUnavailable(where, *lost.details) from lost
    except BaseException:
        connections.close()
        raise
    connecting.schema_is_made = True
    return connections


def _known(url: str, where: str) -> tuple[URL, Backend]:
    """A URL with the driver that is used, and the kind of database that it leads to."""
    parsed = read_url(url)
    kind = parsed.get_backend_name()
    if kind not in _MODULES:
        raise UnreadableDatabaseUrl(where, "it is neither SQLite's nor PostgreSQL's")
    try:
        backend: Backend = import_module(_MODULES[kind]).BACKEND
    except ImportError:
        missing = "its driver is missing: pip install 'regen-core[postgresql]'"
        raise UnreadableDatabaseUrl(where, missing) from None
    return parsed.set(drivername=backend.driver), backend


@define(eq=False)
class _Connecting:
    """What is done with each new connection; ``schema_is_made`` once the schema has been looked at as a whole."""

    backend: Backend
    where: str
    busy_timeout: float
    schema_is_made: bool = False

    def __call__(self, dialect: Dialect, _: object, given: Any, named: Any) -> Any:
        connection = dialect.connect(*given, **named)
        try:
            self.backend.set_up(connection, self.where, self.busy_timeout)
            if self.schema_is_made:
                _check_version(self.where, connection.execute(_VERSION).fetchall())
        except BaseException:
            connection.close()
            raise
        return connection


def _engine(url: URL, connecting: _Connecting) -> Engine:
    """What makes connections; where the URL gives an option that the store gives too, the URL's counts."""
    backend = connecting.backend
    options = {name: value for name, value in backend.options(connecting.busy_timeout).items() if name not in url.query}
    style: Any = {} if backend.paramstyle is None else {"paramstyle": backend.paramstyle}
    engine = create_engine(url, connect_args=options, poolclass=NullPool, **style)
    event.listen(engine, "do_connect", connecting)
    return engine


def ensure_schema(connections: Connections) -> None:
    """Make the schema in an empty database, upgrade an older one, refuse what isn't ours or newer."""
    backend, where = connections.backend, connections.where
    try:
        with connections.engine.connect() as connection:
            if _found_version(connection, backend, where) == SCHEMA_VERSION:
                return
            connection.exec_driver_sql(backend.writing)
            for statement in backend.changing:
                connection.exec_driver_sql(statement)
            _bring_up(connection, _found_version(connection, backend, where), where)
            if backend.estimate is not None:
                backend.estimate(connection)
            connection.exec_driver_sql("COMMIT")
    except DBAPIError as error:
        raise (error.orig or error) from None


def _found_version(connection: Connection, backend: Backend, where: str) -> str | None:
    """The version that a database is of, ``None`` where it is empty; raises where it is neither that nor ours."""
    names = _names(connection, backend)
    if not names:
        return None
    if version_table.name not in names:
        raise ForeignDatabase(where)
    found = _check_version(where, connection.exec_driver_sql(_VERSION).all())
    if found == SCHEMA_VERSION and METADATA.tables.keys() - names:
        missing = METADATA.tables.keys() - _names(connection, backend)  # it may have been upgraded in between
        if missing:
            raise AlteredTables(where, f"missing: {', '.join(sorted(missing))}")
    return found


def _names(connection: Connection, backend: Backend) -> set[str]:
    return {row[0] for row in connection.exec_driver_sql(backend.names)}


def _check_version(where: str, rows: Sequence[Sequence[Any]]) -> str:
    """The version that the marker holds; raises where there is none, or no way from it to ours."""
    found = str(rows[0][0]) if rows else "none"
    if not rows or found < FIRST_VERSION:
        raise OlderDatabase(where, found, SCHEMA_VERSION)
    if found > SCHEMA_VERSION:
        raise NewerDatabase(where, found, SCHEMA_VERSION)
    return found


def _bring_up(connection: Connection, found: str | None, where: str) -> None:
    """Make or upgrade the schema, within a transaction that the caller began and commits."""
    if found is None:
        for each in METADATA.sorted_tables:
            connection.execute(CreateTable(each))
            for index in sorted(each.indexes, key=str):
                connection.execute(CreateIndex(index))
        connection.execute(version_table.insert().values(version_num=SCHEMA_VERSION))
    elif found != SCHEMA_VERSION:
        from regen_core.adapters.sql import upgrades  # noqa: PLC0415  # their library takes time to import

        if not upgrades.is_known(found):
            raise OlderDatabase(where, found, SCHEMA_VERSION)
        upgrades.upgrade(connection)
