"""``regen deliver`` is killed with SIGKILL at random moments, again and again until all deliveries have arrived.

After half of the kills of a relay to a file, the file also loses part of what was not acknowledged, as it would with
the power. From the command line::

    python -m tests.crash.kill_relay --seeds 0:100
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Final

from attrs import define

from regen_core.adapters.sql import SqlStore
from tests.crash.children import Child, child
from tests.crash.lives import lived
from tests.crash.relays import fill, judge_file, judge_ledger, tear
from tests.crash.seeds import chosen_seeds
from tests.crash.tally import Tally
from tests.crash.verdict import Verdict
from tests.crash.workers import How, delivers, relays

__all__ = ["Relay", "filled", "forget_filled", "main", "run", "wait"]

_DELIVERIES: Final = 400
_BATCH: Final = 40
"""What waits at first, and how much of it goes between two acknowledgements."""

_MOMENT: Final = 0.12
"""Longest time in seconds until the kill: about as long as an undisturbed relay needs for all."""

_LEDGER: Final = "ledger"


_AT_ONCE: Final = 0.002


def wait(worker: Child, rng: Random, how: How, moment: float) -> None:
    """Wait for the moment of the kill; at the control's for one after it has acknowledged what it is about to send."""
    worker.wait_for_report()
    if how is How.EARLY:
        for _ in range(rng.randint(1, 3)):
            worker.wait_for_report()
    time.sleep(rng.uniform(0, _AT_ONCE if how is How.EARLY else moment))


_FILLED: Final[dict[int, tuple[Path, TemporaryDirectory[str]]]] = {}


def filled(deliveries: int) -> Path:
    """A database in which so many deliveries wait, made once."""
    if deliveries not in _FILLED:
        directory = TemporaryDirectory(prefix="regen-crash-")
        path = Path(directory.name) / "filled.db"
        fill(f"sqlite:///{path}", deliveries)
        _FILLED[deliveries] = path, directory
    return _FILLED[deliveries][0]


def forget_filled() -> None:
    """Remove the databases that relays started from."""
    while _FILLED:
        _FILLED.popitem()[1][1].cleanup()


@define
class Relay:
    """A store of its own and where its deliveries go."""

    directory: Path
    to_file: bool
    how: How = How.WELL
    deliveries: int = _DELIVERIES
    batch: int = _BATCH

    def __attrs_post_init__(self) -> None:
        shutil.copy(filled(self.deliveries), self.database)

    @property
    def database(self) -> Path:
        """The store's file."""
        return self.directory / "regen.db"

    @property
    def file(self) -> Path:
        """Where the lines go."""
        return self.directory / "deliveries.ndjson"

    @property
    def given(self) -> tuple[str, str, int, How]:
        """What a relay is told: the database's URL, the destination, the batch, and how."""
        return f"sqlite:///{self.database}", f"file:{self.file}" if self.to_file else _LEDGER, self.batch, self.how

    def kill_once(self, rng: Random) -> bool:
        """Let a relay begin and kill it; whether that disturbed it."""
        with child(relays, *self.given) as worker:
            wait(worker, rng, self.how, _MOMENT)
            was_disturbed = worker.kill()
        if was_disturbed and self.to_file and rng.random() < 0.5:
            with SqlStore.open(self.given[0]) as store:
                tear(store, self.file, rng)
        return was_disturbed

    def finish(self) -> None:
        """Let the real relay do all that is left, here."""
        delivers(*self.given[:3])

    def judge(self, *, is_finished: bool) -> Verdict:
        """Compare what arrived with what was committed."""
        with SqlStore.open(self.given[0]) as store:
            if self.to_file:
                return judge_file(store, self.file, is_finished=is_finished)
            return judge_ledger(store, is_finished=is_finished)


def run(seed: int, *, how: How = How.WELL, kills: int | None = None) -> Tally:
    """One outbox, to a file for even seeds and to the ledger for odd ones; at most ``kills`` of its relays die."""
    rng = Random(seed)  # noqa: S311  # reproducible, but for the moments
    with TemporaryDirectory(prefix="regen-crash-") as directory:
        return lived(Relay(Path(directory), to_file=seed % 2 == 0, how=how), rng, seed, kills)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; the exit code is 1 where something was lost or changed."""
    try:
        return chosen_seeds("tests.crash.kill_relay", __doc__, run, arguments)
    finally:
        forget_filled()


if __name__ == "__main__":
    sys.exit(main())
