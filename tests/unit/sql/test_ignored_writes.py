"""A unit whose document didn't take its version is rolled back and told, also where assertions are off (IDM-7)."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from regen_core.access import Scope
from regen_core.adapters.sql import SqlStore
from tests.conformance.conftest import invoice
from tests.conformance.databases import SqliteDatabase, dump

ALL: Final = Scope(tenant="t1", entity="e1", orgs=None)

_REGENERATING: Final = """
import sys
from regen_core.access import Scope
from regen_core.adapters.sql import SqlStore
from regen_core.adapters.sql.faults import IgnoredWrite
from regen_core.documents import DocumentType
from regen_core.request import RegenerateRequest

scope = Scope(tenant="t1", entity="e1", orgs=None)
requests = [RegenerateRequest(type=DocumentType.INVOICE, id=name) for name in ("d1", "d2")]
with SqlStore.open(sys.argv[1]) as store:
    try:
        print(sys.flags.optimize, *[type(outcome).__name__ for outcome in store.regenerate_all(scope, requests)])
    except IgnoredWrite as ignored:
        print(sys.flags.optimize, ignored)
"""

_TRIGGER: Final = """
CREATE TRIGGER ignoring BEFORE UPDATE OF version ON documents WHEN old.document_id = 'd2'
BEGIN SELECT RAISE(IGNORE); END
"""


def regenerated(database: SqliteDatabase, flag: str) -> str:
    """What a process with or without assertions says to two documents in one unit."""
    command = [sys.executable, *([flag] if flag else []), "-c", _REGENERATING, database.url]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout.strip()


@pytest.fixture
def database(tmp_path: Path) -> SqliteDatabase:
    """Two documents."""
    made = SqliteDatabase(tmp_path / "regen.db")
    with SqlStore.open(made.url) as store:
        store.load_all([invoice(), invoice("INV-2", id="d2", items=(("i7", "1"),))])
    return made


@pytest.mark.parametrize(("flag", "level"), [("", "0"), ("-O", "1")])
def test_a_write_that_is_ignored_is_told_and_undone(database: SqliteDatabase, flag: str, level: str) -> None:
    """The control: without the trigger both are regenerated."""
    with sqlite3.connect(database.path) as connection:
        connection.execute(_TRIGGER)
    connection.close()
    before = dump(database)
    told = regenerated(database, flag)
    assert told.startswith(f"{level} The database {database.url} didn't take what was written")
    assert "Nothing of this operation was stored" in told
    assert dump(database) == before
    database.run("DROP TRIGGER ignoring")
    assert regenerated(database, flag) == f"{level} Regeneration Regeneration"
    assert dump(database) != before
