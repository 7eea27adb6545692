"""What a reconciliation says of itself: its period, exact totals, and our own mistakes told as such (RCN-1, RCN-2)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, Inexact
from typing import Any

import pytest
from attrs import evolve

from regen_core.decision_table import RegenerateFlag, SendAction
from regen_core.documents import BillingItem, DocumentHeader, DocumentKey, DocumentType
from regen_core.reconciliation import MAX_DIGITS, Period, Reconciliation, Total, Variance, foresee, reconcile
from regen_core.revenue import Delivery, Held, HeldAs
from regen_core.transactions import StoredTransaction
from regen_core.variance_rules import Remedy, Transit, VarianceKind
from tests.unit.core.stored_lines import transaction_of

JANUARY = Period(date(2026, 1, 1), date(2026, 1, 31))
KEY = DocumentKey(tenant="t", entity="e", type=DocumentType.INVOICE, id="d1")
HEADER = DocumentHeader(key=KEY, number="N-1", status="Posted", date=date(2026, 1, 31), currency="EUR")
ACTIVE = transaction_of(HEADER, BillingItem(id="i1", amount=Decimal(10)), id="a40b")
MISSING = Variance(
    kind=VarianceKind.MISSING,
    stored=StoredTransaction(ACTIVE, 1),
    held=None,
    billing_amount=Decimal(10),
    revenue_amount=None,
    transit=Transit.SENT,
    remedy=Remedy.RE_SEND,
)


class TestOutcomes:
    """What is told belongs together."""

    def test_it_names_its_period(self) -> None:
        assert reconcile(JANUARY, [], []) == Reconciliation(JANUARY, (), ())
        assert reconcile(JANUARY, [StoredTransaction(ACTIVE, 1)], []).variances == (MISSING,)

    def test_a_variance_is_about_billings_transaction_or_revenues_copy(self) -> None:
        copy = evolve(ACTIVE, revision=2)
        assert MISSING.transaction is ACTIVE
        assert evolve(MISSING, held=Held(copy, HeldAs.LINE)).transaction is ACTIVE
        assert evolve(MISSING, stored=None, held=Held(copy, HeldAs.LINE)).transaction is copy


class TestTotals:
    """RCN-2: exact, or an error; never rounded."""

    def test_as_many_digits_as_are_promised(self) -> None:
        wide = Total(1, Decimal(1).scaleb(MAX_DIGITS - 1))
        assert MAX_DIGITS == 100_000
        assert wide.plus(Total(1, Decimal(1))).less(wide) == Total(1, Decimal(1))

    def test_one_digit_more_is_an_error(self) -> None:
        wide = Total(1, Decimal(1).scaleb(MAX_DIGITS))
        with pytest.raises(Inexact):
            wide.plus(Total(1, Decimal(1)))
        with pytest.raises(Inexact):
            wide.less(Total(1, Decimal(-1)))

    def test_nothing_is_no_line_and_no_amount(self) -> None:
        assert Total() == Total(0, Decimal(0))


class TestOurOwnMistakes:
    """Values that no comparison makes are told, not reckoned with."""

    def test_a_variance_of_no_side(self) -> None:
        with pytest.raises(AssertionError, match=r"^a variance has at least one side$"):
            _ = evolve(MISSING, stored=None).transaction

    def test_a_variance_of_sides_that_agree(self) -> None:
        agreeing = evolve(MISSING, held=Held(ACTIVE, HeldAs.LINE))
        again = Delivery(ACTIVE, 1, RegenerateFlag.Y, SendAction.LINE)
        with pytest.raises(AssertionError, match=r"^a variance has a rule$"):
            foresee(Reconciliation(JANUARY, (), (agreeing,)), [again])

    @pytest.mark.parametrize("side", ["first", "last"])
    def test_a_period_of_no_dates(self, side: str) -> None:
        days: dict[str, Any] = {"first": JANUARY.first, "last": JANUARY.last, side: 7}
        with pytest.raises(TypeError, match=f"^{side} is of type int; a period has dates without a time of day$"):
            Period(**days)
