"""Whatever a client sends much of takes little memory: bombs of gzip, bodies without an end, headers, nesting."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from tests.http_attacks.conftest import Variant
from tests.http_attacks.variants import start
from tests.served.documents import PLAIN
from tests.served.process import OPERATION, Service, served
from tests.served.wire import Cut, Reply, Wire, head, wire_to

MEGABYTE: Final = 1024 * 1024
LITTLE: Final = 8 * MEGABYTE
GZIP: Final = "Content-Encoding: gzip"
BODY: Final = b'{"type":"Invoice","id":"%b"}' % PLAIN["id"].encode()


@cache
def zeros(count: int) -> bytes:
    """So many spaces behind a body, compressed as far as gzip goes: a thousandth."""
    return gzip.compress(BODY + b" " * count, 9, mtime=0)


BOMBS: Final[dict[str, Callable[[], bytes]]] = {
    "a bomb of 60 MB": lambda: zeros(60 * MEGABYTE),
    "a byte too many": lambda: zeros(64 * 1024 - len(BODY) + 1),
    "a bomb in a bomb": lambda: gzip.compress(zeros(60 * MEGABYTE) * 4, 9, mtime=0),
    "many members": lambda: gzip.compress(b" ", 9, mtime=0) * 3_000,
    "a member and another": lambda: gzip.compress(BODY, mtime=0) * 2,
    "a member and rubbish": lambda: gzip.compress(BODY, mtime=0) + b"x",
    "a member and zeros": lambda: gzip.compress(BODY, mtime=0) + b"\0" * 512,
    "half a member": lambda: gzip.compress(BODY, mtime=0)[:-9],
    "a wrong checksum": lambda: gzip.compress(BODY, mtime=0)[:-8] + b"\0" * 8,
    "a head alone": lambda: b"\x1f\x8b\x08",
    "another method": lambda: b"\x1f\x8b\x00" + b"\0" * 20,
    "zlib's form": lambda: zlib.compress(BODY),
    "nothing": lambda: b"",
}
"""Made where they are used: the large ones take seconds, in which every process that only collects tests would wait."""


@pytest.mark.parametrize("name", BOMBS)
def test_what_is_no_small_gzip_member_is_refused(service: Service, name: str) -> None:
    bomb = BOMBS[name]()
    assert len(bomb) <= 64 * 1024 or name == "a bomb in a bomb"
    replies: list[Reply] = []
    assert service.peak(lambda: replies.extend([service.ask(bomb, GZIP) for _ in range(3)])) < LITTLE
    assert {reply.code for reply in replies} <= {50000090, 50000020}
    assert {reply.status for reply in replies} <= {400, 413}


def test_the_largest_body_that_fits_is_read(service: Service) -> None:
    assert service.ask(zeros(64 * 1024 - len(BODY)), GZIP).status == 200
    assert service.ask(BODY + b" " * (64 * 1024 - len(BODY))).status == 200
    assert service.ask(BODY + b" " * (64 * 1024 - len(BODY) + 1)).status == 413


def test_control_without_a_limit_a_bomb_goes_off(variant: Variant) -> None:
    service = variant("inflates everything")
    bomb = BOMBS["a bomb of 60 MB"]()
    assert service.peak(lambda: [service.ask(bomb, GZIP)]) > 4 * LITTLE


def pour(wire: Wire, first: bytes, piece: bytes, count: int) -> None:
    """Send and send, until the server closes."""
    with suppress(Cut):
        wire.send(first)
        for _ in range(count):
            wire.send(piece)


def flood(service: Service, first: bytes, piece: bytes, count: int) -> list[int]:
    """Send and send; the status of what came back. A cut connection is an answer, too."""
    with wire_to(service.port) as wire:
        pour(wire, first, piece, count)
        with suppress(Cut):
            return [wire.reply().status]
    return []


def pouring(name: str, count: int) -> Callable[[Wire], None]:
    """Some of a flood, for a service that waits for the end of it."""
    return lambda wire: pour(wire, FLOODS[name][0], FLOODS[name][1], count)


CHUNKED: Final = head(f"POST {OPERATION} HTTP/1.1", "Host: x", "Transfer-Encoding: chunked")
CHUNK: Final = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
LONG_BODY: Final = head(f"POST {OPERATION} HTTP/1.1", "Host: x", f"Content-Length: {100 * MEGABYTE}")
FORM: Final = "Content-Type: application/x-www-form-urlencoded"
LONG_FORM: Final = head("POST /oauth/token HTTP/1.1", "Host: x", FORM, f"Content-Length: {100 * MEGABYTE}")
ELSEWHERE: Final = head("POST /unknown HTTP/1.1", "Host: x", f"Content-Length: {100 * MEGABYTE}")
PIECE: Final = b"a" * 65536
HEAD: Final = head(f"POST {OPERATION} HTTP/1.1", "Host: x").removesuffix(b"\r\n")

FLOODS: Final = {
    "chunks without an end": (CHUNKED, CHUNK, {413}),
    "a long body": (LONG_BODY, PIECE, {413}),
    "a long form": (LONG_FORM, PIECE, {400}),
    "a body where nothing reads it": (ELSEWHERE, PIECE, {404}),
    "one header": (HEAD + b"X-A: ", PIECE, {431}),
    "a header's name": (HEAD, PIECE, {400, 431}),
    "many headers": (HEAD, b"X-A: b\r\n" * 8192, {431}),
    "a long target": (b"POST /", PIECE, {431}),
    "a long method": (b"", PIECE, {400}),
    "an extension of a chunk": (CHUNKED + b"1;", PIECE, {431}),
    "a trailer": (CHUNKED + b"1\r\n \r\n0\r\nX-A: ", PIECE, {431}),
    "many trailers": (CHUNKED + b"1\r\n \r\n0\r\n", b"X-A: b\r\n" * 8192, {431}),
    "line feeds": (b"", b"\r\n" * 32768, {400, 431}),
}


@pytest.mark.parametrize(("first", "piece", "statuses"), FLOODS.values(), ids=FLOODS.keys())
def test_what_has_no_end_is_cut(service: Service, first: bytes, piece: bytes, statuses: set[int]) -> None:
    """100 MB. Whoever goes on sending may find the connection reset before the answer has been read."""
    told: list[int] = []
    assert service.peak(lambda: told.extend(flood(service, first, piece, 1600))) < LITTLE
    assert set(told) <= statuses


@pytest.mark.parametrize("name", ["one header", "a long target"])
def test_control_uvicorn_keeps_long_heads(folder: Path, name: str) -> None:
    with served(folder, start=start("parses as uvicorn does")) as service:
        assert service.grows(pouring(name, 256), LITTLE)


def test_control_uncounted_trailers_are_kept(variant: Variant) -> None:
    assert variant("counts no bytes").grows(pouring("a trailer", 256), LITTLE)


def test_control_without_a_limit_bodies_are_kept(variant: Variant) -> None:
    assert variant("reads everything").grows(pouring("chunks without an end", 800), 4 * LITTLE)


def test_ten_megabytes_of_one_header_are_refused(service: Service) -> None:
    assert set(flood(service, HEAD + b"X-A: " + b"a" * 10 * MEGABYTE + b"\r\n\r\n", b"", 0)) <= {431}


def test_heads_within_the_limits_are_read(service: Service) -> None:
    assert service.ask(BODY, f"X-A: {'a' * 15_000}").status == 200
    assert service.ask(BODY, f"X-A: {'a' * 17_000}").status == 431
    assert service.ask(BODY, *["X-A: b"] * 96).status == 200
    assert service.ask(BODY, *["X-A: b"] * 98).status == 431


NESTED: Final = {
    "arrays": b"[" * 60_000,
    "objects": b'{"a":' * 12_000,
    "digits": b'{"type":' + b"9" * 60_000 + b"}",
    "exponents": b'{"type":1e999999999}',
    "keys": b"{" + b",".join([b'"%d":1' % number for number in range(6_000)]) + b"}",
    "one key many times": b"{" + b",".join([b'"type":"Invoice"'] * 3_000) + b"}",
    "escapes": b'{"type":"' + b"\\u0041" * 10_000 + b'"}',
}


@pytest.mark.parametrize("body", NESTED.values(), ids=NESTED.keys())
def test_json_that_is_dear_to_read_is_refused(service: Service, body: bytes) -> None:
    replies: list[Reply] = []
    assert service.peak(lambda: replies.append(service.ask(body))) < LITTLE
    assert replies[0].status == 400


@pytest.fixture(autouse=True)
def _warm(service: Service) -> None:
    """What a first request takes for good isn't the attack's."""
    service.ask(zeros(60_000), GZIP)
