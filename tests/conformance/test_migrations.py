"""MIG: on every store a run does to each document what a single request does, once, and its log says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import pytest
from attrs import evolve

from regen_core.access import Scope
from regen_core.adapters.memory import MemoryStore
from regen_core.adapters.sql import SqlStore
from regen_core.adapters.sql import runs as runs_of_stores
from regen_core.documents import BillingDocument, DocumentKey, DocumentType
from regen_core.migration import Reject, Run, RunCounts, RunStatus, accept, begin, fail, place_of, request_for, resume
from regen_core.ports import Page, Store
from regen_core.testing.edits import EDITS, SLOTS, edited, initial
from regen_core.transactions import Occasion
from tests.conformance.conftest import Clock
from tests.conformance.databases import Database, dump
from tests.crash.profiles import scaled

ALL = Scope(tenant="t1", entity="e1", orgs=None)
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
ANN = Occasion(NOW, "ann")

Invoices = Callable[..., BillingDocument]


def accepted(scope: Scope = ALL, name: str = "r1", **flags: Any) -> Run:
    """A run that was asked for."""
    run = accept(name, scope, ANN, **flags)
    assert isinstance(run, Run)
    return run


def begun(store: Store, scope: Scope = ALL, name: str = "r1", **flags: Any) -> Run:
    """A run in progress that has done nothing yet."""
    assert store.accept_run(accepted(scope, name, **flags))
    run = store.change_run(scope, name, lambda run: begin(run, NOW))
    assert run is not None
    return run


def carried_through(store: Store, run: Run, limit: int = 2) -> Run:
    """Batch by batch to the end."""
    while run.is_running:
        after = store.migrate_batch(run.scope, run.id, limit)
        assert after is not None
        run = after
    return run


def rows(page: Page[Any]) -> tuple[Any, ...]:
    assert page.next is None
    return page.rows


@pytest.fixture
def some(invoice: Invoices) -> list[BillingDocument]:
    """Invoices d1 to d5, of which the second is a draft, and a credit memo."""
    made = [invoice(f"INV-{n}", id=f"d{n}", items=((f"i{n}", "10.00"),)) for n in range(1, 6)]
    made[1] = evolve(made[1], header=evolve(made[1].header, status="Draft"))
    return [*made, initial(SLOTS[2])]


class TestARun:
    """MIG-1, MIG-6: what it does, and what its log says."""

    @pytest.mark.parametrize("limit", [1, 2, 3, 5, 6, 7, 1000])
    def test_it_does_what_single_requests_do(
        self, store: Store, some: list[BillingDocument], everything: Callable[[Store], str], clock: Clock, limit: int
    ) -> None:
        """In the order of types and ids, however it is parted into batches."""
        single = MemoryStore(clock)
        for each in (store, single):
            each.load_all(some)
        run = carried_through(store, begun(store, re_migrate=True), limit)
        for document in sorted(some, key=lambda document: place_of(document.key)):
            single.regenerate(ALL, request_for(run, document.key), ANN)
        assert everything(store) == everything(single)

    def test_its_log_says_what_became_of_the_documents(self, store: Store, some: list[BillingDocument]) -> None:
        """One refused document stops none of the others; which, and why, is listed."""
        store.load_all(some)
        run = carried_through(store, begun(store))
        counts = RunCounts(regenerated=5, transactions=6, deliveries=6, refused=(("DocumentNotPosted", 1),))
        assert (run.status, run.counts, run.fault) == (RunStatus.COMPLETED_WARNING, counts, None)
        assert (run.started_at, run.ended_at, run.accepted) == (NOW, NOW, ANN)
        assert run.cursor == some[4].key
        assert store.run(ALL, "r1") == run
        (reject,) = rows(store.rejects(ALL, "r1"))
        assert (reject.document, reject.number, reject.refusal) == (some[1].key, "INV-2", "DocumentNotPosted")
        assert reject.code == 50000030
        assert "Posted" in reject.message

    def test_it_stamps_its_acceptance_on_what_it_writes(
        self, store: Store, some: list[BillingDocument], clock: Clock
    ) -> None:
        """MIG-11: also after it was resumed, later and by somebody else."""
        store.load_all(some)
        begun(store)
        store.migrate_batch(ALL, "r1", 2)
        clock.move(days=1)
        run = store.change_run(ALL, "r1", lambda run: resume(run, clock.now))
        assert run is not None
        carried_through(store, run)
        stamps = {each.transaction.updated for each in rows(store.transactions(ALL, limit=1000))}
        assert stamps == {ANN}

    def test_it_sees_documents_of_its_type_only(self, store: Store, some: list[BillingDocument]) -> None:
        """Where it was accepted for one."""
        store.load_all(some)
        run = carried_through(store, begun(store, type=DocumentType.CREDIT_MEMO), 1)
        assert run.counts.documents == 1
        run = carried_through(store, begun(store, name="r2", type=DocumentType.INVOICE), 1)
        assert (run.counts.documents, run.cursor) == (5, some[4].key)

    def test_without_documents_it_completes_at_once(self, store: Store) -> None:
        """Nothing to do is a success."""
        run = begun(store)
        assert store.migrate_batch(ALL, "r1", 10) == evolve(run, status=RunStatus.COMPLETED, ended_at=NOW)

    def test_what_is_loaded_meanwhile_counts_from_the_cursor_on(self, store: Store, invoice: Invoices) -> None:
        """MIG-9: behind it a document is left to another run."""
        store.load(invoice("INV-5", id="d5", items=(("i5", "1"),)))
        store.load(invoice("INV-6", id="d6", items=(("i6", "1"),)))
        begun(store)
        store.migrate_batch(ALL, "r1", 1)
        store.load(invoice("INV-4", id="d4", items=(("i4", "1"),)))
        store.load(invoice("INV-7", id="d7", items=(("i7", "1"),)))
        run = store.migrate_batch(ALL, "r1", 10)
        assert run is not None
        assert (run.status, run.counts.documents) == (RunStatus.COMPLETED, 3)
        done = {each.transaction.header.key.id for each in rows(store.transactions(ALL))}
        assert done == {"d5", "d6", "d7"}

    @pytest.mark.parametrize("limit", [0, 1001])
    def test_a_batch_is_bounded(self, store: Store, limit: int) -> None:
        """It is held in memory, and its locks are held as long as it takes."""
        begun(store)
        with pytest.raises(ValueError, match="a batch has 1 to 1000 documents"):
            store.migrate_batch(ALL, "r1", limit)
        for listing in (lambda: store.runs(ALL, limit=limit), lambda: store.rejects(ALL, "r1", limit=limit)):
            with pytest.raises(ValueError, match="a page has 1 to 1000 rows"):
                listing()


class TestALog:
    """MIG-6, MIG-10: a log is kept as it is, and changed by the core's functions alone."""

    def test_an_id_is_given_once(self, store: Store) -> None:
        """A run isn't replaced by another one."""
        assert store.accept_run(accepted())
        assert not store.accept_run(accepted(re_migrate=True))
        assert store.run(ALL, "r1") == accepted()

    def test_every_field_comes_back(self, store: Store) -> None:
        """Whatever it holds, a cutover date included (MIG-2)."""
        key = DocumentKey(tenant="t1", entity="e1", type=DocumentType.DEBIT_MEMO, id="d'1 é")
        full = evolve(
            accepted(evolve(ALL, orgs=frozenset({"süd", 'no"rth'})), only_re_send=True, type=DocumentType.DEBIT_MEMO),
            cutover=date(2026, 1, 1),
            status=RunStatus.ERROR,
            started_at=NOW,
            ended_at=NOW + timedelta(microseconds=1),
            cursor=key,
            counts=RunCounts(regenerated=2**40, transactions=2**41, deliveries=3, refused=(("A", 1), ("B", 2))),
            fault="the disk is full; 'make' room",
        )
        for run in (accepted(), evolve(accepted(), id="r2", accepted=Occasion(NOW)), evolve(full, id="r3")):
            assert store.accept_run(run)
            assert store.run(ALL, run.id) == run
            changed = evolve(full, id=run.id, orgs=run.orgs, accepted=run.accepted, type=run.type)
            changed = evolve(changed, only_re_send=run.only_re_send, cutover=run.cutover)
            assert store.change_run(ALL, run.id, lambda _, to=changed: to) == changed  # type: ignore[misc]  # a default binds it
            assert store.run(ALL, run.id) == changed

    def test_a_run_that_is_not_in_progress_does_nothing(
        self, store: Store, some: list[BillingDocument], everything: Callable[[Store], str]
    ) -> None:
        """Accepted, failed or complete."""
        store.load_all(some)
        before, run = everything(store), accepted()
        store.accept_run(run)
        assert store.migrate_batch(ALL, "r1", 10) == run
        failed = store.change_run(ALL, "r1", lambda run: fail(run, "no disk", NOW))
        assert store.migrate_batch(ALL, "r1", 10) == failed
        assert everything(store) == before
        resumed = store.change_run(ALL, "r1", lambda run: resume(run, NOW))
        assert resumed is not None
        complete, after = carried_through(store, resumed), everything(store)
        assert store.migrate_batch(ALL, "r1", 10) == complete
        assert store.change_run(ALL, "r1", lambda run: resume(run, NOW)) == complete
        assert everything(store) == after

    def test_pages(self, store: Store, invoice: Invoices) -> None:
        """Runs by id, rejects by document; each is shown once."""
        for n in range(5):
            store.load(invoice(f"INV-{n}", id=f"d{n}", items=((f"i{n}", "1"),), status="Draft"))
        for n in (3, 1, 4, 2, 5):
            assert carried_through(store, begun(store, name=f"r{n}")).counts.rejects == 5
        assert [each.id for each in _paged(lambda after: store.runs(ALL, limit=2, after=after))] == [
            "r1",
            "r2",
            "r3",
            "r4",
            "r5",
        ]
        rejects: list[Reject] = list(_paged(lambda after: store.rejects(ALL, "r3", limit=2, after=after)))
        assert [each.document.id for each in rejects] == [f"d{n}" for n in range(5)]


