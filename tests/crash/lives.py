"""Work that is killed again and again until it is done: its lives one after the other, and many such works."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random
from typing import Protocol

from tests.crash.tally import Tally
from tests.crash.verdict import Verdict

__all__ = ["Mortal", "Run", "lived", "until_killed"]


class Mortal(Protocol):
    """Something that processes work on, of which each may die."""

    def kill_once(self, rng: Random) -> bool:
        """Let a process begin or go on and kill it; whether that disturbed it."""
        ...

    def finish(self) -> None:
        """Let all that is left be done."""
        ...

    def judge(self, *, is_finished: bool) -> Verdict:
        """Compare what is there with what must be."""
        ...


class Run(Protocol):
    """All lives of one seed; at most ``kills`` of its processes die."""

    def __call__(self, seed: int, *, kills: int | None = None) -> Tally: ...


def lived(work: Mortal, rng: Random, seed: int, kills: int | None) -> Tally:
    """Kill until the work is done, something is wrong, or ``kills`` processes died and the last did the rest."""
    tally, is_finished = Tally(), False
    while not is_finished and not tally.bad:
        if tally.crashes == kills:
            work.finish()
            is_finished = True
        else:
            is_finished = not work.kill_once(rng)
        verdict, what = work.judge(is_finished=is_finished), f"seed {seed}, kill {tally.crashes + 1}"
        if not is_finished:
            tally.count(verdict, what)
        elif verdict is not Verdict.SOUND:
            tally.bad[verdict] = f"{what}, at the end: {verdict.value}"
    return tally


def until_killed(run: Run, seeds: Iterable[int], kills: int) -> Tally:
    """Run seeds until so many processes were killed, or something is wrong."""
    together = Tally()
    for seed in seeds:
        together.add(run(seed, kills=kills - together.crashes))
        if together.bad or together.crashes >= kills:
            break
    return together
