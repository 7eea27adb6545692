"""The library's own values as canonical JSON and back, exactly.

Owns one table per class: which field, how it is written, how it is read. Names are the attributes' own; amounts are
text, so that no reader makes floats of them; an enum is its value; ``None`` is ``null``; carried fields are the JSON
object that they were, so their text comes back byte for byte as long as it was canonical. Reading raises
:class:`~regen_core.wire.codec.NotCanonical` with the place of the fault. It knows nothing of Zuora's shapes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from regen_core.decision_table import RegenerateFlag, SendAction
from regen_core.documents import (
    AdjustmentKind,
    Assumption,
    BillingDocument,
    BillingItem,
    CarriedFields,
    DocumentHeader,
    DocumentKey,
    DocumentType,
    ItemSource,
    OrderLineCategory,
    ProcessingType,
)
from regen_core.revenue import Delivery, Held, HeldAs
from regen_core.transactions import BillingTransaction, Occasion, RevenueType, StoredTransaction, TransactionState
from regen_core.wire import strict_json
from regen_core.wire.codec import (
    AMOUNT,
    AMOUNT_OR_NONE,
    BOOL,
    BOOL_OR_NONE,
    COUNT,
    DAY,
    TEXT,
    TEXT_OR_NONE,
    Codec,
    JsonObject,
    NotCanonical,
    Row,
    amount,
    enum,
    enum_or_none,
    iso,
    json_object,
    moment,
    parts_of,
    tuple_of,
)

__all__ = [
    "JsonObject",
    "NotCanonical",
    "delivery_json",
    "delivery_of",
    "document_json",
    "document_of",
    "header_content",
    "header_json",
    "header_of",
    "held_json",
    "held_of",
    "item_content",
    "item_json",
    "item_of",
    "key_json",
    "key_of",
    "occasion_json",
    "occasion_of",
    "stored_transaction_json",
    "transaction_json",
    "transaction_of",
]

T = TypeVar("T")


def _carried(value: object) -> CarriedFields:
    return CarriedFields(strict_json.dump(json_object(value)))


_ASSUMPTION: Final = Codec(Assumption, {"fact": TEXT, "value": TEXT, "rule_id": TEXT})


def _assumptions_written(assumed: tuple[Assumption, ...]) -> list[JsonObject]:
    return [_ASSUMPTION.full(each) for each in assumed]


_ASSUMED: Final = Row(_assumptions_written, tuple_of(_ASSUMPTION.read))

_KEY: Final = Codec(DocumentKey, {"tenant": TEXT, "entity": TEXT, "type": enum(DocumentType), "id": TEXT})

_HEADER: Final = Codec(
    DocumentHeader,
    {
        "number": TEXT,
        "org": TEXT_OR_NONE,
        "status": TEXT,
        "date": DAY,
        "currency": TEXT,
        "from_reversal": BOOL_OR_NONE,
        "reason_code": TEXT_OR_NONE,
        "assumed": _ASSUMED,
    },
    apart=frozenset({"key", "carried"}),
)

_ITEM: Final = Codec(
    BillingItem,
    {
        "id": TEXT,
        "amount": AMOUNT,
        "source": enum_or_none(ItemSource),
        "processing_type": enum(ProcessingType),
        "excluded_from_revenue": BOOL,
        "booking_amount": AMOUNT_OR_NONE,
        "booking_excluded": BOOL_OR_NONE,
        "account_level_discount": BOOL_OR_NONE,
        "calculated_charge_model": BOOL_OR_NONE,
        "charge_deleted": BOOL_OR_NONE,
        "order_line_category": enum_or_none(OrderLineCategory),
        "adjustment_kind": enum_or_none(AdjustmentKind),
        "assumed": _ASSUMED,
    },
    apart=frozenset({"carried"}),
)

_OCCASION: Final = Codec(Occasion, {"at": Row(iso, moment), "by": TEXT_OR_NONE})


def key_json(key: DocumentKey) -> JsonObject:
    """A document's identity."""
    return _KEY.full(key)


def key_of(json: object) -> DocumentKey:
    """The identity that :func:`key_json` wrote."""
    return _KEY.read(json)


def header_content(header: DocumentHeader) -> JsonObject:
    """A header without its key and its carried fields, defaults left out: what a store keeps beside both."""
    return _HEADER.brief(header)


def item_content(item: BillingItem) -> JsonObject:
    """An item without its carried fields, defaults left out: what a store keeps beside them."""
    return _ITEM.brief(item)


def header_json(header: DocumentHeader) -> JsonObject:
    """A header with its key and carried fields."""
    return {"key": _KEY.full(header.key), **_HEADER.full(header), "carried": dict(header.carried.fields)}


def header_of(json: object) -> DocumentHeader:
    """The header that :func:`header_json` wrote."""
    rest = dict(parts_of(json, DocumentHeader, "key", "carried"))
    key, carried = key_of(rest.pop("key")), _carried(rest.pop("carried"))
    return _HEADER.read(rest, key=key, carried=carried)


