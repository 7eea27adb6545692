"""ACC-1 … ACC-4, the whole scope and each reason why there is none."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from attrs import evolve

from regen_core.access import REGENERATION_PERMISSION, Caller, Scope, authorize
from regen_core.documents import DocumentHeader, DocumentKey, DocumentType
from regen_core.refusals import EntityNotAccessible, EntityRequired, OrgNotAccessible, PermissionDenied

CALLER = Caller(tenant="t1", client="c1", entities=frozenset({"e1"}), orgs=frozenset({"north", "south"}))
HEADER = DocumentHeader(
    key=DocumentKey(tenant="t1", entity="e1", type=DocumentType.INVOICE, id="d1"),
    number="N-1",
    org="north",
    status="Posted",
    date=date(2026, 1, 31),
    currency="EUR",
)
SEES_NORTH = Scope(tenant="t1", entity="e1", orgs=frozenset({"north"}))


def scope(orgs: frozenset[str], requested: frozenset[str] | None) -> Scope:
    return Scope(tenant="t1", entity="e1", orgs=orgs, requested_orgs=requested)


class TestScopes:
    """ACC-1, ACC-2, ACC-3."""

    def test_a_caller_may_ask_unless_told_otherwise(self) -> None:
        assert CALLER.permissions == {REGENERATION_PERMISSION}
        assert evolve(CALLER, orgs=frozenset()) == Caller(tenant="t1", client="c1", entities=frozenset({"e1"}))
        assert authorize(evolve(CALLER, permissions=frozenset())) == PermissionDenied(REGENERATION_PERMISSION)

    def test_without_the_header_it_has_all_the_callers_organisations(self) -> None:
        assert authorize(CALLER) == authorize(CALLER, "e1") == scope(CALLER.orgs, None)

    @pytest.mark.parametrize("header", ["north,south", "south ,\tnorth", " north,north, south"])
    def test_all_of_them_may_be_named(self, header: str) -> None:
        assert authorize(CALLER, "e1", header) == scope(CALLER.orgs, CALLER.orgs)

    def test_what_is_named_is_all_that_is_seen(self) -> None:
        assert authorize(CALLER, None, "north") == scope(frozenset({"north"}), frozenset({"north"}))

    @pytest.mark.parametrize("name", ["X", "XX", "north south", "north\u00a0", "NORTH"])
    def test_a_name_is_taken_as_it_is(self, name: str) -> None:
        """Between commas only spaces and tabs are no part of it."""
        assert authorize(CALLER, "e1", name) == OrgNotAccessible()
        named = evolve(CALLER, orgs=frozenset({name}))
        assert authorize(named, "e1", f" {name}\t") == scope(frozenset({name}), frozenset({name}))

    @pytest.mark.parametrize(
        ("entities", "named", "answer"),
        [
            ((), None, EntityNotAccessible()),
            ((), "e1", EntityNotAccessible()),
            (("e1",), "e2", EntityNotAccessible()),
            (("e1", "e2"), None, EntityRequired()),
            (("e1", "e2", "e3"), None, EntityRequired()),
            (("e1", "e2"), "e3", EntityNotAccessible()),
        ],
    )
    def test_the_entity_must_be_clear(self, entities: tuple[str, ...], named: str | None, answer: object) -> None:
        assert authorize(evolve(CALLER, entities=frozenset(entities)), named) == answer

    def test_one_of_several_is_named(self) -> None:
        assert authorize(evolve(CALLER, entities=frozenset({"e1", "e2"})), "e1") == scope(CALLER.orgs, None)

    @pytest.mark.parametrize("kind", [Caller, Scope])
    def test_parts_are_named(self, kind: Any) -> None:
        """A tenant never passes for an entity because two texts were given the other way round."""
        with pytest.raises(TypeError):
            kind("t1", "e1", frozenset({"e1"}))


class TestSight:
    """ACC-4."""

    @pytest.mark.parametrize(
        ("changed", "seen"),
        [
            ({}, True),
            ({"org": None}, True),
            ({"org": "south"}, False),
            ({"key": evolve(HEADER.key, tenant="t2")}, False),
            ({"key": evolve(HEADER.key, entity="e2")}, False),
            ({"key": evolve(HEADER.key, tenant="t2"), "org": None}, False),
            ({"key": evolve(HEADER.key, entity="e2"), "org": None}, False),
        ],
    )
    def test_a_document_is_seen_within_its_entity_and_organisation(self, changed: dict[str, Any], seen: bool) -> None:
        header = evolve(HEADER, **changed)
        assert SEES_NORTH.can_see(header) is seen
        everything = evolve(SEES_NORTH, orgs=None)
        assert everything.can_see(header) is (header.key == HEADER.key)
