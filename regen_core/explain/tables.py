"""The reference tables (refusals, fields, rules) as :class:`Table` values, and the index of all tables by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from regen_core.documents import DocumentType
from regen_core.explain.blocks import Cell, Table, Tone
from regen_core.explain.decision_tables import collecting, mapping, modes, sends, writes
from regen_core.explain.words import first_sentence, yes_no
from regen_core.field_table import FIELD_ROWS, FieldRow
from regen_core.refusals import REFUSALS, RESOURCE_CODE, TRANSIENT_CATEGORIES, Refusal, Unauthenticated
from regen_core.rules import RULES, Rule

__all__ = ["DECIDING", "TABLES", "fields", "refusals", "rules", "table"]

_NONE: Final = "–"


def refusals(kinds: tuple[type[Refusal], ...] = REFUSALS) -> Table:
    """Every refusal, in the order in which they win (PRE-1)."""
    return Table(
        name="refusals",
        title="Refusals: of several, the first in this order is reported (PRE-1)",
        columns=("rank", "name", "code", "HTTP", "retry", "rules", "when"),
        rows=tuple(_refusal_row(kind) for kind in kinds),
        notes=(
            f"Rank 0 comes before the ladder, {_NONE} stands outside it. A code ends with its category of two digits.",
            "retry: whether the same request may succeed later (PRE-3). A refusal changes nothing (PRE-4).",
        ),
        records=tuple(
            {
                "rank": kind.rank,
                "name": kind.__name__,
                "code": _code(kind),
                "category": kind.category,
                "http_status": kind.http_status,
                "is_transient": kind.category in TRANSIENT_CATEGORIES,
                "rules": list(kind.rule_ids),
                "when": first_sentence(kind.__doc__),
            }
            for kind in kinds
        ),
    )


def _refusal_row(kind: type[Refusal]) -> tuple[Cell, ...]:
    is_transient = kind.category in TRANSIENT_CATEGORIES
    return (
        Cell(_NONE if kind.rank is None else str(kind.rank)),
        Cell(kind.__name__, tone=Tone.STRONG),
        Cell(str(_code(kind))),
        Cell(str(kind.http_status)),
        Cell(yes_no(is_transient)),
        Cell(" ".join(kind.rule_ids)),
        Cell(first_sentence(kind.__doc__)),
    )


def _code(kind: type[Refusal]) -> int:
    return Unauthenticated().code if kind is Unauthenticated else RESOURCE_CODE * 100 + kind.category


def fields(rows: tuple[FieldRow, ...] = FIELD_ROWS) -> Table:
    """Every documented field of a billing transaction, and where it comes from in each type of document."""
    return Table(
        name="fields",
        title="The documented fields of a billing transaction, and where each comes from",
        columns=("field", "format", *(kind.value for kind in DocumentType), "note"),
        rows=tuple(_field_row(row) for row in rows),
        records=tuple(
            {
                "name": row.name,
                "format": row.format.value or None,
                "origins": {
                    kind.value: {"sources": [str(source) for source in origin.sources], "reason": origin.reason}
                    for kind, origin in row.origins.items()
                },
                "not_when_standalone": row.not_when_standalone,
                "note": row.note,
            }
            for row in rows
        ),
    )


def _field_row(row: FieldRow) -> tuple[Cell, ...]:
    origins = [row.origins[kind] for kind in DocumentType]
    apart = "not on a standalone transaction" if row.not_when_standalone else None
    return (
        Cell(row.name, tone=Tone.STRONG),
        Cell(row.format.value or _NONE),
        *(Cell(str(origin), tone=Tone.QUIET if origin.reason else Tone.PLAIN) for origin in origins),
        Cell("; ".join(filter(None, (apart, row.note))) or _NONE),
    )


def rules(register: Mapping[str, Rule] = RULES) -> Table:
    """The register: what holds, who says so, and why it is read so."""
    return Table(
        name="rules",
        title="The register of rules",
        columns=("rule", "origin", "statement", "source", "reason", "instead of"),
        rows=tuple(
            (
                Cell("", each.id),
                Cell(each.origin.value, tone=Tone.QUIET),
                Cell(each.statement),
                Cell(each.source or _NONE),
                Cell(each.reason or _NONE),
                Cell(each.alternatives or _NONE),
            )
            for each in register.values()
        ),
        records=tuple(
            {
                "id": each.id,
                "origin": each.origin.value,
                "statement": each.statement,
                "source": each.source,
                "reason": each.reason,
                "alternatives": each.alternatives,
            }
            for each in register.values()
        ),
    )


TABLES: Final[Mapping[str, Callable[[], Table]]] = {
    "modes": modes,
    "writes": writes,
    "sends": sends,
    "mapping": mapping,
    "refusals": refusals,
    "fields": fields,
    "rules": rules,
    "collecting": collecting,
}
"""Every table by the name under which it is asked for."""

DECIDING: Final = ("modes", "writes", "sends")
"""The three tables that decide about a line: what is shown where no table was named."""


def table(name: str) -> Table:
    """The table with this name.

    Raises ``KeyError`` for an unknown name, with the known ones.

    >>> table("writes").rows[2][1].words
    'TBL-W11* skip'
    """
    try:
        make = TABLES[name]
    except KeyError:
        message = f"no table is called {name!r}; there are {', '.join(TABLES)}"
        raise KeyError(message) from None
    return make()
