"""Documents as REST shapes and back, and files of anything: exact, complete, and never an exception."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from attrs import evolve
from hypothesis import example, given
from hypothesis import strategies as st

from regen_core.documents import (
    AdjustmentKind,
    BillingDocument,
    BillingItem,
    CarriedFields,
    DocumentType,
    ItemSource,
    ProcessingType,
)
from regen_core.testing import strategies as ours
from regen_core.wire.reading import BadInput, DocumentReader, ReadDocument, read_file
from regen_core.wire.shapes import read_document
from regen_core.wire.strict_json import JsonValue, dump

ADJUSTMENT = DocumentType.INVOICE_ITEM_ADJUSTMENT
SOURCES = {
    ItemSource.SUBSCRIPTION: "Subscription",
    ItemSource.STANDALONE: "Standalone",
    ItemSource.ORDER_LINE_ITEM: "OrderLineItem",
    ItemSource.INVOICE: "Invoice",
    ItemSource.PRODUCT_RATE_PLAN_CHARGE: "ProductRatePlanCharge",
    ItemSource.CREDIT_MEMO: "CreditMemo",
}
NUMBER_AND_DATE = {
    DocumentType.INVOICE: ("invoiceNumber", "invoiceDate"),
    DocumentType.CREDIT_MEMO: ("number", "creditMemoDate"),
    DocumentType.DEBIT_MEMO: ("number", "debitMemoDate"),
}
OTHERS = st.dictionaries(
    st.sampled_from(["accountId", "comment", "balance", "name__c", "taxCode"]),
    st.none() | st.booleans() | st.text(st.characters(codec="utf-8", exclude_characters="\0")),
    max_size=3,
)
"""Fields that no rule needs."""


def told(**facts: object) -> dict[str, Any]:
    """The facts that are told at all."""
    return {name: fact for name, fact in facts.items() if fact is not None}


def item_companion(item: BillingItem) -> dict[str, Any]:
    return told(
        source=item.source and SOURCES[item.source],
        bookingAmount=item.booking_amount,
        bookingExcluded=item.booking_excluded,
        accountLevelDiscount=item.account_level_discount,
        calculatedChargeModel=item.calculated_charge_model,
        chargeDeleted=item.charge_deleted,
        orderLineItemCategory=item.order_line_category and item.order_line_category.value,
    )


def rest_item(draw: st.DrawFn, kind: DocumentType, item: BillingItem) -> dict[str, Any]:
    amount = str(item.amount) if draw(st.booleans()) else item.amount
    name = "chargeAmount" if kind is DocumentType.INVOICE else "amountWithoutTax"
    return {
        **draw(OTHERS),
        "id": item.id,
        name: amount,
        "processingType": "Prepayment" if item.processing_type is ProcessingType.OTHER else item.processing_type.value,
        "excludeItemBillingFromRevenueAccounting": draw(flag(item.excluded_from_revenue)),
        "regenCore": item_companion(item),
    }


def flag(value: bool) -> st.SearchStrategy[Any]:
    return st.sampled_from([value, str(value).lower(), str(value)])


def rest_document(draw: st.DrawFn, document: BillingDocument) -> dict[str, Any]:
    """The document as Zuora's REST API would return it, what it has no field for beside it."""
    header, kind = document.header, document.type
    companion = told(type=kind.value, org=header.org, fromReversal=header.from_reversal)
    if kind is ADJUSTMENT:
        return rest_adjustment(draw, document, companion)
    number, day = NUMBER_AND_DATE[kind]
    items_key = draw(st.sampled_from(["invoiceItems", "items"])) if kind is DocumentType.INVOICE else "items"
    return {
        **draw(OTHERS),
        **told(reasonCode=header.reason_code),
        "id": document.id,
        number: header.number,
        day: header.date.isoformat() + draw(st.sampled_from(["", " 10:00:00", "T23:59:59.999-08:00"])),
        "status": header.status,
        "currency": header.currency,
        "success": True,
        "regenCore": companion,
        items_key: [rest_item(draw, kind, item) for item in document.items],
    }


