"""``regen migrate`` is killed with SIGKILL at random moments and resumed, again and again until its run is complete.

From the command line::

    python -m tests.crash.kill_migration --seeds 0:100
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Final

from attrs import define

from regen_core.adapters.sql import SqlStore
from tests.crash.children import child
from tests.crash.lives import lived
from tests.crash.migrations import Expected, Kept, fill, judge, migrates
from tests.crash.seeds import chosen_seeds
from tests.crash.tally import Tally
from tests.crash.verdict import Verdict

__all__ = ["Migration", "main", "run"]

_DOCUMENTS: Final = 60
_BATCH: Final = 3
"""What is to be migrated, and how much of it between two commits."""

_MOMENT: Final = 0.15
"""Longest time in seconds until the kill: about as long as an undisturbed run needs for all."""


@cache
def expected(documents: int) -> Expected:
    """What must come of so many documents, reckoned once."""
    return Expected.of(documents)


@define
class Migration:
    """A store of its own, and the run that migrates it."""

    directory: Path
    kept: Kept = Kept.TOGETHER
    documents: int = _DOCUMENTS
    batch: int = _BATCH

    def __attrs_post_init__(self) -> None:
        with SqlStore.open(self.url) as store:
            fill(store, self.documents)

    @property
    def database(self) -> Path:
        """The store's file."""
        return self.directory / "regen.db"

    @property
    def url(self) -> str:
        """How it is opened."""
        return f"sqlite:///{self.database}"

    def start_from(self, other: Path) -> None:
        """Begin anew with a copy of another store's file."""
        for old in self.directory.glob("regen.db*"):
            old.unlink()
        shutil.copy(other, self.database)

    def kill_once(self, rng: Random) -> bool:
        """Let a process begin or go on and kill it; whether that disturbed it."""
        with child(migrates, self.url, self.batch, self.kept) as worker:
            worker.wait_for_report()
            time.sleep(rng.uniform(0, _MOMENT))
            return worker.kill()

    def finish(self) -> None:
        """Let the real command do all that is left, here."""
        migrates(None, self.url, self.batch, Kept.TOGETHER)

    def judge(self, *, is_finished: bool) -> Verdict:
        """Compare the store with its run's log."""
        return judge(self.url, expected(self.documents), is_finished=is_finished)


def run(seed: int, *, kept: Kept = Kept.TOGETHER, kills: int | None = None) -> Tally:
    """One store, until its run is complete; at most ``kills`` of the processes that work on it die."""
    rng = Random(seed)  # noqa: S311  # reproducible, but for the moments
    with TemporaryDirectory(prefix="regen-crash-") as directory:
        return lived(Migration(Path(directory), kept), rng, seed, kills)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; the exit code is 1 where a document was passed over or done twice."""
    return chosen_seeds("tests.crash.kill_migration", __doc__, run, arguments)


if __name__ == "__main__":
    sys.exit(main())
