"""Billing documents as frozen values: what Zuora Billing posted, and the facts that the rules read of it.

Owns the four document types, their items and the identity of a document. It knows no rule that decides, no JSON and no
store. A fact that Zuora's REST shapes leave out is ``None`` here: *not told*. What is assumed in its place is a rule
(FCT-1 … FCT-4, MAP-S, MAP-R), applied where it is needed and shown where it was used.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import Enum, unique
from functools import cached_property
from typing import Any

import attrs
from attrs import field, frozen

__all__ = [
    "AdjustmentKind",
    "Assumption",
    "BillingDocument",
    "BillingItem",
    "CarriedFields",
    "DocumentHeader",
    "DocumentKey",
    "DocumentType",
    "ItemSource",
    "MAX_NAME_LENGTH",
    "OrderLineCategory",
    "POSTED_STATUS",
    "ProcessingType",
    "name_fault",
]

MAX_NAME_LENGTH = 255
"""Longest id, number or organisation in characters: Zuora's own ids have 32 or 36, its numbers at most 255 (REQ-7)."""


@unique
class DocumentType(Enum):
    """The four billing documents that have billing transactions (REQ-2, *Regenerate billing transactions*).

    >>> DocumentType("CreditMemo")
    <DocumentType.CREDIT_MEMO: 'CreditMemo'>
    """

    INVOICE = "Invoice"
    CREDIT_MEMO = "CreditMemo"
    DEBIT_MEMO = "DebitMemo"
    INVOICE_ITEM_ADJUSTMENT = "InvoiceItemAdjustment"

    __hash__ = object.__hash__  # members are unique objects; Enum's own hash is a Python call on the hot path


POSTED_STATUS: Mapping[DocumentType, str] = {
    DocumentType.INVOICE: "Posted",
    DocumentType.CREDIT_MEMO: "Posted",
    DocumentType.DEBIT_MEMO: "Posted",
    DocumentType.INVOICE_ITEM_ADJUSTMENT: "Processed",
}
"""The one status per type in which a document may have transactions (ELI-1)."""


@unique
class ItemSource(Enum):
    """What an item was billed from, as the type mapping distinguishes it (MAP)."""

    SUBSCRIPTION = "subscription"
    STANDALONE = "standalone"
    ORDER_LINE_ITEM = "order line item"
    INVOICE = "invoice"
    PRODUCT_RATE_PLAN_CHARGE = "product rate plan charge"
    CREDIT_MEMO = "credit memo"

    __hash__ = object.__hash__  # as DocumentType


@unique
class ProcessingType(Enum):
    """The part an item plays in its document; all that Zuora names beyond these are ``OTHER`` (FCT-8)."""

    CHARGE = "Charge"
    DISCOUNT = "Discount"
    TAX = "Tax"
    OTHER = "Other"


@unique
class OrderLineCategory(Enum):
    """Whether an order line item sells or takes back (MAP-7, MAP-13)."""

    SALES = "Sales"
    RETURN = "Return"


@unique
class AdjustmentKind(Enum):
    """Whether an invoice item adjustment lowers or raises what is owed (MAP-A)."""

    CREDIT = "Credit"
    CHARGE = "Charge"


def name_fault(text: object) -> str | None:
    """What is wrong with an id, a number or an organisation, or ``None`` when it is well formed (REQ-7, REQ-14).

    >>> name_fault("INV-1") is None
    True
    >>> name_fault("INV\\n1")
    'holds the control character U+000A'
    """
    if not isinstance(text, str):
        return f"is a {type(text).__name__}, not text"
    if text.isprintable() and not text.isspace() and 0 < len(text) <= MAX_NAME_LENGTH:
        return None
    if not text or text.isspace():
        return "is blank"
    if len(text) > MAX_NAME_LENGTH:
        return f"has {len(text)} characters; at most {MAX_NAME_LENGTH} are allowed"
    for character in text:
        if ord(character) < 0x20 or 0x7F <= ord(character) < 0xA0:
            return f"holds the control character U+{ord(character):04X}"
        if 0xD800 <= ord(character) <= 0xDFFF:
            return f"holds the lone surrogate U+{ord(character):04X}"
    return None


