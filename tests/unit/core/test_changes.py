"""What differs between two versions of a document, whole: every path, and what stood there before and after (DOC-1)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve

from regen_core.changes import FieldChange, document_changes, field_changes
from regen_core.documents import BillingDocument, BillingItem, CarriedFields, DocumentHeader, DocumentKey, DocumentType

HEADER = DocumentHeader(
    key=DocumentKey(tenant="t1", entity="e1", type=DocumentType.INVOICE, id="d1"),
    number="N-1",
    status="Draft",
    date=date(2026, 1, 31),
    currency="EUR",
)
STAYS, CHANGES, GOES, MOVES, COMES = (BillingItem(id=f"i{n}", amount=Decimal(n)) for n in range(1, 6))
BEFORE = BillingDocument(HEADER, (STAYS, CHANGES, GOES, MOVES))


def with_x(text: str) -> BillingItem:
    return evolve(STAYS, carried=CarriedFields(f'{{"x":{text}}}'))


def test_all_that_can_change_at_once() -> None:
    """Header first, then items in the order of the old version, then new ones, then the order of those that stay."""
    header = evolve(HEADER, status="Posted", carried=CarriedFields('{"balance":1}'))
    after = BillingDocument(header, (MOVES, STAYS, COMES, evolve(CHANGES, amount=Decimal(7))))
    assert document_changes(BEFORE, after) == (
        FieldChange("status", "Draft", "Posted"),
        FieldChange("carried.balance", None, 1),
        FieldChange("items[i2].amount", Decimal(2), Decimal(7)),
        FieldChange("items[i3]", GOES, None),
        FieldChange("items[i5]", None, COMES),
        FieldChange("order of items", ("i1", "i2", "i4"), ("i4", "i1", "i2")),
    )


def test_items_that_come_and_go_do_not_change_the_order_of_the_others() -> None:
    after = evolve(BEFORE, items=(COMES, STAYS, CHANGES, MOVES))
    assert [each.path for each in document_changes(BEFORE, after)] == ["items[i3]", "items[i5]"]


@pytest.mark.parametrize("text", ["null", "[]", "{}", '[1,{"a":[true]}]', '{"a":{"b":null},"c":[2]}'])
def test_what_reads_the_same_is_no_change(text: str) -> None:
    assert field_changes(with_x(text), with_x(text)) == ()


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("[1,2]", "[1,3]", ([1, 2], [1, 3])),
        ("[1,2]", "[1]", ([1, 2], [1])),
        ("[[1]]", "[[true]]", ([[1]], [[True]])),
        ('{"a":1}', '{"a":2}', ({"a": 1}, {"a": 2})),
        ('{"a":1}', '{"a":true}', ({"a": 1}, {"a": True})),
        ('{"a":1}', '{"b":1}', ({"a": 1}, {"b": 1})),
        ('{"a":null}', "{}", ({"a": None}, {})),
        ("[]", "{}", ([], {})),
        ('"1"', "1", ("1", 1)),
    ],
)
def test_a_difference_deep_down_is_a_change(before: str, after: str, told: tuple[Any, Any]) -> None:
    """What is told compares equal where only a type differs, so it is looked at as text."""
    (change,) = field_changes(with_x(before), with_x(after), "items[i1].")
    assert (change.path, repr(change.before), repr(change.after)) == ("items[i1].carried.x", *map(repr, told))
