"""A receiver of deliveries on this machine: a real HTTP server that answers as it is told to, well or badly."""

from __future__ import annotations

import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from attrs import define, field, frozen

from regen_core.revenue import Delivery, RevenueLedger, collect_all
from regen_core.wire.canonical import delivery_of
from regen_core.wire.strict_json import parse

__all__ = ["Behaviour", "Receiver", "Request", "answers", "cuts", "cuts_body", "drips", "floods", "hangs", "refuses"]


@frozen
class Request:
    """A request that arrived: its header by lower-case name, and its lines."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def lines(self) -> list[bytes]:
        """The lines of the body."""
        return self.body.splitlines(keepends=True)

    @property
    def deliveries(self) -> tuple[Delivery, ...]:
        """What it delivers, read back by the library."""
        return tuple([delivery_of(parse(line)) for line in self.lines])

    @property
    def ids(self) -> list[str]:
        """The ids of its deliveries."""
        return [delivery.id for delivery in self.deliveries]


@frozen
class Behaviour:
    """How one request is answered, and whether the receiver keeps what it said."""

    answer: Callable[[Receiver, Any, Request], None]
    takes: bool = False


@define
class Receiver:
    """The server. ``planned`` says how the next requests are answered, ``otherwise`` how all others are.

    ``requests`` are all that arrived, ``taken`` those whose deliveries the receiver has, in order of arrival.
    """

    otherwise: Behaviour = field(factory=lambda: answers(200))
    planned: deque[Behaviour] = field(factory=deque)
    requests: list[Request] = field(factory=list)
    taken: list[Request] = field(factory=list)
    sent_bytes: int = 0
    tls: ssl.SSLContext | None = None
    let_go: threading.Event = field(factory=threading.Event)
    _lock: Any = field(factory=threading.Lock)
    _server: Any = None
    _thread: Any = None

    def plan(self, *behaviours: Behaviour) -> None:
        """Answer the next requests so."""
        self.planned.extend(behaviours)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """Its address."""
        return f"http{'s' if self.tls else ''}://127.0.0.1:{self.port}/deliveries"

    @property
    def ids(self) -> list[str]:
        """The ids of all that was taken, in order of arrival, repetitions included."""
        return [each for request in self.taken for each in request.ids]

    @property
    def ledger(self) -> RevenueLedger:
        """What a Revenue holds that collected everything in the order of arrival (REV-4)."""
        return collect_all(RevenueLedger(), tuple([each for request in self.taken for each in request.deliveries]))

    def arrived(self, request: Request) -> Behaviour:
        """Note a request; how to answer it."""
        with self._lock:
            behaviour = self.planned.popleft() if self.planned else self.otherwise
            self.requests.append(request)
            if behaviour.takes:
                self.taken.append(request)
            return behaviour

    def __enter__(self) -> Self:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                headers = {name.lower(): value for name, value in self.headers.items()}
                body = self.rfile.read(length)
                if len(body) < length:
                    return  # whoever sent it died: half a request is none
                request = Request(self.command, self.path, headers, body)
                receiver.arrived(request).answer(receiver, self, request)

            do_GET = do_POST  # noqa: N815  # the name that the server looks for

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

            def handle_error(self, *_: object) -> None:
                pass  # clients break connections on purpose

        self._server = Server(("127.0.0.1", 0), Handler)
        if self.tls is not None:
            self._server.socket = self.tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.let_go.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _respond(handler: Any, status: int, headers: Iterable[tuple[str, str]], body: bytes) -> None:
    handler.send_response(status)
    for name, value in headers:
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def answers(status: int, *headers: tuple[str, str], body: bytes = b"", takes: bool | None = None) -> Behaviour:
    """Answer with a status; a receiver takes what it answers with 2xx unless told otherwise."""
    kept = 200 <= status < 300 if takes is None else takes
    return Behaviour(lambda _, handler, __: _respond(handler, status, headers, body), kept)


def refuses(poison: str, status: int = 422) -> Behaviour:
    """Refuse every request that holds one delivery, and take all others."""

    def answer(receiver: Receiver, handler: Any, request: Request) -> None:
        is_bad = poison in request.ids
        if not is_bad:
            receiver.taken.append(request)
        _respond(handler, status if is_bad else 200, (), b"")

    return Behaviour(answer)


def hangs() -> Behaviour:
    """Say nothing until the test is over."""
    return Behaviour(lambda receiver, _, __: _wait(receiver))


def _wait(receiver: Receiver) -> None:
    receiver.let_go.wait(30)


def cuts(*, takes: bool = False) -> Behaviour:
    """Close the connection instead of answering, perhaps after having taken everything."""

    def answer(_: Receiver, handler: Any, __: Request) -> None:
        handler.close_connection = True
        with suppress(OSError):
            handler.connection.shutdown(socket.SHUT_RDWR)

    return Behaviour(answer, takes)


def cuts_body() -> Behaviour:
    """Promise a body and close the connection within it."""

    def answer(_: Receiver, handler: Any, __: Request) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")
        handler.close_connection = True

    return Behaviour(answer, takes=True)


def floods(size: int) -> Behaviour:
    """Answer 200 with a body of so many bytes; how many left is noted."""

    def answer(receiver: Receiver, handler: Any, _: Request) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(size))
        handler.end_headers()
        piece = b"x" * (1 << 16)
        handler.close_connection = True
        with suppress(OSError):
            while receiver.sent_bytes < size:
                handler.wfile.write(piece)
                receiver.sent_bytes += len(piece)

    return Behaviour(answer, takes=True)


def drips(pause: float, count: int) -> Behaviour:
    """Answer 200, byte by byte, with a pause before each of the first."""

    def answer(receiver: Receiver, handler: Any, _: Request) -> None:
        whole = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        with suppress(OSError):
            for at in range(count):
                receiver.let_go.wait(pause)
                handler.wfile.write(whole[at : at + 1])
            handler.wfile.write(whole[count:])

    return Behaviour(answer, takes=True)