def _text(_: object, attribute: attrs.Attribute[Any], value: str | None) -> None:
    """Any text that every store can hold: without NUL and lone surrogates (REQ-14)."""
    if value is None and attribute.metadata.get("optional"):
        return
    if not isinstance(value, str):
        raise TypeError(f"{attribute.name} is a {type(value).__name__}; it is text")
    for character in value:
        if character == "\x00" or "\ud800" <= character <= "\udfff":
            raise ValueError(f"{attribute.name} holds U+{ord(character):04X}, which no database keeps; remove it")


def _name(_: object, attribute: attrs.Attribute[Any], value: str | None) -> None:
    if value is None and attribute.metadata.get("optional"):
        return
    fault = name_fault(value)
    if fault is not None:
        raise ValueError(f"{attribute.name} {fault}")


def _amount(_: object, attribute: attrs.Attribute[Any], value: Decimal | None) -> None:
    if value is None and attribute.metadata.get("optional"):
        return
    if not isinstance(value, Decimal):
        raise TypeError(f"{attribute.name} is a {type(value).__name__}; an amount is a decimal.Decimal")
    if not value.is_finite():
        raise ValueError(f"{attribute.name} is {value}; an amount is finite")


_OPTIONAL = {"optional": True}


@frozen
class CarriedFields:
    """The fields of a Zuora REST object as they came, for the flat row and for display; no rule reads them.

    ``text`` is one JSON object in canonical form. Text is immutable, hashable and cheap to share, compare and store.

    >>> CarriedFields('{"accountName":"Acme"}').fields["accountName"]
    'Acme'
    """

    text: str = "{}"

    @cached_property
    def fields(self) -> Mapping[str, Any]:
        """The fields as parsed JSON; numbers with a fraction or an exponent are ``Decimal``."""
        parsed: dict[str, Any] = json.loads(self.text, parse_float=Decimal)
        return parsed


_NOTHING_CARRIED = CarriedFields()


@frozen
class Assumption:
    """A fact that was not told and what was taken for it, with the rule that says so."""

    fact: str
    value: str
    rule_id: str


@frozen(kw_only=True)
class DocumentKey:
    """What identifies a billing document: tenant, entity, type and id, each matched exactly (REQ-7, TBL-I).

    >>> key = DocumentKey(tenant="t", entity="e", type=DocumentType.INVOICE, id="8ad08d29")
    >>> key.id
    '8ad08d29'
    """

    tenant: str = field(validator=_name)
    entity: str = field(validator=_name)
    type: DocumentType = field(validator=attrs.validators.instance_of(DocumentType))
    id: str = field(validator=_name)


@frozen(kw_only=True)
class DocumentHeader:
    """The facts of a billing document that all its items share.

    Fields: ``number`` and ``org`` are matched exactly, ``org`` ``None`` means visible in the whole entity (ACC-4,
    FCT-11); ``status`` as Zuora spells it; ``date`` the document date; ``currency`` an ISO 4217 code; ``from_reversal``
    ``None`` means not told (MAP-R); ``reason_code`` Zuora's text or ``None``. Raises ``ValueError`` or ``TypeError``
    for malformed values. Source: the REST shapes of *Retrieve an invoice*, *a credit memo*, *a debit memo*, *an invoice
    item adjustment*.
    """

    key: DocumentKey = field(validator=attrs.validators.instance_of(DocumentKey))
    number: str = field(validator=_name)
    org: str | None = field(default=None, validator=_name, metadata=_OPTIONAL)
    status: str = field(validator=_text)
    date: date
    currency: str = field()
    from_reversal: bool | None = None
    reason_code: str | None = field(default=None, validator=_text, metadata=_OPTIONAL)
    assumed: tuple[Assumption, ...] = ()
    carried: CarriedFields = _NOTHING_CARRIED
    is_posted: bool = field(init=False, eq=False, repr=False)
    """Whether the document may have transactions: posted, an adjustment processed (ELI-1)."""

    @is_posted.default
    def _posted(self) -> bool:
        key: object = self.key  # its validator runs after this
        return isinstance(key, DocumentKey) and self.status == POSTED_STATUS[key.type]

    @currency.validator
    def _three_capital_letters(self, _: attrs.Attribute[str], value: str) -> None:
        if not (len(value) == 3 and value.isascii() and value.isalpha() and value.isupper()):
            raise ValueError(f"currency is {value!r}; an ISO 4217 code has three capital letters, such as 'EUR'")


