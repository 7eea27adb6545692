"""RCN-1 … RCN-3 by example: each variance as somebody in finance would meet it, and the limits of the comparison."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal, Inexact
from typing import Any

import pytest
from attrs import evolve

from regen_core.decision_table import RegenerateFlag, SendAction
from regen_core.documents import BillingItem, DocumentHeader, DocumentKey, DocumentType
from regen_core.reconciliation import CurrencyTotals, Period, Total, Variance, foresee, reconcile
from regen_core.revenue import Delivery, Held, HeldAs
from regen_core.transactions import (
    BillingTransaction,
    RevenueType,
    StoredTransaction,
    TransactionState,
)
from regen_core.variance_rules import Remedy, Transit, VarianceKind
from tests.unit.core.stored_lines import transaction_of

JANUARY = Period(date(2026, 1, 1), date(2026, 1, 31))
FEBRUARY = Period(date(2026, 2, 1), date(2026, 2, 28))


def transaction(item: str = "i1", **changed: Any) -> BillingTransaction:
    """An active transaction of 10.00 EUR on an invoice of 31 January, at revision 2, with some things changed."""
    key = DocumentKey(tenant="t", entity="e", type=changed.pop("type", DocumentType.INVOICE), id="d1")
    header = {name: changed.pop(name) for name in ("date", "currency") if name in changed}
    parts = {name: changed.pop(name) for name in ("amount", "excluded_from_revenue") if name in changed}
    of = DocumentHeader(key=key, number="N-1", status="Posted", date=date(2026, 1, 31), currency="EUR")
    now = transaction_of(of, BillingItem(id=item, amount=Decimal("10.00")), revision=2)
    return evolve(now, header=evolve(now.header, **header), item=evolve(now.item, **parts), **changed)


def line(**changed: Any) -> Held:
    return Held(transaction(**changed), HeldAs.LINE)


def tombstone(**changed: Any) -> Held:
    return Held(transaction(**changed), HeldAs.TOMBSTONE)


def stored(*, deliveries: int = 1, **changed: Any) -> StoredTransaction:
    return StoredTransaction(transaction(**changed), deliveries)


def only(ours: StoredTransaction | None, theirs: Held | None, period: Period = JANUARY) -> Variance:
    """The one variance of one line."""
    outcome = reconcile(period, () if ours is None else (ours,), () if theirs is None else (theirs,))
    (variance,) = outcome.variances
    return variance


def agree(ours: StoredTransaction | None, theirs: Held | None, period: Period = JANUARY) -> bool:
    return reconcile(period, () if ours is None else (ours,), () if theirs is None else (theirs,)).agrees


VOIDED: dict[str, Any] = {"state": TransactionState.VOIDED}
CASES = [
    # Billing, Revenue, the name, its amounts, what to do
    (stored(), None, VarianceKind.MISSING, "10.00", None, Remedy.RE_SEND),
    (stored(deliveries=0), None, VarianceKind.MISSING, "10.00", None, Remedy.RE_SEND),
    (stored(), line(revision=1, amount=Decimal(8)), VarianceKind.STALE, "10.00", "8", Remedy.RE_SEND),
    (stored(), line(revision=1), VarianceKind.STALE, "10.00", "10.00", Remedy.RE_SEND),
    (stored(), line(amount=Decimal(8)), VarianceKind.ALTERED, "10.00", "8", Remedy.RE_SEND),
    (stored(), line(revenue_type=RevenueType.CM_C), VarianceKind.ALTERED, "10.00", "10.00", Remedy.RE_SEND),
    (stored(), line(**VOIDED), VarianceKind.ALTERED, "10.00", "10.00", Remedy.RE_SEND),
    (stored(), line(revision=3), VarianceKind.NEWER, "10.00", "10.00", Remedy.CATCH_UP),
    (stored(), tombstone(revision=1), VarianceKind.VOIDED_IN_REVENUE, "10.00", None, Remedy.RE_SEND),
    (stored(), tombstone(), VarianceKind.VOIDED_IN_REVENUE, "10.00", None, Remedy.RE_SEND),
    (stored(), tombstone(revision=3), VarianceKind.NEWER, "10.00", None, Remedy.CATCH_UP),
    (stored(**VOIDED), line(revision=1), VarianceKind.STILL_THERE, None, "10.00", Remedy.RE_SEND),
    (stored(excluded_from_revenue=True), line(), VarianceKind.STILL_THERE, None, "10.00", Remedy.RE_SEND),
    (stored(deliveries=0, **VOIDED), line(), VarianceKind.STILL_THERE, None, "10.00", Remedy.CORRECT),
    (stored(**VOIDED), line(revision=3), VarianceKind.STILL_THERE, None, "10.00", Remedy.CATCH_UP),
    (None, line(), VarianceKind.UNKNOWN, None, "10.00", Remedy.CORRECT),
    (None, line(type=DocumentType.CREDIT_MEMO), VarianceKind.UNKNOWN, None, "-10.00", Remedy.CORRECT),
]


class TestEachVariance:
    """RCN-3."""

    @pytest.mark.parametrize(("ours", "theirs", "kind", "here", "there", "remedy"), CASES)
    def test_it_has_its_name_its_amounts_and_its_remedy(
        self,
        ours: StoredTransaction | None,
        theirs: Held | None,
        kind: VarianceKind,
        here: str | None,
        there: str | None,
        remedy: Remedy,
    ) -> None:
        variance = only(ours, theirs)
        assert (variance.kind, variance.remedy) == (kind, remedy)
        assert (variance.stored, variance.held) == (ours, theirs)
        amounts = [None if each is None else Decimal(each) for each in (here, there)]
        assert [variance.billing_amount, variance.revenue_amount] == amounts
        assert variance.transit is (Transit.SENT if ours is not None and ours.deliveries else Transit.NEVER_SENT)
        assert variance.remedy.advice

    @pytest.mark.parametrize(
        ("ours", "theirs"),
        [
            (stored(), line()),
            (stored(deliveries=0), line()),
            (stored(), line(amount=Decimal(10))),
            (stored(**VOIDED), None),
            (stored(excluded_from_revenue=True), None),
            (stored(**VOIDED), tombstone()),
            (stored(**VOIDED), tombstone(revision=1)),
            (stored(**VOIDED), tombstone(revision=9)),
            (None, tombstone()),
        ],
    )
    def test_what_counts_alike_agrees(self, ours: StoredTransaction | None, theirs: Held | None) -> None:
        assert agree(ours, theirs)

    def test_the_same_totals_do_not_hide_two_variances(self) -> None:
        outcome = reconcile(JANUARY, (stored(), stored(item="i2")), (line(item="i2"), line(item="i3")))
        assert outcome.totals[0].difference == Total()
        assert [each.kind for each in outcome.variances] == [VarianceKind.MISSING, VarianceKind.UNKNOWN]
        assert not outcome.agrees


class TestPeriods:
    """RCN-1: a line counts by the document date of the side that has it."""

    def test_a_line_of_nothing_counts_as_a_line(self) -> None:
        """RCN-2: an amount of 0 is an amount; a line that one side doesn't count at all has none."""
        ours, theirs = only(stored(amount=Decimal(0)), None), only(None, line(amount=Decimal(0)))
        assert ours.difference("EUR") == Total(1, Decimal(0))
        assert theirs.difference("EUR") == Total(-1, Decimal(0))
        assert ours.difference("USD") == theirs.difference("USD") == Total()

    def test_a_moved_date_shows_in_both_periods(self) -> None:
        """A data fix moved the invoice to February; Revenue still has it in January."""
        ours, theirs = stored(date=date(2026, 2, 1)), line(revision=1)
        in_january, in_february = only(ours, theirs, JANUARY), only(ours, theirs, FEBRUARY)
        assert (in_january.kind, in_february.kind) == (VarianceKind.STALE, VarianceKind.STALE)
        assert (in_january.billing_amount, in_january.revenue_amount) == (None, Decimal("10.00"))
        assert (in_february.billing_amount, in_february.revenue_amount) == (Decimal("10.00"), None)

    def test_both_ends_belong_to_the_period(self) -> None:
        assert not agree(stored(date=JANUARY.first), None)
        assert not agree(stored(date=JANUARY.last), None)
        assert agree(stored(date=date(2025, 12, 31)), None)
        assert agree(stored(date=FEBRUARY.first), None)

    def test_a_date_that_counts_nowhere_is_no_matter(self) -> None:
        """The tombstone's date is in January, but a tombstone counts nothing there."""
        assert agree(stored(date=FEBRUARY.first), tombstone(revision=1), JANUARY)
        assert only(stored(date=FEBRUARY.first), tombstone(revision=1), FEBRUARY).kind is VarianceKind.VOIDED_IN_REVENUE

    def test_a_period_has_dates_in_their_order(self) -> None:
        with pytest.raises(ValueError, match="ends on 2026-01-01, before it begins on 2026-01-02"):
            Period(date(2026, 1, 2), date(2026, 1, 1))
        with pytest.raises(TypeError, match="last is of type datetime"):
            Period(date(2026, 1, 2), datetime(2026, 1, 3))  # noqa: DTZ001  # what is refused


