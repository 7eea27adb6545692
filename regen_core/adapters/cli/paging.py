"""Rows of a store's listing one after the other, in as little memory as a page takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, TypeVar

from regen_core.ports import Page

__all__ = ["PAGE", "paged"]

T = TypeVar("T")

PAGE: Final = 500
"""Rows fetched at a time: enough to make the fetching cheap, few enough to hold."""


def paged(fetch: Callable[..., Page[T]], **wanted: Any) -> Iterator[T]:
    """All rows of a listing; ``wanted`` goes to it as it is.

    >>> list(paged(lambda limit, after: Page((1, 2), "2") if after is None else Page((3,), None)))
    [1, 2, 3]
    """
    after: str | None = None
    while True:
        page = fetch(limit=PAGE, after=after, **wanted)
        yield from page.rows
        after = page.next
        if after is None:
            return
