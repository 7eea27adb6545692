"""What a store of documents, transactions and deliveries must offer, as protocols and the values that they exchange.

Owns no behaviour. An adapter loads, asks the core, persists and translates; every rule it obeys is named here by id and
decided elsewhere. Whatever the store, its answers equal those of :class:`regen_core.store.TransactionStore`. That a
store can't do its work at all (a disk is full, a lock isn't granted) is no refusal: it raises :class:`StoreFault`, and
then nothing of the unit of work is stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from attrs import frozen

from regen_core.access import Scope
from regen_core.attempts import Outcome
from regen_core.calls import Answer, IdempotentCall, RegenerateCall
from regen_core.changes import FieldChange
from regen_core.documents import BillingDocument, DocumentKey, DocumentType
from regen_core.idempotency import Replay
from regen_core.page import MAX_PAGE, Page
from regen_core.reconciliation import Period, Reconciliation
from regen_core.refusals import DocumentNotFound, DocumentReferenceMismatch, Refusal
from regen_core.regeneration import Regeneration
from regen_core.request import RegenerateRequest
from regen_core.revenue import Delivery, Held
from regen_core.run_ports import MigrationRuns
from regen_core.store import ItemTaken, NumberTaken, StoredDocument
from regen_core.transactions import Occasion, StoredTransaction

__all__ = [
    "Answer",
    "Backlog",
    "CollectedDeliveries",
    "DocumentLoaded",
    "DocumentStore",
    "Found",
    "IdempotentCall",
    "LoadOutcome",
    "MAX_PAGE",
    "MigrationRuns",
    "Outbox",
    "OutboxEntry",
    "Page",
    "RegenerateCall",
    "RevenueSide",
    "Selection",
    "Settlement",
    "Store",
    "StoreFault",
    "StoreListings",
]


class StoreFault(Exception):  # noqa: N818  # the word of the field
    """A store that can't do its work; the message says what is wrong with it and what to do.

    Nothing was stored, unless the message says that this isn't known: a connection may break during a commit.
    """


@frozen
class Found:
    """A document with its stored transactions, and the version to hand back for compare-and-swap.

    ``version`` counts every change of the document or of its stored transactions; it never returns to an older value.
    """

    stored: StoredDocument
    version: int


@frozen
class DocumentLoaded:
    """A document is stored: ``is_new``, or ``changes`` against the version before, empty where it was equal (DOC-1)."""

    key: DocumentKey
    is_new: bool
    changes: tuple[FieldChange, ...]


LoadOutcome = DocumentLoaded | NumberTaken | ItemTaken
"""What loading one document led to; the last two stored nothing (DOC-2 … DOC-4)."""


@frozen(kw_only=True)
class Selection:
    """Which documents' rows a listing shows: all that are given must match exactly; ``None`` means any (REQ-7)."""

    type: DocumentType | None = None
    id: str | None = None
    number: str | None = None


@frozen
class OutboxEntry:
    """A delivery in the outbox at its place in commit order, with what relays noted about it.

    Fields: ``acknowledged_at`` ``None`` while it isn't done; ``claims`` how often a relay took it to send it;
    ``attempts`` how many of them failed; ``due_at`` before which no relay takes it, ``None``: at once; ``parked_at``
    ``None`` while somebody will try it; ``fault`` why the last attempt failed. Moments are the store's clock, in UTC.
    The delivery holds the content as it was when it was committed.
    """

    position: int
    delivery: Delivery
    committed_at: datetime
    acknowledged_at: datetime | None
    claims: int = 0
    attempts: int = 0
    due_at: datetime | None = None
    parked_at: datetime | None = None
    fault: str | None = None


@frozen
class Settlement:
    """What became of an entry, as it was when it was claimed."""

    entry: OutboxEntry
    outcome: Outcome


