"""The kit through its doors, as an adopter runs it: on the store in memory, on SQLite, PostgreSQL and over HTTP.

``memory``, ``sqlite`` and ``postgresql`` are factories for ``--store``; the databases' files and schemas are made where
``REGEN_KIT_WHERE`` says, a directory or the URL of a server's schema. From the command line, by ranges of seeds::

    python -m tests.kit.doors --on postgresql --seeds 0:600
"""

from __future__ import annotations

import argparse
import atexit
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import entry_points
from itertools import count
from pathlib import Path
from typing import Any, Final, Self

from attrs import define, frozen

from regen_core.adapters.memory import MemoryStore
from regen_core.adapters.sql import SqlStore
from regen_core.adapters.sql.prepared import Prepared
from regen_core.adapters.sql.schema import METADATA, version_table
from tests.command import START
from tests.postgresql_server import running_server

__all__ = ["DOORS", "Door", "main", "memory", "opened", "plugin", "postgresql", "sqlite"]

PATIENCE: Final = 3000
"""Seconds after which a command hangs."""

_BLOCK: Final = 60


def _now() -> datetime:
    return datetime.now(UTC)


_EMPTYING: Final = [
    (Prepared(f"DELETE FROM {table.name}", tuple), ())  # noqa: S608  # names of the schema
    for table in reversed(METADATA.sorted_tables)
    if table is not version_table
]


class _Kept:
    """A database of this process, open until it ends, and emptied whenever another store is asked for."""

    def __init__(self, url: str) -> None:
        self.url, self.clock = url, _now
        self.store = SqlStore.open(url, clock=self._time)
        atexit.register(self.store.close)

    def _time(self) -> datetime:
        """By the clock that the store has at the moment."""
        return self.clock()

    def emptied(self, clock: Callable[[], datetime]) -> Self:
        """Nothing is stored any more, and the store's clock is this one."""
        self.clock = clock
        with self.store._writing() as reader:
            for statement, row in _EMPTYING:
                reader.unit.put(statement, row)
        return self


class _Opened:
    """A store on a database, which can be opened again; closed, it is there for the next one."""

    def __init__(self, kept: _Kept, free: list[_Kept]) -> None:
        self._kept, self._free = kept, free
        self._again: list[SqlStore] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._kept.store, name)

    def reopened(self) -> SqlStore:
        """The store as the next process finds it."""
        self._again.append(SqlStore.open(self._kept.url, clock=self._kept.clock))
        return self._again[-1]

    def close(self) -> None:
        for store in self._again:
            store.close()
        self._free.append(self._kept)


_NUMBERS: Final = count()
_FILES: Final[list[_Kept]] = []
_SCHEMAS: Final[list[_Kept]] = []


def memory(clock: Callable[[], datetime] = _now) -> MemoryStore:
    """A store in memory."""
    return MemoryStore(clock)


def sqlite(clock: Callable[[], datetime] = _now) -> _Opened:
    """A store on a file that nobody uses at the moment, emptied."""
    kept = _FILES.pop() if _FILES else _Kept(f"sqlite:///{_new_file(os.environ['REGEN_KIT_WHERE'])}")
    return _Opened(kept.emptied(clock), _FILES)


def _new_file(directory: str) -> Path:
    return Path(directory) / f"store-{os.getpid()}-{next(_NUMBERS)}.db"


def postgresql(clock: Callable[[], datetime] = _now) -> _Opened:
    """A store in a schema that nobody uses at the moment, emptied."""
    kept = _SCHEMAS.pop() if _SCHEMAS else _Kept(_new_schema(os.environ["REGEN_KIT_WHERE"]))
    return _Opened(kept.emptied(clock), _SCHEMAS)


def _new_schema(url: str) -> str:
    import psycopg  # noqa: PLC0415  # only where there is a server

    name = f"kit_{os.getpid()}_{next(_NUMBERS)}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}")  # a name of ours
    return url.replace("search_path%3Dpublic", f"search_path%3D{name}")


def plugin() -> list[str]:
    """How pytest gets the kit's options where an older installation of this folder doesn't name them yet."""
    named = any(each.value == "pytest_regen_core" for each in entry_points(group="pytest11"))
    return [] if named else ["-p", "pytest_regen_core"]


