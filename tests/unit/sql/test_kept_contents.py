"""What a store kept of a document is read as its classes would have it, or not at all."""

from __future__ import annotations

import json
from typing import Any

import pytest
from attrs import evolve

from regen_core.adapters.sql.contents import content_of_row, content_row, header_of_text, header_text, item_of_text
from regen_core.documents import Assumption, BillingDocument, CarriedFields
from regen_core.wire.codec import NotCanonical
from tests.conformance.conftest import invoice

DOCUMENT = invoice("d1", id="d1", items=(("i1", "10.00"), ("i2", "0.1")))
HEADER = json.loads(header_text(DOCUMENT.header))


def kept(**columns: Any) -> BillingDocument:
    """The document, read from its columns but for those that are given."""
    names = ("header", "header_carried", "items", "items_carried")
    row = dict(zip(names, content_row(DOCUMENT), strict=True)) | columns
    return content_of_row(DOCUMENT.key, tuple(row.values())).document


def test_all_that_is_derived_is_there() -> None:
    """No constructor runs, and what it would have derived is equal all the same."""
    read = kept()
    assert read == DOCUMENT
    assert read.header.is_posted is DOCUMENT.header.is_posted is True
    assert read.revenue_item_ids == ("i1", "i2")
    assert type(read.header) is type(DOCUMENT.header)
    assert hash(read) == hash(DOCUMENT)


def test_nothing_of_it_can_be_set() -> None:
    """It is as frozen as any other."""
    for value, name in ((kept().header, "number"), (kept().items[0], "amount")):
        with pytest.raises(AttributeError):
            setattr(value, name, "other")


def test_assumptions_and_carried_fields_come_back() -> None:
    """Both are values of their own classes."""
    assumed = (Assumption("booking_excluded", "false", "FCT-1"),)
    items = (evolve(DOCUMENT.items[0], assumed=assumed, carried=CarriedFields('{"a":"é"}')), DOCUMENT.items[1])
    told = evolve(DOCUMENT, items=items)
    assert content_of_row(told.key, content_row(told)).document == told


@pytest.mark.parametrize(
    "item",
    [
        *(None, [], "x", {}, {"id": "i1"}, {"amount": "1"}, {"id": "", "amount": "1"}, {"id": 1, "amount": "1"}),
        *[{"id": "i1", "amount": amount} for amount in (1, 1.5, "NaN", "1_0", " 1", "\u0661", None)],
        *[{"id": "i1", "amount": "1", "booking_amount": amount} for amount in (1, "NaN", "1_0", "")],
        *[{"id": "i1", "amount": "1", "booking_excluded": fact} for fact in (1, "true")],
        {"id": "i1", "amount": "1", "excluded_from_revenue": None},
        {"id": "i\n", "amount": "1"},
        {"id": "i1", "amount": "1", "source": "somewhere"},
        {"id": "i1", "amount": "1", "source": []},
        {"id": "i1", "amount": "1", "assumed": [{"fact": "x"}]},
        {"id": "i1", "amount": "1", "unheard_of": "somewhere"},
        {"id": "i1", "amount": "1", "carried": "{}"},
    ],
)
def test_an_item_that_no_store_kept(item: object) -> None:
    """The constructor is spared, not its checks; no message repeats a value."""
    with pytest.raises(NotCanonical, match="content of a document") as raised:
        item_of_text(json.dumps(item), "{}")
    assert "somewhere" not in str(raised.value)
    with pytest.raises(NotCanonical):
        kept(items=json.dumps([item, item]))


@pytest.mark.parametrize(
    "changed",
    [
        *({"number": value} for value in ("", 1, None, "n\n")),
        *({"status": value} for value in ("\x00", 1, None)),
        *({"currency": value} for value in ("eur", "EURO", "", "E\x00R", 978)),
        *({"date": value} for value in ("2026-02-30", "2026-1-1", "2026-01-31T00:00:00", 1, None)),
        *({"org": value} for value in ("", 1)),
        *({"reason_code": value} for value in ("\x00", 1)),
        *({"from_reversal": value} for value in (1, "true")),
        {"is_posted": True},
        {"key": {}},
        {"unheard_of": 1},
    ],
)
def test_a_header_that_no_store_kept(changed: dict[str, object]) -> None:
    """Of each field what its class refuses, and what is derived is not taken from anybody."""
    with pytest.raises(NotCanonical):
        header_of_text(json.dumps({**HEADER, **changed}), DOCUMENT.key, "{}")
    with pytest.raises(NotCanonical):
        kept(header=json.dumps({**HEADER, **changed}))


@pytest.mark.parametrize("name", sorted(HEADER))
def test_a_header_that_lacks_a_field(name: str) -> None:
    """What has no default has to be there."""
    with pytest.raises(NotCanonical):
        kept(header=json.dumps({each: told for each, told in HEADER.items() if each != name}))


@pytest.mark.parametrize(
    "columns",
    [
        *({"header": text} for text in ("", "{", "[]", "null", None, 1)),
        *({"items": text} for text in ("", "[", "{}", "null", None, 1)),
        *({"items_carried": text} for text in ("", "{}", "{}\x1e{}\x1e{}", "{}\x1e", "{}\x1ex", None)),
        *({"header_carried": text} for text in ("", "[]", None)),
        {"items": '[{"id":"i1","amount":"1"},{"id":"i1","amount":"1"}]'},
        {"items": "[]"},
    ],
)
def test_columns_that_no_store_wrote(columns: dict[str, object]) -> None:
    """No item is lost where the columns don't fit each other."""
    with pytest.raises(NotCanonical):
        kept(**columns)


def test_a_document_without_items() -> None:
    """Its column of carried fields is empty."""
    empty = evolve(DOCUMENT, items=())
    assert content_of_row(empty.key, content_row(empty)).document == empty
