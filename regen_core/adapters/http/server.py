"""The server around the application: its socket, and its graceful stop."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

import uvicorn
from starlette.types import ASGIApp

__all__ = ["ServiceServer", "bound_socket", "url_of"]

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
_BACKLOG: Final = 2048


def bound_socket(host: str, port: int) -> socket.socket:
    """A socket that listens; raises ``OSError`` where the address can't be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=_BACKLOG)


def url_of(listening: socket.socket) -> str:
    """The address of a listening socket as clients write it."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class ServiceServer(uvicorn.Server):
    """uvicorn, which ends with the process's own exit code after a signal, and says when it has started."""

    def __init__(self, app: ASGIApp, *, stop_seconds: int, on_start: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                lifespan="off",
                ws="none",
                timeout_graceful_shutdown=stop_seconds,
            )
        )
        self._on_start = on_start

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        self._on_start()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop at the first signal, at once at the second; whoever called decides about the exit code."""

        def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  # Python's signature
            self.force_exit, self.should_exit = self.should_exit, True

        before = [signal.signal(each, stop) for each in _SIGNALS]
        try:
            yield
        finally:
            for each, handler in zip(_SIGNALS, before, strict=True):
                signal.signal(each, handler)
