"""Tables as one HTML page that needs nothing else: no script, no font and no style from anywhere.

Each cell that states a rule links to the rule's words below; a page that shows the register links into that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

from regen_core.explain.blocks import Cell, Table, printable
from regen_core.rules import Rule

__all__ = ["tables_as_html"]

_REGISTER: Final = "rules"
"""The table whose rows are the rules themselves."""

_STYLE: Final = """
:root { color-scheme: light dark; --line: #d5d9e0; --head: #f3f5f8; --ink: #1b2430; --quiet: #64707f; --page: #fff;
  --generate: #dcf3e3; --override: #fdeecb; --void: #fbdcd8; --send: #dbe9fb; --refused: #fbdcd8; --link: #1f5fbf; }
@media (prefers-color-scheme: dark) { :root { --line: #3a434f; --head: #232b35; --ink: #e4e8ee; --quiet: #98a4b3;
  --page: #161b22; --generate: #1d3d2a; --override: #463a16; --void: #4d2522; --send: #1d3555; --refused: #4d2522;
  --link: #7fb2ff; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page); margin: 2rem auto;
  max-width: 110rem; padding: 0 1.5rem; }
.scroll { overflow-x: auto; margin: 0 0 .5rem; container-type: inline-size; }
table { border-collapse: collapse; min-width: 40rem; }
caption { text-align: left; font-weight: 650; font-size: 1.1rem; padding: 1.2rem 0 .5rem; }
caption span { display: block; position: sticky; left: 0; width: fit-content; max-width: 100cqi; }
th, td { border: 1px solid var(--line); padding: .4rem .65rem; text-align: left; vertical-align: top; }
th { background: var(--head); font-weight: 600; }
td.strong { font-weight: 600; white-space: nowrap; } td.quiet { color: var(--quiet); }
td.generate { background: var(--generate); } td.override { background: var(--override); }
td.void { background: var(--void); } td.send { background: var(--send); } td.refused { background: var(--refused); }
a.rule { white-space: nowrap; color: var(--link); text-decoration: none; }
td a.rule { font-size: .82em; }
a.rule:hover { text-decoration: underline; } td .does { display: block; font-weight: 600; }
td.quiet .does, td.plain .does { font-weight: 400; }
p.note { color: var(--quiet); margin: .2rem 0; } code { font-size: .92em; }
dt { font-weight: 600; margin-top: .9rem; } dd { margin: 0 0 0 1.5rem; } dd.quiet { color: var(--quiet); }
:target { outline: 2px solid var(--link); outline-offset: 3px; }
"""


def tables_as_html(tables: Sequence[Table]) -> str:
    """One page with the tables and, below them, the words of every rule that they cite."""
    has_register = any(table.name == _REGISTER for table in tables)
    cited = tuple(dict.fromkeys(rule for table in tables for rule in table.cited))
    body = [_table(table) for table in tables]
    if cited and not has_register:
        body.append(_cited(cited))
    title = escape(", ".join(table.name for table in tables))
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Regenerate billing transactions: {title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


def _table(table: Table) -> str:
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in table.columns)
    rows = "\n".join(_row(row, is_register=table.name == _REGISTER) for row in table.rows)
    notes = "".join(f'<p class="note">{_marked_up(note)}</p>\n' for note in table.notes)
    return (
        f'<div class="scroll"><table id="{escape(table.name)}">\n'
        f"<caption><span>{escape(table.title)}</span></caption>\n"
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table></div>\n{notes}"
    )


def _row(cells: Iterable[Cell], *, is_register: bool) -> str:
    first, *rest = cells
    anchor = f' id="{_anchor(first.rule_id)}"' if is_register and first.rule_id else ""
    return f'<tr{anchor}><th scope="row">{_content(first)}</th>' + "".join(map(_cell, rest)) + "</tr>"


def _cell(cell: Cell) -> str:
    return f'<td class="{cell.tone.value}">{_content(cell)}</td>'


def _content(cell: Cell) -> str:
    if cell.rule_id is None:
        return _marked_up(cell.text)
    told = "" if cell.rule is None else f' title="{escape(cell.rule.statement)}"'
    does = f'<span class="does">{_marked_up(cell.text)}</span>' if cell.text else ""
    return f'{does}<a class="rule" href="#{_anchor(cell.rule_id)}"{told}>{escape(cell.shown_rule_id)}</a>'


def _anchor(rule_id: str) -> str:
    return f"rule-{escape(rule_id)}"


def _cited(rules: Iterable[Rule]) -> str:
    entries = "\n".join(_entry(rule) for rule in rules)
    return f"<h2>The rules in these tables</h2>\n<dl>\n{entries}\n</dl>"


def _entry(rule: Rule) -> str:
    told = [("Source", rule.source), ("Reason", rule.reason), ("Instead of", rule.alternatives)]
    more = "".join(f'<dd class="quiet">{name}: {_marked_up(text)}</dd>' for name, text in told if text)
    return (
        f'<dt id="{_anchor(rule.id)}">{escape(rule.id)} <small>({rule.origin.value})</small></dt>'
        f"<dd>{_marked_up(rule.statement)}</dd>{more}"
    )


_CODE, _EMPHASIS = re.compile(r"`([^`]+)`"), re.compile(r"(?<![\w*])\*([^*\s][^*]*)\*(?!\w)")


def _marked_up(text: str) -> str:
    """The register's light markup as HTML: backticks are code, asterisks around words are emphasis."""
    return _EMPHASIS.sub(r"<em>\1</em>", _CODE.sub(r"<code>\1</code>", escape(printable(text))))
