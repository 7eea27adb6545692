"""Sending a request to an ASGI application within the process: the whole service answers it, and no network does."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, Final

from attrs import frozen
from starlette.types import ASGIApp, Message

from regen_core.adapters.http.envelope import DROP_EXTENSION

__all__ = ["Called", "call"]

_PEER: Final = ("127.0.0.1", 0)


@frozen(kw_only=True)
class Called:
    """What came back; ``status`` ``None`` means that the connection was closed without an answer."""

    status: int | None
    headers: tuple[tuple[str, str], ...]
    body: bytes


async def call(
    app: ASGIApp, path: str, *, query: bytes = b"", headers: Iterable[tuple[str, str]] = (), body: bytes = b""
) -> Called:
    """POST a body to a path of an application, and wait for the answer or for the end of the connection."""
    begun: list[Message] = []
    parts: list[bytes] = []
    is_closed = asyncio.Event()
    sent = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive() -> Message:
        message = next(sent, None)
        if message is None:
            await is_closed.wait()
            return {"type": "http.disconnect"}
        return message

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            begun.append(message)
        else:
            parts.append(message.get("body", b""))

    await app(_scope(path, query, headers, is_closed), receive, send)
    if is_closed.is_set() or not begun:
        return Called(status=None, headers=(), body=b"")
    told = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in begun[0]["headers"])
    return Called(status=begun[0]["status"], headers=told, body=b"".join(parts))


def _scope(path: str, query: bytes, headers: Iterable[tuple[str, str]], is_closed: asyncio.Event) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query,
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers],
        "client": _PEER,
        "server": _PEER,
        "extensions": {DROP_EXTENSION: {"close": is_closed.set}},
    }
