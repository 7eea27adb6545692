"""RCN-1 … RCN-3: Billing against Revenue for a period; a naive model with dictionaries and fractions beside it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import product
from typing import Any

import pytest
from attrs import evolve, frozen
from hypothesis import given
from hypothesis import strategies as st

from regen_core.decision_table import RegenerateFlag, SendAction
from regen_core.documents import (
    AdjustmentKind,
    BillingDocument,
    BillingItem,
    DocumentHeader,
    DocumentKey,
    DocumentType,
)
from regen_core.reconciliation import Period, Reconciliation, Variance, foresee, reconcile, reconcile_parts
from regen_core.regeneration import Regeneration, decide
from regen_core.request import RegenerateRequest
from regen_core.revenue import Delivery, Held, HeldAs, RevenueLedger, collect_all
from regen_core.testing import strategies as some
from regen_core.transactions import (
    BillingTransaction,
    RevenueType,
    StoredTransaction,
    StoredTransactions,
    TransactionState,
    transaction_id,
)
from regen_core.variance_rules import VARIANCE_RULES, AtBilling, AtRevenue, Remedy, Transit, VarianceKind

CURRENCIES = ("EUR", "JPY", "USD")
FIRST_DAY = date(2026, 1, 1)
EVER = Period(date.min, date.max)


@frozen
class Sides:
    """Billing's and Revenue's lines, each in the order of their keys, and what waits in the outbox."""

    stored: tuple[StoredTransaction, ...]
    held: tuple[Held, ...]
    waiting: tuple[Delivery, ...]


DAYS = tuple(FIRST_DAY + timedelta(days=days) for days in range(4))
"""Few, so that periods begin and end on them."""

AMOUNTS = (
    Decimal(10),
    Decimal("10.00"),
    Decimal("-0"),
    Decimal("-2.5"),
    Decimal("1234567890123456789012345678.90"),
    Decimal("-99999999999999999999999999999999.0000000000000000000000001"),
    Decimal("1E-60"),
    Decimal("7E+60"),
)
"""Ones that are easy to add, and ones that any usual context would round."""


def any_of(*parts: Iterable[object]) -> st.SearchStrategy[Any]:
    """One of every part, in one draw; simple ones come first."""
    rows = tuple(product(*parts))
    return st.integers(0, len(rows) - 1).map(rows.__getitem__)


PERIODS = any_of([Period(first, last) for first in DAYS for last in DAYS if first <= last]).map(lambda row: row[0])
PLACES = any_of(DocumentType, ("d1", "d2"), ("i1", "i2"))
HEADERS = any_of(DAYS, CURRENCIES)
ITEMS = any_of(AMOUNTS, (False, False, False, True), AdjustmentKind)
STATES = any_of((1, 2, 3), (TransactionState.ACTIVE, TransactionState.ACTIVE, TransactionState.VOIDED))
ALTERED = any_of((1, 2, 3, 4), (None, *DAYS), (None, *CURRENCIES), (None, *AMOUNTS))
SITUATIONS = any_of(("both", "both", "altered", "altered", "billing", "revenue"), HeldAs, (0, 1, 2))
SENT = any_of((None, 1, 2, 3), RegenerateFlag, (SendAction.LINE, SendAction.VOID))


def periods() -> st.SearchStrategy[Period]:
    return PERIODS


@st.composite
def transactions(draw: st.DrawFn, key: DocumentKey, item_id: str) -> BillingTransaction:
    is_adjustment = key.type is DocumentType.INVOICE_ITEM_ADJUSTMENT
    (day, currency), (amount, excluded, kind), (revision, state) = draw(HEADERS), draw(ITEMS), draw(STATES)
    return BillingTransaction(
        id=transaction_id(key, item_id),
        header=DocumentHeader(key=key, number="N-1", status="Posted", date=day, currency=currency),
        item=BillingItem(
            id=item_id,
            amount=amount,
            excluded_from_revenue=excluded,
            adjustment_kind=kind if is_adjustment else None,
        ),
        revenue_type=RevenueType.INV,
        standalone=True,
        revision=revision,
        state=state,
        created=None,
        updated=None,
    )


@st.composite
def partners(draw: st.DrawFn, ours: BillingTransaction) -> BillingTransaction:
    """What Revenue may hold of a transaction: with any difference in revision, amount, date or currency, or none."""
    revision, day, currency, amount = draw(ALTERED)
    header = evolve(ours.header, date=day or ours.header.date, currency=currency or ours.header.currency)
    item = evolve(ours.item, amount=ours.item.amount if amount is None else amount)
    return evolve(ours, header=header, item=item, revision=revision)


def key_of(each: BillingTransaction) -> tuple[str, ...]:
    """How a store orders its lines."""
    key = each.header.key
    return key.tenant, key.entity, key.type.value, key.id, each.item.id, each.id


@st.composite
def sides(draw: st.DrawFn) -> Sides:
    """Any two sides over four types, two documents each and two items each, and an outbox that fits them."""
    stored, held, waiting = list[StoredTransaction](), list[Held](), list[Delivery]()
    for kind, document_id, item_id in draw(st.lists(PLACES, max_size=5, unique=True)):
        ours = draw(transactions(DocumentKey(tenant="t", entity="e", type=kind, id=document_id), item_id))
        situation, held_as, count = draw(SITUATIONS)
        if situation != "revenue":
            stored.append(StoredTransaction(ours, count))
        if situation != "billing":
            held.append(Held(draw(partners(ours)) if situation == "altered" else ours, held_as))
        for number in range(1, count + 1):
            revision, flag, action = draw(SENT)
            if revision is not None:
                waiting.append(Delivery(evolve(ours, revision=min(revision, ours.revision)), number, flag, action))
    stored.sort(key=lambda each: key_of(each.transaction))
    held.sort(key=lambda each: key_of(each.transaction))
    return Sides(tuple(stored), tuple(held), tuple(reversed(waiting)))


# the model: dictionaries, fractions, and the names in plain words


def signed(each: BillingTransaction) -> Fraction:
    is_negative = each.header.key.type.value == "CreditMemo" or each.item.adjustment_kind is AdjustmentKind.CREDIT
    return (-1 if is_negative else 1) * Fraction(each.item.amount)


def counts_here(period: Period, each: StoredTransaction) -> bool:
    now = each.transaction
    is_live = now.state.value == "active" and not now.item.excluded_from_revenue
    return is_live and period.first <= now.header.date <= period.last


def counts_there(period: Period, each: Held) -> bool:
    return each.kind.value == "line" and period.first <= each.transaction.header.date <= period.last


def totals_of(
    period: Period, stored: Iterable[StoredTransaction], held: Iterable[Held]
) -> dict[str, tuple[int, Fraction, int, Fraction]]:
    found: dict[str, list[BillingTransaction]] = defaultdict(list)
    there: dict[str, list[BillingTransaction]] = defaultdict(list)
    for ours in stored:
        if counts_here(period, ours):
            found[ours.transaction.header.currency].append(ours.transaction)
    for theirs in held:
        if counts_there(period, theirs):
            there[theirs.transaction.header.currency].append(theirs.transaction)
    return {
        each: (
            len(found[each]),
            sum(map(signed, found[each]), Fraction(0)),
            len(there[each]),
            sum(map(signed, there[each]), Fraction(0)),
        )
        for each in {*found, *there}
    }


def facts(each: BillingTransaction) -> tuple[object, ...]:
    header, item = each.header, each.item
    return header.date, header.currency, item.amount, item.excluded_from_revenue, item.adjustment_kind, each.state


def name_of(ours: StoredTransaction | None, theirs: Held | None) -> str | None:
    """The variance's name as a careful reader of the rules would say it, whatever the period."""
    line = theirs is not None and theirs.kind is HeldAs.LINE
    if ours is None:
        return "unknown to Billing" if line else None
    if not (ours.transaction.state is TransactionState.ACTIVE and not ours.transaction.item.excluded_from_revenue):
        return "voided but still there" if line else None
    if theirs is None:
        return "missing in Revenue"
    if theirs.transaction.revision > ours.transaction.revision:
        return "newer in Revenue"
    if not line:
        return "voided in Revenue"
    if theirs.transaction.revision < ours.transaction.revision:
        return "stale in Revenue"
    return "altered in Revenue" if facts(theirs.transaction) != facts(ours.transaction) else None


