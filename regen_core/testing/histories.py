"""Checks by random histories: each law is looked for a history that breaks it, and that history is made short.

A failing law is noted and then left out, so that the next one is found beside it. What a system raises that no port
foresees is a failure as well, by the name ``unforeseen``: it hides what the laws would have said.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Final, cast

from attrs import field, frozen

from regen_core.access import Scope
from regen_core.request import RegenerateRequest
from regen_core.testing.counting import LAWS, CountingHarness, rows_of
from regen_core.testing.harness import Harness
from regen_core.testing.journal import Journal
from regen_core.testing.laws import Exchange, LawBrokenError, Violation
from regen_core.testing.reach import ALL, Reach, ReachingHarness
from regen_core.testing.report import History
from regen_core.testing.shortening import shortened_history
from regen_core.testing.simulation import Failure, Step, failure_of, find_failure, shrunk
from regen_core.testing.subject import BuildSubject, Subject
from regen_core.transactions import StoredTransactions

__all__ = ["MODEL", "TWO_HISTORIES", "UNFORESEEN", "LawsAsked", "failures", "guarded", "performed"]

MODEL: Final = "model"
"""The check that a system and the naive model say the same, step by step."""

UNFORESEEN: Final = "unforeseen"
"""The check that a system raises nothing that isn't foreseen."""

TWO_HISTORIES: Final = {"REV-4": "reorder", "CNV-6": "commute"}
"""Laws about two histories, each with the verb that performs them."""

_TRIES: Final = 3
"""Of so many seeds the shortest failing history is told."""


@frozen(kw_only=True)
class LawsAsked:
    """What to look for: seeds, steps of each, the ids that count, verbs that are left out, and what can be asked."""

    seeds: range
    steps: int
    heeded: frozenset[str]
    without: frozenset[str] = field(default=frozenset())
    reach: Reach = ALL


class _Guarded:
    """A subject whose unforeseen exceptions become broken laws, so that they are cut down like any other failure."""

    def __init__(self, subject: object) -> None:
        self._subject = subject

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return partial(self._call, name)

    def _call(self, name: str, *arguments: object) -> Any:
        try:
            answer = getattr(self._subject, name)(*arguments)
        except AssertionError:
            raise
        except Exception as error:
            raise LawBrokenError(Violation(UNFORESEEN, f"{name} raised {type(error).__name__}: {error}")) from error
        return guarded(answer) if name == "fork" else answer


def guarded(subject: Subject) -> Subject:
    """The subject, in which nothing unforeseen is raised but as a broken law."""
    return cast("Subject", _Guarded(subject))


def failures(build: BuildSubject, asked: LawsAsked, counts: Counter[str]) -> Iterator[History]:
    """For each check that fails, its shortest history: laws first, then the model beside the same seeds."""
    for ids in (asked.heeded & {*LAWS}, asked.heeded & {MODEL}):
        if ids:
            yield from _failures(build, asked, ids, counts)


def _failures(build: BuildSubject, asked: LawsAsked, ids: frozenset[str], counts: Counter[str]) -> Iterator[History]:
    left = set(ids)
    while left:
        heeded = frozenset({*left, UNFORESEEN})
        make = partial(_harness, build, heeded, asked.reach, counts)
        without = asked.without | {TWO_HISTORIES[each] for each in TWO_HISTORIES if each not in left}
        first = find_failure(make, asked.seeds, asked.steps, without)
        if first is None:
            return
        found = _shortest(make, first, asked, without)
        yield _told(build, found, asked)
        if found.rule_id in (MODEL, UNFORESEEN):
            return
        left.discard(found.rule_id)


def _harness(build: BuildSubject, heeded: frozenset[str], reach: Reach, counts: Counter[str]) -> Harness:
    """A harness for the laws that count, or beside the model where that is one of them."""

    def subject() -> Subject:
        return guarded(build())

    if MODEL in heeded:
        return ReachingHarness(subject, with_laws=False, heeded=heeded, reach=reach)
    return CountingHarness(subject, counts=counts, with_model=False, heeded=heeded, reach=reach)


def _shortest(make: Callable[[], Harness], first: Failure, asked: LawsAsked, without: frozenset[str]) -> Failure:
    """Of the first failures by the same rule the one with the shortest history."""
    found = [shrunk(make, first)]
    for seed in asked.seeds[:_TRIES]:
        other = find_failure(make, [seed], asked.steps, without)
        if other is not None and other.rule_id == first.rule_id:
            found.append(shrunk(make, other))
    return shortened_history(make, min(found, key=lambda each: len(each.steps)))


def _told(build: BuildSubject, failure: Failure, asked: LawsAsked) -> History:
    again = performed(build, failure.steps, failure.rule_id, asked.reach)
    return History(
        check=failure.rule_id,
        seed=asked.seeds.start,
        steps=failure.steps,
        words=tuple(again.journal.words),
        calls=tuple(again.journal.calls),
        found=str(failure.error),
        beside=again.beside,
    )


@frozen
class Performed:
    """Steps that were performed: the journal, what failed in the end or ``None``, what decided the last request."""

    journal: Journal
    failure: Failure | None
    beside: tuple[str, ...]


def performed(build: BuildSubject, steps: Sequence[Step], check: str, reach: Reach = ALL) -> Performed:
    """The steps, performed on a new subject, with the check that is looked at."""
    journals: list[Journal] = []

    def subject() -> Subject:
        journals.append(Journal(guarded(build())))
        return journals[-1]

    with_laws = check != MODEL
    heeded = frozenset({check, UNFORESEEN})
    made = _Watching(subject, with_laws=with_laws, with_model=not with_laws, heeded=heeded, reach=reach)
    failure = failure_of(lambda: made, steps)
    return Performed(journals[0], failure, made.beside)


class _Watching(ReachingHarness):
    """A harness that remembers what the last request was decided by."""

    beside: tuple[str, ...] = ()

    def ask(self, scope: Scope, request: RegenerateRequest) -> Exchange:
        document = self._meant(scope, request)
        before = StoredTransactions(self._stored(document))
        self.beside = tuple(dict.fromkeys(rows_of(document, before, request, None)))
        return super().ask(scope, request)
