"""RCN on every store: a period from one moment, one notion of org for both sides, and nothing left out.

The answer is compared with the core's over all that a store lists, page by page, while nobody writes. With somebody who
writes between pages that way shows variances that never were, which is the control.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve

from regen_core.access import Scope
from regen_core.adapters.cli.paging import paged
from regen_core.adapters.memory import MemoryStore
from regen_core.adapters.memory_sides import compared
from regen_core.adapters.sql import SqlStore, reconciling
from regen_core.adapters.sql.pipelined import PipelinedUnit
from regen_core.adapters.sql.unit import UnitOfWork
from regen_core.documents import BillingDocument, DocumentKey, DocumentType
from regen_core.ports import Selection, Store
from regen_core.reconciliation import Period, Reconciliation, foresee, reconcile
from regen_core.request import RegenerateRequest
from regen_core.revenue import Delivery
from regen_core.transactions import transaction_id
from regen_core.variance_rules import Remedy, Transit, VarianceKind

Invoice = Callable[..., BillingDocument]
Step = Callable[[], None]

ALL = Scope(tenant="t1", entity="e1", orgs=None)
NORTH, SOUTH = (evolve(ALL, orgs=frozenset({org})) for org in ("north", "south"))
JANUARY = Period(date(2026, 1, 1), date(2026, 1, 31))
FEBRUARY = Period(date(2026, 2, 1), date(2026, 2, 28))
EVER = Period(date.min, date.max)


def asked(name: str, **given: Any) -> RegenerateRequest:
    """A request that overrides what is stored, unless told otherwise."""
    return RegenerateRequest(type=DocumentType.INVOICE, id=name, **{"re_migrate": True, **given})


def generated(store: Store, *documents: BillingDocument) -> None:
    """Load documents and regenerate them."""
    store.load_all(documents)
    store.regenerate_all(ALL, [asked(document.id) for document in documents])


def delivered(store: Store) -> None:
    """Let Revenue collect all that waits."""
    while store.pending(ALL, 1):
        store.deliver_to_ledger(ALL, 100)


def over_everything(
    store: Store, period: Period, scope: Scope = ALL, kind: DocumentType | None = None, meanwhile: Step | None = None
) -> Reconciliation:
    """The core's answer over all rows, one page after the other; between two pages something may happen."""

    def fetched(listing: Callable[..., Any]) -> Callable[..., Any]:
        def fetch(*, limit: int, after: str | None, **wanted: Any) -> Any:
            if meanwhile is not None:
                meanwhile()
            return listing(scope, Selection(type=kind), limit=1 if meanwhile else limit, after=after, **wanted)

        return fetch

    outcome = reconcile(period, paged(fetched(store.transactions)), paged(fetched(store.revenue)))
    waiting = paged(fetched(store.deliveries), acknowledged=False)
    return foresee(outcome, (entry.delivery for entry in waiting))


def named(outcome: Reconciliation) -> list[tuple[str, str, VarianceKind]]:
    return [(each.transaction.header.key.id, each.transaction.item.id, each.kind) for each in outcome.variances]


class TestOrgs:
    """ACC-5: whose a line is, the document says as it is today, on both sides."""

    @pytest.fixture(autouse=True)
    def _moved(self, store: Store, invoice: Invoice) -> None:
        """What was collected as the north's is the south's now."""
        generated(store, invoice(org="north"))
        delivered(store)
        store.load(invoice(org="south"))

    def test_a_document_that_moved_agrees_where_it_is(self, store: Store) -> None:
        outcome = store.reconcile(SOUTH, JANUARY)
        assert outcome.agrees
        assert [(each.billing.count, each.revenue.count) for each in outcome.totals] == [(2, 2)]

    def test_nothing_of_it_is_seen_where_it_was(self, store: Store) -> None:
        outcome = store.reconcile(NORTH, JANUARY)
        assert (outcome.agrees, outcome.totals) == (True, ())
        assert store.revenue(NORTH).rows == ()

    def test_listings_go_by_the_same_org(self, store: Store) -> None:
        for scope in (ALL, NORTH, SOUTH):
            listed = {len(each(scope).rows) for each in (store.transactions, store.revenue, store.deliveries)}
            assert listed == {0 if scope is NORTH else 2}

    def test_what_billing_does_not_know_goes_by_the_org_that_was_sent(self, store: Store) -> None:
        entry = store.deliveries(ALL).rows[0].delivery
        key = DocumentKey(tenant="t1", entity="e1", type=DocumentType.INVOICE, id="gone")
        header = evolve(entry.transaction.header, key=key, org="north")
        line = evolve(entry.transaction, id=transaction_id(key, "i1"), header=header)
        store.collect([Delivery(line, 1, entry.flag, entry.action)])
        assert named(store.reconcile(NORTH, JANUARY)) == [("gone", "i1", VarianceKind.UNKNOWN)]
        assert store.reconcile(SOUTH, JANUARY).agrees
        assert [held.transaction.header.key.id for held in store.revenue(NORTH).rows] == ["gone"]

    def test_another_entity_has_nothing(self, store: Store) -> None:
        for elsewhere in (evolve(ALL, entity="e2"), evolve(ALL, tenant="t2")):
            assert store.reconcile(elsewhere, EVER).totals == ()


