"""Whether what concurrent callers heard can be explained by one order of their calls, each within its own time.

A history holds each call with the moments between which it took place. The checker looks for an order that respects
those moments and in which the sequential model, the store in memory in which the core decides everything, gives each
call the answer that it got, and ends as the store did. It goes depth first over the calls that may come next: those
that no other call had ended before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from typing import Any

from attrs import frozen

from regen_core.adapters.memory import MemoryStore
from regen_core.ports import Store

__all__ = ["Call", "Done", "explained", "fork"]

Call = Callable[[Store], object]


@frozen(eq=False)
class Done:
    """A call, what it answered, as text, and when it began and ended."""

    name: str
    call: Call
    answer: str
    began: float
    ended: float


def fork(store: MemoryStore) -> MemoryStore:
    """An independent copy: all that a store in memory holds are values, but for two tables."""
    twin = copy(store)
    twin._versions, twin._records = dict(store._versions), dict(store._records)
    return twin


def explained(history: Sequence[Done], start: MemoryStore, end: Callable[[Store], str], shown: str) -> bool:
    """Whether there is such an order; ``end`` makes text of a store, and ``shown`` is that of the store at the end."""
    seen: set[tuple[Any, ...]] = set()

    def search(left: tuple[Done, ...], store: MemoryStore) -> bool:
        if not left:
            return end(store) == shown
        state = (frozenset(map(id, left)), end(store), repr(sorted(store._versions.items(), key=repr)))
        if state in seen:
            return False
        seen.add(state)
        first_end = min(each.ended for each in left)
        for each in left:
            if each.began > first_end:
                continue
            after = fork(store)
            if repr(each.call(after)) == each.answer and search(tuple(one for one in left if one is not each), after):
                return True
        return False

    return search(tuple(history), start)
