"""The report as one page that needs nothing else: no script, no font, no address."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Final

from regen_core.rules import RULES
from regen_core.testing.counting import ROWS
from regen_core.testing.report import Outcome, Report, Verdict, shortened

__all__ = ["report_html"]

_STYLE: Final = """
:root { color-scheme: light dark; --good: #18794e; --bad: #c62a2f; --quiet: #6f6e77; --line: #8886; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid var(--line); }
td.count { text-align: right; font-variant-numeric: tabular-nums; }
.passed { color: var(--good); } .failed, .xpassed { color: var(--bad); font-weight: 600; }
.skipped, .never, .xfailed { color: var(--quiet); }
code, ol { font-family: ui-monospace, monospace; font-size: .88em; overflow-wrap: anywhere; }
.rows { display: grid; grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); gap: .2rem 1rem; }
.rows span { display: flex; justify-content: space-between; border-bottom: 1px solid var(--line); }
"""


def report_html(report: Report) -> str:
    """The whole page."""
    title = f"{report.subject}: {'conforms' if report.is_conforming else 'does not conform'}"
    parts = [*_head(report, title), *_failures(report), *_checks(report), *_rows(report), *_lacking(report)]
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>",
            *parts,
            "</body></html>\n",
        ]
    )


def _head(report: Report, title: str) -> Iterator[str]:
    yield f'<h1 class="{"passed" if report.is_conforming else "failed"}">{escape(title)}</h1>'
    yield f"<p>{report.histories} histories of {report.steps} steps, seed {report.seed}, {report.seconds:.1f} s</p>"
    yield from [f'<p class="failed">{escape(each)}</p>' for each in report.complaints]


def _failures(report: Report) -> Iterator[str]:
    for verdict in report.failures:
        yield f'<section><h2 class="failed">{escape(verdict.id)}: {verdict.outcome.value}</h2>'
        yield from [
            f"<p>{escape(each)}: {escape(RULES[each].statement)}</p>" for each in verdict.rule_ids if each in RULES
        ]
        if verdict.history is not None:
            yield "<ol>" + "".join([f"<li>{escape(each)}</li>" for each in verdict.history.words]) + "</ol>"
            yield f"<p>Found: <code>{escape(shortened(verdict.history.found))}</code></p>"
            yield f"<p>Decided by {escape(', '.join(verdict.history.beside))}</p>" if verdict.history.beside else ""
        yield "</section>"


def _checks(report: Report) -> Iterator[str]:
    yield "<h2>Checks</h2><table><thead><tr><th>Check<th>Outcome<th>Exercised<th>Says</tr></thead><tbody>"
    yield from [_check(each) for each in report.verdicts]
    yield "</tbody></table>"


def _check(verdict: Verdict) -> str:
    says = verdict.reason or " ".join([RULES[each].statement for each in verdict.rule_ids if each in RULES])
    tone = "never" if verdict.outcome is Outcome.NEVER else verdict.outcome.value
    return (
        f'<tr><td><code>{escape(verdict.id)}</code><td class="{tone}">{verdict.outcome.value}'
        f'<td class="count">{verdict.exercised}<td>{escape(says)}</tr>'
    )


def _rows(report: Report) -> Iterator[str]:
    yield '<h2>Rows of the tables, and refusals</h2><div class="rows">'
    for row in ROWS:
        count = report.rows.get(row, 0)
        yield f'<span class="{"passed" if count else "failed"}"><code>{escape(row)}</code><span>{count}</span></span>'
    yield "</div>"


def _lacking(report: Report) -> Iterator[str]:
    if report.lacking:
        yield "<h2>Not checked</h2><ul>"
        yield from [f"<li><code>{escape(name)}</code>: {escape(why)}</li>" for name, why in report.lacking.items()]
        yield "</ul>"
