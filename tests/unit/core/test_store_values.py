"""The reference store as a value: what is in it after each load, look-up and request (DOC-1 … DOC-3, REQ-4, ACC-4)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve

from regen_core.access import Scope
from regen_core.changes import FieldChange
from regen_core.documents import BillingDocument, BillingItem, DocumentHeader, DocumentKey, DocumentType, ItemSource
from regen_core.refusals import ConcurrentModification, DocumentNotFound, DocumentReferenceMismatch
from regen_core.regeneration import Regeneration, decide
from regen_core.request import RegenerateRequest
from regen_core.store import ItemTaken, Loaded, NumberTaken, StoredDocument, TransactionStore
from regen_core.transactions import NO_TRANSACTIONS

KEY = DocumentKey(tenant="t1", entity="e1", type=DocumentType.INVOICE, id="d1")
HEADER = DocumentHeader(key=KEY, number="N-1", status="Posted", date=date(2026, 1, 31), currency="EUR", org="north")
A, B, C = (BillingItem(id=name, amount=Decimal(10), source=ItemSource.SUBSCRIPTION) for name in "abc")
ONE = BillingDocument(HEADER, (A, B))
TWO = BillingDocument(evolve(HEADER, key=evolve(KEY, id="d2"), number="N-2", org="south"), (C,))
ELSEWHERE = tuple(
    BillingDocument(evolve(HEADER, key=key, number="N-9"), ())
    for key in (
        evolve(KEY, tenant="t2", id="d9"),
        evolve(KEY, entity="e2", id="d9"),
        evolve(KEY, type=DocumentType.DEBIT_MEMO, id="d9"),
    )
)
SCOPE = Scope(tenant="t1", entity="e1", orgs=frozenset({"north", "south"}))
GENERATE = RegenerateRequest(type=DocumentType.INVOICE, id="d1")


def load(store: TransactionStore, *documents: BillingDocument) -> TransactionStore:
    for document in documents:
        answer = store.load(document)
        assert isinstance(answer, Loaded)
        store = answer.store
    return store


BOTH = load(TransactionStore(), ONE, TWO, *ELSEWHERE)


def generated(store: TransactionStore) -> TransactionStore:
    after = store.apply(made(store, GENERATE))
    assert isinstance(after, TransactionStore)
    return after


def made(store: TransactionStore, request: RegenerateRequest) -> Regeneration:
    found = store.find(SCOPE, request)
    assert isinstance(found, StoredDocument)
    done = decide(found.document, found.transactions, request)
    assert isinstance(done, Regeneration)
    return done


def owned(store: TransactionStore) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Who owns which number and which item, by the ends of their places."""
    numbers, items = (
        sorted((place.split("\x1f")[-1], owner.id) for place, owner in owners.items())
        for owners in (store.numbers, store.items)
    )
    return numbers, items


class TestLoading:
    """DOC-1, DOC-2, DOC-3."""

    def test_a_new_document_owns_its_number_and_its_items(self) -> None:
        answer = TransactionStore().load(ONE)
        assert isinstance(answer, Loaded)
        assert (answer.is_new, answer.changes) == (True, ())
        assert list(answer.store.documents.values()) == [StoredDocument(ONE, NO_TRANSACTIONS)]
        assert owned(answer.store) == ([("N-1", "d1")], [("a", "d1"), ("b", "d1")])
        assert len(answer.store.outbox) == 0

    def test_another_version_owns_what_it_says_and_no_more(self) -> None:
        """Transactions and deliveries stay, and so does all that is about the neighbour."""
        before = generated(BOTH)
        now = BillingDocument(evolve(HEADER, number="N-7"), (B,))
        answer = before.load(now)
        assert isinstance(answer, Loaded)
        assert answer.is_new is False
        assert answer.changes == (FieldChange("number", "N-1", "N-7"), FieldChange("items[a]", A, None))
        stored = before.get(KEY)
        assert stored is not None
        assert answer.store.get(KEY) == StoredDocument(now, stored.transactions)
        assert answer.store.get(TWO.key) == StoredDocument(TWO)
        numbers, items = owned(answer.store)
        assert numbers == [("N-2", "d2"), ("N-7", "d1"), *[("N-9", "d9")] * 3]
        assert items == [("b", "d1"), ("c", "d2")]
        assert answer.store.outbox == before.outbox
        assert len(answer.store.outbox) == 2

    def test_the_same_again_is_the_same_store(self) -> None:
        answer = BOTH.load(BillingDocument(evolve(HEADER), (A, B)))
        assert isinstance(answer, Loaded)
        assert (answer.store is BOTH, answer.is_new, answer.changes) == (True, False, ())

    @pytest.mark.parametrize(
        ("document", "refusal"),
        [
            (evolve(TWO, header=evolve(TWO.header, number="N-1")), NumberTaken("N-1", KEY)),
            (evolve(TWO, items=(C, B)), ItemTaken("b", KEY)),
            (BillingDocument(evolve(HEADER, key=evolve(KEY, id="d3")), ()), NumberTaken("N-1", KEY)),
            (BillingDocument(evolve(HEADER, key=evolve(KEY, id="d3"), number="N-3"), (A,)), ItemTaken("a", KEY)),
        ],
    )
    def test_what_is_anothers_is_refused(self, document: BillingDocument, refusal: object) -> None:
        assert BOTH.load(document) == refusal

    @pytest.mark.parametrize("key", [each.key for each in ELSEWHERE])
    def test_elsewhere_the_same_names_are_free(self, key: DocumentKey) -> None:
        other = BillingDocument(evolve(HEADER, key=evolve(key, id="d1")), (A, B))
        assert load(BOTH, other).get(other.key) == StoredDocument(other)


