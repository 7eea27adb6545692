"""Reconciliation: Billing's stored transactions against what Revenue holds, for one accounting period (RCN-1 … RCN-6).

Owns when a line counts, and the totals. How the two sides meet stands in ``pairing``, what a disagreement is called in
``variance_rules``. Source: *Order to Revenue Reconciliation*, which tells what is compared and by which filters. Where
it is silent, interpretation:

- RCN-4: a line counts in a period by its document date **on the side that has it**. Where a data fix moved the date and
  Revenue still has the old one, the variance shows in the old period and in the new one, each time with the amount of
  the side that counts there. So adjoining periods add up to the whole, and no variance falls between them.
- RCN-1: a line counts where it is live: at Billing active and not excluded, at Revenue a line and no tombstone.
- RCN-2: unlike currencies never meet. Where the two sides differ in currency, the variance adds to one currency on
  Billing's side and to the other on Revenue's.

It reads each side once, in order, and remembers totals and variances only. It knows no store and no scope: what a
caller may not see (ACC-4) is missing from both sides.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, Inexact, InvalidOperation, Overflow
from typing import Final

from attrs import Attribute, evolve, field, frozen

from regen_core.pairing import Side, paired
from regen_core.revenue import Delivery, Held, HeldAs, RevenueLedger, collect_all
from regen_core.transactions import BillingTransaction, StoredTransaction
from regen_core.variance_rules import (
    VARIANCE_RULES,
    AtBilling,
    AtRevenue,
    Remedy,
    Transit,
    VarianceKind,
    VarianceRule,
)

__all__ = [
    "CurrencyTotals",
    "MAX_DIGITS",
    "Period",
    "Reconciliation",
    "Total",
    "Variance",
    "foresee",
    "reconcile",
    "reconcile_parts",
]

MAX_DIGITS: Final = 100_000
"""Most digits of a total: far beyond any money, few enough to compute with. A total that needs more is an error."""

_EXACT: Final = Context(prec=MAX_DIGITS, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[Inexact, InvalidOperation, Overflow])
_ZERO: Final = Decimal(0)


@frozen
class Period:
    """An accounting period: the document dates from ``first`` to ``last``, both included (RCN-1).

    Raises ``TypeError`` for a moment in the place of a date, ``ValueError`` where the last day is before the first.

    >>> Period(date(2026, 1, 1), date(2026, 1, 31)).covers(date(2026, 1, 31))
    True
    """

    first: date = field()
    last: date = field()

    @first.validator
    @last.validator
    def _a_date(self, attribute: Attribute[date], value: object) -> None:
        if not isinstance(value, date) or isinstance(value, datetime):
            raise TypeError(
                f"{attribute.name} is of type {type(value).__name__}; a period has dates without a time of day"
            )

    def __attrs_post_init__(self) -> None:
        if self.last < self.first:
            raise ValueError(f"the period ends on {self.last}, before it begins on {self.first}; exchange the two")

    def covers(self, day: date) -> bool:
        """Whether a document date belongs to the period."""
        return self.first <= day <= self.last


@frozen(kw_only=True)
class Variance:
    """One line on which the sides disagree, and what it adds to the totals of the period.

    Fields: ``stored`` is Billing's transaction, ``None`` for a line that is unknown to Billing; ``held`` is what
    Revenue holds, ``None`` for nothing; ``billing_amount`` and ``revenue_amount`` are signed for revenue (MAP-A), each
    in its own side's currency, and ``None`` where that side counts nothing in this period; ``transit`` tells how far
    Billing's word has come; ``remedy`` what to do next.
    """

    kind: VarianceKind
    stored: StoredTransaction | None
    held: Held | None
    billing_amount: Decimal | None
    revenue_amount: Decimal | None
    transit: Transit
    remedy: Remedy

    @property
    def transaction(self) -> BillingTransaction:
        """The transaction that the variance is about: Billing's, or Revenue's copy where Billing has none."""
        if self.stored is not None:
            return self.stored.transaction
        assert self.held is not None, "a variance has at least one side"
        return self.held.transaction

    @property
    def billing_currency(self) -> str | None:
        """The currency of ``billing_amount``; ``None`` where Billing counts nothing."""
        return None if self.stored is None or self.billing_amount is None else self.stored.transaction.header.currency

    @property
    def revenue_currency(self) -> str | None:
        """The currency of ``revenue_amount``; ``None`` where Revenue counts nothing."""
        return None if self.held is None or self.revenue_amount is None else self.held.transaction.header.currency

    def difference(self, currency: str) -> Total:
        """What the variance adds to Billing less Revenue in a currency; count and amount 0 in any other (RCN-2)."""
        here = Total() if self.billing_currency != currency else Total(1, self.billing_amount or _ZERO)
        there = Total() if self.revenue_currency != currency else Total(1, self.revenue_amount or _ZERO)
        return here.less(there)


@frozen
class Total:
    """How many lines, and their amount signed for revenue (MAP-A); of a difference either may be negative."""

    count: int = 0
    amount: Decimal = _ZERO

    def plus(self, other: Total) -> Total:
        """Both together, exactly. Raises ``decimal.Inexact`` beyond :data:`MAX_DIGITS`."""
        return Total(self.count + other.count, _EXACT.add(self.amount, other.amount))

    def less(self, other: Total) -> Total:
        """This without the other, exactly. Raises ``decimal.Inexact`` beyond :data:`MAX_DIGITS`."""
        return Total(self.count - other.count, _EXACT.subtract(self.amount, other.amount))


@frozen
class CurrencyTotals:
    """The live lines of one currency on both sides (RCN-2).

    >>> CurrencyTotals("EUR", Total(2, Decimal("30.00")), Total(1, Decimal("10.00"))).difference
    Total(count=1, amount=Decimal('20.00'))
    """

    currency: str
    billing: Total
    revenue: Total

    @property
    def difference(self) -> Total:
        """Billing less Revenue: the sum of what the variances add in this currency."""
        return self.billing.less(self.revenue)


@frozen
class Reconciliation:
    """The outcome: totals by currency in alphabetical order, and variances in the order of their lines.

    For every currency Billing's total less Revenue's is the sum of the variances' differences, in count and in amount.
    """

    period: Period
    totals: tuple[CurrencyTotals, ...]
    variances: tuple[Variance, ...]

    @property
    def agrees(self) -> bool:
        """Whether there is no variance. Totals can agree although lines don't; the other way round is impossible."""
        return not self.variances


