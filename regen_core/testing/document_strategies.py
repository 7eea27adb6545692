"""Hypothesis strategies for billing documents: valid by construction, few ids, simple draws first.

What is *not* generated is said in :mod:`regen_core.testing.strategies`, which is the module to import. A strategy over
many prepared values is one draw by index: a draw per fact would take most of the time of a test.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from itertools import permutations, product
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

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
from regen_core.testing.edits import EDITS, edited

__all__ = ["ITEM_IDS", "amounts", "any_of", "document_keys", "documents", "headers", "histories", "items", "names"]

T = TypeVar("T")

_ADJUSTMENT = DocumentType.INVOICE_ITEM_ADJUSTMENT
ITEM_IDS = tuple(f"i{number}" for number in range(1, 5))
_MAPPABLE_SOURCES = {
    DocumentType.INVOICE: (ItemSource.SUBSCRIPTION, ItemSource.STANDALONE),
    DocumentType.CREDIT_MEMO: (ItemSource.SUBSCRIPTION, ItemSource.INVOICE, ItemSource.PRODUCT_RATE_PLAN_CHARGE),
    DocumentType.DEBIT_MEMO: tuple(ItemSource),
    _ADJUSTMENT: tuple(ItemSource),
}


def any_of(values: Sequence[T]) -> SearchStrategy[T]:
    """As ``sampled_from``, without its cost per value."""
    return st.integers(0, len(values) - 1).map(values.__getitem__)


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


@st.composite
def document_keys(draw: DrawFn, *, type: DocumentType | None = None, tenant: str | None = None) -> DocumentKey:  # noqa: A002
    """Keys over two tenants, two entities, four types and three ids."""
    return draw(_keys(type, tenant))


@lru_cache
def _keys(kind: DocumentType | None, tenant: str | None) -> SearchStrategy[DocumentKey]:
    kinds = tuple(DocumentType) if kind is None else (kind,)
    tenants = ("t1", "t2") if tenant is None else (tenant,)
    parts = product(tenants, ("e1", "e2"), ("d1", "d2", "d3"), kinds)
    return any_of([DocumentKey(tenant=a, entity=b, id=c, type=d) for a, b, c, d in parts])


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
    return any_of(
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
    return any_of(flavours)


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
    return BillingItem(id=id or draw(st.sampled_from(ITEM_IDS)), amount=draw(amounts()), **flavour)


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
    return any_of([order for count in range(least, most + 1) for order in permutations(ITEM_IDS, count)])


@st.composite
def histories(draw: DrawFn, *, first: BillingDocument | None = None, max_changes: int = 4) -> list[BillingDocument]:
    """One document as it is loaded again and again: items go and come back, amounts are fixed, and the like."""
    versions = [first or draw(documents())]
    for edit in draw(st.lists(st.sampled_from(tuple(EDITS)), max_size=max_changes)):
        versions.append(edited(versions[-1], edit, draw(st.integers(0, 7))))
    return versions
