"""Tables and lines as text, Markdown and JSON: pure functions from values to ``str``.

Plain text is for pipes: no box drawing and no colour, one row per line. Columns are aligned with spaces; a table with a
cell that is too wide for that is separated by tabs instead. HTML and SVG have modules of their own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from regen_core.explain.blocks import RIGHT_ALIGNED, Block, Cell, Line, Table, printable
from regen_core.explain.html import tables_as_html
from regen_core.explain.svg import tables_as_svg

__all__ = [
    "FORMATS",
    "WIDEST_ALIGNED",
    "aligned",
    "as_json",
    "blocks_as_text",
    "line_as_text",
    "records_of",
    "tables_as_json",
    "tables_as_markdown",
    "tables_as_text",
]

WIDEST_ALIGNED: Final = 64
"""Widest cell in characters, the last column apart, that is still padded; beyond it rows would be mostly spaces."""


def line_as_text(line: Line) -> str:
    """One line, indented, its label before it.

    >>> line_as_text(Line("10.00 EUR", label="stored", depth=1))
    '  stored    10.00 EUR'
    """
    label = f"{line.label:<9} " if line.label else ""
    return ("  " * line.depth + label + printable(line.text)).rstrip()


def blocks_as_text(blocks: Iterable[Block]) -> str:
    """Lines and tables one after the other; each ends with a newline."""
    return "".join(_block(block) + "\n" for block in blocks)


def _block(block: Block) -> str:
    return line_as_text(block) if isinstance(block, Line) else "\n".join(_rows(block))


def _rows(table: Table) -> list[str]:
    return aligned(table.columns, [[cell.words for cell in row] for row in table.rows])


def aligned(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Header and rows, one per line: padded with spaces, or separated by tabs where a cell is too wide for that.

    >>> aligned(("a", "b"), [("1", "one"), ("22", "two")])
    ['a   b', '1   one', '22  two']
    """
    lines = [[printable(text) for text in line] for line in (columns, *rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    if any(width > WIDEST_ALIGNED for width in widths[:-1]):
        return ["\t".join(line) for line in lines]
    places = [
        f"{'>' if column in RIGHT_ALIGNED else '<'}{width}" for column, width in zip(columns, widths, strict=True)
    ]
    return ["  ".join(map(format, line, places)).rstrip() for line in lines]


def tables_as_text(tables: Iterable[Table]) -> str:
    """Each table under its title, with its notes below; an empty line between two tables."""
    return "\n".join(_titled(table) for table in tables)


def _titled(table: Table) -> str:
    return "\n".join((table.title, "", *_rows(table), *(("", *table.notes) if table.notes else ()))) + "\n"


def tables_as_markdown(tables: Iterable[Table]) -> str:
    """Tables as Markdown (GFM): a heading, a pipe table and the notes."""
    return "\n".join(_markdown(table) for table in tables)


def _markdown(table: Table) -> str:
    rows = [_pipes(table.columns), _pipes(["---"] * len(table.columns))]
    rows += [_pipes([_markdown_cell(cell) for cell in row]) for row in table.rows]
    notes = [text for note in table.notes for text in ("", _escaped(note))]
    return "\n".join((f"### {table.title}", "", *rows, *notes)) + "\n"


def _pipes(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _markdown_cell(cell: Cell) -> str:
    """Rule id and text; the mark of interpretation is escaped, or it would begin an emphasis."""
    if cell.rule_id is None:
        return _escaped(cell.text)
    return f"{_escaped(cell.shown_rule_id, star=True)} {_escaped(cell.text)}".rstrip()


def _escaped(text: str, *, star: bool = False) -> str:
    """Text in a pipe table: a pipe would end the cell, an angle bracket would begin a tag."""
    escaped = printable(text).replace("|", "\\|").replace("<", "&lt;")
    return escaped.replace("*", "\\*") if star else escaped


def tables_as_json(tables: Iterable[Table]) -> str:
    """Tables for programs: per table its name, title and records."""
    return as_json(records_of(tables))


def records_of(tables: Iterable[Table]) -> dict[str, Any]:
    """Tables as a JSON value."""
    return {"tables": [{"name": each.name, "title": each.title, "rows": list(each.records)} for each in tables]}


def as_json(value: Any) -> str:
    """A JSON value as text, indented, keys as they stand, other scripts kept readable, with a newline at the end."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False, default=_plain) + "\n"


def _plain(value: object) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is no JSON value")


FORMATS: Final[Mapping[str, Callable[[Sequence[Table]], str]]] = {
    "text": tables_as_text,
    "markdown": tables_as_markdown,
    "html": tables_as_html,
    "svg": tables_as_svg,
    "json": tables_as_json,
}
"""Every format in which tables can be had."""
