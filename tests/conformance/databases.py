"""The databases that a store is tried on, and a look at their rows behind the store's back."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol, Self

import psycopg
import pytest
from attrs import frozen

from regen_core.adapters.sql import SqlStore
from regen_core.adapters.sql.reading import Reader
from regen_core.adapters.sql.schema import METADATA
from regen_core.adapters.sql.unit import UnitOfWork
from tests.postgresql_server import Server

__all__ = ["Database", "PostgresqlDatabase", "SqliteDatabase", "TABLES", "dump", "new_database"]

TABLES = tuple(table.name for table in METADATA.sorted_tables if table.name != "regen_core_version")
"""Every table that holds what a store was given, referenced ones first."""


class Database(Protocol):
    """One database, with or without a schema of ours."""

    @property
    def url(self) -> str:
        """How a store opens it."""
        ...

    def rows(self, *tables: str) -> list[list[dict[str, Any]]]:
        """All rows of some tables."""
        ...

    def looking(self, store: SqlStore) -> Reader:
        """What reads for a look at what is committed, by the store's own statements, in the way that costs least."""
        ...

    def run(self, statement: str) -> None:
        """Run a statement of the tests' own."""
        ...

    def clear(self) -> None:
        """Empty all tables, positions included, so that one database serves many examples."""
        ...

    def locked(self) -> AbstractContextManager[None]:
        """Another process holds the locks that a writer needs, for the time of the block."""
        ...

    def copy_to(self, other: Any) -> None:
        """Make another database of the same kind hold the same."""
        ...


def dump(database: Database) -> list[list[str]]:
    """Every row of every table."""
    return [sorted(map(repr, rows)) for rows in database.rows(*TABLES)]


@frozen
class SqliteDatabase:
    """A file."""

    path: Path

    @property
    def url(self) -> str:
        return f"sqlite:///{self.path}"

    def rows(self, *tables: str) -> list[list[dict[str, Any]]]:
        connection = sqlite3.connect(self.path)
        connection.row_factory = sqlite3.Row
        try:
            return [[dict(row) for row in connection.execute(f"SELECT * FROM {table}")] for table in tables]  # noqa: S608
        finally:
            connection.close()

    def looking(self, store: SqlStore) -> Reader:
        return store._reading()

    def run(self, statement: str) -> None:
        connection = sqlite3.connect(self.path, isolation_level=None)
        try:
            connection.execute(statement)
        finally:
            connection.close()

    def clear(self) -> None:
        connection = sqlite3.connect(self.path, isolation_level=None)
        try:
            connection.execute("PRAGMA foreign_keys = OFF")
            connection.execute("BEGIN IMMEDIATE")
            for name in (*TABLES, "sqlite_sequence"):
                connection.execute(f"DELETE FROM {name}")  # noqa: S608  # a name from the schema
            connection.execute("COMMIT")
        finally:
            connection.close()

    @contextmanager
    def locked(self) -> Iterator[None]:
        connection = sqlite3.connect(self.path, isolation_level=None)
        try:
            connection.execute("BEGIN IMMEDIATE")
            yield
        finally:
            connection.close()

    def copy_to(self, other: SqliteDatabase) -> None:
        source, target = sqlite3.connect(self.path), sqlite3.connect(other.path)
        try:
            source.backup(target)
        finally:
            source.close()
            target.close()


@frozen
class PostgresqlDatabase:
    """A schema of a server; the tests look at it over a connection that stays open."""

    server: Server
    schema: str

    @property
    def url(self) -> str:
        return self.server.url(self.schema)

    def rows(self, *tables: str) -> list[list[dict[str, Any]]]:
        connection = self.server.looking
        with connection.pipeline():
            cursors = [connection.execute(f"SELECT * FROM {self.schema}.{table}") for table in tables]  # noqa: S608
            return [_as_dicts(cursor) for cursor in cursors]

    def looking(self, store: SqlStore) -> Reader:
        units = store._units
        return Reader(_Look(self.server.looking_at(self.schema).cursor()), units.statements, units._contents.of)

    def run(self, statement: str) -> None:
        with self.server.connect() as connection:
            connection.execute(f"SET search_path = {self.schema}")
            connection.execute(statement)

    def clear(self) -> None:
        connection = self.server.looking
        with connection.pipeline(), connection.transaction():
            connection.execute("SET LOCAL synchronous_commit = off")
            self._empty(connection)
            connection.execute(f"SELECT setval('{self.schema}.outbox_position_seq', 1, false)")

    def _empty(self, connection: psycopg.Connection[Any]) -> None:
        for name in reversed(TABLES):
            connection.execute(f"DELETE FROM {self.schema}.{name}")  # noqa: S608  # a name from the schema

    @contextmanager
    def locked(self) -> Iterator[None]:
        with self.server.connect() as connection, connection.transaction():
            connection.execute(f"LOCK TABLE {self.schema}.documents IN EXCLUSIVE MODE")
            yield

    def copy_to(self, other: PostgresqlDatabase) -> None:
        connection = self.server.looking
        with connection.pipeline(), connection.transaction():
            connection.execute("SET LOCAL synchronous_commit = off")
            other._empty(connection)
            for name in TABLES:
                connection.execute(f"INSERT INTO {other.schema}.{name} SELECT * FROM {self.schema}.{name}")  # noqa: S608
            source = f"{self.schema}.outbox_position_seq"
            connection.execute(
                f"SELECT setval('{other.schema}.outbox_position_seq', last_value, is_called) FROM {source}"  # noqa: S608
            )


def new_database(request: pytest.FixtureRequest, directory: Path) -> Database:
    """A new database of the kind that a fixture is asked for; the server is started where it is needed only."""
    if request.param == "sqlite":
        return SqliteDatabase(directory / "regen.db")
    server: Server = request.getfixturevalue("postgresql")
    return PostgresqlDatabase(server, server.new_schema())


class _Look(UnitOfWork):
    """Questions on a connection of the tests' own, each seeing all that is committed by then; nothing is begun."""

    def __init__(self, cursor: psycopg.Cursor[Any]) -> None:
        self._cursor: Any = cursor
        self.locks_rows = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._cursor.close()


def _as_dicts(cursor: psycopg.Cursor[Any]) -> list[dict[str, Any]]:
    rows = cursor.fetchall()
    names = [each.name for each in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in rows]
