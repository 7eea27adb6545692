"""The flat row: every documented field of a billing transaction, filled from it or listed with the reason why not.

Owns how the sources of :mod:`regen_core.field_table` are read and how a JSON value becomes the documented format,
never by way of a float. Order of precedence per field: what a standalone transaction must not carry stays empty (MAP);
what the transaction itself says stands; then the companion ``fields`` (FCT-10); then Zuora's own fields. A value that
doesn't fit the format leaves the field unfilled and says so: nothing is guessed and nothing is cut.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Context, Decimal, Inexact, InvalidOperation
from functools import cached_property
from types import MappingProxyType
from typing import Any, Final, TypeVar

from attrs import field, frozen

from regen_core.documents import DocumentType
from regen_core.field_table import FIELD_ROWS, FieldFormat, FieldOrigin, FieldRow, FieldSource, SourceKind
from regen_core.transactions import BillingTransaction, Occasion

__all__ = [
    "FIELD_ROWS",
    "FieldRow",
    "FieldValue",
    "FlatCell",
    "FlatRow",
    "companion_field_fault",
    "flat_row",
]

FieldValue = str | bool | int | Decimal | date | datetime
"""A value of the flat row: what the documented format becomes in Python; a time keeps the offset that it came with."""


@frozen(kw_only=True)
class FlatCell:
    """One field of a flat row.

    Fields: ``value`` ``None`` means unfilled, and then ``reason`` says why; ``filled_from`` names the source of a
    value, ``None`` where there is none.
    """

    name: str
    value: FieldValue | None = None
    filled_from: str | None = None
    reason: str | None = None


@frozen
class FlatRow:
    """All documented fields of one transaction, in documented order, filled or with the reason why not.

    Source: *Billing Transaction object fields and Data Query*.
    """

    cells: tuple[FlatCell, ...] = field()

    @cached_property
    def values(self) -> Mapping[str, FieldValue]:
        """The filled fields by name."""
        return MappingProxyType({cell.name: cell.value for cell in self.cells if cell.value is not None})

    @cached_property
    def filled_from(self) -> Mapping[str, str]:
        """Where each filled field came from, by name."""
        return MappingProxyType({cell.name: cell.filled_from for cell in self.cells if cell.filled_from is not None})

    @cached_property
    def unfilled(self) -> Mapping[str, str]:
        """Why each other field is empty, by name."""
        return MappingProxyType({cell.name: cell.reason for cell in self.cells if cell.reason is not None})


def flat_row(transaction: BillingTransaction) -> FlatRow:
    """The documented fields of a transaction, from its header and its item as they were when it was written last.

    Rules FCT-10, MAP-A, MAP-1 … MAP-16. Source: *Billing Transaction object fields and Data Query*.

    >>> from regen_core.documents import (
    ...     BillingDocument, BillingItem, CarriedFields, DocumentHeader, DocumentKey, ItemSource)
    >>> from regen_core.regeneration import decide
    >>> from regen_core.request import RegenerateRequest
    >>> from regen_core.transactions import NO_TRANSACTIONS
    >>> key = DocumentKey(tenant="t", entity="e", type=DocumentType.INVOICE, id="8ad08d29")
    >>> header = DocumentHeader(key=key, number="INV-1", status="Posted", date=date(2026, 1, 31), currency="EUR")
    >>> carried = CarriedFields('{"chargeName":"Platform, monthly","quantity":3,"serviceStartDate":"2026-02-01"}')
    >>> item = BillingItem(id="i1", amount=Decimal("10.00"), source=ItemSource.SUBSCRIPTION, carried=carried)
    >>> request = RegenerateRequest(type=DocumentType.INVOICE, number="INV-1")
    >>> row = flat_row(decide(BillingDocument(header, (item,)), NO_TRANSACTIONS, request).writes[0])
    >>> row.values["ChargeName"], row.values["DocumentQuantity"], row.values["StartDate"]
    ('Platform, monthly', Decimal('3'), datetime.date(2026, 2, 1))
    >>> row.filled_from["ChargeName"], row.values["TransactionType"]
    ('item chargeName', 'INV')
    >>> row.unfilled["EndDate"]
    'not in this document; looked for: item serviceEndDate'
    >>> len(row.values) + len(row.unfilled)
    126
    """
    parts = _parts_of(transaction)
    return FlatRow(tuple([_cell(row, transaction, parts) for row in FIELD_ROWS]))


def companion_field_fault(kind: DocumentType, name: str, value: object) -> str | None:
    """What is wrong with one entry of a companion's ``fields``, or ``None`` when it can fill the row (FCT-10).

    >>> companion_field_fault(DocumentType.INVOICE, "SellPrice", Decimal("12.50")) is None
    True
    >>> companion_field_fault(DocumentType.INVOICE, "SellPrize", Decimal("12.50"))
    'the name is none of the 126 documented ones'
    >>> companion_field_fault(DocumentType.INVOICE, "DocumentNumber", "INV-2")
    'the transaction itself says its document number'
    """
    row = _ROWS_BY_NAME.get(name)
    if row is None:
        return f"the name is none of the {len(FIELD_ROWS)} documented ones"
    origin = row.origins[kind]
    if origin.is_of_the_transaction:
        return f"the transaction itself says its {origin.sources[0].name}"
    if value is None or _converted(row.format, value) is None:
        return f"the value is not {_EXPECTED[row.format]}"
    return None


_ROWS_BY_NAME: Final = {row.name: row for row in FIELD_ROWS}


@frozen
class _Parts:
    """The raw REST objects of one transaction and its companion ``fields``."""

    of: Mapping[SourceKind, Mapping[str, Any]]
    companion: Mapping[str, Any]


def _parts_of(transaction: BillingTransaction) -> _Parts:
    document, item = transaction.header.carried.fields, transaction.item.carried.fields
    is_adjustment = transaction.header.key.type is DocumentType.INVOICE_ITEM_ADJUSTMENT
    companion = (document if is_adjustment else item).get("regenCore", {}).get("fields", {})
    kinds = SourceKind
    return _Parts({kinds.DOCUMENT_FIELD: document, kinds.ITEM_FIELD: item, kinds.ITEM_SUM: item}, companion)


def _cell(row: FieldRow, transaction: BillingTransaction, parts: _Parts) -> FlatCell:
    origin = row.origins[transaction.header.key.type]
    if row.not_when_standalone and transaction.standalone:
        return FlatCell(name=row.name, reason="the transaction is standalone and carries no such line (MAP)")
    found = _found(row.name, origin, transaction, parts)
    if found is None:
        return FlatCell(name=row.name, reason=origin.reason or _not_found(origin))
    value, source = found
    converted = _converted(row.format, value)
    if converted is None:
        return FlatCell(name=row.name, reason=f"{source} is not {_EXPECTED[row.format]}")
    return FlatCell(name=row.name, value=converted, filled_from=source)


def _found(name: str, origin: FieldOrigin, transaction: BillingTransaction, parts: _Parts) -> tuple[Any, str] | None:
    """The first value that is there, with the name of its source; ``null`` and empty text count as absent."""
    if not origin.is_of_the_transaction and _is_told(parts.companion.get(name)):
        return parts.companion[name], "companion field"
    for source in origin.sources:
        value = _value_at(source, transaction, parts)
        if _is_told(value):
            return value, str(source)
    return None


def _is_told(value: object) -> bool:
    return value is not None and value != ""


def _not_found(origin: FieldOrigin) -> str:
    return f"not in this document; looked for: {origin}"


def _value_at(source: FieldSource, transaction: BillingTransaction, parts: _Parts) -> Any:
    if source.kind is SourceKind.TRANSACTION:
        return _OWN_VALUES[source.name](transaction)
    fields = parts.of[source.kind]
    when = source.when
    if when is not None and (fields.get(when.name) == when.value) is not when.equal:
        return None
    return _sum_at(fields, source.name) if source.kind is SourceKind.ITEM_SUM else fields.get(source.name)


def _by(occasion: Occasion | None) -> str | None:
    return None if occasion is None else occasion.by


def _at(occasion: Occasion | None) -> datetime | None:
    return None if occasion is None else occasion.at


_OWN_VALUES: Final[Mapping[str, Callable[[BillingTransaction], FieldValue | None]]] = {
    "id": lambda transaction: transaction.id,
    "revenue type": lambda transaction: transaction.revenue_type.value,
    "created at": lambda transaction: _at(transaction.created),
    "created by": lambda transaction: _by(transaction.created),
    "updated at": lambda transaction: _at(transaction.updated),
    "updated by": lambda transaction: _by(transaction.updated),
    "currency": lambda transaction: transaction.header.currency,
    "org": lambda transaction: transaction.header.org,
    "document date": lambda transaction: transaction.header.date,
    "document id": lambda transaction: transaction.header.key.id,
    "document number": lambda transaction: transaction.header.number,
    "document type": lambda transaction: transaction.header.key.type.value,
    "item id": lambda transaction: transaction.item.id,
    "billed amount": lambda transaction: transaction.item.amount,
    "excluded from revenue": lambda transaction: transaction.item.excluded_from_revenue,
    "booking excluded": lambda transaction: transaction.item.booking_excluded,
}

_EXACT: Final = Context(prec=1000, traps=[Inexact, InvalidOperation])
"""More digits than any sum of amounts has; where they don't suffice, there is no sum rather than a rounded one."""


