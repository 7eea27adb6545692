"""A small universe of documents, and the changes that happen to them between two loads.

Few ids, shared on purpose: the same document id and item ids occur under several types, entities and tenants, and one
edit takes a neighbour's item or number, so that whatever forgets a part of the key meets a collision. An edit that
makes no sense for a document gives it back as it is. Amounts, dates and texts vary little here; ``strategies`` has the
breadth.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from itertools import cycle, islice
from typing import Any, Final

from attrs import evolve

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

__all__ = ["EDITS", "SLOTS", "edited", "initial"]

_I, _C, _D = DocumentType.INVOICE, DocumentType.CREDIT_MEMO, DocumentType.DEBIT_MEMO
_A = DocumentType.INVOICE_ITEM_ADJUSTMENT


def _key(tenant: str, entity: str, kind: DocumentType, name: str) -> DocumentKey:
    return DocumentKey(tenant=tenant, entity=entity, type=kind, id=name)


SLOTS: Final[tuple[DocumentKey, ...]] = (
    _key("t1", "e1", _I, "d1"),
    _key("t1", "e1", _I, "d2"),
    _key("t1", "e1", _C, "d1"),
    _key("t1", "e1", _D, "d1"),
    _key("t1", "e1", _A, "d1"),
    _key("t1", "e2", _I, "d1"),
    _key("t2", "e1", _I, "d1"),
)
"""The documents of the universe: one id under four types, two entities and two tenants, and one neighbour."""

_MOST_ITEMS: Final = 4
"""Enough for items before, between and behind others; more would only make histories slower."""

_SOURCES: Final[dict[DocumentType, tuple[ItemSource | None, ...]]] = {
    _I: (ItemSource.SUBSCRIPTION, ItemSource.STANDALONE, ItemSource.ORDER_LINE_ITEM, None),
    _C: (
        ItemSource.SUBSCRIPTION,
        ItemSource.INVOICE,
        ItemSource.PRODUCT_RATE_PLAN_CHARGE,
        ItemSource.ORDER_LINE_ITEM,
        ItemSource.CREDIT_MEMO,
    ),
    _D: (ItemSource.CREDIT_MEMO, None),
    _A: (ItemSource.INVOICE, None),
}
_AMOUNTS: Final = tuple(map(Decimal, ("10.00", "0.10", "-10", "12345678901234567890.12", "0")))
_FACTS: Final[tuple[dict[str, Any], ...]] = (
    {},
    {"booking_amount": Decimal(-3)},
    {"booking_amount": Decimal(0)},
    {"booking_excluded": True},
    {"account_level_discount": True, "booking_excluded": False},
    {"calculated_charge_model": True},
    {"charge_deleted": True},
    {"processing_type": ProcessingType.DISCOUNT},
)
_UNTOLD: Final[dict[str, Any]] = {
    "booking_amount": None,
    "booking_excluded": None,
    "account_level_discount": None,
    "calculated_charge_model": None,
    "charge_deleted": None,
    "processing_type": ProcessingType.CHARGE,
}


def item_of(key: DocumentKey, item_id: str, amount: Decimal = Decimal(10)) -> BillingItem:
    """An item that is mapped, of the source that comes first for its type."""
    kind = AdjustmentKind.CREDIT if key.type is _A else None
    return BillingItem(id=item_id, amount=amount, source=_SOURCES[key.type][0], adjustment_kind=kind)


def initial(key: DocumentKey) -> BillingDocument:
    """A slot's document as it is loaded first: posted, without an organisation, two items (an adjustment: itself)."""
    header = DocumentHeader(
        key=key,
        number=f"N-{key.id}",
        status=POSTED_STATUS[key.type],
        date=date(2026, 1, 31),
        currency="EUR",
    )
    names = [key.id] if key.type is _A else [f"{key.id}-i1", f"{key.id}-i2"]
    return BillingDocument(header, tuple(item_of(key, name) for name in names))


def _with_item(document: BillingDocument, place: int, **changes: Any) -> BillingDocument:
    if not document.items:
        return document
    place %= len(document.items)
    items = list(document.items)
    items[place] = evolve(items[place], **changes)
    return evolve(document, items=tuple(items))


def _at(document: BillingDocument, place: int) -> BillingItem | None:
    return document.items[place % len(document.items)] if document.items else None


def _next(values: tuple[Any, ...], now: Any) -> Any:
    """The value after this one in a circle; the first where this one is none of them."""
    return next(islice(cycle(values), values.index(now) + 1, None)) if now in values else values[0]


def _drop(document: BillingDocument, place: int) -> BillingDocument:
    if document.type is _A or not document.items:
        return document
    place %= len(document.items)
    return evolve(document, items=document.items[:place] + document.items[place + 1 :])


