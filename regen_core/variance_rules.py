"""What a disagreement between Billing and Revenue is called and what to do about it, as one table (RCN-3, RCN-5).

Owns the names of variances and their remedies. Reconciliation looks up here what it finds; whether a line counts in a
period, and sums, are its business. The four names of RCN-3 are *missing*, *stale*, *voided but still there* and
*unknown*; the others (RCN-5) are cases of the first two that differ in what has happened:

- a tombstone for a live transaction is *voided in Revenue*: nothing counts there, and yet something is held;
- the same revision with other content is *altered*, since no operation of Billing's leads there;
- a newer revision is *newer in Revenue*: Billing was set back, and sending again doesn't repair it (REV-2).

A tombstone counts nothing, so whatever its revision it agrees with a transaction that isn't live, and with none. An
older revision with the same content is stale although the amounts agree: what Revenue collects next depends on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, unique
from typing import Final

from attrs import frozen

__all__ = ["AtBilling", "AtRevenue", "Remedy", "Transit", "VARIANCE_RULES", "VarianceKind", "VarianceRule"]


@unique
class AtBilling(Enum):
    """What Billing has for a line: a live transaction, one that is voided or excluded, or none."""

    LIVE = "live"
    NOT_LIVE = "not live"
    NOT_STORED = "not stored"


@unique
class AtRevenue(Enum):
    """What Revenue holds for a line, seen from Billing's revision; where none is stored, all is newer."""

    NOTHING = "nothing"
    LINE_OLDER = "line, older revision"
    LINE_SAME = "line, same revision and content"
    LINE_ALTERED = "line, same revision, other content"
    LINE_NEWER = "line, newer revision"
    TOMBSTONE_OLDER = "tombstone, older revision"
    TOMBSTONE_SAME = "tombstone, same revision"
    TOMBSTONE_NEWER = "tombstone, newer revision"


@unique
class VarianceKind(Enum):
    """How a variance is called (RCN-3, RCN-5)."""

    MISSING = "missing in Revenue"
    VOIDED_IN_REVENUE = "voided in Revenue"
    STALE = "stale in Revenue"
    ALTERED = "altered in Revenue"
    NEWER = "newer in Revenue"
    STILL_THERE = "voided but still there"
    UNKNOWN = "unknown to Billing"

    @property
    def rule_id(self) -> str:
        """The rule that gives it this name: RCN-3 has four, and RCN-5 tells cases of them apart.

        >>> VarianceKind.STALE.rule_id, VarianceKind.ALTERED.rule_id
        ('RCN-3', 'RCN-5')
        """
        return _NAMED_BY[self]


_NAMED_BY: Final[Mapping[VarianceKind, str]] = {
    VarianceKind.MISSING: "RCN-3",
    VarianceKind.VOIDED_IN_REVENUE: "RCN-5",
    VarianceKind.STALE: "RCN-3",
    VarianceKind.ALTERED: "RCN-5",
    VarianceKind.NEWER: "RCN-5",
    VarianceKind.STILL_THERE: "RCN-3",
    VarianceKind.UNKNOWN: "RCN-3",
}


@unique
class Transit(Enum):
    """How far Billing's word about a line has come.

    The last two are known only once the outbox was looked at: deliveries wait, and by the rules of collecting they
    would settle the variance, or wouldn't.
    """

    NEVER_SENT = "never sent"
    SENT = "sent"
    ON_ITS_WAY = "waits in the outbox"
    NOT_ENOUGH = "waits, won't settle it"


@unique
class Remedy(Enum):
    """What to do next about a variance."""

    DELIVER = "deliver"
    RE_SEND = "re-send"
    CATCH_UP = "catch up"
    CORRECT = "correct by hand"

    @property
    def advice(self) -> str:
        """What it means, in a sentence or two.

        >>> Remedy.RE_SEND.advice
        'Regenerate its document with onlyReSend, then deliver the outbox.'
        """
        return _ADVICE[self]


_ADVICE: Final[Mapping[Remedy, str]] = {
    Remedy.DELIVER: "Deliver the outbox: what waits there settles it.",
    Remedy.RE_SEND: "Regenerate its document with onlyReSend, then deliver the outbox.",
    Remedy.CATCH_UP: "Revenue is ahead, so Billing was probably set back: restore what Billing lost, or regenerate its "
    "document with reMigrate until the revision has reached Revenue's, then deliver the outbox. A voided line whose "
    "item is gone rises no more: correct it in Revenue.",
    Remedy.CORRECT: "Sending again doesn't reach it, for Billing knows of no sending: find out where the line comes "
    "from, then correct it in Revenue or restore what Billing lost.",
}


