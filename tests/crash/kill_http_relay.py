"""``regen deliver --to http://…`` is killed with SIGKILL at random moments; the receiver is a real server and lives on.

The receiver keeps what it took, and now and then breaks the connection before or after it took something. From the
command line::

    python -m tests.crash.kill_http_relay --seeds 0:100
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, Final, Self

from attrs import define

from regen_core.adapters.revenue.http_sink import LEASE
from regen_core.adapters.sql import SqlStore
from tests.crash.children import child
from tests.crash.kill_relay import filled, forget_filled, wait
from tests.crash.lives import lived
from tests.crash.points import CRASHED
from tests.crash.relays import judge_receiver
from tests.crash.seeds import chosen_seeds
from tests.crash.tally import Tally
from tests.crash.verdict import Verdict
from tests.crash.workers import How, relays_later
from tests.relay.receiver import Behaviour, Receiver, Request, answers, cuts

__all__ = ["HttpRelay", "main", "run", "unsteady"]

_DELIVERIES: Final = 400
_BATCH: Final = 20
"""What waits at first, and how much of it goes in a request."""

_MOMENT: Final = 0.15
"""Longest time in seconds until the kill: about as long as an undisturbed relay needs for all."""


def unsteady(rng: Random) -> Behaviour:
    """Mostly take and say so; now and then break the connection, with or without having taken what came."""
    likely = (answers(200), answers(200), answers(204), cuts(takes=True), cuts())

    def answer(receiver: Receiver, handler: Any, request: Request) -> None:
        chosen = rng.choices(likely, (20, 10, 10, 1, 1))[0]
        if chosen.takes:
            receiver.taken.append(request)
        chosen.answer(receiver, handler, request)

    return Behaviour(answer)


@define
class HttpRelay:
    """A store of its own, and the relays that live on it one after the other, each later by more than a lease."""

    url: str
    receiver: Receiver
    how: How = How.WELL
    batch: int = _BATCH
    lives: int = 0

    @classmethod
    def on_sqlite(
        cls,
        directory: Path,
        receiver: Receiver,
        how: How = How.WELL,
        *,
        deliveries: int = _DELIVERIES,
        batch: int = _BATCH,
    ) -> Self:
        """On a file in which so many deliveries wait."""
        shutil.copy(filled(deliveries), directory / "regen.db")
        return cls(f"sqlite:///{directory / 'regen.db'}", receiver, how, batch)

    def given(self, crash_at: int = 0) -> tuple[str, str, int, How, timedelta, int]:
        """What the next relay is told."""
        self.lives += 1
        return self.url, self.receiver.url, self.batch, self.how, self.lives * (LEASE + timedelta(seconds=1)), crash_at

    def kill_once(self, rng: Random) -> bool:
        """Let a relay begin and kill it; whether that disturbed it."""
        with child(relays_later, *self.given()) as worker:
            wait(worker, rng, self.how, _MOMENT)
            return worker.kill()

    def die_at(self, point: int) -> list[str]:
        """Let a relay die at a numbered point; the names of all points where it has fewer."""
        with child(relays_later, *self.given(point)) as worker:
            code = worker.end()
        return worker.reports[-1] if code != CRASHED else []

    def finish(self) -> None:
        """Let a relay do all that is left."""
        with child(relays_later, *self.given()) as worker:
            worker.end()

    def judge(self, *, is_finished: bool) -> Verdict:
        """Compare what arrived with what was committed."""
        with SqlStore.open(self.url) as store:
            received = [each for request in list(self.receiver.taken) for each in request.deliveries]
            return judge_receiver(store, received, is_finished=is_finished)


def run(seed: int, *, how: How = How.WELL, kills: int | None = None) -> Tally:
    """One outbox; at most ``kills`` of its relays die."""
    rng = Random(seed)  # noqa: S311  # reproducible, but for the moments
    receiver = Receiver(otherwise=unsteady(Random(seed)))  # noqa: S311  # as above
    with TemporaryDirectory(prefix="regen-crash-") as directory, receiver:
        return lived(HttpRelay.on_sqlite(Path(directory), receiver, how), rng, seed, kills)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; the exit code is 1 where something was lost or changed."""
    try:
        return chosen_seeds("tests.crash.kill_http_relay", __doc__, run, arguments)
    finally:
        forget_filled()


if __name__ == "__main__":
    sys.exit(main())
