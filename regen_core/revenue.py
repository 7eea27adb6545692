"""Revenue's side, as far as the operation is about it: deliveries, what is held, and the rules of collecting (REV).

Owns the meaning of ``regenerate_flag``. All of it is interpretation, after the sentence that ``Y`` sends a transaction
"for re-collecting"; what the real Zuora Revenue does with a duplicate is not documented. The rules look at the
delivery, never at the order in which deliveries arrive, and that makes at-least-once delivery safe (REV-4).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, IntEnum, unique
from functools import reduce
from typing import Final

from attrs import field, frozen

from regen_core.decision_table import RegenerateFlag, SendAction
from regen_core.persistent_map import PersistentMap
from regen_core.transactions import BillingTransaction

__all__ = [
    "COLLECTING_RULES",
    "CollectAction",
    "CollectRule",
    "CollectingRules",
    "Comparison",
    "Delivery",
    "Held",
    "HeldAs",
    "RevenueLedger",
    "collect",
    "collect_all",
]


@frozen
class Delivery:
    """One message to Revenue about one transaction, line or void, with its ``regenerate_flag``.

    ``number`` counts the transaction's deliveries from 1 (REV-0). Trying a delivery again doesn't change its id. An
    operation always makes new ones: what Revenue takes for a repetition, it could not repair with.
    """

    transaction: BillingTransaction
    number: int
    flag: RegenerateFlag
    action: SendAction

    @property
    def id(self) -> str:
        """A function of transaction id and ``number``: ids have one length, so no two pairs meet (REV-0)."""
        return f"{self.transaction.id}-{self.number}"

    @property
    def revision(self) -> int:
        """The transaction's revision at the time of sending."""
        return self.transaction.revision


@unique
class HeldAs(Enum):
    """As what Revenue holds a transaction: a line that counts, or the tombstone that a void leaves."""

    LINE = "line"
    TOMBSTONE = "tombstone"


@frozen
class Held:
    """What Revenue holds for one transaction, at the revision that the transaction had when it was sent."""

    transaction: BillingTransaction
    kind: HeldAs

    @property
    def revision(self) -> int:
        """The revision that Revenue holds."""
        return self.transaction.revision


class Comparison(IntEnum):
    """What Revenue holds, seen from the delivery: the columns of the collecting rules."""

    NOTHING_HELD = 0
    HELD_OLDER = 1
    HELD_SAME = 2
    HELD_NEWER = 3


@unique
class CollectAction(Enum):
    """Whether Revenue takes a delivery over or leaves what it holds."""

    COLLECT = "collect"
    IGNORE = "ignore"


@frozen
class CollectRule:
    """A cell of the collecting rules."""

    id: str
    action: CollectAction


@frozen
class CollectingRules:
    """REV-1 and REV-2 as a table of (flag, comparison), and REV-3 as what a delivery leaves behind.

    ``leaves`` ``None`` would mean that nothing is held afterwards; no documented rule says so.
    """

    cells: Mapping[tuple[RegenerateFlag, Comparison], CollectRule]
    leaves: Mapping[SendAction, HeldAs | None]


_N, _Y = RegenerateFlag.N, RegenerateFlag.Y
_COLLECT, _IGNORE = CollectAction.COLLECT, CollectAction.IGNORE

COLLECTING_RULES: Final = CollectingRules(
    cells={
        (_N, Comparison.NOTHING_HELD): CollectRule("REV-1", _COLLECT),
        (_N, Comparison.HELD_OLDER): CollectRule("REV-1", _IGNORE),
        (_N, Comparison.HELD_SAME): CollectRule("REV-1", _IGNORE),
        (_N, Comparison.HELD_NEWER): CollectRule("REV-1", _IGNORE),
        (_Y, Comparison.NOTHING_HELD): CollectRule("REV-2", _COLLECT),
        (_Y, Comparison.HELD_OLDER): CollectRule("REV-2", _COLLECT),
        (_Y, Comparison.HELD_SAME): CollectRule("REV-2", _COLLECT),
        (_Y, Comparison.HELD_NEWER): CollectRule("REV-2", _IGNORE),
    },
    leaves={SendAction.LINE: HeldAs.LINE, SendAction.VOID: HeldAs.TOMBSTONE},
)


@frozen
class RevenueLedger:
    """What Revenue holds, by transaction id; a value, so an older one is a backup."""

    held: PersistentMap[Held] = field(factory=PersistentMap)

    def live_lines(self) -> dict[str, BillingTransaction]:
        """The lines that count, by transaction id: all that is held but the tombstones."""
        return {key: held.transaction for key, held in self.held.items() if held.kind is HeldAs.LINE}


def comparison(held: Held | None, delivery: Delivery) -> Comparison:
    """Which column of the collecting rules a delivery falls into."""
    if held is None:
        return Comparison.NOTHING_HELD
    ours, theirs = held.transaction.revision, delivery.transaction.revision
    if ours == theirs:
        return Comparison.HELD_SAME
    return Comparison.HELD_OLDER if ours < theirs else Comparison.HELD_NEWER


def collect(ledger: RevenueLedger, delivery: Delivery, rules: CollectingRules = COLLECTING_RULES) -> RevenueLedger:
    """The ledger after one delivery; the same ledger where the rules ignore it (REV-1 … REV-3).

    The state that deliveries lead to depends neither on their order nor on repetitions (REV-4).
    """
    transaction, held = delivery.transaction, ledger.held
    cell = rules.cells[delivery.flag, comparison(held.get(transaction.id), delivery)]
    if cell.action is CollectAction.IGNORE:
        return ledger
    kind = rules.leaves[delivery.action]
    if kind is None:
        return RevenueLedger(held.without(transaction.id))
    return RevenueLedger(held.put(transaction.id, Held(transaction, kind)))


def collect_all(
    ledger: RevenueLedger, deliveries: tuple[Delivery, ...], rules: CollectingRules = COLLECTING_RULES
) -> RevenueLedger:
    """The ledger after several deliveries, one after the other."""
    return reduce(lambda so_far, delivery: collect(so_far, delivery, rules), deliveries, ledger)