def _sum_at(fields: Mapping[str, Any], path: str) -> Decimal | None:
    """The sum over a nested list, or ``None`` where the list is absent, empty, incomplete or holds no amounts."""
    list_path, _, member = path.partition("[].")
    holder: Any = fields
    *outer, last = list_path.split(".")
    for name in outer:
        holder = holder.get(name) if isinstance(holder, Mapping) else None
    if not isinstance(holder, Mapping) or (outer and holder.get("nextPage")):
        return None
    lines = holder.get(last)
    if not isinstance(lines, list) or not lines:
        return None
    amounts = [_decimal(line.get(member)) if isinstance(line, Mapping) else None for line in lines]
    total = Decimal(0)
    for amount in amounts:
        if amount is None:
            return None
        try:
            total = _EXACT.add(total, amount)
        except (Inexact, InvalidOperation):
            return None
    return total


_NUMBER: Final = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,6})?", re.ASCII)
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_TIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:?[0-9]{2})?", re.ASCII
)
_MAX_PLAIN_EXPONENT: Final = 40
"""Amounts beyond this many places are written with an exponent: plain, they would be as long as a caller likes."""


def _decimal(value: object) -> Decimal | None:
    """The number that a JSON number or its text states, exactly; never by way of a float."""
    if isinstance(value, bool):
        return None
    if isinstance(value, Decimal):
        return value if value.is_finite() else None
    if isinstance(value, int):
        return Decimal(value)
    return Decimal(value) if isinstance(value, str) and _NUMBER.fullmatch(value) else None


