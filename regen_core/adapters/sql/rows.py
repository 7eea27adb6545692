"""Values to rows and rows to values; it runs no statement. A row that no store wrote raises ``NotCanonical``.

Owns the column order of what :mod:`statements` reads and writes. A transaction's header and item aren't in its row: the
row names the version of the document that they come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from regen_core.adapters.sql.contents import (
    DAMAGE,
    Content,
    content_of_row,
    header_of_text,
    header_text,
    item_of_text,
    item_text,
)
from regen_core.decision_table import RegenerateFlag, SendAction
from regen_core.documents import BillingItem, DocumentHeader, DocumentKey, DocumentType
from regen_core.ports import OutboxEntry
from regen_core.revenue import Delivery, Held, HeldAs
from regen_core.transactions import BillingTransaction, Occasion, RevenueType, TransactionState, new_transaction
from regen_core.wire.codec import NotCanonical

__all__ = [
    "Contents",
    "DAMAGE",
    "MOST_ONCE",
    "MOST_TEXT",
    "Occasions",
    "damaged",
    "entry_of_row",
    "exact_moment",
    "fact_of_number",
    "held_of_row",
    "held_row",
    "key_of_row",
    "key_row",
    "moment_of_text",
    "read_content",
    "text_of_moment",
    "transaction_of_row",
    "transaction_row",
]

Row = tuple[Any, ...]
_OccasionRow = tuple[str | None, str | None]

MOST_TEXT: Final = 1 << 21
"""Characters of a generation of contents: 3,400 documents of five items, and 12 MB with what is made of them."""

MOST_ONCE: Final = 1 << 14
"""Contents that were read once lately and would be kept the next time."""

_TYPES: Final = {each.value: each for each in DocumentType}
_REVENUE_TYPES: Final = {each.value: each for each in RevenueType}
_STATES: Final = {each.value: each for each in TransactionState}
_FLAGS: Final = {each.value: each for each in RegenerateFlag}
_ACTIONS: Final = {each.value: each for each in SendAction}
_KINDS: Final = {each.value: each for each in HeldAs}
_FACTS: Final = {0: False, 1: True}


def damaged(damage: Exception) -> NotCanonical:
    """What is the matter with a row, by what its values raised; none of them is repeated."""
    if isinstance(damage, NotCanonical):
        return damage
    return NotCanonical(f"a row that no store wrote ({type(damage).__name__})")


def fact_of_number(number: int) -> bool:
    """The fact that a column holds as 0 or 1."""
    try:
        return _FACTS[number]
    except KeyError as damage:
        raise damaged(damage) from None


def key_row(key: DocumentKey) -> Row:
    """A document's identity: tenant, entity, type, id."""
    return (key.tenant, key.entity, key.type._value_, key.id)


def key_of_row(row: Sequence[Any]) -> DocumentKey:
    """The identity with which a row begins."""
    try:
        return DocumentKey(tenant=row[0], entity=row[1], type=_TYPES[row[2]], id=row[3])
    except DAMAGE as damage:
        raise damaged(damage) from None


def read_content(key: Row, row: Row) -> Content:
    """The content that :func:`content_row` wrote, of the document that :func:`key_row` names."""
    return content_of_row(key_of_row(key), row)


class Contents:
    """Contents that were read lately, by the whole text they were read from: whatever became of a row, it is right.

    A document is often read again and seldom changes, and reading it costs more than comparing its text; one that is
    read only once isn't worth its memory, so content is kept when it is read for the second time. Two generations are
    kept, each of so much text: what is found in the older one moves to the younger. Threads may share it; at worst, one
    reads what another is just keeping.
    """

    __slots__ = ("_older", "_once", "_size", "_younger")

    def __init__(self) -> None:
        self._once: set[int] = set()
        self._younger: dict[Row, Content] = {}
        self._older: dict[Row, Content] = {}
        self._size = 0

    def of(self, key: Row, row: Row) -> Content:
        """What :func:`read_content` reads."""
        name = (*key, *row)
        found = self._younger.get(name)
        if found is None:
            found = self._older.get(name)
            again = found is not None or self._is_read_again(hash(name))
            found = found or read_content(key, row)
            if again:
                self._keep(name, found, sum(map(len, row)))
        return found

    def _is_read_again(self, name: int) -> bool:
        """Whether a name was read before, lately; two that share a hash may be taken for each other."""
        if name in self._once:
            self._once.discard(name)
            return True
        if len(self._once) >= MOST_ONCE:
            self._once = set()
        self._once.add(name)
        return False

    def _keep(self, name: Row, content: Content, size: int) -> None:
        if self._size + size > MOST_TEXT:
            self._older, self._younger, self._size = self._younger, {}, 0
        self._younger[name] = content
        self._size += size


