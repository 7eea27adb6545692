"""``POST /oauth/token`` by RFC 6749, as the official SDK and other OAuth clients ask it."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest
from httpx import Response

from regen_core.adapters.http.limits import Quotas, Window
from regen_core.adapters.http.token_request import MAX_FORM_BYTES, Credentials, TokenFault, credentials_in
from regen_core.adapters.http.tokens import Tokens
from tests.http.conftest import CLIENTS, SECRET, Http, Serve, Served

FORM = {"grant_type": "client_credentials", "client_id": "one", "client_secret": SECRET}
MEDIA_TYPE = "application/x-www-form-urlencoded"
WRONG = {**FORM, "client_secret": "wrong"}


def ask(service: Served, form: dict[str, str] | None = None, **headers: str) -> Response:
    return service.http.post("/oauth/token", data=FORM if form is None else form, headers=headers)


def basic(client_id: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()


class TestGranted:
    """What the SDK needs all of."""

    def test_a_token_that_the_operation_takes(self, service: Served) -> None:
        """REQ-11. ``expires_in`` is a number; nothing may cache the answer."""
        answer = ask(service)
        told = answer.json()
        assert (answer.status_code, answer.headers["cache-control"], answer.headers["pragma"]) == (
            200,
            "no-store",
            "no-cache",
        )
        assert (told["token_type"], told["expires_in"], told["scope"]) == ("bearer", 3600, "entity.e1")
        assert told.keys() == {"access_token", "token_type", "expires_in", "scope", "jti"}
        assert len(base64.urlsafe_b64decode(told["access_token"] + "=")) >= 32
        assert service.ask(token=told["access_token"]).status_code == 200

    def test_a_refresh_carries_the_old_bearer_too(self, service: Served) -> None:
        """It is left aside, valid or not."""
        assert ask(service, authorization="Bearer whatever").status_code == 200

    def test_http_basic_is_the_rfcs_own_way(self, service: Served) -> None:
        """Section 2.3.1; not together with the form's secret."""
        grant = {"grant_type": "client_credentials"}
        assert ask(service, grant, authorization=basic("one", SECRET)).status_code == 200
        assert ask(service, grant, authorization=basic("one", "wrong")).status_code == 401
        assert ask(service, authorization=basic("one", SECRET)).json()["error"] == "invalid_request"


class TestFaults:
    """Section 5.2."""

    @pytest.mark.parametrize(
        "form",
        [
            {**FORM, "client_secret": "wrong"},
            {**FORM, "client_id": "nobody"},
            {"grant_type": "client_credentials"},
            {**FORM, "client_secret": ""},
            {**FORM, "client_id": "ONE"},
        ],
    )
    def test_wrong_credentials_have_one_answer(self, service: Served, form: dict[str, str]) -> None:
        """Whatever is wrong with them."""
        answer, other = ask(service, form), ask(service, WRONG)
        assert (answer.status_code, answer.content) == (401, other.content)
        assert answer.json()["error"] == "invalid_client"
        assert answer.headers["www-authenticate"].startswith("Basic ")
        assert answer.headers["cache-control"] == "no-store"

    @pytest.mark.parametrize(
        ("media_type", "body", "error"),
        [
            (None, b"grant_type=client_credentials", "invalid_request"),
            ("application/json", b'{"grant_type": "client_credentials"}', "invalid_request"),
            (MEDIA_TYPE, b"", "invalid_request"),
            (MEDIA_TYPE, b"grant_type=", "invalid_request"),
            (MEDIA_TYPE, b"grant_type=password&client_id=a&client_secret=b", "unsupported_grant_type"),
            (MEDIA_TYPE, b"grant_type=client_credentials&grant_type=client_credentials", "invalid_request"),
            (MEDIA_TYPE, b"grant_type=%FF", "invalid_request"),
            (MEDIA_TYPE, "grant_type=client_credentials&client_id=ü".encode(), "invalid_request"),
            (MEDIA_TYPE, b"a" * (MAX_FORM_BYTES + 1), "invalid_request"),
            (MEDIA_TYPE, b"grant_type=client_credentials&client_id=a", "invalid_client"),
            (MEDIA_TYPE + "; charset=UTF-8", b"grant_type=client_credentials&client_id=a", "invalid_client"),
        ],
    )
    def test_a_form_is_read_strictly(self, media_type: str | None, body: bytes, error: str) -> None:
        """Pure: no secret is compared for any of these."""
        found = credentials_in(media_type, None, body)
        assert isinstance(found, TokenFault)
        assert (found.error, found.status) == (error, 401 if error == "invalid_client" else 400)

    @pytest.mark.parametrize("encoded", ["=", "b25l", "/w==", "b25lOiVGRg=="])
    def test_a_basic_header_that_cannot_be_read(self, encoded: str) -> None:
        """No base64, no colon with a secret, no UTF-8, no percent-encoding: nobody's credentials, never a failure."""
        found = credentials_in(MEDIA_TYPE, f"Basic {encoded}", b"grant_type=client_credentials")
        assert not isinstance(found, Credentials) or found.secret == ""

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
    def test_another_method(self, service: Served, method: str) -> None:
        """405 with ``Allow``, in Zuora's shape."""
        answer = service.http.request(method, "/oauth/token")
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")

    def test_a_form_that_does_not_arrive(self, serve: Serve) -> None:
        """400, and the connection ends."""

        async def never() -> Any:
            yield b"grant_type="
            await asyncio.sleep(60)

        answer = serve(body_seconds=0.05).http.post(
            "/oauth/token", content=never(), headers={"content-type": MEDIA_TYPE}
        )
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
        assert answer.headers["connection"] == "close"