class TestCurrencies:
    """RCN-2: amounts of unlike currencies never meet."""

    def test_a_changed_currency_is_one_variance_in_two_totals(self) -> None:
        ours, theirs = stored(), line(revision=1, currency="USD")
        outcome = reconcile(JANUARY, (ours,), (theirs,))
        assert outcome.totals == (
            CurrencyTotals("EUR", Total(1, Decimal("10.00")), Total()),
            CurrencyTotals("USD", Total(), Total(1, Decimal("10.00"))),
        )
        (variance,) = outcome.variances
        assert (variance.billing_currency, variance.revenue_currency) == ("EUR", "USD")
        assert variance.difference("EUR") == Total(1, Decimal("10.00"))
        assert variance.difference("USD") == Total(-1, Decimal("-10.00"))
        assert variance.difference("JPY") == Total()

    def test_no_digit_is_rounded_away(self) -> None:
        wide = Decimal("123456789012345678901234567890.000000000000000000000000000001")
        rows = [stored(item=f"i{number:02}", amount=wide) for number in range(10)]
        outcome = reconcile(JANUARY, rows, ())
        expected = Decimal("1234567890123456789012345678900.000000000000000000000000000010")
        assert outcome.totals[0].difference == Total(10, expected)

    def test_a_total_that_cannot_be_exact_is_an_error(self) -> None:
        rows = [stored(item="i1", amount=Decimal("1E+200000")), stored(item="i2", amount=Decimal(1))]
        with pytest.raises(Inexact):
            reconcile(JANUARY, rows, ())


