"""Reading a request's body: never more than a limit, and never for longer than a time."""

from __future__ import annotations

import asyncio
from typing import Final

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
    try:
        async with asyncio.timeout(seconds):
            return await _read(receive, most)
    except TimeoutError:
        raise TooSlow from None


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
