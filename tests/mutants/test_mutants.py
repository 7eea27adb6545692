"""Where a mutant takes hold, that it is swapped in wherever its function is used, and a list that has gone stale."""

from __future__ import annotations

import sys
import types

import pytest

from tests.mutants.equivalents import LISTED, forgotten, read_list, unmatched
from tests.mutants.mutant import CORE, Mutant, mutant_of
from tests.mutants.swapping import ImportsMutant, live_functions, swap

ENTRY = '[[equivalent]]\nmodule = "request"\nbefore = "a = 1"\nafter = "a = 2"\nreason = "nobody reads it"\n'


def changed(module: str, before: str, after: str) -> Mutant:
    """The mutant of a module in which a text is another one."""
    original = (CORE / f"{module}.py").read_text(encoding="utf-8")
    assert before in original
    mutant = mutant_of(module, original, original.replace(before, after, 1))
    assert mutant is not None
    return mutant


class TestWhereAMutantTakesHold:
    """In functions that can be swapped, or on import."""

    def test_within_a_function(self) -> None:
        mutant = changed("retry_after", "return ", "return None and ")
        assert [name for name, _ in mutant.places]
        assert mutant.after == mutant.before.replace("return ", "return None and ")

    def test_a_nested_function_is_its_outermost(self) -> None:
        mutant = changed("type_mapping", "if facts & condition:", "if facts | condition:")
        assert [name for name, _ in mutant.places] == ["mapping_of"]

    @pytest.mark.parametrize(
        ("module", "before", "after"),
        [
            ("idempotency", "hours=24", "hours=25"),
            ("access", "orgs: frozenset[str] = field(default=frozenset()", "orgs: frozenset[str] = field(default=None"),
            ("regeneration", "@frozen(slots=False)", "@frozen(slots=True)"),
        ],
    )
    def test_in_a_body_that_is_executed_once(self, module: str, before: str, after: str) -> None:
        assert changed(module, before, after).places == ()

    def test_an_annotation_is_none(self) -> None:
        original = (CORE / "request.py").read_text(encoding="utf-8")
        assert mutant_of("request", original, original.replace("id: str | None", "id: str ^ None")) is None

    def test_what_does_not_compile_is_none(self) -> None:
        assert mutant_of("request", "a = 1\n", "a =\n") is None


class TestSwapping:
    """A swapped function answers as the mutant does, wherever it was imported to."""

    def test_every_name_of_the_function_answers_otherwise(self) -> None:
        from regen_core.checks import name_fault  # noqa: PLC0415
        from regen_core.documents import name_fault as same  # noqa: PLC0415

        live, code = live_functions(), name_fault.__code__
        mutant = _answering_nothing("checks", "name_fault")
        try:
            assert same("") is not None
            assert swap(mutant, live)
            assert same("") == "swapped"
        finally:
            name_fault.__code__ = code
        assert same("") is not None

    def test_what_is_not_loaded_is_not_swapped(self) -> None:
        """The control: without the live function nothing is claimed."""
        assert not swap(_answering_nothing("checks", "name_fault"), {})
        assert not swap(changed("idempotency", "hours=24", "hours=25"), live_functions())

    def test_an_imported_mutant_must_come_first(self) -> None:
        """A module that is loaded already would be judged without its change."""
        from regen_core import request  # noqa: PLC0415

        assert isinstance(request, types.ModuleType)
        assert request.__name__ in sys.modules
        with pytest.raises(AssertionError, match="loaded already"):
            ImportsMutant(changed("request", "default=False", "default=True")).install()


def _answering_nothing(module: str, function: str) -> Mutant:
    original = (CORE / f"{module}.py").read_text(encoding="utf-8")
    lines = original.splitlines(keepends=True)
    at = next(number for number, line in enumerate(lines) if line.startswith(f"def {function}("))
    body = next(number for number in range(at, len(lines)) if lines[number].rstrip().endswith(":"))
    lines.insert(body + 1, '    return "swapped"\n')
    mutant = mutant_of(module, original, "".join(lines))
    assert mutant is not None
    return mutant


class TestTheList:
    """Equivalents are reviewed, and go with the code that they are about."""

    def test_each_entry_has_a_reason_and_its_line_still_stands(self) -> None:
        listed = read_list(LISTED.read_text(encoding="utf-8"))
        assert not forgotten(listed)

    def test_an_entry_that_matches_nothing_is_told(self) -> None:
        listed = read_list(ENTRY)
        assert unmatched(listed, [], ["request"]) == [("request", "a = 1", "a = 2")]
        assert unmatched(listed, [], ["access"]) == []
        assert forgotten(listed) == [("request", "a = 1", "a = 2")]

    def test_an_entry_without_a_reason_is_refused(self) -> None:
        with pytest.raises(ValueError, match="has no reason"):
            read_list(ENTRY.replace("nobody reads it", ""))
        with pytest.raises(ValueError, match="listed twice"):
            read_list(2 * ENTRY)
