"""MIG-7, MIG-8: threads and processes that carry on one run do different batches of it; without its lock they don't."""

from __future__ import annotations

import contextlib
import threading
from datetime import UTC, datetime
from functools import partial
from typing import Any

from regen_core.adapters.sql import SqlStore
from regen_core.adapters.sql import runs as runs_of_stores
from regen_core.migration import Run, RunCounts, RunStatus, accept, begin
from regen_core.transactions import Occasion
from tests.concurrency.requests import ALL, at_once, invoice
from tests.conformance.databases import Database, PostgresqlDatabase
from tests.crash.children import child
from tests.crash.migrations import Kept, migrates
from tests.crash.profiles import scaled
from tests.postgresql_server import Server

DOCUMENTS = scaled(quick=60, deep=1500)
HANDS = 4
NOW = datetime(2026, 1, 31, tzinfo=UTC)
PATIENCE = 20.0
"""Seconds until two that wait for each other give up."""


def begun(store: SqlStore, documents: int = DOCUMENTS) -> Run:
    """A run that overrides, so that whatever is done twice shows in a revision and a delivery."""
    store.load_all([invoice(f"d{number:04}") for number in range(documents)])
    run = accept("r1", ALL, Occasion(NOW, "ann"), re_migrate=True)
    assert isinstance(run, Run)
    run = begin(run, NOW)
    assert store.accept_run(run)
    return run


def carry_on(store: SqlStore, limit: int) -> Run:
    """Batch by batch until the run is complete."""
    while True:
        run = store.migrate_batch(ALL, "r1", limit)
        assert run is not None
        if not run.is_running:
            return run


def done(store: SqlStore) -> tuple[set[int], int, int]:
    """The revisions that there are, and how many transactions and deliveries."""
    lines = [line for page in _pages(store.transactions) for line in page.rows]
    deliveries = sum(len(page.rows) for page in _pages(store.deliveries))
    return {line.transaction.revision for line in lines}, len(lines), deliveries


def _pages(listing: Any) -> Any:
    page = listing(ALL, limit=1000)
    yield page
    while page.next is not None:
        page = listing(ALL, limit=1000, after=page.next)
        yield page


def test_threads_do_different_batches(database: Database) -> None:
    """On stores of their own; the log counts each document once."""
    with contextlib.ExitStack() as stack:
        stores = [stack.enter_context(SqlStore.open(database.url)) for _ in range(HANDS)]
        begun(stores[0])
        logs = at_once([partial(carry_on, store, 3 + turn) for turn, store in enumerate(stores)])
        assert all(log == logs[0] for log in logs), logs
        assert isinstance(logs[0], Run)
        counts = RunCounts(regenerated=DOCUMENTS, transactions=2 * DOCUMENTS, deliveries=2 * DOCUMENTS)
        assert (logs[0].status, logs[0].counts) == (RunStatus.COMPLETED, counts)
        assert done(stores[0]) == ({1}, 2 * DOCUMENTS, 2 * DOCUMENTS)


def test_processes_do_different_batches(database: Database) -> None:
    """Two commands that resume one run at the same time; both end well."""
    with SqlStore.open(database.url) as store:
        begun(store)
        with contextlib.ExitStack() as stack:
            workers = [stack.enter_context(child(migrates, database.url, 2, Kept.TOGETHER)) for _ in range(2)]
            assert [worker.end() for worker in workers] == [0, 0]
        run = store.run(ALL, "r1")
        assert run is not None
        assert (run.status, run.counts.documents) == (RunStatus.COMPLETED, DOCUMENTS)
        assert done(store) == ({1}, 2 * DOCUMENTS, 2 * DOCUMENTS)


def test_control_without_the_lock_a_batch_is_done_twice(postgresql: Server, monkeypatch: Any) -> None:
    """Two that read the log before either writes it; on PostgreSQL, since SQLite has one writer at a time anyway."""
    both, find = threading.Barrier(2), runs_of_stores._next_documents

    def find_together(*given: Any) -> Any:
        found = find(*given)
        with contextlib.suppress(threading.BrokenBarrierError):
            both.wait(PATIENCE)
        return found

    database = PostgresqlDatabase(postgresql, postgresql.new_schema())
    with contextlib.ExitStack() as stack:
        stores = [stack.enter_context(SqlStore.open(database.url)) for _ in range(2)]
        begun(stores[0], 4)
        monkeypatch.setattr(runs_of_stores, "_locked_run", runs_of_stores.read_run)
        monkeypatch.setattr(runs_of_stores, "_next_documents", find_together)
        at_once([partial(store.migrate_batch, ALL, "r1", 10) for store in stores])
        assert done(stores[0]) == ({2}, 8, 16)
