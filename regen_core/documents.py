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
from typing import Any, Final

from attrs import Attribute, field, frozen
from attrs.validators import instance_of, optional

from regen_core.checks import (
    MAX_NAME_LENGTH,
    MAYBE_TOLD,
    OPTIONAL,
    check_amount,
    check_day,
    check_name,
    check_text,
    name_fault,
)

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


@frozen
class CarriedFields:
    """The fields of a Zuora REST object as they came, for the flat row and for display; no rule reads them.

    ``text`` is one JSON object in canonical form. Text is immutable, hashable and cheap to share, compare and store.

    >>> CarriedFields('{"accountName":"Acme"}').fields["accountName"]
    'Acme'
    """

    text: str = field(default="{}")

    @text.validator
    def _one_object(self, _: Attribute[str], value: str) -> None:
        if type(value) is not str or not (value.startswith("{") and value.endswith("}")):
            raise ValueError("carried fields are the text of one JSON object in canonical form")

    @cached_property
    def fields(self) -> Mapping[str, Any]:
        """The fields as parsed JSON; numbers with a fraction or an exponent are ``Decimal``."""
        parsed: dict[str, Any] = json.loads(self.text, parse_float=Decimal)
        return parsed


_NOTHING_CARRIED = CarriedFields()
_TAX: Final = ProcessingType.TAX
_ADJUSTMENT: Final = DocumentType.INVOICE_ITEM_ADJUSTMENT


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

    tenant: str = field(validator=check_name)
    entity: str = field(validator=check_name)
    type: DocumentType = field(validator=instance_of(DocumentType))
    id: str = field(validator=check_name)


@frozen(kw_only=True)
class DocumentHeader:
    """The facts of a billing document that all its items share.

    Fields: ``number`` and ``org`` are matched exactly, ``org`` ``None`` means visible in the whole entity (ACC-4,
    FCT-11); ``status`` as Zuora spells it; ``date`` the document date; ``currency`` an ISO 4217 code; ``from_reversal``
    ``None`` means not told (MAP-R); ``reason_code`` Zuora's text or ``None``. Raises ``ValueError`` or ``TypeError``
    for malformed values. Source: the REST shapes of *Retrieve an invoice*, *a credit memo*, *a debit memo*, *an invoice
    item adjustment*.
    """

    key: DocumentKey = field(validator=instance_of(DocumentKey))
    number: str = field(validator=check_name)
    org: str | None = field(default=None, validator=check_name, metadata=OPTIONAL)
    status: str = field(validator=check_text)
    date: date = field(validator=check_day)
    currency: str = field(validator=check_text)
    from_reversal: bool | None = field(default=None, validator=MAYBE_TOLD)
    reason_code: str | None = field(default=None, validator=check_text, metadata=OPTIONAL)
    assumed: tuple[Assumption, ...] = ()
    carried: CarriedFields = _NOTHING_CARRIED
    is_posted: bool = field(init=False, eq=False, repr=False)
    """Whether the document may have transactions: posted, an adjustment processed (ELI-1)."""

    @is_posted.default
    def _posted(self) -> bool:
        key: object = self.key  # its validator runs after this
        return isinstance(key, DocumentKey) and self.status == POSTED_STATUS[key.type]

    @currency.validator
    def _three_capital_letters(self, _: Attribute[str], value: str) -> None:
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

    id: str = field(validator=check_name)
    amount: Decimal = field(validator=check_amount)
    source: ItemSource | None = field(default=None, validator=optional(instance_of(ItemSource)))
    processing_type: ProcessingType = field(default=ProcessingType.CHARGE, validator=instance_of(ProcessingType))
    excluded_from_revenue: bool = field(default=False, validator=instance_of(bool))
    booking_amount: Decimal | None = field(default=None, validator=check_amount, metadata=OPTIONAL)
    booking_excluded: bool | None = field(default=None, validator=MAYBE_TOLD)
    account_level_discount: bool | None = field(default=None, validator=MAYBE_TOLD)
    calculated_charge_model: bool | None = field(default=None, validator=MAYBE_TOLD)
    charge_deleted: bool | None = field(default=None, validator=MAYBE_TOLD)
    order_line_category: OrderLineCategory | None = field(
        default=None, validator=optional(instance_of(OrderLineCategory))
    )
    adjustment_kind: AdjustmentKind | None = field(default=None, validator=optional(instance_of(AdjustmentKind)))
    assumed: tuple[Assumption, ...] = ()
    carried: CarriedFields = _NOTHING_CARRIED

    @property
    def is_tax(self) -> bool:
        """Whether this is a tax line, which has no revenue transaction (TAX-1)."""
        return self.processing_type is _TAX


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

    header: DocumentHeader = field(validator=instance_of(DocumentHeader))
    items: tuple[BillingItem, ...] = field()
    revenue_items: tuple[BillingItem, ...] = field(init=False, eq=False, repr=False)
    """The items that have a revenue transaction: all but the tax lines (TAX-1)."""
    revenue_item_ids: tuple[str, ...] = field(init=False, eq=False, repr=False)

    @items.validator
    def _items_fit(self, _: Attribute[Any], items: tuple[BillingItem, ...]) -> None:
        if not isinstance(items, tuple):
            raise TypeError("items is a tuple of BillingItem")
        seen: set[str] = set()
        is_adjustment = self.header.key.type is _ADJUSTMENT
        for item in items:
            if item.id in seen:
                raise ValueError(f"item id {item.id!r} occurs twice in one document")
            if (item.adjustment_kind is not None) is not is_adjustment:
                raise ValueError("adjustment_kind is given for the item of an adjustment, and for no other")
            seen.add(item.id)
        if is_adjustment and (len(items) != 1 or items[0].id != self.id):
            raise ValueError("an invoice item adjustment is its own single item, with its own id")

    @revenue_items.default
    def _without_tax(self) -> tuple[BillingItem, ...]:
        return tuple([item for item in self.items if item.processing_type is not _TAX])

    @revenue_item_ids.default
    def _ids(self) -> tuple[str, ...]:
        return tuple([item.id for item in self.revenue_items])

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
