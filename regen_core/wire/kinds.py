"""The kinds of values in Zuora's shapes, and how each is read from JSON: names, dates, booleans, amounts, words.

Owns their spellings (booleans and amounts also come as text, dates also as times) and the bounds of amounts. It knows
no document.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Context, Decimal, Inexact, InvalidOperation, Overflow
from typing import Any, Final

from attrs import frozen

from regen_core.documents import name_fault
from regen_core.wire.shown import JsonValue, shown_value

__all__ = [
    "AMOUNT",
    "CURRENCY",
    "DATE",
    "EXACTLY",
    "FLAG",
    "Kind",
    "MAX_AMOUNT_DIGITS",
    "NAME",
    "NOT_NEGATIVE",
    "OBJECT",
    "TEXT",
    "Unfit",
    "amount_fault",
    "words",
    "words_among",
]

MAX_AMOUNT_DIGITS: Final = 18
"""Most digits of an amount before the point, and after it: together 36, which the widest common column for exact
numbers (38 digits, as Spark, Parquet and most warehouses have it) holds without rounding; money has half as many."""

EXACTLY: Final = Context(prec=8 * MAX_AMOUNT_DIGITS, traps=[Inexact, InvalidOperation, Overflow])
"""Arithmetic that raises rather than round."""


class Unfit(Exception):  # noqa: N818  # travels from a kind to the table that asked and no further
    """What was found instead of a value of the kind."""


@frozen
class Kind:
    """A kind of value: what is expected and how it is read.

    ``read`` gives the fact, or ``None`` for a value that is well formed but tells nothing, or raises :class:`Unfit`.
    ``keeps`` says whether the fact holds all that the value said, ``None`` that it always does; what it doesn't hold is
    carried as well.
    """

    expected: str
    read: Callable[[JsonValue], Any]
    keeps: Callable[[JsonValue, Any], bool] | None = None


def _name(value: JsonValue) -> str:
    fault = name_fault(value)
    if fault is None:
        return str(value)
    raise Unfit(f"text that {fault}" if isinstance(value, str) else shown_value(value))


def _text(value: JsonValue) -> str:
    if isinstance(value, str):
        return value
    raise Unfit(shown_value(value))


_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME: Final = re.compile(
    r"[T ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,9})?)?"
    r" ?(?:Z|[+-](?:[01][0-9]|2[0-3]):?[0-5][0-9])?"
)


def _date(value: JsonValue) -> date:
    if not isinstance(value, str) or not _DAY.match(value) or not (len(value) == 10 or _TIME.fullmatch(value, 10)):
        raise Unfit(shown_value(value))
    try:
        return date.fromisoformat(value[:10])
    except ValueError:
        raise Unfit(f"{shown_value(value)}, a day that no calendar has") from None


_CURRENCY: Final = re.compile("[A-Z]{3}")


def _currency(value: JsonValue) -> str:
    if isinstance(value, str) and _CURRENCY.fullmatch(value) is not None:
        return value
    raise Unfit(shown_value(value))


_FLAGS: Final[Mapping[str, bool]] = {"true": True, "false": False, "True": True, "False": False}


def _flag(value: JsonValue) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value in _FLAGS:
        return _FLAGS[value]
    raise Unfit(shown_value(value))


_NUMBER: Final = re.compile(r"-?[0-9]{1,64}(?:\.[0-9]{1,64})?(?:[eE][+-]?[0-9]{1,3})?")


def _decimal(value: JsonValue) -> Decimal | None:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, str):
        return Decimal(value) if _NUMBER.fullmatch(value) is not None else None
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else None


def amount_fault(amount: Decimal) -> str | None:
    """What is wrong with the size of an amount, or ``None``.

    >>> amount_fault(Decimal("1E+18")), amount_fault(Decimal("999999999999999999.99"))
    ('more than 18 digits before the point', None)
    """
    text = str(amount)
    if len(text) <= MAX_AMOUNT_DIGITS and "E" not in text:
        return None
    exponent = amount.as_tuple().exponent
    assert isinstance(exponent, int), "what was read is finite"
    if amount and amount.adjusted() >= MAX_AMOUNT_DIGITS:
        return f"more than {MAX_AMOUNT_DIGITS} digits before the point"
    if -exponent > MAX_AMOUNT_DIGITS:
        return f"more than {MAX_AMOUNT_DIGITS} digits after the point"
    return None


def _amount(value: JsonValue) -> Decimal:
    amount = _decimal(value)
    if amount is None:
        raise Unfit(shown_value(value))
    fault = amount_fault(amount)
    if fault is not None:
        raise Unfit(f"a number with {fault}")
    return amount


def _not_negative(value: JsonValue) -> Decimal:
    amount = _amount(value)
    if amount < 0:
        raise Unfit(shown_value(value))
    return amount


def _object(value: JsonValue) -> Mapping[str, JsonValue]:
    if isinstance(value, dict):
        return value
    raise Unfit(shown_value(value))


_A_NUMBER: Final = f"a number, or text of one, with at most {MAX_AMOUNT_DIGITS} digits before and after the point"

NAME: Final = Kind("text of 1 to 255 characters, not blank and without control characters", _name)
TEXT: Final = Kind("text", _text)
DATE: Final = Kind(
    "a date such as 2026-01-31, or a time that begins with one",
    _date,
    lambda raw, fact: raw == fact.isoformat(),
)
CURRENCY: Final = Kind("three capital letters such as EUR", _currency)
FLAG: Final = Kind("true or false", _flag)
AMOUNT: Final = Kind(_A_NUMBER, _amount)
NOT_NEGATIVE: Final = Kind(f"{_A_NUMBER}, not negative", _not_negative)
OBJECT: Final = Kind("an object", _object)


def words(meanings: Mapping[str, Any]) -> Kind:
    """The kind of a closed list of words.

    >>> words({"Credit": 1, "Charge": 2}).expected
    'Credit or Charge'
    """

    def read(value: JsonValue) -> Any:
        if isinstance(value, str) and value in meanings:
            return meanings[value]
        raise Unfit(shown_value(value))

    return Kind(_listed(meanings), read)


def words_among(meanings: Mapping[str, Any], others: Any) -> Kind:
    """The kind of an open list of words, of which some have a meaning here and all others mean ``others``.

    The word itself stays carried, since the fact doesn't keep it.

    >>> words_among({"Tax": 1, "Charge": 2}, others=0).read("Prepayment")
    0
    """

    def read(value: JsonValue) -> Any:
        if isinstance(value, str):
            return meanings.get(value, others)
        raise Unfit(shown_value(value))

    def keeps(raw: JsonValue, fact: Any) -> bool:  # noqa: ARG001  # one signature for all
        return False

    return Kind(f"a word such as {_listed(meanings)}", read, keeps)


def _listed(meanings: Mapping[str, Any]) -> str:
    known = list(meanings)
    return f"{', '.join(known[:-1])} or {known[-1]}"
