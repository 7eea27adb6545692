"""IDM-3, IDM-7: of many equal requests under one key exactly one executes, and the others hear it at once."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from attrs import evolve

from regen_core.adapters.sql import SqlStore
from regen_core.adapters.sql.engine import open_database
from regen_core.adapters.sql.faults import DatabaseBusy
from regen_core.adapters.sql.keys import RunningKeys
from regen_core.idempotency import Replay
from regen_core.refusals import IdempotencyKeyInProgress
from regen_core.regeneration import Regeneration
from tests.concurrency.requests import ALL, asked, at_once, call, holds_a_key, invoice, performs_keys
from tests.conformance.databases import Database
from tests.crash.children import child
from tests.crash.profiles import scaled
from tests.postgresql_server import Server

KEYS = scaled(quick=10, deep=150)
THREADS = 8
LONG = 120.0
"""Seconds for which a lock is waited for: whoever waits for the one that runs hears nothing until the test gives up."""

SOON = 60.0
"""Seconds until a server has heard that a client is gone: usually it takes less than a thousandth of that."""


def executions(stores: list[SqlStore]) -> list[int]:
    """How often each key's request was executed by threads that take turns with the stores."""
    counts = []
    for number in range(KEYS):
        each = [stores[turn % len(stores)] for turn in range(THREADS)]
        answers = at_once([partial(one.regenerate, ALL, asked(), idempotent=call(f"k{number}")) for one in each])
        others = [answer for answer in answers if not isinstance(answer, Regeneration)]
        assert all(isinstance(answer, (Replay, IdempotencyKeyInProgress)) for answer in others), others
        counts.append(len(answers) - len(others))
    return counts


@pytest.mark.parametrize("stores", [1, 2])
def test_threads_execute_once(database: Database, stores: int) -> None:
    """Threads that share a store, and threads on stores of their own; what is stored counts the executions, too."""
    with contextlib.ExitStack() as stack:
        opened = [stack.enter_context(SqlStore.open(database.url)) for _ in range(stores)]
        opened[0].load(invoice())
        assert executions(opened) == [1] * KEYS
        assert {line.deliveries for line in opened[0].transactions(ALL).rows} == {KEYS}


def test_processes_execute_once(database: Database) -> None:
    """Processes that ask under the same keys at the same time."""
    keys = [f"k{number}" for number in range(3 * KEYS)]
    with SqlStore.open(database.url) as store:
        store.load(invoice())
        with contextlib.ExitStack() as stack:
            workers = [stack.enter_context(child(performs_keys, database.url, keys)) for _ in range(3)]
            for worker in workers:
                worker.wait_for_report()
            for worker in workers:
                worker.wait_for_report()
        executed = [key for worker in workers for key in worker.reports[1]]
        assert sorted(executed) == sorted(keys)
        assert {line.deliveries for line in store.transactions(ALL).rows} == {len(keys)}


def test_a_running_key_is_told_at_once_and_dies_with_its_process(database: Database) -> None:
    """Nothing is stored that would have to be cleared: the next request executes."""
    with SqlStore.open(database.url, busy_timeout=LONG) as store:
        store.load(invoice())
        with child(holds_a_key, database.url, "k1") as worker:
            assert worker.wait_for_report()
            start = time.monotonic()
            heard: object = store.regenerate(ALL, asked(), idempotent=call("k1"))
            assert time.monotonic() - start < LONG / 2
            assert isinstance(heard, IdempotencyKeyInProgress)
            worker.kill()
        start = time.monotonic()
        while isinstance(heard, IdempotencyKeyInProgress) and time.monotonic() - start < SOON:
            heard = store.regenerate(ALL, asked(), idempotent=call("k1"))
        assert isinstance(heard, Regeneration)
        assert {line.deliveries for line in store.transactions(ALL).rows} == {1}


class TestControls:
    """With the claims taken out the same harness sees it."""

    @pytest.fixture(name="open")
    def _open(self, monkeypatch: pytest.MonkeyPatch) -> Callable[..., SqlStore]:
        """A record is looked up and, later, written: nobody claims its key in between."""

        @contextlib.contextmanager
        def free(*_: Any) -> Iterator[bool]:
            yield True

        monkeypatch.setattr(RunningKeys, "claimed", free)

        def opened(url: str, busy_timeout: float = 10.0) -> SqlStore:
            connections = open_database(url, busy_timeout=busy_timeout)
            backend = evolve(connections.backend, key_claim=None, claims=lambda *_: free)
            return SqlStore(evolve(connections, backend=backend))

        return opened

    def test_control_looking_before_writing_executes_twice(
        self,
        postgresql: Server,
        open: Callable[..., SqlStore],  # noqa: A002  # what it does
    ) -> None:
        """PostgreSQL: both find nothing, then one waits for the document, and executes after the other."""
        with open(postgresql.url(postgresql.new_schema())) as store:
            store.load(invoice())
            assert sum(executions([store])) > KEYS

    def test_control_without_claims_nothing_is_told_at_once(
        self,
        database: Database,
        open: Callable[..., SqlStore],  # noqa: A002  # what it does
    ) -> None:
        """The second waits for the first one's locks instead, until its patience is at an end."""
        with open(database.url) as store:
            store.load(invoice())
        with child(holds_a_key, database.url, "k1") as worker, open(database.url, busy_timeout=0.3) as store:
            assert worker.wait_for_report()
            with pytest.raises(DatabaseBusy):
                store.regenerate(ALL, asked(), idempotent=call("k1"))
            worker.kill()
