"""Writing what regenerations changed, within a unit of work."""

from __future__ import annotations

from attrs import define, evolve, field

from regen_core.adapters.sql.reading import Reader, StoredRows
from regen_core.adapters.sql.rows import key_row, transaction_row
from regen_core.adapters.sql.unit import Row
from regen_core.documents import DocumentHeader
from regen_core.refusals import ConcurrentModification
from regen_core.regeneration import Regeneration
from regen_core.store import StoredDocument
from regen_core.transactions import BillingTransaction

__all__ = ["Changes", "rows_after", "write_regeneration"]


def write_regeneration(
    reader: Reader, rows: StoredRows, done: Regeneration, committed_at: str
) -> ConcurrentModification | None:
    """Write what a regeneration changed: transactions, counters, places and outbox.

    Refused, before anything is written, where the document has another version than the one that was read.
    """
    changes = Changes(reader, committed_at)
    changes.add(rows, done)
    return changes.write()


@define
class Changes:
    """What regenerations changed and what is to be written of it, in the order in which they were added.

    Fields: ``moved`` how often each document changed and the version that it was read with, by the row of its key;
    ``new`` transactions that weren't there and ``changed`` ones that were, as they are in the end, by the columns of
    their key; ``deliveries`` for the outbox.
    """

    _reader: Reader
    _committed_at: str
    moved: dict[Row, tuple[int, int]] = field(factory=dict)
    new: dict[Row, Row] = field(factory=dict)
    changed: dict[Row, Row] = field(factory=dict)
    deliveries: list[Row] = field(factory=list)

    def add(self, rows: StoredRows, done: Regeneration) -> bool:
        """Note what a regeneration changed; whether that is anything."""
        header, places, occasions = done.document.header, rows.places, self._reader.occasions
        start, place, has_changed = key_row(header.key), -1, False
        for after, ruling in zip(done.after, done.rulings, strict=True):
            if after is None:
                continue
            place += 1
            transaction, deliveries = after
            stored = places.get(transaction.item.id)
            if not (ruling.acts or stored is None or stored[0] != place):
                continue
            has_changed, name = True, (*start, transaction.item.id)
            told = (*transaction_row(transaction, occasions), _written_from(transaction, header, rows))
            into = self.new if stored is None or name in self.new else self.changed
            into[name] = (*name, place, deliveries, *told)
            if ruling.sends:
                sent = (deliveries, ruling.flag._value_, ruling.message._value_)
                self.deliveries.append((*name, *sent, *told, self._committed_at))
        if has_changed:
            times, read = self.moved.get(start, (0, rows.version))
            self.moved[start] = (times + 1, read)
        return has_changed

    def write(self) -> ConcurrentModification | None:
        """Write it all, unless a document has moved; in a unit that locked its documents that ends the unit."""
        unit, statements = self._reader.unit, self._reader.statements
        moved = [(times, *key, read) for key, (times, read) in self.moved.items()]
        if unit.locks_rows:
            unit.write_many(statements.move_locked_document, moved)
        elif unit.write_each(statements.move_document, moved) != len(moved):
            return ConcurrentModification()
        unit.add_many(statements.add_transaction, [*self.new.values()])
        unit.write_many(statements.put_transaction, [*self.changed.values()])
        unit.add_many(statements.add_delivery, self.deliveries)
        return None


def rows_after(rows: StoredRows, done: Regeneration) -> StoredRows:
    """The rows as they are after a regeneration that changed something."""
    header, places = done.document.header, dict(rows.places)
    for place, (transaction, _) in enumerate([after for after in done.after if after is not None]):
        places[transaction.item.id] = (place, _written_from(transaction, header, rows))
    stored = StoredDocument(rows.stored.document, done.stored_after)
    return evolve(rows, stored=stored, version=rows.version + 1, places=places)


def _written_from(transaction: BillingTransaction, header: DocumentHeader, rows: StoredRows) -> int:
    """The version of the document that a transaction's content comes from.

    One with the current header was written from the current version; any other keeps the one that it was read with.
    """
    return rows.content_version if transaction.header is header else rows.places[transaction.item.id][1]
