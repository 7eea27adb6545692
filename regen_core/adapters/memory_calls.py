"""Calls of several callers that are under way at once in the store in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from regen_core.calls import RegenerateCall
from regen_core.idempotency import KEY_IS_RUNNING, Replay
from regen_core.refusals import Refusal
from regen_core.regeneration import Regeneration, refused_unread

__all__ = ["in_turn"]

Outcome = Regeneration | Refusal | Replay


def in_turn(calls: Iterable[RegenerateCall], perform: Callable[[RegenerateCall], Outcome]) -> Iterator[Outcome]:
    """Each call after those before it; whose key an earlier one has hears that it is running (IDM-3, IDM-5)."""
    running = set[tuple[str, str, str]]()
    for call in calls:
        if call.idempotent is None or refused_unread(call.request) is not None:
            yield perform(call)
            continue
        key = (call.scope.tenant, call.idempotent.client, call.idempotent.key)
        yield KEY_IS_RUNNING if key in running else perform(call)
        running.add(key)
