"""Databases that several writers work on at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.databases import Database, PostgresqlDatabase, SqliteDatabase
from tests.postgresql_server import Server


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    """Each kind of database, new."""
    if request.param == "sqlite":
        return SqliteDatabase(tmp_path / "regen.db")
    server: Server = request.getfixturevalue("postgresql")
    return PostgresqlDatabase(server, server.new_schema())
