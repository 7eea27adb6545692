"""What only goes out, as JSON: plans, refusals and differences. There is no way back."""

from __future__ import annotations

from regen_core.changes import FieldChange
from regen_core.plain_values import plain
from regen_core.refusals import Refusal
from regen_core.regeneration import PlannedLine, Regeneration
from regen_core.wire.canonical import key_json, stored_transaction_json
from regen_core.wire.codec import JsonObject
from regen_core.wire.requests import request_json

__all__ = ["change_json", "refusal_json", "regeneration_json"]


def refusal_json(refusal: Refusal) -> JsonObject:
    """A refusal with its name, code, category and message, and the fields that it has of its own (PRE-2).

    >>> from regen_core.documents import DocumentType
    >>> from regen_core.refusals import DocumentNotFound
    >>> refusal_json(DocumentNotFound(DocumentType.INVOICE))["code"]
    50000040
    """
    told = {"name": refusal.name, "code": refusal.code, "category": refusal.category, "message": refusal.message}
    return {**told, **plain(refusal)}


def change_json(change: FieldChange) -> JsonObject:
    """One difference between two versions, the values as plain JSON."""
    return {"path": change.path, "before": plain(change.before), "after": plain(change.after)}


def regeneration_json(done: Regeneration) -> JsonObject:
    """What a request does or did: the row of TBL-M, the idList and every line with its rules (TBL-R)."""
    return {
        "document": {**key_json(done.document.key), "number": done.document.header.number},
        "request": request_json(done.request),
        "mode": plain(done.rule.mode),
        "regenerate_flag": plain(done.rule.flag),
        "rule_id": done.rule.id,
        "id_list": list(done.id_list),
        "skipped_tax_items": [item.id for item in done.skipped_tax_items],
        "lines": [_line_json(line) for line in done.lines],
    }


def _line_json(line: PlannedLine) -> JsonObject:
    before, after, delivery = line.before, line.after, line.delivery
    return {
        "item_id": line.item_id,
        "transaction_id": after.transaction.id if after is not None else None,
        "rule_ids": list(line.rule_ids),
        "write": line.ruling.write.action.value,
        "send": None if line.ruling.send is None else line.ruling.send.action.value,
        "delivery_id": None if delivery is None else delivery.id,
        "before": None if before is None else stored_transaction_json(before),
        "after": None if after is None else stored_transaction_json(after),
    }
