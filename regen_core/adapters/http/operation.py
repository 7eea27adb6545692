"""The operation: a raw request becomes a submission, the core admits it, a store executes it, the answer goes back."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Final
from urllib.parse import parse_qsl

from attrs import evolve
from starlette.responses import Response
from starlette.types import Receive, Send
from starlette.types import Scope as AsgiScope

from regen_core.access import Caller, Scope
from regen_core.adapters.http.answering import new_process_id, refusal_headers, respond
from regen_core.adapters.http.exchange import Exchange, exchange_of
from regen_core.adapters.http.execution import Executor, Outcome, Work
from regen_core.adapters.http.limits import Limits, Place
from regen_core.adapters.http.receiving import TooSlow, read_body
from regen_core.adapters.http.tokens import Tokens
from regen_core.idempotency import Replay
from regen_core.ports import Answer, IdempotentCall, StoreFault
from regen_core.refusals import TemporaryFault, UnreadableBody
from regen_core.regeneration import Regeneration
from regen_core.transactions import Occasion
from regen_core.wire.answers import AnswerStyle, answer_to
from regen_core.wire.submission import MAX_BODY_BYTES, Admitted, Submission, admit

__all__ = ["Operation"]

_BEARER: Final = re.compile(r"bearer +([A-Za-z0-9._~+/-]+=*) *", re.IGNORECASE)


_CLOSED: Final = {"connection": "close"}
"""For who didn't send the whole body in time."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Operation:
    """``POST /v1/uno-regenerate/billing-transaction`` as an ASGI application (REQ-1)."""

    def __init__(
        self,
        *,
        executor: Executor,
        tokens: Tokens,
        limits: Limits,
        style: AnswerStyle,
        body_seconds: float,
        clock: Callable[[], float],
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._executor, self._tokens, self._limits, self._style = executor, tokens, limits, style
        self._body_seconds, self._clock, self._now = body_seconds, clock, now

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        exchange = exchange_of(scope)
        exchange.route = "regenerate"
        response = await self._response(exchange, scope["query_string"], receive)
        await response(scope, receive, send)

    async def _response(self, exchange: Exchange, query: bytes, receive: Receive) -> Response:
        body = await self._body(receive)
        exchange.caller = self._caller(exchange)
        submission = Submission(
            method=exchange.method,
            path=exchange.path,
            query=tuple(parse_qsl(query.decode("latin-1"), keep_blank_values=True)) if query else (),
            headers=exchange.headers,
            body=body or b"",
            caller=exchange.caller,
        )
        told = _told_once(
            partial(answer_to, style=self._style, process_id=new_process_id(), request_id=exchange.request_id)
        )
        place = self._place(submission)
        if place is None:
            exchange.outcome = outcome = await self._outcome(exchange, submission, told, is_late=body is None)
        else:
            exchange.limit_headers = place.headers
            try:
                limited = submission if place.retry_after is None else evolve(submission, retry_after=place.retry_after)
                exchange.outcome = outcome = await self._outcome(exchange, limited, told, is_late=body is None)
            finally:
                self._limits.leave(place)
        return respond(exchange, told(outcome), {**_headers(outcome), **(_CLOSED if body is None else {})})

    async def _body(self, receive: Receive) -> bytes | None:
        """The body, as far as it matters; ``None`` where it doesn't come."""
        try:
            return await read_body(receive, most=MAX_BODY_BYTES, seconds=self._body_seconds)
        except TooSlow:
            return None

    def _caller(self, exchange: Exchange) -> Caller | None:
        """Who asks, ``None`` for every cause of not knowing it (REQ-11)."""
        bearer = _BEARER.fullmatch(exchange.header("authorization") or "")
        return None if bearer is None else self._tokens.caller_of(bearer[1])

    def _place(self, submission: Submission) -> Place | None:
        """A place among the requests of the caller's tenant and entity, ``None`` for who isn't authenticated."""
        if submission.caller is None:
            return None
        scope = submission.scope
        entity = scope.entity if isinstance(scope, Scope) else None
        return self._limits.enter(submission.caller.tenant, entity, self._clock())

    async def _outcome(
        self, exchange: Exchange, submission: Submission, told: Callable[[Outcome], Answer], *, is_late: bool
    ) -> Outcome:
        admitted = admit(submission)
        if is_late and isinstance(admitted, UnreadableBody):
            return UnreadableBody(f"it did not arrive within {self._body_seconds:g} s")
        if not isinstance(admitted, Admitted):
            return admitted
        exchange.admitted = admitted
        try:
            return await self._executor.submit(self._work(admitted, submission.caller, told))
        except StoreFault as fault:
            exchange.fault = type(fault).__name__
            return TemporaryFault()

    def _work(self, admitted: Admitted, caller: Caller | None, told: Callable[[Outcome], Answer]) -> Work:
        assert caller is not None, "nobody is admitted without having authenticated (REQ-11)"
        call, key = None, admitted.idempotency_key
        if key is not None:
            call = IdempotentCall(client=caller.client, key=key, answer=told)
        occasion = Occasion(self._now(), caller.client)
        return Work(scope=admitted.scope, request=admitted.request, occasion=occasion, idempotent=call)


def _told_once(told: Callable[[Outcome], Answer]) -> Callable[[Outcome], Answer]:
    """Remembers the last answer: what a store saves under a key is what the client gets, byte for byte (IDM-1)."""
    last: list[tuple[Outcome, Answer]] = []

    def answer(outcome: Outcome) -> Answer:
        if not last or last[0][0] is not outcome:
            last[:] = [(outcome, told(outcome))]
        return last[0][1]

    return answer


def _headers(outcome: Outcome) -> dict[str, str]:
    if isinstance(outcome, Replay):
        return {"idempotent-replayed": "true"}  # IDM-8
    return {} if isinstance(outcome, Regeneration) else refusal_headers(outcome)
