"""Zuora's REST shapes of the four documents, as tables: which field gives which fact, and the reading by them.

Owns where every fact comes from, one table per document type: Zuora's field, our companion field, what is expected and
the rule where neither tells. A companion value wins (FCT-10). All faults of a document are found in one reading. What
the mapping assumes later (MAP-S, MAP-R, FCT-1 … FCT-4) is not assumed here. Sources: *Retrieve an invoice*, *Retrieve a
credit memo*, *Retrieve a debit memo*, *Retrieve an invoice item adjustment* and the lists of their items.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from attrs import frozen

from regen_core.documents import (
    AdjustmentKind,
    Assumption,
    BillingDocument,
    BillingItem,
    DocumentHeader,
    DocumentKey,
    DocumentType,
    ItemSource,
    OrderLineCategory,
    ProcessingType,
)
from regen_core.fields import companion_field_fault
from regen_core.wire.facts import (
    AMOUNT,
    COMPANION,
    CURRENCY,
    DATE,
    EXACTLY,
    FLAG,
    NAME,
    NOT_NEGATIVE,
    OBJECT,
    TEXT,
    Fact,
    Fault,
    RestObject,
    amount_fault,
    required,
    words,
)
from regen_core.wire.strict_json import JsonValue, path_step, shown_value

__all__ = ["COMPANION", "ENVELOPE", "Fact", "Fault", "SHAPES", "Shape", "document_type", "read_document"]

ENVELOPE: Final = frozenset({"success", "processId", "requestId", "nextPage"})
"""What stands beside the payload of every answer and is no part of the document."""

_INVOICE, _CREDIT_MEMO = DocumentType.INVOICE, DocumentType.CREDIT_MEMO
_DEBIT_MEMO, _ADJUSTMENT = DocumentType.DEBIT_MEMO, DocumentType.INVOICE_ITEM_ADJUSTMENT

_SOURCE_NAMES: Final[Mapping[str, ItemSource]] = {
    "Subscription": ItemSource.SUBSCRIPTION,
    "Standalone": ItemSource.STANDALONE,
    "OrderLineItem": ItemSource.ORDER_LINE_ITEM,
    "Invoice": ItemSource.INVOICE,
    "ProductRatePlanCharge": ItemSource.PRODUCT_RATE_PLAN_CHARGE,
    "CreditMemo": ItemSource.CREDIT_MEMO,
}
"""How the companion field ``source`` spells them."""

_MEMO_ITEM_SOURCES: Final[Mapping[str, ItemSource]] = {
    "SubscriptionComponent": ItemSource.SUBSCRIPTION,
    "OrderLineItem": ItemSource.ORDER_LINE_ITEM,
    "ProductRatePlanCharge": ItemSource.PRODUCT_RATE_PLAN_CHARGE,
    "InvoiceDetail": ItemSource.INVOICE,
    "CreditMemoItem": ItemSource.CREDIT_MEMO,
}
_INVOICE_ITEM_SOURCES: Final = {**_MEMO_ITEM_SOURCES, "ProductRatePlanCharge": ItemSource.STANDALONE}

_IMPLIED_SOURCES: Final[Mapping[DocumentType, Mapping[str, ItemSource]]] = {
    _INVOICE: {
        "Subscription": ItemSource.SUBSCRIPTION,
        "Standalone": ItemSource.STANDALONE,
        "Invoice": ItemSource.INVOICE,
    },
    _CREDIT_MEMO: {
        "Subscription": ItemSource.SUBSCRIPTION,
        "Standalone": ItemSource.PRODUCT_RATE_PLAN_CHARGE,
        "Invoice": ItemSource.INVOICE,
    },
    _DEBIT_MEMO: {
        "Subscription": ItemSource.SUBSCRIPTION,
        "Standalone": ItemSource.STANDALONE,
        "Invoice": ItemSource.INVOICE,
    },
}
"""What a document's ``sourceType`` says of items that don't say it themselves (FCT-6)."""

_PROCESSING_TYPES: Final = {
    "Charge": ProcessingType.CHARGE,
    "Discount": ProcessingType.DISCOUNT,
    "Tax": ProcessingType.TAX,
}
_ADJUSTED: Final = {"InvoiceDetail": ProcessingType.CHARGE, "Tax": ProcessingType.TAX}


def _implied_source(kind: DocumentType) -> Callable[[RestObject, Fact], ItemSource | None]:
    implied = {
        word: (source, Assumption("source of the item", f"{source.value}, by the sourceType of the document", "FCT-6"))
        for word, source in _IMPLIED_SOURCES[kind].items()
    }

    def otherwise(item: RestObject, fact: Fact) -> ItemSource | None:  # noqa: ARG001  # one signature for all
        word = item.within.get("sourceType")
        if not isinstance(word, str) or word not in implied:
            return None
        source, assumption = implied[word]
        item.assumed.append(assumption)
        return source

    return otherwise


_A_CHARGE: Final = Assumption("processing type", "Charge", "FCT-8")
_NOT_EXCLUDED: Final = Assumption("excluded from revenue accounting", "no", "FCT-5")


def _charge(item: RestObject, fact: Fact) -> ProcessingType:  # noqa: ARG001  # one signature for all
    item.assumed.append(_A_CHARGE)
    return ProcessingType.CHARGE


def _not_excluded(item: RestObject, fact: Fact) -> bool:  # noqa: ARG001  # one signature for all
    item.assumed.append(_NOT_EXCLUDED)
    return False


def _amount_less_tax(item: RestObject, fact: Fact) -> Decimal | None:
    """FCT-9 where the net amount is left out."""
    if item.raw.get("amount") is None:
        item.fault("amountWithoutTax", "neither it nor amount", fact.kind.expected, fact.do)
        return None
    amount = item.read(AMOUNT, "amount", item.raw["amount"], fact.do)
    tax = _item_tax(item, fact)
    if amount is None or tax is None:
        return None
    net: Decimal = EXACTLY.subtract(amount, tax)
    fault = amount_fault(net)
    if fault is not None:
        item.fault("amount", f"an amount that less its tax has {fault}", fact.kind.expected, fact.do)
        return None
    item.assumed.append(Assumption("amount without tax", f"{net}, amount {amount} less tax {tax}", "FCT-9"))
    return net


def _item_tax(item: RestObject, fact: Fact) -> Decimal | None:
    if item.raw.get("taxAmount") is None:
        return Decimal(0)
    tax: Decimal | None = item.read(AMOUNT, "taxAmount", item.raw["taxAmount"], fact.do)
    return tax


def _currency_of_invoice(found: RestObject, fact: Fact) -> None:
    """FCT-7 is decided where invoices are known: see ``read_document``."""


_ID, _NUMBER = "id", "number"
_HEADER_COMPANIONS: Final = (
    Fact(attribute="from_reversal", says="from a reversal", kind=FLAG, companion="fromReversal", rule_ids=("MAP-R",)),
)
_ITEM_COMPANIONS: Final = (
    Fact(
        attribute="booking_amount", says="booking amount", kind=AMOUNT, companion="bookingAmount", rule_ids=("MAP-S",)
    ),
    Fact(
        attribute="booking_excluded",
        says="booking excluded",
        kind=FLAG,
        companion="bookingExcluded",
        rule_ids=("FCT-1",),
    ),
    Fact(
        attribute="account_level_discount",
        says="account-level discount",
        kind=FLAG,
        companion="accountLevelDiscount",
        rule_ids=("FCT-2",),
    ),
    Fact(
        attribute="calculated_charge_model",
        says="calculated charge model",
        kind=FLAG,
        companion="calculatedChargeModel",
        rule_ids=("FCT-3",),
    ),
    Fact(
        attribute="charge_deleted",
        says="subscription or charge deleted",
        kind=FLAG,
        companion="chargeDeleted",
        rule_ids=("FCT-4",),
    ),
    Fact(
        attribute="order_line_category",
        says="category of the order line item",
        kind=words({"Sales": OrderLineCategory.SALES, "Return": OrderLineCategory.RETURN}),
        companion="orderLineItemCategory",
        rule_ids=("MAP-7", "MAP-13"),
    ),
)
"""What no shape has: companion fields alone."""


def _header_facts(number: str, date: str) -> tuple[Fact, ...]:
    return (
        Fact(attribute="id", says="id", kind=NAME, field="id", otherwise=required, rule_ids=("REQ-7",)),
        Fact(attribute="number", says="number", kind=NAME, field=number, otherwise=required, rule_ids=("REQ-7",)),
        Fact(attribute="status", says="status", kind=NAME, field="status", otherwise=required, rule_ids=("ELI-1",)),
        Fact(attribute="date", says="document date", kind=DATE, field=date, otherwise=required),
        Fact(
            attribute="currency",
            says="currency",
            kind=CURRENCY,
            field="currency",
            companion="currency",
            otherwise=required,
        ),
        Fact(
            attribute="org",
            says="organisation",
            kind=NAME,
            field="organizationLabel",
            companion="org",
            rule_ids=("FCT-11", "ACC-4"),
        ),
        Fact(attribute="reason_code", says="reason code", kind=TEXT, field="reasonCode", rule_ids=("MAP-R",)),
    )


def _item_facts(kind: DocumentType, amount: Fact, sources: Mapping[str, ItemSource]) -> tuple[Fact, ...]:
    return (
        Fact(attribute="id", says="item id", kind=NAME, field="id", otherwise=required, rule_ids=("REQ-7",)),
        amount,
        Fact(
            attribute="source",
            says="source of the item",
            kind=words(sources, others=None),
            field="sourceItemType",
            companion="source",
            companion_kind=words(_SOURCE_NAMES),
            otherwise=_implied_source(kind),
            rule_ids=("FCT-6",),
        ),
        Fact(
            attribute="processing_type",
            says="processing type",
            kind=words(_PROCESSING_TYPES, others=ProcessingType.OTHER),
            field="processingType",
            otherwise=_charge,
            rule_ids=("FCT-8", "TAX-1"),
        ),
        Fact(
            attribute="excluded_from_revenue",
            says="excluded from revenue accounting",
            kind=FLAG,
            field="excludeItemBillingFromRevenueAccounting",
            otherwise=_not_excluded,
            rule_ids=("FCT-5",),
        ),
    )


_CHARGE_AMOUNT: Final = Fact(
    attribute="amount",
    says="amount without tax",
    kind=AMOUNT,
    field="chargeAmount",
    otherwise=required,
    rule_ids=("FCT-9", "MAP-A"),
)
_NET_AMOUNT: Final = Fact(
    attribute="amount",
    says="amount without tax",
    kind=AMOUNT,
    field="amountWithoutTax",
    otherwise=_amount_less_tax,
    rule_ids=("FCT-9", "MAP-A"),
)
_ADJUSTMENT_HEADER: Final = (
    Fact(attribute="id", says="id", kind=NAME, field="Id", otherwise=required, rule_ids=("REQ-7",)),
    Fact(
        attribute="number", says="number", kind=NAME, field="AdjustmentNumber", otherwise=required, rule_ids=("REQ-7",)
    ),
    Fact(attribute="status", says="status", kind=NAME, field="Status", otherwise=required, rule_ids=("ELI-1",)),
    Fact(attribute="date", says="document date", kind=DATE, field="AdjustmentDate", otherwise=required),
    Fact(
        attribute="currency",
        says="currency",
        kind=CURRENCY,
        companion="currency",
        otherwise=_currency_of_invoice,
        rule_ids=("FCT-7",),
    ),
    Fact(attribute="org", says="organisation", kind=NAME, companion="org", rule_ids=("FCT-11", "ACC-4")),
    Fact(attribute="reason_code", says="reason code", kind=TEXT, field="ReasonCode"),
)
_ADJUSTMENT_ITEM: Final = (
    Fact(attribute="amount", says="amount", kind=NOT_NEGATIVE, field="Amount", otherwise=required, rule_ids=("MAP-A",)),
    Fact(
        attribute="adjustment_kind",
        says="credit or charge",
        kind=words({"Credit": AdjustmentKind.CREDIT, "Charge": AdjustmentKind.CHARGE}),
        field="Type",
        otherwise=required,
        rule_ids=("MAP-A",),
    ),
    Fact(
        attribute="processing_type",
        says="processing type",
        kind=words(_ADJUSTED, others=ProcessingType.OTHER),
        field="SourceType",
        otherwise=_charge,
        rule_ids=("FCT-8", "TAX-1"),
    ),
    Fact(
        attribute="excluded_from_revenue",
        says="excluded from revenue accounting",
        kind=FLAG,
        field="ExcludeItemBillingFromRevenueAccounting",
        otherwise=_not_excluded,
        rule_ids=("FCT-5",),
    ),
    Fact(
        attribute="source",
        says="source of the item",
        kind=words(_SOURCE_NAMES),
        companion="source",
        rule_ids=("FCT-6",),
    ),
)


@frozen(kw_only=True)
class Shape:
    """One document type's shape: the tables of its header and of its items, and where the items stand.

    Fields: ``item_keys`` are the keys of nested items and pages, empty where the document is its own item;
    ``header_companions`` and ``item_companions`` are the facts that only companion fields tell; ``signs`` are fields
    that no other of the four shapes has.
    """

    type: DocumentType
    header: tuple[Fact, ...]
    item: tuple[Fact, ...]
    item_keys: tuple[str, ...]
    signs: tuple[str, ...]
    header_companions: tuple[Fact, ...] = _HEADER_COMPANIONS
    item_companions: tuple[Fact, ...] = _ITEM_COMPANIONS

    @property
    def known_header_companions(self) -> frozenset[str]:
        """The companion fields of the document object."""
        own = {"type", *_companions(self.header), *_companions(self.header_companions)}
        return frozenset(own | (self.known_item_companions if not self.item_keys else set()))

    @property
    def known_item_companions(self) -> frozenset[str]:
        """The companion fields of an item object."""
        return frozenset({"fields", *_companions(self.item), *_companions(self.item_companions)})


def _companions(facts: Sequence[Fact]) -> set[str]:
    return {fact.companion for fact in facts if fact.companion is not None}


SHAPES: Final[Mapping[DocumentType, Shape]] = {
    _INVOICE: Shape(
        type=_INVOICE,
        header=_header_facts("invoiceNumber", "invoiceDate"),
        item=_item_facts(_INVOICE, _CHARGE_AMOUNT, _INVOICE_ITEM_SOURCES),
        item_keys=("invoiceItems", "items"),
        signs=("invoiceNumber", "invoiceDate", "invoiceItems"),
    ),
    _CREDIT_MEMO: Shape(
        type=_CREDIT_MEMO,
        header=_header_facts("number", "creditMemoDate"),
        item=_item_facts(_CREDIT_MEMO, _NET_AMOUNT, _MEMO_ITEM_SOURCES),
        item_keys=("items",),
        signs=("creditMemoDate", "unappliedAmount", "autoApplyUponPosting", "excludeFromAutoApplyRules"),
    ),
    _DEBIT_MEMO: Shape(
        type=_DEBIT_MEMO,
        header=_header_facts("number", "debitMemoDate"),
        item=_item_facts(_DEBIT_MEMO, _NET_AMOUNT, _MEMO_ITEM_SOURCES),
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
"""The table of each document type."""

_KNOWN: Final = {kind: (shape.known_header_companions, shape.known_item_companions) for kind, shape in SHAPES.items()}
_DROPPED: Final = {kind: ENVELOPE | frozenset(shape.item_keys) for kind, shape in SHAPES.items()}
_NOTHING_DROPPED: Final[frozenset[str]] = frozenset()
_TYPES_BY_NAME: Final = {kind.value: kind for kind in DocumentType}
_SAY_TYPE: Final = f'Give "{COMPANION}": {{"type": …}} with one of the four'


def document_type(raw: Mapping[str, JsonValue], path: str = "$") -> DocumentType | Fault:
    """The type of a document: what its companion says, else the one whose shape alone has some field of it.

    >>> document_type({"id": "8ad08d29", "creditMemoDate": "2026-01-31"})
    <DocumentType.CREDIT_MEMO: 'CreditMemo'>
    """
    companion = raw.get(COMPANION)
    stated = companion.get("type") if isinstance(companion, dict) else None
    if stated is not None:
        if isinstance(stated, str) and stated in _TYPES_BY_NAME:
            return _TYPES_BY_NAME[stated]
        return Fault(
            path=f"{path}.{COMPANION}.type",
            found=shown_value(stated),
            expected=", ".join(_TYPES_BY_NAME),
            do="Correct it",
        )
    fitting = [kind for kind, shape in SHAPES.items() if any([sign in raw for sign in shape.signs])]
    if len(fitting) == 1:
        return fitting[0]
    names = ", ".join([shown_value(name) for name in list(raw)[:6]])
    found = f"an object with the fields {names}{', …' if len(raw) > 6 else ''}" if raw else "an empty object"
    return Fault(
        path=path,
        found=found if not fitting else f"{found}, signs of {' and '.join([kind.value for kind in fitting])}",
        expected="an invoice, credit memo, debit memo or invoice item adjustment as Zuora's REST API returns it",
        do=_SAY_TYPE,
    )


def _no_invoice(invoice_id: str) -> str | None:  # noqa: ARG001  # stands in for a caller's look-up
    return None


def read_document(
    raw: Mapping[str, JsonValue],
    items: Sequence[JsonValue] | None = None,
    *,
    tenant: str,
    entity: str,
    kind: DocumentType | None = None,
    default_org: str | None = None,
    path: str = "$",
    item_paths: Sequence[str] | None = None,
    currency_of_invoice: Callable[[str], str | None] = _no_invoice,
) -> BillingDocument | tuple[Fault, ...]:
    """The document that a REST object states, or everything that is wrong with it.

    ``items`` are its items where they came apart from it, with ``item_paths`` for messages; ``None`` takes the nested
    ones. ``kind`` ``None`` is found by :func:`document_type`; ``default_org`` is for documents without an organisation
    (FCT-11); ``currency_of_invoice`` gives the currency of an adjustment's invoice by its id (FCT-7).

    >>> invoice = {"id": "8ad08d29", "invoiceNumber": "INV-1", "invoiceDate": "2026-01-31", "status": "Posted"}
    >>> invoice |= {"currency": "EUR", "invoiceItems": [{"id": "i1", "chargeAmount": "10.00"}]}
    >>> read_document(invoice, tenant="t", entity="e").items[0].amount
    Decimal('10.00')
    """
    found = document_type(raw, path) if kind is None else kind
    if isinstance(found, Fault):
        return (found,)
    kind = found
    shape, faults = SHAPES[kind], list[Fault]()
    header = RestObject(raw, path, faults)
    facts = _taken(kind, header, shape.header, shape.header_companions, _KNOWN[kind][0])
    if not shape.item_keys:
        return _adjustment(shape, header, facts, tenant, entity, default_org, currency_of_invoice)
    if items is None:
        items, item_paths = _nested(header, shape)
    read = _items(shape, items, item_paths or [f"{path}.items[{at}]" for at in range(len(items))], raw, faults)
    _default_org(header, facts, default_org)
    if faults:
        return tuple(faults)
    key = DocumentKey(tenant=tenant, entity=entity, type=kind, id=facts.pop("id"))
    return BillingDocument(
        DocumentHeader(key=key, assumed=tuple(header.assumed), carried=header.carried(_DROPPED[kind]), **facts),
        tuple(read),
    )


def _taken(
    kind: DocumentType,
    found: RestObject,
    facts: Sequence[Fact],
    companions: Sequence[Fact],
    known: frozenset[str],
) -> dict[str, Any]:
    has_companion = COMPANION in found.raw and found.open_companion(known)
    take = found.take
    taken = {fact.attribute: take(fact) for fact in facts}
    if has_companion:
        for fact in companions:
            taken[fact.attribute] = take(fact)
        fields = found.companion.get("fields")
        if fields is not None:
            found.read(OBJECT, f"{COMPANION}.fields", fields, "Correct or remove it")
            _check_fields(kind, found, fields)
    return taken


def _check_fields(kind: DocumentType, found: RestObject, fields: JsonValue) -> None:
    """A companion's ``fields`` fill the flat row; what can't is a fault, so that no typo is passed over (FCT-10)."""
    for name, value in fields.items() if isinstance(fields, dict) else ():
        fault = None if value is None else companion_field_fault(kind, name, value)
        if fault is not None:
            found.fault(
                f"{COMPANION}.fields{path_step(name)}",
                f"{shown_value(value)}, but {fault}",
                "a documented field of the billing transaction that it doesn't say itself, in the documented format",
                "Correct or remove it",
            )


def _nested(header: RestObject, shape: Shape) -> tuple[Sequence[JsonValue], Sequence[str]]:
    key = next((key for key in shape.item_keys if header.raw.get(key) is not None), None)
    if key is None:
        header.fault(
            shape.item_keys[0],
            "neither items nor a page of them",
            "a list of items, an empty one where there are none",
            "Nest the items under this key, or load their pages with the document",
        )
        return (), ()
    nested = header.raw[key]
    if not isinstance(nested, list):
        header.fault(key, shown_value(nested), "a list of items", "Correct it")
        return (), ()
    return nested, [f"{header.path}.{key}[{at}]" for at in range(len(nested))]


def _items(
    shape: Shape, items: Sequence[JsonValue], paths: Sequence[str], within: Mapping[str, JsonValue], faults: list[Fault]
) -> list[BillingItem]:
    read: list[BillingItem] = []
    places: dict[str, str] = {}
    known = _KNOWN[shape.type][1]
    for raw, path in zip(items, paths, strict=True):
        if not isinstance(raw, dict):
            faults.append(Fault(path=path, found=shown_value(raw), expected="an item, a JSON object", do="Correct it"))
            continue
        before = len(faults)
        item = RestObject(raw, path, faults, within)
        facts = _taken(shape.type, item, shape.item, shape.item_companions, known)
        earlier = places.setdefault(facts["id"], path) if facts["id"] is not None else path
        if earlier is not path:
            again = f"{shown_value(facts['id'])} again, as at {earlier}"
            item.fault("id", again, "an id of its own", "Remove one of the items")
        if len(faults) == before:
            read.append(BillingItem(assumed=tuple(item.assumed), carried=item.carried(_NOTHING_DROPPED), **facts))
    return read


def _default_org(header: RestObject, facts: dict[str, Any], default_org: str | None) -> None:
    if facts["org"] is None and default_org is not None:
        facts["org"] = default_org
        header.assumed.append(Assumption("organisation", f"{default_org}, the default", "FCT-11"))


def _adjustment(
    shape: Shape,
    header: RestObject,
    facts: dict[str, Any],
    tenant: str,
    entity: str,
    default_org: str | None,
    currency_of_invoice: Callable[[str], str | None],
) -> BillingDocument | tuple[Fault, ...]:
    """An adjustment is its own single item; everything that no attribute keeps is carried by its header."""
    item = RestObject(header.raw, header.path, header.faults)
    item.companion = header.companion
    item_facts = {fact.attribute: item.take(fact) for fact in shape.item}
    if item.companion:
        item_facts |= {fact.attribute: item.take(fact) for fact in shape.item_companions}
    if facts["currency"] is None and (header.companion or {}).get("currency") is None:
        _invoice_currency(header, facts, currency_of_invoice)
    _default_org(header, facts, default_org)
    if header.faults:
        return tuple(header.faults)
    header.taken.extend(item.taken)
    key = DocumentKey(tenant=tenant, entity=entity, type=shape.type, id=facts.pop("id"))
    carried = header.carried(_DROPPED[shape.type])
    return BillingDocument(
        DocumentHeader(key=key, assumed=tuple(header.assumed), carried=carried, **facts),
        (BillingItem(id=key.id, assumed=tuple(item.assumed), **item_facts),),
    )


def _invoice_currency(
    header: RestObject, facts: dict[str, Any], currency_of_invoice: Callable[[str], str | None]
) -> None:
    """FCT-7: the currency of the invoice where that is known, else a fault."""
    invoice_id = header.raw.get("InvoiceId")
    if isinstance(invoice_id, str):
        facts["currency"] = currency_of_invoice(invoice_id)
    if facts["currency"] is not None:
        told = f"{facts['currency']}, of the invoice {shown_value(invoice_id)}"
        header.assumed.append(Assumption("currency", told, "FCT-7"))
        return
    header.fault(
        f"{COMPANION}.currency",
        "no currency, and no loaded invoice that InvoiceId names",
        "the currency of the adjusted invoice",
        f'Load the invoice before or with it, or give "currency" in "{COMPANION}"',
    )
