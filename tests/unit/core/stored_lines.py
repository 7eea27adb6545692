"""A stored transaction made from an item, as tests of values need it."""

from __future__ import annotations

from regen_core.documents import BillingDocument
from regen_core.testing.edits import SLOTS, initial
from regen_core.transactions import (
    BillingTransaction,
    RevenueType,
    StoredTransaction,
    TransactionState,
    transaction_id,
)

__all__ = ["ONE", "OTHER", "stored"]

ONE, OTHER = initial(SLOTS[0]), initial(SLOTS[1])
"""Two documents of several items each."""


def stored(document: BillingDocument = ONE, place: int = 0) -> StoredTransaction:
    """The transaction of one of the document's items, as it is after a first generation, never sent."""
    item = document.items[place]
    return StoredTransaction(
        BillingTransaction(
            id=transaction_id(document.key, item.id),
            header=document.header,
            item=item,
            revenue_type=RevenueType.INV,
            standalone=False,
            revision=1,
            state=TransactionState.ACTIVE,
            created=None,
            updated=None,
        )
    )
