"""What a conformance run found, as values and as JSON: a verdict per check, rows exercised, and failing histories."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from enum import Enum, unique
from typing import Final

from attrs import field, frozen

from regen_core.explain.words import times
from regen_core.rules import RULES
from regen_core.testing.counting import ROWS
from regen_core.testing.simulation import Step
from regen_core.wire.codec import JsonObject

__all__ = [
    "FORMAT",
    "History",
    "Outcome",
    "Report",
    "Verdict",
    "counts_of",
    "history_json",
    "report_json",
    "shortened",
    "summary_of",
]

FORMAT: Final = "regen-conformance-report/1"
HISTORY_FORMAT: Final = "regen-conformance-history/1"

_READ: Final = 600
"""Characters of what was found that people are shown."""


@unique
class Outcome(Enum):
    """What became of a check. Only ``passed`` says that something was shown."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    XFAILED = "xfailed"
    XPASSED = "xpassed"
    NEVER = "never exercised"


@frozen(kw_only=True)
class History:
    """The shortest history that was found to fail a check.

    Fields: ``check`` its id; ``seed`` of the run; ``steps`` what the harness did, empty where the check is a scenario
    or a vector of the corpus, which is performed by its id; ``words`` and ``calls`` the same for people and programs;
    ``found`` what is wrong at its end; ``beside`` the rows that the last request was decided by; ``curl`` the requests
    that a service got, as lines to paste.
    """

    check: str
    seed: int
    steps: tuple[Step, ...]
    words: tuple[str, ...]
    calls: tuple[JsonObject, ...]
    found: str
    beside: tuple[str, ...] = ()
    curl: tuple[str, ...] = ()


@frozen(kw_only=True)
class Verdict:
    """One check.

    Fields: ``id`` as skips and xfails name it; ``exercised`` how often; ``reason`` where one is due; ``about`` what it
    does in a sentence, ``None`` where its rules say that.
    """

    id: str
    rule_ids: tuple[str, ...]
    outcome: Outcome
    exercised: int
    reason: str | None = None
    history: History | None = None
    about: str | None = None


@frozen(kw_only=True)
class Report:
    """A run: ``rows`` are counts by row of the tables; ``complaints`` what is wrong with the run itself."""

    subject: str
    seed: int
    histories: int
    steps: int
    seconds: float
    verdicts: tuple[Verdict, ...]
    rows: Mapping[str, int]
    lacking: Mapping[str, str] = field(factory=dict)
    complaints: tuple[str, ...] = ()

    @property
    def is_conforming(self) -> bool:
        """Whether nothing failed that wasn't expected to, nothing passed that was, and the run had no fault."""
        bad = (Outcome.FAILED, Outcome.XPASSED)
        return not self.complaints and not any([each.outcome in bad for each in self.verdicts])

    @property
    def failures(self) -> tuple[Verdict, ...]:
        """The verdicts that fail the run."""
        return tuple([each for each in self.verdicts if each.outcome in (Outcome.FAILED, Outcome.XPASSED)])

    @property
    def never(self) -> tuple[str, ...]:
        """The rows that nothing exercised; none where the run doesn't look at rows."""
        return () if not self.rows else tuple([row for row in ROWS if not self.rows.get(row)])


def report_json(report: Report) -> JsonObject:
    """The report for programs."""
    return {
        "format": FORMAT,
        "subject": report.subject,
        "conforming": report.is_conforming,
        "seed": report.seed,
        "histories": report.histories,
        "steps": report.steps,
        "seconds": Decimal(f"{report.seconds:.2f}"),
        "lacking": dict(report.lacking),
        "complaints": list(report.complaints),
        "checks": [_verdict_json(each) for each in report.verdicts],
        "rows": {row: report.rows.get(row, 0) for row in ROWS},
        "rows_never_exercised": list(report.never),
    }


def _verdict_json(verdict: Verdict) -> JsonObject:
    return {
        "id": verdict.id,
        "rules": list(verdict.rule_ids),
        "about": verdict.about,
        "outcome": verdict.outcome.value,
        "exercised": verdict.exercised,
        "reason": verdict.reason,
        "history": None if verdict.history is None else history_json(verdict.history),
    }


def history_json(history: History) -> JsonObject:
    """A history as ``regen replay`` reads it: performed by ``check`` and ``steps``; the rest is for readers."""
    return {
        "format": HISTORY_FORMAT,
        "check": history.check,
        "seed": history.seed,
        "steps": [list(each) for each in history.steps],
        "found": history.found,
        "beside": list(history.beside),
        "words": list(history.words),
        "calls": list(history.calls),
        "curl": list(history.curl),
    }


def summary_of(report: Report) -> Iterator[str]:
    """The report for people, in lines: short where all is well; else each failure with its history in words."""
    for verdict in report.failures:
        yield from failure_lines(verdict)
    told = counts_of(report.verdicts)
    yield f"{'conforms' if report.is_conforming else 'does not conform'}: {report.subject}"
    yield f"{told}; {times(report.steps, 'step')}, seed {report.seed}, {report.seconds:.1f} s"
    yield from [f"skipped {name}: {why}" for name, why in report.lacking.items()]
    if report.never:
        yield f"rows never exercised: {', '.join(report.never)}"
    yield from report.complaints


def counts_of(verdicts: Iterable[Verdict]) -> str:
    """How many passed, failed and so on, in words."""
    counted = Counter([each.outcome for each in verdicts])
    return ", ".join([f"{counted[each]} {each.value}" for each in Outcome if counted[each]])


def failure_lines(verdict: Verdict) -> Iterator[str]:
    """A failed check: its id, what its rules say, and the shortest history."""
    yield f"{verdict.outcome.value.upper()} {verdict.id}"
    yield from [f"  {each}: {RULES[each].statement}" for each in verdict.rule_ids if each in RULES]
    if verdict.outcome is Outcome.XPASSED:
        yield f"  it was expected to fail ({verdict.reason}) and did not: take it out of the xfails file"
    if verdict.history is not None:
        beside = f" (decided by {', '.join(verdict.history.beside)})" if verdict.history.beside else ""
        yield from [f"  {place}. {words}" for place, words in enumerate(verdict.history.words, 1)]
        yield f"  found: {shortened(verdict.history.found)}{beside}"


def shortened(text: str) -> str:
    """The text as far as people read it; all of it is in the JSON."""
    return text if len(text) <= _READ else f"{text[:_READ]} … (all of it is in the JSON report)"
