"""Deliveries appended to a file of newline-delimited JSON."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from types import TracebackType
from typing import Self

from attrs import define, field

from regen_core.adapters.revenue.appended_file import AppendedFile
from regen_core.adapters.revenue.sink import Part, part_of
from regen_core.attempts import Answer, Taken
from regen_core.ports import OutboxEntry

__all__ = ["FileSink"]


@define
class FileSink:
    """A file that takes deliveries: they are acknowledged once they are on the disk.

    The file is locked while it is open, so no lease is needed: a second relay to it waits at the door, and what a dead
    one had claimed is due at once. A file that can't be written raises ``OSError``.
    """

    path: str
    lease: timedelta = field(default=timedelta(0), init=False)
    patience: timedelta = field(default=timedelta(0), init=False)
    _file: AppendedFile = field(init=False)

    @_file.default
    def _unopened(self) -> AppendedFile:
        return AppendedFile(self.path)

    @property
    def shown(self) -> str:
        """The path."""
        return self.path

    def parts(self, entries: Sequence[OutboxEntry]) -> list[Part]:
        """All at once: one wait for the disk."""
        return [part_of(entries)] if entries else []

    def send(self, part: Part) -> Answer:
        """Append; nothing comes back but success."""
        self._file.append(part.lines)
        return Taken()

    def __enter__(self) -> Self:
        self._file.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._file.__exit__(kind, fault, traceback)