def names_of(period: Period, given: Sides) -> dict[str, str]:
    ours = {each.transaction.id: each for each in given.stored}
    theirs = {each.transaction.id: each for each in given.held}
    found = {}
    for line in {*ours, *theirs}:
        here = line in ours and counts_here(period, ours[line])
        there = line in theirs and counts_there(period, theirs[line])
        name = name_of(ours.get(line), theirs.get(line))
        if name is not None and (here or there):
            found[line] = name
    return found


def of(period: Period, given: Sides) -> Reconciliation:
    return reconcile(period, given.stored, given.held)


def named(outcome: Reconciliation) -> dict[str, str]:
    return {each.transaction.id: each.kind.value for each in outcome.variances}


class TestTotals:
    """RCN-1, RCN-2, RCN-4: per currency count and amount of the live lines of the period, on each side."""

    @given(periods(), sides())
    def test_they_are_the_models(self, period: Period, given: Sides) -> None:
        told = {
            each.currency: (
                each.billing.count,
                Fraction(each.billing.amount),
                each.revenue.count,
                Fraction(each.revenue.amount),
            )
            for each in of(period, given).totals
        }
        assert told == totals_of(period, given.stored, given.held)
        assert list(told) == sorted(told)

    @given(periods(), sides())
    def test_variances_explain_every_difference_to_the_last_digit(self, period: Period, given: Sides) -> None:
        outcome = of(period, given)
        by_currency = {each.currency: each.difference for each in outcome.totals}
        for currency in (*CURRENCIES, "XXX"):
            told = [each.difference(currency) for each in outcome.variances]
            count = sum(each.count for each in told)
            amount = sum((Fraction(each.amount) for each in told), Fraction(0))
            difference = by_currency.get(currency)
            assert (count, amount) == (
                (0, 0) if difference is None else (difference.count, Fraction(difference.amount))
            )

    @given(sides(), st.sampled_from(DAYS))
    def test_two_adjoining_periods_are_the_whole(self, given: Sides, cut: date) -> None:
        """A line whose date was moved shows in both periods, so nothing falls between them."""
        whole = of(EVER, given)
        parts = [
            of(Period(date.min, cut), given),
            of(Period(cut + timedelta(days=1), date.max), given),
        ]
        assert {**named(parts[0]), **named(parts[1])} == named(whole)
        for currency in CURRENCIES:
            in_parts, in_whole = (
                [t for o in some for t in o.totals if t.currency == currency] for some in (parts, [whole])
            )
            for side in ("billing", "revenue"):
                told = [[getattr(t, side) for t in found] for found in (in_parts, in_whole)]
                assert sum(t.count for t in told[0]) == sum(t.count for t in told[1])
                assert sum(Fraction(t.amount) for t in told[0]) == sum(Fraction(t.amount) for t in told[1])


