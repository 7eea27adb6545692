"""The tables and the kit's report as pages in a real browser: nothing is cut off on a phone, and numbers have nouns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from regen_core.explain import FORMATS, TABLES, table
from regen_core.testing.report import Outcome, Report, Verdict
from regen_core.testing.report_html import report_html

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

WIDTHS = [360, 1200]
"""Of a phone and of a window, in pixels."""

CAPTIONS = """() => [...document.querySelectorAll("caption")].map((each) => {
  const words = document.createRange(); words.selectNodeContents(each);
  const box = words.getBoundingClientRect(), height = parseFloat(getComputedStyle(each).lineHeight);
  return { left: box.left, right: box.right, lines: Math.round(box.height / height) };
})"""
"""Where the words of each caption stand, in pixels, and on how many lines."""

SCROLLED = "() => document.querySelectorAll('.scroll').forEach((each) => each.scrollTo(each.scrollWidth, 0))"

AFTER = "(each) => getComputedStyle(each, '::after').content"


@pytest.fixture(name="blank")
def _blank(browser: BrowserContext) -> Iterator[Page]:
    made = browser.new_page()
    yield made
    made.close()


def shown(page: Page, html: str, width: int) -> Page:
    """A page in a window of that width."""
    page.set_viewport_size({"width": width, "height": 900})
    page.set_content(html)
    return page


class TestTables:
    """``regen table --format html``."""

    @pytest.mark.parametrize("width", WIDTHS)
    def test_captions_are_read_whole(self, blank: Page, width: int) -> None:
        """On several lines where there is little room, and wherever the table below is scrolled to."""
        shown(blank, FORMATS["html"]([table(name) for name in TABLES]), width)
        captions: list[dict[str, Any]] = blank.evaluate(CAPTIONS)
        assert len(captions) == len(TABLES)
        assert any(each["lines"] > 1 for each in captions) == (width < 400)
        for _ in range(2):
            assert all(each["left"] >= 0 and each["right"] <= width for each in captions), captions
            blank.evaluate(SCROLLED)
            captions = blank.evaluate(CAPTIONS)

    @pytest.mark.parametrize("width", WIDTHS)
    def test_the_page_itself_is_never_wider_than_its_window(self, blank: Page, width: int) -> None:
        """Wide tables are scrolled for themselves."""
        shown(blank, FORMATS["html"]([table(name) for name in TABLES]), width)
        assert blank.evaluate("() => document.documentElement.scrollWidth") <= width


def test_the_report_says_how_often(blank: Page) -> None:
    """On a phone, where the column has no title; on a wide screen it has, and the number stands alone."""
    verdicts = tuple(
        [Verdict(id=f"PRE-{n}", rule_ids=("PRE-4",), outcome=Outcome.PASSED, exercised=n) for n in range(3)]
    )
    report = Report(subject="x", seed=0, histories=1, steps=1, seconds=0.0, verdicts=verdicts, rows={})
    told = {
        width: shown(blank, report_html(report), width).locator("td.count").evaluate_all(f"(all) => all.map({AFTER})")
        for width in WIDTHS
    }
    assert told == {360: ["none", '" time"', '" times"'], 1200: ["none"] * 3}
