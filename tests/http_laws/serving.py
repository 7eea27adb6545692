"""A service in this process around a store of the tests', with tokens given out directly and a clock that stands."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, evolve, field
from starlette.types import ASGIApp

from regen_core.access import Caller
from regen_core.adapters.http.application import Service, application
from regen_core.adapters.http.clients import Clients
from regen_core.adapters.http.exchange import Observer
from regen_core.adapters.http.execution import Executor, Outcome, Work
from regen_core.adapters.http.health import Readiness
from regen_core.adapters.http.limits import Limits, Quotas, Window
from regen_core.adapters.http.tokens import LIFETIME, Tokens
from regen_core.ports import DocumentStore
from regen_core.transactions import Occasion
from regen_core.wire.answers import AnswerStyle

__all__ = ["AtOnce", "Dated", "PLENTY", "Running"]

PLENTY = Quotas(requests=(Window(3600, 10**9),), concurrent=10**6)
"""Limits that no test uses up by accident."""


class AtOnce:
    """Executes on the event loop itself: nothing else goes on while it does."""

    def __init__(self, store: DocumentStore) -> None:
        self._store = store

    async def submit(self, work: Work) -> Outcome:
        """What the store says."""
        return self._store.regenerate(work.scope, work.request, work.occasion, idempotent=work.idempotent)


class Dated:
    """Has requests executed as of a moment that the test chooses; by whom stays as the service says it."""

    def __init__(self, inner: Executor, now: Callable[[], Occasion]) -> None:
        self._inner, self._now = inner, now

    async def submit(self, work: Work) -> Outcome:
        """What the inner one says."""
        by = None if work.occasion is None else work.occasion.by
        return await self._inner.submit(evolve(work, occasion=Occasion(self._now().at, by)))


@define
class Running:
    """A service, its clock in seconds, and the tokens that it gave out."""

    executor: Executor
    quotas: Quotas = PLENTY
    style: AnswerStyle = field(factory=AnswerStyle)
    observers: tuple[Observer, ...] = ()
    limits: Limits | None = None
    ready_if: DocumentStore | None = None
    seconds: float = 0.0
    _tokens: Tokens = field(init=False)
    _given: dict[Caller, tuple[str, float]] = field(factory=dict, init=False)
    app: ASGIApp = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._tokens = Tokens(self._clock)
        service = Service(
            executor=self.executor,
            clients=Clients.of(()),
            limits=Limits(self.quotas) if self.limits is None else self.limits,
            style=self.style,
            clock=self._clock,
            tokens=self._tokens,
        )
        readiness = None if self.ready_if is None else Readiness(self.ready_if, self._clock)
        self.app = application(service, readiness=readiness, observers=self.observers)

    def _clock(self) -> float:
        return self.seconds

    def token_of(self, caller: Caller) -> str:
        """A token of a caller; the same one while it is valid."""
        given = self._given.get(caller)
        if given is None or self.seconds >= given[1] + LIFETIME:
            given = self._given[caller] = self._tokens.issue(caller), self.seconds
        return given[0]
