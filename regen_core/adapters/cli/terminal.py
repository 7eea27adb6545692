"""The terminal's way of printing: tables with frames and colour, as wide as the window; colour is off with NO_COLOR."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import IO, Any, Final, TextIO

import attrs
from attrs import define, field
from rich import box
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table as RichTable
from rich.text import Text

from regen_core.adapters.cli.output import Listing
from regen_core.explain.blocks import RIGHT_ALIGNED, Block, Cell, Line, Table, Tone, printable

__all__ = ["TerminalOutput"]

ROWS_AT_ONCE: Final = 200
"""Rows of a listing that are laid out together: enough for even columns, few enough not to keep anyone waiting."""

WIDEST_KEPT: Final = 24
"""Widest column, in characters, that later pieces of a listing keep; a longer one would break narrow windows."""

SHORTEST_ID: Final = 8
"""Fewest characters of an id that is cut: what still looks like one, and is found by a search."""

LEAST_ROOM: Final = 24
"""Characters that a spare column needs at least, in which its words stand on several lines."""

_GAP: Final = 3
"""Characters between two columns."""

_ALL_IS_SHOWN: Final = "-v, --json and a wider window show all."

_STYLE: Final[Mapping[Tone, str]] = {
    Tone.PLAIN: "",
    Tone.STRONG: "bold",
    Tone.QUIET: "dim",
    Tone.GENERATE: "green",
    Tone.OVERRIDE: "yellow",
    Tone.VOID: "red",
    Tone.SEND: "cyan",
    Tone.REFUSED: "bold red",
    Tone.WARNING: "yellow",
}


def _console(stream: IO[str], width: int | None = None) -> Console:
    """A console as wide as its window, or as it is told."""
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False)


def _table(columns: Sequence[str]) -> RichTable:
    table = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold", show_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold", justify="right" if column in RIGHT_ALIGNED else "left")
    return table


def _cell(cell: Cell) -> Text:
    text = Text(printable(cell.text), style=_STYLE[cell.tone])
    if cell.rule_id is not None:
        text = Text.assemble(text, "\n" if cell.text else "", (cell.shown_rule_id, "dim" if cell.text else ""))
    return text


def fitted(table: Table, width: int) -> Table:
    """A table as it fits into a window of that many characters: first its ids are cut, then spare columns go.

    A note tells it. A table that fits, or that may lose nothing, stays as it is.

    >>> plan = Table(name="plan", title="", columns=("item", "why"), rows=((Cell("8ad0fc0d9a1f"), Cell("new")),),
    ...              ids=frozenset({"item"}), spare=frozenset({"why"}))
    >>> fitted(plan, 30) is plan, [cell.text for cell in fitted(plan, 10).rows[0]]
    (True, ['8ad0fc0d…'])
    """
    if _width(table) <= width or not table.ids | table.spare:
        return table
    cut = attrs.evolve(table, rows=_with_short_ids(table))
    told = ["ids are cut"] if cut.rows != table.rows else []
    left = _without_spare_columns(cut)
    if _width(cut) > width and _width(left) + _GAP + LEAST_ROOM > width:
        cut = left
        told += [f"there is no room for {name!r}" for name in sorted(table.spare)]
    note = " and ".join(told)
    return attrs.evolve(cut, notes=(*cut.notes, f"{note[0].upper()}{note[1:]}: {_ALL_IS_SHOWN}")) if told else cut


def _width(table: Table) -> int:
    """How many characters a row of the table takes where none of its cells is folded."""
    across = zip(table.columns, *[[printable(cell.words) for cell in row] for row in table.rows], strict=True)
    return _across([max(map(len, column)) for column in across])


def _across(widths: Sequence[int]) -> int:
    """How many characters columns of these widths take together."""
    return sum([width + _GAP for width in widths]) - _GAP


def _without_spare_columns(table: Table) -> Table:
    kept = [at for at, column in enumerate(table.columns) if column not in table.spare]
    rows = tuple([tuple([row[at] for at in kept]) for row in table.rows])
    return attrs.evolve(table, columns=tuple([table.columns[at] for at in kept]), rows=rows)


def _with_short_ids(table: Table) -> tuple[tuple[Cell, ...], ...]:
    columns = {
        at: shortened([row[at].text for row in table.rows])
        for at, column in enumerate(table.columns)
        if column in table.ids
    }
    return tuple(
        [
            tuple(
                [
                    attrs.evolve(cell, text=columns[at][cell.text]) if at in columns else cell
                    for at, cell in enumerate(row)
                ]
            )
            for row in table.rows
        ]
    )


def shortened(ids: Collection[str]) -> dict[str, str]:
    """Each id with the shortest beginning that tells all of them apart, or whole where little would be saved.

    >>> shortened(["8ad0fc0d9a1f", "8ad0fc0d77aa", "short"])
    {'8ad0fc0d9a1f': '8ad0fc0d9…', '8ad0fc0d77aa': '8ad0fc0d7…', 'short': 'short'}
    """
    distinct = sorted(set(ids))
    length = SHORTEST_ID
    for one, other in pairwise(distinct):
        while one[:length] == other[:length]:
            length += 1
    return {each: each if len(each) <= length + 1 else f"{each[:length]}…" for each in ids}


def _line(line: Line) -> RenderableType:
    text = Text(printable(line.text), style=_STYLE[line.tone])
    if not line.label:
        return Padding(text, (0, 0, 0, 2 * line.depth))
    grid = RichTable.grid(padding=(0, 1))
    grid.add_column(width=max(9, len(line.label)), no_wrap=True, style="dim")
    grid.add_column(overflow="fold")
    grid.add_row(line.label, text)
    return Padding(grid, (0, 0, 0, 2 * line.depth))


@define
class TerminalOutput:
    """Frames and colour, as wide as the window."""

    stream: TextIO

    def show(self, blocks: Iterable[Block], value: object) -> None:  # noqa: ARG002  # programs ask for JSON
        """Lines and framed tables; a named table has its title above and its notes below."""
        console = _console(self.stream)
        for block in blocks:
            if isinstance(block, Table):
                self._table(console, block)
            else:
                console.print(_line(block))

    def _table(self, console: Console, table: Table) -> None:
        table = fitted(table, console.width)
        laid_out = _table(table.columns)
        is_matrix = any(cell.rule_id and cell.text for row in table.rows for cell in row)
        laid_out.show_lines = is_matrix
        for row in table.rows:
            laid_out.add_row(*map(_cell, row))
        console.print(Text(f"\n{table.title}" if table.title else "", style="bold"))
        console.print(laid_out)
        for note in table.notes:
            console.print(Text(note, style="dim"))

    def listing(self, name: str, columns: Sequence[str], *, is_quiet: bool = False) -> Listing:  # noqa: ARG002
        """Tables of some rows each."""
        return _TerminalListing(_console(self.stream), tuple(columns))

    def fail(self, value: Mapping[str, Any]) -> None:
        """Nothing more: the sentence stands on standard error."""


@define
class _TerminalListing:
    console: Console
    columns: tuple[str, ...]
    waiting: list[tuple[Text, ...]] = field(factory=list, init=False)
    widths: list[int] = field(factory=list, init=False)
    """Of the columns in the pieces printed so far, so that the next piece stands below them; empty before the first."""

    def row(self, cells: Sequence[Cell], value: object, details: Sequence[Line] = ()) -> None:  # noqa: ARG002
        self.waiting.append(tuple(map(_cell, cells)))
        if details or len(self.waiting) >= ROWS_AT_ONCE:
            self._print()
        for line in details:
            self.console.print(_line(line))

    def _print(self) -> None:
        if not self.waiting:
            return
        table = _table(self.columns)
        table.show_header = not self.widths
        now = [max(cell.cell_len for cell in column) for column in zip(*self.waiting, strict=True)]
        before = self.widths or [len(column) for column in self.columns]
        self.widths = [max(pair) for pair in zip(now, before, strict=True)]
        kept = [min(width, WIDEST_KEPT) for width in self.widths]
        console = self.console
        if _across(kept) > console.width:  # then the window breaks the lines; that is no reason to keep a column back
            kept, console = self.widths, _console(console.file, _across(self.widths))
        for column, width in zip(table.columns, kept, strict=True):
            column.min_width = width
        for row in self.waiting:
            table.add_row(*row)
        console.print(table)
        self.waiting.clear()

    def end(self, summary: Sequence[Line], value: Mapping[str, Any]) -> None:  # noqa: ARG002
        self._print()
        for line in summary:
            self.console.print(_line(line))
