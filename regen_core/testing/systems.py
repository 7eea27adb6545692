"""The system under test as an adopter names it: ``module:factory``, a subject or a store, and what it offers."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from attrs import define, field

from regen_core.testing.adapted import Capability, StoreSubject, is_store, offered
from regen_core.testing.subject import Subject

__all__ = ["Clock", "NoSystem", "System", "factory_named", "system_of"]

_METHODS: Final = (
    "load", "regenerate", "transactions", "pending", "acknowledge", "deliver", "held", "holdings", "disturb", "state",
    "fork",
)  # fmt: skip
"""What a subject has."""

_MISSING: Final[Mapping[Capability, str]] = {
    Capability.CAN_FORK: "no independent copy can be made (REV-4, CNV-6)",
    Capability.HAS_LEDGER: "it has no Revenue of its own: 'collect' and 'revenue' (REV-1 … REV-3)",
    Capability.IDEMPOTENCY: "'regenerate' takes no 'idempotent' (IDM-1 … IDM-8)",
    Capability.CLOCK: "the factory takes no 'clock' (IDM-2)",
    Capability.LISTINGS: "it has no 'documents', 'transactions' and 'deliveries' (ACC-4 in listings)",
    Capability.PLANNING: "it has no 'plan'",
    Capability.VERSIONS: "'regenerate' takes no 'expected' (ConcurrentModification)",
    Capability.TOGETHER: "it has no 'regenerate_together' (IDM-3)",
}


class NoSystem(ValueError):  # noqa: N818  # named for what is the matter
    """Nothing that can be tested; the message says what was expected and what to do."""


@define
class Clock:
    """A clock that stands still until the kit moves it; in UTC."""

    now: datetime = datetime(2026, 1, 31, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        """The time."""
        return self.now

    def move(self, by: timedelta) -> None:
        """Let time pass."""
        self.now += by


@define(eq=False)
class System:
    """What is tested.

    Fields: ``name`` as it was given; ``factory`` makes an empty one; ``is_store`` whether that is a store of the ports,
    else it is a subject; ``capabilities`` what it offers and wasn't told to leave out; ``lacking`` why the others are
    skipped, by capability.
    """

    name: str
    factory: Callable[..., Any]
    is_store: bool
    capabilities: frozenset[Capability]
    lacking: Mapping[str, str] = field(factory=dict)
    _open: list[Any] = field(factory=list, init=False)

    def store(self, clock: Clock | None = None) -> Any:
        """A store as the factory makes it; the kit closes it when the next history begins."""
        takes_clock = clock is not None and Capability.CLOCK in self.capabilities
        made = self.factory(clock=clock) if takes_clock else self.factory()
        self._open.append(made)
        return made

    def subject(self) -> Subject:
        """A new history's subject; the stores of the one before are closed."""
        self.close()
        if self.is_store:
            return StoreSubject(self.store)
        made: Subject = self.factory()
        return made

    def close(self) -> None:
        """Close the stores that were made."""
        while self._open:
            close = getattr(self._open.pop(), "close", None)
            if callable(close):
                close()


def factory_named(text: str) -> Callable[..., Any]:
    """What ``module:factory`` names, looked for in the current directory too; raises :class:`NoSystem`."""
    module, colon, name = text.partition(":")
    if not (module and colon and name):
        raise NoSystem(f"{text!r} names no factory. Write module:factory, such as my_package.stores:build.")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        found: Any = import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as fault:
        raise NoSystem(f"{text!r} can't be imported: {fault}. Check the names, and where you run this.") from fault
    if not callable(found):
        raise NoSystem(f"{text!r} is a {type(found).__name__}. It must be callable and make an empty store each time.")
    made: Callable[..., Any] = found
    return made


def system_of(name: str, factory: Callable[..., Any], without: Iterable[str] = ()) -> System:
    """The system that a factory makes; ``without`` names capabilities to leave out. Raises :class:`NoSystem`."""
    made = factory()
    try:
        if not is_store(made):
            _check_subject(name, made)
            return _described(name, factory, frozenset({Capability.CAN_FORK}), without, made_is_store=False)
        return _described(name, factory, offered(factory, made), without, made_is_store=True)
    finally:
        close = getattr(made, "close", None)
        if callable(close):
            close()


def _check_subject(name: str, made: object) -> None:
    missing = [each for each in _METHODS if not callable(getattr(made, each, None))]
    if missing:
        raise NoSystem(
            f"{name} makes a {type(made).__name__}, which is no store (load, find, regenerate, pending, acknowledge) "
            f"and no subject: it has no {', '.join(missing)}."
        )


def _described(
    name: str, factory: Callable[..., Any], found: frozenset[Capability], without: Iterable[str], *, made_is_store: bool
) -> System:
    left_out = {_capability(each) for each in without}
    lacking = {each.value: why for each, why in _MISSING.items() if each not in found} if made_is_store else {}
    if not made_is_store:
        lacking = {"store": "a subject has no store of the ports: idempotency, listings, plans and versions"}
    lacking |= {each.value: "left out by option" for each in left_out}
    return System(name, factory, made_is_store, found - left_out, lacking)


def _capability(name: str) -> Capability:
    try:
        return Capability(name)
    except ValueError:
        known = ", ".join([each.value for each in Capability])
        raise NoSystem(f"{name!r} is no capability. Known are {known}.") from None
