"""What an HTTP status of Revenue's receiver means for a delivery, as a table (REV-0, REV-4).

All of it is interpretation, after the HTTP standard (RFC 9110). What follows from a meaning is decided in
:mod:`regen_core.attempts`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, unique
from typing import Final

from attrs import frozen

__all__ = ["Concern", "Meaning", "STATUSES", "STATUS_CLASSES", "StatusRule", "status_rule"]


@unique
class Meaning(Enum):
    """What an answer says about the content of a delivery."""

    TAKEN = "taken"
    REFUSED = "refused"
    FAILED = "failed"


@unique
class Concern(Enum):
    """Whom a failure is likely to meet: this delivery only, or every delivery to this destination.

    That may pass, as a server that is down comes back; of an ``ADDRESS`` it lasts until somebody mends the address, the
    credentials or the receiver.
    """

    DELIVERY = "delivery"
    DESTINATION = "destination"
    ADDRESS = "address"


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


def _down(because: str) -> StatusRule:
    return StatusRule(Meaning.FAILED, Concern.DESTINATION, because)


def _wrong(because: str) -> StatusRule:
    return StatusRule(Meaning.FAILED, Concern.ADDRESS, because)


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
    429: _down("too many requests for now"),
    431: _wrong("the header is too large"),
    451: _wrong("the address may not be served"),
    501: _wrong("the receiver doesn't know POST"),
    502: _down("what stands behind the address is not there"),
    503: _down("the receiver is overloaded or down for maintenance"),
    504: _down("what stands behind the address doesn't answer"),
    505: _wrong("the receiver wants another version of HTTP"),
    511: _wrong("the network wants somebody to log in"),
}
"""The statuses that mean something else than their class does."""


def status_rule(status: int) -> StatusRule:
    """What a status means; a number that is no HTTP status means a wrong address.

    >>> status_rule(200).meaning, status_rule(422).meaning, status_rule(503).meaning
    (<Meaning.TAKEN: 'taken'>, <Meaning.REFUSED: 'refused'>, <Meaning.FAILED: 'failed'>)
    """
    return STATUSES.get(status) or STATUS_CLASSES.get(status // 100) or _wrong("this is no HTTP status")
