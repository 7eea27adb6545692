"""The store's threads: a bounded number of them, a bounded queue, and work that ends though nobody waits."""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from regen_core.access import Scope
from regen_core.adapters.http.execution import Outcome, Overloaded, StoreThreads, Work
from regen_core.adapters.memory import MemoryStore
from regen_core.documents import DocumentType
from regen_core.regeneration import Regeneration
from regen_core.request import RegenerateRequest
from regen_core.transactions import Occasion
from tests.http.conftest import invoice

SCOPE = Scope(tenant="t1", entity="e1", orgs=frozenset())
WORK = Work(
    scope=SCOPE,
    request=RegenerateRequest(type=DocumentType.INVOICE, id="inv1"),
    occasion=Occasion(datetime(2026, 1, 31, tzinfo=UTC), "one"),
    idempotent=None,
)


class Slow(MemoryStore):
    """A store that waits for the test before it does anything."""

    def __init__(self) -> None:
        super().__init__()
        self.load(invoice())
        self.may_go = threading.Event()
        self.threads: set[str] = set()

    def regenerate(self, *given: Any, **named: Any) -> Any:
        self.threads.add(threading.current_thread().name)
        assert self.may_go.wait(30)
        return super().regenerate(*given, **named)


async def until(store: Slow, number: int) -> None:
    while len(store.threads) < number:
        await asyncio.sleep(0.001)


def test_the_event_loop_is_not_kept_waiting() -> None:
    """Two requests are executed on threads while the loop goes on."""

    async def ask() -> list[Outcome]:
        store, threads = Slow(), None
        threads = StoreThreads(store, threads=2)
        asked = [asyncio.create_task(threads.submit(WORK)) for _ in range(4)]
        await until(store, 2)
        assert threading.current_thread().name not in store.threads
        store.may_go.set()
        done = await asyncio.gather(*asked)
        threads.close()
        assert len(store.threads) == 2
        return done

    assert all(isinstance(outcome, Regeneration) for outcome in asyncio.run(ask()))


def test_a_full_queue_refuses_at_once_and_drains() -> None:
    """Rather than let everybody wait in vain; afterwards there is room again."""

    async def ask() -> None:
        store = Slow()
        threads = StoreThreads(store, most_in_flight=2)
        asked = [asyncio.create_task(threads.submit(WORK)) for _ in range(2)]
        await until(store, 1)
        with pytest.raises(Overloaded):
            await threads.submit(WORK)
        store.may_go.set()
        await asyncio.gather(*asked)
        assert isinstance(await threads.submit(WORK), Regeneration)
        threads.close()

    asyncio.run(ask())


def test_who_stops_waiting_does_not_stop_the_work() -> None:
    """It ends as if somebody waited, and its place is free then: no place is lost by clients that go away."""

    async def ask() -> None:
        store = Slow()
        threads = StoreThreads(store, most_in_flight=1)
        asked = asyncio.create_task(threads.submit(WORK))
        await until(store, 1)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        store.may_go.set()
        assert isinstance(await as_soon_as_there_is_room(threads), Regeneration)
        assert {line.deliveries for line in store.transactions(SCOPE).rows} == {2}
        threads.close()

    asyncio.run(ask())


async def as_soon_as_there_is_room(threads: StoreThreads) -> Outcome:
    """What another request leads to, once the one before it has left its place."""
    end = time.monotonic() + 30
    while True:
        try:
            return await threads.submit(WORK)
        except Overloaded:
            assert time.monotonic() < end, "its place is lost"
            await asyncio.sleep(0.001)


def test_what_was_begun_ends_before_closing_does() -> None:
    """A graceful stop loses no commit."""

    async def begin(store: Slow, threads: StoreThreads) -> None:
        asked = asyncio.create_task(threads.submit(WORK))
        await until(store, 1)
        asked.cancel()

    store = Slow()
    threads = StoreThreads(store)
    asyncio.run(begin(store, threads))
    threading.Timer(0.05, store.may_go.set).start()
    threads.close()
    assert len(store.transactions(SCOPE).rows) == 2