_NOTHING: Final = Total()
_Tally = dict[str, Total]


def reconcile(period: Period, stored: Side[StoredTransaction], held: Side[Held]) -> Reconciliation:
    """Compare Billing's transactions with what Revenue holds, for the document dates of a period (RCN-1 … RCN-3).

    Both sides come in strictly ascending order of tenant, entity, document type (its value), document id, item id and
    transaction id, which is how a store lists them within one tenant and entity; ``ValueError`` tells where they don't.
    Give all lines, or those of every document of which either side has a line in the period: a line's partner may be
    dated elsewhere.

    >>> from regen_core.documents import BillingItem, DocumentHeader, DocumentKey, DocumentType
    >>> from regen_core.transactions import RevenueType, TransactionState
    >>> key = DocumentKey(tenant="t", entity="e", type=DocumentType.INVOICE, id="8ad08d29")
    >>> header = DocumentHeader(key=key, number="INV-1", status="Posted", date=date(2026, 1, 31), currency="EUR")
    >>> now = BillingTransaction("a40b", header, BillingItem(id="i1", amount=Decimal(10)), RevenueType.INV, False, 1,
    ...                          TransactionState.ACTIVE, None, None)
    >>> outcome = reconcile(Period(date(2026, 1, 1), date(2026, 1, 31)), [StoredTransaction(now, deliveries=1)], [])
    >>> [(each.kind.value, each.transit.value, each.remedy.value) for each in outcome.variances]
    [('missing in Revenue', 'sent', 're-send')]
    >>> outcome.totals[0].difference
    Total(count=1, amount=Decimal('10'))
    """
    return reconcile_parts(period, [(stored, held)])


def reconcile_parts(period: Period, parts: Iterable[tuple[Side[StoredTransaction], Side[Held]]]) -> Reconciliation:
    """The same where both sides come part by part: what they have of some documents, then of documents behind these.

    A part isn't looked at again, so one at a time need be there. Raises ``ValueError`` for a part that isn't behind the
    one before.
    """
    billing, revenue, variances = _Tally(), _Tally(), list[Variance]()
    for ours, theirs in paired(parts):
        here = None if ours is None else _counted(period, ours.transaction, ours.transaction.is_live)
        there = None if theirs is None else _counted(period, theirs.transaction, theirs.kind is HeldAs.LINE)
        _add(billing, here)
        _add(revenue, there)
        rule = None if here is None and there is None else _rule_of(ours, theirs)
        if rule is not None:
            variances.append(_variance(rule, ours, theirs, here, there))
    currencies = sorted({*billing, *revenue})
    totals = [CurrencyTotals(each, billing.get(each, _NOTHING), revenue.get(each, _NOTHING)) for each in currencies]
    return Reconciliation(period, tuple(totals), tuple(variances))


