"""The port's promises, one by one, on each store: what it answers, and that a refusal leaves everything as it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from regen_core.access import Scope
from regen_core.documents import BillingDocument, DocumentType
from regen_core.idempotency import Replay
from regen_core.ports import (
    Answer,
    CollectedDeliveries,
    DocumentLoaded,
    Found,
    IdempotentCall,
    LoadOutcome,
    Selection,
    Store,
)
from regen_core.refusals import (
    ConcurrentModification,
    ConflictingFlags,
    DocumentNotFound,
    DocumentNotPosted,
    DocumentReferenceMismatch,
    IdempotencyKeyReused,
    NothingToResend,
    Refusal,
)
from regen_core.regeneration import Regeneration
from regen_core.request import RegenerateRequest
from regen_core.store import ItemTaken, NumberTaken

Invoice = Callable[..., BillingDocument]
Everything = Callable[[Store], str]

ALL = Scope(tenant="t1", entity="e1", orgs=None)
INVOICE = DocumentType.INVOICE


def asked(**given: Any) -> RegenerateRequest:
    """A request for the invoice d1, or as given."""
    return RegenerateRequest(**{"type": INVOICE, "id": "d1", **given})


def version(store: Store, **given: Any) -> int:
    """The version of what a request names."""
    found = store.find(ALL, asked(**given))
    assert isinstance(found, Found)
    return found.version


def done(outcome: Regeneration | Refusal | Replay) -> Regeneration:
    """The regeneration that a call led to."""
    assert isinstance(outcome, Regeneration)
    return outcome


def loaded(outcome: LoadOutcome) -> DocumentLoaded:
    """The document that a call loaded."""
    assert isinstance(outcome, DocumentLoaded)
    return outcome


class TestLoading:
    """DOC-1 … DOC-4."""

    def test_a_document_is_new_then_equal_then_changed(self, store: Store, invoice: Invoice) -> None:
        """DOC-1."""
        assert loaded(store.load(invoice())).is_new
        again = loaded(store.load(invoice()))
        assert (again.is_new, again.changes) == (False, ())
        fixed = loaded(store.load(invoice(items=(("i1", "11.00"), ("i2", "20.50")))))
        assert [change.path for change in fixed.changes] == ["items[i1].amount"]

    def test_an_equal_document_moves_nothing(self, store: Store, invoice: Invoice) -> None:
        """DOC-1: the version stays, and so does the spelling of its amounts."""
        store.load(invoice())
        before = version(store)
        store.load(invoice(items=(("i1", "10.0"), ("i2", "20.500"))))
        assert version(store) == before
        assert [str(item.amount) for item in store.documents(ALL).rows[0].items] == ["10.00", "20.50"]

    def test_a_number_belongs_to_one_document(self, store: Store, invoice: Invoice, everything: Everything) -> None:
        """DOC-2, DOC-4."""
        store.load(invoice())
        before = everything(store)
        refused = store.load(invoice(id="d2", items=()))
        assert isinstance(refused, NumberTaken)
        assert (refused.number, refused.owner.id) == ("INV-1", "d1")
        assert everything(store) == before

    def test_an_item_belongs_to_one_document(self, store: Store, invoice: Invoice, everything: Everything) -> None:
        """DOC-3, DOC-4: nothing of the refused document is stored, not even the items that were free."""
        store.load(invoice())
        before = everything(store)
        refused = store.load(invoice("INV-2", id="d2", items=(("i0", "1"), ("i2", "1"))))
        assert isinstance(refused, ItemTaken)
        assert (refused.item_id, refused.owner.id) == ("i2", "d1")
        assert everything(store) == before
        assert loaded(store.load(invoice("INV-3", id="d3", items=(("i0", "1"),)))).is_new

    def test_a_refused_new_version_leaves_the_old_one(
        self, store: Store, invoice: Invoice, everything: Everything
    ) -> None:
        """DOC-4."""
        store.load_all([invoice(), invoice("INV-2", id="d2", items=(("i3", "1"),))])
        before = everything(store)
        assert isinstance(store.load(invoice("INV-2", id="d2", items=(("i1", "1"),))), ItemTaken)
        assert isinstance(store.load(invoice("INV-1", id="d2", items=())), NumberTaken)
        assert everything(store) == before

    def test_what_a_document_gives_up_is_free(self, store: Store, invoice: Invoice) -> None:
        """DOC-2, DOC-3: numbers and items go where the documents say."""
        store.load(invoice())
        store.load(invoice("INV-9", items=(("i1", "10.00"),)))
        assert loaded(store.load(invoice("INV-1", id="d2", items=(("i2", "1"),)))).is_new
        assert version(store, id="d2", number="INV-1") == 1

    def test_other_types_entities_and_tenants_have_their_own(self, store: Store, invoice: Invoice) -> None:
        """DOC-2, DOC-3: a name is one document's within tenant, entity and type."""
        store.load(invoice())
        assert loaded(store.load(invoice(type=DocumentType.DEBIT_MEMO))).is_new

    def test_a_bad_document_stops_no_other(self, store: Store, invoice: Invoice) -> None:
        """DOC-4: in a batch each is loaded as it would be alone, after those before it."""
        batch = [
            invoice(),
            invoice("INV-1", id="d2", items=()),
            invoice("INV-3", id="d3", items=(("i1", "1"),)),
            invoice("INV-4", id="d4", items=(("i4", "1"),)),
            invoice("INV-5"),
            invoice("INV-1", id="d6", items=()),
        ]
        kinds = [type(outcome).__name__ for outcome in store.load_all(iter(batch))]
        assert kinds == [
            "DocumentLoaded",
            "NumberTaken",
            "ItemTaken",
            "DocumentLoaded",
            "DocumentLoaded",
            "DocumentLoaded",
        ]

    def test_transactions_stay_when_their_document_is_loaded_again(self, store: Store, invoice: Invoice) -> None:
        """DOC-1."""
        store.load(invoice())
        store.regenerate(ALL, asked())
        before = store.transactions(ALL).rows
        store.load(invoice("INV-7", items=(("i2", "99.00"),)))
        assert store.transactions(ALL).rows == before


