"""HTTP/1.1 on a connection, with a limit on whatever a client controls: headers, their time, idle bytes, connections.

The parser is llhttp's (in ``httptools``), strict as it comes; it has no limits of its own. What isn't HTTP at all is
answered here, in the shape of all errors and with a request id (REQ-12).
"""

from __future__ import annotations

import asyncio
import uuid
from http import HTTPStatus
from typing import Any, ClassVar, Final

import httptools
from attrs import frozen
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from regen_core.adapters.http.addresses import Networks, counted_address, is_within
from regen_core.adapters.http.answering import new_process_id
from regen_core.adapters.http.envelope import DROP_EXTENSION
from regen_core.refusals import UnreadableBody
from regen_core.wire.answers import error_body

__all__ = ["BoundedProtocol", "Bounds", "bounded_protocol"]


@frozen(kw_only=True)
class Bounds:
    """What one connection may use, and how many there may be.

    Fields: ``head_bytes`` for a request's line and headers, ``headers`` how many of these; ``head_seconds`` for their
    arrival; ``unread_bytes`` that may follow an answer which didn't wait for the whole body; ``send_seconds`` for a
    client to take what is sent; ``connections`` at once, and of one address, so that none can hold them all;
    ``waiting`` requests that were sent ahead on one connection.
    """

    head_bytes: int = 16 * 1024
    headers: int = 100
    head_seconds: float = 10.0
    unread_bytes: int = 1024 * 1024
    send_seconds: float = 30.0
    connections: int = 512
    connections_per_address: int = 256
    waiting: int = 16


_NOT_HTTP: Final = (400, "the request is not valid HTTP/1.1")
_HOSTLESS: Final = (400, "it has no Host header, or more than one")
_VERSIONS: Final = frozenset({"1.0", "1.1"})
_CONNECT: Final = b"CONNECT"


class _Unacceptable(Exception):  # noqa: N818  # caught by the parser, which fails
    pass