class Occasions:
    """Occasions as two columns, and back: the lines of one document mostly share theirs, so each is turned once."""

    __slots__ = ("_read", "_written")

    def __init__(self) -> None:
        self._read: dict[tuple[str | None, str | None], Occasion | None] = {(None, None): None}
        self._written: dict[int, tuple[Occasion | None, _OccasionRow]] = {id(None): (None, (None, None))}

    def of(self, row: _OccasionRow) -> Occasion | None:
        """The occasion of two columns; ``None`` where the moment is null."""
        found = self._read.get(row)
        if found is None and row[0] is not None:
            found = self._read[row] = Occasion(datetime.fromisoformat(row[0]), row[1])
            self._written[id(found)] = (found, row)
        return found

    def row(self, occasion: Occasion | None) -> _OccasionRow:
        """The two columns of an occasion."""
        found = self._written.get(id(occasion))
        if found is None:
            assert occasion is not None, "the row of no occasion is there from the start"
            found = self._written[id(occasion)] = (occasion, (occasion.at.isoformat(), occasion.by))
        return found[1]


def transaction_row(transaction: BillingTransaction, occasions: Occasions) -> Row:
    """What a transaction says beside header and item."""
    return (
        transaction.id,
        transaction.revenue_type._value_,
        1 if transaction.standalone else 0,
        transaction.revision,
        transaction.state._value_,
        *occasions.row(transaction.created),
        *occasions.row(transaction.updated),
    )


def transaction_of_row(header: DocumentHeader, item: BillingItem, row: Row, occasions: Occasions) -> BillingTransaction:
    """The transaction that :func:`transaction_row` wrote, with its header and item."""
    found, kind, standalone, revision, state, created_at, created_by, updated_at, updated_by = row
    try:
        return new_transaction(
            found,
            header,
            item,
            _REVENUE_TYPES[kind],
            _FACTS[standalone],
            revision,
            _STATES[state],
            occasions.of((created_at, created_by)),
            occasions.of((updated_at, updated_by)),
        )
    except DAMAGE as damage:
        raise damaged(damage) from None


def entry_of_row(content: Content, row: Row, occasions: Occasions) -> OutboxEntry:
    """An outbox row: position, key, item id, number, flag, action, transaction, version, then what relays noted."""
    position, _, _, _, _, item_id, number, flag, action, *told, _, committed_at, done, claims, attempts = row[:-3]
    due_at, parked_at, fault = row[-3:]
    transaction = transaction_of_row(content.header, content.item(item_id), tuple(told), occasions)
    try:
        delivery = Delivery(transaction, number, _FLAGS[flag], _ACTIONS[action])
    except KeyError as damage:
        raise damaged(damage) from None
    return OutboxEntry(
        position,
        delivery,
        exact_moment(committed_at),
        moment_of_text(done),
        claims,
        attempts,
        moment_of_text(due_at),
        moment_of_text(parked_at),
        fault,
    )


def moment_of_text(text: str | None) -> datetime | None:
    """The moment that a column holds; ``None`` where it is null."""
    return None if text is None else exact_moment(text)


def exact_moment(text: str) -> datetime:
    """The moment that :func:`text_of_moment` wrote."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as damage:
        raise damaged(damage) from None
    if found.tzinfo is None:
        raise NotCanonical("a moment without a time zone")
    return found


def text_of_moment(moment: datetime) -> str:
    """A moment as a column holds it: in UTC, so that later moments are later texts."""
    return (moment if moment.tzinfo is UTC else moment.astimezone(UTC)).isoformat()


def held_row(held: Held, occasions: Occasions) -> Row:
    """All columns of the ledger: Revenue keeps its own copy."""
    transaction, header, item = held.transaction, held.transaction.header, held.transaction.item
    return (
        *key_row(header.key),
        item.id,
        header.number,
        header.org,
        held.kind.value,
        *transaction_row(transaction, occasions),
        header.date.isoformat(),
        header.currency,
        header_text(header),
        header.carried.text,
        item_text(item),
        item.carried.text,
    )


def held_of_row(row: Row, occasions: Occasions) -> Held:
    """What :func:`held_row` wrote."""
    _, _, _, _, item_id, _, _, kind, *told, _, _, header, header_carried, item, item_carried = row
    read, of = header_of_text(header, key_of_row(row), header_carried), item_of_text(item, item_carried)
    if of.id != item_id:
        raise NotCanonical("an item that is another one than its row says")
    try:
        return Held(transaction_of_row(read, of, tuple(told), occasions), _KINDS[kind])
    except KeyError as damage:
        raise damaged(damage) from None
