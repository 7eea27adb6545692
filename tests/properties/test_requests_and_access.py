"""REQ-3 … REQ-7, ACC-1 … ACC-4: which document is meant, and who may see it."""

from __future__ import annotations

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from regen_core.access import REGENERATION_PERMISSION, Caller, Scope, authorize
from regen_core.documents import BillingDocument, DocumentType
from regen_core.refusals import (
    ConflictingFlags,
    DocumentNotFound,
    DocumentReferenceMismatch,
    EntityNotAccessible,
    EntityRequired,
    OrgNotAccessible,
    PermissionDenied,
)
from regen_core.regeneration import Regeneration, decide, refused_unread
from regen_core.request import RegenerateRequest
from regen_core.store import Loaded, StoredDocument, TransactionStore
from regen_core.testing import strategies as some
from regen_core.transactions import NO_TRANSACTIONS

EVERYTHING = Scope(tenant="t1", entity="e1", orgs=None)


def store_with(*documents: BillingDocument) -> TransactionStore:
    store = TransactionStore()
    for document in documents:
        loaded = store.load(document)
        assert isinstance(loaded, Loaded)
        store = loaded.store
    return store


def here(document: BillingDocument, **changes: str) -> BillingDocument:
    """The document in tenant t1, entity e1, with another key or number if wished."""
    number = changes.pop("number", document.header.number)
    key = evolve(document.key, tenant="t1", entity="e1", id=changes.pop("id", document.id))
    items = document.items
    if document.type is DocumentType.INVOICE_ITEM_ADJUSTMENT:
        items = (evolve(items[0], id=key.id),)
    return BillingDocument(evolve(document.header, key=key, number=number), items)


def two_of(data: st.DataObject) -> tuple[BillingDocument, BillingDocument]:
    """Two documents of one type, d1 and d2, with numbers of their own."""
    kind = data.draw(st.sampled_from(DocumentType))
    one = here(data.draw(some.documents(type=kind, max_items=0, posted=True)), id="d1", number="N-1")
    other = here(data.draw(some.documents(type=kind, max_items=0, posted=True)), id="d2", number="N-2")
    return one, other


class TestBothFlags:
    """REQ-5: together they are refused, before anything is read."""

    @given(some.requests(conflicting=True))
    def test_both_and_only_both_are_refused_unread(self, request_: RegenerateRequest) -> None:
        both = request_.only_re_send and request_.re_migrate
        assert refused_unread(request_) == (ConflictingFlags() if both else None)


