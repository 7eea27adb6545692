"""A store of the ports as the kit sees it: five methods are enough, and Revenue is the kit's own.

A store that loads, finds, regenerates, lists what is pending and acknowledges can be put under every law: deliveries
that it commits go to a Revenue of the kit's, which loses and alters what it likes. A copy (CNV-6) is a second store in
which the same calls are made again. What a store offers beyond that is a capability (:func:`offered`).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from enum import Enum, unique
from typing import Any, Final, Protocol, TypeAlias

from regen_core.access import Scope
from regen_core.documents import BillingDocument, DocumentKey
from regen_core.idempotency import Replay
from regen_core.page import MAX_PAGE
from regen_core.ports import DocumentLoaded, Found, LoadOutcome, OutboxEntry
from regen_core.refusals import DocumentNotFound, DocumentReferenceMismatch, Refusal
from regen_core.regeneration import Regeneration
from regen_core.request import RegenerateRequest
from regen_core.revenue import Delivery, Held, RevenueLedger, collect
from regen_core.store import ItemTaken, NumberTaken
from regen_core.testing.subject import Accepted, Executed, LoadedAs, Subject
from regen_core.transactions import NO_TRANSACTIONS, Occasion, StoredTransactions

__all__ = ["Capability", "SmallStore", "StoreSubject", "accepted", "is_store", "loaded_as", "offered", "takes_clock"]


class SmallStore(Protocol):
    """What the kit needs of a store: five methods of :class:`regen_core.ports.Store`, which says what each does."""

    def load(self, document: BillingDocument) -> LoadOutcome:
        """Add or replace a document (DOC-1 … DOC-4)."""
        ...

    def find(self, scope: Scope, request: RegenerateRequest) -> Found | DocumentNotFound | DocumentReferenceMismatch:
        """The document that a request names, with its transactions (REQ-4, REQ-7, ACC-4)."""
        ...

    def regenerate(
        self, scope: Scope, request: RegenerateRequest, occasion: Occasion | None = None
    ) -> Regeneration | Executed | Refusal | Replay:
        """Decide and persist, in one unit of work; a service tells less than a store (:class:`Executed`)."""
        ...

    def pending(self, scope: Scope, limit: int) -> tuple[OutboxEntry, ...]:
        """The first deliveries that aren't acknowledged, in commit order."""
        ...

    def acknowledge(self, scope: Scope, entries: tuple[OutboxEntry, ...]) -> int:
        """Mark deliveries as done."""
        ...


@unique
class Capability(Enum):
    """What a system may lack; the checks that need it are told as skipped, never as passed."""

    CAN_FORK = "can_fork"
    HAS_LEDGER = "has_ledger"
    IDEMPOTENCY = "idempotency"
    CLOCK = "clock"
    LISTINGS = "listings"
    PLANNING = "planning"
    VERSIONS = "versions"
    TOGETHER = "together"
    THREADS = "threads"
    UNITS = "units"
    REOPENS = "reopens"


_METHODS: Final = {
    Capability.HAS_LEDGER: ("collect", "revenue"),
    Capability.LISTINGS: ("documents", "transactions", "deliveries"),
    Capability.PLANNING: ("plan",),
    Capability.TOGETHER: ("regenerate_together",),
    Capability.REOPENS: ("reopened",),
}
_PARAMETERS: Final = {
    Capability.IDEMPOTENCY: "idempotent",
    Capability.THREADS: "idempotent",
    Capability.UNITS: "idempotent",
    Capability.VERSIONS: "expected",
}

Build: TypeAlias = Callable[..., Any]


def is_store(made: object) -> bool:
    """Whether this is a store of the ports rather than a :class:`~regen_core.testing.subject.Subject`."""
    return not hasattr(made, "fork") and all([hasattr(made, name) for name in _NEEDED])


_NEEDED: Final = ("load", "find", "regenerate", "pending", "acknowledge")


def offered(build: Build, made: object) -> frozenset[Capability]:
    """What a store offers, by its methods and their parameters; a factory that takes ``clock`` lets the kit set it."""
    found = {Capability.CAN_FORK}
    found |= {each for each, names in _METHODS.items() if all([hasattr(made, name) for name in names])}
    parameters = _parameters(getattr(made, "regenerate", None))
    found |= {each for each, name in _PARAMETERS.items() if name in parameters}
    return frozenset(found | ({Capability.CLOCK} if takes_clock(build) else set()))


def takes_clock(build: Build) -> bool:
    """Whether a factory lets the kit set the clock of what it makes."""
    return "clock" in _parameters(build)


def _parameters(function: object) -> frozenset[str]:
    try:
        return frozenset(inspect.signature(function).parameters)  # type: ignore[arg-type]  # what has none raises
    except (TypeError, ValueError):
        return frozenset()


def loaded_as(outcome: LoadOutcome) -> LoadedAs | NumberTaken | ItemTaken:
    """What a store told about a document that it loaded, as the kit wants to know it."""
    return LoadedAs(outcome.is_new, bool(outcome.changes)) if isinstance(outcome, DocumentLoaded) else outcome