@frozen(kw_only=True)
class Backlog:
    """What isn't done yet, at one moment of the store's clock.

    Fields: ``waiting`` deliveries that somebody will try, ``due`` those of them that a relay may take now, ``parked``
    those that nobody tries; ``oldest`` when the first that waits was committed, ``next_due`` when the first becomes
    due: both ``None`` where none waits.
    """

    at: datetime
    waiting: int
    due: int
    parked: int
    oldest: datetime | None
    next_due: datetime | None


@frozen
class CollectedDeliveries:
    """How many deliveries Revenue took over and how many its rules ignored (REV-1, REV-2)."""

    collected: int
    ignored: int


class DocumentStore(Protocol):
    """Documents with their transactions. Every write is one atomic unit of work, durable when the call returns.

    A refusal changes nothing (PRE-4), and neither does an exception. Every look-up matches tenant, entity and
    organisations in the query itself (ACC-4) and ids and numbers exactly (REQ-7).
    """

    def load(self, document: BillingDocument) -> LoadOutcome:
        """Add or replace a document; its transactions stay as they are (DOC-1 … DOC-4)."""
        ...

    def load_all(self, documents: Iterable[BillingDocument]) -> tuple[LoadOutcome, ...]:
        """Load several in one unit of work, each as :meth:`load` would after those before it.

        One that is refused stores nothing and stops no other (DOC-4). The caller bounds the batch.
        """
        ...

    def find(self, scope: Scope, request: RegenerateRequest) -> Found | DocumentNotFound | DocumentReferenceMismatch:
        """The document that a request names, id and number each looked up (REQ-4, REQ-7, ACC-4)."""
        ...

    def plan(
        self, scope: Scope, request: RegenerateRequest, occasion: Occasion | None = None
    ) -> Regeneration | Refusal:
        """What :meth:`regenerate` would do now. Nothing is written and no lock against writers is taken."""
        ...

    def regenerate(
        self,
        scope: Scope,
        request: RegenerateRequest,
        occasion: Occasion | None = None,
        *,
        expected: int | None = None,
        idempotent: IdempotentCall | None = None,
    ) -> Regeneration | Refusal | Replay:
        """Decide and persist: transactions, delivery counters, outbox and the key's record in one commit (IDM-7).

        ``expected`` is a version from :meth:`find`: where document or transactions have moved since, the answer is
        ``ConcurrentModification``. Without it nothing can move between reading and writing. ``idempotent`` applies
        IDM-1 … IDM-6 on the store's clock; a replay writes nothing (IDM-8). Refusals keep their order (PRE-1).
        """
        ...

    def regenerate_all(
        self, scope: Scope, requests: Iterable[RegenerateRequest], occasion: Occasion | None = None
    ) -> tuple[Regeneration | Refusal, ...]:
        """Decide and persist several in one unit of work, each as :meth:`regenerate` would after those before it.

        What each led to, in order; one that is refused changes nothing and stops no other. The caller bounds the batch.
        """
        ...

    def regenerate_together(
        self, calls: Iterable[RegenerateCall]
    ) -> tuple[Regeneration | Refusal | Replay | StoreFault, ...]:
        """Perform calls of several callers in one unit of work, each as :meth:`regenerate` would after those before it.

        What each led to, in order: all of it is durable when this returns, and none where it raises. A call that can't
        be performed because of what is stored for its document has the fault in its place and stops no other. All are
        under way at once, so of several with one key the first has it and the others hear that (IDM-3). The caller
        bounds the batch.
        """
        ...

    def invoice_currency(self, scope: Scope, invoice_id: str) -> str | None:
        """The currency of a visible invoice, for the adjustments of its items; ``None`` when there is none."""
        ...


