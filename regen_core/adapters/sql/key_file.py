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
import stat
import sys
from contextlib import suppress
from threading import Lock
from typing import Final
from weakref import WeakSet

from attrs import field, frozen

from regen_core.adapters.sql.faults import DatabaseUnavailable, KeyFileReadOnly

if sys.platform != "win32":
    import fcntl

    _FLAGS: Final = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW

__all__ = ["KeyFile"]

_HELD: Final = (errno.EACCES, errno.EAGAIN)
"""How the system says of a lock that somebody else has it."""

_FORBIDDEN: Final = (errno.EACCES, errno.EPERM, errno.EROFS)
"""How it says of a file that it can't be written or made."""

_NO_FILE: Final = -1

_Claim = tuple[str, str]

_lock: Final = Lock()
_running: Final[dict[_Claim, int]] = {}
"""The open file that has a running key's lock, by the file's path and the key's digest."""

_current: Final[dict[str, int]] = {}
_open: Final[set[int]] = set()
"""Open files: those that claims are made in, by path, and all of them."""


def _forget() -> None:
    """A forked process has none of its parent's locks; closing its copies of the files lets go of none of them."""
    for each in _open:
        with suppress(OSError):
            os.close(each)
    for table in (_running, _current, _open):
        table.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)
    os.register_at_fork(after_in_child=_forget)


@frozen(eq=False)
class KeyFile:
    """The file of one ``database``, named by its path; all stores of a process that name it share what is running.

    Whoever names it anew looks whether the file is still there: it may have been removed together with its database,
    and other processes would open another one.
    """

    database: str
    where: str
    path: str = field(init=False)

    @path.default
    def _path(self) -> str:
        return f"{self.database}-keys"

    def __attrs_post_init__(self) -> None:
        with _lock:
            _named.add(self)
            opened = _current.get(self.path)
            if opened is not None and not _is_there(self.path, opened):
                del _current[self.path]

    def claimed(self, digest: str) -> _Claimed:
        """Claim a key for the time of the block; whether it was free.

        Raises :class:`KeyFileReadOnly` where the file can't be opened for writing.
        """
        return _Claimed(self, (self.path, digest))

    def _try(self, claim: _Claim) -> bool:
        """Lock a key's byte; whether no other process has it."""
        opened = self._file()
        if sys.platform != "win32":
            try:
                fcntl.lockf(opened, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _byte(claim[1]))
            except OSError as error:
                if error.errno in _HELD:
                    return False
                raise DatabaseUnavailable(self.where, _name(error)) from error
        _running[claim] = opened
        return True

    def _file(self) -> int:
        found = _NO_FILE if sys.platform == "win32" else _current.get(self.path)
        if found is None:
            _tidy()
            try:
                found = self._opened()
            except OSError as error:
                if error.errno in _FORBIDDEN:
                    raise KeyFileReadOnly(self.where) from error
                raise DatabaseUnavailable(self.where, _name(error)) from error
            _current[self.path] = found
            _open.add(found)
        return found

    def _opened(self) -> int:
        """Open the file; one that isn't there is made for whoever may write the database."""
        try:
            return os.open(self.path, _FLAGS)
        except FileNotFoundError:
            like = os.stat(self.database)
        mode = stat.S_IMODE(like.st_mode) & 0o666
        try:
            made = os.open(self.path, _FLAGS | os.O_CREAT | os.O_EXCL, mode)
        except FileExistsError:  # somebody else was faster
            return os.open(self.path, _FLAGS)
        _share(made, like, mode)
        return made


class _Claimed:
    """A key that is claimed for the time of a block."""

    __slots__ = ("_claim", "_file", "_is_free")

    def __init__(self, file: KeyFile, claim: _Claim) -> None:
        self._file, self._claim = file, claim

    def __enter__(self) -> bool:
        with _lock:
            self._is_free = self._claim not in _running and self._file._try(self._claim)
        return self._is_free

    def __exit__(self, *_: object) -> None:
        if self._is_free:
            with _lock:
                _let_go(self._claim)


_named: Final[WeakSet[KeyFile]] = WeakSet()
"""Those that a store can still ask."""


def _share(made: int, like: os.stat_result, mode: int) -> None:
    """Give a new file the database's mode whatever the umask is, and as root its owner; so does SQLite with its own."""
    if os.geteuid() == 0:
        os.fchown(made, like.st_uid, like.st_gid)
    if stat.S_IMODE(os.fstat(made).st_mode) != mode:
        os.fchmod(made, mode)


def _let_go(claim: _Claim) -> None:
    opened = _running.pop(claim, _NO_FILE)  # none where the process was forked meanwhile
    if sys.platform != "win32" and opened != _NO_FILE:
        fcntl.lockf(opened, fcntl.LOCK_UN, 1, _byte(claim[1]))


def _tidy() -> None:
    """Close files that no store names any more, and those that were removed, unless a key is running in them.

    Closing one lets go of all locks that the process has on it, by whichever name it was opened.
    """
    named = {each.path for each in _named}
    wanted = {opened for path, opened in _current.items() if path in named and _is_there(path, opened)}
    busy = {_identity(os.fstat(opened)) for opened in _running.values()}
    for opened in _open - wanted:
        if _identity(os.fstat(opened)) not in busy:
            os.close(opened)
            _open.remove(opened)
    for path in [path for path, opened in _current.items() if opened not in _open]:
        del _current[path]


def _is_there(path: str, opened: int) -> bool:
    """Whether other processes would open the same file."""
    try:
        return _identity(os.fstat(opened)) == _identity(os.stat(path))
    except OSError:
        return False


def _identity(told: os.stat_result) -> tuple[int, int]:
    return told.st_dev, told.st_ino


def _name(error: OSError) -> str:
    return errno.errorcode.get(error.errno or 0, "OSError")


def _byte(digest: str) -> int:
    """The byte that stands for a key: 60 bits of its digest, as an offset must fit into 63."""
    return int(digest[:15], 16)
