"""The library's own values as canonical JSON and back, exactly.

Owns one table per class: which field, how it is written, how it is read. Names are the attributes' own; amounts are
text, so that no reader makes floats of them; an enum is its value; ``None`` is ``null``; carried fields are the JSON
object that they were, so their text comes back byte for byte as long as it was canonical. What only goes out (a plan, a
refusal) has no way back. Reading raises :class:`NotCanonical` with the place of the fault. It knows nothing of Zuora's
shapes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Final, Generic, TypeAlias, TypeVar

import attrs
from attrs import frozen

from regen_core.changes import FieldChange
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
from regen_core.idempotency import RequestMeaning
from regen_core.refusals import Refusal
from regen_core.regeneration import PlannedLine, Regeneration
from regen_core.request import RegenerateRequest
from regen_core.revenue import Delivery, Held, HeldAs
from regen_core.transactions import BillingTransaction, Occasion, RevenueType, StoredTransaction, TransactionState
from regen_core.wire import strict_json

__all__ = [
    "JsonObject",
    "NotCanonical",
    "change_json",
    "delivery_json",
    "delivery_of",
    "document_json",
    "document_of",
    "header_content",
    "header_json",
    "header_of",
    "header_of_content",
    "held_json",
    "held_of",
    "item_content",
    "item_json",
    "item_of",
    "item_of_content",
    "key_json",
    "key_of",
    "meaning_json",
    "meaning_of",
    "occasion_json",
    "occasion_of",
    "plain",
    "refusal_json",
    "regeneration_json",
    "request_json",
    "request_of",
    "stored_transaction_json",
    "transaction_json",
    "transaction_of",
]

JsonObject: TypeAlias = "dict[str, Any]"
"""A JSON object as :func:`regen_core.wire.strict_json.parse` gives it and ``dump`` takes it."""

T = TypeVar("T")
E = TypeVar("E", bound=Enum)


class NotCanonical(ValueError):  # noqa: N818  # named for what the text is
    """JSON that doesn't hold one of the library's values; the message says where and what was expected."""


# How single values are read: each refuses what it would not have written.


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"expected text, found {_shown(value)}")
    return value


def _bool(value: object) -> bool:
    if value is True or value is False:
        return value
    raise ValueError(f"expected true or false, found {_shown(value)}")


def _count(value: object) -> int:
    if type(value) is not int:
        raise ValueError(f"expected a whole number, found {_shown(value)}")
    return value


_AMOUNT: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:E[+-]?[0-9]+)?")


def _amount(value: object) -> Decimal:
    if not isinstance(value, str) or _AMOUNT.fullmatch(value) is None:
        raise ValueError(f'expected an amount as text, such as "10.00", found {_shown(value)}')
    return Decimal(value)


def _date(value: object) -> date:
    return date.fromisoformat(_text(value))


def _moment(value: object) -> datetime:
    return datetime.fromisoformat(_text(value))


def _member(kind: type[E]) -> Callable[[object], E]:
    members: dict[object, E] = {each.value: each for each in kind}

    def read(value: object) -> E:
        try:
            return members[value]
        except (KeyError, TypeError):
            raise ValueError(f"expected one of {', '.join(map(str, members))}, found {_shown(value)}") from None

    return read


def _or_none(read: Callable[[object], T]) -> Callable[[object], T | None]:
    return lambda value: None if value is None else read(value)


def _tuple_of(read: Callable[[object], T]) -> Callable[[object], tuple[T, ...]]:
    def read_all(value: object) -> tuple[T, ...]:
        if not isinstance(value, list):
            raise ValueError(f"expected a list, found {_shown(value)}")
        return tuple([read(each) for each in value])

    return read_all


def _carried(value: object) -> CarriedFields:
    return CarriedFields(strict_json.dump(_object(value)))


def _object(value: object) -> JsonObject:
    if not isinstance(value, dict):
        raise ValueError(f"expected an object, found {_shown(value)}")
    return value


def _shown(value: object) -> str:
    """The kind of a value; the value itself may be anybody's."""
    return "null" if value is None else f"a {type(value).__name__}"


# How they are written. ``None`` as a writer means: as it is.


def _value_of(member: Enum) -> Any:
    return member.value


def _iso(moment: date) -> str:
    return moment.isoformat()


_Writer: TypeAlias = "Callable[[Any], Any] | None"
_Row: TypeAlias = "tuple[_Writer, Callable[[Any], Any]]"

_TEXT: Final[_Row] = (None, _text)
_TEXT_OR_NONE: Final[_Row] = (None, _or_none(_text))
_BOOL: Final[_Row] = (None, _bool)
_BOOL_OR_NONE: Final[_Row] = (None, _or_none(_bool))
_COUNT: Final[_Row] = (None, _count)
_AMOUNT_ROW: Final[_Row] = (str, _amount)


