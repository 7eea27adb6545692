"""Control characters, repeated headers, other paths and methods: each is refused, and none comes back in an answer."""

from __future__ import annotations

import json
import time
from typing import Final

import pytest

from tests.http_attacks.conftest import Variant
from tests.served.documents import PLAIN
from tests.served.process import ENTITY, OPERATION, Service
from tests.served.wire import Reply, head, wire_to

BODY: Final = b'{"type":"Invoice","id":"%b"}' % PLAIN["id"].encode()

KNOWN_HEADERS: Final = {
    "allow",
    "cache-control",
    "concurrency-limit-limit",
    "concurrency-limit-remaining",
    "concurrency-limit-type",
    "connection",
    "content-length",
    "content-type",
    "date",
    "ratelimit-limit",
    "ratelimit-remaining",
    "ratelimit-reset",
    "retry-after",
    "www-authenticate",
    "x-content-type-options",
    "zuora-request-id",
    "zuora-track-id",
}


def assert_own_words(reply: Reply) -> None:
    """An answer has the service's headers, each once, and they hold visible characters."""
    names = [name for name, _ in reply.headers]
    assert len(names) == len(set(names))
    assert set(names) <= KNOWN_HEADERS
    assert all([value.isascii() and value.isprintable() for _, value in reply.headers])


SPLITTERS: Final = {
    "CR LF": b"a\r\nSet-Cookie: b=c",
    "LF": b"a\nSet-Cookie: b=c",
    "CR": b"a\rSet-Cookie: b=c",
    "NUL": b"a\0b",
    "escape": b"a\x1bb",
    "delete": b"a\x7fb",
    "Latin-1": b"a\xe9b",
    "UTF-8's line separator": "a\u2028b".encode(),
    "percent-encoded": b"a%0d%0aSet-Cookie: b=c",
}


@pytest.mark.parametrize("value", SPLITTERS.values(), ids=SPLITTERS.keys())
@pytest.mark.parametrize("name", [b"Zuora-Track-Id", b"Idempotency-Key", b"Zuora-Entity-Ids", b"Zuora-Org-Ids"])
def test_a_header_with_other_characters_is_refused(service: Service, name: bytes, value: bytes) -> None:
    reply = service.ask(BODY, name + b": " + value)
    if value == SPLITTERS["CR LF"]:
        assert reply.status == {b"Zuora-Track-Id": 200, b"Idempotency-Key": 200}.get(name, 403), "two good headers"
    else:
        assert reply.status in {400, 403}
    assert_own_words(reply)
    assert reply.header("zuora-track-id") in {None, "a"}
    assert b"Set-Cookie" not in reply.body


TRACKS: Final = ("a:b", "a;b", 'a"b', "a'b", "a" * 65, "a\tb", "a\x0bb", "a\xffb")


@pytest.mark.parametrize("track", TRACKS)
def test_an_invalid_track_id_is_not_returned(service: Service, track: str) -> None:
    reply = service.ask(BODY, b"Zuora-Track-Id: " + track.encode("latin-1"))
    assert (reply.status, reply.header("zuora-track-id")) == (400, None)
    assert_own_words(reply)


def test_control_a_service_that_returns_any_track_id_is_noticed(variant: Variant) -> None:
    reply = variant("returns any track id").ask(BODY, "Zuora-Track-Id: a:b")
    assert reply.header("zuora-track-id") == "a:b"


ONCE: Final = {
    "Authorization": ("Authorization: Bearer x", 401),
    "Idempotency-Key": ("Idempotency-Key: a", 400),
    "Content-Encoding": ("Content-Encoding: gzip", 415),
    "Content-Type": ("Content-Type: application/json", 415),
    "Zuora-Entity-Ids": (f"Zuora-Entity-Ids: {ENTITY}", 403),
    "Zuora-Org-Ids": ("Zuora-Org-Ids: a", 403),
    "Zuora-Track-Id": ("Zuora-Track-Id: a", 400),
    "Host": ("Host: x", 400),
    "Content-Length": ("Content-Length: 1", 400),
}


@pytest.mark.parametrize(("line", "status"), ONCE.values(), ids=ONCE.keys())
def test_a_header_that_comes_twice_is_refused(service: Service, line: str, status: int) -> None:
    reply = service.ask(BODY, line, line.upper().replace(": ", ":"))
    assert reply.status == status
    assert_own_words(reply)


