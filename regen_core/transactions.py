"""Billing transactions: what Billing keeps per item, and what is known beside it about deliveries to Revenue.

Owns identity (TBL-I), revision, the two states and the signed amount (MAP-A). A transaction holds its document's header
and its item by reference: they are the content as it was when the transaction was written, and they cost no copy. The
``regenerate_flag`` is not here; it belongs to a delivery.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from enum import Enum, IntEnum, unique
from hashlib import blake2b
from typing import Any, Final

from attrs import Attribute, field, frozen

from regen_core.documents import AdjustmentKind, BillingItem, DocumentHeader, DocumentKey, DocumentType, name_fault
from regen_core.unchecked import unchecked

__all__ = [
    "BillingTransaction",
    "NO_TRANSACTIONS",
    "Occasion",
    "RevenueType",
    "Standing",
    "StoredTransaction",
    "StoredTransactions",
    "TransactionState",
    "billed_amount",
    "new_transaction",
    "transaction_id",
    "transaction_ids_of",
]


@unique
class RevenueType(Enum):
    """The transaction type that Revenue reads (MAP, *Billing transaction type mapping*)."""

    INV = "INV"
    CM_C = "CM-C"
    CM_RO = "CM-RO"


@unique
class TransactionState(Enum):
    """Active, or voided because its item is gone (TBL-W9)."""

    ACTIVE = "active"
    VOIDED = "voided"


class Standing(IntEnum):
    """Where a transaction stands towards Revenue: the columns of TBL-S.

    *Live* is active and not excluded from revenue; *ever sent* means that a delivery for it was committed before.
    """

    LIVE_NEVER_SENT = 0
    LIVE_EVER_SENT = 1
    NOT_LIVE_NEVER_SENT = 2
    NOT_LIVE_EVER_SENT = 3


@frozen
class Occasion:
    """When and by whom something was asked, as values: the core reads no clock and knows no user of its own.

    ``by`` is a name of at most 255 characters without control characters; ``None`` means that nobody was told. Raises
    ``ValueError`` for a malformed name.
    """

    at: datetime
    by: str | None = field(default=None)

    @by.validator
    def _is_a_name(self, _: Attribute[Any], value: str | None) -> None:
        fault = None if value is None else name_fault(value)
        if fault is not None:
            raise ValueError(f"by {fault}")


_ACTIVE: Final = TransactionState.ACTIVE
_IDENTITY: Final = b"regen_core TBL-I"


def transaction_ids_of(key: DocumentKey) -> Callable[[str], str]:
    """The function from item id to transaction id within one document; it hashes the document's part once, and
    where no id is asked for, never (TBL-I).

    Each part is hashed behind its length in characters, so that no two tuples meet by concatenation.
    """
    copy_of_document: Callable[[], blake2b] | None = None

    def of_item(item_id: str) -> str:
        nonlocal copy_of_document
        if copy_of_document is None:
            copy_of_document = _hash_of(key).copy
        identity = copy_of_document()
        identity.update(f"{len(item_id)}:{item_id}".encode())
        return identity.hexdigest()

    return of_item


def _hash_of(key: DocumentKey) -> blake2b:
    tenant, entity, kind, document = key.tenant, key.entity, key.type.value, key.id
    parts = f"{len(tenant)}:{tenant}{len(entity)}:{entity}{len(kind)}:{kind}{len(document)}:{document}"
    return blake2b(parts.encode(), digest_size=16, person=_IDENTITY)


def transaction_id(key: DocumentKey, item_id: str) -> str:
    """The id of an item's transaction: 32 hexadecimal characters, a function of the document's key and the item's id.

    TBL-I, interpretation: Zuora's ids look the same, how they are made is not documented.

    >>> key = DocumentKey(tenant="t", entity="e", type=DocumentType.INVOICE, id="8ad08d29")
    >>> transaction_id(key, "i1")
    'a40b467b267192b669b2b2abb8e5ac6f'
    """
    return transaction_ids_of(key)(item_id)


def billed_amount(document_type: DocumentType, item: BillingItem) -> Decimal:
    """The item's amount with its sign for revenue, in the document's currency (MAP-A).

    >>> billed_amount(DocumentType.CREDIT_MEMO, BillingItem(id="i1", amount=Decimal("25.00")))
    Decimal('-25.00')
    """
    if document_type is DocumentType.CREDIT_MEMO or item.adjustment_kind is AdjustmentKind.CREDIT:
        return item.amount.copy_negate() if item.amount else item.amount
    return item.amount


@frozen
class BillingTransaction:
    """The record that Billing keeps for one item and that Revenue collects.

    Fields: ``id`` by TBL-I; ``header`` and ``item`` as they were when it was written last; ``revenue_type`` and
    ``standalone`` by MAP; ``revision`` counts from 1 and rises with each override or void; ``created`` and ``updated``
    are ``None`` where the occasion was not told. Source: *Billing Transaction object fields and Data Query*.
    """

    id: str
    header: DocumentHeader
    item: BillingItem
    revenue_type: RevenueType
    standalone: bool
    revision: int
    state: TransactionState
    created: Occasion | None
    updated: Occasion | None

    @property
    def amount(self) -> Decimal:
        """The billed amount with its sign for revenue, in ``header.currency`` (MAP-A)."""
        return billed_amount(self.header.key.type, self.item)

    @property
    def is_live(self) -> bool:
        """Whether Revenue is to hold it: active, and not excluded from revenue accounting."""
        return self.state is _ACTIVE and not self.item.excluded_from_revenue

    @property
    def content(self) -> tuple[DocumentHeader, BillingItem, RevenueType, bool]:
        """What an override replaces: all but id, revision, state and the two occasions."""
        return (self.header, self.item, self.revenue_type, self.standalone)


new_transaction: Final = unchecked(BillingTransaction)
"""A transaction from all its fields in order, made faster than by its class, which checks none of them."""


@frozen
class StoredTransaction:
    """A transaction as a store holds it, beside the number of deliveries that were ever committed for it (REV-0).

    ``deliveries`` is no part of the content and has no revision: sending a transaction doesn't change it.
    """

    transaction: BillingTransaction
    deliveries: int = 0
    place: int = field(init=False, eq=False, repr=False)
    """Where the composed tables rule on this line while its item is present and nothing is written."""

    @place.default
    def _placed(self) -> int:
        transaction = self.transaction
        never_sent = self.deliveries == 0
        if transaction.state is not _ACTIVE:
            return 10 if never_sent else 11
        if transaction.item.excluded_from_revenue:
            return 6 if never_sent else 7
        return 4 if never_sent else 5

    @property
    def standing(self) -> Standing:
        """Live or not, ever sent or not: the column of TBL-S as long as nothing is written."""
        return _STANDINGS[self.place & 3]


_STANDINGS: Final = tuple(Standing)


@frozen
class StoredTransactions:
    """The stored transactions of one document, in their stored order.

    Raises ``ValueError`` where they belong to several documents or two belong to one item.
    """

    lines: tuple[StoredTransaction, ...] = field(default=())
    item_ids: tuple[str, ...] = field(init=False, eq=False, repr=False)

    @item_ids.default
    def _ids(self) -> tuple[str, ...]:
        return tuple([line.transaction.item.id for line in self.lines])

    @lines.validator
    def _one_document(self, _: Attribute[Any], lines: tuple[StoredTransaction, ...]) -> None:
        if not lines:
            return
        key = lines[0].transaction.header.key
        for line in lines:
            other = line.transaction.header.key
            if other is not key and other != key:
                raise ValueError(f"stored transactions of one document, but {key} and {other} are two")
        if len(set(self.item_ids)) != len(lines):
            raise ValueError("two stored transactions of one document belong to the same item")

    def __len__(self) -> int:
        return len(self.lines)


NO_TRANSACTIONS: Final = StoredTransactions()
