"""The kit's own run: on stores that conform, on broken ones, with skips, xfails and lists that have grown stale."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from click.testing import CliRunner

from regen_core.adapters.cli.main import cli
from regen_core.adapters.memory import MemoryStore
from regen_core.refusals import Refusal
from regen_core.regeneration import Regeneration
from regen_core.testing.adapted import Capability
from regen_core.testing.conformance import Options, check_ids, conform
from regen_core.testing.counting import ROWS
from regen_core.testing.factories import NoSystem, factory_named
from regen_core.testing.lists import BadList, entries_of
from regen_core.testing.report import Outcome, Report, Verdict, report_json, summary_of
from regen_core.testing.report_html import report_html
from regen_core.testing.subject import reference_subject
from regen_core.testing.systems import system_of
from regen_core.wire.strict_json import dump, parse

FEW = Options(histories=8, steps=80)
MEMORY = "regen_core.adapters.memory:MemoryStore"
BROKEN = "tests.kit.test_conformance:ForgetsTheOrder"


class Reopening(MemoryStore):
    """What a process leaves in a store in memory for the next one, if it could: its values."""

    def reopened(self) -> Reopening:
        return self


class ForgetsTheOrder(MemoryStore):
    """TBL-R."""

    def regenerate(self, *args: Any, **kwargs: Any) -> Any:
        outcome = super().regenerate(*args, **kwargs)
        if isinstance(outcome, Regeneration):
            return _Reversed(outcome)
        return outcome


class _Reversed(Regeneration):
    def __init__(self, done: Regeneration) -> None:
        self.__dict__.update(done.__dict__)

    @property
    def id_list(self) -> tuple[str, ...]:
        return super().id_list[::-1]


def verdicts(report: Report) -> dict[str, Outcome]:
    return {each.id: each.outcome for each in report.verdicts}


@pytest.fixture(scope="module")
def clean() -> Report:
    return conform(system_of("memory", Reopening), FEW)


def test_the_store_in_memory_conforms(clean: Report) -> None:
    """Every check has a verdict, none fails, nothing is skipped, and what is passed was exercised."""
    assert clean.is_conforming, list(summary_of(clean))
    assert tuple(verdicts(clean)) == check_ids()
    assert set(verdicts(clean).values()) <= {Outcome.PASSED, Outcome.NEVER}
    assert all(each.exercised for each in clean.verdicts if each.outcome is Outcome.PASSED)


def test_a_subject_conforms_and_what_it_lacks_is_told_as_skipped() -> None:
    report = conform(system_of("reference", reference_subject), FEW)
    assert report.is_conforming
    skipped = [each for each in report.verdicts if each.outcome is Outcome.SKIPPED]
    assert "IDM-1" in {each.id for each in skipped}
    assert all(each.reason for each in skipped)
    assert report.lacking


@pytest.mark.parametrize("capability", Capability, ids=lambda each: each.value)
def test_what_needs_a_lacking_capability_is_skipped_never_passed(capability: Capability) -> None:
    system = system_of("memory", Reopening, [capability.value])
    report = conform(system, Options(histories=1, steps=5))
    assert report.is_conforming
    assert capability.value in report.lacking
    assert Outcome.SKIPPED in verdicts(report).values()


def test_a_report_is_json_and_a_page_that_needs_nothing_else(clean: Report) -> None:
    told = json.loads(dump(report_json(clean)))
    assert told["conforming"] is True
    assert told["rows"]["TBL-W1"] > 0
    page = report_html(clean)
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")
    assert "TBL-W15" in page
    assert "`" not in page, "what is code is marked as such"


def test_one_of_each_is_told_in_the_singular() -> None:
    """A history of a step, a vector that fails, a check that was exercised once; two of each are plural."""
    failed = Verdict(id="corpus PRE-4", rule_ids=("PRE-4",), outcome=Outcome.FAILED, exercised=1)
    report = Report(
        subject="x", seed=0, histories=1, steps=1, seconds=0.0, verdicts=(failed,), rows=dict.fromkeys(ROWS, 1)
    )
    page = report_html(report)
    assert "1 random history of 1 step, seed 0" in page
    assert "1 vector of the golden corpus" in page
    assert '<td class="count once">1<' in page
    assert "1 failed; 1 step, seed 0" in "\n".join(summary_of(report))
    more = evolve(report, histories=2, steps=2, verdicts=(evolve(failed, exercised=2),) * 2)
    page = report_html(more)
    assert "2 random histories of 2 steps, seed 0" in page
    assert "2 vectors of the golden corpus" in page
    assert '<td class="count">2<' in page
    assert "2 failed; 2 steps, seed 0" in "\n".join(summary_of(more))


def test_a_failure_names_its_rule_and_tells_a_short_history(broken: Report) -> None:
    failed = {each.id: each for each in broken.failures}
    assert "TBL-R" in failed
    history = failed["TBL-R"].history
    assert history is not None
    assert len(history.words) == 2, history.words
    told = "\n".join(summary_of(broken))
    assert "FAILED TBL-R" in told
    assert "regenerate " in told
    page = report_html(broken)
    assert "does not conform" in page
    assert history.found.partition(":")[0] in page
    assert "regen-conformance-history/1" in page


@pytest.fixture(scope="module", name="broken")
def _broken() -> Report:
    return conform(system_of("broken", ForgetsTheOrder), FEW)


def test_a_skipped_check_is_not_done_and_an_expected_failure_does_not_fail_the_run() -> None:
    system = system_of("broken", ForgetsTheOrder)
    others = {each: "of another test" for each in check_ids() if each != "TBL-R"}
    left_out = conform(system, Options(histories=8, steps=80, skips={"TBL-R": "not yet", **others}))
    assert verdicts(left_out)["TBL-R"] is Outcome.SKIPPED
    assert left_out.is_conforming
    expected = conform(system, Options(histories=8, steps=80, xfails={"TBL-R": "not yet"}, skips=others))
    assert verdicts(expected)["TBL-R"] is Outcome.XFAILED
    assert expected.is_conforming


def test_an_expected_failure_that_passes_fails_the_run() -> None:
    report = conform(system_of("memory", MemoryStore), Options(histories=1, steps=5, xfails={"IDM-1": "not yet"}))
    assert verdicts(report)["IDM-1"] is Outcome.XPASSED
    assert not report.is_conforming


@pytest.mark.parametrize("name", ["skips", "xfails"])
def test_an_entry_that_names_no_check_is_told_and_fails(name: str) -> None:
    options = Options(**{"histories": 1, "steps": 5, name: {"gone by now": "gone"}})  # type: ignore[arg-type]  # by name
    report = conform(system_of("memory", MemoryStore), options)
    assert not report.is_conforming
    assert any("'gone by now' names no check" in line for line in summary_of(report))


@pytest.mark.parametrize("text", ["CNV-6", "CNV-6  a reason\nCNV-6  another"])
def test_a_list_that_nobody_can_explain_is_refused(text: str) -> None:
    with pytest.raises(BadList):
        entries_of(text, "skips.txt")


@pytest.mark.parametrize("text", ["nothing", "no_such_module:f", "json:nothing", "json:__name__"])
def test_a_factory_that_is_none_is_told(text: str) -> None:
    with pytest.raises(NoSystem):
        factory_named(text)


def test_what_is_neither_a_store_nor_a_subject_is_told() -> None:
    with pytest.raises(NoSystem, match="no subject"):
        system_of("dict", dict)


@pytest.fixture(name="regen")
def _regen() -> Callable[..., tuple[int, str]]:
    def run(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(cli, arguments)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.output

    return run


def test_the_command_writes_reports_and_ends_with_0(regen: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    report, page = tmp_path / "report.json", tmp_path / "report.html"
    few = ("--max-examples", "2", "--steps", "20", "--derandomize")
    code, told = regen("conformance", "--store", MEMORY, *few, "--report", str(report), "--html", str(page))
    assert code == 0, told
    assert f"conforms: {MEMORY}" in told
    assert json.loads(report.read_text(encoding="utf-8"))["seed"] == 0
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_a_failure_ends_with_1_and_is_replayed(regen: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    few = ("--max-examples", "4", "--steps", "60", "--derandomize")
    code, told = regen("conformance", "--store", BROKEN, *few, "--report", str(report))
    assert code == 1
    assert "FAILED TBL-R" in told
    code, told = regen("replay", str(report), "--store", BROKEN)
    assert code == 1
    assert "still fails: TBL-R" in told
    code, told = regen("replay", str(report), "--store", MEMORY)
    assert code == 0, told
    assert "holds now: TBL-R" in told


def test_one_history_is_replayed_alone(regen: Callable[..., tuple[int, str]], broken: Report, tmp_path: Path) -> None:
    checks = parse(dump(report_json(broken)))["checks"]  # type: ignore[index, call-overload]  # a report is an object
    (alone,) = [each["history"] for each in checks if each["id"] == "TBL-R"]  # type: ignore[index, call-overload, union-attr]
    file = tmp_path / "history.json"
    file.write_text(dump(alone), encoding="utf-8")
    assert regen("replay", str(file), "--store", BROKEN)[0] == 1


@pytest.mark.parametrize("text", ["[]", "{}", "nothing", '{"format": "regen-conformance-history/1", "check": "X"}'])
def test_what_is_no_history_is_wrong_usage(regen: Callable[..., tuple[int, str]], text: str, tmp_path: Path) -> None:
    file = tmp_path / "history.json"
    file.write_text(text, encoding="utf-8")
    assert regen("replay", str(file), "--store", MEMORY)[0] == 2


def test_a_refusal_is_no_exception() -> None:
    """A store that raises is found out by the check of what is unforeseen."""

    class Raises(MemoryStore):
        def regenerate(self, *args: Any, **kwargs: Any) -> Any:
            outcome = super().regenerate(*args, **kwargs)
            if isinstance(outcome, Refusal):
                raise KeyError("no such document")
            return outcome

    report = conform(system_of("raises", Raises), Options(histories=2, steps=40))
    assert verdicts(report)["unforeseen"] is Outcome.FAILED
