"""An immutable map from text to values whose updates cost the logarithm of its size: a hash trie, 32 ways per level.

Owned by the reference store and Revenue's ledger, which are values themselves. Keys are placed by a 128-bit hash that
is the same in every process, so iteration has the same order everywhere. Values are never looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final, Generic, TypeVar

from attrs import field, frozen

__all__ = ["PersistentMap"]

V = TypeVar("V")

_BITS: Final = 5
_MASK: Final = 31

_Leaf = tuple[int, str, Any]
_Node = tuple[int, tuple[Any, ...]]
"""A bitmap of the taken places and the children in their order: leaves have three parts, nodes two."""

_EMPTY: Final[_Node] = (0, ())


@lru_cache(maxsize=4096)
def _place(key: str) -> int:
    """The key's hash; an operation on a store asks for those of one document again and again."""
    return int.from_bytes(blake2b(key.encode(), digest_size=16).digest(), "big")


def _put(node: _Node, place: int, shift: int, leaf: _Leaf) -> tuple[_Node, bool]:
    """The node with the leaf in it, and whether the key is new."""
    bitmap, children = node
    bit = 1 << (place >> shift & _MASK)
    index = (bitmap & bit - 1).bit_count()
    if not bitmap & bit:
        return (bitmap | bit, (*children[:index], leaf, *children[index:])), True
    child = children[index]
    if len(child) == 2:
        replaced, is_new = _put(child, place, shift + _BITS, leaf)
    elif child[0] == place:
        replaced, is_new = leaf, False  # type: ignore[assignment]  # a child is a node or a leaf
    else:
        replaced, is_new = _put(_split(child, shift + _BITS), place, shift + _BITS, leaf)
    return (bitmap, (*children[:index], replaced, *children[index + 1 :])), is_new


def _split(leaf: _Leaf, shift: int) -> _Node:
    return (1 << (leaf[0] >> shift & _MASK), (leaf,))


def _take(node: _Node, place: int, shift: int) -> _Node | None:
    """The node without the key, or ``None`` when the key isn't in it."""
    bitmap, children = node
    bit = 1 << (place >> shift & _MASK)
    if not bitmap & bit:
        return None
    index = (bitmap & bit - 1).bit_count()
    child = children[index]
    if len(child) == 3:
        return (bitmap ^ bit, children[:index] + children[index + 1 :]) if child[0] == place else None
    rest = _take(child, place, shift + _BITS)
    if rest is None:
        return None
    only = rest[1][0] if len(rest[1]) == 1 and len(rest[1][0]) == 3 else rest
    return (bitmap, (*children[:index], only, *children[index + 1 :]))


@frozen(repr=False)
class PersistentMap(Generic[V]):
    """An immutable map from text to values; ``put`` and ``without`` return a new map and share the rest.

    What a map holds has one form, so maps are equal where they hold the same, and what they share isn't compared.

    >>> ages = PersistentMap[int]().put("ann", 7)
    >>> ages.put("bob", 9).get("bob"), ages.get("bob"), len(ages)
    (9, None, 1)
    """

    _root: _Node = field(default=_EMPTY)
    _length: int = field(default=0)

    def get(self, key: str) -> V | None:
        """The key's value, or ``None``."""
        place = _place(key)
        rest, (bitmap, children) = place, self._root
        while True:
            bit = 1 << (rest & _MASK)
            if not bitmap & bit:
                return None
            child = children[(bitmap & bit - 1).bit_count()]
            if len(child) == 3:
                found: V | None = child[2] if child[0] == place else None
                return found
            bitmap, children = child
            rest >>= _BITS

    def put(self, key: str, value: V) -> PersistentMap[V]:
        """This map with the key's value replaced or added."""
        place = _place(key)
        root, is_new = _put(self._root, place, 0, (place, key, value))
        return PersistentMap(root, self._length + is_new)

    def without(self, key: str) -> PersistentMap[V]:
        """This map without the key; the same map when the key isn't in it."""
        root = _take(self._root, _place(key), 0)
        return self if root is None else PersistentMap(root, self._length - 1)

    def items(self) -> Iterator[tuple[str, V]]:
        """Keys with their values, in the same order for the same keys."""
        pending: list[Any] = [self._root]
        while pending:
            node = pending.pop()
            if len(node) == 3:
                yield node[1], node[2]
            else:
                pending.extend(reversed(node[1]))

    def values(self) -> Iterator[V]:
        """The values, in the order of :meth:`items`."""
        return (value for _, value in self.items())

    def __iter__(self) -> Iterator[str]:
        return (key for key, _ in self.items())

    def __len__(self) -> int:
        return self._length

    def __contains__(self, key: str) -> bool:
        return _take(self._root, _place(key), 0) is not None

    def __repr__(self) -> str:
        return f"PersistentMap({dict(self.items())!r})"
