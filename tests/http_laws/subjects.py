"""The kit's systems under test: a store in memory, and any store whose operation is only reached over HTTP.

``regenerate`` is a request to a service; documents, deliveries and Revenue are the store's own, behind it. What comes
back is read from status, headers and body (:mod:`tests.http_laws.reading`); the deliveries that it committed are what
the outbox has afterwards and hadn't before. Every third request has an Idempotency-Key and is sent once more, in
another wording: the same bytes come back, and nothing else happens (IDM-1, IDM-8).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Protocol

from attrs import define, evolve

from regen_core.access import Scope
from regen_core.adapters.http.execution import Executor
from regen_core.adapters.memory import MemoryStore
from regen_core.documents import BillingDocument, DocumentKey
from regen_core.idempotency import is_saved
from regen_core.ports import DocumentStore, OutboxEntry
from regen_core.refusals import Refusal
from regen_core.regeneration import Regeneration
from regen_core.request import RegenerateRequest
from regen_core.revenue import Delivery, Held, RevenueLedger
from regen_core.store import ItemTaken, NumberTaken
from regen_core.testing.adapted import StoreSubject, accepted
from regen_core.testing.subject import Accepted, LoadedAs, Subject
from regen_core.transactions import NO_TRANSACTIONS, Occasion, StoredTransactions
from tests.concurrency.linearizability import fork
from tests.http_laws.calling import Heard, InProcess, Sent
from tests.http_laws.described import undescribed
from tests.http_laws.reading import checked_success, refusal_in
from tests.http_laws.serving import AtOnce, Dated, Running
from tests.http_laws.wording import worded

__all__ = ["Behind", "HttpSubject", "InThisProcess", "MemorySubject", "Service", "in_process"]

SOME = 16
"""Of so many answers one is held against the service's description."""

_STANDING = Occasion(datetime(2026, 1, 31, tzinfo=UTC), "someone")


class Behind(Subject, Protocol):
    """A system that has a store, which a service can be put before."""

    @property
    def store(self) -> DocumentStore:
        """Where requests are executed."""
        ...


class MemorySubject(StoreSubject):
    """A store in memory as the kit sees it, beside its own Revenue."""

    def __init__(self, store: MemoryStore | None = None) -> None:
        self._held = MemoryStore() if store is None else store
        self._seen: tuple[Sequence[OutboxEntry], dict[str, Delivery]] = ((), {})
        super().__init__(lambda: self._held)

    @property
    def store(self) -> MemoryStore:
        return self._held

    def regenerate(self, scope: Scope, request: RegenerateRequest, occasion: Occasion | None) -> Accepted | Refusal:
        outcome = self.store.regenerate(scope, request, occasion)
        return accepted(outcome, lambda: getattr(outcome, "deliveries"))  # noqa: B009  # what isn't refused has them

    def transactions(self, key: DocumentKey) -> StoredTransactions:
        found = self.store.transaction_store.get(key)
        return NO_TRANSACTIONS if found is None else found.transactions

    def pending(self) -> dict[str, Delivery]:
        outbox = self.store._outbox
        if self._seen[0] is not outbox:
            waiting = [each.delivery for each in outbox if each.acknowledged_at is None]
            self._seen = outbox, {each.id: each for each in waiting}
        return self._seen[1].copy()

    def acknowledge(self, delivery_id: str) -> None:
        entries = [each for each in self.store._outbox if each.delivery.id == delivery_id]
        for each in entries:
            key = each.delivery.transaction.header.key
            self.store.acknowledge(Scope(tenant=key.tenant, entity=key.entity, orgs=None), (each,))

    def deliver(self, delivery: Delivery) -> None:
        self.store.collect([delivery])

    def held(self, transaction_id: str) -> Held | None:
        return self.store.ledger.held.get(transaction_id)

    def holdings(self) -> dict[str, Held]:
        return dict(self.store.ledger.held.items())

    def disturb(self, transaction_id: str, held: Held | None) -> None:
        before = self.store.ledger.held
        after = before.without(transaction_id) if held is None else before.put(transaction_id, held)
        self.store.ledger = RevenueLedger(after)

    def state(self) -> object:
        return self.store.transaction_store, self.store.ledger

    def fork(self) -> Subject:
        return MemorySubject(fork(self.store))


class Service(Protocol):
    """Somewhere to send requests to."""

    def ask(self, scope: Scope, request: RegenerateRequest, occasion: Occasion, number: int, key: str | None) -> Heard:
        """Send a request in the wording of a number, to be executed as of a moment."""
        ...


