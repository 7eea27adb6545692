"""The page in a real browser, against the real service in a process of its own.

The tests are collected where there are a browser and what drives it (:mod:`tests.browser.finding`).
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import httpx
import pytest
from attrs import define, field

from tests.browser.finding import browser_path, missing
from tests.command import START

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page, Playwright

FLAGS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SECONDS: Final = 60.0
"""Against hangs only."""


collect_ignore_glob: list[str] = [] if missing() is None else ["test_*.py"]


@define
class Heard:
    """What the browser said and did beside what it showed."""

    console: list[str] = field(factory=list)
    requests: list[str] = field(factory=list)
    failed: list[str] = field(factory=list)

    def listen(self, page: Page) -> None:
        """Listen to a page and to all that it opens."""
        page.on("console", lambda message: self.console.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.console.append(f"uncaught: {error}"))
        page.on("requestfailed", lambda request: self.failed.append(request.url))
        page.on("request", lambda request: self.requests.append(request.url))

    @property
    def hosts(self) -> set[str | None]:
        """Whom the browser talked to."""
        return {urlsplit(url).hostname for url in self.requests if not url.startswith("data:")}


@contextmanager
def serving(folder: Path) -> Iterator[dict[str, Any]]:
    """What ``regen serve`` says when it answers."""
    command = [*START, "--json", "serve", "--port", "0"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            yield json.loads("".join(iter(process.stdout.readline, "}\n")) + "}")
        finally:
            process.terminate()
            process.wait(SECONDS)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """A sandbox of its own, for all tests here; each begins by emptying it."""
    with serving(tmp_path_factory.mktemp("service")) as told:
        yield told


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """What drives the browser. Its event loop runs as long as this lasts, and so no other test's could meanwhile."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  # an extra of its own

    with sync_playwright() as made:
        yield made


@pytest.fixture(scope="module")
def browser(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    """A browser with a profile of its own."""
    context = playwright.chromium.launch_persistent_context(
        tmp_path_factory.mktemp("profile"),
        executable_path=browser_path(),
        args=list(FLAGS),
        viewport={"width": 1280, "height": 900},
    )
    context.set_default_timeout(SECONDS * 1000)
    yield context
    context.close()


@pytest.fixture
def heard() -> Heard:
    """What the browser says and does."""
    return Heard()


@pytest.fixture
def page(browser: BrowserContext, service: dict[str, Any], heard: Heard) -> Iterator[Page]:
    """The page of an empty sandbox. In the end nothing was said on its console and nobody else was talked to."""
    httpx.post(f"{service['window']}reset", json={}, timeout=SECONDS).raise_for_status()
    made = browser.new_page()
    heard.listen(made)
    made.goto(service["window"])
    made.locator("#live:not(.gone)", has_text="live").wait_for()
    yield made
    made.close()
    assert heard.console == []
    assert heard.failed == []
    assert heard.hosts == {"127.0.0.1"}
