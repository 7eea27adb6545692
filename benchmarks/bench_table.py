"""The composed decision table alone, beside the same 60 cells in zen-engine's decision table and in datalogic-py."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import product
from typing import Any

from benchmarks.measure import Aim, Report, compare
from regen_core.decision_table import DECISION_TABLE, Presence
from regen_core.transactions import Standing

Cell = tuple[bool, bool, Presence, Standing]

CELLS: list[Cell] = [
    (only_re_send, re_migrate, presence, standing)
    for (only_re_send, re_migrate), presence, standing in product(
        ((False, False), (False, True), (True, False)), Presence, Standing
    )
]


def _expected(cell: Cell) -> str:
    only_re_send, re_migrate, presence, standing = cell
    rulings = DECISION_TABLE.rulings[only_re_send, re_migrate]
    assert rulings is not None
    return "+".join(rulings.at(presence, standing).rule_ids)


def _facts(cell: Cell) -> dict[str, Any]:
    only_re_send, re_migrate, presence, standing = cell
    return {"only": only_re_send, "migrate": re_migrate, "presence": presence.name, "standing": standing.name}


def _zen_decision(names: tuple[str, ...], rows: list[tuple[dict[str, Any], str]]) -> Callable[[dict[str, Any]], Any]:
    """Rows of facts and answer as a GoRules decision table node, hit policy *first*, compiled once."""
    import zen  # noqa: PLC0415  # needed here alone

    rules = [
        {"_id": str(index), "rule": json.dumps(answer), **{name: json.dumps(facts[name]) for name in names}}
        for index, (facts, answer) in enumerate(rows)
    ]
    table = {
        "hitPolicy": "first",
        "inputs": [{"id": name, "name": name, "field": name} for name in names],
        "outputs": [{"id": "rule", "name": "rule", "field": "rule"}],
        "rules": rules,
    }
    nodes = [
        {"id": "in", "type": "inputNode", "name": "in"},
        {"id": "table", "type": "decisionTableNode", "name": "table", "content": table},
        {"id": "out", "type": "outputNode", "name": "out"},
    ]
    edges = [
        {"id": "1", "sourceId": "in", "targetId": "table", "type": "edge"},
        {"id": "2", "sourceId": "table", "targetId": "out", "type": "edge"},
    ]
    options: Any = {"loader": {"type": "static", "content": {"table": {"nodes": nodes, "edges": edges}}}}
    engine = zen.ZenEngine(options)  # of its doors the fastest: a decision object takes 30 times as long
    return lambda facts: engine.evaluate("table", facts)["result"]["rule"]


def zen_table() -> Callable[[dict[str, Any]], Any]:
    """All 60 cells in one table."""
    rows = [(_facts(cell), _expected(cell)) for cell in CELLS]
    return _zen_decision(("only", "migrate", "presence", "standing"), rows)


def zen_sends() -> Callable[[dict[str, Any]], Any]:
    """TBL-S alone, the smallest of our tables: 8 rows, two facts."""
    rows = [({"flag": flag.value, "standing": standing.name}, rule.id) for (flag, standing), rule in _SENDS.items()]
    return _zen_decision(("flag", "standing"), rows)


_SENDS = DECISION_TABLE.sends


def datalogic_table() -> Callable[[dict[str, Any]], Any]:
    """The table as JSONLogic: nested choices by flags, presence and standing."""
    import datalogic_py  # noqa: PLC0415  # needed here alone

    def choice(by: str, branches: dict[Any, Any]) -> dict[str, Any]:
        parts = [part for value, then in branches.items() for part in ({"==": [{"var": by}, value]}, then)]
        return {"if": [*parts, None]}

    def of_mode(only: bool, migrate: bool) -> dict[str, Any]:
        rows = {
            presence.name: choice(
                "standing", {standing.name: _expected((only, migrate, presence, standing)) for standing in Standing}
            )
            for presence in Presence
        }
        return choice("presence", rows)

    logic = {
        "if": [{"var": "only"}, of_mode(True, False), {"var": "migrate"}, of_mode(False, True), of_mode(False, False)]
    }
    rule = datalogic_py.Engine().compile(json.dumps(logic))
    return rule.evaluate


def _all(call: Callable[[dict[str, Any]], Any], facts: list[dict[str, Any]]) -> Callable[[], object]:
    def each() -> object:
        for told in facts:
            answer = call(told)
        return answer

    return each


def _ours() -> Callable[[], object]:
    """Both lookups, by flags and by place, for every cell; ``decide`` does the first once per document."""
    rulings = DECISION_TABLE.rulings
    places = [((only, migrate), 4 * presence + standing) for only, migrate, presence, standing in CELLS]

    def each() -> object:
        for flags, place in places:
            ruling = rulings[flags].cells[place]  # type: ignore[union-attr]  # flags of CELLS are not refused
        return ruling

    return each


def reports() -> list[Report]:
    """One lookup per cell of each contender, facts at hand; all are checked for equal answers first."""
    zen_call, zen_small, datalogic_call = zen_table(), zen_sends(), datalogic_table()
    facts = [_facts(cell) for cell in CELLS]
    sends = [{"flag": flag.value, "standing": standing.name} for flag, standing in _SENDS]
    for cell, told in zip(CELLS, facts, strict=True):
        assert zen_call(told) == datalogic_call(told) == _expected(cell), cell
    assert [zen_small(told) for told in sends] == [rule.id for rule in _SENDS.values()]
    measured = compare(
        {
            "regen_core, all 60 cells": _ours(),
            "zen-engine, all 60 cells": _all(zen_call, facts),
            "zen-engine, the 8 cells of TBL-S": _all(zen_small, sends),
            "datalogic-py, all 60 cells": _all(datalogic_call, facts),
        }
    )
    cells = [len(sends) if "TBL-S" in name else len(facts) for name in measured.seconds]
    speeds = {name: each / measured.seconds[name] for name, each in zip(measured.seconds, cells, strict=True)}
    own, *_, datalogic = speeds.values()
    zen = max(speed for name, speed in speeds.items() if name.startswith("zen"))
    return [
        Report(
            "The decision table alone, one lookup per line, facts at hand",
            "decisions/s",
            list(speeds.items()),
            [
                Aim("times faster than zen-engine, the faster of the two", own / zen, 30, at_most=False),
                Aim("times faster than datalogic-py", own / datalogic, 4, at_most=False),
            ],
        )
    ]
