"""Concurrent histories are explained by one order of their calls (CNV-6, REV-0, DOC-2, DOC-3, IDM-3)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from random import Random
from typing import Any

import pytest
from attrs import evolve

from regen_core.access import Scope
from regen_core.adapters.memory import MemoryStore
from regen_core.adapters.sql import SqlStore
from regen_core.adapters.sql.lookups import LookUps
from regen_core.adapters.sql.prepared import Prepared
from regen_core.documents import BillingDocument
from regen_core.ports import Store, StoreFault
from regen_core.regeneration import Regeneration
from regen_core.request import RegenerateRequest
from regen_core.testing.edits import EDITS, SLOTS, edited, initial
from tests.concurrency.linearizability import Call, Done, explained, fork
from tests.concurrency.requests import call
from tests.conformance.databases import Database, PostgresqlDatabase, SqliteDatabase
from tests.crash.history import Clock, picture
from tests.crash.profiles import scaled
from tests.postgresql_server import Server

SCOPE = Scope(tenant="t1", entity="e1", orgs=None)
PLACES = SLOTS[:2]
"""Two invoices that borrow each other's items and numbers."""

FLAGS = ((False, False), (False, True), (True, False))
THREADS, CALLS = 4, 3
HISTORIES = {"sqlite": scaled(quick=30, deep=400), "postgresql": scaled(quick=60, deep=2000)}
"""SQLite lets one writer in at a time, so less can go wrong there."""


def load(documents: Sequence[BillingDocument], store: Store) -> object:
    """Load, one or several."""
    return store.load_all(documents)


def regenerate(request: RegenerateRequest, expected: int | None, key: str | None, store: Store) -> object:
    """Regenerate; what it said, in short."""
    under = None if key is None else call(key)
    done = store.regenerate(SCOPE, request, expected=expected, idempotent=under)
    return (done.id_list, done.deliveries) if isinstance(done, Regeneration) else done


def regenerate_all(requests: Sequence[RegenerateRequest], store: Store) -> object:
    """Regenerate several."""
    return [
        (each.id_list, each.deliveries) if isinstance(each, Regeneration) else each
        for each in store.regenerate_all(SCOPE, requests)
    ]


def look(request: RegenerateRequest, store: Store) -> object:
    """The document with its transactions and its version."""
    return store.find(SCOPE, request)


def drawn(rng: Random) -> tuple[str, Call]:
    """A call about the two documents."""
    key = rng.choice(PLACES)
    other = PLACES[1 - PLACES.index(key)]
    document = edited(initial(key), rng.choice(tuple(EDITS)), rng.randrange(4))
    by = rng.choice([{"id": key.id}, {"number": initial(key).header.number}])
    flags = rng.choice(FLAGS)
    request = RegenerateRequest(type=key.type, only_re_send=flags[0], re_migrate=flags[1], **by)
    again = RegenerateRequest(type=other.type, id=other.id, re_migrate=True)
    return rng.choices(
        [
            ("load", partial(load, (document,))),
            ("load two", partial(load, (document, initial(other)))),
            ("regenerate", partial(regenerate, request, None, None)),
            ("expected", partial(regenerate, request, rng.randrange(1, 5), None)),
            ("once", partial(regenerate, request, None, rng.choice(("k1", "k2")))),
            ("both", partial(regenerate_all, (request, again))),
            ("look", partial(look, request)),
        ],
        weights=[3, 1, 5, 2, 2, 2, 2],
    )[0]


def performed(stores: Sequence[Store], seed: int) -> tuple[list[Done], list[str]]:
    """What the threads' calls led to; those that no order has to explain: nothing happened, by their own word."""
    rng = Random(seed)  # noqa: S311  # reproducible
    plans = [[drawn(rng) for _ in range(CALLS)] for _ in range(THREADS)]
    done: list[Done] = []
    faults: list[str] = []
    barrier = threading.Barrier(THREADS)

    def run(number: int) -> None:
        store = stores[number % len(stores)]
        barrier.wait()
        for name, each in plans[number]:
            began = time.monotonic()
            try:
                answer = repr(each(store))
            except StoreFault as fault:
                faults.append(f"{name}: {fault!r}")
                continue
            if not answer.startswith("IdempotencyKeyInProgress"):
                done.append(Done(name, each, answer, began, time.monotonic()))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return done, faults


