"""Writing what regenerations changed, within a unit of work."""

from __future__ import annotations

from datetime import datetime

from attrs import define, evolve, field

from regen_core.adapters.sql.reading import Reader, StoredRows
from regen_core.adapters.sql.rows import key_row, text_of_moment, transaction_row
from regen_core.adapters.sql.unit import Row
from regen_core.documents import DocumentKey
from regen_core.refusals import ConcurrentModification
from regen_core.regeneration import Regeneration
from regen_core.store import StoredDocument

__all__ = ["Changes", "write_regeneration"]


def write_regeneration(
    reader: Reader, rows: StoredRows, done: Regeneration, committed_at: datetime
) -> ConcurrentModification | None:
    """Write what a regeneration changed: transactions, counters, places and outbox.

    Refused, before anything is written, where the document has another version than the one that was read.
    """
    changes = Changes(reader, text_of_moment(committed_at))
    changes.add(rows, done)
    return changes.write()


@define
class Changes:
    """What regenerations changed and what is to be written of it, in the order in which they were added.

    Fields: ``moved`` how often each document changed and the version that it was read with; ``new`` transactions that
    weren't there and ``changed`` ones that were, as they are in the end; ``deliveries`` for the outbox.
    """

    _reader: Reader
    _committed_at: str
    moved: dict[DocumentKey, tuple[int, int]] = field(factory=dict)
    new: dict[tuple[DocumentKey, str], Row] = field(factory=dict)
    changed: dict[tuple[DocumentKey, str], Row] = field(factory=dict)
    deliveries: list[Row] = field(factory=list)

    def add(self, rows: StoredRows, done: Regeneration) -> StoredRows:
        """Note what a regeneration changed; the rows as they are after it.

        A transaction with the current header was written from the current version; any other keeps the version that it
        was read with.
        """
        header, key, places = done.document.header, done.document.key, rows.places
        start, occasions, after = key_row(key), self._reader.occasions, dict(places)
        place, has_changed = 0, False
        for line in done.lines:
            if line.after is None:
                continue
            transaction, item_id = line.after.transaction, line.after.transaction.item.id
            written_from = rows.content_version if transaction.header is header else places[item_id][1]
            told = (*transaction_row(transaction, occasions), written_from)
            if line.after is not line.before or places[item_id][0] != place:
                is_new = item_id not in places or (key, item_id) in self.new
                into = self.new if is_new else self.changed
                into[key, item_id] = (*start, item_id, place, line.after.deliveries, *told)
                has_changed = True
            if line.delivery is not None:
                sent = (line.delivery.number, line.delivery.flag._value_, line.delivery.action._value_)
                self.deliveries.append((*start, item_id, *sent, *told, self._committed_at))
                has_changed = True
            after[item_id] = (place, written_from)
            place += 1
        if not has_changed:
            return rows
        times, read = self.moved.get(key, (0, rows.version))
        self.moved[key] = (times + 1, read)
        stored = StoredDocument(rows.stored.document, done.stored_after)
        return evolve(rows, stored=stored, version=rows.version + 1, places=after)

    def write(self) -> ConcurrentModification | None:
        """Write it all, unless a document has moved; in a unit that locked its documents that ends the unit."""
        unit, statements = self._reader.unit, self._reader.statements
        moved = [(times, *key_row(key), read) for key, (times, read) in self.moved.items()]
        if unit.locks_rows:
            unit.write_many(statements.move_locked_document, moved)
        elif unit.write_each(statements.move_document, moved) != len(moved):
            return ConcurrentModification()
        unit.add_many(statements.add_transaction, [*self.new.values()])
        unit.write_many(statements.put_transaction, [*self.changed.values()])
        unit.add_many(statements.add_delivery, self.deliveries)
        return None
