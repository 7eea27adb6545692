"""A real service on a socket of the loopback, in a thread of the test, whose store the kit empties by making a new one.

:class:`Served` is the service as it should be; what is planted overrides one of its three hooks.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from threading import Thread
from typing import Any, Final

import uvicorn
from attrs import frozen
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as AsgiScope

from regen_core.access import Caller
from regen_core.adapters.http.application import Service, application
from regen_core.adapters.http.clients import Client as KnownClient
from regen_core.adapters.http.clients import Clients, SecretHash, hash_secret
from regen_core.adapters.http.execution import Executor, Outcome, Work
from regen_core.adapters.http.keys_in_flight import KeysInFlight
from regen_core.adapters.http.limits import Limits, Quotas, Window
from regen_core.adapters.memory import MemoryStore
from regen_core.testing.clients import Client

__all__ = ["Answered", "CLIENTS", "Served", "behind", "running"]

_SECRET: Final = "a-secret-of-the-tests"  # noqa: S105  # of services that live for a test
_PLENTY: Final = Quotas(requests=(Window(3600, 10**9),), concurrent=10**6)
_BOTH: Final = frozenset({"north", "south"})


def _client(name: str, tenant: str, entities: set[str], orgs: frozenset[str]) -> Client:
    return Client(id=name, secret=_SECRET, tenant=tenant, entities=entities, orgs=orgs)


CLIENTS: Final = (
    _client("one", "t1", {"e1", "e2"}, _BOTH),
    _client("two", "t1", {"e1"}, _BOTH),
    _client("three", "t1", {"e1"}, _BOTH),
    _client("nobodys", "t1", {"e1"}, frozenset()),
    _client("other", "t2", {"e1"}, _BOTH),
)


class _Remembering(SecretHash):
    """A comparison is slow on purpose; the same one is made once for all the services of a run."""

    def matches(self, secret: str) -> bool:
        return _matches(self.salt, self.key, secret)


@cache
def _matches(salt: bytes, key: bytes, secret: str) -> bool:
    return SecretHash(salt, key).matches(secret)


@cache
def _hash() -> SecretHash:
    made = hash_secret(_SECRET)
    return _Remembering(made.salt, made.key)


@frozen
class Answered:
    """An answer on its way: what a mistake may change."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for each, value in self.headers if each == name), None)

    def without(self, name: str) -> tuple[tuple[str, str], ...]:
        return tuple(each for each in self.headers if each[0] != name)


class Served:
    """The service as it should be, on a store in memory."""

    makes: Callable[..., MemoryStore] = MemoryStore
    """What makes an empty store."""

    def __init__(self) -> None:
        self.store = self.makes()
        self.url = ""

    def emptied(self, clock: Callable[[], datetime] | None) -> MemoryStore:
        """A new store behind the service."""
        self.store = self.makes(*([] if clock is None else [clock]))
        return self.store

    async def submit(self, work: Work) -> Outcome:
        """Execute; with a key a little later, so that other requests under it meet it."""
        if work.idempotent is not None:
            await asyncio.sleep(0.02)
        return self.executed(work)

    def executed(self, work: Work) -> Outcome:
        """Hook: what the store says."""
        return self.store.regenerate(work.scope, work.request, work.occasion, idempotent=work.idempotent)

    def around(self, executor: Executor) -> Executor:
        """Hook: what keeps equal requests from each other."""
        return KeysInFlight(executor)

    def asked(self, query: str) -> str:
        """Hook: the query as the service gets it."""
        return query

    def answered(self, answer: Answered) -> Answered:
        """Hook: the answer as the client gets it."""
        return answer

    def app(self) -> ASGIApp:
        callers = [
            Caller(tenant=each.tenant, client=each.id, entities=each.entities, orgs=each.orgs) for each in CLIENTS
        ]
        clients = Clients.of([KnownClient(each, _hash()) for each in callers])
        inner = application(Service(executor=self.around(self), clients=clients, limits=Limits(_PLENTY)))

        async def outer(scope: AsgiScope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http" or scope["path"].startswith("/oauth"):
                await inner(scope, receive, send)
                return
            query = self.asked(scope["query_string"].decode("latin-1")).encode("latin-1")
            await _send(send, self.answered(await _heard(inner, {**scope, "query_string": query}, receive)))

        return outer


async def _heard(app: ASGIApp, scope: AsgiScope, receive: Receive) -> Answered:
    messages: list[Message] = []

    async def keep(message: Message) -> None:
        messages.append(message)

    await app(scope, receive, keep)
    headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in messages[0]["headers"])
    return Answered(messages[0]["status"], headers, b"".join([each.get("body", b"") for each in messages[1:]]))


async def _send(send: Send, answer: Answered) -> None:
    told = [*answer.without("content-length"), ("content-length", str(len(answer.body)))]
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in told]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


_NOW: list[Served] = []
"""The service that runs: what is behind it is asked for by name."""


def behind(clock: Any = None) -> Any:
    """What is behind the service that runs: a factory for ``--store``."""
    store: Any = _NOW[-1].emptied(clock)
    store.clients = CLIENTS
    return store


@contextmanager
def running(served: Served) -> Iterator[Served]:
    """The service for the time of the block."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listening:
        server = uvicorn.Server(uvicorn.Config(served.app(), log_level="critical", lifespan="off", access_log=False))
        thread = Thread(target=server.run, kwargs={"sockets": [listening]})
        served.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        _NOW.append(served)
        thread.start()
        try:
            yield served
        finally:
            _NOW.pop()
            server.should_exit = True
            thread.join()
