"""What a program does to a disk that matters when the power goes, in the order in which it does it."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Event", "Link", "Mark", "Sync", "Truncate", "Unlink", "Write"]


class Write(NamedTuple):
    """Bytes are written into a file."""

    file: int
    offset: int
    data: bytes


class Truncate(NamedTuple):
    """A file is made as long as this."""

    file: int
    size: int


class Sync(NamedTuple):
    """All of a file is made durable, and with it the names in its directory where ``directory`` says so."""

    file: int
    directory: bool


class Link(NamedTuple):
    """A new file gets a name."""

    name: str
    file: int


class Unlink(NamedTuple):
    """A name is taken away; ``directory`` as in :class:`Sync`."""

    name: str
    directory: bool


class Mark(NamedTuple):
    """The history goes on: a step has begun, or was acknowledged."""

    begun: int
    acknowledged: int


Event = Write | Truncate | Sync | Link | Unlink | Mark