def _enum(kind: type[Enum]) -> _Row:
    return _value_of, _member(kind)


def _enum_or_none(kind: type[Enum]) -> _Row:
    return _value_of, _or_none(_member(kind))


@frozen
class _Codec(Generic[T]):
    """One class as JSON: its fields in order, each with a writer and a reader.

    Raises ``ValueError`` where the table doesn't name exactly the fields that the constructor takes, bar ``apart``:
    a field that a class gains must not be forgotten here.
    """

    kind: type[T]
    table: Mapping[str, _Row]
    apart: frozenset[str] = frozenset()
    _writers: tuple[tuple[str, _Writer, object], ...] = attrs.field(init=False)
    _readers: Mapping[str, Callable[[Any], Any]] = attrs.field(init=False)

    @_writers.default
    def _written(self) -> tuple[tuple[str, _Writer, object], ...]:
        fields = {each.name: each.default for each in attrs.fields(self.kind) if each.init}  # type: ignore[arg-type, misc, unused-ignore]  # T is an attrs class
        if set(self.table) | self.apart != set(fields):
            raise ValueError(f"the table of {self.kind.__name__} differs by {set(self.table) ^ set(fields)}")
        return tuple((name, row[0], fields[name]) for name, row in self.table.items())

    @_readers.default
    def _read(self) -> Mapping[str, Callable[[Any], Any]]:
        return {name: row[1] for name, row in self.table.items()}

    def full(self, value: T) -> JsonObject:
        """All fields, ``None`` as ``null``."""
        out: JsonObject = {}
        for name, write, _ in self._writers:
            part = getattr(value, name)
            out[name] = part if write is None or part is None else write(part)
        return out

    def brief(self, value: T) -> JsonObject:
        """The fields that differ from their defaults: as exact as the full form, and shorter to store and to read."""
        out: JsonObject = {}
        for name, write, default in self._writers:
            part = getattr(value, name)
            if part is not default and part != default:
                out[name] = part if write is None or part is None else write(part)
        return out

    def read(self, json: object, **apart: object) -> T:
        """The value that was written, full or brief."""
        readers = self._readers
        try:
            return self.kind(**{name: readers[name](part) for name, part in json.items()}, **apart)  # type: ignore[attr-defined]  # what isn't an object is a fault
        except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
            raise self._fault(json, error) from None

    def _fault(self, json: object, error: Exception) -> NotCanonical:
        if not isinstance(json, dict):
            return NotCanonical(f"{self.kind.__name__}: expected an object, found {_shown(json)}")
        for name, part in json.items():
            if name not in self._readers:
                return NotCanonical(f"{self.kind.__name__}: unknown field")
            try:
                self._readers[name](part)
            except (ArithmeticError, TypeError, ValueError) as fault:
                return NotCanonical(f"{self.kind.__name__}.{name}: {fault}")
        return NotCanonical(f"{self.kind.__name__}: {error}")


_ASSUMPTION: Final = _Codec(Assumption, {"fact": _TEXT, "value": _TEXT, "rule_id": _TEXT})


def _assumptions_written(assumed: tuple[Assumption, ...]) -> list[JsonObject]:
    return [_ASSUMPTION.full(each) for each in assumed]


_ASSUMED: Final[_Row] = (_assumptions_written, _tuple_of(_ASSUMPTION.read))

_KEY: Final = _Codec(DocumentKey, {"tenant": _TEXT, "entity": _TEXT, "type": _enum(DocumentType), "id": _TEXT})

_HEADER: Final = _Codec(
    DocumentHeader,
    {
        "number": _TEXT,
        "org": _TEXT_OR_NONE,
        "status": _TEXT,
        "date": (_iso, _date),
        "currency": _TEXT,
        "from_reversal": _BOOL_OR_NONE,
        "reason_code": _TEXT_OR_NONE,
        "assumed": _ASSUMED,
    },
    apart=frozenset({"key", "carried"}),
)

_ITEM: Final = _Codec(
    BillingItem,
    {
        "id": _TEXT,
        "amount": _AMOUNT_ROW,
        "source": _enum_or_none(ItemSource),
        "processing_type": _enum(ProcessingType),
        "excluded_from_revenue": _BOOL,
        "booking_amount": (str, _or_none(_amount)),
        "booking_excluded": _BOOL_OR_NONE,
        "account_level_discount": _BOOL_OR_NONE,
        "calculated_charge_model": _BOOL_OR_NONE,
        "charge_deleted": _BOOL_OR_NONE,
        "order_line_category": _enum_or_none(OrderLineCategory),
        "adjustment_kind": _enum_or_none(AdjustmentKind),
        "assumed": _ASSUMED,
    },
    apart=frozenset({"carried"}),
)

