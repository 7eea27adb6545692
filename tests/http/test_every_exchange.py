"""What every exchange has whoever answers it, what the log says of it, and how health is told."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from httpx import Response as Answered
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from regen_core.access import Scope
from regen_core.adapters.http.envelope import DROP_EXTENSION, DropConnection, Envelope
from regen_core.adapters.http.exchange import Exchange, exchange_of
from regen_core.adapters.http.health import Readiness
from regen_core.adapters.http.limits import Quotas, Window
from regen_core.adapters.http.logs import RequestLog, ServerLog, entry_of
from regen_core.adapters.memory import MemoryStore
from regen_core.ports import Found, StoreFault
from regen_core.refusals import DocumentNotFound, DocumentReferenceMismatch
from regen_core.request import RegenerateRequest
from tests.http.conftest import SECRET, Seen, Serve, Served

CANARY = "canary-7f3a91"
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)

# fmt: off
ALLOWED = {
    "at", "event", "route", "request_id", "track_id", "tenant", "entity", "status", "code", "refusal", "is_replay",
    "fault", "ms",
}
# fmt: on


async def _breaks(request: Request) -> Response:
    raise KeyError(CANARY)


async def _drops(request: Request) -> Response:
    raise DropConnection


EXTRA = (Route("/breaks", _breaks), Route("/drops", _drops))


class TestEnvelope:
    """REQ-12: ids, and an answer to everything."""

    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("GET", "/", 404),
            ("GET", "/v1/uno-regenerate/billing-transaction/", 404),
            ("GET", "/healthz/", 404),
            ("POST", "/healthz", 405),
            ("DELETE", "/openapi.json", 405),
            ("GET", "/breaks", 500),
            ("GET", "/healthz", 200),
        ],
    )
    def test_every_answer_has_a_request_id_of_its_own(self, serve: Serve, method: str, path: str, status: int) -> None:
        """And, where it is an error, Zuora's shape with that id."""
        service = serve(extra_routes=EXTRA)
        answers = [service.http.request(method, path) for _ in range(2)]
        ids = [answer.headers["zuora-request-id"] for answer in answers]
        assert [answer.status_code for answer in answers] == [status] * 2
        assert len(set(ids)) == 2
        assert {len(each) for each in ids} == {36}
        assert answers[0].headers["x-content-type-options"] == "nosniff"
        if status != 200:
            assert answers[0].json()["requestId"] == ids[0]

    def test_what_broke_stays_inside(self, serve: Serve) -> None:
        """A constant body; the observers hear the kind of error and its place, not its words."""
        service = serve(extra_routes=EXTRA)
        answer = service.http.get("/breaks")
        (exchange,) = service.seen.exchanges
        assert CANARY not in answer.text
        assert str(exchange.fault).startswith("KeyError at tests")
        assert CANARY not in str(exchange.fault)

    def test_a_wrong_method_names_the_right_ones(self, service: Served) -> None:
        """405."""
        assert service.http.post("/healthz").headers["allow"] == "GET, HEAD"

    def test_a_connection_can_be_dropped_without_an_answer(self) -> None:
        """By the server's extension; the exchange is told of all the same."""
        closed: list[bool] = []
        seen = Seen()

        async def app(scope: Any, receive: Any, send: Any) -> None:
            raise DropConnection

        async def send(message: Any) -> None:
            raise AssertionError("nothing is sent")

        async def receive() -> Any:
            raise AssertionError("nothing is read")

        extensions = {DROP_EXTENSION: {"close": lambda: closed.append(True)}}
        scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "extensions": extensions}
        envelope = Envelope(app, observers=(seen,), clock=lambda: 0.0)

        async def pass_on() -> None:
            await envelope(scope, receive, send)

        asyncio.run(pass_on())
        assert closed == [True]
        assert (seen.exchanges[0].status, seen.exchanges[0].fault) == (None, "DropConnection")


