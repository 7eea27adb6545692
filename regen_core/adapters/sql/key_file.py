"""Idempotency-Keys that are running, as locks on bytes of a file beside an SQLite database (IDM-3, IDM-7).

The file stays empty: a key's lock is on the byte that its digest names, far behind the end. The operating system lets
go of a process's locks when it ends, however it ends, so nothing is ever stored that would have to be cleared. Locks of
this kind belong to the process, so within one they are kept apart by a table that all its stores share. On a system
without them the table alone counts, and a request in another process waits for the database's lock instead of hearing
at once that its key is running; that one of them executes holds nevertheless.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Final

from attrs import frozen

from regen_core.adapters.sql.faults import DatabaseUnavailable

if sys.platform != "win32":
    import fcntl

__all__ = ["KeyFile"]

_HELD: Final = (errno.EACCES, errno.EAGAIN)
"""How the system says that somebody else has the lock."""

_lock: Final = Lock()
_running: Final[set[tuple[str, str]]] = set()
_files: Final[dict[str, int]] = {}
"""Open files by path. None is ever closed: closing one would let go of all locks that this process has on it."""


def _forget() -> None:
    """A forked process has none of its parent's locks."""
    _running.clear()
    _files.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)
    os.register_at_fork(after_in_child=_forget)


@frozen
class KeyFile:
    """The file of one database; all stores of a process that name it share what is running.

    Whoever names it anew looks whether the file is still there: it may have been removed together with its database,
    and other processes would open another one.
    """

    path: str
    where: str

    def __attrs_post_init__(self) -> None:
        with _lock:
            opened = _files.get(self.path)
            if opened is not None and not self._is_there(opened):
                del _files[self.path]

    @contextmanager
    def claimed(self, digest: str) -> Iterator[bool]:
        """Claim a key for the time of the block; whether it was free."""
        claim = (self.path, digest)
        with _lock:
            is_free = claim not in _running
            if is_free:
                is_free = self._try(digest)
            if is_free:
                _running.add(claim)
        try:
            yield is_free
        finally:
            if is_free:
                with _lock:
                    _running.discard(claim)
                    self._let_go(digest)

    def _try(self, digest: str) -> bool:
        if sys.platform == "win32":
            return True
        try:
            fcntl.lockf(self._file(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _byte(digest))
        except OSError as error:
            if error.errno in _HELD:
                return False
            raise DatabaseUnavailable(self.where, errno.errorcode.get(error.errno or 0, "OSError")) from error
        return True

    def _let_go(self, digest: str) -> None:
        if sys.platform != "win32" and self.path in _files:
            fcntl.lockf(_files[self.path], fcntl.LOCK_UN, 1, _byte(digest))

    def _file(self) -> int:
        found = _files.get(self.path)
        if found is None:
            found = _files[self.path] = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        return found

    def _is_there(self, opened: int) -> bool:
        """Whether other processes would open the same file."""
        try:
            return os.path.samestat(os.fstat(opened), os.stat(self.path))
        except OSError:
            return False


def _byte(digest: str) -> int:
    """The byte that stands for a key: 60 bits of its digest, as an offset must fit into 63."""
    return int(digest[:15], 16)