_OCCASION: Final = _Codec(Occasion, {"at": (_iso, _moment), "by": _TEXT_OR_NONE})

_REQUEST: Final = _Codec(
    RegenerateRequest,
    {
        "type": _enum(DocumentType),
        "id": _TEXT_OR_NONE,
        "number": _TEXT_OR_NONE,
        "only_re_send": _BOOL,
        "re_migrate": _BOOL,
    },
)


def key_json(key: DocumentKey) -> JsonObject:
    """A document's identity."""
    return _KEY.full(key)


def key_of(json: object) -> DocumentKey:
    """The identity that :func:`key_json` wrote."""
    return _KEY.read(json)


def header_content(header: DocumentHeader) -> JsonObject:
    """A header without its key and its carried fields, defaults left out: what a store keeps beside both."""
    return _HEADER.brief(header)


def header_of_content(json: object, key: DocumentKey, carried: str) -> DocumentHeader:
    """The header whose content, key and carried text were stored."""
    return _HEADER.read(json, key=key, carried=CarriedFields(carried))


def item_content(item: BillingItem) -> JsonObject:
    """An item without its carried fields, defaults left out: what a store keeps beside them."""
    return _ITEM.brief(item)


def item_of_content(json: object, carried: str) -> BillingItem:
    """The item whose content and carried text were stored."""
    return _ITEM.read(json, carried=CarriedFields(carried))


def header_json(header: DocumentHeader) -> JsonObject:
    """A header with its key and carried fields."""
    return {"key": _KEY.full(header.key), **_HEADER.full(header), "carried": dict(header.carried.fields)}


def header_of(json: object) -> DocumentHeader:
    """The header that :func:`header_json` wrote."""
    rest = dict(_parts(json, DocumentHeader, "key", "carried"))
    key, carried = key_of(rest.pop("key")), _carried(rest.pop("carried"))
    return _HEADER.read(rest, key=key, carried=carried)


