"""A unit of work happens as a whole or not at all, and is there when the database is opened again (IDM-7, PRE-4).

Each test of safety has its control: with the protection taken out, the same test fails.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import psycopg
import pytest
from attrs import evolve

from regen_core.access import Scope
from regen_core.adapters.sql import SqlStore
from regen_core.adapters.sql.faults import DatabaseBusy, PassingConflict
from regen_core.adapters.sql.keys import CLEAN_UP_EVERY
from regen_core.adapters.sql.pipelined import PipelinedUnit
from regen_core.adapters.sql.reading import StoredRows
from regen_core.adapters.sql.unit import UnitOfWork
from regen_core.adapters.sql.writing import write_regeneration
from regen_core.documents import BillingDocument, DocumentType
from regen_core.idempotency import Replay
from regen_core.ports import Answer, IdempotentCall, Store
from regen_core.refusals import ConcurrentModification, IdempotencyKeyInProgress
from regen_core.regeneration import Regeneration, decide
from regen_core.request import RegenerateRequest
from tests.conformance.databases import Database, dump

ALL = Scope(tenant="t1", entity="e1", orgs=None)
VERBS = ("one", "all", "ask", "write", "put", "write_many")
KINDS = (UnitOfWork, PipelinedUnit)


class Cut(Exception):  # noqa: N818  # a test's own
    """The power goes, as far as the unit of work can tell."""


@contextmanager
def cut_before(number: int, *, committing: bool = False) -> Iterator[list[str]]:
    """Raise instead of running statement ``number`` of the units of work; ``committing`` commits after each one."""
    ran: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        for kind in KINDS:
            for verb in VERBS:
                patch.setattr(kind, verb, _cutting(vars(kind)[verb], ran, number, committing=committing))
        yield ran


def _cutting(run: Callable[..., Any], ran: list[str], number: int, *, committing: bool) -> Callable[..., Any]:
    def instead(unit: UnitOfWork, *given: Any) -> Any:
        if len(ran) == number:
            raise Cut
        ran.append(run.__name__)
        answer = run(unit, *given)
        if committing:
            unit._cursor.execute("COMMIT")
            unit._cursor.execute(unit._begin)
        return answer

    return instead


def request(**given: Any) -> RegenerateRequest:
    """A request for the invoice d1."""
    return RegenerateRequest(type=DocumentType.INVOICE, id="d1", **given)


Verb = Callable[[SqlStore], object]


def _call() -> IdempotentCall:
    return IdempotentCall(client="c1", key="k1", answer=lambda _: Answer(200, b"done"))


def verbs(invoice: Callable[..., BillingDocument]) -> dict[str, Verb]:
    """Every verb that writes, on a store with a regenerated document that was loaded again."""
    other = invoice("INV-2", id="d2", items=(("i7", "1"), ("i8", "2")))
    changed = invoice("INV-3", items=(("i2", "9.00"), ("i5", "1.00")))
    return {
        "load": lambda store: store.load(changed),
        "load_all": lambda store: store.load_all([changed, other]),
        "generate": lambda store: store.regenerate(ALL, request()),
        "remigrate": lambda store: store.regenerate(ALL, request(re_migrate=True)),
        "resend": lambda store: store.regenerate(ALL, request(only_re_send=True)),
        "once": lambda store: store.regenerate(ALL, request(re_migrate=True), idempotent=_call()),
        "acknowledge": lambda store: store.acknowledge(ALL, store.pending(ALL, 10)),
        "collect": lambda store: store.collect([entry.delivery for entry in store.pending(ALL, 10)]),
        "deliver": lambda store: store.deliver_to_ledger(ALL, 10),
    }


NAMES = ("load", "load_all", "generate", "remigrate", "resend", "once", "acknowledge", "collect", "deliver")


def prepare(store: SqlStore, invoice: Callable[..., BillingDocument]) -> None:
    """A document with transactions of two versions and deliveries that wait."""
    store.load(invoice())
    store.regenerate(ALL, request())
    store.load(invoice(items=(("i1", "11.00"), ("i3", "4.00"))))


def trial(sql: SqlStore, database: Database, verb: Verb, *, committing: bool) -> tuple[int, int]:
    """Cut the verb before each of its statements; how many cuts there were and after how many something had changed.

    Where units of work commit in between, one trace is enough, and what it left would spoil the next cut.
    """
    before, left = dump(database), 0
    for number in range(1000):
        with cut_before(number, committing=committing) as ran:
            try:
                verb(sql)
            except Cut:
                pass
            else:
                assert len(ran) == number, "the verb ran to its end"
                return number, left
        left += dump(database) != before
        if committing and left:
            return number, left
    raise AssertionError("a verb of a thousand statements")


class TestAtomicity:
    """IDM-7, PRE-4, DOC-4: an exception between any two statements leaves nothing."""

    @pytest.mark.parametrize("name", NAMES)
    def test_a_cut_anywhere_leaves_nothing(
        self, sql: SqlStore, database: Database, invoice: Callable[..., BillingDocument], name: str
    ) -> None:
        """And without a cut it does what it should."""
        prepare(sql, invoice)
        before = dump(database)
        cuts, left = trial(sql, database, verbs(invoice)[name], committing=False)
        assert cuts >= 2
        assert left == 0
        assert dump(database) != before

    @pytest.mark.parametrize("name", NAMES)
    def test_control_commits_in_between_are_noticed(
        self, sql: SqlStore, database: Database, invoice: Callable[..., BillingDocument], name: str
    ) -> None:
        """The control: with a commit after each statement something is left behind."""
        prepare(sql, invoice)
        _, left = trial(sql, database, _twice(verbs(invoice)[name]), committing=True)
        assert left > 0


def _twice(verb: Verb) -> Verb:
    """The verb and something after it, so that even a verb with one writing statement can be cut after it."""

    def both(store: SqlStore) -> None:
        verb(store)
        store.invoice_currency(ALL, "d1")

    return both


def _orphan(sql: SqlStore) -> None:
    """Write a transaction without a document, in a way that is noticed by the commit only."""
    with sql._writing() as reader:
        if not reader.unit.locks_rows:
            reader.unit._cursor.execute("PRAGMA defer_foreign_keys = ON")
        reader.unit._cursor.execute("DELETE FROM documents")
        row = ("t", "e", "Invoice", "d", "i", 0, 0, "x", "INV", 0, 1, "active", None, None, None, None, 1)
        reader.unit.write_many(reader.statements.put_transaction, [row])


def _lose_connection(sql: SqlStore) -> None:
    """Write, and then lose the connection under the unit of work."""
    with sql._writing() as reader:
        reader.unit._cursor.execute("DELETE FROM documents")
        driver = reader.unit._held[0].driver_connection
        assert isinstance(driver, (sqlite3.Connection, psycopg.Connection))
        driver.close()
        raise Cut


class TestFailing:
    """IDM-7: what fails at the very end leaves nothing either, and the store goes on."""

    def test_a_failing_commit_leaves_nothing(
        self, sql: SqlStore, database: Database, invoice: Callable[..., BillingDocument]
    ) -> None:
        """The commit itself may be what fails; the connection is of use afterwards."""
        sql.load(invoice())
        before = dump(database)
        with pytest.raises((sqlite3.IntegrityError, psycopg.IntegrityError)):
            _orphan(sql)
        assert dump(database) == before
        assert isinstance(sql.regenerate(ALL, request()), Regeneration)

    def test_a_lost_connection_is_not_used_again(
        self, sql: SqlStore, database: Database, invoice: Callable[..., BillingDocument]
    ) -> None:
        """It can't even be rolled back; the next unit of work gets a new one."""
        sql.load(invoice())
        before = dump(database)
        with pytest.raises(Cut):
            _lose_connection(sql)
        assert dump(database) == before
        assert isinstance(sql.regenerate(ALL, request()), Regeneration)

    def test_a_document_that_moved_while_it_was_decided_on(
        self, sql: SqlStore, database: Database, invoice: Callable[..., BillingDocument]
    ) -> None:
        """Where a database lets it move, the compare-and-swap finds it before anything is written."""
        sql.load(invoice())
        before = dump(database)
        with contextlib.suppress(PassingConflict), sql._writing() as reader:
            rows = reader.find(ALL, request())
            assert isinstance(rows, StoredRows)
            done = decide(rows.stored.document, rows.stored.transactions, request())
            assert isinstance(done, Regeneration)
            moved = evolve(rows, version=rows.version - 1)
            refused = write_regeneration(reader, moved, done, "2026-01-31T00:00:00+00:00")
            assert isinstance(refused, ConcurrentModification) or reader.unit.locks_rows
        assert dump(database) == before


