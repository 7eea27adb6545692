"""Contracts about the tables, for CrossHair: they hold for all inputs, not for drawn ones.

Each function holds a table of the core against the rule as the naive model states it in plain conditions, or says that
a table is total. ``python -m tests.crosshair`` asks CrossHair to find an input for which one is false.
"""

from __future__ import annotations

from typing import Any, cast

from attrs import frozen

from regen_core.decision_table import (
    DECISION_TABLE,
    Mode,
    Presence,
    RegenerateFlag,
    SendAction,
    WriteAction,
)
from regen_core.documents import AdjustmentKind, DocumentType, ItemSource, OrderLineCategory, ProcessingType
from regen_core.idempotency import key_fault
from regen_core.revenue import COLLECTING_RULES, CollectAction, comparison
from regen_core.testing import model
from regen_core.transactions import Standing, StoredTransaction, TransactionState
from regen_core.type_mapping import MAPPING_ROWS, map_item


def flags_are_refused_or_ruled(only_re_send: bool, re_migrate: bool, presence: Presence, standing: Standing) -> bool:
    """Both flags true are refused, all else has one cell of each table; a skipped line alone is told nothing (TBL-M).

    post: _
    """
    rulings = DECISION_TABLE.rulings[only_re_send, re_migrate]
    if rulings is None:
        return only_re_send and re_migrate
    ruling = rulings.at(presence, standing)
    is_skipped = ruling.write.action is WriteAction.SKIP
    return not (only_re_send and re_migrate) and (ruling.send is None) is is_skipped


def each_cell_is_the_rules_own(mode: Mode, presence: Presence, flag: RegenerateFlag, standing: Standing) -> bool:
    """No two cells of TBL-W, and no two of TBL-S, have one id: none stands for another.

    post: _
    """
    write, send = DECISION_TABLE.writes[mode, presence], DECISION_TABLE.sends[flag, standing]
    same_write = [cell for cell, rule in DECISION_TABLE.writes.items() if rule.id == write.id]
    same_send = [cell for cell, rule in DECISION_TABLE.sends.items() if rule.id == send.id]
    return same_write == [(mode, presence)] and same_send == [(flag, standing)]


def written_as_the_model_says(only_re_send: bool, re_migrate: bool, presence: Presence, standing: Standing) -> bool:
    """TBL-M and TBL-W against if and else.

    pre: not (only_re_send and re_migrate)
    post: _
    """
    has_item = presence in (Presence.ITEM_ONLY, Presence.PRESENT_ACTIVE, Presence.PRESENT_VOIDED)
    state = "active" if presence in (Presence.PRESENT_ACTIVE, Presence.GONE_ACTIVE) else "voided"
    stored = None if presence is Presence.ITEM_ONLY else state
    rulings = DECISION_TABLE.rulings[only_re_send, re_migrate]
    assert rulings is not None
    action = rulings.at(presence, standing).write.action.value
    return action == model.written(only_re_send, re_migrate, has_item, stored)


def said_as_the_model_says(only_re_send: bool, re_migrate: bool, live: bool, ever_sent: bool) -> bool:
    """TBL-M and TBL-S against if and else.

    pre: not (only_re_send and re_migrate)
    post: _
    """
    rulings = DECISION_TABLE.rulings[only_re_send, re_migrate]
    assert rulings is not None
    standing = Standing((0 if live else 2) + (1 if ever_sent else 0))
    ruling = rulings.at(Presence.PRESENT_ACTIVE, standing)
    told = None if ruling.message is SendAction.NOTHING else ruling.message.value
    flag = "Y" if only_re_send or re_migrate else "N"
    return ruling.flag.value == flag and told == model.said(flag, live, ever_sent)


@frozen
class AtRevision:
    """What the collecting rules read of a delivery, and of what is held: the revision of its transaction."""

    revision: int

    @property
    def transaction(self) -> AtRevision:
        """The transaction, which is nothing but its revision."""
        return self


def collected_as_the_model_says(flag: RegenerateFlag, held: int | None, revision: int) -> bool:
    """REV-1 and REV-2 for all revisions there are, against if and else.

    post: _
    """
    before = None if held is None else AtRevision(held)
    cell = COLLECTING_RULES.cells[flag, comparison(cast("Any", before), cast("Any", AtRevision(revision)))]
    naive_before = None if held is None else {"kind": "line", "transaction": {"revision": held}}
    delivery = {"flag": flag.value, "action": "line", "transaction": {"revision": revision}}
    is_taken = model.collected(naive_before, delivery) is not naive_before
    return (cell.action is CollectAction.COLLECT) is is_taken