class TestLog:
    """Security: by allow-list."""

    def test_a_line_says_what_is_on_the_list(self, service: Served) -> None:
        """For a success, a refusal and a replay."""
        for body in (None, {"type": "Invoice"}, None):
            service.ask(body, headers={"zuora-track-id": "job 7", "idempotency-key": "k"})
        lines = self.lines(service.seen.exchanges)
        assert [line["status"] for line in lines] == [200, 400, 200]
        assert [line.get("refusal") for line in lines] == [None, "MissingField", None]
        assert [line.get("is_replay") for line in lines] == [None, None, True]
        assert lines[0] == {
            "at": "2026-01-31T12:00:00.000+00:00",
            "event": "request",
            "route": "regenerate",
            "request_id": service.seen.exchanges[0].request_id,
            "track_id": "job 7",
            "tenant": "t1",
            "entity": "e1",
            "status": 200,
            "ms": 1.5,
        }

    def test_a_canary_never_gets_there(self, serve: Serve) -> None:
        """Sent wherever a caller can put it, and put where an exception may pick it up."""
        service = serve(extra_routes=EXTRA, quotas=Quotas(failed_logins=Window(60, 1)))
        token = service.login()
        asked: list[Callable[[], Answered]] = [
            lambda: service.ask(token=token),
            lambda: service.ask(token=CANARY),
            lambda: service.ask({"type": "Invoice", "id": CANARY}),
            lambda: service.ask({"type": "Invoice", "number": CANARY}),
            lambda: service.ask({"type": CANARY, CANARY: CANARY}),
            lambda: service.ask(query=f"?{CANARY}={CANARY}"),
            lambda: service.ask(content=CANARY.encode()),
            lambda: service.ask(headers={"idempotency-key": CANARY}),
            lambda: service.ask(headers={"zuora-track-id": f"{CANARY}:"}),
            lambda: service.ask(headers={"zuora-entity-ids": CANARY, "x": CANARY}),
            lambda: service.http.get(f"/{CANARY}?{CANARY}"),
            lambda: service.http.get("/breaks"),
            lambda: service.http.post("/oauth/token", data={"client_id": CANARY, "client_secret": CANARY}),
        ]
        answers = [ask() for ask in asked]
        written = json.dumps(self.lines(service.seen.exchanges))
        assert len(answers) == len(service.seen.exchanges)
        assert not any(secret in written for secret in (CANARY, SECRET, token))
        assert all(line.keys() <= ALLOWED for line in self.lines(service.seen.exchanges))
        assert token not in repr(service.seen.exchanges)

    def test_a_log_that_cannot_be_written_costs_nobody_an_answer(self) -> None:
        """A full disk, a closed pipe."""

        class Full(io.StringIO):
            def write(self, text: str) -> int:
                raise OSError(28, "full")

        RequestLog(Full()).event("started", {})
        closed = io.StringIO()
        closed.close()
        RequestLog(closed).event("started", {})

    def test_what_the_server_says_is_logged_without_its_words(self) -> None:
        """Its messages and tracebacks may hold anything."""
        stream = io.StringIO()
        loggers = [logging.getLogger(name) for name in ("uvicorn.error", "asyncio")]
        before = [(logger.handlers, logger.propagate, logger.level) for logger in loggers]
        try:
            ServerLog(RequestLog(stream, now=lambda: NOW)).install()
            try:
                raise KeyError(CANARY)
            except KeyError as error:
                loggers[0].error("said %s", CANARY, exc_info=error)
                loggers[1].warning(CANARY)
        finally:
            for logger, (handlers, propagate, level) in zip(loggers, before, strict=True):
                logger.handlers, logger.propagate = handlers, propagate
                logger.setLevel(level)
        lines = [json.loads(line) for line in stream.getvalue().splitlines()]
        assert CANARY not in stream.getvalue()
        assert [(line["event"], line["logger"], line.get("fault")) for line in lines] == [
            ("server", "uvicorn.error", "KeyError"),
            ("server", "asyncio", None),
        ]

    def lines(self, exchanges: list[Exchange]) -> list[dict[str, Any]]:
        """What the log writes of exchanges."""
        stream = io.StringIO()
        log = RequestLog(stream, now=lambda: NOW)
        for exchange in exchanges:
            log.answered(exchange, 0.0015)
            assert entry_of(exchange, 0.0015)["ms"] == 1.5
        return [json.loads(line) for line in stream.getvalue().splitlines()]


class TestHealth:
    """For service managers; no token, nothing told."""

    def test_a_service_that_lives_and_is_ready(self, service: Served) -> None:
        """200, also for HEAD."""
        assert service.http.get("/healthz").json() == {"status": "alive"}
        assert service.http.get("/readyz").json() == {"status": "ready"}
        assert service.http.request("HEAD", "/readyz").status_code == 200

    def test_one_that_stops_is_alive_but_not_ready(self, service: Served) -> None:
        """So that nobody sends it more."""
        service.readiness.is_stopping = True
        assert service.http.get("/readyz").json() == {"status": "not ready", "because": "stopping"}
        assert service.http.get("/readyz").status_code == 503
        assert service.http.get("/healthz").status_code == 200

    async def _reasons(self, readiness: Readiness, times: int) -> list[str | None]:
        return [await readiness.reason_against() for _ in range(times)]

    def test_a_store_that_fails_is_not_ready_and_is_asked_seldom(self) -> None:
        """However often somebody asks; when it is well again, that is told."""
        asked: list[int] = []
        faults = [StoreFault("down"), RuntimeError("worse")]

        class Store(MemoryStore):
            def find(
                self, scope: Scope, request: RegenerateRequest
            ) -> Found | DocumentNotFound | DocumentReferenceMismatch:
                asked.append(1)
                if faults:
                    raise faults.pop()
                return super().find(scope, request)

        now = [0.0]
        readiness = Readiness(Store(), lambda: now[0])
        told = []
        with asyncio.Runner() as runner:
            for moment in (0.0, 0.5, 1.0, 2.0, 2.5):
                now[0] = moment
                told.append(runner.run(self._reasons(readiness, 2)))
        readiness.close()
        no = "the store does not answer"
        assert told == [[no, no], [no, no], [no, no], [None, None], [None, None]]
        assert len(asked) == 3

    def test_a_store_that_hangs_is_not_ready(self) -> None:
        """The question is given up, and not asked a second time while it hangs."""
        end = threading.Event()

        class Store(MemoryStore):
            def find(
                self, scope: Scope, request: RegenerateRequest
            ) -> Found | DocumentNotFound | DocumentReferenceMismatch:
                assert end.wait(30)
                return super().find(scope, request)

        readiness = Readiness(Store(), lambda: 0.0, seconds=0.05)
        with asyncio.Runner() as runner:
            assert runner.run(self._reasons(readiness, 2)) == ["the store does not answer"] * 2
            end.set()
            assert runner.run(self._reasons(readiness, 20))[-1] is None
        readiness.close()


def test_the_exchange_is_found_from_its_request(serve: Serve) -> None:
    """How a route that somebody adds reads who asked and what the limits were."""

    async def tells(request: Request) -> Response:
        return Response(exchange_of(request.scope).request_id)

    answer = serve(extra_routes=(Route("/tells", tells),)).http.get("/tells")
    assert answer.text == answer.headers["zuora-request-id"]
