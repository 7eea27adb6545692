"""TBL-I and TBL-R: what a transaction is called, and which ones the answer names."""

from __future__ import annotations

import re

from attrs import evolve
from hypothesis import example, given
from hypothesis import strategies as st

from regen_core.documents import DocumentKey, DocumentType
from regen_core.regeneration import Regeneration, decide
from regen_core.request import RegenerateRequest
from regen_core.testing import strategies as some
from regen_core.transactions import NO_TRANSACTIONS, transaction_id, transaction_ids_of

Parts = tuple[str, str, DocumentType, str, str]

PARTS = st.tuples(some.names(), some.names(), st.sampled_from(DocumentType), some.names(), some.names())
CLOSE = st.text("ab1:", min_size=1, max_size=4)
CLOSE_PARTS = st.tuples(CLOSE, CLOSE, st.sampled_from(DocumentType), CLOSE, CLOSE)


def id_of(parts: Parts) -> str:
    tenant, entity, kind, document, item = parts
    return transaction_id(DocumentKey(tenant=tenant, entity=entity, type=kind, id=document), item)


class TestIdentity:
    """TBL-I: an id is a function of tenant, entity, type, document id and item id, and of nothing else."""

    @given(PARTS)
    def test_an_id_looks_like_zuoras(self, parts: Parts) -> None:
        assert re.fullmatch(r"[0-9a-f]{32}", id_of(parts))

    @given(PARTS)
    def test_the_same_parts_have_the_same_id(self, parts: Parts) -> None:
        assert id_of(parts) == id_of(parts)

    @given(CLOSE_PARTS, CLOSE_PARTS)
    @example(("ab", "c", DocumentType.INVOICE, "d", "e"), ("a", "bc", DocumentType.INVOICE, "d", "e"))
    @example(("a", "b", DocumentType.INVOICE, "1:a", "b"), ("a", "b", DocumentType.INVOICE, "1", "1:ab"))
    @example(("a", "b", DocumentType.INVOICE, "c", "d"), ("a", "b", DocumentType.CREDIT_MEMO, "c", "d"))
    def test_other_parts_have_another_id_even_where_they_read_alike(self, one: Parts, other: Parts) -> None:
        assert (id_of(one) == id_of(other)) is (one == other)

    @given(some.document_keys(), st.lists(some.names(), unique=True, max_size=5))
    def test_the_items_of_a_document_are_told_apart(self, key: DocumentKey, items: list[str]) -> None:
        of_item = transaction_ids_of(key)
        assert [of_item(item) for item in items] == [transaction_id(key, item) for item in items]
        assert len({of_item(item) for item in items}) == len(items)

    @given(data=st.data())
    def test_overriding_keeps_id_and_creation_and_raises_the_revision(self, data: st.DataObject) -> None:
        """Even where the content stays as it is: it was asked for."""
        document = data.draw(some.documents(min_items=1, tax=False))
        stored = data.draw(some.stored_transactions(document=document, complete=True))
        request = RegenerateRequest(type=document.type, id=document.id, re_migrate=True)
        done = decide(document, stored, request, data.draw(some.occasions()))
        assert isinstance(done, Regeneration)
        for line in done.lines:
            assert line.before is not None
            assert line.after is not None
            old, new = line.before.transaction, line.after.transaction
            assert (new.id, new.created, new.revision) == (old.id, old.created, old.revision + 1)


class TestResult:
    """TBL-R: the list names what was written or sent, once each, in line order."""

    @given(data=st.data())
    def test_the_list_names_what_was_written_or_sent(self, data: st.DataObject) -> None:
        document = data.draw(some.documents(mappable=True))
        stored = data.draw(some.stored_transactions(document=document))
        done = decide(document, stored, data.draw(some.requests(document=document)))
        if not isinstance(done, Regeneration):
            return
        written, sent = {each.id for each in done.writes}, {each.transaction.id for each in done.deliveries}
        assert set(done.id_list) == written | sent
        assert len(set(done.id_list)) == len(done.id_list)
        order = [line.after.transaction.id for line in done.lines if line.after is not None]
        assert list(done.id_list) == [each for each in order if each in written | sent]

    @given(data=st.data())
    def test_lines_are_items_in_document_order_then_the_gone_as_stored(self, data: st.DataObject) -> None:
        document = data.draw(some.documents(mappable=True))
        stored = data.draw(some.stored_transactions(document=document))
        done = decide(document, stored, data.draw(some.requests(document=document)))
        if not isinstance(done, Regeneration):
            return
        present = [item.id for item in document.revenue_items]
        gone = [each for each in stored.item_ids if each not in present]
        assert [line.item_id for line in done.lines] == [*present, *gone]
        assert [line.item is None for line in done.lines] == [False] * len(present) + [True] * len(gone)

    @given(data=st.data(), re_migrate=st.booleans())
    def test_an_empty_document_is_a_success_that_names_nothing(self, data: st.DataObject, re_migrate: bool) -> None:
        kind = data.draw(
            st.sampled_from([each for each in DocumentType if each is not DocumentType.INVOICE_ITEM_ADJUSTMENT])
        )
        document = data.draw(some.documents(type=kind, max_items=0))
        request = RegenerateRequest(type=kind, id=document.id, re_migrate=re_migrate)
        done = decide(document, NO_TRANSACTIONS, request)
        assert isinstance(done, Regeneration)
        assert (done.id_list, done.lines, done.deliveries, done.writes) == ((), (), (), ())

    @given(data=st.data())
    def test_excluded_items_are_written_and_named_but_not_sent(self, data: st.DataObject) -> None:
        """TBL-W1, TBL-S3: Revenue must not have them."""
        document = data.draw(some.documents(min_items=1, excluded=True, tax=False))
        done = decide(document, NO_TRANSACTIONS, RegenerateRequest(type=document.type, id=document.id))
        assert isinstance(done, Regeneration)
        assert done.deliveries == ()
        assert done.id_list == tuple(each.id for each in done.writes)
        assert len(done.id_list) == len(document.items)

    @given(data=st.data())
    def test_a_dry_run_changes_nothing_and_says_the_same(self, data: st.DataObject) -> None:
        document = data.draw(some.documents())
        stored = data.draw(some.stored_transactions(document=document))
        request, before = data.draw(some.requests(document=document)), evolve(stored)
        assert decide(document, stored, request) == decide(document, stored, request)
        assert stored == before
