"""The words and tones in which the values of the rules' tables are shown to people; each stands here once."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from regen_core.decision_table import Presence, SendAction, WriteAction
from regen_core.explain.blocks import Tone
from regen_core.revenue import CollectAction, Comparison
from regen_core.transactions import Standing
from regen_core.variance_rules import VarianceKind

__all__ = [
    "COLLECT_TONE",
    "COMPARISON",
    "PRESENCE",
    "SEND_TONE",
    "STANDING",
    "VARIANCE_TONE",
    "WRITE_TONE",
    "amount_text",
    "first_sentence",
    "times",
    "yes_no",
]

PRESENCE: Final[Mapping[Presence, str]] = {
    Presence.ITEM_ONLY: "item present, none stored",
    Presence.PRESENT_ACTIVE: "item present, active",
    Presence.PRESENT_VOIDED: "item present, voided",
    Presence.GONE_ACTIVE: "item gone, active",
    Presence.GONE_VOIDED: "item gone, voided",
}
"""The columns of TBL-W."""

STANDING: Final[Mapping[Standing, str]] = {
    Standing.LIVE_NEVER_SENT: "live, never sent",
    Standing.LIVE_EVER_SENT: "live, ever sent",
    Standing.NOT_LIVE_NEVER_SENT: "not live, never sent",
    Standing.NOT_LIVE_EVER_SENT: "not live, ever sent",
}
"""The columns of TBL-S."""

COMPARISON: Final[Mapping[Comparison, str]] = {
    Comparison.NOTHING_HELD: "nothing held",
    Comparison.HELD_OLDER: "older revision held",
    Comparison.HELD_SAME: "same revision held",
    Comparison.HELD_NEWER: "newer revision held",
}
"""The columns of the collecting rules."""

WRITE_TONE: Final[Mapping[WriteAction, Tone]] = {
    WriteAction.GENERATE: Tone.GENERATE,
    WriteAction.OVERRIDE: Tone.OVERRIDE,
    WriteAction.VOID: Tone.VOID,
    WriteAction.KEEP: Tone.PLAIN,
    WriteAction.SKIP: Tone.QUIET,
}

SEND_TONE: Final[Mapping[SendAction, Tone]] = {
    SendAction.LINE: Tone.SEND,
    SendAction.VOID: Tone.VOID,
    SendAction.NOTHING: Tone.QUIET,
}

COLLECT_TONE: Final[Mapping[CollectAction, Tone]] = {
    CollectAction.COLLECT: Tone.SEND,
    CollectAction.IGNORE: Tone.QUIET,
}

VARIANCE_TONE: Final[Mapping[VarianceKind, Tone]] = {
    VarianceKind.MISSING: Tone.SEND,
    VarianceKind.VOIDED_IN_REVENUE: Tone.SEND,
    VarianceKind.STALE: Tone.OVERRIDE,
    VarianceKind.ALTERED: Tone.OVERRIDE,
    VarianceKind.NEWER: Tone.OVERRIDE,
    VarianceKind.STILL_THERE: Tone.VOID,
    VarianceKind.UNKNOWN: Tone.REFUSED,
}
"""A variance looks like what would settle it."""


def yes_no(is_so: bool, yes: str = "yes", no: str = "no") -> str:
    """A truth value as a word.

    >>> yes_no(True), yes_no(False)
    ('yes', 'no')
    """
    return yes if is_so else no


def amount_text(amount: Decimal) -> str:
    """An amount as people write it: in full, without an exponent, and zero without a sign.

    >>> amount_text(Decimal("1E+5")), amount_text(Decimal("-2.50")), amount_text(Decimal("-0.00"))
    ('100000', '-2.50', '0.00')
    """
    return f"{amount or abs(amount):f}"


def times(count: int, one: str, many: str | None = None) -> str:
    """A number with its noun.

    >>> times(1, "line"), times(2, "delivery", "deliveries"), times(0, "line")
    ('1 line', '2 deliveries', '0 lines')
    """
    return f"{count} {one if count == 1 else many or one + 's'}"


def first_sentence(docstring: str | None) -> str:
    """The first paragraph of a docstring as running text; empty where Python was told to drop docstrings.

    >>> first_sentence(times.__doc__)
    'A number with its noun.'
    """
    paragraph = (docstring or "").strip().split("\n\n")[0]
    return " ".join(paragraph.replace("``", "`").split())
