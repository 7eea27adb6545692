"""Claims that are false, each about one input among many: CrossHair must find it, or its confirmations say nothing."""

from __future__ import annotations

from typing import Any, cast

from attrs import evolve

from regen_core.decision_table import DECISION_TABLE, Mode, Presence, RegenerateFlag, WriteAction, WriteRule
from regen_core.revenue import COLLECTING_RULES, CollectAction, Comparison, comparison
from regen_core.testing import model
from tests.crosshair.contracts import AtRevision

FLIPPED = evolve(
    DECISION_TABLE,
    writes={**DECISION_TABLE.writes, (Mode.REMIGRATE, Presence.GONE_ACTIVE): WriteRule("TBL-W9", WriteAction.KEEP)},
)
"""A table in which the transaction of an item that is gone isn't voided."""


def a_flipped_cell(presence: Presence) -> bool:
    """One of five presences is ruled otherwise than the model says.

    post: _
    """
    rulings = FLIPPED.rulings[False, True]
    assert rulings is not None
    has_item = presence in (Presence.ITEM_ONLY, Presence.PRESENT_ACTIVE, Presence.PRESENT_VOIDED)
    state = "active" if presence in (Presence.PRESENT_ACTIVE, Presence.GONE_ACTIVE) else "voided"
    stored = None if presence is Presence.ITEM_ONLY else state
    return rulings.cells[4 * presence].write.action.value == model.written(False, True, has_item, stored)


def an_equal_revision_is_older(held: int, revision: int) -> bool:
    """Of all pairs of revisions the equal ones are told apart from the older ones.

    post: _
    """
    found = comparison(cast("Any", AtRevision(held)), cast("Any", AtRevision(revision)))
    column = Comparison.HELD_NEWER if held >= revision else Comparison.HELD_OLDER
    cells = COLLECTING_RULES.cells
    taken = cells[RegenerateFlag.Y, found].action is CollectAction.COLLECT
    return taken is (cells[RegenerateFlag.Y, column].action is CollectAction.COLLECT)
