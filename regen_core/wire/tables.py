"""Where every fact of a document comes from: one table per document type, and what holds where its fields are silent.

Owns the names in Zuora's REST shapes, the names of the companion fields, and the rules FCT-5 … FCT-11 as they apply to
one object. What the mapping assumes later (MAP-S, MAP-R, FCT-1 … FCT-4) is not assumed here. Sources: *Retrieve an
invoice*, *Retrieve a credit memo*, *Retrieve a debit memo*, *Retrieve an invoice item adjustment* and the operations
that list their items.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from attrs import field, frozen

from regen_core.documents import (
    AdjustmentKind,
    Assumption,
    DocumentType,
    ItemSource,
    OrderLineCategory,
    ProcessingType,
)
from regen_core.wire.facts import Fact, Otherwise, RestObject, required
from regen_core.wire.kinds import (
    AMOUNT,
    CURRENCY,
    DATE,
    EXACTLY,
    FLAG,
    NAME,
    NOT_NEGATIVE,
    TEXT,
    amount_fault,
    words,
    words_among,
)
from regen_core.wire.shown import JsonValue

__all__ = ["SHAPES", "Shape"]

_INVOICE, _CREDIT_MEMO = DocumentType.INVOICE, DocumentType.CREDIT_MEMO
_DEBIT_MEMO, _ADJUSTMENT = DocumentType.DEBIT_MEMO, DocumentType.INVOICE_ITEM_ADJUSTMENT
_SUBSCRIPTION, _STANDALONE = ItemSource.SUBSCRIPTION, ItemSource.STANDALONE
_CATALOG, _OF_INVOICE = ItemSource.PRODUCT_RATE_PLAN_CHARGE, ItemSource.INVOICE

_SOURCE_NAMES: Final = {
    "Subscription": _SUBSCRIPTION,
    "Standalone": _STANDALONE,
    "OrderLineItem": ItemSource.ORDER_LINE_ITEM,
    "Invoice": _OF_INVOICE,
    "ProductRatePlanCharge": _CATALOG,
    "CreditMemo": ItemSource.CREDIT_MEMO,
}
"""How the companion field ``source`` spells them."""

_MEMO_SOURCES: Final = {
    "SubscriptionComponent": _SUBSCRIPTION,
    "OrderLineItem": ItemSource.ORDER_LINE_ITEM,
    "ProductRatePlanCharge": _CATALOG,
    "InvoiceDetail": _OF_INVOICE,
    "CreditMemoItem": ItemSource.CREDIT_MEMO,
}
_INVOICE_SOURCES: Final = {**_MEMO_SOURCES, "ProductRatePlanCharge": _STANDALONE}
"""``sourceItemType`` by what it tells; other words, such as ``Rounding``, tell nothing (FCT-6)."""

_IMPLIED: Final[Mapping[DocumentType, Mapping[str, ItemSource]]] = {
    _INVOICE: {"Subscription": _SUBSCRIPTION, "Standalone": _STANDALONE, "Invoice": _OF_INVOICE},
    _CREDIT_MEMO: {"Subscription": _SUBSCRIPTION, "Standalone": _CATALOG, "Invoice": _OF_INVOICE},
    _DEBIT_MEMO: {"Subscription": _SUBSCRIPTION, "Standalone": _STANDALONE, "Invoice": _OF_INVOICE},
}
"""What a document's ``sourceType`` says of items that don't say it themselves (FCT-6)."""

_PROCESSING_TYPES: Final = {
    "Charge": ProcessingType.CHARGE,
    "Discount": ProcessingType.DISCOUNT,
    "Tax": ProcessingType.TAX,
}
_ADJUSTED: Final = {"InvoiceDetail": ProcessingType.CHARGE, "Tax": ProcessingType.TAX}


def _implied_source(kind: DocumentType) -> Otherwise:
    assumed = {
        word: (source, Assumption("source of the item", f"{source.value}, by the document's sourceType", "FCT-6"))
        for word, source in _IMPLIED[kind].items()
    }

    def otherwise(item: RestObject, row: Fact) -> ItemSource | None:  # noqa: ARG001  # one signature for all
        word = item.within.get("sourceType")
        if not isinstance(word, str) or word not in assumed:
            return None
        source, assumption = assumed[word]
        item.assumed.append(assumption)
        return source

    return otherwise


def _assumed(value: object, assumption: Assumption) -> Otherwise:
    def otherwise(item: RestObject, row: Fact) -> object:  # noqa: ARG001  # one signature for all
        item.assumed.append(assumption)
        return value

    return otherwise


def _amount_less_tax(item: RestObject, row: Fact) -> Decimal | None:
    """The net amount from its parts; the amount of a tax-exclusive item is net already (FCT-9)."""
    if item.raw.get("amount") is None:
        item.fault("amountWithoutTax", "neither this nor amount", row.kind.expected, row.do)
        return None
    amount = item.read(AMOUNT, "amount", item.raw["amount"], row.do)
    is_net = item.raw.get("taxMode") == "TaxExclusive"
    tax = Decimal(0) if is_net else _tax(item, row)
    if amount is None or tax is None:
        return None
    net: Decimal = EXACTLY.subtract(amount, tax) if tax else amount
    fault = amount_fault(net)
    if fault is not None:
        item.fault("amount", f"an amount that less its tax has {fault}", row.kind.expected, row.do)
        return None
    told = f"{net}, the amount of a tax-exclusive item" if is_net else f"{net}, amount {amount} less tax {tax}"
    item.assumed.append(Assumption("amount without tax", told, "FCT-9"))
    return net


def _tax(item: RestObject, row: Fact) -> Decimal | None:
    """The item's tax: stated, else the sum of its tax lines if they are all there, else zero (FCT-9)."""
    if item.raw.get("taxAmount") is not None:
        stated: Decimal | None = item.read(AMOUNT, "taxAmount", item.raw["taxAmount"], row.do)
        return stated
    where, lines = _tax_lines(item)
    if lines is None:
        expected = "all tax lines of the item, or amountWithoutTax"
        item.fault(where, "tax lines that are no list or go on at nextPage", expected, row.do)
        return None
    tax = Decimal(0)
    for at, line in enumerate(lines):
        given = line.get("taxAmount") if isinstance(line, dict) else line
        amount = item.read(AMOUNT, f"{where}[{at}].taxAmount", given, row.do)
        if amount is None:
            return None
        tax = EXACTLY.add(tax, amount)
    return tax


