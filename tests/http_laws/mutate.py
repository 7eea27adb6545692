"""Millions of requests, each valid but for one broken layer, or two: the refusal is the one that is due, at once.

``admit`` is the core's ladder alone, ``service`` the whole ASGI application on a store in memory. For each request: no
fault of the service's own, no time, no value of the caller's in what it says; the refusal of the first broken layer
(PRE-1); through the service also one shape of errors, the track id's echo (REQ-9), and nothing stored (PRE-4). A seed
is the same 2,000 requests everywhere. From the command line::

    python -m tests.http_laws.mutate admit --seeds 0:500
    python -m tests.http_laws.mutate service --seeds 0:50
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from random import Random
from typing import Final

from attrs import frozen

from regen_core.documents import DocumentType
from regen_core.refusals import InvalidParameter, Refusal, UnknownField
from regen_core.request import RegenerateRequest
from regen_core.wire.submission import Admitted, Submission, admit
from tests.crash.seeds import Counted, chosen_seeds
from tests.http_laws.attempts import CANARY, Attempt, valid_attempt
from tests.http_laws.breaking import BREAKS, HARMLESS, NOISE, PLACE, Break

__all__ = ["PER_SEED", "Spoilt", "main", "spoilt", "through_admit"]

PER_SEED: Final = 2_000
MOST_SECONDS: Final = 0.1
"""For one request: more is a hang. One that took so long, what others took included, is repeated by its own time."""

MOST_SHOWN: Final = 2000
MOST_SAID: Final = 1000
"""Characters of a message: nothing that was sent makes it grow without bounds."""

_MISSING: Final = (f"{CANARY}-1", f"{CANARY}-2", f"{CANARY}-3")


@frozen
class Spoilt:
    """A request and what must come of it: the refusal ``due``, ``None`` for one that is as good as valid."""

    attempt: Attempt
    due: type[Refusal] | None
    is_noise: bool
    names: tuple[str, ...]

    def is_wrong(self, refusal: type[Refusal] | None) -> bool:
        """Whether another refusal should have come, ``None`` for none of the ladder's."""
        if self.is_noise:
            return refusal is not None and self.due is not None and PLACE[refusal] < PLACE[self.due]
        return refusal is not self.due


def spoilt(rng: Random, names: tuple[str, ...] = _MISSING) -> Spoilt:
    """A request: one of eight means what a valid one means, one of eight is noise; a quarter is broken twice."""
    attempt, how = valid_attempt(rng, names), rng.getrandbits(16)
    if how & 7 == 0:
        way = HARMLESS[(how >> 3) % len(HARMLESS)]
        way(rng, attempt)
        return Spoilt(attempt, None, False, (f"harmless {(how >> 3) % len(HARMLESS)}",))
    if how & 7 == 1:
        noise = NOISE[(how >> 3) % len(NOISE)]
        noise.apply(rng, attempt)
        return Spoilt(attempt, noise.due, True, (noise.name,))
    chosen = [BREAKS[(how >> 3) % len(BREAKS)]]
    if how & 6 == 2:
        chosen.append(BREAKS[rng.getrandbits(16) % len(BREAKS)])
    return _broken(rng, attempt, chosen)


def _broken(rng: Random, attempt: Attempt, chosen: list[Break]) -> Spoilt:
    """Apply breaks, the one that is noticed last first: where both change the same part, the due one stays."""
    chosen.sort(key=lambda each: PLACE[each.due], reverse=True)
    if len(chosen) > 1 and (chosen[0].due.rank == chosen[1].due.rank):
        chosen = chosen[1:]
    for each in chosen:
        each.apply(rng, attempt)
    return Spoilt(attempt, chosen[-1].due, False, tuple([each.name for each in chosen]))


def through_admit(seed: int) -> str | None:
    """What is wrong with the core's answer to one of a seed's requests, if anything."""
    rng = Random(seed)  # noqa: S311  # reproducible
    clock = time.perf_counter  # asking for processor time takes as long as admitting does; it never is the longer one
    for number in range(PER_SEED):
        each = spoilt(rng)
        submission = each.attempt.submission()
        began = clock()
        outcome = admit(submission)
        if clock() - began > MOST_SECONDS and _is_slow(submission):
            return f"seed {seed}, request {number} ({each.names}): it takes too long"
        fault = _fault(each, outcome)
        if fault is not None:
            return f"seed {seed}, request {number} ({each.names}): {fault}: {str(submission)[:MOST_SHOWN]}"
    return None


def _is_slow(submission: Submission) -> bool:
    began = time.process_time()
    admit(submission)
    return time.process_time() - began > MOST_SECONDS


def _fault(each: Spoilt, outcome: Admitted | Refusal) -> str | None:
    if isinstance(outcome, Admitted):
        if each.is_wrong(None):
            return f"admitted, not {each.due and each.due.__name__}"
        return None if each.due is not None else _other_meaning(each.attempt, outcome)
    if each.is_wrong(type(outcome)):
        return f"{outcome!r}, not {each.due and each.due.__name__}"
    return said_wrongly(each, outcome)


def said_wrongly(each: Spoilt, refusal: Refusal) -> str | None:
    """What a message must not be: endless, or with a value of the caller's.

    Bytes changed at random may make a name of what was a value: an unknown name may be told.
    """
    message = refusal.message
    is_a_name = each.is_noise and isinstance(refusal, (InvalidParameter, UnknownField))
    if CANARY in message and not is_a_name:
        return f"a value of the caller's is told: {message}"
    return f"{len(message)} characters are told" if len(message) > MOST_SAID else None


_FLAGS: Final = {"true": True, "false": False}


def _other_meaning(attempt: Attempt, admitted: Admitted) -> str | None:
    """How what was admitted differs from what was meant: its fields and flags as they were put in."""
    told = {name: text.strip('"') for name, text in attempt.fields}
    flags = {name: _FLAGS[value.lower()] for name, value in attempt.query}
    meant = RegenerateRequest(
        type=DocumentType(told["type"]),
        id=told.get("id", told.get("documentId")),
        number=told.get("number"),
        only_re_send=flags.get("onlyReSend", False),
        re_migrate=flags.get("reMigrate", False),
    )
    sent = {name.lower(): value for name, value in attempt.headers}
    told_of = (admitted.request, admitted.idempotency_key, admitted.track_id, admitted.scope.requested_orgs is None)
    meant_by = (meant, sent.get("idempotency-key"), sent.get("zuora-track-id"), "zuora-org-ids" not in sent)
    return None if told_of == meant_by else f"{told_of} was understood, {meant_by} was meant"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; the exit code is 1 where a request was answered wrongly."""
    from tests.http_laws.mutate_service import through_service  # noqa: PLC0415  # it imports this module

    parser = argparse.ArgumentParser("python -m tests.http_laws.mutate", add_help=False)
    parser.add_argument("through", choices=("admit", "service"))
    chosen, rest = parser.parse_known_args(arguments)
    through = through_admit if chosen.through == "admit" else through_service

    def of_seed(seed: int) -> Counted:
        fault = through(seed)
        return Counted("requests", PER_SEED, {} if fault is None else {seed: fault})

    return chosen_seeds(f"tests.http_laws.mutate {chosen.through}", __doc__, of_seed, rest)


if __name__ == "__main__":
    sys.exit(main())
