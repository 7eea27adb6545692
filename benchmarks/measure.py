"""How everything here is measured: contenders take turns, the best of many short rounds counts, ratios are shown.

Machines drift, so a figure means something only beside another of the same run. Turns spread a disturbance over all
contenders; the best round is the one that was disturbed least. Set-up stays outside the measured call.
"""

from __future__ import annotations

import gc
import math
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter

from attrs import frozen

__all__ = ["Aim", "Measured", "Report", "compare", "seconds_per_call"]


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
