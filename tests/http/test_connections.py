"""Connections over real sockets: what a client controls is limited in size and time; what isn't HTTP is answered."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Final

import pytest
from attrs import evolve, frozen

from regen_core.adapters.http.application import Service, application
from regen_core.adapters.http.clients import Clients
from regen_core.adapters.http.envelope import DropConnection
from regen_core.adapters.http.execution import Outcome, StoreThreads, Work
from regen_core.adapters.http.limits import Limits, Quotas, Window
from regen_core.adapters.http.protocol import Bounds
from regen_core.adapters.http.server import ServerSettings, ServiceServer, bound_socket
from regen_core.adapters.memory import MemoryStore
from regen_core.idempotency import OPERATION_PATH
from tests.http.conftest import CLIENTS, invoice

PATIENCE: Final = 30.0
"""Seconds after which a test gives up; nothing here takes a tenth of it."""

BODY: Final = b'{"type": "Invoice", "id": "inv1"}'


@frozen
class Server:
    """A server on a port, and a token for it."""

    port: int
    token: str

    @contextmanager
    def connected(self) -> Iterator[socket.socket]:
        """A connection."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as wire:
            yield wire

    def head(self, *headers: str, length: int | None = None) -> bytes:
        """The head of a request to the operation, complete."""
        told = [f"POST {OPERATION_PATH} HTTP/1.1", "Host: x", f"Authorization: Bearer {self.token}", *headers]
        told += [] if length is None else [f"Content-Length: {length}"]
        return ("\r\n".join(told) + "\r\n\r\n").encode()

    def said(self, *parts: bytes) -> bytes:
        """All that comes back for some bytes, until the server closes."""
        with self.connected() as wire:
            for part in parts:
                wire.sendall(part)
            return everything(wire)