def _add(document: BillingDocument, place: int) -> BillingDocument:
    taken = {item.id for item in document.items}
    free = [name for name in (f"{document.id}-i{n}" for n in range(1, _MOST_ITEMS + 1)) if name not in taken]
    if document.type is _A or not free:
        return document
    place %= len(document.items) + 1
    new = item_of(document.key, free[place % len(free)])
    return evolve(document, items=(*document.items[:place], new, *document.items[place:]))


def _turn(document: BillingDocument, _place: int) -> BillingDocument:
    return evolve(document, items=(*document.items[1:], *document.items[:1]))


def _empty(document: BillingDocument, _place: int) -> BillingDocument:
    return document if document.type is _A else evolve(document, items=())


def _amount(document: BillingDocument, place: int) -> BillingDocument:
    item = _at(document, place)
    return document if item is None else _with_item(document, place, amount=_next(_AMOUNTS, item.amount))


def _exclude(document: BillingDocument, place: int) -> BillingDocument:
    item = _at(document, place)
    if item is None:
        return document
    return _with_item(document, place, excluded_from_revenue=not item.excluded_from_revenue)


def _tax(document: BillingDocument, place: int) -> BillingDocument:
    item = _at(document, place)
    if item is None:
        return document
    return _with_item(document, place, processing_type=ProcessingType.CHARGE if item.is_tax else ProcessingType.TAX)


def _source(document: BillingDocument, place: int) -> BillingDocument:
    item = _at(document, place)
    if item is None:
        return document
    return _with_item(document, place, source=_next(_SOURCES[document.type], item.source))


def _fact(document: BillingDocument, place: int) -> BillingDocument:
    return _with_item(document, place, **{**_UNTOLD, **_FACTS[place % len(_FACTS)]})


def _category(document: BillingDocument, place: int) -> BillingDocument:
    item = _at(document, place)
    categories = (None, OrderLineCategory.SALES, OrderLineCategory.RETURN)
    if item is None:
        return document
    return _with_item(document, place, order_line_category=_next(categories, item.order_line_category))


def _kind(document: BillingDocument, place: int) -> BillingDocument:
    item = _at(document, place)
    if item is None or document.type is not _A:
        return document
    return _with_item(document, place, adjustment_kind=_next(tuple(AdjustmentKind), item.adjustment_kind))


def _status(document: BillingDocument, _place: int) -> BillingDocument:
    status = "Draft" if document.header.is_posted else POSTED_STATUS[document.type]
    return evolve(document, header=evolve(document.header, status=status))


def _org(document: BillingDocument, _place: int) -> BillingDocument:
    org = _next((None, "north", "south"), document.header.org)
    return evolve(document, header=evolve(document.header, org=org))


def _number(document: BillingDocument, _place: int) -> BillingDocument:
    number = _next(("N-d1", "N-d2", "N-d3"), document.header.number)
    return evolve(document, header=evolve(document.header, number=number))


def _reversal(document: BillingDocument, place: int) -> BillingDocument:
    told, reason = ((None, "Invoice reversal"), (None, "Credit memo reversal"), (True, None), (False, None))[place % 4]
    return evolve(document, header=evolve(document.header, from_reversal=told, reason_code=reason))


def _borrow(document: BillingDocument, place: int) -> BillingDocument:
    name = f"{'d2' if document.id == 'd1' else 'd1'}-i{1 + place % 2}"
    if document.type is _A or name in {item.id for item in document.items}:
        return document
    return evolve(document, items=(*document.items, item_of(document.key, name)))


def _mend(document: BillingDocument, _place: int) -> BillingDocument:
    return initial(document.key)


EDITS: Final[dict[str, Callable[[BillingDocument, int], BillingDocument]]] = {
    "drop an item": _drop,
    "add an item": _add,
    "move the first item to the end": _turn,
    "drop all items": _empty,
    "fix an amount": _amount,
    "exclude an item or not": _exclude,
    "make an item tax or not": _tax,
    "change an item's source": _source,
    "change a fact of an item": _fact,
    "change an item's category": _category,
    "turn the adjustment round": _kind,
    "unpost or post": _status,
    "change the organisation": _org,
    "change the number": _number,
    "change the reason": _reversal,
    "take a neighbour's item": _borrow,
    "mend everything": _mend,
}
"""What may happen to a document between two loads, by name."""


def edited(document: BillingDocument, edit: str, place: int) -> BillingDocument:
    """The document after an edit; ``place`` picks the item, the position or the value that it is about.

    >>> [item.id for item in edited(initial(SLOTS[0]), "drop an item", 0).items]
    ['d1-i2']
    """
    return EDITS[edit](document, place)
