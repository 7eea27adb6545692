"""Revenue transaction type and standalone of an item: the rows of MAP as data, evaluated top down.

Owns which facts a row reads and what is assumed where a fact was not told (MAP-S, MAP-R, FCT-1 … FCT-4). An item that
no row covers has no mapping (MAP-U); a guess would put a wrong line into a revenue subledger. Source: *Billing
transaction type mapping*; the rows marked so in the register are interpretation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import IntFlag, unique
from typing import Final

from attrs import frozen

from regen_core.documents import (
    AdjustmentKind,
    Assumption,
    BillingItem,
    DocumentHeader,
    DocumentType,
    ItemSource,
    OrderLineCategory,
    ProcessingType,
)
from regen_core.transactions import RevenueType

__all__ = [
    "CONDITION_WORDS",
    "Condition",
    "MAPPING_ROWS",
    "MappingRow",
    "REVERSAL_REASON_CODES",
    "assumptions_of",
    "map_item",
    "mapping_of",
    "unmapped_because",
]

REVERSAL_REASON_CODES: Final[Mapping[DocumentType, str]] = {
    DocumentType.CREDIT_MEMO: "Invoice reversal",
    DocumentType.DEBIT_MEMO: "Credit memo reversal",
}
"""Zuora's default reason codes of memos that come from a reversal (MAP-R)."""


@unique
class Condition(IntFlag):
    """What a row asks of an item beyond document type and source: a bit each, so that facts are one number."""

    ALWAYS = 1
    BOOKING_EXCLUDED_OR_ACCOUNT_LEVEL_DISCOUNT = 2
    CALCULATED_CHARGE_MODEL = 4
    CHARGE_DELETED = 8
    SAME_SIGN = 16
    DIFFERENT_SIGN = 32
    SALES = 64
    RETURN = 128
    FROM_REVERSAL = 256


def _is_from_reversal(header: DocumentHeader) -> bool:
    """Whether a memo comes from a reversal: told, else by Zuora's default reason code, else not (MAP-R)."""
    if header.from_reversal is None:
        return header.reason_code is not None and header.reason_code == REVERSAL_REASON_CODES.get(header.key.type)
    return header.from_reversal


def _signs_differ(kind: DocumentType, item: BillingItem) -> bool:
    """Whether billed and booking amount have different signs; zero has none and never differs (MAP-A, MAP-S)."""
    billed, booking = item.amount, item.booking_amount
    if not billed:
        return False
    if booking is None:
        booked_below_zero = item.processing_type is _DISCOUNT
    elif booking:
        booked_below_zero = booking < 0
    else:
        return False
    is_negated = kind is _CREDIT_MEMO or item.adjustment_kind is _CREDIT
    return ((billed < 0) is not is_negated) is not booked_below_zero


_DISCOUNT: Final = ProcessingType.DISCOUNT
_SALE: Final = OrderLineCategory.SALES
_CREDIT_MEMO: Final = DocumentType.CREDIT_MEMO
_CREDIT: Final = AdjustmentKind.CREDIT
_SAME_SIGN: Final = int(Condition.ALWAYS | Condition.SAME_SIGN)
_DIFFERENT_SIGN: Final = int(Condition.ALWAYS | Condition.DIFFERENT_SIGN)
_SET_APART: Final = int(Condition.BOOKING_EXCLUDED_OR_ACCOUNT_LEVEL_DISCOUNT)
_CALCULATED: Final = int(Condition.CALCULATED_CHARGE_MODEL)
_DELETED: Final = int(Condition.CHARGE_DELETED)
_SALES: Final = int(Condition.SALES)
_RETURN: Final = int(Condition.RETURN)
_FROM_REVERSAL: Final = int(Condition.FROM_REVERSAL)

CONDITION_WORDS: Final[Mapping[Condition, str]] = {
    Condition.ALWAYS: "–",
    Condition.BOOKING_EXCLUDED_OR_ACCOUNT_LEVEL_DISCOUNT: "booking excluded, or an account-level discount charge",
    Condition.CALCULATED_CHARGE_MODEL: "calculated charge model",
    Condition.CHARGE_DELETED: "subscription or charge deleted",
    Condition.SAME_SIGN: "billed and booked with the same sign",
    Condition.DIFFERENT_SIGN: "billed and booked with different signs",
    Condition.SALES: "item category Sales",
    Condition.RETURN: "item category Return",
    Condition.FROM_REVERSAL: "from a reversal",
}
"""The conditions in the words of the mapping table."""


