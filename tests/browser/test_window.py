"""What people see and do on the page: the story, faults, refusals, hostile names, any screen, the keyboard."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import SECONDS

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from tests.browser.conftest import Heard

INVOICE = "INV00000104"
MODES = {
    (): "TBL-M1GENERATE",
    ("reMigrate",): "TBL-M2REMIGRATE",
    ("onlyReSend",): "TBL-M3RESEND",
    ("reMigrate", "onlyReSend"): "TBL-M4refused",
}

expect.set_options(timeout=SECONDS * 1000)


def button(page: Page, name: str) -> Locator:
    """A button by all of its name."""
    return page.get_by_role("button", name=name, exact=True)


def standing(page: Page) -> Locator:
    """What is said of the invoice as a whole."""
    return page.locator('[data-standing^="Invoice "]').first


def invoice(page: Page) -> Locator:
    """The invoice's card."""
    return page.get_by_role("article", name=f"Invoice {INVOICE}")


def load_examples(page: Page) -> None:
    """The first step of every story."""
    button(page, "Load the example documents").first.click()
    expect(page.get_by_role("article")).to_have_count(5)


def load_data_fix(page: Page) -> None:
    """What makes the stored transactions drift."""
    page.get_by_text("Load documents", exact=True).click()
    button(page, "Load their data fix").click()


def plan(page: Page, **flags: bool) -> None:
    """Plan the invoice with some flags."""
    page.get_by_label("Number", exact=True).fill(INVOICE)
    for name in ("reMigrate", "onlyReSend"):
        page.get_by_role("checkbox", name=name).set_checked(flags.get(name, False))
    button(page, "Plan").click()


def run(page: Page, answer: str = "200", **flags: bool) -> None:
    """Plan the invoice and run what was planned."""
    plan(page, **flags)
    page.locator("#planned").wait_for()
    button(page, "Run").click()
    expect(page.locator("#answered .chip").first).to_have_text(answer)


def load_text(page: Page, *documents: dict[str, Any]) -> None:
    """Load documents by hand."""
    page.get_by_text("Load documents", exact=True).click()
    page.get_by_label("Documents in the JSON").fill(json.dumps(documents))
    button(page, "Load").click()
    page.locator("#load-results li").first.wait_for()


class TestTheStory:
    """From an empty sandbox to sides that agree."""

    def test_load_plan_run_deliver_see_drift_and_repair_it(self, page: Page) -> None:
        """Each step is seen without loading the page again."""
        expect(page.get_by_role("heading", name="Nothing is stored yet")).to_be_visible()
        load_examples(page)
        expect(invoice(page)).to_contain_text("nothing generated yet")
        expect(button(page, "Run")).to_be_disabled()
        plan(page)
        expect(page.locator("#planned")).to_contain_text("Dry run, nothing was changed: 7 transactions to write")
        expect(page.locator("#planned .step").first).to_contain_text("TBL-W1")
        button(page, "Run").click()
        expect(page.locator("#answered")).to_contain_text("7 transactions written, 6 deliveries sent")
        expect(invoice(page)).to_contain_text("on its way to Revenue")
        expect(page.locator("#backlog")).to_have_text("6 deliveries wait")
        button(page, "Deliver to Revenue").click()
        expect(invoice(page)).to_contain_text("in step")
        expect(page.locator("#backlog")).to_have_text("nothing waits")
        load_data_fix(page)
        expect(invoice(page)).to_contain_text("7 lines drifted")
        for name, count in (("content drifted", 4), ("no transaction", 1), ("item gone", 2)):
            expect(invoice(page).locator(".mark", has_text=name)).to_have_count(count)
        run(page, reMigrate=True)
        button(page, "Deliver to Revenue").click()
        expect(invoice(page)).to_contain_text("in step")
        expect(invoice(page).locator(".mark")).to_have_count(0)

    def test_revenue_loses_and_falsifies_and_a_resend_mends_it(self, page: Page) -> None:
        """Drift appears where somebody made it, named, and vanishes."""
        load_examples(page)
        run(page)
        button(page, "Deliver to Revenue").click()
        button(page, "Let Revenue lose Fleet tracking, monthly").click()
        button(page, "Let Revenue alter Data storage, monthly").click()
        expect(invoice(page)).to_contain_text("2 lines drifted")
        mark = invoice(page).locator(".mark", has_text="altered in Revenue")
        mark.click()
        told = invoice(page).locator(".told-more")
        expect(told).to_contain_text("item.amount: 86.50 → 85.50")
        expect(told).to_contain_text("RCN-5")
        expect(mark).to_be_focused()
        expect(page.locator("#balance .off")).to_contain_text("EUR")
        run(page, onlyReSend=True)
        button(page, "Deliver to Revenue").click()
        expect(invoice(page)).to_contain_text("in step")
        expect(page.locator("#balance .off")).to_have_count(0)

    def test_what_any_client_does_shows_up_by_itself(self, page: Page, service: dict[str, Any]) -> None:
        """Nobody touches the page: it asks."""
        load_examples(page)
        with httpx.Client(base_url=service["url"], timeout=SECONDS) as client:
            path = "/v1/uno-regenerate/billing-transaction"
            assert client.post(path, json={"type": "Invoice", "number": INVOICE}).status_code == 401
        expect(page.locator("#requests")).to_contain_text("Unauthenticated")
        expect(page.locator("#requests")).to_contain_text("REQ-11")

    def test_emptying_asks_first(self, page: Page) -> None:
        """Keeping is the answer that is nearest."""
        load_examples(page)
        button(page, "Empty the sandbox").click()
        expect(button(page, "Keep everything")).to_be_focused()
        button(page, "Keep everything").click()
        expect(page.get_by_role("article")).to_have_count(5)
        button(page, "Empty the sandbox").click()
        button(page, "Empty it").click()
        expect(page.get_by_role("heading", name="Nothing is stored yet")).to_be_visible()


