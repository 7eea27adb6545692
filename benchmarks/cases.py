"""The documents that benchmarks decide on: five lines, as an ordinary invoice has."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from regen_core import (
    BillingDocument,
    BillingItem,
    DocumentHeader,
    DocumentKey,
    DocumentType,
    ItemSource,
    RegenerateRequest,
)

__all__ = ["ITEMS", "document", "request"]

ITEMS = 5


def document(number: int, *, items: int = ITEMS, amount: str = "10.00") -> BillingDocument:
    """A posted subscription invoice; each ``number`` is another document."""
    key = DocumentKey(tenant="tenant", entity="entity", type=DocumentType.INVOICE, id=f"8ad08d29{number:024x}")
    header = DocumentHeader(key=key, number=f"INV{number:08d}", status="Posted", date=date(2026, 1, 31), currency="EUR")
    lines = [
        BillingItem(id=f"8ad08f{number:022x}{line:04x}", amount=Decimal(amount), source=ItemSource.SUBSCRIPTION)
        for line in range(items)
    ]
    return BillingDocument(header, tuple(lines))


def request(of: BillingDocument, *, only_re_send: bool = False, re_migrate: bool = False) -> RegenerateRequest:
    """A request for a document by its id."""
    return RegenerateRequest(type=of.type, id=of.id, only_re_send=only_re_send, re_migrate=re_migrate)
