"""The service as one ASGI application: its paths, and what goes around them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from attrs import field, frozen
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Route, Router
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as AsgiScope

from regen_core.adapters.http.clients import Clients
from regen_core.adapters.http.description import description_route
from regen_core.adapters.http.envelope import Envelope
from regen_core.adapters.http.exchange import Observer
from regen_core.adapters.http.execution import Executor
from regen_core.adapters.http.health import Readiness, health_routes
from regen_core.adapters.http.limits import Limits
from regen_core.adapters.http.oauth import TOKEN_PATH, TokenEndpoint
from regen_core.adapters.http.operation import Operation
from regen_core.adapters.http.tokens import Tokens
from regen_core.idempotency import OPERATION_PATH
from regen_core.wire.answers import AnswerStyle

__all__ = ["Service", "application"]


@frozen(kw_only=True)
class Service:
    """What a service is made of.

    Fields: ``executor`` has requests executed; put another one around it to inject faults. ``clock`` gives
    seconds that never go back. ``body_seconds`` is how long a body may take.
    """

    executor: Executor
    clients: Clients
    limits: Limits = field(factory=Limits)
    style: AnswerStyle = field(factory=AnswerStyle)
    clock: Callable[[], float] = time.monotonic
    body_seconds: float = 10.0
    tokens: Tokens = field()

    @tokens.default
    def _on_the_same_clock(self) -> Tokens:
        return Tokens(self.clock)


def application(
    service: Service,
    *,
    readiness: Readiness | None = None,
    observers: Sequence[Observer] = (),
    extra_routes: Sequence[BaseRoute] = (),
) -> ASGIApp:
    """The service as an ASGI application.

    ``readiness`` ``None`` leaves the paths of health out. ``observers`` are told of every request once it was answered.
    ``extra_routes`` are tried first; what they answer has the headers of all answers, and what they raise is answered
    like every fault.
    """
    clock, body_seconds = service.clock, service.body_seconds
    operation = Operation(
        executor=service.executor,
        tokens=service.tokens,
        limits=service.limits,
        style=service.style,
        body_seconds=body_seconds,
        clock=clock,
    )
    token = TokenEndpoint(
        clients=service.clients,
        tokens=service.tokens,
        limits=service.limits,
        clock=clock,
        body_seconds=body_seconds,
    )
    routes = [
        *extra_routes,
        Route(OPERATION_PATH, operation),
        Route(TOKEN_PATH, token),
        description_route(),
        *([] if readiness is None else health_routes(readiness)),
    ]
    router = Router(routes, redirect_slashes=False, default=_unknown_path)
    return Envelope(router, observers=observers, clock=clock)


async def _unknown_path(scope: AsgiScope, receive: Receive, send: Send) -> None:  # noqa: ARG001  # ASGI's signature
    raise HTTPException(404)
