"""TBL-M, TBL-W and TBL-S: total, free of overlaps, and what a second statement of them by hand says."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from regen_core.decision_table import (
    DECISION_TABLE,
    DecisionTable,
    Mode,
    ModeRule,
    Presence,
    RegenerateFlag,
    SendAction,
    WriteAction,
)
from regen_core.documents import BillingDocument
from regen_core.refusals import ConflictingFlags
from regen_core.regeneration import PlannedLine, Regeneration, decide
from regen_core.request import RegenerateRequest
from regen_core.rules import RULES
from regen_core.testing import strategies as some
from regen_core.testing.model import said, written
from regen_core.transactions import NO_TRANSACTIONS, Standing, StoredTransactions, TransactionState

BY_HAND_MODES = """
onlyReSend  reMigrate  id      mode       flag  silence
no          no         TBL-M1  GENERATE   N     fine
no          yes        TBL-M2  REMIGRATE  Y     fine
yes         no         TBL-M3  RESEND     Y     refused
yes         yes        TBL-M4  -          -     -
"""

BY_HAND_WRITES = """
           ITEM_ONLY        PRESENT_ACTIVE    PRESENT_VOIDED    GONE_ACTIVE    GONE_VOIDED
GENERATE   TBL-W1:generate  TBL-W2:keep       TBL-W3:keep       TBL-W4:keep    TBL-W5:keep
REMIGRATE  TBL-W6:generate  TBL-W7:override   TBL-W8:override   TBL-W9:void    TBL-W10:keep
RESEND     TBL-W11:skip     TBL-W12:keep      TBL-W13:keep      TBL-W14:keep   TBL-W15:keep
"""

BY_HAND_SENDS = """
   LIVE_NEVER_SENT  LIVE_EVER_SENT  NOT_LIVE_NEVER_SENT  NOT_LIVE_EVER_SENT
