"""Network streams with one deadline for a whole exchange.

A time limit per read is none at all against a server that sends a byte now and then, so every single operation gets
what is left of the exchange's time, and none begins when nothing is left.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable
from typing import Any, Final

import httpcore
from attrs import define, field

__all__ = ["BoundedNetwork", "Deadline"]

_PIECE: Final = 16_384
"""Bytes written at a time: the deadline is looked at between pieces."""


@define
class Deadline:
    """When the exchange that is under way must be over, on a clock in seconds that never jumps."""

    elapsed: Callable[[], float]
    at: float = field(default=0.0, init=False)

    def start(self, seconds: float) -> None:
        """Begin an exchange."""
        self.at = self.elapsed() + seconds

    def left(self, timeout: float | None, too_late: type[Exception]) -> float:
        """The shorter of what an operation may take and what is left; raises ``too_late`` where nothing is."""
        left = self.at - self.elapsed()
        if left <= 0:
            raise too_late("the exchange took too long")
        return left if timeout is None else min(left, timeout)


class BoundedNetwork(httpcore.NetworkBackend):
    """Connections whose every operation ends at the deadline."""

    def __init__(self, deadline: Deadline) -> None:
        self._inner, self._deadline = httpcore.SyncBackend(), deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect."""
        left = self._deadline.left(timeout, httpcore.ConnectTimeout)
        stream = self._inner.connect_tcp(host, port, left, local_address, socket_options)
        return _BoundedStream(stream, self._deadline)


class _BoundedStream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._inner, self._deadline = inner, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._deadline.left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), _PIECE):
            self._inner.write(buffer[start : start + _PIECE], self._deadline.left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = self._deadline.left(timeout, httpcore.ConnectTimeout)
        return _BoundedStream(self._inner.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