class TestPeriods:
    """RCN-4: a line counts by the date of the side that has it, so either date brings both sides in."""

    def test_a_moved_date_shows_in_both_periods(self, store: Store, invoice: Invoice) -> None:
        generated(store, invoice())
        delivered(store)
        generated(store, invoice(date=date(2026, 2, 3)))
        for period in (JANUARY, FEBRUARY):
            outcome = store.reconcile(ALL, period)
            assert outcome == over_everything(store, period)
            assert {each.kind for each in outcome.variances} == {VarianceKind.STALE}
            assert {each.held is not None and each.stored is not None for each in outcome.variances} == {True}
        assert store.reconcile(ALL, Period(date(2026, 3, 1), date(2026, 3, 31))).totals == ()

    def test_a_date_that_is_loaded_and_not_regenerated_counts_for_nothing(self, store: Store, invoice: Invoice) -> None:
        """Stored transactions stay as they are (DOC-1)."""
        generated(store, invoice())
        delivered(store)
        store.load(invoice(date=date(2026, 2, 3)))
        assert store.reconcile(ALL, FEBRUARY).totals == ()
        assert [each.billing.count for each in store.reconcile(ALL, JANUARY).totals] == [2]

    @pytest.mark.parametrize("day", [date(2026, 1, 1), date(2026, 1, 31)])
    def test_both_days_belong_to_it(self, store: Store, invoice: Invoice, day: date) -> None:
        generated(store, invoice(date=day))
        assert len(store.reconcile(ALL, JANUARY).variances) == 2
        assert store.reconcile(ALL, FEBRUARY).agrees

    def test_one_type_or_all(self, store: Store, invoice: Invoice) -> None:
        generated(store, invoice())
        assert store.reconcile(ALL, JANUARY, DocumentType.CREDIT_MEMO).totals == ()
        assert store.reconcile(ALL, JANUARY, DocumentType.INVOICE) == store.reconcile(ALL, JANUARY)


def many(invoice: Invoice, count: int, amount: str = "1.00", **given: Any) -> list[BillingDocument]:
    """So many invoices of one item."""
    numbers = range(count)
    return [invoice(f"N-{n}", id=f"d{n:04}", items=((f"i{n:04}", amount),), **given) for n in numbers]


class TestSize:
    """More than is held at a time: the parts are the whole."""

    COUNT = 2 * 64 + 3

    def test_all_documents_are_compared(self, store: Store, invoice: Invoice) -> None:
        generated(store, *many(invoice, self.COUNT))
        outcome = store.reconcile(ALL, JANUARY)
        assert outcome == over_everything(store, JANUARY)
        assert (len(outcome.variances), outcome.totals[0].billing.count) == (self.COUNT, self.COUNT)
        assert {each.transit for each in outcome.variances} == {Transit.ON_ITS_WAY}
        delivered(store)
        assert store.reconcile(ALL, JANUARY).agrees
        assert store.reconcile(ALL, FEBRUARY).totals == ()

    def test_a_side_that_is_empty_is_no_end(self, store: Store, invoice: Invoice) -> None:
        """Revenue holds what Billing never knew, and then documents of a later key that agree."""
        last = invoice("N-z", id="z", items=(("iz", "1.00"),))
        generated(store, last)
        delivered(store)
        (entry,) = store.deliveries(ALL).rows
        unknown = []
        for n in range(self.COUNT):
            key = DocumentKey(tenant="t1", entity="e1", type=DocumentType.INVOICE, id=f"d{n:04}")
            header = evolve(entry.delivery.transaction.header, key=key)
            unknown.append(evolve(entry.delivery.transaction, id=transaction_id(key, "iz"), header=header))
        store.collect([Delivery(each, 1, entry.delivery.flag, entry.delivery.action) for each in unknown])
        outcome = store.reconcile(ALL, JANUARY)
        assert outcome == over_everything(store, JANUARY)
        assert len(outcome.variances) == self.COUNT
        assert {each.remedy for each in outcome.variances} == {Remedy.CORRECT}