def _integer(value: object) -> int | None:
    number = _decimal(value)
    if number is None or abs(number.adjusted()) > _MAX_PLAIN_EXPONENT or number != number.to_integral_value():
        return None
    return int(number)


def _boolean(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value.lower()) if isinstance(value, str) else None


def _date(value: object) -> date | None:
    """The day as it is written; a time of day beside it is no part of it."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and _DATE.fullmatch(value):
        return _parsed(date.fromisoformat, value)
    moment = _time(value)
    return None if moment is None else moment.date()


def _time(value: object) -> datetime | None:
    if isinstance(value, datetime):
        return value
    return _parsed(datetime.fromisoformat, value) if isinstance(value, str) and _TIME.fullmatch(value) else None


_Moment = TypeVar("_Moment", date, datetime)


def _parsed(read: Callable[[str], _Moment], text: str) -> _Moment | None:
    try:
        return read(text)
    except ValueError:
        return None


def _text(value: object) -> str | None:
    """Text as it is; a boolean or a number as JSON writes it, without an exponent where it is short, zero unsigned."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        number = Decimal(value)
        number = number or number.copy_abs()
        return format(number, "f") if abs(number.adjusted()) <= _MAX_PLAIN_EXPONENT else str(number)
    return value if isinstance(value, str) else None


_CONVERSIONS: Final[Mapping[FieldFormat, tuple[Callable[[object], FieldValue | None], str]]] = {
    FieldFormat.BOOLEAN: (_boolean, "true or false"),
    FieldFormat.DATE: (_date, "a date yyyy-mm-dd"),
    FieldFormat.DECIMAL: (_decimal, "a number"),
    FieldFormat.INTEGER: (_integer, "a whole number"),
    FieldFormat.LONG: (_integer, "a whole number"),
    FieldFormat.STRING: (_text, "text, a number or a boolean"),
    FieldFormat.TIMESTAMP: (_time, "a time yyyy-mm-dd hh:mm:ss or of ISO 8601"),
    FieldFormat.TIME_STAMP: (_time, "a time yyyy-mm-dd hh:mm:ss or of ISO 8601"),
    FieldFormat.NOT_STATED: (_text, "text, a number or a boolean"),
}
_EXPECTED: Final = {documented: expected for documented, (_, expected) in _CONVERSIONS.items()}


def _converted(documented: FieldFormat, value: object) -> FieldValue | None:
    convert, _ = _CONVERSIONS[documented]
    return convert(value)