def rest_adjustment(draw: st.DrawFn, document: BillingDocument, companion: Mapping[str, Any]) -> dict[str, Any]:
    header, [item] = document.header, document.items
    assert item.adjustment_kind is not None
    words = {ProcessingType.TAX: "Tax", ProcessingType.CHARGE: "InvoiceDetail"}
    return {
        **draw(OTHERS),
        **told(ReasonCode=header.reason_code),
        "Id": document.id,
        "AdjustmentNumber": header.number,
        "AdjustmentDate": header.date.isoformat(),
        "Status": header.status,
        "Amount": item.amount,
        "Type": item.adjustment_kind.value,
        "SourceType": words.get(item.processing_type, "Other"),
        "ExcludeItemBillingFromRevenueAccounting": draw(flag(item.excluded_from_revenue)),
        "regenCore": {**companion, **item_companion(item), "currency": header.currency},
    }


def as_shapes_have_it(document: BillingDocument) -> BillingDocument:
    """An adjustment's amount has no sign, and no adjustment is a discount."""
    if document.type is not ADJUSTMENT:
        return document
    [item] = document.items
    kind = item.processing_type
    other = ProcessingType.OTHER if kind is ProcessingType.DISCOUNT else kind
    return evolve(document, items=(evolve(item, amount=abs(item.amount), processing_type=other),))


@st.composite
def rest_documents(draw: st.DrawFn) -> tuple[BillingDocument, dict[str, Any]]:
    """A document and its REST object."""
    document = as_shapes_have_it(draw(ours.documents(posted=None, mappable=None)))
    return document, rest_document(draw, document)


def without_the_carried(document: BillingDocument) -> BillingDocument:
    nothing = CarriedFields()
    items = tuple(evolve(item, carried=nothing) for item in document.items)
    return BillingDocument(evolve(document.header, carried=nothing), items)


