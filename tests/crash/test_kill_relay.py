"""REV-0, REV-4: a relay that dies has delivered all that it acknowledged, and its successor delivers the rest."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.crash.children import child
from tests.crash.kill_relay import Relay, run
from tests.crash.lives import until_killed
from tests.crash.points import CRASHED
from tests.crash.profiles import scaled, tried
from tests.crash.relays import read_lines
from tests.crash.verdict import Verdict
from tests.crash.workers import How, relays_numbered

PARTS = 4
"""Two for files, two for the ledger, so that several processes share the kills evenly."""

MOST = 40
"""Outboxes within which a control must have lost something."""


@pytest.mark.parametrize("part", range(PARTS))
def test_no_kill_loses_or_changes_a_delivery(part: int) -> None:
    """File: at least once, as committed, the last line whole in the end. Ledger: what collecting all leads to."""
    kills = scaled(quick=5, deep=50)
    together = until_killed(run, range(1000 * part + part % 2, 1000 * part + 1000, 2), kills)
    assert not together.bad
    assert together.crashes == kills


@pytest.mark.parametrize("first", [0, 1], ids=["file", "ledger"])
def test_control_acknowledging_before_sending_loses_some(first: int) -> None:
    """The relay that does it the other way round is caught."""
    for seed in range(first, first + 2 * MOST, 2):
        bad = run(seed, how=How.EARLY).bad
        if bad:
            return
    pytest.fail("the harness didn't notice")


ENOUGH = 100_000
"""More points than a relay has."""


def die_at(point: int, directory: Path, *, to_file: bool, how: How = How.WELL) -> tuple[Verdict, list[str]]:
    """Let a relay die at a numbered point, judge, let another one finish, judge again; the names of all points."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    relay = Relay(directory, to_file=to_file, how=how, deliveries=7, batch=4)
    with child(relays_numbered, *relay.given, point) as worker:
        code = worker.end()
    names = worker.reports[-1] if code != CRASHED else []
    verdict = relay.judge(is_finished=False)
    if verdict is Verdict.SOUND and how is How.WELL:
        relay.finish()
        verdict = relay.judge(is_finished=True)
    return verdict, names


@pytest.mark.parametrize("to_file", [True, False], ids=["file", "ledger"])
def test_a_death_at_any_point_loses_or_changes_no_delivery(memory: Path, *, to_file: bool) -> None:
    """Between statements, commit, write, half a write, sync and acknowledgement."""
    names = die_at(ENOUGH, memory / "all", to_file=to_file)[1]
    kinds = ("write", "fsync", "UPDATE outbox", "COMMIT") if to_file else ("INSERT INTO revenue", "UPDATE outbox")
    assert all(any(kind in name for name in names) for kind in kinds)
    for at in tried(names):
        verdict, rest = die_at(at, memory / "one", to_file=to_file)
        assert (verdict, rest) == (Verdict.SOUND, []), names[at - 1]


@pytest.mark.parametrize("to_file", [True, False], ids=["file", "ledger"])
def test_control_a_death_after_an_early_acknowledgement_is_caught(memory: Path, *, to_file: bool) -> None:
    """The relay that does it the other way round loses at some point."""
    names = die_at(ENOUGH, memory / "all", to_file=to_file, how=How.EARLY)[1]
    commits = [at for at, name in enumerate(names, 1) if name == "after COMMIT"]
    deaths = (die_at(at, memory / "one", to_file=to_file, how=How.EARLY) for at in commits)
    assert any(verdict is Verdict.LOST for verdict, _ in deaths)


def test_a_torn_line_is_not_a_delivery(memory: Path) -> None:
    """What the judge reads: complete lines, and whether there is more."""
    relay = Relay(memory, to_file=True, deliveries=10)
    relay.finish()
    whole = read_lines(relay.file)
    relay.file.write_bytes(relay.file.read_bytes()[:-1])
    torn = read_lines(relay.file)
    assert (whole.is_whole, torn.is_whole) == (True, False)
    assert torn.deliveries == whole.deliveries[:-1]
    assert relay.judge(is_finished=False) is Verdict.LOST
