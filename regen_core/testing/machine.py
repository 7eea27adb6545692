"""The state machine: Hypothesis chooses the steps, the harness performs them and checks laws and model after each.

A machine is made by a factory, one class per system, and never inherited: Hypothesis ties a test to the class that runs
it. How thorough it is comes from the active Hypothesis profile.
"""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from regen_core.testing.asking import NAMINGS, SIGHTS
from regen_core.testing.edits import EDITS, SLOTS
from regen_core.testing.harness import Harness
from regen_core.testing.subject import BuildSubject, reference_subject

__all__ = ["check", "regeneration_machine"]

_SLOTS = st.integers(0, len(SLOTS) - 1)
_EDITS = st.sampled_from(tuple(EDITS))
_PLACES = st.integers(0, 7)
_PICKS = st.integers(0, 15)
_SEEDS = st.integers(0, 255)
_FLAGS = st.sampled_from([(False, False), (False, True), (True, False)])
_ANY_FLAGS = st.sampled_from([(False, False), (False, True), (True, False), (True, True)])


def regeneration_machine(  # noqa: C901  # a rule is a nested function, and each is a line
    build: BuildSubject = reference_subject, *, with_model: bool = True, can_fork: bool = True
) -> type[RuleBasedStateMachine]:
    """A machine for the system that ``build`` makes afresh for each history.

    ``with_model`` compares every step with the naive model too; ``can_fork`` ``False`` leaves out the rules that need
    an independent copy of the system (REV-4, CNV-6).
    """

    class Regeneration(RuleBasedStateMachine):
        """Documents, requests, deliveries and a Revenue that forgets."""

        def __init__(self) -> None:
            super().__init__()
            self.harness = Harness(build, with_model=with_model)

        def is_anything_sent(self) -> bool:
            """Whether there is a delivery to repeat or a line to disturb."""
            return bool(self.harness.sent)

        @rule(slot=_SLOTS, edit=_EDITS, place=_PLACES)
        def document_changes(self, slot: int, edit: str, place: int) -> None:
            """Backfill, data fix or mishap: the document is loaded again, different."""
            self.harness.change(slot, edit, place)

        @rule(slot=_SLOTS, flags=_ANY_FLAGS, naming=st.sampled_from(NAMINGS), sight=st.sampled_from(SIGHTS))
        def request(self, slot: int, flags: tuple[bool, bool], naming: str, sight: str) -> None:
            """Somebody asks, with any flags, names and rights."""
            self.harness.regenerate(slot, *flags, naming, sight)

        @rule(slot=_SLOTS, flags=_FLAGS)
        def regenerate(self, slot: int, flags: tuple[bool, bool]) -> None:
            """The ordinary request; its deliveries wait."""
            self.harness.regenerate(slot, *flags)

        @rule(slot=_SLOTS, flags=_FLAGS, turn=_PLACES)
        def regenerate_and_deliver(self, slot: int, flags: tuple[bool, bool], turn: int) -> None:
            """The ordinary request; its deliveries arrive at once, in some order."""
            self.harness.regenerate(slot, *flags)
            self.harness.deliver_latest(turn)

        @precondition(is_anything_sent)
        @rule(pick=_PICKS, acknowledge=st.booleans())
        def deliver(self, pick: int, acknowledge: bool) -> None:
            """A delivery arrives: late, again, or in time."""
            self.harness.deliver(pick, acknowledge)

        @precondition(is_anything_sent)
        @rule(seed=_SEEDS)
        def deliver_all_that_waits(self, seed: int) -> None:
            """The relay catches up, in some order, some of it twice."""
            self.harness.deliver_pending(seed)

        @precondition(is_anything_sent)
        @rule(pick=_PICKS)
        def revenue_loses(self, pick: int) -> None:
            """Revenue loses what it holds for a transaction."""
            self.harness.lose(pick)

        @precondition(is_anything_sent)
        @rule(pick=_PICKS, how=_PLACES)
        def revenue_alters(self, pick: int, how: int) -> None:
            """Revenue holds something else for a transaction."""
            self.harness.alter(pick, how)

        @rule()
        def revenue_backs_up(self) -> None:
            """Revenue keeps a backup."""
            self.harness.back_up()

        @precondition(is_anything_sent)
        @rule(backup=_PLACES, pick=st.none() | _PICKS)
        def revenue_restores(self, backup: int, pick: int | None) -> None:
            """Revenue restores one line, or all, from an old backup."""
            if pick is None:
                self.harness.restore_all(backup)
            else:
                self.harness.restore(backup, pick)

        @rule(slot=_SLOTS, flags=_FLAGS)
        def the_same_request_again_changes_no_content(self, slot: int, flags: tuple[bool, bool]) -> None:
            """CNV-5."""
            self.harness.repeat(slot, *flags)

        @precondition(lambda self: can_fork and self.is_anything_sent())
        @rule(slot=_SLOTS, seed=_SEEDS)
        def the_order_of_deliveries_does_not_show(self, slot: int, seed: int) -> None:
            """REV-4."""
            self.harness.reorder(slot, seed)

        @precondition(lambda self: can_fork and bool(self.harness.loaded))
        @rule(slots=st.tuples(_SLOTS, _SLOTS), flags=st.tuples(_FLAGS, _FLAGS))
        def documents_commute(self, slots: tuple[int, int], flags: tuple[tuple[bool, bool], tuple[bool, bool]]) -> None:
            """CNV-6."""
            self.harness.commute(slots, flags)

        def teardown(self) -> None:
            """At the end of a history everything is compared, not only what was touched."""
            self.harness.compare_everything()

    return Regeneration


def check(build: BuildSubject = reference_subject, *, with_model: bool = True, can_fork: bool = True) -> None:
    """Run the machine under the active profile; raises where a law or the model disagrees."""
    machine = regeneration_machine(build, with_model=with_model, can_fork=can_fork)
    run_state_machine_as_test(machine, settings=settings())
