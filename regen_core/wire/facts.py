"""How one JSON value becomes one fact, and how the facts of one REST object are taken by a table.

Owns the kinds of values in Zuora's shapes (ids, dates, booleans also as text, amounts also as text), their bounds, and
the rule that a companion value wins (FCT-10). It knows no document type; :mod:`regen_core.wire.shapes` has the tables.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Context, Decimal, Inexact, InvalidOperation, Overflow
from typing import Any, Final

from attrs import field, frozen

from regen_core.documents import Assumption, CarriedFields, name_fault
from regen_core.wire.strict_json import JsonValue, dump, path_step, shown_value

__all__ = [
    "AMOUNT",
    "COMPANION",
    "CURRENCY",
    "DATE",
    "EXACTLY",
    "FLAG",
    "Fact",
    "Fault",
    "Kind",
    "MAX_AMOUNT_DIGITS",
    "NAME",
    "NOT_NEGATIVE",
    "Otherwise",
    "RestObject",
    "SCALARS",
    "TEXT",
    "amount_fault",
    "or_nothing",
    "required",
    "words",
]

COMPANION: Final = "regenCore"
"""The one key under which our own fields stand beside Zuora's."""

MAX_AMOUNT_DIGITS: Final = 18
"""Most digits of an amount before the point, and after it: together 36, which the widest common column for exact
numbers (38 digits, as Spark, Parquet and most warehouses have it) holds without rounding; money has half as many."""

EXACTLY: Final = Context(prec=8 * MAX_AMOUNT_DIGITS, traps=[Inexact, InvalidOperation, Overflow])
"""Arithmetic that raises rather than round."""


@frozen(kw_only=True)
class Fault:
    """What is wrong at one place of a document: where, what was found, what was expected and what to do."""

    path: str
    found: str
    expected: str
    do: str

    @property
    def message(self) -> str:
        """The four as one line."""
        return f"{self.path}: found {self.found}; expected {self.expected}. {self.do}."


class _Unfit(Exception):  # noqa: N818  # never leaves this module
    """What was found instead of the value that was expected."""


@frozen
class Kind:
    """A kind of value: how it is read from JSON and what is expected of it.

    ``read`` gives the fact, or ``None`` for a value that is well formed but tells nothing. ``keeps`` says whether the
    fact holds all that the value said; if not, the value is carried as well.
    """

    expected: str
    read: Callable[[JsonValue], Any]
    keeps: Callable[[JsonValue, Any], bool] = field(default=lambda raw, fact: True)  # noqa: ARG005


def _name(value: JsonValue) -> str:
    if not isinstance(value, str):
        raise _Unfit(shown_value(value))
    fault = name_fault(value)
    if fault is not None:
        raise _Unfit(f"text that {fault}")
    return value


def _text(value: JsonValue) -> str:
    if not isinstance(value, str):
        raise _Unfit(shown_value(value))
    return value


_MOMENT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[T ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,9})?)?"
    r" ?(?:Z|[+-](?:[01][0-9]|2[0-3]):?[0-5][0-9])?)?"
)


def _date(value: JsonValue) -> date:
    if not isinstance(value, str) or _MOMENT.fullmatch(value) is None:
        raise _Unfit(shown_value(value))
    try:
        return date.fromisoformat(value[:10])
    except ValueError:
        raise _Unfit(f"{shown_value(value)}, a day that no calendar has") from None


_CURRENCY: Final = re.compile("[A-Z]{3}")


def _currency(value: JsonValue) -> str:
    if not isinstance(value, str) or _CURRENCY.fullmatch(value) is None:
        raise _Unfit(shown_value(value))
    return value


_FLAGS: Final[Mapping[str, bool]] = {"true": True, "false": False, "True": True, "False": False}


def _flag(value: JsonValue) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value in _FLAGS:
        return _FLAGS[value]
    raise _Unfit(shown_value(value))


_NUMBER: Final = re.compile(r"-?[0-9]{1,64}(?:\.[0-9]{1,64})?(?:[eE][+-]?[0-9]{1,3})?")


