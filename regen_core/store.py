"""The reference store: documents, their transactions and the outbox as one immutable value.

It says what any store must answer; adapters are compared with it. Loading and applying cost the document's items times
the logarithm of the store, and the store before stays as it was. It enforces that a number (DOC-2) and an item (DOC-3)
belong to one document of a type.
"""

from __future__ import annotations

from attrs import evolve, field, frozen

from regen_core.access import Scope
from regen_core.changes import FieldChange, document_changes
from regen_core.documents import BillingDocument, DocumentKey, DocumentType
from regen_core.persistent_map import PersistentMap
from regen_core.refusals import ConcurrentModification, DocumentNotFound, DocumentReferenceMismatch
from regen_core.regeneration import Regeneration
from regen_core.request import RegenerateRequest
from regen_core.revenue import Delivery
from regen_core.transactions import NO_TRANSACTIONS, StoredTransactions

__all__ = ["ItemTaken", "Loaded", "NumberTaken", "StoredDocument", "TransactionStore"]


@frozen
class StoredDocument:
    """A document and its stored transactions: what ``decide`` is given."""

    document: BillingDocument
    transactions: StoredTransactions = NO_TRANSACTIONS


@frozen
class NumberTaken:
    """Another document of the same type has this number (DOC-2); nothing was loaded."""

    number: str
    owner: DocumentKey


@frozen
class ItemTaken:
    """Another document of the same type has this item (DOC-3); nothing was loaded."""

    item_id: str
    owner: DocumentKey


@frozen
class Loaded:
    """The store with the document in it; ``is_new``, or ``changes`` against the version that it replaced (DOC-1)."""

    store: TransactionStore
    is_new: bool
    changes: tuple[FieldChange, ...]


def _place(tenant: str, entity: str, kind: DocumentType, name: str) -> str:
    """One text per tuple: names hold no control characters, so the separator can't be part of one (REQ-7)."""
    return f"{tenant}\x1f{entity}\x1f{kind.value}\x1f{name}"


def _beside(key: DocumentKey, name: str) -> str:
    return _place(key.tenant, key.entity, key.type, name)


@frozen
class TransactionStore:
    """Documents with their transactions, who owns which number and item, and what waits to be delivered.

    >>> from datetime import date; from decimal import Decimal
    >>> from regen_core.documents import BillingItem, DocumentHeader
    >>> key = DocumentKey(tenant="t", entity="e", type=DocumentType.INVOICE, id="8ad08d29")
    >>> header = DocumentHeader(key=key, number="INV-1", status="Posted", date=date(2026, 1, 31), currency="EUR")
    >>> loaded = TransactionStore().load(BillingDocument(header, (BillingItem(id="i1", amount=Decimal(10)),)))
    >>> loaded.is_new, len(loaded.store.documents)
    (True, 1)
    """

    documents: PersistentMap[StoredDocument] = field(factory=PersistentMap)
    numbers: PersistentMap[DocumentKey] = field(factory=PersistentMap)
    items: PersistentMap[DocumentKey] = field(factory=PersistentMap)
    outbox: PersistentMap[Delivery] = field(factory=PersistentMap)

    def get(self, key: DocumentKey) -> StoredDocument | None:
        """What is stored of a document, or ``None``; for owners of the store, who see everything."""
        return self.documents.get(_beside(key, key.id))

    def load(self, document: BillingDocument) -> Loaded | NumberTaken | ItemTaken:
        """The store with the document added or replaced; its transactions stay as they are (DOC-1 … DOC-4)."""
        key, number = document.key, document.header.number
        owner = self.numbers.get(_beside(key, number))
        if owner is not None and owner != key:
            return NumberTaken(number, owner)
        for item in document.items:
            owner = self.items.get(_beside(key, item.id))
            if owner is not None and owner != key:
                return ItemTaken(item.id, owner)
        before = self.get(key)
        if before is None:
            return Loaded(self._replaced(None, StoredDocument(document)), True, ())
        changes = document_changes(before.document, document)
        if not changes:
            return Loaded(self, False, ())
        return Loaded(self._replaced(before.document, evolve(before, document=document)), False, changes)

    def _replaced(self, before: BillingDocument | None, now: StoredDocument) -> TransactionStore:
        key, numbers, items = now.document.key, self.numbers, self.items
        if before is not None:
            numbers = numbers.without(_beside(key, before.header.number))
            for item in before.items:
                items = items.without(_beside(key, item.id))
        for item in now.document.items:
            items = items.put(_beside(key, item.id), key)
        return TransactionStore(
            self.documents.put(_beside(key, key.id), now),
            numbers.put(_beside(key, now.document.header.number), key),
            items,
            self.outbox,
        )

    def find(
        self, scope: Scope, request: RegenerateRequest
    ) -> StoredDocument | DocumentNotFound | DocumentReferenceMismatch:
        """The document that a request names, within scope and type (REQ-4, REQ-7, ACC-4).

        Id and number are each looked up; one that leads to nothing visible is not found, even when the other leads to a
        visible document.
        """
        found = self.named(scope, request)
        if not found:
            return DocumentNotFound(request.type)
        return found[0] if len(found) == 1 else DocumentReferenceMismatch(request.type)

    def named(self, scope: Scope, request: RegenerateRequest) -> tuple[StoredDocument, ...]:
        """The documents that an answer to a request is about (IDM-6): one, two on a mismatch, none if not found."""
        found: list[StoredDocument | None] = []
        if request.id is not None:
            found.append(self.documents.get(_place(scope.tenant, scope.entity, request.type, request.id)))
        if request.number is not None:
            owner = self.numbers.get(_place(scope.tenant, scope.entity, request.type, request.number))
            found.append(None if owner is None else self.get(owner))
        seen = [each for each in found if each is not None and scope.can_see(each.document.header)]
        return tuple({each.document.key: each for each in seen}.values()) if len(seen) == len(found) else ()

    def apply(self, regeneration: Regeneration) -> TransactionStore | ConcurrentModification:
        """The store after the operation, its deliveries in the outbox; refused where what was read has moved."""
        key = regeneration.document.key
        now = self.get(key)
        if now is None or now != StoredDocument(regeneration.document, regeneration.stored):
            return ConcurrentModification()
        after = StoredDocument(now.document, regeneration.stored_after)
        outbox = self.outbox
        for delivery in regeneration.deliveries:
            outbox = outbox.put(delivery.id, delivery)
        return evolve(self, documents=self.documents.put(_beside(key, key.id), after), outbox=outbox)

    def delivered(self, delivery_id: str) -> TransactionStore:
        """The store once Revenue has acknowledged a delivery: it no longer waits in the outbox."""
        return evolve(self, outbox=self.outbox.without(delivery_id))
