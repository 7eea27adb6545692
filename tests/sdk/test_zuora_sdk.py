"""Zuora's own SDK for Python, as it is published, against the service: it can't tell the difference.

Facts of the SDK that these tests rest on: what it raises has the raw answer as its body only where it knows no type for
the status, so 400, 403, 404, 409, 422, 429 and 5xx are told apart by class and status; 401 is parsed for a ``message``.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.http_attacks.variants import start
from tests.sdk.driving import Sdk
from tests.sdk.environment import PYTHON
from tests.served.documents import DRAFT, FOREIGN, LONG, PLAIN, UNMAPPABLE
from tests.served.process import CLIENT, POWERLESS, SECRET, Service, served
from tests.served.wire import PATIENCE

ROOT = Path(__file__).parents[2]
ASKED = {"type": "Invoice", "id": PLAIN["id"]}


def code(facts: dict[str, Any]) -> int:
    """The code of the only reason in a raw answer."""
    (reason,) = json.loads(facts["raw"])["reasons"]
    return int(reason["code"])


class TestLogin:
    """``POST /oauth/token`` as the SDK does it."""

    def test_it_gets_a_token_for_an_hour(self, process: Sdk, service: Service) -> None:
        facts = process.login(service)
        assert facts["authorization"].startswith("Bearer ")
        assert 3500 < facts["seconds_left"] <= 3600
        assert (facts["is_expired"], facts["printed"]) == (False, "")

    def test_it_prints_a_failure_and_goes_on(self, process: Sdk, service: Service) -> None:
        facts = process.ask("login", client="wrong", host=service.url, client_id=CLIENT, client_secret="no")  # noqa: S106
        assert facts["authorization"] is None
        assert "(401)" in facts["printed"]
        assert "Client authentication failed." in facts["printed"]

    def test_it_refreshes_with_the_old_token_in_hand(self, sdk: Sdk, service: Service) -> None:
        before = sdk.ask("token", client=service.url)["authorization"]
        facts = sdk.ask("refresh", client=service.url)
        assert facts["printed"] == ""
        assert facts["authorization"] not in {None, before}
        assert sdk.regenerate(service, ASKED)["success"] is True

    def test_an_expired_token_is_refreshed(self, process: Sdk, tmp_path: Path) -> None:
        """The service's tokens live for a second here, and both sides know."""
        with served(tmp_path, start=start("forgets after a second")) as service:
            process.login(service)
            time.sleep(1.1)
            assert process.ask("token", client=service.url)["is_expired"] is True
            assert process.regenerate(service, ASKED)["raised"] == "UnauthorizedException"
            assert process.ask("refresh", client=service.url)["printed"] == ""
            assert process.regenerate(service, ASKED)["success"] is True


class TestSuccess:
    """200, read as the SDK's own type."""

    def test_by_id_and_by_number(self, sdk: Sdk, service: Service) -> None:
        by_id = sdk.regenerate(service, ASKED)
        by_number = sdk.regenerate(service, {"type": "Invoice", "number": PLAIN["invoiceNumber"]})
        by_both = sdk.regenerate(service, {**ASKED, "number": PLAIN["invoiceNumber"]})
        for facts in (by_id, by_number, by_both):
            assert (facts["status"], facts["type"]) == (200, "RegenerateTransactionObjectResponse")
            assert (facts["success"], facts["reasons"], facts["printed"]) == (True, [], "")
        assert by_id["id_list"] == by_number["id_list"] == by_both["id_list"]
        assert len(by_id["id_list"]) == 2

    @pytest.mark.parametrize(("re_migrate", "raised"), [(True, 1), (False, 0), (None, 0)])
    def test_with_and_without_re_migrate(
        self, sdk: Sdk, service: Service, re_migrate: bool | None, raised: int
    ) -> None:
        """Only an override raises revisions (TBL-M1, TBL-M2)."""
        assert sdk.regenerate(service, ASKED)["success"] is True
        before = service.revisions(PLAIN)
        assert sdk.regenerate(service, ASKED, re_migrate=re_migrate)["success"] is True
        assert service.revisions(PLAIN) == [each + raised for each in before]

    def test_the_headers_are_parsed(self, sdk: Sdk, service: Service) -> None:
        facts = sdk.regenerate(service, ASKED, zuora_track_id="job 7", zuora_entity_ids="eu")
        assert facts["zuora_track_id"] == "job 7"
        assert len(facts["zuora_request_id"]) == 36
        assert int(facts["rate_limit_limit"]) > facts["rate_limit_remaining"] > 0
        assert facts["rate_limit_reset"] > 0
        assert facts["concurrency_limit_type"] == "Default"
        assert facts["concurrency_limit_limit"] > facts["concurrency_limit_remaining"] > 0

    def test_a_long_answer_comes_compressed_and_is_read(self, sdk: Sdk, service: Service) -> None:
        asked = {"type": "Invoice", "id": LONG["id"]}
        facts = sdk.regenerate(service, asked, accept_encoding="gzip")
        assert facts["content_encoding"] == "gzip"
        assert len(facts["id_list"]) == 40
        assert sdk.regenerate(service, asked)["id_list"] == facts["id_list"]

    def test_it_says_gzip_and_sends_none(self, sdk: Sdk, service: Service) -> None:
        """REQ-13: what the SDK does with ``content_encoding``."""
        assert sdk.regenerate(service, ASKED, content_encoding="gzip")["success"] is True

    def test_other_headers_of_the_sdk_are_ignored(self, sdk: Sdk, service: Service) -> None:
        """It sends Zuora-Version with everything (REQ-6)."""
        assert sdk.regenerate(service, ASKED, {"Zuora-Version": "2099-01-01", "X-A": "b"})["success"] is True


