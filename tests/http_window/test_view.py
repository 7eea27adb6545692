"""What the page marks as drift: what the rules say has drifted, all of it, and nothing else."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from regen_core.access import Scope
from regen_core.adapters.http.window.reading import Looked, documents_shown, parts_of
from regen_core.adapters.http.window.tampering import altered
from regen_core.adapters.http.window.view import Concern, DocumentView, totals_of, view_of
from regen_core.adapters.http.window.view_json import document_view_json, totals_json
from regen_core.adapters.memory import MemoryStore
from regen_core.attempts import Parked
from regen_core.documents import (
    BillingDocument,
    BillingItem,
    DocumentHeader,
    DocumentKey,
    DocumentType,
    ItemSource,
    ProcessingType,
)
from regen_core.ports import DocumentLoaded, Settlement
from regen_core.reconciliation import Period, foresee, reconcile
from regen_core.regeneration import Regeneration
from regen_core.request import RegenerateRequest
from regen_core.revenue import RevenueLedger
from regen_core.testing.strategies import documents
from regen_core.variance_rules import Transit, VarianceKind

KEY = DocumentKey(tenant="t", entity="e", type=DocumentType.INVOICE, id="8ad08d29")
ALL = Scope(tenant="t", entity="e", orgs=None)


def item(name: str, amount: str = "10.00", **facts: object) -> BillingItem:
    """A subscription item."""
    return BillingItem(id=name, amount=Decimal(amount), **{"source": ItemSource.SUBSCRIPTION, **facts})  # type: ignore[arg-type]


def invoice(*items: BillingItem, status: str = "Posted") -> BillingDocument:
    """The one invoice of these tests."""
    header = DocumentHeader(key=KEY, number="INV-1", status=status, date=date(2026, 1, 31), currency="EUR")
    return BillingDocument(header, items)


def run(store: MemoryStore, *, re_migrate: bool = False) -> None:
    """Regenerate it."""
    request = RegenerateRequest(type=KEY.type, id=KEY.id, re_migrate=re_migrate)
    assert isinstance(store.regenerate(ALL, request), Regeneration)


def seen(store: MemoryStore, scope: Scope = ALL, key: DocumentKey = KEY) -> DocumentView:
    """The document as it is shown."""
    parts = parts_of(store, scope, key)
    assert parts is not None
    return view_of(parts)


def marks(store: MemoryStore) -> dict[str, list[str]]:
    """The names of the marks by item, with how much they matter."""
    return {line.item_id: [f"{each.concern.value}: {each.name}" for each in line.marks] for line in seen(store).lines}


class TestEachKindOfDrift:
    """Named with the words of the rules, on the line that it is on."""

    def stored(self, *items: BillingItem) -> MemoryStore:
        """Generated and delivered: nothing has drifted."""
        store = MemoryStore()
        store.load(invoice(*items))
        run(store)
        store.deliver_to_ledger(ALL, 100)
        assert set(map(tuple, marks(store).values())) == {()}, "the control: this is what no drift looks like"
        return store

    def test_an_item_without_a_transaction(self) -> None:
        """TBL-W6 would generate it."""
        store = self.stored(item("i1"))
        store.load(invoice(item("i1"), item("i2")))
        assert marks(store) == {"i1": [], "i2": ["drift: no transaction"]}
        assert seen(store).lines[1].marks[0].rule_ids == ("TBL-W6",)
        assert seen(store).drifted == 1

    def test_content_that_would_be_generated_differently_today(self) -> None:
        """TBL-W7 would override it; what differs is told."""
        store = self.stored(item("i1"))
        store.load(invoice(item("i1", "12.00")))
        [line] = seen(store).lines
        assert [(each.name, each.rule_ids) for each in line.marks] == [("content drifted", ("TBL-W7",))]
        assert [(each.path, each.before, each.after) for each in line.marks[0].changes] == [
            ("item.amount", Decimal("10.00"), Decimal("12.00"))
        ]

    def test_an_item_that_is_gone(self) -> None:
        """TBL-W9 would void it, and once it is voided there is nothing more to do (TBL-W10)."""
        store = self.stored(item("i1"), item("i2"))
        store.load(invoice(item("i1")))
        assert marks(store) == {"i1": [], "i2": ["drift: item gone"]}
        run(store, re_migrate=True)
        store.deliver_to_ledger(ALL, 100)
        assert marks(store) == {"i1": [], "i2": []}

    def test_a_voided_transaction_whose_item_is_back(self) -> None:
        """TBL-W8 would revive it."""
        store = self.stored(item("i1"), item("i2"))
        store.load(invoice(item("i1")))
        run(store, re_migrate=True)
        store.deliver_to_ledger(ALL, 100)
        store.load(invoice(item("i1"), item("i2")))
        assert marks(store) == {"i1": [], "i2": ["drift: content drifted"]}

    def test_an_item_that_became_a_tax_line(self) -> None:
        """Its transaction is treated as if the item were gone (TAX-1)."""
        store = self.stored(item("i1"), item("i2"))
        store.load(invoice(item("i1"), item("i2", processing_type=ProcessingType.TAX)))
        assert marks(store) == {"i1": [], "i2": ["drift: item gone"]}
        assert seen(store).lines[1].is_tax

    def test_what_revenue_lost_altered_or_holds_from_before(self) -> None:
        """Missing and stale (RCN-3), altered (RCN-5)."""
        store = self.stored(item("i1"), item("i2"), item("i3"))
        backup, lost = store.ledger, store.revenue(ALL).rows[0]
        store.ledger = RevenueLedger(backup.held.without(lost.transaction.id))
        store.collect([altered(store.revenue(ALL).rows[0])])
        assert marks(store) == {"i1": ["drift: missing in Revenue"], "i2": ["drift: altered in Revenue"], "i3": []}
        run(store, re_migrate=True)
        store.deliver_to_ledger(ALL, 100)
        assert set(map(tuple, marks(store).values())) == {()}, "reMigrate repairs it (CNV-3)"
        store.ledger = backup
        assert marks(store) == {name: ["drift: stale in Revenue"] for name in ("i1", "i2", "i3")}

    def test_what_waits_is_no_drift(self) -> None:
        """It settles itself with the delivery, and says so."""
        store = MemoryStore()
        store.load(invoice(item("i1")))
        run(store)
        assert marks(store) == {"i1": ["waiting: missing in Revenue"]}
        assert seen(store).drifted == 0
        assert seen(store).lines[0].marks[0].told == Transit.ON_ITS_WAY.value

    def test_a_parked_delivery(self) -> None:
        """Nobody tries it any more, so it settles nothing by itself."""
        store = MemoryStore(clock=lambda: datetime(2026, 2, 1, tzinfo=UTC))
        store.load(invoice(item("i1")))
        run(store)
        [entry] = store.claim(ALL, 1, timedelta(seconds=30))
        store.settle(ALL, [Settlement(entry, Parked("refused by Revenue"))])
        assert "drift: delivery parked" in marks(store)["i1"]
        assert seen(store).drifted == 1

    def test_a_document_that_is_not_posted(self) -> None:
        """It may have no transactions, so none is missing (ELI-1)."""
        store = MemoryStore()
        store.load(invoice(item("i1"), status="Draft"))
        assert marks(store) == {"i1": []}

    def test_an_item_that_no_row_maps(self) -> None:
        """Told beside the rest, since reMigrate would be refused for it (MAP-U)."""
        store = MemoryStore()
        store.load(invoice(item("i1", source=None)))
        assert marks(store) == {"i1": ["drift: no transaction", "note: unmappable"]}

    def test_an_excluded_item(self) -> None:
        """It is stored, and Revenue holding nothing is right."""
        store = self.stored(item("i1"), item("i2", excluded_from_revenue=True))
        assert marks(store) == {"i1": [], "i2": []}


class TestAgainstTheLaws:
    """Whatever was loaded before and after, whatever Revenue did."""

    @given(before=documents(key=KEY, mappable=None), after=documents(key=KEY, mappable=None), loses=st.booleans())
    def test_it_vanishes_by_remigrating_and_delivering(
        self, before: BillingDocument, after: BillingDocument, loses: bool
    ) -> None:
        """CNV-1 and CNV-3 as the page shows them: marks other than notes are gone."""
        store = MemoryStore()
        store.load(before)
        store.regenerate(ALL, RegenerateRequest(type=KEY.type, id=KEY.id))
        store.deliver_to_ledger(ALL, 100)
        if loses:
            store.ledger = RevenueLedger()
        assert isinstance(store.load(after), DocumentLoaded)
        done = store.regenerate(ALL, RegenerateRequest(type=KEY.type, id=KEY.id, re_migrate=True))
        store.deliver_to_ledger(ALL, 100)
        if isinstance(done, Regeneration):
            assert {mark.concern for line in seen(store).lines for mark in line.marks} <= {Concern.NOTE}

    @given(before=documents(key=KEY, mappable=None), after=documents(key=KEY, mappable=None), delivered=st.booleans())
    def test_every_line_is_shown_once_and_every_variance_marked(
        self, before: BillingDocument, after: BillingDocument, delivered: bool
    ) -> None:
        """Against a reconciliation of its own, and the union of items and transactions."""
        store = MemoryStore()
        store.load(before)
        store.regenerate(ALL, RegenerateRequest(type=KEY.type, id=KEY.id))
        if delivered:
            store.deliver_to_ledger(ALL, 100)
        store.load(after)
        view = seen(store)
        stored = store.transactions(ALL).rows
        shown = [line.item_id for line in view.lines]
        assert shown == list(dict.fromkeys([*[each.id for each in after.items], *shown]))
        assert set(shown) == {each.id for each in after.items} | {each.transaction.item.id for each in stored}
        waiting = [entry.delivery for entry in store.pending(ALL, 100)]
        outcome = foresee(reconcile(Period(date.min, date.max), stored, store.revenue(ALL).rows), waiting)
        variances = {each.transaction.item.id: each.kind.value for each in outcome.variances}
        names = {kind.value for kind in VarianceKind}
        marked = {line.item_id: mark.name for line in view.lines for mark in line.marks if mark.name in names}
        assert marked == variances
        assert document_view_json(view)["drifted"] == view.drifted


class TestWhatIsRead:
    """Bounded, and within scope."""

    def test_page_by_page_and_by_name(self) -> None:
        """Each document once, by type and id; a name is an id or a number."""
        store = MemoryStore()
        for at in range(5):
            header = DocumentHeader(
                key=evolve(KEY, id=f"d{at}"),
                number=f"INV-{at}",
                status="Posted",
                date=date(2026, 1, 31),
                currency="EUR",
            )
            store.load(BillingDocument(header, (item(f"i{at}"),)))
        first = documents_shown(store, ALL, Looked(limit=3))
        second = documents_shown(store, ALL, Looked(limit=3, after=first.next))
        ids = [each.stored.document.id for each in (*first.rows, *second.rows)]
        assert ids == ["d0", "d1", "d2", "d3", "d4"]
        assert second.next is None
        for name in ("d3", "INV-3"):
            [found] = documents_shown(store, ALL, Looked(name=name)).rows
            assert found.stored.document.id == "d3"
        assert not documents_shown(store, ALL, Looked(name="inv-3")).rows
        assert not documents_shown(store, ALL, Looked(name="d3", type=DocumentType.CREDIT_MEMO)).rows

    def test_what_is_out_of_scope_is_not_there(self) -> None:
        """Neither in a list nor by its name (ACC-4)."""
        store = MemoryStore()
        store.load(invoice(item("i1")))
        run(store)
        for other in (evolve(ALL, tenant="u"), evolve(ALL, entity="f")):
            assert not documents_shown(store, other, Looked()).rows
            assert not documents_shown(store, other, Looked(name=KEY.id)).rows
            assert parts_of(store, other, KEY) is None

    def test_the_balance_is_of_what_is_shown(self) -> None:
        """Both sides in full, with their sign for revenue."""
        store = MemoryStore()
        store.load(invoice(item("i1"), item("i2", "-2.50")))
        run(store)
        [told] = totals_json(totals_of(documents_shown(store, ALL, Looked()).rows))
        assert told == {
            "currency": "EUR",
            "billing": {"count": 2, "amount": "7.50"},
            "revenue": {"count": 0, "amount": "0"},
            "difference": {"count": 2, "amount": "7.50"},
        }
