"""The flat row of a transaction: what fills a field, in which order of precedence, and in which format."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from regen_core.documents import (
    AdjustmentKind,
    BillingItem,
    CarriedFields,
    DocumentHeader,
    DocumentKey,
    DocumentType,
    ItemSource,
)
from regen_core.field_table import FIELD_ROWS
from regen_core.fields import companion_field_fault, flat_row
from regen_core.transactions import BillingTransaction, Occasion, RevenueType, TransactionState, transaction_id

INVOICE, CREDIT_MEMO = DocumentType.INVOICE, DocumentType.CREDIT_MEMO
DEBIT_MEMO, ADJUSTMENT = DocumentType.DEBIT_MEMO, DocumentType.INVOICE_ITEM_ADJUSTMENT
GENERATED = Occasion(datetime(2026, 2, 1, 8, 30, tzinfo=UTC), "importer")
OVERRIDDEN = Occasion(datetime(2026, 3, 1, 9, 0, tzinfo=UTC), "clerk")


def carried(fields: Mapping[str, Any] | str) -> CarriedFields:
    return CarriedFields(fields if isinstance(fields, str) else json.dumps(fields))


def transaction(
    kind: DocumentType = INVOICE,
    *,
    document: Mapping[str, Any] | str = "{}",
    item: Mapping[str, Any] | str = "{}",
    standalone: bool = False,
    occasions: tuple[Occasion | None, Occasion | None] = (GENERATED, OVERRIDDEN),
    amount: Decimal = Decimal("10.00"),
    **facts: Any,
) -> BillingTransaction:
    """A stored transaction of the given type whose header and item carry these REST fields."""
    key = DocumentKey(tenant="t", entity="e", type=kind, id="8ad08d29")
    header = DocumentHeader(
        key=key,
        number="D-1",
        org=facts.pop("org", None),
        status="Posted",
        date=date(2026, 1, 31),
        currency="EUR",
        carried=carried(document),
    )
    is_adjustment = kind is ADJUSTMENT
    line = BillingItem(
        id=key.id if is_adjustment else "i1",
        amount=amount,
        source=ItemSource.SUBSCRIPTION,
        adjustment_kind=AdjustmentKind.CREDIT if is_adjustment else None,
        carried=carried(item),
        **facts,
    )
    created, updated = occasions
    state, revenue_type = TransactionState.ACTIVE, RevenueType.CM_C
    return BillingTransaction(
        transaction_id(key, line.id), header, line, revenue_type, standalone, 2, state, created, updated
    )


def with_fields(**fields: Any) -> dict[str, Any]:
    return {"regenCore": {"fields": fields}}


@pytest.mark.parametrize("kind", DocumentType)
def test_every_documented_field_is_either_filled_or_has_a_reason(kind: DocumentType) -> None:
    row = flat_row(transaction(kind))
    assert [cell.name for cell in row.cells] == [each.name for each in FIELD_ROWS]
    assert all((cell.value is None) == (cell.reason is not None) for cell in row.cells)
    assert all((cell.value is None) == (cell.filled_from is None) for cell in row.cells)
    assert set(row.values) | set(row.unfilled) == {each.name for each in FIELD_ROWS}
    assert set(row.values) == set(row.filled_from)


class TestTheTransactionItself:
    """What the transaction says is not looked for anywhere else."""

    def test_identity_type_and_stamps(self) -> None:
        subject = transaction(CREDIT_MEMO, org="EMEA", booking_excluded=True, excluded_from_revenue=True)
        values = flat_row(subject).values
        expected = {
            "Id": subject.id,
            "TransactionType": "CM-C",
            "BusinessType": "CM-C",
            "CreatedByID": "importer",
            "CreatedDate": GENERATED.at,
            "UpdatedByID": "clerk",
            "UpdatedDate": OVERRIDDEN.at,
            "CurrencyCode": "EUR",
            "DocumentDate": date(2026, 1, 31),
            "DocumentId": "8ad08d29",
            "DocumentLineId": "i1",
            "DocumentNumber": "D-1",
            "DocumentType": "CreditMemo",
            "OrgName": "EMEA",
            "ExcludeItemBillingFromRevenueAccounting": True,
            "ExcludeItemBookingFromRevenueAccounting": True,
            "RevenueExtendedSellingPrice": "10.00",
        }
        assert dict(values) == expected

    def test_an_untold_occasion_and_an_untold_booking_exclusion_stay_empty(self) -> None:
        row = flat_row(transaction(occasions=(None, None)))
        for name in ("CreatedByID", "CreatedDate", "UpdatedByID", "UpdatedDate"):
            assert row.unfilled[name].startswith("not in this document")
        assert row.unfilled["ExcludeItemBookingFromRevenueAccounting"].endswith("transaction booking excluded")

    def test_an_invoice_names_itself_and_a_memo_the_invoice_it_refers_to(self) -> None:
        assert flat_row(transaction(INVOICE)).values["InvoiceId"] == "8ad08d29"
        memo = transaction(DEBIT_MEMO, document={"referredInvoiceId": "8ad0aaaa"})
        assert flat_row(memo).values["InvoiceId"] == "8ad0aaaa"


class TestZuorasFields:
    """REST fields of the document and of the item, under the conditions of the table."""

    def test_an_invoice_item(self) -> None:
        subject = transaction(
            document={"accountId": "8ad0acc0"},
            item={
                "chargeId": "8ad0c4a6",
                "chargeName": "Platform",
                "serviceStartDate": "2026-01-01",
                "quantity": 3,
                "taxAmount": "1.90",
                "unitPrice": 10,
                "reflectDiscountInNetAmount": False,
                "contractAssetAccountingCode": "Contract assets",
            },
        )
        row = flat_row(subject)
        assert row.values["CustomerId"] == row.values["InvoiceOwnerId"] == "8ad0acc0"
        assert row.values["RatePlanChargeId"] == "8ad0c4a6"
        assert row.values["StartDate"] == date(2026, 1, 1)
        assert row.values["DocumentQuantity"] == Decimal(3)
        assert row.values["TaxAmount"] == "1.90"
        assert row.values["UnitSalePrice"] == "10"
        assert row.values["ReflectDiscountinNetAmount"] == "false"
        assert row.values["ContractAssetAccountName"] == "Contract assets"
        assert row.filled_from["ChargeName"] == "item chargeName"
        assert row.unfilled["EndDate"] == "not in this document; looked for: item serviceEndDate"
        assert row.unfilled["ChargeTypeId"].startswith("an invoice item's chargeType is a name")

    def test_an_adjustment_is_read_from_the_document(self) -> None:
        document = {"AccountId": "8ad0acc0", "InvoiceItemName": "Platform", "ServiceEndDate": "2026-01-31"}
        values = flat_row(transaction(ADJUSTMENT, document=document, standalone=True)).values
        assert values["CustomerId"] == "8ad0acc0"
        assert values["ChargeName"] == "Platform"
        assert values["EndDate"] == date(2026, 1, 31)

    @pytest.mark.parametrize(
        ("kind", "field"),
        [
            ("SubscriptionComponent", "RatePlanChargeId"),
            ("ProductRatePlanCharge", "ProductRatePlanChargeId"),
            ("OrderLineItem", "OrderLineItemId"),
            ("InvoiceDetail", "OriginalInvoiceLineId"),
        ],
    )
    def test_a_memos_source_item_fills_the_one_field_that_its_type_names(self, kind: str, field: str) -> None:
        item = {"sourceItemType": kind, "sourceItemId": "8ad05eee"}
        values = flat_row(transaction(CREDIT_MEMO, item=item)).values
        assert [name for name, value in values.items() if value == "8ad05eee"] == [field]

    def test_the_price_of_a_discount_is_left_out(self) -> None:
        """It may be a percentage."""
        item = {"unitPrice": 10, "processingType": "Discount"}
        assert "UnitSalePrice" in flat_row(transaction(item=item)).unfilled

    @pytest.mark.parametrize("nothing", [None, ""])
    def test_null_and_empty_text_are_absent(self, nothing: object) -> None:
        assert "ChargeName" in flat_row(transaction(item={"chargeName": nothing})).unfilled

    def test_a_later_source_is_asked_when_the_first_says_nothing(self) -> None:
        item = {"sourceItemType": "CreditMemoItem", "sourceItemId": "x", "creditFromItemId": "8ad0cccc"}
        row = flat_row(transaction(CREDIT_MEMO, item={**item, "creditFromItemSource": "InvoiceItem"}))
        assert row.values["OriginalInvoiceLineId"] == "8ad0cccc"


class TestStandalone:
    """A standalone transaction carries no original invoice line and no sales order line (MAP)."""

    ITEM: Mapping[str, Any] = {"sourceItemType": "InvoiceDetail", "sourceItemId": "8ad05eee"}

    def test_it_carries_none(self) -> None:
        row = flat_row(transaction(CREDIT_MEMO, item=self.ITEM, standalone=True))
        assert row.unfilled["OriginalInvoiceLineId"] == "the transaction is standalone and carries no such line (MAP)"
        assert "8ad05eee" not in row.values.values()

    @pytest.mark.parametrize("name", [row.name for row in FIELD_ROWS if row.not_when_standalone])
    def test_a_companion_field_brings_none_back(self, name: str) -> None:
        item = with_fields(**{name: "8ad0abcd"})
        assert flat_row(transaction(item=item)).values[name] == "8ad0abcd"
        assert name in flat_row(transaction(item=item, standalone=True)).unfilled


class TestCompanionFields:
    """A companion value wins over what the shape says (FCT-10), never over what the transaction says."""

    def test_it_fills_what_the_shape_cannot(self) -> None:
        row = flat_row(transaction(item='{"regenCore":{"fields":{"SellPrice":12.50,"TermNumber":2}}}'))
        assert str(row.values["SellPrice"]) == "12.50"
        assert row.values["TermNumber"] == 2
        assert row.filled_from["SellPrice"] == "companion field"

    def test_it_wins_over_the_shape(self) -> None:
        row = flat_row(transaction(item={"chargeName": "Platform", **with_fields(ChargeName="Platform, yearly")}))
        assert row.values["ChargeName"] == "Platform, yearly"

    def test_a_null_in_it_leaves_the_shapes_value(self) -> None:
        row = flat_row(transaction(item={"chargeName": "Platform", **with_fields(ChargeName=None)}))
        assert row.values["ChargeName"] == "Platform"

    def test_it_does_not_contradict_the_transaction(self) -> None:
        row = flat_row(transaction(item=with_fields(TransactionType="INV", DocumentNumber="D-2")))
        assert (row.values["TransactionType"], row.values["DocumentNumber"]) == ("CM-C", "D-1")

    def test_an_adjustments_is_in_the_document(self) -> None:
        subject = transaction(ADJUSTMENT, document=with_fields(SubscriptionId="8ad05ab5"), standalone=True)
        assert flat_row(subject).values["SubscriptionId"] == "8ad05ab5"

    def test_a_documents_is_not_its_items(self) -> None:
        assert "SellPrice" in flat_row(transaction(document=with_fields(SellPrice="1"))).unfilled

    @pytest.mark.parametrize(
        ("kind", "name", "value", "fault"),
        [
            (INVOICE, "SellPrice", "12.50", None),
            (INVOICE, "SellPrice", True, "the value is not a number"),
            (INVOICE, "SellPrice", None, "the value is not a number"),
            (INVOICE, "sellPrice", "12.50", "the name is none of the 126 documented ones"),
            (INVOICE, "TermNumber", Decimal("1.5"), "the value is not a whole number"),
            (INVOICE, "ListPrice", {"amount": 1}, "the value is not a number"),
            (INVOICE, "InvoiceId", "8ad0", "the transaction itself says its document id"),
            (CREDIT_MEMO, "InvoiceId", "8ad0", None),
            (CREDIT_MEMO, "OrgName", "EMEA", "the transaction itself says its org"),
        ],
    )
    def test_what_may_be_given(self, kind: DocumentType, name: str, value: object, fault: str | None) -> None:
        assert companion_field_fault(kind, name, value) == fault


class TestTax:
    """A memo item's tax is the exact sum over its tax lines, provided that they are all there."""

    LINES = '{"data":[{"taxAmount":0.10},{"taxAmount":"0.20"},{"taxAmount":1}]'

    def test_the_sum_is_exact(self) -> None:
        row = flat_row(transaction(CREDIT_MEMO, item=f'{{"taxationItems":{self.LINES}}}}}'))
        assert row.values["TaxAmount"] == "1.30"
        assert row.filled_from["TaxAmount"] == "sum over the item's taxationItems.data[].taxAmount"

    def test_older_shapes_have_their_own_list(self) -> None:
        lines = [{"taxAmount": 2}, {"taxAmount": 3}]
        assert flat_row(transaction(CREDIT_MEMO, item={"creditTaxItems": lines})).values["TaxAmount"] == "5"
        assert flat_row(transaction(DEBIT_MEMO, item={"taxItems": lines})).values["TaxAmount"] == "5"

    def test_a_total_that_is_given_is_not_summed_again(self) -> None:
        item = f'{{"taxAmount":9.99,"taxationItems":{self.LINES}}}}}'
        assert flat_row(transaction(INVOICE, item=item)).values["TaxAmount"] == "9.99"

    @pytest.mark.parametrize(
        "taxation",
        [
            f'{LINES},"nextPage":"/v1/credit-memos/8ad0/items/i1/taxation-items?page=2"}}',
            '{"data":[]}',
            '{"data":null}',
            '{"data":[{"taxAmount":1},{}]}',
            '{"data":[1]}',
            "[1]",
            "null",
            '{"data":[{"taxAmount":1e900},{"taxAmount":1e-900}]}',
            '{"data":[{"taxAmount":"1e999999"},{"taxAmount":"9e999999"}]}',
        ],
    )
    def test_no_sum_is_better_than_a_wrong_one(self, taxation: str) -> None:
        row = flat_row(transaction(CREDIT_MEMO, item=f'{{"taxationItems":{taxation}}}'))
        assert row.unfilled["TaxAmount"].startswith("not in this document; looked for: item taxAmount; else sum over")