def foresee(outcome: Reconciliation, waiting: Iterable[Delivery]) -> Reconciliation:
    """The same outcome, told which variances the outbox would settle; ``waiting`` are its deliveries, in any order.

    Whether it would is what the rules of collecting say of the deliveries of that very line (REV-1 … REV-4).
    Remembers only deliveries of lines with a variance.
    """
    deliveries: dict[str, list[Delivery]] = {each.transaction.id: [] for each in outcome.variances}
    for delivery in waiting:
        if delivery.transaction.id in deliveries:
            deliveries[delivery.transaction.id].append(delivery)
    told = [_foreseen(each, tuple(deliveries[each.transaction.id])) for each in outcome.variances]
    return evolve(outcome, variances=tuple(told))


def _foreseen(variance: Variance, waiting: tuple[Delivery, ...]) -> Variance:
    if not waiting:
        return variance
    ledger, key = RevenueLedger(), variance.transaction.id
    if variance.held is not None:
        ledger = RevenueLedger(ledger.held.put(key, variance.held))
    is_settled = _rule_of(variance.stored, collect_all(ledger, waiting).held.get(key)) is None
    rule = _rule_of(variance.stored, variance.held)
    assert rule is not None, "a variance has a rule"
    transit = Transit.ON_ITS_WAY if is_settled else Transit.NOT_ENOUGH
    return evolve(variance, transit=transit, remedy=rule.remedies[transit])


def _rule_of(stored: StoredTransaction | None, held: Held | None) -> VarianceRule | None:
    return VARIANCE_RULES[_at_billing(stored), _at_revenue(stored, held)]


def _at_billing(stored: StoredTransaction | None) -> AtBilling:
    if stored is None:
        return AtBilling.NOT_STORED
    return AtBilling.LIVE if stored.transaction.is_live else AtBilling.NOT_LIVE


_LINES: Final = (AtRevenue.LINE_OLDER, AtRevenue.LINE_SAME, AtRevenue.LINE_NEWER)
_TOMBSTONES: Final = (AtRevenue.TOMBSTONE_OLDER, AtRevenue.TOMBSTONE_SAME, AtRevenue.TOMBSTONE_NEWER)
_HELD: Final = {HeldAs.LINE: _LINES, HeldAs.TOMBSTONE: _TOMBSTONES}
"""What is held, by its kind and by whether its revision is older, the same or newer."""


def _at_revenue(stored: StoredTransaction | None, held: Held | None) -> AtRevenue:
    if held is None:
        return AtRevenue.NOTHING
    if stored is None:
        return _HELD[held.kind][-1]
    ours, theirs = stored.transaction, held.transaction
    at = _HELD[held.kind][1 + (theirs.revision > ours.revision) - (theirs.revision < ours.revision)]
    is_altered = at is AtRevenue.LINE_SAME and (ours.content, ours.state) != (theirs.content, theirs.state)
    return AtRevenue.LINE_ALTERED if is_altered else at


def _variance(
    rule: VarianceRule,
    ours: StoredTransaction | None,
    theirs: Held | None,
    here: BillingTransaction | None,
    there: BillingTransaction | None,
) -> Variance:
    transit = Transit.SENT if ours is not None and ours.deliveries else Transit.NEVER_SENT
    return Variance(
        kind=rule.kind,
        stored=ours,
        held=theirs,
        billing_amount=None if here is None else here.amount,
        revenue_amount=None if there is None else there.amount,
        transit=transit,
        remedy=rule.remedies[transit],
    )


def _counted(period: Period, transaction: BillingTransaction, is_live: bool) -> BillingTransaction | None:
    """The transaction if it counts in the period (RCN-1)."""
    return transaction if is_live and period.covers(transaction.header.date) else None


def _add(tally: _Tally, counted: BillingTransaction | None) -> None:
    if counted is not None:
        currency = counted.header.currency
        tally[currency] = tally.get(currency, _NOTHING).plus(Total(1, counted.amount))
