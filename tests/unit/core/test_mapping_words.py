"""MAP-U, MAP-S, MAP-R and FCT-1 … FCT-4 in their words: what was assumed, in which order, and why nothing was found."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve

from regen_core.documents import (
    Assumption,
    BillingItem,
    DocumentHeader,
    DocumentKey,
    DocumentType,
    ItemSource,
    OrderLineCategory,
    ProcessingType,
)
from regen_core.type_mapping import Condition, assumptions_of, map_item, unmapped_because

I, C, D = DocumentType.INVOICE, DocumentType.CREDIT_MEMO, DocumentType.DEBIT_MEMO  # noqa: E741  # as in the table
SUBSCRIPTION, INVOICE, STANDALONE = ItemSource.SUBSCRIPTION, ItemSource.INVOICE, ItemSource.STANDALONE

EXCLUDED = Assumption("booking excluded", "no", "FCT-1")
DISCOUNT = Assumption("account-level discount", "no", "FCT-2")
CALCULATED = Assumption("calculated charge model", "no", "FCT-3")
DELETED = Assumption("subscription or charge deleted", "no", "FCT-4")
POSITIVE = Assumption("sign of the booking amount", "positive", "MAP-S")
NEGATIVE = Assumption("sign of the booking amount", "negative, a discount", "MAP-S")
NO_REVERSAL = Assumption("from a reversal", "no", "MAP-R")
A_REVERSAL = Assumption("from a reversal", "yes, by the reason code 'Invoice reversal'", "MAP-R")
FACTS = (EXCLUDED, DISCOUNT, CALCULATED, DELETED)


def header(kind: DocumentType, **facts: Any) -> DocumentHeader:
    key = DocumentKey(tenant="t1", entity="e1", type=kind, id="d1")
    return DocumentHeader(key=key, number="N-1", status="Posted", date=date(2026, 1, 31), currency="EUR", **facts)


def item(source: ItemSource | None = SUBSCRIPTION, amount: str = "10", **facts: Any) -> BillingItem:
    return BillingItem(id="i1", amount=Decimal(amount), source=source, **facts)


@pytest.mark.parametrize(
    ("head", "line", "assumed"),
    [
        (header(I), item(), (*FACTS, POSITIVE)),
        (header(I), item(amount="-10"), (*FACTS, POSITIVE)),
        (header(C), item(processing_type=ProcessingType.DISCOUNT), (*FACTS, NEGATIVE)),
        (header(I), item(STANDALONE), FACTS),
        (header(I), item(None), FACTS),
        (header(C), item(INVOICE), (*FACTS, NO_REVERSAL)),
        (header(C, reason_code="Invoice reversal"), item(INVOICE), (*FACTS, A_REVERSAL)),
        (header(C, reason_code="Credit memo reversal"), item(INVOICE), (*FACTS, NO_REVERSAL)),
        (header(C, from_reversal=False), item(INVOICE), FACTS),
        (header(D), item(None), (NO_REVERSAL,)),
        (header(I), item(booking_excluded=True), (DISCOUNT,)),
        (header(I), item(account_level_discount=True), (EXCLUDED,)),
        (header(I), item(booking_excluded=False, calculated_charge_model=True), (DISCOUNT,)),
        (header(I), item(account_level_discount=False, charge_deleted=True), (EXCLUDED, CALCULATED)),
    ],
)
def test_what_was_assumed_on_the_way_to_the_row(
    head: DocumentHeader, line: BillingItem, assumed: tuple[Assumption, ...]
) -> None:
    """In the order in which the rows ask; a row below the one that was found asks nothing."""
    assert assumptions_of(head, line) == assumed


def test_what_was_assumed_when_the_document_was_read_comes_first() -> None:
    """The rows' own assumption about a fact stands in the place of the one that was made before."""
    of_header = Assumption("organisation", "none", "FCT-11")
    of_item, stale = Assumption("excluded from revenue", "no", "FCT-6"), Assumption("booking excluded", "yes", "FCT-6")
    head = header(D, from_reversal=True, assumed=(of_header,))
    assert assumptions_of(head, item(None, assumed=(of_item, stale))) == (of_header, of_item, stale)
    told = assumptions_of(header(I, assumed=(of_header,)), item(STANDALONE, assumed=(stale, of_item)))
    assert told == (of_header, EXCLUDED, of_item, DISCOUNT, CALCULATED, DELETED)


@pytest.mark.parametrize(
    ("head", "line", "because"),
    [
        (header(I), item(None), "where the Invoice item comes from is not told; give 'source' in its companion fields"),
        (
            header(C),
            item(ItemSource.ORDER_LINE_ITEM),
            "the category of the order line item is not told; give 'orderLineItemCategory' (Sales or Return)",
        ),
        (
            header(C),
            item(ItemSource.ORDER_LINE_ITEM, order_line_category=OrderLineCategory.SALES),
            "no row maps an order line item of category Sales on a document of type CreditMemo",
        ),
        (
            header(C),
            item(STANDALONE),
            "no row maps a document of type CreditMemo with an item whose source is: standalone",
        ),
    ],
)
def test_why_no_row_was_found(head: DocumentHeader, line: BillingItem, because: str) -> None:
    assert map_item(head, line) is None
    assert unmapped_because(head, line) == because


@pytest.mark.parametrize(
    ("billed", "booked", "row"),
    [
        ("0.5", "0.5", "MAP-4"),
        ("0.5", "-0.5", "MAP-5"),
        ("-0.5", "0.5", "MAP-5"),
        ("-0.5", "-0.5", "MAP-4"),
        ("0.00", "-1", "MAP-4"),
        ("-1", "0.00", "MAP-4"),
        ("-0.5", None, "MAP-5"),
        ("0.5", None, "MAP-4"),
    ],
)
def test_signs_of_less_than_one(billed: str, booked: str | None, row: str) -> None:
    """MAP-S: a sign is a sign, however little it is about."""
    line = item(amount=billed, booking_amount=None if booked is None else Decimal(booked))
    found = map_item(header(I), line)
    assert found is not None
    assert found.id == row


def test_a_fact_hides_no_other() -> None:
    """An item has all of its facts at once; which row is found is for the order of the rows."""
    line = item(
        ItemSource.ORDER_LINE_ITEM,
        order_line_category=OrderLineCategory.SALES,
        booking_excluded=True,
        calculated_charge_model=True,
        charge_deleted=True,
    )
    for fact, row in (("booking_excluded", "MAP-1"), ("calculated_charge_model", "MAP-2"), ("charge_deleted", "MAP-3")):
        found = map_item(header(I), line)
        assert found is not None
        assert found.id == row
        untrue: dict[str, Any] = {fact: False}
        line = evolve(line, **untrue)
    found = map_item(header(I), line)
    assert found is not None
    assert found.id == "MAP-7"


def test_no_two_conditions_share_a_bit() -> None:
    assert [each.bit_count() for each in Condition] == [1] * 9
    assert sum(Condition) == 2**9 - 1