NAMES: Final = {
    "CR LF": "a\r\nb",
    "NUL": "a\0b",
    "a bell": "\a",
    "delete": "a\x7fb",
    "C1": "a\x85b",
    "too long": "a" * 256,
    "blank": " ",
    "nothing": "",
    "half a character": "\ud800",
    "a number": 7,
    "a list": ["invoice-plain"],
    "an object": {"id": "invoice-plain"},
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
@pytest.mark.parametrize("field", ["id", "documentId", "number"])
def test_an_id_with_other_characters_is_refused(service: Service, field: str, name: object) -> None:
    reply = service.ask({"type": "Invoice", field: name})
    assert reply.status == 400
    assert_own_words(reply)
    if name not in ("", " ", 7):
        assert json.dumps(name).strip('"') not in reply.body.decode(), "a value is never repeated"


ODD_BODIES: Final = {
    "NUL in the text": b'{"type":"Invoice","id":"a\0b"}',
    "a line feed in the text": b'{"type":"Invoice","id":"a\nb"}',
    "Latin-1": b'{"type":"Invoice","id":"\xe9"}',
    "overlong UTF-8": b'{"type":"Invoice","id":"\xc0\x80"}',
    "half a character in UTF-8": b'{"type":"Invoice","id":"\xed\xa0\x80"}',
    "UTF-16": '{"type":"Invoice","id":"a"}'.encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf" + BODY,
    "a key twice": b'{"type":"Invoice","id":"a","id":"invoice-plain"}',
    "NaN": b'{"type":"Invoice","id":NaN}',
    "rubbish behind": BODY + b"}",
    "two objects": BODY + BODY,
    "a list": b"[" + BODY + b"]",
    "a text": b'"a"',
}


@pytest.mark.parametrize("body", ODD_BODIES.values(), ids=ODD_BODIES.keys())
def test_a_body_that_is_no_strict_json_is_refused(service: Service, body: bytes) -> None:
    reply = service.ask(body)
    assert (reply.status, reply.code) == (400, 50000090)


@pytest.mark.parametrize("name", ["a" * 70, "\r\nX: y", '"<script>', "\x1b[2J", "\u202e"])
def test_an_unknown_name_comes_back_short_and_escaped(service: Service, name: str) -> None:
    """As JSON of ASCII, at most 64 characters of it."""
    reply = service.ask({"type": "Invoice", "id": "x", name: 1})
    assert (reply.status, reply.code) == (400, 50000021)
    assert reply.body.isascii()
    assert reply.body.decode().isprintable()
    assert "a" * 65 not in reply.body.decode()


CHARSETS: Final = {
    "application/json; charset=utf-16": 415,
    "application/json; charset=iso-8859-1": 415,
    "application/json; charset=utf-8; boundary=x": 415,
    "text/plain": 415,
    "application/x-www-form-urlencoded": 415,
    "multipart/form-data; boundary=x": 415,
    "application/jsonp": 415,
    "*/*": 415,
    "": 415,
    "application/json": 200,
    "Application/JSON;Charset=UTF-8": 200,
    'application/json; charset="utf-8"': 200,
}


@pytest.mark.parametrize(("media_type", "status"), CHARSETS.items(), ids=CHARSETS.keys())
def test_only_json_in_utf_8_is_read(service: Service, media_type: str, status: int) -> None:
    assert service.ask(BODY, f"Content-Type: {media_type}").status == status


TARGETS: Final = {
    "as it is": (OPERATION, 200),
    "absolute": (f"http://elsewhere{OPERATION}", 200),
    "a letter encoded": (OPERATION.replace("u", "%75", 1), 200),
    "a slash at the end": (f"{OPERATION}/", 404),
    "two slashes": (f"/{OPERATION}", 404),
    "two slashes within": (OPERATION.replace("/billing", "//billing"), 404),
    "dots": (f"/x/..{OPERATION}", 404),
    "encoded dots": (f"/x/%2e%2e{OPERATION}", 404),
    "twice encoded": (OPERATION.replace("-", "%252d", 1), 404),
    "capitals": (OPERATION.upper(), 404),
    "NUL at the end": (f"{OPERATION}%00", 404),
    "a line feed at the end": (f"{OPERATION}%0a", 404),
    "parameters of the path": (f"{OPERATION};a=b", 404),
    "bad encoding": ("/%zz%ff", 404),
    "the root": ("/", 404),
    "the server": ("*", 404),
    "a foreign path": ("/../../etc/passwd", 404),
    "an encoded foreign path": ("/%2e%2e/%2e%2e/etc/passwd", 404),
    "an unknown parameter": (f"{OPERATION}?onlyResend=true", 400),
    "a parameter twice": (f"{OPERATION}?reMigrate=true&reMigrate=true", 400),
    "a parameter encoded": (f"{OPERATION}?reMigrate=%74rue", 200),
    "a parameter with NUL": (f"{OPERATION}?reMigrate=true%00", 400),
    "an empty parameter": (f"{OPERATION}?reMigrate", 400),
    "both flags": (f"{OPERATION}?reMigrate=true&onlyReSend=true", 400),
    "many parameters": (f"{OPERATION}?{'&'.join(['a=b'] * 3_000)}", 400),
}


@pytest.mark.parametrize(("target", "status"), TARGETS.values(), ids=TARGETS.keys())
def test_only_the_path_itself_leads_there(service: Service, target: str, status: int) -> None:
    with wire_to(service.port) as wire:
        wire.send(service.request(BODY).replace(OPERATION.encode(), target.encode(), 1))
        reply = wire.reply()
    assert reply.status == status
    assert_own_words(reply)


@pytest.mark.parametrize(
    "method", ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "M-SEARCH"]
)
def test_other_methods_hear_which_one_there_is(service: Service, method: str) -> None:
    with wire_to(service.port) as wire:
        wire.send(head(f"{method} {OPERATION} HTTP/1.1", "Host: x"), service.request(BODY))
        reply = wire.reply(to_head=method == "HEAD")
        assert (reply.status, reply.header("allow")) == (405, "POST")
        assert_own_words(reply)
        assert wire.reply().status == 200, "the connection is still in step"


