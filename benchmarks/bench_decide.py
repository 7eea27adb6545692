"""``decide`` beside the same work by hand, beside bare construction of the same values; resending beside copying."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import cycle
from typing import Any

import attrs

from benchmarks.cases import ITEMS, document, request
from benchmarks.measure import Aim, Report, compare
from regen_core import BillingDocument, RegenerateRequest, Regeneration, apply, decide
from regen_core.decision_table import DECISION_TABLE, RegenerateFlag, SendAction
from regen_core.documents import ProcessingType
from regen_core.refusals import DocumentNotPosted, Refusal, UnmappableItem, UnmappedItem
from regen_core.regeneration import PlannedLine
from regen_core.revenue import Delivery
from regen_core.transactions import (
    NO_TRANSACTIONS,
    BillingTransaction,
    RevenueType,
    StoredTransaction,
    StoredTransactions,
    TransactionState,
    transaction_id,
)

DOCUMENTS = 64
"""How many documents take turns, so that no contender lives off one document's caches."""

FLAT_FIELDS = 20
"""Width of the flat record that 'copying each record' copies: what a row-based service carries per line."""

FlatRecord: Any = attrs.make_class("FlatRecord", [f"field_{n}" for n in range(FLAT_FIELDS)], frozen=True, slots=True)


def by_hand(  # noqa: C901  # so many branches is what it takes by hand
    of: BillingDocument, stored: StoredTransactions, asked: RegenerateRequest
) -> list[PlannedLine] | Refusal:
    """What one writes without tables: the same lines, records and ids.

    For subscription invoices whose items are all new, or all stored, live and sent before; nothing else is thought of.
    """
    if of.header.status != "Posted":
        return DocumentNotPosted(of.type, "Posted")
    cells = DECISION_TABLE.rulings[asked.only_re_send, asked.re_migrate].cells  # type: ignore[union-attr]  # these flags are not refused
    before = {line.transaction.item.id: line for line in stored.lines}
    lines, unmapped = [], []
    for item in of.items:
        if item.processing_type is ProcessingType.TAX:
            continue
        old = before.pop(item.id, None)
        if asked.only_re_send:
            if old is None or item.excluded_from_revenue or not old.deliveries:
                raise NotImplementedError
            number, new = old.deliveries + 1, old.transaction
            delivery = Delivery(new, number, RegenerateFlag.Y, SendAction.LINE)
            lines.append(PlannedLine(item, old, StoredTransaction(new, number), cells[5], delivery))
            continue
        if item.source is None:
            unmapped.append(UnmappedItem(item.id, "no source"))
            continue
        is_standalone = bool(item.booking_excluded or item.account_level_discount or item.calculated_charge_model)
        kind = RevenueType.INV if item.amount >= 0 or is_standalone else RevenueType.CM_C
        if old is None:
            new = BillingTransaction(
                transaction_id(of.key, item.id),
                of.header, item, kind, is_standalone, 1, TransactionState.ACTIVE, None, None,
            )  # fmt: skip
            if item.excluded_from_revenue:
                lines.append(PlannedLine(item, None, StoredTransaction(new, 0), cells[2], None))
                continue
            delivery = Delivery(new, 1, RegenerateFlag.N, SendAction.LINE)
            lines.append(PlannedLine(item, None, StoredTransaction(new, 1), cells[0], delivery))
        elif asked.re_migrate and old.deliveries and not item.excluded_from_revenue:
            was = old.transaction
            new = BillingTransaction(
                was.id, of.header, item, kind, is_standalone, was.revision + 1,
                TransactionState.ACTIVE, was.created, None,
            )  # fmt: skip
            number = old.deliveries + 1
            delivery = Delivery(new, number, RegenerateFlag.Y, SendAction.LINE)
            lines.append(PlannedLine(item, old, StoredTransaction(new, number), cells[5], delivery))
        else:
            raise NotImplementedError
    if before:
        raise NotImplementedError
    return UnmappableItem(tuple(unmapped)) if unmapped else lines


def bare(model: Regeneration) -> Callable[[], object]:
    """Construct the very values of a finished regeneration, all parts at hand: the floor."""
    fields = [attrs.astuple(new, recurse=False) for new in model.writes]
    rows = [
        (line.item, line.before, line.after.deliveries, line.ruling, line.delivery)
        for line in model.lines
        if line.after is not None
    ]
    head = (model.document, model.stored, model.request, model.rule, model.items, model.before)

    def construct() -> object:
        after, lines = [], []
        for values, (item, before, count, ruling, sent) in zip(fields, rows, strict=True):
            new = BillingTransaction(*values)
            after.append(new)
            told = None if sent is None else Delivery(new, sent.number, sent.flag, sent.action)
            lines.append(PlannedLine(item, before, StoredTransaction(new, count), ruling, told))
        return Regeneration(*head, tuple(after), model.rulings), tuple(lines)

    return construct


