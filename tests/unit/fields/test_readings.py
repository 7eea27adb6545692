"""What of the field table is our reading, and says so; and what the rows of one kind have in common."""

from __future__ import annotations

import pytest

from regen_core.documents import DocumentType
from regen_core.field_table import (
    FIELD_ROWS,
    FieldCondition,
    FieldFormat,
    FieldOrigin,
    FieldRow,
    FieldSource,
    SourceKind,
)

BY_NAME = {row.name: row for row in FIELD_ROWS}
CODES = (
    "AdjustmentLiability",
    "AdjustmentRevenue",
    "ContractAsset",
    "ContractLiability",
    "ContractRecognizedRevenue",
    "UnbilledReceivables",
)
INFERRED = {
    *(f"{code}AccountName" for code in CODES),
    *("BusinessType", "ChargeName", "CustomerName", "CustomerNumber", "DocumentDate", "DocumentLineId", "EndDate"),
    *("ExcludeItemBookingFromRevenueAccounting", "InvoiceId", "InvoiceOwnerId", "InvoiceOwnerName", "OrgName"),
    *("OriginalInvoiceLineId", "ProductRatePlanChargeId", "RatePlanChargeId", "RevenueExtendedSellingPrice"),
    *("StartDate", "TaxAmount", "TransactionType", "UnitListPrice", "UnitSalePrice"),
}


def origin(name: str, kind: DocumentType = DocumentType.INVOICE) -> FieldOrigin:
    return BY_NAME[name].origins[kind]


class TestNotes:
    """A field that the pages leave open is mapped with a note, and no other field has one."""

    def test_what_is_inferred_says_so(self) -> None:
        assert {row.name for row in FIELD_ROWS if row.note is not None} == INFERRED

    @pytest.mark.parametrize("name", sorted(INFERRED))
    def test_in_words(self, name: str) -> None:
        """Part of a sentence, as the reasons are."""
        note = BY_NAME[name].note
        assert note is not None
        assert note[:1].islower()
        assert not note.endswith(".")

    def test_a_row_says_no_more_than_it_is_told(self) -> None:
        row = FieldRow(name="Id", format=FieldFormat.STRING, origins={})
        assert (row.not_when_standalone, row.note) == (False, None)

    def test_of_an_accounting_code(self) -> None:
        told = (
            "the accounting code of the item is read as the code's name; it might as well be what AccountNumber holds"
        )
        assert {BY_NAME[f"{code}AccountName"].note for code in CODES} == {told}


class TestAccountingCodes:
    """An invoice item names its accounting codes; memos and adjustments don't, and numbers stand with the code."""

    @pytest.mark.parametrize("code", CODES)
    def test_an_invoice_item_has_the_name_alone(self, code: str) -> None:
        field = f"{code[0].lower()}{code[1:]}AccountingCode"
        assert origin(f"{code}AccountName") == FieldOrigin((FieldSource(SourceKind.ITEM_FIELD, field),))
        for part in ("AccountId", "AccountNumber", "GlAccountName"):
            assert {bool(each.sources) for each in BY_NAME[f"{code}{part}"].origins.values()} == {False}

    @pytest.mark.parametrize("kind", [each for each in DocumentType if each is not DocumentType.INVOICE])
    def test_others_have_none(self, kind: DocumentType) -> None:
        reasons = {origin(f"{code}AccountName", kind).reason for code in CODES}
        assert len(reasons) == 1
        assert None not in reasons


class TestSources:
    """Where a value is looked for, in words and in order."""

    def test_a_memos_tax_is_stated_or_summed(self) -> None:
        assert str(origin("TaxAmount", DocumentType.DEBIT_MEMO)) == (
            "item taxAmount; else sum over the item's taxationItems.data[].taxAmount; "
            "else sum over the item's taxItems[].taxAmount"
        )

    def test_a_source_stands_without_a_condition_unless_it_has_one(self) -> None:
        bare, price = origin("SubscriptionId").sources[0], origin("UnitSalePrice").sources[0]
        assert (bare.kind, bare.name, bare.when) == (SourceKind.ITEM_FIELD, "subscriptionId", None)
        assert price.when == FieldCondition("processingType", "Discount", equal=False)
        assert FieldCondition("a", "b").equal

    def test_only_what_the_transaction_says_is_its_own(self) -> None:
        of_itself = {row.name for row in FIELD_ROWS if row.origins[DocumentType.INVOICE].is_of_the_transaction}
        of_a_memo = {row.name for row in FIELD_ROWS if row.origins[DocumentType.CREDIT_MEMO].is_of_the_transaction}
        assert of_itself - of_a_memo == {"InvoiceId"}
        assert of_a_memo < of_itself

    def test_a_segment_is_counted_and_what_it_belongs_to_is_named(self) -> None:
        applied = {name: row.format for name, row in BY_NAME.items() if "DiscountAppliedToRatePlanCharge" in name}
        assert [name for name, each in applied.items() if each is FieldFormat.INTEGER] == [
            "DiscountAppliedToRatePlanChargeSegment"
        ]
        assert len(applied) == 5

    def test_having_both_or_neither_is_told(self) -> None:
        with pytest.raises(ValueError, match=r"^a field has sources or a reason for having none, never both$"):
            FieldOrigin()
