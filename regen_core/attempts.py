"""What follows an attempt to hand a delivery over: done, try again at a moment, or set aside.

Owns the meaning of a receiver's answer, how long to wait before the next attempt, when to stop trying a delivery, and
when it is the destination that takes nothing. Nothing here
looks at a clock, draws a random number or sends: the clock's reading and the random number come in as values. How a
receiver of ours answers is its own affair; all of this is interpretation, after the HTTP standard (RFC 9110). Trying
again is safe because the same delivery twice counts once (REV-4).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import Enum, unique
from typing import Final

from attrs import field, frozen

from regen_core.retry_after import asked_wait

__all__ = [
    "Acknowledged",
    "Answer",
    "Concern",
    "DEFAULT_POLICY",
    "Failed",
    "LONGEST_WAIT",
    "MOST_IN_A_ROW",
    "Meaning",
    "Outcome",
    "Parked",
    "Pause",
    "Refused",
    "Released",
    "RetryPolicy",
    "STATUSES",
    "STATUS_CLASSES",
    "StatusRule",
    "Taken",
    "TryAgain",
    "after_attempt",
    "answer_of_status",
    "backoff",
    "parked_in_a_row",
    "pause_after",
    "status_rule",
    "wait_after",
]

LONGEST_WAIT: Final = timedelta(hours=1)
"""No delivery is put off for longer, whoever asks for it. A due time further ahead than this was written by a clock
that has been set back since, and counts as past: a jumping clock delays nothing for long."""

SHORTEST_WAIT: Final = timedelta(milliseconds=50)
"""Even where the random number is 0: a relay must not spin around a receiver that fails at once."""


@unique
class Meaning(Enum):
    """What an answer says about the content of a delivery."""

    TAKEN = "taken"
    REFUSED = "refused"
    FAILED = "failed"


@unique
class Concern(Enum):
    """Whether a failure is likely to meet this delivery only, or every delivery to this destination."""

    DELIVERY = "delivery"
    DESTINATION = "destination"


@frozen
class StatusRule:
    """What an HTTP status means for a delivery, whom a failure concerns, and why."""

    meaning: Meaning
    concern: Concern
    because: str


_TAKEN: Final = StatusRule(Meaning.TAKEN, Concern.DELIVERY, "the receiver has it")


def _refused(because: str) -> StatusRule:
    return StatusRule(Meaning.REFUSED, Concern.DELIVERY, because)


def _later(because: str) -> StatusRule:
    return StatusRule(Meaning.FAILED, Concern.DELIVERY, because)


def _wrong(because: str) -> StatusRule:
    return StatusRule(Meaning.FAILED, Concern.DESTINATION, because)


STATUS_CLASSES: Final[Mapping[int, StatusRule]] = {
    1: _wrong("an interim answer is no answer"),
    2: _TAKEN,
    3: _wrong("deliveries go to the configured address only, so a redirect is not followed"),
    4: _refused("the same content would be refused again"),
    5: _later("the receiver failed on it"),
}
"""By the first digit, for every status that has no row of its own."""

STATUSES: Final[Mapping[int, StatusRule]] = {
    207: _refused("it says something else for each part, and only one answer for all is understood"),
    401: _wrong("the credentials are missing or were not accepted"),
    402: _wrong("the receiver wants to be paid first"),
    403: _wrong("the credentials don't allow it"),
    404: _wrong("nothing is at the address"),
    405: _wrong("the address takes no POST"),
    406: _wrong("the receiver can't answer as it thinks it was asked to"),
    407: _wrong("a proxy wants credentials"),
    408: _later("the receiver didn't wait long enough"),
    409: _later("it is being worked on, or something else is that it depends on"),
    410: _wrong("nothing is at the address any more"),
    411: _wrong("a proxy took the length away"),
    412: _later("something has to come first"),
    414: _wrong("the address is too long"),
    415: _wrong("the receiver doesn't take newline-delimited JSON"),
    417: _wrong("a proxy expects something else"),
    421: _wrong("the address leads to the wrong server"),
    423: _later("something is locked for now"),
    424: _later("something that it depends on failed"),
    425: _later("it came too early"),
    426: _wrong("the receiver wants another protocol"),
    428: _wrong("the receiver wants conditions that are never sent"),
    429: _wrong("too many requests for now"),
    431: _wrong("the header is too large"),
    451: _wrong("the address may not be served"),
    501: _wrong("the receiver doesn't know POST"),
    502: _wrong("what stands behind the address is not there"),
    503: _wrong("the receiver is overloaded or down for maintenance"),
    504: _wrong("what stands behind the address doesn't answer"),
    505: _wrong("the receiver wants another version of HTTP"),
    511: _wrong("the network wants somebody to log in"),
}
"""The statuses that mean something else than their class does."""


def status_rule(status: int) -> StatusRule:
    """What a status means; a number that is no HTTP status means a wrong destination.

    >>> status_rule(200).meaning, status_rule(422).meaning, status_rule(503).meaning
    (<Meaning.TAKEN: 'taken'>, <Meaning.REFUSED: 'refused'>, <Meaning.FAILED: 'failed'>)
    """
    return STATUSES.get(status) or STATUS_CLASSES.get(status // 100) or _wrong("this is no HTTP status")


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

_MOST_DOUBLINGS: Final = 32
"""Enough for any cap, and few enough for a timedelta."""


def backoff(failed_before: int, jitter: float, policy: RetryPolicy = DEFAULT_POLICY) -> timedelta:
    """How long to wait after one more failure: a random part of a limit that doubles with each (*full jitter*).

    ``jitter`` is a random number from 0 up to but not including 1. Relays that failed together don't come back
    together.

    >>> backoff(0, 0.5), backoff(3, 0.5), backoff(40, 0.5)
    (datetime.timedelta(microseconds=250000), datetime.timedelta(seconds=2), datetime.timedelta(seconds=150))
    """
    if not 0 <= jitter < 1:
        raise ValueError(f"jitter is {jitter}; expected a number from 0 up to but not including 1")
    limit = min(policy.cap, policy.base * (1 << min(failed_before, _MOST_DOUBLINGS)))
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
    """How long a destination is left alone. Where it ``takes_nothing``, whoever doesn't wait for good ends."""

    wait: timedelta
    takes_nothing: bool = False


def pause_after(
    answer: Answer, *, in_a_row: int, has_parked: bool, failed_before: int, jitter: float, policy: RetryPolicy
) -> Pause | None:
    """How long to leave a destination alone after an answer, ``None``: not at all.

    Fields: ``in_a_row`` of :func:`parked_in_a_row` after it; ``has_parked`` whether it was this answer that parked;
    ``failed_before`` the fewest failures of the deliveries that it is about. A failure of the destination gives it time
    to recover. One that has had too many parked in a row gets one more per ``policy.cap``, so that a wrong address
    can't park an outbox as fast as it refuses, and the first delivery that is taken ends the suspicion.

    >>> refused = Refused("HTTP 400")
    >>> pause_after(refused, in_a_row=10, has_parked=True, failed_before=0, jitter=0.5, policy=DEFAULT_POLICY)
    Pause(wait=datetime.timedelta(seconds=300), takes_nothing=True)
    """
    if has_parked and in_a_row >= MOST_IN_A_ROW:
        return Pause(policy.cap, takes_nothing=True)
    if isinstance(answer, Failed) and answer.concern is Concern.DESTINATION:
        return Pause(wait_after(answer, failed_before, jitter, policy))
    return None
