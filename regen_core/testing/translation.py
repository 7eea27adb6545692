"""From the core's values to the naive model's dictionaries."""

from __future__ import annotations

from enum import Enum
from typing import Any, Final

from regen_core.access import Scope
from regen_core.decision_table import RegenerateFlag, SendAction
from regen_core.documents import (
    AdjustmentKind,
    BillingDocument,
    BillingItem,
    DocumentType,
    ItemSource,
    OrderLineCategory,
    ProcessingType,
)
from regen_core.request import RegenerateRequest
from regen_core.revenue import Held, HeldAs
from regen_core.testing.model import Plain
from regen_core.transactions import RevenueType, TransactionState

__all__ = ["WORDS", "plain_document", "plain_held", "plain_item", "plain_request", "plain_scope"]


_ENUMS: Final[tuple[type[Enum], ...]] = (
    AdjustmentKind,
    DocumentType,
    HeldAs,
    ItemSource,
    OrderLineCategory,
    ProcessingType,
    RegenerateFlag,
    RevenueType,
    SendAction,
    TransactionState,
)
WORDS: Final[dict[Enum | None, Any]] = {
    None: None,
    **{member: member.value for kind in _ENUMS for member in kind},
}
"""Members to Zuora's words; a look-up is faster than asking the member."""


def plain_item(item: BillingItem) -> Plain:
    """An item as the model reads it."""
    return {
        "id": item.id,
        "amount": item.amount,
        "kind": WORDS[item.adjustment_kind],
        "source": WORDS[item.source],
        "processing": WORDS[item.processing_type],
        "excluded": item.excluded_from_revenue,
        "booking_amount": item.booking_amount,
        "booking_excluded": item.booking_excluded,
        "account_level_discount": item.account_level_discount,
        "calculated_charge_model": item.calculated_charge_model,
        "charge_deleted": item.charge_deleted,
        "category": WORDS[item.order_line_category],
        "as_given": item,
    }


def plain_document(document: BillingDocument) -> Plain:
    """A document as the model reads it."""
    header, key = document.header, document.header.key
    return {
        "tenant": key.tenant,
        "entity": key.entity,
        "type": WORDS[key.type],
        "id": key.id,
        "number": header.number,
        "org": header.org,
        "status": header.status,
        "reason_code": header.reason_code,
        "from_reversal": header.from_reversal,
        "items": [plain_item(item) for item in document.items],
        "as_given": header,
    }


def plain_request(request: RegenerateRequest) -> Plain:
    """A request as the model reads it."""
    return {
        "type": WORDS[request.type],
        "id": request.id,
        "number": request.number,
        "only_re_send": request.only_re_send,
        "re_migrate": request.re_migrate,
    }


def plain_scope(scope: Scope) -> Plain:
    """A scope as the model reads it."""
    return {"tenant": scope.tenant, "entity": scope.entity, "orgs": scope.orgs}


def plain_held(held: Held) -> Plain:
    """What Revenue holds, as the model holds it."""
    transaction, key = held.transaction, held.transaction.header.key
    plain = {
        "identity": (key.tenant, key.entity, key.type.value, key.id, transaction.item.id),
        "document": {"as_given": transaction.header},
        "item": plain_item(transaction.item),
        "revenue_type": WORDS[transaction.revenue_type],
        "standalone": transaction.standalone,
        "revision": transaction.revision,
        "state": WORDS[transaction.state],
        "created": transaction.created,
        "updated": transaction.updated,
    }
    return {"kind": WORDS[held.kind], "transaction": plain}
