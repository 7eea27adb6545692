"""A store in memory: the reference store behind the same port as a database.

For tests, notebooks and dry runs; it keeps nothing beyond the process. Each verb replaces one immutable value by
another, so a unit of work is an assignment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from threading import RLock

from attrs import evolve

from regen_core.access import Scope
from regen_core.adapters.memory_calls import in_turn
from regen_core.adapters.memory_outbox import backlog_of, claimed, due_entries, is_same_claim, noted
from regen_core.adapters.memory_pages import page
from regen_core.adapters.memory_runs import MemoryRuns
from regen_core.adapters.memory_sides import compared, held_in, is_selected, lines_of, place
from regen_core.attempts import Acknowledged
from regen_core.documents import BillingDocument, DocumentKey, DocumentType
from regen_core.idempotency import IdempotencyRecord, Proceed, Replay, consult, is_saved, key_digest, meaning_of
from regen_core.ports import (
    Backlog,
    CollectedDeliveries,
    DocumentLoaded,
    Found,
    IdempotentCall,
    LoadOutcome,
    OutboxEntry,
    Page,
    RegenerateCall,
    Selection,
    Settlement,
)
from regen_core.reconciliation import Period, Reconciliation
from regen_core.refusals import ConcurrentModification, DocumentNotFound, DocumentReferenceMismatch, Refusal
from regen_core.regeneration import Regeneration, decide, refused_unread
from regen_core.request import RegenerateRequest
from regen_core.revenue import Delivery, Held, RevenueLedger, collect
from regen_core.store import Loaded, StoredDocument, TransactionStore
from regen_core.transactions import Occasion, StoredTransaction

__all__ = ["MemoryStore"]

_ALL = Selection()
_PAGE = 100


def _utc_now() -> datetime:
    return datetime.now(UTC)


class MemoryStore(MemoryRuns):
    """The port over :class:`~regen_core.store.TransactionStore`; one lock makes every verb a unit of work.

    >>> MemoryStore().documents(Scope(tenant="t", entity="e", orgs=None)).rows
    ()
    """

    def __init__(self, clock: Callable[[], datetime] = _utc_now) -> None:
        super().__init__()
        self.transaction_store = TransactionStore()
        self.ledger = RevenueLedger()
        self._versions: dict[DocumentKey, int] = {}
        self._outbox: tuple[OutboxEntry, ...] = ()
        self._records: dict[str, IdempotencyRecord] = {}
        self._clock = clock
        self._lock = RLock()

    def close(self) -> None:
        """Nothing is held open."""

    # documents

    def load(self, document: BillingDocument) -> LoadOutcome:
        """Add or replace a document (DOC-1 … DOC-4)."""
        with self._lock:
            outcome = self.transaction_store.load(document)
            if not isinstance(outcome, Loaded):
                return outcome
            self._moved(document.key, outcome.store)
            return DocumentLoaded(document.key, outcome.is_new, outcome.changes)

    def load_all(self, documents: Iterable[BillingDocument]) -> tuple[LoadOutcome, ...]:
        """Add or replace several documents; a refused one stops no other (DOC-4)."""
        with self._lock:
            return tuple([self.load(document) for document in tuple(documents)])

    def _moved(self, key: DocumentKey, store: TransactionStore) -> None:
        if store is not self.transaction_store:
            self._versions[key] = self._versions.get(key, 0) + 1
            self.transaction_store = store

    def find(self, scope: Scope, request: RegenerateRequest) -> Found | DocumentNotFound | DocumentReferenceMismatch:
        """The document that a request names, with its transactions (REQ-4, REQ-7, ACC-4)."""
        with self._lock:
            found = self.transaction_store.find(scope, request)
            if isinstance(found, (DocumentNotFound, DocumentReferenceMismatch)):
                return found
            return Found(found, self._versions[found.document.key])

    def plan(
        self, scope: Scope, request: RegenerateRequest, occasion: Occasion | None = None
    ) -> Regeneration | Refusal:
        """What :meth:`regenerate` would do now."""
        unread = refused_unread(request)
        found = self.find(scope, request) if unread is None else unread
        if not isinstance(found, Found):
            return found
        return decide(found.stored.document, found.stored.transactions, request, occasion)

    def invoice_currency(self, scope: Scope, invoice_id: str) -> str | None:
        """The currency of a visible invoice, ``None`` when there is none."""
        found = self.find(scope, RegenerateRequest(type=DocumentType.INVOICE, id=invoice_id))
        return found.stored.document.header.currency if isinstance(found, Found) else None

    # the operation

    def regenerate(
        self,
        scope: Scope,
        request: RegenerateRequest,
        occasion: Occasion | None = None,
        *,
        expected: int | None = None,
        idempotent: IdempotentCall | None = None,
    ) -> Regeneration | Refusal | Replay:
        """Decide and keep, as one assignment; see :class:`regen_core.ports.DocumentStore`."""
        unread = refused_unread(request)
        if unread is not None:
            return unread
        with self._lock:
            if idempotent is None:
                return self._regenerate(scope, request, occasion, expected)
            return self._regenerate_once(scope, request, occasion, expected, idempotent)

    def regenerate_all(
        self, scope: Scope, requests: Iterable[RegenerateRequest], occasion: Occasion | None = None
    ) -> tuple[Regeneration | Refusal, ...]:
        """Decide and keep several; a refused one stops no other."""
        with self._lock:
            unread = [(request, refused_unread(request)) for request in requests]
            return tuple([at_once or self._regenerate(scope, each, occasion, None) for each, at_once in unread])

    def regenerate_together(self, calls: Iterable[RegenerateCall]) -> tuple[Regeneration | Refusal | Replay, ...]:
        """Decide and keep calls of several callers; a refused one stops no other."""
        with self._lock:
            return tuple(in_turn(calls, self._call))

    def _call(self, call: RegenerateCall) -> Regeneration | Refusal | Replay:
        return self.regenerate(call.scope, call.request, call.occasion, idempotent=call.idempotent)

    def _regenerate(
        self, scope: Scope, request: RegenerateRequest, occasion: Occasion | None, expected: int | None
    ) -> Regeneration | Refusal:
        return self._kept(self._decided(scope, request, occasion, expected))

    def _decided(
        self, scope: Scope, request: RegenerateRequest, occasion: Occasion | None, expected: int | None
    ) -> Regeneration | Refusal:
        found, outcome = self.find(scope, request), self.plan(scope, request, occasion)
        if isinstance(found, Found) and isinstance(outcome, Regeneration) and expected not in (None, found.version):
            return ConcurrentModification()
        return outcome

    def _kept(self, outcome: Regeneration | Refusal) -> Regeneration | Refusal:
        if not isinstance(outcome, Regeneration):
            return outcome
        after = self.transaction_store.apply(outcome)
        assert not isinstance(after, ConcurrentModification), "it was decided under the same lock"
        if outcome.deliveries or outcome.stored_after != outcome.stored:
            self._moved(outcome.document.key, after)
        at, first = self._clock(), len(self._outbox) + 1
        self._outbox += tuple(OutboxEntry(first + n, each, at, None) for n, each in enumerate(outcome.deliveries))
        return outcome

    def _regenerate_once(
        self,
        scope: Scope,
        request: RegenerateRequest,
        occasion: Occasion | None,
        expected: int | None,
        call: IdempotentCall,
    ) -> Regeneration | Refusal | Replay:
        digest, meaning, now = (
            key_digest(scope.tenant, call.client, call.key),
            meaning_of(scope, request),
            self._clock(),
        )
        record = self._records.get(digest)
        visible = record is None or all([self._sees(scope, each) for each in record.documents])
        verdict = consult(record, meaning, now, documents_are_visible=visible)
        if not isinstance(verdict, Proceed):
            return verdict
        documents = tuple([each.document.key for each in self.transaction_store.named(scope, request)])
        outcome = self._decided(scope, request, occasion, expected)
        if is_saved(outcome):
            answer = call.answer(outcome)
            self._records[digest] = IdempotencyRecord(
                meaning=meaning, status=answer.status, body=answer.body, documents=documents, set_at=now
            )
        return self._kept(outcome)

    def _sees(self, scope: Scope, key: DocumentKey) -> bool:
        stored = self.transaction_store.get(key)
        return stored is not None and scope.can_see(stored.document.header)

    # listings

    def documents(
        self, scope: Scope, selection: Selection = _ALL, *, limit: int = _PAGE, after: str | None = None
    ) -> Page[BillingDocument]:
        """Documents as loaded last, by type and id."""
        rows = [(place(document.header), document) for document in self._selected(scope, selection)]
        return page(rows, limit, after)

    def transactions(
        self, scope: Scope, selection: Selection = _ALL, *, limit: int = _PAGE, after: str | None = None
    ) -> Page[StoredTransaction]:
        """Stored transactions by type and id of their document, then by item id."""
        rows = lines_of(self._stored(scope, selection))
        return page(rows, limit, after)

    def deliveries(
        self,
        scope: Scope,
        selection: Selection = _ALL,
        *,
        acknowledged: bool | None = None,
        parked: bool | None = None,
        limit: int = _PAGE,
        after: str | None = None,
    ) -> Page[OutboxEntry]:
        """The outbox in commit order: what is acknowledged or isn't, is parked or isn't."""
        rows = [
            (("", f"{entry.position:020}"), entry)
            for entry in self._entries(scope, selection)
            if acknowledged in (None, entry.acknowledged_at is not None)
            and parked in (None, entry.parked_at is not None)
        ]
        return page(rows, limit, after)

    def _entries(self, scope: Scope, selection: Selection = _ALL) -> list[OutboxEntry]:
        """The outbox in commit order, as far as it belongs to visible documents."""
        selected = {document.key for document in self._selected(scope, selection)}
        return [entry for entry in self._outbox if entry.delivery.transaction.header.key in selected]

    def revenue(
        self, scope: Scope, selection: Selection = _ALL, *, limit: int = _PAGE, after: str | None = None
    ) -> Page[Held]:
        """What Revenue holds, by type and id of the document as it was sent, then by item id."""
        rows = held_in(self.ledger, self.transaction_store, scope, selection)
        return page(rows, limit, after)

    def reconcile(self, scope: Scope, period: Period, kind: DocumentType | None = None) -> Reconciliation:
        """Billing against the built-in Revenue as of one moment (RCN-7)."""
        selection = Selection(type=kind)
        with self._lock:
            lines, entries = lines_of(self._stored(scope, selection)), self._entries(scope, selection)
            held = held_in(self.ledger, self.transaction_store, scope, selection)
        return compared(period, lines, held, entries)

    def _stored(self, scope: Scope, selection: Selection) -> list[StoredDocument]:
        found = [(stored, stored.document.header) for stored in self.transaction_store.documents.values()]
        return [stored for stored, header in found if scope.can_see(header) and is_selected(header, selection)]

    def _selected(self, scope: Scope, selection: Selection) -> list[BillingDocument]:
        return [stored.document for stored in self._stored(scope, selection)]

    # the outbox and Revenue

    def pending(self, scope: Scope, limit: int = _PAGE) -> tuple[OutboxEntry, ...]:
        """The first deliveries that aren't done, in commit order."""
        return self.deliveries(scope, acknowledged=False, limit=limit).rows

    def acknowledge(self, scope: Scope, entries: Sequence[OutboxEntry]) -> int:
        """Mark deliveries as done; how many of them weren't until now."""
        with self._lock:
            asked, now = {entry.position for entry in entries}, self._clock()
            done = [each for each in self._outbox if each.position in asked and _waits_in(scope, each)]
            self._replace([evolve(each, acknowledged_at=now, due_at=None, parked_at=None) for each in done])
            for entry in done:
                self.transaction_store = self.transaction_store.delivered(entry.delivery.id)
            return len(done)

    def _replace(self, entries: Sequence[OutboxEntry]) -> None:
        changed = {each.position: each for each in entries}
        self._outbox = tuple([changed.get(each.position, each) for each in self._outbox])

    def claim(self, scope: Scope, limit: int, lease: timedelta) -> tuple[OutboxEntry, ...]:
        """Take the first deliveries that are due; nobody else gets them until the lease is over."""
        with self._lock:
            now = self._clock()
            taken = claimed(due_entries(self._entries(scope), limit, now), now, lease)
            self._replace(taken)
            return taken

    def settle(self, scope: Scope, settlements: Sequence[Settlement]) -> int:
        """Note what became of claimed deliveries; how many of the notes were taken."""
        with self._lock:
            return sum(self._settle(scope, each) for each in settlements)

    def _settle(self, scope: Scope, settlement: Settlement) -> int:
        mine = settlement.entry
        if isinstance(settlement.outcome, Acknowledged):
            return self.acknowledge(scope, (mine,))
        found = [each for each in self._outbox if is_same_claim(each, mine) and _waits_in(scope, each)]
        self._replace([noted(each, settlement.outcome, self._clock()) for each in found])
        return len(found)

    def release_parked(self, scope: Scope) -> int:
        """Make parked deliveries due again; how many there were."""
        with self._lock:
            parked = [each for each in self._entries(scope) if each.parked_at is not None]
            self._replace([evolve(each, parked_at=None, due_at=None, attempts=0) for each in parked])
            return len(parked)

    def backlog(self, scope: Scope) -> Backlog:
        """What isn't done yet."""
        with self._lock:
            return backlog_of(self._entries(scope), self._clock())

    def acknowledged_count(self, scope: Scope) -> int:
        """How many deliveries are done."""
        return sum(each.acknowledged_at is not None for each in self._entries(scope))

    def collect(self, deliveries: Sequence[Delivery]) -> CollectedDeliveries:
        """Let Revenue collect deliveries (REV-1 … REV-4)."""
        with self._lock:
            collected = 0
            for delivery in deliveries:
                after = collect(self.ledger, delivery)
                collected += after is not self.ledger
                self.ledger = after
            return CollectedDeliveries(collected, len(deliveries) - collected)

    def deliver_to_ledger(self, scope: Scope, limit: int = _PAGE) -> CollectedDeliveries:
        """Collect the first deliveries that are due and acknowledge them."""
        with self._lock:
            due = due_entries(self._entries(scope), limit, self._clock())
            done = self.collect([entry.delivery for entry in due])
            self.acknowledge(scope, due)
            return done


def _waits_in(scope: Scope, entry: OutboxEntry) -> bool:
    key = entry.delivery.transaction.header.key
    return entry.acknowledged_at is None and (key.tenant, key.entity) == (scope.tenant, scope.entity)
