"""Hypothesis strategies for the core's values: valid by construction, from small universes of ids so that they collide.

Options are keyword-only, and one that is left out is drawn. Simple draws mean simple values: an invoice with one posted
subscription item, never sent. What is *not* generated: odd names other than by :func:`names`, amounts beyond sixteen
digits, currencies beyond three, carried fields, assumptions of a reader, documents with more than four items, revisions
above four, more than three deliveries of one transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from itertools import permutations, product
from typing import Any, TypeVar

from attrs import evolve
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from regen_core.access import REGENERATION_PERMISSION, Caller, Scope
from regen_core.decision_table import RegenerateFlag, SendAction
from regen_core.documents import (
    POSTED_STATUS,
    AdjustmentKind,
    BillingDocument,
    BillingItem,
    DocumentHeader,
    DocumentKey,
    DocumentType,
    ItemSource,
    OrderLineCategory,
    ProcessingType,
)
from regen_core.request import RegenerateRequest
from regen_core.revenue import Delivery, Held, HeldAs, RevenueLedger
from regen_core.testing.edits import EDITS, edited
from regen_core.transactions import (
    BillingTransaction,
    Occasion,
    RevenueType,
    StoredTransaction,
    StoredTransactions,
    TransactionState,
    transaction_id,
)
from regen_core.type_mapping import map_item

__all__ = [
    "amounts",
    "callers",
    "deliveries",
    "document_keys",
    "documents",
    "flags",
    "headers",
    "histories",
    "items",
    "ledgers",
    "names",
    "occasions",
    "requests",
    "scopes",
    "stored_transactions",
]

T = TypeVar("T")

_ADJUSTMENT = DocumentType.INVOICE_ITEM_ADJUSTMENT
_ITEM_IDS = tuple(f"i{number}" for number in range(1, 5))
_MAPPABLE_SOURCES = {
    DocumentType.INVOICE: (ItemSource.SUBSCRIPTION, ItemSource.STANDALONE),
    DocumentType.CREDIT_MEMO: (ItemSource.SUBSCRIPTION, ItemSource.INVOICE, ItemSource.PRODUCT_RATE_PLAN_CHARGE),
    DocumentType.DEBIT_MEMO: tuple(ItemSource),
    _ADJUSTMENT: tuple(ItemSource),
}


def names() -> SearchStrategy[str]:
    """Well-formed ids, numbers and organisations: any text that REQ-7 allows, up to the longest."""
    characters = st.characters(exclude_categories=("Cc", "Cs"))
    return st.text(characters, min_size=1, max_size=255).filter(lambda text: not text.isspace())


def amounts() -> SearchStrategy[Decimal]:
    """Finite amounts of either sign, zero of either sign too, with up to four places."""
    return _AMOUNTS


_AMOUNTS = st.one_of(
    st.sampled_from(tuple(map(Decimal, ("10.00", "-10", "0", "-0", "0.0001", "-123456789012.3456")))),
    st.integers(-(10**12), 10**12).map(lambda cents: Decimal(cents).scaleb(-2)),
)


def flags(*, conflicting: bool = False) -> SearchStrategy[tuple[bool, bool]]:
    """onlyReSend and reMigrate; both true only when asked for."""
    allowed = [(False, False), (False, True), (True, False), (True, True)]
    return st.sampled_from(allowed if conflicting else allowed[:3])


@st.composite
def document_keys(draw: DrawFn, *, type: DocumentType | None = None, tenant: str | None = None) -> DocumentKey:  # noqa: A002
    """Keys over two tenants, two entities, four types and three ids."""
    return draw(_keys(type, tenant))


@lru_cache
def _keys(kind: DocumentType | None, tenant: str | None) -> SearchStrategy[DocumentKey]:
    kinds = tuple(DocumentType) if kind is None else (kind,)
    tenants = ("t1", "t2") if tenant is None else (tenant,)
    parts = product(tenants, ("e1", "e2"), ("d1", "d2", "d3"), kinds)
    return _any_of([DocumentKey(tenant=a, entity=b, id=c, type=d) for a, b, c, d in parts])


@st.composite
def headers(draw: DrawFn, *, key: DocumentKey | None = None, posted: bool | None = None) -> DocumentHeader:
    """Headers; ``posted`` ``None`` draws whether the document is."""
    key = key or draw(document_keys())
    fates = (True, True, True, False) if posted is None else (posted,)
    return DocumentHeader(key=key, **draw(_header_facts(key.type, fates)))


@lru_cache
def _header_facts(kind: DocumentType, fates: tuple[bool, ...]) -> SearchStrategy[dict[str, Any]]:
    parts = product(
        ("N-1", "N-2", "N-3"),
        (None, "north", "south"),
        [status for fate in fates for status in ((POSTED_STATUS[kind],) if fate else ("Draft", "posted"))],
        ((date(2026, 1, 31), "EUR"), (date(2024, 2, 29), "USD"), (date(2026, 12, 31), "JPY")),
        (None, True, False),
        (None, "Invoice reversal", "Credit memo reversal", "Other"),
    )
    return _any_of(
        [
            {
                "number": number,
                "org": org,
                "status": status,
                "date": when,
                "currency": currency,
                "from_reversal": told,
                "reason_code": reason,
            }
            for number, org, status, (when, currency), told, reason in parts
        ]
    )


_FACTS: tuple[dict[str, Any], ...] = (
    {},
    {},
    {},
    dict.fromkeys(("booking_excluded", "account_level_discount", "calculated_charge_model", "charge_deleted"), False),
    {"booking_excluded": True},
    {"account_level_discount": True, "charge_deleted": True},
    {"calculated_charge_model": True},
    {"charge_deleted": True, "calculated_charge_model": False},
)
_BOOKED = (None, Decimal(3), Decimal(-3), Decimal(0))
_PROCESSING = (ProcessingType.CHARGE, ProcessingType.DISCOUNT, ProcessingType.OTHER, ProcessingType.TAX)


@lru_cache
def _flavours(
    kind: DocumentType, mappable: bool | None, excluded: bool | None, tax: bool | None
) -> SearchStrategy[dict[str, Any]]:
    """All that an item can be beside its id and amount, simple ones first: one draw instead of ten."""
    sources = (ItemSource.SUBSCRIPTION, *[each for each in ItemSource if each is not ItemSource.SUBSCRIPTION], None)
    parts = product(
        sources,
        _FACTS,
        _PROCESSING,
        (False, True) if excluded is None else (excluded,),
        _BOOKED,
        (None, *OrderLineCategory),
        AdjustmentKind if kind is _ADJUSTMENT else (None,),
    )
    names_of_parts = ("source", "processing_type", "excluded_from_revenue", "booking_amount", "order_line_category")
    flavours = []
    for source, facts, processing, out, booked, category, adjustment in parts:
        fits = tax is None or tax is (processing is ProcessingType.TAX)
        if fits and mappable in (None, _is_mappable(kind, source, facts, category)):
            told = dict(zip(names_of_parts, (source, processing, out, booked, category), strict=True))
            flavours.append({**told, **facts, "adjustment_kind": adjustment})
    return _any_of(flavours)


def _any_of(values: Sequence[T]) -> SearchStrategy[T]:
    """As ``sampled_from``, without its cost per value."""
    return st.integers(0, len(values) - 1).map(values.__getitem__)


def _is_mappable(
    kind: DocumentType, source: ItemSource | None, facts: dict[str, Any], category: OrderLineCategory | None
) -> bool:
    if kind in {DocumentType.DEBIT_MEMO, _ADJUSTMENT} or any(facts.values()):
        return True
    if source is ItemSource.ORDER_LINE_ITEM:
        return category is (OrderLineCategory.SALES if kind is DocumentType.INVOICE else OrderLineCategory.RETURN)
    return source in _MAPPABLE_SOURCES[kind]


@st.composite
def items(
    draw: DrawFn,
    *,
    type: DocumentType = DocumentType.INVOICE,  # noqa: A002
    id: str | None = None,  # noqa: A002
    mappable: bool | None = None,
    excluded: bool | None = None,
    tax: bool | None = None,
) -> BillingItem:
    """Items of a type; ``mappable`` true draws only what a row of MAP covers, false only what none does.

    Adjustments and debit memos are always mappable.
    """
    flavour = draw(_flavours(type, mappable, excluded, tax))
    return BillingItem(id=id or draw(st.sampled_from(_ITEM_IDS)), amount=draw(amounts()), **flavour)


@st.composite
def documents(
    draw: DrawFn,
    *,
    key: DocumentKey | None = None,
    type: DocumentType | None = None,  # noqa: A002
    posted: bool | None = True,
    mappable: bool | None = True,
    excluded: bool | None = None,
    tax: bool | None = None,
    min_items: int = 0,
    max_items: int = 3,
) -> BillingDocument:
    """Documents of all four types; the options of items hold for each item, ``None`` mixes."""
    key = key or draw(document_keys(type=type))
    header = draw(headers(key=key, posted=posted))
    options = {"mappable": mappable, "excluded": excluded, "tax": tax}
    if key.type is _ADJUSTMENT:
        return BillingDocument(header, (draw(items(type=key.type, id=key.id, **options)),))
    ids = draw(_orders(min_items, max_items))
    return BillingDocument(header, tuple(draw(items(type=key.type, id=each, **options)) for each in ids))


@lru_cache
def _orders(least: int, most: int) -> SearchStrategy[tuple[str, ...]]:
    """Some of the item ids in some order, few before many."""
    return _any_of([order for count in range(least, most + 1) for order in permutations(_ITEM_IDS, count)])


@st.composite
def histories(draw: DrawFn, *, first: BillingDocument | None = None, max_changes: int = 4) -> list[BillingDocument]:
    """One document as it is loaded again and again: items go and come back, amounts are fixed, and the like."""
    versions = [first or draw(documents())]
    for edit in draw(st.lists(st.sampled_from(tuple(EDITS)), max_size=max_changes)):
        versions.append(edited(versions[-1], edit, draw(st.integers(0, 7))))
    return versions


def occasions() -> SearchStrategy[Occasion | None]:
    """When and by whom, or not told."""
    return _OCCASIONS


_OCCASIONS = st.sampled_from([None, *[Occasion(datetime(2026, 1, day, tzinfo=UTC), "someone") for day in (1, 2, 3)]])


@st.composite
def requests(
    draw: DrawFn,
    *,
    document: BillingDocument | None = None,
    only_re_send: bool | None = None,
    re_migrate: bool | None = None,
    conflicting: bool = False,
) -> RegenerateRequest:
    """Requests that name the document by id, by number or by both; without a document, any well-formed name.

    A flag that is left out is drawn; both true only with ``conflicting``.
    """
    drawn = draw(flags(conflicting=conflicting))
    if document is None:
        kind, given = draw(st.sampled_from(DocumentType)), (draw(names()), draw(names()))
    else:
        kind, given = document.type, (document.id, document.header.number)
    by_id, by_number = draw(st.sampled_from([(given[0], None), (None, given[1]), given]))
    return RegenerateRequest(
        type=kind,
        id=by_id,
        number=by_number,
        only_re_send=drawn[0] if only_re_send is None else only_re_send,
        re_migrate=drawn[1] if re_migrate is None else re_migrate,
    )


@st.composite
def stored_transactions(
    draw: DrawFn, *, document: BillingDocument, complete: bool = False, deliveries: int | None = None
) -> StoredTransactions:
    """What could be stored for a document: of its items some, of items that are gone some, voided, excluded, ever sent.

    ``complete`` stores every item and nothing else, in document order; ``deliveries`` fixes how often each was sent.
    """
    by_id = {item.id: item for item in document.revenue_items}
    gone = () if document.type is _ADJUSTMENT or complete else tuple(each for each in _ITEM_IDS if each not in by_id)
    known = tuple(by_id) if complete else draw(_subsets((*by_id, *gone)))
    lines = []
    for item_id in known:
        item = by_id.get(item_id) or draw(items(type=document.type, id=item_id, tax=False))
        how, when, sent = draw(_HOW_STORED), draw(occasions()), draw(st.integers(0, 3))
        transaction = _transaction(document.header, evolve(item, **how["item"]), when, **how["transaction"])
        lines.append(StoredTransaction(transaction, sent if deliveries is None else deliveries))
    return StoredTransactions(tuple(lines))


@lru_cache
def _subsets(ids: tuple[str, ...]) -> SearchStrategy[tuple[str, ...]]:
    return _any_of([order for count in range(min(len(ids), 3) + 1) for order in permutations(ids, count)])


_STORED: tuple[dict[str, dict[str, Any]], ...] = tuple(
    {"item": changed, "transaction": {"revision": revision, "state": state}}
    for changed in ({}, {"amount": Decimal("7.77")}, {"excluded_from_revenue": True}, {"excluded_from_revenue": False})
    for state, revisions in ((TransactionState.ACTIVE, (1, 2, 4)), (TransactionState.VOIDED, (2, 3)))
    for revision in revisions
)
"""How what is stored can differ from what the item generates now."""
_HOW_STORED = _any_of(_STORED)


def _transaction(
    header: DocumentHeader, item: BillingItem, when: Occasion | None, revision: int, state: TransactionState
) -> BillingTransaction:
    row = map_item(header, item)
    return BillingTransaction(
        id=transaction_id(header.key, item.id),
        header=header,
        item=item,
        revenue_type=RevenueType.INV if row is None else row.revenue_type,
        standalone=row is None or row.standalone,
        revision=revision,
        state=state,
        created=when,
        updated=when,
    )


@st.composite
def deliveries(draw: DrawFn, *, transaction: BillingTransaction, number: int | None = None) -> Delivery:
    """A delivery of one transaction with either flag, a line or a void."""
    return Delivery(
        transaction,
        number or draw(st.integers(1, 3)),
        draw(st.sampled_from(RegenerateFlag)),
        draw(st.sampled_from([SendAction.LINE, SendAction.VOID])),
    )


@st.composite
def ledgers(draw: DrawFn, *, stored: StoredTransactions) -> RevenueLedger:
    """Any Revenue that CNV-3 allows: for what was ever sent, nothing or anything at a revision that isn't newer."""
    ledger = RevenueLedger()
    for line in stored.lines:
        if line.deliveries and draw(st.booleans()):
            now = line.transaction
            altered = evolve(
                now,
                revision=draw(st.integers(1, now.revision)),
                item=evolve(now.item, amount=draw(st.just(now.item.amount) | amounts())),
            )
            held = Held(altered, draw(st.sampled_from(HeldAs)))
            ledger = RevenueLedger(ledger.held.put(now.id, held))
    return ledger


@st.composite
def callers(draw: DrawFn, *, permitted: bool = True) -> Caller:
    """Clients of either tenant with some entities and organisations."""
    return Caller(
        tenant=draw(st.sampled_from(["t1", "t2"])),
        client=draw(st.sampled_from(["c1", "c2"])),
        entities=draw(st.frozensets(st.sampled_from(["e1", "e2"]))),
        orgs=draw(st.frozensets(st.sampled_from(["north", "south", "east"]))),
        permissions=frozenset({REGENERATION_PERMISSION} if permitted else set()),
    )


@st.composite
def scopes(draw: DrawFn, *, seeing: BillingDocument | None = None) -> Scope:
    """Scopes over the small universe; with ``seeing`` only those that show this document."""
    orgs = draw(st.none() | st.frozensets(st.sampled_from(["north", "south"])))
    if seeing is None:
        return Scope(tenant=draw(st.sampled_from(["t1", "t2"])), entity=draw(st.sampled_from(["e1", "e2"])), orgs=orgs)
    org = seeing.header.org
    if orgs is not None and org is not None:
        orgs |= {org}
    return Scope(tenant=seeing.key.tenant, entity=seeing.key.entity, orgs=orgs)
