"""Worker processes that report on a pipe and are killed by their id.

They are forked from a server process that has imported everything and runs no threads, so that one starts in
milliseconds and the process of the tests, which may have threads, is never forked. A worker that is through waits until
it is let go: while it may be killed, its id is its own.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, Final

from attrs import define, field, frozen

__all__ = ["PRELOADED", "Child", "WorkerFailed", "child"]

_CONTEXT: Final = multiprocessing.get_context("forkserver")
PRELOADED: Final = "tests.crash.preloaded"
_CONTEXT.set_forkserver_preload([PRELOADED])

PATIENCE: Final = 60.0
"""Seconds until a child that says nothing counts as hanging."""


class WorkerFailed(Exception):  # noqa: N818  # a test's own
    """A worker raised something, which is a fault of the test or of what is tested."""


@frozen
class _Through:
    """The worker's last report: it is through, with what it raised as text, if anything."""

    raised: str | None = None


@define
class Child:
    """A running worker and what it reported; ``is_through`` tells that it came to its end undisturbed."""

    process: BaseProcess
    pipe: Connection
    leave: Connection
    reports: list[Any] = field(factory=list)
    is_through: bool = False

    def wait_for_report(self) -> bool:
        """Wait until the child says something; ``False`` where it has ended or has nothing more to say."""
        assert self.pipe.poll(PATIENCE), "a worker hangs"
        return self._receive()

    def kill(self) -> bool:
        """End it with SIGKILL by its id and read its last reports; whether that disturbed it."""
        assert self.process.pid is not None, "it was started"
        os.kill(self.process.pid, signal.SIGKILL)
        self.end()
        return not self.is_through

    def end(self) -> int:
        """Let it go and wait for its end; the exit code. Raises :class:`WorkerFailed`."""
        self.leave.close()
        with suppress(EOFError):
            while True:
                self._receive()
        self.process.join(PATIENCE)
        assert self.process.exitcode is not None, "a worker hangs"
        return self.process.exitcode

    def _receive(self) -> bool:
        report = self.pipe.recv()
        if not isinstance(report, _Through):
            self.reports.append(report)
            return True
        self.is_through = True
        if report.raised is not None:
            raise WorkerFailed(report.raised)
        return False


def _work(pipe: Connection, leave: Connection, work: Callable[..., None], given: tuple[Any, ...]) -> None:
    """What runs in the worker's process."""
    through = _Through()
    try:
        work(pipe, *given)
    except BaseException:  # noqa: BLE001  # told to the test
        through = _Through(traceback.format_exc())
    pipe.send(through)
    with suppress(EOFError):
        leave.recv()


@contextmanager
def child(work: Callable[..., None], *given: Any) -> Iterator[Child]:
    """Run ``work(pipe, *given)`` in a process of its own, which has ended when the block has."""
    reports, pipe = _CONTEXT.Pipe(duplex=False)
    waits, leave = _CONTEXT.Pipe(duplex=False)
    process = _CONTEXT.Process(target=_work, args=(pipe, waits, work, given), daemon=True)
    process.start()
    pipe.close()
    waits.close()
    running = Child(process, reports, leave)
    try:
        yield running
    finally:
        if process.is_alive():
            process.kill()
        process.join(PATIENCE)
        for each in (process, reports, leave):
            each.close()
