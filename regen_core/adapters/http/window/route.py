"""The window as a route of the service: behind its random path, checked, bounded, and otherwise not there at all."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

from attrs import field, frozen
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Send
from starlette.types import Scope as AsgiScope

from regen_core.access import Caller
from regen_core.adapters.http.exchange import decoded_headers, exchange_of
from regen_core.adapters.http.execution import Executor
from regen_core.adapters.http.receiving import TooSlow, read_body
from regen_core.adapters.http.running import Additions
from regen_core.adapters.http.tokens import Tokens
from regen_core.adapters.http.window.asking import Question, Unreadable, asked_of
from regen_core.adapters.http.window.endpoints import Endpoints, NotOffered, Sandbox
from regen_core.adapters.http.window.guard import Address, Knock, fault_of, is_token, new_token
from regen_core.adapters.http.window.injecting import FaultyExecutor, InjectedFaults
from regen_core.adapters.http.window.loading import MAX_DOCUMENTS_BYTES
from regen_core.adapters.http.window.page import ASIDE_HEADERS, page, page_headers
from regen_core.adapters.http.window.recent import Recent
from regen_core.ports import Store, StoreFault

__all__ = ["Window"]

MAX_QUESTION_BYTES: Final = 64 * 1024
"""Longest question but for documents: as long as a body of the operation may be."""

QUESTION_SECONDS: Final = 30.0
"""Seconds within which a question arrives; it comes from this machine."""

_PAGE: Final = ""
_Endpoint = Callable[[Question], Awaitable[dict[str, Any]]]


class _Refused(Exception):  # noqa: N818  # an answer
    """A question that isn't answered, and the status that says so."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@frozen(eq=False, kw_only=True)
class Window:
    """A window into a service: its route, what it watches, and the faults that it injects.

    :attr:`additions` make it a part of the service.
    """

    address: Address
    endpoints: Endpoints
    token: str = field(factory=new_token, repr=False)

    @classmethod
    def into(  # a service has so many parts
        cls,
        store: Store,
        *,
        address: Address,
        callers: tuple[Caller, ...],
        tokens: Tokens,
        sandbox: Sandbox | None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> Window:
        """A window into a store; ``sandbox`` ``None`` offers nothing that a configured service must not do."""
        endpoints = Endpoints(
            store=store,
            callers=callers,
            tokens=tokens,
            faults=InjectedFaults(),
            recent=Recent(clock),
            sandbox=sandbox,
        )
        return cls(address=address, endpoints=endpoints)

    @property
    def url(self) -> str:
        """Where people look through it; whoever knows this may do everything."""
        return f"{self.address.origin}/{self.token}/"

    @property
    def recent(self) -> Recent:
        """What remembers the last requests."""
        return self.endpoints.recent

    @property
    def additions(self) -> Additions:
        """What the service takes over: the route, the recorder, faults around its executor, and the tokens."""
        executor, tokens = self.executor, self.endpoints.tokens
        return Additions(routes=(self.route,), around=executor, observers=(self.recent,), tokens=tokens)

    @property
    def route(self) -> BaseRoute:
        """What answers the page and its questions."""
        return _WindowRoute(self)

    def executor(self, inner: Executor) -> Executor:
        """The service's executor with the faults that people inject."""
        return FaultyExecutor(inner, self.endpoints.faults)

    def close(self) -> None:
        """Give back what the window holds."""
        self.endpoints.close()


def _rest(path: str, token: str) -> str | None:
    """What follows the token in a path; ``None`` where it isn't there."""
    begin, slash, rest = path.removeprefix("/").partition("/")
    return rest if slash and is_token(begin, token) else None


class _WindowRoute(BaseRoute):
    """Matches nothing but the random path, so that any other is as unknown as it would be without a window."""

    def __init__(self, window: Window) -> None:
        self._window = window
        ask = window.endpoints
        self._answers: Mapping[str, Mapping[str, _Endpoint]] = {
            "state": {"GET": ask.state},
            "requests": {"GET": ask.requests},
            "documents": {"POST": ask.documents},
            "examples": {"POST": ask.examples},
            "plan": {"POST": ask.plan},
            "run": {"POST": ask.run},
            "deliver": {"POST": ask.deliver},
            "tamper": {"POST": ask.tamper},
            "reset": {"POST": ask.reset},
            "faults": {"GET": ask.injected, "POST": ask.inject, "DELETE": ask.mend},
        }

    def matches(self, scope: AsgiScope) -> tuple[Match, AsgiScope]:
        """Whether the path is the window's."""
        is_ours = scope["type"] == "http" and _rest(scope["path"], self._window.token) is not None
        return (Match.FULL, {}) if is_ours else (Match.NONE, {})

    def url_path_for(self, name: str, /, **path_params: Any) -> Any:
        """There is no other way to the window than its URL."""
        raise NotImplementedError

    async def handle(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Answer the page or one of its questions."""
        name = _rest(scope["path"], self._window.token)
        assert name is not None, "it has matched"
        exchange_of(scope).route = "window"
        try:
            response = await self._response(name, scope, receive)
        except (Unreadable, NotOffered, StoreFault, _Refused) as fault:
            response = _json({"success": False, "message": str(fault)}, _status(fault))
        await response(scope, receive, send)

    async def _response(self, name: str, scope: AsgiScope, receive: Receive) -> Response:
        method = scope["method"]
        knock = Knock(method=method, headers=[(each.lower(), value) for each, value in decoded_headers(scope)])
        fault = fault_of(knock, self._window.address)
        if fault is not None:
            raise _Refused(403, fault)
        methods = {"GET": None} if name == _PAGE else self._answers.get(name)
        if methods is None:
            raise HTTPException(404)
        if method not in methods:
            raise HTTPException(405, headers={"Allow": ", ".join(methods)})
        endpoint = methods[method]
        if endpoint is None:
            return Response(page(), headers=page_headers(), media_type="text/html")
        body = b"" if method == "GET" else await _body(name, receive)
        asked = asked_of(scope["query_string"])
        told = await endpoint(Question(asked=asked, body=body, app=scope["app"]))
        return _json(_unless_seen(told, asked.seen) if name == "state" else told, 200)


async def _body(name: str, receive: Receive) -> bytes:
    most = MAX_DOCUMENTS_BYTES if name == "documents" else MAX_QUESTION_BYTES
    try:
        body = await read_body(receive, most=most, seconds=QUESTION_SECONDS)
    except TooSlow:
        raise _Refused(408, f"The question did not arrive within {QUESTION_SECONDS:g} s.") from None
    if len(body) > most:
        raise _Refused(413, f"The question is longer than {most} bytes. regen load takes files of any size.")
    return body


def _unless_seen(told: dict[str, Any], seen: str | None) -> dict[str, Any]:
    """An answer with its tag, or only that it is the one with the tag that was seen: a page asks every second."""
    tag = sha256(_text(told)).hexdigest()[:32]
    return {"is_same": True} if tag == seen else {"is_same": False, "tag": tag, **told}


def _text(told: dict[str, Any]) -> bytes:
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def _json(told: dict[str, Any], status: int) -> Response:
    return Response(_text(told), status, ASIDE_HEADERS, "application/json")


def _status(fault: Exception) -> int:
    match fault:
        case _Refused(status=status):
            return status
        case NotOffered():
            return 409
        case StoreFault():
            return 503
        case _:
            return 400
