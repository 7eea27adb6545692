"""The meter of masking MC/DC sees what it must: each condition by itself, and one that can't matter."""

from __future__ import annotations

import types
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tests.mcdc.exceptions import LISTED, read_list
from tests.mcdc.meter import Meter


def missing_after(text: str, calls: Sequence[tuple[Any, ...]]) -> set[tuple[str, bool]]:
    """What is missing once ``decide`` of a text was called with these arguments; its answers must not change."""
    meter, measured, plain = Meter({}), types.ModuleType("measured"), types.ModuleType("plain")
    meter.run(text, measured)
    exec(text, vars(plain))  # noqa: S102  # a text of this test
    for arguments in calls:
        assert answer(vars(measured)["decide"], arguments) == answer(vars(plain)["decide"], arguments)
    return {(each.condition, each.value) for each in meter.missing()}


def answer(decide: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """What a function answers, or the kind of its exception."""
    try:
        return decide(*arguments)
    except ZeroDivisionError:
        return ZeroDivisionError


AND = "def decide(a, b):\n    if a and b:\n        return 1\n    return 0\n"
T, F = True, False


class TestWhatIsMissing:
    """Branch coverage is content with less."""

    def test_both_branches_are_not_enough(self) -> None:
        """``b`` was never what made the decision false."""
        assert missing_after(AND, [(T, T), (F, T)]) == {("b", False)}

    def test_each_condition_has_decided_both_ways(self) -> None:
        assert missing_after(AND, [(T, T), (F, T), (T, F)]) == set()

    def test_what_is_masked_shows_nothing(self) -> None:
        """``a`` true beside ``b`` false decides nothing."""
        assert missing_after(AND, [(T, F), (F, F)]) == {("a", True), ("b", True)}

    def test_a_condition_that_can_not_matter_is_reported(self) -> None:
        """The control: all inputs there are, and ``b`` never decides as false behind ``a or b`` and ``a``."""
        text = "def decide(a, b):\n    return 1 if a and (a or b) else 0\n"
        everything = [(a, b) for a in (T, F) for b in (T, F)]
        assert missing_after(text, everything) == {("a", False), ("b", True), ("b", False)}

    def test_what_was_never_evaluated_is_missing(self) -> None:
        assert missing_after("def decide(a):\n    return a == 1\n", []) == {("a == 1", True), ("a == 1", False)}


class TestKindsOfDecisions:
    """What counts as decision and condition."""

    @pytest.mark.parametrize(
        ("body", "calls", "missing"),
        [
            ("return 1 if not a else 2", [(T,)], {("a", False)}),
            ("return [x for x in a if x > 1]", [([2],)], {("x > 1", False)}),
            ("return [x for x in (a or [1]) if x]", [([2],), ([],)], {("x", False)}),
            ("while a:\n        a = a - 1\n    return a", [(3,)], set()),
            ("return 1 < a <= 3", [(2,), (5,)], {("1 < a", False)}),
            ("return (lambda b: b == 1)(a)", [(1,), (2,)], set()),
            ("return all(x == 1 for x in a)", [([1, 1],)], {("x == 1", False)}),
            ("return a or 'nothing'", [("",), ("x",)], set()),
            ("return a and a > 1", [(0,), (2,)], {("a > 1", False)}),
            ("return 1 if (b := a) and b > 1 else 0", [(0,), (2,), (1,)], set()),
            ("assert a or a == 0\n    return a", [(0,)], set()),
            (
                "return 1 if a and 1 / (a - 1) else 0",
                [(1,), (0,)],
                {("a", True), ("1 / (a - 1)", True), ("1 / (a - 1)", False)},
            ),
        ],
    )
    def test_it(self, body: str, calls: list[tuple[Any, ...]], missing: set[tuple[str, bool]]) -> None:
        assert missing_after(f"def decide(a):\n    {body}\n", calls) == missing

    def test_calls_within_calls_are_kept_apart(self) -> None:
        """A function that asks itself in the middle of a decision."""
        text = "def decide(n):\n    return n == 0 or (n > 0 and not decide(n - 1)) or n == -7\n"
        assert missing_after(text, [(n,) for n in range(-8, 6)]) == set()


class TestTheList:
    """Exceptions are reviewed."""

    def test_each_has_a_reason(self) -> None:
        assert all(read_list(LISTED.read_text(encoding="utf-8")).values())

    def test_one_without_a_reason_is_refused(self) -> None:
        entry = '[[exception]]\nmodule = "m"\ncondition = "a"\nvalue = true\nreason = " "\n'
        with pytest.raises(ValueError, match="has no reason"):
            read_list(entry)
        with pytest.raises(ValueError, match="listed twice"):
            read_list(2 * entry.replace('" "', '"r"'))
