"""A service over HTTP as a store of the ports: requests go over the wire, all else through what its owners give.

``behind`` loads documents and shows what is stored and what waits for Revenue: ``load``, ``find``, ``pending`` and
``acknowledge`` of :class:`~regen_core.testing.adapted.SmallStore`, without ``regenerate``. Under an Idempotency-Key a
replay must have the bytes of the first answer; then it counts as the replay that the kit expects.
"""

from __future__ import annotations

from collections.abc import Sequence
from secrets import token_hex
from typing import Any, Protocol

from attrs import define, evolve, field

from regen_core.access import Scope
from regen_core.calls import Answer, IdempotentCall
from regen_core.documents import BillingDocument
from regen_core.idempotency import Replay, is_saved
from regen_core.ports import Found, LoadOutcome, OutboxEntry
from regen_core.refusals import DocumentNotFound, DocumentReferenceMismatch, Refusal
from regen_core.regeneration import decide, refused_unread
from regen_core.request import RegenerateRequest
from regen_core.store import StoredDocument
from regen_core.testing.clients import Clients
from regen_core.testing.hearing import outcome_heard
from regen_core.testing.moments import Moments
from regen_core.testing.over_http import Heard, Service
from regen_core.testing.subject import Executed
from regen_core.transactions import Occasion, StoredTransactions

__all__ = ["Behind", "WireStore"]


class Behind(Protocol):
    """What the kit needs behind a service; :class:`regen_core.ports.Store` says what each method does."""

    def load(self, document: BillingDocument) -> LoadOutcome:
        """Add or replace a document (DOC-1 … DOC-4)."""
        ...

    def find(self, scope: Scope, request: RegenerateRequest) -> Found | DocumentNotFound | DocumentReferenceMismatch:
        """The document that a request names, with its transactions."""
        ...

    def pending(self, scope: Scope, limit: int) -> tuple[OutboxEntry, ...]:
        """The first deliveries that aren't acknowledged, in commit order."""
        ...

    def acknowledge(self, scope: Scope, entries: tuple[OutboxEntry, ...]) -> int:
        """Mark deliveries as done."""
        ...


_Name = tuple[str, str, str]


@define(eq=False)
class WireStore:
    """A service with what is behind it, empty at first."""

    _service: Service
    _clients: Clients
    behind: Behind
    _moments: Moments = field(factory=Moments, init=False)
    _as_told: dict[str, OutboxEntry] = field(factory=dict, init=False)
    _kept: dict[_Name, tuple[Answer, Answer]] = field(factory=dict, init=False)
    """By key what was answered first: over the wire, and as the kit would have answered."""
    _run: str = field(factory=lambda: token_hex(6), init=False)

    def close(self) -> None:
        """Close what is behind the service, where that can be closed."""
        close = getattr(self.behind, "close", None)
        if callable(close):
            close()

    # through what is behind

    def load(self, document: BillingDocument) -> LoadOutcome:
        """See :class:`Behind`."""
        return self.behind.load(document)

    def find(self, scope: Scope, request: RegenerateRequest) -> Found | DocumentNotFound | DocumentReferenceMismatch:
        """See :class:`Behind`."""
        found = self.behind.find(scope, request)
        if not isinstance(found, Found):
            return found
        lines = [evolve(each, transaction=self._moments.told(each.transaction)) for each in _lines(found)]
        return evolve(found, stored=StoredDocument(found.stored.document, StoredTransactions(tuple(lines))))

    def pending(self, scope: Scope, limit: int) -> tuple[OutboxEntry, ...]:
        """See :class:`Behind`."""
        entries = self.behind.pending(scope, limit)
        self._as_told.update({each.delivery.id: each for each in entries})
        return tuple([evolve(each, delivery=self._dated(each)) for each in entries])

    def _dated(self, entry: OutboxEntry) -> Any:
        return evolve(entry.delivery, transaction=self._moments.told(entry.delivery.transaction))

    def acknowledge(self, scope: Scope, entries: Sequence[OutboxEntry]) -> int:
        """See :class:`Behind`; it gets the entries as it told them."""
        return self.behind.acknowledge(scope, tuple([self._as_told[each.delivery.id] for each in entries]))

    # over the wire

    def regenerate(
        self,
        scope: Scope,
        request: RegenerateRequest,
        occasion: Occasion | None = None,
        *,
        idempotent: IdempotentCall | None = None,
    ) -> Executed | Refusal | Replay:
        """Send the request, as a client that has this scope; raises :class:`OutOfReach` where there is none."""
        asker = self._clients.asker(scope, None if idempotent is None else idempotent.client)
        expected = self._expected(scope, request)
        heard = self._service.ask(
            _body(request),
            flags=(request.only_re_send, request.re_migrate),
            headers=asker.headers,
            key=None if idempotent is None else f"{self._run}-{idempotent.key}",
            client=asker.client,
        )
        if heard.headers.get("idempotent-replayed") == "true":
            return self._replayed(heard, scope, idempotent)
        outcome = outcome_heard(heard, request.type, lambda: expected)
        if isinstance(outcome, Executed):
            self._note(scope, request, occasion)
        if idempotent is not None and (isinstance(outcome, Executed) or is_saved(outcome)):
            answered = Answer(heard.status, heard.body), idempotent.answer(outcome)  # type: ignore[arg-type]  # the kit's
            self._kept[_name(scope, idempotent)] = answered
        return outcome

    def _expected(self, scope: Scope, request: RegenerateRequest) -> object:
        """What the core says to the request: it stands in for what an answer doesn't tell."""
        found = refused_unread(request) or self.behind.find(scope, request)
        if not isinstance(found, Found):
            return found
        return decide(found.stored.document, found.stored.transactions, request)

    def _note(self, scope: Scope, request: RegenerateRequest, occasion: Occasion | None) -> None:
        found = self.behind.find(Scope(tenant=scope.tenant, entity=scope.entity, orgs=None), request)
        for line in _lines(found) if isinstance(found, Found) else ():
            self._moments.note(line.transaction, occasion)

    def _replayed(self, heard: Heard, scope: Scope, call: IdempotentCall | None) -> Replay:
        first = None if call is None else self._kept.get(_name(scope, call))
        if first is not None and (heard.status, heard.body) == (first[0].status, first[0].body):
            return Replay(first[1].status, first[1].body)
        return Replay(heard.status, heard.body)


def _lines(found: Found) -> Sequence[Any]:
    return found.stored.transactions.lines


def _name(scope: Scope, call: IdempotentCall) -> _Name:
    return (scope.tenant, call.client, call.key)


def _body(request: RegenerateRequest) -> dict[str, str]:
    told = {"type": request.type.value, "id": request.id, "number": request.number}
    return {name: value for name, value in told.items() if value is not None}
