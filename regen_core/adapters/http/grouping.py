"""Requests in flight share one durable commit, and each is answered only after it (IDM-7).

Nothing is waited for: a group is what came while the group before it was at the store. One request alone is a group of
one; the more come at once, the fewer commits they cost. That pays where one unit writes at a time, as in SQLite.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Final

from regen_core.adapters.http.execution import MOST_IN_FLIGHT, Outcome, Overloaded, Work
from regen_core.ports import DocumentStore, StoreFault

__all__ = ["GroupedCommits", "MOST_TOGETHER"]

MOST_TOGETHER: Final = 64
"""Requests of one commit: the wait for the disk is shared by then, and the first of them isn't kept for the last."""

_Waiting = tuple[Work, asyncio.Future[Outcome]]


class GroupedCommits:
    """Executes requests in groups, on one thread, which takes the next group as soon as one is durable.

    Used from one event loop.
    """

    def __init__(
        self, store: DocumentStore, *, most_together: int = MOST_TOGETHER, most_in_flight: int = MOST_IN_FLIGHT
    ) -> None:
        self._store, self._most_together, self._most_in_flight = store, most_together, most_in_flight
        self._waiting: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._in_flight = 0
        self._thread = Thread(target=self._work, name="regen-store", daemon=True)
        self._thread.start()

    async def submit(self, work: Work) -> Outcome:
        """Wait for the group's commit; raises :class:`Overloaded` at once where too many wait already.

        Who stops waiting doesn't stop the work: it ends as if somebody waited.
        """
        if self._in_flight >= self._most_in_flight:
            raise Overloaded
        answered: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._in_flight += 1
        self._waiting.put((work, answered))
        return await answered

    def _work(self) -> None:
        """Perform groups until nothing more will come."""
        is_open = True
        while is_open:
            group, is_open = self._next()
            if group:
                self._tell(group, self._perform([work for work, _ in group]))

    def _next(self) -> tuple[list[_Waiting], bool]:
        """What waits, as soon as something does; and whether more may come."""
        group = list[_Waiting]()
        with suppress(Empty):
            while len(group) < self._most_together:
                waiting = self._waiting.get(block=not group)
                if waiting is None:
                    return group, False
                group.append(waiting)
        return group, True

    def _tell(self, group: Sequence[_Waiting], outcomes: Sequence[Outcome | Exception]) -> None:
        """Let the event loop answer; where that has ended, nobody is there to hear it."""
        with suppress(RuntimeError):
            group[0][1].get_loop().call_soon_threadsafe(self._answer, group, outcomes)

    def _answer(self, group: Sequence[_Waiting], outcomes: Sequence[Outcome | Exception]) -> None:
        self._in_flight -= len(group)
        for (_, answered), outcome in zip(group, outcomes, strict=True):
            if answered.cancelled():
                continue
            if isinstance(outcome, Exception):
                answered.set_exception(outcome)
            else:
                answered.set_result(outcome)

    def _perform(self, group: Sequence[Work]) -> Sequence[Outcome | Exception]:
        """What each led to. A store that can't do its work says so to all; any other error is one request's own."""
        if len(group) == 1:
            return [self._alone(group[0])]
        try:
            return self._store.regenerate_together(group)
        except StoreFault as fault:
            return [fault] * len(group)
        except Exception:  # noqa: BLE001  # nothing is stored: whose error it is shows when each is performed alone
            return [self._alone(work) for work in group]

    def _alone(self, work: Work) -> Outcome | Exception:
        try:
            return self._store.regenerate(work.scope, work.request, work.occasion, idempotent=work.idempotent)
        except Exception as error:  # noqa: BLE001  # it is raised where the request is answered
            return error

    def close(self) -> None:
        """Let what was begun end, and take nothing more."""
        self._waiting.put(None)
        self._thread.join()
