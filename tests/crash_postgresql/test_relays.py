"""REV-0, REV-4: several relays at once on one PostgreSQL server lose nothing, killed or not, whatever commits when."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from itertools import count
from random import Random
from typing import Any

import pytest

from regen_core.access import Scope
from regen_core.adapters.revenue.http_sink import LEASE
from regen_core.adapters.sql import SqlStore
from regen_core.documents import DocumentType
from regen_core.ports import OutboxEntry
from regen_core.regeneration import Regeneration
from regen_core.request import RegenerateRequest
from regen_core.revenue import Delivery
from tests.concurrency.requests import invoice
from tests.conformance.databases import PostgresqlDatabase
from tests.crash.children import child
from tests.crash.kill_http_relay import unsteady
from tests.crash.points import CRASHED
from tests.crash.profiles import scaled
from tests.crash.relays import fill, judge_receiver
from tests.crash.verdict import Verdict
from tests.crash.workers import How, relays_later
from tests.postgresql_server import Server
from tests.relay.receiver import Receiver

SCOPE = Scope(tenant="t1", entity="e1", orgs=None)
RELAYS = 3
KILLS = scaled(quick=6, deep=60)
DELIVERIES = 300

WRITERS, EACH = 6, scaled(quick=20, deep=80)
"""Threads, and how many documents each of them regenerates."""


def given(url: str, receiver: Receiver, life: int, *, how: How = How.WELL, crash_at: int = 0) -> tuple[Any, ...]:
    """What relays are told that live when the leases of those before them have ended."""
    return url, receiver.url, 7, how, life * (LEASE + timedelta(seconds=1)), crash_at


def judged(url: str, receiver: Receiver, *, is_finished: bool) -> Verdict:
    """What arrived, compared with what was committed."""
    with SqlStore.open(url) as store:
        received = [each for request in list(receiver.taken) for each in request.deliveries]
        return judge_receiver(store, received, is_finished=is_finished)


def side_by_side(url: str, receiver: Receiver, life: int, seconds: float | None) -> int:
    """Let relays work together and kill them all after a while, ``None``: never; how many were disturbed."""
    with ExitStack() as stack:
        workers = [stack.enter_context(child(relays_later, *given(url, receiver, life))) for _ in range(RELAYS)]
        for worker in workers:
            worker.wait_for_report()
        if seconds is None:
            return sum([0 * worker.end() for worker in workers])
        time.sleep(seconds)
        return sum([worker.kill() for worker in workers])


def killed_together(url: str, receiver: Receiver, kills: int) -> int:
    """Relays are killed together until so many died and the next ones did the rest; how many died."""
    rng, killed = Random(0), 0  # noqa: S311  # reproducible, but for the moments
    for life in count(1):
        disturbed = side_by_side(url, receiver, life, rng.uniform(0, 0.2) if killed < kills else None)
        killed += disturbed
        assert judged(url, receiver, is_finished=not disturbed) is Verdict.SOUND
        if not disturbed:
            break
    return killed


def test_relays_that_are_killed_side_by_side_lose_nothing(postgresql: Server) -> None:
    """The receiver breaks a connection now and then; what a dead relay had claimed goes to the next ones."""
    killed, seed = 0, 0
    while killed < KILLS:
        url = postgresql.url(postgresql.new_schema())
        fill(url, DELIVERIES)
        with Receiver(otherwise=unsteady(Random(seed))) as receiver:  # noqa: S311  # reproducible
            killed += killed_together(url, receiver, KILLS - killed)
        seed += 1


def dies_at(postgresql: Server, point: int, how: How) -> tuple[Verdict, list[str]]:
    """A relay dies at a point of the network, others come after it; the names of all points if there are fewer."""
    url = postgresql.url(postgresql.new_schema())
    fill(url, 10)
    with Receiver() as receiver:
        with child(relays_later, *given(url, receiver, 1, how=how, crash_at=point)) as worker:
            names = worker.reports[-1] if worker.end() != CRASHED else []
        side_by_side(url, receiver, 2, None)
        return judged(url, receiver, is_finished=True), names


def test_a_death_at_any_point_of_the_network_loses_nothing(postgresql: Server) -> None:
    """Before, within and after connecting, sending, and hearing the answer."""
    for point in count(1, scaled(quick=12, deep=1)):
        verdict, names = dies_at(postgresql, point, How.WELL)
        assert verdict is Verdict.SOUND
        if names:
            assert {name.split()[-1] for name in names} == {"connect", "send", "recv"}
            break


def test_control_a_relay_that_acknowledges_first_loses_deliveries(postgresql: Server) -> None:
    """It dies before it connects, when it has promised already."""
    assert dies_at(postgresql, 1, How.EARLY)[0] is Verdict.LOST


def name_of(delivery: Delivery) -> str:
    """What the outbox's own columns say, for who reads them without the library."""
    return f"{delivery.transaction.item.id} {delivery.number}"


