"""Opening the store that ``--db`` names, for as long as one command needs it."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

from regen_core.ports import Store, StoreFault
from regen_core.transactions import Occasion

__all__ = ["NoDatabase", "NoUrl", "occasion", "opened"]

_FILE_URL: Final = "sqlite:///"


class NoDatabase(StoreFault):
    """A database to read from that was never made; the message says how it comes about."""

    def __init__(self, url: str) -> None:
        super().__init__(
            f"The database {url} does not exist. Load documents into it with 'regen load FILE', or name another one "
            "with --db or REGEN_DB."
        )
        self.url = url

    def __reduce__(self) -> tuple[type[NoDatabase], tuple[str]]:
        return type(self), (self.url,)


class NoUrl(StoreFault):
    """A path where a URL is needed; the message has the URL that leads there."""

    def __init__(self, path: str) -> None:
        super().__init__(
            f"The database {path!r} is not a database URL. If you mean the SQLite file, write {_FILE_URL}{path}."
        )
        self.path = path

    def __reduce__(self) -> tuple[type[NoUrl], tuple[str]]:
        return type(self), (self.path,)


@contextmanager
def opened(url: str, *, may_create: bool = False) -> Iterator[Store]:
    """The store of a URL, closed in the end. Raises :class:`StoreFault` where it can't be used.

    A file that doesn't exist is made only where ``may_create``: a question asked in the wrong directory must not leave
    an empty database there. Raises ``OSError`` where nobody can tell whether it exists: symbolic links in a circle.
    """
    if _is_path(url):
        raise NoUrl(url.removeprefix("sqlite:").removeprefix("//"))
    path = _path(url)
    if path is not None and not _exists(path) and not may_create:
        raise NoDatabase(url)
    from regen_core.adapters.sql import SqlStore  # noqa: PLC0415  # tables and help don't wait for the driver

    with SqlStore.open(url) as store:
        yield store


def _path(url: str) -> str | None:
    """The file that a URL names, as the store reads it; ``None`` for every other one."""
    if not url.startswith(_FILE_URL):
        return None
    from regen_core.adapters.sql.urls import read_url  # noqa: PLC0415  # tables and help don't wait for the driver

    path = read_url(url).database
    return path if path and not path.startswith((":", "file:")) else None


def _is_path(url: str) -> bool:
    """Whether this names a file without saying so as a URL does; what may hold a password doesn't."""
    if url.startswith("sqlite:"):
        return not url.startswith(_FILE_URL) and url not in ("sqlite:", "sqlite://")
    return "://" not in url and "@" not in url and "password" not in url.lower()


def _exists(path: str) -> bool:
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError, ValueError):  # the last for a NUL, which is no file's name
        return False
    return True


def occasion() -> Occasion:
    """Now, and who asks."""
    try:
        by: str | None = getpass.getuser()
    except (KeyError, OSError, ImportError):
        by = None
    return Occasion(datetime.now(UTC), by)
