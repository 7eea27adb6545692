"""A service over HTTP as a system of the kit: a :class:`System` whose stores are asked over the wire."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from regen_core.access import Scope
from regen_core.testing.adapted import Capability, takes_clock
from regen_core.testing.clients import Clients
from regen_core.testing.edits import SLOTS
from regen_core.testing.factories import NoSystem, made_by
from regen_core.testing.over_http import Service
from regen_core.testing.reach import Reach
from regen_core.testing.systems import System, left_out
from regen_core.testing.wire_store import WireStore

__all__ = ["service_system"]

_BEHIND: Final = ("load", "find", "pending", "acknowledge")

_MISSING: Final[Mapping[Capability, str]] = {
    Capability.CAN_FORK: "there is one service: no copy of it can be made (CNV-6)",
    Capability.HAS_LEDGER: "no Revenue of its own is seen, the kit's is used (REV-1 … REV-3)",
    Capability.LISTINGS: "the operation lists nothing (ACC-4 in listings)",
    Capability.PLANNING: "the operation plans nothing",
    Capability.VERSIONS: "the operation takes no version (ConcurrentModification)",
    Capability.TOGETHER: "the operation takes one request at a time (IDM-3 in one unit of work)",
    Capability.UNITS: "nothing can be made to break off within a service's unit of work (IDM-7)",
    Capability.REOPENS: "a service isn't crashed by the kit (IDM-7)",
}
_CLOCK: Final = "the factory takes no 'clock' that the service goes by (IDM-2)"


def service_system(service: Service, name: str, factory: Callable[..., Any], without: Iterable[str] = ()) -> System:
    """The system of a service and of what is behind it; logs in. Raises :class:`NoSystem`.

    ``factory`` makes what is behind it, empty each time; where that has ``clients``, they are asked with, else with the
    service's own. The first of them must see both organisations of tenant ``t1``, entity ``e1``.
    """
    behind = made_by(name, factory)
    missing = [each for each in _BEHIND if not callable(getattr(behind, each, None))]
    if missing:
        raise NoSystem(f"{name} makes a value of type {type(behind).__name__}, which has no {', '.join(missing)}.")
    service.clients = tuple(getattr(behind, "clients", service.clients))
    clients = Clients(service.clients)
    if not clients.reaches(Scope(tenant=SLOTS[0].tenant, entity=SLOTS[0].entity, orgs=None)):
        raise NoSystem("No client sees the orgs north and south of tenant t1, entity e1. Configure one like that.")
    service.log_in()

    def made(**clock: Any) -> WireStore:
        clients.forget_names()
        return WireStore(service, clients, factory(**clock))

    found = frozenset({Capability.IDEMPOTENCY, Capability.THREADS}) | (
        {Capability.CLOCK} if takes_clock(factory) else frozenset()
    )
    gone, reach = left_out(without), Reach(clients.reaches)
    return System(
        name=f"{service.url} with {name}",
        factory=made,
        is_store=True,
        capabilities=found - gone.keys(),
        lacking=dict(_lacking(found, reach)) | {each.value: why for each, why in gone.items()},
        reach=reach,
        service=service,
    )


def _lacking(found: frozenset[Capability], reach: Reach) -> Iterator[tuple[str, str]]:
    yield from [(each.value, why) for each, why in _MISSING.items()]
    if Capability.CLOCK not in found:
        yield Capability.CLOCK.value, _CLOCK
    unasked = list(reach.lacking())
    if unasked:
        yield "clients", f"none of the service's reaches: {', '.join(unasked)}"
    yield "occasions", "who wrote a transaction and when is the service's own affair: only that it stays is looked at"
