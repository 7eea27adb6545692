"""The service in this process: every part is the real one, only the clock stands still until it is told to move."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from decimal import Decimal
from typing import Any, Final

import pytest
from attrs import define, field
from httpx import ASGITransport, AsyncClient, Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from regen_core.access import Caller
from regen_core.adapters.http.application import Service, application
from regen_core.adapters.http.clients import Client, Clients, hash_secret
from regen_core.adapters.http.exchange import Exchange
from regen_core.adapters.http.execution import Executor, StoreThreads
from regen_core.adapters.http.health import Readiness
from regen_core.adapters.http.limits import Limits, Quotas
from regen_core.adapters.http.tokens import Tokens
from regen_core.adapters.memory import MemoryStore
from regen_core.documents import BillingDocument, BillingItem, DocumentHeader, DocumentKey, DocumentType, ItemSource
from regen_core.idempotency import OPERATION_PATH
from regen_core.wire.answers import AnswerStyle

SECRET: Final = "a-secret-of-the-tests"  # noqa: S105  # of clients that live for a test
HASH: Final = hash_secret(SECRET)
"""Made once: that takes time on purpose."""

CLIENTS: Final = (
    Caller(tenant="t1", client="one", entities=frozenset({"e1"})),
    Caller(tenant="t2", client="two", entities=frozenset({"e1"})),
    Caller(tenant="t1", client="several", entities=frozenset({"e1", "e2"}), orgs=frozenset({"north"})),
    Caller(tenant="t1", client="powerless", entities=frozenset({"e1"}), permissions=frozenset()),
)


def invoice(name: str = "1", *, tenant: str = "t1", status: str = "Posted", items: int = 2) -> BillingDocument:
    """An invoice ``inv1`` with the number ``INV-1``."""
    key = DocumentKey(tenant=tenant, entity="e1", type=DocumentType.INVOICE, id=f"inv{name}")
    header = DocumentHeader(key=key, number=f"INV-{name}", status=status, date=date(2026, 1, 31), currency="EUR")
    made = [
        BillingItem(id=f"item{name}-{at}", amount=Decimal(10), source=ItemSource.SUBSCRIPTION) for at in range(items)
    ]
    return BillingDocument(header, tuple(made))


@define
class Seen:
    """An observer that keeps what it is told."""

    exchanges: list[Exchange] = field(factory=list)

    def answered(self, exchange: Exchange, duration: float) -> None:
        """Keep it."""
        assert duration >= 0
        self.exchanges.append(exchange)


class Http:
    """A client of an application in this process, on an event loop of its own."""

    def __init__(self, app: ASGIApp, address: str = "192.0.2.1") -> None:
        self._runner = asyncio.Runner()
        transport = ASGITransport(app, client=(address, 4711))
        self._client = AsyncClient(transport=transport, base_url="http://service", headers={"accept-encoding": ""})

    def request(self, method: str, path: str, **options: Any) -> Response:
        """Any request."""
        return self._runner.run(self._client.request(method, path, **options))

    def get(self, path: str, **options: Any) -> Response:
        """A question."""
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> Response:
        """A command."""
        return self.request("POST", path, **options)

    def all(self, *requests: tuple[str, str, dict[str, Any]]) -> list[Response]:
        """Several requests at the same time."""

        async def gathered() -> list[Response]:
            return await asyncio.gather(*[self._client.request(*each[:2], **each[2]) for each in requests])

        return self._runner.run(gathered())

    def close(self) -> None:
        """End the loop."""
        self._runner.close()


@define
class Served:
    """A service with a client to talk to it."""

    app: ASGIApp
    store: MemoryStore
    http: Http
    now: list[float]
    seen: Seen
    readiness: Readiness
    tokens: Tokens

    def login(self, client: str = "one") -> str:
        """A token, without the secret's slow comparison."""
        return self.tokens.issue(next(caller for caller in CLIENTS if caller.client == client))

    def ask(
        self,
        body: Any = None,
        query: str = "",
        *,
        token: str | None = None,
        client: str = "one",
        headers: dict[str, str] | None = None,
        content: bytes | None = None,
    ) -> Response:
        """The operation, for ``inv1`` unless something else is asked."""
        told = {"authorization": f"Bearer {token or self.login(client)}", "content-type": "application/json"}
        told.update(headers or {})
        if content is not None:
            return self.http.post(OPERATION_PATH + query, content=content, headers=told)
        asked = {"type": "Invoice", "id": "inv1"} if body is None else body
        return self.http.post(OPERATION_PATH + query, json=asked, headers=told)


Serve = Callable[..., Served]


@contextmanager
def served(
    *,
    quotas: Quotas | None = None,
    style: AnswerStyle | None = None,
    around: Callable[[Executor], Executor] | None = None,
    extra_routes: tuple[BaseRoute, ...] = (),
    body_seconds: float = 10.0,
) -> Iterator[Served]:
    """A service over a memory store with ``inv1``."""
    store, now, seen = MemoryStore(), [0.0], Seen()
    store.load(invoice())
    threads = StoreThreads(store)
    service = Service(
        executor=threads if around is None else around(threads),
        clients=Clients.of([Client(caller, HASH) for caller in CLIENTS]),
        limits=Limits(quotas or Quotas()),
        style=style or AnswerStyle(),
        clock=lambda: now[0],
        body_seconds=body_seconds,
    )
    readiness = Readiness(store, service.clock)
    app = application(service, readiness=readiness, observers=(seen,), extra_routes=extra_routes)
    http = Http(app)
    try:
        yield Served(app, store, http, now, seen, readiness, service.tokens)
    finally:
        http.close()
        threads.close()
        readiness.close()


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Services, each made with what a test wants of it."""
    with ExitStack() as made:
        yield lambda **options: made.enter_context(served(**options))


@pytest.fixture
def service(serve: Serve) -> Served:
    """A service as it comes."""
    return serve()
