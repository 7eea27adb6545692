"""The table of documented fields: complete, in order, and honest about every type of document."""

from __future__ import annotations

from pathlib import Path

import pytest

from regen_core.documents import DocumentType
from regen_core.field_table import FIELD_ROWS, FieldOrigin, FieldSource, SourceKind

DOCUMENTED = Path(__file__).with_name("documented_fields.tsv")
"""Name and format of every field as *Billing Transaction object fields and Data Query* lists them, kept as data."""


def test_names_formats_and_order_are_the_documented_ones() -> None:
    documented = [tuple(line.split("\t")) for line in DOCUMENTED.read_text().splitlines()]
    assert [(row.name, row.format.value) for row in FIELD_ROWS] == documented
    assert len(documented) == 126


@pytest.mark.parametrize("kind", DocumentType, ids=lambda kind: kind.value)
def test_every_field_has_a_source_or_a_reason_for_each_type_of_document(kind: DocumentType) -> None:
    origins = {row.name: row.origins[kind] for row in FIELD_ROWS}
    assert not [name for name, origin in origins.items() if bool(origin.sources) == bool(origin.reason)]


def test_each_row_speaks_of_all_four_types() -> None:
    assert all(set(row.origins) == set(DocumentType) for row in FIELD_ROWS)


def test_an_origin_without_source_and_reason_or_with_both_is_refused() -> None:
    source = FieldSource(SourceKind.ITEM_FIELD, "sku")
    with pytest.raises(ValueError, match="sources or a reason"):
        FieldOrigin()
    with pytest.raises(ValueError, match="sources or a reason"):
        FieldOrigin((source,), "no")


def test_an_adjustment_is_its_own_item_so_its_fields_are_the_documents() -> None:
    for row in FIELD_ROWS:
        kinds = {source.kind for source in row.origins[DocumentType.INVOICE_ITEM_ADJUSTMENT].sources}
        assert kinds <= {SourceKind.DOCUMENT_FIELD, SourceKind.TRANSACTION}, row.name


def test_what_no_standalone_transaction_carries_is_what_the_pages_name() -> None:
    """Original invoice line, sales order line, original sales order line (MAP)."""
    assert [row.name for row in FIELD_ROWS if row.not_when_standalone] == [
        "OriginalInvoiceLineId",
        "OriginalSalesOrderLineItemId",
        "SalesOrderLineId",
        "SalesOrderLineNumber",
    ]


def test_an_origin_reads_as_a_sentence_part() -> None:
    by_name = {row.name: row for row in FIELD_ROWS}
    of_memo = by_name["OriginalInvoiceLineId"].origins[DocumentType.CREDIT_MEMO]
    assert str(of_memo) == (
        "item sourceItemId, where sourceItemType is InvoiceDetail; "
        "else item creditFromItemId, where creditFromItemSource is InvoiceItem"
    )
    price = by_name["UnitSalePrice"].origins[DocumentType.INVOICE]
    assert str(price) == "item unitPrice, where processingType is not Discount"
    assert str(by_name["FxRate"].origins[DocumentType.INVOICE]).startswith("none: ")
