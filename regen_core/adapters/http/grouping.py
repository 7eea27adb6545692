"""Requests in flight share one durable commit, and each is answered only after it (IDM-7).

Nothing is waited for: a group is what came while the group before it was at the store. One request alone is a group of
one; the more come at once, the fewer commits they cost. That pays where one unit writes at a time, as in SQLite.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

from regen_core.adapters.http.execution import MOST_IN_FLIGHT, Outcome, Overloaded, Work
from regen_core.ports import DocumentStore, StoreFault

__all__ = ["GroupedCommits", "MOST_TOGETHER"]

MOST_TOGETHER: Final = 64
"""Requests of one commit: the wait for the disk is shared by then, and the first of them isn't kept for the last."""

_Waiting = tuple[Work, asyncio.Future[Outcome]]


class GroupedCommits:
    """Executes requests in groups, on one thread. Used from one event loop."""

    def __init__(
        self, store: DocumentStore, *, most_together: int = MOST_TOGETHER, most_in_flight: int = MOST_IN_FLIGHT
    ) -> None:
        self._store, self._most_together, self._most_in_flight = store, most_together, most_in_flight
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="regen-store")
        self._waiting: list[_Waiting] = []
        self._at_work = 0

    async def submit(self, work: Work) -> Outcome:
        """Wait for the group's commit; raises :class:`Overloaded` at once where too many wait already.

        Who stops waiting doesn't stop the work: it ends as if somebody waited.
        """
        if self._at_work + len(self._waiting) >= self._most_in_flight:
            raise Overloaded
        answered = asyncio.get_running_loop().create_future()
        self._waiting.append((work, answered))
        self._go_on()
        return await asyncio.shield(answered)

    def _go_on(self) -> None:
        if self._at_work or not self._waiting:
            return
        group, self._waiting = self._waiting[: self._most_together], self._waiting[self._most_together :]
        self._at_work = len(group)
        done = asyncio.wrap_future(self._pool.submit(self._perform, [work for work, _ in group]))
        done.add_done_callback(partial(self._answer, group))

    def _answer(self, group: Sequence[_Waiting], done: asyncio.Future[list[Outcome | Exception]]) -> None:
        self._at_work = 0
        self._go_on()
        for (_, answered), outcome in zip(group, done.result(), strict=True):
            if isinstance(outcome, Exception):
                answered.set_exception(outcome)
            else:
                answered.set_result(outcome)

    def _perform(self, group: Sequence[Work]) -> list[Outcome | Exception]:
        """What each led to. A store that can't do its work says so to all; any other error is one request's own."""
        if len(group) == 1:
            return [self._alone(group[0])]
        try:
            return [*self._store.regenerate_together(group)]
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
        self._pool.shutdown()
        self._perform_the_rest()

    def _perform_the_rest(self) -> None:
        rest, self._waiting = self._waiting, []
        for work, _ in rest:
            self._alone(work)