@frozen
class VarianceRule:
    """A cell of the table: the variance's name, and what to do next in each state of transit.

    >>> VARIANCE_RULES[AtBilling.LIVE, AtRevenue.LINE_OLDER].remedies[Transit.SENT].value
    're-send'
    """

    kind: VarianceKind
    remedies: Mapping[Transit, Remedy]


def _rule(kind: VarianceKind, never_sent: Remedy, sent: Remedy) -> VarianceRule:
    """What is on its way needs nothing but the way; what waits in vain is as good as sent."""
    remedies = {
        Transit.NEVER_SENT: never_sent,
        Transit.SENT: sent,
        Transit.ON_ITS_WAY: Remedy.DELIVER,
        Transit.NOT_ENOUGH: sent,
    }
    return VarianceRule(kind, remedies)


_B, _R, _K, _DO = AtBilling, AtRevenue, VarianceKind, Remedy

VARIANCE_RULES: Final[Mapping[tuple[AtBilling, AtRevenue], VarianceRule | None]] = {
    # Billing, Revenue: the variance, what to do if it was never sent, and if it was
    (_B.LIVE, _R.NOTHING): _rule(_K.MISSING, _DO.RE_SEND, _DO.RE_SEND),
    (_B.LIVE, _R.LINE_OLDER): _rule(_K.STALE, _DO.RE_SEND, _DO.RE_SEND),
    (_B.LIVE, _R.LINE_SAME): None,
    (_B.LIVE, _R.LINE_ALTERED): _rule(_K.ALTERED, _DO.RE_SEND, _DO.RE_SEND),
    (_B.LIVE, _R.LINE_NEWER): _rule(_K.NEWER, _DO.CATCH_UP, _DO.CATCH_UP),
    (_B.LIVE, _R.TOMBSTONE_OLDER): _rule(_K.VOIDED_IN_REVENUE, _DO.RE_SEND, _DO.RE_SEND),
    (_B.LIVE, _R.TOMBSTONE_SAME): _rule(_K.VOIDED_IN_REVENUE, _DO.RE_SEND, _DO.RE_SEND),
    (_B.LIVE, _R.TOMBSTONE_NEWER): _rule(_K.NEWER, _DO.CATCH_UP, _DO.CATCH_UP),
    (_B.NOT_LIVE, _R.NOTHING): None,
    (_B.NOT_LIVE, _R.LINE_OLDER): _rule(_K.STILL_THERE, _DO.CORRECT, _DO.RE_SEND),
    (_B.NOT_LIVE, _R.LINE_SAME): _rule(_K.STILL_THERE, _DO.CORRECT, _DO.RE_SEND),
    (_B.NOT_LIVE, _R.LINE_ALTERED): _rule(_K.STILL_THERE, _DO.CORRECT, _DO.RE_SEND),
    (_B.NOT_LIVE, _R.LINE_NEWER): _rule(_K.STILL_THERE, _DO.CORRECT, _DO.CATCH_UP),
    (_B.NOT_LIVE, _R.TOMBSTONE_OLDER): None,
    (_B.NOT_LIVE, _R.TOMBSTONE_SAME): None,
    (_B.NOT_LIVE, _R.TOMBSTONE_NEWER): None,
    (_B.NOT_STORED, _R.NOTHING): None,
    (_B.NOT_STORED, _R.LINE_OLDER): _rule(_K.UNKNOWN, _DO.CORRECT, _DO.CORRECT),
    (_B.NOT_STORED, _R.LINE_SAME): _rule(_K.UNKNOWN, _DO.CORRECT, _DO.CORRECT),
    (_B.NOT_STORED, _R.LINE_ALTERED): _rule(_K.UNKNOWN, _DO.CORRECT, _DO.CORRECT),
    (_B.NOT_STORED, _R.LINE_NEWER): _rule(_K.UNKNOWN, _DO.CORRECT, _DO.CORRECT),
    (_B.NOT_STORED, _R.TOMBSTONE_OLDER): None,
    (_B.NOT_STORED, _R.TOMBSTONE_SAME): None,
    (_B.NOT_STORED, _R.TOMBSTONE_NEWER): None,
}
"""RCN-3 as a table, every cell written out; ``None`` where the sides agree."""
