"""MAP: the revenue transaction type and standalone, row by row, against a second statement and against the model."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from regen_core.documents import (
    AdjustmentKind,
    BillingDocument,
    BillingItem,
    DocumentHeader,
    DocumentKey,
    DocumentType,
    ItemSource,
    OrderLineCategory,
    ProcessingType,
)
from regen_core.refusals import UnmappableItem
from regen_core.regeneration import Regeneration, decide
from regen_core.request import RegenerateRequest
from regen_core.rules import RULES
from regen_core.testing import strategies as some
from regen_core.testing.model import mapping_of as naive_mapping_of
from regen_core.testing.model import signed
from regen_core.testing.translation import plain_document, plain_item
from regen_core.transactions import NO_TRANSACTIONS, RevenueType, billed_amount
from regen_core.type_mapping import (
    CONDITION_WORDS,
    MAPPING_ROWS,
    Condition,
    assumptions_of,
    map_item,
    mapping_of,
    unmapped_because,
)

I, C, D = DocumentType.INVOICE, DocumentType.CREDIT_MEMO, DocumentType.DEBIT_MEMO  # noqa: E741  # as in the table
A = DocumentType.INVOICE_ITEM_ADJUSTMENT
SUBSCRIPTION, STANDALONE, ORDER_LINE = ItemSource.SUBSCRIPTION, ItemSource.STANDALONE, ItemSource.ORDER_LINE_ITEM
INVOICE, CHARGE, MEMO = ItemSource.INVOICE, ItemSource.PRODUCT_RATE_PLAN_CHARGE, ItemSource.CREDIT_MEMO
SALES, RETURN = OrderLineCategory.SALES, OrderLineCategory.RETURN


def header(kind: DocumentType, **facts: Any) -> DocumentHeader:
    key = DocumentKey(tenant="t1", entity="e1", type=kind, id="d1")
    status = "Processed" if kind is A else "Posted"
    return DocumentHeader(key=key, number="N-1", status=status, date=date(2026, 1, 31), currency="EUR", **facts)


def item(source: ItemSource | None = SUBSCRIPTION, amount: int = 10, **facts: Any) -> BillingItem:
    return BillingItem(id="i1", amount=Decimal(amount), source=source, **facts)


BY_HAND = [
    ("MAP-1", header(I), item(None, booking_excluded=True), "INV", True),
    ("MAP-1", header(C), item(MEMO, account_level_discount=True), "INV", True),
    ("MAP-1", header(I), item(booking_excluded=True, calculated_charge_model=True, charge_deleted=True), "INV", True),
    ("MAP-2", header(I), item(ORDER_LINE, calculated_charge_model=True, charge_deleted=True), "INV", True),
    ("MAP-2", header(C), item(SUBSCRIPTION, calculated_charge_model=True), "INV", True),
    ("MAP-3", header(I), item(SUBSCRIPTION, -10, charge_deleted=True), "INV", True),
    ("MAP-3", header(C), item(INVOICE, charge_deleted=True), "INV", True),
    ("MAP-4", header(I), item(SUBSCRIPTION), "INV", False),
    ("MAP-5", header(I), item(SUBSCRIPTION, -10), "CM-C", False),
    ("MAP-6", header(I), item(STANDALONE, -10), "INV", True),
    ("MAP-7", header(I), item(ORDER_LINE, order_line_category=SALES), "INV", False),
    ("MAP-8", header(C), item(SUBSCRIPTION, 10, booking_amount=Decimal(-3)), "INV", False),
    ("MAP-9", header(C), item(SUBSCRIPTION, 10), "CM-C", False),
    ("MAP-10", header(C, reason_code="Invoice reversal"), item(INVOICE), "CM-C", False),
    ("MAP-10", header(C, from_reversal=True), item(INVOICE), "CM-C", False),
    ("MAP-11", header(C), item(INVOICE), "INV", True),
    ("MAP-11", header(C, from_reversal=False, reason_code="Invoice reversal"), item(INVOICE), "INV", True),
    ("MAP-11", header(C, reason_code="Credit memo reversal"), item(INVOICE), "INV", True),
    ("MAP-12", header(C), item(CHARGE), "INV", True),
    ("MAP-13", header(C), item(ORDER_LINE, order_line_category=RETURN), "CM-RO", False),
    ("MAP-14", header(D, reason_code="Credit memo reversal"), item(None), "CM-C", False),
    ("MAP-14", header(D, from_reversal=True), item(MEMO, booking_excluded=True), "CM-C", False),
    ("MAP-15", header(D), item(None), "INV", True),
    ("MAP-15", header(D, reason_code="Invoice reversal"), item(MEMO), "INV", True),
    ("MAP-16", header(A), item(None, adjustment_kind=AdjustmentKind.CREDIT), "INV", True),
    ("MAP-16", header(A, from_reversal=True), item(INVOICE, adjustment_kind=AdjustmentKind.CHARGE), "INV", True),
]

UNMAPPED = [
    (header(I), item(None), "source"),
    (header(I), item(ORDER_LINE), "orderLineItemCategory"),
    (header(I), item(ORDER_LINE, order_line_category=RETURN), "Return"),
    (header(I), item(INVOICE), "invoice"),
    (header(I), item(CHARGE), "product rate plan charge"),
    (header(I), item(MEMO), "credit memo"),
    (header(C), item(None), "CreditMemo"),
    (header(C), item(STANDALONE), "standalone"),
    (header(C), item(ORDER_LINE, order_line_category=SALES), "Sales"),
    (header(C), item(ORDER_LINE), "orderLineItemCategory"),
    (header(C), item(MEMO), "credit memo"),
]


@st.composite
def headed_items(draw: st.DrawFn) -> tuple[DocumentHeader, BillingItem]:
    given_header = draw(some.headers())
    return given_header, draw(some.items(type=given_header.key.type))


class TestRows:
    """MAP-1 … MAP-16: top down, the first row that covers the item."""

    @pytest.mark.parametrize(("rule_id", "head", "line", "kind", "standalone"), BY_HAND)
    def test_the_row_is(
        self, rule_id: str, head: DocumentHeader, line: BillingItem, kind: str, standalone: bool
    ) -> None:
        row = map_item(head, line)
        assert row is not None
        assert (row.id, row.revenue_type, row.standalone) == (rule_id, RevenueType(kind), standalone)

    def test_every_row_has_its_case_above_and_its_rule(self) -> None:
        assert {row.id for row in MAPPING_ROWS} == {case[0] for case in BY_HAND}
        assert [row.id for row in MAPPING_ROWS] == [f"MAP-{number}" for number in range(1, 17)]
        assert {row.id for row in MAPPING_ROWS} <= set(RULES)
        assert set(CONDITION_WORDS) == set(Condition)

    @given(headed_items())
    def test_the_naive_model_maps_the_same(self, given_item: tuple[DocumentHeader, BillingItem]) -> None:
        head, line = given_item
        row = map_item(head, line)
        plain = plain_document(BillingDocument(head, ())) if head.key.type is not A else {"type": A.value}
        expected = naive_mapping_of(plain, plain_item(line))
        assert (None if row is None else (row.revenue_type.value, row.standalone)) == expected

    @given(headed_items())
    def test_one_header_serves_all_its_items(self, given_item: tuple[DocumentHeader, BillingItem]) -> None:
        head, line = given_item
        assert mapping_of(head)(line) is map_item(head, line)

    @given(headed_items())
    def test_a_credit_memo_is_standalone_where_its_row_says_so(
        self, given_item: tuple[DocumentHeader, BillingItem]
    ) -> None:
        """MAP-D."""
        head, line = given_item
        row = map_item(head, line)
        if head.key.type is C and row is not None:
            assert row.standalone is (row.id in {"MAP-1", "MAP-2", "MAP-3", "MAP-11", "MAP-12"})


class TestAmounts:
    """MAP-A: amounts have the sign that revenue gives them."""

    @given(some.amounts(), st.sampled_from(DocumentType), st.sampled_from(AdjustmentKind))
    def test_credits_are_negated_and_nothing_else(
        self, amount: Decimal, kind: DocumentType, adjustment: AdjustmentKind
    ) -> None:
        line = BillingItem(id="i1", amount=amount, adjustment_kind=adjustment if kind is A else None)
        negated = kind is C or (kind is A and adjustment is AdjustmentKind.CREDIT)
        assert billed_amount(kind, line) == (-amount if negated else amount)
        assert billed_amount(kind, line) == signed({"type": kind.value}, plain_item(line))

    @given(some.amounts())
    def test_no_digit_is_lost(self, amount: Decimal) -> None:
        told = billed_amount(C, BillingItem(id="i1", amount=amount))
        assert told.as_tuple().digits == amount.as_tuple().digits
        assert told.as_tuple().exponent == amount.as_tuple().exponent


class TestSigns:
    """MAP-S: zero has no sign; an untold booking amount is positive, a discount's negative, and the plan shows it."""

    @given(st.sampled_from([I, C]), some.amounts())
    def test_zero_never_differs(self, kind: DocumentType, booked: Decimal) -> None:
        row = map_item(header(kind), item(amount=0, booking_amount=booked))
        assert row is not None
        assert row.revenue_type is RevenueType.INV
        row = map_item(header(kind), item(amount=-7, booking_amount=Decimal(0)))
        assert row is not None
        assert row.revenue_type is RevenueType.INV

    @given(some.amounts(), st.booleans())
    def test_an_untold_booking_counts_as_positive_or_for_a_discount_negative(
        self, amount: Decimal, discount: bool
    ) -> None:
        kind = ProcessingType.DISCOUNT if discount else ProcessingType.CHARGE
        untold = BillingItem(id="i1", amount=amount, source=SUBSCRIPTION, processing_type=kind)
        told = evolve(untold, booking_amount=Decimal(-1 if discount else 1))
        for document in (I, C):
            assert map_item(header(document), untold) is map_item(header(document), told)

    @pytest.mark.parametrize(
        ("processing", "value"),
        [(ProcessingType.CHARGE, "positive"), (ProcessingType.DISCOUNT, "negative, a discount")],
    )
    def test_the_assumption_is_shown(self, processing: ProcessingType, value: str) -> None:
        shown = {each.fact: each for each in assumptions_of(header(I), item(processing_type=processing))}
        assert shown["sign of the booking amount"].value == value
        assert shown["sign of the booking amount"].rule_id == "MAP-S"

    def test_what_was_told_is_not_assumed(self) -> None:
        told = item(
            booking_amount=Decimal(1),
            booking_excluded=False,
            account_level_discount=False,
            calculated_charge_model=False,
            charge_deleted=False,
        )
        assert assumptions_of(header(I), told) == ()