class TestFinding:
    """REQ-4, REQ-7, ACC-4."""

    @pytest.mark.parametrize(
        "given",
        [
            {"id": "D1"},
            {"id": "d1 "},
            {"id": None, "number": "inv-1"},
            {"id": None, "number": "INV-1 "},
            {"number": "INV-0"},
            {"id": "d0", "number": "INV-1"},
            {"type": DocumentType.CREDIT_MEMO},
        ],
    )
    def test_names_match_exactly_and_each_of_them(self, store: Store, invoice: Invoice, given: dict[str, Any]) -> None:
        """REQ-4, REQ-7."""
        store.load(invoice())
        assert isinstance(store.find(ALL, asked(**given)), DocumentNotFound)

    def test_spellings_of_one_character_are_two_names(self, store: Store, invoice: Invoice) -> None:
        """REQ-7: no Unicode normalisation."""
        store.load(invoice("Caf\u00e9"))
        assert isinstance(store.find(ALL, asked(id=None, number="Cafe\u0301")), DocumentNotFound)
        assert isinstance(store.find(ALL, asked(id=None, number="Caf\u00e9")), Found)

    def test_two_names_of_two_documents_are_told(self, store: Store, invoice: Invoice) -> None:
        """REQ-4."""
        store.load_all([invoice(), invoice("INV-2", id="d2", items=())])
        assert isinstance(store.find(ALL, asked(number="INV-2")), DocumentReferenceMismatch)

    @pytest.mark.parametrize(
        ("org", "orgs", "is_seen"),
        [
            (None, None, True),
            (None, frozenset(), True),
            ("north", None, True),
            ("north", frozenset({"north", "south"}), True),
            ("north", frozenset({"south"}), False),
            ("north", frozenset(), False),
        ],
    )
    def test_an_org_shows_its_own_and_what_has_none(
        self, store: Store, invoice: Invoice, org: str | None, orgs: frozenset[str] | None, is_seen: bool
    ) -> None:
        """ACC-4: in every look-up and every listing alike."""
        store.load(invoice(org=org))
        store.regenerate(ALL, asked())
        store.deliver_to_ledger(ALL, 100)
        scope = Scope(tenant="t1", entity="e1", orgs=orgs)
        assert isinstance(store.find(scope, asked()), Found) == is_seen
        assert isinstance(store.regenerate(scope, asked()), Regeneration) == is_seen
        assert (store.invoice_currency(scope, "d1") == "EUR") == is_seen
        for listing in (store.documents, store.transactions, store.deliveries, store.revenue):
            assert bool(listing(scope).rows) == is_seen

    @pytest.mark.parametrize("place", [{"tenant": "t2"}, {"entity": "e2"}])
    def test_another_tenant_or_entity_sees_nothing(self, store: Store, invoice: Invoice, place: dict[str, str]) -> None:
        """ACC-4."""
        store.load(invoice())
        store.regenerate(ALL, asked())
        scope = Scope(**{"tenant": "t1", "entity": "e1", "orgs": None, **place})  # type: ignore[arg-type]  # names and None
        assert isinstance(store.find(scope, asked()), DocumentNotFound)
        assert isinstance(store.regenerate(scope, asked()), DocumentNotFound)
        assert not store.documents(scope).rows
        assert not store.transactions(scope).rows
        assert not store.pending(scope, 10)
        assert store.acknowledge(scope, store.pending(ALL, 10)) == 0
        assert store.deliver_to_ledger(scope, 10) == CollectedDeliveries(0, 0)