def item_json(item: BillingItem) -> JsonObject:
    """An item with its carried fields.

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
    rest = dict(_parts(json, BillingItem, "carried"))
    return _ITEM.read(rest, carried=_carried(rest.pop("carried")))


def document_json(document: BillingDocument) -> JsonObject:
    """A document: its header and its items in document order."""
    return {"header": header_json(document.header), "items": [item_json(item) for item in document.items]}


def document_of(json: object) -> BillingDocument:
    """The document that :func:`document_json` wrote."""
    parts = _parts(json, BillingDocument, "header", "items")
    _nothing_else(parts, BillingDocument, {"header", "items"})
    return _built(BillingDocument, header_of(parts["header"]), _tuple_of(item_of)(parts["items"]))


def occasion_json(occasion: Occasion | None) -> JsonObject | None:
    """When and by whom, the moment in ISO 8601 with its offset; ``None`` where it was not told."""
    return None if occasion is None else _OCCASION.full(occasion)


def occasion_of(json: object) -> Occasion | None:
    """The occasion that :func:`occasion_json` wrote."""
    return None if json is None else _OCCASION.read(json)


def request_json(request: RegenerateRequest) -> JsonObject:
    """A request with both flags, defaults applied."""
    return _REQUEST.full(request)


def request_of(json: object) -> RegenerateRequest:
    """The request that :func:`request_json` wrote."""
    return _REQUEST.read(json)


def meaning_json(meaning: RequestMeaning) -> JsonObject:
    """What two requests under one Idempotency-Key must agree on; a set of orgs in order (IDM-4)."""
    orgs = meaning.requested_orgs
    return {
        "method": meaning.method,
        "path": meaning.path,
        "entity": meaning.entity,
        "requested_orgs": None if orgs is None else sorted(orgs),
        "request": request_json(meaning.request),
    }


def meaning_of(json: object) -> RequestMeaning:
    """The meaning that :func:`meaning_json` wrote."""
    parts = _parts(json, RequestMeaning, "method", "path", "entity", "requested_orgs", "request")
    orgs = _or_none(_tuple_of(_text))(parts["requested_orgs"])
    return RequestMeaning(
        method=_text(parts["method"]),
        path=_text(parts["path"]),
        entity=_text(parts["entity"]),
        requested_orgs=None if orgs is None else frozenset(orgs),
        request=request_of(parts["request"]),
    )


_TRANSACTION: Final = _Codec(
    BillingTransaction,
    {
        "id": _TEXT,
        "header": (header_json, header_of),
        "item": (item_json, item_of),
        "revenue_type": _enum(RevenueType),
        "standalone": _BOOL,
        "revision": _COUNT,
        "state": _enum(TransactionState),
        "created": (occasion_json, occasion_of),
        "updated": (occasion_json, occasion_of),
    },
)


def transaction_json(transaction: BillingTransaction) -> JsonObject:
    """A transaction with header and item as they were when it was written, and its signed ``amount`` (MAP-A)."""
    return {**_TRANSACTION.full(transaction), "amount": str(transaction.amount)}


def transaction_of(json: object) -> BillingTransaction:
    """The transaction that :func:`transaction_json` wrote; ``amount`` must be what item and type give (MAP-A)."""
    rest = dict(_parts(json, BillingTransaction, "amount"))
    amount = _amount(rest.pop("amount"))
    read = _TRANSACTION.read(rest)
    return _agreeing(read, "amount", str(amount), str(read.amount))


def stored_transaction_json(stored: StoredTransaction) -> JsonObject:
    """A transaction beside the number of its deliveries (REV-0)."""
    return {"deliveries": stored.deliveries, "transaction": transaction_json(stored.transaction)}


_DELIVERY: Final = _Codec(
    Delivery,
    {
        "transaction": (transaction_json, transaction_of),
        "number": _COUNT,
        "flag": _enum(RegenerateFlag),
        "action": _enum(SendAction),
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
    rest = dict(_parts(json, Delivery, "id", "transaction_id", "revision", "regenerate_flag"))
    told = rest.pop("id"), rest.pop("transaction_id"), rest.pop("revision")
    rest["flag"] = rest.pop("regenerate_flag")
    read = _DELIVERY.read(rest)
    return _agreeing(read, "id, transaction_id or revision", told, (read.id, read.transaction.id, read.revision))


_HELD: Final = _Codec(Held, {"kind": _enum(HeldAs), "transaction": (transaction_json, transaction_of)})


def held_json(held: Held) -> JsonObject:
    """What Revenue holds for a transaction, line or tombstone (REV-3)."""
    return _HELD.full(held)


def held_of(json: object) -> Held:
    """What :func:`held_json` wrote."""
    return _HELD.read(json)


def refusal_json(refusal: Refusal) -> JsonObject:
    """A refusal with its name, code, category and message, and the fields that it has of its own (PRE-2).

    >>> from regen_core.refusals import DocumentNotFound
    >>> refusal_json(DocumentNotFound(DocumentType.INVOICE))["code"]
    50000040
    """
    told = {"name": refusal.name, "code": refusal.code, "category": refusal.category, "message": refusal.message}
    return {**told, **plain(refusal)}


def change_json(change: FieldChange) -> JsonObject:
    """One difference between two versions, the values as plain JSON."""
    return {"path": change.path, "before": plain(change.before), "after": plain(change.after)}


def regeneration_json(done: Regeneration) -> JsonObject:
    """What a request does or did: the row of TBL-M, the idList and every line with its rules (TBL-R)."""
    return {
        "document": {**key_json(done.document.key), "number": done.document.header.number},
        "request": request_json(done.request),
        "mode": plain(done.rule.mode),
        "regenerate_flag": plain(done.rule.flag),
        "rule_id": done.rule.id,
        "id_list": list(done.id_list),
        "skipped_tax_items": [item.id for item in done.skipped_tax_items],
        "lines": [_line_json(line) for line in done.lines],
    }


def _line_json(line: PlannedLine) -> JsonObject:
    before, after, delivery = line.before, line.after, line.delivery
    return {
        "item_id": line.item_id,
        "transaction_id": after.transaction.id if after is not None else None,
        "rule_ids": list(line.rule_ids),
        "write": line.ruling.write.action.value,
        "send": None if line.ruling.send is None else line.ruling.send.action.value,
        "delivery_id": None if delivery is None else delivery.id,
        "before": None if before is None else stored_transaction_json(before),
        "after": None if after is None else stored_transaction_json(after),
    }


def plain(value: Any) -> Any:
    """Any value of the library as plain JSON: enums by value, moments in ISO 8601, amounts as text, sets in order."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, CarriedFields):
        return dict(value.fields)
    if isinstance(value, Mapping):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(plain(part) for part in value)
    if isinstance(value, (tuple, list)):
        return [plain(part) for part in value]
    if attrs.has(type(value)):
        return {each.name: plain(getattr(value, each.name)) for each in attrs.fields(type(value)) if each.init}
    return value


def _parts(json: object, kind: type, *names: str) -> JsonObject:
    if not isinstance(json, dict):
        raise NotCanonical(f"{kind.__name__}: expected an object, found {_shown(json)}")
    missing = [name for name in names if name not in json]
    if missing:
        raise NotCanonical(f"{kind.__name__}: {', '.join(missing)} missing")
    return json


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
