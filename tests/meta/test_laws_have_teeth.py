"""Break every cell of every decision table, one by one: a law must notice each, without any help from the model.

The laws that are heeded are those of convergence (CNV-1 … CNV-7), REV-4 and REQ-5. ``may_say_nothing`` is how ELI-2 is
written into TBL-M, so it takes ELI-2 to notice it. What was noticed by which law is printed (``pytest -s``).
"""

from __future__ import annotations

from collections import Counter

import pytest

from regen_core.decision_table import DECISION_TABLE, RegenerateFlag, SendAction
from regen_core.revenue import COLLECTING_RULES
from regen_core.testing.breaks import Break, broken_tables
from regen_core.testing.harness import Harness
from regen_core.testing.simulation import DISTURBANCES, Failure, find_failure
from regen_core.testing.subject import ReferenceSubject
from regen_core.transactions import Standing

CONVERGENCE = frozenset({*(f"CNV-{number}" for number in range(1, 8)), "REV-4", "REQ-5"})
SEEDS, STEPS = (*range(45, 60), *range(45)), 300
"""In this order: the first one is noticed by what is noticed rarely."""

EQUIVALENT = {
    "TBL-W3 -> skip": "a skipped line is left and unsaid, and of what is voided N says nothing anyway (TBL-S4)",
    "TBL-W5 -> skip": "as TBL-W3",
}
"""Breaks that change nothing that anybody could see."""

BREAKS = [each for each in broken_tables() if each.name not in EQUIVALENT]


def heeded_for(broken: Break) -> frozenset[str]:
    """The laws that may notice a break."""
    rule = next((rule for rule in DECISION_TABLE.modes.values() if rule.id == broken.cell), None)
    if rule is None or rule.mode is None or rule.flag is None:
        return CONVERGENCE
    silence = f"{rule.mode.value} {rule.flag.value}, "
    return CONVERGENCE | {"ELI-2"} if broken.says.startswith(silence) else CONVERGENCE


def noticed(broken: Break, heeded: frozenset[str], without: frozenset[str] = frozenset()) -> Failure | None:
    """The first history in which a law notices; ``without`` are steps that are never taken."""

    def make() -> Harness:
        return Harness(lambda: ReferenceSubject(broken.table, broken.rules), with_model=False, heeded=heeded)

    return find_failure(make, SEEDS, STEPS, without)


NOTICED: dict[str, str] = {}


class TestTheLawsHaveTeeth:
    """Each cell of TBL-M, TBL-W, TBL-S and the collecting rules matters to a law that is stated by the flags alone."""

    @pytest.mark.parametrize("broken", BREAKS, ids=lambda broken: broken.name)
    def test_a_law_notices_the_broken_cell(self, broken: Break) -> None:
        failure = noticed(broken, heeded_for(broken))
        assert failure is not None, f"no law notices {broken.name}"
        NOTICED[broken.name] = failure.rule_id
        assert failure.rule_id in heeded_for(broken)

    def test_the_unbroken_tables_are_never_noticed(self) -> None:
        """The control: without a break the same histories break no law, and here every law counts."""
        assert find_failure(lambda: Harness(with_model=False), SEEDS, STEPS) is None

    def test_the_breaks_cover_every_cell(self) -> None:
        broken = {each.cell.split(" ")[0] for each in broken_tables()}
        cells = {rule.id for rule in DECISION_TABLE.modes.values()}
        cells |= {rule.id for rule in DECISION_TABLE.writes.values()}
        cells |= {rule.id for rule in DECISION_TABLE.sends.values()}
        assert broken == cells | {"REV-1", "REV-2", "REV-3"}
        assert len({each.name for each in broken_tables()}) == len(broken_tables())
        columns = {each.cell for each in broken_tables() if each.cell.startswith(("REV-1", "REV-2"))}
        assert len(columns) == len(COLLECTING_RULES.cells)

    def test_the_equivalent_breaks_say_what_the_table_says(self) -> None:
        """Skipping what is stored differs from keeping it only in what is sent; of what is not live N sends nothing."""
        assert set(EQUIVALENT) <= {each.name for each in broken_tables()}
        for standing in (Standing.NOT_LIVE_NEVER_SENT, Standing.NOT_LIVE_EVER_SENT):
            assert DECISION_TABLE.sends[RegenerateFlag.N, standing].action is SendAction.NOTHING

    @pytest.mark.parametrize("name", sorted(EQUIVALENT))
    def test_an_equivalent_break_is_never_noticed(self, name: str) -> None:
        broken = next(each for each in broken_tables() if each.name == name)
        assert noticed(broken, CONVERGENCE) is None

    @pytest.mark.parametrize("name", ["REV-1 N held same -> collect", "REV-2 Y held same -> ignore"])
    def test_what_only_an_erring_revenue_shows(self, name: str) -> None:
        """CNV-3: if Revenue never lost, altered or restored a line, no test could tell these from the law."""
        broken = next(each for each in broken_tables() if each.name == name)
        assert noticed(broken, CONVERGENCE) is not None
        assert noticed(broken, CONVERGENCE, DISTURBANCES) is None

    def test_print_who_noticed_what(self) -> None:
        for name, rule_id in NOTICED.items():
            print(f"{name:55} {rule_id}")  # noqa: T201  # shown with -s
        print(dict(Counter(NOTICED.values())))  # noqa: T201  # shown with -s
