"""HTTP at the level of bytes on a socket, so that a test can say what no client library would."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from attrs import define, field, frozen

from regen_core.wire.strict_json import parse

__all__ = ["PATIENCE", "Cut", "Reply", "Wire", "head", "wire_to"]

PATIENCE: Final = 30.0
"""Seconds until a server that says nothing counts as hanging; no test waits for it where all is well."""

_END_OF_HEAD: Final = b"\r\n\r\n"


class Cut(Exception):  # noqa: N818  # what the server did, not a fault of the test
    """The connection ended before a whole answer had come."""


@frozen(kw_only=True)
class Reply:
    """An answer: its headers in order, by lower-case name, and its body as it was sent."""

    status: int
    version: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """The header of a lower-case name, ``None`` where there is none. Raises ``ValueError`` where it came twice."""
        sent = [value for each, value in self.headers if each == name]
        if len(sent) > 1:
            raise ValueError(f"{name} came {len(sent)} times")
        return sent[0] if sent else None

    @property
    def json(self) -> Any:
        """The body as strict JSON."""
        return parse(self.body)

    @property
    def code(self) -> int | None:
        """The code of the first reason, ``None`` in an answer that gives none."""
        reasons = self.json.get("reasons", ())
        return int(reasons[0]["code"]) if reasons else None


def head(*lines: str | bytes) -> bytes:
    """The head of a request, of its lines."""
    return b"".join([line.encode() + b"\r\n" if isinstance(line, str) else line + b"\r\n" for line in lines]) + b"\r\n"


@define
class Wire:
    """One connection; what has come and isn't read yet waits in ``_pending``."""

    socket: socket.socket
    _pending: bytearray = field(factory=bytearray)

    def send(self, *pieces: bytes) -> None:
        """Send bytes as they are. Raises :class:`Cut` where the server has closed."""
        try:
            for piece in pieces:
                self.socket.sendall(piece)
        except OSError as error:
            raise Cut(str(error)) from None

    def half_close(self) -> None:
        """Say that nothing more will be sent, and go on listening."""
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Close at once with a TCP reset, as a process does that dies."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        self.socket.close()

    def reply(self, *, to_head: bool = False) -> Reply:
        """The next answer; interim ones (100) are answers too. Raises :class:`Cut`, ``TimeoutError`` where it hangs."""
        first, *lines = self._until(_END_OF_HEAD).decode("latin-1").split("\r\n")
        version, status, *_ = first.split(" ", 2)
        pairs = [line.partition(":") for line in lines]
        headers = tuple([(name.lower(), value.strip(" ")) for name, _, value in pairs])
        length = 0 if to_head else sum([int(value) for name, value in headers if name == "content-length"])
        assert ("transfer-encoding", "chunked") not in headers, "all bodies have a length"
        return Reply(status=int(status), version=version, headers=headers, body=self._exactly(length))

    def is_over(self) -> bool:
        """Whether the server has closed, after waiting a socket's time-out for it; what came is kept."""
        try:
            came = self.socket.recv(65536)
        except TimeoutError:
            return False
        except ConnectionError:
            return True
        self._pending += came
        return not came

    def rest(self) -> list[Reply]:
        """All answers until the server closes."""
        replies = []
        while True:
            try:
                replies.append(self.reply())
            except Cut:
                assert not self._pending, "half an answer came"
                return replies

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._pending:
            self._receive()
        at = self._pending.index(mark)
        return self._take(at + len(mark))[:at]

    def _exactly(self, length: int) -> bytes:
        while len(self._pending) < length:
            self._receive()
        return self._take(length)

    def _take(self, length: int) -> bytes:
        taken = bytes(self._pending[:length])
        del self._pending[:length]
        return taken

    def _receive(self) -> None:
        try:
            came = self.socket.recv(65536)
        except ConnectionError as error:
            raise Cut(str(error)) from None
        if not came:
            raise Cut("closed")
        self._pending += came


@contextmanager
def wire_to(port: int, *, patience: float = PATIENCE) -> Iterator[Wire]:
    """A connection to a port of this machine."""
    with socket.create_connection(("127.0.0.1", port), timeout=patience) as connected:
        yield Wire(connected)
