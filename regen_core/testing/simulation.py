"""A seeded driver that performs random histories without Hypothesis: fast, and the same for the same seed everywhere.

A step is a tuple of small numbers, so a failing history is cut down by leaving steps out. From the command line the
core runs against the naive model, one line per block of seeds::

    python -m regen_core.testing.simulation --seeds 0:100 --steps 1000
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from random import Random
from typing import Final, TypeVar

from attrs import frozen

from regen_core.explain.words import times
from regen_core.testing.asking import NAMINGS, SIGHTS
from regen_core.testing.edits import EDITS
from regen_core.testing.harness import Harness
from regen_core.testing.laws import LawBrokenError
from regen_core.testing.subject import BuildSubject, reference_subject

__all__ = [
    "DISTURBANCES",
    "Failure",
    "Step",
    "cut",
    "failure_of",
    "find_failure",
    "main",
    "perform",
    "random_steps",
    "run",
    "search",
    "shrunk",
    "verbs_by_number",
]

T = TypeVar("T")

Step = tuple[str, int, int, int, int]
"""A verb and four numbers below 2**16, of which each verb uses what it needs."""

_EDIT_NAMES: Final = tuple(EDITS)
_FLAGS: Final = ((False, False), (False, True), (True, False), (True, True))


def _mostly_first(words: Sequence[str], number: int) -> str:
    """The first word three times of four, else any."""
    return words[0] if number % 4 else words[number // 4 % len(words)]


def _change(harness: Harness, a: int, b: int, c: int, _d: int) -> None:
    harness.change(a, _EDIT_NAMES[b % len(_EDIT_NAMES)], c)


def _request(harness: Harness, a: int, b: int, c: int, d: int) -> None:
    harness.regenerate(a, *_FLAGS[b % 4], _mostly_first(NAMINGS, c), _mostly_first(SIGHTS, d))


def _request_and_deliver(harness: Harness, a: int, b: int, c: int, _d: int) -> None:
    harness.regenerate(a, *_FLAGS[b % 3])
    harness.deliver_latest(c)


def _deliver(harness: Harness, a: int, b: int, c: int, _d: int) -> None:
    harness.deliver(min(a, b) % 64, bool(c % 3))


def _deliver_pending(harness: Harness, a: int, _b: int, _c: int, _d: int) -> None:
    harness.deliver_pending(a)


def _lose(harness: Harness, a: int, _b: int, _c: int, _d: int) -> None:
    harness.lose(a)


def _alter(harness: Harness, a: int, b: int, _c: int, _d: int) -> None:
    harness.alter(a, b)


def _back_up(harness: Harness, _a: int, _b: int, _c: int, _d: int) -> None:
    harness.back_up()


def _restore(harness: Harness, a: int, b: int, _c: int, _d: int) -> None:
    harness.restore(a, b)


def _restore_all(harness: Harness, a: int, _b: int, _c: int, _d: int) -> None:
    harness.restore_all(a)


def _repeat(harness: Harness, a: int, b: int, _c: int, _d: int) -> None:
    harness.repeat(a, *_FLAGS[b % 3])


def _reorder(harness: Harness, a: int, b: int, _c: int, _d: int) -> None:
    harness.reorder(a, b)


def _commute(harness: Harness, a: int, b: int, c: int, d: int) -> None:
    harness.commute((a, b), (_FLAGS[c % 3], _FLAGS[d % 3]))


VERBS: Final[dict[str, Callable[[Harness, int, int, int, int], None]]] = {
    "change": _change,
    "request": _request,
    "request and deliver": _request_and_deliver,
    "deliver": _deliver,
    "deliver pending": _deliver_pending,
    "lose": _lose,
    "alter": _alter,
    "back up": _back_up,
    "restore": _restore,
    "restore all": _restore_all,
    "repeat": _repeat,
    "reorder": _reorder,
    "commute": _commute,
}
"""What a step can be, by name."""

DISTURBANCES: Final = frozenset({"lose", "alter", "restore", "restore all"})
"""The verbs by which Revenue errs, which is what CNV-3 is about."""

_WITH_LAWS: Final = (
    ("change", 24),
    ("request", 12),
    ("request and deliver", 20),
    ("deliver", 12),
    ("deliver pending", 2),
    ("lose", 4),
    ("alter", 6),
    ("back up", 2),
    ("restore", 4),
    ("restore all", 1),
    ("repeat", 4),
    ("reorder", 3),
    ("commute", 2),
)
_AGAINST_MODEL: Final = (
    ("change", 12),
    ("request", 42),
    ("deliver", 36),
    ("lose", 3),
    ("alter", 3),
    ("back up", 1),
    ("restore", 3),
)


def random_steps(seed: int, count: int, weights: Iterable[tuple[str, int]] = _WITH_LAWS) -> list[Step]:
    """The steps of a seed."""
    rng = Random(seed)  # noqa: S311  # a history to try, no secret
    verbs = [verb for verb, weight in weights for _ in range(weight)]
    draws, steps, wide = rng.getrandbits, [], len(verbs)
    for _ in range(count):
        bits = draws(80)
        verb = verbs[(bits & 0xFFFF) * wide >> 16]
        steps.append((verb, bits >> 16 & 0xFFFF, bits >> 32 & 0xFFFF, bits >> 48 & 0xFFFF, bits >> 64))
    return steps


def verbs_by_number(count: int, without: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """A verb for each number below ``count``, each as often as among the steps with laws; ``change`` for 0."""
    verbs = [verb for verb, weight in _WITH_LAWS if verb not in without for _ in range(weight)]
    return tuple([verbs[number * len(verbs) // count] for number in range(count)])


def perform(harness: Harness, steps: Iterable[Step]) -> None:
    """Perform the steps, then compare everything; raises ``AssertionError`` where something is wrong."""
    for verb, *numbers in steps:
        VERBS[verb](harness, *numbers)
    harness.compare_everything()


@frozen
class Failure:
    """A history that fails: its steps and what was raised at the end."""

    steps: tuple[Step, ...]
    error: AssertionError

    @property
    def rule_id(self) -> str:
        """The law that noticed, or ``model`` where the naive model disagreed or the core asserted."""
        return self.error.violation.rule_id if isinstance(self.error, LawBrokenError) else "model"


def failure_of(make: Callable[[], Harness], steps: Sequence[Step]) -> Failure | None:
    """How the steps fail on a new harness, ``None`` where they don't."""
    harness = make()
    for number, (verb, *numbers) in enumerate(steps, 1):
        try:
            VERBS[verb](harness, *numbers)
        except AssertionError as error:
            return Failure(tuple(steps[:number]), error)
    try:
        harness.compare_everything()
    except AssertionError as error:
        return Failure(tuple(steps), error)
    return None


