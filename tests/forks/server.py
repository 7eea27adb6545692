"""A process that has imported what ``regen`` needs and forks for every command that it is asked for.

``python -m tests.forks.server SOCKET`` says a line when it listens, and ends with its standard input. Each command has
a process of its own, with the streams, the directory and the environment of whoever asked; when that one goes, the
command is killed. What is spared is an interpreter's start: a second of work for each of a hundred commands.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import socket
import sys
import traceback
import warnings
from contextlib import suppress
from importlib import import_module
from typing import Final, NoReturn

__all__ = ["REGEN"]

REGEN: Final = "regen_core.adapters.cli.main:main"
"""The command line, as its script calls it."""

_CLI: Final = "regen_core.adapters.cli."
_PRELOADED: Final = (
    "encodings.idna",
    "psycopg",
    "sqlalchemy.dialects.sqlite",
    "sqlalchemy.dialects.postgresql.psycopg",
    "uvicorn.protocols.http.httptools_impl",
    "uvloop",
    *[f"{_CLI}{name}" for name in ("asking", "delivering", "loading", "migrating", "reconcile")],
    *[f"{_CLI}{name}" for name in ("regenerating", "serving", "showing")],
    "regen_core.adapters.http.running",
    "regen_core.adapters.http.sandbox",
    "regen_core.adapters.http.window.route",
    "regen_core.adapters.revenue.http_sink",
    "regen_core.adapters.sql.migrations",
    "tests.http_attacks.variants",
)


def _serve(path: str) -> None:
    for name in _PRELOADED:
        with suppress(ImportError):
            import_module(name)
    gc.collect()
    gc.freeze()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen(64)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while 0 not in select.select([listening.fileno(), 0], [], [])[0]:
            connection, _ = listening.accept()
            _reap()
            if os.fork() == 0:
                listening.close()
                _supervise(connection)
            connection.close()
    _reap()


def _reap() -> None:
    """Take note of who has ended, so that their time counts as this process's and, in the end, as the tests'."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _supervise(connection: socket.socket) -> NoReturn:
    """Let a command run, tell its id and its exit code, and kill it when nobody waits for that any more."""
    length, streams, _, _ = socket.recv_fds(connection, 12, 3)
    parts = _exactly(connection, int(length)).decode("utf-8", "surrogateescape").split("\0")
    is_over, lives = os.pipe()
    process = os.fork()
    if process == 0:
        connection.close()
        _become(parts, streams)
    for file in (*streams, lives):
        os.close(file)
    connection.sendall(b"%d\n" % process)
    if is_over not in select.select([connection.fileno(), is_over], [], [])[0]:
        os.kill(process, signal.SIGKILL)
    _, status = os.waitpid(process, 0)
    with suppress(OSError):
        connection.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))
    os._exit(0)


def _exactly(connection: socket.socket, length: int) -> bytes:
    whole = b""
    while len(whole) < length:
        whole += connection.recv(length - len(whole))
    return whole


def _become(parts: list[str], streams: list[int]) -> NoReturn:
    """Be the command: what an interpreter would set up, the call, and an end without anything of this process."""
    code = 1
    try:
        call, cwd, count, *rest = parts
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        os.chdir(cwd)
        os.environ.clear()
        for each in rest[int(count) :]:
            name, _, value = each.partition("=")
            os.environ[name] = value
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  # it lives as long as the process
        sys.stdout = open(1, "w", buffering=1 if os.isatty(1) else -1, encoding="utf-8", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
        if os.environ.get("PYTHONWARNINGS") == "error":
            warnings.simplefilter("error")
        sys.argv = ["regen", *rest[: int(count)]]
        code = _called(call)
    except BaseException:  # noqa: BLE001  # as an interpreter tells it
        traceback.print_exc()
    finally:
        for printed in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                printed.flush()
        os._exit(code)


def _called(call: str) -> int:
    module, _, name = call.partition(":")
    try:
        getattr(import_module(module), name)()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    return 0


if __name__ == "__main__":
    _serve(sys.argv[1])
