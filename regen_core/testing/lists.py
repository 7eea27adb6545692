"""The files that name checks: one id per line, then two or more blanks or a tab, and the reason.

Blank lines, and lines that begin with ``#``, say nothing. An id that is named twice, or has no reason, is refused: a
list that nobody can explain hides something.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["BadList", "entries_of"]

_PARTS: Final = re.compile(r"\s*\t\s*|\s{2,}")


class BadList(ValueError):  # noqa: N818  # named for what the text is
    """A list that can't be read; the message says where and what was expected."""


def entries_of(text: str, name: str) -> dict[str, str]:
    """The reasons by the id of a check. Raises :class:`BadList`; ``name`` is what the file is called there.

    >>> entries_of("CNV-6  our rows count requests\\n", "skips.txt")
    {'CNV-6': 'our rows count requests'}
    """
    entries: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        check, *reason = _PARTS.split(line.strip(), maxsplit=1)
        if not reason:
            raise BadList(f"{name} line {number}: {check!r} has no reason. Write the id, two blanks, and why.")
        if check in entries:
            raise BadList(f"{name} line {number}: {check!r} is named twice. Leave one of the lines out.")
        entries[check] = reason[0]
    return entries
