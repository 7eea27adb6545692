"""Stores of the ports that are deliberately wrong about documents, transactions, the outbox or Revenue.

Each is the store in memory with one mistake that an adapter could really make.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from attrs import evolve

from regen_core.access import Scope
from regen_core.adapters.memory import MemoryStore
from regen_core.calls import IdempotentCall
from regen_core.decision_table import RegenerateFlag, SendAction
from regen_core.documents import BillingDocument, DocumentKey
from regen_core.idempotency import Replay
from regen_core.page import Page
from regen_core.ports import CollectedDeliveries, DocumentLoaded, Found, LoadOutcome, OutboxEntry
from regen_core.refusals import DocumentNotFound, DocumentReferenceMismatch, Refusal
from regen_core.regeneration import Regeneration
from regen_core.request import RegenerateRequest
from regen_core.revenue import Delivery, Held, RevenueLedger
from regen_core.store import StoredDocument
from regen_core.transactions import (
    NO_TRANSACTIONS,
    BillingTransaction,
    Occasion,
    StoredTransactions,
    TransactionState,
    transaction_id,
)

__all__ = ["BROKEN_STORES"]


class Mistaken(MemoryStore):
    """What the mistakes need: to change what a unit of work has just written."""

    def regenerate(
        self,
        scope: Scope,
        request: RegenerateRequest,
        occasion: Occasion | None = None,
        *,
        expected: int | None = None,
        idempotent: IdempotentCall | None = None,
    ) -> Regeneration | Refusal | Replay:
        first = len(self._outbox)
        outcome = super().regenerate(scope, request, occasion, expected=expected, idempotent=idempotent)
        if isinstance(outcome, Regeneration):
            self._outbox = (*self._outbox[:first], *self.committed(self._outbox[first:]))
            self.written(outcome)
        return outcome

    def committed(self, entries: tuple[OutboxEntry, ...]) -> tuple[OutboxEntry, ...]:
        """What gets into the outbox."""
        return entries

    def written(self, done: Regeneration) -> None:
        """After the operation."""

    def rewrite(self, key: DocumentKey, change: Callable[[BillingTransaction], BillingTransaction | None]) -> None:
        """Store other transactions for a document; ``None`` removes one."""
        now = self.transaction_store.get(key)
        assert now is not None
        both = [(line, change(line.transaction)) for line in now.transactions.lines]
        lines = tuple([evolve(line, transaction=new) for line, new in both if new is not None])
        self.put(StoredDocument(now.document, StoredTransactions(lines)))

    def put(self, stored: StoredDocument) -> None:
        """Store a document's transactions as they are given."""
        key = stored.document.key
        place = f"{key.tenant}\x1f{key.entity}\x1f{key.type.value}\x1f{key.id}"
        documents = self.transaction_store.documents.put(place, stored)
        self.transaction_store = evolve(self.transaction_store, documents=documents)


class SwapsTheFlag(Mistaken):
    """CNV-1, CNV-2, CNV-4: what is to replace is sent with N, and the reverse."""

    def committed(self, entries: tuple[OutboxEntry, ...]) -> tuple[OutboxEntry, ...]:
        other = {RegenerateFlag.N: RegenerateFlag.Y, RegenerateFlag.Y: RegenerateFlag.N}
        sent = [each.delivery for each in entries]
        return tuple(
            evolve(entry, delivery=evolve(each, flag=other[each.flag]))
            for entry, each in zip(entries, sent, strict=True)
        )


class DropsVoids(Mistaken):
    """CNV-1, CNV-2: voids never get into the outbox."""

    def committed(self, entries: tuple[OutboxEntry, ...]) -> tuple[OutboxEntry, ...]:
        return tuple(each for each in entries if each.delivery.action is not SendAction.VOID)


class SendsVoidsAsLines(Mistaken):
    """CNV-7: the column for the action isn't written."""

    def committed(self, entries: tuple[OutboxEntry, ...]) -> tuple[OutboxEntry, ...]:
        return tuple(evolve(each, delivery=evolve(each.delivery, action=SendAction.LINE)) for each in entries)


class LosesTheLastRow(Mistaken):
    """CNV-1, CNV-2, CNV-4: of several outbox rows the last one isn't committed."""

    def committed(self, entries: tuple[OutboxEntry, ...]) -> tuple[OutboxEntry, ...]:
        return entries[:-1] if len(entries) > 1 else entries


class CommitsNothing(Mistaken):
    """CNV-1, CNV-2, CNV-4, ELI-2: transactions are written, the outbox isn't."""

    def committed(self, entries: tuple[OutboxEntry, ...]) -> tuple[OutboxEntry, ...]:
        return ()


class NumbersByRevision(Mistaken):
    """REV-0: a delivery's number is its revision."""

    def committed(self, entries: tuple[OutboxEntry, ...]) -> tuple[OutboxEntry, ...]:
        return tuple(evolve(each, delivery=evolve(each.delivery, number=each.delivery.revision)) for each in entries)


