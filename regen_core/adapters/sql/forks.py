"""What a process that was forked must not share with the one before it: connections, and keys that are running.

Owns the moment of the fork alone; what is to be done then, each thing that is told of it knows.
"""

from __future__ import annotations

import os
from typing import Final, Protocol
from weakref import ref

__all__ = ["Forked", "is_told_of_forks", "keep_for_ever"]


class Forked(Protocol):
    """What is told of forks as long as somebody has it."""

    def before_fork(self) -> None:
        """In the process that forks."""
        ...

    def in_child(self) -> None:
        """In the new process, before anything else runs there."""
        ...


_told: Final[set[ref[Forked]]] = set()
_kept: Final[list[object]] = []


def is_told_of_forks(each: Forked) -> None:
    """Tell something of every fork from now on."""
    _told.add(ref(each, _told.discard))


def keep_for_ever(kept: object) -> None:
    """Keep what mustn't even be closed in this process, past the end of its interpreter."""
    import ctypes  # noqa: PLC0415  # hardly any process needs it

    _kept.append(kept)
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(kept))


def _known() -> list[Forked]:
    return [each for each in [told() for told in tuple(_told)] if each is not None]


def _before() -> None:
    for each in _known():
        each.before_fork()


def _in_child() -> None:
    for each in _known():
        each.in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_child=_in_child)