class TestRegenerating:
    """PRE-1, PRE-4, REV-0, TBL-R and compare-and-swap."""

    def test_a_plan_is_what_happens_and_changes_nothing(
        self, store: Store, invoice: Invoice, everything: Everything
    ) -> None:
        """A dry run decides without keeping."""
        store.load(invoice())
        before = everything(store)
        planned = store.plan(ALL, asked())
        assert everything(store) == before
        assert store.regenerate(ALL, asked()) == planned

    def test_the_flags_are_refused_before_anything_is_looked_up(self, store: Store) -> None:
        """PRE-1: rank 9 comes before rank 15."""
        both = asked(only_re_send=True, re_migrate=True)
        assert isinstance(store.plan(ALL, both), ConflictingFlags)
        assert isinstance(store.regenerate(ALL, both), ConflictingFlags)
        assert isinstance(store.regenerate(ALL, asked()), DocumentNotFound)

    def test_refusals_change_nothing(self, store: Store, invoice: Invoice, everything: Everything) -> None:
        """PRE-4."""
        store.load_all([invoice(), invoice("INV-2", id="d2", status="Draft", items=(("i8", "1"),))])
        before = everything(store)
        assert isinstance(store.regenerate(ALL, asked(only_re_send=True)), NothingToResend)
        assert isinstance(store.regenerate(ALL, asked(id="d2")), DocumentNotPosted)
        assert isinstance(store.regenerate(ALL, asked(number="INV-2")), DocumentReferenceMismatch)
        assert everything(store) == before

    def test_counters_go_on_from_where_they_were(self, store: Store, invoice: Invoice) -> None:
        """REV-0: every operation that sends gets delivery ids of its own."""
        store.load(invoice())
        for flags in ({}, {"only_re_send": True}, {"re_migrate": True}):
            store.regenerate(ALL, asked(**flags))
        numbers = [entry.delivery.number for entry in store.pending(ALL, 100)]
        assert numbers == [1, 1, 2, 2, 3, 3]
        assert [line.deliveries for line in store.transactions(ALL).rows] == [3, 3]

    def test_lines_keep_their_stored_order(self, store: Store, invoice: Invoice) -> None:
        """Items in document order, then transactions without an item as they were stored."""
        store.load(invoice(items=(("a", "1"), ("b", "1"), ("c", "1"), ("d", "1"))))
        store.regenerate(ALL, asked())
        store.load(invoice(items=(("d", "1"), ("b", "1"))))
        store.regenerate(ALL, asked())
        found = store.find(ALL, asked())
        assert isinstance(found, Found)
        assert found.stored.transactions.item_ids == ("d", "b", "a", "c")

    def test_a_document_that_moved_is_told(self, store: Store, invoice: Invoice, everything: Everything) -> None:
        """ConcurrentModification: a load in between, or another regeneration."""
        store.load(invoice())
        read = version(store)
        store.load(invoice(items=(("i1", "12.00"),)))
        before = everything(store)
        assert isinstance(store.regenerate(ALL, asked(), expected=read), ConcurrentModification)
        assert everything(store) == before
        read = version(store)
        done(store.regenerate(ALL, asked(), expected=read))
        assert isinstance(store.regenerate(ALL, asked(), expected=read), ConcurrentModification)

    def test_a_version_never_comes_back(self, store: Store, invoice: Invoice) -> None:
        """A document that is changed and changed back has moved nevertheless."""
        store.load(invoice())
        read = version(store)
        store.load(invoice(items=()))
        store.load(invoice())
        assert isinstance(store.regenerate(ALL, asked(), expected=read), ConcurrentModification)

    def test_what_changes_nothing_moves_nothing(self, store: Store, invoice: Invoice) -> None:
        """A success with nothing to do leaves the version as it is."""
        store.load(invoice(items=()))
        read = version(store)
        assert done(store.regenerate(ALL, asked())).id_list == ()
        assert version(store) == read

    def test_an_earlier_refusal_wins_over_a_moved_document(self, store: Store, invoice: Invoice) -> None:
        """PRE-1: rank 20 is the last."""
        store.load(invoice())
        read = version(store)
        store.load(invoice(status="Draft"))
        assert isinstance(store.regenerate(ALL, asked(), expected=read), DocumentNotPosted)