class TestVariances:
    """RCN-3, RCN-5: each variance has its name and its transaction, once."""

    def test_the_table_is_total(self) -> None:
        assert set(VARIANCE_RULES) == {(ours, theirs) for ours in AtBilling for theirs in AtRevenue}
        for rule in VARIANCE_RULES.values():
            assert rule is None or set(rule.remedies) == set(Transit)
        assert {rule.kind for rule in VARIANCE_RULES.values() if rule is not None} == set(VarianceKind)

    @given(periods(), sides())
    def test_they_are_named_as_the_model_names_them(self, period: Period, given: Sides) -> None:
        outcome = of(period, given)
        assert named(outcome) == names_of(period, given)
        assert len(named(outcome)) == len(outcome.variances)
        assert [key_of(each.transaction) for each in outcome.variances] == sorted(
            key_of(each.transaction) for each in outcome.variances
        )
        assert outcome.agrees is (not names_of(period, given))

    @given(periods(), sides())
    def test_they_carry_what_each_side_counts(self, period: Period, given: Sides) -> None:
        for each in of(period, given).variances:
            here = each.stored is not None and counts_here(period, each.stored)
            there = each.held is not None and counts_there(period, each.held)
            assert here or there
            assert (each.billing_amount is not None, each.revenue_amount is not None) == (here, there)
            assert (each.billing_currency is not None, each.revenue_currency is not None) == (here, there)
            if each.stored is not None and each.billing_amount is not None:
                assert Fraction(each.billing_amount) == signed(each.stored.transaction)
            if each.held is not None and each.revenue_amount is not None:
                assert Fraction(each.revenue_amount) == signed(each.held.transaction)
            was_sent = each.stored is not None and each.stored.deliveries > 0
            assert each.transit is (Transit.SENT if was_sent else Transit.NEVER_SENT)

    @given(periods(), sides())
    def test_a_revenue_that_holds_what_is_live_agrees(self, period: Period, given: Sides) -> None:
        held = [Held(each.transaction, HeldAs.LINE) for each in given.stored if each.transaction.is_live]
        assert reconcile(period, given.stored, held).agrees