class TestGuessing:
    """Failed logins are limited per address."""

    def test_too_many_failures_close_the_door_for_a_while(self, serve: Serve) -> None:
        """Even for the right secret, which would else be told; the window opens it again."""
        service = serve(quotas=Quotas(failed_logins=Window(60, 2)))
        assert [ask(service, WRONG).status_code for _ in range(2)] == [401, 401]
        closed = ask(service)
        assert (closed.status_code, closed.headers["retry-after"]) == (429, "60")
        service.now[0] = 60.0
        assert ask(service).status_code == 200

    def test_other_addresses_are_not_concerned(self, serve: Serve) -> None:
        """Nobody can lock somebody else out."""
        service = serve(quotas=Quotas(failed_logins=Window(60, 1)))
        assert [ask(service, WRONG).status_code for _ in range(2)] == [401, 429]
        other = Http(service.app, address="198.51.100.7")
        assert other.post("/oauth/token", data=FORM).status_code == 200
        other.close()

    def test_successes_do_not_count(self, serve: Serve) -> None:
        """However many."""
        service = serve(quotas=Quotas(failed_logins=Window(60, 1)))
        assert [ask(service).status_code for _ in range(3)] == [200, 200, 200]

    def test_guesses_at_the_same_time_count_each(self, serve: Serve) -> None:
        """The control: a limit that is counted after the comparison would let all of these through."""
        service = serve(quotas=Quotas(failed_logins=Window(60, 2)))
        guess = ("POST", "/oauth/token", {"data": WRONG})
        assert sorted([answer.status_code for answer in service.http.all(*[guess] * 6)]) == [401] * 2 + [429] * 4


class TestKept:
    """What the service remembers of tokens."""

    def test_only_hashes(self) -> None:
        """Neither the token nor its bytes are anywhere in the object that holds them."""
        tokens = Tokens(lambda: 0.0)
        token = tokens.issue(CLIENTS[0])
        assert token not in repr([getattr(tokens, name) for name in ("_issued", "_by_digest")])

    def test_one_client_cannot_fill_the_memory_or_end_anothers_tokens(self) -> None:
        """A new token beyond the bound ends the client's oldest."""
        tokens = Tokens(lambda: 0.0, most_per_client=3)
        other = tokens.issue(CLIENTS[1])
        mine = [tokens.issue(CLIENTS[0]) for _ in range(5)]
        assert [tokens.caller_of(token) is not None for token in mine] == [False, False, True, True, True]
        assert tokens.caller_of(other) is CLIENTS[1]

    def test_expired_ones_are_forgotten(self) -> None:
        """When their client comes again."""
        now = [0.0]
        tokens = Tokens(lambda: now[0])
        old = [tokens.issue(CLIENTS[0]) for _ in range(3)]
        now[0] = 3600.0
        tokens.issue(CLIENTS[0])
        assert [tokens.caller_of(token) for token in old] == [None] * 3
        assert len(tokens._by_digest) == 1
