"""Records every write and sync that the process's own SQLite performs, without changing what it does.

SQLite reaches the operating system through a table of functions, its VFS. A copy of the table takes the place of the
default one: opening and deleting are noted, and each opened file gets a copy of its own table in which writing,
truncating and syncing are noted; everything is then done by the functions that were there before. So SqlStore, the
driver and the library are the ones of every day, and what they do arrives on the real file system, too.
"""

from __future__ import annotations

import ctypes
import os
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from attrs import define, field

from tests.crash.disk_events import Event, Link, Sync, Truncate, Unlink, Write

__all__ = ["Recorder", "is_recordable", "recording"]

_POINTER: Final = ctypes.c_void_p
_INT: Final = ctypes.c_int
_OK: Final = 0
_IOERR: Final = 10
_SYNCS_DIRECTORY: Final = 0x00000800 | 0x00004000 | 0x00080000
"""Rollback journal, super-journal, WAL: os_unix.c syncs the directory with the first sync of such a file."""


def _pointers(*names: str) -> list[tuple[str, Any]]:
    return [(name, _POINTER) for name in names]


class _Vfs(ctypes.Structure):
    _fields_ = (
        ("version", _INT),
        ("size_of_file", _INT),
        ("longest_path", _INT),
        *_pointers("next", "name", "data", "open", "delete", "access", "full_path", "dl_open", "dl_error", "dl_symbol"),
        *_pointers(
            "dl_close", "randomness", "sleep", "time", "last_error", "time64", "set_call", "get_call", "next_call"
        ),
    )


class _Methods(ctypes.Structure):
    _fields_ = (
        ("version", _INT),
        *_pointers("close", "read", "write", "truncate", "sync", "size", "lock", "unlock", "check_lock", "control"),
        *_pointers("sector", "traits", "shm_map", "shm_lock", "shm_barrier", "shm_unmap", "fetch", "unfetch"),
    )


class _File(ctypes.Structure):
    _fields_ = (("methods", ctypes.POINTER(_Methods)),)


_FILE: Final = ctypes.POINTER(_File)
_OPEN: Final = ctypes.CFUNCTYPE(_INT, _POINTER, _POINTER, _FILE, _INT, _POINTER)
"""The path is passed on as a pointer: SQLite keeps it."""

_DELETE: Final = ctypes.CFUNCTYPE(_INT, _POINTER, ctypes.c_char_p, _INT)
_WRITE: Final = ctypes.CFUNCTYPE(_INT, _POINTER, _POINTER, _INT, ctypes.c_int64)
_TRUNCATE: Final = ctypes.CFUNCTYPE(_INT, _POINTER, ctypes.c_int64)
_SYNC: Final = ctypes.CFUNCTYPE(_INT, _POINTER, _INT)


def _library() -> Any:
    """The SQLite that Python's own driver is linked with."""
    module = import_module("_sqlite3")
    library = ctypes.CDLL(getattr(module, "__file__", None))
    library.sqlite3_vfs_find.restype = ctypes.POINTER(_Vfs)
    library.sqlite3_vfs_find.argtypes = [ctypes.c_char_p]
    library.sqlite3_vfs_register.argtypes = [ctypes.POINTER(_Vfs), _INT]
    return library


def is_recordable() -> str | None:
    """Why nothing can be recorded here, or ``None``."""
    if sys.platform != "linux":
        return "the recorder knows when os_unix.c of Linux syncs a directory"
    try:
        version = _library().sqlite3_libversion_number()
    except (AttributeError, OSError) as fault:
        return f"Python's SQLite can't be reached from outside: {fault}"
    parts = sqlite3.sqlite_version_info
    return None if version == parts[0] * 1_000_000 + parts[1] * 1_000 + parts[2] else "another SQLite was found"


@define
class Recorder:
    """The events so far, and what has to be known to record the next one. Files are numbered as they are made."""

    directory: Path
    events: list[Event] = field(factory=list)
    faults: list[BaseException] = field(factory=list)
    _numbers: dict[str, int] = field(factory=dict, init=False)
    _files: dict[int, int] = field(factory=dict, init=False)
    _unsynced_names: set[int] = field(factory=set, init=False)
    _made: int = field(default=0, init=False)

    def owns(self, path: bytes) -> str | None:
        """The name of a file in the recorded directory, ``None`` for any other."""
        where, name = os.path.split(os.fsdecode(path))
        return name if where == os.fspath(self.directory) else None

    def opened(self, name: str, address: int, flags: int, *, existed: bool) -> None:
        """A file was opened, and made where it did not exist."""
        if not existed:
            self._made += 1
            self._numbers[name] = self._made
            self.events.append(Link(name, self._made))
        self._files[address] = self._numbers[name]
        if flags & _SYNCS_DIRECTORY:
            self._unsynced_names.add(address)

    def wrote(self, address: int, offset: int, data: bytes) -> None:
        """Bytes are about to be written."""
        self.events.append(Write(self._files[address], offset, data))

    def truncated(self, address: int, size: int) -> None:
        """A file is about to be truncated."""
        self.events.append(Truncate(self._files[address], size))

    def synced(self, address: int) -> None:
        """A file has been synced."""
        self.events.append(Sync(self._files[address], address in self._unsynced_names))
        self._unsynced_names.discard(address)

    def deleted(self, name: str, *, directory: bool) -> None:
        """A file was deleted."""
        self.events.append(Unlink(name, directory))


