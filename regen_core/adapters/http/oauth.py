"""``POST /oauth/token``: client credentials for a bearer token (RFC 6749, sections 4.4, 5.1 and 5.2)."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from starlette.responses import Response
from starlette.types import Receive, Send
from starlette.types import Scope as AsgiScope

from regen_core.access import Caller
from regen_core.adapters.http.addresses import counted_address
from regen_core.adapters.http.answering import refused, respond
from regen_core.adapters.http.clients import Clients
from regen_core.adapters.http.exchange import Exchange, exchange_of
from regen_core.adapters.http.limits import Limits
from regen_core.adapters.http.receiving import TooSlow, read_body
from regen_core.adapters.http.token_request import (
    MAX_FORM_BYTES,
    WRONG_CREDENTIALS,
    Credentials,
    TokenFault,
    credentials_in,
)
from regen_core.adapters.http.tokens import LIFETIME, Tokens
from regen_core.ports import Answer
from regen_core.refusals import LimitExceeded, MethodNotAllowed, TemporaryFault

__all__ = ["TOKEN_PATH", "TokenEndpoint"]

TOKEN_PATH: Final = "/oauth/token"  # noqa: S105  # a path

_MOST_WAITING: Final = 100
"""Logins that are checked or wait for it: some seconds of work."""

_NEVER_CACHED: Final = {"pragma": "no-cache"}
_CHALLENGE: Final = {"www-authenticate": 'Basic realm="oauth"'}


class TokenEndpoint:
    """The token endpoint as an ASGI application.

    A secret is compared on a thread of its own, since that is slow on purpose: requests with a token don't wait for it.
    """

    def __init__(
        self, *, clients: Clients, tokens: Tokens, limits: Limits, clock: Callable[[], float], body_seconds: float
    ) -> None:
        self._clients, self._tokens, self._limits = clients, tokens, limits
        self._clock, self._body_seconds = clock, body_seconds
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="regen-login")
        self._waiting = 0

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        exchange = exchange_of(scope)
        exchange.route = "token"
        client = scope.get("client")
        address = counted_address(client[0] if client else None)
        response = await self._response(exchange, receive, address)
        await response(scope, receive, send)

    async def _response(self, exchange: Exchange, receive: Receive, address: str) -> Response:
        if exchange.method != "POST":
            return refused(exchange, MethodNotAllowed())
        try:
            body = await read_body(receive, most=MAX_FORM_BYTES, seconds=self._body_seconds)
        except TooSlow:
            fault = TokenFault("invalid_request", f"The form did not arrive within {self._body_seconds:g} s.")
            return _faulty(exchange, fault, {"connection": "close"})
        asked = credentials_in(exchange.header("content-type"), exchange.header("authorization"), body)
        if isinstance(asked, TokenFault):
            return _faulty(exchange, asked)
        return await self._login(exchange, asked, address)

    async def _login(self, exchange: Exchange, asked: Credentials, address: str) -> Response:
        if self._waiting >= _MOST_WAITING:
            return refused(exchange, TemporaryFault())
        retry_after = self._limits.login_begins(address, self._clock())
        if retry_after is not None:
            return refused(exchange, LimitExceeded(retry_after))
        self._waiting += 1
        try:
            caller = await asyncio.get_running_loop().run_in_executor(
                self._pool, self._clients.authenticated, asked.client_id, asked.secret
            )
        finally:
            self._waiting -= 1
        if caller is None:
            return _faulty(exchange, WRONG_CREDENTIALS)
        self._limits.login_succeeded(address)
        exchange.caller = caller
        return respond(exchange, Answer(200, self._granted(caller)), _NEVER_CACHED)

    def _granted(self, caller: Caller) -> bytes:
        """What the official SDK needs all of; the scope names the entities, as Zuora's does."""
        told = {
            "access_token": self._tokens.issue(caller),
            "token_type": "bearer",
            "expires_in": LIFETIME,
            "scope": " ".join(f"entity.{entity}" for entity in sorted(caller.entities)),
            "jti": uuid.uuid4().hex,
        }
        return json.dumps(told, separators=(",", ":")).encode()


def _faulty(exchange: Exchange, fault: TokenFault, headers: dict[str, str] | None = None) -> Response:
    exchange.refusal_name = fault.error
    body = json.dumps({"error": fault.error, "error_description": fault.description}, separators=(",", ":")).encode()
    challenge = _CHALLENGE if fault is WRONG_CREDENTIALS else {}
    return respond(exchange, Answer(fault.status, body), {**_NEVER_CACHED, **challenge, **(headers or {})})
