"""Where a request ends: what is ambiguous or malformed is refused, and nothing that hides in a request is done.

A request within a request is done by a server that finds another end of the outer one than whoever let it through.
"""

from __future__ import annotations

from typing import Final

import pytest

from tests.http_attacks.conftest import Variant
from tests.served.documents import HIDDEN
from tests.served.process import OPERATION, Service
from tests.served.wire import Cut, Reply, head, wire_to

POST: Final = f"POST {OPERATION} HTTP/1.1"
HOST: Final = "Host: x"
UNREADABLE: Final = 50000090
FEW_BYTES: Final = 8 * 1024 * 1024

TWO_ENDS: Final = {
    "length and chunks": (POST, HOST, "Content-Length: 5", "Transfer-Encoding: chunked"),
    "chunks and length": (POST, HOST, "Transfer-Encoding: chunked", "Content-Length: 5"),
    "two lengths": (POST, HOST, "Content-Length: 5", "Content-Length: 50"),
    "the same length twice": (POST, HOST, "Content-Length: 5", "Content-Length: 5"),
    "a list of lengths": (POST, HOST, "Content-Length: 5, 5"),
    "a signed length": (POST, HOST, "Content-Length: +5"),
    "a negative length": (POST, HOST, "Content-Length: -5"),
    "a hexadecimal length": (POST, HOST, "Content-Length: 0x5"),
    "a length beyond all integers": (POST, HOST, "Content-Length: 184467440737095516160"),
    "an empty length": (POST, HOST, "Content-Length: "),
    "a space before the colon": (POST, HOST, "Content-Length : 5"),
    "a space before the colon of chunks": (POST, HOST, "Transfer-Encoding : chunked"),
    "chunks twice": (POST, HOST, "Transfer-Encoding: chunked", "Transfer-Encoding: identity"),
    "chunks that aren't last": (POST, HOST, "Transfer-Encoding: chunked, identity"),
    "an unknown coding": (POST, HOST, "Transfer-Encoding: cow"),
    "a tab in the coding": (POST, HOST, "Transfer-Encoding:\x0bchunked"),
    "a folded header": (POST, HOST, "X-A: b", " Transfer-Encoding: chunked", "Content-Length: 5"),
    "a length hidden by NUL": (POST, HOST, "X-A: b\0", "Content-Length: 5"),
    "a header without a name": (POST, HOST, ": 5"),
    "a header without a colon": (POST, HOST, "Content-Length"),
    "no host": (POST, "Content-Length: 5"),
    "two hosts": (POST, HOST, "Host: y", "Content-Length: 5"),
    "a tunnel": ("CONNECT x:80 HTTP/1.1", HOST),
    "an unknown method": (POST.replace("POST", "POTS"), HOST),
    "no version": (f"POST {OPERATION}", HOST),
    "HTTP/2's preface": ("PRI * HTTP/2.0",),
    "a version that isn't one": (POST.replace("1.1", "1.x"), HOST),
    "a version that isn't spoken": (POST.replace("1.1", "2.0"), HOST),
    "a bare line feed in the line": (POST.replace(" HTTP", "\n HTTP"), HOST),
    "a target without a path": ("POST http://x HTTP/1.1", HOST),
}

BAD_CHUNKS: Final = {
    "no number": b"zz\r\n{}\r\n",
    "a negative number": b"-2\r\n{}\r\n",
    "a prefixed number": b"0x2\r\n{}\r\n",
    "a number beyond all integers": b"fffffffffffffffff\r\n{}\r\n",
    "a chunk longer than it says": b"1\r\n{}\r\n",
    "line feeds alone": b"2\n{}\n",
    "NUL after the number": b"2\0\r\n{}\r\n",
}


def refusal(replies: list[Reply]) -> Reply:
    """The only answer, in the shape of all errors."""
    (reply,) = replies
    assert (reply.header("content-type"), reply.header("connection")) == ("application/json", "close")
    assert len(reply.header("zuora-request-id") or "") == 36
    assert reply.json["success"] is False
    return reply