@contextmanager
def recording(directory: Path) -> Iterator[Recorder]:
    """Record what this process does to the SQLite databases in an empty directory that are opened within the block.

    They must be closed within it, too. Raises what recording raised, if anything.
    """
    library, recorder = _library(), Recorder(directory.resolve())
    before = library.sqlite3_vfs_find(None)
    vfs, kept = _recording_vfs(before.contents, recorder)
    library.sqlite3_vfs_register(ctypes.byref(vfs), 1)
    try:
        yield recorder
    finally:
        library.sqlite3_vfs_unregister(ctypes.byref(vfs))
        library.sqlite3_vfs_register(before, 1)
        kept.clear()
    if recorder.faults:
        raise recorder.faults[0]


def _recording_vfs(real: _Vfs, recorder: Recorder) -> tuple[_Vfs, list[Any]]:
    """A copy of the VFS that records, and what must live as long as it does."""
    real_open, real_delete = _OPEN(real.open), _DELETE(real.delete)
    tables: dict[int, tuple[_Methods, list[Any]]] = {}

    def opened(vfs: int, where: int | None, file: Any, flags: int, out: int | None) -> int:
        path = ctypes.string_at(where) if where else b""
        name, existed = recorder.owns(path), os.path.exists(path)
        code = real_open(vfs, where, file, flags, out)
        if code != _OK or name is None:
            return int(code)
        return _noted(recorder, lambda: _watch(recorder, tables, file, name, flags, existed=existed))

    def deleted(vfs: int, path: bytes, directory: int) -> int:
        code = real_delete(vfs, path, directory)
        name = recorder.owns(path)
        if code != _OK or name is None:
            return int(code)
        return _noted(recorder, lambda: recorder.deleted(name, directory=bool(directory)))

    copy = _Vfs.from_buffer_copy(real)
    name = ctypes.create_string_buffer(b"recording")
    callbacks = [_OPEN(opened), _DELETE(deleted)]
    copy.next, copy.name = None, ctypes.cast(name, _POINTER)
    copy.open, copy.delete = [ctypes.cast(each, _POINTER) for each in callbacks]
    return copy, [name, callbacks, tables]


def _watch(
    recorder: Recorder,
    tables: dict[int, tuple[_Methods, list[Any]]],
    file: Any,
    name: str,
    flags: int,
    *,
    existed: bool,
) -> None:
    """Give an opened file the methods that record."""
    real = file.contents.methods.contents
    where = ctypes.addressof(real)
    if where not in tables:
        tables[where] = _recording_methods(real, recorder)
    file.contents.methods = ctypes.pointer(tables[where][0])
    recorder.opened(name, ctypes.addressof(file.contents), flags, existed=existed)


def _recording_methods(real: _Methods, recorder: Recorder) -> tuple[_Methods, list[Any]]:
    real_write, real_truncate, real_sync = _WRITE(real.write), _TRUNCATE(real.truncate), _SYNC(real.sync)

    def write(file: int, data: int, size: int, offset: int) -> int:
        code = _noted(recorder, lambda: recorder.wrote(file, offset, ctypes.string_at(data, size)))
        return code or int(real_write(file, data, size, offset))

    def truncate(file: int, size: int) -> int:
        return _noted(recorder, lambda: recorder.truncated(file, size)) or int(real_truncate(file, size))

    def sync(file: int, flags: int) -> int:
        return int(real_sync(file, flags)) or _noted(recorder, lambda: recorder.synced(file))

    copy = _Methods.from_buffer_copy(real)
    copy.version = 2  # no memory-mapped reading or writing that would pass unseen
    callbacks = [_WRITE(write), _TRUNCATE(truncate), _SYNC(sync)]
    copy.write, copy.truncate, copy.sync = [ctypes.cast(each, _POINTER) for each in callbacks]
    return copy, callbacks


def _noted(recorder: Recorder, note: Callable[[], None]) -> int:
    """Note something; an exception can't pass through SQLite, so it is kept and SQLite is told of a fault."""
    try:
        note()
    except BaseException as fault:  # noqa: BLE001  # it is raised when the recording ends
        recorder.faults.append(fault)
        return _IOERR
    return _OK