class TestCommitsOutOfOrder:
    """Places in the outbox are given before the commit, and commits overtake each other."""

    @pytest.fixture
    def slow(self, postgresql: Server) -> PostgresqlDatabase:
        """A schema on whose outbox some units of work take a few milliseconds longer, after they got their place."""
        database = PostgresqlDatabase(postgresql, postgresql.new_schema())
        SqlStore.open(database.url).close()
        database.run(
            "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS "
            "$$BEGIN PERFORM pg_sleep(CASE WHEN random() < 0.3 THEN random() * 0.02 ELSE 0 END); RETURN NEW; END$$"
        )
        database.run("CREATE TRIGGER dawdles AFTER INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION dawdle()")
        return database

    @staticmethod
    def written(database: PostgresqlDatabase) -> tuple[list[threading.Thread], list[str]]:
        """Threads that load and regenerate, and the ids of the deliveries that they have committed so far."""
        committed: list[str] = []

        def run(writer: int) -> None:
            with SqlStore.open(database.url) as store:
                for number in range(EACH):
                    name = f"d{writer}-{number}"
                    store.load(invoice(name))
                    done = store.regenerate(SCOPE, RegenerateRequest(type=DocumentType.INVOICE, id=name))
                    assert isinstance(done, Regeneration)
                    committed.extend(map(name_of, done.deliveries))

        return [threading.Thread(target=run, args=(number,)) for number in range(WRITERS)], committed

    def race(self, database: PostgresqlDatabase, take: Callable[[], list[str]], readers: int) -> tuple[Any, Any]:
        """What was committed and what the readers got, who began before the writers and looked once more after them."""
        writers, committed = self.written(database)
        got: list[str] = []

        def read() -> None:
            while any(each.is_alive() for each in writers):
                got.extend(take())
            while more := take():
                got.extend(more)

        reading = [threading.Thread(target=read) for _ in range(readers)]
        for thread in (*writers, *reading):
            thread.start()
        for thread in (*writers, *reading):
            thread.join()
        return sorted(committed), sorted(got)

    def test_relays_that_claim_get_each_delivery_once(self, slow: PostgresqlDatabase) -> None:
        """Several of them, each beginning while units of work are under way."""
        with SqlStore.open(slow.url) as store:

            def take() -> list[str]:
                claimed: tuple[OutboxEntry, ...] = store.claim(SCOPE, 5, LEASE)
                store.acknowledge(SCOPE, claimed)
                return [name_of(entry.delivery) for entry in claimed]

            committed, got = self.race(slow, take, RELAYS)
        assert len(committed) == WRITERS * EACH * 2
        assert got == committed

    def test_control_a_relay_that_reads_behind_the_last_position_skips_some(self, slow: PostgresqlDatabase) -> None:
        """The usual way to read an outbox, and the reason why nothing here does it."""
        committed, got = self.race(slow, _behind_the_last(slow), 1)
        assert set(got) < set(committed)


def _behind_the_last(database: PostgresqlDatabase) -> Callable[[], list[str]]:
    def rows() -> Iterator[list[str]]:
        last = 0
        with database.server.connect() as connection:
            connection.execute(f"SET search_path = {database.schema}")
            query = "SELECT position, item_id || ' ' || number FROM outbox WHERE position > %s ORDER BY position"
            while True:
                found = connection.execute(query, (last,)).fetchall()
                last = max([row[0] for row in found], default=last)
                yield [row[1] for row in found]

    reading = rows()
    return lambda: next(reading)
