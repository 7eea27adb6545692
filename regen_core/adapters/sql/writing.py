"""Writing documents and regenerations within a unit of work."""

from __future__ import annotations

from datetime import datetime

from regen_core.adapters.sql.reading import Reader, StoredRows
from regen_core.adapters.sql.rows import Occasions, content_row, key_row, transaction_row
from regen_core.changes import document_changes
from regen_core.documents import BillingDocument, DocumentKey
from regen_core.ports import DocumentLoaded, LoadOutcome
from regen_core.refusals import ConcurrentModification
from regen_core.regeneration import Regeneration
from regen_core.store import ItemTaken, NumberTaken

__all__ = ["load_document", "write_regeneration"]


def load_document(reader: Reader, document: BillingDocument) -> LoadOutcome:
    """Add or replace a document; a refused one has written nothing (DOC-1 … DOC-4)."""
    taken = _taken(reader, document)
    if taken is not None:
        return taken
    found = reader.get(document.key)
    if found is None:
        _put(reader, document, None, 1, 1)
        return DocumentLoaded(document.key, True, ())
    before, version, content_version = found
    changes = document_changes(before.document, document)
    if changes:
        _put(reader, document, before.document, version + 1, content_version + 1)
    return DocumentLoaded(document.key, False, changes)


def _taken(reader: Reader, document: BillingDocument) -> NumberTaken | ItemTaken | None:
    """Who else has the document's number or one of its items (DOC-2, DOC-3)."""
    unit, statements, key = reader.unit, reader.statements, document.key
    of_type = key_row(key)[:3]
    owner = unit.one(statements.number_owner, (*of_type, document.header.number))
    if owner is not None and owner[0] != key.id:
        return NumberTaken(document.header.number, _beside(key, owner[0]))
    for item in document.items:
        owner = unit.one(statements.item_owner, (*of_type, item.id))
        if owner is not None and owner[0] != key.id:
            return ItemTaken(item.id, _beside(key, owner[0]))
    return None


def _beside(key: DocumentKey, document_id: str) -> DocumentKey:
    return DocumentKey(tenant=key.tenant, entity=key.entity, type=key.type, id=document_id)


def _put(
    reader: Reader, document: BillingDocument, before: BillingDocument | None, version: int, content_version: int
) -> None:
    unit, statements, header, key = reader.unit, reader.statements, document.header, key_row(document.key)
    unit.write(statements.put_document, (*key, header.number, header.org, version, content_version))
    dated = (header.date.isoformat(), header.currency)
    unit.write(statements.add_version, (*key, content_version, *dated, *content_row(document)))
    had = {item.id for item in before.items} if before is not None else set()
    has = {item.id for item in document.items}
    unit.write_many(statements.remove_item, [(*key[:3], item_id) for item_id in sorted(had - has)])
    unit.write_many(statements.add_item, [(*key[:3], item_id, key[3]) for item_id in sorted(has - had)])


def write_regeneration(
    reader: Reader, rows: StoredRows, done: Regeneration, committed_at: datetime
) -> ConcurrentModification | None:
    """Write what a regeneration changed: transactions, counters, places and outbox.

    Refused, before anything is written, where the document has another version than the one that was read.
    """
    changed, deliveries = _changed_rows(reader.occasions, rows, done, committed_at.isoformat())
    if not changed and not deliveries:
        return None
    unit, statements = reader.unit, reader.statements
    if unit.write(statements.move_document, (1, *key_row(done.document.key), rows.version)) != 1:
        return ConcurrentModification()
    unit.write_many(statements.put_transaction, changed)
    unit.write_many(statements.add_delivery, deliveries)
    return None


_Rows = list[tuple[object, ...]]


def _changed_rows(occasions: Occasions, rows: StoredRows, done: Regeneration, committed_at: str) -> tuple[_Rows, _Rows]:
    """Transactions that differ from what was read or stand in another place now, and the deliveries.

    A transaction with the current header was written from the current version; any other keeps the version that it was
    read with.
    """
    header, key, current, places = done.document.header, key_row(done.document.key), rows.content_version, rows.places
    changed: _Rows = []
    deliveries: _Rows = []
    place = 0
    for line in done.lines:
        if line.after is None:
            continue
        transaction, item_id = line.after.transaction, line.after.transaction.item.id
        written_from = current if transaction.header is header else places[item_id][1]
        told = (*transaction_row(transaction, occasions), written_from)
        if line.after is not line.before or places[item_id][0] != place:
            changed.append((*key, item_id, place, line.after.deliveries, *told))
        if line.delivery is not None:
            sent = (line.delivery.number, line.delivery.flag._value_, line.delivery.action._value_)
            deliveries.append((*key, item_id, *sent, *told, committed_at))
        place += 1
    return changed, deliveries
