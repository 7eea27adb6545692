"""The state machine on the reference store: CNV-1 … CNV-7, REV-4, REQ-5, PRE-4 and TBL-R, beside the naive model.

Deep, the shards make two million steps together; each draws histories of its own until its share is performed.
"""

from __future__ import annotations

from typing import Any, Final

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from regen_core.revenue import Delivery, RevenueLedger
from regen_core.testing.harness import Harness
from regen_core.testing.laws import LawBrokenError
from regen_core.testing.machine import regeneration_machine
from regen_core.testing.simulation import VERBS, failure_of, verbs_by_number
from regen_core.testing.subject import ReferenceSubject
from tests.crash.profiles import scaled

STEPS: Final = scaled(quick=2_000, deep=2_000_000)
SHARDS: Final = scaled(quick=2, deep=24)
HISTORIES, RULES = scaled(quick=25, deep=125), scaled(quick=40, deep=200)


class Counted:
    """A machine whose histories add up what they performed: documents loaded, requests, deliveries, disturbances."""

    def __init__(self) -> None:
        self.steps = 0
        self.machine: type[RuleBasedStateMachine] = regeneration_machine()
        setattr(self.machine, "teardown", self._counting(self.machine.teardown))  # noqa: B010  # mypy forbids the other way

    def _counting(self, teardown: Any) -> Any:
        def counting(machine: Any) -> None:
            teardown(machine)
            self.steps += machine.harness.steps

        return counting


@pytest.mark.parametrize("shard", range(SHARDS))
def test_every_history_keeps_the_laws_and_agrees_with_the_model(shard: int) -> None:
    """CNV-1 … CNV-7, REV-0 … REV-4, REQ-5, PRE-4, TBL-R, TBL-I, ACC-4, ELI-2, DOC-4."""
    counted, share = Counted(), STEPS // SHARDS + 1
    while (left := share - counted.steps) > 0:
        histories = min(HISTORIES, left // RULES + 1)
        run_state_machine_as_test(counted.machine, settings=settings(max_examples=histories, stateful_step_count=RULES))
        assert left - (share - counted.steps) > histories * RULES // 2, "the histories end early"


class BelievesTheLast(ReferenceSubject):
    """REV-4: what arrives last is what Revenue holds."""

    def deliver(self, delivery: Delivery) -> None:
        self.ledger = RevenueLedger(self.ledger.held.without(delivery.transaction.id))
        super().deliver(delivery)


class TestAFailureOfTheMachine:
    """What Hypothesis tells of a broken system: a few steps, which anybody can perform again."""

    def test_it_is_told_in_steps_that_fail_without_hypothesis(self) -> None:
        machine = regeneration_machine(BelievesTheLast, with_model=False)
        few = settings(
            max_examples=500,
            stateful_step_count=40,
            phases=[Phase.generate, Phase.shrink][: scaled(quick=1, deep=2)],
            report_multiple_bugs=False,
            database=None,
        )
        with pytest.raises(LawBrokenError) as caught:
            run_state_machine_as_test(machine, settings=few)
        told = [line for note in caught.value.__notes__ for line in note.splitlines() if line.startswith("('")]
        steps = [eval(line) for line in told]  # noqa: S307  # what the machine has just written
        assert 0 < len(steps) <= scaled(quick=40, deep=12)
        failure = failure_of(lambda: Harness(BelievesTheLast, with_model=False), steps)
        assert failure is not None
        assert failure.error.args == caught.value.args


class TestTheVerbsOfTheMachine:
    """The first byte of a step picks its verb."""

    def test_every_verb_occurs(self) -> None:
        assert set(verbs_by_number(256)) == set(VERBS)

    def test_the_simplest_step_changes_a_document(self) -> None:
        assert verbs_by_number(256)[0] == "change"

    def test_what_needs_a_copy_can_be_left_out(self) -> None:
        without = frozenset({"reorder", "commute"})
        assert set(verbs_by_number(256, without)) == set(VERBS) - without
