"""A process may die anywhere in the upgrade of an older schema; the next one upgrades what it finds."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from regen_core.adapters.sql import SqlStore
from regen_core.adapters.sql.upgrades import upgrade
from tests.crash.children import child
from tests.crash.history import Clock, History, perform, picture
from tests.crash.points import CRASHED
from tests.crash.profiles import tried
from tests.crash.workers import How, performs_numbered

OLDEST = "0001"
ENOUGH = 10_000
"""More points than an upgrade has."""

HISTORY = History.random(11, 12)
"""Steps that leave deliveries waiting, some of them done."""


def old_database(path: Path) -> str:
    """Make a database of the oldest version that holds a history; what a store of today shows of it."""
    new = path.with_name("new.db")
    clock = Clock()
    with SqlStore.open(f"sqlite:///{new}", clock=clock) as store:
        for step in HISTORY.steps:
            clock.step = step.number
            perform(store, step)
        shown = picture(store)
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        upgrade(connection, OLDEST)
    engine.dispose()
    copy_rows(new, path)
    return shown


def copy_rows(source: Path, target: Path) -> None:
    """Copy what both versions have."""
    connection = sqlite3.connect(target, isolation_level=None)
    try:
        connection.execute("ATTACH ? AS new", (str(source),))
        for (table,) in connection.execute("SELECT name FROM main.sqlite_master WHERE type = 'table'").fetchall():
            columns = ", ".join(f'"{row[1]}"' for row in connection.execute(f"PRAGMA main.table_info({table})"))
            if table not in ("regen_core_version", "sqlite_sequence"):
                connection.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM new.{table}")  # noqa: S608
    finally:
        connection.close()


def die_at(point: int, old: Path, how: How) -> tuple[str, list[str]]:
    """Die at a point of opening; what the next one shows, or what it raises, and the names of all points."""
    path = old.with_name("trial.db")
    for each in path.parent.glob(f"{path.name}*"):
        each.unlink()
    shutil.copy(old, path)
    with child(performs_numbered, f"sqlite:///{path}", None, point, how) as worker:
        code = worker.end()
    names = worker.reports[-1] if code != CRASHED else []
    try:
        with SqlStore.open(f"sqlite:///{path}", clock=Clock(len(HISTORY.steps))) as store:
            return picture(store), names
    except Exception as fault:  # noqa: BLE001  # whatever it is: the store can't be used
        return repr(fault), names


def test_a_death_at_any_point_of_an_upgrade_loses_nothing(memory: Path) -> None:
    """Documents, transactions and outbox are as they were."""
    old = memory / "old.db"
    shown = old_database(old)
    assert "OutboxEntry" in shown
    names = die_at(ENOUGH, old, How.WELL)[1]
    assert any("ALTER" in name or "CREATE" in name for name in names)
    for at in tried(names):
        assert die_at(at, old, How.WELL) == (shown, []), names[at - 1]


def test_control_an_upgrade_in_pieces_is_caught(memory: Path) -> None:
    """With a commit after each statement some death leaves a database that can't be opened, or less than there was."""
    old = memory / "old.db"
    shown = old_database(old)
    names = die_at(ENOUGH, old, How.IN_PIECES)[1]
    if not any(die_at(at, old, How.IN_PIECES)[0] != shown for at in range(1, len(names) + 1)):
        pytest.fail("the harness didn't notice")
