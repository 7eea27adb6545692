"""Where results go: a terminal, a pipe or a program, behind one interface of two verbs.

``show`` prints something that is complete; ``listing`` opens something long, row by row, in constant memory. Results go
to standard output; progress and complaints go to standard error and are none of this module's business.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, TextIO

from attrs import define, field

from regen_core.explain.blocks import Block, Cell, Line, printable
from regen_core.explain.rendering import as_json, blocks_as_text, line_as_text

__all__ = ["JsonOutput", "Listing", "Output", "PlainOutput", "is_capable", "output_for"]


class Listing(Protocol):
    """Rows of one kind, printed as they come."""

    def row(self, cells: Sequence[Cell], value: object, details: Sequence[Line] = ()) -> None:
        """Print one row; ``details`` are lines that belong below it.

        ``value`` is the same for programs, ``None`` where the row before said it already.
        """
        ...

    def end(self, summary: Sequence[Line], value: Mapping[str, Any]) -> None:
        """Finish the listing with a summary; ``value`` is the same for programs."""
        ...


class Output(Protocol):
    """A way of printing results."""

    def show(self, blocks: Iterable[Block], value: object) -> None:
        """Print a result; ``value`` is the same for programs."""
        ...

    def listing(self, name: str, columns: Sequence[str], *, is_quiet: bool = False) -> Listing:
        """Begin a listing; programs find its rows under ``name``. A quiet one has no header without rows."""
        ...

    def fail(self, value: Mapping[str, Any]) -> None:
        """Tell a program that the command failed, in whatever state the output is; people read it elsewhere."""
        ...


def is_capable(stream: TextIO) -> bool:
    """Whether this is a terminal that moves its cursor; one that calls itself dumb is written to as a pipe is."""
    return stream.isatty() and os.environ.get("TERM", "") not in ("dumb", "unknown")


def output_for(stream: TextIO, *, as_json: bool) -> Output:
    """JSON where it was asked for, a terminal's way on a terminal, plain text in a pipe."""
    if as_json:
        return JsonOutput(stream)
    if is_capable(stream):
        from regen_core.adapters.cli.terminal import TerminalOutput  # noqa: PLC0415  # a pipe needs no rich

        return TerminalOutput(stream)
    return PlainOutput(stream)


@define
class PlainOutput:
    """Text without colour or frames: a result's columns are aligned, a listing's are separated by tabs."""

    stream: TextIO

    def show(self, blocks: Iterable[Block], value: object) -> None:  # noqa: ARG002  # programs ask for JSON
        """Lines and aligned tables."""
        self.stream.write(blocks_as_text(blocks))

    def listing(self, name: str, columns: Sequence[str], *, is_quiet: bool = False) -> Listing:  # noqa: ARG002  # as above
        """A header and one line per row, for ``cut``, ``grep`` and ``awk``."""
        header = "\t".join(columns) + "\n"
        if is_quiet:
            return _PlainListing(self.stream, header)
        self.stream.write(header)
        return _PlainListing(self.stream)

    def fail(self, value: Mapping[str, Any]) -> None:
        """Nothing more: the sentence stands on standard error."""


@define
class _PlainListing:
    stream: TextIO
    header: str = ""
    """What is still to be written before the first row."""

    def row(self, cells: Sequence[Cell], value: object, details: Sequence[Line] = ()) -> None:  # noqa: ARG002
        if self.header:
            self.stream.write(self.header)
            self.header = ""
        self.stream.write("\t".join([printable(cell.words) for cell in cells]) + "\n")
        for line in details:
            self.stream.write(line_as_text(line) + "\n")

    def end(self, summary: Sequence[Line], value: Mapping[str, Any]) -> None:  # noqa: ARG002
        for line in summary:
            self.stream.write(line_as_text(line) + "\n")


@define
class JsonOutput:
    """One JSON object per command; a listing's rows stand on lines of their own."""

    stream: TextIO
    open_listing: _JsonListing | None = field(default=None, init=False)

    def show(self, blocks: Iterable[Block], value: object) -> None:  # noqa: ARG002  # people don't ask for JSON
        """The value, indented."""
        self.stream.write(_encodable(as_json(value), self.stream))

    def listing(self, name: str, columns: Sequence[str], *, is_quiet: bool = False) -> Listing:  # noqa: ARG002
        """``{"name": [`` and then the rows."""
        self.stream.write(f'{{"{name}": [')
        self.open_listing = _JsonListing(self.stream)
        return self.open_listing

    def fail(self, value: Mapping[str, Any]) -> None:
        """An object of its own, or the end of the listing that was begun: what was printed stays valid JSON."""
        if self.open_listing is None:
            self.show((), value)
        elif not self.open_listing.has_ended:
            self.open_listing.end((), value)


@define
class _JsonListing:
    stream: TextIO
    is_empty: bool = field(default=True, init=False)
    has_ended: bool = field(default=False, init=False)

    def row(self, cells: Sequence[Cell], value: object, details: Sequence[Line] = ()) -> None:  # noqa: ARG002
        if value is None:
            return
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=str)
        self.stream.write(("\n" if self.is_empty else ",\n") + _encodable(text, self.stream))
        self.is_empty = False

    def end(self, summary: Sequence[Line], value: Mapping[str, Any]) -> None:  # noqa: ARG002
        told = _encodable(json.dumps(value, ensure_ascii=False)[1:-1], self.stream)
        self.stream.write(f"{'' if self.is_empty else chr(10)}]{', ' if told else ''}{told}}}\n")
        self.has_ended = True


def _encodable(text: str, stream: TextIO) -> str:
    """The text as it is where the stream can take it, else with the escapes that JSON has."""
    if text.isascii() or (stream.encoding or "utf-8").lower().replace("-", "") == "utf8":
        return text
    return "".join([c if c.isascii() else json.dumps(c)[1:-1] for c in text])
