"""The persistent map is a dictionary that keeps its past: compared with ``dict`` over any history of updates."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, rule

from regen_core.persistent_map import PersistentMap

KEYS = st.text(max_size=3) | st.sampled_from([f"k{number}" for number in range(200)])


class VersionedMaps(RuleBasedStateMachine):
    """Every version that was ever made stays what it was."""

    versions: Bundle[tuple[PersistentMap[int], dict[str, int]]] = Bundle("versions")

    @rule(target=versions)
    def empty(self) -> tuple[PersistentMap[int], dict[str, int]]:
        return PersistentMap[int](), {}

    @rule(target=versions, version=versions, keys=st.lists(KEYS, max_size=40), value=st.integers())
    def put(
        self, version: tuple[PersistentMap[int], dict[str, int]], keys: list[str], value: int
    ) -> tuple[PersistentMap[int], dict[str, int]]:
        told, plain = version
        plain = dict(plain)
        for key in keys:
            told, plain[key] = told.put(key, value), value
        return told, plain

    @rule(target=versions, version=versions, keys=st.lists(KEYS, max_size=40))
    def without(
        self, version: tuple[PersistentMap[int], dict[str, int]], keys: list[str]
    ) -> tuple[PersistentMap[int], dict[str, int]]:
        told, plain = version
        plain = dict(plain)
        for key in keys:
            told = told.without(key)
            plain.pop(key, None)
        return told, plain

    @rule(version=versions, key=KEYS)
    def agree(self, version: tuple[PersistentMap[int], dict[str, int]], key: str) -> None:
        told, plain = version
        assert dict(told.items()) == plain
        assert len(told) == len(plain)
        assert told.get(key) == plain.get(key)
        assert (key in told) is (key in plain)
        assert sorted(told) == sorted(plain)
        assert sorted(told.values()) == sorted(plain.values())

    @rule(one=versions, other=versions)
    def equality_is_that_of_dict(
        self,
        one: tuple[PersistentMap[int], dict[str, int]],
        other: tuple[PersistentMap[int], dict[str, int]],
    ) -> None:
        assert (one[0] == other[0]) is (one[1] == other[1])
        if one[1] == other[1]:
            assert hash(one[0]) == hash(other[0])
            assert list(one[0].items()) == list(other[0].items())


TestVersionedMaps = VersionedMaps.TestCase
TestVersionedMaps.settings = settings(stateful_step_count=20)


class TestOnePath:
    """Order and form depend on what is in the map, not on how it came there."""

    @given(st.dictionaries(KEYS, st.integers()), st.lists(KEYS), st.randoms(use_true_random=False))
    def test_any_way_leads_to_one_map(self, plain: dict[str, int], detour: list[str], order: object) -> None:
        straight, around = PersistentMap[int](), PersistentMap[int]()
        for key, value in plain.items():
            straight = straight.put(key, value)
        for key in detour:
            around = around.put(key, -1)
        for key, value in reversed(plain.items()):
            around = around.put(key, value)
        for key in detour:
            if key not in plain:
                around = around.without(key)
        assert straight == around
        assert list(straight.items()) == list(around.items())
        assert repr(straight) == repr(around) == f"PersistentMap({dict(straight.items())!r})"

    def test_taking_out_what_is_not_there_gives_the_same_map(self) -> None:
        one = PersistentMap[int]().put("a", 1)
        assert one.without("b") is one
        other: object = {"a": 1}
        assert one != other
        assert PersistentMap[int]().without("a") == PersistentMap[int]()
