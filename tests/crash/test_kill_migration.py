"""MIG-7, MIG-8: a migration that is killed at any moment is resumed and ends as if nothing had happened."""

from __future__ import annotations

from pathlib import Path

import pytest

from regen_core.adapters.sql import SqlStore
from tests.crash.children import child
from tests.crash.history import SCOPES
from tests.crash.kill_migration import Migration, run
from tests.crash.lives import until_killed
from tests.crash.migrations import Kept, migrates_numbered
from tests.crash.points import CRASHED
from tests.crash.profiles import scaled, tried
from tests.crash.verdict import Verdict

PARTS = 2
"""So that several processes share the kills evenly."""

MOST = 40
"""Stores within which a control must have shown its damage."""

ENOUGH = 100_000
"""More points than a migration has."""


@pytest.mark.parametrize("part", range(PARTS))
def test_no_kill_passes_a_document_over_or_does_one_twice(part: int) -> None:
    """After each kill the store holds what the run's log says, and in the end what an undisturbed run leaves."""
    kills = scaled(quick=8, deep=100)
    together = until_killed(run, range(1000 * part, 1000 * part + 1000), kills)
    assert not together.bad
    assert together.crashes == kills


@pytest.mark.parametrize("kept", [Kept.BEHIND, Kept.AHEAD], ids=lambda kept: kept.name)
def test_control_a_log_in_a_unit_of_its_own_is_caught(kept: Kept) -> None:
    """Behind the work, documents are done twice; ahead of it, they are passed over."""
    for seed in range(MOST):
        bad = run(seed, kept=kept).bad
        if bad:
            assert bad.keys() <= {Verdict.BROKEN, Verdict.LOST}
            return
    pytest.fail("the harness didn't notice")


@pytest.fixture
def migration(memory: Path) -> Migration:
    """Three documents, of which the run refuses one, in batches of two; and a copy of the file to begin from."""
    made = Migration(memory, documents=3, batch=2)
    made.database.rename(memory / "before.db")
    return made


def die_at(point: int, migration: Migration) -> tuple[Verdict, list[str]]:
    """Let the command die at a numbered point, judge, let another one finish, judge again; the names of all points."""
    migration.start_from(migration.directory / "before.db")
    with child(migrates_numbered, migration.url, migration.batch, migration.kept, point) as worker:
        code = worker.end()
    names = worker.reports[-1] if code != CRASHED else []
    verdict = migration.judge(is_finished=False)
    if verdict is Verdict.SOUND and migration.kept is Kept.TOGETHER:
        migration.finish()
        verdict = migration.judge(is_finished=True)
    return verdict, names


def test_a_death_at_any_point_passes_nothing_over_and_does_nothing_twice(migration: Migration) -> None:
    """Before and after each statement and commit, from the acceptance of the run to its end."""
    names = die_at(ENOUGH, migration)[1]
    for kind in ("INSERT INTO runs", "UPDATE runs SET", "INSERT INTO run_rejects", "INSERT INTO outbox", "COMMIT"):
        assert any(kind in name for name in names), (kind, names)
    for at in tried(names):
        verdict, rest = die_at(at, migration)
        assert (verdict, rest) == (Verdict.SOUND, []), names[at - 1]


@pytest.mark.parametrize("kept", [Kept.BEHIND, Kept.AHEAD], ids=lambda kept: kept.name)
def test_control_points_of_a_log_in_a_unit_of_its_own(migration: Migration, kept: Kept) -> None:
    """There is a commit after which it isn't what the store holds."""
    migration.kept = kept
    commits = [at for at, name in enumerate(die_at(ENOUGH, migration)[1], 1) if name == "after COMMIT"]
    assert any(die_at(at, migration)[0] in (Verdict.BROKEN, Verdict.LOST) for at in commits)


def test_what_is_killed_is_the_command_itself(migration: Migration) -> None:
    """The run is by the person who asked, re-migrates, and refuses the drafts."""
    migration.start_from(migration.directory / "before.db")
    migration.finish()
    with SqlStore.open(migration.url) as store:
        (log,) = store.runs(SCOPES[0]).rows
    assert (log.counts.documents, log.counts.refused) == (3, (("DocumentNotPosted", 1),))
    assert migration.judge(is_finished=True) is Verdict.SOUND
