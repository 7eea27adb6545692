"""Idempotency on the wire, limits as headers, and what a store's faults look like from outside."""

from __future__ import annotations

import asyncio

import pytest

from regen_core.access import Scope
from regen_core.adapters.http.execution import Executor, Outcome, Overloaded, Work
from regen_core.adapters.http.limits import Quotas, Window
from regen_core.idempotency import OPERATION_PATH
from regen_core.ports import StoreFault
from regen_core.refusals import IdempotencyKeyInProgress
from regen_core.wire.answers import AnswerStyle
from tests.http.conftest import Serve, Served
from tests.http.test_operation import UNKNOWN, reason

KEY = {"idempotency-key": "k"}
MISSING = {"type": "Invoice", "id": "none"}


class Together:
    """Executes when three requests are here or answered."""

    of: Served

    def __init__(self, executor: Executor) -> None:
        self.executor = executor
        self.here = 0

    async def submit(self, work: Work) -> Outcome:
        self.here += 1
        while self.here + len(self.of.seen.exchanges) < 3:
            await asyncio.sleep(0.001)
        return await self.executor.submit(work)


class TestIdempotency:
    """IDM-1, IDM-4, IDM-8."""

    @pytest.mark.parametrize("body", [None, MISSING])
    def test_a_replay_has_the_same_status_and_bytes_and_says_so(
        self, service: Served, body: dict[str, str] | None
    ) -> None:
        """The saved request id stays in the body; the headers are fresh."""
        first, second = service.ask(body, headers=KEY), service.ask(body, headers=KEY)
        assert (second.status_code, second.content) == (first.status_code, first.content)
        assert second.headers["zuora-request-id"] != first.headers["zuora-request-id"]
        assert [answer.headers.get("idempotent-replayed") for answer in (first, second)] == [None, "true"]

    def test_another_request_under_the_key(self, service: Served) -> None:
        """422."""
        service.ask(headers=KEY)
        answer = service.ask(query="?reMigrate=true", headers=KEY)
        assert (answer.status_code, reason(answer)) == (422, 50000030)

    def test_another_clients_key_is_another_key(self, service: Served) -> None:
        """IDM-5."""
        service.ask(headers=KEY)
        answer = service.ask(client="several", headers={**KEY, "zuora-entity-ids": "e1"})
        assert "idempotent-replayed" not in answer.headers

    def test_a_running_one_says_when_to_come_back(self, serve: Serve) -> None:
        """IDM-3."""

        class Running:
            async def submit(self, work: Work) -> Outcome:
                return IdempotencyKeyInProgress()

        answer = serve(around=lambda _: Running()).ask(headers=KEY)
        assert (answer.status_code, answer.headers["retry-after"]) == (409, "1")

    def test_replays_may_be_answered_as_conflicts(self, serve: Serve) -> None:
        """The other documented way: 409 with the result."""
        service = serve(style=AnswerStyle(replays_are_conflicts=True))
        first, second = service.ask(headers=KEY), service.ask(headers=KEY)
        assert (first.status_code, second.status_code, second.content) == (200, 409, first.content)
        assert second.headers["idempotent-replayed"] == "true"

    def test_business_failures_may_be_answered_with_200(self, serve: Serve) -> None:
        """PRE-3, the other documented way; what isn't one stays as it is."""
        service = serve(style=AnswerStyle(business_failures_are_ok=True))
        failed, again = service.ask(MISSING, headers=KEY), service.ask(MISSING, headers=KEY)
        assert (failed.status_code, reason(failed)) == (200, 50000040)
        assert (again.status_code, again.content) == (200, failed.content)
        assert service.ask({"type": "Invoice"}).status_code == 400


