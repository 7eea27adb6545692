"""A service with a window in this process: the real store on a file, the real application, and a client beside it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from attrs import define, field
from httpx import ASGITransport, AsyncClient, RemoteProtocolError, Response
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as AsgiScope

from regen_core.access import Caller, Scope
from regen_core.adapters.http.application import Service, application
from regen_core.adapters.http.clients import Clients
from regen_core.adapters.http.envelope import DROP_EXTENSION
from regen_core.adapters.http.execution import StoreThreads
from regen_core.adapters.http.tokens import Tokens
from regen_core.adapters.http.window.guard import Address
from regen_core.adapters.http.window.route import Window
from regen_core.adapters.sql import SqlStore
from regen_core.adapters.sql.sandbox import SqlSandbox
from regen_core.idempotency import OPERATION_PATH

ADDRESS: Final = Address("127.0.0.1", 8080)
ONE: Final = Caller(tenant="t1", client="one", entities=frozenset({"e1"}))
TWO: Final = Caller(tenant="t2", client="two", entities=frozenset({"e1"}))
INVOICE: Final = "INV00000104"
"""The first of the example documents."""


def scope_of(caller: Caller) -> Scope:
    """What a caller of one entity sees."""
    return Scope(tenant=caller.tenant, entity="e1", orgs=caller.orgs)


class Dropped(Exception):  # noqa: N818  # named for what happened
    """The connection was closed without an answer."""


@define
class _Droppable:
    """Offers an application to close the connection, as the service's own server does."""

    app: ASGIApp
    is_dropped: bool = False

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        self.is_dropped = False
        scope["extensions"] = {DROP_EXTENSION: {"close": self._drop}}
        await self.app(scope, receive, send)

    def _drop(self) -> None:
        self.is_dropped = True


@define(kw_only=True)
class Watched:
    """A service, its window, and a client that may send anything to either."""

    store: SqlStore
    window: Window
    app: _Droppable
    _runner: asyncio.Runner = field(factory=asyncio.Runner)

    def request(self, method: str, url: str, **options: Any) -> Response:
        """Any request; raises :class:`Dropped` where the connection ends without an answer."""
        return self._runner.run(self._request(method, url, options))

    async def _request(self, method: str, url: str, options: dict[str, Any]) -> Response:
        transport = ASGITransport(self.app, client=("127.0.0.1", 4711))
        async with AsyncClient(transport=transport, base_url=ADDRESS.origin) as client:
            try:
                return await client.request(method, url, **options)
            except (AssertionError, RemoteProtocolError):
                if self.app.is_dropped:
                    raise Dropped from None
                raise

    @property
    def path(self) -> str:
        """The window's own path."""
        return f"/{self.window.token}/"

    def ask(self, name: str, /, **query: str) -> dict[str, Any]:
        """A question of the page that must be answered."""
        return self._told(self.request("GET", self.path + name, params=query))

    def tell(self, name: str, value: object = None, /, **query: str) -> dict[str, Any]:
        """A command of the page that must be carried out."""
        return self._told(self.request("POST", self.path + name, params=query, json={} if value is None else value))

    @staticmethod
    def _told(answer: Response) -> dict[str, Any]:
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def operation(self, caller: Caller = ONE, *, number: str = INVOICE, key: str | None = None) -> Response:
        """The operation as any client calls it, beside the window."""
        token = self.window.endpoints.tokens.issue(caller)
        body = {"type": "Invoice", "number": number}
        headers = {"authorization": f"Bearer {token}"} | ({} if key is None else {"idempotency-key": key})
        return self.request("POST", OPERATION_PATH, json=body, headers=headers)

    def document(self, number: str = INVOICE, **query: str) -> dict[str, Any]:
        """A document as the page shows it."""
        [found] = self.ask("state", name=number, **query)["documents"]
        return dict(found)

    def close(self) -> None:
        """Give back what was used."""
        self._runner.close()


def asked(*, number: str = INVOICE, key: str | None = None, **flags: str) -> dict[str, Any]:
    """What the form sends to plan or to run."""
    return {"body": {"type": "Invoice", "number": number}, "flags": flags, "idempotencyKey": key, "trackId": None}


Watch = Callable[..., Watched]


@contextmanager
def watched(folder: Path, *callers: Caller, is_sandbox: bool = True) -> Iterator[Watched]:
    """A service of some callers with a window, on a database in a folder."""
    url = f"sqlite:///{folder}/regen.db"
    with ExitStack() as stack:
        store = stack.enter_context(SqlStore.open(url))
        sandbox = stack.enter_context(SqlSandbox.open(url)) if is_sandbox else None
        window = Window.into(store, address=ADDRESS, callers=callers, tokens=Tokens(lambda: 0.0), sandbox=sandbox)
        stack.callback(window.close)
        threads = StoreThreads(store)
        stack.callback(threads.close)
        added = window.additions
        service = Service(executor=added.around(threads), clients=Clients.of(()), tokens=window.endpoints.tokens)
        app = application(service, observers=added.observers, extra_routes=added.routes)
        made = Watched(store=store, window=window, app=_Droppable(app))
        stack.callback(made.close)
        yield made


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    """Makes services with windows, each on the same database."""
    with ExitStack() as stack:
        yield lambda *callers, **options: stack.enter_context(watched(tmp_path, *(callers or (ONE,)), **options))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """A sandbox for all tests of a module that say themselves what is in it."""
    with watched(tmp_path_factory.mktemp("shared"), ONE) as made:
        yield made


@pytest.fixture
def sandbox(watch: Watch) -> Watched:
    """A sandbox of one client, empty."""
    return watch()