class TestDelivering:
    """REV-0 … REV-4: the outbox and the built-in Revenue."""

    def test_a_delivery_keeps_what_it_said(self, store: Store, invoice: Invoice) -> None:
        """The content is that of the commit, whatever is loaded and written later."""
        store.load(invoice())
        sent = done(store.regenerate(ALL, asked())).deliveries
        store.load(invoice(items=(("i1", "99.00"),)))
        store.regenerate(ALL, asked(re_migrate=True))
        assert tuple(entry.delivery for entry in store.pending(ALL, 2)) == sent

    def test_the_outbox_is_read_in_commit_order_and_in_batches(self, store: Store, invoice: Invoice) -> None:
        """A relay takes the first that wait, and acknowledging twice is acknowledging once."""
        store.load_all([invoice(), invoice("INV-2", id="d0", items=(("i0", "1"),))])
        store.regenerate(ALL, asked())
        store.regenerate(ALL, asked(id="d0"))
        first = store.pending(ALL, 2)
        assert [entry.delivery.transaction.item.id for entry in first] == ["i1", "i2"]
        assert (store.acknowledge(ALL, first), store.acknowledge(ALL, first)) == (2, 0)
        rest = store.pending(ALL, 2)
        assert [entry.delivery.transaction.item.id for entry in rest] == ["i0"]
        assert store.deliveries(ALL, acknowledged=True).rows[0].acknowledged_at is not None
        assert len(store.deliveries(ALL).rows) == 3

    def test_delivering_to_the_ledger_empties_the_outbox(self, store: Store, invoice: Invoice) -> None:
        """Collected and acknowledged at once; the second time there is nothing to do."""
        store.load(invoice())
        store.regenerate(ALL, asked())
        store.regenerate(ALL, asked())
        assert store.deliver_to_ledger(ALL, 3) == CollectedDeliveries(2, 1)
        assert store.deliver_to_ledger(ALL, 3) == CollectedDeliveries(0, 1)
        assert store.deliver_to_ledger(ALL, 3) == CollectedDeliveries(0, 0)
        assert [held.transaction.item.id for held in store.revenue(ALL).rows] == ["i1", "i2"]

    def test_order_and_repetition_do_not_show(self, store: Store, invoice: Invoice, everything: Everything) -> None:
        """REV-4."""
        store.load(invoice())
        for flags in ({}, {"re_migrate": True}, {"only_re_send": True}):
            store.regenerate(ALL, asked(**flags))
        deliveries = [entry.delivery for entry in store.pending(ALL, 100)]
        store.collect(deliveries)
        before = everything(store)
        store.collect([*reversed(deliveries), *deliveries])
        assert everything(store) == before


