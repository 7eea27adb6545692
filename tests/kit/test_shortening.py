"""A failing history is told as short as it gets, where leaving out a step moves what a later one picks, too."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from regen_core.adapters.memory import MemoryStore
from regen_core.testing.adapted import StoreSubject
from regen_core.testing.harness import Harness
from regen_core.testing.shortening import shortened_history
from regen_core.testing.simulation import failure_of, find_failure, shrunk


class LosesTheLastY(MemoryStore):
    """REV-4: of what an override sends the last delivery never gets anywhere, so that two N may differ."""

    def regenerate(self, *args: Any, **kwargs: Any) -> Any:
        outcome = super().regenerate(*args, **kwargs)
        if args[1].re_migrate and getattr(outcome, "deliveries", ()):
            self._outbox = (*self._outbox[:-1], evolve(self._outbox[-1], acknowledged_at=self._clock()))
        return outcome


def make() -> Harness:
    return Harness(lambda: StoreSubject(LosesTheLastY), with_model=False, heeded=frozenset({"REV-4"}))


def test_a_history_in_which_a_step_picks_among_what_was_sent_is_short() -> None:
    """REV-4 takes a line that is lost, and with it every document that was sent before it."""
    first = find_failure(make, range(40, 60), 120)  # those before hold
    assert first is not None
    alone = shrunk(make, first)
    short = shortened_history(make, alone)
    assert short.rule_id == "REV-4"
    assert len(short.steps) < len(alone.steps), "the control: leaving out one step after the other isn't enough"
    assert len(short.steps) <= 8
    again = failure_of(make, short.steps)
    assert again is not None
    assert again.rule_id == "REV-4"
