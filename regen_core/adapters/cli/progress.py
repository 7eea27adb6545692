"""How far long work has come, on standard error, where a person watches it."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from typing import IO, Final

from attrs import define, field

from regen_core.adapters.cli.output import is_capable

__all__ = ["Progress"]

PAUSE: Final = 0.2
"""Seconds between two updates: often enough to look alive, rare enough to cost nothing."""

_ERASE: Final = "\r\x1b[K"


def _is_watched() -> bool:
    return is_capable(sys.stderr)


@define
class Progress:
    """One line that is rewritten while bytes are read; ``total`` ``None`` where nobody knows how many there are.

    It stays silent where standard error is no terminal that moves its cursor, and for the first moment, so that short
    work shows nothing.
    """

    total: int | None
    done: int = field(default=0, init=False)
    is_shown: bool = field(factory=_is_watched, init=False)
    _next: float = field(factory=lambda: time.monotonic() + 3 * PAUSE, init=False)

    def lines(self, stream: IO[bytes]) -> Iterator[bytes]:
        """The lines of a stream, counted as they go by."""
        for line in stream:
            self.done += len(line)
            if self.is_shown:
                self._update()
            yield line

    def _update(self) -> None:
        if self._is_time():
            part = f"{100 * self.done // self.total} % of {_size(self.total)}" if self.total else _size(self.done)
            _write(f"reading: {part}")

    def tell(self, text: str) -> None:
        """Show how far it is in words of one's own."""
        if self.is_shown and self._is_time():
            _write(text)

    def _is_time(self) -> bool:
        now = time.monotonic()
        is_time = now >= self._next
        if is_time:
            self._next = now + PAUSE
        return is_time

    def clear(self) -> None:
        """Take the line away, before something else is printed."""
        if self.is_shown:
            _write("")


def _write(text: str) -> None:
    sys.stderr.write(f"{_ERASE}{text}")
    sys.stderr.flush()


def _size(count: int) -> str:
    return f"{count / 1_000_000:.1f} MB" if count >= 100_000 else f"{count / 1000:.0f} kB"
