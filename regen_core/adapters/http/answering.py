"""Responses: bodies that were decided elsewhere, with the headers that belong to them, compressed on demand."""

from __future__ import annotations

import gzip
import secrets
from collections.abc import Mapping
from typing import Final

from starlette.responses import Response

from regen_core.adapters.http.encodings import accepts_gzip
from regen_core.adapters.http.exchange import Exchange
from regen_core.ports import Answer
from regen_core.refusals import IdempotencyKeyInProgress, LimitExceeded, MethodNotAllowed, Refusal, Unauthenticated
from regen_core.wire.answers import AnswerStyle, answer_to

__all__ = ["LEAST_COMPRESSED", "new_process_id", "refusal_headers", "refused", "respond"]

LEAST_COMPRESSED: Final = 1000
"""Bytes: a longer body is compressed for who accepts it (REQ-10)."""

_LEVEL: Final = 6
_JSON: Final = "application/json"


def new_process_id() -> str:
    """16 hexadecimal characters, like Zuora's."""
    return secrets.token_hex(8).upper()


def respond(
    exchange: Exchange, answer: Answer, headers: Mapping[str, str] | None = None, *, media_type: str = _JSON
) -> Response:
    """An answer as a response, compressed where the request accepts it and the body is long (REQ-10)."""
    told, body = {"cache-control": "no-store", **(headers or {})}, answer.body
    if len(body) > LEAST_COMPRESSED:
        told["vary"] = "accept-encoding"
        if accepts_gzip([value for name, value in exchange.headers if name == "accept-encoding"]):
            body = gzip.compress(body, _LEVEL, mtime=0)
            told["content-encoding"] = "gzip"
    return Response(body, answer.status, told, media_type)


def refused(exchange: Exchange, refusal: Refusal, headers: Mapping[str, str] | None = None) -> Response:
    """The response of a refusal, which the exchange remembers."""
    exchange.outcome = refusal
    answer = answer_to(refusal, AnswerStyle(), process_id=new_process_id(), request_id=exchange.request_id)
    return respond(exchange, answer, {**refusal_headers(refusal), **(headers or {})})


def refusal_headers(refusal: Refusal) -> dict[str, str]:
    """What a refusal says in headers: when to come back, which methods there are, how to authenticate."""
    match refusal:
        case LimitExceeded(seconds) | IdempotencyKeyInProgress(seconds):
            return {"retry-after": str(seconds)}
        case MethodNotAllowed(allowed):
            return {"allow": ", ".join(allowed)}
        case Unauthenticated():
            return {"www-authenticate": "Bearer"}
        case _:
            return {}
