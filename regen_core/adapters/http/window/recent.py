"""The last requests that the service answered, each with the rule that answered it; per tenant (ACC-4).

It keeps what people need to understand an answer: which document was named, which flags, what came out by which rules.
It keeps no token, no Idempotency-Key and no body.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import datetime
from itertools import count
from typing import Any, Final

from attrs import field, frozen

from regen_core.adapters.http.envelope import DropConnection
from regen_core.adapters.http.exchange import Exchange
from regen_core.adapters.http.window.injecting import CommitRefused
from regen_core.explain.words import times
from regen_core.idempotency import Replay
from regen_core.plain_values import plain
from regen_core.refusals import Refusal
from regen_core.regeneration import Regeneration
from regen_core.request import RegenerateRequest

__all__ = ["MOST_REMEMBERED", "Recent", "Remembered", "remembered_json"]

MOST_REMEMBERED: Final = 100
"""Requests of one tenant that are remembered: some screens full."""

MOST_RULES: Final = 12
"""Rules of one request that are told: a document with a thousand lines names few different ones."""

_NOT_REMEMBERED: Final = frozenset({"window", "health"})
_NOBODY_LEFT: Final = frozenset({"ClientGone"})
_ROUTES: Final = {"regenerate": "operation", "token": "login"}


@frozen(kw_only=True)
class Remembered:
    """One request as it is shown.

    Fields: ``number`` counts all requests; ``client`` ``None`` where nobody was authenticated; ``request`` ``None``
    where it was refused before it could be read; ``status`` ``None`` where the client got no answer; ``name`` the
    refusal's, or what was done; ``rule_ids`` those that decided; ``milliseconds`` from its first byte to the answer.
    """

    number: int
    at: datetime
    tenant: str | None
    client: str | None
    what: str
    request: RegenerateRequest | None
    has_key: bool
    track_id: str | None
    request_id: str
    status: int | None
    name: str
    code: int | None
    told: str
    is_refused: bool
    rule_ids: tuple[str, ...]
    milliseconds: int


@frozen(eq=False)
class Recent:
    """Remembers requests; it is one of the service's observers. Used from one thread.

    ``clock`` gives the time of day in UTC. The window's own requests and probes of health aren't remembered.
    """

    clock: Callable[[], datetime]
    _by_tenant: dict[str | None, deque[Remembered]] = field(factory=dict, init=False)
    _numbers: Any = field(factory=lambda: count(1), init=False)

    def answered(self, exchange: Exchange, duration: float) -> None:
        """Remember a request."""
        if exchange.route in _NOT_REMEMBERED or exchange.fault in _NOBODY_LEFT:
            return
        tenant = None if exchange.caller is None else exchange.caller.tenant
        kept = self._by_tenant.setdefault(tenant, deque(maxlen=MOST_REMEMBERED))
        kept.append(_remembered(exchange, duration, next(self._numbers), self.clock()))

    def of(self, tenant: str, *, with_strangers: bool) -> tuple[Remembered, ...]:
        """A tenant's last requests, the newest first; ``with_strangers`` adds those of nobody who is known."""
        found = [*self._by_tenant.get(tenant, ()), *(self._by_tenant.get(None, ()) if with_strangers else ())]
        return tuple(sorted(found, key=lambda each: each.number, reverse=True)[:MOST_REMEMBERED])

    def by_request_id(self, tenant: str, request_id: str) -> Remembered | None:
        """A tenant's request by the id that its answer carries; ``None`` where it isn't remembered."""
        found = (each for each in self._by_tenant.get(tenant, ()) if each.request_id == request_id)
        return next(found, None)

    def forget(self, tenant: str, *, with_strangers: bool) -> None:
        """Forget a tenant's requests."""
        self._by_tenant.pop(tenant, None)
        if with_strangers:
            self._by_tenant.pop(None, None)


def _remembered(exchange: Exchange, duration: float, number: int, at: datetime) -> Remembered:
    admitted, outcome = exchange.admitted, exchange.outcome
    name, told, rule_ids = _outcome(exchange)
    return Remembered(
        number=number,
        at=at,
        tenant=None if exchange.caller is None else exchange.caller.tenant,
        client=None if exchange.caller is None else exchange.caller.client,
        what=_ROUTES.get(exchange.route, "unknown path"),
        request=None if admitted is None else admitted.request,
        has_key=admitted is not None and admitted.idempotency_key is not None,
        track_id=exchange.track_id,
        request_id=exchange.request_id,
        status=None if exchange.fault == _DROPPED else exchange.status,
        name=name,
        code=None if outcome is None or isinstance(outcome, Regeneration | Replay) else outcome.code,
        told=told,
        is_refused=exchange.refusal_name is not None
        or (outcome is not None and not isinstance(outcome, Regeneration | Replay)),
        rule_ids=rule_ids,
        milliseconds=round(duration * 1000),
    )


_DROPPED: Final = DropConnection.__name__


def _outcome(exchange: Exchange) -> tuple[str, str, tuple[str, ...]]:
    """What came out: a name, a sentence, and the rules that decided."""
    match exchange.outcome:
        case None if exchange.fault == _DROPPED:
            return "dropped", "It was carried out; the connection was closed before the answer.", ()
        case None:
            return exchange.refusal_name or "answered", "", ()
        case Regeneration() as done:
            written, sent = len(done.writes), len(done.deliveries)
            told = f"{times(written, 'transaction')} written, {times(sent, 'delivery', 'deliveries')} sent"
            rules = (done.rule.id, *[rule_id for line in done.lines for rule_id in line.rule_ids])
            assert done.rule.mode is not None, "what isn't refused has a mode"
            return done.rule.mode.value, told, tuple(dict.fromkeys(rules))[:MOST_RULES]
        case Replay():
            return "replayed", "The answer of the first request under this Idempotency-Key.", ("IDM-1", "IDM-8")
        case refusal:
            return refusal.name, _told(refusal, exchange), refusal.rule_ids


def _told(refusal: Refusal, exchange: Exchange) -> str:
    injected = " An injected fault, as asked for." if exchange.fault == CommitRefused.__name__ else ""
    return f"{refusal.message}{injected}"


def remembered_json(each: Remembered) -> dict[str, Any]:
    """A request as JSON."""
    told: dict[str, Any] = plain(each)
    del told["tenant"]
    return told
