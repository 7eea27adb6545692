"""The service's own description, an OpenAPI 3.1 document written by hand, as it is served."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from regen_core.adapters.http.answering import respond
from regen_core.adapters.http.exchange import exchange_of
from regen_core.ports import Answer

__all__ = ["DESCRIPTION_PATH", "description", "description_route"]

DESCRIPTION_PATH: Final = "/openapi.json"


def description() -> bytes:
    """The document.

    >>> import json
    >>> json.loads(description())["openapi"]
    '3.1.0'
    """
    return files("regen_core.adapters.http").joinpath("openapi.json").read_bytes()


def description_route() -> Route:
    """The path that serves it."""
    answer = Answer(200, description())

    async def describe(request: Request) -> Response:
        exchange = exchange_of(request.scope)
        exchange.route = "description"
        return respond(exchange, answer)

    return Route(DESCRIPTION_PATH, describe)
