"""Ending well: a signal asks a long command to stop, and it does so between two steps."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

from attrs import define

__all__ = ["Stop", "stop_on_signals"]

NAP: Final = 0.1
"""Seconds: how long a sleeping command may take to notice that it shall stop."""

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


@define
class Stop:
    """Whether somebody asked to stop."""

    is_asked: bool = False

    def sleep(self, seconds: float) -> None:
        """Sleep, but not after somebody asked to stop."""
        end = time.monotonic() + seconds
        while not self.is_asked and (left := end - time.monotonic()) > 0:
            time.sleep(min(NAP, left))


@contextmanager
def stop_on_signals() -> Iterator[Stop]:
    """Let Ctrl-C and SIGTERM ask to stop for the time of the block; the second one interrupts at once.

    Python hands signals to the main thread; in another one nothing is changed.
    """
    stop = Stop()

    def ask(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  # Python's signature
        if stop.is_asked:
            raise KeyboardInterrupt
        stop.is_asked = True

    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = [signal.signal(each, ask) for each in _SIGNALS]
    try:
        yield stop
    finally:
        for each, handler in zip(_SIGNALS, before, strict=True):
            signal.signal(each, handler)
