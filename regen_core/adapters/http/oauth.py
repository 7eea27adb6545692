"""``POST /oauth/token``: client credentials for a bearer token (RFC 6749, sections 4.4, 5.1 and 5.2)."""

from __future__ import annotations

import asyncio
import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Final
from urllib.parse import parse_qsl

from starlette.responses import Response
from starlette.types import Receive, Send
from starlette.types import Scope as AsgiScope

from regen_core.access import Caller
from regen_core.adapters.http.answering import refused, respond
from regen_core.adapters.http.clients import Clients
from regen_core.adapters.http.exchange import Exchange, exchange_of
from regen_core.adapters.http.receiving import read_body
from regen_core.adapters.http.tokens import LIFETIME, Tokens
from regen_core.ports import Answer
from regen_core.refusals import MethodNotAllowed

__all__ = ["TOKEN_PATH", "TokenEndpoint"]

TOKEN_PATH: Final = "/oauth/token"  # noqa: S105  # a path
MAX_FORM_BYTES: Final = 8 * 1024
_FORM: Final = "application/x-www-form-urlencoded"


class TokenEndpoint:
    """The token endpoint as an ASGI application."""

    def __init__(self, *, clients: Clients, tokens: Tokens, body_seconds: float) -> None:
        self._clients, self._tokens, self._body_seconds = clients, tokens, body_seconds
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="regen-login")

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        exchange = exchange_of(scope)
        response = await self._response(exchange, receive)
        await response(scope, receive, send)

    async def _response(self, exchange: Exchange, receive: Receive) -> Response:
        if exchange.method != "POST":
            return refused(exchange, MethodNotAllowed())
        body = await read_body(receive, most=MAX_FORM_BYTES, seconds=self._body_seconds)
        form = dict(parse_qsl(body.decode("latin-1"), keep_blank_values=True))
        client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
        loop = asyncio.get_running_loop()
        caller = await loop.run_in_executor(self._pool, self._clients.authenticated, client_id, secret)
        if caller is None:
            return respond(exchange, Answer(401, b'{"error":"invalid_client"}'))
        exchange.caller = caller
        return respond(exchange, Answer(200, self._granted(caller)))

    def _granted(self, caller: Caller) -> bytes:
        token = self._tokens.issue(caller)
        told = {
            "access_token": token,
            "token_type": "bearer",
            "expires_in": LIFETIME,
            "scope": " ".join(f"entity.{entity}" for entity in sorted(caller.entities)),
            "jti": uuid.uuid4().hex,
        }
        return json.dumps(told, separators=(",", ":")).encode()
