"""Addresses are checked before anything is sent, and their secrets stay secrets."""

from __future__ import annotations

import traceback
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regen_core.adapters.revenue.destination import BadDestination, Destination, destination_of

CANARY = "canary-7f3a9"


class TestAddresses:
    """Taken apart as a browser would, or refused."""

    @pytest.mark.parametrize(
        ("url", "host", "port", "target", "authority"),
        [
            ("http://127.0.0.1:8080/in", "127.0.0.1", 8080, "/in", "127.0.0.1:8080"),
            ("https://revenue.example", "revenue.example", 443, "/", "revenue.example"),
            ("HTTPS://Revenue.Example:443/a/b?c=d&e", "revenue.example", 443, "/a/b?c=d&e", "revenue.example"),
            ("http://[::1]:99/x", "::1", 99, "/x", "[::1]:99"),
        ],
    )
    def test_a_good_one(self, url: str, host: str, port: int, target: str, authority: str) -> None:
        """Default port and path filled in."""
        of = destination_of(url)
        assert (of.host, of.port, of.target, of.authority, of.authorization) == (host, port, target, authority, None)

    @pytest.mark.parametrize(
        ("url", "told"),
        [
            ("ftp://example.org", "does not begin with http"),
            ("revenue.example/in", "does not begin with http"),
            ("https://", "names no host"),
            ("https:///in", "names no host"),
            ("https://host:0/", "port"),
            ("https://host:65536/", "port"),
            ("https://host:http/", "port"),
            ("https://host/a b", "visible ASCII"),
            ("https://host/\r\nX: y", "visible ASCII"),
            ("https://host/ü", "visible ASCII"),
            ("https://host/in#part", "fragment"),
            ("https://[host/", "not a URL"),
            ("https://host/" + "x" * 2048, "more than 2048"),
            ("http://ann:pw@revenue.example/", "unencrypted"),
            ("http://ann:pw@127.0.0.1.example/", "unencrypted"),
        ],
    )
    def test_a_bad_one(self, url: str, told: str) -> None:
        """Says what is wrong with it and how one looks."""
        with pytest.raises(BadDestination, match=told) as refused:
            destination_of(url)
        assert "https://revenue.example/deliveries" in str(refused.value)

    @given(st.text(max_size=60) | st.text("htps:/@[]?#%.1a", max_size=40).map("https://".__add__))
    def test_any_text_is_an_address_or_refused(self, url: str) -> None:
        """Nothing else is raised, and an address gives a header without line ends."""
        try:
            of = destination_of(url)
        except BadDestination:
            return
        assert of.target.startswith("/")
        assert not {"\r", "\n", " "} & set(of.authority + of.target)


class TestSecrets:
    """They go into one header and nowhere else."""

    def test_a_password_in_the_address(self) -> None:
        """Basic, decoded first."""
        of = destination_of(f"https://an%20n:{CANARY}%2F@host/")
        assert of.authorization == "Basic " + b64encode(f"an n:{CANARY}/".encode()).decode()

    def test_a_token(self) -> None:
        """Bearer; over TLS, or to this machine."""
        assert destination_of("https://host/", CANARY).authorization == f"Bearer {CANARY}"
        for host in ("localhost", "127.0.0.1", "127.9.9.9", "[::1]"):
            assert destination_of(f"http://{host}/", CANARY).authorization == f"Bearer {CANARY}"

    @pytest.mark.parametrize(
        ("url", "token"),
        [
            (f"https://ann:{CANARY}@host:99999/", None),
            (f"https://ann:{CANARY}@host/", CANARY),
            (f"http://ann:{CANARY}@host/", None),
            (f"ftp://ann:{CANARY}@host/", None),
            (f"https://ann:{CANARY} @host/", None),
            (f"https://ann:{CANARY}@/", None),
            (f"https://ann:x@host:{CANARY}/", None),
            (f"https://ann:[{CANARY}@host/", None),
            ("https://host/", f"{CANARY}\r\nX: y"),
            ("https://host/", f"{CANARY}ü"),
        ],
    )
    def test_a_refusal_doesn_t_repeat_them(self, url: str, token: str | None) -> None:
        """Not even in a traceback with its causes."""
        with pytest.raises(BadDestination) as refused:
            destination_of(url, token)
        told = "".join(traceback.format_exception_only(refused.value)) + repr(refused.value)
        assert CANARY not in told
        assert refused.value.__suppress_context__ or refused.value.__context__ is None

    def test_nor_does_what_is_shown(self) -> None:
        """The address for people and the value's representation; the control: both are in it."""
        of = destination_of(f"https://ann:{CANARY}@host/in?key={CANARY}")
        assert (of.shown, CANARY in repr(of)) == ("https://host/in?…", False)
        assert of.authorization is not None
        assert CANARY in of.target

    def test_an_empty_token_is_no_token(self) -> None:
        """A forgotten value must not become an anonymous request."""
        with pytest.raises(BadDestination, match="token"):
            destination_of("https://host/", "")


def test_a_destination_is_a_value() -> None:
    """Two of the same address are equal."""
    assert destination_of("https://host/") == destination_of("HTTPS://HOST:443/")
    assert isinstance(destination_of("https://host/"), Destination)
