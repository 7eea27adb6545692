"""Requests that share a commit: what came meanwhile goes together, each has its own answer, nobody pays for another."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from regen_core.access import Scope
from regen_core.adapters.http.execution import Outcome, Overloaded, Work
from regen_core.adapters.http.grouping import GroupedCommits
from regen_core.adapters.memory import MemoryStore
from regen_core.adapters.sql import SqlStore
from regen_core.documents import DocumentType
from regen_core.idempotency import Replay
from regen_core.ports import Answer, IdempotentCall, RegenerateCall, StoreFault
from regen_core.refusals import DocumentNotFound, IdempotencyKeyInProgress
from regen_core.regeneration import Regeneration
from regen_core.request import RegenerateRequest
from regen_core.transactions import Occasion
from tests.http.conftest import invoice

SCOPE = Scope(tenant="t1", entity="e1", orgs=frozenset())
WORK = Work(
    scope=SCOPE,
    request=RegenerateRequest(type=DocumentType.INVOICE, id="inv1"),
    occasion=Occasion(datetime(2026, 1, 31, tzinfo=UTC), "one"),
)
MISSING = evolve(WORK, request=RegenerateRequest(type=DocumentType.INVOICE, id="missing"))
FOREIGN = evolve(WORK, scope=evolve(SCOPE, tenant="t2"))


def under(key: str, work: Work = WORK) -> Work:
    """The work under a key."""
    return evolve(work, idempotent=IdempotentCall(client="c", key=key, answer=lambda _: Answer(200, b"done")))


class Gathering(MemoryStore):
    """A store whose first unit waits for the test; it notes how many calls each unit had."""

    def __init__(self) -> None:
        super().__init__()
        self.load(invoice())
        self.may_go, self.began = threading.Event(), threading.Event()
        self.groups: list[int] = []

    def regenerate(self, *given: Any, **named: Any) -> Any:
        if not self.began.is_set():
            self.groups.append(1)
            self.began.set()
            assert self.may_go.wait(30)
        return super().regenerate(*given, **named)

    def regenerate_together(self, calls: Iterable[RegenerateCall]) -> tuple[Any, ...]:
        together = list(calls)
        self.groups.append(len(together))
        return super().regenerate_together(together)


async def gathered(grouped: GroupedCommits, store: Gathering, works: list[Work]) -> list[Outcome | BaseException]:
    """What works led to that all came while a first one was at the store."""
    first = asyncio.create_task(grouped.submit(WORK))
    while not store.began.is_set():
        await asyncio.sleep(0.001)
    rest = [asyncio.create_task(grouped.submit(work)) for work in works]
    await asyncio.sleep(0)
    store.may_go.set()
    return (await asyncio.gather(first, *rest, return_exceptions=True))[1:]


def test_what_came_meanwhile_is_committed_together_and_answered_apart() -> None:
    """No request waits for a group to fill, and none gets another one's answer."""
    store = Gathering()
    grouped = GroupedCommits(store, most_together=4)
    done = asyncio.run(gathered(grouped, store, [WORK, MISSING, FOREIGN, under("k"), under("k"), WORK]))
    assert store.groups == [1, 4, 2]
    kinds = [Regeneration, DocumentNotFound, DocumentNotFound, Regeneration, Replay, Regeneration]
    assert [type(outcome) for outcome in done] == kinds
    grouped.close()


def test_of_one_key_in_a_group_one_is_executed() -> None:
    """IDM-3."""
    store = Gathering()
    grouped = GroupedCommits(store)
    done = asyncio.run(gathered(grouped, store, [under("k"), under("k"), under("k")]))
    assert [type(outcome) for outcome in done] == [Regeneration, *[IdempotencyKeyInProgress] * 2]
    grouped.close()


def test_a_full_queue_refuses_at_once() -> None:
    """Rather than let everybody wait in vain."""
    store = Gathering()
    grouped = GroupedCommits(store, most_in_flight=2)
    done = asyncio.run(gathered(grouped, store, [WORK, WORK]))
    assert [type(outcome) for outcome in done] == [Regeneration, Overloaded]
    grouped.close()