@frozen
class Door:
    """A way to the kit: what the command is told, and with which environment."""

    options: tuple[str, ...]
    environment: dict[str, str]

    def command(self, *more: str) -> subprocess.CompletedProcess[str]:
        """``regen conformance``, in a process of its own."""
        return self._run([*START, "conformance", *self.options, *more])

    def suite(self, *more: str) -> subprocess.CompletedProcess[str]:
        """``pytest --pyargs regen_core.testing.suite``."""
        options = [each.replace("--", "--regen-", 1) if each.startswith("--") else each for each in self.options]
        begin = [sys.executable, "-m", "pytest", "-q", *plugin(), "-p", "no:cacheprovider"]
        return self._run([*begin, "--pyargs", "regen_core.testing.suite", *options, *more])

    def _run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, **self.environment}
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE)


def _store(name: str, where: str = "") -> Door:
    return Door(("--store", f"tests.kit.doors:{name}"), {"REGEN_KIT_WHERE": where})


@contextmanager
def _on_memory(_folder: Path) -> Iterator[Door]:
    yield _store("memory")


@contextmanager
def _on_sqlite(folder: Path) -> Iterator[Door]:
    yield _store("sqlite", str(folder))


@contextmanager
def _on_postgresql(folder: Path) -> Iterator[Door]:
    with running_server(within=folder) as server:
        yield _store("postgresql", server.url())


@contextmanager
def _on_http(folder: Path) -> Iterator[Door]:
    database = f"sqlite:///{folder / 'served.db'}"
    serving = [*START, "serve", "--json", "--port", "0", "--no-window", "--db", database, "--tenant", "t1"]
    serving += ["--entity", "e1", "--org", "north", "--org", "south"]
    with subprocess.Popen(serving, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            told = _told(process)
            behind = ("--store", "regen_core.adapters.cli.conformance_served:behind")
            options = ("--url", told["url"], "--client-id", told["client_id"], *behind)
            yield Door(options, {"REGEN_DB": database, "REGEN_CLIENT_SECRET": told["client_secret"]})
        finally:
            process.terminate()


def _told(process: subprocess.Popen[str]) -> dict[str, str]:
    """What a service prints when it answers."""
    assert process.stdout is not None, "it is a pipe"
    lines: list[str] = []
    while not lines or lines[-1] != "}\n":
        lines.append(process.stdout.readline())
        assert lines[-1], "the service ended before it answered"
    told: dict[str, str] = json.loads("".join(lines))
    return told


DOORS: Final = {"memory": _on_memory, "sqlite": _on_sqlite, "postgresql": _on_postgresql, "http": _on_http}
"""The four doors, by name."""


@contextmanager
def opened(name: str) -> Iterator[Door]:
    """A door for the time of the block, with a directory of its own."""
    with tempfile.TemporaryDirectory(prefix="regen-kit-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # a server that runs as another user
        with DOORS[name](Path(folder)) as door:
            yield door


@define
class _Tally:
    histories: int = 0
    exercised: int = 0


def main() -> int:
    """A block of seeds after the other; the exit code is 1 where something doesn't conform."""
    parser = argparse.ArgumentParser(prog="python -m tests.kit.doors", description=__doc__)
    parser.add_argument("--on", choices=sorted(DOORS), default="memory")
    parser.add_argument("--seeds", default="0:60", help="first:last, the last one excluded")
    parser.add_argument("--steps", type=int, default=120, help="steps of each history")
    chosen = parser.parse_args()
    first, last = map(int, chosen.seeds.split(":"))
    began, tally = time.perf_counter(), _Tally()
    with opened(chosen.on) as door, tempfile.NamedTemporaryFile(suffix=".json") as report:
        for start in range(first, last, _BLOCK):
            seeds = min(_BLOCK, last - start)
            told = ("--seed", str(start), "--max-examples", str(seeds), "--steps", str(chosen.steps))
            done = door.command(*told, "--report", report.name)
            if done.returncode:
                sys.stdout.write(done.stdout + done.stderr)
                return 1
            tally.histories += 2 * seeds
            checks = json.loads(Path(report.name).read_text(encoding="utf-8"))["checks"]
            tally.exercised += sum(each["exercised"] for each in checks)
            steps, seconds = tally.histories * chosen.steps, time.perf_counter() - began
            sys.stdout.write(
                f"{chosen.on}: seeds {first}:{start + seeds}, {steps} steps, {tally.exercised} times a check had "
                f"something at stake, {seconds:.0f} s, conforms\n"
            )
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
