"""What the page shows of a document, as values: each line with what is stored, sent and held, and where they drift.

Nothing here rules on anything. Whether an item lacks its transaction or a transaction its item stands in TBL-W, what a
stored transaction would be different in today is what explaining finds, and how Revenue's disagreement is called and
settled stands in the rules of reconciliation. This module asks them line by line and puts their words side by side.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from enum import Enum, unique
from typing import Final

from attrs import frozen

from regen_core.changes import FieldChange
from regen_core.decision_table import DECISION_TABLE, Mode, Presence, WriteAction, WriteRule
from regen_core.documents import BillingDocument, BillingItem
from regen_core.explain.blocks import Tone
from regen_core.explain.regenerations import drift_of, explain_mapping, transaction_changes
from regen_core.explain.words import PRESENCE, VARIANCE_TONE
from regen_core.ports import OutboxEntry
from regen_core.reconciliation import Period, Reconciliation, Variance, foresee, reconcile
from regen_core.revenue import Held
from regen_core.store import StoredDocument
from regen_core.transactions import StoredTransaction, TransactionState
from regen_core.variance_rules import Transit

__all__ = ["Concern", "DocumentParts", "DocumentView", "LineView", "Mark", "totals_of", "view_of"]

_EVER: Final = Period(date.min, date.max)
"""A document is shown whatever its date."""


@unique
class Concern(Enum):
    """How much a mark matters: the sides have drifted, a delivery that waits will settle it, or it is only said."""

    DRIFT = "drift"
    WAITING = "waiting"
    NOTE = "note"


@frozen(kw_only=True)
class Mark:
    """Something about a line that a reader must not overlook.

    Fields: ``name`` is the same word wherever it occurs; ``told`` a sentence or less; ``rule_ids`` where that is laid
    down; ``changes`` what differs, from what is there to what is right; ``advice`` what to do, empty where that is
    plain.
    """

    name: str
    concern: Concern
    tone: Tone
    told: str
    rule_ids: tuple[str, ...]
    changes: tuple[FieldChange, ...] = ()
    advice: str = ""


@frozen(kw_only=True)
class DocumentParts:
    """All that is known of one document: what a store has, its deliveries that wait, and what Revenue holds."""

    stored: StoredDocument
    waiting: tuple[OutboxEntry, ...] = ()
    held: tuple[Held, ...] = ()


@frozen(kw_only=True)
class LineView:
    """One line from the item to Revenue.

    Fields: ``item`` ``None`` means that it is gone, and ``is_tax`` that it is a tax line, which has no transaction;
    ``stored`` and ``held`` ``None`` that there is nothing; ``waiting`` are deliveries that nobody acknowledged yet.
    """

    item_id: str
    item: BillingItem | None
    is_tax: bool
    stored: StoredTransaction | None
    waiting: tuple[OutboxEntry, ...]
    held: Held | None
    marks: tuple[Mark, ...]

    @property
    def has_drifted(self) -> bool:
        """Whether document, transaction and Revenue disagree in a way that no delivery under way settles."""
        return any(mark.concern is Concern.DRIFT for mark in self.marks)


@frozen(kw_only=True)
class DocumentView:
    """A document with its lines: items in document order, then what has no item any more."""

    document: BillingDocument
    lines: tuple[LineView, ...]

    @property
    def drifted(self) -> int:
        """How many lines have drifted."""
        return sum(line.has_drifted for line in self.lines)


def view_of(parts: DocumentParts) -> DocumentView:
    """A document as it is shown. Costs some ten microseconds per line, more for one that has drifted."""
    document = parts.stored.document
    stored = {each.transaction.item.id: each for each in parts.stored.transactions.lines}
    held = {each.transaction.item.id: each for each in parts.held}
    waiting: dict[str, list[OutboxEntry]] = {}
    for entry in parts.waiting:
        waiting.setdefault(entry.delivery.transaction.item.id, []).append(entry)
    variances = {each.transaction.item.id: each for each in _reconciled((parts,)).variances}
    items = {item.id: item for item in document.items}
    lines = [
        _line(
            document,
            item_id,
            items.get(item_id),
            stored.get(item_id),
            tuple(waiting.get(item_id, ())),
            held.get(item_id),
            variances.get(item_id),
        )
        for item_id in dict.fromkeys((*items, *stored, *held))
    ]
    return DocumentView(document=document, lines=tuple(lines))


def totals_of(documents: Sequence[DocumentParts]) -> Reconciliation:
    """Billing against Revenue over some documents, whatever their dates; they come by type and id (RCN-1, RCN-2)."""
    return _reconciled(documents)


def _reconciled(documents: Sequence[DocumentParts]) -> Reconciliation:
    outcome = reconcile(_EVER, _billing(documents), [held for parts in documents for held in parts.held])
    return foresee(outcome, [entry.delivery for parts in documents for entry in parts.waiting])


def _billing(documents: Iterable[DocumentParts]) -> Iterator[StoredTransaction]:
    for parts in documents:
        yield from sorted(parts.stored.transactions.lines, key=lambda line: line.transaction.item.id)


def _line(
    document: BillingDocument,
    item_id: str,
    item: BillingItem | None,
    stored: StoredTransaction | None,
    waiting: tuple[OutboxEntry, ...],
    held: Held | None,
    variance: Variance | None,
) -> LineView:
    is_tax = item is not None and item.is_tax
    of_billing = _of_billing(document, None if is_tax else item, stored)
    of_revenue = () if variance is None else (_of_revenue(variance),)
    parked = [_parked(entry) for entry in waiting if entry.parked_at is not None]
    return LineView(
        item_id=item_id,
        item=item,
        is_tax=is_tax,
        stored=stored,
        waiting=waiting,
        held=held,
        marks=(*of_billing, *of_revenue, *parked),
    )


def _of_billing(
    document: BillingDocument, item: BillingItem | None, stored: StoredTransaction | None
) -> Iterator[Mark]:
    """Where the stored transaction isn't what the document generates today."""
    presence = _presence(item, stored)
    if presence is None:
        return
    would = DECISION_TABLE.writes[Mode.REMIGRATE, presence]
    if stored is not None:
        yield from _drifted(would, presence, drift_of(stored.transaction, document.header, item))
    elif document.header.is_posted:
        yield Mark(
            name="no transaction",
            concern=Concern.DRIFT,
            tone=Tone.GENERATE,
            told=PRESENCE[presence],
            rule_ids=(would.id,),
            advice="Regenerate the document: that generates it.",
        )
    if item is not None:
        yield from _unmappable(document, item)