class TestNaming:
    """REQ-4, REQ-7: id and number lead to one visible document, each matched exactly and within the type."""

    @given(data=st.data())
    def test_id_number_or_both_find_it(self, data: st.DataObject) -> None:
        one, other = two_of(data)
        store = store_with(one, other)
        for by_id, by_number in (("d1", None), (None, "N-1"), ("d1", "N-1")):
            found = store.find(EVERYTHING, RegenerateRequest(type=one.type, id=by_id, number=by_number))
            assert found == StoredDocument(one)

    @given(data=st.data())
    def test_one_of_them_unknown_is_not_found(self, data: st.DataObject) -> None:
        one, other = two_of(data)
        store = store_with(one, other)
        for by_id, by_number in (("d3", None), (None, "N-3"), ("d1", "N-3"), ("d3", "N-1")):
            found = store.find(EVERYTHING, RegenerateRequest(type=one.type, id=by_id, number=by_number))
            assert found == DocumentNotFound(one.type)

    @given(data=st.data())
    def test_two_visible_documents_are_a_mismatch(self, data: st.DataObject) -> None:
        one, other = two_of(data)
        found = store_with(one, other).find(EVERYTHING, RegenerateRequest(type=one.type, id="d1", number="N-2"))
        assert found == DocumentReferenceMismatch(one.type)

    @given(data=st.data())
    def test_the_other_being_out_of_sight_is_not_found(self, data: st.DataObject) -> None:
        """REQ-4 with ACC-4: naming one document right reveals nothing about one that is out of reach."""
        one, other = two_of(data)
        one, other = _in_org(one, "north"), _in_org(other, "south")
        scope = evolve(EVERYTHING, orgs=frozenset({"north"}))
        for by_id, by_number in (("d1", "N-2"), ("d2", "N-1"), ("d2", "N-2")):
            request = RegenerateRequest(type=one.type, id=by_id, number=by_number)
            assert store_with(one, other).find(scope, request) == DocumentNotFound(one.type)

    @given(data=st.data())
    def test_an_id_of_another_type_is_not_found(self, data: st.DataObject) -> None:
        one, _ = two_of(data)
        for kind in DocumentType:
            found = store_with(one).find(EVERYTHING, RegenerateRequest(type=kind, id="d1"))
            assert isinstance(found, StoredDocument) is (kind is one.type)
            found = store_with(one).find(EVERYTHING, RegenerateRequest(type=kind, number="N-1"))
            assert isinstance(found, StoredDocument) is (kind is one.type)
            if kind is not one.type:
                done = decide(one, NO_TRANSACTIONS, RegenerateRequest(type=kind, id="d1"))
                assert done == DocumentNotFound(kind)

    @pytest.mark.parametrize("near", ["D1", "d1 ", " d1", "d１", "d1\u200b", "d"])
    def test_nothing_near_is_found(self, near: str) -> None:
        """REQ-7: no trimming, no case folding, no normalisation."""
        document = here(some_invoice(), id="d1", number="d1")
        store = store_with(document)
        for request in (
            RegenerateRequest(type=document.type, id=near),
            RegenerateRequest(type=document.type, number=near),
        ):
            assert store.find(EVERYTHING, request) == DocumentNotFound(document.type)

    @given(data=st.data())
    def test_decide_says_the_same_of_the_document_it_is_given(self, data: st.DataObject) -> None:
        one, _ = two_of(data)
        both_wrong = RegenerateRequest(type=one.type, id="d2", number="N-2")
        assert decide(one, NO_TRANSACTIONS, both_wrong) == DocumentNotFound(one.type)
        assert decide(one, NO_TRANSACTIONS, evolve(both_wrong, number=None)) == DocumentNotFound(one.type)
        assert decide(one, NO_TRANSACTIONS, evolve(both_wrong, id=None)) == DocumentNotFound(one.type)
        one_wrong = RegenerateRequest(type=one.type, id="d1", number="N-2")
        assert decide(one, NO_TRANSACTIONS, one_wrong) == DocumentNotFound(one.type)
        assert decide(one, NO_TRANSACTIONS, evolve(one_wrong, id="d2", number="N-1")) == DocumentNotFound(one.type)

    @given(data=st.data())
    def test_transactions_of_another_document_are_our_own_mistake(self, data: st.DataObject) -> None:
        """TBL-I: their ids would be those of the other document."""
        one, _ = two_of(data)
        written = some.documents(type=one.type, min_items=1, max_items=2, tax=False, posted=True)
        other = here(data.draw(written), id="d2", number="N-2")
        done = decide(other, NO_TRANSACTIONS, RegenerateRequest(type=other.type, id=other.id))
        assert isinstance(done, Regeneration)
        with pytest.raises(ValueError, match="not those of"):
            decide(one, done.stored_after, RegenerateRequest(type=one.type, id=one.id))

    @given(some.requests())
    def test_any_well_formed_name_can_be_asked_for(self, request_: RegenerateRequest) -> None:
        assert TransactionStore().find(EVERYTHING, request_) == DocumentNotFound(request_.type)


def some_invoice() -> BillingDocument:
    from regen_core.testing.edits import SLOTS, initial  # noqa: PLC0415  # one document is all that is needed

    return initial(SLOTS[0])


def _in_org(document: BillingDocument, org: str | None) -> BillingDocument:
    return evolve(document, header=evolve(document.header, org=org))