def test_who_stops_waiting_does_not_stop_the_work() -> None:
    """Neither its own nor that of its group, be the group at the store or not yet."""
    store = Gathering()
    grouped = GroupedCommits(store)

    async def ask() -> Outcome:
        first = asyncio.create_task(grouped.submit(WORK))
        while not store.began.is_set():
            await asyncio.sleep(0.001)
        gone, stays = asyncio.create_task(grouped.submit(WORK)), asyncio.create_task(grouped.submit(WORK))
        await asyncio.sleep(0)
        first.cancel()
        gone.cancel()
        store.may_go.set()
        return await stays

    assert isinstance(asyncio.run(ask()), Regeneration)
    assert store.groups == [1, 2]
    assert {line.deliveries for line in store.transactions(SCOPE).rows} == {3}
    grouped.close()


class Failing(Gathering):
    """A store whose units of several calls can't be done, by its own fault or by that of one call."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    def regenerate_together(self, calls: Iterable[RegenerateCall]) -> tuple[Any, ...]:
        raise self._error

    def regenerate(self, scope: Scope, *given: Any, **named: Any) -> Any:
        if scope.tenant == "t2":
            raise self._error
        return super().regenerate(scope, *given, **named)


def test_a_store_that_cant_work_says_so_to_all() -> None:
    """Nothing of the group is stored."""
    fault = StoreFault("the disk is full")
    store = Failing(fault)
    grouped = GroupedCommits(store)
    assert asyncio.run(gathered(grouped, store, [WORK, WORK])) == [fault, fault]
    assert {line.deliveries for line in store.transactions(SCOPE).rows} == {1}
    grouped.close()


def test_what_only_one_request_leads_to_hurts_no_other() -> None:
    """A mistake of ours in one tenant's request is that request's alone."""
    error = AssertionError("our own mistake")
    store = Failing(error)
    grouped = GroupedCommits(store)
    done = asyncio.run(gathered(grouped, store, [WORK, FOREIGN, WORK]))
    assert [type(outcome) for outcome in done] == [Regeneration, AssertionError, Regeneration]
    grouped.close()


def test_damaged_rows_of_one_document_hurt_no_other(tmp_path: Path) -> None:
    """The group is begun again one by one, and each hears what is true for it."""
    with SqlStore.open(f"sqlite:///{tmp_path / 'regen.db'}") as store:
        store.load_all([invoice(), evolve_id("inv2")])
        connection = sqlite3.connect(tmp_path / "regen.db")
        connection.execute("UPDATE document_versions SET header = 'damaged' WHERE document_id = 'inv2'")
        connection.commit()
        connection.close()
        other = evolve(WORK, request=RegenerateRequest(type=DocumentType.INVOICE, id="inv2"))
        done = store.regenerate_together([WORK, other, under("k")])
        assert [isinstance(outcome, Regeneration) for outcome in done] == [True, False, True]
        assert isinstance(done[1], StoreFault)
        assert {line.deliveries for line in store.transactions(SCOPE).rows} == {2}


def evolve_id(document_id: str) -> Any:
    """The invoice under another id, number and items."""
    made = invoice()
    header = evolve(made.header, key=evolve(made.header.key, id=document_id), number=f"N-{document_id}")
    items = tuple(evolve(item, id=f"{document_id}-{item.id}") for item in made.items)
    return evolve(made, header=header, items=items)


def test_what_waits_when_the_service_closes_is_done() -> None:
    """Its clients went away; it ends as if they had waited."""
    store = Gathering()
    grouped = GroupedCommits(store)

    async def leave() -> None:
        first = asyncio.create_task(grouped.submit(WORK))
        while not store.began.is_set():
            await asyncio.sleep(0.001)
        asyncio.create_task(grouped.submit(WORK))  # noqa: RUF006  # nobody waits for it
        await asyncio.sleep(0)
        first.cancel()

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancelled(leave))
    store.may_go.set()
    grouped.close()
    assert {line.deliveries for line in store.transactions(SCOPE).rows} == {2}


async def cancelled(leave: Any) -> None:
    """Run it and end as if cancelled."""
    await leave()
    raise asyncio.CancelledError
