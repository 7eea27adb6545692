"""Transactions made from an item, as tests of values need them."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from regen_core.documents import BillingDocument, BillingItem, DocumentHeader
from regen_core.testing.edits import SLOTS, initial
from regen_core.transactions import (
    BillingTransaction,
    RevenueType,
    StoredTransaction,
    TransactionState,
    transaction_id,
)

__all__ = ["ONE", "OTHER", "stored", "transaction_of"]

ONE, OTHER = initial(SLOTS[0]), initial(SLOTS[1])
"""Two documents of several items each."""


def transaction_of(header: DocumentHeader, item: BillingItem, **changed: Any) -> BillingTransaction:
    """An item's transaction as it is after a first generation, with some things changed."""
    first = BillingTransaction(
        id=transaction_id(header.key, item.id),
        header=header,
        item=item,
        revenue_type=RevenueType.INV,
        standalone=False,
        revision=1,
        state=TransactionState.ACTIVE,
        created=None,
        updated=None,
    )
    return evolve(first, **changed)


def stored(document: BillingDocument = ONE, place: int = 0) -> StoredTransaction:
    """The transaction of one of the document's items, as it is after a first generation, never sent."""
    return StoredTransaction(transaction_of(document.header, document.items[place]))
