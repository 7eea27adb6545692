"""How long a number may be, what counts as told, and which lists are summed: the edges of a flat row (FCT-10)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from regen_core.documents import BillingItem, CarriedFields, DocumentHeader, DocumentKey, DocumentType
from regen_core.fields import FlatRow, companion_field_fault, flat_row
from regen_core.transactions import BillingTransaction, RevenueType, TransactionState


def row(item: str = "{}", amount: str = "10", document: str = "{}") -> FlatRow:
    """The flat row of a credit memo's item that carries these REST fields."""
    key = DocumentKey(tenant="t", entity="e", type=DocumentType.CREDIT_MEMO, id="d1")
    header = DocumentHeader(
        key=key, number="N-1", status="Posted", date=date(2026, 1, 31), currency="EUR", carried=CarriedFields(document)
    )
    line = BillingItem(id="i1", amount=Decimal(amount), carried=CarriedFields(item))
    return flat_row(
        BillingTransaction("a40b", header, line, RevenueType.CM_C, False, 1, TransactionState.ACTIVE, None, None)
    )


def companion(name: str, value: str) -> str:
    """An item with one companion field, as JSON."""
    return f'{{"regenCore":{{"fields":{{"{name}":{value}}}}}}}'


class TestLongNumbers:
    """Plain up to 40 places before or behind the point: a caller can't make a row as long as it likes."""

    @pytest.mark.parametrize(
        ("amount", "text"),
        [
            ("1E+40", "1" + "0" * 40),
            ("1E+41", "1E+41"),
            ("1E-40", "0." + "0" * 39 + "1"),
            ("1E-41", "1E-41"),
            ("-12E+3", "-12000"),
            ("0E-41", "0E-41"),
        ],
    )
    def test_as_text(self, amount: str, text: str) -> None:
        assert row(amount=amount).values["RevenueExtendedSellingPrice"] == text

    @pytest.mark.parametrize(("value", "whole"), [("1e40", 10**40), ("-1E3", -1000), ("30e-1", 3), ("0", 0)])
    def test_as_a_whole_number(self, value: str, whole: int) -> None:
        found = row(companion("TermNumber", value)).values["TermNumber"]
        assert (found, type(found)) == (whole, int)

    @pytest.mark.parametrize("value", ["1e41", "1e-1", '"1e41"'])
    def test_as_none(self, value: str) -> None:
        assert row(companion("TermNumber", value)).unfilled["TermNumber"] == "companion field is not a whole number"


class TestSums:
    """Exact in a thousand digits; a list that goes on elsewhere has no sum."""

    @pytest.mark.parametrize(("exponent", "is_summed"), [(999, True), (1000, False)])
    def test_digits(self, exponent: int, is_summed: bool) -> None:
        lines = f'[{{"taxAmount":1e{exponent}}},{{"taxAmount":1}}]'
        found = row(f'{{"taxationItems":{{"data":{lines}}}}}').values.get("TaxAmount")
        assert found == ("1" + "0" * (exponent - 1) + "1" if is_summed else None)

    @pytest.mark.parametrize(
        "item",
        [
            '{"taxationItems":{"data":[{"taxAmount":1},{"taxAmount":2}],"nextPage":null}}',
            '{"taxationItems":{"data":[{"taxAmount":1},{"taxAmount":2}],"nextPage":""}}',
            '{"creditTaxItems":[{"taxAmount":1},{"taxAmount":"2"}],"nextPage":"of the item"}',
            '{"taxationItems":{"data":[]},"creditTaxItems":[{"taxAmount":3}]}',
        ],
    )
    def test_lists_that_are_whole(self, item: str) -> None:
        assert row(item).values["TaxAmount"] == "3"

    @pytest.mark.parametrize(
        "lines", ['{"taxAmount":3}', '"3"', '[{"taxAmount":null}]', '[{"tax":3}]', '[{"taxAmount":true}]', "[[3]]"]
    )
    def test_what_is_no_list_of_amounts(self, lines: str) -> None:
        assert "TaxAmount" in row(f'{{"creditTaxItems":{lines}}}').unfilled


class TestTold:
    """Nothing and empty text are not told; nought and ``false`` are."""

    def test_nought_and_false(self) -> None:
        found = row('{"quantity":0,"reflectDiscountInNetAmount":false}').values
        assert (found["DocumentQuantity"], found["ReflectDiscountinNetAmount"]) == (Decimal(0), "false")
        assert row(companion("RetainLineId", "false")).values["RetainLineId"] is False

    def test_a_companion_without_fields(self) -> None:
        assert row('{"regenCore":{},"skuName":"Seats"}').values["ChargeName"] == "Seats"
        assert row('{"regenCore":{"fields":{"ChargeName":""}},"skuName":"Seats"}').values["ChargeName"] == "Seats"

    def test_a_condition_that_nobody_told(self) -> None:
        """A price is left out for discounts, not where the processing type is missing."""
        assert row('{"unitPrice":"1.50"}').values["UnitSalePrice"] == "1.50"
        assert "OrderLineItemId" in row('{"sourceItemId":"i9"}').unfilled

    def test_why_a_field_is_empty(self) -> None:
        unfilled = row('{"serviceStartDate":"soon"}').unfilled
        assert unfilled["StartDate"] == "item serviceStartDate is not a date yyyy-mm-dd"
        assert unfilled["EndDate"] == "not in this document; looked for: item serviceEndDate"
        assert unfilled["FxRate"] == "from the tenant's currency conversion data, which no document carries"


class TestFormats:
    """What is written is what is read, and nothing beside it."""

    @pytest.mark.parametrize(
        ("value", "read"), [("true", True), ('"False"', False), ('"TRUE"', True), ('"yes"', None), ("0", None)]
    )
    def test_booleans(self, value: str, read: bool | None) -> None:
        assert row(companion("AvoidOverage", value)).values.get("AvoidOverage") is read

    @pytest.mark.parametrize(
        ("text", "moment"),
        [
            ("2026-01-02T03:04:05.250Z", datetime(2026, 1, 2, 3, 4, 5, 250_000, UTC)),
            ("2026-01-02 03:04:05+0130", datetime(2026, 1, 2, 3, 4, 5, 0, timezone(timedelta(minutes=90)))),
            ("2026-01-02T25:04:05Z", None),
            ("2026-01-02T03:04Z", None),
            (" 2026-01-02T03:04:05Z", None),
        ],
    )
    def test_moments(self, text: str, moment: datetime | None) -> None:
        found = row(companion("ChargeCreateDate", f'"{text}"')).values.get("ChargeCreateDate")
        assert found == moment
        of_the_day = row(companion("SubscriptionEndDate", f'"{text}"')).values.get("SubscriptionEndDate")
        assert of_the_day == (None if moment is None else date(2026, 1, 2))

    @pytest.mark.parametrize(
        ("value", "fault"),
        [
            (Decimal("NaN"), "the value is not a number"),
            ("+1.5E+2", None),
            ("1.", "the value is not a number"),
            ("", "the value is not a number"),
            (7, None),
        ],
    )
    def test_numbers(self, value: Any, fault: str | None) -> None:
        assert companion_field_fault(DocumentType.INVOICE, "SellPrice", value) == fault
