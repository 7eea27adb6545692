"""The tables as they are composed, cell by cell, and what is said of a table that isn't whole (TBL-M, TBL-W, TBL-S)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from attrs import evolve

from regen_core.decision_table import (
    DECISION_TABLE,
    DecisionTable,
    Mode,
    ModeRule,
    ModeRulings,
    Presence,
    RegenerateFlag,
    Ruling,
    SendAction,
    SendRule,
    WriteAction,
    WriteRule,
)
from regen_core.transactions import Standing

FLAGS = {Mode.GENERATE: (False, False), Mode.REMIGRATE: (False, True), Mode.RESEND: (True, False)}
WRITES = {WriteAction.GENERATE, WriteAction.OVERRIDE, WriteAction.VOID}


def composed(mode: Mode, table: DecisionTable = DECISION_TABLE) -> ModeRulings:
    rulings = table.rulings[FLAGS[mode]]
    assert rulings is not None
    return rulings


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("presence", Presence)
@pytest.mark.parametrize("standing", Standing)
def test_a_ruling_is_one_cell_of_each_table(mode: Mode, presence: Presence, standing: Standing) -> None:
    row = DECISION_TABLE.modes[FLAGS[mode]]
    assert row.flag is not None
    write = DECISION_TABLE.writes[mode, presence]
    send = None if write.action is WriteAction.SKIP else DECISION_TABLE.sends[row.flag, standing]
    ruling = composed(mode).at(presence, standing)
    assert ruling == Ruling(row.flag, write, send)
    assert composed(mode).rule is row
    assert ruling.writes is (write.action in WRITES)
    assert ruling.message is (SendAction.NOTHING if send is None else send.action)
    assert ruling.sends is (ruling.message is not SendAction.NOTHING)
    assert ruling.acts is (ruling.writes or ruling.sends)
    assert ruling.rule_ids == ((write.id,) if send is None else (write.id, send.id))


def test_the_tables_as_documented() -> None:
    """A second time by hand: the mode, the flag and whether silence is a success, by the two flags."""
    told = {
        flags: (rule.id, rule.mode, rule.flag, rule.may_say_nothing) for flags, rule in DECISION_TABLE.modes.items()
    }
    assert told == {
        (False, False): ("TBL-M1", Mode.GENERATE, RegenerateFlag.N, True),
        (False, True): ("TBL-M2", Mode.REMIGRATE, RegenerateFlag.Y, True),
        (True, False): ("TBL-M3", Mode.RESEND, RegenerateFlag.Y, False),
        (True, True): ("TBL-M4", None, None, False),
    }
    assert DECISION_TABLE.rulings[True, True] is None
    assert set(DECISION_TABLE.rulings) == set(told)


def test_presences_are_counted_from_nought() -> None:
    """The composed tables are laid out by them, four standings each."""
    assert [each.value for each in Presence] == [0, 1, 2, 3, 4]
    assert len(composed(Mode.GENERATE).cells) == 20


def test_whether_what_is_stored_is_kept() -> None:
    """Of the tables, and of any other: one write to a stored transaction is enough."""
    assert [composed(mode).keeps_stored for mode in Mode] == [True, False, True]
    for presence in Presence:
        cell, rule = (Mode.RESEND, presence), WriteRule("TBL-W12", WriteAction.OVERRIDE)
        table = evolve(DECISION_TABLE, writes={**DECISION_TABLE.writes, cell: rule})
        assert composed(Mode.RESEND, table).keeps_stored is (presence is Presence.ITEM_ONLY)


@pytest.mark.parametrize("missing", ["mode", "flag"])
def test_a_row_without_a_mode_or_without_a_flag_rules_nothing(missing: str) -> None:
    part: dict[str, Any] = {missing: None}
    rule: ModeRule = evolve(DECISION_TABLE.modes[False, True], **part)
    table = evolve(DECISION_TABLE, modes={**DECISION_TABLE.modes, (False, True): rule})
    assert table.rulings[False, True] is None


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        *[("modes", cell) for cell in DECISION_TABLE.modes],
        ("writes", (Mode.RESEND, Presence.GONE_VOIDED)),
        ("sends", (RegenerateFlag.Y, Standing.LIVE_EVER_SENT)),
    ],
)
def test_a_table_that_is_not_whole(name: str, cell: Any) -> None:
    """It is told which cell is missing and which one belongs to no table."""
    cells = dict(getattr(DECISION_TABLE, name))
    cells["none"] = cells.pop(cell)
    message = re.escape(f"{name} is not total: missing {{{cell}}}, unknown {{'none'}}")
    with pytest.raises(ValueError, match=f"^{message}$"):
        evolve(DECISION_TABLE, **{name: cells})


@pytest.mark.parametrize("name", ["writes", "message", "sends", "acts"])
def test_what_follows_from_the_cells_of_a_ruling_is_not_told(name: str) -> None:
    """So it can't contradict them."""
    parts: dict[str, Any] = {name: None}
    ruling = composed(Mode.GENERATE).cells[0]
    with pytest.raises(TypeError):
        Ruling(ruling.flag, ruling.write, ruling.send, **parts)


def test_nor_is_what_follows_from_the_tables() -> None:
    parts: dict[str, Any] = {"rulings": {}}
    with pytest.raises(TypeError):
        DecisionTable(DECISION_TABLE.modes, DECISION_TABLE.writes, DECISION_TABLE.sends, **parts)


def test_a_ruling_is_shown_by_its_cells() -> None:
    ruling = Ruling(RegenerateFlag.Y, WriteRule("W", WriteAction.KEEP), SendRule("S", SendAction.LINE))
    assert repr(ruling) == f"Ruling(flag={ruling.flag!r}, write={ruling.write!r}, send={ruling.send!r})"
    assert "rulings" not in repr(DECISION_TABLE)
