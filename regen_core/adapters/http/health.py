"""Whether the process lives, and whether it is ready for requests: its store answers and nobody asked it to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from regen_core.access import Scope
from regen_core.adapters.http.answering import respond
from regen_core.adapters.http.exchange import Exchange, exchange_of
from regen_core.documents import DocumentType
from regen_core.ports import Answer, DocumentStore
from regen_core.request import RegenerateRequest

__all__ = ["LIVE_PATH", "READY_PATH", "Readiness", "health_routes"]

LIVE_PATH: Final = "/healthz"
READY_PATH: Final = "/readyz"

_FRESH: Final = 1.0
"""Seconds for which the store isn't asked again: however often a prober asks, the store has other work."""

_NOBODY: Final = Scope(tenant="-", entity="-", orgs=frozenset())
_NOTHING: Final = RegenerateRequest(type=DocumentType.INVOICE, id="-")


class Readiness:
    """Asks the store a small question, seldom, on a thread of its own; ``seconds`` is how long it may take."""

    def __init__(self, store: DocumentStore, clock: Callable[[], float], *, seconds: float = 2.0) -> None:
        self._store, self._clock, self._seconds = store, clock, seconds
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="regen-ready")
        self._asking: asyncio.Future[bool] | None = None
        self._answers = False
        self._asked_at: float | None = None
        self.is_stopping = False
        """Set it when the service shall get no more requests."""

    async def reason_against(self) -> str | None:
        """Why requests shouldn't come here, ``None`` where they may."""
        if self.is_stopping:
            return "stopping"
        return None if await self._store_answers() else "the store does not answer"

    async def _store_answers(self) -> bool:
        now = self._clock()
        if self._asking is None and (self._asked_at is None or now >= self._asked_at + _FRESH):
            self._asked_at = now
            self._asking = asyncio.get_running_loop().run_in_executor(self._pool, self._ask)
        asking = self._asking
        if asking is None:
            return self._answers
        done, _ = await asyncio.wait([asking], timeout=self._seconds)
        self._answers = bool(done) and asking.result()
        if done and self._asking is asking:
            self._asking = None
        return self._answers

    def _ask(self) -> bool:
        try:
            self._store.find(_NOBODY, _NOTHING)
        except Exception:  # noqa: BLE001  # a store that can't answer isn't ready, whatever the reason
            return False
        return True

    def close(self) -> None:
        """Ask nothing more."""
        self._pool.shutdown(wait=False)


def health_routes(readiness: Readiness) -> list[Route]:
    """The paths that a service manager asks; they need no token and tell nothing else."""

    async def live(request: Request) -> Response:
        return _told(exchange_of(request.scope), 200, b'{"status":"alive"}')

    async def ready(request: Request) -> Response:
        reason = await readiness.reason_against()
        if reason is None:
            return _told(exchange_of(request.scope), 200, b'{"status":"ready"}')
        return _told(exchange_of(request.scope), 503, b'{"status":"not ready","because":"%b"}' % reason.encode())

    return [Route(LIVE_PATH, live), Route(READY_PATH, ready)]


def _told(exchange: Exchange, status: int, body: bytes) -> Response:
    exchange.route = "health"
    return respond(exchange, Answer(status, body))
