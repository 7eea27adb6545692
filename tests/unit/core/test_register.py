"""The register of rules: each id once, documented with its source or interpretation with its reason."""

from __future__ import annotations

import pytest

from regen_core.decision_table import DECISION_TABLE, Presence
from regen_core.refusals import REFUSALS
from regen_core.revenue import COLLECTING_RULES, CollectingRules, Delivery, HeldAs, RevenueLedger, collect
from regen_core.rules import RULES, Origin, Rule, rule
from regen_core.testing.harness import Harness
from regen_core.transactions import Standing


class TestTheRegister:
    """Every id that the code cites is found, and an unknown one is said to be unknown."""

    def test_ids_are_their_own_keys(self) -> None:
        assert all(key == each.id for key, each in RULES.items())
        assert {key for refusal in REFUSALS for key in refusal.rule_ids} <= set(RULES)

    def test_a_rule_is_found_by_its_exact_id(self) -> None:
        assert rule("CNV-3") is RULES["CNV-3"]
        with pytest.raises(KeyError, match="no rule has the id 'cnv-3'"):
            rule("cnv-3")

    def test_documented_with_a_source_or_interpreted_with_a_reason(self) -> None:
        for each in RULES.values():
            assert each.source if each.origin is Origin.DOCUMENTED else each.reason, each.id

    @pytest.mark.parametrize(
        ("origin", "source", "reason"),
        [
            (Origin.DOCUMENTED, None, None),
            (Origin.DOCUMENTED, "", "because"),
            (Origin.INTERPRETATION, "A page", None),
            (Origin.INTERPRETATION, None, ""),
        ],
    )
    def test_anything_else_cannot_be_registered(self, origin: Origin, source: str | None, reason: str | None) -> None:
        with pytest.raises(ValueError, match="X-1 is "):
            Rule(id="X-1", statement="So.", origin=origin, source=source, reason=reason, alternatives=None)


class TestTablesAsValues:
    """A table or rule book handed in is the one that is used."""

    def test_a_ruling_is_looked_up_by_presence_and_standing(self) -> None:
        for flags, rulings in DECISION_TABLE.rulings.items():
            mode = DECISION_TABLE.modes[flags]
            if rulings is None:
                assert mode.mode is None
                continue
            assert mode.mode is not None
            assert mode.flag is not None
            for presence in Presence:
                for standing in Standing:
                    ruling = rulings.at(presence, standing)
                    write = DECISION_TABLE.writes[mode.mode, presence]
                    assert ruling.write == write
                    assert ruling.send in {None, DECISION_TABLE.sends[mode.flag, standing]}

    def test_rules_that_leave_nothing_leave_nothing(self) -> None:
        harness = Harness()
        harness.change(0, "mend everything", 0)
        harness.regenerate(0, False, True)
        delivery: Delivery = harness.sent[0]
        ledger = collect(RevenueLedger(), delivery)
        assert {held.kind for held in ledger.held.values()} == {HeldAs.LINE}
        forgetful = CollectingRules(COLLECTING_RULES.cells, dict.fromkeys(COLLECTING_RULES.leaves))
        assert collect(ledger, delivery, forgetful) == RevenueLedger()
