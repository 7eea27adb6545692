"""RCN-3, RCN-5 as a table: who names a variance, and what is advised in each state of transit."""

from __future__ import annotations

import pytest

from regen_core.variance_rules import VARIANCE_RULES, AtBilling, AtRevenue, Remedy, Transit, VarianceKind

FOUR = {VarianceKind.MISSING, VarianceKind.STALE, VarianceKind.STILL_THERE, VarianceKind.UNKNOWN}
"""The names that RCN-3 has; all others tell cases of the first two apart."""


def remedies(ours: AtBilling, theirs: AtRevenue) -> list[Remedy]:
    """What is advised for a line that was never sent, was sent, is on its way, and waits in vain."""
    rule = VARIANCE_RULES[ours, theirs]
    assert rule is not None
    return [rule.remedies[transit] for transit in Transit]


class TestNames:
    """Each name has the rule that gives it."""

    def test_rcn_3_has_four_and_rcn_5_the_others(self) -> None:
        assert {kind for kind in VarianceKind if kind.rule_id == "RCN-3"} == FOUR
        assert {kind for kind in VarianceKind if kind.rule_id == "RCN-5"} == set(VarianceKind) - FOUR


class TestRemedies:
    """What is on its way needs nothing but the way; what waits in vain is as good as sent."""

    @pytest.mark.parametrize(
        ("ours", "theirs", "never_sent", "sent"),
        [
            (AtBilling.LIVE, AtRevenue.NOTHING, Remedy.RE_SEND, Remedy.RE_SEND),
            (AtBilling.NOT_LIVE, AtRevenue.LINE_SAME, Remedy.CORRECT, Remedy.RE_SEND),
            (AtBilling.NOT_LIVE, AtRevenue.LINE_NEWER, Remedy.CORRECT, Remedy.CATCH_UP),
            (AtBilling.NOT_STORED, AtRevenue.LINE_NEWER, Remedy.CORRECT, Remedy.CORRECT),
        ],
    )
    def test_by_transit(self, ours: AtBilling, theirs: AtRevenue, never_sent: Remedy, sent: Remedy) -> None:
        assert remedies(ours, theirs) == [never_sent, sent, Remedy.DELIVER, sent]

    @pytest.mark.parametrize(("ours", "theirs"), [key for key, rule in VARIANCE_RULES.items() if rule is not None])
    def test_everywhere(self, ours: AtBilling, theirs: AtRevenue) -> None:
        _, sent, on_its_way, not_enough = remedies(ours, theirs)
        assert on_its_way is Remedy.DELIVER
        assert not_enough is sent is not Remedy.DELIVER

    @pytest.mark.parametrize("line", [each for each in AtRevenue if each.name.startswith("LINE")])
    def test_what_is_not_stored_is_unknown_whatever_its_revision(self, line: AtRevenue) -> None:
        """There is no revision to compare with."""
        assert VARIANCE_RULES[AtBilling.NOT_STORED, line] == VARIANCE_RULES[AtBilling.NOT_STORED, AtRevenue.LINE_NEWER]

    @pytest.mark.parametrize(
        ("remedy", "told"),
        [
            (Remedy.DELIVER, "Deliver the outbox"),
            (Remedy.RE_SEND, "onlyReSend"),
            (Remedy.CATCH_UP, "reMigrate"),
            (Remedy.CORRECT, "correct it in Revenue"),
        ],
    )
    def test_each_says_what_to_do(self, remedy: Remedy, told: str) -> None:
        assert told in remedy.advice