@define
class InThisProcess:
    """A service in this process; ``occasion`` dates what it executes."""

    service: Running
    call: Callable[[Sent], Heard]
    occasion: Occasion = _STANDING

    @classmethod
    def made(cls, executor: Executor, loop: asyncio.AbstractEventLoop) -> InThisProcess:
        """A service around an executor, called on an event loop."""
        service = Running(Dated(executor, lambda: made.occasion))
        made = cls(service, InProcess(service.app, loop))
        return made

    def ask(self, scope: Scope, request: RegenerateRequest, occasion: Occasion, number: int, key: str | None) -> Heard:
        """See :class:`Service`."""
        self.occasion = occasion
        told = worded(scope, request, number, key=key)
        sent = told.authorized(self.service.token_of(told.caller))
        heard = self.call(sent)
        assert number % SOME or undescribed(sent, heard) == []
        return heard


def in_process(loop: asyncio.AbstractEventLoop) -> Callable[[DocumentStore], Service]:
    """How to put a service before a store that is executed at once, on an event loop."""
    return lambda store: InThisProcess.made(AtOnce(store), loop)


class HttpSubject:
    """A store that is only asked over HTTP; ``serve`` puts a service before it."""

    def __init__(self, behind: Behind, serve: Callable[[DocumentStore], Service]) -> None:
        self.behind, self._serve = behind, serve
        self._service = serve(behind.store)
        self._requests = 0

    def regenerate(self, scope: Scope, request: RegenerateRequest, occasion: Occasion | None) -> Accepted | Refusal:
        self._requests += 1
        number, at = self._requests, _STANDING if occasion is None else occasion
        key = f"key-{number}" if number % 3 == 0 else None
        before = self.behind.pending()
        heard = self._service.ask(scope, request, at, number, key)
        after = self.behind.pending()
        outcome = self._read(heard, scope, request)
        if key is not None:
            self._repeat(heard, outcome, lambda: self._service.ask(scope, request, at, -number, key), after)
        if not isinstance(outcome, tuple):
            return outcome
        return Accepted(outcome, tuple([each for name, each in after.items() if name not in before]))

    def _read(self, heard: Heard, scope: Scope, request: RegenerateRequest) -> tuple[str, ...] | Refusal:
        assert len(heard.header("zuora-request-id") or "") == 36, heard
        if heard.status == 200:
            return checked_success(heard)
        return refusal_in(heard, lambda: self._items(scope, request))

    def _items(self, scope: Scope, request: RegenerateRequest) -> int:
        """How many revenue items the document has: what an answer about its stored transactions leaves out."""
        found = self.behind.store.plan(scope, evolve(request, only_re_send=False, re_migrate=False))
        if isinstance(found, Regeneration):
            return len(found.document.revenue_items)
        found = self.behind.store.plan(scope, request)
        items: int = getattr(found, "items")  # noqa: B009  # the refusal that was just heard of
        return items

    def _repeat(self, first: Heard, outcome: object, again: Callable[[], Heard], outbox: dict[str, Delivery]) -> None:
        if not (isinstance(outcome, tuple) or is_saved(outcome)):  # type: ignore[arg-type]  # the other one
            return
        heard = again()
        assert (heard.status, heard.body) == (first.status, first.body), (first, heard)
        assert heard.header("idempotent-replayed") == "true", heard
        assert first.header("idempotent-replayed") is None, first
        assert self.behind.pending().keys() == outbox.keys(), "a replay sent something"

    def load(self, document: BillingDocument) -> LoadedAs | NumberTaken | ItemTaken:
        return self.behind.load(document)

    def transactions(self, key: DocumentKey) -> StoredTransactions:
        return self.behind.transactions(key)

    def pending(self) -> dict[str, Delivery]:
        return self.behind.pending()

    def acknowledge(self, delivery_id: str) -> None:
        self.behind.acknowledge(delivery_id)

    def deliver(self, delivery: Delivery) -> None:
        self.behind.deliver(delivery)

    def held(self, transaction_id: str) -> Held | None:
        return self.behind.held(transaction_id)

    def holdings(self) -> dict[str, Held]:
        return self.behind.holdings()

    def disturb(self, transaction_id: str, held: Held | None) -> None:
        self.behind.disturb(transaction_id, held)

    def state(self) -> object:
        return self.behind.state()

    def fork(self) -> Subject:
        return HttpSubject(self.behind.fork(), self._serve)  # type: ignore[arg-type]  # a fork is of the same kind
