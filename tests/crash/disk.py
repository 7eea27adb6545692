"""What may be on a disk after the power went: a model of what is certain, what is possible, and how to draw from it.

Certain is what was synced. Of all else any part may be there: each write since the last sync of its file, cut at
sectors, alone or with others, in any order between files; a file's new length without its data; names that were made or
taken away since the directory was synced. A sector is written as a whole or not at all, and bytes that a write does not
cover stay as they are, which is also what SQLite assumes on Linux.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Final

from attrs import define, field

from tests.crash.disk_events import Event, Link, Sync, Truncate, Unlink, Write

__all__ = ["SECTOR", "Disk", "Image"]

SECTOR: Final = 512
"""Bytes that a disk writes as a whole: the smallest unit that disks have."""

Image = Mapping[str, bytes]
"""The files that are found when the machine starts again, by name."""

_Change = Write | Truncate


@define
class _File:
    """A file's certain bytes, and the changes since that may or may not be on the disk."""

    certain: bytearray = field(factory=bytearray)
    possible: list[_Change] = field(factory=list)

    def settle(self) -> None:
        """Everything so far is certain now."""
        self.certain = bytearray(self.seen())
        self.possible.clear()

    def seen(self) -> bytes:
        """The content with all changes."""
        content = bytearray(self.certain)
        for change in self.possible:
            _apply(content, change, b"\0")
        return bytes(content)

    def drawn(self, rng: Random) -> bytes:
        """One of the contents that are possible."""
        if not self.possible:
            return bytes(self.certain)
        content = bytearray(self.certain)
        gap = rng.choice((b"\0", b"\xa5"))
        for change in _survivors(self.possible, rng):
            _apply(content, change, gap)
        if rng.random() < 0.1:
            content.extend(gap * (self._longest() - len(content)))
        return bytes(content)

    def _longest(self) -> int:
        ends = [change.offset + len(change.data) for change in self.possible if isinstance(change, Write)]
        return max(ends, default=0)


@define
class Disk:
    """The files of one directory. A disk that is ``honest`` has what was synced; the other kind is a control."""

    honest: bool = True
    _files: dict[int, _File] = field(factory=dict, init=False)
    _names: dict[str, int] = field(factory=dict, init=False)
    _possible_names: list[Link | Unlink] = field(factory=list, init=False)

    def take(self, event: Event) -> None:
        """Something was done to the disk."""
        match event:
            case Write() | Truncate():
                self._files[event.file].possible.append(event)
            case Link():
                self._files[event.file] = _File()
                self._possible_names.append(event)
            case Sync():
                if self.honest:
                    self._files[event.file].settle()
                self._name(event.directory)
            case Unlink():
                self._possible_names.append(event)
                self._name(event.directory)

    def _name(self, is_synced: bool) -> None:  # as the event says
        if is_synced:
            for change in self._possible_names:
                _rename(self._names, change)
            self._possible_names.clear()

    def everything(self) -> Image:
        """The files as a program sees them that runs on without a loss of power."""
        names = dict(self._names)
        for change in self._possible_names:
            _rename(names, change)
        return {name: self._files[number].seen() for name, number in names.items()}

    def image(self, rng: Random) -> Image:
        """What may be found after a loss of power now."""
        names = dict(self._names)
        share = rng.choice((0.0, 0.5, 1.0))
        for change in self._possible_names:
            if rng.random() < share:
                _rename(names, change)
        return {name: self._files[number].drawn(rng) for name, number in names.items()}


def _rename(names: dict[str, int], change: Link | Unlink) -> None:
    if isinstance(change, Link):
        names[change.name] = change.file
    else:
        names.pop(change.name, None)


def _apply(content: bytearray, change: _Change, gap: bytes) -> None:
    """Do to the content what the change says; what lies between its end and the change is filled."""
    if isinstance(change, Truncate):
        del content[change.size :]
        content.extend(gap * (change.size - len(content)))
        return
    end = change.offset + len(change.data)
    if len(content) < change.offset:
        content.extend(gap * (change.offset - len(content)))
    content[change.offset : end] = change.data


def _survivors(changes: Sequence[_Change], rng: Random) -> Iterator[_Change]:
    """The changes that reached the disk: the first of them up to a torn one, or any, as wholes or as sectors."""
    way = rng.random()
    if way < 0.3:
        whole = rng.randrange(len(changes) + 1)
        yield from changes[:whole]
        yield from _some(_pieces(changes[whole : whole + 1]), rng, 0.5)
    else:
        share = rng.choice((0.0, 0.1, 0.5, 0.9, 1.0, rng.random()))
        yield from _some(changes if way < 0.6 else _pieces(changes), rng, share)


def _some(changes: Sequence[_Change], rng: Random, share: float) -> Iterator[_Change]:
    return (change for change in changes if rng.random() < share)


def _pieces(changes: Sequence[_Change]) -> list[_Change]:
    """The changes, cut where sectors begin."""
    cut: list[_Change] = []
    for change in changes:
        if isinstance(change, Truncate):
            cut.append(change)
            continue
        start = change.offset
        while start < change.offset + len(change.data):
            until = (start // SECTOR + 1) * SECTOR
            cut.append(Write(change.file, start, change.data[start - change.offset : until - change.offset]))
            start = until
    return cut