class TestTheForm:
    """What runs is what was planned."""

    def test_a_change_takes_the_run_away(self, page: Page) -> None:
        """Whatever is changed; planning again gives it back."""
        load_examples(page)
        changes: tuple[Callable[[], object], ...] = (
            lambda: page.get_by_role("checkbox", name="reMigrate").click(),
            lambda: page.get_by_label("Number", exact=True).fill("INV00000106"),
            lambda: page.get_by_label("Type", exact=True).select_option("CreditMemo"),
        )
        for change in changes:
            plan(page)
            expect(button(page, "Run")).to_be_enabled()
            change()
            expect(button(page, "Run")).to_be_disabled()
            page.get_by_label("Type", exact=True).select_option("Invoice")

    def test_the_mode_is_told_before_anything_is_asked(self, page: Page) -> None:
        """TBL-M, as it stands in the table."""
        for flags, told in MODES.items():
            for name in ("reMigrate", "onlyReSend"):
                page.get_by_role("checkbox", name=name).set_checked(name in flags)
            expect(page.locator("#mode")).to_contain_text(told)

    def test_a_refusal_says_its_name_its_rules_and_what_to_do(self, page: Page) -> None:
        """Planned, and then sent all the same."""
        load_examples(page)
        plan(page, onlyReSend=True)
        refusal = page.locator(".refusal")
        for told in ("NothingToResend", "50000030", "ELI-2", "leave out onlyReSend", "Mend the cause"):
            expect(refusal).to_contain_text(told)
        button(page, "Send it anyway").click()
        expect(page.locator("#answered")).to_contain_text("400")
        expect(page.locator("#requests")).to_contain_text("NothingToResend")

    def test_by_keyboard_alone(self, page: Page) -> None:
        """Type, tab, enter; what has the focus keeps it while the page shows something new."""
        load_examples(page)
        page.get_by_label("Number", exact=True).focus()
        page.keyboard.type(INVOICE)
        page.keyboard.press("Enter")
        page.locator("#planned").wait_for()
        button(page, "Run").focus()
        page.keyboard.press("Enter")
        page.locator("#answered").wait_for()
        lose = button(page, f"Plan Invoice {INVOICE}")
        lose.focus()
        button(page, "Deliver to Revenue").evaluate("each => each.click()")
        expect(invoice(page)).to_contain_text("in step")
        expect(lose).to_be_focused()


class TestFaults:
    """They are seen when they are set, when they strike, and when they are used up."""

    def test_refused_then_dropped_then_done(self, page: Page) -> None:
        """Nothing stored; stored but unanswered; the key finds the first result."""
        load_examples(page)
        page.get_by_label("Refuse the next commits").fill("1")
        page.get_by_label("Then drop connections").fill("1")
        button(page, "Inject").click()
        expect(page.locator("#faults-active")).to_have_text(
            "the next 1 commit is refused; then 1 connection is dropped after the commit"
        )
        page.get_by_text("Headers", exact=True).click()
        page.get_by_label("Idempotency-Key").fill("a-key")
        run(page, "503")
        expect(page.locator("#answered")).to_contain_text("TemporaryFault")
        expect(invoice(page)).to_contain_text("nothing generated yet")
        run(page, "no answer")
        expect(page.locator("#faults-active")).to_be_hidden()
        expect(invoice(page)).to_contain_text("on its way to Revenue")
        run(page)
        expect(page.locator("#answered")).to_contain_text("replayed")
        expect(page.locator("#backlog")).to_have_text("6 deliveries wait")

    def test_the_service_goes_away(self, page: Page, heard: Heard) -> None:
        """Said at once, without an error on the console that the page could have helped."""
        page.context.set_offline(True)
        expect(page.locator("#live")).to_have_text("not answering")
        page.context.set_offline(False)
        expect(page.locator("#live")).to_have_text("live")
        assert all("ERR_INTERNET_DISCONNECTED" in each for each in heard.console)
        heard.console.clear()
        heard.failed.clear()


