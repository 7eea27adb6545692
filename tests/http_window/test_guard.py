"""Who may look: loopback only, behind a random path, asked by its own page and by no other; each with its control."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regen_core.adapters.http.window import route
from regen_core.adapters.http.window.guard import (
    TOKEN_BYTES,
    Address,
    Knock,
    NotOnLoopback,
    fault_of,
    is_token,
    new_token,
)
from tests.http_window.conftest import ADDRESS, Watched, asked

OWN = {"host": "127.0.0.1:8080", "content-type": "application/json", "origin": "http://127.0.0.1:8080"}

BREACHES: dict[str, dict[str, str]] = {
    "a rebound name": {"host": "rebound.example:8080", "origin": "http://rebound.example:8080"},
    "a rebound name without an origin": {"host": "rebound.example:8080", "origin": ""},
    "the address without its port": {"host": "127.0.0.1", "origin": "http://127.0.0.1"},
    "another port": {"host": "127.0.0.1:8081", "origin": "http://127.0.0.1:8081"},
    "an address like it": {"host": "127.0.0.1.example:8080"},
    "another site": {"origin": "https://example.com"},
    "no site at all": {"origin": "null"},
    "another port's page": {"origin": "http://127.0.0.1:9"},
    "the same by another name": {"origin": "http://localhost:8080"},
    "the same by another scheme": {"origin": "https://127.0.0.1:8080"},
    "begun elsewhere": {"sec-fetch-site": "cross-site"},
    "begun on another port": {"sec-fetch-site": "same-site"},
    "typed, yet it changes something": {"sec-fetch-site": "none"},
    "a form": {"content-type": "application/x-www-form-urlencoded"},
    "a form with files": {"content-type": "multipart/form-data; boundary=x"},
    "plain text": {"content-type": "text/plain"},
    "JSON in name only": {"content-type": "text/plain; application/json"},
    "no content type": {"content-type": ""},
}

REACHABLE = ["0.0.0.0", "::", "192.168.1.2", "10.0.0.1", "example.com", "", "127.1.example", "8.8.8.8"]  # noqa: S104


def knock(method: str = "POST", **changed: str) -> Knock:
    """What the page sends, with some headers changed; an empty one isn't sent."""
    headers = {**OWN, **changed}
    return Knock(method=method, headers=[(name, value) for name, value in headers.items() if value])


class TestTheChecks:
    """As a pure function of method and headers."""

    def test_the_pages_own_request_passes(self) -> None:
        """The control of all breaches below."""
        assert fault_of(knock(), ADDRESS) is None
        assert fault_of(knock(**{"sec-fetch-site": "same-origin"}), ADDRESS) is None
        assert fault_of(knock(**{"content-type": "application/x-ndjson; charset=utf-8"}), ADDRESS) is None

    @pytest.mark.parametrize("name", ["localhost:8080", "LOCALHOST:8080", "[::1]:8080"])
    def test_by_any_of_its_names(self, name: str) -> None:
        """They lead to this machine whoever resolves them."""
        assert fault_of(knock(host=name, origin=f"http://{name}"), ADDRESS) is None

    @pytest.mark.parametrize("headers", BREACHES.values(), ids=BREACHES)
    def test_a_breach_is_refused(self, headers: dict[str, str]) -> None:
        """Each differs from the page's own request in one respect."""
        assert fault_of(knock(**headers), ADDRESS) is not None

    def test_looking_needs_no_content_type(self) -> None:
        """A page that is opened by hand is asked for without any of it."""
        assert (
            fault_of(Knock(method="GET", headers=[("host", OWN["host"]), ("sec-fetch-site", "none")]), ADDRESS) is None
        )

    @pytest.mark.parametrize("name", ["host", "origin", "content-type"])
    def test_a_header_that_came_twice(self, name: str) -> None:
        """Nobody has to guess which one counts."""
        sent = knock()
        assert fault_of(Knock(method="POST", headers=[*sent.headers, (name, OWN[name])]), ADDRESS) is not None

    def test_no_host(self) -> None:
        """It is required."""
        assert fault_of(knock(host=""), ADDRESS) is not None

    @given(host=st.text(max_size=40), origin=st.text(max_size=40))
    def test_nothing_else_passes(self, host: str, origin: str) -> None:
        """Whatever is sent, only the listed names get through, and an origin must be the host's own."""
        passes = fault_of(knock(host=host or "-", origin=origin), ADDRESS) is None
        assert passes == (host.lower() in ADDRESS.hosts and origin in ("", f"http://{host}"))


