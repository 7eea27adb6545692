"""Making a failing history shorter where leaving out one step moves what another one picks.

A step that delivers, loses or alters counts backwards from the last that was sent; without an earlier step it picks
something else, and the history passes. So a step is left out together with every small number that a later one may
have instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final

from regen_core.testing.harness import Harness
from regen_core.testing.simulation import Failure, Step, failure_of

__all__ = ["shortened_history"]

_PICKING: Final = frozenset({"deliver", "lose", "alter", "restore"})
_PICKS: Final = 8
"""Numbers that are tried: short histories send few lines."""

_TRIES: Final = 400
"""Histories that are performed at most: over a network each takes its time."""


def shortened_history(make: Callable[[], Harness], failure: Failure) -> Failure:
    """A history that fails by the same rule, from which no step can be left out in this way either."""
    left = _TRIES
    while left > 0:
        found = None
        for steps in islice(_shorter(failure.steps), left):
            left -= 1
            tried = failure_of(make, steps)
            if tried is not None and tried.rule_id == failure.rule_id:
                found = tried
                break
        if found is None:
            return failure
        failure = found
    return failure


def _shorter(steps: tuple[Step, ...]) -> Iterator[tuple[Step, ...]]:
    for place in range(len(steps)):
        rest = (*steps[:place], *steps[place + 1 :])
        yield rest
        for later in range(place, len(rest)):
            verb, _, two, three, four = rest[later]
            if verb in _PICKING:
                for pick in range(_PICKS):
                    yield (*rest[:later], (verb, pick, two, three, four), *rest[later + 1 :])
