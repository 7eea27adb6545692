"""What the text of a file may look like: one JSON value, several after each other, or one per line.

Owns the choice between the three, the byte order mark, blank lines, and the bound on what is held at once. It knows no
document. One value per line (NDJSON) is read as a stream; anything else is held as a whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Final

from attrs import frozen

from regen_core.wire.facts import Fault
from regen_core.wire.strict_json import JsonFault, JsonValue, parse, parse_sequence

__all__ = ["MAX_TEXT_BYTES", "Unread", "Where", "values_of"]

MAX_TEXT_BYTES: Final = 256 * 1024 * 1024
"""Longest text that is held at once, in bytes: parsed it takes about ten times that. Larger exports come as NDJSON."""


@frozen
class Where:
    """A place in a file: its name, the line where that helps (NDJSON) and the path of the value in the JSON there.

    >>> str(Where("invoices.ndjson", 12)), str(Where("invoices.json", path="$[3]"))
    ('invoices.ndjson:12', 'invoices.json $[3]')
    """

    name: str
    line: int | None = None
    path: str = "$"

    def __str__(self) -> str:
        place = self.name if self.line is None else f"{self.name}:{self.line}"
        return place if self.path == "$" else f"{place} {self.path}"

    def at(self, step: str) -> Where:
        """A place further down in the same value."""
        return Where(self.name, self.line, self.path + step)


@frozen
class Unread:
    """A text, or a line of one, that is not strict JSON; ``is_file``: it isn't even meant to be."""

    fault: Fault
    is_file: bool = False