class TestReversals:
    """MAP-R: told, else by Zuora's default reason code of that very type, else not; the plan shows which."""

    @given(some.headers())
    def test_told_wins(self, head: DocumentHeader) -> None:
        line = item(INVOICE, adjustment_kind=None)
        if head.key.type is D:
            row = map_item(head, line)
            assert row is not None
            by_reason = head.reason_code == "Credit memo reversal"
            is_reversal = by_reason if head.from_reversal is None else head.from_reversal
            assert row.id == ("MAP-14" if is_reversal else "MAP-15")

    @pytest.mark.parametrize(
        ("reason", "value"),
        [
            ("Credit memo reversal", "yes, by the reason code 'Credit memo reversal'"),
            ("Invoice reversal", "no"),
            (None, "no"),
        ],
    )
    def test_the_assumption_is_shown(self, reason: str | None, value: str) -> None:
        shown = {each.fact: each for each in assumptions_of(header(D, reason_code=reason), item(None))}
        assert (shown["from a reversal"].value, shown["from a reversal"].rule_id) == (value, "MAP-R")

    def test_an_adjustment_asks_nothing(self) -> None:
        assert assumptions_of(header(A), item(None, adjustment_kind=AdjustmentKind.CREDIT)) == ()


class TestAssumptions:
    """FCT-1 … FCT-4: what is not told counts as not so, and the plan shows what was asked and not told."""

    @given(st.sampled_from([I, C]), st.sampled_from([SUBSCRIPTION, INVOICE, CHARGE, STANDALONE]))
    def test_untold_is_as_no(self, kind: DocumentType, source: ItemSource) -> None:
        untold = item(source)
        told = item(
            source,
            booking_excluded=False,
            account_level_discount=False,
            calculated_charge_model=False,
            charge_deleted=False,
        )
        assert map_item(header(kind), untold) is map_item(header(kind), told)
        assert {each.rule_id for each in assumptions_of(header(kind), untold)} >= {"FCT-1", "FCT-2", "FCT-3", "FCT-4"}

    @given(headed_items())
    def test_every_assumption_cites_a_rule(self, given_item: tuple[DocumentHeader, BillingItem]) -> None:
        shown = assumptions_of(*given_item)
        assert {each.rule_id for each in shown} <= set(RULES)
        assert len({each.fact for each in shown}) == len(shown)

    def test_a_row_above_hides_what_is_asked_below(self) -> None:
        shown = {each.rule_id for each in assumptions_of(header(I), item(booking_excluded=True))}
        assert shown == {"FCT-2"}


