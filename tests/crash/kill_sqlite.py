"""Processes that work on an SQLite file are killed with SIGKILL at random moments; the file is opened again each time.

A killed process' successor goes on where the file stands, so that a file lives through many crashes. A request under an
Idempotency-Key that was in flight is asked again, as its client would. From the command line::

    python -m tests.crash.kill_sqlite --seeds 0:100
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Final

from attrs import define

from regen_core.adapters.sql import SqlStore
from tests.crash.children import Child, child
from tests.crash.history import Clock, History
from tests.crash.seeds import chosen_seeds
from tests.crash.tally import Tally
from tests.crash.verdict import Recovered, Verdict, judge, recovered
from tests.crash.workers import How, opens_and_performs

__all__ = ["main", "run"]

LENGTH: Final = 40
"""Steps of a history, which one file goes through."""

_OPENING: Final = 0.02
_STEP: Final = 0.005
"""About how long opening and a step take, in seconds: the kill comes within."""


@define
class _Life:
    """A file, and how far its history is: ``done`` steps are surely in it."""

    history: History
    url: str
    how: How
    done: int = 0
    kills: int = 0

    def kill_once(self, rng: Random) -> Verdict:
        """Let a process go on, kill it, look at the file."""
        with child(opens_and_performs, self.url, self.history.steps[self.done :], self.how) as worker:
            _wait(worker, rng)
            self.kills += worker.kill()
            acknowledged = max([self.done, *worker.reports])
        begun = acknowledged + 1  # behind the last step: none is in flight
        found = self._found(begun)
        self._go_on_from(found, acknowledged, begun)
        return judge(found, self.history, acknowledged=acknowledged, begun=begun)

    def _found(self, begun: int) -> Recovered:
        clock = Clock()
        try:
            with SqlStore.open(self.url, clock=clock) as store:
                return recovered(store, clock, self.history, begun)
        except Exception as fault:  # noqa: BLE001  # whatever it is: the store can't be used
            return Recovered("", fault=repr(fault))

    def _go_on_from(self, found: Recovered, acknowledged: int, begun: int) -> None:
        """The step in flight is asked again where it has a key, else only if it isn't there."""
        is_there = self.history.pictures[begun : begun + 1] == (found.shown,)
        self.done = begun if is_there and self.history.steps[begun - 1].key is None else acknowledged


def _wait(worker: Child, rng: Random) -> None:
    """Wait for a moment while the file is opened or, mostly, while one of the next steps is performed."""
    steps = rng.choice((0, 1, 1, 2, 3, 5, 8))
    while steps and worker.wait_for_report():
        steps -= 1
    time.sleep(rng.uniform(0, _STEP if worker.reports else _OPENING))


def run(seed: int, *, how: How = How.WELL, kills: int | None = None) -> Tally:
    """One file, until its history is through, something is wrong, or ``kills`` processes were killed."""
    rng, tally = Random(seed), Tally()  # noqa: S311  # reproducible, but for the moments
    with TemporaryDirectory(prefix="regen-crash-") as directory:
        url = f"sqlite:///{Path(directory) / 'regen.db'}"
        life = _Life(History.random(seed, LENGTH), url, how)
        while life.done < LENGTH and not tally.bad and (kills is None or tally.crashes < kills):
            before = life.kills
            verdict = life.kill_once(rng)
            if life.kills > before:
                tally.count(verdict, f"seed {seed}, kill {life.kills}, step {life.done}")
    return tally


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; the exit code is 1 where something was lost, partial or doubled."""
    return chosen_seeds("tests.crash.kill_sqlite", __doc__, run, arguments)


if __name__ == "__main__":
    sys.exit(main())