class TestMoment:
    """RCN-7: whatever is written meanwhile, the answer is one moment's."""

    WHOLE = Decimal(1000)

    @pytest.fixture
    def others(self, store: Store, invoice: Invoice) -> Step:
        """A writer whose every step moves an amount from the last document to the first, and tells Revenue."""
        steps = iter(range(1, 1000))

        def step() -> None:
            n = next(steps)
            first, *between, last = many(invoice, 6, "0.00")
            amounts = {first.id: Decimal(n), last.id: self.WHOLE - n}
            changed = [
                evolve(each, items=tuple(evolve(item, amount=amounts[each.id]) for item in each.items))
                for each in (first, last)
            ]
            generated(store, *changed, *(between if n == 1 else ()))
            delivered(store)

        step()
        return step

    @staticmethod
    def between_statements(monkeypatch: pytest.MonkeyPatch, step: Step) -> Iterator[int]:
        """Let a step happen before each question of a unit that isn't the step's own; what it yields counts them."""
        monkeypatch.setattr(reconciling, "_TOGETHER", 1)
        is_within, count = False, 0

        def interrupting(method: Any) -> Any:
            def interrupted(*given: Any) -> Any:
                nonlocal is_within, count
                if not is_within:
                    is_within = True
                    step()
                    count, is_within = count + 1, False
                return method(*given)

            return interrupted

        for kind in (UnitOfWork, PipelinedUnit):
            for name in ("ask", "all"):
                monkeypatch.setattr(kind, name, interrupting(getattr(kind, name)))
        while True:
            yield count

    def is_of_one_moment(self, outcome: Reconciliation) -> bool:
        return outcome.agrees and [each.billing.amount for each in outcome.totals] == [self.WHOLE]

    def test_nobody_sees_half_of_it(
        self, store: Store, others: Step, everything: Callable[[Store], str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if isinstance(store, MemoryStore):
            before = everything(store)

            def interrupted(*given: Any) -> Any:
                others()
                return compared(*given)

            monkeypatch.setattr("regen_core.adapters.memory.compared", interrupted)
            assert self.is_of_one_moment(store.reconcile(ALL, JANUARY))
            assert everything(store) != before
            return
        count = self.between_statements(monkeypatch, others)
        assert next(count) == 0
        assert self.is_of_one_moment(store.reconcile(ALL, JANUARY))
        assert next(count) > 6

    def test_control_page_by_page_shows_what_never_was(self, store: Store, others: Step) -> None:
        assert self.is_of_one_moment(over_everything(store, JANUARY))
        outcome = over_everything(store, JANUARY, meanwhile=others)
        assert not outcome.agrees
        assert self.is_of_one_moment(over_everything(store, JANUARY))

    @pytest.mark.parametrize("store", ["postgresql"], indirect=True)
    def test_control_without_a_moment_for_all_statements(
        self, store: SqlStore, others: Step, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Where each statement sees a moment of its own, the totals are nobody's. SQLite can't be made to do that: as
        long as one answer is being read, its connection stays at one moment."""
        backend = store._connections.backend
        each_its_own = evolve(backend, reading=backend.reading.replace("REPEATABLE READ", "READ COMMITTED"))
        monkeypatch.setattr(store._units, "_connections", evolve(store._connections, backend=each_its_own))
        next(self.between_statements(monkeypatch, others))
        assert not self.is_of_one_moment(store.reconcile(ALL, JANUARY))
