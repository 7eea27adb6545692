"""A place on the PostgreSQL server for each test."""

from __future__ import annotations

import pytest

from tests.conformance.databases import PostgresqlDatabase
from tests.postgresql_server import Server


@pytest.fixture
def schema(postgresql: Server) -> PostgresqlDatabase:
    """An empty schema."""
    return PostgresqlDatabase(postgresql, postgresql.new_schema())