class StoreListings(Protocol):
    """What is stored, page by page, within scope (ACC-4); ``limit`` is at most :data:`MAX_PAGE`.

    A row that is there throughout is shown once, whatever is written between two pages.
    """

    def documents(
        self, scope: Scope, selection: Selection = ..., *, limit: int = ..., after: str | None = ...
    ) -> Page[BillingDocument]:
        """Documents as loaded last, by type and id."""
        ...

    def transactions(
        self, scope: Scope, selection: Selection = ..., *, limit: int = ..., after: str | None = ...
    ) -> Page[StoredTransaction]:
        """Stored transactions by type and id of their document, then by item id."""
        ...

    def deliveries(
        self,
        scope: Scope,
        selection: Selection = ...,
        *,
        acknowledged: bool | None = ...,
        parked: bool | None = ...,
        limit: int = ...,
        after: str | None = ...,
    ) -> Page[OutboxEntry]:
        """The outbox in commit order: what is acknowledged or isn't, is parked or isn't; ``None`` means either."""
        ...

    def revenue(
        self, scope: Scope, selection: Selection = ..., *, limit: int = ..., after: str | None = ...
    ) -> Page[Held]:
        """What the built-in Revenue holds, by type and id of the document as it was sent, then by item id.

        Whether it is visible, the document says as it is today; where there is none, as it was sent (ACC-5).
        """
        ...


class Outbox(Protocol):
    """What waits for Revenue. A relay claims, sends, and settles: at least once, with stable delivery ids (REV-0).

    A claim is a lease: it keeps other relays off until it ends, and if its relay died, the delivery is due again. So
    nothing is lost whatever happens to a relay or to a clock, and what is sent twice counts once (REV-4).
    """

    def pending(self, scope: Scope, limit: int) -> tuple[OutboxEntry, ...]:
        """The first deliveries that aren't done, in commit order, whether or not they are due, claimed or parked."""
        ...

    def acknowledge(self, scope: Scope, entries: Sequence[OutboxEntry]) -> int:
        """Mark deliveries as done; how many of them weren't until now. Repeating it changes nothing."""
        ...

    def claim(self, scope: Scope, limit: int, lease: timedelta) -> tuple[OutboxEntry, ...]:
        """Take the first deliveries that are due, in commit order; nobody else gets them until ``lease`` is over.

        One unit of work: two relays at once get different deliveries. ``lease`` is at most
        :data:`regen_core.attempts.LONGEST_WAIT`; a due time further ahead than that counts as past.
        """
        ...

    def settle(self, scope: Scope, settlements: Sequence[Settlement]) -> int:
        """Note what became of claimed deliveries, in one unit of work; how many of the notes were taken.

        What was acknowledged is done, whoever has it now. Any other note is taken only while the claim is the
        delivery's last one: a relay whose lease ended says nothing about what another one is doing.
        """
        ...

    def release_parked(self, scope: Scope) -> int:
        """Make parked deliveries due again with their attempts forgotten; how many there were."""
        ...

    def backlog(self, scope: Scope) -> Backlog:
        """What isn't done yet."""
        ...

    def acknowledged_count(self, scope: Scope) -> int:
        """How many deliveries are done; it reads the whole outbox."""
        ...


class RevenueSide(Protocol):
    """The built-in Revenue, in which ``collect`` of the core decides (REV-1 … REV-4)."""

    def collect(self, deliveries: Sequence[Delivery]) -> CollectedDeliveries:
        """Let Revenue collect deliveries in one unit of work; the outbox isn't looked at."""
        ...

    def reconcile(self, scope: Scope, period: Period, kind: DocumentType | None = ...) -> Reconciliation:
        """Billing against Revenue in a period, told what waits in the outbox; ``kind`` ``None`` means all types.

        Both sides and the outbox as of one moment, whatever is written meanwhile, in as little memory as some documents
        and the variances take (RCN-1 … RCN-7). Each line within scope (ACC-4, ACC-5).
        """
        ...

    def deliver_to_ledger(self, scope: Scope, limit: int) -> CollectedDeliveries:
        """Collect the first deliveries that are due and acknowledge them, in one unit of work; none is: 0 and 0."""
        ...


class Store(DocumentStore, StoreListings, Outbox, RevenueSide, MigrationRuns, Protocol):
    """All of it: what the command line and a service work on."""

    def close(self) -> None:
        """Give back what the store holds open."""
        ...