_Found = tuple["JsonValue | Unread", Where]
_BOM: Final = b"\xef\xbb\xbf"
_UNFINISHED: Final = (b"[", b"{", b",", b":")
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff", b"{\0", b"[\0", b"\0{", b"\0[")
_FOREIGN: Final = {
    b"\x1f\x8b": ("a gzip file", "Unpack it"),
    b"PK\x03\x04": ("a ZIP file", "Unpack it"),
    **dict.fromkeys(_UTF_16, ("text in UTF-16", "Save it as UTF-8")),
}
"""What no JSON in UTF-8 begins with: what it is, and what to do."""

_EXPECTED: Final = "JSON in UTF-8: documents as Zuora's REST API returns them, whole or one per line"


def values_of(lines: Iterable[bytes], *, name: str) -> Iterator[_Found]:
    """The values of a file with their places, and what of it is no strict JSON.

    A first line that is a value of its own makes it NDJSON. So does a bad first line, if later lines are objects of
    their own; one bad line costs no other.

    >>> [value for value, where in values_of([b'{"id": 1}\\n', b'{"id": 2}\\n'], name="a.ndjson")]
    [{'id': 1}, {'id': 2}]
    """
    numbered = _not_blank(lines)
    line, first = next(numbered, (0, b""))
    if not first:
        yield _no_text(name, "an empty file", "Check that the export finished")
        return
    foreign = next((told for mark, told in _FOREIGN.items() if first.startswith(mark)), None)
    if foreign is not None:
        yield _no_text(name, *foreign)
        return
    value, where = _line(first, Where(name, line))
    following = next(numbered, None)
    if isinstance(value, Unread):
        yield from _after_a_bad_line((line, first), following, numbered, name)
    elif following is None:
        yield value, Where(name)
    else:
        yield value, where
        for number, text in chain((following,), numbered):
            yield _line(text, Where(name, number))


_Numbered = tuple[int, bytes]


def _after_a_bad_line(
    first: _Numbered, following: _Numbered | None, rest: Iterator[_Numbered], name: str
) -> Iterator[_Found]:
    """The first line is no value: the whole is one text over many lines, or the line is bad."""
    second = () if following is None else (following,)
    if following is not None and not first[1].rstrip().endswith(_UNFINISHED) and _is_object(following[1]):
        for number, text in chain((first, following), rest):
            yield _line(text, Where(name, number))
        return
    if first[1].lstrip().startswith(b"<"):
        yield _no_text(name, "HTML or XML", "Export the documents through the REST API, with a token that is valid")
        return
    if _is_csv(first[1], following):
        yield _no_text(name, "a table such as CSV", "Export the documents through the REST API")
        return
    held: list[_Numbered] = []
    size = 0
    for number, text in chain((first, *second), rest):
        held.append((number, text))
        size += len(text)
        if size > MAX_TEXT_BYTES:
            what = f"one JSON text of more than {MAX_TEXT_BYTES} bytes"
            yield _unread(Where(name), what, "Export one document per line, which is read as a stream")
            return
    yield from _whole(held, name)


def _whole(held: Sequence[_Numbered], name: str) -> Iterator[_Found]:
    """One text over many lines: a value, or several after each other."""
    found: list[tuple[JsonValue, int]] = []
    try:
        found.extend(parse_sequence(_text(held)))
    except JsonFault as fault:
        if _is_line_by_line(held):
            for number, line in held:
                yield _line(line, Where(name, number))
            return
        yield from [(value, Where(name, line)) for value, line in fault.before]
        yield _unread(Where(name, fault.line, fault.path), _told(fault), "Correct it; nothing after it was read")
        return
    if len(found) == 1:
        yield found[0][0], Where(name)
    else:
        yield from [(value, Where(name, line)) for value, line in found]


def _text(held: Sequence[_Numbered]) -> bytes:
    """The lines as one text; blank lines count, so that faults are on their own line."""
    parts: list[bytes] = []
    last = 0
    for number, line in held:
        parts.append(b"\n" * (number - last - 1) + line.rstrip(b"\r\n") + b"\n")
        last = number
    return b"".join(parts)


def _is_line_by_line(held: Sequence[_Numbered]) -> bool:
    """Whether a text that is no JSON was meant line by line: lists have commas between the objects of their lines."""
    objects = 0
    for _, line in held[1:]:
        objects += line.startswith(b"{") and _is_object(line)
        if objects > held[0][1].rstrip().endswith(_UNFINISHED):
            return True
    return False


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(parse(line), dict)
    except JsonFault:
        return False


def _line(line: bytes, where: Where) -> _Found:
    if len(line) > MAX_TEXT_BYTES:
        return _unread(where, f"a line of more than {MAX_TEXT_BYTES} bytes", "Export one document per line")
    try:
        return parse(line), where
    except JsonFault as fault:
        return _unread(Where(where.name, where.line, fault.path), _told(fault), "Correct the line or export it again")


def _told(fault: JsonFault) -> str:
    return f"{fault.fault} at column {fault.column}"


def _unread(where: Where, found: str, do: str) -> _Found:
    return Unread(Fault(path=where.path, found=found, expected=_EXPECTED, do=do)), Where(where.name, where.line)


def _no_text(name: str, found: str, do: str) -> _Found:
    return Unread(Fault(path="$", found=found, expected=_EXPECTED, do=do), is_file=True), Where(name)


def _is_csv(first: bytes, following: _Numbered | None) -> bool:
    """Whether a first line that is no JSON heads a table: the next line has as many cells, or there is none."""
    if any([mark in first for mark in (b"{", b"}", b"[", b"]")]):
        return False
    if following is None:
        return any([mark in first for mark in (b",", b";", b"\t")]) and b" " not in first
    return any([0 < first.count(mark) <= following[1].count(mark) for mark in (b",", b";", b"\t")])


def _not_blank(lines: Iterable[bytes]) -> Iterator[_Numbered]:
    """The lines that hold something, numbered from 1; the byte order mark of UTF-8 is no part of the text."""
    number = 0
    for chunk in lines:
        for line in (chunk,) if chunk.find(b"\n", 0, -1) < 0 else chunk.splitlines(keepends=True):
            number += 1
            text = line.removeprefix(_BOM) if number == 1 else line
            if not text.isspace() and text:
                yield number, text