def waiting(now: StoredTransaction, flag: RegenerateFlag = RegenerateFlag.Y, action: str = "line") -> Delivery:
    return Delivery(now.transaction, 1, flag, SendAction(action))


class TestOutbox:
    """What waits in the outbox settles a variance, or doesn't, by REV-1 … REV-3."""

    @pytest.mark.parametrize(
        ("ours", "theirs", "delivery", "transit"),
        [
            (stored(), None, waiting(stored(), RegenerateFlag.N), Transit.ON_ITS_WAY),
            (stored(), None, waiting(stored(revision=1)), Transit.NOT_ENOUGH),
            (stored(), line(revision=1), waiting(stored()), Transit.ON_ITS_WAY),
            (stored(), line(revision=1), waiting(stored(), RegenerateFlag.N), Transit.NOT_ENOUGH),
            (stored(**VOIDED), line(), waiting(stored(), action="void"), Transit.ON_ITS_WAY),
            (stored(**VOIDED), line(revision=3), waiting(stored(), action="void"), Transit.NOT_ENOUGH),
            (stored(), line(revision=1), waiting(stored(item="i2")), Transit.SENT),
        ],
    )
    def test_it_is_foreseen(
        self, ours: StoredTransaction, theirs: Held | None, delivery: Delivery, transit: Transit
    ) -> None:
        before = reconcile(JANUARY, (ours,), () if theirs is None else (theirs,))
        (variance,) = foresee(before, (delivery,)).variances
        assert variance.transit is transit
        assert (variance.remedy is Remedy.DELIVER) is (transit is Transit.ON_ITS_WAY)


class TestMemory:
    """Lines that agree are read and forgotten."""

    @staticmethod
    def lines(count: int) -> Iterator[BillingTransaction]:
        for number in range(count):
            yield transaction(item=f"i{number:06}")

    @staticmethod
    def peak(count: int) -> int:
        ours = (StoredTransaction(each, 1) for each in TestMemory.lines(count))
        theirs = (Held(each, HeldAs.LINE) for each in TestMemory.lines(count))
        tracemalloc.start()
        try:
            assert reconcile(JANUARY, ours, theirs).totals[0].billing.count == count
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    def test_it_does_not_grow_with_the_lines(self) -> None:
        self.peak(10)
        assert self.peak(3_000) < self.peak(300) + 400_000  # kept, they took a million and more
