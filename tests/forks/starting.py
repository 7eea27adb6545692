"""How a test gets a process of ``regen`` without waiting for an interpreter: one server for each process of the tests.

Where the start of the interpreter belongs to what is tested, :data:`tests.command.START` is the command.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

from attrs import define, field

from tests.command import START
from tests.forks import client
from tests.forks.server import REGEN

__all__ = ["REGEN", "Forked", "end", "fast"]

_ROOT: Final = Path(__file__).parents[2]
_SERVERS: Final[list[tuple[subprocess.Popen[bytes], Path]]] = []
"""The server, once there is one."""


def fast(call: str = REGEN) -> tuple[str, ...]:
    """The beginning of a command that does what :data:`~tests.command.START` does, or calls something else."""
    if not hasattr(os, "fork"):
        assert call == REGEN, "it is all that other systems can start"
        return START
    return (sys.executable, "-IS", str(Path(client.__file__)), _address(), call)


def _address() -> str:
    if not _SERVERS:
        folder = Path(tempfile.mkdtemp(prefix="regen-forks-"))
        pipe = subprocess.PIPE
        command = [sys.executable, "-m", "tests.forks.server", str(folder / "socket")]
        server = subprocess.Popen(command, stdin=pipe, stdout=pipe, cwd=_ROOT)
        _SERVERS.append((server, folder))
        assert server.stdout is not None
        assert server.stdout.readline() == b"ready\n"
    return str(_SERVERS[0][1] / "socket")


def end() -> None:
    """End the server, if there is one."""
    while _SERVERS:
        server, folder = _SERVERS.pop()
        server.communicate()
        shutil.rmtree(folder)


@define
class Forked:
    """A process of this one's own, much like ``subprocess.Popen``; it is killed with the block, at the latest."""

    pid: int
    _connection: socket.socket
    returncode: int | None = field(default=None, init=False)

    @classmethod
    def begun(
        cls, call: str, *args: str, cwd: Path, environment: Mapping[str, str], out: IO[bytes], err: IO[bytes]
    ) -> Self:
        """Call something in a process whose streams are these files."""
        with open(os.devnull, "rb") as nothing:
            streams: Sequence[int] = [each.fileno() for each in (nothing, out, err)]
            connection, pid = client.asked(_address(), call, args, str(cwd), environment, streams)
        return cls(pid, connection)

    def poll(self) -> int | None:
        """Its exit code, ``None`` while it runs."""
        if self.returncode is None and select.select([self._connection], [], [], 0)[0]:
            self.returncode = client.exit_code(self._connection)
        return self.returncode

    def kill(self) -> None:
        """End it with SIGKILL, and wait for that."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            self.returncode = client.exit_code(self._connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.kill()
        self._connection.close()