def amount_fault(amount: Decimal) -> str | None:
    """What is wrong with the size of an amount, or ``None``.

    >>> amount_fault(Decimal("1E+18")), amount_fault(Decimal("999999999999999999.99"))
    ('more than 18 digits before the point', None)
    """
    exponent = amount.as_tuple().exponent
    assert isinstance(exponent, int), "what was read is finite"
    if amount and amount.adjusted() >= MAX_AMOUNT_DIGITS:
        return f"more than {MAX_AMOUNT_DIGITS} digits before the point"
    if -exponent > MAX_AMOUNT_DIGITS:
        return f"more than {MAX_AMOUNT_DIGITS} digits after the point"
    return None


def _decimal(value: JsonValue) -> Decimal | None:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, str):
        return Decimal(value) if _NUMBER.fullmatch(value) is not None else None
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else None


def _amount(value: JsonValue) -> Decimal:
    amount = _decimal(value)
    if amount is None:
        raise _Unfit(shown_value(value))
    fault = amount_fault(amount)
    if fault is not None:
        raise _Unfit(f"a number with {fault}")
    return amount


def _not_negative(value: JsonValue) -> Decimal:
    amount = _amount(value)
    if amount < 0:
        raise _Unfit(shown_value(value))
    return amount


_EXPECTED_AMOUNT: Final = (
    f"a number, or text of one, with at most {MAX_AMOUNT_DIGITS} digits before and after the point"
)

NAME: Final = Kind("text of 1 to 255 characters, not blank and without control characters", _name)
TEXT: Final = Kind("text", _text)
DATE: Final = Kind(
    "a date such as 2026-01-31, or a time that begins with one", _date, lambda raw, fact: raw == fact.isoformat()
)
CURRENCY: Final = Kind("three capital letters such as EUR", _currency)
FLAG: Final = Kind("true or false", _flag)
AMOUNT: Final = Kind(_EXPECTED_AMOUNT, _amount)
NOT_NEGATIVE: Final = Kind(f"{_EXPECTED_AMOUNT}, not negative", _not_negative)


def words(meanings: Mapping[str, Any], others: Any = _Unfit) -> Kind:
    """The kind of a closed list of words; ``others`` is what any other word means, a fault where it isn't given.

    >>> words({"Credit": 1, "Charge": 2}).expected
    'Credit or Charge'
    """

    def read(value: JsonValue) -> Any:
        if not isinstance(value, str):
            raise _Unfit(shown_value(value))
        meaning = meanings.get(value, others)
        if meaning is _Unfit:
            raise _Unfit(shown_value(value))
        return meaning

    known = list(meanings)
    listed = f"{', '.join(known[:-1])} or {known[-1]}"
    if others is _Unfit:
        return Kind(listed, read)
    return Kind(f"a word such as {listed}", read, lambda raw, fact: False)  # noqa: ARG005


def _scalars(value: JsonValue) -> None:
    if not isinstance(value, dict):
        raise _Unfit(shown_value(value))
    for name, each in value.items():
        if isinstance(each, (dict, list)):
            raise _Unfit(f"{shown_value(each)} for {shown_value(name)}")


SCALARS: Final = Kind("an object of texts, numbers and booleans", _scalars)


_RawObject = Mapping[str, JsonValue]


