"""Numbered points of a process, and its death at one of them: before and after everything that leaves the process."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from attrs import define, field

__all__ = ["CRASHED", "Points", "file_functions", "socket_functions"]

CRASHED: Final = 86
"""The exit code of a process that ended at its point."""

_WATCHED: Final = ("fsync", "ftruncate")


@define
class Points:
    """Counts points once told to; at number ``crash_at`` the process ends at once: no handler, no destructor runs."""

    crash_at: int
    names: list[str] = field(factory=list)
    _is_counting: bool = False

    def count(self) -> None:
        """Begin to count, from 1."""
        self._is_counting = True
        self.names.clear()

    def around(self, what: str, run: Callable[[], Any]) -> Any:
        """A point, what is to be run, another point."""
        self.reach(f"before {what}")
        answer = run()
        self.reach(f"after {what}")
        return answer

    def reach(self, name: str, last_act: Callable[[], object] = int) -> None:
        """A point; ``last_act`` is done only where the process ends here."""
        if self._is_counting:
            self.names.append(name)
            if len(self.names) == self.crash_at:
                last_act()
                os._exit(CRASHED)


@contextmanager
def file_functions(points: Points) -> Iterator[None]:
    """Make points of the writes and syncs that Python code asks of the operating system; a write may be torn."""
    kept = {name: getattr(os, name) for name in ("write", *_WATCHED)}

    def write(file: int, data: Any) -> Any:
        points.reach("in the middle of write", lambda: kept["write"](file, bytes(data)[: len(data) // 2]))
        return points.around("write", lambda: kept["write"](file, data))

    def watched(name: str) -> Callable[..., Any]:
        return lambda *given: points.around(name, lambda: kept[name](*given))

    os.write = write
    for name in _WATCHED:
        setattr(os, name, watched(name))
    try:
        yield
    finally:
        for name, function in kept.items():
            setattr(os, name, function)


@contextmanager
def socket_functions(points: Points) -> Iterator[None]:
    """Make points of connecting, sending and receiving on a network; what is sent may go half the way."""
    kept = {name: getattr(socket.socket, name) for name in ("connect", "send", "recv")}

    def send(self: socket.socket, data: Any, *given: Any) -> Any:
        points.reach("in the middle of send", lambda: kept["send"](self, bytes(data)[: len(data) // 2]))
        return points.around("send", lambda: kept["send"](self, data, *given))

    def watched(name: str) -> Callable[..., Any]:
        return lambda *given: points.around(name, lambda: kept[name](*given))

    for name, watching in {"send": send, "connect": watched("connect"), "recv": watched("recv")}.items():
        setattr(socket.socket, name, watching)
    try:
        yield
    finally:
        for name, function in kept.items():
            setattr(socket.socket, name, function)