def everything(wire: socket.socket) -> bytes:
    """What comes until the connection ends, however it ends."""
    parts = []
    try:
        while part := wire.recv(65_536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


def is_cut_off(wire: socket.socket, part: bytes, *, pause: float) -> bool:
    """Whether the server ends a connection on which the same part is sent again and again."""
    for _ in range(2000):
        try:
            wire.sendall(part)
        except OSError:
            return True
        time.sleep(pause)
    return False


def one_answer(wire: socket.socket) -> tuple[bytes, bytes]:
    """The head and the body of the next answer on a connection."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        part = wire.recv(1)
        assert part, head
        head += part
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    body = b""
    while len(body) < length:
        body += wire.recv(length - len(body))
    return head, body


@contextmanager
def running(
    bounds: Bounds,
    *,
    body_seconds: float = 10.0,
    submit: Callable[[Work], Outcome] | None = None,
    trusted_proxies: tuple[str, ...] = (),
    quotas: Quotas | None = None,
) -> Iterator[Server]:
    """A server on a thread of its own."""
    store = MemoryStore()
    store.load(invoice())
    threads = StoreThreads(store)

    class Instead:
        async def submit(self, work: Work) -> Outcome:
            assert submit is not None
            return submit(work)

    service = Service(
        executor=threads if submit is None else Instead(),
        clients=Clients.of([]),
        body_seconds=body_seconds,
        limits=Limits(quotas or Quotas()),
    )
    started = threading.Event()
    settings = ServerSettings(bounds=bounds, keep_alive_seconds=5, stop_seconds=5, trusted_proxies=trusted_proxies)
    server = ServiceServer(application(service), settings, on_start=started.set, on_stop=lambda: None)
    with closing(bound_socket("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        assert started.wait(PATIENCE)
        try:
            yield Server(port, service.tokens.issue(CLIENTS[0]))
        finally:
            server.should_exit = True
            thread.join(PATIENCE)
            threads.close()
            assert not thread.is_alive()


BOUNDS: Final = Bounds(head_bytes=4096, headers=20, head_seconds=PATIENCE, unread_bytes=200_000, connections=20)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server that takes little and has time."""
    with running(BOUNDS, body_seconds=PATIENCE) as made:
        yield made


@pytest.fixture(scope="module")
def impatient() -> Iterator[Server]:
    """A server that waits for nobody, for those who are late on purpose."""
    with running(evolve(BOUNDS, head_seconds=0.3), body_seconds=0.3) as made:
        yield made


class TestHeads:
    """Sizes and times of what comes before a body."""

    def test_a_request_as_it_should_be(self, server: Server) -> None:
        """Several on one connection, too, and sent at once."""
        with server.connected() as wire:
            wire.sendall((server.head(length=len(BODY)) + BODY) * 3)
            heads = [one_answer(wire)[0] for _ in range(3)]
        assert [head.split(b"\r\n")[0] for head in heads] == [b"HTTP/1.1 200 OK"] * 3

    @pytest.mark.parametrize(
        ("sent", "status"),
        [
            (b"nonsense\r\n\r\n", b"400"),
            (b"GET / HTTP/9.9\r\nHost: x\r\n\r\n", b"400"),
            (b"GET / HTTP/1.1\r\nHost: x\r\nA: b\x00c\r\n\r\n", b"400"),
            (b"GET / HTTP/1.1\r\nHost: x\r\nZuora-Track-Id: a\rEvil: b\r\n\r\n", b"400"),
            (b"GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n", b"400"),
            (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", b"400"),
            (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", b"400"),
            (b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", b"431"),
            (b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 5000 + b"\r\n\r\n", b"431"),
            (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 20 + b"\r\n", b"431"),
        ],
    )
    def test_what_is_no_request_is_answered_and_closed(self, server: Server, sent: bytes, status: bytes) -> None:
        """In the shape of all errors, with a request id (REQ-12), and nothing of it echoed."""
        self.assert_told(server.said(sent), status)

    def test_nor_is_a_head_that_ends_nowhere(self, impatient: Server) -> None:
        """Told so after a while."""
        self.assert_told(impatient.said(b"GET / HTTP/1.1\r\nHost: x\r\nA: b"), b"408")

    @staticmethod
    def assert_told(answer: bytes, status: bytes) -> None:
        """An error as all are."""
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.split(b" ")[1] == status
        assert b"\r\nzuora-request-id: " in head
        assert b"\r\nconnection: close" in head
        assert body.startswith(b'{"success":false,')
        assert b"Evil" not in answer

    def test_an_endless_header_is_cut_off(self, server: Server) -> None:
        """Ten megabytes: the server neither takes them all nor falls silent for others."""
        with server.connected() as wire:
            wire.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nA: ")
            assert is_cut_off(wire, b"a" * 65_536, pause=0)
        assert server.said(server.head("Connection: close", length=len(BODY)), BODY).startswith(b"HTTP/1.1 200")

    @pytest.mark.parametrize("sent", [b"", b"\r\n\r\n"])
    def test_who_begins_no_request_is_let_go(self, impatient: Server, sent: bytes) -> None:
        """Without an answer: there was no question."""
        assert impatient.said(sent) == b""

    def test_a_head_that_trickles_is_not_waited_for(self, impatient: Server) -> None:
        """Each byte is no new beginning."""
        with impatient.connected() as wire:
            wire.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nA")
            assert is_cut_off(wire, b"a", pause=0.05)

    def test_there_are_so_many_connections_and_no_more(self, server: Server) -> None:
        """One more is closed at once; when others end, there is room."""
        wires = [socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) for _ in range(21)]
        try:
            assert everything(wires[-1]) == b""
        finally:
            for wire in wires:
                wire.close()
        end = time.monotonic() + PATIENCE
        while not server.said(server.head("Connection: close", length=len(BODY)), BODY):
            assert time.monotonic() < end


class TestBodies:
    """Sizes and times of bodies."""

    def test_a_body_that_does_not_arrive_is_unreadable(self, impatient: Server) -> None:
        """Rank 7, and the connection ends."""
        answer = impatient.said(impatient.head(length=100) + b"{")
        assert answer.startswith(b"HTTP/1.1 400")
        assert b'"code":50000090' in answer
        assert b"did not arrive" in answer

    def test_nor_does_it_hide_an_earlier_fault(self, impatient: Server) -> None:
        """Who isn't authenticated hears that (PRE-1)."""
        head = f"POST {OPERATION_PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n".encode()
        assert impatient.said(head).startswith(b"HTTP/1.1 401")

    def test_a_body_that_is_too_long_is_answered_while_it_is_sent(self, server: Server) -> None:
        """413 reaches the client, and the connection goes on when what is left isn't much."""
        with server.connected() as wire:
            wire.sendall(server.head(length=150_000) + b" " * 150_000)
            assert one_answer(wire)[0].startswith(b"HTTP/1.1 413")
            wire.sendall(server.head(length=len(BODY)) + BODY)
            assert one_answer(wire)[0].startswith(b"HTTP/1.1 200")

    def test_what_is_left_may_not_be_endless(self, server: Server) -> None:
        """The connection ends."""
        with server.connected() as wire:
            wire.sendall(server.head(length=10**9))
            assert is_cut_off(wire, b" " * 65_536, pause=0)

    def test_a_client_that_waits_for_leave_to_send_gets_it(self, server: Server) -> None:
        """``Expect: 100-continue``."""
        with server.connected() as wire:
            wire.sendall(server.head("Expect: 100-continue", length=len(BODY)))
            assert wire.recv(100).startswith(b"HTTP/1.1 100 ")
            wire.sendall(BODY)
            assert one_answer(wire)[0].startswith(b"HTTP/1.1 200")

    def test_a_chunked_body_is_a_body(self, server: Server) -> None:
        """In two chunks."""
        chunks = b"".join([b"%x\r\n%b\r\n" % (len(part), part) for part in (BODY[:9], BODY[9:], b"")])
        with server.connected() as wire:
            wire.sendall(server.head("Transfer-Encoding: chunked") + chunks)
            assert one_answer(wire)[0].startswith(b"HTTP/1.1 200")


class TestProxies:
    """Whom a failed login is counted for."""

    @pytest.mark.parametrize(
        ("trusted", "statuses"), [(("127.0.0.1",), ["401", "401", "429"]), ((), ["401", "429", "429"])]
    )
    def test_a_forwarded_address_is_believed_of_a_trusted_proxy_only(
        self, trusted: tuple[str, ...], statuses: list[str]
    ) -> None:
        """Else anybody could name another one for each guess."""
        form = b"grant_type=client_credentials&client_id=a&client_secret=b"
        told = []
        with running(Bounds(), trusted_proxies=trusted, quotas=Quotas(failed_logins=Window(60, 1))) as server:
            for address in ("198.51.100.1", "198.51.100.2", "198.51.100.1"):
                head = (
                    f"POST /oauth/token HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {address}\r\n"
                    f"Content-Length: {len(form)}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
                    "Connection: close\r\n\r\n"
                )
                told.append(server.said(head.encode(), form).split(b" ")[1].decode())
        assert told == statuses


class TestAnswers:
    """What a client sees of a connection that breaks, and who doesn't take its answer."""

    def test_a_dropped_connection_has_no_answer(self) -> None:
        """What was to be tested with it: a client that doesn't know whether its request was executed."""

        def drop(work: Work) -> Outcome:
            raise DropConnection

        with running(Bounds(), submit=drop) as server:
            assert server.said(server.head(length=len(BODY)), BODY) == b""

    def test_a_stop_closes_what_is_idle(self) -> None:
        """At once; a client's open connection delays nothing."""
        with running(Bounds()) as server, server.connected() as wire:
            wire.sendall(server.head(length=len(BODY)) + BODY)
            one_answer(wire)
