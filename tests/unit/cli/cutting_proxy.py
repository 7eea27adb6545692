"""A connection to a PostgreSQL server that breaks at a statement, before or after the server has heard of it."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from enum import Enum, unique
from pathlib import Path
from types import TracebackType
from typing import Self

from attrs import define, field

__all__ = ["LOCK", "Cut", "CuttingProxy"]

LOCK = b" FOR UPDATE"
"""How the statement ends that locks a document."""

_NAME = ".s.PGSQL.5432"
"""What clients look for in the directory of a server."""

_SILENCE = 0.3
"""Seconds: a client that has said nothing for so long waits for an answer."""


@unique
class Cut(Enum):
    """When the connection breaks."""

    BEFORE = "before the server hears of the statement"
    AFTER = "after the server performed it, before the client hears of it"


@define
class CuttingProxy:
    """Stands in a directory of its own before the server's socket, and cuts where a statement ends like ``at``.

    It does so ``most`` times, and lets everything pass before that and on connections that have locked no document.
    """

    directory: Path
    server: str
    cut: Cut
    at: bytes = b"COMMIT"
    most: int = 1
    cuts: int = 0
    _listening: socket.socket = field(factory=lambda: socket.socket(socket.AF_UNIX))
    _threads: list[threading.Thread] = field(factory=list)

    def __enter__(self) -> Self:
        self._listening.bind(str(self.directory / _NAME))
        self._listening.listen()
        self._begin(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for thread in self._threads:
            thread.join(30)

    def _begin(self, work: object, *given: object) -> None:
        thread = threading.Thread(target=work, args=given, daemon=True)  # type: ignore[arg-type]  # our own methods
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(f"{self.server}/{_NAME}")
            pair = _Pair(client, server)
            self._begin(self._to_server, pair)
            self._begin(pair.to_client)

    def _to_server(self, pair: _Pair) -> None:
        has_locked = False
        with suppress(OSError):
            while data := pair.client.recv(1 << 16):
                has_locked = has_locked or LOCK + b"\0" in data
                if has_locked and self.at + b"\0" in data and self.cuts < self.most:
                    self.cuts += 1
                    if self.cut is Cut.AFTER:
                        pair.let_finish(data)
                    break
                pair.server.sendall(data)
        pair.close()


@define
class _Pair:
    """A client's connection, and the one that was made to the server for it."""

    client: socket.socket
    server: socket.socket
    is_mute: bool = False
    is_over: threading.Event = field(factory=threading.Event)

    def to_client(self) -> None:
        """Let the client hear the server, until it is to hear no more."""
        with suppress(OSError):
            while data := self.server.recv(1 << 16):
                if not self.is_mute:
                    self.client.sendall(data)
        self.is_over.set()
        self.close()

    def let_finish(self, data: bytes) -> None:
        """Let the server have all that the client still sends, and come to its end; the client hears nothing of it."""
        self.is_mute = True
        self.server.sendall(data)
        self.client.settimeout(_SILENCE)
        with suppress(OSError):
            while more := self.client.recv(1 << 16):
                self.server.sendall(more)
        self.server.shutdown(socket.SHUT_WR)
        assert self.is_over.wait(30)

    def close(self) -> None:
        """Both."""
        for each in (self.client, self.server):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