def _paged(fetch: Callable[[str | None], Page[Any]]) -> Iterator[Any]:
    page = fetch(None)
    yield from page.rows
    while page.next is not None:
        page = fetch(page.next)
        yield from page.rows


NORTH = evolve(ALL, orgs=frozenset({"north"}))
SOUTH = evolve(ALL, orgs=frozenset({"south"}))


class TestScope:
    """MIG-12, ACC-4: nobody hears of another's run, and a run touches nobody else's documents."""

    @pytest.mark.parametrize(
        "foreign",
        [evolve(ALL, tenant="t2"), evolve(ALL, entity="e2"), SOUTH, evolve(ALL, orgs=frozenset())],
        ids=["tenant", "entity", "org", "no org"],
    )
    def test_a_foreign_run_is_as_one_that_does_not_exist(
        self, store: Store, some: list[BillingDocument], everything: Callable[[Store], str], foreign: Scope
    ) -> None:
        """In every verb; its id is free in another entity."""
        store.load_all(some)
        begun(store, NORTH)
        before = everything(store), store.run(NORTH, "r1")
        for verb in (
            store.run,
            lambda scope, name: store.change_run(scope, name, lambda run: fail(run, "foreign", NOW)),
            lambda scope, name: store.migrate_batch(scope, name, 10),
        ):
            assert verb(foreign, "r1") is None
            assert verb(foreign, "r0") is None
        carried_through(store, begun(store, NORTH, "r2"))
        assert store.rejects(foreign, "r2").rows == store.rejects(foreign, "r0").rows == ()
        assert store.runs(foreign).rows == ()
        assert store.run(NORTH, "r1") == before[1]
        assert (
            [each.id for each in rows(store.runs(NORTH))] == [each.id for each in rows(store.runs(ALL))] == ["r1", "r2"]
        )
        assert store.accept_run(accepted(foreign)) == ((foreign.tenant, foreign.entity) != ("t1", "e1"))

    def test_a_run_sees_documents_of_its_organisations_whoever_carries_it_out(
        self, store: Store, some: list[BillingDocument]
    ) -> None:
        """Those without one included."""
        orgs = (None, "north", "south", "north", None)
        headers = [evolve(each.header, org=org) for each, org in zip(some[:5], orgs, strict=True)]
        store.load_all([evolve(each, header=header) for each, header in zip(some[:5], headers, strict=True)])
        begun(store, NORTH)
        run = store.migrate_batch(ALL, "r1", 10)
        assert run is not None
        assert run.counts.documents == 4
        done = {each.transaction.header.key.id for each in rows(store.transactions(ALL))}
        assert done == {"d1", "d4", "d5"}

    def test_two_tenants_have_runs_of_one_name(self, store: Store, everything: Callable[[Store], str]) -> None:
        """And documents of one id: neither touches the other's."""
        store.load_all([initial(key) for key in SLOTS])
        other = evolve(ALL, tenant="t2")
        begun(store, other)
        mine = carried_through(store, begun(store))
        assert (mine.counts.documents, mine.counts.regenerated) == (5, 5)
        assert store.transactions(other).rows == ()
        theirs = store.run(other, "r1")
        assert theirs is not None
        assert theirs.counts == RunCounts()


