"""Failing histories, read back from a report and performed again: by their steps, or by the id of a scenario."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from attrs import frozen

from regen_core.testing.clients import OutOfReach
from regen_core.testing.conformance import check_ids, performed_scenario, scenarios
from regen_core.testing.conforming_service import performed_check
from regen_core.testing.factories import NoSystem
from regen_core.testing.histories import performed
from regen_core.testing.http_checks import HTTP_CHECKS, HttpCheck, NotExercised
from regen_core.testing.over_http import Service
from regen_core.testing.report import FORMAT, HISTORY_FORMAT
from regen_core.testing.scenarios import Scenario
from regen_core.testing.simulation import VERBS, Step
from regen_core.testing.systems import System
from regen_core.wire.codec import JsonObject

__all__ = [
    "NoHistory",
    "Replayed",
    "ToReplay",
    "histories_in",
    "replayed",
    "replayed_json",
    "replayed_lines",
]

_OVER_HTTP: Final = {each.id: each for each in HTTP_CHECKS}

_LARGEST: Final = 2**16
"""Beyond the largest number of a step."""


class NoHistory(ValueError):  # noqa: N818  # named for what the text is
    """JSON that is neither a report nor a history; the message says what was expected."""


@frozen
class ToReplay:
    """A history as far as it is performed: a scenario has no steps."""

    check: str
    steps: tuple[Step, ...]


@frozen
class Replayed:
    """What came of a history: its words, and what was ``found`` wrong at its end, ``None`` where all was well."""

    check: str
    words: tuple[str, ...]
    found: str | None


def histories_in(told: Any) -> tuple[ToReplay, ...]:
    """The failing histories of a report, or the one history that this is; raises :class:`NoHistory`."""
    kind = told.get("format") if isinstance(told, dict) else None
    if kind == HISTORY_FORMAT:
        return (_history(told),)
    if kind == FORMAT:
        return tuple([_history(each["history"]) for each in told["checks"] if each["history"] is not None])
    raise NoHistory(f"neither a report ({FORMAT}) nor a history ({HISTORY_FORMAT}). Name what --report wrote.")


def _history(told: Any) -> ToReplay:
    if not isinstance(told, dict) or told.get("check") not in {*check_ids(), *_OVER_HTTP}:
        raise NoHistory("it names no check of this version. Write the report anew with 'regen conformance'.")
    return ToReplay(told["check"], tuple([_step(each) for each in told.get("steps", ())]))


def _step(told: Any) -> Step:
    is_one = isinstance(told, list) and len(told) == len(("verb", 1, 2, 3, 4)) and told[0] in VERBS
    if not is_one or not all(type(each) is int and 0 <= each < _LARGEST for each in told[1:]):
        raise NoHistory(f"{told!r} is no step: a verb and four numbers below {_LARGEST}.")
    verb, one, two, three, four = told
    return (verb, one, two, three, four)


def replayed(system: System | Service, asked: ToReplay) -> Replayed:
    """A history on a new system, or on a service that is logged in; raises :class:`NoSystem` where it can't be done."""
    check = _OVER_HTTP.get(asked.check)
    service = system if isinstance(system, Service) else system.service
    if check is not None:
        return _by_hand(service, check)
    if isinstance(system, Service):
        raise NoSystem(f"{asked.check} is a check of stores. Name one with --store.")
    scenario = next((each for each in scenarios() if each.id == asked.check), None)
    if scenario is not None:
        return _told(system, scenario)
    again = performed(system.subject, asked.steps, asked.check, system.reach)
    found = None if again.failure is None else str(again.failure.error)
    return Replayed(asked.check, tuple(again.journal.words), found)


def _told(system: System, scenario: Scenario) -> Replayed:
    try:
        failed = performed_scenario(system, scenario)
    except OutOfReach as fault:
        raise NoSystem(f"{scenario.id} {fault}.") from None
    return Replayed(scenario.id, (scenario.told,), None if failed is None else failed.found)


def _by_hand(service: Service | None, check: HttpCheck) -> Replayed:
    if service is None:
        raise NoSystem(f"{check.id} is a check of services. Name one with --url.")
    if check.needs_document and service.document is None:
        raise NoSystem(f"{check.id} needs a posted document. Name one with --document.")
    try:
        failed = performed_check(service, check)
    except NotExercised:
        failed = None
    return Replayed(check.id, (check.told, *service.sent), None if failed is None else failed.found)


def replayed_lines(told: Replayed) -> Iterator[str]:
    """For people, in lines."""
    yield f"{'still fails' if told.found is not None else 'holds now'}: {told.check}"
    yield from [f"  {place}. {words}" for place, words in enumerate(told.words, 1)]
    if told.found is not None:
        yield f"  found: {told.found}"


def replayed_json(told: Replayed) -> JsonObject:
    """For programs."""
    return {"check": told.check, "words": list(told.words), "found": told.found}
