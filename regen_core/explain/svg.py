"""Tables as one SVG picture, drawn here: text in boxes, no script, no external font, legible on any background.

Widths are estimated from the letters of a wide common sans-serif, so that text stays inside its box in any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

from attrs import frozen

from regen_core.explain.blocks import Cell, Table, Tone, printable

__all__ = ["tables_as_svg"]

_FONT: Final = "Verdana, 'DejaVu Sans', Helvetica, Arial, sans-serif"
_SIZE: Final = 12
_SMALL: Final = 10
_LINE: Final = 17
_PAD_X, _PAD_Y = 10, 8
_MARGIN: Final = 24
_WIDEST_COLUMN, _WIDEST_LAST_COLUMN, _WIDEST_WORD = 250, 430, 600
"""Widest column in pixels, and the widest last one, which often holds a sentence; longer text is wrapped between words,
so that names stay whole, and within a word only where that is wider still."""

_FILL: Final = {
    Tone.GENERATE: "#dcf3e3",
    Tone.OVERRIDE: "#fdeecb",
    Tone.VOID: "#fbdcd8",
    Tone.SEND: "#dbe9fb",
    Tone.REFUSED: "#fbdcd8",
    Tone.WARNING: "#fdeecb",
}
_INK, _QUIET_INK, _GRID, _HEAD, _PAGE = "#1b2430", "#5b6675", "#cdd3dc", "#eef1f5", "#ffffff"
_BOLD: Final = frozenset({Tone.STRONG, Tone.GENERATE, Tone.OVERRIDE, Tone.VOID, Tone.SEND, Tone.REFUSED})

_NARROW: Final = {**dict.fromkeys("ijlI.,:;'|! ", 0.36), **dict.fromkeys('()[]/-ftr"', 0.46)}
_WIDE: Final = dict.fromkeys("mwMW@%", 1.0)


def _width(text: str, size: int = _SIZE, *, bold: bool = False) -> float:
    widths = [_NARROW.get(c) or _WIDE.get(c) or (0.76 if c.isupper() else 0.65) for c in text]
    return sum(widths) * size * (1.13 if bold else 1.0)


@frozen
class _Text:
    """One drawn line of a cell."""

    text: str
    size: int = _SIZE
    bold: bool = False
    ink: str = _INK

    @property
    def width(self) -> float:
        return _width(self.text, self.size, bold=self.bold)


@frozen
class _Box:
    """A cell that has been laid out: its lines, its background, and what it tells when pointed at."""

    lines: tuple[_Text, ...]
    fill: str
    told: str | None = None

    @property
    def height(self) -> int:
        return len(self.lines) * _LINE + 2 * _PAD_Y


def tables_as_svg(tables: Sequence[Table]) -> str:
    """One picture with the tables below each other."""
    drawn, width, y = [], 0.0, float(_MARGIN)
    for table in tables:
        parts, table_width, y = _table(table, y)
        drawn.extend(parts)
        width = max(width, table_width)
        y += _MARGIN
    size = f'width="{width + 2 * _MARGIN:.0f}" height="{y:.0f}" viewBox="0 0 {width + 2 * _MARGIN:.0f} {y:.0f}"'
    name = escape("; ".join(table.title for table in tables))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" font-family="{_FONT}" font-size="{_SIZE}">\n'
        f'<title>{name}</title>\n<rect width="100%" height="100%" fill="{_PAGE}"/>\n' + "\n".join(drawn) + "\n</svg>\n"
    )


def _table(table: Table, y: float) -> tuple[list[str], float, float]:
    """The table's parts from ``y`` on, its width, and where it ends."""
    limits = (*[_WIDEST_COLUMN] * (len(table.columns) - 1), _WIDEST_LAST_COLUMN)
    rows = [tuple(map(_head, table.columns, limits)), *(tuple(map(_box, row, limits)) for row in table.rows)]
    widths = [max(line.width for row in rows for line in row[at].lines) + 2 * _PAD_X for at in range(len(rows[0]))]
    title = _Text(table.title, 15, bold=True)
    total = max(sum(widths), title.width)
    parts = [_line(title, _MARGIN, y + 15)]
    y += 15 + _PAD_Y * 1.5
    for row in rows:
        height = max(box.height for box in row)
        x = float(_MARGIN)
        for box, width in zip(row, widths, strict=True):
            parts.append(_drawn(box, x, y, width, height))
            x += width
        y += height
    for note in table.notes:
        for text in _wrapped(note, total, _SMALL + 1, bold=False):
            y += _LINE
            parts.append(_line(_Text(text, _SMALL + 1, ink=_QUIET_INK), _MARGIN, y))
    return parts, total, y


def _head(column: str, widest: float) -> _Box:
    return _Box(tuple(_Text(text, bold=True) for text in _wrapped(column, widest, bold=True)), _HEAD)


def _box(cell: Cell, widest: float) -> _Box:
    """A cell's lines: what it says, and below that, smaller, the rule that says so."""
    bold, ink = cell.tone in _BOLD, _QUIET_INK if cell.tone is Tone.QUIET else _INK
    lines = [_Text(text, bold=bold, ink=ink) for text in _wrapped(cell.text, widest, bold=bold)]
    if cell.rule_id is not None:
        shown = cell.shown_rule_id
        lines.append(_Text(shown, _SMALL, ink=_QUIET_INK) if cell.text else _Text(shown))
    told = None if cell.rule is None else f"{cell.rule_id}: {cell.rule.statement}"
    return _Box(tuple(lines) or (_Text(""),), _FILL.get(cell.tone, _PAGE), told)


def _wrapped(text: str, width: float, size: int = _SIZE, *, bold: bool) -> list[str]:
    """Words filled into lines; a word too long for one is cut."""
    lines: list[str] = []
    for word in _cut(printable(text).replace("`", "'").split(), size, bold=bold):
        if lines and _width(f"{lines[-1]} {word}", size, bold=bold) <= width:
            lines[-1] = f"{lines[-1]} {word}"
        else:
            lines.append(word)
    return lines


def _cut(words: Iterable[str], size: int, *, bold: bool) -> Iterable[str]:
    for word in words:
        rest = word
        while _width(rest, size, bold=bold) > _WIDEST_WORD:
            fits = int(_WIDEST_WORD / (size * 1.13))
            yield rest[:fits]
            rest = rest[fits:]
        yield rest


def _drawn(box: _Box, x: float, y: float, width: float, height: float) -> str:
    frame = (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{box.fill}" stroke="{_GRID}"/>'
    )
    top = y + _PAD_Y + _SIZE
    lines = "".join(_line(line, x + _PAD_X, top + at * _LINE) for at, line in enumerate(box.lines))
    told = "" if box.told is None else f"<title>{escape(box.told)}</title>"
    return f"<g>{told}{frame}{lines}</g>"


def _line(line: _Text, x: float, y: float) -> str:
    weight = ' font-weight="bold"' if line.bold else ""
    size = "" if line.size == _SIZE else f' font-size="{line.size}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{line.ink}"{size}{weight}>{escape(line.text)}</text>'
