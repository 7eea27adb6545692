"""IDM-7: a process may die before and after every statement, commit, write, sync and acknowledgement.

All points are numbered by what the code really does, so a statement that is added tomorrow is a point tomorrow. After
each death the store is opened again, judged, and the interrupted step is asked again.
"""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from attrs import define

from regen_core.adapters.sql import SqlStore
from regen_core.documents import DocumentType
from regen_core.request import RegenerateRequest
from regen_core.testing.edits import SLOTS, edited, initial
from tests.crash.children import child
from tests.crash.history import SCOPES, Clock, History, Step, Verb, perform, picture
from tests.crash.points import CRASHED
from tests.crash.profiles import scaled, tried
from tests.crash.verdict import Verdict, judge, recovered
from tests.crash.workers import How, performs_numbered

ENOUGH = 1000
"""More points than any step has."""


def _request(*, re_migrate: bool) -> RegenerateRequest:
    return RegenerateRequest(type=DocumentType.INVOICE, id="d1", re_migrate=re_migrate)


def _history() -> History:
    first, second, third = [initial(key) for key in SLOTS[:3]]
    changed = edited(first, "add an item", 2), edited(second, "fix an amount", 0)

    def step(number: int, verb: Verb, **given: Any) -> Step:
        return Step(number=number, verb=verb, scope=SCOPES[0], **given)

    return History.of(
        [
            step(1, Verb.LOAD, documents=(first, second, third)),
            step(2, Verb.REGENERATE, request=_request(re_migrate=False), key="first"),
            step(3, Verb.LOAD, documents=changed),
            step(4, Verb.REGENERATE, request=_request(re_migrate=True), key="second"),
            step(5, Verb.TO_LEDGER, limit=2),
            step(6, Verb.COLLECT, limit=100),
            step(7, Verb.ACKNOWLEDGE, limit=100),
        ]
    )


HISTORY = _history()


@define
class Trial:
    """A step, the file before it, and the deaths that it went through."""

    number: int
    before: Path
    how: How = How.WELL
    deaths: int = 0

    def die_everywhere(self) -> dict[Verdict, str]:
        """Perform the step once per point; the damage, by the point where it showed first. A control stops there."""
        bad: dict[Verdict, str] = {}
        names = self._die_at(ENOUGH)[1]
        for at in self._points(names):
            verdict, rest = self._die_at(at)
            assert not rest, "it died at its point"
            self.deaths += 1
            if verdict is not Verdict.SOUND:
                bad.setdefault(verdict, names[at - 1])
            if bad and self.how is not How.WELL:
                break
        return bad

    def _points(self, names: list[str]) -> list[int]:
        """Where to die; a control begins where its damage is likely: at the last pieces, or at the beginning."""
        every = list(range(1, len(names) + 1))
        return {How.WELL: tried(names), How.EARLY: every, How.IN_PIECES: every[::-1]}[self.how]

    def _die_at(self, point: int) -> tuple[Verdict, list[str]]:
        """Die at a point and judge; the names of all points where there is no such point."""
        path = self.before.with_name("trial.db")
        for old in path.parent.glob(f"{path.name}*"):
            old.unlink()
        if self.before.exists():
            shutil.copy(self.before, path)
        step = HISTORY.steps[self.number - 1] if self.number else None
        with child(performs_numbered, f"sqlite:///{path}", step, point, self.how) as worker:
            code = worker.end()
        names = worker.reports.pop() if code != CRASHED else []
        return self._judged(path, is_acknowledged=self.number in worker.reports), names

    def _judged(self, path: Path, *, is_acknowledged: bool) -> Verdict:
        clock = Clock(self.number)
        with SqlStore.open(f"sqlite:///{path}", clock=clock) as store:
            found = recovered(store, clock, HISTORY, self.number)
            before = self.number if is_acknowledged or not self.number else self.number - 1
            verdict = judge(found, HISTORY, acknowledged=before, begun=self.number)
            clock.step = self.number
            if verdict is Verdict.SOUND and self.number:
                try:
                    self._ask_again(store)
                except sqlite3.IntegrityError:
                    return Verdict.BROKEN  # a half that nothing shows, and that is in the way
        return verdict

    def _ask_again(self, store: SqlStore) -> None:
        """What a client or a relay does that heard no answer leads to where it would have led (IDM-1, DOC-1, REV-4)."""
        step = HISTORY.steps[self.number - 1]
        if step.verb is not Verb.TO_LEDGER or picture(store) != HISTORY.pictures[self.number]:
            perform(store, step)  # else another batch would be the next one
        assert picture(store) == HISTORY.pictures[self.number]


@pytest.fixture
def before(memory: Path) -> Path:
    """Where the file before a step is."""
    return memory / "before.db"


def at_step(number: int, before: Path, how: How = How.WELL) -> Trial:
    """A trial of a step; the file holds the steps before it."""
    clock = Clock()
    if number:
        with SqlStore.open(f"sqlite:///{before}", clock=clock) as store:
            for step in HISTORY.steps[: number - 1]:
                clock.step = step.number
                perform(store, step)
    return Trial(number, before, how)


STEPS = range(len(HISTORY.steps) + 1)
NAMES = ["open", *[f"{step.number} {step.verb.value}" for step in HISTORY.steps]]


@pytest.mark.parametrize("number", STEPS, ids=NAMES)
def test_a_death_at_any_point_loses_halves_or_doubles_nothing(number: int, before: Path) -> None:
    """The step happened or it did not; asked again, it has happened once."""
    trial = at_step(number, before)
    assert trial.die_everywhere() == {}
    assert trial.deaths >= scaled(quick=4, deep=8)


@pytest.mark.parametrize("number", [2, 4, 5], ids=lambda number: NAMES[number])
def test_control_an_early_acknowledgement_is_caught(number: int, before: Path) -> None:
    """Acknowledged before it is committed."""
    assert at_step(number, before, How.EARLY).die_everywhere().keys() == {Verdict.LOST}


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5], ids=lambda number: NAMES[number])
def test_control_a_commit_after_each_statement_is_caught(number: int, before: Path) -> None:
    """A unit of work in pieces."""
    bad = at_step(number, before, How.IN_PIECES).die_everywhere()
    assert bad
    assert bad.keys() <= {Verdict.BROKEN, Verdict.FORGOTTEN}


def test_every_kind_of_point_is_there(before: Path) -> None:
    """Begin, statements, commit, acknowledgement: each before and after."""
    names = at_step(4, before)._die_at(ENOUGH)[1]
    for kind in ("BEGIN", "INSERT INTO outbox", "INSERT INTO idempotency", "COMMIT", "acknowledge"):
        for when in ("before", "after"):
            assert any(name.startswith(f"{when} {kind}") for name in names), (when, kind, names)
