"""A page of a listing: some rows, and what to ask for to get the next ones.

It knows neither what is listed nor where it comes from.
"""

from __future__ import annotations

from typing import Generic, TypeVar

from attrs import frozen

__all__ = ["MAX_PAGE", "Page"]

MAX_PAGE = 1000
"""Most rows of one page: a thousand documents with their items fit in memory many times over."""

T_co = TypeVar("T_co", covariant=True)


@frozen
class Page(Generic[T_co]):
    """Some rows of a listing; ``next`` is what to ask for to go on, opaque, ``None`` at the end."""

    rows: tuple[T_co, ...]
    next: str | None