def accepted(
    outcome: Regeneration | Executed | Refusal | Replay, committed: Callable[[], Iterable[Delivery]]
) -> Accepted | Refusal:
    """What a store told about a request without a key; ``committed`` is asked where that wasn't refused."""
    assert not isinstance(outcome, Replay), "a request without a key was answered with a saved result (IDM-1)"
    if not isinstance(outcome, (Regeneration, Executed)):
        return outcome
    return Accepted(outcome.id_list, tuple(committed()))


class StoreSubject:
    """A store beside a Revenue of the kit's; ``build`` makes an empty store each time that it is called."""

    def __init__(self, build: Callable[[], SmallStore]) -> None:
        self._build = build
        self._made: SmallStore | None = None
        self.ledger = RevenueLedger()
        self._known: dict[DocumentKey, None] = {}
        self._calls: list[Callable[[SmallStore], object]] = []

    @property
    def store(self) -> SmallStore:
        """The store; that of a copy is made when it is first needed, and everything is done again in it."""
        if self._made is None:
            self._made = self._build()
            for call in self._calls:
                call(self._made)
        return self._made

    def load(self, document: BillingDocument) -> LoadedAs | NumberTaken | ItemTaken:
        """See :class:`~regen_core.testing.subject.Subject`."""
        store = self.store
        self._calls.append(lambda other: other.load(document))
        self._known[document.key] = None
        return loaded_as(store.load(document))

    def regenerate(self, scope: Scope, request: RegenerateRequest, occasion: Occasion | None) -> Accepted | Refusal:
        """See :class:`~regen_core.testing.subject.Subject`; what was sent is what the outbox has gained."""
        store = self.store
        self._calls.append(lambda other: other.regenerate(scope, request, occasion))
        before = {entry.position for entry in _waiting(store, scope)}
        outcome = store.regenerate(scope, request, occasion)
        return accepted(
            outcome, lambda: [each.delivery for each in _waiting(store, scope) if each.position not in before]
        )

    def transactions(self, key: DocumentKey) -> StoredTransactions:
        """See :class:`~regen_core.testing.subject.Subject`."""
        found = self._found(key)
        return NO_TRANSACTIONS if found is None else found.stored.transactions

    def _found(self, key: DocumentKey) -> Found | None:
        found = self.store.find(_everything(key), RegenerateRequest(type=key.type, id=key.id))
        return found if isinstance(found, Found) else None

    def pending(self) -> dict[str, Delivery]:
        """See :class:`~regen_core.testing.subject.Subject`."""
        return {each.delivery.id: each.delivery for scope in self._scopes() for each in _waiting(self.store, scope)}

    def _scopes(self) -> list[Scope]:
        return list({(key.tenant, key.entity): _everything(key) for key in self._known}.values())

    def acknowledge(self, delivery_id: str) -> None:
        """See :class:`~regen_core.testing.subject.Subject`."""
        store, scopes = self.store, self._scopes()
        self._calls.append(lambda other: _acknowledge(other, scopes, delivery_id))
        _acknowledge(store, scopes, delivery_id)

    def deliver(self, delivery: Delivery) -> None:
        """See :class:`~regen_core.testing.subject.Subject`."""
        self.ledger = collect(self.ledger, delivery)

    def held(self, transaction_id: str) -> Held | None:
        """See :class:`~regen_core.testing.subject.Subject`."""
        return self.ledger.held.get(transaction_id)

    def holdings(self) -> dict[str, Held]:
        """See :class:`~regen_core.testing.subject.Subject`."""
        return dict(self.ledger.held.items())

    def disturb(self, transaction_id: str, held: Held | None) -> None:
        """See :class:`~regen_core.testing.subject.Subject`."""
        before = self.ledger.held
        after = before.without(transaction_id) if held is None else before.put(transaction_id, held)
        self.ledger = RevenueLedger(after)

    def state(self) -> object:
        """Documents with their transactions as they are found, the outbox, and the kit's Revenue."""
        found = {key: self._found(key) for key in self._known}
        return {key: each.stored for key, each in found.items() if each is not None}, self.pending(), self.ledger

    def fork(self) -> Subject:
        """A copy: the same Revenue, and another store in which everything is done again as soon as it is asked."""
        other = type(self)(self._build)
        other.ledger, other._known, other._calls = self.ledger, dict(self._known), list(self._calls)
        return other


def _everything(key: DocumentKey) -> Scope:
    return Scope(tenant=key.tenant, entity=key.entity, orgs=None)


def _waiting(store: SmallStore, scope: Scope) -> tuple[OutboxEntry, ...]:
    return store.pending(Scope(tenant=scope.tenant, entity=scope.entity, orgs=None), MAX_PAGE)


def _acknowledge(store: SmallStore, scopes: list[Scope], delivery_id: str) -> None:
    for scope in scopes:
        for entry in _waiting(store, scope):
            if entry.delivery.id == delivery_id:
                store.acknowledge(scope, (entry,))