class TestListing:
    """ACC-4, REQ-7: pages within scope."""

    def test_pages_show_every_row_once(self, store: Store, invoice: Invoice) -> None:
        """Going on from ``next`` gives the rows of one long page."""
        store.load_all([invoice(f"N-{n}", id=f"d{n}", items=((f"a{n}", "1"), (f"b{n}", "2"))) for n in range(5)])
        for number in range(5):
            store.regenerate(ALL, asked(id=f"d{number}"))
        store.deliver_to_ledger(ALL, 100)
        for listing in (store.documents, store.transactions, store.deliveries, store.revenue):
            rows: list[object] = []
            page = listing(ALL, limit=3)
            rows.extend(page.rows)
            while page.next is not None:
                page = listing(ALL, limit=3, after=page.next)
                assert page.rows
                rows.extend(page.rows)
            assert tuple(rows) == listing(ALL, limit=100).rows

    @pytest.mark.parametrize(
        "selection",
        [
            Selection(type=INVOICE, number="N-1"),
            Selection(id="d1"),
            Selection(number="N-1"),
            Selection(type=INVOICE, id="d1", number="N-1"),
        ],
    )
    def test_a_selection_shows_its_document(self, store: Store, invoice: Invoice, selection: Selection) -> None:
        """Every given part must match."""
        store.load_all([invoice(f"N-{n}", id=f"d{n}", items=((f"a{n}", "1"),)) for n in range(3)])
        for number in range(3):
            store.regenerate(ALL, asked(id=f"d{number}"))
        store.deliver_to_ledger(ALL, 100)
        assert [document.id for document in store.documents(ALL, selection).rows] == ["d1"]
        assert [line.transaction.item.id for line in store.transactions(ALL, selection).rows] == ["a1"]
        assert [entry.delivery.transaction.item.id for entry in store.deliveries(ALL, selection).rows] == ["a1"]
        assert [held.transaction.item.id for held in store.revenue(ALL, selection).rows] == ["a1"]
        assert not store.documents(ALL, Selection(id="d1", number="N-2")).rows

    @pytest.mark.parametrize("limit", [0, -1, 1001])
    def test_a_page_has_a_bounded_length(self, store: Store, limit: int) -> None:
        """Limits are stated."""
        with pytest.raises(ValueError, match="1 to 1000"):
            store.documents(ALL, limit=limit)


