"""A store that is open when a process forks serves both processes, and what one does is nothing to the other."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from regen_core.access import Scope
from regen_core.adapters.sql import SqlStore
from regen_core.documents import BillingDocument
from tests.conformance.after_a_fork import CHILDREN, EACH
from tests.conformance.databases import Database, PostgresqlDatabase, SqliteDatabase

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")

ALL = Scope(tenant="t1", entity="e1", orgs=None)

Told = Callable[..., list[str]]


@pytest.fixture
def told(database: Database, invoice: Callable[..., BillingDocument]) -> Told:
    """What processes say in a story about a store with a document; ``how`` they are protected."""
    with SqlStore.open(database.url) as store:
        store.load(invoice())

    def tell(name: str, *how: str) -> list[str]:
        command = [sys.executable, "-m", "tests.conformance.after_a_fork", name, database.url, *how]
        root = Path(__file__).parents[2]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120, cwd=root)
        return [*done.stdout.splitlines(), *(["failed", done.stderr] if done.returncode and not how else [])]

    return tell


def revisions(database: Database) -> int:
    """How many deliveries were made of one line."""
    return max(int(row["deliveries"]) for row in database.rows("transactions")[0])


def test_all_of_them_work_side_by_side(told: Told, database: Database) -> None:
    """Every call of every process is done once."""
    said = Counter(" ".join(told("side_by_side")).split())
    assert said == {"Regeneration": EACH * (CHILDREN + 1)}
    assert revisions(database) == 1 + EACH * (CHILDREN + 1)


def test_what_a_child_does_outlives_its_parent(told: Told, database: Database) -> None:
    """And the parent's closing takes nothing away."""
    assert told("parent_closes") == ["Regeneration"]
    assert revisions(database) == 3


def test_control_without_protection_it_is_lost(told: Told, database: Database) -> None:
    """The control, on SQLite: closing, the parent removes the log that the child goes on writing to."""
    if isinstance(database, SqliteDatabase):
        assert told("parent_closes", "unprotected") == ["Regeneration"]
        assert revisions(database) == 2


def test_a_child_says_nothing_to_its_parents_server(told: Told, database: Database) -> None:
    """No goodbye either, so the session stays; the control: without protection it is the child's as well, who ends it.

    SQLite has no server.
    """
    if isinstance(database, PostgresqlDatabase):
        assert told("parent_is_kept") == ["child True", "parent True"]
        assert told("parent_is_kept", "unprotected") in (["child False"], ["child False", "parent False"])


def test_a_fork_within_a_unit(told: Told, database: Database) -> None:
    """The child commits nothing of its parent's; where it may use the database it is told what the parent did."""
    is_file = isinstance(database, SqliteDatabase)
    child = "child ForkedInUse ForkedInUse" if is_file else "child Replay Regeneration"
    assert told("within_a_unit") == [child, "parent Regeneration Regeneration"]
    assert revisions(database) == (2 if is_file else 3)


def test_a_fork_while_another_thread_is_within_a_unit(told: Told, database: Database) -> None:
    """On PostgreSQL the child is told the answer of the key that ran then; on SQLite it can't use any database."""
    child = "ForkedInUse ForkedInUse" if isinstance(database, SqliteDatabase) else "Replay Regeneration"
    assert told("beside_a_unit") == [f"child {child}", "parent Regeneration Regeneration"]
