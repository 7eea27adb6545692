"""Reading a request's body: never more than a limit, and never for longer than a time."""

from __future__ import annotations

import asyncio
import types
from collections.abc import Coroutine, Generator
from typing import Any, Final

from starlette.types import Receive

__all__ = ["ClientGone", "TooSlow", "read_body"]

_BODY: Final = "http.request"


class ClientGone(Exception):  # noqa: N818  # no error of anybody's here
    """The client closed its connection before its request was complete; nobody is left to answer."""


class TooSlow(Exception):  # noqa: N818  # the word of the field
    """The body didn't arrive in time."""


async def read_body(receive: Receive, *, most: int, seconds: float) -> bytes:
    """The body, or its first bytes, more than ``most``, where it is longer: the rest isn't read.

    Raises :class:`TooSlow` after ``seconds`` for the whole of it, and :class:`ClientGone`.
    """
    reading = _read(receive, most)
    try:
        waits_for = reading.send(None)
    except StopIteration as read:  # most bodies are there already, and need no timer
        return bytes(read.value)
    try:
        async with asyncio.timeout(seconds):
            return await _rest(reading, waits_for)
    except TimeoutError:
        raise TooSlow from None


@types.coroutine
def _rest(reading: Coroutine[Any, Any, bytes], waits_for: Any) -> Generator[Any, Any, bytes]:
    """What is left of a coroutine that was begun and waits for something."""
    while True:
        try:
            try:
                told = yield waits_for
            except BaseException as raised:  # noqa: BLE001  # it is the coroutine's to hear that it was cancelled
                waits_for = reading.throw(raised)
            else:
                waits_for = reading.send(told)
        except StopIteration as read:
            return bytes(read.value)


async def _read(receive: Receive, most: int) -> bytes:
    parts, length = [], 0
    while True:
        message = await receive()
        if message["type"] != _BODY:
            raise ClientGone
        part: bytes = message.get("body", b"")
        parts.append(part)
        length += len(part)
        if length > most or not message.get("more_body", False):
            return b"".join(parts)
