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

from regen_core.access import Caller
from regen_core.adapters.http.answering import new_process_id, refusal_headers, respond
from regen_core.adapters.http.exchange import Exchange, exchange_of
from regen_core.adapters.http.execution import Executor, Outcome, Work
from regen_core.adapters.http.receiving import TooSlow, read_body
from regen_core.adapters.http.tokens import Tokens
from regen_core.idempotency import Replay
from regen_core.ports import Answer, IdempotentCall, StoreFault
from regen_core.refusals import Refusal, TemporaryFault, UnreadableBody
from regen_core.regeneration import Regeneration
from regen_core.transactions import Occasion
from regen_core.wire.answers import AnswerStyle, answer_to
from regen_core.wire.submission import MAX_BODY_BYTES, Admitted, Submission, admit

__all__ = ["Operation"]

_BEARER: Final = re.compile(r"bearer +([A-Za-z0-9._~+/-]+=*) *", re.IGNORECASE)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Operation:
    """``POST /v1/uno-regenerate/billing-transaction`` as an ASGI application (REQ-1)."""

    def __init__(
        self,
        *,
        executor: Executor,
        tokens: Tokens,
        style: AnswerStyle,
        body_seconds: float,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._executor, self._tokens, self._style = executor, tokens, style
        self._body_seconds, self._now = body_seconds, now

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        exchange = exchange_of(scope)
        response = await self._response(exchange, scope, receive)
        await response(scope, receive, send)

    async def _response(self, exchange: Exchange, scope: AsgiScope, receive: Receive) -> Response:
        exchange.caller = self._caller(exchange)
        submission = Submission(
            method=exchange.method,
            path=exchange.path,
            query=tuple(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)),
            headers=exchange.headers,
            body=b"",
            caller=exchange.caller,
        )
        process_id = new_process_id()
        told = partial(answer_to, style=self._style, process_id=process_id, request_id=exchange.request_id)
        exchange.outcome = outcome = await self._outcome(exchange, submission, receive, told)
        headers = {"idempotent-replayed": "true"} if isinstance(outcome, Replay) else {}
        if not isinstance(outcome, Replay | Regeneration):
            headers = refusal_headers(outcome)
        return respond(exchange, told(outcome), headers)

    def _caller(self, exchange: Exchange) -> Caller | None:
        """Who asks, ``None`` for every cause of not knowing it (REQ-11)."""
        bearer = _BEARER.fullmatch(exchange.header("authorization") or "")
        return None if bearer is None else self._tokens.caller_of(bearer[1])

    async def _outcome(
        self, exchange: Exchange, submission: Submission, receive: Receive, told: Callable[[Outcome], Answer]
    ) -> Outcome:
        admitted = await self._admitted(submission, receive)
        if not isinstance(admitted, Admitted):
            return admitted
        assert exchange.caller is not None, "nobody is admitted without having authenticated (REQ-11)"
        exchange.admitted = admitted
        call, client = None, exchange.caller.client
        if admitted.idempotency_key is not None:
            call = IdempotentCall(client=client, key=admitted.idempotency_key, answer=told)
        work = Work(
            scope=admitted.scope, request=admitted.request, occasion=Occasion(self._now(), client), idempotent=call
        )
        try:
            return await self._executor.submit(work)
        except StoreFault as fault:
            exchange.fault = type(fault).__name__
            return TemporaryFault()

    async def _admitted(self, submission: Submission, receive: Receive) -> Admitted | Refusal:
        """Ranks 0 to 12. A body that doesn't come is unreadable, if nothing before it is wrong."""
        try:
            body = await read_body(receive, most=MAX_BODY_BYTES, seconds=self._body_seconds)
        except TooSlow:
            refusal = admit(submission)
            late = UnreadableBody(f"it did not arrive within {self._body_seconds:g} s")
            return late if isinstance(refusal, UnreadableBody | Admitted) else refusal
        return admit(evolve(submission, body=body))
