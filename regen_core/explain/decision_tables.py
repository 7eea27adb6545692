"""The tables that decide, as :class:`Table` values: modes, writes, sends, mapping, and Revenue's collecting rules.

Owns titles, columns and notes. No cell is written here: each is read from the data that decides, so that what is shown
can't differ from what is done.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

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
from regen_core.explain.blocks import Cell, Table, Tone
from regen_core.explain.words import COLLECT_TONE, COMPARISON, PRESENCE, SEND_TONE, STANDING, WRITE_TONE, yes_no
from regen_core.revenue import COLLECTING_RULES, CollectingRules, Comparison
from regen_core.rules import RULES
from regen_core.transactions import Standing
from regen_core.type_mapping import CONDITION_WORDS, MAPPING_ROWS, MappingRow

__all__ = ["collecting", "mapping", "modes", "origin_of", "sends", "writes"]

_MARKED: Final = "An asterisk marks an interpretation; what has none is documented by Zuora."
_NONE: Final = "–"


def origin_of(rule_id: str) -> str | None:
    """Documented or interpretation; ``None`` for an id that the register doesn't have."""
    found = RULES.get(rule_id)
    return None if found is None else found.origin.value


def _id_cells(rule_id: str) -> tuple[Cell, Cell]:
    """The first and the last cell of a row that states a rule: its id and its origin."""
    return Cell("", rule_id), Cell(origin_of(rule_id) or _NONE, tone=Tone.QUIET)


def _in_order(cells: Mapping[tuple[Any, Any], Any], rows: Iterable[Any], columns: Iterable[Any]) -> list[Any]:
    across = list(columns)
    return [(row, column, cells[row, column]) for row in rows for column in across]


def modes(decision: DecisionTable = DECISION_TABLE) -> Table:
    """TBL-M: the two flags, the mode they make, and what it does to stored transactions."""
    flags = [(only_re_send, re_migrate) for only_re_send in (False, True) for re_migrate in (False, True)]
    records = tuple(_mode_record(decision, pair) for pair in flags)
    return Table(
        name="modes",
        title="From the flags to the mode (TBL-M)",
        columns=("rule", "onlyReSend", "reMigrate", "mode", "stored transactions", "regenerate_flag", "origin"),
        rows=tuple(_mode_row(record) for record in records),
        notes=tuple(
            f"{record['mode']}: a request that would send nothing is refused (ELI-2)."
            for record in records
            if record["may_send_nothing"] is False
        ),
        records=records,
    )


def _mode_record(decision: DecisionTable, flags: tuple[bool, bool]) -> dict[str, Any]:
    rule = decision.modes[flags]
    return {
        "id": rule.id,
        "only_re_send": flags[0],
        "re_migrate": flags[1],
        "mode": None if rule.mode is None else rule.mode.value,
        "stored": _stored(rule, decision),
        "regenerate_flag": None if rule.flag is None else rule.flag.value,
        "may_send_nothing": None if rule.mode is None else rule.may_say_nothing,
        "origin": origin_of(rule.id),
    }


def _stored(rule: ModeRule, decision: DecisionTable) -> str | None:
    """What becomes of an active transaction whose item is present."""
    if rule.mode is None:
        return None
    action = decision.writes[rule.mode, Presence.PRESENT_ACTIVE].action
    return {WriteAction.KEEP: "kept", WriteAction.OVERRIDE: "overridden"}.get(action, action.value)


def _mode_row(record: Mapping[str, Any]) -> tuple[Cell, ...]:
    rule, origin = _id_cells(record["id"])
    is_refused = record["mode"] is None
    return (
        rule,
        Cell(yes_no(record["only_re_send"], "true", "false")),
        Cell(yes_no(record["re_migrate"], "true", "false")),
        Cell(record["mode"] or "refused", tone=Tone.REFUSED if is_refused else Tone.STRONG),
        Cell(record["stored"] or _NONE),
        Cell(record["regenerate_flag"] or _NONE),
        origin,
    )


def writes(decision: DecisionTable = DECISION_TABLE) -> Table:
    """TBL-W: mode by presence, and what happens to a line's stored transaction."""
    return Table(
        name="writes",
        title="What is written, line by line (TBL-W)",
        columns=("mode", *PRESENCE.values()),
        rows=tuple((Cell(mode.value, tone=Tone.STRONG), *_write_cells(decision, mode)) for mode in Mode),
        notes=(
            "A generated transaction starts out active, at revision 1. One that is overridden gets the item's content.",
            "One that is voided has its content still. Either way its revision goes up by one, and kept ones stay put.",
            "A line that is skipped gets no transaction.",
            _MARKED,
        ),
        records=tuple(
            {
                "id": cell.id,
                "mode": mode.value,
                "presence": PRESENCE[presence],
                "action": cell.action.value,
                "origin": origin_of(cell.id),
            }
            for mode, presence, cell in _in_order(decision.writes, Mode, Presence)
        ),
    )


