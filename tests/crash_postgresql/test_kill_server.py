"""IDM-7: a PostgreSQL server that is killed at any moment loses nothing that was acknowledged and leaves no half.

The server and all its processes are ended with SIGKILL while a client works, and started again; the database lives
through all of it. That this isn't a loss of power is said where durability is promised.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from enum import Enum, unique
from random import Random
from typing import Final

import pytest
from attrs import define, field

from regen_core.adapters.sql import SqlStore
from regen_core.ports import StoreFault
from tests.crash.history import Clock, History, perform
from tests.crash.profiles import scaled
from tests.crash.tally import Tally
from tests.crash.verdict import Verdict, judge, recovered
from tests.postgresql_server import Server, running_server

KILLS: Final = scaled(quick=4, deep=50)
LENGTH: Final = 60
STEP: Final = 0.01
"""About how long a step takes, in seconds: the kill comes within."""


@unique
class How(Enum):
    """As the library does it, or with one protection taken out: a control."""

    WELL = "well"
    EARLY = "acknowledges before it is done"
    WEAK = "commits without waiting for the disk, with which the store refuses to work"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server that nobody else needs."""
    with running_server() as own:
        yield own


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
    enough = min(done + rng.choice((1, 2, 3, 5)), LENGTH - 1)
    while client.acknowledged < enough and thread.is_alive():
        time.sleep(0.0005)
    time.sleep(rng.uniform(0, STEP))
    server.kill()
    thread.join()
    server.start()
    assert client.faults or client.acknowledged == LENGTH
    begun, clock = min(client.acknowledged + 1, LENGTH), Clock()
    with SqlStore.open(url, clock=clock) as store:
        found = recovered(store, clock, history, begun)
    verdict = judge(found, history, acknowledged=client.acknowledged, begun=begun)
    is_there = history.pictures[begun] == found.shown
    return verdict, begun if is_there and history.steps[begun - 1].key is None else client.acknowledged


def killed_often(server: Server, kills: int, how: How = How.WELL) -> Tally:
    """Histories, one after the other, until the server was killed so often or something is wrong."""
    rng, tally = Random(0), Tally()  # noqa: S311  # reproducible, but for the moments
    seed = 0
    while tally.crashes < kills and not tally.bad:
        history, url, done = History.random(seed, LENGTH), server.url(server.new_schema()), 0
        while done < LENGTH and tally.crashes < kills and not tally.bad:
            verdict, done = killed(server, url, history, done, rng, how)
            tally.count(verdict, f"seed {seed}, step {done}")
        seed += 1
    return tally


def test_no_kill_loses_halves_or_doubles_anything(server: Server) -> None:
    """The database holds what was acknowledged, possibly with the step in flight; keys answer as they did (IDM-1)."""
    tally = killed_often(server, KILLS)
    assert not tally.bad
    assert tally.crashes == KILLS


@pytest.mark.parametrize("how", [How.EARLY, How.WEAK], ids=lambda how: how.name)
def test_control_a_client_without_protection_is_caught(server: Server, how: How) -> None:
    """Acknowledging before the commit, and a commit that doesn't wait for the disk."""
    bad = killed_often(server, 40, how).bad
    assert bad
    assert bad.keys() <= {Verdict.LOST}
