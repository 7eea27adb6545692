"""The relay: claims deliveries, sends them to one place, and notes what became of each; at least once (REV-0, REV-4).

Owns the order of these steps and nothing else. The clock, the random number and sleeping come in from outside. Whatever
happens in between, a delivery is acknowledged after it was taken and never before; what was claimed and not sent is
given back, and if the relay dies, its lease ends.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from enum import Enum, unique
from typing import Final

from attrs import define, field, frozen

from regen_core.access import Scope
from regen_core.adapters.revenue.sink import Part, Sink
from regen_core.attempts import (
    Acknowledged,
    Answer,
    Parked,
    Pause,
    Refused,
    Released,
    RetryPolicy,
    TryAgain,
    after_attempt,
    astray_in_a_row,
    parked_in_a_row,
    pause_after,
)
from regen_core.ports import Outbox, OutboxEntry, Settlement, StoreFault

__all__ = ["IDLE", "Happened", "Relay", "Round", "TakesNothing", "Tally", "Until", "World", "idle"]

IDLE: Final = timedelta(seconds=1)
"""How often a relay with nothing to do looks into the outbox: soon enough for people, cheap for a database."""

_SHORTEST: Final = timedelta(milliseconds=50)
"""Shortest sleep: what becomes due is looked for again, not in a spin."""


@unique
class Until(Enum):
    """When a relay ends: after what is due now, when nothing waits any more, or when it is told to."""

    ONCE = "once"
    DONE = "done"
    STOPPED = "stopped"


@frozen(kw_only=True)
class World:
    """What a relay can't know by itself.

    Fields: ``now`` in UTC; ``elapsed`` seconds that never jump; ``sleep`` for seconds, shorter if it is told to stop;
    ``jitter`` a random number from 0 up to but not including 1; ``is_stopped`` whether it was told to stop.
    """

    now: Callable[[], datetime]
    elapsed: Callable[[], float]
    sleep: Callable[[float], None]
    jitter: Callable[[], float]
    is_stopped: Callable[[], bool] = field(default=lambda: False)


@frozen
class Happened:
    """An attempt that failed: with how many deliveries, why, and after how long it is repeated.

    ``again_in`` ``None``: the deliveries are parked.
    """

    entries: tuple[OutboxEntry, ...]
    reason: str
    again_in: timedelta | None


@frozen
class TakesNothing:
    """So many deliveries were parked in a row that it is the destination that is suspected, or so many answers said so.

    ``again_in`` ``None``: the relay ends; else one more delivery is tried after that time. ``said`` is what the answers
    said, the last time; ``None`` where deliveries were parked.
    """

    in_a_row: int
    again_in: timedelta | None
    said: str | None = None


@define
class Tally:
    """What a relay has done so far; a delivery that failed twice was retried twice.

    ``held_up`` tells that the relay ended because the destination doesn't work or takes nothing, so that more could be
    due.
    """

    delivered: int = 0
    retried: int = 0
    parked: int = 0
    held_up: bool = False


@frozen
class Round:
    """How many deliveries were claimed, and how long the destination is left alone, ``None``: not at all."""

    claimed: int
    pause: Pause | None


@define(kw_only=True)
class Relay:
    """A relay from one outbox to one sink, which is open. ``tell`` gets what happens while it runs."""

    store: Outbox
    scope: Scope
    sink: Sink
    world: World
    batch: int
    policy: RetryPolicy
    tell: Callable[[Happened | TakesNothing], None] = field(default=lambda _: None)
    tally: Tally = field(factory=Tally, init=False)
    parked_in_a_row: int = field(default=0, init=False)
    astray_in_a_row: int = field(default=0, init=False)

    def run(self, until: Until) -> Tally:
        """Deliver until the end that was asked for. Raises what store and sink raise."""
        while not self.world.is_stopped():
            done = self.round()
            if done.pause is not None:
                if self._ends_at(done.pause, until):
                    self.tally.held_up = True
                    break
                self.world.sleep(done.pause.wait.total_seconds())
            elif not done.claimed:
                wait = idle(self.store, self.scope, until)
                if wait is None:
                    break
                self.world.sleep(wait.total_seconds())
        return self.tally

    def _ends_at(self, pause: Pause, until: Until) -> bool:
        """Whether a destination that is to be left alone is not waited for."""
        ends = until is Until.ONCE or (pause.takes_nothing and until is Until.DONE)
        if pause.takes_nothing:
            in_a_row = self.parked_in_a_row if pause.said is None else self.astray_in_a_row
            self.tell(TakesNothing(in_a_row, None if ends else pause.wait, pause.said))
        return ends

    def round(self) -> Round:
        """Claim what is due, send it as far as time and destination allow, and give the rest back."""
        began = self.world.elapsed()
        claimed = self.store.claim(self.scope, self.batch, self.sink.lease)
        unsettled = {entry.position: Settlement(entry, Released()) for entry in claimed}
        try:
            pause = self._send(deque(self.sink.parts(claimed)), unsettled, began)
        except BaseException:
            with suppress(StoreFault, OSError):
                self._give_back(unsettled)
            raise
        self._give_back(unsettled)
        return Round(len(claimed), pause)

    def _send(self, waiting: deque[Part], unsettled: dict[int, Settlement], began: float) -> Pause | None:
        """Send part after part; a refused part is halved until the delivery stands alone that is refused."""
        while waiting and self._may_send(began):
            part = waiting.popleft()
            answer = self.sink.send(part)
            if isinstance(answer, Refused) and len(part.entries) > 1:
                waiting.extendleft(reversed(part.halves()))
                unsettled.update(self._doubtful(part, answer))
                continue
            pause = self._settle(part, answer)
            for entry in part.entries:
                del unsettled[entry.position]
            if pause is not None:
                return pause
        return None

    def _doubtful(self, part: Part, answer: Refused) -> dict[int, Settlement]:
        """What is noted where time runs out before the refused delivery is found: next time each goes alone.

        Were they given back as if nothing had been, the same search would begin anew and perhaps never end.
        """
        again = TryAgain(self.world.now(), answer.reason)
        return {entry.position: Settlement(entry, again) for entry in part.entries}

    def _may_send(self, began: float) -> bool:
        """Not told to stop, and sure to have the answer while the claim holds."""
        if self.world.is_stopped():
            return False
        lease, patience = self.sink.lease.total_seconds(), self.sink.patience.total_seconds()
        return not lease or self.world.elapsed() - began + patience <= lease

    def _settle(self, part: Part, answer: Answer) -> Pause | None:
        """Note an answer; how long the destination is left alone where that is what failed."""
        now, jitter = self.world.now(), self.world.jitter()
        settled = [
            Settlement(
                each,
                after_attempt(answer, failed_before=each.attempts, now=now, jitter=jitter, policy=self.policy),
            )
            for each in part.entries
        ]
        self.store.settle(self.scope, settled)
        self._count(settled, now)
        self.astray_in_a_row = astray_in_a_row(self.astray_in_a_row, answer)
        return pause_after(
            answer,
            in_a_row=self.parked_in_a_row,
            astray=self.astray_in_a_row,
            has_parked=any(isinstance(each.outcome, Parked) for each in settled),
            failed_before=min(each.attempts for each in part.entries),
            jitter=jitter,
            policy=self.policy,
        )

    def _count(self, settled: list[Settlement], now: datetime) -> None:
        for each in settled:
            self.parked_in_a_row = parked_in_a_row(self.parked_in_a_row, each.outcome)
            match each.outcome:
                case Acknowledged():
                    self.tally.delivered += 1
                case TryAgain():
                    self.tally.retried += 1
                case Parked(reason):
                    self.tally.parked += 1
                    self.tell(Happened((each.entry,), reason, None))
        again = [each for each in settled if isinstance(each.outcome, TryAgain)]
        if again and isinstance(again[0].outcome, TryAgain):
            first = again[0].outcome
            self.tell(Happened(tuple([each.entry for each in again]), first.reason, first.at - now))

    def _give_back(self, unsettled: dict[int, Settlement]) -> None:
        if unsettled:
            self.store.settle(self.scope, tuple(unsettled.values()))


def idle(store: Outbox, scope: Scope, until: Until) -> timedelta | None:
    """How long to sleep when nothing is due; ``None`` at the end."""
    if until is Until.ONCE:
        return None
    backlog = store.backlog(scope)
    if backlog.next_due is None:
        return IDLE if until is Until.STOPPED else None
    return min(IDLE, max(_SHORTEST, backlog.next_due - backlog.at))
