"""What a malformed value is: names, free text, amounts and days that can't be, and why.

Owns the checks that constructors share; each raises with the field's name and what was expected. It knows no field.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final

from attrs import Attribute
from attrs.validators import instance_of, optional

__all__ = [
    "MAX_NAME_LENGTH",
    "MAYBE_TOLD",
    "OPTIONAL",
    "check_amount",
    "check_day",
    "check_name",
    "check_text",
    "kind_of",
    "name_fault",
]

MAX_NAME_LENGTH = 255
"""Longest id, number or organisation in characters: Zuora's own ids have 32 or 36, its numbers at most 255 (REQ-7)."""

OPTIONAL: Final = {"optional": True}
"""Metadata of a field that may be ``None``."""

MAYBE_TOLD: Final = optional(instance_of(bool))
"""A fact that is true, false, or not told."""


_KINDS: Final[Mapping[type, str]] = {
    type(None): "null",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    Decimal: "a number",
    str: "a text",
    list: "a list",
    dict: "an object",
}
"""What JSON calls the values that it is read as."""


def kind_of(value: object) -> str:
    """The kind of a value in JSON's words, or its type where JSON has none; the value itself may be anybody's.

    >>> kind_of(7), kind_of({"id": 7}), kind_of(b"7")
    ('a number', 'an object', 'a value of type bytes')
    """
    return _KINDS.get(type(value), f"a value of type {type(value).__name__}")


def name_fault(text: object) -> str | None:
    """What is wrong with an id, a number or an organisation, or ``None`` when it is well formed (REQ-7, REQ-14).

    It says so as the rest of a sentence about the name, and never repeats it.

    >>> name_fault("INV-1") is None
    True
    >>> name_fault("INV\\n1"), name_fault(7)
    ('holds the control character U+000A', 'is a number, not a text')
    """
    if not isinstance(text, str):
        return f"is {kind_of(text)}, not a text"
    if text.isprintable() and not text.isspace() and 0 < len(text) <= MAX_NAME_LENGTH:
        return None
    if not text or text.isspace():
        return "is blank"
    if len(text) > MAX_NAME_LENGTH:
        return f"has {len(text)} characters; at most {MAX_NAME_LENGTH} are allowed"
    for character in text:
        if ord(character) < 0x20 or 0x7F <= ord(character) < 0xA0:
            return f"holds the control character U+{ord(character):04X}"
        if 0xD800 <= ord(character) <= 0xDFFF:
            return f"holds the lone surrogate U+{ord(character):04X}"
    return None


def check_text(_: object, attribute: Attribute[Any], value: str | None) -> None:
    """Any text that every store can hold: without NUL and lone surrogates (REQ-14); raises ``ValueError``."""
    if value is None and attribute.metadata.get("optional"):
        return
    if not isinstance(value, str):
        raise TypeError(f"{attribute.name} is {kind_of(value)}, not a text")
    if value.isascii() and "\x00" not in value:
        return
    for character in value:
        if character == "\x00" or "\ud800" <= character <= "\udfff":
            raise ValueError(f"{attribute.name} holds U+{ord(character):04X}, which no database keeps; remove it")


def check_name(_: object, attribute: Attribute[Any], value: str | None) -> None:
    """An id, a number or another name (REQ-7); raises ``ValueError``."""
    if value is None and attribute.metadata.get("optional"):
        return
    fault = name_fault(value)
    if fault is not None:
        raise ValueError(f"{attribute.name} {fault}")


def check_amount(_: object, attribute: Attribute[Any], value: Decimal | None) -> None:
    """A finite ``Decimal``; raises ``TypeError`` or ``ValueError``."""
    if value is None and attribute.metadata.get("optional"):
        return
    if not isinstance(value, Decimal):
        raise TypeError(f"{attribute.name} is of type {type(value).__name__}; an amount is a decimal.Decimal")
    if not value.is_finite():
        raise ValueError(f"{attribute.name} is {value}; an amount is finite")


def check_day(_: object, attribute: Attribute[Any], value: date) -> None:
    """A day without a time; raises ``TypeError``."""
    if type(value) is not date:
        raise TypeError(f"{attribute.name} is of type {type(value).__name__}; it is a datetime.date without a time")