def _tax_lines(item: RestObject) -> tuple[str, list[JsonValue] | None]:
    """Where the item's tax lines are and what they are; ``None`` where they can't all be read."""
    for name in ("taxationItems", "creditTaxItems", "taxItems"):
        found = item.raw.get(name)
        if found is not None:
            is_page = isinstance(found, dict)
            lines = found.get("data", []) if isinstance(found, dict) else found
            whole = isinstance(lines, list) and not (isinstance(found, dict) and found.get("nextPage"))
            return f"{name}.data" if is_page else name, lines if whole and isinstance(lines, list) else None
    return "taxationItems", []


_HEADER_COMPANIONS: Final = (
    Fact("from_reversal", "from a reversal", FLAG, companion="fromReversal", rule_ids=("MAP-R",)),
)
_ITEM_COMPANIONS: Final = (
    Fact("booking_amount", "booking amount", AMOUNT, companion="bookingAmount", rule_ids=("MAP-S",)),
    Fact("booking_excluded", "booking excluded", FLAG, companion="bookingExcluded", rule_ids=("FCT-1",)),
    Fact(
        "account_level_discount", "account-level discount", FLAG, companion="accountLevelDiscount", rule_ids=("FCT-2",)
    ),
    Fact(
        "calculated_charge_model",
        "calculated charge model",
        FLAG,
        companion="calculatedChargeModel",
        rule_ids=("FCT-3",),
    ),
    Fact("charge_deleted", "subscription or charge deleted", FLAG, companion="chargeDeleted", rule_ids=("FCT-4",)),
    Fact(
        "order_line_category",
        "category of the order line item",
        words({"Sales": OrderLineCategory.SALES, "Return": OrderLineCategory.RETURN}),
        companion="orderLineItemCategory",
        rule_ids=("MAP-7", "MAP-13"),
    ),
)
"""What no shape has: companion fields alone tell it."""