@frozen
class MappingRow:
    """A row of MAP; ``source`` ``None`` means any source."""

    id: str
    documents: tuple[DocumentType, ...]
    source: ItemSource | None
    condition: Condition
    revenue_type: RevenueType
    standalone: bool


_I, _C, _D = DocumentType.INVOICE, DocumentType.CREDIT_MEMO, DocumentType.DEBIT_MEMO
_ADJUSTMENT = DocumentType.INVOICE_ITEM_ADJUSTMENT
_INV, _CM_C, _CM_RO = RevenueType.INV, RevenueType.CM_C, RevenueType.CM_RO
_APART = Condition.BOOKING_EXCLUDED_OR_ACCOUNT_LEVEL_DISCOUNT
_SUBSCRIPTION, _ORDER_LINE = ItemSource.SUBSCRIPTION, ItemSource.ORDER_LINE_ITEM

# MAP-D: for the overview a credit memo is always standalone. These rows follow the page about the mapping.
MAPPING_ROWS: Final[tuple[MappingRow, ...]] = (
    MappingRow("MAP-1", (_I, _C), None, _APART, _INV, True),
    MappingRow("MAP-2", (_I, _C), None, Condition.CALCULATED_CHARGE_MODEL, _INV, True),
    MappingRow("MAP-3", (_I, _C), None, Condition.CHARGE_DELETED, _INV, True),
    MappingRow("MAP-4", (_I,), _SUBSCRIPTION, Condition.SAME_SIGN, _INV, False),
    MappingRow("MAP-5", (_I,), _SUBSCRIPTION, Condition.DIFFERENT_SIGN, _CM_C, False),
    MappingRow("MAP-6", (_I,), ItemSource.STANDALONE, Condition.ALWAYS, _INV, True),
    MappingRow("MAP-7", (_I,), _ORDER_LINE, Condition.SALES, _INV, False),
    MappingRow("MAP-8", (_C,), _SUBSCRIPTION, Condition.SAME_SIGN, _INV, False),
    MappingRow("MAP-9", (_C,), _SUBSCRIPTION, Condition.DIFFERENT_SIGN, _CM_C, False),
    MappingRow("MAP-10", (_C,), ItemSource.INVOICE, Condition.FROM_REVERSAL, _CM_C, False),
    MappingRow("MAP-11", (_C,), ItemSource.INVOICE, Condition.ALWAYS, _INV, True),
    MappingRow("MAP-12", (_C,), ItemSource.PRODUCT_RATE_PLAN_CHARGE, Condition.ALWAYS, _INV, True),
    MappingRow("MAP-13", (_C,), _ORDER_LINE, Condition.RETURN, _CM_RO, False),
    MappingRow("MAP-14", (_D,), None, Condition.FROM_REVERSAL, _CM_C, False),
    MappingRow("MAP-15", (_D,), None, Condition.ALWAYS, _INV, True),
    MappingRow("MAP-16", (_ADJUSTMENT,), None, Condition.ALWAYS, _INV, True),
)
"""MAP, top down: the first row whose document, source and condition hold is the item's mapping."""


def _rows_for(kind: DocumentType, source: ItemSource | None) -> tuple[MappingRow, ...]:
    return tuple(row for row in MAPPING_ROWS if kind in row.documents and row.source in (None, source))


_ROWS: Final[dict[DocumentType, dict[ItemSource | None, tuple[tuple[int, MappingRow], ...]]]] = {
    kind: {
        source: tuple((int(row.condition), row) for row in _rows_for(kind, source)) for source in (None, *ItemSource)
    }
    for kind in DocumentType
}


