"""The store on a database: one method per verb, each one unit of work.

It loads, asks the core, persists and translates; no method knows a rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Self

from regen_core.access import Scope
from regen_core.adapters.sql import relay, runs
from regen_core.adapters.sql.conditions import org_count, org_values
from regen_core.adapters.sql.engine import BUSY_TIMEOUT, open_database
from regen_core.adapters.sql.faults import DamagedRows
from regen_core.adapters.sql.keys import CLEAN_UP_EVERY
from regen_core.adapters.sql.listing import list_deliveries, list_documents, list_revenue, list_transactions
from regen_core.adapters.sql.loading import load_documents
from regen_core.adapters.sql.reading import NotOne, Reader
from regen_core.adapters.sql.reconciling import reconcile_period
from regen_core.adapters.sql.regenerating import Asked, regenerate, regenerate_documents, regenerate_once
from regen_core.adapters.sql.rows import key_row
from regen_core.adapters.sql.together import Claims, regenerate_together
from regen_core.adapters.sql.unit import Connections
from regen_core.adapters.sql.units import Units
from regen_core.documents import BillingDocument, DocumentKey, DocumentType
from regen_core.idempotency import KEY_IS_RUNNING, Replay
from regen_core.migration import Reject, Run
from regen_core.ports import (
    Backlog,
    CollectedDeliveries,
    Found,
    IdempotentCall,
    LoadOutcome,
    OutboxEntry,
    Page,
    RegenerateCall,
    Selection,
    Settlement,
    StoreFault,
)
from regen_core.reconciliation import Period, Reconciliation
from regen_core.refusals import DocumentNotFound, DocumentReferenceMismatch, Refusal
from regen_core.regeneration import Regeneration, decide, refused_unread
from regen_core.request import RegenerateRequest
from regen_core.revenue import Delivery, Held
from regen_core.transactions import Occasion, StoredTransaction

__all__ = ["SqlStore"]

Outcome = Regeneration | Refusal
_ALL = Selection()
_PAGE = 100


def _utc_now() -> datetime:
    return datetime.now(UTC)


class SqlStore:
    """Documents, transactions, outbox, Revenue's ledger and Idempotency-Keys in one SQLite file or PostgreSQL schema.

    Safe to share between threads, and between processes by opening the same database. Every method is one unit of work:
    what it did is durable when it returns, and when it raises a :class:`~regen_core.ports.StoreFault` nothing of it is
    stored; the one exception says so (:class:`~regen_core.adapters.sql.faults.OutcomeUnknown`). Writers that were in
    each other's way are begun again, so nobody has to ask twice for that.
    """

    def __init__(self, connections: Connections, *, clock: Callable[[], datetime] = _utc_now) -> None:
        self._connections = connections
        self._units = Units(connections)
        self._clock = clock
        saved, claim = count(), connections.backend.claims(connections.ask, connections.where)
        self._claims = Claims(claim, lambda: next(saved) % CLEAN_UP_EVERY == 0)

    @classmethod
    def open(
        cls, url: str, *, clock: Callable[[], datetime] = _utc_now, busy_timeout: float = BUSY_TIMEOUT
    ) -> SqlStore:
        """Open the database of a URL such as ``sqlite:///regen.db`` or ``postgresql://user@host/database``.

        An empty database or missing file gets the schema, an older one is upgraded. A PostgreSQL URL may name a schema
        of its own with ``?options=-csearch_path=NAME``. ``clock`` is the store's clock, in UTC; another writer is
        waited for up to ``busy_timeout`` seconds. Raises a :class:`~regen_core.ports.StoreFault` for a database that
        can't be used.
        """
        return cls(open_database(url, busy_timeout=busy_timeout), clock=clock)

    def close(self) -> None:
        """Close the connections; the store can't be used afterwards."""
        self._connections.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _reading(self) -> Reader:
        return self._units.reading()

    def _writing(self) -> Reader:
        return self._units.writing()

    # documents

    def load(self, document: BillingDocument) -> LoadOutcome:
        """Add or replace a document (DOC-1 … DOC-4)."""
        return self.load_all((document,))[0]

    def load_all(self, documents: Iterable[BillingDocument]) -> tuple[LoadOutcome, ...]:
        """Add or replace several documents in one unit of work; a refused one stops no other (DOC-4)."""
        batch = tuple(documents)
        return self._units.write_as_read(lambda reader: load_documents(reader, batch))

    def find(self, scope: Scope, request: RegenerateRequest) -> Found | DocumentNotFound | DocumentReferenceMismatch:
        """The document that a request names, with its transactions (REQ-4, REQ-7, ACC-4)."""
        with self._reading() as reader:
            rows = reader.find(scope, request)
        if isinstance(rows, NotOne):
            return rows.refusal
        return Found(rows.stored, rows.version)

    def plan(self, scope: Scope, request: RegenerateRequest, occasion: Occasion | None = None) -> Outcome:
        """What :meth:`regenerate` would do now; nothing is written or locked."""
        unread = refused_unread(request)
        if unread is not None:
            return unread
        found = self.find(scope, request)
        if not isinstance(found, Found):
            return found
        return decide(found.stored.document, found.stored.transactions, request, occasion)

    def invoice_currency(self, scope: Scope, invoice_id: str) -> str | None:
        """The currency of a visible invoice, ``None`` when there is none."""
        key = DocumentKey(tenant=scope.tenant, entity=scope.entity, type=DocumentType.INVOICE, id=invoice_id)
        with self._reading() as reader:
            statement = reader.statements.invoice_currency(org_count(scope))
            row = reader.unit.one(statement, (*key_row(key), *org_values(scope)))
        return None if row is None else str(row[0])

    # the operation

    def regenerate(
        self,
        scope: Scope,
        request: RegenerateRequest,
        occasion: Occasion | None = None,
        *,
        expected: int | None = None,
        idempotent: IdempotentCall | None = None,
    ) -> Outcome | Replay:
        """Decide and persist in one unit of work (IDM-7); see :class:`regen_core.ports.DocumentStore`."""
        unread = refused_unread(request)
        if unread is not None:
            return unread
        asked = Asked(scope, request, occasion, expected, self._clock)
        if idempotent is None:
            return self._units.write(lambda reader: regenerate(reader, asked))
        return self._regenerate_once(asked, idempotent)

    def regenerate_all(
        self, scope: Scope, requests: Iterable[RegenerateRequest], occasion: Occasion | None = None
    ) -> tuple[Outcome, ...]:
        """Decide and persist several in one unit of work; a refused one stops no other (IDM-7)."""
        batch = tuple(requests)
        return self._units.write_once(lambda reader: regenerate_documents(reader, scope, batch, occasion, self._clock))

    def regenerate_together(self, calls: Iterable[RegenerateCall]) -> tuple[Outcome | Replay | StoreFault, ...]:
        """Decide and persist calls of several callers in one unit of work; a refused one stops no other (IDM-7)."""
        together = tuple(calls)
        try:
            return regenerate_together(self._units, self._claims, together, self._clock)
        except DamagedRows:
            return tuple([self._alone(call) for call in together])

    def _alone(self, call: RegenerateCall) -> Outcome | Replay | StoreFault:
        try:
            return self.regenerate(call.scope, call.request, call.occasion, idempotent=call.idempotent)
        except DamagedRows as damaged:
            return damaged

    def _regenerate_once(self, asked: Asked, call: IdempotentCall) -> Outcome | Replay:
        """Under an Idempotency-Key: claim it before the unit of work, and where it is shared in it (IDM-3, IDM-7)."""
        with self._claims.claimed(asked.scope.tenant, call) as keyed:
            if keyed is None:
                return KEY_IS_RUNNING
            return self._units.write(lambda reader: regenerate_once(reader, asked, keyed))

    # listings

    def documents(
        self, scope: Scope, selection: Selection = _ALL, *, limit: int = _PAGE, after: str | None = None
    ) -> Page[BillingDocument]:
        """Documents as loaded last, by type and id."""
        with self._reading() as reader:
            return list_documents(reader, scope, selection, limit, after)

    def transactions(
        self, scope: Scope, selection: Selection = _ALL, *, limit: int = _PAGE, after: str | None = None
    ) -> Page[StoredTransaction]:
        """Stored transactions by type and id of their document, then by item id."""
        with self._reading() as reader:
            return list_transactions(reader, scope, selection, limit, after)

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
        done: tuple[str, ...] = () if acknowledged is None else ("acknowledged" if acknowledged else "waiting",)
        aside: tuple[str, ...] = () if parked is None else ("parked" if parked else "not parked",)
        with self._reading() as reader:
            return list_deliveries(reader, scope, selection, limit, after, extra=done + aside)

    def revenue(
        self, scope: Scope, selection: Selection = _ALL, *, limit: int = _PAGE, after: str | None = None
    ) -> Page[Held]:
        """What Revenue holds, by type and id of the document as it was sent, then by item id."""
        with self._reading() as reader:
            return list_revenue(reader, scope, selection, limit, after)

    def reconcile(self, scope: Scope, period: Period, kind: DocumentType | None = None) -> Reconciliation:
        """Billing against the built-in Revenue as of one moment (RCN-7)."""
        with self._reading() as reader:
            return reconcile_period(reader, scope, period, kind)

    # the outbox and Revenue

    def pending(self, scope: Scope, limit: int = _PAGE) -> tuple[OutboxEntry, ...]:
        """The first deliveries that aren't done, in commit order."""
        return self.deliveries(scope, acknowledged=False, limit=limit).rows

    def acknowledge(self, scope: Scope, entries: Sequence[OutboxEntry]) -> int:
        """Mark deliveries as done; how many of them weren't until now."""
        return self._units.write(lambda reader: relay.acknowledge(reader, scope, entries, self._clock()))

    def claim(self, scope: Scope, limit: int, lease: timedelta) -> tuple[OutboxEntry, ...]:
        """Take the first deliveries that are due; nobody else gets them until the lease is over."""
        return self._units.write(lambda reader: relay.claim(reader, scope, limit, self._clock(), lease))

    def settle(self, scope: Scope, settlements: Sequence[Settlement]) -> int:
        """Note what became of claimed deliveries; how many of the notes were taken."""
        return self._units.write(lambda reader: relay.settle(reader, scope, settlements, self._clock()))

    def release_parked(self, scope: Scope) -> int:
        """Make parked deliveries due again; how many there were."""
        return self._units.write(lambda reader: relay.release_parked(reader, scope))

    def backlog(self, scope: Scope) -> Backlog:
        """What isn't done yet."""
        with self._reading() as reader:
            return relay.backlog(reader, scope, self._clock())

    def acknowledged_count(self, scope: Scope) -> int:
        """How many deliveries are done."""
        with self._reading() as reader:
            return relay.acknowledged_count(reader, scope)

    def collect(self, deliveries: Sequence[Delivery]) -> CollectedDeliveries:
        """Let Revenue collect deliveries (REV-1 … REV-4)."""
        return self._units.write_as_read(lambda reader: relay.collect_deliveries(reader, deliveries))

    def deliver_to_ledger(self, scope: Scope, limit: int = _PAGE) -> CollectedDeliveries:
        """Collect the first deliveries that are due and acknowledge them, both in one unit of work."""
        return self._units.write_as_read(lambda reader: relay.deliver_to_ledger(reader, scope, limit, self._clock()))

    # migrations

    def accept_run(self, run: Run) -> bool:
        """Keep a run that was accepted; whether its id was free."""
        return self._units.write(lambda reader: runs.accept_run(reader, run))

    def run(self, scope: Scope, run_id: str) -> Run | None:
        """A run's log, ``None`` where none is visible (MIG-12)."""
        with self._reading() as reader:
            return runs.read_run(reader, scope, run_id)

    def change_run(self, scope: Scope, run_id: str, change: Callable[[Run], Run]) -> Run | None:
        """Replace a run's log by what ``change`` makes of it; the log then."""
        return self._units.write(lambda reader: runs.change_run(reader, scope, run_id, change))

    def migrate_batch(self, scope: Scope, run_id: str, limit: int) -> Run | None:
        """Let a run in progress do the next documents behind its cursor, in one unit of work (MIG-8); the log then."""
        return self._units.write(lambda reader: runs.migrate_batch(reader, scope, run_id, limit, self._clock))

    def runs(self, scope: Scope, *, limit: int = _PAGE, after: str | None = None) -> Page[Run]:
        """Runs by id."""
        with self._reading() as reader:
            return runs.list_runs(reader, scope, limit, after)

    def rejects(self, scope: Scope, run_id: str, *, limit: int = _PAGE, after: str | None = None) -> Page[Reject]:
        """What a run refused, by type and id of the documents."""
        with self._reading() as reader:
            return runs.list_rejects(reader, scope, run_id, limit, after)
