"""Whoever sends slowly, or doesn't take what is sent, is let go after a time that the configuration says."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Final

import pytest

from tests.http_attacks.conftest import MANY, Variant, assert_well
from tests.served.documents import HIDDEN
from tests.served.process import OPERATION, Service, served
from tests.served.wire import PATIENCE, Cut, Wire, head, wire_to

QUICK: Final = {"header_seconds": 1.0, "body_seconds": 1.0, "send_seconds": 0.5, "keep_alive_seconds": 1}
"""Limits of time that a test can wait for. Whoever isn't late on purpose asks a service that has time."""

BODY: Final = b'{"type":"Invoice","id":"%b"}' % HIDDEN["id"].encode()
WITHOUT_END: Final = head(f"POST {OPERATION} HTTP/1.1", "Host: x", "Transfer-Encoding: chunked")

Drip = Callable[[Service], tuple[bytes, Iterator[bytes]]]
"""What is sent at first, and then bit by bit without an end."""


def _nothing(_: Service) -> tuple[bytes, Iterator[bytes]]:
    return b"", iter(())


def _line(_: Service) -> tuple[bytes, Iterator[bytes]]:
    return b"POST /", iter(lambda: b"a", None)


def _headers(_: Service) -> tuple[bytes, Iterator[bytes]]:
    return b"POST / HTTP/1.1\r\nHost: x\r\n", iter(lambda: b"X-A: b\r\n", None)


def _header(_: Service) -> tuple[bytes, Iterator[bytes]]:
    return b"POST / HTTP/1.1\r\nHost: x\r\nX-A: ", iter(lambda: b"b", None)


def _body(service: Service) -> tuple[bytes, Iterator[bytes]]:
    return service.request(b" " * 60_000)[:-60_000], iter(lambda: b" ", None)


def _no_body(service: Service) -> tuple[bytes, Iterator[bytes]]:
    return service.request(BODY).removesuffix(BODY), iter(())


def _chunks(_: Service) -> tuple[bytes, Iterator[bytes]]:
    return WITHOUT_END, iter(lambda: b"1\r\n \r\n", None)


def _extension(_: Service) -> tuple[bytes, Iterator[bytes]]:
    return WITHOUT_END + b"1;", iter(lambda: b"a", None)


def _trailers(_: Service) -> tuple[bytes, Iterator[bytes]]:
    return WITHOUT_END + b"2\r\n{}\r\n0\r\nX-A: ", iter(lambda: b"b", None)


def _form(_: Service) -> tuple[bytes, Iterator[bytes]]:
    kind = "Content-Type: application/x-www-form-urlencoded"
    return head("POST /oauth/token HTTP/1.1", "Host: x", kind, "Content-Length: 5000"), iter(lambda: b"a", None)


def _after_an_answer(_: Service) -> tuple[bytes, Iterator[bytes]]:
    return head("POST /unknown HTTP/1.1", "Host: x", "Content-Length: 60000"), iter(lambda: b"a", None)


def _next_head(_: Service) -> tuple[bytes, Iterator[bytes]]:
    return head("GET /unknown HTTP/1.1", "Host: x") + b"POST /", iter(lambda: b"a", None)


HEADS: Final[dict[str, tuple[Drip, list[int]]]] = {
    "nothing": (_nothing, []),
    "line": (_line, [408]),
    "headers": (_headers, [408]),
    "one header": (_header, [408]),
    "the next request": (_next_head, [404, 408]),
}
BODIES: Final[dict[str, tuple[Drip, list[int]]]] = {
    "body": (_body, [400]),
    "no body": (_no_body, [400]),
    "chunks": (_chunks, [401]),
    "an extension of a chunk": (_extension, [401]),
    "trailers": (_trailers, [401]),
    "form": (_form, [400]),
    "after an answer": (_after_an_answer, [404]),
}


def drip(wire: Wire, first: bytes, bits: Iterator[bytes], seconds: float) -> bool:
    """Send bit by bit; whether the server closed within some seconds."""
    wire.socket.settimeout(0.02)
    until = time.monotonic() + seconds
    try:
        wire.send(first)
        while time.monotonic() < until:
            wire.send(next(bits, b""))
            if wire.is_over():
                return True
    except Cut:
        return True
    return False


SLOW: Final = {**HEADS, **BODIES}


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that waits for nobody."""
    with served(tmp_path_factory.mktemp("served"), limits={**QUICK, **MANY}) as service:
        yield service
        assert_well(service)


@pytest.mark.parametrize(("how", "statuses"), SLOW.values(), ids=SLOW.keys())
def test_who_sends_slowly_is_let_go(impatient: Service, how: Drip, statuses: list[int]) -> None:
    what = how(impatient)
    with wire_to(impatient.port) as wire:
        assert drip(wire, *what, PATIENCE), "it hangs"
        assert [reply.status for reply in wire.rest()] == statuses
    assert not impatient.has_generated(HIDDEN)


def test_many_slow_ones_hold_nobody_up(service: Service) -> None:
    with ExitStack() as slow:
        for how, _ in SLOW.values():
            for _ in range(20):
                slow.enter_context(wire_to(service.port)).send(how(service)[0])
        assert_well(service)


def test_who_does_not_take_its_answers_is_let_go(impatient: Service) -> None:
    """Long answers fill all buffers between here and there."""
    with wire_to(impatient.port) as wire:
        wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        with pytest.raises(Cut) as cut:
            ask_and_never_listen(wire)
    assert "timed out" not in str(cut.value)


def ask_and_never_listen(wire: Wire) -> None:
    """Ask for something long, again and again."""
    for _ in range(1000):
        wire.send(head("GET /openapi.json HTTP/1.1", "Host: x") * 8)
        time.sleep(0.005)


@pytest.mark.parametrize("how", [_nothing, _header, _next_head])
def test_control_uvicorn_waits_for_headers(variant: Variant, how: Drip) -> None:
    service = variant("parses as uvicorn does", **QUICK)
    what = how(service)
    with wire_to(service.port) as wire:
        assert not drip(wire, *what, 2 * QUICK["header_seconds"])


def test_control_without_a_limit_of_time_bodies_are_waited_for(variant: Variant) -> None:
    service = variant("reads everything", **QUICK)
    what = _body(service)
    with wire_to(service.port) as wire:
        assert not drip(wire, *what, 2 * QUICK["body_seconds"])
