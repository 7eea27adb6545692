"""Requests byte by byte, and what comes back: to an ASGI application in this process, without any HTTP library."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Iterator
from typing import Any, Final

from attrs import frozen
from starlette.types import ASGIApp, Message

from regen_core.idempotency import OPERATION_PATH

__all__ = ["FRESH", "Heard", "InProcess", "NoAnswer", "Sent", "asked", "inflated"]

FRESH: Final = frozenset({"zuora-request-id"})
"""Headers that are another's in each answer."""

Headers = tuple[tuple[str, str], ...]


class NoAnswer(Exception):  # noqa: N818  # what happened
    """The connection ended without an answer."""


@frozen(kw_only=True)
class Sent:
    """A request as a server hands it over: ``path`` decoded, ``query`` raw, ``parts`` of the body as they arrive."""

    method: str = "POST"
    path: str = OPERATION_PATH
    query: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    parts: tuple[bytes, ...] = ()
    address: str = "127.0.0.1"

    @property
    def target(self) -> str:
        """Path and query as they stand on the wire, for a path that needs no escapes."""
        return self.path + ("?" + self.query.decode("ascii") if self.query else "")

    @property
    def scope(self) -> dict[str, Any]:
        """What the application is called with."""
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": self.method,
            "scheme": "http",
            "path": self.path,
            "raw_path": self.path.encode("utf-8", "surrogatepass"),
            "root_path": "",
            "query_string": self.query,
            "headers": self.headers,
            "client": (self.address, 50000),
            "server": ("127.0.0.1", 8080),
            "state": {},
        }


@frozen
class Heard:
    """An answer; ``body`` as it was before compression."""

    status: int
    headers: Headers
    body: bytes

    def all(self, name: str) -> list[str]:
        """The values of a header."""
        return [value for each, value in self.headers if each == name]

    def header(self, name: str) -> str | None:
        """The value of a header that comes at most once."""
        values = self.all(name)
        assert len(values) <= 1, f"{name} came {len(values)} times"
        return values[0] if values else None

    @property
    def json(self) -> Any:
        """The body, read."""
        return json.loads(self.body)

    @property
    def lasting(self) -> tuple[int, Headers, Any]:
        """The answer without the ids of this one call: what may be compared with another call's."""
        is_json = self.header("content-type") == "application/json"
        told = json.loads(self.body) if is_json and self.body else self.body
        if isinstance(told, dict):
            told = {name: each for name, each in told.items() if name not in ("processId", "requestId")}
        return self.status, tuple(sorted(each for each in self.headers if each[0] not in FRESH)), repr(told)


def inflated(answer: Heard) -> Heard:
    """An answer with its body as it was before compression."""
    if not answer.all("content-encoding"):
        return answer
    return Heard(answer.status, answer.headers, gzip.decompress(answer.body))


def _heard(messages: list[Message]) -> Heard:
    if not messages:
        raise NoAnswer
    start, *rest = messages
    headers = tuple([(name.decode("latin-1"), value.decode("latin-1")) for name, value in start["headers"]])
    answer = Heard(start["status"], headers, b"".join([message.get("body", b"") for message in rest]))
    assert answer.header("content-length") in (None, str(len(answer.body))), "the length is told wrong"
    return inflated(answer)


def _arriving(parts: tuple[bytes, ...]) -> Iterator[Message]:
    for place, part in enumerate(parts[:-1]):
        yield {"type": "http.request", "body": part, "more_body": place < len(parts)}
    yield {"type": "http.request", "body": parts[-1] if parts else b"", "more_body": False}


async def asked(app: ASGIApp, sent: Sent) -> Heard:
    """What an application answers; raises :class:`NoAnswer`."""
    arriving, messages = _arriving(sent.parts), list[Message]()

    async def receive() -> Message:
        message = next(arriving, None)
        if message is None:
            await asyncio.Event().wait()
            raise AssertionError("nothing else arrives")
        return message

    async def send(message: Message) -> None:
        messages.append(message)

    await app(sent.scope, receive, send)
    return _heard(messages)


class InProcess:
    """An application that is called from ordinary functions, one request after the other, on an event loop."""

    def __init__(self, app: ASGIApp, loop: asyncio.AbstractEventLoop) -> None:
        self.app, self._loop = app, loop

    def __call__(self, sent: Sent) -> Heard:
        """What it answers."""
        return self._loop.run_until_complete(asked(self.app, sent))
