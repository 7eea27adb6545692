"""What is shown to people, as values: lines of toned text and tables of cells; no renderer and no colour here.

Owns the small vocabulary that every explanation and every decision table is put into, so that a terminal, a pipe, a
Markdown file, a page and a picture show the same words. It knows no rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, unique
from typing import Any, Final

from attrs import field, frozen

from regen_core.rules import RULES, Origin, Rule

__all__ = ["Block", "Cell", "Line", "RIGHT_ALIGNED", "Table", "Tone", "printable"]


@unique
class Tone(Enum):
    """What a piece of text is about; a renderer chooses how that looks."""

    PLAIN = "plain"
    STRONG = "strong"
    QUIET = "quiet"
    GENERATE = "generate"
    OVERRIDE = "override"
    VOID = "void"
    SEND = "send"
    REFUSED = "refused"
    WARNING = "warning"


INTERPRETATION_MARK: Final = "*"
"""Stands after the id of a rule that is interpretation, in tables that have no column for the origin."""


@frozen
class Cell:
    """One cell: its text, and the id of the rule that it states, or ``None``."""

    text: str
    rule_id: str | None = None
    tone: Tone = Tone.PLAIN

    @property
    def rule(self) -> Rule | None:
        """The rule that the cell states; ``None`` where it states none, or one that the register doesn't have."""
        return None if self.rule_id is None else RULES.get(self.rule_id)

    @property
    def shown_rule_id(self) -> str:
        """The rule id, with an asterisk for an interpretation where there is no room for a column of origins."""
        if self.rule_id is None:
            return ""
        is_marked = self.text and self.rule is not None and self.rule.origin is Origin.INTERPRETATION
        return self.rule_id + (INTERPRETATION_MARK if is_marked else "")

    @property
    def words(self) -> str:
        """Rule id and text as one piece.

        >>> Cell("keep", "TBL-W3").words, Cell("keep", "TBL-W2").words, Cell("", "TBL-W3").words
        ('TBL-W3* keep', 'TBL-W2 keep', 'TBL-W3')
        """
        return f"{self.shown_rule_id} {self.text}".strip()


@frozen(kw_only=True)
class Table:
    """A table for people, and the same as records for programs.

    Fields: ``name`` is how it is asked for; ``notes`` follow it, one sentence each; ``records`` have one mapping per
    row or, where the table is a matrix, per cell. Where there is little room, ids in the columns ``ids`` may be cut to
    what tells them apart, and the columns ``spare`` left out, if that is said. Raises ``ValueError`` for a row that
    doesn't fit the columns.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...] = field()
    notes: tuple[str, ...] = ()
    records: tuple[Mapping[str, Any], ...] = ()
    ids: frozenset[str] = frozenset()
    spare: frozenset[str] = frozenset()

    @rows.validator
    def _fit(self, _: object, rows: tuple[tuple[Cell, ...], ...]) -> None:
        for row in rows:
            if len(row) != len(self.columns):
                raise ValueError(f"{self.name}: a row of {len(row)} cells under {len(self.columns)} columns")

    @property
    def cited(self) -> tuple[Rule, ...]:
        """The rules that the cells state, once each, in the order of the cells."""
        found = [cell.rule for row in self.rows for cell in row]
        return tuple(dict.fromkeys(rule for rule in found if rule is not None))


@frozen
class Line:
    """One line of text: a label in front, or an empty one, the text, its tone, and how deep it is indented."""

    text: str
    label: str = ""
    tone: Tone = Tone.PLAIN
    depth: int = 0


RIGHT_ALIGNED: Final = frozenset({"amount"})
"""Columns whose cells end at the same place, in whatever table they are."""

Block = Line | Table
"""What a report is made of."""

_ESCAPED: Final = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}
_DIRECTION_CONTROLS: Final = frozenset(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F)))


def printable(text: str) -> str:
    """Text from a document as it may reach a terminal: control and direction characters are escaped.

    >>> print(printable("Acme\\x1b[2J\\tLtd"))
    Acme\\x1b[2J\\tLtd
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join([_harmless(character) for character in text])


def _harmless(character: str) -> str:
    code = ord(character)
    if character in _ESCAPED:
        return _ESCAPED[character]
    if code < 0x20 or 0x7F <= code < 0xA0:
        return f"\\x{code:02x}"
    if character in _DIRECTION_CONTROLS or 0xD800 <= code <= 0xDFFF or code in (0x2028, 0x2029):
        return f"\\u{code:04x}"
    return character
