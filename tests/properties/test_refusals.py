"""PRE-1, PRE-4, ELI-1, ELI-2: refusals in their order, and without any effect."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from regen_core.access import Scope
from regen_core.documents import (
    POSTED_STATUS,
    BillingDocument,
    BillingItem,
    DocumentHeader,
    DocumentKey,
    DocumentType,
    ItemSource,
)
from regen_core.refusals import (
    ConcurrentModification,
    ConflictingFlags,
    DocumentNotPosted,
    NothingToResend,
    UnmappableItem,
)
from regen_core.regeneration import Regeneration, apply, decide
from regen_core.request import RegenerateRequest
from regen_core.store import Loaded, TransactionStore
from regen_core.testing import strategies as some
from regen_core.testing.harness import Harness
from regen_core.testing.subject import Accepted, ReferenceSubject
from regen_core.transactions import NO_TRANSACTIONS, StoredTransactions, TransactionState

HEADER = DocumentHeader(
    key=DocumentKey(tenant="t1", entity="e1", type=DocumentType.INVOICE, id="d1"),
    number="N-1",
    org="north",
    status="Draft",
    date=date(2026, 1, 31),
    currency="EUR",
)
UNMAPPABLE = BillingItem(id="i1", amount=Decimal(10))
OTHER = BillingDocument(evolve(HEADER, key=evolve(HEADER.key, id="d2"), number="N-2"), ())
SCOPE = Scope(tenant="t1", entity="e1", orgs=frozenset({"south"}))


class World:
    """A subject with one fault after the other mended."""

    def __init__(self) -> None:
        self.subject = ReferenceSubject()
        self.document = BillingDocument(HEADER, (UNMAPPABLE,))
        self.scope = SCOPE
        self.request = RegenerateRequest(
            type=DocumentType.INVOICE, id="d1", number="N-2", only_re_send=True, re_migrate=True
        )
        self.subject.load(OTHER)
        self.subject.load(self.document)

    def load(self, document: BillingDocument) -> None:
        self.document = document
        self.subject.load(document)

    def answer(self) -> str:
        state = self.subject.state()
        outcome = self.subject.regenerate(self.scope, self.request, None)
        if isinstance(outcome, Accepted):
            return "Accepted"
        assert self.subject.state() == state, "a refusal changes nothing (PRE-4)"
        return outcome.name


class TestPrecedence:
    """PRE-1: of several faults the first in the order is told; each step mends one and meets the next."""

    def test_walked_rung_by_rung(self) -> None:
        world = World()
        assert world.answer() == "ConflictingFlags"  # 9
        world.request = evolve(world.request, only_re_send=False)
        assert world.answer() == "DocumentNotFound"  # 15: neither is visible
        world.scope = evolve(SCOPE, orgs=frozenset({"south", "north"}))
        assert world.answer() == "DocumentReferenceMismatch"  # 16
        world.request = evolve(world.request, number="N-1")
        assert world.answer() == "DocumentNotPosted"  # 17
        world.load(evolve(world.document, header=evolve(HEADER, status="Posted")))
        assert world.answer() == "UnmappableItem"  # 18
        world.request = evolve(world.request, only_re_send=True, re_migrate=False)
        assert world.answer() == "NothingToResend"  # 19
        mapped = evolve(UNMAPPABLE, source=ItemSource.SUBSCRIPTION)
        world.load(evolve(world.document, items=(mapped,)))
        world.request = evolve(world.request, only_re_send=False)
        assert world.answer() == "Accepted"

    def test_what_moved_in_the_meantime_comes_last(self) -> None:
        """Rank 20: what was decided on is no longer what is stored."""
        document = BillingDocument(
            evolve(HEADER, status="Posted"), (evolve(UNMAPPABLE, source=ItemSource.SUBSCRIPTION),)
        )
        loaded = TransactionStore().load(document)
        assert isinstance(loaded, Loaded)
        request = RegenerateRequest(type=DocumentType.INVOICE, id="d1")
        done = decide(document, NO_TRANSACTIONS, request)
        assert isinstance(done, Regeneration)
        after = loaded.store.apply(done)
        assert isinstance(after, TransactionStore)
        assert after.apply(done) == ConcurrentModification()
        assert TransactionStore().apply(done) == ConcurrentModification()
        changed = loaded.store.load(evolve(document, items=()))
        assert isinstance(changed, Loaded)
        assert changed.store.apply(done) == ConcurrentModification()
        assert apply(NO_TRANSACTIONS, done) == done.stored_after
        assert apply(StoredTransactions(), done) == done.stored_after
        assert apply(done.stored_after, done) == ConcurrentModification()

    def test_not_found_wins_over_not_posted_in_decide_too(self) -> None:
        document = BillingDocument(HEADER, (UNMAPPABLE,))
        request = RegenerateRequest(
            type=DocumentType.INVOICE, id="d1", number="N-2", only_re_send=True, re_migrate=True
        )
        order = []
        for mended in (
            request,
            evolve(request, only_re_send=False, id="d2"),
            evolve(request, only_re_send=False),
            evolve(request, only_re_send=False, number=None),
        ):
            refusal = decide(document, NO_TRANSACTIONS, mended)
            assert not isinstance(refusal, Regeneration)
            order.append(refusal.rank)
        assert order == [9, 15, 15, 17]


class TestPosted:
    """ELI-1: only a posted document, an adjustment only when processed, in every mode."""

    @given(data=st.data(), flags=some.flags())
    def test_one_that_is_not_posted_is_refused(self, data: st.DataObject, flags: tuple[bool, bool]) -> None:
        document = data.draw(some.documents(posted=False, mappable=None))
        stored = data.draw(some.stored_transactions(document=document))
        request = RegenerateRequest(type=document.type, id=document.id, only_re_send=flags[0], re_migrate=flags[1])
        refusal = decide(document, stored, request)
        assert refusal == DocumentNotPosted(document.type, POSTED_STATUS[document.type])

    @pytest.mark.parametrize("kind", DocumentType)
    @pytest.mark.parametrize("status", ["Posted", "Processed", "posted", "Draft", "Generated", "Cancelled", ""])
    def test_the_status_is_the_one_of_its_type(self, kind: DocumentType, status: str) -> None:
        header = evolve(HEADER, key=evolve(HEADER.key, type=kind), status=status)
        assert header.is_posted is (
            status == ("Processed" if kind is DocumentType.INVOICE_ITEM_ADJUSTMENT else "Posted")
        )


class TestNothingToResend:
    """ELI-2: only a resend with nothing to say is refused for it, and it tells the reason."""

    @given(data=st.data(), flags=some.flags())
    def test_refused_exactly_when_a_resend_says_nothing(self, data: st.DataObject, flags: tuple[bool, bool]) -> None:
        document = data.draw(some.documents())
        stored = data.draw(some.stored_transactions(document=document))
        request = RegenerateRequest(type=document.type, id=document.id, only_re_send=flags[0], re_migrate=flags[1])
        done = decide(document, stored, request)
        worth_saying = [
            line
            for line in stored.lines
            if line.deliveries
            or (line.transaction.state is TransactionState.ACTIVE and not line.transaction.item.excluded_from_revenue)
        ]
        if request.only_re_send and not worth_saying:
            assert done == NothingToResend(len(document.revenue_items), len(stored))
        else:
            assert isinstance(done, Regeneration)

    def test_the_two_causes_are_told_apart(self) -> None:
        assert NothingToResend(2, 0).message != NothingToResend(2, 1).message


class TestARefusalChangesNothing:
    """PRE-4: no document, no transaction, no delivery, in any store."""

    @given(data=st.data())
    def test_whatever_the_refusal(self, data: st.DataObject) -> None:
        subject = ReferenceSubject()
        for document in data.draw(some.histories(first=data.draw(some.documents(posted=None, mappable=None)))):
            subject.load(document)
            state = subject.state()
            request = data.draw(some.requests(document=document, conflicting=True))
            outcome = subject.regenerate(data.draw(some.scopes()), request, None)
            if not isinstance(outcome, Accepted):
                assert subject.state() == state

    def test_unmappable_items_leave_their_neighbours_unwritten(self) -> None:
        """MAP-U: nothing of the document is written."""
        harness = Harness()
        harness.change(0, "change an item's source", 0)
        harness.change(0, "change an item's source", 0)
        outcome = harness.regenerate(0, False, False)
        assert isinstance(outcome, UnmappableItem)
        assert [each.item_id for each in outcome.items] == ["d1-i1"]
        assert not harness.subject.pending()

    def test_conflicting_flags_are_told_of_a_document_that_does_not_exist(self) -> None:
        assert Harness().regenerate(0, True, True) == ConflictingFlags()
