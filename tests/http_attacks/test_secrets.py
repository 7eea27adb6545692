"""Who is let in, and what nobody is told: not why a token is no good, and no secret, whatever fails."""

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pytest
from attrs import evolve

from regen_core.access import Caller
from regen_core.adapters.http.clients import Client, hash_secret
from regen_core.adapters.http.exchange import Exchange
from regen_core.adapters.http.sandbox import sandbox_client
from regen_core.adapters.http.token_request import Credentials
from regen_core.adapters.http.tokens import Tokens
from regen_core.ports import Answer, IdempotentCall
from regen_core.wire.submission import Admitted, Submission, admit
from tests.http_attacks.conftest import Variant, assert_well
from tests.served.documents import FOREIGN, PLAIN
from tests.served.process import CLIENT, OPERATION, POWERLESS, SECRET, STRANGER, Service, served
from tests.served.wire import Reply, head, wire_to

ASKED: Final = {"type": "Invoice", "id": PLAIN["id"]}


def constant(reply: Reply) -> tuple[int, object, list[str]]:
    """What of an answer isn't the call's own: status, body without the ids, names of the headers."""
    body = {name: value for name, value in reply.json.items() if name not in {"processId", "requestId"}}
    return reply.status, body, [name for name, _ in reply.headers]


BAD_TOKENS: Final = {
    "unknown": "Bearer abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
    "none": "Bearer ",
    "nothing": "",
    "another scheme": f"Basic {CLIENT}",
    "overlong": f"Bearer {'a' * 15_000}",
    "two": "Bearer a b",
    "other characters": "Bearer a\u00e9",
    "a JWT that signs nothing": "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.",
    "a client's id": f"Bearer {CLIENT}",
    "a client's secret": f"Bearer {SECRET}",
}


def test_all_bad_tokens_hear_the_same(service: Service) -> None:
    lines = [f"Authorization: {each}".encode("latin-1") for each in BAD_TOKENS.values()]
    told = [constant(asked_as(service, line)) for line in [*lines, b"X-A: none at all"]]
    assert told[0][0] == 401
    assert all([each == told[0] for each in told])


def asked_as(service: Service, authorization: bytes) -> Reply:
    """Ask with this header only."""
    body = json.dumps(ASKED).encode()
    with wire_to(service.port) as wire:
        wire.send(head(f"POST {OPERATION} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}", authorization), body)
        return wire.reply()


def test_a_token_is_as_good_as_it_is_exact(service: Service) -> None:
    token = service.token
    for wrong in (token[:-1], token + "a", token.swapcase(), token[::-1], f"{token}="):
        assert service.ask(ASKED, token=wrong).status == 401
    assert asked_as(service, f"authorization:bearer   {token}  ".encode()).status == 200


def test_an_expired_token_hears_the_same_as_an_unknown_one(variant: Variant) -> None:
    """The clock is the process's own; its tokens live for a second."""
    service = variant("forgets after a second")
    token = service.login().json["access_token"]
    deadline = time.monotonic() + 30
    while (reply := service.ask(ASKED, token=token)).status == 200:
        assert time.monotonic() < deadline, "it lives on"
        time.sleep(0.1)
    assert constant(reply) == constant(service.ask(ASKED, token="unknown"))  # noqa: S106  # none of anybody's


def test_a_stranger_finds_nothing(service: Service) -> None:
    """Another tenant's document, and one that doesn't exist, get the same answer (ACC-4)."""
    token = service.login(client_id=STRANGER).json["access_token"]
    told = [service.ask({"type": "Invoice", "id": each}, token=token) for each in (PLAIN["id"], "none")]
    assert constant(told[0]) == constant(told[1])
    assert told[0].status == 404
    assert service.ask({"type": "Invoice", "id": FOREIGN["id"]}, token=token).status == 200
    assert service.ask({"type": "Invoice", "id": FOREIGN["id"]}).status == 404


def test_a_client_without_the_permission_is_refused(service: Service) -> None:
    token = service.login(client_id=POWERLESS).json["access_token"]
    assert service.ask(ASKED, token=token).status == 403


