"""Documents as values: what is assumed of what isn't told, what is derived, and faults in words (FCT, TAX-1)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve

from regen_core.documents import (
    AdjustmentKind,
    Assumption,
    BillingDocument,
    BillingItem,
    CarriedFields,
    DocumentHeader,
    DocumentKey,
    DocumentType,
    ProcessingType,
)

KEY = DocumentKey(tenant="t1", entity="e1", type=DocumentType.INVOICE, id="d1")
HEADER = DocumentHeader(key=KEY, number="N-1", status="Posted", date=date(2026, 1, 31), currency="EUR")
ITEM = BillingItem(id="i1", amount=Decimal(10))
TAX = BillingItem(id="i2", amount=Decimal(2), processing_type=ProcessingType.TAX)
DOCUMENT = BillingDocument(HEADER, (ITEM, TAX))
ADJUSTMENT = evolve(HEADER, key=evolve(KEY, type=DocumentType.INVOICE_ITEM_ADJUSTMENT), status="Processed")


class TestNotTold:
    """A fact that a shape leaves out is ``None``; nothing is told for it, and nothing assumed by the value itself."""

    def test_of_an_item(self) -> None:
        untold = (ITEM.source, ITEM.booking_amount, ITEM.booking_excluded, ITEM.account_level_discount)
        assert untold == (None,) * 4
        assert (ITEM.calculated_charge_model, ITEM.charge_deleted) == (None, None)
        assert (ITEM.order_line_category, ITEM.adjustment_kind) == (None, None)
        assert (ITEM.processing_type, ITEM.excluded_from_revenue) == (ProcessingType.CHARGE, False)
        assert (ITEM.assumed, ITEM.carried) == ((), CarriedFields("{}"))

    def test_of_a_header(self) -> None:
        assert (HEADER.org, HEADER.from_reversal, HEADER.reason_code) == (None, None, None)
        assert (HEADER.assumed, HEADER.carried) == ((), CarriedFields("{}"))


class TestDerived:
    """What follows from the rest can't be said otherwise, and isn't said twice."""

    def test_revenue_has_all_items_but_the_tax_lines(self) -> None:
        """TAX-1."""
        assert (DOCUMENT.revenue_items, DOCUMENT.revenue_item_ids) == ((ITEM,), ("i1",))
        assert (ITEM.is_tax, TAX.is_tax) == (False, True)

    def test_a_document_is_known_by_its_header(self) -> None:
        assert (DOCUMENT.key, DOCUMENT.type, DOCUMENT.id) == (KEY, DocumentType.INVOICE, "d1")

    @pytest.mark.parametrize("name", ["revenue_items", "revenue_item_ids"])
    def test_nobody_says_it_of_a_document(self, name: str) -> None:
        parts: dict[str, Any] = {name: ()}
        with pytest.raises(TypeError, match=name):
            BillingDocument(HEADER, (ITEM,), **parts)
        assert name not in repr(DOCUMENT)

    def test_nobody_says_it_of_a_header(self) -> None:
        """ELI-1: the status decides."""
        parts: dict[str, Any] = {"is_posted": True}
        with pytest.raises(TypeError, match="is_posted"):
            DocumentHeader(key=KEY, number="N-1", status="Draft", date=HEADER.date, currency="EUR", **parts)
        assert "is_posted" not in repr(HEADER)
        assert (HEADER.is_posted, evolve(HEADER, status="Draft").is_posted) == (True, False)


class TestAsValues:
    """Compared by what they say, and hashed alike."""

    @pytest.mark.parametrize(
        "value", [KEY, HEADER, ITEM, DOCUMENT, CarriedFields(), Assumption("booking amount", "10", "MAP-S")]
    )
    def test_equal_ones_are_one(self, value: Any) -> None:
        again = evolve(value)
        assert again is not value
        assert {again: "found"}[value] == "found"


class TestFaults:
    """Who made the mistake reads what was expected."""

    def test_of_carried_fields(self) -> None:
        with pytest.raises(ValueError, match=r"^carried fields are the text of one JSON object in canonical form$"):
            CarriedFields("[]")

    def test_text_of_another_class_is_no_text(self) -> None:
        """It could say something else the next time."""
        text = type("Text", (str,), {})("{}")
        with pytest.raises(ValueError, match="one JSON object"):
            CarriedFields(text)

    def test_of_a_currency(self) -> None:
        with pytest.raises(
            ValueError, match=r"^currency is 'eur'; an ISO 4217 code has three capital letters, such as"
        ):
            evolve(HEADER, currency="eur")

    def test_of_items(self) -> None:
        items: Any = [ITEM]
        with pytest.raises(TypeError, match=r"^items is a tuple of BillingItem$"):
            BillingDocument(HEADER, items)
        with pytest.raises(ValueError, match=r"^item id 'i1' occurs twice in one document$"):
            BillingDocument(HEADER, (ITEM, TAX, ITEM))

    def test_of_adjustments(self) -> None:
        credit = evolve(ITEM, id="d1", adjustment_kind=AdjustmentKind.CREDIT)
        message = r"^adjustment_kind is given for the item of an adjustment, and for no other$"
        for header, item in ((HEADER, credit), (ADJUSTMENT, evolve(credit, adjustment_kind=None))):
            with pytest.raises(ValueError, match=message):
                BillingDocument(header, (item,))
        with pytest.raises(ValueError, match=r"^an invoice item adjustment is its own single item, with its own id$"):
            BillingDocument(ADJUSTMENT, (evolve(credit, id="i1"),))