def _header(number: str, date: str) -> tuple[Fact, ...]:
    return (
        Fact("id", "id", NAME, "id", otherwise=required, rule_ids=("REQ-7",)),
        Fact("number", "number", NAME, number, otherwise=required, rule_ids=("REQ-7",)),
        Fact("status", "status", NAME, "status", otherwise=required, rule_ids=("ELI-1",)),
        Fact("date", "document date", DATE, date, otherwise=required),
        Fact("currency", "currency", CURRENCY, "currency", companion="currency", otherwise=required),
        Fact("org", "organisation", NAME, "organizationLabel", companion="org", rule_ids=("FCT-11", "ACC-4")),
        Fact("reason_code", "reason code", TEXT, "reasonCode", rule_ids=("MAP-R",)),
    )


def _items(kind: DocumentType, amount: Fact, sources: Mapping[str, ItemSource]) -> tuple[Fact, ...]:
    return (
        Fact("id", "item id", NAME, "id", otherwise=required, rule_ids=("REQ-7",)),
        amount,
        Fact(
            "source",
            "source of the item",
            words_among(sources, others=None),
            "sourceItemType",
            companion="source",
            companion_kind=words(_SOURCE_NAMES),
            otherwise=_implied_source(kind),
            rule_ids=("FCT-6",),
        ),
        Fact(
            "processing_type",
            "processing type",
            words_among(_PROCESSING_TYPES, others=ProcessingType.OTHER),
            "processingType",
            otherwise=_CHARGE,
            rule_ids=("FCT-8", "TAX-1"),
        ),
        Fact(
            "excluded_from_revenue",
            "excluded from revenue accounting",
            FLAG,
            "excludeItemBillingFromRevenueAccounting",
            otherwise=_NOT_EXCLUDED,
            rule_ids=("FCT-5",),
        ),
    )


_CHARGE: Final = _assumed(ProcessingType.CHARGE, Assumption("processing type", "Charge", "FCT-8"))
_NOT_EXCLUDED: Final = _assumed(False, Assumption("excluded from revenue accounting", "no", "FCT-5"))
_NET: Final = "amount without tax"
_CHARGE_AMOUNT: Final = Fact("amount", _NET, AMOUNT, "chargeAmount", otherwise=required, rule_ids=("FCT-9", "MAP-A"))
_NET_AMOUNT: Final = Fact(
    "amount", _NET, AMOUNT, "amountWithoutTax", otherwise=_amount_less_tax, rule_ids=("FCT-9", "MAP-A")
)
_ADJUSTMENT_HEADER: Final = (
    Fact("id", "id", NAME, "Id", otherwise=required, rule_ids=("REQ-7",)),
    Fact("number", "number", NAME, "AdjustmentNumber", otherwise=required, rule_ids=("REQ-7",)),
    Fact("status", "status", NAME, "Status", otherwise=required, rule_ids=("ELI-1",)),
    Fact("date", "document date", DATE, "AdjustmentDate", otherwise=required),
    Fact("currency", "currency", CURRENCY, companion="currency", rule_ids=("FCT-7",)),
    Fact("org", "organisation", NAME, companion="org", rule_ids=("FCT-11", "ACC-4")),
    Fact("reason_code", "reason code", TEXT, "ReasonCode"),
)
"""The currency is the invoice's where no companion tells it: FCT-7 needs more than this one object."""
_ADJUSTMENT_ITEM: Final = (
    Fact("amount", "amount", NOT_NEGATIVE, "Amount", otherwise=required, rule_ids=("MAP-A",)),
    Fact(
        "adjustment_kind",
        "credit or charge",
        words({"Credit": AdjustmentKind.CREDIT, "Charge": AdjustmentKind.CHARGE}),
        "Type",
        otherwise=required,
        rule_ids=("MAP-A",),
    ),
    Fact(
        "processing_type",
        "processing type",
        words_among(_ADJUSTED, others=ProcessingType.OTHER),
        "SourceType",
        otherwise=_CHARGE,
        rule_ids=("FCT-8", "TAX-1"),
    ),
    Fact(
        "excluded_from_revenue",
        "excluded from revenue accounting",
        FLAG,
        "ExcludeItemBillingFromRevenueAccounting",
        otherwise=_NOT_EXCLUDED,
        rule_ids=("FCT-5",),
    ),
    Fact("source", "source of the item", words(_SOURCE_NAMES), companion="source", rule_ids=("FCT-6",)),
)


