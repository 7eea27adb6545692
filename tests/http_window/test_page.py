"""The page file: self-contained, under a policy that holds it to that, and without a way for text to become markup."""

from __future__ import annotations

import base64
import re
from hashlib import sha256
from html.parser import HTMLParser

from regen_core.adapters.http.window.page import page, page_headers
from tests.http_window.conftest import Watched

TEXT = page().decode()
SVG = "http://www.w3.org/2000/svg"


class Tags(HTMLParser):
    """All tags with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep it."""
        self.found.append((tag, dict(attrs)))


TAGS = Tags(TEXT).found


def policy() -> dict[str, list[str]]:
    """The content security policy by directive."""
    parts = [each.split() for each in page_headers()["content-security-policy"].split("; ")]
    return {name: values for name, *values in parts}


class TestSelfContained:
    """Nothing is fetched but what the page asks the window."""

    def test_no_address_of_anywhere(self) -> None:
        """The one URL is a name: that of SVG's own vocabulary."""
        assert set(re.findall(r"https?://[^\s'\"<>)]+", TEXT)) == {SVG}
        assert not re.search(r"@import|url\(|//cdn|import\s*\(", TEXT)

    def test_no_element_that_fetches(self) -> None:
        """Scripts and styles are inline; the icon is data."""
        for tag, attributes in TAGS:
            assert "src" not in attributes
            href = attributes.get("href")
            assert href is None or href.startswith(("data:", "#"))
            assert not [name for name in attributes if name.startswith("on") or name == "style"], tag

    def test_no_way_for_text_to_become_markup(self) -> None:
        """Text is put in as text; the policy would stop anything else."""
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function|DOMParser", TEXT
        )


class TestThePolicy:
    """What the browser is told."""

    def test_what_runs_is_what_is_in_the_file(self) -> None:
        """By hash, reckoned here once more."""
        for kind, name in (("script", "script-src"), ("style", "style-src")):
            [inline] = re.findall(rf"<{kind}>(.*?)</{kind}>", TEXT, re.DOTALL)
            digest = base64.b64encode(sha256(inline.encode()).digest()).decode()
            assert policy()[name] == [f"'sha256-{digest}'"]

    def test_everything_else_is_forbidden(self) -> None:
        """Nothing by default, no frames, no forms, and no markup from text."""
        told = policy()
        assert told["default-src"] == ["'none'"]
        assert told["connect-src"] == ["'self'"]
        assert told["frame-ancestors"] == told["base-uri"] == told["form-action"] == ["'none'"]
        assert told["require-trusted-types-for"] == ["'script'"]
        assert "unsafe" not in page_headers()["content-security-policy"]

    def test_the_headers_reach_the_browser(self, sandbox: Watched) -> None:
        """With the page, and with every answer as far as they matter there."""
        answer = sandbox.request("GET", sandbox.path)
        for name, value in page_headers().items():
            assert answer.headers[name] == value
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        for name in ("state", "nothing-but-refused?x=1", "state?limit=0"):
            headers = sandbox.request("GET", sandbox.path + name, headers={"host": "rebound.example"}).headers
            assert headers["referrer-policy"] == "no-referrer"
            assert headers["cache-control"] == "no-store"
            assert headers["x-content-type-options"] == "nosniff"


class TestForEverybody:
    """By keyboard, by ear, and on any screen."""

    def test_every_field_has_a_label(self) -> None:
        """By ``for``, or by standing in one."""
        labelled = {attributes.get("for") for tag, attributes in TAGS if tag == "label"}
        inside = set(re.findall(r'<label[^>]*><input type="checkbox" id="(\w+)"', TEXT))
        fields = {attributes["id"] for tag, attributes in TAGS if tag in {"input", "select", "textarea"}}
        assert fields == (labelled - {None}) | inside

    def test_language_title_and_width(self) -> None:
        """What a reader and a phone need."""
        told = dict(TAGS[::-1])
        assert told["html"]["lang"] == "en"
        assert "width=device-width" in TEXT
        assert "prefers-color-scheme: dark" in TEXT
        assert "prefers-reduced-motion" in TEXT
