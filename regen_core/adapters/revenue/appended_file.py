"""A file that lines of JSON are appended to, so that what was appended survives a loss of power."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import stat
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Final, Self

__all__ = ["AppendedFile"]

try:
    import fcntl
except ImportError:  # no POSIX here: two relays to one file are then told apart by nobody
    fcntl = None  # type: ignore[assignment]  # the module is absent

TAIL: Final = 1 << 20
"""How far back the last line is looked for, in bytes: far longer than a delivery."""

_BEGINS: Final = b'{"id":"'
"""How the line of a delivery begins; an unfinished one is known by it."""


class AppendedFile:
    """Appends whole lines and returns when they are on the disk. Raises ``OSError`` with the file's name.

    One process at a time: another one waits. A line that a crash left unfinished was never acknowledged, so it comes
    again; its torn beginning is removed, or it would spoil the line after it. Where the file was moved or removed
    meanwhile, a new one is begun under its name: what is appended can be read there.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._file = -1

    def __enter__(self) -> Self:
        self._open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._close()

    def append(self, lines: Iterable[bytes]) -> None:
        """Append lines, each with its end; when this returns they are durable in the file of that name.

        Lines that went into a file which was moved or removed while they were written are appended anew: they may stand
        in two files, as a delivery may come twice (REV-0), and never in none.
        """
        text = b"".join(lines)
        is_kept = False
        while not is_kept:
            if not self._is_there():
                self._close()
                self._open()
            with self._named():
                self._write(text)
            is_kept = self._is_there()

    def _write(self, text: bytes) -> None:
        left = memoryview(text)
        while left:
            left = left[os.write(self._file, left) :]
        self._sync(self._file)

    def _is_there(self) -> bool:
        """Whether whoever opens the path finds the file that is open."""
        try:
            return os.path.samestat(os.fstat(self._file), os.stat(self._path))
        except FileNotFoundError:
            return False

    def _open(self) -> None:
        self._file = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            self._lock()
            if stat.S_ISREG(os.fstat(self._file).st_mode):
                self._mend()
                self._sync_directory()
        except BaseException:
            self._close()
            raise

    def _close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
        self._file = -1

    def _lock(self) -> None:
        if fcntl is not None:
            with contextlib.suppress(OSError):  # a file system without locks
                fcntl.flock(self._file, fcntl.LOCK_EX)

    def _mend(self) -> None:
        """Make the file end with a whole line."""
        with self._named():
            size = os.fstat(self._file).st_size
            start = max(0, size - TAIL)
            tail = os.pread(self._file, TAIL, start)
            if not tail or tail.endswith(b"\n"):
                return
            begin = tail.rfind(b"\n") + 1
            last = tail[begin:]
            if last.startswith(_BEGINS[: len(last)]) and not _is_json(last):
                os.ftruncate(self._file, start + begin)
            else:
                os.write(self._file, b"\n")

    def _sync_directory(self) -> None:
        """Make the file's name durable too: it may be new."""
        with contextlib.suppress(OSError):  # not every system opens directories
            directory = os.open(os.path.dirname(os.path.abspath(self._path)), os.O_RDONLY)
            try:
                os.fsync(directory)
            finally:
                os.close(directory)

    @staticmethod
    def _sync(file: int) -> None:
        try:
            os.fsync(file)
        except OSError as fault:
            if fault.errno not in (errno.EINVAL, errno.ENOTSUP):  # a pipe or a device has nothing to sync
                raise

    @contextlib.contextmanager
    def _named(self) -> Any:
        try:
            yield
        except OSError as fault:
            raise type(fault)(fault.errno, fault.strerror, self._path) from fault


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True
