"""REQ-14: strict JSON, exact both ways, and no text that does anything but parse or be refused."""

from __future__ import annotations

import json
import math
from decimal import Decimal

from hypothesis import example, given
from hypothesis import strategies as st

from regen_core.wire.strict_json import JsonFault, JsonValue, dump, parse, parse_sequence

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
NUMBERS = st.builds(
    lambda units, exponent: Decimal(units).scaleb(exponent), st.integers(-(10**20), 10**20), st.integers(-30, 30)
)


def values() -> st.SearchStrategy[JsonValue]:
    """JSON values as parsing gives them: no whole number is a Decimal, no text has NUL or a lone surrogate."""
    exact = NUMBERS.filter(lambda number: not str(number).lstrip("-").isdigit())
    leaves = st.none() | st.booleans() | st.integers(-(10**60), 10**60) | exact | TEXTS
    return st.recursive(
        leaves, lambda parts: st.lists(parts, max_size=4) | st.dictionaries(TEXTS, parts, max_size=4), max_leaves=12
    )


def parsed_or_fault(data: bytes | str) -> JsonValue | JsonFault:
    """The value, or why there is none."""
    try:
        return parse(data)
    except JsonFault as fault:
        return fault


class TestStrictJson:
    """What was written is read back as it was, in one form."""

    @given(values())
    def test_what_is_written_is_read_back_exactly(self, value: JsonValue) -> None:
        """Digits and places included: equal text, not only equal numbers."""
        text = dump(value)
        assert parse(text) == value
        assert dump(parse(text)) == text
        assert parse(text.encode()) == value

    @given(values(), st.integers(0, 3))
    def test_white_space_and_escapes_make_no_difference(self, value: JsonValue, indent: int) -> None:
        """The same value in other words."""
        told = json.dumps(json.loads(dump(value), parse_float=str), indent=indent)
        assert dump(json.loads(told)) == dump(json.loads(dump(value), parse_float=str))
        assert parse(f" \r\n{dump(value)}\t ") == value

    @given(st.lists(values(), max_size=4))
    def test_several_values_after_each_other(self, several: list[JsonValue]) -> None:
        """Each with its line."""
        found = parse_sequence("\n".join([dump(value) for value in several]))
        assert found == [(value, line) for line, value in enumerate(several, 1)]

    @given(st.text() | st.text('{}[]",:0123456789.eE+-truefalsn \\u\n', max_size=40))
    @example("-")
    @example('{"a":1,"a":')
    @example('["\\ud83d\\u0000"]')
    @example("1E400")
    def test_any_text_parses_or_is_refused(self, text: str) -> None:
        """And what parses is what the standard library reads, with nothing lost in a float."""
        value = parsed_or_fault(text)
        if isinstance(value, JsonFault):
            assert 1 <= value.line <= text.count("\n") + 1
            assert 1 <= value.column <= len(text) + 1
        else:
            assert value == json.loads(text, parse_float=Decimal)

    @given(st.binary())
    def test_any_bytes_parse_or_are_refused(self, data: bytes) -> None:
        """Nothing else is raised."""
        found = parsed_or_fault(data)
        assert not isinstance(found, JsonFault) or found.fault

    @given(st.floats())
    def test_no_float_is_ever_made_or_written(self, number: float) -> None:
        """A number with a fraction is exactly what stood there."""
        text = json.dumps(number)
        is_bounded = math.isfinite(number) and (number == 0 or 1e-60 < abs(number) < 1e60)
        if is_bounded:
            assert parse(text) == Decimal(text)
        elif not math.isfinite(number) or not 1e-64 <= abs(number) < 1e65:
            assert isinstance(parsed_or_fault(text), JsonFault)
