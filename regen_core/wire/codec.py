"""How a class of the library becomes a JSON object and back: one row per field, with a writer and a reader.

Owns the readers of single values, each of which refuses what its writer wouldn't have written, and the check that a
table names exactly the fields of its class. Which classes there are is :mod:`regen_core.wire.canonical`'s business.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any, Final, Generic, TypeAlias, TypeVar

import attrs
from attrs import frozen

from regen_core.checks import kind_of

__all__ = [
    "AMOUNT",
    "AMOUNT_OR_NONE",
    "BOOL",
    "BOOL_OR_NONE",
    "COUNT",
    "Codec",
    "DAY",
    "JsonObject",
    "NotCanonical",
    "Row",
    "TEXT",
    "TEXT_OR_NONE",
    "amount",
    "day",
    "enum",
    "enum_or_none",
    "iso",
    "json_object",
    "moment",
    "or_none",
    "parts_of",
    "text",
    "tuple_of",
]

JsonObject: TypeAlias = "dict[str, Any]"
"""A JSON object as :func:`regen_core.wire.strict_json.parse` gives it and ``dump`` takes it."""

T = TypeVar("T")
E = TypeVar("E", bound=Enum)


class NotCanonical(ValueError):  # noqa: N818  # named for what the text is
    """JSON that doesn't hold one of the library's values; the message says where and what was expected."""


# How single values are read: each refuses what it would not have written.


def text(value: object) -> str:
    """Text."""
    if not isinstance(value, str):
        raise ValueError(f"expected text, found {kind_of(value)}")
    return value


def boolean(value: object) -> bool:
    """True or false, and no number."""
    if value is True or value is False:
        return value
    raise ValueError(f"expected true or false, found {kind_of(value)}")


def count(value: object) -> int:
    """A whole number, and no boolean."""
    if type(value) is not int:
        raise ValueError(f"expected a whole number, found {kind_of(value)}")
    return value


def amount(value: object) -> Decimal:
    """An amount with the exponent that it was written with, from the one text that is written for it."""
    if isinstance(value, str):
        try:
            read = Decimal(value)
        except InvalidOperation:
            read = _NO_AMOUNT
        if str(read) == value and read.is_finite():
            return read
    raise ValueError(f'expected an amount as text, such as "10.00", found {kind_of(value)}')


_NO_AMOUNT: Final = Decimal("NaN")


def day(value: object) -> date:
    """A date in ISO 8601."""
    return date.fromisoformat(text(value))


def moment(value: object) -> datetime:
    """A moment in ISO 8601, with its offset if it has one."""
    return datetime.fromisoformat(text(value))


def member(kind: type[E]) -> Callable[[object], E]:
    """The reader of an enum: the member with that value."""
    members: dict[object, E] = {each.value: each for each in kind}

    def read(value: object) -> E:
        try:
            return members[value]
        except (KeyError, TypeError):
            raise ValueError(f"expected one of {', '.join(map(str, members))}, found {kind_of(value)}") from None

    return read


def or_none(read: Callable[[object], T]) -> Callable[[object], T | None]:
    """The reader that also takes ``null``."""
    return lambda value: None if value is None else read(value)


def tuple_of(read: Callable[[object], T]) -> Callable[[object], tuple[T, ...]]:
    """The reader of a list of such values."""

    def read_all(value: object) -> tuple[T, ...]:
        if not isinstance(value, list):
            raise ValueError(f"expected a list, found {kind_of(value)}")
        return tuple([read(each) for each in value])

    return read_all


def json_object(value: object) -> JsonObject:
    """A JSON object."""
    if not isinstance(value, dict):
        raise ValueError(f"expected an object, found {kind_of(value)}")
    return value


# How they are written. ``None`` as a writer means: as it is.


def _value_of(member: Enum) -> Any:
    return member._value_


def iso(moment: date) -> str:
    """A date or a moment in ISO 8601."""
    return moment.isoformat()


Writer: TypeAlias = "Callable[[Any], Any] | None"
Reader: TypeAlias = "Callable[[Any], Any]"


@frozen
class Row:
    """How one field is written and read.

    ``write`` is ``None`` for what is written as it is; ``read`` takes anything and refuses what ``write`` wouldn't have
    written.
    """

    write: Writer
    read: Reader


TEXT: Final = Row(None, text)
TEXT_OR_NONE: Final = Row(None, or_none(text))
BOOL: Final = Row(None, boolean)
BOOL_OR_NONE: Final = Row(None, or_none(boolean))
COUNT: Final = Row(None, count)
AMOUNT: Final = Row(str, amount)
AMOUNT_OR_NONE: Final = Row(str, or_none(amount))
DAY: Final = Row(iso, day)


def enum(kind: type[Enum]) -> Row:
    """The row of an enum's field."""
    return Row(_value_of, member(kind))