def shown(store: Store) -> str:
    """All that a store holds; how deliveries of different documents follow each other says nothing."""
    return "\n".join(sorted(picture(store).split("\n")))


def unexplained(database: Database, stores: Sequence[SqlStore], histories: range, clock: Clock) -> list[int]:
    """The histories that no order explains, by seed."""
    bad = []
    for seed in histories:
        database.clear()
        model = MemoryStore(clock)
        for store in (model, stores[0]):
            store.load_all([initial(key) for key in PLACES])
        done, faults = performed(stores, seed)
        assert not faults, faults
        if not explained(done, model, shown, shown(stores[0])):
            bad.append(seed)
    return bad


@pytest.mark.parametrize("part", range(2))
def test_every_history_has_an_order(database: Database, part: int) -> None:
    """Threads on two stores of one database load, ask, ask again and look."""
    clock = Clock()
    with SqlStore.open(database.url, clock=clock) as one, SqlStore.open(database.url, clock=clock) as other:
        half = HISTORIES["sqlite" if isinstance(database, SqliteDatabase) else "postgresql"] // 2
        assert unexplained(database, (one, other), range(part * half, (part + 1) * half), clock) == []


class TestControls:
    """With the protections taken out the same harness sees it; and the checker itself tells orders apart."""

    def test_control_without_locks_histories_have_no_order(
        self, postgresql: Server, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Neither lock nor compare-and-swap, nor the unique key of a delivery, which would catch it, too."""

        def unlocked(build: Callable[..., Prepared]) -> Callable[..., Prepared]:
            def built(*given: Any) -> Prepared:
                locking = build(*given)
                return evolve(locking, sql=locking.sql.replace(" FOR UPDATE", ""))

            return built

        for name in ("lock_document", "lock_documents"):
            monkeypatch.setattr(LookUps, name, unlocked(getattr(LookUps, name)))
        database = PostgresqlDatabase(postgresql, postgresql.new_schema())
        clock = Clock()
        with SqlStore.open(database.url, clock=clock) as one, SqlStore.open(database.url, clock=clock) as other:
            for each in (one, other):
                statements = each._units.statements
                always = statements.move_locked_document
                swapped = always.sql.replace("(documents.version = %s::INTEGER)", "(%s::INTEGER >= 0)")
                assert swapped != always.sql
                vars(statements)["move_locked_document"] = evolve(always, sql=swapped)
            database.run("ALTER TABLE outbox DROP CONSTRAINT outbox_delivery")
            assert unexplained(database, (one, other), range(scaled(quick=40, deep=200)), clock)

    def test_the_checker_knows_orders(self) -> None:
        """Two reads of a change: after it by the clock both see it, at the same time either may."""
        memory, key = MemoryStore(Clock()), PLACES[0]
        look_at = partial(look, RegenerateRequest(type=key.type, id=key.id))
        before = fork(memory)
        absent, loaded = repr(look_at(memory)), repr(load((initial(key),), memory))
        present, ends = repr(look_at(memory)), shown(memory)

        def history(*reads: tuple[str, float, float]) -> list[Done]:
            change = Done("load", partial(load, (initial(key),)), loaded, 1, 3)
            return [change, *[Done("look", look_at, answer, began, ended) for answer, began, ended in reads]]

        assert explained(history((absent, 0, 2), (present, 2, 4)), before, shown, ends)
        assert explained(history((present, 2, 2.5), (present, 4, 5)), before, shown, ends)
        assert not explained(history((absent, 4, 5)), before, shown, ends)
        assert not explained(history((present, 1.1, 1.2), (absent, 2, 2.5)), before, shown, ends)
        assert not explained(history((present, 4, 5)), before, shown, "another end")