def mapping_of(header: DocumentHeader) -> Callable[[BillingItem], MappingRow | None]:
    """The function from an item of the document to its row of MAP; it reads the header once."""
    kind = header.key.type
    rows_of, of_header = _ROWS[kind], _FROM_REVERSAL if _is_from_reversal(header) else 0

    def of_item(item: BillingItem) -> MappingRow | None:
        facts = of_header | (_DIFFERENT_SIGN if _signs_differ(kind, item) else _SAME_SIGN)
        if item.booking_excluded or item.account_level_discount:
            facts |= _SET_APART
        if item.calculated_charge_model:
            facts |= _CALCULATED
        if item.charge_deleted:
            facts |= _DELETED
        if item.order_line_category is not None:
            facts |= _SALES if item.order_line_category is _SALE else _RETURN
        for condition, row in rows_of[item.source]:
            if facts & condition:
                return row
        return None

    return of_item


def map_item(header: DocumentHeader, item: BillingItem) -> MappingRow | None:
    """The first row of MAP that covers the item, or ``None`` when no row does (MAP-U).

    >>> from datetime import date; from decimal import Decimal; from regen_core.documents import DocumentKey
    >>> key = DocumentKey(tenant="t", entity="e", type=DocumentType.INVOICE, id="8ad08d29")
    >>> header = DocumentHeader(key=key, number="INV-1", status="Posted", date=date(2026, 1, 31), currency="EUR")
    >>> map_item(header, BillingItem(id="i1", amount=Decimal("-5"), source=ItemSource.SUBSCRIPTION)).id
    'MAP-5'
    """
    return mapping_of(header)(item)


def _not_told(header: DocumentHeader, item: BillingItem) -> Mapping[Condition, tuple[Assumption, ...]]:
    """By condition, the facts that it reads and that were not told, with what is taken for them."""
    told: list[tuple[object, Assumption]] = [
        (item.booking_excluded, Assumption("booking excluded", "no", "FCT-1")),
        (item.account_level_discount, Assumption("account-level discount", "no", "FCT-2")),
        (item.calculated_charge_model, Assumption("calculated charge model", "no", "FCT-3")),
        (item.charge_deleted, Assumption("subscription or charge deleted", "no", "FCT-4")),
        (item.booking_amount, Assumption("sign of the booking amount", _assumed_sign(item), "MAP-S")),
        (header.from_reversal, Assumption("from a reversal", _assumed_reversal(header), "MAP-R")),
    ]
    missing = [(assumption,) if fact is None else () for fact, assumption in told]
    return {
        Condition.BOOKING_EXCLUDED_OR_ACCOUNT_LEVEL_DISCOUNT: (*missing[0], *missing[1]),
        Condition.CALCULATED_CHARGE_MODEL: missing[2],
        Condition.CHARGE_DELETED: missing[3],
        Condition.SAME_SIGN: missing[4],
        Condition.DIFFERENT_SIGN: missing[4],
        Condition.FROM_REVERSAL: missing[5],
    }


def _assumed_sign(item: BillingItem) -> str:
    return "negative, a discount" if item.processing_type is ProcessingType.DISCOUNT else "positive"


def _assumed_reversal(header: DocumentHeader) -> str:
    expected = REVERSAL_REASON_CODES.get(header.key.type)
    if expected is not None and header.reason_code == expected:
        return f"yes, by the reason code {expected!r}"
    return "no"


def assumptions_of(header: DocumentHeader, item: BillingItem) -> tuple[Assumption, ...]:
    """The facts that were not told, among those that were asked on the way to the item's row, each with its rule."""
    not_told, chosen = _not_told(header, item), map_item(header, item)
    found: dict[str, Assumption] = {each.fact: each for each in (*header.assumed, *item.assumed)}
    for row in _rows_for(header.key.type, item.source):
        found.update((each.fact, each) for each in not_told.get(row.condition, ()))
        if row is chosen:
            break
    return tuple(found.values())


def unmapped_because(header: DocumentHeader, item: BillingItem) -> str:
    """What no row of MAP covers in this item, as a sentence for people (MAP-U)."""
    kind = header.key.type.value
    if item.source is None:
        return f"where the {kind} item comes from is not told; give 'source' in its companion fields"
    if item.source is ItemSource.ORDER_LINE_ITEM:
        if item.order_line_category is None:
            return "the category of the order line item is not told; give 'orderLineItemCategory' (Sales or Return)"
        category = item.order_line_category.value
        return f"no row maps an order line item of category {category} on a document of type {kind}"
    return f"no row maps a document of type {kind} with an item whose source is: {item.source.value}"