class TestTheAddress:
    """Loopback, and nothing that other machines reach."""

    @pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "localhost"])
    def test_loopback(self, host: str) -> None:
        """Any of the kinds."""
        assert Address(host, 1).origin.endswith(":1")

    @pytest.mark.parametrize("host", REACHABLE)
    def test_anything_else_is_refused(self, host: str) -> None:
        """With what to do instead."""
        with pytest.raises(NotOnLoopback, match=r"127\.0\.0\.1"):
            Address(host, 1)

    def test_the_usual_port_may_be_left_out(self) -> None:
        """As browsers do."""
        assert "localhost" in Address("127.0.0.1", 80).hosts
        assert "localhost" not in Address("127.0.0.1", 81).hosts


class TestTheToken:
    """Random, never guessed, and nothing tells how near a guess was."""

    def test_it_is_long_and_never_the_same(self) -> None:
        """At least 128 bits."""
        assert TOKEN_BYTES * 8 >= 128
        tokens = {new_token() for _ in range(100)}
        assert len(tokens) == 100
        assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", token) for token in tokens)

    @given(given=st.text(max_size=60), token=st.sampled_from(["a" * 43, "Zz-_0" * 8 + "abc"]))
    def test_only_the_same_text_is_it(self, given: str, token: str) -> None:
        """Lone surrogates and all."""
        assert is_token(given, token) == (given == token)
        assert is_token(token, token)

    def test_a_wrong_path_is_any_unknown_path(self, shared: Watched) -> None:
        """Near it, on it without the slash, or far from it: one answer."""
        token = shared.window.token
        paths = [
            "/nothing/here",
            f"/{token[:-1]}/",
            f"/{token}a/state",
            f"/{token.lower()}/",
            f"/{token}",
            "/",
            f"//{token}/",
        ]
        answers = [shared.request(method, path) for path in paths for method in ("GET", "POST")]
        assert {answer.status_code for answer in answers} == {404}
        assert {(answer.json()["reasons"][0]["message"], *sorted(answer.headers)) for answer in answers} == {
            (answers[0].json()["reasons"][0]["message"], *sorted(answers[0].headers))
        }

    def test_it_is_in_no_repr(self, shared: Watched) -> None:
        """Where it would be logged by accident."""
        assert shared.window.token not in repr(shared.window)


class TestOnTheWire:
    """The same checks where they matter."""

    @pytest.mark.parametrize("headers", BREACHES.values(), ids=BREACHES)
    def test_a_breach_changes_nothing(self, shared: Watched, headers: dict[str, str]) -> None:
        """Refused before it is read, with the headers that keep the answer to itself."""
        shared.tell("examples", "posted")
        before = shared.ask("state")
        for name in ("reset", "run", "documents", "faults", "examples", "tamper", "deliver", "plan"):
            answer = self.send(shared, name, headers)
            assert answer.status_code == 403
            assert answer.headers["cross-origin-resource-policy"] == "same-origin"
            assert "access-control-allow-origin" not in answer.headers
        assert shared.ask("state", seen=before["tag"]) == {"is_same": True}

    @pytest.mark.parametrize("headers", BREACHES.values(), ids=BREACHES)
    def test_without_the_checks_it_would(
        self, shared: Watched, headers: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The control: take them out, and every breach empties the shared."""
        shared.tell("examples", "posted")
        monkeypatch.setattr(route, "fault_of", lambda *_: None)
        assert self.send(shared, "reset", headers).status_code == 200
        monkeypatch.undo()
        assert not shared.ask("state")["documents"]

    @pytest.mark.parametrize("host", ["rebound.example", "127.0.0.1:8081"])
    def test_looking_is_checked_too(self, shared: Watched, host: str) -> None:
        """The page and all that it asks."""
        for name in ("", "state", "requests", "faults"):
            assert shared.request("GET", shared.path + name, headers={"host": host}).status_code == 403

    def test_a_preflight_gets_no_permission(self, shared: Watched) -> None:
        """What makes a browser ask first is that JSON is no form; and nobody says yes."""
        headers = {"origin": "https://example.com", "access-control-request-method": "POST"}
        answer = shared.request("OPTIONS", shared.path + "reset", headers=headers)
        assert answer.status_code == 403
        assert not [name for name in answer.headers if name.startswith("access-control")]

    @staticmethod
    def send(shared: Watched, name: str, headers: dict[str, str]) -> Any:
        """A command with the headers of a breach."""
        told = {key: value for key, value in {**OWN, **headers}.items() if value}
        body = json.dumps(asked() if name in ("run", "plan") else {})
        return shared.request("POST", shared.path + name, headers=told, content=body)
