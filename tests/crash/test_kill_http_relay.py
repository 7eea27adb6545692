"""REV-0, REV-4: a relay to an HTTP address that dies has lost nothing, and what comes twice comes under the same id."""

from __future__ import annotations

from collections import Counter
from itertools import count
from pathlib import Path

import pytest
from attrs import evolve

from regen_core.adapters.sql import SqlStore
from regen_core.decision_table import RegenerateFlag
from regen_core.revenue import Delivery
from tests.crash.kill_http_relay import HttpRelay, run
from tests.crash.lives import until_killed
from tests.crash.profiles import scaled
from tests.crash.relays import judge_receiver
from tests.crash.verdict import Verdict
from tests.crash.workers import How
from tests.relay.receiver import Receiver

PARTS = 4
"""So that several processes share the kills evenly."""

EVERY = scaled(quick=8, deep=1)
"""One of so many points: each takes a relay that dies and one that finishes."""

MOST = 20
"""Outboxes within which the control must have lost something."""


@pytest.mark.parametrize("part", range(PARTS))
def test_no_kill_loses_or_changes_a_delivery(part: int) -> None:
    """The receiver has all that was acknowledged, each as committed; in the end all, and the ledger that follows."""
    kills = scaled(quick=3, deep=50)
    together = until_killed(run, range(1000 * part, 1000 * part + 1000), kills)
    assert not together.bad
    assert together.crashes == kills


def test_control_acknowledging_before_sending_loses_some() -> None:
    """The relay that does it the other way round is caught."""
    assert any(run(seed, how=How.EARLY).bad for seed in range(MOST))


def deaths(memory: Path, how: How = How.WELL) -> list[tuple[Verdict, Counter[str]]]:
    """Let a relay die at each of its points; what was found then, and how often each delivery came in the end."""
    found: list[tuple[Verdict, Counter[str]]] = []
    for point in count(1, EVERY):
        place = memory / str(point)
        place.mkdir()
        with Receiver() as receiver:
            relay = HttpRelay.on_sqlite(place, receiver, how, deliveries=7, batch=4)
            names = relay.die_at(point)
            if names:
                kinds = ("UPDATE outbox", "COMMIT", "connect", "in the middle of send", "after send", "recv")
                assert all(any(kind in name for name in names) for kind in kinds)
                return found
            verdict = relay.judge(is_finished=False)
            if verdict is Verdict.SOUND and how is How.WELL:
                relay.finish()
                verdict = relay.judge(is_finished=True)
            found.append((verdict, Counter(receiver.ids)))
    raise AssertionError("a relay has so many points and no more")


def test_a_death_at_any_point_loses_or_changes_no_delivery(memory: Path) -> None:
    """Between statements, commit, connecting, sending, half of it, the answer and the acknowledgement.

    What was sent and not acknowledged comes again under its id, and nothing comes a third time.
    """
    found = deaths(memory)
    assert len(found) * EVERY >= 60
    assert {verdict for verdict, _ in found} == {Verdict.SOUND}
    assert {times for _, arrived in found for times in arrived.values()} == {1, 2}


def test_control_a_death_after_an_early_acknowledgement_is_caught(memory: Path) -> None:
    """The relay that does it the other way round loses at some point."""
    assert any(verdict is Verdict.LOST for verdict, _ in deaths(memory, How.EARLY))


def test_what_the_judge_knows(memory: Path) -> None:
    """A delivery that came twice, one that is missing, one that says something else, and one that nobody committed."""
    with Receiver() as receiver:
        relay = HttpRelay.on_sqlite(memory, receiver, deliveries=10)
        relay.finish()
        taken = [each for request in receiver.taken for each in request.deliveries]

    def judged(received: list[Delivery]) -> Verdict:
        with SqlStore.open(relay.url) as store:
            return judge_receiver(store, received, is_finished=True)

    assert judged(taken) is judged([*taken[::-1], *taken]) is Verdict.SOUND
    assert judged(taken[1:]) is Verdict.LOST
    other = RegenerateFlag.Y if taken[0].flag is RegenerateFlag.N else RegenerateFlag.N
    assert judged([*taken, evolve(taken[0], flag=other)]) is Verdict.BROKEN
    assert judged([*taken, evolve(taken[0], number=99)]) is Verdict.BROKEN