BAD_LOGINS: Final[dict[str, dict[str, str]]] = {
    "a wrong secret": {"client_secret": "wrong"},
    "an unknown client": {"client_id": "c1a5ed00-0000-4000-8000-00000000000f"},
    "another's secret": {"client_id": STRANGER, "client_secret": SECRET[:-1]},
    "no secret": {"client_secret": ""},
    "no client": {"client_id": ""},
    "NUL in the secret": {"client_secret": f"{SECRET}\0"},
    "a long secret": {"client_secret": "a" * 7_000},
}


def test_all_bad_logins_hear_the_same(service: Service) -> None:
    told = [constant(service.login(**fields)) for fields in BAD_LOGINS.values()]
    assert told[0][0] == 401
    assert all([each == told[0] for each in told])


FEW: Final = {"failed_logins_per_minute": 3}


def guesses(service: Service, count: int) -> list[int]:
    """The statuses of so many failed logins."""
    return [service.login(client_secret=f"guess-{number}").status for number in range(count)]


def test_who_guesses_is_asked_to_wait(folder: Path) -> None:
    """The right secret waits, too; who is logged in already doesn't. A header can't make another address of it."""
    with served(folder, limits=FEW) as service:
        assert_well(service)
        assert guesses(service, 5) == [401] * 3 + [429] * 2
        reply = service.login()
        assert reply.status == 429
        assert 1 <= int(reply.header("retry-after") or 0) <= 60
        with wire_to(service.port) as wire:
            spoofed = head("POST /oauth/token HTTP/1.1", "Host: x", "X-Forwarded-For: 192.0.2.1", "Forwarded: for=a")
            wire.send(spoofed.removesuffix(b"\r\n"), FORM % len(LOGIN), LOGIN)
            assert wire.reply().status == 429
        assert_well(service)


LOGIN: Final = f"grant_type=client_credentials&client_id={CLIENT}&client_secret={SECRET}".encode()
FORM: Final = b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n"


def test_control_a_service_that_lets_guess_is_noticed(variant: Variant) -> None:
    assert guesses(variant("never tires of logins", **FEW), 5) == [401] * 5


CANARIES: Final = {
    "key": "canary-key-5f2b9d",
    "id": "canary-id-8c41e7",
    "number": "canary-number-d90a3e",
    "field": "canary-field-77b1c0",
    "parameter": "canary-parameter-02de4f",
    "path": "canary-path-61f8aa",
    "header": "canary-header-e3c9b5",
    "broken": "canary-broken-94d7f2",
    "guess": "canary-guess-b86e10",
}


def tell_secrets(service: Service) -> str:
    """Bring every secret to every place where a request may hold one; all answers that came."""
    key = f"Idempotency-Key: {CANARIES['key']}"
    bodies: Sequence[dict[str, Any]] = [
        {"type": "Invoice", "id": CANARIES["id"]},
        {"type": "Invoice", "number": CANARIES["number"]},
        {"type": "Invoice", "id": CANARIES["id"], "number": CANARIES["number"]},
        {"type": CANARIES["id"], "id": PLAIN["id"]},
        {"type": "Invoice", "id": [CANARIES["id"]]},
        {**ASKED, "a name may be told": CANARIES["field"]},
        ASKED,
    ]
    replies = [service.ask(body, key, f"X-A: {CANARIES['header']}") for body in bodies]
    replies += [service.ask(body) for body in bodies]
    replies.append(service.ask(ASKED, query=f"?reMigrate={CANARIES['parameter']}"))
    replies.append(service.ask(f'{{"type": "{CANARIES["broken"]}"'.encode()))
    replies.append(service.ask(ASKED, f"{key}\x7f"))
    replies.append(service.ask(ASKED, token=CANARIES["header"]))
    replies.append(service.login(client_secret=CANARIES["guess"]))
    replies.append(service.login(client_id=CANARIES["guess"]))
    for line in (f"GET /{CANARIES['path']} HTTP/1.1", f"GET /{CANARIES['path']} HTTP/1.1\r\nX : {CANARIES['header']}"):
        with wire_to(service.port) as wire:
            wire.send(head(line, "Host: x"))
            replies.append(wire.reply())
    return "".join([str(reply.headers) + reply.body.decode() for reply in replies])


def leaked(service: Service, text: str) -> set[str]:
    """The names of the secrets that stand in a text; of the service's own ones, too."""
    own = {"token": service.token, "secret": SECRET}
    return {name for name, value in {**CANARIES, **own}.items() if value in text}