class TestRefusals:
    """What the SDK raises, by its class, its status and the code in the raw body."""

    @pytest.mark.parametrize(
        ("body", "raised", "status", "category"),
        [
            ({"type": "Invoice", "id": "none"}, "NotFoundException", 404, 40),
            ({"type": "Invoice", "id": FOREIGN["id"]}, "NotFoundException", 404, 40),
            ({"type": "CreditMemo", "id": PLAIN["id"]}, "NotFoundException", 404, 40),
            ({"type": "Invoice"}, "BadRequestException", 400, 22),
            ({"type": "Order", "id": "a"}, "BadRequestException", 400, 20),
            ({"type": "Invoice", "id": "a", "more": 1}, "BadRequestException", 400, 21),
            ({"type": "Invoice", "id": PLAIN["id"], "number": "INV-long"}, "BadRequestException", 400, 20),
            ({"type": "Invoice", "id": DRAFT["id"]}, "BadRequestException", 400, 30),
            ({"type": "Invoice", "id": UNMAPPABLE["id"]}, "BadRequestException", 400, 30),
        ],
    )
    def test_a_refusal_is_raised(
        self, sdk: Sdk, service: Service, body: dict[str, Any], raised: str, status: int, category: int
    ) -> None:
        facts = sdk.regenerate(service, body, zuora_track_id="job 8")
        assert (facts["raised"], facts["status"], code(facts) % 100) == (raised, status, category)
        assert facts["zuora_track_id"] == "job 8"
        assert facts["zuora_request_id"] == json.loads(facts["raw"])["requestId"]

    def test_who_is_not_logged_in(self, sdk: Sdk, service: Service) -> None:
        facts = sdk.regenerate(service, ASKED, {"Authorization": "Bearer none"})
        assert (facts["raised"], facts["status"]) == ("UnauthorizedException", 401)
        assert facts["type"] == "ProxyUnauthorizedResponse"
        assert facts["message"] == json.loads(facts["raw"])["reasons"][0]["message"]
        assert code(facts) == 90000011
        sdk.login(service)

    def test_who_has_no_permission(self, sdk: Sdk, service: Service) -> None:
        sdk.login(service, POWERLESS)
        facts = sdk.regenerate(service, ASKED)
        assert (facts["raised"], facts["status"], code(facts)) == ("ForbiddenException", 403, 50000010)
        sdk.login(service)

    def test_another_entity(self, sdk: Sdk, service: Service) -> None:
        facts = sdk.regenerate(service, ASKED, zuora_entity_ids="mars")
        assert (facts["raised"], code(facts)) == ("ForbiddenException", 50000010)

    def test_organisations_where_there_are_none(self, sdk: Sdk, service: Service) -> None:
        facts = sdk.regenerate(service, ASKED, zuora_org_ids="north")
        assert (facts["raised"], code(facts)) == ("ForbiddenException", 50000010)


class TestIdempotency:
    """Keys by a header of the caller's: the SDK has no argument for them."""

    def test_a_replay_is_the_same_answer(self, sdk: Sdk, service: Service) -> None:
        first, second = [sdk.regenerate(service, ASKED, {"Idempotency-Key": "same"}) for _ in range(2)]
        assert first["raw"] == second["raw"]
        assert first["zuora_request_id"] != second["zuora_request_id"]

    def test_a_key_for_something_else(self, sdk: Sdk, service: Service) -> None:
        key = {"Idempotency-Key": "else"}
        assert sdk.regenerate(service, ASKED, key)["success"] is True
        facts = sdk.regenerate(service, ASKED, key, re_migrate=True)
        assert (facts["raised"], facts["status"]) == ("ApiException", 422)
        assert code(facts) == 50000030

    def test_while_the_first_is_running(self, sdk: Sdk, service: Service) -> None:
        """Another writer holds the database; the first request waits for it, the second hears 409 at once (IDM-3)."""
        key = "running"
        with ThreadPoolExecutor(1) as pool, service.locked():
            first = pool.submit(service.ask, ASKED, f"Idempotency-Key: {key}")
            until_one_is_running(service)
            facts = sdk.regenerate(service, ASKED, {"Idempotency-Key": key}, _request_timeout=5.0)
            assert not first.done()
        assert (facts["raised"], facts["status"], facts["retry_after"]) == ("ApiException", 409, "1")
        assert first.result().status == 200
        assert sdk.regenerate(service, ASKED, {"Idempotency-Key": key})["raw"] == first.result().body.decode()


