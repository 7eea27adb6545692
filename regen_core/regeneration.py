"""The decision: ``decide`` says what a request does to one document's transactions, ``apply`` gives the state after it.

Owns the join of items and stored transactions, the order of lines, and the building of what the tables command. What is
commanded stands in :mod:`regen_core.decision_table`; nothing here asks for a mode or a flag. Both functions are pure:
a dry run is ``decide`` without ``apply``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from operator import attrgetter
from typing import Final

from attrs import frozen

from regen_core.decision_table import (
    DECISION_TABLE,
    DecisionTable,
    ModeRule,
    ModeRulings,
    Presence,
    Ruling,
    WriteAction,
)
from regen_core.documents import POSTED_STATUS, BillingDocument, BillingItem, DocumentHeader
from regen_core.refusals import (
    ConcurrentModification,
    ConflictingFlags,
    DocumentNotFound,
    DocumentNotPosted,
    NothingToResend,
    Refusal,
    UnmappableItem,
    UnmappedItem,
)
from regen_core.request import RegenerateRequest
from regen_core.revenue import Delivery
from regen_core.transactions import (
    BillingTransaction,
    Occasion,
    Standing,
    StoredTransaction,
    StoredTransactions,
    TransactionState,
    new_transaction,
    transaction_ids_of,
)
from regen_core.type_mapping import mapping_of, unmapped_because
from regen_core.unchecked import unchecked

__all__ = ["PlannedLine", "Regeneration", "apply", "decide", "refused_unread"]


@frozen
class PlannedLine:
    """What happens to one line, and why.

    Fields: ``item`` ``None`` means that the item is gone; ``before`` ``None`` that nothing was stored; ``after``
    ``None`` that the line doesn't exist after the operation (TBL-W11); ``delivery`` ``None`` that Revenue is told
    nothing. ``ruling`` holds the cells of TBL-W and TBL-S.
    """

    item: BillingItem | None
    before: StoredTransaction | None
    after: StoredTransaction | None
    ruling: Ruling
    delivery: Delivery | None

    @property
    def item_id(self) -> str:
        """The id of the line's item, present or gone."""
        if self.item is not None:
            return self.item.id
        assert self.before is not None, "a line has an item or a stored transaction"
        return self.before.transaction.item.id

    @property
    def rule_ids(self) -> tuple[str, ...]:
        """The cells of TBL-W and TBL-S that decided this line."""
        return self.ruling.rule_ids


@frozen(slots=False)
class Regeneration:
    """What a request that isn't refused does: which transactions are written, what Revenue is told, and why.

    Fields: ``document`` and ``stored`` are what was read; ``rule`` is the row of TBL-M. The four columns hold one entry
    per line, items in document order and then stored transactions whose item is gone; ``written`` has the transaction
    as it is created or changed, ``None`` where none is. All else is derived from them when it is asked for.
    """

    document: BillingDocument
    stored: StoredTransactions
    request: RegenerateRequest
    rule: ModeRule
    items: tuple[BillingItem | None, ...]
    before: tuple[StoredTransaction | None, ...]
    written: tuple[BillingTransaction | None, ...]
    rulings: tuple[Ruling, ...]

    @cached_property
    def after(self) -> tuple[tuple[BillingTransaction, int] | None, ...]:
        """Each line's transaction afterwards and how often it was sent by then; ``None``: there is none (TBL-W11)."""
        columns = zip(self.before, self.written, self.rulings, strict=True)
        return tuple([_after(old, new, ruling) for old, new, ruling in columns])

    @cached_property
    def lines(self) -> tuple[PlannedLine, ...]:
        """Every line with its rules, before and after, and what is sent."""
        columns = zip(self.items, self.before, self._outcomes, self.rulings, strict=True)
        return tuple([PlannedLine(item, old, stored, ruling, sent) for item, old, (stored, sent), ruling in columns])

    @property
    def writes(self) -> tuple[BillingTransaction, ...]:
        """The transactions that are created or changed, in line order."""
        return tuple([new for new in self.written if new is not None])

    @property
    def deliveries(self) -> tuple[Delivery, ...]:
        """What is committed to the outbox for Revenue, in line order."""
        return tuple([sent for _, sent in self._outcomes if sent is not None])

    @property
    def id_list(self) -> tuple[str, ...]:
        """The ids of the transactions that were written or sent, once each, in line order (TBL-R)."""
        told = zip(self.after, self.rulings, strict=True)
        return tuple([now[0].id for now, ruling in told if now is not None and ruling.acts])

    @property
    def skipped_tax_items(self) -> tuple[BillingItem, ...]:
        """The tax lines, which have no revenue transaction (TAX-1)."""
        return tuple(item for item in self.document.items if item.is_tax)

    @property
    def stored_after(self) -> StoredTransactions:
        """The document's stored transactions after the operation, in line order."""
        return StoredTransactions(tuple([line for line, _ in self._outcomes if line is not None]))

    @cached_property
    def _outcomes(self) -> tuple[_Outcome, ...]:
        columns = zip(self.before, self.written, self.rulings, strict=True)
        return tuple([_outcome(old, new, ruling) for old, new, ruling in columns])