class TestFormats:
    """Each value has its documented format, exactly, or the field is unfilled and says why."""

    @pytest.mark.parametrize("digits", ["0.1", "10.00", "-0.30", "123456789012345678901234567890.123456789", "1E-7"])
    def test_amounts_keep_every_digit(self, digits: str) -> None:
        values = flat_row(transaction(item=f'{{"quantity":{digits}}}', amount=Decimal(digits))).values
        assert str(values["DocumentQuantity"]) == str(Decimal(digits))
        assert Decimal(str(values["RevenueExtendedSellingPrice"])).as_tuple() == Decimal(digits).as_tuple()

    def test_text_has_no_exponent_unless_it_would_be_long(self) -> None:
        def text(amount: str) -> object:
            return flat_row(transaction(amount=Decimal(amount))).values["RevenueExtendedSellingPrice"]

        assert (text("1E+3"), text("1E+900000")) == ("1000", "1E+900000")
        assert (text("-0.00"), text("0.00"), text("-0.01")) == ("0.00", "0.00", "-0.01")

    @pytest.mark.parametrize(
        ("name", "value", "expected"),
        [
            ("AvoidOverage", "TRUE", True),
            ("RetainLineId", False, False),
            ("TermNumber", 3, 3),
            ("TermNumber", "3.0", 3),
            ("SubscriptionVersion", 2**40, 2**40),
            ("SellPrice", "-1.50", Decimal("-1.50")),
            ("SubscriptionEndDate", "2026-12-31", date(2026, 12, 31)),
            ("SubscriptionEndDate", "2026-12-31T23:59:59.000-08:00", date(2026, 12, 31)),
            ("ChargeCreateDate", "2026-01-02 03:04:05", datetime(2026, 1, 2, 3, 4, 5)),  # noqa: DTZ001
            ("ChargeCreateDate", "2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
            ("UnitListPrice", 12, "12"),
            ("IsUnbilled", True, "true"),
        ],
    )
    def test_a_value_that_fits(self, name: str, value: object, expected: object) -> None:
        found = flat_row(transaction(item=with_fields(**{name: value}))).values[name]
        assert (found, type(found)) == (expected, type(expected))

    @pytest.mark.parametrize(
        ("name", "value", "expected"),
        [
            ("AvoidOverage", 1, "true or false"),
            ("TermNumber", "three", "a whole number"),
            ("TermNumber", "1e50", "a whole number"),
            ("SellPrice", "1,50", "a number"),
            ("SellPrice", "NaN", "a number"),
            ("SellPrice", "1_000", "a number"),
            ("SellPrice", "1e9999999999999999999", "a number"),
            ("SellPrice", "\N{ARABIC-INDIC DIGIT ONE}", "a number"),
            ("SubscriptionEndDate", "31.12.2026", "a date yyyy-mm-dd"),
            ("SubscriptionEndDate", "2026-02-30", "a date yyyy-mm-dd"),
            ("SubscriptionEndDate", 20261231, "a date yyyy-mm-dd"),
            ("ChargeCreateDate", "2026-01-02", "a time yyyy-mm-dd hh:mm:ss or of ISO 8601"),
            ("ChargeName", ["Platform"], "text, a number or a boolean"),
        ],
    )
    def test_a_value_that_does_not_fit(self, name: str, value: object, expected: str) -> None:
        assert flat_row(transaction(item=with_fields(**{name: value}))).unfilled[name] == (
            f"companion field is not {expected}"
        )

    def test_a_number_that_is_not_finite_is_none(self) -> None:
        assert companion_field_fault(INVOICE, "SellPrice", Decimal("Infinity")) == "the value is not a number"
