"""Strict JSON: text to exact values and back (REQ-14).

Owns what counts as readable JSON: strict UTF-8, no NUL, no lone surrogates, no key twice in an object, no NaN or
Infinity, bounded depth, bounded numbers. Numbers with a fraction or an exponent are ``Decimal``; nothing passes through
a float. It knows no document and no request. Parsing is the standard library's; where it refuses, a second, slower look
finds the place.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Final, NoReturn, TypeAlias

from attrs import frozen

__all__ = ["JsonFault", "JsonValue", "Limits", "MAX_EXPONENT", "dump", "parse", "parse_sequence", "shown_value"]

JsonValue: TypeAlias = "bool | int | Decimal | str | list[JsonValue] | dict[str, JsonValue] | None"
"""What JSON text is read as."""

MAX_EXPONENT: Final = 64
"""Largest power of ten of a number: far beyond money, and writing one out in full still fits on a line. Without a bound
``1E999999`` is seven bytes that become a megabyte wherever somebody adds or prints them."""


@frozen(kw_only=True)
class Limits:
    """What the sender of a text controls and therefore gets a bound (REQ-14).

    Fields: ``depth`` objects and lists within each other: Zuora's shapes have 5, and C stacks are finite;
    ``number_length`` characters of one number: no amount has that many, and arithmetic on more is a way to burn time.
    """

    depth: int = 32
    number_length: int = 64


DEFAULT_LIMITS: Final = Limits()


class JsonFault(ValueError):  # noqa: N818  # the word of the field: an error is something else here
    """Why a text is not strict JSON, and where.

    ``path`` leads to the value as far as it is known, ``line`` and ``column`` count from 1, the column in characters;
    ``before`` are the values of a sequence that stand before the fault.
    """

    def __init__(self, fault: str, *, path: str = "$", line: int = 1, column: int = 1) -> None:
        super().__init__(f"{fault} at line {line}, column {column}")
        self.fault, self.path, self.line, self.column = fault, path, line, column
        self.before: tuple[tuple[JsonValue, int], ...] = ()


class _Refused(Exception):  # noqa: N818  # travels from a hook to parse and no further
    """What a hook saw; the parser doesn't tell a hook where it stands."""


def _refuse_constant(name: str) -> NoReturn:
    raise _Refused(f"{name} instead of a number")


