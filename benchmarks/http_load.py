"""Asking a service over connections that stay open, each for the next answer as soon as it has one; all are checked.

Requests are made beforehand and answers compared as bytes, on one thread without an event loop, so that asking costs
little beside answering. What it does cost is told, too.
"""

from __future__ import annotations

import gc
import re
import selectors
import socket
from collections.abc import Iterator, Sequence
from time import perf_counter, process_time
from typing import Final

from attrs import define, frozen

__all__ = ["Asked", "Round", "asked_over"]

_PATIENCE: Final = 60.0
"""Seconds until an answer that doesn't come counts as a hang."""

_LENGTH: Final = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_OK: Final = b"HTTP/1.1 200 "
_END: Final = b"\r\n\r\n"


@frozen
class Asked:
    """A request's bytes, and the body that must come with a 200."""

    sent: bytes
    body: bytes


@frozen
class Round:
    """What asking took: ``seconds`` in all and of this process's computing, and of each request from end to end."""

    seconds: float
    computed: float
    each: Sequence[float]

    @property
    def rate(self) -> float:
        """Requests per second."""
        return len(self.each) / self.seconds


@define
class _Client:
    """A connection, what it waits for, since when, and what has come of it."""

    socket: socket.socket
    asked: Asked
    since: float = 0.0
    come: bytes = b""

    def ask(self, asked: Asked) -> None:
        self.asked, self.come, self.since = asked, b"", perf_counter()
        self.socket.sendall(asked.sent)

    def is_answered(self) -> bool:
        """Take what has come; raises ``AssertionError`` for a whole answer that isn't the one."""
        part = self.socket.recv(65_536)
        self.come += part
        if self.come.endswith(self.asked.body) and self.come.startswith(_OK) and _END in self.come:
            return True
        head, end, body = self.come.partition(_END)
        length = _LENGTH.search(head)
        is_whole = bool(end) and length is not None and len(body) >= int(length[1])
        assert not is_whole, f"asked {self.asked.sent!r}, answered {self.come!r}"
        assert part, "the connection ended"
        return False


def asked_over(port: int, connections: int, requests: Sequence[Asked]) -> Round:
    """Ask all of it over so many connections to a port of this machine, each connection for the next one in turn."""
    clients = [
        _Client(socket.create_connection(("127.0.0.1", port), _PATIENCE), requests[0]) for _ in range(connections)
    ]
    with selectors.DefaultSelector() as selector:
        for client in clients:
            client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(client.socket, selectors.EVENT_READ, client)
        gc.collect()
        gc.disable()
        try:
            return _asked(selector, clients, iter(requests))
        finally:
            gc.enable()
            for client in clients:
                client.socket.close()


def _asked(selector: selectors.BaseSelector, clients: Sequence[_Client], requests: Iterator[Asked]) -> Round:
    each, waiting = list[float](), 0
    start, started = perf_counter(), process_time()
    for client, asked in zip(clients, requests, strict=False):
        client.ask(asked)
        waiting += 1
    while waiting:
        ready = selector.select(_PATIENCE)
        assert ready, "an answer doesn't come"
        for key, _ in ready:
            client = key.data
            if client.is_answered():
                each.append(perf_counter() - client.since)
                following = next(requests, None)
                if following is None:
                    waiting -= 1
                else:
                    client.ask(following)
    return Round(perf_counter() - start, process_time() - started, each)
