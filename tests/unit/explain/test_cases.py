"""A case told in a few words leads to the same cells as the tables themselves."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from regen_core import DECISION_TABLE, BillingItem, DocumentHeader, DocumentKey, DocumentType, ItemSource
from regen_core.decision_table import Presence
from regen_core.explain import Case, ExplainedRefusal, Explanation, explain_case
from regen_core.transactions import Standing, TransactionState

KEY = DocumentKey(tenant="t", entity="e", type=DocumentType.INVOICE, id="document")
HEADER = DocumentHeader(key=KEY, number="INV-1", status="Posted", date=date(2026, 1, 31), currency="EUR")

PRESENCE = {
    Presence.ITEM_ONLY: (None, False),
    Presence.PRESENT_ACTIVE: (TransactionState.ACTIVE, False),
    Presence.PRESENT_VOIDED: (TransactionState.VOIDED, False),
    Presence.GONE_ACTIVE: (TransactionState.ACTIVE, True),
    Presence.GONE_VOIDED: (TransactionState.VOIDED, True),
}
FLAGS = [flags for flags, rulings in DECISION_TABLE.rulings.items() if rulings is not None]


def case_of(presence: Presence, *, sent: bool, excluded: bool, flags: tuple[bool, bool]) -> Case:
    """One line in one situation."""
    stored, gone = PRESENCE[presence]
    item = BillingItem(id="item", amount=Decimal(10), source=ItemSource.STANDALONE, excluded_from_revenue=excluded)
    return Case(
        header=HEADER,
        item=item,
        is_gone=gone,
        stored=stored,
        deliveries=int(sent),
        only_re_send=flags[0],
        re_migrate=flags[1],
    )


@pytest.mark.parametrize("flags", FLAGS, ids=str)
@pytest.mark.parametrize("presence", Presence, ids=lambda each: each.name)
@pytest.mark.parametrize("sent", [False, True], ids=["never sent", "sent"])
@pytest.mark.parametrize("excluded", [False, True], ids=["included", "excluded"])
def test_every_case_is_told_by_its_cells(
    presence: Presence, sent: bool, excluded: bool, flags: tuple[bool, bool]
) -> None:
    """All of TBL-W times TBL-S, asked case by case; a resend that says nothing is refused (ELI-2)."""
    if presence is Presence.ITEM_ONLY and sent:
        return
    told = explain_case(case_of(presence, sent=sent, excluded=excluded, flags=flags))
    rulings = DECISION_TABLE.rulings[flags]
    assert rulings is not None
    candidates = [rulings.at(presence, standing) for standing in Standing if sent == (standing in _SENT)]
    if isinstance(told, ExplainedRefusal):
        assert told.refusal.name == "NothingToResend"
        assert any(not ruling.sends for ruling in candidates)
    else:
        assert told.lines[0].line.ruling in candidates


_SENT = (Standing.LIVE_EVER_SENT, Standing.NOT_LIVE_EVER_SENT)


def test_both_flags_are_refused() -> None:
    """REQ-5, TBL-M4."""
    told = explain_case(case_of(Presence.ITEM_ONLY, sent=False, excluded=False, flags=(True, True)))
    assert isinstance(told, ExplainedRefusal)
    assert [rule.id for rule in told.rules] == ["REQ-5", "TBL-M4"]


def test_an_item_without_a_mapping_may_be_stored() -> None:
    """Keeping asks for no row of MAP, so the case can be told."""
    case = Case(header=HEADER, item=BillingItem(id="item", amount=Decimal(1)), stored=TransactionState.ACTIVE)
    told = explain_case(case)
    assert isinstance(told, Explanation)
    assert told.lines[0].is_unmappable_today


@pytest.mark.parametrize("impossible", [{"is_gone": True}, {"deliveries": 1}])
def test_a_case_that_can_not_be_is_not_made(impossible: dict[str, bool | int]) -> None:
    """No item and nothing stored, or sent without being stored."""
    with pytest.raises(ValueError, match="nothing is stored"):
        Case(header=HEADER, item=BillingItem(id="item", amount=Decimal(1)), **impossible)  # type: ignore[arg-type]  # one of them
