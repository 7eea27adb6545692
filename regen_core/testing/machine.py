"""The state machine: Hypothesis chooses the steps, the harness performs them and checks laws and model after each.

A machine is made by a factory, one class per system, and never inherited: Hypothesis ties a test to the class that runs
it. How thorough it is comes from the active Hypothesis profile. A step is one draw of five bytes, a verb and four
numbers as in ``simulation``: Hypothesis takes time for each draw and for each rule that it chooses among, makes each
byte smaller by itself when it looks for a shorter history, and draws them evenly, which it doesn't do with big numbers.
"""

from __future__ import annotations

from typing import Final

from hypothesis import note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from regen_core.testing.harness import Harness
from regen_core.testing.simulation import VERBS, verbs_by_number
from regen_core.testing.subject import BuildSubject, reference_subject

__all__ = ["check", "regeneration_machine"]

_NUMBERS: Final = st.binary(min_size=5, max_size=5)
_ON_COPIES: Final = frozenset({"reorder", "commute"})


def regeneration_machine(
    build: BuildSubject = reference_subject, *, with_model: bool = True, can_fork: bool = True
) -> type[RuleBasedStateMachine]:
    """A machine for the system that ``build`` makes afresh for each history.

    ``with_model`` compares every step with the naive model too; ``can_fork`` ``False`` leaves out the steps that need
    an independent copy of the system (REV-4, CNV-6). A failing history is told in the steps of ``simulation``.
    """
    verbs = verbs_by_number(256, frozenset() if can_fork else _ON_COPIES)

    class Regeneration(RuleBasedStateMachine):
        """Documents, requests, deliveries and a Revenue that forgets."""

        def __init__(self) -> None:
            super().__init__()
            self.harness = Harness(build, with_model=with_model)

        @rule(numbers=_NUMBERS)
        def step(self, numbers: bytes) -> None:
            """A document changes, somebody asks, Revenue collects or errs, or a law about two histories is tried."""
            verb, (one, two, three, four) = verbs[numbers[0]], numbers[1:]
            note((verb, one, two, three, four))
            VERBS[verb](self.harness, one, two, three, four)

        def teardown(self) -> None:
            """At the end of a history everything is compared, not only what was touched."""
            self.harness.compare_everything()

    return Regeneration


def check(build: BuildSubject = reference_subject, *, with_model: bool = True, can_fork: bool = True) -> None:
    """Run the machine under the active profile; raises where a law or the model disagrees."""
    machine = regeneration_machine(build, with_model=with_model, can_fork=can_fork)
    run_state_machine_as_test(machine, settings=settings())
