"""REV-1 … REV-3 on ledgers of one transaction and of another beside it: whole, and with rules that are other ones."""

from __future__ import annotations

import pytest
from attrs import evolve

from regen_core.decision_table import RegenerateFlag, SendAction
from regen_core.regeneration import Regeneration, decide
from regen_core.request import RegenerateRequest
from regen_core.revenue import (
    COLLECTING_RULES,
    CollectAction,
    Comparison,
    Delivery,
    Held,
    HeldAs,
    RevenueLedger,
    collect,
    collect_all,
    comparison,
)
from regen_core.testing.edits import SLOTS, initial
from regen_core.transactions import NO_TRANSACTIONS, BillingTransaction

DOCUMENT = initial(SLOTS[0])


def transactions() -> tuple[BillingTransaction, ...]:
    done = decide(DOCUMENT, NO_TRANSACTIONS, RegenerateRequest(type=DOCUMENT.type, id=DOCUMENT.id))
    assert isinstance(done, Regeneration)
    return tuple(evolve(each, revision=3) for each in done.writes)


OURS, BESIDE = transactions()
OTHER_RULES = evolve(COLLECTING_RULES, leaves={SendAction.LINE: HeldAs.TOMBSTONE, SendAction.VOID: None})


def ledger(*held: Held) -> RevenueLedger:
    """What is held, the other transaction always among it."""
    rows = RevenueLedger().held.put(BESIDE.id, Held(BESIDE, HeldAs.LINE))
    for each in held:
        rows = rows.put(each.transaction.id, each)
    return RevenueLedger(rows)


def test_a_revision_is_the_transactions() -> None:
    """Of what is held, and of what is sent."""
    assert (Held(OURS, HeldAs.LINE).revision, Delivery(OURS, 1, RegenerateFlag.N, SendAction.LINE).revision) == (3, 3)


@pytest.mark.parametrize("flag", RegenerateFlag)
@pytest.mark.parametrize("action", [SendAction.LINE, SendAction.VOID])
@pytest.mark.parametrize("revision", [None, 1, 2, 3, 4, 5])
def test_what_is_held_afterwards(flag: RegenerateFlag, action: SendAction, revision: int | None) -> None:
    """REV-1: N fills gaps. REV-2: Y brings what isn't older. REV-3: a void leaves a tombstone."""
    before = ledger() if revision is None else ledger(Held(evolve(OURS, revision=revision), HeldAs.LINE))
    after = collect(before, Delivery(OURS, 1, flag, action))
    if revision is None or (flag is RegenerateFlag.Y and revision <= 3):
        left = HeldAs.LINE if action is SendAction.LINE else HeldAs.TOMBSTONE
        assert after == ledger(Held(OURS, left))
        lines = {BESIDE.id: BESIDE, OURS.id: OURS} if left is HeldAs.LINE else {BESIDE.id: BESIDE}
        assert after.live_lines() == lines
    else:
        assert after is before


@pytest.mark.parametrize(("revision", "column"), [(1, "HELD_OLDER"), (3, "HELD_SAME"), (4, "HELD_NEWER")])
def test_columns_have_names(revision: int, column: str) -> None:
    """Each column is one of its own, whatever number it has."""
    assert [each.name for each in Comparison] == ["NOTHING_HELD", "HELD_OLDER", "HELD_SAME", "HELD_NEWER"]
    delivery = Delivery(OURS, 1, RegenerateFlag.N, SendAction.LINE)
    assert comparison(Held(evolve(OURS, revision=revision), HeldAs.LINE), delivery).name == column
    assert comparison(None, delivery) is Comparison.NOTHING_HELD


def test_a_delivery_is_called_by_its_transaction_and_its_number() -> None:
    """REV-0: whoever has seen one can tell a repetition from the next one."""
    delivery = Delivery(OURS, 12, RegenerateFlag.Y, SendAction.LINE)
    assert (delivery.id, delivery.revision) == (f"{OURS.id}-12", 3)


def test_deliveries_are_collected_one_after_the_other_by_the_rules_that_are_given() -> None:
    line, void = (Delivery(OURS, n, RegenerateFlag.Y, action) for n, action in ((1, SendAction.LINE), (2, _VOID)))
    assert collect_all(ledger(), (line,), OTHER_RULES) == ledger(Held(OURS, HeldAs.TOMBSTONE))
    assert collect_all(ledger(), (line, void), OTHER_RULES) == ledger()
    assert collect_all(ledger(), (void, line)) == ledger(Held(OURS, HeldAs.LINE))
    assert collect_all(ledger(), ()) == ledger()


def test_rules_that_ignore_all_leave_the_ledger() -> None:
    ignoring = {place: evolve(rule, action=CollectAction.IGNORE) for place, rule in COLLECTING_RULES.cells.items()}
    before = ledger()
    delivery = Delivery(OURS, 1, RegenerateFlag.N, SendAction.LINE)
    assert collect(before, delivery, evolve(COLLECTING_RULES, cells=ignoring)) is before


_VOID = SendAction.VOID
