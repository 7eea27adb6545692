"""IDM-7: what SqlStore acknowledged survives a loss of power, whatever else reached the disk; nothing is halved."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from random import Random
from typing import Any

import pytest

from regen_core.adapters.sql import SqlStore
from regen_core.ports import Store
from tests.crash.disk import SECTOR, Disk
from tests.crash.disk_events import Link, Sync, Unlink, Write
from tests.crash.history import Clock, History, Step, Verb, perform, picture
from tests.crash.power_loss import LENGTH, performed, run
from tests.crash.profiles import scaled
from tests.crash.recording_vfs import is_recordable, recording
from tests.crash.tally import Tally
from tests.crash.verdict import Verdict

UNRECORDABLE = is_recordable()
pytestmark = pytest.mark.skipif(UNRECORDABLE is not None, reason=str(UNRECORDABLE))

PARTS = scaled(quick=4, deep=10)
"""So that several processes share the seeds evenly."""


def acts_in_two(store: Store, step: Step) -> object:
    """The control's way to perform a step: in two units of work where it takes several documents or the relay."""
    if step.verb is Verb.LOAD:
        return [store.load(document) for document in step.documents]
    if step.verb is Verb.TO_LEDGER:
        waiting = store.pending(step.scope, step.limit)
        store.collect([entry.delivery for entry in waiting])
        return store.acknowledge(step.scope, waiting)
    return perform(store, step)


def tally(seeds: int, images: int, **how: Any) -> Tally:
    """All verdicts over some seeds."""
    together = Tally()
    for seed in range(seeds):
        together.add(run(seed, images, **how))
    return together


class TestSqlite:
    """Documents, transactions, counters, outbox, ledger and keys agree with the core's replay."""

    @pytest.mark.parametrize("part", range(PARTS))
    def test_no_loss_of_power_loses_halves_or_doubles_anything(self, part: int) -> None:
        """Every image holds exactly what was acknowledged, possibly with the step that was in flight."""
        seeds, images = scaled(quick=1, deep=10), scaled(quick=60, deep=530)
        together = Tally()
        for seed in range(part * seeds, part * seeds + seeds):
            together.add(run(seed, images))
        assert not together.bad
        assert together.crashes >= scaled(quick=50, deep=5_000)

    def test_recording_changes_nothing(self, tmp_path: Path) -> None:
        """The recorded store ends as the core's replay does, and the recorded disk as the real one."""
        history = History.random(0, LENGTH)
        recorded = performed(history, tmp_path)
        disk = Disk()
        for each in recorded.events:
            disk.take(each)
        real = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
        assert real.pop("regen.db-keys") == b"", "it holds locks, and nothing that a loss could take"
        assert real == disk.everything()
        with SqlStore.open(f"sqlite:///{tmp_path / 'regen.db'}", clock=Clock(LENGTH)) as store:
            assert picture(store) == history.pictures[-1]


class TestControls:
    """With a protection taken out the same harness finds the loss."""

    def test_weaker_durability_loses_what_was_acknowledged(self) -> None:
        """``synchronous=NORMAL``, set behind the store's back after it has read its settings back."""
        found = tally(2, 40, settings=("synchronous = NORMAL",))
        assert found.verdicts[Verdict.LOST] > 10
        assert not {Verdict.BROKEN, Verdict.UNREADABLE} & found.verdicts.keys()

    def test_an_early_acknowledgement_is_noticed(self) -> None:
        """Acknowledged before it is committed."""
        assert tally(2, 40, early=True).verdicts[Verdict.LOST] > 10

    def test_a_step_in_two_units_is_noticed(self) -> None:
        """Several documents, or collecting and acknowledging, committed one after the other."""
        assert tally(2, 40, act=acts_in_two).verdicts[Verdict.BROKEN] > 5

    def test_a_disk_that_lies_is_noticed(self) -> None:
        """Syncing without effect loses commits and destroys files: the images are as bad as they should be."""
        found = tally(3, 40, honest=False)
        assert found.verdicts[Verdict.LOST] > 10
        assert found.verdicts[Verdict.BROKEN] + found.verdicts[Verdict.UNREADABLE] > 0


class TestTheModelOfADisk:
    """The images are the ones that a disk may hold, and no others."""

    def test_what_was_synced_is_always_there(self) -> None:
        """And what was not is there in every way: absent, whole, and torn between sectors."""
        old, new = b"o" * 2 * SECTOR, b"n" * 2 * SECTOR
        disk = Disk()
        for each in (Link("f", 1), Write(1, 0, old), Sync(1, directory=True), Write(1, 0, new)):
            disk.take(each)
        rng = Random(1)  # noqa: S311  # reproducible
        seen = {disk.image(rng)["f"] for _ in range(500)}
        assert seen == {old, new, old[:SECTOR] + new[SECTOR:], new[:SECTOR] + old[SECTOR:]}

    def test_names_are_certain_once_the_directory_was_synced(self) -> None:
        """Before that a file may be missing, and a deleted one may be back."""
        disk = Disk()
        for each in (Link("old", 1), Sync(1, directory=True), Unlink("old", directory=False), Link("new", 2)):
            disk.take(each)
        rng = Random(1)  # noqa: S311  # reproducible
        assert {frozenset(disk.image(rng)) for _ in range(500)} == {
            frozenset(names) for names in ((), ("old",), ("new",), ("old", "new"))
        }
        disk.take(Sync(2, directory=True))
        assert {frozenset(disk.image(rng)) for _ in range(50)} == {frozenset(("new",))}

    def test_every_commit_is_synced(self, tmp_path: Path) -> None:
        """The recorder sees SQLite's own syncs: with FULL one per commit, with OFF none."""
        assert syncs_of_three_commits(tmp_path / "full", "FULL") == 3
        assert syncs_of_three_commits(tmp_path / "off", "OFF") == 0


def syncs_of_three_commits(directory: Path, synchronous: str) -> int:
    """How often the recorder saw a sync between the first commit and the third."""
    directory.mkdir()
    with recording(directory) as recorder:
        connection = sqlite3.connect(directory / "any.db", isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE t (n)")
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        connection.execute("INSERT INTO t VALUES (0)")
        before = len(recorder.events)
        for number in range(3):
            connection.execute("INSERT INTO t VALUES (?)", (number,))
        seen = recorder.events[before:]
        connection.close()
    return sum(isinstance(each, Sync) for each in seen)
