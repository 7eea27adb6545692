"""Asks a server (:mod:`tests.forks.server`) for a process: a module for the tests, a program in place of ``regen``.

The program needs nothing but the standard library, so that it starts in milliseconds. It gives its streams, its
directory and its environment away, passes signals on, and ends as the process ends.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence

__all__ = ["asked", "exit_code"]


def asked(
    path: str, call: str, args: Sequence[str], cwd: str, environment: Mapping[str, str], streams: Sequence[int]
) -> tuple[socket.socket, int]:
    """A new process: the connection on which its exit code will come, and its id. It lives no longer than that."""
    parts = [call, cwd, str(len(args)), *args, *[f"{name}={value}" for name, value in environment.items()]]
    message = "\0".join(parts).encode("utf-8", "surrogateescape")
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(path)
    socket.send_fds(connection, [b"%12d" % len(message)], streams)
    connection.sendall(message)
    return connection, int(_line(connection))


def exit_code(connection: socket.socket) -> int:
    """Wait for the end of the process; as of ``subprocess``, negative where a signal ended it."""
    return int(_line(connection) or 255)


def _line(connection: socket.socket) -> bytes:
    said = b""
    while not said.endswith(b"\n"):
        part = connection.recv(1)
        if not part:
            break
        said += part
    return said


def _main() -> None:
    _, path, call, *args = sys.argv
    connection, process = asked(path, call, args, os.getcwd(), os.environ, (0, 1, 2))
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: os.kill(process, number))
    for stream in (0, 1, 2):
        os.close(stream)  # a reader waits for the process alone
    code = exit_code(connection)
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


if __name__ == "__main__":
    _main()