class TestUnitsOfWork:
    """MIG-8: a batch is stored with its log, or not at all."""

    def test_a_batch_that_breaks_off_stores_nothing(
        self, sql: SqlStore, database: Database, some: list[BillingDocument], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Its transactions, deliveries and rejects are undone with it, and it is done once when it is asked again."""
        sql.load_all(some)
        begun(sql)
        before = dump(database)

        def breaks(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as broken:
            broken.setattr(runs_of_stores, "progress", breaks)
            with pytest.raises(KeyboardInterrupt):
                sql.migrate_batch(ALL, "r1", 10)
        assert dump(database) == before
        run = sql.migrate_batch(ALL, "r1", 10)
        assert run is not None
        assert run.counts.deliveries == len(rows(sql.deliveries(ALL))) == 6

    def test_a_change_that_breaks_off_stores_nothing(self, sql: SqlStore) -> None:
        """The core raises for what can't happen."""
        run = begun(sql)
        with pytest.raises(ValueError, match="can't begin"):
            sql.change_run(ALL, "r1", lambda run: begin(run, NOW))
        assert sql.run(ALL, "r1") == run

    def test_a_damaged_log_is_told(self, sql: SqlStore, database: Database) -> None:
        """As any damaged row."""
        begun(sql)
        database.run("UPDATE runs SET status = 'Sleeping'")
        with pytest.raises(Exception, match="holds rows that can't be read"):
            sql.run(ALL, "r1")


_FLAGS: tuple[dict[str, Any], ...] = ({}, {"re_migrate": True}, {"only_re_send": True})


@pytest.mark.parametrize("seed", range(scaled(quick=3, deep=40)))
def test_stores_agree_on_random_runs(seed: int, store: Store, everything: Callable[[Store], str]) -> None:
    """Documents that change between the batches of several runs, failures, resumptions: one answer on every store."""
    rng, reference = Random(seed), MemoryStore(lambda: NOW)  # noqa: S311  # documents to try
    now = {key: initial(key) for key in SLOTS}
    both = (store, reference)
    for each in both:
        each.load_all([*now.values()])
    for number in range(4):
        name, flags = f"r{number}", rng.choice(_FLAGS)
        for each in both:
            begun(each, name=name, **flags)
        while True:
            _change(rng, now, both)
            limit, fails = rng.randint(1, 4), rng.random() < 0.2
            after = [_step(each, name, limit, fails=fails) for each in both]
            assert after[0] == after[1]
            if not after[0].is_running:
                break
        assert store.rejects(ALL, name) == reference.rejects(ALL, name)
    assert everything(store) == everything(reference)


def _change(rng: Random, now: dict[DocumentKey, BillingDocument], both: tuple[Store, Store]) -> None:
    key = rng.choice(SLOTS)
    now[key] = edited(now[key], rng.choice(tuple(EDITS)), rng.randrange(8))
    outcomes = [each.load(now[key]) for each in both]
    assert outcomes[0] == outcomes[1]


def _step(store: Store, name: str, limit: int, *, fails: bool) -> Run:
    if fails:
        store.change_run(ALL, name, lambda run: fail(run, "no disk", NOW))
        store.change_run(ALL, name, lambda run: resume(run, NOW))
    run = store.migrate_batch(ALL, name, limit)
    assert run is not None
    return run
