"""The part of the universe that can be asked about: a harness that keeps to it, where a system has few clients.

A store is asked with any scope. A service is asked by the clients that it has, and what they don't reach, nobody can
tell anything about: documents there aren't loaded, requests with those rights aren't made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from attrs import field, frozen

from regen_core.access import Scope
from regen_core.documents import DocumentKey
from regen_core.request import RegenerateRequest
from regen_core.testing.edits import SLOTS
from regen_core.testing.harness import Harness
from regen_core.testing.subject import BuildSubject, reference_subject

__all__ = ["ALL", "Reach", "ReachingHarness"]


def _anybody(_scope: Scope) -> bool:
    return True


@frozen
class Reach:
    """With which scopes a system can be asked; ``slots`` are the documents that can be seen at all, by their place."""

    reaches: Callable[[Scope], bool] = _anybody
    slots: tuple[int, ...] = field(init=False)

    @slots.default
    def _seen(self) -> tuple[int, ...]:
        return tuple([place for place, key in enumerate(SLOTS) if self.reaches(_everything(key))])

    def near(self, slot: int) -> int:
        """A slot that can be seen: the same one where it can."""
        slot %= len(SLOTS)
        return slot if slot in self.slots else self.slots[slot % len(self.slots)]

    def lacking(self) -> Iterator[str]:
        """What can't be asked with, in words."""
        for name, scope in _SCOPES.items():
            if not self.reaches(scope):
                yield name


def _everything(key: DocumentKey) -> Scope:
    return Scope(tenant=key.tenant, entity=key.entity, orgs=None)


_SCOPES: Final = {
    "tenant t2": Scope(tenant="t2", entity="e1", orgs=None),
    "entity e2": Scope(tenant="t1", entity="e2", orgs=None),
    "org north alone": Scope(tenant="t1", entity="e1", orgs=frozenset({"north"})),
    "no org": Scope(tenant="t1", entity="e1", orgs=frozenset()),
}

ALL: Final = Reach()
"""What a store is asked with: anything."""


class ReachingHarness(Harness):
    """A harness that loads and asks only what is within reach."""

    def __init__(
        self,
        build: BuildSubject = reference_subject,
        *,
        with_laws: bool = True,
        with_model: bool = True,
        heeded: frozenset[str] | None = None,
        reach: Reach = ALL,
    ) -> None:
        super().__init__(build, with_laws=with_laws, with_model=with_model, heeded=heeded)
        self._reach = reach

    def change(self, slot: int, edit: str, place: int) -> None:
        """See :class:`Harness`."""
        super().change(self._reach.near(slot), edit, place)

    def request(
        self, slot: int, naming: str, only_re_send: bool, re_migrate: bool, sight: str
    ) -> tuple[Scope, RegenerateRequest]:
        """See :class:`Harness`; rights that nobody has become those that see everything."""
        slot = self._reach.near(slot)
        scope, request = super().request(slot, naming, only_re_send, re_migrate, sight)
        if self._reach.reaches(scope):
            return scope, request
        return super().request(slot, naming, only_re_send, re_migrate, "everything")

    def commute(self, slots: tuple[int, int], flags: tuple[tuple[bool, bool], tuple[bool, bool]]) -> None:
        """See :class:`Harness`."""
        one, other = slots
        super().commute((self._reach.near(one), self._reach.near(other)), flags)
