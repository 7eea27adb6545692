"""Explanations for people: what a regeneration does and why, as lines and tables."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from regen_core.changes import FieldChange
from regen_core.decision_table import SendAction
from regen_core.documents import Assumption, DocumentHeader
from regen_core.explain.blocks import Block, Cell, Line, Table, Tone
from regen_core.explain.refused import ExplainedRefusal
from regen_core.explain.regenerations import ExplainedLine, ExplainedMapping, Explanation
from regen_core.explain.words import SEND_TONE, WRITE_TONE, amount_text, times, yes_no
from regen_core.plain_values import plain
from regen_core.rules import Rule
from regen_core.transactions import StoredTransaction

__all__ = ["change_text", "described", "document_line", "refused", "rule_lines", "summarised", "totals"]

_NONE: Final = "–"


def document_line(header: DocumentHeader) -> Line:
    """Which document is meant, on one line."""
    org = "" if header.org is None else f"  org {header.org}"
    key = header.key
    text = f"{key.type.value} {header.number}  id {key.id}  {header.status}  {header.date}  {header.currency}{org}"
    return Line(text, tone=Tone.STRONG)


def summarised(explanation: Explanation, *, is_done: bool) -> tuple[Block, ...]:
    """The document, the mode, and one row per line: what happens to it, by which rules, and why.

    ``is_done`` tells whether it was persisted or only planned.
    """
    done = explanation.regeneration
    return (
        document_line(done.document.header),
        _mode(explanation),
        _plan(explanation),
        totals(explanation, is_done=is_done),
    )


def _mode(explanation: Explanation) -> Line:
    done = explanation.regeneration
    assert done.rule.mode is not None, "what isn't refused has a mode"
    assert done.rule.flag is not None, "what isn't refused has a flag"
    return Line(f"{done.rule.mode.value} with regenerate_flag {done.rule.flag.value} ({done.rule.id})")


def _plan(explanation: Explanation) -> Table:
    lines = [_plan_row(line) for line in explanation.lines]
    skipped = [
        (Cell(each.item.id), Cell("skip", tone=Tone.QUIET), *[Cell(_NONE, tone=Tone.QUIET)] * 4, Cell(each.rule.id),
         Cell("tax line, has no revenue transaction"))
        for each in explanation.skipped
    ]  # fmt: skip
    return Table(
        name="plan",
        title="",
        columns=("item", "write", "revision", "type", "amount", "send", "rules", "why"),
        rows=(*lines, *skipped),
        ids=frozenset({"item"}),
        spare=frozenset({"why"}),
    )


def _plan_row(explained: ExplainedLine) -> tuple[Cell, ...]:
    line, ruling = explained.line, explained.line.ruling
    kind, amount = _kind_and_amount(line.after)
    return (
        Cell(line.item_id),
        Cell(ruling.write.action.value, tone=WRITE_TONE[ruling.write.action]),
        Cell(_revision(line.before, line.after)),
        Cell(kind),
        Cell(amount),
        _send(explained),
        Cell(" ".join(line.rule_ids)),
        _why(explained),
    )


def _kind_and_amount(stored: StoredTransaction | None) -> tuple[str, str]:
    if stored is None:
        return _NONE, _NONE
    transaction = stored.transaction
    apart = " standalone" if transaction.standalone else ""
    return (
        f"{transaction.revenue_type.value}{apart}",
        f"{amount_text(transaction.amount)} {transaction.header.currency}",
    )


def _revision(before: StoredTransaction | None, after: StoredTransaction | None) -> str:
    if after is None:
        return _NONE
    now = after.transaction.revision
    if before is None or before.transaction.revision == now:
        return str(now)
    return f"{before.transaction.revision} → {now}"


def _send(explained: ExplainedLine) -> Cell:
    ruling, delivery = explained.line.ruling, explained.line.delivery
    if ruling.send is None:
        return Cell(_NONE, tone=Tone.QUIET)
    text = ruling.send.action.value if delivery is None else f"{delivery.action.value} {delivery.flag.value}"
    return Cell(text, tone=SEND_TONE[ruling.send.action])


def _why(explained: ExplainedLine) -> Cell:
    told = [explained.situation]
    if explained.drift:
        told.append(_drifted(explained))
    if explained.is_unmappable_today:
        told.append("unmappable today (MAP-U)")
    return Cell("; ".join(told), tone=Tone.WARNING if len(told) > 1 else Tone.PLAIN)


def _drifted(explained: ExplainedLine) -> str:
    if explained.line.item is None:
        return "drifted: the document has it no longer"
    return "drifted in " + ", ".join(change.path for change in explained.drift or ())


def totals(explanation: Explanation, *, is_done: bool) -> Line:
    """How much is written and sent, and how many kept transactions have drifted."""
    done = explanation.regeneration
    voids = sum(delivery.action is SendAction.VOID for delivery in done.deliveries)
    written = f"{times(len(done.writes), 'transaction')} {'written' if is_done else 'to write'}"
    sent = f"{times(len(done.deliveries), 'delivery', 'deliveries')} {'put into the outbox' if is_done else 'to send'}"
    parts = [written, f"{sent}, {voids} of them void" if voids else sent]
    drifted = sum(line.has_drifted for line in explanation.lines)
    if drifted:
        parts.append(f"{drifted} kept although the document says something else today")
    return Line(f"{'Done' if is_done else 'Dry run, nothing was changed'}: {'; '.join(parts)}.", tone=Tone.STRONG)


def described(explanation: Explanation, *, is_done: bool) -> tuple[Block, ...]:
    """Everything that is known of each line: its rules in words, before and after, mapping, assumptions, drift."""
    done = explanation.regeneration
    blocks: list[Block] = [document_line(done.document.header), _mode(explanation)]
    blocks.append(_cited(explanation.rule, depth=1))
    for line in explanation.lines:
        blocks.extend((Line(""), *_line(line)))
    for each in explanation.skipped:
        blocks.extend((Line(""), Line(f"item {each.item.id}: skipped", tone=Tone.STRONG), _cited(each.rule, depth=1)))
    return (*blocks, Line(""), totals(explanation, is_done=is_done))


def _line(explained: ExplainedLine) -> Iterator[Line]:
    line = explained.line
    action = line.ruling.write.action
    yield Line(f"item {line.item_id}: {action.value}", tone=Tone.STRONG)
    yield Line(explained.situation, "because", depth=1)
    yield from (_cited(rule, depth=1) for rule in explained.rules)
    yield Line(explained.transaction_id, "id", Tone.QUIET, 1)
    yield Line(_stored_text(line.before), "before", depth=1)
    if line.after is not None and explained.changes:
        yield Line(_stored_text(line.after), "after", WRITE_TONE[action], 1)
    if line.before is not None:
        yield from (Line(change_text(each), "change", WRITE_TONE[action], 1) for each in explained.changes)
    yield _sending(explained)
    if explained.mapping is not None:
        yield from _mapping(explained.mapping)
    yield from _drifting(explained)


def _stored_text(stored: StoredTransaction | None) -> str:
    if stored is None:
        return "nothing stored"
    transaction = stored.transaction
    kind, amount = _kind_and_amount(stored)
    return f"revision {transaction.revision}, {transaction.state.value}, {kind}, {amount}, sent {stored.deliveries}×"


def _sending(explained: ExplainedLine) -> Line:
    delivery = explained.line.delivery
    if delivery is None:
        return Line("nothing", "send", Tone.QUIET, 1)
    text = f"{delivery.action.value} with regenerate_flag {delivery.flag.value}, delivery {delivery.id}"
    return Line(text, "send", SEND_TONE[delivery.action], 1)


def _mapping(mapping: ExplainedMapping) -> Iterator[Line]:
    if mapping.row is None:
        yield Line(f"no row fits (MAP-U): {mapping.unmapped_because}", "mapping", Tone.WARNING, 1)
    else:
        apart = "standalone" if mapping.row.standalone else "not standalone"
        asked = ", ".join(row.id for row in mapping.passed_over)
        after = f", after {asked} did not hold" if asked else ""
        yield Line(f"{mapping.row.id} → {mapping.row.revenue_type.value}, {apart}{after}", "mapping", depth=1)
    yield from (Line(_assumption(each), "assumed", Tone.WARNING, 1) for each in mapping.assumptions)


def _assumption(assumption: Assumption) -> str:
    return f"{assumption.fact}: {assumption.value} ({assumption.rule_id})"


def _drifting(explained: ExplainedLine) -> Iterator[Line]:
    if explained.drift is None:
        return
    if not explained.drift:
        yield Line("no: it is what the document says today", "drift", Tone.QUIET, 1)
    elif explained.line.item is None:
        gone, _, _ = explained.situation.partition(",")
        yield Line(f"{gone}: nothing would be generated today", "drift", Tone.WARNING, 1)
        return
    yield from (Line(change_text(each), "drift", Tone.WARNING, 1) for each in explained.drift)


def change_text(change: FieldChange) -> str:
    """A difference on one line.

    >>> change_text(FieldChange("standalone", False, True))
    'standalone: no → yes'
    """
    if isinstance(change.before, (Mapping, list)) and isinstance(change.after, (Mapping, list)):
        return f"{change.path}: differs within"
    return f"{change.path}: {_value(change.before)} → {_value(change.after)}"


def _value(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return yes_no(value)
    if isinstance(value, Decimal):
        return amount_text(value)
    shown = plain(value)
    return shown if isinstance(shown, str) else json.dumps(shown, ensure_ascii=False)


def _cited(rule: Rule, *, depth: int) -> Line:
    return Line(f"{rule.statement} [{rule.origin.value}]", rule.id, depth=depth)


def rule_lines(rule: Rule) -> tuple[Line, ...]:
    """All that the register says of a rule."""
    told = [("source", rule.source), ("reason", rule.reason), ("instead of", rule.alternatives)]
    return (
        Line(f"{rule.id} ({rule.origin.value})", tone=Tone.STRONG),
        Line(rule.statement, depth=1),
        *(Line(text, label, Tone.QUIET, 1) for label, text in told if text),
    )


def refused(explained: ExplainedRefusal, message: str | None = None) -> tuple[Line, ...]:
    """Why a request is refused, and what to do; ``message`` instead of the refusal's own where more may be told."""
    refusal = explained.refusal
    again = "The same request may succeed later." if refusal.is_transient else "Mend the cause before you repeat it."
    return (
        Line(f"refused: {refusal.name} ({refusal.code})", tone=Tone.REFUSED),
        Line(message or refusal.message, depth=1),
        *(_cited(rule, depth=1) for rule in explained.rules),
        Line(f"Nothing was changed (PRE-4). {again}", tone=Tone.QUIET, depth=1),
    )