class TestDurability:
    """What was done is there for another process."""

    def test_a_reopened_file_holds_the_same(
        self,
        sql: SqlStore,
        database: Database,
        invoice: Callable[..., BillingDocument],
        everything: Callable[[Store], str],
    ) -> None:
        """After closing, and beside a store that is still open."""
        for verb in verbs(invoice).values():
            prepare(sql, invoice)
            verb(sql)
        shown = everything(sql)
        with SqlStore.open(database.url) as beside:
            assert everything(beside) == shown
        sql.close()
        with SqlStore.open(database.url) as again:
            assert everything(again) == shown

    def test_a_plan_takes_no_write_lock(
        self, sql: SqlStore, database: Database, invoice: Callable[..., BillingDocument]
    ) -> None:
        """Reading goes on while another process holds the write lock, and it opens the store, too."""
        sql.load(invoice())
        with database.locked(), SqlStore.open(database.url, busy_timeout=0.01) as beside:
            assert isinstance(beside.plan(ALL, request()), Regeneration)
            assert beside.documents(ALL).rows
            with pytest.raises(DatabaseBusy):
                beside.regenerate(ALL, request())


def _all_at_once(calls: Sequence[Callable[[], object]]) -> list[object]:
    """Run each call in a thread of its own, all let loose together."""
    barrier = threading.Barrier(len(calls))
    answers: list[object] = []

    def run(call: Callable[[], object]) -> None:
        barrier.wait()
        answers.append(call())

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