class TestLimits:
    """REQ-12."""

    def test_every_answer_to_a_valid_token_tells_them(self, serve: Serve) -> None:
        """By Zuora's names; to nobody else."""
        service = serve(quotas=Quotas(requests=(Window(60, 10),), concurrent=3))
        answers = [service.ask(), service.ask({"type": "Invoice"}), service.ask(client="powerless")]
        for used, answer in enumerate(answers, 1):
            assert {name: value for name, value in answer.headers.items() if "limit" in name} == {
                "ratelimit-limit": "10",
                "ratelimit-remaining": str(10 - used),
                "ratelimit-reset": "60",
                "concurrency-limit-type": "Default",
                "concurrency-limit-limit": "3",
                "concurrency-limit-remaining": "3" if used == 3 else "2",
            }
        assert "ratelimit-limit" not in service.ask(token=UNKNOWN).headers

    def test_a_used_up_quota_is_429_until_its_window_ends(self, serve: Serve) -> None:
        """Of one tenant alone, after ranks 1 to 4 and before the others (PRE-1)."""
        service = serve(quotas=Quotas(requests=(Window(60, 2),)))
        token = service.login()
        assert [service.ask(token=token).status_code for _ in range(3)] == [200, 200, 429]
        late = service.ask(token=token, content=b"{")
        assert (late.status_code, reason(late), late.headers["retry-after"]) == (429, 50000070, "60")
        assert service.ask(client="powerless").status_code == 403
        assert service.ask(client="two").status_code == 404
        service.now[0] = 60.0
        assert service.ask(token=token).status_code == 200

    def test_an_entity_has_so_many_requests_at_once(self, serve: Serve) -> None:
        """The others are 429 at once; places come back. Without the limit all are answered: the control."""

        for concurrent, statuses in ((1, [200, 429, 429]), (3, [200, 200, 200])):
            service = serve(around=Together, quotas=Quotas(concurrent=concurrent))
            Together.of = service
            told = {"authorization": f"Bearer {service.login()}"}
            asked = ("POST", OPERATION_PATH, {"headers": told, "json": {"type": "Invoice", "id": "inv1"}})
            answers = service.http.all(asked, asked, asked)
            assert sorted([answer.status_code for answer in answers]) == statuses
            assert {answer.headers.get("retry-after") for answer in answers} <= {None, "1"}
            assert service.ask().headers["concurrency-limit-remaining"] == str(concurrent - 1)


class TestFaults:
    """Categories 60 and 61: constant words."""

    @pytest.mark.parametrize(
        ("error", "status", "code"),
        [(StoreFault("/a/place"), 503, 50000061), (Overloaded(), 503, 50000061), (KeyError("/a/place"), 500, 50000060)],
    )
    def test_a_store_that_fails(self, serve: Serve, error: Exception, status: int, code: int) -> None:
        """Nothing of what it said gets out, the answer has its ids, and the request's place is free again."""

        class Failing:
            async def submit(self, work: Work) -> Outcome:
                raise error

        service = serve(around=lambda _: Failing(), quotas=Quotas(concurrent=1))
        for _ in range(2):
            answer = service.ask(headers={"zuora-track-id": "job 7"})
            assert (answer.status_code, reason(answer)) == (status, code)
            assert answer.headers["zuora-track-id"] == "job 7"
            assert "place" not in answer.text
        told = str(service.seen.exchanges[-1].fault)
        assert told.startswith(type(error).__name__)
        assert "place" not in told

    def test_an_executor_around_the_store_sees_every_commit(self, serve: Serve) -> None:
        """The hook for faults: it may refuse, wait, or lose the answer to what was done."""
        works: list[Work] = []

        class Noting:
            def __init__(self, executor: Executor) -> None:
                self.executor = executor

            async def submit(self, work: Work) -> Outcome:
                works.append(work)
                return await self.executor.submit(work)

        service = serve(around=Noting)
        assert service.ask(headers=KEY).status_code == 200
        assert service.ask(MISSING).status_code == 404
        assert service.ask({"type": "Invoice"}).status_code == 400
        assert [(work.request.id, work.idempotent is not None) for work in works] == [("inv1", True), ("none", False)]
        assert {work.occasion.by for work in works if work.occasion is not None} == {"one"}
        assert {(work.scope.tenant, work.scope.entity) for work in works} == {("t1", "e1")}

    def test_a_failed_commit_leaves_the_key_free(self, serve: Serve) -> None:
        """IDM-6: a retry must be able to succeed."""
        faults = [StoreFault("no")]

        class Once:
            def __init__(self, executor: Executor) -> None:
                self.executor = executor

            async def submit(self, work: Work) -> Outcome:
                if faults:
                    raise faults.pop()
                return await self.executor.submit(work)

        service = serve(around=Once)
        answers = [service.ask(headers=KEY) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [503, 200, 200]
        assert [answer.headers.get("idempotent-replayed") for answer in answers] == [None, None, "true"]
        assert len(service.store.deliveries(Scope(tenant="t1", entity="e1", orgs=None)).rows) == 2