class TestRoundTrips:
    """A document told in a shape and its companion fields is read back as it was."""

    @given(rest_documents())
    def test_every_fact_comes_back_and_nothing_is_assumed(self, pair: tuple[BillingDocument, dict[str, Any]]) -> None:
        """All facts were told, so none is derived (FCT-5 … FCT-11)."""
        document, raw = pair
        read = read_document(raw, tenant=document.key.tenant, entity=document.key.entity)
        assert isinstance(read, BillingDocument), read
        assert without_the_carried(read) == document
        assert [str(item.amount) for item in read.items] == [str(item.amount) for item in document.items]

    @given(rest_documents(), st.booleans())
    def test_fields_that_no_rule_needs_are_carried_unharmed(
        self, pair: tuple[BillingDocument, dict[str, Any]], in_file: bool
    ) -> None:
        """Each value as it came, whichever way it was read."""
        document, raw = pair
        read: object = read_document(raw, tenant=document.key.tenant, entity=document.key.entity)
        if in_file:
            key = document.key
            [found] = read_file([dump(raw).encode()], name="a", tenant=key.tenant, entity=key.entity)
            assert isinstance(found, ReadDocument)
            assert found.document == read
        assert isinstance(read, BillingDocument)
        assert {
            "accountId",
            "comment",
            "balance",
            "name__c",
            "taxCode",
        } & raw.keys() <= read.header.carried.fields.keys()
        for name, value in read.header.carried.fields.items():
            assert raw[name] == value
        nested = raw.get("invoiceItems", raw.get("items", []))
        for item, given_item in zip(read.items, nested, strict=False):
            assert all(given_item[name] == value for name, value in item.carried.fields.items())

    @given(rest_documents(), st.data())
    def test_items_may_come_in_pages(self, pair: tuple[BillingDocument, dict[str, Any]], data: st.DataObject) -> None:
        """Any cut into pages and any order of the parts give the document that nesting gives."""
        document, raw = pair
        key = "invoiceItems" if "invoiceItems" in raw else "items"
        if key not in raw:
            return
        items = raw.pop(key)
        cuts = sorted(data.draw(st.lists(st.integers(0, len(items)), max_size=3)))
        parts = [items[start:end] for start, end in zip([0, *cuts], [*cuts, len(items)], strict=True)]
        companion = {"documentId": document.id, "type": document.type.value}
        pages: list[dict[str, Any]] = [
            {key: part, "regenCore": companion, "nextPage": f"https://rest.zuora.com/items?page={number + 1}"}
            for number, part in enumerate(parts, 1)
        ]
        del pages[-1]["nextPage"]
        files = data.draw(st.permutations([raw, *pages]))
        reader = DocumentReader(tenant=document.key.tenant, entity=document.key.entity)
        found = [
            each for number, part in enumerate(files) for each in reader.read([dump(part).encode()], name=str(number))
        ]
        found.extend(reader.finish())
        [joined] = found
        nested = read_document({**raw, key: items}, tenant=document.key.tenant, entity=document.key.entity)
        assert isinstance(joined, ReadDocument), joined
        assert joined.document == nested

    @given(ours.amounts() | st.decimals(-(10**17), 10**17, places=18), st.booleans())
    def test_amounts_are_exact(self, amount: Decimal, as_text: bool) -> None:
        """FCT-9: every digit and every place."""
        given_amount = str(amount) if as_text else amount
        item: dict[str, JsonValue] = {"id": "i", "amount": given_amount, "taxAmount": "0.000000000000000001"}
        raw: dict[str, JsonValue] = {
            "id": "m",
            "number": "N",
            "debitMemoDate": "2026-01-31",
            "status": "Posted",
            "currency": "EUR",
        }
        line = dump({**raw, "items": [item, {"id": "j", "amountWithoutTax": given_amount}]})
        [found] = read_file([line.encode()], name="a", tenant="t", entity="e")
        assert isinstance(found, ReadDocument), found
        net, stated = found.document.items
        assert str(stated.amount) in {str(amount), str(amount).replace("-0", "0", 1)}
        assert Fraction(amount) - Fraction(net.amount) == Fraction(1, 10**18)
        assert net.assumed[0].rule_id == "FCT-9"


NAMES = [
    "id",
    "Id",
    "items",
    "invoiceItems",
    "regenCore",
    "type",
    "success",
    "reasons",
    "nextPage",
    "invoices",
    "records",
    "invoiceNumber",
    "creditMemoDate",
    "AdjustmentDate",
    "InvoiceId",
    "documentId",
    "fields",
    "currency",
    "sourceType",
    "taxationItems",
    "amount",
    "invoiceId",
]
"""Field names that mean something to the reader."""

MEANINGLESS: list[JsonValue] = [None, True, 7, Decimal("1.5"), "", "x", "\n", [], [7], {}, {"a": 1}]


@st.composite
def broken_documents(draw: st.DrawFn) -> tuple[dict[str, Any], set[str]]:
    """A document in which some required fields are gone or meaningless, and their paths."""
    raw: dict[str, Any] = {
        "regenCore": {"type": "Invoice"},
        "id": "a",
        "invoiceNumber": "INV-1",
        "invoiceDate": "2026-01-31",
        "status": "Posted",
        "currency": "EUR",
        "invoiceItems": [{"id": f"i{number}", "chargeAmount": number} for number in range(3)],
    }
    paths = {f"$.{name}" for name in raw if name not in {"regenCore", "invoiceItems"}}
    paths |= {f"$.invoiceItems[{at}].{name}" for at in range(3) for name in ("id", "chargeAmount")}
    broken = draw(st.sets(st.sampled_from(sorted(paths)), min_size=1))
    for path in sorted(broken):
        place = raw
        if "[" in path:
            place = raw["invoiceItems"][int(path[15])]
        name = path.rpartition(".")[2]
        place[name] = draw(st.sampled_from([None, [], {}, True, "\n"]))
        if place[name] is None and draw(st.booleans()):
            del place[name]
    return raw, broken


