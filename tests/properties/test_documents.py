"""DOC-1 … DOC-4 and TAX-1: loading documents, and the lines that have no transaction."""

from __future__ import annotations

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from regen_core.changes import document_changes, field_changes
from regen_core.documents import (
    BillingDocument,
    BillingItem,
    CarriedFields,
    DocumentHeader,
    DocumentKey,
    DocumentType,
    ProcessingType,
)
from regen_core.regeneration import Regeneration, decide
from regen_core.request import RegenerateRequest
from regen_core.store import ItemTaken, Loaded, NumberTaken, StoredDocument, TransactionStore
from regen_core.testing import strategies as some
from regen_core.testing.edits import EDITS, SLOTS, edited, initial
from regen_core.transactions import NO_TRANSACTIONS, TransactionState


def loaded(store: TransactionStore, document: BillingDocument) -> TransactionStore:
    answer = store.load(document)
    assert isinstance(answer, Loaded)
    return answer.store


def under(document: BillingDocument, document_id: str, number: str) -> BillingDocument:
    """The document under another id and number, its items' ids as they were."""
    header = evolve(document.header, key=evolve(document.key, id=document_id), number=number)
    return BillingDocument(header, document.items)


MEMO_OR_INVOICE = st.sampled_from([DocumentType.INVOICE, DocumentType.CREDIT_MEMO, DocumentType.DEBIT_MEMO])


class TestLoadingAgain:
    """DOC-1: it replaces the document and says what changed; what is stored for it stays until it is regenerated."""

    @given(some.histories())
    def test_the_latest_version_is_what_is_stored(self, versions: list[BillingDocument]) -> None:
        store = TransactionStore()
        for number, document in enumerate(versions):
            answer = store.load(document)
            assert isinstance(answer, Loaded)
            assert answer.is_new is (number == 0)
            assert bool(answer.changes) is (number > 0 and document != versions[number - 1])
            store = answer.store
            assert store.get(document.key) == StoredDocument(document)

    @given(data=st.data())
    def test_transactions_stay(self, data: st.DataObject) -> None:
        document = data.draw(some.documents())
        store = loaded(TransactionStore(), document)
        done = decide(document, NO_TRANSACTIONS, RegenerateRequest(type=document.type, id=document.id))
        assert isinstance(done, Regeneration)
        after = store.apply(done)
        assert isinstance(after, TransactionStore)
        for version in data.draw(some.histories(first=document)):
            after = loaded(after, version)
            assert after.get(document.key) == StoredDocument(version, done.stored_after)
            assert dict(after.outbox.items()) == {each.id: each for each in done.deliveries}

    @given(some.documents())
    def test_the_same_again_changes_nothing_at_all(self, document: BillingDocument) -> None:
        store = loaded(TransactionStore(), document)
        answer = store.load(BillingDocument(evolve(document.header), tuple(evolve(item) for item in document.items)))
        assert answer == Loaded(store, False, ())

    @given(some.documents(), st.sampled_from(tuple(EDITS)), st.integers(0, 7))
    def test_what_changed_is_told_field_by_field(self, document: BillingDocument, edit: str, place: int) -> None:
        after = edited(document, edit, place)
        changes = document_changes(document, after)
        assert bool(changes) is (after != document)
        assert document_changes(after, after) == ()
        assert len({change.path for change in changes}) == len(changes)
        assert all(change.before != change.after for change in changes)
        reverse = {change.path: (change.after, change.before) for change in document_changes(after, document)}
        assert {change.path: (change.before, change.after) for change in changes} == reverse

    def test_items_gone_added_and_moved_are_told_apart(self) -> None:
        document = initial(SLOTS[0])
        first, second = document.items
        assert [each.path for each in document_changes(document, evolve(document, items=(second,)))] == ["items[d1-i1]"]
        (change,) = document_changes(evolve(document, items=(second,)), document)
        assert (change.path, change.before, change.after) == ("items[d1-i1]", None, first)
        (change,) = document_changes(document, evolve(document, items=(second, first)))
        assert (change.path, change.before) == ("order of items", ("d1-i1", "d1-i2"))

    def test_carried_fields_are_told_one_by_one(self) -> None:
        item = initial(SLOTS[0]).items[0]
        one = evolve(item, carried=CarriedFields('{"chargeName":"Seats","uom":"Each"}'))
        other = evolve(item, carried=CarriedFields('{"chargeName":"Users","uom":"Each"}'))
        (change,) = field_changes(one, other, "items[i1].")
        assert (change.path, change.before, change.after) == ("items[i1].carried.chargeName", "Seats", "Users")