def find_failure(
    make: Callable[[], Harness], seeds: Iterable[int], count: int, without: frozenset[str] = frozenset()
) -> Failure | None:
    """The first failing history of the seeds, or ``None``; ``without`` are verbs that are left out."""
    weights = [each for each in _WITH_LAWS if each[0] not in without]
    found = (failure_of(make, random_steps(seed, count, weights)) for seed in seeds)
    return next((failure for failure in found if failure is not None), None)


def shrunk(make: Callable[[], Harness], failure: Failure) -> Failure:
    """A history that fails by the same rule, in which no step can be left out and no number be 0 that isn't."""
    while True:
        shorter = _simpler(make, _fewer(make, failure))
        if shorter.steps == failure.steps:
            return failure
        failure = shorter


def _simpler(make: Callable[[], Harness], failure: Failure) -> Failure:
    """The same steps with as many zeros as can be; leaving out a step may become possible by it."""
    for place in range(len(failure.steps)):
        for number in range(1, 5):
            if place >= len(failure.steps) or not failure.steps[place][number]:
                continue
            verb, *numbers = failure.steps[place]
            numbers[number - 1] = 0
            one, two, three, four = numbers
            steps = (*failure.steps[:place], (verb, one, two, three, four), *failure.steps[place + 1 :])
            simpler = failure_of(make, steps)
            if simpler is not None and simpler.rule_id == failure.rule_id:
                failure = simpler
    return failure


