"""IDM-7: a process that is killed with SIGKILL at any moment loses nothing that it acknowledged and leaves no half."""

from __future__ import annotations

import pytest

from regen_core.adapters.memory import MemoryStore
from tests.crash.history import Clock, History, perform
from tests.crash.kill_sqlite import LENGTH, run
from tests.crash.lives import until_killed
from tests.crash.profiles import scaled
from tests.crash.verdict import Verdict, judge, recovered
from tests.crash.workers import How

PARTS = 4
"""So that several processes share the kills evenly."""

MOST = 40
"""Files within which a control must have shown its damage."""


@pytest.mark.parametrize("part", range(PARTS))
def test_no_kill_loses_halves_or_doubles_anything(part: int) -> None:
    """The file holds what was acknowledged, possibly with the step in flight; keys answer as they did (IDM-1)."""
    kills = scaled(quick=5, deep=50)
    together = until_killed(run, range(1000 * part, 1000 * part + 1000), kills)
    assert not together.bad
    assert together.crashes == kills


@pytest.mark.parametrize(
    ("how", "damage"),
    [(How.EARLY, {Verdict.LOST}), (How.IN_PIECES, {Verdict.BROKEN, Verdict.FORGOTTEN})],
    ids=lambda given: given.name if isinstance(given, How) else "",
)
def test_control_a_worker_without_protection_is_caught(how: How, damage: set[Verdict]) -> None:
    """Acknowledging before the commit; a commit after every statement."""
    for seed in range(MOST):
        bad = run(seed, how=how).bad
        if bad:
            assert bad.keys() <= damage
            return
    pytest.fail("the harness didn't notice")


def test_a_last_step_that_shows_nothing_is_asked_again() -> None:
    """Found once: killed behind its end, a history whose last keyed step left no trace was called forgotten."""
    clock, history = Clock(), History.random(1003, LENGTH)
    assert history.pictures[-1] == history.pictures[-2]
    store = MemoryStore(clock)
    for step in history.steps:
        clock.step = step.number
        perform(store, step)
    found = recovered(store, clock, history, LENGTH + 1)
    assert judge(found, history, acknowledged=LENGTH, begun=LENGTH + 1) is Verdict.SOUND
