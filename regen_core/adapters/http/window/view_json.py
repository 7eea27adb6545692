"""What the page shows, as JSON: amounts in full, as text and signed for revenue, and rules with their words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from regen_core.adapters.http.window.view import DocumentView, LineView, Mark
from regen_core.changes import FieldChange
from regen_core.documents import BillingItem, DocumentHeader
from regen_core.explain.sentences import change_text
from regen_core.explain.words import amount_text
from regen_core.plain_values import plain
from regen_core.ports import Backlog, OutboxEntry
from regen_core.reconciliation import Reconciliation
from regen_core.revenue import Held
from regen_core.rules import RULES
from regen_core.transactions import BillingTransaction, StoredTransaction, billed_amount

__all__ = ["backlog_json", "changes_told", "document_view_json", "label_of", "rules_json", "totals_json"]

JsonObject = dict[str, Any]

_LABELS: Final = ("chargeName", "skuName", "productName", "Comment")
"""Zuora's fields that say in words what was billed; the first that says something is shown."""

MOST_CHANGES: Final = 12
"""Differences that are told of one mark: what is left out is counted."""


def document_view_json(view: DocumentView) -> JsonObject:
    """A document with its lines."""
    header = view.document.header
    facts = ("number", "status", "date", "currency", "org", "is_posted")
    own = {"type": header.key.type.value, "id": header.key.id}
    told = {name: plain(getattr(header, name)) for name in facts}
    return {**own, **told, "drifted": view.drifted, "lines": [_line(header, line) for line in view.lines]}


def _line(header: DocumentHeader, line: LineView) -> JsonObject:
    return {
        "item_id": line.item_id,
        "label": label_of(line.item or (None if line.stored is None else line.stored.transaction.item)),
        "item": None if line.item is None else _item(header, line.item),
        "is_tax": line.is_tax,
        "stored": None if line.stored is None else _stored(line.stored),
        "waiting": [_waiting(entry) for entry in line.waiting],
        "held": None if line.held is None else _held(line.held),
        "has_drifted": line.has_drifted,
        "marks": [_mark(mark) for mark in line.marks],
    }


def label_of(item: BillingItem | None) -> str | None:
    """What was billed, in Zuora's words; ``None`` where nothing says it."""
    labels = () if item is None else [item.carried.fields.get(name) for name in _LABELS]
    return next((label for label in labels if isinstance(label, str) and label), None)


def _item(header: DocumentHeader, item: BillingItem) -> JsonObject:
    amount = amount_text(billed_amount(header.key.type, item))
    return {
        "amount": f"{amount} {header.currency}",
        "source": plain(item.source),
        "processing_type": item.processing_type.value,
        "is_excluded": item.excluded_from_revenue,
    }


def _transaction(transaction: BillingTransaction) -> JsonObject:
    return {
        "transaction_id": transaction.id,
        "revision": transaction.revision,
        "revenue_type": transaction.revenue_type.value,
        "standalone": transaction.standalone,
        "amount": f"{amount_text(transaction.amount)} {transaction.header.currency}",
    }


def _stored(stored: StoredTransaction) -> JsonObject:
    transaction = stored.transaction
    own = {"state": transaction.state.value, "is_live": transaction.is_live, "deliveries": stored.deliveries}
    return {**_transaction(transaction), **own}


def _held(held: Held) -> JsonObject:
    return {**_transaction(held.transaction), "kind": held.kind.value}


def _waiting(entry: OutboxEntry) -> JsonObject:
    delivery = entry.delivery
    return {
        "delivery_id": delivery.id,
        "action": delivery.action.value,
        "flag": delivery.flag.value,
        "revision": delivery.revision,
        "attempts": entry.attempts,
        "is_parked": entry.parked_at is not None,
    }


def _mark(mark: Mark) -> JsonObject:
    return {
        "name": mark.name,
        "concern": mark.concern.value,
        "tone": mark.tone.value,
        "told": mark.told,
        "advice": mark.advice,
        "rules": rules_json(mark.rule_ids),
        "changes": changes_told(mark.changes),
    }


def changes_told(changes: tuple[FieldChange, ...]) -> list[str]:
    """Differences as people read them, one line each; of many only the first, and how many there are more."""
    told = [change_text(each) for each in changes[:MOST_CHANGES]]
    left = len(changes) - len(told)
    return [*told, f"and {left} more"] if left else told


def rules_json(rule_ids: Iterable[str]) -> list[JsonObject]:
    """Rules with the register's words; an asterisk isn't needed, the origin is told."""
    rules = [RULES[each] for each in rule_ids]
    return [{"id": each.id, "statement": each.statement, "origin": each.origin.value} for each in rules]


def totals_json(outcome: Reconciliation) -> list[JsonObject]:
    """Both sides and their difference by currency."""
    told = []
    for each in outcome.totals:
        sides = {"billing": each.billing, "revenue": each.revenue, "difference": each.difference}
        amounts = {name: {"count": side.count, "amount": amount_text(side.amount)} for name, side in sides.items()}
        told.append({"currency": each.currency, **amounts})
    return told


def backlog_json(backlog: Backlog) -> JsonObject:
    """How much waits for Revenue. Its age isn't told: what changes by the second would make every answer new."""
    return {"waiting": backlog.waiting, "due": backlog.due, "parked": backlog.parked}