class TestSight:
    """ACC-4: a document outside tenant, entity and orgs is answered like one that doesn't exist."""

    @given(data=st.data())
    def test_a_foreign_document_is_answered_like_a_missing_one(self, data: st.DataObject) -> None:
        document = data.draw(some.documents(max_items=0, posted=None))
        scope = data.draw(some.scopes())
        request = data.draw(some.requests(document=document, conflicting=True))
        with_it, without = store_with(document).find(scope, request), TransactionStore().find(scope, request)
        org = document.header.org
        is_visible = (scope.tenant, scope.entity) == (document.key.tenant, document.key.entity) and (
            org is None or scope.orgs is None or org in scope.orgs
        )
        assert scope.can_see(document.header) is is_visible
        assert with_it == (StoredDocument(document) if is_visible else without)
        assert without == DocumentNotFound(document.type)

    @given(data=st.data())
    def test_whoever_sees_it_finds_it(self, data: st.DataObject) -> None:
        document = data.draw(some.documents(max_items=0))
        scope = data.draw(some.scopes(seeing=document))
        request = data.draw(some.requests(document=document))
        assert store_with(document).find(scope, request) == StoredDocument(document)

    def test_a_document_without_an_org_is_seen_by_its_whole_entity(self) -> None:
        document = here(some_invoice(), id="d1")
        nobody = evolve(EVERYTHING, orgs=frozenset())
        assert nobody.can_see(document.header)
        assert not nobody.can_see(_in_org(document, "north").header)

    @given(data=st.data())
    def test_what_another_tenant_stores_changes_no_answer(self, data: st.DataObject) -> None:
        """Ids and numbers of one tenant are free in another."""
        mine = data.draw(some.documents(max_items=0))
        mine = BillingDocument(evolve(mine.header, key=evolve(mine.key, tenant="t1")), mine.items)
        theirs = BillingDocument(evolve(mine.header, key=evolve(mine.key, tenant="t2")), mine.items)
        scope = evolve(data.draw(some.scopes(seeing=mine)), orgs=None)
        request = data.draw(some.requests(document=mine))
        alone, beside = store_with(mine), store_with(theirs, mine)
        assert alone.find(scope, request) == beside.find(scope, request)
        assert store_with(theirs).find(scope, request) == DocumentNotFound(mine.type)
        found = beside.find(scope, request)
        assert isinstance(found, StoredDocument)
        done = decide(found.document, found.transactions, request)
        if isinstance(done, Regeneration):
            after = beside.apply(done)
            assert isinstance(after, TransactionStore)
            assert after.get(theirs.key) == StoredDocument(theirs)


ENTITIES, ORGS = ["e1", "e2"], ["north", "south"]
CALLER = Caller(tenant="t1", client="c1", entities=frozenset(ENTITIES), orgs=frozenset(ORGS))


class TestPermission:
    """ACC-1."""

    @given(some.callers(permitted=False), st.none() | st.text(), st.none() | st.text())
    def test_without_the_permission_nothing_else_matters(
        self, caller: Caller, entity: str | None, orgs: str | None
    ) -> None:
        assert authorize(caller, entity, orgs) == PermissionDenied(REGENERATION_PERMISSION)


class TestEntities:
    """ACC-2: exactly one entity of the token, to be named where there are several."""

    @given(some.callers())
    def test_absent_it_must_be_clear(self, caller: Caller) -> None:
        scope = authorize(caller)
        if len(caller.entities) == 1:
            assert isinstance(scope, Scope)
            assert {scope.entity} == caller.entities
        else:
            assert scope == (EntityRequired() if caller.entities else EntityNotAccessible())

    @given(some.callers(), st.sampled_from(["e1", "e2", "e3", "", "e1,e2", "E1", " e1"]))
    def test_given_it_must_be_one_of_the_callers(self, caller: Caller, named: str) -> None:
        scope = authorize(caller, entity_ids=named)
        if named in caller.entities:
            assert isinstance(scope, Scope)
            assert (scope.tenant, scope.entity) == (caller.tenant, named)
        else:
            assert scope == EntityNotAccessible()


class TestOrgs:
    """ACC-3: a list within the caller's; absent, all of them."""

    @given(some.callers())
    def test_absent_all_count(self, caller: Caller) -> None:
        scope = authorize(evolve(caller, entities=frozenset({"e1"})))
        assert isinstance(scope, Scope)
        assert (scope.orgs, scope.requested_orgs) == (caller.orgs, None)

    @given(st.lists(st.sampled_from(ORGS), min_size=1), st.sampled_from([",", ", ", " ,\t"]))
    def test_a_repeated_one_counts_once(self, named: list[str], comma: str) -> None:
        scope = authorize(CALLER, "e1", comma.join(named))
        assert isinstance(scope, Scope)
        assert scope.orgs == scope.requested_orgs == frozenset(named)

    @pytest.mark.parametrize("named", ["", " ", ",", "north,", ",north", "north,,south", "east", "north,east", "North"])
    def test_an_empty_unknown_or_foreign_one_fails_the_request(self, named: str) -> None:
        assert authorize(CALLER, "e1", named) == OrgNotAccessible()

    def test_a_caller_without_orgs_may_not_send_the_header(self) -> None:
        assert authorize(evolve(CALLER, orgs=frozenset()), "e1", "north") == OrgNotAccessible()
