"""Strict JSON: text to exact values and back (REQ-14).

Owns what counts as readable JSON: strict UTF-8, no NUL, no lone surrogates, no key twice in an object, no NaN or
Infinity, bounded depth, bounded numbers. Numbers with a fraction or an exponent are ``Decimal``; nothing passes through
a float. It knows no document and no request. Parsing is the standard library's; where it refuses, a second, slower look
finds the place.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any, Final, NoReturn

from attrs import field, frozen

from regen_core.wire.shown import JsonValue, path_step, shown_value

__all__ = ["DEFAULT_LIMITS", "JsonFault", "JsonValue", "Limits", "MAX_EXPONENT", "dump", "parse", "parse_sequence"]

MAX_EXPONENT: Final = 64
"""Largest power of ten of a number: far beyond money, and writing one out in full still fits on a line. Without a bound
``1E999999`` is eight bytes that become a megabyte wherever somebody adds or prints them."""


class JsonFault(ValueError):  # noqa: N818  # the word of the field: an error is something else here
    """Why a text is not strict JSON, and where.

    ``fault`` is what was found; ``path`` leads to it as far as it is known; ``line`` and ``column`` count from 1, the
    column in characters; ``before`` are the values of a sequence that stand before it, each with its line.
    """

    def __init__(self, fault: str, *, path: str = "$", line: int = 1, column: int = 1) -> None:
        super().__init__(f"{fault} at line {line}, column {column}")
        self.fault, self.path, self.line, self.column = fault, path, line, column
        self.before: tuple[tuple[JsonValue, int], ...] = ()


class _Refused(Exception):  # noqa: N818  # travels from a hook to parse and no further
    """What a hook saw; the parser doesn't tell a hook where it stands."""


@frozen(kw_only=True)
class Limits:
    """What the sender of a text controls and therefore gets a bound (REQ-14).

    Fields: ``depth`` objects and lists within each other: Zuora's shapes have 5, and stacks are finite;
    ``number_length`` characters of one number: no amount has that many, and arithmetic on more is a way to burn time.
    """

    depth: int = 32
    number_length: int = 64
    decoder: json.JSONDecoder = field(init=False, eq=False, repr=False)

    @decoder.default
    def _with_hooks(self) -> json.JSONDecoder:
        return json.JSONDecoder(
            object_pairs_hook=_object,
            parse_float=_exact_within(self.number_length),
            parse_int=_whole_within(self.number_length),
            parse_constant=_refuse_constant,
        )