def _in_turn(calls: list[Callable[[], object]]) -> Callable[[], object]:
    following = cycle(calls)

    def call() -> object:
        return next(following)()

    return call


def _decided(of: BillingDocument, stored: StoredTransactions, asked: RegenerateRequest) -> Callable[[], object]:
    def call() -> object:
        done = decide(of, stored, asked)
        assert isinstance(done, Regeneration)
        return done.lines

    return call


def _regeneration(of: BillingDocument, stored: StoredTransactions, asked: RegenerateRequest) -> Regeneration:
    done = decide(of, stored, asked)
    assert isinstance(done, Regeneration)
    return done


def _stored(of: BillingDocument) -> StoredTransactions:
    after = apply(NO_TRANSACTIONS, _regeneration(of, NO_TRANSACTIONS, request(of)))
    assert isinstance(after, StoredTransactions)
    return after


def _check_by_hand(cases: Sequence[tuple[BillingDocument, StoredTransactions, RegenerateRequest]]) -> None:
    """Nothing is timed before both give the same lines."""
    for case in cases:
        lines = by_hand(*case)
        assert isinstance(lines, list)
        assert tuple(lines) == _regeneration(*case).lines


def deciding() -> Report:
    """GENERATE and REMIGRATE with every line and delivery built, beside the floor and beside hand-written code."""
    documents = [document(number) for number in range(DOCUMENTS)]
    fresh = [(of, NO_TRANSACTIONS, request(of)) for of in documents]
    again = [(of, _stored(of), request(of, re_migrate=True)) for of in documents]
    _check_by_hand([*fresh, *again])
    measured = compare(
        {
            "decide, GENERATE": _in_turn([_decided(*case) for case in fresh]),
            "if/else by hand, GENERATE": _in_turn([partial(by_hand, *case) for case in fresh]),
            "bare construction, GENERATE": _in_turn([bare(_regeneration(*case)) for case in fresh]),
            "decide, REMIGRATE": _in_turn([_decided(*case) for case in again]),
            "if/else by hand, REMIGRATE": _in_turn([partial(by_hand, *case) for case in again]),
            "bare construction, REMIGRATE": _in_turn([bare(_regeneration(*case)) for case in again]),
            f"{ITEMS} records of {FLAT_FIELDS} fields": lambda: [FlatRecord(*range(FLAT_FIELDS)) for _ in range(ITEMS)],
        }
    )
    aims = [
        Aim(
            f"decide / bare construction, {mode}",
            1 / measured.times_faster(f"decide, {mode}", f"bare construction, {mode}"),
            2,
        )
        for mode in ("GENERATE", "REMIGRATE")
    ]
    return Report(
        f"Deciding on a document of {ITEMS} items, all planned lines and deliveries built",
        "documents/s",
        [(name, 1 / seconds) for name, seconds in measured.seconds.items()],
        aims,
    )


def resending() -> Report:
    """RESEND of stored lines: rulings beside transactions, against copying a record per line to set its flag in it."""
    documents = [document(number) for number in range(DOCUMENTS)]
    cases = [(of, _stored(of), request(of, only_re_send=True)) for of in documents]
    _check_by_hand(cases)
    records = [FlatRecord(*range(FLAT_FIELDS)) for _ in range(ITEMS)]
    own = _stored(documents[0]).lines

    def columns(of: BillingDocument, stored: StoredTransactions, asked: RegenerateRequest) -> Callable[[], object]:
        return lambda: decide(of, stored, asked)

    measured = compare(
        {
            "decide, RESEND, rulings beside transactions": _in_turn([columns(*case) for case in cases]),
            "decide, RESEND, deliveries built": _in_turn([_decided(*case) for case in cases]),
            "if/else by hand, RESEND, deliveries built": _in_turn([partial(by_hand, *case) for case in cases]),
            f"copying {ITEMS} records of {FLAT_FIELDS} fields": _in_turn(
                [lambda: [attrs.evolve(r, field_0="Y") for r in records]]
            ),
            f"copying {ITEMS} BillingTransactions": _in_turn(
                [lambda: [attrs.evolve(line.transaction) for line in own]]
            ),
        }
    )
    names = list(measured.seconds)
    return Report(
        f"Resending a document of {ITEMS} stored lines",
        "documents/s",
        [(name, 1 / seconds) for name, seconds in measured.seconds.items()],
        [
            Aim(
                "pairs, times faster than copying the records",
                measured.times_faster(names[0], names[3]),
                20,
                at_most=False,
            )
        ],
    )


def reports() -> list[Report]:
    """All reports of this module."""
    return [deciding(), resending()]