N  TBL-S1:line      TBL-S2:line     TBL-S3:nothing       TBL-S4:nothing
Y  TBL-S5:line      TBL-S6:line     TBL-S7:nothing       TBL-S8:void
"""


def grid(text: str) -> dict[tuple[str, str], tuple[str, str]]:
    """Row and column to rule id and action."""
    head, *rows = [line.split() for line in text.strip().splitlines()]
    cells = {(row[0], column): cell for row in rows for column, cell in zip(head, row[1:], strict=True)}
    return {where: (cell.partition(":")[0], cell.partition(":")[2]) for where, cell in cells.items()}


class TestTheTablesAreTheLaw:
    """TBL-M, TBL-W, TBL-S: written a second time by hand, every cell."""

    def test_modes(self) -> None:
        rows = [line.split() for line in BY_HAND_MODES.strip().splitlines()[1:]]
        expected = {(row[0] == "yes", row[1] == "yes"): row[2:] for row in rows}
        assert DECISION_TABLE.modes.keys() == expected.keys()
        for flags, rule in DECISION_TABLE.modes.items():
            mode = "-" if rule.mode is None else rule.mode.value
            flag = "-" if rule.flag is None else rule.flag.value
            silence = "-" if rule.mode is None else "fine" if rule.may_say_nothing else "refused"
            assert [rule.id, mode, flag, silence] == expected[flags]

    def test_writes(self) -> None:
        told = {
            (mode.value, presence.name): (rule.id, rule.action.value)
            for (mode, presence), rule in DECISION_TABLE.writes.items()
        }
        assert told == grid(BY_HAND_WRITES)

    def test_sends(self) -> None:
        told = {
            (flag.value, standing.name): (rule.id, rule.action.value)
            for (flag, standing), rule in DECISION_TABLE.sends.items()
        }
        assert told == grid(BY_HAND_SENDS)

    @given(presence=st.sampled_from(Presence), flags=some.flags())
    def test_the_naive_model_writes_the_same(self, presence: Presence, flags: tuple[bool, bool]) -> None:
        mode = DECISION_TABLE.modes[flags].mode
        assert mode is not None
        state = {"ONLY": None, "ACTIVE": "active", "VOIDED": "voided"}[presence.name.split("_")[1]]
        action = DECISION_TABLE.writes[mode, presence].action.value
        assert action == written(*flags, not presence.name.startswith("GONE"), state)

    @given(standing=st.sampled_from(Standing), flag=st.sampled_from(RegenerateFlag))
    def test_the_naive_model_says_the_same(self, standing: Standing, flag: RegenerateFlag) -> None:
        live, ever_sent = standing.name.startswith("LIVE"), standing.name.endswith("EVER_SENT")
        never = standing.name.endswith("NEVER_SENT")
        action = DECISION_TABLE.sends[flag, standing].action.value
        assert action == (said(flag.value, live, ever_sent and not never) or "nothing")


class TestTheTablesAreTotal:
    """TBL-M, TBL-W, TBL-S: every combination has one cell, and every cell its own id."""

    def test_every_combination_has_a_cell(self) -> None:
        assert set(DECISION_TABLE.modes) == {(False, False), (False, True), (True, False), (True, True)}
        assert set(DECISION_TABLE.writes) == {(mode, presence) for mode in Mode for presence in Presence}
        assert set(DECISION_TABLE.sends) == {(flag, standing) for flag in RegenerateFlag for standing in Standing}

    def test_no_id_stands_twice_and_each_is_in_the_register(self) -> None:
        ids = [
            *[rule.id for rule in DECISION_TABLE.modes.values()],
            *[rule.id for rule in DECISION_TABLE.writes.values()],
            *[rule.id for rule in DECISION_TABLE.sends.values()],
        ]
        assert len(ids) == len(set(ids)) == 4 + 15 + 8
        assert set(ids) == {each for each in RULES if each.startswith(("TBL-M", "TBL-W", "TBL-S"))}

    @pytest.mark.parametrize("name", ["modes", "writes", "sends"])
    def test_a_table_with_a_hole_cannot_be_built(self, name: str) -> None:
        cells = dict(getattr(DECISION_TABLE, name))
        cells.popitem()
        with pytest.raises(ValueError, match=f"{name} is not total: missing "):
            evolve(DECISION_TABLE, **{name: cells})

    def test_a_table_with_a_cell_too_many_cannot_be_built(self) -> None:
        modes: dict[Any, ModeRule] = {**DECISION_TABLE.modes, ("x", "y"): DECISION_TABLE.modes[True, True]}
        with pytest.raises(ValueError, match="unknown"):
            DecisionTable(modes=modes, writes=DECISION_TABLE.writes, sends=DECISION_TABLE.sends)

    def test_an_action_that_needs_what_is_not_there_is_never_asked_for(self) -> None:
        """Without a stored transaction there is nothing to keep, override or void; without an item none to generate."""
        for (_, presence), rule in DECISION_TABLE.writes.items():
            if presence is Presence.ITEM_ONLY:
                assert rule.action in {WriteAction.GENERATE, WriteAction.SKIP}
            else:
                assert rule.action in {WriteAction.KEEP, WriteAction.OVERRIDE, WriteAction.VOID}
            if presence in {Presence.GONE_ACTIVE, Presence.GONE_VOIDED}:
                assert rule.action in {WriteAction.KEEP, WriteAction.VOID}


class TestEachLineHasOneCellOfEachTable:
    """TBL-W then TBL-S: what a line is before decides what is written, what it is after what is said."""

    @given(data=st.data(), flags=some.flags())
    def test_the_cells_are_those_of_the_line(self, data: st.DataObject, flags: tuple[bool, bool]) -> None:
        document = data.draw(some.documents())
        stored = data.draw(some.stored_transactions(document=document))
        request = RegenerateRequest(type=document.type, id=document.id, only_re_send=flags[0], re_migrate=flags[1])
        done = decide(document, stored, request, data.draw(some.occasions()))
        if not isinstance(done, Regeneration):
            return
        row = DECISION_TABLE.modes[flags]
        assert done.rule is row
        for line in done.lines:
            assert row.mode is not None
            assert row.flag is not None
            write = DECISION_TABLE.writes[row.mode, presence_of(line)]
            assert line.rule_ids[0] == write.id
            if line.after is None:
                assert (line.rule_ids, line.delivery, write.action) == ((write.id,), None, WriteAction.SKIP)
                continue
            send = DECISION_TABLE.sends[row.flag, standing_of(line)]
            assert line.rule_ids == (write.id, send.id)
            assert (line.delivery is None) is (send.action is SendAction.NOTHING)
            if line.delivery is not None:
                assert (line.delivery.action, line.delivery.flag) == (send.action, row.flag)

    @given(data=st.data(), flags=some.flags())
    def test_what_is_commanded_is_done(self, data: st.DataObject, flags: tuple[bool, bool]) -> None:
        document = data.draw(some.documents())
        stored = data.draw(some.stored_transactions(document=document))
        occasion = data.draw(some.occasions())
        request = RegenerateRequest(type=document.type, id=document.id, only_re_send=flags[0], re_migrate=flags[1])
        done = decide(document, stored, request, occasion)
        if not isinstance(done, Regeneration):
            return
        for line in done.lines:
            action, old, new = line.ruling.write.action, line.before, line.after
            if action is WriteAction.SKIP:
                assert new is None
                continue
            assert new is not None
            now = new.transaction
            if action is WriteAction.GENERATE:
                assert (now.revision, now.state, now.created) == (1, TransactionState.ACTIVE, occasion)
                assert (now.header, now.item) == (document.header, line.item)
                continue
            assert old is not None
            if action is WriteAction.KEEP:
                assert now == old.transaction
                continue
            assert (now.id, now.created, now.updated) == (old.transaction.id, old.transaction.created, occasion)
            assert now.revision == old.transaction.revision + 1
            if action is WriteAction.VOID:
                assert (now.content, now.state) == (old.transaction.content, TransactionState.VOIDED)
            else:
                assert (now.header, now.item, now.state) == (document.header, line.item, TransactionState.ACTIVE)


def presence_of(line: PlannedLine) -> Presence:
    """The column of TBL-W, told from the line itself."""
    if line.before is None:
        return Presence.ITEM_ONLY
    active = line.before.transaction.state is TransactionState.ACTIVE
    if line.item is None:
        return Presence.GONE_ACTIVE if active else Presence.GONE_VOIDED
    return Presence.PRESENT_ACTIVE if active else Presence.PRESENT_VOIDED


def standing_of(line: PlannedLine) -> Standing:
    """The column of TBL-S, told from the line itself: as stored now, ever sent before."""
    assert line.after is not None
    ever_sent = line.before is not None and line.before.deliveries > 0
    now = line.after.transaction
    if now.state is TransactionState.ACTIVE and not now.item.excluded_from_revenue:
        return Standing.LIVE_EVER_SENT if ever_sent else Standing.LIVE_NEVER_SENT
    return Standing.NOT_LIVE_EVER_SENT if ever_sent else Standing.NOT_LIVE_NEVER_SENT


class TestTheFlags:
    """TBL-M1 … TBL-M4: the two flags, absent, alone and together."""

    @given(document=some.documents(mappable=True, excluded=False, tax=False, min_items=1))
    def test_both_absent_generates_and_sends_with_n(self, document: BillingDocument) -> None:
        done = decide(document, NO_TRANSACTIONS, RegenerateRequest(type=document.type, id=document.id))
        assert isinstance(done, Regeneration)
        assert {line.rule_ids for line in done.lines} == {("TBL-W1", "TBL-S1")}
        assert {delivery.flag for delivery in done.deliveries} == {RegenerateFlag.N}

    @given(document=some.documents(mappable=True, excluded=False, tax=False, min_items=1))
    def test_re_migrate_alone_sends_with_y_even_what_is_new(self, document: BillingDocument) -> None:
        request = RegenerateRequest(type=document.type, id=document.id, re_migrate=True)
        done = decide(document, NO_TRANSACTIONS, request)
        assert isinstance(done, Regeneration)
        assert {line.rule_ids for line in done.lines} == {("TBL-W6", "TBL-S5")}
        assert {delivery.flag for delivery in done.deliveries} == {RegenerateFlag.Y}

    @given(document=some.documents(posted=None, mappable=None), data=st.data())
    def test_both_true_is_refused_whatever_else_is_wrong(self, document: BillingDocument, data: st.DataObject) -> None:
        """TBL-M4, REQ-5."""
        stored = data.draw(some.stored_transactions(document=document) | st.just(StoredTransactions()))
        about = data.draw(st.just(document) | st.none())
        request = data.draw(some.requests(document=about, only_re_send=True, re_migrate=True))
        assert decide(document, stored, request) == ConflictingFlags()
