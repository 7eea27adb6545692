"""The command line that searches by seed share: a range of seeds, one line per block, faults at the end."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, Self, TypeVar

from attrs import define, field

__all__ = ["Counted", "Findings", "chosen_seeds"]


class Findings(Protocol):
    """What seeds led to, added up; ``bad`` is empty where nothing is wrong."""

    @property
    def bad(self) -> Mapping[Any, str]: ...

    def add(self, other: Self) -> None:
        """Those of another seed, too."""
        ...

    def told(self, seconds: float) -> str:
        """All in a line."""
        ...


F = TypeVar("F", bound=Findings)


@define
class Counted:
    """How many of something were looked at, ``unit`` in the plural, and what is wrong, by seed."""

    unit: str
    number: int = 0
    bad: dict[int, str] = field(factory=dict)

    def add(self, other: Counted) -> None:
        """Those of another seed, too."""
        self.number += other.number
        self.bad.update(other.bad)

    def told(self, seconds: float) -> str:
        """All in a line."""
        return f"{self.number} {self.unit}, {self.number / seconds:.0f}/s: {len(self.bad)} seeds with a fault"


def chosen_seeds(module: str, told: str | None, run: Callable[[int], F], arguments: Sequence[str] | None = None) -> int:
    """Run each seed; the exit code is 1 where any of them found something wrong."""
    parser = argparse.ArgumentParser(
        prog=f"python -m {module}", description=told, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", default="0:100", help="first:last, the last one excluded")
    parser.add_argument("--block", type=int, default=100, help="seeds per line")
    chosen = parser.parse_args(arguments)
    first, last = map(int, chosen.seeds.split(":"))
    if first >= last:
        parser.error("--seeds names no seed")
    began = time.perf_counter()
    together = run(first)
    for seed in range(first, last):
        if seed > first:
            together.add(run(seed))
        if (seed + 1 - first) % chosen.block == 0 or seed + 1 == last:
            taken = time.perf_counter() - began
            sys.stdout.write(f"seeds {first}:{seed + 1}, {taken:.0f} s, {together.told(taken)}\n")
            sys.stdout.flush()
    sys.stdout.writelines(f"{what}\n" for what in together.bad.values())
    return 1 if together.bad else 0
