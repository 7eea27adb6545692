"""The seeded simulation: the same everywhere, in agreement with the core, and plain where it is not."""

from __future__ import annotations

import pytest

from regen_core.revenue import Delivery, RevenueLedger
from regen_core.testing.harness import Harness
from regen_core.testing.simulation import VERBS, main, perform, random_steps, run
from regen_core.testing.subject import ReferenceSubject


class BelievesTheLast(ReferenceSubject):
    """REV-2 broken: what arrives last is what Revenue holds."""

    def deliver(self, delivery: Delivery) -> None:
        self.ledger = RevenueLedger(self.ledger.held.without(delivery.transaction.id))
        super().deliver(delivery)


class TestSeeds:
    """One seed is one history."""

    def test_a_seed_gives_the_same_steps_again(self) -> None:
        assert random_steps(7, 50) == random_steps(7, 50)
        assert random_steps(7, 50) != random_steps(8, 50)
        assert random_steps(7, 50)[:20] == random_steps(7, 20)

    def test_every_verb_occurs(self) -> None:
        assert {step[0] for step in random_steps(0, 2000)} == set(VERBS)

    def test_a_history_ends_the_same_way_again(self) -> None:
        ends = []
        for _ in range(2):
            harness = Harness()
            perform(harness, random_steps(3, 200))
            ends.append((harness.subject.state(), harness.steps))
        assert ends[0] == ends[1]


class TestTheCommandLine:
    """``python -m regen_core.testing.simulation`` tells what was run, or the shortest history that fails."""

    def test_agreement_is_told_in_a_line_per_block(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["--seeds", "0:4", "--steps", "200", "--block", "2"]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert [line.split(",")[0] for line in lines] == ["seeds 0:2", "seeds 0:4"]
        assert all(line.endswith("agreed") for line in lines)

    def test_a_failure_is_told_with_its_shortest_history(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["--seeds", "0:9", "--steps", "300"], BelievesTheLast) == 1
        told = capsys.readouterr().out
        assert "fails after" in told
        assert len(told.splitlines()) < 15

    def test_a_run_says_how_many_steps_it_made(self) -> None:
        assert run(0, 100).steps > 50
