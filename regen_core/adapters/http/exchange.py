"""One request and what became of it, as it is told to whoever observes: a log, or a window's recorder."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Final, Protocol

from attrs import define, field
from starlette.types import Scope as AsgiScope

from regen_core.access import Caller
from regen_core.idempotency import Replay
from regen_core.refusals import Refusal
from regen_core.regeneration import Regeneration
from regen_core.wire.submission import Admitted, track_id_of

__all__ = ["Exchange", "Observer", "decoded_headers", "exchange_of"]

_KEY: Final = "regen_core.exchange"


@define(kw_only=True)
class Exchange:
    """What is known of one request; it fills as the request is worked on.

    Fields: ``request_id`` of 36 characters, the answer's ``Zuora-Request-Id``; ``track_id`` a valid one that was sent,
    else ``None``; ``headers`` decoded; ``started_at`` in seconds of the service's clock; ``caller`` ``None`` while or
    where nobody is authenticated; ``admitted`` ``None`` for what was refused before; ``outcome`` what was decided,
    ``None`` where nothing was, for example on other paths; ``limit_headers`` the limits as the answer tells them;
    ``route`` which part of the service answered; ``refusal_name`` of a refusal that is none of the operation's;
    ``status`` ``None`` where no answer was begun.
    """

    request_id: str
    track_id: str | None
    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    started_at: float
    caller: Caller | None = None
    admitted: Admitted | None = None
    outcome: Regeneration | Refusal | Replay | None = None
    limit_headers: tuple[tuple[str, str], ...] = ()
    route: str = "none"
    refusal_name: str | None = None
    status: int | None = None
    fault: str | None = None
    """The kind of an exception that ended it, by its class; ``None`` where there was none."""

    @classmethod
    def begun(cls, scope: AsgiScope, at: float) -> Exchange:
        """The exchange of a request that just came, remembered in its ASGI scope."""
        headers = tuple(decoded_headers(scope))
        exchange = scope[_KEY] = cls(
            request_id=str(uuid.uuid4()),
            track_id=track_id_of(headers),
            method=scope["method"],
            path=scope["path"],
            headers=headers,
            started_at=at,
        )
        return exchange

    def header(self, name: str) -> str | None:
        """The only header of a lower-case name; ``None`` where there is none or more than one."""
        sent = [value for each, value in self.headers if each.lower() == name]
        return sent[0] if len(sent) == 1 else None


class Observer(Protocol):
    """Somebody who is told of every request when it has been answered."""

    def answered(self, exchange: Exchange, duration: float) -> None:
        """A request was answered, or its connection was given up, after ``duration`` seconds."""
        ...


def decoded_headers(scope: AsgiScope) -> Iterator[tuple[str, str]]:
    """The headers in their order, repeated ones repeated; bytes beyond ASCII become characters one by one."""
    for name, value in scope["headers"]:
        yield name.decode("latin-1"), value.decode("latin-1")


def exchange_of(scope: AsgiScope) -> Exchange:
    """The exchange that a request belongs to."""
    exchange: Exchange = scope[_KEY]
    return exchange
