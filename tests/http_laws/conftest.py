"""A database of its own for each test over HTTP, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance.databases import Database, PostgresqlDatabase, SqliteDatabase
from tests.crash.directories import memory_directory
from tests.postgresql_server import Server


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """Without a schema yet; one in a file stands in memory, without its disk's slowness."""
    if request.param == "sqlite":
        with memory_directory() as directory:
            yield SqliteDatabase(directory / "regen.db")
        return
    server: Server = request.getfixturevalue("postgresql")
    yield PostgresqlDatabase(server, server.new_schema())
