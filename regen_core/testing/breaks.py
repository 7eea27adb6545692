"""Every way to break one cell of the tables: what the laws must notice, one by one.

A break is a table with one cell that says something else which can be carried out: a line without a stored transaction
can be generated or skipped; one whose item is gone can't be generated or overridden. The ids and the wording of a cell
decide nothing and are left alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, TypeVar

from attrs import evolve, frozen

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
from regen_core.revenue import COLLECTING_RULES, CollectAction, CollectingRules, HeldAs

__all__ = [
    "APPLICABLE",
    "Break",
    "broken_collecting_rules",
    "broken_modes",
    "broken_sends",
    "broken_tables",
    "broken_writes",
]


@frozen
class Break:
    """One broken cell: ``cell`` is the id of its rule with the column, ``says`` what it says now."""

    cell: str
    says: str
    table: DecisionTable = DECISION_TABLE
    rules: CollectingRules = COLLECTING_RULES

    @property
    def name(self) -> str:
        """The cell and what it says now, in one line."""
        return f"{self.cell} -> {self.says}"


_W = WriteAction
_ON_STORED: Final = (_W.GENERATE, _W.OVERRIDE, _W.VOID, _W.KEEP, _W.SKIP)
_ON_GONE: Final = (_W.VOID, _W.KEEP, _W.SKIP)

APPLICABLE: Final[Mapping[Presence, tuple[WriteAction, ...]]] = {
    Presence.ITEM_ONLY: (_W.GENERATE, _W.SKIP),
    Presence.PRESENT_ACTIVE: _ON_STORED,
    Presence.PRESENT_VOIDED: _ON_STORED,
    Presence.GONE_ACTIVE: _ON_GONE,
    Presence.GONE_VOIDED: _ON_GONE,
}
"""What can be carried out on a line. Generating over a stored transaction starts it again at revision 1; skipping one
leaves it and says nothing."""

K = TypeVar("K")
V = TypeVar("V")


def _with(cells: Mapping[K, V], where: K, what: V) -> dict[K, V]:
    return {**cells, where: what}


def _other_modes(rule: ModeRule) -> Iterator[ModeRule]:
    """The row with one thing changed: another mode, the other flag, refused, or silence allowed the other way round."""
    if rule.mode is None or rule.flag is None:
        for mode in Mode:
            for flag in RegenerateFlag:
                yield evolve(rule, mode=mode, flag=flag)
        return
    yield from (evolve(rule, mode=mode) for mode in Mode if mode is not rule.mode)
    yield from (evolve(rule, flag=flag) for flag in RegenerateFlag if flag is not rule.flag)
    yield evolve(rule, mode=None, flag=None)
    yield evolve(rule, may_say_nothing=not rule.may_say_nothing)


def broken_modes() -> Iterator[Break]:
    """Every row of TBL-M, changed."""
    for flags, rule in DECISION_TABLE.modes.items():
        for other in _other_modes(rule):
            said = "refused" if other.mode is None or other.flag is None else f"{other.mode.value} {other.flag.value}"
            silence = "may say nothing" if other.may_say_nothing else "must say something"
            table = evolve(DECISION_TABLE, modes=_with(DECISION_TABLE.modes, flags, other))
            yield Break(rule.id, f"{said}, {silence}", table)


def broken_writes() -> Iterator[Break]:
    """Every cell of TBL-W with every other action that can be carried out."""
    for where, rule in DECISION_TABLE.writes.items():
        for action in APPLICABLE[where[1]]:
            if action is not rule.action:
                writes = _with(DECISION_TABLE.writes, where, evolve(rule, action=action))
                yield Break(rule.id, action.value, evolve(DECISION_TABLE, writes=writes))


def broken_sends() -> Iterator[Break]:
    """Every cell of TBL-S with every other action."""
    for where, rule in DECISION_TABLE.sends.items():
        for action in SendAction:
            if action is not rule.action:
                sends = _with(DECISION_TABLE.sends, where, evolve(rule, action=action))
                yield Break(rule.id, action.value, evolve(DECISION_TABLE, sends=sends))


def broken_collecting_rules() -> Iterator[Break]:
    """Every cell of REV-1 and REV-2 turned over, and every other thing that a delivery could leave (REV-3)."""
    for (flag, column), rule in COLLECTING_RULES.cells.items():
        action = CollectAction.IGNORE if rule.action is CollectAction.COLLECT else CollectAction.COLLECT
        cells = _with(COLLECTING_RULES.cells, (flag, column), evolve(rule, action=action))
        name = f"{rule.id} {flag.value} {column.name.lower().replace('_', ' ')}"
        yield Break(name, action.value, rules=evolve(COLLECTING_RULES, cells=cells))
    for sent, leaves in COLLECTING_RULES.leaves.items():
        for other in (*HeldAs, None):
            if other is not leaves:
                left = _with(COLLECTING_RULES.leaves, sent, other)
                says = "leaves nothing" if other is None else f"leaves a {other.value}"
                yield Break(f"REV-3 {sent.value}", says, rules=evolve(COLLECTING_RULES, leaves=left))


def broken_tables() -> tuple[Break, ...]:
    """All breaks: TBL-M, TBL-W, TBL-S and the collecting rules.

    >>> len(broken_tables()), broken_tables()[0].name
    (88, 'TBL-M1 -> REMIGRATE N, may say nothing')
    """
    return (*broken_modes(), *broken_writes(), *broken_sends(), *broken_collecting_rules())
