"""Random histories: several threads on two stores of one database load, ask, ask again and look at two documents.

From the command line, on PostgreSQL, with a server of its own::

    python -m tests.concurrency.histories --seeds 0:1000
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Sequence
from functools import partial
from random import Random
from typing import Final

from regen_core.access import Scope
from regen_core.adapters.memory import MemoryStore
from regen_core.adapters.sql import SqlStore
from regen_core.documents import BillingDocument
from regen_core.ports import Store, StoreFault
from regen_core.regeneration import Regeneration
from regen_core.request import RegenerateRequest
from regen_core.testing.edits import EDITS, SLOTS, edited, initial
from tests.concurrency.linearizability import Call, Done, explained
from tests.concurrency.requests import call
from tests.conformance.databases import Database, PostgresqlDatabase
from tests.crash.history import Clock, picture
from tests.crash.seeds import Counted, chosen_seeds
from tests.postgresql_server import running_server

__all__ = ["PLACES", "load", "look", "main", "run", "shown"]

SCOPE: Final = Scope(tenant="t1", entity="e1", orgs=None)
PLACES: Final = SLOTS[:2]
"""Two invoices that borrow each other's items and numbers."""

FLAGS: Final = ((False, False), (False, True), (True, False))
THREADS: Final = 4
CALLS: Final = 3
"""Threads, and how many calls each of them makes."""


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
    """What the threads' calls led to, and faults; those that say that nothing happened no order has to explain."""
    rng = Random(seed)  # noqa: S311  # reproducible
    plans = [[drawn(rng) for _ in range(CALLS)] for _ in range(THREADS)]
    done: list[Done] = []
    faults: list[str] = []
    barrier = threading.Barrier(THREADS)

    def perform(number: int) -> None:
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

    threads = [threading.Thread(target=perform, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return done, faults


def shown(store: Store) -> str:
    """All that a store holds; how deliveries of different documents follow each other says nothing."""
    return "\n".join(sorted(picture(store).split("\n")))


def run(database: Database, stores: Sequence[SqlStore], clock: Clock, seed: int) -> Counted:
    """The history of a seed, on an emptied database."""
    database.clear()
    model = MemoryStore(clock)
    for store in (model, stores[0]):
        store.load_all([initial(key) for key in PLACES])
    done, faults = performed(stores, seed)
    assert not faults, faults
    if explained(done, model, shown, shown(stores[0])):
        return Counted("histories", 1)
    return Counted("histories", 1, {seed: f"seed {seed}: no order explains " + ", ".join(each.name for each in done)})


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; the exit code is 1 where a history has no order."""
    clock = Clock()
    with running_server() as server:
        database = PostgresqlDatabase(server, server.new_schema())
        with SqlStore.open(database.url, clock=clock) as one, SqlStore.open(database.url, clock=clock) as other:
            of_seed = partial(run, database, (one, other), clock)
            return chosen_seeds("tests.concurrency.histories", __doc__, of_seed, arguments)


if __name__ == "__main__":
    sys.exit(main())