class TestRaces:
    """IDM-3, REV-0: threads on one store, and stores on one file."""

    def test_one_of_many_equal_requests_executes(
        self, sql: SqlStore, clock: Any, database: Database, invoice: Callable[..., BillingDocument]
    ) -> None:
        """IDM-3: the others hear that it runs, or get its answer."""
        sql.load(invoice())
        with SqlStore.open(database.url, clock=clock) as beside:
            calls = [partial(store.regenerate, ALL, request(), idempotent=_call()) for store in [sql, beside] * 4]
            answers = _all_at_once(calls)
        executed = [answer for answer in answers if isinstance(answer, Regeneration)]
        others = [answer for answer in answers if isinstance(answer, (Replay, IdempotencyKeyInProgress))]
        assert (len(executed), len(others)) == (1, 7)
        assert len(sql.pending(ALL, 100)) == 2

    def test_no_delivery_is_lost_or_doubled(
        self, sql: SqlStore, database: Database, invoice: Callable[..., BillingDocument]
    ) -> None:
        """REV-0: each of many simultaneous requests counts on from the one before."""
        sql.load(invoice())
        with SqlStore.open(database.url) as beside:
            _all_at_once([partial(store.regenerate, ALL, request()) for store in [sql, beside] * 4])
        ids = [entry.delivery.id for entry in sql.pending(ALL, 100)]
        assert (len(ids), len(set(ids))) == (16, 16)
        assert [line.deliveries for line in sql.transactions(ALL).rows] == [8, 8]

    def test_one_of_many_compare_and_swaps_wins(self, sql: SqlStore, invoice: Callable[..., BillingDocument]) -> None:
        """ConcurrentModification for all but one."""
        sql.load(invoice())
        answers = _all_at_once([partial(sql.regenerate, ALL, request(), expected=1)] * 6)
        assert sum(isinstance(answer, Regeneration) for answer in answers) == 1


def test_keys_that_have_expired_are_removed_a_few_at_a_time(
    sql: SqlStore, database: Database, clock: Any, invoice: Callable[..., BillingDocument]
) -> None:
    """IDM-2: no key is removed while it lives, none stays for good, and no request pays for many, or for a tenant's."""

    def save(first: int, count: int, scope: Scope = ALL) -> int:
        for number in range(first, first + count):
            call = IdempotentCall(client="c1", key=f"k{number}", answer=lambda _: Answer(200, b"done"))
            assert isinstance(sql.regenerate(scope, request(), idempotent=call), Regeneration)
        return kept(scope)

    def kept(scope: Scope) -> int:
        return sum(row["tenant"] == scope.tenant for row in database.rows("idempotency")[0])

    mine, other = invoice(), Scope(tenant="t2", entity="e1", orgs=None)
    theirs = evolve(mine, header=evolve(mine.header, key=evolve(mine.key, tenant="t2")))
    sql.load_all([mine, theirs])
    assert save(0, 80, other) == 80
    clock.move(microseconds=1)  # theirs are older
    assert save(0, 100) == 100
    clock.move(hours=24)
    assert save(100, CLEAN_UP_EVERY) == 100 + CLEAN_UP_EVERY
    clock.move(microseconds=1)
    assert save(200, CLEAN_UP_EVERY) == 100 + 2 * CLEAN_UP_EVERY - 64
    assert save(300, CLEAN_UP_EVERY) == 3 * CLEAN_UP_EVERY
    assert kept(other) == 80
