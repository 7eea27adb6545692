"""Checks that are told as short stories, each with an id of its own: what random histories don't reach.

A scenario gets a new store or subject and raises ``AssertionError`` where a rule doesn't hold. Those of a store of the
ports need a capability; one that is lacking skips them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import field, frozen

from regen_core.testing.adapted import Capability, StoreSubject
from regen_core.testing.reach import ALL, Reach
from regen_core.testing.subject import Subject
from regen_core.testing.systems import Clock, System

__all__ = ["Bench", "Scenario", "bench_of"]


@frozen(eq=False)
class Bench:
    """What a scenario works on.

    Fields: ``store`` ``None`` where the system is a subject and no store of the ports; ``reach`` with which scopes it
    can be asked.
    """

    subject: Subject
    store: Any
    clock: Clock
    reach: Reach = ALL


@frozen
class Scenario:
    """One story: ``id`` as skips and xfails name it, the rules that it proves, what it needs, and what it does."""

    id: str
    rule_ids: tuple[str, ...]
    perform: Callable[[Bench], None]
    needs: frozenset[Capability] = field(default=frozenset())
    about: str | None = None

    @property
    def told(self) -> str:
        """What it does, in a sentence."""
        return self.about or (self.perform.__doc__ or self.id).strip().splitlines()[0]


def bench_of(system: System) -> Bench:
    """A new store or subject with a clock of its own."""
    system.begin()
    clock = Clock()
    if not system.is_store:
        return Bench(system.subject(), None, clock)
    subject = StoreSubject(lambda: system.store(clock))
    return Bench(subject, subject.store, clock, system.reach)