class TestUnmappable:
    """MAP-U: refused with every such item and what was missing, and only for what is to be written."""

    @pytest.mark.parametrize(("head", "line", "because"), UNMAPPED)
    def test_no_row_covers_it_and_the_refusal_says_what(
        self, head: DocumentHeader, line: BillingItem, because: str
    ) -> None:
        assert map_item(head, line) is None
        assert because in unmapped_because(head, line)

    @given(data=st.data(), re_migrate=st.booleans())
    def test_all_such_items_are_listed_in_document_order(self, data: st.DataObject, re_migrate: bool) -> None:
        kind = data.draw(st.sampled_from([I, C]))
        document = data.draw(some.documents(type=kind, mappable=None, min_items=1))
        request = RegenerateRequest(type=kind, id=document.id, re_migrate=re_migrate)
        expected = [each.id for each in document.revenue_items if map_item(document.header, each) is None]
        done = decide(document, NO_TRANSACTIONS, request)
        if expected:
            assert isinstance(done, UnmappableItem)
            assert [each.item_id for each in done.items] == expected
            assert all(each.because for each in done.items)
            assert all(each in done.message for each in expected)
        else:
            assert isinstance(done, Regeneration)

    @given(data=st.data())
    def test_a_resend_maps_nothing(self, data: st.DataObject) -> None:
        kind = data.draw(st.sampled_from([I, C]))
        document = data.draw(some.documents(type=kind, mappable=False, tax=False, min_items=1))
        stored = data.draw(some.stored_transactions(document=document, complete=True, deliveries=1))
        request = RegenerateRequest(type=kind, id=document.id, only_re_send=True)
        assert isinstance(decide(document, stored, request), Regeneration)

    @given(data=st.data())
    def test_generate_maps_only_what_is_not_stored(self, data: st.DataObject) -> None:
        kind = data.draw(st.sampled_from([I, C]))
        document = data.draw(some.documents(type=kind, mappable=False, tax=False, min_items=1))
        stored = data.draw(some.stored_transactions(document=document, complete=True))
        assert isinstance(decide(document, stored, RegenerateRequest(type=kind, id=document.id)), Regeneration)
        remigrate = RegenerateRequest(type=kind, id=document.id, re_migrate=True)
        assert isinstance(decide(document, stored, remigrate), UnmappableItem)

    @given(data=st.data())
    def test_tax_and_excluded_items(self, data: st.DataObject) -> None:
        """A tax line needs no mapping (TAX-1); an excluded item does, since it is written."""
        tax = data.draw(some.documents(type=I, mappable=False, tax=True))
        assert isinstance(decide(tax, NO_TRANSACTIONS, RegenerateRequest(type=I, id=tax.id)), Regeneration)
        kept_out = data.draw(some.documents(type=I, mappable=False, tax=False, excluded=True, min_items=1))
        assert isinstance(decide(kept_out, NO_TRANSACTIONS, RegenerateRequest(type=I, id=kept_out.id)), UnmappableItem)
