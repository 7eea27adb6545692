"""Simulated losses of power: a history is performed by SqlStore once, its disk is rebuilt in many possible ways.

Each image is opened by SQLite, checked for damage and read; what SqlStore makes of it is compared with the core's
replay of what had been acknowledged. From the command line, one line per block of seeds::

    python -m tests.crash.power_loss --seeds 0:100
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any, Final

from attrs import define, field, frozen
from sqlalchemy import event
from sqlalchemy.pool import Pool

from regen_core.adapters.sql import SqlStore
from regen_core.ports import Store
from tests.crash.directories import memory_directory
from tests.crash.disk import Disk, Image
from tests.crash.disk_events import Event, Mark
from tests.crash.history import Clock, History, Step, perform
from tests.crash.recording_vfs import recording
from tests.crash.seeds import chosen_seeds
from tests.crash.tally import Tally
from tests.crash.verdict import Recovered, judge, recovered

__all__ = ["IMAGES", "LENGTH", "losses", "main", "performed", "run"]

LENGTH: Final = 14
"""Steps of a history: enough for two checkpoints and several versions of a document."""

IMAGES: Final = 500
"""Different images of each history."""

_NAME: Final = "regen.db"
_PASSES: Final = 12
"""How often a history is gone through, each time for a third of the images, until there are enough different ones."""

Perform = Callable[[Store, Step], object]


@frozen
class Recording:
    """A history and what performing it did to the disk."""

    history: History
    events: tuple[Event, ...]


@contextmanager
def settings_on_connections(*statements: str) -> Iterator[None]:
    """Run PRAGMAs on every connection of any engine behind the store's back, after it has read its settings back."""

    def checked_out(connection: Any, *_: object) -> None:
        for statement in statements:
            connection.execute(f"PRAGMA {statement}").close()

    event.listen(Pool, "checkout", checked_out)
    try:
        yield
    finally:
        event.remove(Pool, "checkout", checked_out)


def performed(
    history: History,
    directory: Path,
    *,
    seed: int = 0,
    settings: Sequence[str] = (),
    act: Perform = perform,
    early: bool = False,
) -> Recording:
    """Record a history as SqlStore performs it, closing and opening the store on the way.

    ``seed`` decides where, and how often SQLite checkpoints. ``settings`` are PRAGMAs that the store doesn't know of;
    ``early`` acknowledges each step before it is performed.
    """
    rng, clock = Random(seed), Clock()  # noqa: S311  # reproducible
    own = f"wal_autocheckpoint = {rng.choice((3, 10, 40, 1000))}"
    with recording(directory) as recorder, settings_on_connections(own, *settings):
        store = _opened(directory, clock)
        for step in history.steps:
            clock.step = step.number
            recorder.events.append(Mark(step.number, step.number if early else step.number - 1))
            act(store, step)
            recorder.events.append(Mark(step.number, step.number))
            if rng.random() < 0.1:
                store.close()
                store = _opened(directory, clock)
        store.close()
    return Recording(history, tuple(recorder.events))


def _opened(directory: Path, clock: Clock) -> SqlStore:
    return SqlStore.open(f"sqlite:///{directory / _NAME}", clock=clock)