@frozen(kw_only=True)
class Shape:
    """One document type's shape: the tables of its header and of its items, and where the items stand.

    Fields: ``item_keys`` are the keys of nested items and of pages, none where the document is its own item; ``signs``
    are fields that no other of the four shapes has; ``header_companions`` and ``item_companions`` are the facts that
    companion fields alone tell; ``known_in_header`` and ``known_in_item`` are all companion fields there.
    """

    type: DocumentType
    header: tuple[Fact, ...]
    item: tuple[Fact, ...]
    item_keys: tuple[str, ...]
    signs: tuple[str, ...]
    header_companions: tuple[Fact, ...] = _HEADER_COMPANIONS
    item_companions: tuple[Fact, ...] = _ITEM_COMPANIONS
    known_in_header: frozenset[str] = field(init=False)
    known_in_item: frozenset[str] = field(init=False)

    @known_in_item.default
    def _of_items(self) -> frozenset[str]:
        return frozenset({"fields", *_companions(self.item), *_companions(self.item_companions)})

    @known_in_header.default
    def _of_header(self) -> frozenset[str]:
        own = {"type", *_companions(self.header), *_companions(self.header_companions)}
        return frozenset(own if self.item_keys else own | self._of_items())


def _companions(facts: tuple[Fact, ...]) -> set[str]:
    return {fact.companion for fact in facts if fact.companion is not None}


SHAPES: Final[Mapping[DocumentType, Shape]] = {
    _INVOICE: Shape(
        type=_INVOICE,
        header=_header("invoiceNumber", "invoiceDate"),
        item=_items(_INVOICE, _CHARGE_AMOUNT, _INVOICE_SOURCES),
        item_keys=("invoiceItems", "items"),
        signs=("invoiceNumber", "invoiceDate", "invoiceItems"),
    ),
    _CREDIT_MEMO: Shape(
        type=_CREDIT_MEMO,
        header=_header("number", "creditMemoDate"),
        item=_items(_CREDIT_MEMO, _NET_AMOUNT, _MEMO_SOURCES),
        item_keys=("items",),
        signs=("creditMemoDate", "unappliedAmount", "autoApplyUponPosting", "excludeFromAutoApplyRules"),
    ),
    _DEBIT_MEMO: Shape(
        type=_DEBIT_MEMO,
        header=_header("number", "debitMemoDate"),
        item=_items(_DEBIT_MEMO, _NET_AMOUNT, _MEMO_SOURCES),
        item_keys=("items",),
        signs=("debitMemoDate", "beAppliedAmount", "referredCreditMemoId"),
    ),
    _ADJUSTMENT: Shape(
        type=_ADJUSTMENT,
        header=_ADJUSTMENT_HEADER,
        item=_ADJUSTMENT_ITEM,
        item_keys=(),
        signs=("AdjustmentNumber", "AdjustmentDate"),
    ),
}
"""The tables of each document type."""
