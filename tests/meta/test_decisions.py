"""Decisions and deliveries by the million: the same everywhere, in agreement, and plain where something is off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve

from regen_core.refusals import Refusal, UnmappableItem
from regen_core.regeneration import Regeneration, decide
from regen_core.testing.breaks import Break, broken_tables
from regen_core.testing.decisions import Core, Decisions, failing, main, steps_of
from regen_core.transactions import BillingTransaction, TransactionState
from tests.meta.test_laws_have_teeth import EQUIVALENT

SEEDS, STEPS = (*range(12), *range(1000, 1004)), 400


def is_noticed(core: Core) -> bool:
    """Whether a seed fails; they are in two universes."""
    return any(failing(seed, tuple(steps_of(seed, STEPS)), core) is not None for seed in SEEDS)


class TestSeeds:
    """One seed is one history."""

    def test_a_seed_gives_the_same_steps_again(self) -> None:
        assert [*steps_of(7, 3000)] == [*steps_of(7, 3000)]
        assert [*steps_of(7, 50)] != [*steps_of(8, 50)]
        assert [*steps_of(7, 3000)][:1024] == [*steps_of(7, 1024)]

    def test_core_and_model_agree(self) -> None:
        """The control of all that follows."""
        assert not is_noticed(Core())

    def test_every_way_to_answer_occurs(self) -> None:
        answers = list[Regeneration | Refusal]()

        def listening(*given: Any) -> Regeneration | Refusal:
            answers.append(decide(*given))
            return answers[-1]

        for seed in SEEDS:
            Decisions(seed, Core(decide=listening)).perform(steps_of(seed, STEPS))
        names = {type(each).__name__ for each in answers}
        assert names == {
            "ConflictingFlags",
            "DocumentNotFound",
            "DocumentNotPosted",
            "NothingToResend",
            "Regeneration",
            "UnmappableItem",
        }
        actions = {each.write.action for done in answers if isinstance(done, Regeneration) for each in done.rulings}
        assert {each.value for each in actions} == {"generate", "keep", "override", "skip", "void"}


@pytest.mark.parametrize("broken", broken_tables(), ids=lambda broken: broken.name)
def test_a_broken_cell_is_noticed(broken: Break) -> None:
    """Each cell of TBL-M, TBL-W, TBL-S and REV-1 … REV-3; what nobody can see, isn't."""
    assert is_noticed(Core(table=broken.table, rules=broken.rules)) is (broken.name not in EQUIVALENT)


Spoil = Callable[[BillingTransaction], BillingTransaction]


def stays_at_nine(given: BillingTransaction) -> BillingTransaction:
    """A count that stops: the model was asked about small revisions only."""
    return evolve(given, revision=min(given.revision, 9))


def forgets_who_created(given: BillingTransaction) -> BillingTransaction:
    """An override that starts again."""
    return evolve(given, created=given.updated)


def flips(given: BillingTransaction) -> BillingTransaction:
    """MAP."""
    return evolve(given, standalone=not given.standalone) if given.item.calculated_charge_model else given


def keeps_what_is_voided(given: BillingTransaction) -> BillingTransaction:
    """TBL-W9."""
    return evolve(given, state=TransactionState.ACTIVE)


def has_one_id(given: BillingTransaction) -> BillingTransaction:
    """TBL-I: one id for two items."""
    return evolve(given, id="0" * 32)


@pytest.mark.parametrize("spoil", [stays_at_nine, forgets_who_created, flips, keeps_what_is_voided, has_one_id])
def test_control_what_is_written_wrongly_is_noticed(spoil: Spoil) -> None:
    """What no table says: counts, occasions, mapping, ids."""

    def spoilt(*given: Any) -> Regeneration | Refusal:
        done = decide(*given)
        if not isinstance(done, Regeneration):
            return done
        return evolve(done, written=tuple([None if each is None else spoil(each) for each in done.written]))

    assert is_noticed(Core(decide=spoilt))


def test_control_an_item_left_out_of_a_refusal_is_noticed() -> None:
    """MAP-U."""

    def silent(*given: Any) -> Regeneration | Refusal:
        done = decide(*given)
        return evolve(done, items=done.items[:1]) if isinstance(done, UnmappableItem) else done

    assert is_noticed(Core(decide=silent))


class TestTheCommandLine:
    """``python -m regen_core.testing.decisions`` tells what was run, or the shortest history that fails."""

    def test_agreement_is_told_in_a_line_per_block(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["--seeds", "0:4", "--steps", "200", "--block", "2"]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert [line.split(", ")[:2] for line in lines] == [["seeds 0:2", "400 steps"], ["seeds 0:4", "800 steps"]]

    @pytest.mark.parametrize(("cell", "steps"), [("TBL-W7", "2 steps"), ("TBL-W1", "1 step")])
    def test_a_failure_is_told_with_its_shortest_history(
        self, capsys: pytest.CaptureFixture[str], cell: str, steps: str
    ) -> None:
        broken = next(each for each in broken_tables() if each.cell == cell)
        assert main(["--seeds", "0:2", "--steps", "2000"], Core(table=broken.table)) == 1
        told = capsys.readouterr().out
        assert f"fails after {steps}\n" in told