class RestObject:
    """One REST object on its way into facts: what it holds, the companion beside it, and what was noticed meanwhile.

    ``within`` is the raw object of the document that it is an item of, or its own.
    """

    __slots__ = ("assumed", "companion", "faults", "path", "raw", "taken", "within")

    def __init__(self, raw: _RawObject, path: str, faults: list[Fault], within: _RawObject | None = None) -> None:
        self.raw, self.path, self.faults = raw, path, faults
        self.within = raw if within is None else within
        self.companion: Mapping[str, JsonValue] = {}
        self.assumed: list[Assumption] = []
        self.taken: list[str] = []

    def fault(self, name: str, found: str, expected: str, do: str) -> None:
        """Note what is wrong with a field, or with a step further down."""
        self.faults.append(Fault(path=f"{self.path}.{name}", found=found, expected=expected, do=do))

    def open_companion(self, known: frozenset[str]) -> bool:
        """Whether there is a companion object; a field that it can't have is a fault."""
        companion = self.raw.get(COMPANION)
        if companion is None:
            return False
        if not isinstance(companion, dict):
            self.fault(COMPANION, shown_value(companion), "an object", "Correct or remove it")
            return False
        for name in companion:
            if name not in known:
                step = f"{COMPANION}{path_step(name)}"
                self.fault(step, "an unknown companion field", ", ".join(sorted(known)), "Correct the name")
        self.companion = companion
        return True

    def read(self, kind: Kind, name: str, value: JsonValue, do: str) -> Any:
        """The fact that a value gives, or ``None`` after noting a fault."""
        try:
            return kind.read(value)
        except _Unfit as unfit:
            self.fault(name, str(unfit), kind.expected, do)
            return None

    def take(self, fact: Fact) -> Any:
        """A fact by its row: the companion field, else Zuora's, else what the rule says; ``None`` where not told."""
        if fact.companion is not None and self.companion:
            given = self.companion.get(fact.companion)
            if given is not None:
                return self._given(fact, given)
        if fact.field is not None:
            found = self.raw.get(fact.field)
            if found is not None:
                try:
                    value = fact.kind.read(found)
                except _Unfit as unfit:
                    self.fault(fact.field, str(unfit), fact.kind.expected, fact.do)
                    return None
                if value is not None:
                    if fact.kind.keeps(found, value):
                        self.taken.append(fact.field)
                    return value
            else:
                self.taken.append(fact.field)
        return fact.otherwise(self, fact)

    def _given(self, fact: Fact, given: JsonValue) -> Any:
        kind = fact.companion_kind or fact.kind
        value = self.read(kind, f"{COMPANION}.{fact.companion}", given, "Correct it or leave it out")
        found = None if fact.field is None else self.raw.get(fact.field)
        if found is not None and value is not None:
            assert fact.field is not None, "a found value has a field"
            said = self.read(fact.kind, fact.field, found, fact.do)
            if said is not None and said != value:
                told = f"{shown_value(given)} of the companion field, where {fact.field} is {shown_value(found)}"
                self.assumed.append(Assumption(fact.says, told, "FCT-10"))
        return value

    def carried(self, dropped: frozenset[str]) -> CarriedFields:
        """What no typed attribute keeps; of the companion only its ``fields``."""
        left = {name: value for name, value in self.raw.items() if name not in dropped}
        for name in self.taken:
            left.pop(name, None)
        if COMPANION in left:
            del left[COMPANION]
            fields = self.companion.get("fields")
            if fields is not None:
                left[COMPANION] = {"fields": fields}
        return CarriedFields(dump(left))


Otherwise = Callable[[RestObject, "Fact"], Any]


def required(found: RestObject, fact: Fact) -> None:
    """Neither told: a fault."""
    assert fact.field is not None, "what is required has a field"
    found.fault(fact.field, "nothing", fact.kind.expected, fact.do)


def or_nothing(found: RestObject, fact: Fact) -> None:  # one signature for all
    """Neither told: the fact stays unknown."""


@frozen(kw_only=True)
class Fact:
    """A row of a shape's table: an attribute and where it comes from.

    Fields: ``attribute`` of the header or item; ``says`` names the fact for people; ``field`` is Zuora's and ``None``
    where the shape has none; ``companion`` is ours, ``companion_kind`` its kind where it differs; ``otherwise`` is what
    holds where neither tells; ``rule_ids`` are the rules behind it.
    """

    attribute: str
    says: str
    kind: Kind
    field: str | None = None
    companion: str | None = None
    companion_kind: Kind | None = None
    otherwise: Otherwise = or_nothing
    rule_ids: tuple[str, ...] = ()

    @property
    def do(self) -> str:
        """What to do about a value that is missing or wrong."""
        if self.companion is None:
            return "Correct it, or export the document again"
        return f'Correct it, or give "{self.companion}" in "{COMPANION}"'


def facts_by_companion(facts: Sequence[Fact]) -> Mapping[str, Fact]:
    """The rows that a companion field can fill, by that field's name."""
    return {fact.companion: fact for fact in facts if fact.companion is not None}
