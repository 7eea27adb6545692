"""What follows an attempt to hand a delivery over: done, try again at a moment, or set aside.

Owns what follows a receiver's answer: how long to wait before the next attempt, when to stop trying a delivery, and
when it is the destination that takes nothing; what a status means stands in :mod:`regen_core.statuses`. Nothing here
looks at a clock, draws a random number or sends: the clock's reading and the random number come in as values. All of
this is interpretation, after the HTTP standard (RFC 9110). Trying again is safe because the same delivery twice counts
once (REV-4).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from attrs import field, frozen

from regen_core.retry_after import asked_wait
from regen_core.statuses import Concern, Meaning, status_rule

__all__ = [
    "Acknowledged",
    "Answer",
    "DEFAULT_POLICY",
    "Failed",
    "LONGEST_WAIT",
    "MOST_ASTRAY",
    "MOST_IN_A_ROW",
    "Outcome",
    "Parked",
    "Pause",
    "Refused",
    "Released",
    "RetryPolicy",
    "Taken",
    "TryAgain",
    "after_attempt",
    "answer_of_status",
    "astray_in_a_row",
    "backoff",
    "parked_in_a_row",
    "pause_after",
    "wait_after",
]

LONGEST_WAIT: Final = timedelta(hours=1)
"""No delivery is put off for longer, whoever asks for it. A due time further ahead than this was written by a clock
that has been set back since, and counts as past: a jumping clock delays nothing for long."""

SHORTEST_WAIT: Final = timedelta(milliseconds=50)
"""Even where the random number is 0: a relay must not spin around a receiver that fails at once."""


@frozen
class Taken:
    """The receiver has the deliveries, durably as far as it says."""


@frozen
class Refused:
    """The receiver will never take this content; ``reason`` is for people."""

    reason: str


@frozen
class Failed:
    """Nobody knows whether the receiver has the deliveries; ``asked_wait`` is what it asked for, ``None``: nothing."""

    reason: str
    concern: Concern = Concern.DELIVERY
    asked_wait: timedelta | None = None


Answer = Taken | Refused | Failed
"""What a sink says about what it was given to send."""


def answer_of_status(status: int, retry_after: str | None, now: datetime) -> Answer:
    """The answer that an HTTP status with its ``Retry-After`` field stands for; ``now`` with an offset.

    >>> from datetime import UTC
    >>> answer_of_status(429, "30", datetime(2026, 1, 31, tzinfo=UTC)).asked_wait
    datetime.timedelta(seconds=30)
    """
    rule = status_rule(status)
    reason = f"HTTP {status}: {rule.because}"
    match rule.meaning:
        case Meaning.TAKEN:
            return Taken()
        case Meaning.REFUSED:
            return Refused(reason)
    return Failed(reason, rule.concern, None if retry_after is None else asked_wait(retry_after, now))


@frozen(kw_only=True)
class RetryPolicy:
    """How often and how far apart to try.

    Fields: ``max_attempts`` 8 by default, which spreads attempts over half a minute on average and one minute at most:
    what a person waits for; ``base`` and ``cap`` of the exponential backoff, half a second and five minutes.
    """

    max_attempts: int = field(default=8)
    base: timedelta = timedelta(seconds=0.5)
    cap: timedelta = timedelta(minutes=5)

    @max_attempts.validator
    def _at_least_one(self, _: object, value: int) -> None:
        if value < 1:
            raise ValueError(f"max_attempts is {value}; expected at least 1")


DEFAULT_POLICY: Final = RetryPolicy()


def backoff(failed_before: int, jitter: float, policy: RetryPolicy = DEFAULT_POLICY) -> timedelta:
    """How long to wait after one more failure: a random part of a limit that doubles with each (*full jitter*).

    ``jitter`` is a random number from 0 up to but not including 1. Relays that failed together don't come back
    together.

    >>> backoff(0, 0.5), backoff(3, 0.5), backoff(40, 0.5)
    (datetime.timedelta(microseconds=250000), datetime.timedelta(seconds=2), datetime.timedelta(seconds=150))
    """
    if not 0 <= jitter < 1:
        raise ValueError(f"jitter is {jitter}; expected a number from 0 up to but not including 1")
    times = 1 << failed_before  # often enough to exceed any time there is
    limit = policy.base * times if policy.base <= policy.cap // times else policy.cap
    return max(SHORTEST_WAIT, limit * jitter)


def wait_after(failed: Failed, failed_before: int, jitter: float, policy: RetryPolicy = DEFAULT_POLICY) -> timedelta:
    """The backoff, or what the receiver asked for where that is longer; never more than :data:`LONGEST_WAIT`."""
    return min(max(backoff(failed_before, jitter, policy), failed.asked_wait or SHORTEST_WAIT), LONGEST_WAIT)


@frozen
class Acknowledged:
    """The delivery is done."""


@frozen
class TryAgain:
    """The attempt failed for ``reason``; nobody tries again before ``at``."""

    at: datetime
    reason: str


@frozen
class Parked:
    """Nobody tries the delivery any more, for ``reason``, until somebody releases it."""

    reason: str


@frozen
class Released:
    """The delivery was claimed and no attempt was made: it counts as if it had been left alone."""


Outcome = Acknowledged | TryAgain | Parked | Released
"""What becomes of a claimed delivery."""


def after_attempt(
    answer: Answer, *, failed_before: int, now: datetime, jitter: float, policy: RetryPolicy = DEFAULT_POLICY
) -> Acknowledged | TryAgain | Parked:
    """What follows an answer to a delivery that failed so often before.

    The last attempt that ``policy`` allows parks the delivery, and so does a refusal; :func:`wait_after` says how long
    it waits otherwise.

    >>> from datetime import UTC
    >>> now = datetime(2026, 1, 31, tzinfo=UTC)
    >>> after_attempt(Failed("no answer"), failed_before=0, now=now, jitter=0.5).at - now
    datetime.timedelta(microseconds=250000)
    >>> after_attempt(Failed("no answer"), failed_before=7, now=now, jitter=0.5)
    Parked(reason='no answer (attempt 8 of 8)')
    """
    match answer:
        case Taken():
            return Acknowledged()
        case Refused(reason):
            return Parked(reason)
    if failed_before + 1 >= policy.max_attempts:
        return Parked(f"{answer.reason} (attempt {failed_before + 1} of {policy.max_attempts})")
    return TryAgain(now + wait_after(answer, failed_before, jitter, policy), answer.reason)


MOST_ASTRAY: Final = 5
"""Answers in a row that an address gives until somebody mends something: after so many nobody waits for the next. With
the pauses between them that takes some four seconds, in which a receiver that is being replaced is back."""


def astray_in_a_row(before: int, answer: Answer) -> int:
    """How many answers told of a wrong address since one told of a right one; ``before`` is that number before it.

    >>> astray_in_a_row(2, Failed("HTTP 404", Concern.ADDRESS)), astray_in_a_row(2, Failed("HTTP 503"))
    (3, 2)
    >>> astray_in_a_row(2, Taken()), astray_in_a_row(2, Refused("HTTP 422"))
    (0, 0)
    """
    if not isinstance(answer, Failed):
        return 0
    return before + (answer.concern is Concern.ADDRESS)


MOST_IN_A_ROW: Final = 10
"""Deliveries parked one after the other with none taken in between: more of them tell of a destination that takes
nothing, such as a wrong address, and not of deliveries that nobody could take."""


def parked_in_a_row(before: int, outcome: Outcome) -> int:
    """How many deliveries were parked since one was last taken; ``before`` is that number before this outcome.

    >>> parked_in_a_row(4, Parked("HTTP 422")), parked_in_a_row(4, Acknowledged()), parked_in_a_row(4, Released())
    (5, 0, 4)
    """
    match outcome:
        case Acknowledged():
            return 0
        case Parked():
            return before + 1
    return before


@frozen
class Pause:
    """How long a destination is left alone. Where it ``takes_nothing``, whoever doesn't wait for good ends.

    ``said`` is what its answers said of a wrong address; ``None`` where it is suspected for what was parked, or isn't.
    """

    wait: timedelta
    takes_nothing: bool = False
    said: str | None = None


def pause_after(
    answer: Answer,
    *,
    in_a_row: int,
    astray: int,
    has_parked: bool,
    failed_before: int,
    jitter: float,
    policy: RetryPolicy,
) -> Pause | None:
    """How long to leave a destination alone after an answer, ``None``: not at all.

    Fields: ``in_a_row`` of :func:`parked_in_a_row` and ``astray`` of :func:`astray_in_a_row` after it; ``has_parked``
    whether it was this answer that parked; ``failed_before`` the fewest failures of the deliveries that it is about. A
    failure of the destination gives it time to recover, and a wrong address longer with each answer, whatever delivery
    it is about. One that has had too many parked in a row gets one more per ``policy.cap``, so that it can't park an
    outbox as fast as it refuses, and the first delivery that is taken ends the suspicion.

    >>> from functools import partial
    >>> after = partial(pause_after, has_parked=True, failed_before=0, jitter=0.5, policy=DEFAULT_POLICY)
    >>> after(Refused("HTTP 400"), in_a_row=10, astray=0)
    Pause(wait=datetime.timedelta(seconds=300), takes_nothing=True, said=None)
    >>> after(Failed("HTTP 404", Concern.ADDRESS), in_a_row=0, astray=5)
    Pause(wait=datetime.timedelta(seconds=4), takes_nothing=True, said='HTTP 404')
    """
    if has_parked and in_a_row >= MOST_IN_A_ROW:
        return Pause(policy.cap, takes_nothing=True)
    if not isinstance(answer, Failed) or answer.concern is Concern.DELIVERY:
        return None
    if answer.concern is Concern.ADDRESS:
        wait = wait_after(answer, max(0, astray - 1), jitter, policy)
        return Pause(wait, takes_nothing=True, said=answer.reason) if astray >= MOST_ASTRAY else Pause(wait)
    return Pause(wait_after(answer, failed_before, jitter, policy))
