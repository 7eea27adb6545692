"""What a store in memory has on both sides, in the order of its listings, and how the sides compare."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from regen_core.access import Scope
from regen_core.documents import DocumentHeader
from regen_core.ports import OutboxEntry, Selection
from regen_core.reconciliation import Period, Reconciliation, foresee, reconcile
from regen_core.revenue import Held, RevenueLedger
from regen_core.store import StoredDocument, TransactionStore
from regen_core.transactions import BillingTransaction, StoredTransaction

__all__ = ["Placed", "compared", "held_in", "is_selected", "lines_of", "place"]

T = TypeVar("T")
Placed = tuple[tuple[str, ...], T]
"""A row behind its place in a listing."""


def place(header: DocumentHeader) -> tuple[str, ...]:
    """Where a document's rows stand: by its type and its id."""
    return header.key.type.value, header.key.id


def is_selected(header: DocumentHeader, selection: Selection) -> bool:
    """Whether a document is what a listing is asked for."""
    found = (header.key.type, header.key.id, header.number)
    wanted = (selection.type, selection.id, selection.number)
    return all(right is None or left == right for left, right in zip(found, wanted, strict=True))


def lines_of(documents: Iterable[StoredDocument]) -> list[Placed[StoredTransaction]]:
    """The transactions of documents."""
    return [(_place(line.transaction), line) for stored in documents for line in stored.transactions.lines]


def held_in(ledger: RevenueLedger, store: TransactionStore, scope: Scope, selection: Selection) -> list[Placed[Held]]:
    """What Revenue holds, as far as it is visible: by its document, or where there is none, by itself (ACC-5)."""
    rows = []
    for held in ledger.held.values():
        header = held.transaction.header
        known = store.get(header.key)
        document = None if known is None else known.document.header
        if scope.can_see_copy(header, document) and is_selected(header, selection):
            rows.append((_place(held.transaction), held))
    return rows


def _place(transaction: BillingTransaction) -> tuple[str, ...]:
    return (*place(transaction.header), transaction.item.id)


def compared(
    period: Period,
    stored: Iterable[Placed[StoredTransaction]],
    held: Iterable[Placed[Held]],
    outbox: Iterable[OutboxEntry],
) -> Reconciliation:
    """All lines of both sides, whatever the period, and what waits (RCN-1 … RCN-7)."""
    waiting = [entry.delivery for entry in outbox if entry.acknowledged_at is None]
    return foresee(reconcile(period, _in_order(stored), _in_order(held)), waiting)


def _in_order(rows: Iterable[Placed[T]]) -> Iterable[T]:
    return [row for _, row in sorted(rows, key=lambda row: row[0])]
