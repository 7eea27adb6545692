"""Pages of what a store in memory holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from regen_core.page import MAX_PAGE, Page

__all__ = ["page"]

T = TypeVar("T")


def page(given: Sequence[tuple[tuple[str, ...], T]], limit: int, after: str | None) -> Page[T]:
    """The rows behind ``after`` in the order of their places; places hold no control characters."""
    if not 1 <= limit <= MAX_PAGE:
        raise ValueError(f"limit is {limit}; a page has 1 to {MAX_PAGE} rows")
    rows = sorted(given, key=lambda row: row[0])
    waiting = [row for row in rows if after is None or row[0] > tuple(after.split("\x1f"))]
    more = len(waiting) > limit
    return Page(tuple([row[1] for row in waiting[:limit]]), "\x1f".join(waiting[limit - 1][0]) if more else None)
