"""One run of the kit on one system: which checks there are, which are skipped, what each found.

The checks are the laws and the naive model by random histories, the scenarios, and the vectors of the golden corpus.
What a skips file names isn't done; what an xfails file names must fail. An entry of either that names no check fails
the run: a list that has grown stale hides something.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import Final

from attrs import define, evolve, field

from regen_core.testing.adapted import Capability
from regen_core.testing.clients import OutOfReach
from regen_core.testing.conforming_service import ask_by_hand
from regen_core.testing.corpus import corpus_scenarios
from regen_core.testing.counting import LAWS, ROWS
from regen_core.testing.edits import SLOTS, initial
from regen_core.testing.histories import MODEL, TWO_HISTORIES, UNFORESEEN, LawsAsked, failures
from regen_core.testing.idempotent import IDEMPOTENCY_SCENARIOS
from regen_core.testing.journal import Journal
from regen_core.testing.options import DEFAULT_HISTORIES, DEFAULT_STEPS, Options
from regen_core.testing.report import History, Report
from regen_core.testing.scenarios import Scenario, bench_of
from regen_core.testing.stories import STORIES
from regen_core.testing.systems import System
from regen_core.testing.units_of_work import UNIT_SCENARIOS
from regen_core.testing.verdicts import Verdicts

__all__ = ["DEFAULT_HISTORIES", "DEFAULT_STEPS", "Options", "check_ids", "conform", "scenarios"]

_ROWS: Final = frozenset(ROWS)

_ABOUT: Final = {
    MODEL: "The naive model says the same as the system, step by step and of everything at the end.",
    UNFORESEEN: "Nothing is raised or answered that isn't foreseen.",
}


def scenarios() -> tuple[Scenario, ...]:
    """All checks that are told as stories."""
    return (*STORIES, *IDEMPOTENCY_SCENARIOS, *UNIT_SCENARIOS, *corpus_scenarios())


def check_ids() -> tuple[str, ...]:
    """The id of every check, in the order of a report."""
    return (*LAWS, MODEL, UNFORESEEN, *[each.id for each in scenarios()])


@define
class _Run:
    """A run under way."""

    system: System
    options: Options
    counts: Counter[str] = field(factory=Counter, init=False)
    verdicts: Verdicts = field(init=False)

    @verdicts.default
    def _none_yet(self) -> Verdicts:
        return Verdicts(self.options)

    def histories(self) -> None:
        """The laws and the model."""
        by_histories, skip = (*LAWS, MODEL, UNFORESEEN), self.verdicts.is_skipped
        skipped = {each for each in by_histories if skip(each, (each,), self._why_not(each))}
        heeded = frozenset({*LAWS, MODEL} - skipped)
        asked = LawsAsked(
            seeds=self.options.seeds,
            steps=self.options.steps,
            heeded=heeded,
            without=frozenset({verb for law, verb in TWO_HISTORIES.items() if law in skipped}),
            reach=self.system.reach,
        )
        failed: dict[str, History] = {}
        for history in failures(self.system.subject, asked, self.counts):
            failed.setdefault(history.check, evolve(history, curl=self.system.requests))
        self.counts[MODEL] = self.counts[UNFORESEEN] = len(asked.seeds)
        for each in by_histories:
            if each not in skipped:
                self.verdicts.judge(each, (each,), self.counts[each], failed.get(each), _ABOUT.get(each))

    def _why_not(self, check: str) -> str | None:
        """Both laws about two histories need a copy; of a store only CNV-6 does, for Revenue is the kit's own."""
        needs_copy = check in TWO_HISTORIES and not (check == "REV-4" and self.system.is_store)
        return f"needs {Capability.CAN_FORK.value}" if needs_copy and not self._can_fork else None

    @property
    def _can_fork(self) -> bool:
        return Capability.CAN_FORK in self.system.capabilities

    def scenario(self, scenario: Scenario) -> None:
        """One story."""
        missing = sorted(each.value for each in scenario.needs - self.system.capabilities)
        because = f"needs {' and '.join(missing)}" if missing else None
        if self.verdicts.is_skipped(scenario.id, scenario.rule_ids, because, scenario.told):
            return
        try:
            found = performed_scenario(self.system, scenario, self.options.seed)
        except OutOfReach as fault:
            self.verdicts.is_skipped(scenario.id, scenario.rule_ids, str(fault), scenario.told)
            return
        self.counts.update([each for each in scenario.rule_ids if each in _ROWS])
        self.verdicts.judge(scenario.id, scenario.rule_ids, 1, found, scenario.told)

    def over_http(self) -> None:
        """What only requests by hand show of a service, about a document that is loaded for them."""
        service, key = self.system.service, SLOTS[0]
        if service is None:
            return
        self.system.close()
        self.system.store().load(initial(key))
        service.document = (key.type.value, key.id)
        ask_by_hand(service, self.verdicts)


def performed_scenario(system: System, scenario: Scenario, seed: int = 0) -> History | None:
    """How a scenario fails, ``None`` where it doesn't; raises :class:`OutOfReach` where nobody can perform it."""
    bench = bench_of(system)
    journal = Journal(bench.subject)
    try:
        scenario.perform(evolve(bench, subject=journal))
    except OutOfReach:
        raise
    except AssertionError as error:
        found = str(error).partition("\nassert ")[0]  # what pytest adds where it rewrites this package
    except Exception as error:  # noqa: BLE001  # whatever a foreign system raises is what was found
        found = f"raised {type(error).__name__}: {error}"
    else:
        return None
    words, calls = (scenario.told, *journal.words), tuple(journal.calls)
    return History(check=scenario.id, seed=seed, steps=(), words=words, calls=calls, found=found, curl=system.requests)


def conform(system: System, options: Options | None = None) -> Report:
    """Run every check on a system; the report says whether it conforms."""
    options, began = options or Options(), time.perf_counter()
    run = _Run(system, options)
    try:
        run.histories()
        for each in scenarios():
            run.scenario(each)
        run.over_http()
    finally:
        system.close()
    return Report(
        subject=system.name,
        seed=options.seed,
        histories=options.histories,
        steps=options.steps,
        seconds=time.perf_counter() - began,
        verdicts=tuple(run.verdicts.told.values()),
        rows=run.counts,
        lacking=system.lacking,
        complaints=tuple(run.verdicts.complaints()),
    )
