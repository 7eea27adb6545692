"""The 126 documented fields of a billing transaction as data: for each its format and where its value comes from.

Owns the table; it reads no transaction, :mod:`regen_core.fields` does. Every row has, for each of the four document
types, either the places where its value is looked for, in order, or the reason why none exists. A field is only mapped
where public text or the field's own name supports it; what was inferred says so in its ``note``. Sources: *Billing
Transaction object fields and Data Query* for names, order and formats; the REST shapes of the four documents.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, unique
from typing import Final

from attrs import field, frozen

from regen_core.documents import DocumentType

__all__ = ["FIELD_ROWS", "FieldCondition", "FieldFormat", "FieldOrigin", "FieldRow", "FieldSource", "SourceKind"]


@unique
class FieldFormat(Enum):
    """The documented format, in the page's own spellings; one field's is left open there."""

    BOOLEAN = "Boolean"
    DATE = "Date"
    DECIMAL = "Decimal"
    INTEGER = "Integer"
    LONG = "Long"
    STRING = "String"
    TIMESTAMP = "Timestamp"
    TIME_STAMP = "TimeStamp"
    NOT_STATED = ""


@unique
class SourceKind(Enum):
    """Where a value lies: in a REST field of the document or the item, summed over it, or in the transaction itself."""

    DOCUMENT_FIELD = "document"
    ITEM_FIELD = "item"
    ITEM_SUM = "sum over the item's"
    TRANSACTION = "transaction"


@frozen
class FieldCondition:
    """Another field of the same REST object that must have, or (``equal`` false) must not have, a value."""

    name: str
    value: str
    equal: bool = True


@frozen
class FieldSource:
    """One place where a value is looked for.

    Fields: ``name`` is a REST field, a path to a list's members (``taxationItems.data[].taxAmount``), or a value of the
    transaction in words; ``when`` ``None`` means always.

    >>> str(FieldSource(SourceKind.ITEM_FIELD, "sourceItemId", FieldCondition("sourceItemType", "InvoiceDetail")))
    'item sourceItemId, where sourceItemType is InvoiceDetail'
    """

    kind: SourceKind
    name: str
    when: FieldCondition | None = None

    def __str__(self) -> str:
        text = f"{self.kind.value} {self.name}"
        if self.when is None:
            return text
        return f"{text}, where {self.when.name} is {'' if self.when.equal else 'not '}{self.when.value}"


@frozen
class FieldOrigin:
    """The places in which one field is looked for in one type of document, or why there is none.

    Raises ``ValueError`` unless exactly one of the two is given.
    """

    sources: tuple[FieldSource, ...] = ()
    reason: str | None = None

    def __attrs_post_init__(self) -> None:
        if bool(self.sources) == (self.reason is not None):
            raise ValueError("a field has sources or a reason for having none, never both")

    @property
    def is_of_the_transaction(self) -> bool:
        """Whether the transaction itself says the value, so that no companion field may say another one."""
        return any(source.kind is SourceKind.TRANSACTION for source in self.sources)

    def __str__(self) -> str:
        return "; else ".join(map(str, self.sources)) if self.reason is None else f"none: {self.reason}"


@frozen(kw_only=True)
class FieldRow:
    """A documented field: its name, its format and its origin per document type.

    Fields: ``not_when_standalone`` tells that a standalone transaction never carries it (MAP); ``note`` says what of
    the row is our reading, ``None`` that nothing is.
    """

    name: str
    format: FieldFormat
    origins: Mapping[DocumentType, FieldOrigin] = field()
    not_when_standalone: bool = False
    note: str | None = None


_ID_ONLY = "the document names it by id at most"
_CODE_RECORD = FieldOrigin(reason="kept on the accounting code record; an invoice item names the code and no more")
_CODE_NOT_ON_MEMO = FieldOrigin(reason="a memo item's financeInformation has other accounting codes than this one")
_CODE_NOT_ON_ADJUSTMENT = FieldOrigin(reason="an adjustment's AccountingCode is another one, the adjusted item's own")
_ACCOUNT_RECORD = FieldOrigin(reason=f"kept on the customer account; {_ID_ONLY}")
_CONTACT_RECORD = FieldOrigin(reason=f"kept on the contact; {_ID_ONLY}")
_SUBSCRIPTION_RECORD = FieldOrigin(reason="kept on the subscription; an item has its id and name at most")
_SUBSCRIPTION_NOT_ON_ADJUSTMENT = FieldOrigin(reason="an adjustment names invoice and item, not the subscription")
_PLAN_RECORD = FieldOrigin(reason="kept on the subscription's rate plan; no shape refers to it")
_CHARGE_RECORD = FieldOrigin(reason="kept on the rate plan charge; an item has its id at most")
_CHARGE_NOT_ON_ADJUSTMENT = FieldOrigin(reason="an adjustment names the adjusted item, not that item's charge")
_CHARGE_TYPE = FieldOrigin(reason="an invoice item's chargeType is a name, such as Recurring, and no id")
_APPLIED_CHARGE = FieldOrigin(
    reason="kept on the charge that is discounted; a discount item names that charge's item through appliedToItemId, "
    "and a row is filled from its own item alone"
)
_NO_DISCOUNT_LINK = FieldOrigin(reason="an adjustment doesn't say which other item a discount applies to")
_CATALOG = FieldOrigin(reason="kept in the product catalog; an item has the catalog charge's id at most")
_CATALOG_NOT_ON_ADJUSTMENT = FieldOrigin(reason="an adjustment refers to nothing in the product catalog")
_ENTITY_RECORD = FieldOrigin(reason="kept in the settings of the entity or tenant")
_FX_DATA = FieldOrigin(reason="from the tenant's currency conversion data, which no document carries")
_BOOKING_SIDE = FieldOrigin(reason="kept on the booking side; no document refers to it")
_INVOICE_ITEMS_ONLY = FieldOrigin(reason="of all items only an invoice's have a bookingReference")
_ORDER_LINE_RECORD = FieldOrigin(reason="kept on the order line item; an item has its id at most")
_ORDER_LINE_NOT_ON_INVOICE = FieldOrigin(reason="an invoice item doesn't say which order line item it bills")
_ORDER_LINE_NOT_ON_DEBIT_MEMO = FieldOrigin(reason="no debit memo item is documented to come from an order line item")
_ORDER_LINE_NOT_ON_ADJUSTMENT = FieldOrigin(reason="an adjustment doesn't name an order line item")
_ORDER_RECORD = FieldOrigin(reason="kept on the order; no shape refers to it")
_REVENUE_SETTING = FieldOrigin(reason="a setting handed on to Revenue; where it comes from is not documented")
_NO_LINE_NUMBER = FieldOrigin(reason="items have ids and no line numbers; a place in a list may change")
_ITSELF_ORIGINAL = FieldOrigin(reason="an invoice item is an original line itself and refers to no earlier one")
_ADJUSTMENT_STANDALONE = FieldOrigin(reason="an adjustment is always standalone (MAP-16), so it carries no such line")
_NO_QUANTITY = FieldOrigin(reason="an adjustment has an amount alone; quantity and price stay on the adjusted item")
_NO_TAX = FieldOrigin(reason="an adjustment has one amount, of an item or of a tax, and no tax beside it")
_NO_DISCOUNT_FLAG = FieldOrigin(reason="an adjustment has no such flag; the other three have it on their items")
_OWNER_NOT_ON_MEMO = FieldOrigin(reason="a memo's account need not own the invoice that it refers to")
_LABEL_IS_NO_ID = FieldOrigin(reason="a document has the organisation's label at most, which is not its id")


def _item(name: str, when: FieldCondition | None = None) -> FieldSource:
    return FieldSource(SourceKind.ITEM_FIELD, name, when)


def _document(name: str) -> FieldOrigin:
    return FieldOrigin((FieldSource(SourceKind.DOCUMENT_FIELD, name),))


def _items(*names: str) -> FieldOrigin:
    return FieldOrigin(tuple(map(_item, names)))


def _held(name: str) -> FieldOrigin:
    return FieldOrigin((FieldSource(SourceKind.TRANSACTION, name),))


def _source_item_if(kind: str) -> FieldSource:
    return _item("sourceItemId", FieldCondition("sourceItemType", kind))


def _tax_of(*lists: str) -> FieldOrigin:
    sums = tuple(FieldSource(SourceKind.ITEM_SUM, path) for path in lists)
    return FieldOrigin((_item("taxAmount"), *sums))


def _row(
    name: str,
    format_: FieldFormat,
    invoice: FieldOrigin,
    credit_memo: FieldOrigin,
    debit_memo: FieldOrigin,
    adjustment: FieldOrigin,
    *,
    note: str | None = None,
    not_when_standalone: bool = False,
) -> FieldRow:
    origins = dict(zip(DocumentType, (invoice, credit_memo, debit_memo, adjustment), strict=True))
    return FieldRow(name=name, format=format_, origins=origins, not_when_standalone=not_when_standalone, note=note)


def _same(name: str, format_: FieldFormat, origin: FieldOrigin, note: str | None = None) -> FieldRow:
    return _row(name, format_, origin, origin, origin, origin, note=note)


_BOOLEAN, _DATE, _DECIMAL, _STRING = FieldFormat.BOOLEAN, FieldFormat.DATE, FieldFormat.DECIMAL, FieldFormat.STRING
_INTEGER, _LONG = FieldFormat.INTEGER, FieldFormat.LONG
_TIMESTAMP, _TIME_STAMP = FieldFormat.TIMESTAMP, FieldFormat.TIME_STAMP


def _accounting_code(kind: str) -> tuple[FieldRow, ...]:
    """The four fields of one accounting code; an invoice item has its name alone."""
    code = _items(f"{kind[0].lower()}{kind[1:]}AccountingCode")
    missing = (_CODE_NOT_ON_MEMO, _CODE_NOT_ON_MEMO, _CODE_NOT_ON_ADJUSTMENT)
    named = "the accounting code of the item is read as the code's name; it might as well be what AccountNumber holds"
    return (
        _same(f"{kind}AccountId", _STRING, _CODE_RECORD),
        _row(f"{kind}AccountName", _STRING, code, *missing, note=named),
        _same(f"{kind}AccountNumber", _STRING, _CODE_RECORD),
        _same(f"{kind}GlAccountName", _STRING, _CODE_RECORD),
    )


_CORRECTED = _source_item_if("InvoiceDetail")
_CREDITED = _item("creditFromItemId", FieldCondition("creditFromItemSource", "InvoiceItem"))
_OF_CHARGE = FieldOrigin((_source_item_if("SubscriptionComponent"),))
_OF_CATALOG_CHARGE = FieldOrigin((_source_item_if("ProductRatePlanCharge"),))
_PRICE = FieldOrigin((_item("unitPrice", FieldCondition("processingType", "Discount", equal=False)),))
_NOT_EVERY_EDITION = "not every edition of the adjustment's shape has it"
_APPLIED = "DiscountAppliedToRatePlanCharge"
_BOOKING_EXCLUSION = "ExcludeItemBookingFromRevenueAccounting"

# fmt: off
FIELD_ROWS: Final[tuple[FieldRow, ...]] = (
    *_accounting_code("AdjustmentLiability"),
    *_accounting_code("AdjustmentRevenue"),
    _same("AvoidOverage", _BOOLEAN, _REVENUE_SETTING),
    *(_same(f"BillTo{part}Id", _STRING, _CONTACT_RECORD) for part in ("City", "Country", "State")),
    _row("BookingReference", _STRING, _items("bookingReference"), *(_INVOICE_ITEMS_ONLY,) * 3),
    _same("BookingRatePlanChargeVersion", _STRING, _BOOKING_SIDE),
    _same("BookingSubscriptionVersion", _STRING, _BOOKING_SIDE),
    _same("BusinessType", _STRING, _held("revenue type"), "elsewhere the words mean the kind of document"),
    _same("ChargeCreateDate", _TIMESTAMP, _CHARGE_RECORD),
    _same("ChargeLastUpdateDate", _TIMESTAMP, _CHARGE_RECORD),
    _same("ChargeModelId", _STRING, _CHARGE_RECORD),
    _row("ChargeName", _STRING, _items("chargeName"), _items("skuName"), _items("skuName"),
         _document("InvoiceItemName"), note="a memo's skuName is also called the name of the SKU"),
    _same("ChargeNumber", _STRING, _CHARGE_RECORD),
    _same("ChargeSegment", _INTEGER, _CHARGE_RECORD),
    _same("ChargeThroughDate", _DATE, _CHARGE_RECORD),
    _row("ChargeTypeId", _STRING, _CHARGE_TYPE, *(_CHARGE_RECORD,) * 3),
    _same("CompanyCode", _STRING, _ENTITY_RECORD),
    *_accounting_code("ContractAsset"),
    *_accounting_code("ContractLiability"),
    *_accounting_code("ContractRecognizedRevenue"),
    _same("CreatedByID", _STRING, _held("created by")),
    _same("CreatedDate", _TIME_STAMP, _held("created at")),
    _same("UpdatedByID", _STRING, _held("updated by")),
    _same("UpdatedDate", _TIME_STAMP, _held("updated at")),
    _same("CurrencyCode", _STRING, _held("currency")),
    _row("CustomerId", _STRING, *(_document("accountId"),) * 3, _document("AccountId")),
    _row("CustomerName", _STRING, *(_ACCOUNT_RECORD,) * 3, _document("CustomerName"), note=_NOT_EVERY_EDITION),
    _row("CustomerNumber", _STRING, _ACCOUNT_RECORD, *(_document("accountNumber"),) * 2, _document("CustomerNumber"),
         note=_NOT_EVERY_EDITION),
    *(_row(f"{_APPLIED}{part}", _INTEGER if part == "Segment" else _STRING, *(_APPLIED_CHARGE,) * 3, _NO_DISCOUNT_LINK)
      for part in ("Id", "ModelId", "Number", "Segment", "TypeId")),
    _same("DocumentDate", _DATE, _held("document date"), "its description speaks of target date and of memo or invoice "
          "date; it is read as the latter"),
    _same("DocumentId", _STRING, _held("document id")),
    _same("DocumentLineId", _STRING, _held("item id"), "of an adjustment its own id; an older integration takes the "
          "adjusted item's, its SourceId"),
    _same("DocumentLineNumber", _STRING, _NO_LINE_NUMBER),
    _same("DocumentNumber", _STRING, _held("document number")),
    _row("DocumentQuantity", _DECIMAL, *(_items("quantity"),) * 3, _NO_QUANTITY),
    _same("DocumentType", _STRING, _held("document type")),
    _row("EndDate", _DATE, *(_items("serviceEndDate"),) * 3, _document("ServiceEndDate"), note="the item's service "
         "period, as an older integration has it; whether its last day counts differs by type and is left as it is"),
    _same("ExcludeItemBillingFromRevenueAccounting", _BOOLEAN, _held("excluded from revenue")),
    _same(_BOOKING_EXCLUSION, _BOOLEAN, _held("booking excluded"), "a fact of the charge, given as the companion field "
          "bookingExcluded; what FCT-1 assumes in its place is not filled in"),
    _same("FxRate", _DECIMAL, _FX_DATA),
    _same("GlobalFxRate", _DECIMAL, _FX_DATA),
    _same("HomeCurrencyCode", _STRING, _ENTITY_RECORD),
    _same("Id", _STRING, _held("id")),
    _same("InlineDiscountAmount", _STRING, _ORDER_LINE_RECORD),
    _row("InvoiceId", _STRING, _held("document id"), *(_document("referredInvoiceId"),) * 2, _document("InvoiceId"),
         note="of a memo the invoice that it refers to"),
    _same("InvoiceOriginalOwnerId", _STRING, _SUBSCRIPTION_RECORD),
    _row("InvoiceOwnerId", _STRING, _document("accountId"), *(_OWNER_NOT_ON_MEMO,) * 2, _document("AccountId"),
         note="the invoice's account; an older integration takes the subscription's invoice owner"),
    _row("InvoiceOwnerName", _STRING, _ACCOUNT_RECORD, *(_OWNER_NOT_ON_MEMO,) * 2, _document("CustomerName"),
         note=_NOT_EVERY_EDITION),
    _same("IsUnbilled", _STRING, _CHARGE_RECORD),
    _same("IsAllocationEligible", _STRING, _CHARGE_RECORD),
    _same("ListPrice", _DECIMAL, _CHARGE_RECORD),
    _same("OrderedQuantity", _DECIMAL, _CHARGE_RECORD),
    _row("OrderLineItemId", _STRING, _ORDER_LINE_NOT_ON_INVOICE,
         FieldOrigin((_item("orderLineItemId"), _source_item_if("OrderLineItem"))), _ORDER_LINE_NOT_ON_DEBIT_MEMO,
         _ORDER_LINE_NOT_ON_ADJUSTMENT),
    _same("OrgName", _STRING, _held("org"), "organizationLabel, else the companion field org: a label read as a name"),
    _same("OrgID", _STRING, _LABEL_IS_NO_ID),
    _row("OriginalInvoiceLineId", _STRING, _ITSELF_ORIGINAL, FieldOrigin((_CORRECTED, _CREDITED)),
         FieldOrigin((_CORRECTED,)), _ADJUSTMENT_STANDALONE, not_when_standalone=True, note="which id "
         "it is is not documented; a debit memo is read like a credit memo"),
    _same("OriginalRatePlanChargeId", _STRING, _CHARGE_RECORD),
    _row("OriginalSalesOrderLineItemId", _STRING, *(_ORDER_LINE_RECORD,) * 3, _ADJUSTMENT_STANDALONE,
         not_when_standalone=True),
    *(_same(f"Product{part}", _STRING, _CATALOG) for part in ("Category", "Class", "Family", "Id", "Line")),
    _row("ProductRatePlanChargeId", _STRING, _items("productRatePlanChargeId"), *(_OF_CATALOG_CHARGE,) * 2,
         _CATALOG_NOT_ON_ADJUSTMENT, note="a debit memo is read like a credit memo"),
    _same("ProductRatePlanId", _STRING, _CATALOG),
    _row("RatePlanChargeId", _STRING, _items("chargeId"), _OF_CHARGE, _OF_CHARGE, _CHARGE_NOT_ON_ADJUSTMENT,
         note="an invoice's chargeId is called the charge's id, no more; a debit memo is read like a credit memo"),
    _same("RatePlanChargeVersion", _LONG, _CHARGE_RECORD),
    _same("RatePlanId", _STRING, _PLAN_RECORD),
    _same("RatePlanName", _STRING, _PLAN_RECORD),
    _same("RetainLineId", _BOOLEAN, _REVENUE_SETTING),
    _same("RevenueRecognitionTiming", _STRING, _CHARGE_RECORD),
    _same("RevenueAmortizationMethod", _STRING, _CHARGE_RECORD),
    _same("RevenueExtendedSellingPrice", _STRING, _held("billed amount"), "without tax, as the document states it and "
          "without the sign of MAP-A; that this field carries it is inferred from an older integration"),
    _row("ReflectDiscountinNetAmount", _STRING, *(_items("reflectDiscountInNetAmount"),) * 3, _NO_DISCOUNT_FLAG),
    *(_row(f"SalesOrderLine{part}", _STRING, *(_BOOKING_SIDE,) * 3, _ADJUSTMENT_STANDALONE, not_when_standalone=True)
      for part in ("Id", "Number")),
    _same("SalesOrderNumber", _STRING, _ORDER_RECORD),
    _same("SellPrice", _DECIMAL, _CHARGE_RECORD),
    *(_same(f"SoldTo{part}Id", _STRING, _CONTACT_RECORD) for part in ("City", "Country", "State")),
    _row("StartDate", _DATE, *(_items("serviceStartDate"),) * 3, _document("ServiceStartDate"), note="the item's "
         "service period, as an older integration has it"),
    _same("SubscriptionEndDate", _DATE, _SUBSCRIPTION_RECORD),
    _row("SubscriptionId", _STRING, *(_items("subscriptionId"),) * 3, _SUBSCRIPTION_NOT_ON_ADJUSTMENT),
    _row("SubscriptionName", _STRING, _items("subscriptionName"), *(_SUBSCRIPTION_RECORD,) * 2,
         _SUBSCRIPTION_NOT_ON_ADJUSTMENT),
    *(_same(f"Subscription{part}", _STRING, _SUBSCRIPTION_RECORD)
      for part in ("OriginalOwnerId", "OwnerId", "OwnerName")),
    _same("SubscriptionStartDate", _DATE, _SUBSCRIPTION_RECORD),
    _same("SubscriptionStatus", _STRING, _SUBSCRIPTION_RECORD),
    _same("SubscriptionTermEndDate", _DATE, _SUBSCRIPTION_RECORD),
    _same("SubscriptionTermStartDate", _DATE, _SUBSCRIPTION_RECORD),
    _same("SubscriptionVersion", _LONG, _SUBSCRIPTION_RECORD),
    _row("TaxAmount", _STRING, _tax_of("taxationItems.data[].taxAmount"),
         _tax_of("taxationItems.data[].taxAmount", "creditTaxItems[].taxAmount"),
         _tax_of("taxationItems.data[].taxAmount", "taxItems[].taxAmount"), _NO_TAX, note="of a memo the sum over the "
         "item's tax lines, provided that they are all there"),
    _same("TermNumber", _INTEGER, _CHARGE_RECORD),
    _same("TermType", _STRING, _SUBSCRIPTION_RECORD),
    _same("TransactionType", _STRING, _held("revenue type"), "an overview speaks of a type CMI, which is none of "
          "Revenue's; it may be another code there"),
    _same("TriggerEvent", _STRING, _CHARGE_RECORD),
    *_accounting_code("UnbilledReceivables"),
    _row("UnitSalePrice", _STRING, _PRICE, _PRICE, _PRICE, _NO_QUANTITY, note="a discount's unitPrice is left out: "
         "it may be a percentage"),
    _same("UnitListPrice", FieldFormat.NOT_STATED, _CHARGE_RECORD, "the page states no format; text, as for bookings"),
    _same("ZbillExRateDate", _DATE, _FX_DATA),
)
# fmt: on
"""Every documented field, in documented order."""