class BoundedProtocol(HttpToolsProtocol):
    """One connection. ``bounds`` are a class attribute: uvicorn makes the instances."""

    bounds: ClassVar[Bounds] = Bounds()
    proxies: ClassVar[Networks] = ()
    """Whose connections are those of many clients: of their addresses there is no limit."""
    address: str = ""
    """Whom its connections are counted for; empty where they aren't."""
    _fault: tuple[int, str] = _NOT_HTTP
    _timer: asyncio.TimerHandle | None = None
    """Runs while a request's head is awaited."""
    _send_timer: asyncio.TimerHandle | None = None
    _is_in_head = False
    _idle_bytes = 0
    """Received since the last answer, or since the connection was made, without a complete head."""
    _head_bytes = 0
    _silent_bytes = 0
    """Received since the parser last told anything: of a header or a trailer, or of a chunk's extension."""
    _is_full = False
    """Whether more requests were sent ahead than may wait: those that wait are answered, and the rest isn't read."""
    _is_upgrading = False
    """Whether the parser has stopped after a head that asks for another protocol."""

    # the connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin, unless there are too many already, of all or of one address."""
        self.address = self._counted(transport.get_extra_info("peername"))
        if len(self.connections) >= self.bounds.connections or self._has_its_share():
            transport.abort()
        super().connection_made(transport)
        self._await_head()

    def _counted(self, peer: Any) -> str:
        host = peer[0] if isinstance(peer, tuple) else None  # a text where the socket isn't one of a network
        return "" if host is None or is_within(host, self.proxies) else counted_address(host)

    def _has_its_share(self) -> bool:
        if not self.address:
            return False
        theirs: int = sum([getattr(each, "address", "") == self.address for each in self.connections])
        return theirs >= self.bounds.connections_per_address

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timers."""
        self._head_came()
        self._cancel_send_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what came, and count it while no request is being answered."""
        if self._is_full:
            return
        is_idle = self._is_idle
        if is_idle and self._timer is None:
            self._await_head()
        if is_idle:
            self._idle_bytes += len(data)
        self._silent_bytes += len(data)
        self._unset_keepalive_if_required()
        self._parse(data)
        if self.transport.is_closing():
            return
        if self._silent_bytes > self.bounds.head_bytes:
            self._fault = self._too_long()
            self.send_400_response("")
        elif self._timer is not None and self._idle_bytes > self.bounds.unread_bytes:
            self.transport.close()

    def _parse(self, data: bytes) -> None:
        """A head that asks for another protocol is parsed again without that: no other is spoken (RFC 9110, 7.8)."""
        while True:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as asked:
                data = self._head_without_upgrade() + data[asked.args[0] :]
            except httptools.HttpParserError:
                if self._is_full:
                    return
                self.logger.warning("Invalid HTTP request received.")
                self.send_400_response("")
                return
            else:
                return

    def _head_without_upgrade(self) -> bytes:
        """llhttp doesn't read the body of a request that asks for an upgrade; here it is a request like any other."""
        self._is_upgrading = False
        version = self.parser.get_http_version().encode()
        line = b"".join([self.parser.get_method(), b" ", self.url, b" HTTP/", version, b"\r\n"])
        headers = [name + b": " + value + b"\r\n" for name, value in self.headers if name != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)  # the other one may be at its end: it has seen a whole request
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does
        return b"".join([line, *headers, b"\r\n"])

    @property
    def _is_idle(self) -> bool:
        """Whether no request is being answered."""
        cycle: Any = self.cycle  # none before the first request, though uvicorn's annotation doesn't say so
        return cycle is None or bool(cycle.response_complete)

    @property
    def _is_reading_body(self) -> bool:
        """Whether the request that is being parsed is the one to be answered next."""
        return self.cycle.more_body and not self.cycle.response_started and not self.pipeline

    # the head of a request

    def _await_head(self) -> None:
        self._timer = self.loop.call_later(self.bounds.head_seconds, self._head_is_late)

    def _head_came(self) -> None:
        self._idle_bytes = 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _head_is_late(self) -> None:
        """A client that began a request hears why its connection ends; one that sent nothing is just let go."""
        if self.transport.is_closing():
            return
        if self._is_in_head:
            self._fault = (408, f"its headers did not arrive within {self.bounds.head_seconds:g} s")
            self.send_400_response("")
        else:
            self.transport.close()

    def on_message_begin(self) -> None:
        """A request begins; it is offered a way to end its connection without an answer."""
        super().on_message_begin()
        self._is_in_head, self._head_bytes, self._silent_bytes = True, 0, 0
        self.scope["extensions"] = {DROP_EXTENSION: {"close": self.transport.abort}}

    def on_url(self, url: bytes) -> None:
        """A part of the request's target came."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header came."""
        self._count(len(name) + len(value))
        if len(self.headers) >= self.bounds.headers:
            self._fault = (431, f"it has more than {self.bounds.headers} headers")
            raise _Unacceptable
        super().on_header(name, value)

    def _count(self, length: int) -> None:
        self._head_bytes += length
        if self._head_bytes > self.bounds.head_bytes:
            self._fault = self._too_long()
            raise _Unacceptable

    def _too_long(self) -> tuple[int, str]:
        return 431, f"its headers are longer than {self.bounds.head_bytes} bytes"

    def on_headers_complete(self) -> None:
        """The request is handed on, unless its head has to be read again."""
        self._is_in_head, self._silent_bytes = False, 0
        self._is_upgrading = self.parser.should_upgrade() and self.parser.get_method() != _CONNECT
        if self._is_upgrading:
            return
        self._head_came()
        self._check_line()
        if len(self.pipeline) >= self.bounds.waiting:
            self._is_full, self.pipeline[0][0].keep_alive = True, False
            raise _Unacceptable
        super().on_headers_complete()

    def _check_line(self) -> None:
        """The parser takes versions that aren't spoken here, and minds no Host (RFC 9112, 2.3 and 3.2)."""
        version = self.parser.get_http_version()
        if version not in _VERSIONS:
            raise _Unacceptable
        hosts = sum([name == b"host" for name, _ in self.headers])
        if hosts > 1 or (hosts == 0 and version != "1.0"):
            self._fault = _HOSTLESS
            raise _Unacceptable

    # the body of a request

    def on_body(self, body: bytes) -> None:
        """A part of the body came."""
        self._silent_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request came as a whole, unless that was said of its head only."""
        self._silent_bytes = 0
        if not self._is_upgrading:
            super().on_message_complete()

    # answers

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  # uvicorn's words
        """Answer what never became a request or broke off in its body, and close; during another answer say nothing."""
        if self._is_idle or self._is_reading_body:
            self.transport.write(_answer(*self._fault))
        self.transport.close()

    def pause_writing(self) -> None:
        """The client doesn't take what is sent: it has some time to do so."""
        super().pause_writing()
        self._send_timer = self.loop.call_later(self.bounds.send_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """The client took it."""
        self._cancel_send_timer()
        super().resume_writing()

    def _cancel_send_timer(self) -> None:
        if self._send_timer is not None:
            self._send_timer.cancel()
            self._send_timer = None


def _answer(status: int, fault: str) -> bytes:
    """A whole response."""
    request_id = str(uuid.uuid4())
    body = error_body(UnreadableBody(fault), process_id=new_process_id(), request_id=request_id)
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
        f"zuora-request-id: {request_id}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
        "cache-control: no-store\r\nx-content-type-options: nosniff\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body


def bounded_protocol(bounds: Bounds, proxies: Networks = ()) -> type[asyncio.Protocol]:
    """The protocol with other bounds, and with proxies that speak for many."""
    return type("BoundedProtocol", (BoundedProtocol,), {"bounds": bounds, "proxies": proxies})
