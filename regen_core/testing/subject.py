"""The system under test: what the kit asks of it, and the reference store with Revenue's ledger as the default.

To put another system under the laws and the machine, write one class with the methods of :class:`Subject` and hand a
function that builds a fresh one to :func:`regen_core.testing.machine.regeneration_machine`; nothing else is overridden.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from attrs import frozen

from regen_core.access import Scope
from regen_core.decision_table import DECISION_TABLE, DecisionTable
from regen_core.documents import BillingDocument, DocumentKey
from regen_core.refusals import ConcurrentModification, Refusal
from regen_core.regeneration import Regeneration, decide, refused_unread
from regen_core.request import RegenerateRequest
from regen_core.revenue import COLLECTING_RULES, CollectingRules, Delivery, Held, RevenueLedger, collect
from regen_core.store import ItemTaken, Loaded, NumberTaken, StoredDocument, TransactionStore
from regen_core.transactions import NO_TRANSACTIONS, Occasion, StoredTransactions

__all__ = ["Accepted", "BuildSubject", "Executed", "LoadedAs", "ReferenceSubject", "Subject", "reference_subject"]


@frozen
class Accepted:
    """A request that was not refused: its ``idList``, and the deliveries that it committed to the outbox."""

    id_list: tuple[str, ...]
    deliveries: tuple[Delivery, ...]


@frozen
class Executed:
    """A request that a service executed: its ``idList``, and the answer's status and body."""

    id_list: tuple[str, ...]
    status: int
    body: bytes


@frozen
class LoadedAs:
    """A document that was loaded: as a new one, as a changed one, or as the same again (neither)."""

    is_new: bool
    is_changed: bool


class Subject(Protocol):
    """A store beside its Revenue. Each call is one unit of work; nothing is delivered unless ``deliver`` says so."""

    def load(self, document: BillingDocument) -> LoadedAs | NumberTaken | ItemTaken:
        """Add or replace a document (DOC-1 … DOC-4)."""

    def regenerate(self, scope: Scope, request: RegenerateRequest, occasion: Occasion | None) -> Accepted | Refusal:
        """Perform one request."""

    def transactions(self, key: DocumentKey) -> StoredTransactions:
        """A document's stored transactions in stored order; none for an unknown document."""

    def pending(self) -> dict[str, Delivery]:
        """The outbox: what was committed and not acknowledged, by delivery id."""

    def acknowledge(self, delivery_id: str) -> None:
        """Take a delivery out of the outbox; one that isn't there changes nothing."""

    def deliver(self, delivery: Delivery) -> None:
        """Let Revenue collect one delivery, whether or not it still waits in the outbox."""

    def held(self, transaction_id: str) -> Held | None:
        """What Revenue holds for a transaction."""

    def holdings(self) -> dict[str, Held]:
        """All that Revenue holds, by transaction id."""

    def disturb(self, transaction_id: str, held: Held | None) -> None:
        """Make Revenue hold this for a transaction, or nothing: it lost, altered or restored a line (CNV-3)."""

    def state(self) -> object:
        """All of it, as a value to compare with ``==``."""

    def fork(self) -> Subject:
        """An independent copy: what is done to it is not done here."""


BuildSubject = Callable[[], Subject]


class ReferenceSubject:
    """The reference store and ledger; other tables and collecting rules make it another, perhaps broken, operation."""

    def __init__(
        self,
        table: DecisionTable = DECISION_TABLE,
        rules: CollectingRules = COLLECTING_RULES,
        store: TransactionStore | None = None,
        ledger: RevenueLedger | None = None,
    ) -> None:
        self.table = table
        self.rules = rules
        self.store = TransactionStore() if store is None else store
        self.ledger = RevenueLedger() if ledger is None else ledger

    def load(self, document: BillingDocument) -> LoadedAs | NumberTaken | ItemTaken:
        """See :class:`Subject`."""
        answer = self.store.load(document)
        if not isinstance(answer, Loaded):
            return answer
        self.store = answer.store
        return LoadedAs(answer.is_new, bool(answer.changes))

    def regenerate(self, scope: Scope, request: RegenerateRequest, occasion: Occasion | None) -> Accepted | Refusal:
        """See :class:`Subject`; flags that the table refuses are refused before the document is looked for (PRE-1)."""
        unread = refused_unread(request, self.table)
        if unread is not None:
            return unread
        found = self.store.find(scope, request)
        if not isinstance(found, StoredDocument):
            return found
        done = decide(found.document, found.transactions, request, occasion, self.table)
        if not isinstance(done, Regeneration):
            return done
        store = self.store.apply(done)
        if isinstance(store, ConcurrentModification):
            return store
        self.store = store
        return Accepted(done.id_list, done.deliveries)

    def transactions(self, key: DocumentKey) -> StoredTransactions:
        """See :class:`Subject`."""
        found = self.store.get(key)
        return NO_TRANSACTIONS if found is None else found.transactions

    def pending(self) -> dict[str, Delivery]:
        """See :class:`Subject`."""
        return dict(self.store.outbox.items())

    def acknowledge(self, delivery_id: str) -> None:
        """See :class:`Subject`."""
        self.store = self.store.delivered(delivery_id)

    def deliver(self, delivery: Delivery) -> None:
        """See :class:`Subject`."""
        self.ledger = collect(self.ledger, delivery, self.rules)

    def held(self, transaction_id: str) -> Held | None:
        """See :class:`Subject`."""
        return self.ledger.held.get(transaction_id)

    def holdings(self) -> dict[str, Held]:
        """See :class:`Subject`."""
        return dict(self.ledger.held.items())

    def disturb(self, transaction_id: str, held: Held | None) -> None:
        """See :class:`Subject`."""
        before = self.ledger.held
        self.ledger = RevenueLedger(
            before.without(transaction_id) if held is None else before.put(transaction_id, held)
        )

    def state(self) -> object:
        """See :class:`Subject`."""
        return (self.store, self.ledger)

    def fork(self) -> Subject:
        """See :class:`Subject`."""
        return ReferenceSubject(self.table, self.rules, self.store, self.ledger)


def reference_subject() -> Subject:
    """A fresh reference store beside an empty Revenue."""
    return ReferenceSubject()
