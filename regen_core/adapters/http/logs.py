"""The log: JSON lines of what is on a list, and nothing else. No body, token, secret, id or message ever gets there."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final, TextIO

from regen_core.adapters.http.exchange import Exchange
from regen_core.idempotency import Replay
from regen_core.regeneration import Regeneration

__all__ = ["RequestLog", "ServerLog", "entry_of"]

_write = json.JSONEncoder(separators=(",", ":")).encode

_WATCHED: Final = ("window", "GET", 200)
"""A page that watches asks every second; what it is told without a fault isn't worth a line."""

_LOGGERS: Final = ("uvicorn.error", "asyncio")


def _utc_now() -> datetime:
    return datetime.now(UTC)


def entry_of(exchange: Exchange, duration: float) -> dict[str, object]:
    """What the log says of a request; ``ms`` in milliseconds. Names without a value are left out.

    The track id is the one value of the caller's: it is there to be found in logs, and only a valid one is known.
    """
    outcome, caller = exchange.outcome, exchange.caller
    refusal = None if outcome is None or isinstance(outcome, Regeneration | Replay) else outcome
    told = {
        "route": exchange.route,
        "request_id": exchange.request_id,
        "track_id": exchange.track_id,
        "tenant": None if caller is None else caller.tenant,
        "entity": None if exchange.admitted is None else exchange.admitted.scope.entity,
        "status": exchange.status,
        "code": None if refusal is None else refusal.code,
        "refusal": exchange.refusal_name if refusal is None else refusal.name,
        "is_replay": True if isinstance(outcome, Replay) else None,
        "fault": exchange.fault,
        "ms": round(duration * 1000, 3),
    }
    return {name: value for name, value in told.items() if value is not None}


class RequestLog:
    """An observer that writes a line per request. A log that can't be written never costs anybody an answer."""

    def __init__(self, stream: TextIO, *, now: Callable[[], datetime] = _utc_now) -> None:
        self._stream, self._now = stream, now

    def answered(self, exchange: Exchange, duration: float) -> None:
        """Write the line of a request, unless somebody only watched."""
        if (exchange.route, exchange.method, exchange.status) == _WATCHED:
            return
        self.event("request", entry_of(exchange, duration))

    def event(self, name: str, told: Mapping[str, object]) -> None:
        """Write a line; ``told`` is the service's own words and numbers."""
        line = _write({"at": self._now().isoformat(timespec="milliseconds"), "event": name, **told})
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            return


class ServerLog(logging.Handler):
    """Takes over what the server's own loggers say: that they said something, and where."""

    def __init__(self, log: RequestLog) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Write who said something and where in its code; messages and tracebacks may hold anything, and stay out."""
        error = record.exc_info[0] if record.exc_info else None
        fault = {} if error is None else {"fault": error.__name__}
        told = {"level": record.levelname.lower(), "logger": record.name, "where": f"{record.module}:{record.lineno}"}
        self._log.event("server", {**told, **fault})

    def install(self) -> None:
        """Become the only handler of the server's loggers."""
        for name in _LOGGERS:
            logger = logging.getLogger(name)
            logger.handlers, logger.propagate = [self], False
            logger.setLevel(logging.WARNING)