def _object(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        raise _Refused(_twice(next(key for key in keys if keys.count(key) > 1)))
    return found


def _twice(key: str) -> str:
    return f"the key {shown_value(key)} twice in one object"


def _refuse_constant(name: str) -> NoReturn:
    raise _Refused(f"{name} instead of a number")


def _exact_within(longest: int) -> Callable[[str], Decimal]:
    def exact(text: str) -> Decimal:
        if len(text) > longest:
            raise _Refused(_too_long(text, longest))
        number = Decimal(text)
        if ("e" in text or "E" in text) and abs(number.adjusted()) > MAX_EXPONENT:
            raise _Refused(f"a number beyond ten to the power of {MAX_EXPONENT}")
        return number

    return exact


def _whole_within(longest: int) -> Callable[[str], int]:
    def whole(text: str) -> int:
        if len(text) > longest:
            raise _Refused(_too_long(text, longest))
        return int(text)

    return whole


def _too_long(text: str, longest: int) -> str:
    return f"a number of {len(text)} characters (at most {longest} are allowed)"


DEFAULT_LIMITS: Final = Limits()

_BLANK: Final = re.compile(r"[ \t\n\r]*")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def parse(data: bytes | str, *, limits: Limits = DEFAULT_LIMITS) -> JsonValue:
    """The one value that a JSON text holds; raises :class:`JsonFault` for anything that is not strict JSON (REQ-14).

    >>> parse('{"amount": 10.10, "lines": [1, true, null]}')
    {'amount': Decimal('10.10'), 'lines': [1, True, None]}
    >>> parse('{"id": 1, "id": 2}')
    Traceback (most recent call last):
        ...
    regen_core.wire.strict_json.JsonFault: the key "id" twice in one object at line 1, column 11
    """
    text = _decoded(data)
    value, end = _one(text, _after_blanks(text, 0), limits)
    end = _after_blanks(text, end)
    if end != len(text):
        raise _at(text, end, "more text after the JSON value")
    return value


def parse_sequence(data: bytes | str, *, limits: Limits = DEFAULT_LIMITS) -> list[tuple[JsonValue, int]]:
    """The values of a text that holds several, one after the other, each with the line where it begins.

    ``jq`` and appended answers write such texts. Raises :class:`JsonFault`, whose ``before`` has what came before it.

    >>> parse_sequence('{"id": "a"}\\n{"id": "b"}')
    [({'id': 'a'}, 1), ({'id': 'b'}, 2)]
    """
    text = _decoded(data)
    values: list[tuple[JsonValue, int]] = []
    counted, line, end = 0, 1, _after_blanks(text, 0)
    while end < len(text):
        line += text.count("\n", counted, end)
        counted = end
        try:
            value, end = _one(text, end, limits)
        except JsonFault as fault:
            fault.before = tuple(values)
            raise
        values.append((value, line))
        end = _after_blanks(text, end)
    return values


def _after_blanks(text: str, start: int) -> int:
    found = _BLANK.match(text, start)
    assert found is not None, "it matches the empty text"
    return found.end()


def _one(text: str, start: int, limits: Limits) -> tuple[JsonValue, int]:
    try:
        value: JsonValue
        value, end = limits.decoder.raw_decode(text, start)
    except json.JSONDecodeError as error:
        raise _syntax_fault(text, error) from None
    except _Refused as refused:
        raise _located(text, start, limits, str(refused)) from None
    except RecursionError:
        raise _too_deep(text, start, limits) from None
    if text.count("{", start, end) + text.count("[", start, end) > limits.depth and _is_deeper(value, limits.depth):
        raise _too_deep(text, start, limits)
    if text.find("\\u", start, end) >= 0:
        fault = _text_fault(value)
        if fault is not None:
            raise _located(text, start, limits, fault)
    return value, end


def _too_deep(text: str, start: int, limits: Limits) -> JsonFault:
    return _at(text, start, f"nesting deeper than {limits.depth} levels")


def _decoded(data: bytes | str) -> str:
    if isinstance(data, str):
        found = None if data.isascii() else _SURROGATE.search(data)
        if found is not None:
            raise _at(data, found.start(), f"the lone surrogate U+{ord(found[0]):04X}")
        return data
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        before = data[: error.start].decode()
        found_byte = f"the byte 0x{data[error.start]:02X}, which is not UTF-8 here"
        raise _at(before, len(before), found_byte) from None


def _at(text: str, position: int, fault: str, path: str = "$") -> JsonFault:
    line = text.count("\n", 0, position) + 1
    return JsonFault(fault, path=path, line=line, column=position - text.rfind("\n", 0, position))


def _syntax_fault(text: str, error: json.JSONDecodeError) -> JsonFault:
    if not text or text.isspace():
        return _at(text, error.pos, "nothing but blanks" if text else "nothing")
    if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string"):
        return _at(text, error.pos, "an end of text within the JSON value")
    if error.msg.startswith("Invalid control character"):
        return _at(text, error.pos, f"the control character U+{ord(text[error.pos]):04X} within a string")
    return _at(text, error.pos, f"text that is not JSON ({error.msg[:1].lower()}{error.msg[1:]})")


def _is_deeper(value: JsonValue, limit: int) -> bool:
    """Whether containers are nested beyond the limit, level by level so that no stack is needed."""
    level = [value] if isinstance(value, (dict, list)) else []
    for _ in range(limit):
        inner: list[dict[str, JsonValue] | list[JsonValue]] = []
        for each in level:
            parts = each.values() if isinstance(each, dict) else each
            inner.extend([part for part in parts if isinstance(part, (dict, list))])
        if not inner:
            return False
        level = inner
    return bool(level)


def _text_fault(value: JsonValue) -> str | None:
    """A NUL or lone surrogate in any key or text of the value; both get this far only as escapes."""
    waiting: list[JsonValue] = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            if "\0" in each:
                return "text with the character U+0000"
            found = None if each.isascii() else _SURROGATE.search(each)
            if found is not None:
                return f"text with the lone surrogate U+{ord(found[0]):04X}"
        elif isinstance(each, dict):
            waiting.extend(each)
            waiting.extend(each.values())
        elif isinstance(each, list):
            waiting.extend(each)
    return None


_TOKEN: Final = re.compile(
    r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|-?(?:NaN|Infinity)|(?P<number>-?[0-9][0-9.eE+-]*)|[a-z]+', re.DOTALL
)


@frozen
class _Open:
    """An object or a list that is not closed yet: its keys so far, ``None`` for a list, and what lies behind."""

    keys: list[str] | None
    behind: list[str]

    @property
    def step(self) -> str:
        if self.keys is None:
            return f"[{len(self.behind)}]"
        return path_step(self.keys[-1]) if self.keys else ""

    def note(self, key: str) -> None:
        assert self.keys is not None, "keys stand in objects"
        is_new = key not in self.keys
        self.keys.append(key)
        if not is_new:
            raise _Refused(_twice(key))


def _refuse_unkept(word: str) -> None:
    fault = _text_fault(json.loads(word))
    if fault is not None:
        raise _Refused(fault)


def _located(text: str, start: int, limits: Limits, fault: str) -> JsonFault:
    """The fault that a hook saw, with its place: the text is read once more, token by token."""
    enclosing: list[_Open] = []
    key_next = False
    for token in _TOKEN.finditer(text, start):
        word = token[0]
        try:
            if word in "{[":
                enclosing.append(_Open([] if word == "{" else None, []))
                key_next = word == "{"
            elif word in "}]":
                enclosing.pop()
            elif word == ",":
                enclosing[-1].behind.append(word)
                key_next = enclosing[-1].keys is not None
            elif key_next:
                key_next = False
                enclosing[-1].note(json.loads(word))
                _refuse_unkept(word)
            elif word[0] == '"':
                _refuse_unkept(word)
            elif token["number"] is not None or word[-1] in "Ny":
                limits.decoder.raw_decode(word)
        except _Refused as refused:
            return _at(text, token.start(), str(refused), "$" + "".join([each.step for each in enclosing]))
    return _at(text, start, fault)


def dump(value: JsonValue) -> str:
    """Canonical JSON: keys sorted, no spaces, numbers exactly as they are, text as UTF-8 can hold it.

    Raises ``TypeError`` for what isn't a JSON value, a float included, and ``ValueError`` for a number without end.

    >>> dump({"b": Decimal("1.10"), "a": ["ü", None]})
    '{"a":["ü",null],"b":1.10}'
    """
    try:
        return _WRITERS[type(value)](value)
    except KeyError:
        raise TypeError(f"a value of type {type(value).__name__} is not a JSON value") from None


def _write_object(value: dict[str, JsonValue]) -> str:
    parts = []
    for key in sorted(value):
        part = value[key]
        parts.append(f"{encode_basestring(key)}:{_WRITERS[type(part)](part)}")
    return "{" + ",".join(parts) + "}"


def _write_list(value: list[JsonValue]) -> str:
    return "[" + ",".join([dump(part) for part in value]) + "]"


def _write_decimal(value: Decimal) -> str:
    if not value.is_finite():
        raise ValueError(f"{value} is not a JSON number")
    return str(value)


_WRITERS: Final[dict[type, Callable[[Any], str]]] = {
    str: encode_basestring,
    int: repr,
    Decimal: _write_decimal,
    bool: {True: "true", False: "false"}.__getitem__,
    type(None): {None: "null"}.__getitem__,
    dict: _write_object,
    list: _write_list,
}
