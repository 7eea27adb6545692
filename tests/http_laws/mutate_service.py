"""Spoilt requests through the whole ASGI application: its parts in their order, on a store that must stay as it is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from random import Random
from typing import Final

from attrs import define, frozen

from regen_core.adapters.http.exchange import Exchange
from regen_core.adapters.http.limits import Quotas
from regen_core.adapters.memory import MemoryStore
from regen_core.documents import (
    POSTED_STATUS,
    AdjustmentKind,
    BillingDocument,
    BillingItem,
    DocumentHeader,
    DocumentKey,
    DocumentType,
    ItemSource,
)
from regen_core.refusals import Refusal
from regen_core.regeneration import Regeneration
from regen_core.wire.submission import track_id_of
from tests.http_laws.attempts import CANARY, Attempt, Standing, Token
from tests.http_laws.calling import Heard, asked
from tests.http_laws.described import undescribed
from tests.http_laws.mutate import MOST_SECONDS, MOST_SHOWN, PER_SEED, Spoilt, said_wrongly, spoilt
from tests.http_laws.reading import checked_error, checked_success
from tests.http_laws.serving import PLENTY, AtOnce, Running

__all__ = ["World", "through_service"]

_NAMES: Final = (f"{CANARY}-1", f"{CANARY}-2", f"{CANARY}-absent")
SOME: Final = 16
"""Of so many answers one is held against the service's description."""

_LATER: Final = 3600.0
"""Seconds after which a token has expired."""


_SOURCES: Final = {
    DocumentType.INVOICE: ItemSource.STANDALONE,
    DocumentType.CREDIT_MEMO: ItemSource.INVOICE,
    DocumentType.DEBIT_MEMO: ItemSource.CREDIT_MEMO,
    DocumentType.INVOICE_ITEM_ADJUSTMENT: ItemSource.INVOICE,
}


def _document(kind: DocumentType, name: str) -> BillingDocument:
    key = DocumentKey(tenant=f"t-{CANARY}", entity="e1", type=kind, id=name)
    header = DocumentHeader(
        key=key, number=f"N-{name}", status=POSTED_STATUS[kind], date=date(2026, 1, 31), currency="EUR"
    )
    is_adjustment = kind is DocumentType.INVOICE_ITEM_ADJUSTMENT
    item = BillingItem(
        id=name if is_adjustment else f"{kind.value}-item-{name[-1]}",
        amount=Decimal("10.00"),
        source=_SOURCES[kind],
        adjustment_kind=AdjustmentKind.CREDIT if is_adjustment else None,
    )
    return BillingDocument(header, (item,))


@define
class _Last:
    """Remembers what the service says of the last request."""

    exchange: Exchange | None = None

    def answered(self, exchange: Exchange, duration: float) -> None:
        """See the service's observers."""
        self.exchange = exchange


@frozen
class _Stored:
    """What a store keeps, by identity or number: values are replaced, never changed."""

    but_records: tuple[int, ...]
    records: int


