"""Databases that several writers work on at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.databases import Database, new_database


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    """Each kind of database, new."""
    return new_database(request, tmp_path)