class TestOutbox:
    """RCN-6: what waits is foreseen by the rules of collecting (REV-1 … REV-4)."""

    @given(periods(), sides())
    def test_what_is_on_its_way_is_what_delivering_settles(self, period: Period, given: Sides) -> None:
        outcome = foresee(of(period, given), given.waiting)
        ledger = RevenueLedger()
        for each in given.held:
            ledger = RevenueLedger(ledger.held.put(each.transaction.id, each))
        after = sorted(collect_all(ledger, given.waiting).held.values(), key=lambda each: key_of(each.transaction))
        still_wrong = named(reconcile(EVER, given.stored, after))
        waits_for = {each.transaction.id for each in given.waiting}
        for variance in outcome.variances:
            expected = Transit.NOT_ENOUGH if variance.transaction.id in still_wrong else Transit.ON_ITS_WAY
            if variance.transaction.id in waits_for:
                assert variance.transit is expected
                assert (variance.remedy is Remedy.DELIVER) is (expected is Transit.ON_ITS_WAY)
            else:
                assert variance in of(period, given).variances

    @given(periods(), sides())
    def test_nothing_else_changes(self, period: Period, given: Sides) -> None:
        before, after = of(period, given), foresee(of(period, given), given.waiting)
        assert (after.period, after.totals, named(after)) == (before.period, before.totals, named(before))
        assert foresee(before, ()) == before


def documents_of(given: Sides) -> list[tuple[list[StoredTransaction], list[Held]]]:
    """Both sides document by document."""
    found: dict[tuple[str, ...], tuple[list[StoredTransaction], list[Held]]] = defaultdict(lambda: ([], []))
    for ours in given.stored:
        found[key_of(ours.transaction)[:4]][0].append(ours)
    for theirs in given.held:
        found[key_of(theirs.transaction)[:4]][1].append(theirs)
    return [found[key] for key in sorted(found)]


class TestParts:
    """RCN-7: what a store reads of one moment comes some documents at a time."""

    @given(periods(), sides())
    def test_parts_are_the_whole(self, period: Period, given: Sides) -> None:
        parts = documents_of(given)
        assert reconcile_parts(period, iter(parts)) == of(period, given)
        assert reconcile_parts(period, [([], []), *parts, ([], [])]) == of(period, given)

    @given(periods(), sides())
    def test_documents_without_a_date_in_the_period_change_nothing(self, period: Period, given: Sides) -> None:
        """RCN-4: either side's date brings both sides of a document in."""
        concerned = [
            part
            for part in documents_of(given)
            if any(period.covers(each.transaction.header.date) for side in part for each in side)
        ]
        assert reconcile_parts(period, concerned) == of(period, given)

    @given(periods(), sides())
    def test_control_one_sides_dates_are_not_enough(self, period: Period, given: Sides) -> None:
        """The control: by Billing's dates alone, what Revenue counts under an older date is left out."""
        moved = [
            part
            for part in documents_of(given)
            if any(period.covers(each.transaction.header.date) for each in part[1] if each.kind is HeldAs.LINE)
            and not any(period.covers(each.transaction.header.date) for each in part[0])
        ]
        kept = [part for part in documents_of(given) if part not in moved]
        assert (reconcile_parts(period, kept) == of(period, given)) is (not moved)

    @given(periods(), sides())
    def test_a_part_that_is_not_behind_the_one_before_is_refused(self, period: Period, given: Sides) -> None:
        parts = documents_of(given)
        for wrong in (list(reversed(parts)), [part for part in parts for _ in range(2)]):
            if len(wrong) > 1:
                with pytest.raises(ValueError, match="doesn't come behind"):
                    reconcile_parts(period, wrong)


