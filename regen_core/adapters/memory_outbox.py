"""What relays do to the deliveries of a store in memory, as functions from entries to entries."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from attrs import evolve

from regen_core.attempts import LONGEST_WAIT, Parked, Released, TryAgain
from regen_core.ports import MAX_PAGE, Backlog, OutboxEntry

__all__ = ["backlog_of", "claimed", "due_entries", "is_same_claim", "noted"]


def due_entries(entries: Sequence[OutboxEntry], limit: int, now: datetime) -> tuple[OutboxEntry, ...]:
    """The first that a relay may take now."""
    if not 1 <= limit <= MAX_PAGE:
        raise ValueError(f"limit is {limit}; a relay takes 1 to {MAX_PAGE} deliveries at once")
    return tuple([each for each in entries if _is_due(each, now)][:limit])


def _is_due(entry: OutboxEntry, now: datetime) -> bool:
    """Its time has come, or was written by a clock that was wrong."""
    if entry.acknowledged_at is not None or entry.parked_at is not None:
        return False
    return entry.due_at is None or entry.due_at <= now or entry.due_at > now + LONGEST_WAIT


def claimed(entries: Sequence[OutboxEntry], now: datetime, lease: timedelta) -> tuple[OutboxEntry, ...]:
    """The entries as a claim leaves them."""
    if not timedelta(0) <= lease <= LONGEST_WAIT:
        raise ValueError(f"lease is {lease}; expected nothing to {LONGEST_WAIT}")
    return tuple([evolve(each, claims=each.claims + 1, due_at=now + lease) for each in entries])


def is_same_claim(entry: OutboxEntry, mine: OutboxEntry) -> bool:
    """Whether nobody has claimed it since."""
    return (entry.position, entry.claims) == (mine.position, mine.claims)


def noted(entry: OutboxEntry, outcome: TryAgain | Parked | Released, now: datetime) -> OutboxEntry:
    """The entry with what became of its attempt."""
    failed = entry.attempts + 1
    match outcome:
        case TryAgain(at, reason):
            return evolve(entry, attempts=failed, due_at=at, parked_at=None, fault=reason)
        case Parked(reason):
            return evolve(entry, attempts=failed, due_at=None, parked_at=now, fault=reason)
        case Released():
            return evolve(entry, due_at=None, parked_at=None)


def backlog_of(entries: Sequence[OutboxEntry], now: datetime) -> Backlog:
    """What of the entries isn't done."""
    undone = [each for each in entries if each.acknowledged_at is None]
    waiting = [each for each in undone if each.parked_at is None]
    return Backlog(
        at=now,
        waiting=len(waiting),
        due=sum(_is_due(each, now) for each in waiting),
        parked=len(undone) - len(waiting),
        oldest=min([each.committed_at for each in waiting], default=None),
        next_due=min([each.due_at or each.committed_at for each in waiting], default=None),
    )