EXPECTATIONS: Final = {"100-continue": [100, 200], "100-Continue": [100, 200], "something": [200]}


@pytest.mark.parametrize(("expected", "statuses"), EXPECTATIONS.items(), ids=EXPECTATIONS.keys())
def test_who_waits_before_sending_the_body_is_told_to_go_on(
    service: Service, expected: str, statuses: list[int]
) -> None:
    whole = service.request(BODY, f"Expect: {expected}")
    with wire_to(service.port) as wire:
        wire.send(whole.removesuffix(BODY))
        seen = [wire.reply().status] if 100 in statuses else []
        wire.send(BODY)
        assert [*seen, wire.reply().status] == statuses


def test_http_1_0_is_answered_and_closed(service: Service) -> None:
    with wire_to(service.port) as wire:
        wire.send(service.request(BODY).replace(b"HTTP/1.1\r\nHost: x", b"HTTP/1.0"))
        assert [reply.status for reply in wire.rest()] == [200]


def test_whoever_stops_sending_is_answered_or_gone(service: Service) -> None:
    """Half a connection counts as none: the request is done as a whole or not at all, as for a client that is gone."""
    with wire_to(service.port) as wire:
        wire.send(service.request(BODY)[:-1])
        wire.half_close()
        assert wire.rest() == []
    with wire_to(service.port) as wire:
        wire.send(service.request(BODY))
        wire.half_close()
        assert [reply.status for reply in wire.rest()] in ([], [200])


@pytest.mark.parametrize("at", [1, 60, -30, -1], ids=["line", "headers", "headers' end", "body"])
def test_whoever_is_gone_in_the_middle_has_done_nothing(service: Service, at: int) -> None:
    whole = service.request(b'{"type":"Invoice","number":"INV-unsent"}')
    for _ in range(20):
        with wire_to(service.port) as wire:
            wire.send(whole[:at])
            wire.reset()
    assert not service.has_generated({"id": "invoice-unsent"})


def test_whoever_is_gone_before_the_answer_finds_it_done(service: Service) -> None:
    asked = b'{"type":"Invoice","id":"invoice-long"}'
    for number in range(20):
        with wire_to(service.port) as wire:
            wire.send(service.request(asked, f"Idempotency-Key: gone-{number}"))
            wire.reset()
    replies = [settled(service, asked, f"Idempotency-Key: gone-{number}") for number in range(20)]
    assert {reply.status for reply in replies} == {200}
    assert len({reply.body for reply in replies}) == 1


def settled(service: Service, asked: bytes, key: str) -> Reply:
    """The answer under a key, once the first request is no longer running (IDM-3)."""
    deadline = time.monotonic() + 30
    while (reply := service.ask(asked, key)).status == 409:
        assert time.monotonic() < deadline, "it runs and runs"
        time.sleep(0.05)
    return reply
