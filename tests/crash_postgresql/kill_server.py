"""A PostgreSQL server is killed with SIGKILL while a client works, with all its processes, and started again.

The database lives through all of it. From the command line, on a server of its own::

    python -m tests.crash_postgresql.kill_server --seeds 0:100
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Sequence
from enum import Enum, unique
from functools import partial
from random import Random
from typing import Final

from attrs import define, field

from regen_core.adapters.sql import SqlStore
from regen_core.ports import StoreFault
from tests.crash.history import Clock, History, perform
from tests.crash.seeds import chosen_seeds
from tests.crash.tally import Tally
from tests.crash.verdict import Verdict, judge, recovered
from tests.postgresql_server import Server, running_server

__all__ = ["How", "main", "run"]

LENGTH: Final = 60
"""Steps of a history, which one schema goes through."""

STEP: Final = 0.01
"""About how long a step takes, in seconds: the kill comes within."""


@unique
class How(Enum):
    """As the library does it, or with one protection taken out: a control."""

    WELL = "well"
    EARLY = "acknowledges before it is done"
    WEAK = "commits without waiting for the disk, with which the store refuses to work"


@define
class Client:
    """Performs steps until the server is gone; ``acknowledged`` is the last one that it heard the end of."""

    url: str
    history: History
    acknowledged: int
    how: How
    faults: list[BaseException] = field(factory=list)

    def work(self) -> None:
        """What its thread does."""
        clock = Clock()
        try:
            with SqlStore.open(self.url, clock=clock) as store:
                if self.how is How.WEAK:
                    held = store._connections.take()
                    held[0].driver_connection.execute("SET synchronous_commit = off")  # type: ignore[union-attr]  # open
                    store._connections.give(held)
                for step in self.history.steps[self.acknowledged :]:
                    clock.step = step.number
                    if self.how is How.EARLY:
                        self.acknowledged = step.number
                    perform(store, step)
                    self.acknowledged = step.number
        except StoreFault as fault:
            self.faults.append(fault)


def killed(server: Server, url: str, history: History, done: int, rng: Random, how: How) -> tuple[Verdict, int]:
    """Let a client go on, kill the server, start it again, and judge what is there; how far the history is."""
    client = Client(url, history, done, how)
    thread = threading.Thread(target=client.work)
    thread.start()
    enough = min(done + rng.choice((1, 2, 3, 5)), LENGTH)
    while client.acknowledged < enough and thread.is_alive():
        time.sleep(0.0005)
    time.sleep(rng.uniform(0, STEP))
    server.kill()
    thread.join()
    server.start()
    assert client.faults or client.acknowledged == LENGTH
    begun, clock = client.acknowledged + 1, Clock()  # behind the last step: none is in flight
    with SqlStore.open(url, clock=clock) as store:
        found = recovered(store, clock, history, begun)
    verdict = judge(found, history, acknowledged=client.acknowledged, begun=begun)
    is_there = history.pictures[begun : begun + 1] == (found.shown,)
    return verdict, begun if is_there and history.steps[begun - 1].key is None else client.acknowledged


def run(server: Server, seed: int, *, how: How = How.WELL, kills: int | None = None) -> Tally:
    """One history, until it is through, something is wrong, or the server was killed ``kills`` times."""
    rng, tally = Random(seed), Tally()  # noqa: S311  # reproducible, but for the moments
    history, url, done = History.random(seed, LENGTH), server.url(server.new_schema()), 0
    while done < LENGTH and not tally.bad and (kills is None or tally.crashes < kills):
        verdict, done = killed(server, url, history, done, rng, how)
        tally.count(verdict, f"seed {seed}, step {done}")
    return tally


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; the exit code is 1 where something was lost, partial or doubled."""
    with running_server() as server:
        return chosen_seeds("tests.crash_postgresql.kill_server", __doc__, partial(run, server), arguments)


if __name__ == "__main__":
    sys.exit(main())
