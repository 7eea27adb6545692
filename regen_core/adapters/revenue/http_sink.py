"""Deliveries sent to an address by HTTP POST, several to a request, one line of JSON each.

Owns the exchange: what is sent, how long it may take and how much of an answer is read. What an answer means is decided
in :mod:`regen_core.attempts`. httpcore, the transport below httpx, does exactly one exchange and nothing of its own
accord: it follows no redirect, keeps no cookies and reads no proxy or password from the environment.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from importlib.metadata import version
from types import TracebackType
from typing import Final, Self

import httpcore
from attrs import define, field

from regen_core.adapters.revenue.bounded_network import BoundedNetwork, Deadline
from regen_core.adapters.revenue.destination import Destination
from regen_core.adapters.revenue.sink import Part, joined, part_of
from regen_core.attempts import Answer, Failed, answer_of_status
from regen_core.ports import OutboxEntry
from regen_core.statuses import Concern

__all__ = ["HttpSink", "LEASE", "MAX_BODY", "PATIENCE", "READ_OF_ANSWER"]

PATIENCE: Final = timedelta(seconds=30)
"""From connecting to the last byte of the answer: a receiver that commits a hundred lines needs a fraction of it."""

LEASE: Final = timedelta(seconds=60)
"""Time for one slow answer and for many quick ones; after a crash nobody waits longer than this."""

CONNECT: Final = 10.0
"""Seconds to connect and shake hands: a server that takes longer is not there."""

MAX_BODY: Final = 1 << 20
"""Bytes of a request with several deliveries; receivers commonly take that much. A longer delivery goes alone."""

READ_OF_ANSWER: Final = 1 << 16
"""Bytes of an answer's body that are read, so that the connection can be used again; the status has said it all."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


@define
class HttpSink:
    """An address that takes deliveries, over one connection that is kept.

    ``patience`` is the longest time for one request and its answer; ``context`` verifies certificates, ``None`` for
    the system's authorities.
    """

    destination: Destination
    patience: timedelta = PATIENCE
    lease: timedelta = LEASE
    now: Callable[[], datetime] = _utc_now
    context: ssl.SSLContext | None = field(default=None, repr=False)
    _deadline: Deadline = field(factory=lambda: Deadline(time.monotonic), init=False, repr=False)
    _pool: httpcore.ConnectionPool = field(init=False, repr=False)

    @property
    def shown(self) -> str:
        """The address without secrets."""
        return self.destination.shown

    def __enter__(self) -> Self:
        self._pool = httpcore.ConnectionPool(
            ssl_context=self._verifying() if self.destination.scheme == "https" else None,
            max_connections=1,
            network_backend=BoundedNetwork(self._deadline),
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._pool.close()

    def _verifying(self) -> ssl.SSLContext:
        return self.context or ssl.create_default_context()

    def parts(self, entries: Sequence[OutboxEntry]) -> list[Part]:
        """Those that never failed together, as many as a body may hold; then each of the others alone.

        What made a request fail is often one delivery of it. Alone, it can't hold up the others a second time.
        """
        ones = [part_of([entry]) for entry in entries]
        together: list[list[Part]] = []
        size = MAX_BODY
        for one in ones:
            if one.entries[0].attempts:
                continue
            size += one.size
            if size > MAX_BODY:
                together.append([])
                size = one.size
            together[-1].append(one)
        return [*map(joined, together), *[one for one in ones if one.entries[0].attempts]]

    def send(self, part: Part) -> Answer:
        """One POST and its answer; a failure of the network is an answer too."""
        self._deadline.start(self.patience.total_seconds())
        try:
            status, retry_after = self._exchange(part)
        except httpcore.TimeoutException as late:
            return _too_late(late, self.patience)
        except (httpcore.NetworkError, httpcore.ProtocolError) as broken:
            return _broken(broken)
        return answer_of_status(status, retry_after, self.now())

    def _exchange(self, part: Part) -> tuple[int, str | None]:
        """The status, and what the answer asks to wait. The body is read to its end or to the limit."""
        limits = {name: self.patience.total_seconds() for name in ("read", "write", "pool")}
        timeout, body = {"timeout": {**limits, "connect": CONNECT}}, b"".join(part.lines)
        headers, size = self._headers(part), 0
        with self._pool.stream("POST", self._url(), headers=headers, content=body, extensions=timeout) as response:
            for piece in response.iter_stream():
                size += len(piece)
                if size > READ_OF_ANSWER:
                    break
            asked = [value for name, value in response.headers if name.lower() == b"retry-after"]
            return response.status, asked[0].decode("latin-1") if asked else None

    def _url(self) -> httpcore.URL:
        of = self.destination
        return httpcore.URL(
            scheme=of.scheme.encode(), host=of.host.encode(), port=of.port, target=of.target.encode("ascii")
        )

    def _headers(self, part: Part) -> list[tuple[str, str]]:
        headers = [
            ("Host", self.destination.authority),
            ("Content-Type", "application/x-ndjson"),
            ("Accept", "*/*"),
            ("User-Agent", f"regen-core/{version('regen-core')}"),
            ("Idempotency-Key", idempotency_key(part)),
        ]
        if self.destination.authorization is not None:
            headers.append(("Authorization", self.destination.authorization))
        return headers


def idempotency_key(part: Part) -> str:
    """The delivery's id, or for several a digest of all their ids: the same request has the same key, always."""
    ids = [entry.delivery.id for entry in part.entries]
    if len(ids) == 1:
        return ids[0]
    return f"batch-{blake2b(' '.join(ids).encode(), digest_size=16).hexdigest()}"


def _too_late(late: httpcore.TimeoutException, patience: timedelta) -> Failed:
    if isinstance(late, httpcore.ConnectTimeout):
        return Failed("the server didn't let anybody connect in time", Concern.DESTINATION)
    return Failed(f"no complete answer within {patience.total_seconds():g} s")


def _broken(broken: Exception) -> Failed:
    """Why an exchange failed, in words of our own: what a server or a library says may repeat what was sent."""
    if not isinstance(broken, httpcore.ConnectError):
        return Failed("the connection broke before the answer was complete")
    cause = broken.__cause__ or broken.__context__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return Failed("the server's certificate is not to be trusted", Concern.ADDRESS)
    if isinstance(cause, ssl.SSLError):
        return Failed("no encrypted connection came about", Concern.ADDRESS)
    if isinstance(cause, ConnectionRefusedError):
        return Failed("the connection was refused", Concern.DESTINATION)
    return Failed("the server can't be reached", Concern.DESTINATION)