def answers(service: Service, *pieces: bytes) -> list[Reply]:
    """What comes back on one connection until it is closed; a service that keeps it open would hang the test."""
    with wire_to(service.port) as wire:
        for piece in pieces:
            try:
                wire.send(piece)
            except Cut:
                break
        return wire.rest()


def hidden(service: Service) -> bytes:
    """The request that must not be found."""
    return service.request(b'{"type":"Invoice","id":"%b"}' % HIDDEN["id"].encode())


@pytest.mark.parametrize("lines", TWO_ENDS.values(), ids=TWO_ENDS.keys())
def test_a_request_without_a_clear_end_is_refused(service: Service, lines: tuple[str, ...]) -> None:
    reply = refusal(answers(service, head(*lines) + b"0\r\n\r\n" + hidden(service)))
    assert (reply.status, reply.code) == (400, UNREADABLE)
    assert not service.has_generated(HIDDEN)


@pytest.mark.parametrize("chunk", BAD_CHUNKS.values(), ids=BAD_CHUNKS.keys())
def test_a_bad_chunk_ends_the_connection(service: Service, chunk: bytes) -> None:
    reply = refusal(answers(service, head(POST, HOST, "Transfer-Encoding: chunked") + chunk + hidden(service)))
    assert (reply.status, reply.code) == (400, UNREADABLE)
    assert not service.has_generated(HIDDEN)


UPGRADES: Final = {"Java's": "h2c", "a browser's": "websocket", "nobody's": "cow"}


@pytest.mark.parametrize("other", UPGRADES.values(), ids=UPGRADES.keys())
def test_a_request_for_another_protocol_is_one_like_any_other(service: Service, other: str) -> None:
    """RFC 9110, 7.8. Java's HTTP client asks for h2c with every request in the clear."""
    upgrade = ("Connection: Upgrade, HTTP2-Settings", f"Upgrade: {other}")
    asked = service.request(b'{"type":"Invoice","number":"INV-plain"}', *upgrade)
    with wire_to(service.port) as wire:
        wire.send(asked * 2, service.request(b'{"type":"Invoice","number":"INV-plain"}'))
        assert [wire.reply().status for _ in range(3)] == [200, 200, 200]


def test_the_body_of_a_request_for_another_protocol_is_no_request(service: Service) -> None:
    """It is a whole request, and comes in a segment of its own."""
    body = hidden(service)
    whole = service.request(body, "Connection: Upgrade, close", "Upgrade: h2c")
    assert [reply.status for reply in answers(service, whole.removesuffix(body), body)] == [400]
    assert not service.has_generated(HIDDEN)


def test_control_uvicorn_does_what_hides_in_it(variant: Variant) -> None:
    service = variant("parses as uvicorn does")
    body = hidden(service)
    whole = service.request(body, "Connection: Upgrade", "Upgrade: h2c")
    with wire_to(service.port) as wire:
        wire.send(whole.removesuffix(body))
        assert wire.reply().status == 400, "it saw no body"
        wire.send(body)
        assert wire.reply().status == 200, "the body was a request"
    assert service.has_generated(HIDDEN)


def test_requests_in_a_row_are_answered_in_their_order(service: Service) -> None:
    plain, unknown = (service.request(b'{"type":"Invoice","id":"%b"}' % each) for each in (b"invoice-plain", b"x"))
    with wire_to(service.port) as wire:
        wire.send((plain + unknown) * 8)
        assert [wire.reply().status for _ in range(16)] == [200, 404] * 8


def flood(service: Service) -> list[Reply]:
    """Thousands of requests in one breath."""
    return answers(service, *[b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n" * 5_000] * 4)


def test_of_a_flood_in_a_row_some_are_answered(service: Service) -> None:
    replies = flood(service)
    assert 1 <= len(replies) <= 17
    assert [reply.header("connection") for reply in replies] == [None] * (len(replies) - 1) + ["close"]
    assert {reply.status for reply in replies} == {404}


def test_of_a_flood_little_is_kept(service: Service) -> None:
    assert service.peak(lambda: flood(service)) < FEW_BYTES


def test_control_uvicorn_keeps_a_flood(variant: Variant) -> None:
    requests = b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n" * 60_000
    assert variant("parses as uvicorn does").grows(lambda wire: wire.send(requests), 2 * FEW_BYTES)