@frozen(kw_only=True)
class BillingItem:
    """One line of a billing document with the facts that the type mapping needs.

    Fields: ``amount`` is the amount without tax as the document states it, before MAP-A gives it its sign for revenue;
    ``source`` ``None`` means unknown, which is never guessed (MAP-U); ``excluded_from_revenue`` is
    ``excludeItemBillingFromRevenueAccounting``; ``booking_amount`` ``None`` is assumed by MAP-S; ``booking_excluded``,
    ``account_level_discount``, ``calculated_charge_model`` and ``charge_deleted`` ``None`` are assumed to be false by
    FCT-1 … FCT-4; ``order_line_category`` ``None`` means not told; ``adjustment_kind`` belongs to adjustments alone;
    ``assumed`` holds what the reader of the shape had to assume. Raises ``ValueError`` or ``TypeError`` for malformed
    values.

    >>> BillingItem(id="i1", amount=Decimal("10.00"), source=ItemSource.SUBSCRIPTION).is_tax
    False
    """

    id: str = field(validator=_name)
    amount: Decimal = field(validator=_amount)
    source: ItemSource | None = None
    processing_type: ProcessingType = ProcessingType.CHARGE
    excluded_from_revenue: bool = False
    booking_amount: Decimal | None = field(default=None, validator=_amount, metadata=_OPTIONAL)
    booking_excluded: bool | None = None
    account_level_discount: bool | None = None
    calculated_charge_model: bool | None = None
    charge_deleted: bool | None = None
    order_line_category: OrderLineCategory | None = None
    adjustment_kind: AdjustmentKind | None = None
    assumed: tuple[Assumption, ...] = ()
    carried: CarriedFields = _NOTHING_CARRIED

    @property
    def is_tax(self) -> bool:
        """Whether this is a tax line, which has no revenue transaction (TAX-1)."""
        return self.processing_type is ProcessingType.TAX


@frozen
class BillingDocument:
    """A billing document: its header and its items in document order.

    Raises ``ValueError`` for an item id that occurs twice, for an adjustment that isn't its own single item, and for an
    adjustment kind that is missing on an adjustment or present elsewhere.

    >>> key = DocumentKey(tenant="t", entity="e", type=DocumentType.INVOICE, id="8ad08d29")
    >>> header = DocumentHeader(key=key, number="INV-1", status="Posted", date=date(2026, 1, 31), currency="EUR")
    >>> BillingDocument(header, (BillingItem(id="i1", amount=Decimal(10)),)).type.value
    'Invoice'
    """

    header: DocumentHeader = field(validator=attrs.validators.instance_of(DocumentHeader))
    items: tuple[BillingItem, ...] = field()
    revenue_items: tuple[BillingItem, ...] = field(init=False, eq=False, repr=False)
    """The items that have a revenue transaction: all but the tax lines (TAX-1)."""
    revenue_item_ids: tuple[str, ...] = field(init=False, eq=False, repr=False)

    @items.validator
    def _items_fit(self, _: attrs.Attribute[Any], items: tuple[BillingItem, ...]) -> None:
        if not isinstance(items, tuple):
            raise TypeError("items is a tuple of BillingItem")
        seen: set[str] = set()
        is_adjustment = self.type is DocumentType.INVOICE_ITEM_ADJUSTMENT
        for item in items:
            if item.id in seen:
                raise ValueError(f"item id {item.id!r} occurs twice in one document")
            if (item.adjustment_kind is not None) != is_adjustment:
                raise ValueError("adjustment_kind is given for the item of an adjustment, and for no other")
            seen.add(item.id)
        if is_adjustment and (len(items) != 1 or items[0].id != self.id):
            raise ValueError("an invoice item adjustment is its own single item, with its own id")

    @revenue_items.default
    def _without_tax(self) -> tuple[BillingItem, ...]:
        return tuple(item for item in self.items if item.processing_type is not ProcessingType.TAX)

    @revenue_item_ids.default
    def _ids(self) -> tuple[str, ...]:
        return tuple(item.id for item in self.revenue_items)

    @property
    def key(self) -> DocumentKey:
        """The document's identity."""
        return self.header.key

    @property
    def type(self) -> DocumentType:
        """The document's type."""
        return self.header.key.type

    @property
    def id(self) -> str:
        """The document's id."""
        return self.header.key.id