def _presence(item: BillingItem | None, stored: StoredTransaction | None) -> Presence | None:
    """The column of TBL-W in which a line is; ``None`` for a tax line without a transaction, which is in none."""
    if stored is None:
        return None if item is None else Presence.ITEM_ONLY
    is_active = stored.transaction.state is TransactionState.ACTIVE
    if item is None:
        return Presence.GONE_ACTIVE if is_active else Presence.GONE_VOIDED
    return Presence.PRESENT_ACTIVE if is_active else Presence.PRESENT_VOIDED


def _drifted(would: WriteRule, presence: Presence, changes: tuple[FieldChange, ...]) -> Iterator[Mark]:
    if not changes:
        return
    is_gone = would.action is WriteAction.VOID
    paths = ", ".join(change.path for change in changes)
    yield Mark(
        name="item gone" if is_gone else "content drifted",
        concern=Concern.DRIFT,
        tone=Tone.VOID if is_gone else Tone.OVERRIDE,
        told=f"{PRESENCE[presence]}: nothing would be generated today" if is_gone else f"drifted in {paths}",
        rule_ids=(would.id,),
        changes=() if is_gone else changes,
        advice=f"Regenerate the document with reMigrate: that would {would.action.value} it.",
    )


def _unmappable(document: BillingDocument, item: BillingItem) -> Iterator[Mark]:
    mapping = explain_mapping(document.header, item)
    if mapping.unmapped_because is not None:
        yield Mark(
            name="unmappable",
            concern=Concern.NOTE,
            tone=Tone.WARNING,
            told=f"no row of the mapping fits: {mapping.unmapped_because}",
            rule_ids=("MAP-U",),
        )


def _of_revenue(variance: Variance) -> Mark:
    """Where Revenue doesn't hold what is stored."""
    is_waiting = variance.transit is Transit.ON_ITS_WAY
    changes: tuple[FieldChange, ...] = ()
    if variance.stored is not None and variance.held is not None:
        changes = transaction_changes(variance.held.transaction, variance.stored.transaction)
    return Mark(
        name=variance.kind.value,
        concern=Concern.WAITING if is_waiting else Concern.DRIFT,
        tone=VARIANCE_TONE[variance.kind],
        told=variance.transit.value,
        rule_ids=(variance.kind.rule_id,),
        changes=changes,
        advice=variance.remedy.advice,
    )


def _parked(entry: OutboxEntry) -> Mark:
    return Mark(
        name="delivery parked",
        concern=Concern.DRIFT,
        tone=Tone.REFUSED,
        told=f"{entry.delivery.id} failed {entry.attempts}× and nobody tries it any more: {entry.fault}",
        rule_ids=(),
        advice="Find out why it failed, then release it with regen deliver --retry-parked.",
    )