class World:
    """A store, a service with room and one without, and the tokens of everybody; ``around`` puts a fault into it."""

    def __init__(self, around: Callable[[MemoryStore], MemoryStore] = lambda store: store) -> None:
        self.asked, self.last, self.store = 0, _Last(), MemoryStore()
        self.store.load_all([_document(kind, name) for kind in DocumentType for name in _NAMES[:2]])
        executor = AtOnce(around(self.store))
        self.services = [Running(executor, quotas, observers=(self.last,)) for quotas in (PLENTY, Quotas(concurrent=0))]
        self.expired = [service.token_of(Standing().caller()) for service in self.services]
        for service in self.services:
            service.seconds = _LATER

    def authorizations(self, attempt: Attempt) -> list[str]:
        """What stands in its header of authorization."""
        token = self.services[attempt.is_limited].token_of(attempt.standing.caller())
        bearer = f"Bearer {token}"
        ways = {
            Token.VALID: [bearer],
            "absent": [],
            "unknown": [f"Bearer {CANARY}{token[4:]}"],
            "expired": [f"Bearer {self.expired[attempt.is_limited]}"],
            "twice": [bearer, bearer],
            "basic": [f"Basic {token}"],
            "altered": [bearer[:-1] + ("A" if bearer[-1] != "A" else "B")],
            "blank": [""],
            "spaced": [f"Bearer {token} {CANARY}"],
            "listed": [f"{bearer}, {bearer}"],
        }
        return ways[attempt.token]

    @property
    def stored(self) -> _Stored:
        """All that it keeps."""
        store = self.store
        return _Stored((id(store.transaction_store), id(store.ledger), len(store._outbox)), len(store._records))

    async def fault(self, each: Spoilt) -> str | None:
        """What is wrong with the answer to a request, if anything."""
        attempt, before = each.attempt, self.stored
        sent = attempt.sent(self.authorizations(attempt))
        began = time.perf_counter()
        heard, told = await asked(self.services[attempt.is_limited].app, sent), self.last.exchange
        if time.perf_counter() - began > MOST_SECONDS:
            began = time.process_time()
            await asked(self.services[attempt.is_limited].app, sent)
            if time.process_time() - began > MOST_SECONDS:
                return "it takes too long"
            self.last.exchange = told  # a repeat under a key is a replay; what is judged is the first answer
        self.asked += 1
        if self.asked % SOME == 0 and (faults := undescribed(sent, heard)):
            return f"not as described: {faults}"
        return self._judged(each, heard) or self._stored_wrongly(heard, before)

    def _judged(self, each: Spoilt, heard: Heard) -> str | None:
        assert self.last.exchange is not None
        outcome = self.last.exchange.outcome
        if heard.status >= 500:
            return f"{heard.status}: {self.last.exchange.fault}"
        is_ladder = not isinstance(outcome, Regeneration) and outcome is not None and _rank(outcome) < 13
        if each.is_wrong(type(outcome) if is_ladder else None):  # type: ignore[arg-type]  # a refusal
            return f"{outcome!r} is the answer, not {each.due and each.due.__name__}"
        track = track_id_of([(name.lower(), value) for name, value in each.attempt.headers])
        return _told_wrongly(each, heard, outcome, track)

    def _stored_wrongly(self, heard: Heard, before: _Stored) -> str | None:
        """PRE-4; a key's record is kept of what the operation itself decided (IDM-6)."""
        after, outcome = self.stored, self.last.exchange and self.last.exchange.outcome
        if heard.status == 200 or after == before:
            return None
        is_a_record = 15 <= _rank(outcome) <= 19 and after.but_records == before.but_records
        return None if is_a_record else "something is stored"


def _rank(outcome: object) -> int:
    rank = getattr(outcome, "rank", None)
    return rank if isinstance(rank, int) else 99


def _told_wrongly(each: Spoilt, heard: Heard, outcome: object, track: str | None) -> str | None:
    """What is wrong with the form of an answer, whatever it says."""
    if heard.header("zuora-track-id") != track:
        return f"the track id {heard.header('zuora-track-id')!r} came back, not {track!r}"
    values = [value for name, value in heard.headers if name != "zuora-track-id"]
    if any(CANARY in value or "\r" in value or "\n" in value for value in values):
        return f"a header tells what was sent: {heard.headers}"
    if isinstance(outcome, Regeneration):
        checked_success(heard)
        return None
    code, message = checked_error(heard)
    refusal: Refusal = outcome  # type: ignore[assignment]  # no key comes twice, so it is no replay
    if (heard.status, code, message) != (refusal.http_status, refusal.code, refusal.message):
        return f"{heard} isn't what is said of {refusal!r}"
    if heard.json["requestId"] != heard.header("zuora-request-id") or len(heard.json["requestId"]) != 36:
        return f"the ids of the request differ: {heard}"
    return said_wrongly(each, refusal)


async def _through(world: World, seed: int) -> str | None:
    rng = Random(seed)  # noqa: S311  # reproducible
    for number in range(PER_SEED):
        each = spoilt(rng, _NAMES)
        fault = await world.fault(each)
        if fault is not None:
            return f"seed {seed}, request {number} ({each.names}): {fault}: {str(each.attempt)[:MOST_SHOWN]}"
    return None


def through_service(seed: int, world: World | None = None) -> str | None:
    """What is wrong with the service's answer to one of a seed's requests, if anything."""
    return asyncio.run(_through(World() if world is None else world, seed))
