"""Explanations as JSON values: names are the library's own, amounts are text, nothing is lost to a float."""

from __future__ import annotations

from typing import Any

from regen_core.changes import FieldChange
from regen_core.documents import DocumentHeader
from regen_core.explain.refused import ExplainedRefusal
from regen_core.explain.regenerations import ExplainedLine, ExplainedMapping, Explanation
from regen_core.plain_values import plain
from regen_core.rules import Rule
from regen_core.transactions import StoredTransaction

__all__ = ["changes_as_json", "explanation_as_json", "mapping_as_json", "refusal_as_json", "rule_as_json"]

JsonObject = dict[str, Any]


def explanation_as_json(explanation: Explanation) -> JsonObject:
    """A regeneration with its reasons; ``id_list`` names what is written or sent (TBL-R)."""
    done = explanation.regeneration
    return {
        "document": _document(done.document.header),
        "request": plain(done.request),
        "mode": plain(done.rule.mode),
        "regenerate_flag": plain(done.rule.flag),
        "rule": rule_as_json(explanation.rule),
        "id_list": list(done.id_list),
        "lines": [_line(line) for line in explanation.lines],
        "skipped": [{"item_id": each.item.id, "rule": rule_as_json(each.rule)} for each in explanation.skipped],
    }


def _document(header: DocumentHeader) -> JsonObject:
    facts = ("number", "status", "date", "currency", "org")
    return {**plain(header.key), **{name: plain(getattr(header, name)) for name in facts}}


def _line(explained: ExplainedLine) -> JsonObject:
    line = explained.line
    ruling, delivery = line.ruling, line.delivery
    return {
        "item_id": explained.line.item_id,
        "transaction_id": explained.transaction_id,
        "write": ruling.write.action.value,
        "send": None if ruling.send is None else ruling.send.action.value,
        "regenerate_flag": None if delivery is None else delivery.flag.value,
        "delivery_id": None if delivery is None else delivery.id,
        "situation": explained.situation,
        "rules": [rule_as_json(each) for each in explained.rules],
        "before": _stored(line.before),
        "after": _stored(line.after),
        "changes": changes_as_json(explained.changes),
        "mapping": None if explained.mapping is None else mapping_as_json(explained.mapping),
        "drift": None if explained.drift is None else changes_as_json(explained.drift),
    }


def _stored(stored: StoredTransaction | None) -> JsonObject | None:
    if stored is None:
        return None
    transaction = stored.transaction
    return {
        "revision": transaction.revision,
        "state": transaction.state.value,
        "revenue_type": transaction.revenue_type.value,
        "standalone": transaction.standalone,
        "amount": str(transaction.amount),
        "currency": transaction.header.currency,
        "is_live": transaction.is_live,
        "deliveries": stored.deliveries,
    }


def mapping_as_json(mapping: ExplainedMapping) -> JsonObject:
    """How an item maps today; ``row`` ``null`` means that no row covers it (MAP-U)."""
    return {
        "row": None if mapping.row is None else mapping.row.id,
        "revenue_type": None if mapping.row is None else mapping.row.revenue_type.value,
        "standalone": None if mapping.row is None else mapping.row.standalone,
        "passed_over": [row.id for row in mapping.passed_over],
        "assumptions": [plain(each) for each in mapping.assumptions],
        "unmapped_because": mapping.unmapped_because,
    }


def changes_as_json(changes: tuple[FieldChange, ...]) -> list[JsonObject]:
    """Differences in order: path, before, after; ``null`` means that nothing stood there."""
    return [plain(change) for change in changes]


def refusal_as_json(explained: ExplainedRefusal) -> JsonObject:
    """A refusal with its rules and the fields that it has of its own."""
    refusal = explained.refusal
    return {
        "name": refusal.name,
        "code": refusal.code,
        "category": refusal.category,
        "http_status": refusal.http_status,
        "rank": refusal.rank,
        "is_transient": refusal.is_transient,
        "message": refusal.message,
        "rules": [rule_as_json(each) for each in explained.rules],
        "details": plain(refusal),
    }


def rule_as_json(rule: Rule) -> JsonObject:
    """A rule of the register."""
    return {"id": rule.id, "origin": rule.origin.value, "statement": rule.statement, "source": rule.source}