class TestOneOwner:
    """DOC-2, DOC-3, DOC-4: a number and an item belong to one document of a type; refused, everything stays."""

    @given(data=st.data(), kind=MEMO_OR_INVOICE)
    def test_a_number_belongs_to_one_document(self, data: st.DataObject, kind: DocumentType) -> None:
        document = data.draw(some.documents(type=kind))
        other = evolve(under(document, "another", document.header.number), items=())
        store = loaded(TransactionStore(), document)
        assert store.load(other) == NumberTaken(document.header.number, document.key)
        assert store.get(other.key) is None

    @given(data=st.data(), kind=MEMO_OR_INVOICE)
    def test_an_item_belongs_to_one_document(self, data: st.DataObject, kind: DocumentType) -> None:
        document = data.draw(some.documents(type=kind, min_items=1))
        other = under(document, "another", "another")
        store = loaded(TransactionStore(), document)
        assert store.load(other) == ItemTaken(document.items[0].id, document.key)
        assert store.get(other.key) is None

    @given(data=st.data(), kind=MEMO_OR_INVOICE)
    def test_other_types_entities_and_tenants_are_free(self, data: st.DataObject, kind: DocumentType) -> None:
        document = data.draw(some.documents(type=kind, min_items=1))
        store = loaded(TransactionStore(), document)
        for key in (
            evolve(document.key, tenant="elsewhere"),
            evolve(document.key, entity="elsewhere"),
            evolve(document.key, type=next(each for each in DocumentType if each is not kind)),
        ):
            other = BillingDocument(evolve(document.header, key=key), document.items)
            store = loaded(store, other)
            assert store.get(key) == StoredDocument(other)
        assert store.get(document.key) == StoredDocument(document)

    @given(data=st.data(), kind=MEMO_OR_INVOICE)
    def test_what_a_document_gives_up_is_free_again(self, data: st.DataObject, kind: DocumentType) -> None:
        document = data.draw(some.documents(type=kind, min_items=1))
        other = under(document, "another", document.header.number)
        store = loaded(TransactionStore(), document)
        renamed = evolve(document, header=evolve(document.header, number="given up"), items=())
        store = loaded(loaded(store, renamed), other)
        assert store.get(other.key) == StoredDocument(other)
        assert store.load(document) == NumberTaken(document.header.number, other.key)

    @given(data=st.data(), kind=MEMO_OR_INVOICE)
    def test_a_refused_load_loses_nothing(self, data: st.DataObject, kind: DocumentType) -> None:
        """DOC-4: the good version stays, its number and items stay its own."""
        document = data.draw(some.documents(type=kind, min_items=1))
        other = BillingDocument(under(document, "another", "another").header, ())
        store = loaded(loaded(TransactionStore(), document), other)
        bad = evolve(other, items=document.items)
        assert isinstance(store.load(bad), ItemTaken)
        assert store.get(other.key) == StoredDocument(other)
        assert loaded(store, other) == store


def with_tax(document: BillingDocument, *places: int) -> BillingDocument:
    items = [
        evolve(item, processing_type=ProcessingType.TAX) if place in places else item
        for place, item in enumerate(document.items)
    ]
    return evolve(document, items=tuple(items))


class TestTaxLines:
    """TAX-1: a tax line has no transaction and is listed as skipped; one that was stored counts as gone."""

    @given(data=st.data(), flags=some.flags())
    def test_they_are_skipped_and_listed(self, data: st.DataObject, flags: tuple[bool, bool]) -> None:
        document = data.draw(some.documents(type=DocumentType.INVOICE, tax=True))
        request = RegenerateRequest(type=document.type, id=document.id, only_re_send=flags[0], re_migrate=flags[1])
        done = decide(document, NO_TRANSACTIONS, request)
        if request.only_re_send:
            assert not isinstance(done, Regeneration)
            return
        assert isinstance(done, Regeneration)
        assert (done.lines, done.skipped_tax_items) == ((), document.items)

    @given(data=st.data())
    def test_one_that_was_stored_is_voided_like_one_that_is_gone(self, data: st.DataObject) -> None:
        document = data.draw(some.documents(type=DocumentType.INVOICE, tax=False, excluded=False, min_items=2))
        generated = decide(document, NO_TRANSACTIONS, RegenerateRequest(type=document.type, id=document.id))
        assert isinstance(generated, Regeneration)
        taxed = with_tax(document, 0)
        request = RegenerateRequest(type=document.type, id=document.id, re_migrate=True)
        done = decide(taxed, generated.stored_after, request)
        gone = decide(evolve(document, items=document.items[1:]), generated.stored_after, request)
        assert isinstance(done, Regeneration)
        assert isinstance(gone, Regeneration)
        assert done.stored_after == gone.stored_after
        assert done.stored_after.lines[-1].transaction.state is TransactionState.VOIDED
        assert done.lines[-1].rule_ids == ("TBL-W9", "TBL-S8")

    @given(some.documents(type=DocumentType.INVOICE_ITEM_ADJUSTMENT, tax=True))
    def test_an_adjustment_of_tax_has_no_transaction(self, document: BillingDocument) -> None:
        done = decide(document, NO_TRANSACTIONS, RegenerateRequest(type=document.type, id=document.id))
        assert isinstance(done, Regeneration)
        assert (done.id_list, done.skipped_tax_items) == ((), document.items)


class TestSeparators:
    """REQ-7 with DOC-2: names that read alike across their boundaries are still told apart by the store."""

    @given(st.tuples(some.names(), some.names()), st.tuples(some.names(), some.names()))
    def test_tenant_and_entity_do_not_run_together(self, one: tuple[str, str], other: tuple[str, str]) -> None:
        template = initial(SLOTS[0])
        documents = [
            BillingDocument(_in(template.header, *where), template.items) for where in dict.fromkeys((one, other))
        ]
        store = TransactionStore()
        for document in documents:
            store = loaded(store, document)
        assert [store.get(document.key) for document in documents] == [StoredDocument(each) for each in documents]


def _in(header: DocumentHeader, tenant: str, entity: str) -> DocumentHeader:
    return evolve(header, key=DocumentKey(tenant=tenant, entity=entity, type=header.key.type, id=header.key.id))


class TestItemsAreTheirDocuments:
    """REQ-7: the strategies and edits build what the constructors accept, or these tests would prove little."""

    @given(some.documents(posted=None, mappable=None))
    def test_revenue_items_are_all_but_the_tax_lines(self, document: BillingDocument) -> None:
        assert document.revenue_items == tuple(item for item in document.items if not item.is_tax)
        assert document.revenue_item_ids == tuple(item.id for item in document.revenue_items)
        assert all(isinstance(item, BillingItem) for item in document.items)