class TestIdempotency:
    """IDM-1 … IDM-8."""

    @staticmethod
    def call(client: str = "c1", key: str = "k1") -> IdempotentCall:
        """A call that answers with a count, so that two executions never answer alike."""
        counted = iter(range(1000))
        return IdempotentCall(
            client=client,
            key=key,
            answer=lambda outcome: Answer(
                outcome.http_status if not isinstance(outcome, Regeneration) else 200, b"%d" % next(counted)
            ),
        )

    def test_a_repeat_gets_the_first_answer_and_does_nothing(
        self, store: Store, invoice: Invoice, everything: Everything
    ) -> None:
        """IDM-1, IDM-8."""
        store.load(invoice())
        call = self.call()
        done(store.regenerate(ALL, asked(re_migrate=True), idempotent=call))
        before = everything(store)
        assert store.regenerate(ALL, asked(re_migrate=True), idempotent=call) == Replay(200, b"0")
        assert everything(store) == before

    def test_a_refusal_of_the_operation_is_kept(self, store: Store, invoice: Invoice) -> None:
        """IDM-6: the repeat hears it again although it would succeed by now."""
        assert isinstance(store.regenerate(ALL, asked(), idempotent=self.call()), DocumentNotFound)
        store.load(invoice())
        assert store.regenerate(ALL, asked(), idempotent=self.call()) == Replay(404, b"0")

    def test_a_moved_document_is_not_kept(self, store: Store, invoice: Invoice) -> None:
        """IDM-6: the retry must be able to succeed."""
        store.load(invoice())
        stale = store.regenerate(ALL, asked(), expected=99, idempotent=self.call())
        assert isinstance(stale, ConcurrentModification)
        done(store.regenerate(ALL, asked(), idempotent=self.call()))

    def test_conflicting_flags_are_not_kept(self, store: Store, invoice: Invoice) -> None:
        """IDM-6: what is refused before the operation leaves the key free."""
        store.load(invoice())
        both = asked(only_re_send=True, re_migrate=True)
        assert isinstance(store.regenerate(ALL, both, idempotent=self.call()), ConflictingFlags)
        done(store.regenerate(ALL, asked(), idempotent=self.call()))

    def test_a_key_is_for_one_request(self, store: Store, invoice: Invoice, everything: Everything) -> None:
        """IDM-4: and the record stays as it was."""
        store.load(invoice())
        store.regenerate(ALL, asked(), idempotent=self.call())
        before = everything(store)
        other = store.regenerate(ALL, asked(number="INV-1"), idempotent=self.call())
        assert isinstance(other, IdempotencyKeyReused)
        assert everything(store) == before
        assert store.regenerate(ALL, asked(), idempotent=self.call()) == Replay(200, b"0")

    def test_a_key_belongs_to_a_client(self, store: Store, invoice: Invoice) -> None:
        """IDM-5."""
        store.load(invoice())
        done(store.regenerate(ALL, asked(), idempotent=self.call()))
        done(store.regenerate(ALL, asked(number="INV-1"), idempotent=self.call(client="c2")))

    def test_a_key_lives_for_a_day(self, store: Store, invoice: Invoice, clock: Any) -> None:
        """IDM-2: on the store's clock, never shorter; then it is new and kept anew."""
        store.load(invoice())
        done(store.regenerate(ALL, asked(), idempotent=self.call()))
        clock.move(hours=24, microseconds=-1)
        assert isinstance(store.regenerate(ALL, asked(), idempotent=self.call()), Replay)
        clock.move(microseconds=1)
        done(store.regenerate(ALL, asked(re_migrate=True), idempotent=self.call()))
        clock.move(hours=23)
        assert isinstance(store.regenerate(ALL, asked(re_migrate=True), idempotent=self.call()), Replay)

    def test_a_replay_ends_with_the_right_to_see_it(self, store: Store, invoice: Invoice) -> None:
        """IDM-6: not found while the document is out of sight, and the record stays."""
        store.load(invoice(org="north"))
        north = Scope(tenant="t1", entity="e1", orgs=frozenset({"north"}))
        south = Scope(tenant="t1", entity="e1", orgs=frozenset({"south"}))
        done(store.regenerate(north, asked(), idempotent=self.call()))
        assert isinstance(store.regenerate(south, asked(), idempotent=self.call()), DocumentNotFound)
        assert isinstance(store.regenerate(north, asked(), idempotent=self.call()), Replay)

    @pytest.mark.parametrize("hidden", ["d1", "d2"])
    def test_a_mismatch_is_replayed_to_who_sees_both(self, store: Store, invoice: Invoice, hidden: str) -> None:
        """IDM-6: it is about two documents, and whoever may not see one of them is told of none."""
        numbers = {"d1": "INV-1", "d2": "INV-2"}
        items = {"d1": (("i1", "1.00"),), "d2": (("i2", "2.00"),)}

        def moved(name: str, org: str) -> None:
            store.load(invoice(numbers[name], id=name, items=items[name], org=org))

        for name in numbers:
            moved(name, "north")
        north = Scope(tenant="t1", entity="e1", orgs=frozenset({"north"}))
        both = asked(id="d1", number="INV-2")
        assert isinstance(store.regenerate(north, both, idempotent=self.call()), DocumentReferenceMismatch)
        assert store.regenerate(north, both, idempotent=self.call()) == Replay(400, b"0")
        moved(hidden, "south")
        assert isinstance(store.regenerate(north, both, idempotent=self.call()), DocumentNotFound)
        moved(hidden, "north")
        assert store.regenerate(north, both, idempotent=self.call()) == Replay(400, b"0")
        other = {"d1": "d2", "d2": "d1"}[hidden]
        moved(other, "south")
        assert isinstance(store.regenerate(north, both, idempotent=self.call()), DocumentNotFound)
