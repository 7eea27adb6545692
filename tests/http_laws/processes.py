"""Services in processes of their own, on real sockets of the loopback, that can be killed by their id.

A worker runs the service as ``regen serve`` puts it together, with tokens given out directly. What it executes is dated
by a file that the test writes, so that a model in the test's process can say the same; without one by the clock.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import Enum
from http.client import HTTPConnection, HTTPException
from mmap import mmap
from multiprocessing.connection import Connection
from pathlib import Path
from select import select
from typing import Final
from urllib.parse import urlsplit

from attrs import define, evolve, field, frozen

from regen_core.access import Caller
from regen_core.adapters.http.configuration import Configuration
from regen_core.adapters.http.execution import Executor, Outcome, Work
from regen_core.adapters.http.running import Additions, Surroundings, run_service
from regen_core.adapters.http.server import ServerSettings, bound_socket, url_of
from regen_core.adapters.http.tokens import Tokens
from regen_core.adapters.sql import SqlStore
from regen_core.transactions import Occasion
from tests.crash.children import PRELOADED, Child, child
from tests.http_laws.calling import Heard, Sent, inflated
from tests.http_laws.serving import PLENTY, Dated

__all__ = ["GONE", "How", "Moment", "Remote", "Served", "served"]

multiprocessing.get_context("forkserver").set_forkserver_preload([__name__, PRELOADED])
"""Where nothing was forked yet, services start in milliseconds; :mod:`tests.crash.children` asks for the first."""

PATIENCE: Final = 60.0
"""Seconds until an answer that doesn't come counts as a hang."""

GONE: Final = (OSError, HTTPException)
"""What is raised instead of an answer where the service is no longer there."""

LATER: Final = 0.05
"""Seconds by which the control's commits come after its answers."""


class How(Enum):
    """How a worker executes: as the service does, or with a protection taken out, which must be noticed."""

    WELL = "each answer is durable"
    EARLY = "answers are given before the commit"
    WITHOUT_KEYS = "keys are looked at by nobody"


@frozen
class Moment:
    """A moment in a file, which several processes look at."""

    path: Path

    def set(self, occasion: Occasion) -> None:
        """Let it be then."""
        with self.path.open("r+b") as file:
            file.write(struct.pack("<d", occasion.at.timestamp()))

    def made(self) -> Moment:
        """The file, long enough to be looked at."""
        self.path.write_bytes(bytes(8))
        return self

    def reader(self) -> Callable[[], Occasion]:
        """What tells which moment it is."""
        with self.path.open("rb") as file:
            seen = mmap(file.fileno(), 8, prot=1)

        def now() -> Occasion:
            return Occasion(datetime.fromtimestamp(struct.unpack("<d", seen[:8])[0], UTC))

        return now


class _Early:
    """Answers with what would come of it, and lets it come later."""

    def __init__(self, store: SqlStore, inner: Executor) -> None:
        self._store, self._inner = store, inner
        self._later = set[asyncio.Future[Outcome]]()

    async def submit(self, work: Work) -> Outcome:
        planned = self._store.plan(work.scope, work.request, work.occasion)
        self._later.add(asyncio.ensure_future(self._execute(work)))
        return planned

    async def _execute(self, work: Work) -> Outcome:
        await asyncio.sleep(LATER)
        return await self._inner.submit(work)


class _WithoutKeys:
    """Executes every request, whether or not it was executed before."""

    def __init__(self, inner: Executor) -> None:
        self._inner = inner

    async def submit(self, work: Work) -> Outcome:
        return await self._inner.submit(evolve(work, idempotent=None))


def _around(how: How, store: SqlStore, moment: Path | None) -> Callable[[Executor], Executor]:
    """What is put between the service and its store."""

    def changed(executor: Executor) -> Executor:
        if how is How.EARLY:
            executor = _Early(store, executor)
        if how is How.WITHOUT_KEYS:
            executor = _WithoutKeys(executor)
        return executor if moment is None else Dated(executor, Moment(moment).reader())

    return changed


def serves(pipe: Connection, url: str, callers: tuple[Caller, ...], moment: Path | None, how: How) -> None:
    """A worker: a service that tells its address and a token of each caller, and ends with its process."""
    threads = 1 if url.startswith("sqlite") else 8
    configuration = Configuration(quotas=PLENTY, threads=threads, server=ServerSettings(stop_seconds=5))
    tokens = Tokens(lambda: 0.0)
    given = [tokens.issue(caller) for caller in callers]
    with SqlStore.open(url) as store, bound_socket("127.0.0.1", 0) as listening, Path(os.devnull).open("w") as log:
        run_service(
            configuration,
            store,
            Surroundings(listening=listening, log=log),
            on_start=lambda: pipe.send((url_of(listening), given)),
            additions=Additions(around=_around(how, store, moment), tokens=tokens),
        )


@define
class Remote:
    """A client of a service at an address: a connection that stays open, nothing retried; it accepts gzip (REQ-10)."""

    url: str
    _connection: HTTPConnection = field(init=False)

    def __attrs_post_init__(self) -> None:
        address = urlsplit(self.url)
        assert address.hostname is not None, "services tell where they listen"
        self._connection = HTTPConnection(address.hostname, address.port, timeout=PATIENCE)

    def __call__(self, sent: Sent) -> Heard:
        """What it answers; raises one of ``GONE`` where it doesn't."""
        connection = self._connection
        self._leave_what_was_closed()
        try:
            connection.putrequest(sent.method, sent.target, skip_accept_encoding=True)
            for name, value in ((b"accept-encoding", b"gzip"), *sent.headers):
                connection.putheader(name, value)
            _send_body(connection, sent.parts)
            response = connection.getresponse()
            body = response.read()
        except GONE:
            connection.close()
            raise
        told = tuple([(name.lower(), value) for name, value in response.getheaders()])
        return inflated(Heard(response.status, told, body))

    def _leave_what_was_closed(self) -> None:
        """A connection on which something comes that nobody asked for is one that the service closed meanwhile."""
        if self._connection.sock is not None and select([self._connection.sock], [], [], 0)[0]:
            self._connection.close()

    def close(self) -> None:
        """Close its connection."""
        self._connection.close()


def _send_body(connection: HTTPConnection, parts: tuple[bytes, ...]) -> None:
    """One part goes with its length, several in chunks as they are."""
    if len(parts) == 1:
        connection.putheader("content-length", str(len(parts[0])))
        connection.endheaders(parts[0])
    else:
        connection.putheader("transfer-encoding", "chunked")
        connection.endheaders(iter(parts), encode_chunked=True)


@define
class Served:
    """A running service, its address, and the tokens of its callers."""

    process: Child
    url: str
    tokens: dict[Caller, str]

    @property
    def remote(self) -> Remote:
        """A new client."""
        return Remote(self.url)


@contextmanager
def served(url: str, *callers: Caller, moment: Moment | None = None, how: How = How.WELL) -> Iterator[Served]:
    """A service on the store at ``url`` for the time of the block, at most."""
    with child(serves, url, callers, None if moment is None else moment.path, how) as process:
        assert process.wait_for_report(), "the service didn't start"
        address, given = process.reports[0]
        yield Served(process, address, dict(zip(callers, given, strict=True)))