_After = tuple[BillingTransaction, int] | None
_Outcome = tuple[StoredTransaction | None, Delivery | None]
"""A line as it is stored afterwards, and what Revenue is told of it."""


def _after(old: StoredTransaction | None, new: BillingTransaction | None, ruling: Ruling) -> _After:
    if old is None:
        return None if new is None else (new, 1 if ruling.sends else 0)
    return new or old.transaction, old.deliveries + ruling.sends


def _outcome(old: StoredTransaction | None, new: BillingTransaction | None, ruling: Ruling) -> _Outcome:
    if not ruling.acts:
        return old, None  # what nothing happens to is the value that it was
    after = _after(old, new, ruling)
    if after is None:
        return None, None
    transaction, number = after
    sent = Delivery(transaction, number, ruling.flag, ruling.message) if ruling.sends else None
    return StoredTransaction(transaction, number), sent


def decide(
    document: BillingDocument,
    stored: StoredTransactions,
    request: RegenerateRequest,
    occasion: Occasion | None = None,
    table: DecisionTable = DECISION_TABLE,
) -> Regeneration | Refusal:
    """What the request does to the document's stored transactions and tells Revenue, or why it is refused.

    ``occasion`` is stamped on what is written; ``None`` leaves it unstamped. ``table`` is the operation itself.
    Refusals in order: ConflictingFlags, DocumentNotFound (the request names another document; whether that one exists
    is for ``find`` to say), DocumentNotPosted, UnmappableItem, NothingToResend. Raises ``ValueError`` where ``stored``
    belongs to another document. Rules TBL-M, TBL-W, TBL-S, TBL-R, MAP, ELI-1, ELI-2. Source: *Regenerate billing
    transactions*.

    >>> from datetime import date; from decimal import Decimal
    >>> from regen_core.documents import BillingItem, DocumentHeader, DocumentKey, DocumentType, ItemSource
    >>> key = DocumentKey(tenant="t", entity="e", type=DocumentType.INVOICE, id="8ad08d29")
    >>> header = DocumentHeader(key=key, number="INV-1", status="Posted", date=date(2026, 1, 31), currency="EUR")
    >>> item = BillingItem(id="i1", amount=Decimal("10.00"), source=ItemSource.SUBSCRIPTION)
    >>> request = RegenerateRequest(type=DocumentType.INVOICE, number="INV-1")
    >>> done = decide(BillingDocument(header, (item,)), StoredTransactions(), request)
    >>> [line.rule_ids for line in done.lines]
    [('TBL-W1', 'TBL-S1')]
    """
    if stored.lines:
        key, other = document.header.key, stored.lines[0].transaction.header.key
        if key is not other and key != other:
            raise ValueError(f"the stored transactions are not those of {key}")
    rulings = table.rulings[request.only_re_send, request.re_migrate]
    if rulings is None:
        return ConflictingFlags()
    refusal = _refused(document, request)
    if refusal is not None:
        return refusal
    if rulings.keeps_stored and stored.item_ids == document.revenue_item_ids:
        # All items have their transaction and none is written: nothing is joined and nothing is copied.
        items, lines, cells = document.revenue_items, stored.lines, rulings.cells
        ruled = tuple([cells[line.place] for line in lines])
        done = _regeneration(document, stored, request, rulings.rule, items, lines, (None,) * len(lines), ruled)
    else:
        written = _written(document, stored, request, rulings, occasion)
        if isinstance(written, UnmappableItem):
            return written
        done = written
    if not rulings.rule.may_say_nothing and not _says_something(done):
        return NothingToResend(len(document.revenue_items), len(stored.lines))
    return done


def apply(stored: StoredTransactions, regeneration: Regeneration) -> StoredTransactions | ConcurrentModification:
    """The stored transactions after the operation, or a refusal when they aren't those that were decided on."""
    if stored is not regeneration.stored and stored != regeneration.stored:
        return ConcurrentModification()
    return regeneration.stored_after


def refused_unread(request: RegenerateRequest, table: DecisionTable = DECISION_TABLE) -> ConflictingFlags | None:
    """The refusal that needs no document: it comes before everything that a look-up could say (PRE-1, TBL-M4).

    >>> from regen_core.documents import DocumentType
    >>> refused_unread(RegenerateRequest(type=DocumentType.INVOICE, id="8ad08d29")) is None
    True
    """
    return ConflictingFlags() if table.rulings[request.only_re_send, request.re_migrate] is None else None


