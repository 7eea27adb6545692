"""One run of the kit on one system: which checks there are, which are skipped, what each found.

The checks are the laws and the naive model by random histories, the scenarios, and the vectors of the golden corpus.
What a skips file names isn't done; what an xfails file names must fail. An entry of either that names no check fails
the run: a list that has grown stale hides something.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from attrs import define, evolve, field, frozen

from regen_core.testing.adapted import Capability
from regen_core.testing.corpus import corpus_scenarios
from regen_core.testing.counting import LAWS, ROWS
from regen_core.testing.histories import MODEL, NEED_A_COPY, UNFORESEEN, LawsAsked, failures
from regen_core.testing.idempotent import IDEMPOTENCY_SCENARIOS
from regen_core.testing.journal import Journal
from regen_core.testing.report import History, Outcome, Report, Verdict
from regen_core.testing.scenarios import Scenario, bench_of
from regen_core.testing.stories import STORIES
from regen_core.testing.systems import System

__all__ = ["DEFAULT_HISTORIES", "DEFAULT_STEPS", "Options", "check_ids", "conform", "scenarios"]

DEFAULT_HISTORIES: Final = 60
"""Random histories of a run without options; the laws and the model each look at all of them."""

DEFAULT_STEPS: Final = 120
"""Steps of one history."""


_ROWS: Final = frozenset(ROWS)


@frozen(kw_only=True)
class Options:
    """How thorough a run is and what it leaves out; ``skips`` and ``xfails`` give reasons by the id of a check."""

    histories: int = DEFAULT_HISTORIES
    steps: int = DEFAULT_STEPS
    seed: int = 0
    skips: Mapping[str, str] = field(factory=dict)
    xfails: Mapping[str, str] = field(factory=dict)

    @property
    def seeds(self) -> range:
        """The seeds of the histories."""
        return range(self.seed, self.seed + self.histories)


def scenarios() -> tuple[Scenario, ...]:
    """All checks that are told as stories."""
    return (*STORIES, *IDEMPOTENCY_SCENARIOS, *corpus_scenarios())


def check_ids() -> tuple[str, ...]:
    """The id of every check, in the order of a report."""
    return (*LAWS, MODEL, UNFORESEEN, *[each.id for each in scenarios()])


@define
class _Run:
    """A run under way."""

    system: System
    options: Options
    counts: Counter[str] = field(factory=Counter, init=False)
    told: dict[str, Verdict] = field(factory=dict, init=False)

    def histories(self) -> None:
        """The laws and the model."""
        skipped = {each for each in (*LAWS, MODEL, UNFORESEEN) if self._skipped(each, (each,), self._why_not(each))}
        heeded = frozenset({*LAWS, MODEL} - skipped)
        without = frozenset({verb for law, verb in NEED_A_COPY.items() if law in skipped})
        asked = LawsAsked(seeds=self.options.seeds, steps=self.options.steps, heeded=heeded, without=without)
        failed: dict[str, History] = {}
        for history in failures(self.system.subject, asked, self.counts):
            failed.setdefault(history.check, history)
        self.counts[MODEL] = self.counts[UNFORESEEN] = len(asked.seeds)
        for each in (*LAWS, MODEL, UNFORESEEN):
            if each not in skipped:
                self._verdict(each, (each,), self.counts[each], failed.get(each))

    def _why_not(self, check: str) -> str | None:
        needs = Capability.CAN_FORK if check in NEED_A_COPY else None
        return None if needs is None or needs in self.system.capabilities else f"needs {needs.value}"

    def scenario(self, scenario: Scenario) -> None:
        """One story."""
        missing = sorted(each.value for each in scenario.needs - self.system.capabilities)
        if self._skipped(scenario.id, scenario.rule_ids, f"needs {' and '.join(missing)}" if missing else None):
            return
        found = performed_scenario(self.system, scenario, self.options.seed)
        self.counts.update([each for each in scenario.rule_ids if each in _ROWS])
        self._verdict(scenario.id, scenario.rule_ids, 1, found)

    def _skipped(self, check: str, rule_ids: tuple[str, ...], because: str | None) -> bool:
        reason = self.options.skips.get(check, because)
        if reason is not None:
            self.told[check] = Verdict(id=check, rule_ids=rule_ids, outcome=Outcome.SKIPPED, exercised=0, reason=reason)
        return reason is not None

    def _verdict(self, check: str, rule_ids: tuple[str, ...], exercised: int, failed: History | None) -> None:
        reason = self.options.xfails.get(check)
        if failed is not None:
            outcome = Outcome.FAILED if reason is None else Outcome.XFAILED
        else:
            outcome = Outcome.XPASSED if reason is not None else Outcome.PASSED if exercised else Outcome.NEVER
        self.told[check] = Verdict(
            id=check, rule_ids=rule_ids, outcome=outcome, exercised=exercised, reason=reason, history=failed
        )

    def complaints(self) -> Iterator[str]:
        """Entries of the lists that name no check."""
        for name, entries in (("skips", self.options.skips), ("xfails", self.options.xfails)):
            for each in entries:
                if each not in self.told:
                    yield f"{name}: {each!r} names no check. Take the entry out, or correct it."


def performed_scenario(system: System, scenario: Scenario, seed: int = 0) -> History | None:
    """How a scenario fails, ``None`` where it doesn't."""
    bench = bench_of(system)
    journal = Journal(bench.subject)
    try:
        scenario.perform(evolve(bench, subject=journal))
    except AssertionError as error:
        found = str(error).partition("\nassert ")[0]  # what pytest adds where it rewrites this package
    except Exception as error:  # noqa: BLE001  # whatever a foreign system raises is what was found
        found = f"raised {type(error).__name__}: {error}"
    else:
        return None
    words, calls = (scenario.told, *journal.words), tuple(journal.calls)
    return History(check=scenario.id, seed=seed, steps=(), words=words, calls=calls, found=found)


def conform(system: System, options: Options | None = None) -> Report:
    """Run every check on a system; the report says whether it conforms."""
    options, began = options or Options(), time.perf_counter()
    run = _Run(system, options)
    try:
        run.histories()
        for each in scenarios():
            run.scenario(each)
    finally:
        system.close()
    return Report(
        subject=system.name,
        seed=options.seed,
        histories=options.histories,
        steps=options.steps,
        seconds=time.perf_counter() - began,
        verdicts=tuple(run.told.values()),
        rows=run.counts,
        lacking=system.lacking,
        complaints=tuple(run.complaints()),
    )