class TestFaults:
    """Whatever comes, it is a document or a fault with its place."""

    @given(broken_documents())
    def test_all_faults_of_a_document_at_once(self, pair: tuple[dict[str, Any], set[str]]) -> None:
        """Exactly those, each once."""
        raw, broken = pair
        found = read_document(raw, tenant="t", entity="e")
        assert not isinstance(found, BillingDocument)
        assert sorted(fault.path for fault in found) == sorted(broken)

    @given(rest_documents(), st.data())
    def test_any_value_anywhere_is_read_or_told(
        self, pair: tuple[BillingDocument, dict[str, Any]], data: st.DataObject
    ) -> None:
        """One field of a good document after the other is replaced by something else."""
        _, raw = pair
        places: list[dict[str, Any]] = [raw, raw["regenCore"]]
        for item in raw.get("invoiceItems", raw.get("items", [])):
            places += [item, item["regenCore"]]
        place = data.draw(st.sampled_from([each for each in places if each]))
        place[data.draw(st.sampled_from(sorted(place)))] = data.draw(st.sampled_from(MEANINGLESS))
        found = list(read_file([dump(raw).encode()], name="a", tenant="t", entity="e"))
        assert all(isinstance(each, ReadDocument) or each.message for each in found)
        assert len(found) <= 1 or all(isinstance(each, BadInput) for each in found)

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8"), max_size=8),
            lambda parts: (
                st.lists(parts, max_size=3)
                | st.dictionaries(
                    st.sampled_from(NAMES),
                    parts,
                    max_size=5,
                )
            ),
            max_leaves=20,
        )
    )
    @example({"items": [], "regenCore": {"documentId": "\0"}})
    def test_any_json_is_read_or_told(self, value: Any) -> None:
        """Never an exception."""
        try:
            line = dump(value).encode()
        except TypeError:
            return
        for each in read_file([line, line], name="a", tenant="t", entity="e"):
            assert isinstance(each, ReadDocument) or each.message

    @given(
        st.lists(
            st.binary(max_size=30) | st.sampled_from([b"{", b"[", b"}", b"{}", b"[1,", b'{"id": 1}\r']), max_size=6
        )
    )
    def test_any_lines_are_read_or_told(self, lines: list[bytes]) -> None:
        """Never an exception, and never silence."""
        found = list(read_file([line + b"\n" for line in lines], name="a", tenant="t", entity="e"))
        assert all(isinstance(each, BadInput) and each.message for each in found)

    @given(st.lists(rest_documents(), max_size=6), st.integers(0, 6))
    def test_good_lines_come_out_beside_a_bad_one(
        self, pairs: list[tuple[BillingDocument, dict[str, Any]]], position: int
    ) -> None:
        """What is told of the others does not depend on it."""
        lines = [dump(raw).encode() + b"\n" for _, raw in pairs]
        alone = [each for each in read_file(lines, name="a", tenant="t", entity="e") if lines]
        lines.insert(min(position, len(lines)), b'{"id": NaN}\n')
        beside = list(read_file(lines, name="a", tenant="t", entity="e"))
        documents = [each.document for each in beside if isinstance(each, ReadDocument)]
        assert documents == [each.document for each in alone if isinstance(each, ReadDocument)]
        assert sum(isinstance(each, BadInput) for each in beside) == (
            sum(isinstance(each, BadInput) for each in alone) + 1
        )


def test_the_kinds_of_adjustments_are_the_words_of_the_shape() -> None:
    """What the rendering above relies on."""
    assert {kind.value for kind in AdjustmentKind} == {"Credit", "Charge"}
