"""The console script ``regen``: Ctrl-C ends it in a sentence from its first moment on.

It stands outside of the package, whose import is what takes that moment, and imports nothing of it before it is ready.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from types import FrameType
from typing import Final, NoReturn

__all__ = ["main"]

_INTERRUPTED: Final = 3
"""The exit code of what the environment ended."""

_SENTENCE: Final = b"regen: Interrupted. Nothing was begun.\n"


def _end(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001  # Python's signature
    """End at once; an exception would pass through half-imported modules, some of which would report or replace it."""
    with suppress(OSError):
        os.write(2, _SENTENCE)
    os._exit(_INTERRUPTED)


def main() -> None:
    """Import the command line, run it, and exit with its code."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:  # whoever starts a program in the background may have Ctrl-C ignored
        signal.signal(signal.SIGINT, _end)
    from regen_core.adapters.cli.main import main as run  # noqa: PLC0415  # not before the line above

    signal.signal(signal.SIGINT, before)
    run()