def ledger_beside(data: st.DataObject, stored: StoredTransactions) -> RevenueLedger:
    """Any Revenue at all: nothing, altered, older, newer, tombstones, whether sent or not."""
    ledger = RevenueLedger()
    for line in stored.lines:
        if data.draw(st.booleans()):
            held = Held(data.draw(partners(line.transaction)), data.draw(st.sampled_from(HeldAs)))
            ledger = RevenueLedger(ledger.held.put(line.transaction.id, held))
    return ledger


def variances_of(stored: StoredTransactions, ledger: RevenueLedger) -> dict[str, Variance]:
    ours = sorted(stored.lines, key=lambda each: key_of(each.transaction))
    theirs = sorted(ledger.held.values(), key=lambda each: key_of(each.transaction))
    return {each.transaction.id: each for each in reconcile(EVER, ours, theirs).variances}


def performed(
    document: BillingDocument, stored: StoredTransactions, ledger: RevenueLedger, *, only_re_send: bool = False
) -> tuple[StoredTransactions, RevenueLedger]:
    """Both sides after an operation and its deliveries; as they were where it is refused."""
    request = RegenerateRequest(
        type=document.type, id=document.id, only_re_send=only_re_send, re_migrate=not only_re_send
    )
    done = decide(document, stored, request)
    if not isinstance(done, Regeneration):
        return stored, ledger
    return done.stored_after, collect_all(ledger, done.deliveries)


class TestRemedies:
    """The advice holds: what is recommended repairs, by the operation's own rules (CNV-1 … CNV-3)."""

    @given(data=st.data())
    def test_re_sending_settles_what_it_is_advised_for_and_nothing_that_is_for_hands(self, data: st.DataObject) -> None:
        document = data.draw(some.documents(min_items=1, tax=False))
        stored = data.draw(some.stored_transactions(document=document))
        ledger = ledger_beside(data, stored)
        before = variances_of(stored, ledger)
        after = variances_of(*performed(document, stored, ledger, only_re_send=True))
        for line, variance in before.items():
            assert (line in after) is (variance.remedy is not Remedy.RE_SEND)
        assert set(after) <= set(before)

    @given(data=st.data())
    def test_catching_up_settles_lines_whose_item_is_there(self, data: st.DataObject) -> None:
        document = data.draw(some.documents(min_items=1, tax=False, excluded=False))
        stored = data.draw(some.stored_transactions(document=document, complete=True))
        ledger = ledger_beside(data, stored)
        behind = [each for each in variances_of(stored, ledger).values() if each.remedy is Remedy.CATCH_UP]
        for variance in behind:
            assert variance.held is not None
            assert variance.stored is not None
            now, then = stored, ledger
            for _ in range(variance.held.revision - variance.stored.transaction.revision):
                assert variance.transaction.id in variances_of(now, then)
                now, then = performed(document, now, then)
            assert variance.transaction.id not in variances_of(now, then)


class TestInput:
    """Both sides are read once, in order; a side that isn't in order is refused."""

    @given(periods(), sides(), st.data())
    def test_another_order_or_a_line_twice_is_refused(self, period: Period, given: Sides, data: st.DataObject) -> None:
        if given.stored:
            wrong = data.draw(st.permutations([*given.stored, given.stored[0]]))
            with pytest.raises(ValueError, match="stored transactions are not in strictly ascending"):
                reconcile(period, wrong, given.held)
        if given.held:
            twice = data.draw(st.permutations([*given.held, given.held[0]]))
            with pytest.raises(ValueError, match="what Revenue holds is not in strictly ascending"):
                reconcile(period, given.stored, twice)

    @given(periods(), sides())
    def test_iterators_are_enough(self, period: Period, given: Sides) -> None:
        assert reconcile(period, iter(given.stored), iter(given.held)) == of(period, given)
