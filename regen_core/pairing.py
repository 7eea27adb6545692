"""The meeting of two sides: each line once, with what Billing and what Revenue have of it.

Owns the order of lines and says where a side isn't in it. Whether a line counts, and what it is called when the sides
disagree, is decided by others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from regen_core.revenue import Held
from regen_core.transactions import BillingTransaction, StoredTransaction

__all__ = ["Pair", "Side", "paired"]

T = TypeVar("T")
Side = Iterable[T]
"""The lines of one side, in strictly ascending order of their keys."""

Pair = tuple[StoredTransaction | None, Held | None]
"""What each side has of one line; at most one of the two is ``None``."""

_Key = tuple[str, ...]


def paired(parts: Iterable[tuple[Side[StoredTransaction], Side[Held]]]) -> Iterator[Pair]:
    """Both sides merged, part by part; nothing is read ahead beyond the next line of each side.

    Raises ``ValueError`` where a side isn't in order, or a part isn't behind the one before it.
    """
    before: _Key = ()
    for stored, held in parts:
        key = before
        for key, pair in _merged(stored, held):
            if key <= before:
                raise ValueError(f"a part has {key}, which doesn't come behind {before}, where the last part ended")
            yield pair
        before = key


def _merged(stored: Side[StoredTransaction], held: Side[Held]) -> Iterator[tuple[_Key, Pair]]:
    left = _in_order("the stored transactions are", stored, lambda row: row.transaction)
    right = _in_order("what Revenue holds is", held, lambda row: row.transaction)
    ours, theirs = next(left, None), next(right, None)
    while ours is not None or theirs is not None:
        if theirs is None or (ours is not None and ours[0] < theirs[0]):
            assert ours is not None, "one of the two is there"
            yield ours[0], (ours[1], None)
            ours = next(left, None)
        elif ours is None or theirs[0] < ours[0]:
            yield theirs[0], (None, theirs[1])
            theirs = next(right, None)
        else:
            yield ours[0], (ours[1], theirs[1])
            ours, theirs = next(left, None), next(right, None)


def _in_order(side: str, rows: Side[T], of: Callable[[T], BillingTransaction]) -> Iterator[tuple[_Key, T]]:
    before: _Key = ()
    for row in rows:
        key = _key(of(row))
        if key <= before:
            raise ValueError(
                f"{side} not in strictly ascending order: {key} comes after {before}; sort them by tenant, entity, "
                "document type, document id, item id and transaction id, each once"
            )
        yield key, row
        before = key


def _key(transaction: BillingTransaction) -> _Key:
    document = transaction.header.key
    return (document.tenant, document.entity, document.type.value, document.id, transaction.item.id, transaction.id)
