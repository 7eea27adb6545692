"""Whether what a store holds after a crash is what it acknowledged: nothing lost, partial or doubled."""

from __future__ import annotations

from enum import Enum, unique

from attrs import frozen

from regen_core.idempotency import Replay
from regen_core.ports import Store
from tests.crash.history import Clock, History, ask, picture

__all__ = ["Recovered", "Verdict", "judge", "recovered"]


@unique
class Verdict(Enum):
    """What a crash left."""

    SOUND = "sound"
    LOST = "lost: an earlier state, without something that was acknowledged"
    BROKEN = "broken: a state that the core reaches after none of the steps"
    FORGOTTEN = "forgotten: what was done is there, its Idempotency-Key is not"
    PROMISED = "promised: an Idempotency-Key answers for something that was not done"
    UNREADABLE = "unreadable: the store can't be opened or read"


@frozen
class Recovered:
    """What a store holds after a crash: its picture, and the keyed steps that it answers as they were answered first.

    ``fault`` tells why nothing could be read.
    """

    shown: str
    replayed: frozenset[int] = frozenset()
    fault: str | None = None


def recovered(store: Store, clock: Clock, history: History, begun: int | None = None) -> Recovered:
    """Look at a store, then ask keyed steps again.

    Those that are surely there, with ``begun`` as in :func:`judge`. Without it all of them: that executes the ones that
    are new, so the store is spent.
    """
    try:
        shown = picture(store)
        until = begun if begun is None else first_shown(history, shown, begun)
        asked = [step.number for step in history.keyed() if until is None or step.number <= until]
        replayed = [number for number in asked if _is_replayed(store, clock, history, number)]
    except Exception as fault:  # noqa: BLE001  # whatever it is: the store can't be used
        return Recovered("", fault=repr(fault))
    return Recovered(shown, frozenset(replayed))


def first_shown(history: History, shown: str, begun: int) -> int:
    """The first of the last two states that looks like this; 0 where neither does."""
    last = len(history.pictures)
    return next((n for n in (begun - 1, begun) if 0 <= n < last and history.pictures[n] == shown), 0)


def _is_replayed(store: Store, clock: Clock, history: History, number: int) -> bool:
    clock.step = number
    answer = ask(store, history.steps[number - 1])
    return isinstance(answer, Replay) and answer == history.saved[number]


def judge(found: Recovered, history: History, *, acknowledged: int, begun: int) -> Verdict:
    """Compare with the replay of the first ``acknowledged`` steps, possibly plus the one that was in flight.

    A keyed step that is surely there must be answered from its record; the one in flight is surely there where the
    picture can't come from before it.
    """
    if found.fault is not None:
        return Verdict.UNREADABLE
    last = min(begun, len(history.steps))
    possible = [n for n in range(acknowledged, last + 1) if history.pictures[n] == found.shown]
    if not possible:
        is_earlier = found.shown in history.pictures[:acknowledged]
        return Verdict.LOST if is_earlier else Verdict.BROKEN
    owed = {step.number for step in history.keyed() if step.number <= possible[0]}
    if not owed <= found.replayed:
        return Verdict.FORGOTTEN
    return Verdict.SOUND if max(found.replayed, default=0) <= possible[-1] else Verdict.PROMISED