def test_no_secret_is_logged_or_told(folder: Path) -> None:
    with served(folder) as service:
        told = tell_secrets(service)
        log = service.log
    assert leaked(service, log) == set()
    assert leaked(service, told) == set()
    assert len(re.findall('"event":"request"', log)) >= 20, "it did log"


def test_no_secret_is_logged_where_all_libraries_tell_everything(variant: Variant) -> None:
    service = variant("logs all that libraries say")
    tell_secrets(service)
    assert leaked(service, service.log) == set()


def test_no_secret_is_told_where_the_store_fails_with_words(variant: Variant) -> None:
    """Its errors are full of what it was given."""
    service = variant("fails with words")
    told = tell_secrets(service)
    assert '"status":500' in service.log
    assert leaked(service, service.log) == set()
    assert leaked(service, told) == set()
    assert "RuntimeError" not in told
    assert service.process.poll() is None


TELLTALES: Final = {
    "logs what it sees": {"key", "header", "token", "id"},
    "fails with words and tells": {"id", "number"},
}


@pytest.mark.parametrize(("name", "told"), TELLTALES.items(), ids=TELLTALES.keys())
def test_control_a_log_that_tells_is_noticed(variant: Variant, name: str, told: set[str]) -> None:
    service = variant(name)
    tell_secrets(service)
    assert told <= leaked(service, service.log)


def test_no_value_shows_a_secret() -> None:
    """Whatever may end up in somebody's traceback (IDM-5)."""
    caller = Caller(tenant="acme", client="c", entities=frozenset({"eu"}))
    headers, body = (("idempotency-key", SECRET), ("authorization", f"Bearer {SECRET}")), f'"{SECRET}"'.encode()
    scope = {"type": "http", "method": "POST", "path": "/", "headers": [(b"a", SECRET.encode())]}
    submission = Submission(headers=headers, body=body, caller=caller)
    admitted = admit(evolve(submission, headers=headers[:1], body=b'{"type":"Invoice","id":"a"}'))
    tokens, hashed = Tokens(lambda: 0.0), hash_secret(SECRET)
    values: list[tuple[str, object]] = [
        (SECRET, submission),
        (SECRET, admitted),
        (SECRET, IdempotentCall(client="c", key=SECRET, answer=lambda _: Answer(200, b""))),
        (SECRET, Exchange.begun(scope, 0.0)),
        (SECRET, Credentials("c", SECRET)),
        (SECRET, Client(caller, hash_secret(SECRET))),
        (hashed.text.split("$")[1], hashed),
        (tokens.issue(caller), tokens),
    ]
    made = sandbox_client("acme", "eu", ())
    values.append((made.secret, made))
    assert isinstance(admitted, Admitted)
    assert [type(value).__name__ for secret, value in values if secret in repr(value)] == []


@pytest.fixture
def failing(folder: Path) -> Iterator[Service]:
    """A service whose database is spoilt while it runs."""
    with served(folder) as service:
        assert_well(service)
        yield service
        assert service.process.poll() is None


def spoilt(service: Service) -> None:
    """The bytes of the database are other ones."""
    for path in service.folder.glob("served.db*"):
        path.write_bytes(b"canary" * 4096)


def without_tables(service: Service) -> None:
    """Another program has dropped all tables."""
    with sqlite3.connect(service.folder / "served.db") as database:
        names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        database.execute("PRAGMA foreign_keys = OFF")
        for name in names:
            if not name.startswith("sqlite_"):
                database.execute(f'DROP TABLE "{name}"')


@pytest.mark.parametrize("spoil", [spoilt, without_tables])
def test_a_store_that_fails_tells_nothing(failing: Service, spoil: Callable[[Service], None]) -> None:
    spoil(failing)
    reply = failing.ask(ASKED, f"Idempotency-Key: {CANARIES['key']}")
    assert reply.status in {500, 503}
    assert reply.code in {50000060, 50000061}
    told = tell_secrets(failing)
    assert leaked(failing, failing.log) == set()
    assert leaked(failing, told) == set()
    for word in ("sqlite", "SELECT", "Traceback", "served.db", str(failing.folder)):
        assert word not in told


def test_a_locked_store_is_a_temporary_fault(variant: Variant) -> None:
    service = variant("waits little for locks")
    assert_well(service)
    with service.locked():
        reply = service.ask(ASKED)
    assert (reply.status, reply.code) == (503, 50000061)
    assert_well(service)