def item_json(item: BillingItem) -> JsonObject:
    """An item with its carried fields.

    >>> from decimal import Decimal
    >>> item_json(BillingItem(id="i1", amount=Decimal("10.00")))["amount"]
    '10.00'
    """
    return {**_ITEM.full(item), "carried": dict(item.carried.fields)}


def item_of(json: object) -> BillingItem:
    """The item that :func:`item_json` wrote.

    >>> item = BillingItem(id="i1", amount=Decimal("10.00"))
    >>> item_of(item_json(item)) == item
    True
    """
    rest = dict(parts_of(json, BillingItem, "carried"))
    return _ITEM.read(rest, carried=_carried(rest.pop("carried")))


def document_json(document: BillingDocument) -> JsonObject:
    """A document: its header and its items in document order."""
    return {"header": header_json(document.header), "items": [item_json(item) for item in document.items]}


def document_of(json: object) -> BillingDocument:
    """The document that :func:`document_json` wrote."""
    parts = parts_of(json, BillingDocument, "header", "items")
    _nothing_else(parts, BillingDocument, {"header", "items"})
    return _built(BillingDocument, header_of(parts["header"]), tuple_of(item_of)(parts["items"]))


def occasion_json(occasion: Occasion | None) -> JsonObject | None:
    """When and by whom, the moment in ISO 8601 with its offset; ``None`` where it was not told."""
    return None if occasion is None else _OCCASION.full(occasion)


def occasion_of(json: object) -> Occasion | None:
    """The occasion that :func:`occasion_json` wrote."""
    return None if json is None else _OCCASION.read(json)


_TRANSACTION: Final = Codec(
    BillingTransaction,
    {
        "id": TEXT,
        "header": Row(header_json, header_of),
        "item": Row(item_json, item_of),
        "revenue_type": enum(RevenueType),
        "standalone": BOOL,
        "revision": COUNT,
        "state": enum(TransactionState),
        "created": Row(occasion_json, occasion_of),
        "updated": Row(occasion_json, occasion_of),
    },
)


def transaction_json(transaction: BillingTransaction) -> JsonObject:
    """A transaction with header and item as they were when it was written, and its signed ``amount`` (MAP-A)."""
    return {**_TRANSACTION.full(transaction), "amount": str(transaction.amount)}


def transaction_of(json: object) -> BillingTransaction:
    """The transaction that :func:`transaction_json` wrote; ``amount`` must be what item and type give (MAP-A)."""
    rest = dict(parts_of(json, BillingTransaction, "amount"))
    told = amount(rest.pop("amount"))
    read = _TRANSACTION.read(rest)
    return _agreeing(read, "amount", str(told), str(read.amount))


def stored_transaction_json(stored: StoredTransaction) -> JsonObject:
    """A transaction beside the number of its deliveries (REV-0)."""
    return {"deliveries": stored.deliveries, "transaction": transaction_json(stored.transaction)}


_DELIVERY: Final = Codec(
    Delivery,
    {
        "transaction": Row(transaction_json, transaction_of),
        "number": COUNT,
        "flag": enum(RegenerateFlag),
        "action": enum(SendAction),
    },
    apart=frozenset(),
)


def delivery_json(delivery: Delivery) -> JsonObject:
    """A delivery as Revenue gets it: its id, the transaction's id and revision, the flag, line or void (REV-0)."""
    return {
        "id": delivery.id,
        "transaction_id": delivery.transaction.id,
        "revision": delivery.revision,
        "number": delivery.number,
        "regenerate_flag": delivery.flag.value,
        "action": delivery.action.value,
        "transaction": transaction_json(delivery.transaction),
    }


def delivery_of(json: object) -> Delivery:
    """The delivery that :func:`delivery_json` wrote; the ids and the revision must agree with the transaction."""
    rest = dict(parts_of(json, Delivery, "id", "transaction_id", "revision", "regenerate_flag"))
    told = rest.pop("id"), rest.pop("transaction_id"), rest.pop("revision")
    rest["flag"] = rest.pop("regenerate_flag")
    read = _DELIVERY.read(rest)
    return _agreeing(read, "id, transaction_id or revision", told, (read.id, read.transaction.id, read.revision))


_HELD: Final = Codec(Held, {"kind": enum(HeldAs), "transaction": Row(transaction_json, transaction_of)})


def held_json(held: Held) -> JsonObject:
    """What Revenue holds for a transaction, line or tombstone (REV-3)."""
    return _HELD.full(held)


def held_of(json: object) -> Held:
    """What :func:`held_json` wrote."""
    return _HELD.read(json)


def _nothing_else(json: JsonObject, kind: type, known: set[str]) -> None:
    if set(json) - known:
        raise NotCanonical(f"{kind.__name__}: unknown field")


def _built(kind: Callable[..., T], *parts: object) -> T:
    try:
        return kind(*parts)
    except (TypeError, ValueError) as fault:
        raise NotCanonical(str(fault)) from None


def _agreeing(value: T, names: str, told: object, derived: object) -> T:
    if told != derived:
        raise NotCanonical(f"{type(value).__name__}: {names} disagrees with the rest")
    return value