def _refused(document: BillingDocument, request: RegenerateRequest) -> Refusal | None:
    """Why the request can't be about this document in its present status (REQ-4, REQ-7, ELI-1)."""
    header = document.header
    key = header.key
    if request.type is not key.type:
        return DocumentNotFound(request.type)
    if (request.id is not None and request.id != key.id) or (
        request.number is not None and request.number != header.number
    ):
        return DocumentNotFound(request.type)
    if not header.is_posted:
        return DocumentNotPosted(request.type, POSTED_STATUS[request.type])
    return None


def _says_something(done: Regeneration) -> bool:
    return any(map(_sends, done.rulings))


def _written(
    document: BillingDocument,
    stored: StoredTransactions,
    request: RegenerateRequest,
    rulings: ModeRulings,
    occasion: Occasion | None,
) -> Regeneration | UnmappableItem:
    """The general case: join, write what the tables command, and rule on each line as it is stored then."""
    items, before = _joined(document, stored)
    cells, write = rulings.cells, _writer(document.header, occasion)
    written: list[BillingTransaction | None] = []
    ruled: list[Ruling] = []
    unmapped: list[BillingItem] = []
    for item, old in zip(items, before, strict=True):
        place = _NEW if old is None else old.place if item is not None else old.place + _GONE
        ruling = cells[place]
        if not ruling.writes:
            written.append(None)
            ruled.append(ruling)
            continue
        new = write(ruling.write.action, item, old)
        if new is None:
            assert item is not None, "only an item can lack a mapping"
            unmapped.append(item)
            continue
        written.append(new)
        ruled.append(cells[place & ~_NOT_LIVE if new.is_live else place | _NOT_LIVE])
    if unmapped:
        return UnmappableItem(tuple([UnmappedItem(it.id, unmapped_because(document.header, it)) for it in unmapped]))
    return _regeneration(document, stored, request, rulings.rule, items, before, tuple(written), tuple(ruled))


_Joined = tuple[tuple[BillingItem | None, ...], tuple[StoredTransaction | None, ...]]


def _joined(document: BillingDocument, stored: StoredTransactions) -> _Joined:
    """Items in document order, each with its stored transaction, then transactions without an item."""
    if not stored.lines:
        return document.revenue_items, (None,) * len(document.revenue_items)
    if stored.item_ids == document.revenue_item_ids:
        return document.revenue_items, stored.lines
    unclaimed = dict(zip(stored.item_ids, stored.lines, strict=True))
    claimed = tuple([unclaimed.pop(item_id, None) for item_id in document.revenue_item_ids])
    return (*document.revenue_items, *[None for _ in unclaimed]), (*claimed, *unclaimed.values())


_NEW: Final = 4 * Presence.ITEM_ONLY
"""Where the composed tables rule on an item without a stored transaction."""

_GONE: Final = 4 * (Presence.GONE_ACTIVE - Presence.PRESENT_ACTIVE)
"""How far from its own place a stored transaction is ruled on when its item is gone."""

_NOT_LIVE: Final = int(Standing.NOT_LIVE_NEVER_SENT)
"""How far behind the place of a live transaction the one of another is."""


_Write = Callable[[WriteAction, BillingItem | None, StoredTransaction | None], BillingTransaction | None]


def _writer(header: DocumentHeader, occasion: Occasion | None) -> _Write:
    """The function from a cell of TBL-W and a line of the document to what is written of it.

    It gives ``None`` where the item has no mapping (MAP-U). An override keeps id and creation and raises the revision,
    even where nothing differs (TBL-I). A void keeps the content too (TBL-W9).
    """
    id_of, row_of = transaction_ids_of(header.key), mapping_of(header)

    def write(
        action: WriteAction, item: BillingItem | None, old: StoredTransaction | None
    ) -> BillingTransaction | None:
        if item is None or action is _VOID:
            assert old is not None, "a line without an item has a stored transaction"
            return _voided(old.transaction, occasion)
        row = row_of(item)
        if row is None:
            return None
        kind, standalone = row.revenue_type, row.standalone
        if action is _GENERATE:
            return new_transaction(id_of(item.id), header, item, kind, standalone, 1, _ACTIVE, occasion, occasion)
        assert old is not None, "only a stored transaction is overridden"
        id_, revision, created = old.transaction.id, old.transaction.revision + 1, old.transaction.created
        return new_transaction(id_, header, item, kind, standalone, revision, _ACTIVE, created, occasion)

    return write


def _voided(old: BillingTransaction, occasion: Occasion | None) -> BillingTransaction:
    kind, standalone, revision = old.revenue_type, old.standalone, old.revision + 1
    return new_transaction(old.id, old.header, old.item, kind, standalone, revision, _VOIDED, old.created, occasion)


_GENERATE: Final = WriteAction.GENERATE
_VOID: Final = WriteAction.VOID
_ACTIVE: Final = TransactionState.ACTIVE
_VOIDED: Final = TransactionState.VOIDED
_regeneration: Final = unchecked(Regeneration)
_sends: Final = attrgetter("sends")
