"""Calls of several callers in one unit of work: they share one durable commit, and each has its own answer (IDM-7)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import datetime
from itertools import groupby

from attrs import frozen

from regen_core.adapters.sql.regenerating import Keyed, Turn, regenerate_turns
from regen_core.adapters.sql.units import Units
from regen_core.idempotency import KEY_IS_RUNNING, Replay, key_digest
from regen_core.ports import IdempotentCall, RegenerateCall
from regen_core.refusals import Refusal
from regen_core.regeneration import Regeneration, refused_unread

__all__ = ["Claims", "regenerate_together"]

Answered = Regeneration | Refusal | Replay


@frozen
class Claims:
    """How a store claims keys before a unit of work begins (IDM-3, IDM-7).

    ``claim`` is the database's way; ``is_due`` says, once per key that is claimed, whether expired ones are removed
    with it.
    """

    claim: Callable[[str], AbstractContextManager[bool]]
    is_due: Callable[[], bool]

    @contextmanager
    def claimed(self, tenant: str, call: IdempotentCall) -> Iterator[Keyed | None]:
        """Claim a call's key for the time of the block; ``None`` where somebody else has it."""
        digest = key_digest(tenant, call.client, call.key)
        with self.claim(digest) as is_free:
            yield Keyed(call, digest, self.is_due()) if is_free else None


def regenerate_together(
    units: Units, claims: Claims, calls: Sequence[RegenerateCall], clock: Callable[[], datetime]
) -> tuple[Answered, ...]:
    """Perform the calls in one unit of work, each after those before it; a refused one stops no other."""
    answers: list[Answered | None] = [None] * len(calls)
    with ExitStack() as held:
        turns: list[tuple[int, Turn]] = []
        for place, call in enumerate(calls):
            answers[place], keyed = refused_unread(call.request), None
            if answers[place] is None and call.idempotent is not None:
                keyed = held.enter_context(claims.claimed(call.scope.tenant, call.idempotent))
                answers[place] = KEY_IS_RUNNING if keyed is None else None
            if answers[place] is None:
                turns.append((place, Turn(call.request, call.occasion, keyed)))
        parts = [list(part) for _, part in groupby(turns, lambda turn: calls[turn[0]].scope)]
        done = units.write(
            lambda reader: [
                regenerate_turns(reader, calls[part[0][0]].scope, [turn for _, turn in part], clock) for part in parts
            ]
        )
    for part, outcomes in zip(parts, done, strict=True):
        for (place, _), outcome in zip(part, outcomes, strict=True):
            answers[place] = outcome
    return tuple([answer for answer in answers if answer is not None])