def _fewer(make: Callable[[], Harness], failure: Failure) -> Failure:
    """The steps without those that can be left out."""

    def failing(steps: tuple[Step, ...]) -> tuple[Step, ...] | None:
        found = failure_of(make, steps)
        return found.steps if found is not None and found.rule_id == failure.rule_id else None

    return failure_of(make, cut(failure.steps, failing)) or failure


def cut(steps: tuple[T, ...], failing: Callable[[tuple[T, ...]], tuple[T, ...] | None]) -> tuple[T, ...]:
    """The failing steps without those that can be left out; ``failing`` gives the first of some that fail, if any."""
    size = len(steps)
    while size:
        size = min(size, len(steps))
        start = 0
        while start < len(steps):
            shorter = failing(steps[:start] + steps[start + size :])
            if shorter is None:
                start += size
            else:
                steps = shorter
        size //= 2
    return steps


def run(seed: int, count: int, build: BuildSubject = reference_subject) -> Harness:
    """One seed's history of the system against the naive model, without the laws."""
    harness = Harness(build, with_laws=False)
    perform(harness, random_steps(seed, count, _AGAINST_MODEL))
    return harness


def main(arguments: Sequence[str] | None = None, build: BuildSubject = reference_subject) -> int:
    """The command line; the exit code is 1 where a seed fails, after its shortest history was printed."""
    return search(
        "regen_core.testing.simulation",
        __doc__,
        lambda seed, count: run(seed, count, build).steps,
        lambda seed, count: _report(seed, count, build),
        arguments,
        steps=1000,
    )


def search(
    module: str,
    about: str | None,
    run: Callable[[int, int], int],
    told: Callable[[int, int], str],
    arguments: Sequence[str] | None,
    *,
    steps: int,
) -> int:
    """A command line that runs seeds of so many steps; the exit code is 1 where one fails, after it was told."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=about)
    parser.add_argument("--seeds", default="0:100", help="first:last, the last one excluded")
    parser.add_argument("--steps", type=int, default=steps, help="steps of each seed")
    parser.add_argument("--block", type=int, default=1000, help="seeds per line of the summary")
    chosen = parser.parse_args(arguments)
    first, last = map(int, chosen.seeds.split(":"))
    began, performed = time.perf_counter(), 0
    for start in range(first, last, chosen.block):
        until = min(start + chosen.block, last)
        for seed in range(start, until):
            try:
                performed += run(seed, chosen.steps)
            except AssertionError:
                sys.stdout.write(told(seed, chosen.steps))
                return 1
        taken = time.perf_counter() - began
        rate = f"{taken:.1f} s, {performed / taken:.0f} steps/s"
        sys.stdout.write(f"seeds {first}:{until}, {performed} steps, {rate}, agreed\n")
        sys.stdout.flush()
    return 0


def _report(seed: int, count: int, build: BuildSubject) -> str:
    def make() -> Harness:
        return Harness(build, with_laws=False)

    failure = failure_of(make, random_steps(seed, count, _AGAINST_MODEL))
    assert failure is not None, "a seed's history is always the same"
    shortest = shrunk(make, failure)
    lines = "\n".join(f"  {verb} {numbers}" for verb, *numbers in shortest.steps)
    return f"seed {seed} fails after {times(len(shortest.steps), 'step')}\n{lines}\n{shortest.error}\n"


if __name__ == "__main__":
    sys.exit(main())
