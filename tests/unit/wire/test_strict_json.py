"""REQ-14: what is strict JSON and what is not, and where the fault is."""

from __future__ import annotations

from decimal import Decimal

import pytest

from regen_core.wire.strict_json import DEFAULT_LIMITS, JsonFault, JsonValue, Limits, dump, parse, parse_sequence

REFUSED = {
    "an empty text": ("", 1, 1, "$"),
    "blanks": (" \n ", 2, 2, "$"),
    "an end too early": ('{"a": [1,', 1, 10, "$"),
    "a string without end": ('{"a": "b', 1, 7, "$"),
    "single quotes": ("{'a': 1}", 1, 2, "$"),
    "a comma too many": ("[1,]", 1, 4, "$"),
    "a comment": ("[1] // one", 1, 5, "$"),
    "two values": ("{} {}", 1, 4, "$"),
    "a byte order mark": ("\ufeff{}", 1, 1, "$"),
    "a leading zero": ("[01]", 1, 3, "$"),
    "a control character": ('["a\tb"]', 1, 4, "$"),
    "NaN": ('{"a": [1, {"b": NaN}]}', 1, 17, "$.a[1].b"),
    "Infinity": ("[Infinity]", 1, 2, "$[0]"),
    "minus Infinity": ("[0,\n -Infinity]", 2, 2, "$[1]"),
    "a key twice": ('{"x": {"a": 1,\n "a": 1}}', 2, 2, "$.x.a"),
    "a key twice, escaped": ('{"a": 1, "\\u0061": 2}', 1, 10, "$.a"),
    "a key twice, not a plain name": ('{"a b": 1, "a b": 2}', 1, 12, '$["a b"]'),
    "endless digits": ('{"a": 1' + "0" * 64 + "}", 1, 7, "$.a"),
    "endless places": ('{"a": 0.' + "1" * 64 + "}", 1, 7, "$.a"),
    "an exponent beyond all sums": ('{"a": 1E999999}', 1, 7, "$.a"),
    "a zero with such an exponent": ("[0e-999999]", 1, 2, "$[0]"),
    "an escaped NUL": ('["\\u0000"]', 1, 2, "$[0]"),
    "an escaped NUL in a key": ('{"a\\u0000": 1}', 1, 2, '$["a\\u0000"]'),
    "an escaped NUL further down": ('{"a": 1,\n "b": ["\\u0001", "c\\u0000"]}', 2, 18, "$.b[1]"),
    "an escaped lone surrogate": ('["\\ud800"]', 1, 2, "$[0]"),
    "surrogates the wrong way round": ('["\\udc00\\ud800"]', 1, 2, "$[0]"),
    "a lone surrogate": ('["\ud800"]', 1, 3, "$"),
    "too deep a list": ("[" * 33 + "]" * 33, 1, 1, "$"),
    "far too deep a list": ("[" * 100_000, 1, 1, "$"),
    "too deep an object": ('{"a":' * 33 + "1" + "}" * 33, 1, 1, "$"),
}


@pytest.mark.parametrize(("text", "line", "column", "path"), REFUSED.values(), ids=REFUSED.keys())
def test_a_fault_is_told_with_its_place(text: str, line: int, column: int, path: str) -> None:
    """REQ-14: line and column, and the path where a value is at fault."""
    with pytest.raises(JsonFault) as caught:
        parse(text)
    assert (caught.value.line, caught.value.column, caught.value.path) == (line, column, path)


@pytest.mark.parametrize(
    ("data", "line", "column"), [(b"\xff", 1, 1), (b'{"a":\n "\xc3\xa9\xc3"}', 2, 4), (b'["\xed\xa0\x80"]', 1, 3)]
)
def test_bytes_that_are_not_utf_8_are_refused(data: bytes, line: int, column: int) -> None:
    """REQ-14: strict UTF-8, which has no surrogates; columns count characters."""
    with pytest.raises(JsonFault) as caught:
        parse(data)
    assert (caught.value.line, caught.value.column) == (line, column)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.1", Decimal("0.1")),
        ("10.00", Decimal("10.00")),
        ("-0.0", Decimal("-0.0")),
        ("1e2", Decimal("1E+2")),
        ("123456789012345678901234567890.123456789", Decimal("123456789012345678901234567890.123456789")),
        ("12", 12),
        ("true", True),
        ("null", None),
        ('"\\ud83d\\ude00 \\\\u0000"', "😀 \\u0000"),
        ("[" * 32 + "]" * 32, None),
    ],
)
def test_values_are_exact(text: str, value: JsonValue) -> None:
    """Numbers keep every digit and their places."""
    found = parse(text)
    if value is not None or text == "null":
        assert found == value
        assert str(found) == str(value)
        assert type(found) is type(value)


def test_many_shallow_values_are_not_deep() -> None:
    """Depth counts nesting, not brackets."""
    assert parse("[" + ",".join(["[{}]"] * 1000) + "]") == [[{}]] * 1000


def test_limits_are_the_callers_to_tighten() -> None:
    """The bounds are named and can be others."""
    limits = Limits(depth=1, number_length=3)
    assert parse("[123]", limits=limits) == [123]
    for text in ("[[]]", "[1234]", "[1.25]"):
        with pytest.raises(JsonFault):
            parse(text, limits=limits)
    assert limits != DEFAULT_LIMITS


def test_a_sequence_gives_what_stands_before_a_fault() -> None:
    """Appended answers are read up to the first that is none."""
    assert parse_sequence('{"a": 1}{"a": 2}\n\n[3]') == [({"a": 1}, 1), ({"a": 2}, 1), ([3], 3)]
    with pytest.raises(JsonFault) as caught:
        parse_sequence('{"a": 1}\n{"a": NaN}')
    assert caught.value.before == (({"a": 1}, 1),)
    assert (caught.value.line, caught.value.path) == (2, "$.a")


def test_canonical_text_has_one_form() -> None:
    """Keys sorted, no spaces, numbers as they are, text unescaped where UTF-8 can hold it."""
    value: JsonValue = {"b": [True, False, None], "a": {"é": 'ü\n"', "d": Decimal("1.10"), "c": -3}, "": []}
    assert dump(value) == '{"":[],"a":{"c":-3,"d":1.10,"é":"ü\\n\\""},"b":[true,false,null]}'


@pytest.mark.parametrize("value", [1.5, {"a": [1.5]}, {1, 2}, (1,)])
def test_what_is_no_json_value_is_not_written(value: object) -> None:
    """A float above all: nothing passes through one."""
    with pytest.raises(TypeError, match="is not a JSON value"):
        dump(value)  # type: ignore[arg-type]  # that is the point


def test_a_number_without_end_is_not_written() -> None:
    """Decimal knows NaN, JSON doesn't."""
    with pytest.raises(ValueError, match="NaN"):
        dump({"a": Decimal("NaN")})
