"""The terminal's way of printing: tables with frames and colour, as wide as the window; colour is off with NO_COLOR."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TextIO

from attrs import define, field
from rich import box
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table as RichTable
from rich.text import Text

from regen_core.adapters.cli.output import Listing
from regen_core.explain.blocks import RIGHT_ALIGNED, Block, Cell, Line, Table, Tone, printable

__all__ = ["TerminalOutput", "is_capable"]

ROWS_AT_ONCE: Final = 200
"""Rows of a listing that are laid out together: enough for even columns, few enough not to keep anyone waiting."""

WIDEST_KEPT: Final = 24
"""Widest column, in characters, that later pieces of a listing keep; a longer one would break narrow windows."""

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


def is_capable() -> bool:
    """Whether the terminal moves its cursor; one that calls itself dumb gets plain text."""
    return os.environ.get("TERM", "") not in ("dumb", "unknown")


def _console(stream: TextIO) -> Console:
    return Console(file=stream, highlight=False, markup=False, emoji=False)


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


def _line(line: Line) -> RenderableType:
    text = Text(printable(line.text), style=_STYLE[line.tone])
    if not line.label:
        return Padding(text, (0, 0, 0, 2 * line.depth))
    grid = RichTable.grid(padding=(0, 1))
    grid.add_column(width=9, no_wrap=True, style="dim")
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
        laid_out = _table(table.columns)
        is_matrix = any(cell.rule_id and cell.text for row in table.rows for cell in row)
        laid_out.show_lines = is_matrix
        for row in table.rows:
            laid_out.add_row(*map(_cell, row))
        console.print(Text(f"\n{table.title}" if table.title else "", style="bold"))
        console.print(laid_out)
        for note in table.notes:
            console.print(Text(note, style="dim"))

    def listing(self, name: str, columns: Sequence[str]) -> Listing:  # noqa: ARG002
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
        for column, width in zip(table.columns, self.widths, strict=True):
            column.min_width = min(width, WIDEST_KEPT)
        for row in self.waiting:
            table.add_row(*row)
        self.console.print(table)
        self.waiting.clear()

    def end(self, summary: Sequence[Line], value: Mapping[str, Any]) -> None:  # noqa: ARG002
        self._print()
        for line in summary:
            self.console.print(_line(line))