class TestFinding:
    """REQ-4, REQ-7, ACC-4."""

    @pytest.mark.parametrize(
        ("named", "expected"),
        [
            ({"id": "d1"}, StoredDocument(ONE)),
            ({"id": None, "number": "N-2"}, StoredDocument(TWO)),
            ({"id": "d1", "number": "N-1"}, StoredDocument(ONE)),
            ({"id": "d1", "number": "N-2"}, DocumentReferenceMismatch(DocumentType.INVOICE)),
            ({"id": "d1", "number": "N-8"}, DocumentNotFound(DocumentType.INVOICE)),
            ({"id": "d8", "number": "N-1"}, DocumentNotFound(DocumentType.INVOICE)),
            ({"id": None, "number": "N-9"}, DocumentNotFound(DocumentType.INVOICE)),
            ({"id": "d9"}, DocumentNotFound(DocumentType.INVOICE)),
            ({"id": "N-1", "number": "d1"}, DocumentNotFound(DocumentType.INVOICE)),
        ],
    )
    def test_id_and_number_lead_to_one_document(self, named: dict[str, Any], expected: object) -> None:
        request = evolve(GENERATE, **named)
        assert BOTH.find(SCOPE, request) == expected
        about = [expected] if isinstance(expected, StoredDocument) else []
        if isinstance(expected, DocumentReferenceMismatch):
            about = [StoredDocument(ONE), StoredDocument(TWO)]
        assert list(BOTH.named(SCOPE, request)) == about

    @pytest.mark.parametrize("place", range(3))
    def test_each_part_of_the_scope_counts(self, place: int) -> None:
        document = ELSEWHERE[place]
        scope = Scope(tenant=document.key.tenant, entity=document.key.entity, orgs=None)
        for by_id, by_number in (("d9", None), (None, "N-9"), ("d9", "N-9")):
            request = RegenerateRequest(type=document.type, id=by_id, number=by_number)
            assert BOTH.find(scope, request) == StoredDocument(document)

    @pytest.mark.parametrize("named", [{"id": "d1"}, {"id": None, "number": "N-1"}, {"id": "d1", "number": "N-2"}])
    def test_what_is_out_of_sight_is_not_there(self, named: dict[str, Any]) -> None:
        scope = evolve(SCOPE, orgs=frozenset({"south"}))
        assert BOTH.find(scope, evolve(GENERATE, **named)) == DocumentNotFound(DocumentType.INVOICE)
        assert BOTH.named(scope, evolve(GENERATE, **named)) == ()


class TestApplying:
    """PRE-1, REV-0: all of a request, or nothing."""

    def test_its_transactions_and_its_deliveries_are_stored(self) -> None:
        done = made(BOTH, GENERATE)
        after = generated(BOTH)
        assert after.get(KEY) == StoredDocument(ONE, done.stored_after)
        assert after.get(TWO.key) == StoredDocument(TWO)
        assert dict(after.outbox.items()) == {each.id: each for each in done.deliveries}
        assert owned(after) == owned(BOTH)
        again = made(after, evolve(GENERATE, only_re_send=True))
        more = after.apply(again)
        assert isinstance(more, TransactionStore)
        assert dict(more.outbox.items()) == {each.id: each for each in (*done.deliveries, *again.deliveries)}

    def test_what_has_moved_is_refused(self) -> None:
        done = made(BOTH, GENERATE)
        for moved in (
            TransactionStore(),
            load(TransactionStore(), TWO),
            generated(BOTH),
            load(BOTH, evolve(ONE, items=(A,))),
        ):
            assert moved.apply(done) == ConcurrentModification()

    def test_what_was_delivered_waits_no_longer(self) -> None:
        before = generated(BOTH)
        first, second = before.outbox
        after = before.delivered(first)
        assert list(after.outbox) == [second]
        assert evolve(after, outbox=before.outbox) == before
        assert before.delivered("another") == before
