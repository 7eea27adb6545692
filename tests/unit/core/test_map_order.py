"""A persistent map lies in memory as its keys' hashes say: in the same order in every process, 32 ways a level."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import pytest

from regen_core.persistent_map import PersistentMap

NAMES = tuple(f"key {number}" for number in range(300))


def digits(key: str) -> list[int]:
    """The hash of a key, five bits at a time, the last ones first: the way to its place."""
    place = int.from_bytes(blake2b(key.encode(), digest_size=16).digest(), "big")
    return [place >> shift & 31 for shift in range(0, 128, 5)]


def test_the_order_is_that_of_the_hashes() -> None:
    """Written down a second time: a store's pages and a ledger's lines come in the same order everywhere."""
    made = PersistentMap[int]()
    for number, name in enumerate(NAMES):
        made = made.put(name, number)
    assert list(made) == sorted(NAMES, key=digits)
    assert list(made.values()) == [NAMES.index(name) for name in made]
    assert [made.get(name) for name in NAMES] == list(range(300))
    assert all(name in made for name in NAMES)
    for number, name in enumerate(NAMES[:-5]):
        made = made.without(name)
        assert (name in made, len(made)) == (False, 299 - number)
    assert list(made) == sorted(NAMES[-5:], key=digits)


def test_keys_that_begin_alike_are_told_apart_further_down() -> None:
    """Two names share five levels; once one is taken out, the other lies where it would lie alone."""
    name, other = "n9220", "n13310"
    assert digits(name)[:5] == digits(other)[:5]
    one = PersistentMap[int]().put(other, 1)
    both = one.put(name, 2)
    assert (both.get(other), both.get(name), len(both)) == (1, 2, 2)
    assert list(both) == sorted((other, name), key=digits)
    assert both.put(name, 3).get(name) == 3
    assert len(both.put(name, 3)) == 2
    assert both.without(name)._root == one._root
    assert both.without(name).without(other)._root == PersistentMap()._root
    assert one.get(name) is None
    assert one.without(name) is one


def test_an_empty_map_holds_nothing() -> None:
    empty = PersistentMap[int]()
    assert (len(empty), list(empty), empty.get("a"), "a" in empty) == (0, [], None, False)
    assert empty.without("a") is empty
    assert repr(empty.put("a", 1)) == "PersistentMap({'a': 1})"


@pytest.mark.parametrize(
    "other", [PersistentMap[int](), PersistentMap[int]().put("a", 2), PersistentMap[int]().put("b", 1)]
)
def test_maps_are_compared_by_what_they_hold(other: PersistentMap[int]) -> None:
    one: Any = PersistentMap[int]().put("a", 1)
    assert one == PersistentMap[int]().put("b", 2).put("a", 1).without("b")
    assert one != other
    assert one.__eq__({"a": 1}) is NotImplemented
    assert hash(one) == hash(PersistentMap[int]().put("a", 2).put("a", 1))
    assert hash(one) != hash(other)