def _object(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise _Refused(f"the key {shown_value(twice)} twice in one object")
    return found


@frozen
class _Numbers:
    """The hooks for numbers under one set of limits."""

    longest: int

    def whole(self, text: str) -> int:
        if len(text) > self.longest:
            raise _Refused(self._too_long(text))
        return int(text)

    def exact(self, text: str) -> Decimal:
        if len(text) > self.longest:
            raise _Refused(self._too_long(text))
        number = Decimal(text)
        if abs(number.adjusted()) > MAX_EXPONENT:
            raise _Refused(f"a number beyond ten to the power of {MAX_EXPONENT}")
        return number

    def _too_long(self, text: str) -> str:
        return f"a number of {len(text)} characters; at most {self.longest} are allowed"


def _decoder(limits: Limits) -> json.JSONDecoder:
    numbers = _Numbers(limits.number_length)
    return json.JSONDecoder(
        object_pairs_hook=_object,
        parse_float=numbers.exact,
        parse_int=numbers.whole,
        parse_constant=_refuse_constant,
    )


_DEFAULT_DECODER: Final = _decoder(DEFAULT_LIMITS)
_BLANK: Final = re.compile(r"[ \t\n\r]*")
_SUSPECT_ESCAPE: Final = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")


def parse(data: bytes | str, *, limits: Limits = DEFAULT_LIMITS) -> JsonValue:
    """The one value that a JSON text holds; raises :class:`JsonFault` for anything that is not strict JSON (REQ-14).

    >>> parse('{"amount": 10.10, "lines": [1, true, null]}')
    {'amount': Decimal('10.10'), 'lines': [1, True, None]}
    >>> parse('{"id": 1, "id": 2}')
    Traceback (most recent call last):
        ...
    regen_core.wire.strict_json.JsonFault: the key "id" twice in one object at line 1, column 11
    """
    text = _checked(data) if isinstance(data, str) else _decoded(data)
    value, end = _one(text, _BLANK.match(text).end(), limits)  # type: ignore[union-attr]  # matches the empty text
    if end != len(text):
        end = _BLANK.match(text, end).end()  # type: ignore[union-attr]  # as above
        if end != len(text):
            raise _at(text, end, "more text after the JSON value")
    return value


def parse_sequence(data: bytes | str, *, limits: Limits = DEFAULT_LIMITS) -> list[tuple[JsonValue, int]]:
    """The values of a text that holds several, one after the other, each with the line where it begins.

    ``jq`` and appended answers write such texts. Raises :class:`JsonFault`, whose ``before`` has what came before it.

    >>> parse_sequence('{"id": "a"}\\n{"id": "b"}')
    [({'id': 'a'}, 1), ({'id': 'b'}, 2)]
    """
    text = _checked(data) if isinstance(data, str) else _decoded(data)
    values: list[tuple[JsonValue, int]] = []
    counted, line = 0, 1
    end = _BLANK.match(text).end()  # type: ignore[union-attr]  # matches the empty text
    while end < len(text):
        line += text.count("\n", counted, end)
        counted = end
        try:
            value, end = _one(text, end, limits)
        except JsonFault as fault:
            fault.before = tuple(values)
            raise
        values.append((value, line))
        end = _BLANK.match(text, end).end()  # type: ignore[union-attr]  # as above
    return values


def _one(text: str, start: int, limits: Limits) -> tuple[JsonValue, int]:
    decoder = _DEFAULT_DECODER if limits is DEFAULT_LIMITS else _decoder(limits)
    try:
        value: JsonValue
        value, end = decoder.raw_decode(text, start)
    except json.JSONDecodeError as error:
        raise _syntax_fault(text, error) from None
    except _Refused as refused:
        raise _located(text, start, limits, str(refused)) from None
    except RecursionError:
        raise _at(text, start, f"nesting deeper than {limits.depth} levels") from None
    if text.count("{") + text.count("[") > limits.depth and _is_deeper(value, limits.depth):
        raise _at(text, start, f"nesting deeper than {limits.depth} levels")
    if _SUSPECT_ESCAPE.search(text, start, end) is not None:
        fault = _text_fault(value)
        if fault is not None:
            raise _at(text, start, fault)
    return value, end


def _decoded(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode()) + 1
        raise JsonFault(
            f"the byte 0x{data[error.start]:02X}, which is not UTF-8 here", line=line, column=column
        ) from None


def _checked(text: str) -> str:
    found = None if text.isascii() else _SURROGATE.search(text)
    if found is not None:
        raise _at(text, found.start(), f"the lone surrogate U+{ord(found[0]):04X}")
    return text


def _at(text: str, position: int, fault: str, path: str = "$") -> JsonFault:
    line = text.count("\n", 0, position) + 1
    return JsonFault(fault, path=path, line=line, column=position - text.rfind("\n", 0, position))


def _syntax_fault(text: str, error: json.JSONDecodeError) -> JsonFault:
    if error.pos >= len(text) or error.msg.startswith("Unterminated string"):
        return _at(text, error.pos, "an end of text within the JSON value")
    if error.msg.startswith("Invalid control character"):
        return _at(text, error.pos, f"the control character U+{ord(text[error.pos]):04X} within a string")
    return _at(text, error.pos, f"text that is not JSON ({error.msg[:1].lower()}{error.msg[1:]})")


def _is_deeper(value: JsonValue, limit: int) -> bool:
    """Whether containers are nested beyond the limit, level by level so that no stack is needed."""
    level = [value]
    for _ in range(limit + 1):
        inner: list[JsonValue] = []
        for each in level:
            if isinstance(each, dict):
                inner.extend([part for part in each.values() if isinstance(part, (dict, list))])
            elif isinstance(each, list):
                inner.extend([part for part in each if isinstance(part, (dict, list))])
        if not inner:
            return False
        level = inner
    return True


def _text_fault(value: JsonValue) -> str | None:
    """The first NUL or lone surrogate in any key or text of the value; both get this far only as escapes."""
    waiting: list[JsonValue] = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            if "\0" in each:
                return "text with the character U+0000"
            found = _SURROGATE.search(each)
            if found is not None:
                return f"text with the lone surrogate U+{ord(found[0]):04X}"
        elif isinstance(each, dict):
            waiting.extend(each)
            waiting.extend(each.values())
        elif isinstance(each, list):
            waiting.extend(each)
    return None


_SURROGATE: Final = re.compile("[\ud800-\udfff]")


_TOKEN: Final = re.compile(
    r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|-?(?:NaN|Infinity)|(?P<number>-?[0-9][0-9.eE+-]*)|[a-z]+', re.DOTALL
)


@frozen
class _Open:
    """An object or a list that is not closed yet: the keys seen, or how many elements lie behind."""

    keys: list[str] | None
    behind: list[int]

    @property
    def step(self) -> str:
        if self.keys is None:
            return f"[{len(self.behind)}]"
        return path_step(self.keys[-1]) if self.keys else ""


def path_step(key: str) -> str:
    """A key as a step of a path: ``.id``, or quoted and cut where it is no plain name.

    >>> path_step("id"), path_step("a b")
    ('.id', '["a b"]')
    """
    return f".{key}" if key.isidentifier() and key.isascii() and len(key) <= MAX_SHOWN else f"[{shown_value(key)}]"


def _located(text: str, start: int, limits: Limits, fault: str) -> JsonFault:
    """The fault that a hook saw, with its place: the text is read once more, token by token."""
    numbers, enclosing, key_next = _Numbers(limits.number_length), [], False
    for token in _TOKEN.finditer(text, start):
        word = token[0]
        try:
            if word in "{[":
                enclosing.append(_Open([] if word == "{" else None, []))
                key_next = word == "{"
            elif word in "}]":
                enclosing.pop()
            elif word == ",":
                enclosing[-1].behind.append(1)
                key_next = enclosing[-1].keys is not None
            elif key_next and word[0] == '"':
                _note_key(enclosing[-1], json.loads(word))
                key_next = False
            elif token["number"] is not None:
                (numbers.whole if word.lstrip("-").isdigit() else numbers.exact)(word)
            elif word[-1] in "Ny":
                _refuse_constant(word)
        except _Refused as refused:
            return _at(text, token.start(), str(refused), "$" + "".join([each.step for each in enclosing]))
    return _at(text, start, fault)


def _note_key(enclosing: _Open, key: str) -> None:
    assert enclosing.keys is not None, "keys stand in objects"
    twice = key in enclosing.keys
    enclosing.keys.append(key)
    if twice:
        raise _Refused(f"the key {shown_value(key)} twice in one object")


MAX_SHOWN: Final = 64
"""Longest part of a foreign text in a message: enough to find it, too short to flood a terminal."""


def shown_value(value: JsonValue) -> str:
    """A JSON value as a message shows it: escaped ASCII on one line, at most 64 characters.

    >>> shown_value("Müller\\n"), shown_value({"a": Decimal("1.10")})
    ('"M\\\\u00fcller\\\\n"', 'an object with 1 field')
    """
    if isinstance(value, dict):
        return f"an object with {len(value)} field{'s' * (len(value) != 1)}"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, Decimal):
        return str(value)
    text = json.dumps(value if not isinstance(value, str) else value[:MAX_SHOWN])
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"


_MARK: Final = "\0D"
_MARKED: Final = re.compile(r'"\\u0000D([^"]*)"')


def dump(value: JsonValue) -> str:
    """Canonical JSON: keys sorted, no spaces, numbers exactly as they are, text as UTF-8 can hold it.

    Raises ``ValueError`` for text with NUL, which strict JSON doesn't hold, and ``TypeError`` for what isn't JSON.

    >>> dump({"b": Decimal("1.10"), "a": ["ü", None]})
    '{"a":["ü",null],"b":1.10}'
    """
    decimals = 0

    def marked(number: object) -> str:
        nonlocal decimals
        if not isinstance(number, Decimal) or not number.is_finite():
            raise TypeError(f"{type(number).__name__} is not a JSON value")
        decimals += 1
        return f"{_MARK}{number}"

    text = json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"), default=marked)
    if not decimals:
        return text
    exact, found = _MARKED.subn(r"\1", text)
    if found != decimals:
        raise ValueError("text with the character U+0000 is not strict JSON")
    return exact
