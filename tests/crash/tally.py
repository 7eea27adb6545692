"""Counting crashes and what each of them left."""

from __future__ import annotations

from collections import Counter

from attrs import define, field

from tests.crash.verdict import Verdict

__all__ = ["Tally"]


@define
class Tally:
    """How many crashes there were, and what was found; ``bad`` names the first of each kind of damage."""

    crashes: int = 0
    verdicts: Counter[Verdict] = field(factory=Counter)
    bad: dict[Verdict, str] = field(factory=dict)

    def count(self, verdict: Verdict, what: str) -> None:
        """One more crash."""
        self.crashes += 1
        self.verdicts[verdict] += 1
        if verdict is not Verdict.SOUND:
            self.bad.setdefault(verdict, f"{what}: {verdict.value}")

    def add(self, other: Tally) -> None:
        """The crashes of another tally, too."""
        self.crashes += other.crashes
        self.verdicts.update(other.verdicts)
        self.bad = {**other.bad, **self.bad}

    def told(self, seconds: float) -> str:
        """The tally in a line."""
        found = ", ".join(f"{count} {verdict.name}" for verdict, count in self.verdicts.items())
        return f"{self.crashes} crashes, {self.crashes / seconds:.0f}/s: {found}"
