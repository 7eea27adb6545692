"""What happens to Revenue outside the operation, made to order: a line is lost there, or altered.

So that people can watch drift appear, see how reconciliation calls it, and repair it (RCN-3, CNV-3).
"""

from __future__ import annotations

from decimal import Decimal
from enum import Enum, unique
from typing import Final

from attrs import evolve

from regen_core.decision_table import RegenerateFlag, SendAction
from regen_core.revenue import Delivery, Held

__all__ = ["Tampering", "altered"]

_MORE: Final = Decimal("1.00")
"""By how much an altered line is off: enough to see."""

_BESIDE: Final = 0
"""The number of a delivery that no operation made; theirs count from 1 (REV-0)."""


@unique
class Tampering(Enum):
    """What is done to a line at Revenue."""

    LOSE = "lose"
    ALTER = "alter"


def altered(held: Held) -> Delivery:
    """What makes Revenue hold another amount at the same revision: it collects that by its own rules (REV-2).

    A tombstone becomes a line again.
    """
    item = evolve(held.transaction.item, amount=held.transaction.item.amount + _MORE)
    return Delivery(evolve(held.transaction, item=item), _BESIDE, RegenerateFlag.Y, SendAction.LINE)
