"""What every exchange has, whoever answers it: ids and headers, an answer to every fault, and its observers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from attrs import frozen
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as AsgiScope

from regen_core.adapters.http.answering import refused
from regen_core.adapters.http.exchange import Exchange, Observer
from regen_core.adapters.http.receiving import ClientGone
from regen_core.refusals import InternalFault, MethodNotAllowed, UnknownPath

__all__ = ["DROP_EXTENSION", "DropConnection", "Envelope"]

DROP_EXTENSION: Final = "regen_core.drop"
"""The ASGI extension with which our server offers to close a connection without an answer."""

_NOSNIFF: Final = (b"x-content-type-options", b"nosniff")


class DropConnection(Exception):  # noqa: N818  # an instruction
    """Raise it to close the connection without an answer: what a client sees of a network that breaks."""


@frozen
class _Sending:
    """Sends a response with the headers that all of them have."""

    send: Send
    exchange: Exchange

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.exchange.status = message["status"]
            message = {**message, "headers": [*message["headers"], *self._headers()]}
        await self.send(message)

    def _headers(self) -> list[tuple[bytes, bytes]]:
        """REQ-9 and REQ-12: a valid track id returns, a request id is new, limits are told to who is known."""
        told = [(b"zuora-request-id", self.exchange.request_id.encode()), _NOSNIFF]
        if self.exchange.track_id is not None:
            told.append((b"zuora-track-id", self.exchange.track_id.encode()))
        return told + [(name.encode(), value.encode()) for name, value in self.exchange.limit_headers]


class Envelope:
    """An ASGI application around another one; ``clock`` gives seconds."""

    def __init__(self, app: ASGIApp, *, observers: Sequence[Observer], clock: Callable[[], float]) -> None:
        self._app, self._observers, self._clock = app, tuple(observers), clock

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Pass a request on and see that it is answered and told of, whatever happens."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope["app"] = self  # tells the router to raise for a wrong method instead of answering by itself
        exchange = Exchange.begun(scope, self._clock())
        sending = _Sending(send, exchange)
        try:
            if _names_no_path(scope):
                raise HTTPException(404)
            await self._app(scope, receive, sending)
        except Exception as error:  # noqa: BLE001  # whatever it is, its words stay inside
            response = _response_to(exchange, error)
            if exchange.status is None and response is not None:
                await response(scope, receive, sending)
            else:
                await _drop(scope)
        finally:
            duration = self._clock() - exchange.started_at
            for observer in self._observers:
                observer.answered(exchange, duration)


def _names_no_path(scope: AsgiScope) -> bool:
    """Whether a slash is percent-encoded: then it separates nothing (RFC 3986, 2.2), though the decoded path shows one.

    No path here has a slash in a segment, and who guards paths in front of the service sees another one than is meant.
    """
    return b"%2f" in (scope.get("raw_path") or b"").lower()


def _response_to(exchange: Exchange, error: Exception) -> Response | None:
    """The response to what was raised instead of an answer; ``None`` where nobody shall get one."""
    match error:
        case HTTPException(status_code=404):
            return refused(exchange, UnknownPath())
        case HTTPException(status_code=405, headers=headers):
            allowed = (headers or {}).get("Allow", "")
            return refused(exchange, MethodNotAllowed(tuple(sorted(allowed.split(", ")))))
        case ClientGone() | DropConnection():
            exchange.fault = type(error).__name__
            return None
        case _:
            exchange.fault = _place_of(error)
            return refused(exchange, InternalFault())


def _place_of(error: Exception) -> str:
    """The kind of an error and where it was raised, without its words: they may hold anything."""
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    where = "" if frame is None else f" at {frame.tb_frame.f_globals.get('__name__')}:{frame.tb_lineno}"
    return f"{type(error).__name__}{where}"


async def _drop(scope: AsgiScope) -> None:
    """Close the connection at once, where the server can; elsewhere it notices that there is no answer."""
    drop = scope.get("extensions", {}).get(DROP_EXTENSION)
    if drop is not None:
        drop["close"]()
        await asyncio.sleep(0)  # let the server notice before it looks for an answer
