"""How everything here is measured: contenders take turns in many short rounds, and ratios are shown.

Machines drift, so a figure means something only beside another of the same run. Turns spread a disturbance over all
contenders. Of pure computing the best round counts, which was disturbed least; of work on databases, where rounds
differ by nature, the median of the rounds' ratios. Set-up stays outside the measured call.
"""

from __future__ import annotations

import gc
import math
from collections.abc import Callable, Mapping, Sequence
from statistics import median, quantiles
from time import perf_counter, process_time

from attrs import frozen

__all__ = ["Aim", "Measured", "Pair", "Report", "compare", "paired", "seconds_per_call"]


@frozen
class Measured:
    """The time of one call of each contender, in seconds."""

    seconds: Mapping[str, float]

    def times_faster(self, contender: str, than: str) -> float:
        """How many times faster one contender is than another of the same run."""
        return self.seconds[than] / self.seconds[contender]


def seconds_per_call(function: Callable[[], object], calls: int) -> float:
    """The mean time of a call over one round."""
    start = perf_counter()
    for _ in range(calls):
        function()
    return (perf_counter() - start) / calls


def compare(
    contenders: Mapping[str, Callable[[], object]], *, rounds: int = 40, round_seconds: float = 0.01
) -> Measured:
    """Measure contenders in turns; the best round of each counts. Garbage collection is off within a round."""
    calls = {name: max(1, math.ceil(round_seconds / seconds_per_call(call, 3))) for name, call in contenders.items()}
    best = dict.fromkeys(contenders, math.inf)
    for _ in range(rounds):
        for name, call in contenders.items():
            gc.collect(0)
            gc.disable()
            try:
                best[name] = min(best[name], seconds_per_call(call, calls[name]))
            finally:
                gc.enable()
    return Measured(best)


@frozen
class Pair:
    """Two contenders that took turns: medians over the rounds.

    Fields: ``ratio`` of the first one's time to the second one's, round by round, with its quartiles; ``seconds`` of a
    round of each, and those of them that this process ``computed``, the rest being spent waiting.
    """

    ratio: float
    quartiles: tuple[float, float]
    seconds: tuple[float, float]
    computed: tuple[float, float]


def paired(first: Callable[[int], object], second: Callable[[int], object], *, rounds: int) -> Pair:
    """Let two contenders do a round each in turns, the other one first each time; both are told the round's number.

    Round 0 warms up and doesn't count. Garbage is collected as ever, for what is left behind is part of the cost; only
    what was there before, such as the rows that were prepared for the rounds, isn't looked through each time.
    """
    gc.collect()
    gc.freeze()
    try:
        return _paired(first, second, rounds)
    finally:
        gc.unfreeze()


def _paired(first: Callable[[int], object], second: Callable[[int], object], rounds: int) -> Pair:
    seconds: tuple[list[float], list[float]] = ([], [])
    computed: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds + 1):
        for place in (0, 1) if number % 2 else (1, 0):
            start, started = perf_counter(), process_time()
            (first, second)[place](number)
            took, worked = perf_counter() - start, process_time() - started
            if number:
                seconds[place].append(took)
                computed[place].append(worked)
    ratios = [one / other for one, other in zip(*seconds, strict=True)]
    low, _, high = quantiles(ratios, n=4)
    medians = [(median(one), median(other)) for one, other in (seconds, computed)]
    return Pair(median(ratios), (low, high), *medians)


@frozen
class Aim:
    """A ratio that is aimed at: reported as met or missed, never a reason to fail."""

    text: str
    value: float
    bound: float
    at_most: bool = True

    @property
    def is_met(self) -> bool:
        """Whether the measured value keeps the bound."""
        return self.value <= self.bound if self.at_most else self.value >= self.bound

    def __str__(self) -> str:
        sign = "≤" if self.at_most else "≥"
        return f"{'met   ' if self.is_met else 'MISSED'}  {self.text}: {self.value:.2f} (aim {sign} {self.bound:g})"


@frozen
class Report:
    """The rows of one benchmark with their unit, and the aims that it was run for."""

    title: str
    unit: str
    rows: Sequence[tuple[str, float]]
    aims: Sequence[Aim] = ()
    notes: Sequence[str] = ()

    def __str__(self) -> str:
        width = max((len(name) for name, _ in self.rows), default=0)
        lines = [self.title, *(f"  {name:<{width}}  {value:>14,.6g} {self.unit}" for name, value in self.rows)]
        return "\n".join([*lines, *(f"  {aim}" for aim in self.aims), *(f"  note: {note}" for note in self.notes)])
