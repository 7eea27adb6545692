"""The system under test as an adopter names it: ``module:factory``, a subject or a store, and what it offers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from attrs import define, field

from regen_core.testing.adapted import Capability, StoreSubject, is_store, offered
from regen_core.testing.factories import NoSystem, made_by
from regen_core.testing.reach import ALL, Reach
from regen_core.testing.subject import Subject

if TYPE_CHECKING:
    from regen_core.testing.over_http import Service

__all__ = ["Clock", "System", "left_out", "system_of"]

_METHODS: Final = (
    "load", "regenerate", "transactions", "pending", "acknowledge", "deliver", "held", "holdings", "disturb", "state",
    "fork",
)  # fmt: skip
"""What a subject has."""

_MISSING: Final[Mapping[Capability, str]] = {
    Capability.CAN_FORK: "no independent copy can be made (CNV-6)",
    Capability.HAS_LEDGER: "it has no Revenue of its own: 'collect' and 'revenue' (REV-1 … REV-3)",
    Capability.IDEMPOTENCY: "'regenerate' takes no 'idempotent' (IDM-1 … IDM-8)",
    Capability.CLOCK: "the factory takes no 'clock' (IDM-2)",
    Capability.LISTINGS: "it has no 'documents', 'transactions' and 'deliveries' (ACC-4 in listings)",
    Capability.PLANNING: "it has no 'plan'",
    Capability.VERSIONS: "'regenerate' takes no 'expected' (ConcurrentModification)",
    Capability.TOGETHER: "it has no 'regenerate_together' (IDM-3 in one unit of work)",
    Capability.THREADS: "'regenerate' takes no 'idempotent', so nothing is asked from several threads (IDM-3)",
    Capability.UNITS: "'regenerate' takes no 'idempotent', so nothing breaks off within its unit of work (IDM-7)",
    Capability.REOPENS: "it has no 'reopened': what a crash leaves isn't looked at (IDM-7)",
}


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
    skipped, by capability; ``reach`` with which scopes it can be asked; ``service`` ``None`` where it isn't asked over
    HTTP.
    """

    name: str
    factory: Callable[..., Any]
    is_store: bool
    capabilities: frozenset[Capability]
    lacking: Mapping[str, str] = field(factory=dict)
    reach: Reach = ALL
    service: Service | None = None
    _open: list[Any] = field(factory=list, init=False)

    def store(self, clock: Clock | None = None) -> Any:
        """A store as the factory makes it; the kit closes it when the next history begins."""
        takes_clock = clock is not None and Capability.CLOCK in self.capabilities
        made = self.factory(clock=clock) if takes_clock else self.factory()
        self._open.append(made)
        return made

    def subject(self) -> Subject:
        """A new history's subject."""
        self.begin()
        if self.is_store:
            return StoreSubject(self.store)
        made: Subject = self.factory()
        return made

    def begin(self) -> None:
        """Another history begins: the stores of the one before are closed, and its requests forgotten."""
        self.close()
        if self.service is not None:
            self.service.sent.clear()

    @property
    def requests(self) -> tuple[str, ...]:
        """What a service was asked in this history, as lines for ``curl``."""
        return () if self.service is None else tuple(self.service.sent)

    def close(self) -> None:
        """Close the stores that were made."""
        while self._open:
            close = getattr(self._open.pop(), "close", None)
            if callable(close):
                close()


def system_of(name: str, factory: Callable[..., Any], without: Iterable[str] = ()) -> System:
    """The system that a factory makes; ``without`` names capabilities to leave out. Raises :class:`NoSystem`."""
    made = made_by(name, factory)
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
            f"{name} makes a value of type {type(made).__name__}, which is no store (load, find, regenerate, pending, "
            f"acknowledge) and no subject: it has no {', '.join(missing)}."
        )


def _described(
    name: str, factory: Callable[..., Any], found: frozenset[Capability], without: Iterable[str], *, made_is_store: bool
) -> System:
    gone = left_out(without)
    lacking = {each.value: why for each, why in _MISSING.items() if each not in found} if made_is_store else {}
    if not made_is_store:
        lacking = {"store": "a subject has no store of the ports: idempotency, listings, plans and versions"}
    lacking |= {each.value: why for each, why in gone.items()}
    return System(name, factory, made_is_store, found - gone.keys(), lacking)


def left_out(without: Iterable[str]) -> dict[Capability, str]:
    """The capabilities that an option leaves out, with that reason; raises :class:`NoSystem` for one that is none."""
    return {_capability(each): "left out by option" for each in without}


def _capability(name: str) -> Capability:
    try:
        return Capability(name)
    except ValueError:
        known = ", ".join([each.value for each in Capability])
        raise NoSystem(f"{name!r} is no capability. Known are {known}.") from None