def _write_cells(decision: DecisionTable, mode: Mode) -> tuple[Cell, ...]:
    across = [decision.writes[mode, presence] for presence in Presence]
    return tuple(Cell(cell.action.value, cell.id, WRITE_TONE[cell.action]) for cell in across)


def sends(decision: DecisionTable = DECISION_TABLE) -> Table:
    """TBL-S: flag by standing, and what Revenue is told of a line that exists after the write."""
    return Table(
        name="sends",
        title="What Revenue is told, line by line, after the write (TBL-S)",
        columns=("regenerate_flag", *STANDING.values()),
        rows=tuple((Cell(flag.value, tone=Tone.STRONG), *_send_cells(decision, flag)) for flag in RegenerateFlag),
        notes=(
            "live: active and not excluded from revenue accounting. ever sent: a delivery was committed before.",
            _MARKED,
        ),
        records=tuple(
            {
                "id": cell.id,
                "regenerate_flag": flag.value,
                "standing": STANDING[standing],
                "action": cell.action.value,
                "origin": origin_of(cell.id),
            }
            for flag, standing, cell in _in_order(decision.sends, RegenerateFlag, Standing)
        ),
    )


def _send_cells(decision: DecisionTable, flag: RegenerateFlag) -> tuple[Cell, ...]:
    across = [decision.sends[flag, standing] for standing in Standing]
    return tuple(Cell(cell.action.value, cell.id, SEND_TONE[cell.action]) for cell in across)


def mapping(rows: tuple[MappingRow, ...] = MAPPING_ROWS) -> Table:
    """MAP: revenue transaction type and standalone of an item, top down, the first row that fits."""
    return Table(
        name="mapping",
        title="Revenue transaction type of an item: the first row that fits (MAP)",
        columns=("rule", "document", "source of the item", "condition", "type", "standalone", "origin"),
        rows=tuple(_mapping_row(row) for row in rows),
        notes=(
            "Signs are those of billed and booking amount, both revenue-signed (MAP-A, MAP-S).",
            "An item that no row fits is refused as UnmappableItem (MAP-U).",
        ),
        records=tuple(
            {
                "id": row.id,
                "documents": [kind.value for kind in row.documents],
                "source": None if row.source is None else row.source.value,
                "condition": CONDITION_WORDS[row.condition],
                "revenue_type": row.revenue_type.value,
                "standalone": row.standalone,
                "origin": origin_of(row.id),
            }
            for row in rows
        ),
    )


def _mapping_row(row: MappingRow) -> tuple[Cell, ...]:
    rule, origin = _id_cells(row.id)
    return (
        rule,
        Cell(", ".join(kind.value for kind in row.documents)),
        Cell("any" if row.source is None else row.source.value),
        Cell(CONDITION_WORDS[row.condition]),
        Cell(row.revenue_type.value, tone=Tone.STRONG),
        Cell(yes_no(row.standalone)),
        origin,
    )


def collecting(rules: CollectingRules = COLLECTING_RULES) -> Table:
    """REV-1 and REV-2: flag by what Revenue holds, and whether a delivery is collected."""
    left = ", ".join(
        f"a {action.value} leaves {'nothing' if kind is None else f'a {kind.value}'}"
        for action, kind in rules.leaves.items()
        if action is not SendAction.NOTHING
    )
    return Table(
        name="collecting",
        title="Whether Revenue collects a delivery (REV-1, REV-2)",
        columns=("regenerate_flag", *COMPARISON.values()),
        rows=tuple((Cell(flag.value, tone=Tone.STRONG), *_collect_cells(rules, flag)) for flag in RegenerateFlag),
        notes=(f"Once collected, {left} at the delivery's revision (REV-3).", _MARKED),
        records=tuple(
            {
                "id": cell.id,
                "regenerate_flag": flag.value,
                "held": COMPARISON[comparison],
                "action": cell.action.value,
                "origin": origin_of(cell.id),
            }
            for flag, comparison, cell in _in_order(rules.cells, RegenerateFlag, Comparison)
        ),
    )


def _collect_cells(rules: CollectingRules, flag: RegenerateFlag) -> tuple[Cell, ...]:
    across = [rules.cells[flag, comparison] for comparison in Comparison]
    return tuple(Cell(cell.action.value, cell.id, COLLECT_TONE[cell.action]) for cell in across)
