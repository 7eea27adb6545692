"""The server around the application: its socket, and its graceful stop."""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

import uvicorn
from attrs import field, frozen
from starlette.types import ASGIApp

from regen_core.adapters.http.addresses import networks_of
from regen_core.adapters.http.protocol import Bounds, bounded_protocol

__all__ = ["ServerSettings", "ServiceServer", "bound_socket", "url_of"]

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


@frozen(kw_only=True)
class ServerSettings:
    """How connections are treated.

    Fields: ``keep_alive_seconds`` for the next request on a connection; ``drain_seconds`` between a signal and the end
    of listening, in which the service says that it isn't ready; ``stop_seconds`` for requests in flight after that;
    ``trusted_proxies`` addresses or networks whose ``X-Forwarded-For`` is believed, and whose connections are many's.
    """

    bounds: Bounds = field(factory=Bounds)
    keep_alive_seconds: int = 15
    drain_seconds: float = 0.0
    stop_seconds: int = 30
    trusted_proxies: tuple[str, ...] = ()


class ServiceServer(uvicorn.Server):
    """uvicorn, which leaves the exit code after a signal to its caller, and says when it starts and is to stop."""

    def __init__(
        self, app: ASGIApp, settings: ServerSettings, *, on_start: Callable[[], None], on_stop: Callable[[], None]
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=bounded_protocol(settings.bounds, networks_of(settings.trusted_proxies)),
                loop="auto",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=bool(settings.trusted_proxies),
                forwarded_allow_ips=list(settings.trusted_proxies),
                lifespan="off",
                ws="none",
                timeout_keep_alive=settings.keep_alive_seconds,
                timeout_graceful_shutdown=settings.stop_seconds,
            )
        )
        self._on_start, self._on_stop, self._drain_seconds = on_start, on_stop, settings.drain_seconds
        self._stop_at: float | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        self._on_start()

    async def on_tick(self, counter: int) -> bool:
        """Whether to stop: some time after a signal, in which whoever sends requests here learns to go elsewhere."""
        is_over = self._stop_at is not None and time.monotonic() >= self._stop_at
        return await super().on_tick(counter) or is_over

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop at the first signal, at once at the second; whoever called decides about the exit code.

        Python hands signals to the main thread; in another one nothing is changed.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  # Python's signature
            if self._stop_at is None:
                self._stop_at = time.monotonic() + self._drain_seconds
                self._on_stop()
            else:
                self.should_exit = self.force_exit = True

        before = [signal.signal(each, stop) for each in _SIGNALS]
        try:
            yield
        finally:
            for each, handler in zip(_SIGNALS, before, strict=True):
                signal.signal(each, handler)