@frozen
class Facts:
    """What the rows of MAP read of an item; the amounts are whole."""

    amount: int
    source: ItemSource | None
    processing_type: ProcessingType
    booking_amount: int | None
    booking_excluded: bool | None
    account_level_discount: bool | None
    calculated_charge_model: bool | None
    charge_deleted: bool | None
    order_line_category: OrderLineCategory | None
    adjustment_kind: AdjustmentKind | None


@frozen
class Key:
    """What the rows of MAP read of a document's key."""

    type: DocumentType


@frozen
class Header:
    """What the rows of MAP read of a header."""

    key: Key
    from_reversal: bool | None
    reason_code: str | None


def signs_are_compared_as_the_model_does(
    kind: DocumentType, amount: int, booking_amount: int | None, is_discount: bool
) -> bool:
    """MAP-S for all amounts: subscriptions are mapped by the signs alone.

    post: _
    """
    processing = ProcessingType.DISCOUNT if is_discount else ProcessingType.CHARGE
    return _mapped_alike(kind, None, amount, booking_amount, processing, ItemSource.SUBSCRIPTION, None, 0)


def sources_are_mapped_as_the_model_does(
    kind: DocumentType, source: ItemSource | None, category: OrderLineCategory | None, from_reversal: bool | None
) -> bool:
    """MAP for all documents, sources and categories, with no fact that comes first.

    post: _
    """
    return _mapped_alike(kind, from_reversal, 1, None, ProcessingType.CHARGE, source, category, 0)


def facts_come_first_as_in_the_model(
    kind: DocumentType, source: ItemSource | None, excluded: bool, discount: bool, calculated: bool, deleted: bool
) -> bool:
    """MAP-1 … MAP-3 come before all other rows of invoices and credit memos, and of no other document.

    post: _
    """
    facts = (1 if excluded else 0) + (2 if discount else 0) + (4 if calculated else 0) + (8 if deleted else 0)
    return _mapped_alike(kind, None, 1, None, ProcessingType.CHARGE, source, None, facts)


def _mapped_alike(
    kind: DocumentType,
    from_reversal: bool | None,
    amount: int,
    booking_amount: int | None,
    processing: ProcessingType,
    source: ItemSource | None,
    category: OrderLineCategory | None,
    facts: int,
) -> bool:
    told = (bool(facts & 1), bool(facts & 2), bool(facts & 4), bool(facts & 8))
    item = Facts(amount, source, processing, booking_amount, *told, category, None)
    row = map_item(cast("Any", Header(Key(kind), from_reversal, None)), cast("Any", item))
    naive_item = {
        "amount": amount,
        "kind": None,
        "source": None if source is None else source.value,
        "processing": processing.value,
        "booking_amount": booking_amount,
        "booking_excluded": told[0],
        "account_level_discount": told[1],
        "calculated_charge_model": told[2],
        "charge_deleted": told[3],
        "category": None if category is None else category.value,
    }
    document = {"type": kind.value, "from_reversal": from_reversal, "reason_code": None}
    return (None if row is None else (row.revenue_type.value, row.standalone)) == model.mapping_of(document, naive_item)


def rows_have_their_own_ids(place: int, other: int) -> bool:
    """No two rows of MAP have one id.

    pre: 0 <= place < other < len(MAPPING_ROWS)
    post: _
    """
    return MAPPING_ROWS[place].id != MAPPING_ROWS[other].id


@frozen
class Excluded:
    """What a standing reads of an item."""

    excluded_from_revenue: bool


@frozen
class InState:
    """What a standing reads of a transaction."""

    state: TransactionState
    item: Excluded


def a_stored_line_stands_where_its_facts_say(is_active: bool, excluded: bool, deliveries: int) -> bool:
    """TBL-S's columns for all counts of deliveries; the place is the presence's first cell plus the standing.

    pre: deliveries >= 0
    post: _
    """
    state = TransactionState.ACTIVE if is_active else TransactionState.VOIDED
    stored = StoredTransaction(cast("Any", InState(state, Excluded(excluded))), deliveries)
    standing = (0 if is_active and not excluded else 2) + (1 if deliveries > 0 else 0)
    presence = Presence.PRESENT_ACTIVE if is_active else Presence.PRESENT_VOIDED
    return stored.standing == standing and stored.place == 4 * presence + standing


def a_key_is_visible_ascii(key: str) -> bool:
    """IDM-9 for all texts of up to three characters.

    pre: len(key) <= 3
    post: _
    """
    visible = [character for character in key if 33 <= ord(character) <= 126]
    return (key_fault(key) is None) is (0 < len(visible) == len(key))
