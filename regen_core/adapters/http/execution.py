"""Where the store's work is done: off the event loop, by a bounded number of threads with a bounded queue.

:class:`Executor` is the seam of one method that everything else sees. Whoever executes otherwise (in groups that share
a commit, or with faults injected around it) puts another one there.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore
from typing import Final, Protocol

from regen_core.calls import RegenerateCall
from regen_core.idempotency import Replay
from regen_core.ports import DocumentStore, StoreFault
from regen_core.refusals import Refusal
from regen_core.regeneration import Regeneration

__all__ = ["Executor", "Outcome", "Overloaded", "StoreThreads", "Work"]

Outcome = Regeneration | Refusal | Replay
"""What a request led to, as :meth:`regen_core.ports.DocumentStore.regenerate` says it."""

MOST_IN_FLIGHT: Final = 512
"""Requests that are executed or wait for a thread: a few seconds of work, and more would wait in vain."""


Work = RegenerateCall
"""An admitted request as a store takes it."""


class Executor(Protocol):
    """Has requests executed. The answer is durable when it is given (IDM-7)."""

    async def submit(self, work: Work) -> Outcome:
        """What the request led to; raises :class:`~regen_core.ports.StoreFault` where the store can't do it."""
        ...


class Overloaded(StoreFault):
    """More requests wait than can be answered in time; nothing was begun."""

    def __init__(self) -> None:
        super().__init__("Too many requests wait for the store. Nothing was begun; try again later.")


class StoreThreads:
    """Executes each request in a unit of work of its own, on threads of its own."""

    def __init__(self, store: DocumentStore, *, threads: int = 1, most_in_flight: int = MOST_IN_FLIGHT) -> None:
        self._store = store
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="regen-store")
        self._places = BoundedSemaphore(most_in_flight)

    async def submit(self, work: Work) -> Outcome:
        """Wait for a thread; raises :class:`Overloaded` at once where too many wait already.

        Who stops waiting doesn't stop the work: it ends as if somebody waited.
        """
        if not self._places.acquire(blocking=False):
            raise Overloaded
        return await asyncio.shield(asyncio.wrap_future(self._pool.submit(self._execute, work)))

    def _execute(self, work: Work) -> Outcome:
        try:
            return self._store.regenerate(work.scope, work.request, work.occasion, idempotent=work.idempotent)
        finally:
            self._places.release()

    def close(self) -> None:
        """Let what was begun end, and take nothing more."""
        self._pool.shutdown()
