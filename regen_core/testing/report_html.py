"""The report as one page that needs nothing else: no script, no font, no address; on paper and on a phone, too."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html import escape
from typing import Final

from regen_core.explain.words import times
from regen_core.rules import RULES
from regen_core.testing.counting import ROWS
from regen_core.testing.report import Outcome, Report, Verdict, counts_of, history_json, shortened
from regen_core.testing.report_style import STYLE
from regen_core.wire.strict_json import dump

__all__ = ["report_html"]

_OPEN: Final = 3
"""Failures that are shown unfolded: the first ones tell most, the others often follow from them."""

_TICKED: Final = re.compile(r"`([^`]+)`")


def report_html(report: Report) -> str:
    """The whole page."""
    title = f"{report.subject}: {'conforms' if report.is_conforming else 'does not conform'}"
    parts = [*_head(report, title), *_failures(report), *_lacking(report), *_checks(report), *_rows(report)]
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            f"<title>{escape(title)}</title><style>{STYLE}</style></head><body><main>",
            *parts,
            "</main></body></html>\n",
        ]
    )


def _head(report: Report, title: str) -> Iterator[str]:
    tone = "passed" if report.is_conforming else "failed"
    yield f'<header class="{tone}"><h1>{escape(title)}</h1><p>{counts_of(report.verdicts)}</p></header>'
    if report.histories:
        histories = times(report.histories, "random history", "random histories")
        told = f"{histories} of {times(report.steps, 'step')}, seed {report.seed}; "
    else:
        told = ""
    yield f'<p class="quiet">{told}{report.seconds:.1f} s</p>'
    yield from [f'<p class="failed">{_text(each)}</p>' for each in report.complaints]


def _text(text: str) -> str:
    """A sentence, in which what stands between backticks is code."""
    return _TICKED.sub(r"<code>\1</code>", escape(text, quote=False))


def _failures(report: Report) -> Iterator[str]:
    """Each with its history; vectors of the corpus mostly follow from what stands before them."""
    told = [each for each in report.failures if not _is_vector(each)]
    vectors = [each for each in report.failures if _is_vector(each)]
    if report.failures:
        yield "<h2>What failed</h2>"
    for place, verdict in enumerate(told):
        yield from _failure(verdict, is_open=place < _OPEN)
    if vectors:
        count = times(len(vectors), "vector")
        yield f"<details{'' if told else ' open'}><summary>{count} of the golden corpus</summary>"
        for verdict in vectors:
            yield from _failure(verdict, is_open=False)
        yield "</details>"


def _is_vector(verdict: Verdict) -> bool:
    return verdict.id.startswith("corpus ")


def _failure(verdict: Verdict, *, is_open: bool) -> Iterator[str]:
    yield f'<details class="failure"{" open" if is_open else ""}>'
    yield f'<summary><code>{escape(verdict.id)}</code> <b class="failed">{verdict.outcome.value}</b></summary>'
    yield f"<p>{_text(_says(verdict))}</p>"
    yield from _history(verdict)
    yield "</details>"


def _history(verdict: Verdict) -> Iterator[str]:
    history = verdict.history
    if history is None:
        return
    steps = "".join([f"<li>{escape(each)}</li>" for each in history.words if each != verdict.about])
    yield f"<ol>{steps}</ol>"
    yield f'<p class="found"><b>Found</b> <code>{escape(shortened(history.found))}</code></p>'
    if history.beside:
        yield f'<p class="quiet">The last request is decided by {_rules(history.beside)}.</p>'
    elif verdict.about is not None:
        yield f'<p class="quiet">Rules: {_rules(verdict.rule_ids)}.</p>'
    if history.curl:
        lines = escape("\n".join(history.curl))
        yield f"<details><summary>As lines for <code>curl</code></summary><pre>{lines}</pre></details>"
    told = escape(dump(history_json(history)))
    yield f"<details><summary>As JSON, for <code>regen replay</code></summary><pre>{told}</pre></details>"


def _rules(rule_ids: Iterable[str]) -> str:
    """Rules by their ids; what they say is told where the pointer rests."""
    found = [(each, RULES[each].statement.replace("`", "") if each in RULES else "") for each in rule_ids]
    return ", ".join([f'<code title="{escape(says)}">{escape(each)}</code>' for each, says in found])


def _says(verdict: Verdict) -> str:
    rules = " ".join([RULES[each].statement for each in verdict.rule_ids if each in RULES])
    return verdict.about or rules


def _checks(report: Report) -> Iterator[str]:
    yield "<h2>Checks</h2>"
    yield from _table([each for each in report.verdicts if not _is_vector(each)])
    vectors = [each for each in report.verdicts if _is_vector(each)]
    if vectors:
        yield f"<details><summary>The golden corpus: {counts_of(vectors)}</summary>"
        yield from _table(vectors)
        yield "</details>"


def _table(verdicts: Iterable[Verdict]) -> Iterator[str]:
    head = "<th>Check<th>Outcome<th class=count>Exercised<th>Says"
    yield f'<table class="checks"><thead><tr>{head}</tr></thead><tbody>'
    yield from [_check(each) for each in verdicts]
    yield "</tbody></table>"


def _check(verdict: Verdict) -> str:
    tone = "never" if verdict.outcome is Outcome.NEVER else verdict.outcome.value
    count = "count once" if verdict.exercised == 1 else "count"
    because = f'<br><span class="quiet">{_text(verdict.reason)}</span>' if verdict.reason else ""
    return (
        f'<tr><td><code>{escape(verdict.id)}</code><td class="{tone}">{verdict.outcome.value}'
        f'<td class="{count}">{verdict.exercised or ""}<td>{_text(_says(verdict))}{because}</tr>'
    )


def _rows(report: Report) -> Iterator[str]:
    if not report.rows:
        return
    yield "<h2>Rows of the tables, and refusals</h2>"
    yield '<p class="quiet">How often a request was decided by each; none may be left out.</p><div class="rows">'
    for row in ROWS:
        count = report.rows.get(row, 0)
        yield f'<span class="{"some" if count else "failed"}">{_rules([row])}<span>{count}</span></span>'
    yield "</div>"


def _lacking(report: Report) -> Iterator[str]:
    if report.lacking:
        yield "<h2>What wasn't looked at</h2><dl>"
        yield from [
            f"<div><dt><code>{escape(name)}</code><dd>{_text(why)}</div>" for name, why in report.lacking.items()
        ]
        yield "</dl>"
