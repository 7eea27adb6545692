"""The golden corpus: two independent things agree on every vector, and nothing of the tables is left out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from regen_core.decision_table import DECISION_TABLE, DecisionTable
from regen_core.refusals import Refusal
from regen_core.testing import corpus_making
from regen_core.testing.breaks import broken_tables
from regen_core.testing.conformance import performed_scenario
from regen_core.testing.corpus import corpus_scenarios, vectors
from regen_core.testing.counting import ROWS
from regen_core.testing.scenarios import Scenario
from regen_core.testing.subject import ReferenceSubject
from regen_core.testing.systems import System, system_of


def reference(table: DecisionTable = DECISION_TABLE) -> System:
    return system_of("reference", lambda: ReferenceSubject(table))


def test_the_files_are_what_the_naive_model_says() -> None:
    """To renew them: ``python -m regen_core.testing.corpus_making``."""
    assert corpus_making.main(["--check"]) == 0


def test_control_a_vector_that_drifts_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpus_making, "FOLDER", tmp_path)
    assert corpus_making.main([]) == 0
    assert corpus_making.main(["--check"]) == 0
    tables = tmp_path / "tables.json"
    tables.write_text(tables.read_text(encoding="utf-8").replace('"flag":"Y"', '"flag":"N"', 1), encoding="utf-8")
    assert corpus_making.main(["--check"]) == 1


@pytest.mark.parametrize("scenario", corpus_scenarios(), ids=lambda each: each.id)
def test_the_core_says_the_same(scenario: Scenario) -> None:
    failed = performed_scenario(reference(), scenario)
    assert failed is None, failed


def test_every_row_cell_and_refusal_has_a_vector() -> None:
    assert {rule for each in vectors() for rule in each["rules"]} >= set(ROWS)


def test_every_vector_tells_where_it_comes_from() -> None:
    """Its rules, whether each is documented, and how it was made; ids are told once."""
    assert len({each["id"] for each in vectors()}) == len(vectors())
    for each in vectors():
        assert each["made"]
        assert each["rules"]
        assert each["origins"].keys() <= set(each["rules"])
        assert set(each["origins"].values()) <= {"documented", "interpretation"}


def test_refusals_are_told_as_the_operation_answers_them() -> None:
    names = {kind.__name__ for kind in _kinds(Refusal)}
    refused = {each["expected"]["refused"] for each in vectors()} - {None}
    assert refused <= names
    assert len(refused) == 6


def _kinds(union: object) -> tuple[type, ...]:
    kinds: tuple[type, ...] = getattr(union, "__args__")  # noqa: B009  # a closed union
    return kinds


def test_a_broken_cell_fails_a_vector() -> None:
    """Each cell of TBL-M, TBL-W and TBL-S that is flipped, but for what nobody could see."""
    unnoticed = set()
    for each in broken_tables():
        if each.table is not DECISION_TABLE:
            system = reference(each.table)
            if not any(performed_scenario(system, vector) for vector in corpus_scenarios()):
                unnoticed.add(each.name)
    assert unnoticed == {"TBL-W3 -> skip", "TBL-W5 -> skip"}


def test_the_files_are_json_for_anybody() -> None:
    for name, text in corpus_making.chapters().items():
        told = json.loads(text)
        assert told["format"] == corpus_making.FORMAT
        assert name == f"{told['chapter']}.json"