class AcknowledgesTheWholeDocument(Mistaken):
    """model: acknowledging one delivery takes all of its document's out of the outbox."""

    def acknowledge(self, scope: Scope, entries: Sequence[OutboxEntry]) -> int:
        keys = {entry.delivery.transaction.header.key for entry in entries}
        return super().acknowledge(
            scope, [each for each in self._outbox if each.delivery.transaction.header.key in keys]
        )


class NeverAcknowledges(Mistaken):
    """model: what was delivered waits for ever."""

    def acknowledge(self, scope: Scope, entries: Sequence[OutboxEntry]) -> int:
        return 0


class OverridesUnderANewId(Mistaken):
    """TBL-I: the id depends on the revision."""

    def written(self, done: Regeneration) -> None:
        self.rewrite(done.document.key, self.renamed)

    @staticmethod
    def renamed(transaction: BillingTransaction) -> BillingTransaction:
        if transaction.revision == 1:
            return transaction
        return evolve(transaction, id=transaction_id(transaction.header.key, f"{transaction.item.id}'"))


class OverridesWithoutARevision(Mistaken):
    """TBL-I: what is overridden stays at revision 1."""

    def written(self, done: Regeneration) -> None:
        self.rewrite(done.document.key, lambda each: evolve(each, revision=1))


class ForgetsWhenItWasCreated(Mistaken):
    """TBL-I: an override writes the whole row anew, its creation too."""

    def written(self, done: Regeneration) -> None:
        self.rewrite(done.document.key, lambda each: evolve(each, created=each.updated))


class DeletesInsteadOfVoiding(Mistaken):
    """model: a voided transaction is removed."""

    def written(self, done: Regeneration) -> None:
        voided = TransactionState.VOIDED
        self.rewrite(done.document.key, lambda each: None if each.state is voided else each)


class BringsBackWhatIsVoided(Mistaken):
    """model: the column for the state isn't written."""

    def written(self, done: Regeneration) -> None:
        self.rewrite(done.document.key, lambda each: evolve(each, state=TransactionState.ACTIVE))


class TruncatesAmounts(Mistaken):
    """CNV-1: stored amounts have whole units only."""

    def written(self, done: Regeneration) -> None:
        self.rewrite(
            done.document.key,
            lambda each: evolve(each, item=evolve(each.item, amount=each.item.amount.to_integral_value())),
        )


class ForgetsTransactionsOnLoad(Mistaken):
    """DOC-1: a changed document replaces the row, and the transactions with it."""

    def load(self, document: BillingDocument) -> LoadOutcome:
        outcome = super().load(document)
        if isinstance(outcome, DocumentLoaded) and outcome.changes:
            self.put(StoredDocument(document, NO_TRANSACTIONS))
        return outcome


class ForgetsWhatIsGoneOnLoad(Mistaken):
    """DOC-1: transactions of items that are gone are removed when the document is loaded."""

    def load(self, document: BillingDocument) -> LoadOutcome:
        outcome = super().load(document)
        if isinstance(outcome, DocumentLoaded):
            there = {item.id for item in document.items}
            self.rewrite(document.key, lambda each: each if each.item.id in there else None)
        return outcome


class IgnoresTakenNumbers(Mistaken):
    """DOC-2: there is no unique index on numbers."""

    def load(self, document: BillingDocument) -> LoadOutcome:
        self.transaction_store = evolve(self.transaction_store, numbers=type(self.transaction_store.numbers)())
        return super().load(document)


class IgnoresTakenItems(Mistaken):
    """DOC-3: there is no unique index on items."""

    def load(self, document: BillingDocument) -> LoadOutcome:
        self.transaction_store = evolve(self.transaction_store, items=type(self.transaction_store.items)())
        return super().load(document)


class KeepsOldNumbers(Mistaken):
    """DOC-2: the number that a document gave up still belongs to it."""

    def load(self, document: BillingDocument) -> LoadOutcome:
        before = self.transaction_store.numbers
        outcome = super().load(document)
        numbers = self.transaction_store.numbers
        for name, key in before.items():
            if numbers.get(name) is None:
                numbers = numbers.put(name, key)
        self.transaction_store = evolve(self.transaction_store, numbers=numbers)
        return outcome


class IgnoresTheCaseOfNames(Mistaken):
    """REQ-7: the column's collation takes D1 for d1."""

    def find(self, scope: Scope, request: RegenerateRequest) -> Found | DocumentNotFound | DocumentReferenceMismatch:
        return super().find(scope, evolve(request, id=None if request.id is None else request.id.lower()))


class CutsBlanksOffNames(Mistaken):
    """REQ-7: the column is padded with blanks."""

    def find(self, scope: Scope, request: RegenerateRequest) -> Found | DocumentNotFound | DocumentReferenceMismatch:
        return super().find(scope, evolve(request, id=None if request.id is None else request.id.rstrip()))


class FindsByEitherName(Mistaken):
    """REQ-4: where an id is given, the number isn't looked at."""

    def find(self, scope: Scope, request: RegenerateRequest) -> Found | DocumentNotFound | DocumentReferenceMismatch:
        return super().find(scope, request if request.id is None else evolve(request, number=None))

    def plan(
        self, scope: Scope, request: RegenerateRequest, occasion: Occasion | None = None
    ) -> Regeneration | Refusal:
        return super().plan(scope, request if request.id is None else evolve(request, number=None), occasion)


