"""Writing what a regeneration changed, within a unit of work."""

from __future__ import annotations

from datetime import datetime

from regen_core.adapters.sql.reading import Reader, StoredRows
from regen_core.adapters.sql.rows import Occasions, key_row, transaction_row
from regen_core.refusals import ConcurrentModification
from regen_core.regeneration import Regeneration

__all__ = ["write_regeneration"]


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
    moved = (1, *key_row(done.document.key), rows.version)
    if unit.locks_rows:
        unit.put(statements.move_locked_document, moved)
    elif unit.write(statements.move_document, moved) != 1:
        return ConcurrentModification()
    unit.write_many(statements.put_transaction, changed)
    unit.add_many(statements.add_delivery, deliveries)
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