def enum_or_none(kind: type[Enum]) -> Row:
    """The row of an enum's field that may be ``None``."""
    return Row(_value_of, or_none(member(kind)))


def _brief_writer(writers: Sequence[tuple[str, Writer, object]]) -> Callable[[Any], JsonObject]:
    """A function that asks for each field by name, compiled once: it takes a third of the time of a loop over them."""
    lines, names = ["def brief(value):", "    out = {}"], dict[str, Any]()
    for place, (name, write, default) in enumerate(writers):
        names |= {f"write{place}": write, f"default{place}": default}
        told = "part" if write is None else f"None if part is None else write{place}(part)"
        differs = f"part is not default{place}"
        if default is not None and default is not attrs.NOTHING:
            differs += f" and part != default{place}"  # of those two there is one each, and amounts compare slowly
        lines += [f"    part = value.{name}", f"    if {differs}:", f"        out[{name!r}] = {told}"]
    exec("\n".join([*lines, "    return out"]), names)  # noqa: S102  # of this package's own names alone
    brief: Callable[[Any], JsonObject] = names["brief"]
    return brief


@frozen
class Codec(Generic[T]):
    """One class as JSON: its fields in order, each with a writer and a reader.

    Raises ``ValueError`` where the table doesn't name exactly the fields that the constructor takes, bar ``apart``:
    a field that a class gains must not be forgotten here.
    """

    kind: type[T]
    table: Mapping[str, Row]
    apart: frozenset[str] = frozenset()
    brief: Callable[[T], JsonObject] = attrs.field(init=False)
    """The fields that differ from their defaults: as exact as the full form, and shorter to store and to read."""
    _writers: tuple[tuple[str, Writer, object], ...] = attrs.field(init=False)
    _readers: Mapping[str, Reader] = attrs.field(init=False)

    @brief.default
    def _brief(self) -> Callable[[T], JsonObject]:
        return _brief_writer(self._written())

    @_writers.default
    def _written(self) -> tuple[tuple[str, Writer, object], ...]:
        fields = {each.name: each.default for each in attrs.fields(self.kind) if each.init}  # type: ignore[arg-type, misc, unused-ignore]  # T is an attrs class
        if set(self.table) | self.apart != set(fields):
            raise ValueError(f"the table of {self.kind.__name__} differs by {set(self.table) ^ set(fields)}")
        return tuple((name, row.write, fields[name]) for name, row in self.table.items())

    @_readers.default
    def _read(self) -> Mapping[str, Reader]:
        return {name: row.read for name, row in self.table.items()}

    def full(self, value: T) -> JsonObject:
        """All fields, ``None`` as ``null``."""
        out: JsonObject = {}
        for name, write, _ in self._writers:
            part = getattr(value, name)
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
            return NotCanonical(f"{self.kind.__name__}: expected an object, found {kind_of(json)}")
        for name, part in json.items():
            if name not in self._readers:
                return NotCanonical(f"{self.kind.__name__}: unknown field")
            try:
                self._readers[name](part)
            except (ArithmeticError, TypeError, ValueError) as fault:
                return NotCanonical(f"{self.kind.__name__}.{name}: {fault}")
        return NotCanonical(f"{self.kind.__name__}: {error}")


def parts_of(json: object, kind: type, *names: str) -> JsonObject:
    """The object, once it is one and has these fields."""
    if not isinstance(json, dict):
        raise NotCanonical(f"{kind.__name__}: expected an object, found {kind_of(json)}")
    missing = [name for name in names if name not in json]
    if missing:
        raise NotCanonical(f"{kind.__name__}: {', '.join(missing)} missing")
    return json