class SeesEveryOrg(Mistaken):
    """ACC-4: the query doesn't have the organisations."""

    def find(self, scope: Scope, request: RegenerateRequest) -> Found | DocumentNotFound | DocumentReferenceMismatch:
        return super().find(evolve(scope, orgs=None), request)


class SeesEveryEntity(Mistaken):
    """ACC-4: the query doesn't have the entity."""

    def find(self, scope: Scope, request: RegenerateRequest) -> Found | DocumentNotFound | DocumentReferenceMismatch:
        found = super().find(scope, request)
        return super().find(evolve(scope, entity="e1"), request) if isinstance(found, DocumentNotFound) else found


class ListsEveryOrg(Mistaken):
    """ACC-4: a listing doesn't have the organisations."""

    def deliveries(self, scope: Scope, *args: Any, **kwargs: Any) -> Page[OutboxEntry]:
        return super().deliveries(evolve(scope, orgs=None), *args, **kwargs)


class WritesOverWhatMoved(Mistaken):
    """PRE-1: the version isn't compared."""

    def regenerate(self, *args: Any, expected: int | None = None, **kwargs: Any) -> Any:
        return super().regenerate(*args, **kwargs)


class PlansForReal(Mistaken):
    """PRE-4: a plan is a regeneration."""

    def plan(
        self, scope: Scope, request: RegenerateRequest, occasion: Occasion | None = None
    ) -> Regeneration | Refusal:
        planned = super().plan(scope, request, occasion)
        if isinstance(planned, Regeneration):
            self._moved(planned.document.key, self.transaction_store.apply(planned))  # type: ignore[arg-type]  # just read
        return planned


class LedgerTakesEveryN(Mistaken):
    """REV-1: Revenue takes a line with N over what it holds."""

    def collect(self, deliveries: Sequence[Delivery]) -> CollectedDeliveries:
        return super().collect([evolve(each, flag=RegenerateFlag.Y) for each in deliveries])


class LedgerTakesTheOlder(Mistaken):
    """REV-2: Revenue doesn't compare revisions."""

    def collect(self, deliveries: Sequence[Delivery]) -> CollectedDeliveries:
        for each in deliveries:
            if each.flag is RegenerateFlag.Y:
                self.ledger = RevenueLedger(self.ledger.held.without(each.transaction.id))
        return super().collect(deliveries)


class LedgerForgetsWhatIsVoided(Mistaken):
    """REV-3: a void removes the line and leaves nothing."""

    def collect(self, deliveries: Sequence[Delivery]) -> CollectedDeliveries:
        done = super().collect(deliveries)
        for each in deliveries:
            held = self.ledger.held.get(each.transaction.id)
            if isinstance(held, Held) and each.action is SendAction.VOID:
                self.ledger = RevenueLedger(self.ledger.held.without(each.transaction.id))
        return done


_PROMISED = {"CNV-1", "CNV-2", "CNV-3", "CNV-4"}

BROKEN_STORES: dict[type[MemoryStore], set[str]] = {
    SwapsTheFlag: {*_PROMISED, "CNV-7"},
    DropsVoids: {"CNV-1", "CNV-2", "CNV-3", "TBL-R"},
    SendsVoidsAsLines: {"CNV-7"},
    LosesTheLastRow: {*_PROMISED, "TBL-R"},
    CommitsNothing: {*_PROMISED, "ELI-2", "TBL-R"},
    NumbersByRevision: {"REV-0"},
    AcknowledgesTheWholeDocument: {"model"},
    NeverAcknowledges: {"model"},
    OverridesUnderANewId: {"TBL-I"},
    OverridesWithoutARevision: {"TBL-I"},
    ForgetsWhenItWasCreated: {"TBL-I"},
    DeletesInsteadOfVoiding: {"CNV-1", "CNV-2", "CNV-3", "model"},
    BringsBackWhatIsVoided: {"model"},
    TruncatesAmounts: {"CNV-2", "CNV-4", "TBL-R", "model"},
    ForgetsTransactionsOnLoad: {"DOC-1"},
    ForgetsWhatIsGoneOnLoad: {"DOC-1"},
    IgnoresTakenNumbers: {"DOC-2"},
    IgnoresTakenItems: {"DOC-3"},
    KeepsOldNumbers: {"DOC-2"},
    IgnoresTheCaseOfNames: {"REQ-7"},
    CutsBlanksOffNames: {"REQ-7"},
    FindsByEitherName: {"ACC-4", "model"},
    SeesEveryOrg: {"ACC-4 sight"},
    SeesEveryEntity: {"ACC-4", "ACC-4 sight"},
    ListsEveryOrg: {"ACC-4 listings"},
    WritesOverWhatMoved: {"PRE-1 version"},
    PlansForReal: {"PRE-4 plan"},
    LedgerTakesEveryN: {"REV ledger"},
    LedgerTakesTheOlder: {"REV ledger"},
    LedgerForgetsWhatIsVoided: {"REV ledger"},
}
"""Each mistake with the checks that must notice it: one of these is asked, and must name what it noticed."""