HOSTILE = (
    '<img src=x onerror="document.title=1">',
    "<script>document.title=1</script>",
    "'\"><svg onload=document.title=1>",
    "javascript:document.title=1",
    "{{7*7}}${7*7}",
    "\u202egnp.exe",
    "a" * 255,
)


def hostile(name: str, at: int) -> dict[str, Any]:
    """An invoice that is called so wherever it can be."""
    item = {"id": name, "chargeAmount": "1", "chargeName": name, "sourceItemType": "SubscriptionComponent"}
    own = {"id": name, "invoiceNumber": name, "invoiceDate": "2026-01-31", "status": "Posted", "currency": "EUR"}
    return {**own, "comments": name, "invoiceItems": [{**item, "description": f"{at}"}]}


class TestHostileNames:
    """Text is text, wherever it came from."""

    def test_no_name_becomes_markup(self, page: Page) -> None:
        """As number, id, item, label and in every message; it is shown as it is, or escaped where it would mislead."""
        load_text(page, *[hostile(name, at) for at, name in enumerate(HOSTILE)])
        expect(page.get_by_role("article")).to_have_count(len(HOSTILE))
        for name in HOSTILE:
            page.get_by_label("Number", exact=True).fill(name)
            page.get_by_label("or id", exact=True).fill(name)
            button(page, "Plan").click()
            page.locator("#planned").wait_for()
            button(page, "Run").click()
            expect(page.locator("#answered .chip").first).to_have_text("200")
        expect(page.locator("#requests tbody tr")).to_have_count(len(HOSTILE))
        assert page.title() == "regen sandbox"
        assert page.locator("main img, main script, main svg, main iframe").count() == 0
        shown = page.locator("main").inner_text()
        assert HOSTILE[0] in shown
        assert "\u202e" not in shown
        assert "\\u202egnp.exe" in shown

    def test_it_would_if_it_were_put_in_as_markup(self, page: Page, heard: Heard) -> None:
        """The control: the browser does run what is markup, and here the policy stops even a mistake of the page's."""
        with pytest.raises(Exception, match="TrustedHTML"):
            page.evaluate("name => { document.body.innerHTML = name }", HOSTILE[0])
        assert any("TrustedHTML" in each for each in heard.console)
        heard.console.clear()
        free = page.context.new_page()
        free.set_content(f"<title>none</title>{HOSTILE[0]}")
        expect(free).to_have_title("1")
        free.close()


class TestAnyScreen:
    """Light and dark, wide and narrow."""

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize("width", [1280, 420])
    def test_everything_fits_and_can_be_read(self, page: Page, width: int, scheme: Any) -> None:
        """No sideways scrolling, and text stands out from what is behind it by 4.5 to 1."""
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        load_examples(page)
        run(page)
        load_data_fix(page)
        expect(invoice(page)).to_contain_text("7 lines drifted")
        plan(page, reMigrate=True)
        page.locator("#planned").wait_for()
        for mark in invoice(page).locator(".mark").all():
            mark.click()
        for summary in page.locator("details:not([open]) > summary").all():
            if summary.is_visible():
                summary.click()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(CONTRASTS) == []
        page.evaluate("document.querySelector('h1').style.color = '#8888'")
        assert len(page.evaluate(CONTRASTS)) == 1, "the control: a faint title is found"
        page.set_viewport_size({"width": 1280, "height": 900})


CONTRASTS = r"""() => {
  const parse = (text) => text.match(/[\d.]+/g).map(Number);
  const over = ([r, g, b, a = 1], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a)];
  const light = (each) => { const c = each / 255; return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; };
  const luminance = ([r, g, b]) => 0.2126 * light(r) + 0.7152 * light(g) + 0.0722 * light(b);
  const behind = (element) => {
    const layers = [];
    for (let each = element; each; each = each.parentElement) {
      layers.unshift(parse(getComputedStyle(each).backgroundColor));
    }
    return layers.reduce((below, layer) => over(layer, below), [255, 255, 255]);
  };
  const faint = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement, text = walker.currentNode.textContent.trim();
    if (!text || !element.checkVisibility() || element.closest("script, style, :disabled, option, dialog")) continue;
    const back = behind(element), fore = over(parse(getComputedStyle(element).color), back);
    const [high, low] = [luminance(fore), luminance(back)].sort((a, b) => b - a);
    const ratio = (high + 0.05) / (low + 0.05);
    if (ratio < 4.5) faint.push(text.slice(0, 40) + " " + ratio.toFixed(2));
  }
  return [...new Set(faint)];
}"""


def test_the_token_stays_on_this_page(page: Page, heard: Heard) -> None:
    """All requests are to the window's own path, and no document is asked for from anywhere else."""
    load_examples(page)
    assert heard.requests
    asked = [url for url in heard.requests if not url.startswith("data:")]
    assert all(re.match(r"http://127\.0\.0\.1:\d+/[\w-]{43}/", url) for url in asked)
    assert page.evaluate("document.referrer") == ""