def until_one_is_running(service: Service) -> None:
    """Every answer tells how many more requests there may be at the same time, also one that asks for nothing."""
    end = time.monotonic() + PATIENCE
    while True:
        told = dict(service.ask({"type": "Invoice"}).headers)
        if int(told["concurrency-limit-limit"]) - int(told["concurrency-limit-remaining"]) > 1:
            return
        assert time.monotonic() < end, "it doesn't arrive"


class TestLimits:
    """429, from a limit in the configuration."""

    def test_too_many_requests(self, process: Sdk, tmp_path: Path) -> None:
        with served(tmp_path, limits={"requests_per_minute": 2}) as service:
            process.login(service)
            left = [process.regenerate(service, ASKED)["rate_limit_remaining"] for _ in range(2)]
            facts = process.regenerate(service, ASKED)
        assert left == [1, 0]
        assert (facts["raised"], facts["status"], facts["rate_limit_remaining"]) == ("ApiException", 429, 0)
        assert (facts["rate_limit_limit"], code(facts)) == ("2", 50000070)
        assert 1 <= int(facts["retry_after"]) <= 60


class TestFaults:
    """5xx, from a store that fails."""

    def test_the_database_is_busy(self, process: Sdk, tmp_path: Path) -> None:
        with served(tmp_path, start=start("waits little for locks")) as service:
            process.login(service)
            with service.locked():
                facts = process.regenerate(service, ASKED)
            assert (facts["raised"], facts["status"], code(facts)) == ("ServiceException", 503, 50000061)
            assert process.regenerate(service, ASKED)["success"] is True

    def test_something_is_wrong_within(self, process: Sdk, tmp_path: Path) -> None:
        with served(tmp_path, start=start("fails with words")) as service:
            process.login(service)
            facts = process.regenerate(service, ASKED)
        assert (facts["raised"], facts["status"], code(facts)) == ("ServiceException", 500, 50000060)


class TestVariants:
    """The two ways in which Zuora's pages differ, as settings."""

    @pytest.fixture
    def variant(self, process: Sdk, tmp_path: Path) -> Iterator[Service]:
        """A service that follows the error-handling page."""
        with served(tmp_path, answers={"business_failures": "200", "replays": "409"}) as service:
            process.login(service)
            yield service

    def test_business_failures_are_returned_and_replays_raised(self, process: Sdk, variant: Service) -> None:
        for body in ({"type": "Invoice", "id": DRAFT["id"]}, {"type": "Invoice", "id": "none"}):
            facts = process.regenerate(variant, body)
            assert (facts["status"], facts["type"]) == (200, "RegenerateTransactionObjectResponse")
            assert (facts["success"], facts["id_list"]) == (False, None)
            assert facts["reasons"][0][0] in {50000030, 50000040}
        assert process.regenerate(variant, {"type": "Invoice"})["raised"] == "BadRequestException"
        first, second = [process.regenerate(variant, ASKED, {"Idempotency-Key": "same"}) for _ in range(2)]
        assert first["success"] is True
        assert (second["raised"], second["status"], second["replayed"]) == ("ApiException", 409, "true")
        assert second["raw"] == first["raw"]


def test_the_documentation_shows_a_program_that_runs(tmp_path: Path) -> None:
    """On the documents that it says to load, with what it says to set."""
    page = (ROOT / "docs" / "how-to" / "zuora-sdk.md").read_text()
    (program,) = re.findall(r"^```py\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    documents = json.loads((ROOT / "docs" / "examples" / "01-posted" / "invoice-INV00000104.json").read_text())
    with served(tmp_path, documents=[documents]) as service:
        told = {"REGEN_URL": service.url, "REGEN_CLIENT_ID": CLIENT, "REGEN_CLIENT_SECRET": SECRET}
        done = subprocess.run(
            [PYTHON, "-c", program], env={**os.environ, **told}, capture_output=True, text=True, check=True, timeout=300
        )
    first, second, *more = done.stdout.splitlines()
    assert (first, more) == ("True 7", [])
    assert second.startswith("NotFoundException 404 {")
    assert f"prints `{first}`" in page
    assert "and then `NotFoundException 404`" in page
