"""The kit, as an adopter runs it, on stores with one planted mistake each: it must reject all and name the rule."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from regen_core.adapters.memory import MemoryStore
from regen_core.testing.conformance import Options, check_ids, conform
from regen_core.testing.report import Outcome, Report, Verdict, failure_lines
from regen_core.testing.systems import system_of
from tests.crash.profiles import scaled
from tests.meta.planted_keys import BROKEN_KEYS, Keyed
from tests.meta.planted_stores import BROKEN_STORES, Mistaken
from tests.meta.planted_units import BROKEN_UNITS, Reopened
from tests.meta.test_broken_stores import BROKEN

PLANTED: dict[type[MemoryStore], set[str]] = {**BROKEN_STORES, **BROKEN_KEYS, **BROKEN_UNITS}
LONGEST = 18
"""Calls of the longest history that is told of a planted mistake; a delivery is collected and acknowledged: two."""


def run(kind: type[MemoryStore], checks: set[str]) -> Report:
    """The kit with only some of its checks."""
    skips = {each: "another mistake's" for each in check_ids() if each not in checks}
    return conform(system_of(kind.__name__, kind), Options(histories=20, steps=120, skips=skips))


def rejections(kind: type[MemoryStore], expected: set[str]) -> Iterator[Verdict]:
    """What fails: in deep runs by all that is expected at once, in quick ones by one check after the other."""
    for checks in ([{each} for each in sorted(expected, reverse=True)], [expected])[scaled(quick=0, deep=1)]:
        yield from run(kind, checks).failures


@pytest.mark.parametrize(("kind", "expected"), PLANTED.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_the_kit_rejects_it_and_names_the_rule(kind: type[MemoryStore], expected: set[str]) -> None:
    """The mistake's docstring names a rule, and so does a failing check, with a history of a few calls."""
    lengths = {}
    for verdict in rejections(kind, expected):
        history = verdict.history
        assert verdict.id in expected
        assert history is not None
        assert history.found
        assert "\n".join(failure_lines(verdict)).startswith(f"FAILED {verdict.id}")
        lengths[verdict.id] = len(history.words)
        if lengths[verdict.id] <= LONGEST:
            return
    pytest.fail(f"{kind.__name__} was not noticed by {sorted(expected)} in few calls: {lengths}")


@pytest.mark.parametrize("kind", [MemoryStore, Keyed, Mistaken, Reopened], ids=lambda kind: kind.__name__)
def test_control_without_a_mistake_nothing_is_rejected(kind: type[MemoryStore]) -> None:
    report = conform(system_of(kind.__name__, kind), Options(histories=10, steps=120))
    assert report.is_conforming, [each.id for each in report.failures]
    others = {each.id for each in report.verdicts if each.outcome is not Outcome.PASSED}
    assert others == (set() if kind is Reopened else {"IDM-7 crash", "IDM-7 kept"})


def test_there_are_enough_of_them() -> None:
    """Beside the broken cells of the tables: stores of the ports, and subjects."""
    assert len(PLANTED) + len(BROKEN) >= 60
    assert all((kind.__doc__ or "").split(":")[0] for kind in PLANTED)


def test_every_scenario_and_law_has_a_mistake_that_it_rejects() -> None:
    """A check that no mistake breaks proves nothing."""
    noticed = set[str]().union(*PLANTED.values(), *(expected for _, expected in BROKEN))
    ids = {each for each in check_ids() if not each.startswith("corpus ")}
    assert ids - noticed == {"REQ-5", "unforeseen", "IDM-2 another meaning"} - noticed