def _drawn(events: Sequence[Event], rng: Random, count: int, *, honest: bool) -> Iterator[tuple[Mark, Image]]:
    """Different images, and how far the history was at each; fewer where the history doesn't have so many."""
    seen: set[int] = set()
    for _ in range(_PASSES):
        for now, image in _one_pass(events, rng, count // 3, honest=honest):
            token = hash((now, *sorted(image.items())))
            if token not in seen:
                seen.add(token)
                yield now, image
            if len(seen) == count:
                return


def _one_pass(events: Sequence[Event], rng: Random, count: int, *, honest: bool) -> Iterator[tuple[Mark, Image]]:
    """Half of the losses at acknowledgements, where they tell most, and half of them anywhere."""
    marks = [place for place, each in enumerate(events) if isinstance(each, Mark)]
    places = [rng.choice(marks) if rng.random() < 0.5 else rng.randrange(len(events)) for _ in range(count)]
    disk, now, done = Disk(honest=honest), Mark(0, 0), 0
    for place in sorted(places):
        for each in events[done : place + 1]:
            disk.take(each)
            now = each if isinstance(each, Mark) else now
        done = place + 1
        yield now, disk.image(rng)


@define
class _Reader:
    """Opens images; what was read once by SqlStore is known again by every byte of every row, or of the database."""

    history: History
    directory: Path
    known: dict[str, Recovered] = field(factory=dict)
    settled: dict[bytes, Recovered] = field(factory=dict)

    def read(self, image: Image) -> Recovered:
        """What SqlStore makes of an image."""
        self._lay_out(image)
        settled = self._settled()
        if settled is not None and settled in self.settled:
            return self.settled[settled]
        self._lay_out(image)
        found = self._read(image)
        if settled is not None:
            self.settled[settled] = found
        return found

    def _settled(self) -> bytes | None:
        """The database once SQLite has recovered it, and checkpointed it as it was closed; ``None`` where it couldn't.

        Nothing else is left then, so this is all that the rows depend on, and most images settle as another one did.
        """
        database = self.directory / _NAME
        connection = sqlite3.connect(database, isolation_level=None)
        try:
            connection.execute("PRAGMA schema_version").fetchall()
        except sqlite3.DatabaseError:
            return None
        finally:
            connection.close()
        left = {each.name for each in self.directory.iterdir()} & {f"{_NAME}-wal", f"{_NAME}-journal"}
        return None if left else database.read_bytes()

    def _read(self, image: Image) -> Recovered:
        try:
            rows = self._rows()
        except (sqlite3.DatabaseError, UnicodeDecodeError) as fault:  # the latter: a message that quotes damage
            return Recovered("", fault=repr(fault))
        if rows not in self.known:
            self._lay_out(image)
            self.known[rows] = self._by_store()
        return self.known[rows]

    def _lay_out(self, image: Image) -> None:
        for old in self.directory.iterdir():
            old.unlink()
        for name, content in image.items():
            (self.directory / name).write_bytes(content)

    def _rows(self) -> str:
        connection = sqlite3.connect(self.directory / _NAME, isolation_level=None)
        try:
            connection.execute("PRAGMA synchronous = OFF")  # of the reader alone
            damage = connection.execute("PRAGMA integrity_check").fetchall()
            if damage != [("ok",)]:
                raise sqlite3.DatabaseError(repr(damage))
            tables = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchall()
            rows = [connection.execute(f'SELECT * FROM "{name}"').fetchall() for name, _ in tables]  # noqa: S608
            return repr((tables, rows))
        finally:
            connection.close()

    def _by_store(self) -> Recovered:
        clock = Clock()
        try:
            with _opened(self.directory, clock) as store:
                return recovered(store, clock, self.history)
        except Exception as fault:  # noqa: BLE001  # whatever it is: the store can't be used
            return Recovered("", fault=repr(fault))


def losses(recording: Recording, images: int = IMAGES, *, seed: int = 0, honest: bool = True) -> Tally:
    """Lose the power again and again while a history is performed, and judge what is left each time."""
    tally, rng = Tally(), Random(seed)  # noqa: S311  # reproducible
    with memory_directory() as directory:
        reader = _Reader(recording.history, directory)
        for now, image in _drawn(recording.events, rng, images, honest=honest):
            found = reader.read(image)
            verdict = judge(found, recording.history, acknowledged=now.acknowledged, begun=now.begun)
            tally.count(verdict, f"{recording.history.name}, image {tally.crashes}, {now}, {found.fault}")
    return tally


def run(seed: int, images: int = IMAGES, *, honest: bool = True, **how: Any) -> Tally:
    """All of one seed; ``how`` as in :func:`performed`."""
    with memory_directory() as directory:
        recording = performed(History.random(seed, LENGTH), directory, seed=seed, **how)
    return losses(recording, images, seed=seed, honest=honest)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; the exit code is 1 where something was lost, partial or doubled."""
    return chosen_seeds("tests.crash.power_loss", __doc__, run, arguments)


if __name__ == "__main__":
    sys.exit(main())
