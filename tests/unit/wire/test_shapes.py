"""Where each fact of a document comes from: Zuora's fields, companion fields, and the rules where neither tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from regen_core.documents import (
    AdjustmentKind,
    Assumption,
    BillingDocument,
    BillingItem,
    DocumentType,
    ItemSource,
    OrderLineCategory,
    ProcessingType,
)
from regen_core.wire.shapes import Fault, document_type, read_document

Raw = dict[str, Any]


def invoice(*items: Any, **fields: Any) -> Raw:
    """An invoice as it is retrieved, with its items nested."""
    return {
        "success": True,
        "id": "2c92c0f96a1b4c0d016a1b5e3f7a0001",
        "invoiceNumber": "INV00000001",
        "invoiceDate": "2026-01-31",
        "status": "Posted",
        "currency": "EUR",
        "invoiceItems": list(items),
        **fields,
    }


def credit_memo(*items: Raw, **fields: Any) -> Raw:
    return {
        "id": "402890555a7e9791015a7f15fe44001f",
        "number": "CM00000001",
        "creditMemoDate": "2026-02-10",
        "status": "Posted",
        "currency": "USD",
        "items": list(items),
        **fields,
    }


def debit_memo(*items: Raw, **fields: Any) -> Raw:
    memo = credit_memo(*items, number="DM00000001", debitMemoDate="2026-02-11", **fields)
    del memo["creditMemoDate"]
    return memo


def adjustment(**fields: Any) -> Raw:
    return {
        "Id": "40288060-0000-4000-8000-000000000001",
        "AdjustmentNumber": "IIA-00000001",
        "AdjustmentDate": "2026-03-01",
        "Status": "Processed",
        "Amount": "12.5",
        "Type": "Credit",
        "SourceType": "InvoiceDetail",
        "InvoiceId": "2c92c0f96a1b4c0d016a1b5e3f7a0001",
        "ExcludeItemBillingFromRevenueAccounting": False,
        **fields,
    }


def item(**fields: Any) -> Raw:
    """An invoice item that leaves nothing to be assumed."""
    return {
        "id": "i1",
        "chargeAmount": "10.00",
        "sourceItemType": "SubscriptionComponent",
        "processingType": "Charge",
        "excludeItemBillingFromRevenueAccounting": False,
        **fields,
    }


def memo_item(**fields: Any) -> Raw:
    given = {**item(), "amountWithoutTax": "10.00", **fields}
    del given["chargeAmount"]
    return {name: value for name, value in given.items() if value is not ...}


def read(raw: Mapping[str, Any], **options: Any) -> BillingDocument:
    found = read_document(raw, tenant="t", entity="e", **options)
    assert isinstance(found, BillingDocument), [fault.message for fault in found]
    return found


def first(raw: Mapping[str, Any], **options: Any) -> BillingItem:
    return read(raw, **options).items[0]


def faults(raw: Mapping[str, Any], **options: Any) -> dict[str, str]:
    """What is wrong, by path."""
    found = read_document(raw, tenant="t", entity="e", **options)
    assert not isinstance(found, BillingDocument)
    assert all(fault.found and fault.expected and fault.do for fault in found)
    return {fault.path: fault.found for fault in found}


class TestWhatIsStated:
    """What the shapes say is taken as it is, and nothing is assumed."""

    def test_an_invoice(self) -> None:
        """Each header attribute from its field."""
        raw = invoice(item(), organizationLabel="north", reasonCode="Other", accountId="a1", nextPage=None)
        header = read(raw).header
        assert (header.key.tenant, header.key.entity, header.key.type) == ("t", "e", DocumentType.INVOICE)
        assert (header.key.id, header.number) == (raw["id"], "INV00000001")
        assert (header.status, header.date, header.currency) == ("Posted", date(2026, 1, 31), "EUR")
        assert (header.org, header.reason_code, header.from_reversal) == ("north", "Other", None)
        assert header.assumed == ()
        assert header.carried.text == '{"accountId":"a1"}'

    @pytest.mark.parametrize(
        ("raw", "kind"),
        [
            (invoice(item()), DocumentType.INVOICE),
            (credit_memo(memo_item()), DocumentType.CREDIT_MEMO),
            (debit_memo(memo_item()), DocumentType.DEBIT_MEMO),
        ],
    )
    def test_an_item(self, raw: Raw, kind: DocumentType) -> None:
        """The amount without tax is the amount; what the fact doesn't keep stays carried."""
        document = read(raw)
        assert document.type is kind
        assert document.items == (
            BillingItem(
                id="i1",
                amount=Decimal("10.00"),
                source=ItemSource.SUBSCRIPTION,
                carried=document.items[0].carried,
            ),
        )
        assert document.items[0].carried.fields == {
            "sourceItemType": "SubscriptionComponent",
            "processingType": "Charge",
        }

    def test_an_adjustment_is_its_own_item(self) -> None:
        """Amount and Type are kept as facts, all else is carried by the header."""
        document = read(adjustment(regenCore={"currency": "EUR"}, Comment="x"))
        assert document.items == (
            BillingItem(id=document.id, amount=Decimal("12.5"), adjustment_kind=AdjustmentKind.CREDIT),
        )
        assert document.header.assumed == ()
        assert document.header.carried.fields == {
            "Comment": "x",
            "InvoiceId": "2c92c0f96a1b4c0d016a1b5e3f7a0001",
            "SourceType": "InvoiceDetail",
        }

    @pytest.mark.parametrize(
        ("given", "amount"),
        [(10, "10"), (Decimal("10.10"), "10.10"), ("10.10", "10.10"), ("-2.50", "-2.50"), ("1e2", "1E+2"), ("0", "0")],
    )
    def test_amounts_come_as_numbers_and_as_text(self, given: object, amount: str) -> None:
        """Exactly, with their places."""
        assert str(first(invoice(item(chargeAmount=given))).amount) == amount

    @pytest.mark.parametrize(
        ("given", "flag"),
        [(True, True), (False, False), ("true", True), ("false", False), ("True", True), ("False", False)],
    )
    def test_booleans_come_as_such_and_as_text(self, given: object, flag: bool) -> None:
        """CRUD shapes print them as text."""
        raw = adjustment(ExcludeItemBillingFromRevenueAccounting=given, regenCore={"currency": "EUR"})
        assert first(raw).excluded_from_revenue is flag

    @pytest.mark.parametrize(
        "given",
        [
            "2026-01-31T23:59:59.000-08:00",
            "2026-01-31T23:59:59Z",
            "2026-01-31 10:00:00",
            "2026-01-31T10:00+0100",
            "2026-01-31 10:00:00 +01:00",
        ],
    )
    def test_a_time_where_a_date_belongs_gives_its_date(self, given: str) -> None:
        """The day as written, whatever the offset; the whole time stays carried."""
        header = read(invoice(invoiceDate=given)).header
        assert header.date == date(2026, 1, 31)
        assert header.carried.fields == {"invoiceDate": given}

    @pytest.mark.parametrize(
        ("word", "kind"),
        [
            ("Charge", ProcessingType.CHARGE),
            ("Discount", ProcessingType.DISCOUNT),
            ("Tax", ProcessingType.TAX),
            ("Prepayment", ProcessingType.OTHER),
            ("CommitmentTrueUp", ProcessingType.OTHER),
        ],
    )
    def test_processing_types(self, word: str, kind: ProcessingType) -> None:
        """FCT-8: what Zuora names beyond the three is another."""
        assert first(invoice(item(processingType=word))).processing_type is kind

    @pytest.mark.parametrize(
        ("word", "kind"),
        [("InvoiceDetail", ProcessingType.CHARGE), ("Tax", ProcessingType.TAX), ("Other", ProcessingType.OTHER)],
    )
    def test_an_adjustment_of_a_tax_item_is_a_tax_line(self, word: str, kind: ProcessingType) -> None:
        """TAX-1."""
        assert first(adjustment(SourceType=word, regenCore={"currency": "EUR"})).processing_type is kind

    def test_facts_that_the_mapping_assumes_later_are_not_assumed_here(self) -> None:
        """MAP-S, MAP-R, FCT-1 … FCT-4 stay untold."""
        found = first(invoice(item()))
        assert found.booking_amount is None
        assert found.booking_excluded is None
        assert found.account_level_discount is None
        assert found.calculated_charge_model is None
        assert found.charge_deleted is None
        assert found.order_line_category is None
        assert found.assumed == ()


class TestTheSourceOfAnItem:
    """FCT-6: the companion, else the item's word, else what the document's word implies, else unknown."""

    @pytest.mark.parametrize(
        ("shape", "word", "source"),
        [
            (invoice, "SubscriptionComponent", ItemSource.SUBSCRIPTION),
            (invoice, "OrderLineItem", ItemSource.ORDER_LINE_ITEM),
            (invoice, "ProductRatePlanCharge", ItemSource.STANDALONE),
            (credit_memo, "SubscriptionComponent", ItemSource.SUBSCRIPTION),
            (credit_memo, "OrderLineItem", ItemSource.ORDER_LINE_ITEM),
            (credit_memo, "ProductRatePlanCharge", ItemSource.PRODUCT_RATE_PLAN_CHARGE),
            (credit_memo, "InvoiceDetail", ItemSource.INVOICE),
            (credit_memo, "CreditMemoItem", ItemSource.CREDIT_MEMO),
            (debit_memo, "InvoiceDetail", ItemSource.INVOICE),
            (debit_memo, "CreditMemoItem", ItemSource.CREDIT_MEMO),
        ],
    )
    def test_the_items_word_wins_over_the_documents(
        self, shape: Callable[..., Raw], word: str, source: ItemSource
    ) -> None:
        """Stated, so nothing is assumed."""
        build = item if shape is invoice else memo_item
        found = first(shape(build(sourceItemType=word), sourceType="Standalone"))
        assert found.source is source
        assert found.assumed == ()

    @pytest.mark.parametrize("silent", ["Rounding", "None", "Surcharge", None])
    @pytest.mark.parametrize(
        ("shape", "word", "source"),
        [
            (invoice, "Subscription", ItemSource.SUBSCRIPTION),
            (invoice, "Standalone", ItemSource.STANDALONE),
            (credit_memo, "Subscription", ItemSource.SUBSCRIPTION),
            (credit_memo, "Standalone", ItemSource.PRODUCT_RATE_PLAN_CHARGE),
            (credit_memo, "Invoice", ItemSource.INVOICE),
            (debit_memo, "Standalone", ItemSource.STANDALONE),
            (debit_memo, "Invoice", ItemSource.INVOICE),
        ],
    )
    def test_an_item_that_is_silent_goes_by_its_document(
        self, shape: Callable[..., Raw], word: str, source: ItemSource, silent: str | None
    ) -> None:
        """What is taken from the document is shown as assumed."""
        build = item if shape is invoice else memo_item
        found = first(shape(build(sourceItemType=silent), sourceType=word))
        assert found.source is source
        [assumption] = found.assumed
        assert (assumption.fact, assumption.rule_id) == ("source of the item", "FCT-6")
        assert assumption.value.startswith(source.value)

    @pytest.mark.parametrize("word", ["Order", "Consolidation", "CreditMemo", "", None, 7])
    def test_a_source_that_nothing_tells_stays_unknown(self, word: object) -> None:
        """MAP-U: never guessed."""
        found = first(invoice(item(sourceItemType="Rounding"), sourceType=word))
        assert found.source is None
        assert found.assumed == ()

    @pytest.mark.parametrize(
        ("word", "source"),
        [
            ("Subscription", ItemSource.SUBSCRIPTION),
            ("Standalone", ItemSource.STANDALONE),
            ("OrderLineItem", ItemSource.ORDER_LINE_ITEM),
            ("Invoice", ItemSource.INVOICE),
            ("ProductRatePlanCharge", ItemSource.PRODUCT_RATE_PLAN_CHARGE),
            ("CreditMemo", ItemSource.CREDIT_MEMO),
        ],
    )
    def test_the_companion_wins(self, word: str, source: ItemSource) -> None:
        """FCT-10: alone it is given, not assumed."""
        found = first(invoice(item(sourceItemType=None, regenCore={"source": word}), sourceType="Subscription"))
        assert found.source is source
        assert found.assumed == ()


class TestTheBilledAmount:
    """FCT-9."""

    def amount(self, **fields: Any) -> tuple[str, list[str]]:
        found = first(credit_memo(memo_item(amountWithoutTax=..., **fields)))
        return str(found.amount), [each.rule_id for each in found.assumed]

    def test_without_a_net_amount_the_tax_is_deducted(self) -> None:
        """And the plan shows it."""
        assert self.amount(amount="11.90", taxAmount=Decimal("1.90")) == ("10.00", ["FCT-9"])

    def test_an_absent_tax_is_zero(self) -> None:
        """The amount as it stands."""
        assert self.amount(amount="11.90") == ("11.90", ["FCT-9"])

    def test_the_amount_of_a_tax_exclusive_item_is_net(self) -> None:
        """Its tax stands beside it, not in it."""
        assert self.amount(amount="10.00", taxMode="TaxExclusive", taxAmount="1.90") == ("10.00", ["FCT-9"])

    @pytest.mark.parametrize(
        "lines",
        [
            {"taxationItems": {"data": [{"taxAmount": Decimal("1.5")}, {"taxAmount": "0.40"}], "nextPage": None}},
            {"creditTaxItems": [{"taxAmount": Decimal("1.50")}, {"taxAmount": Decimal("0.40")}]},
            {"taxItems": [{"taxAmount": "1.50"}, {"taxAmount": "0.40"}]},
        ],
    )
    def test_tax_lines_are_summed(self, lines: Raw) -> None:
        """Memo items list their tax instead of stating it."""
        assert self.amount(amount="11.90", taxMode="TaxInclusive", **lines) == ("10.00", ["FCT-9"])

    @pytest.mark.parametrize(
        ("lines", "path"),
        [
            ({"taxationItems": {"data": [], "nextPage": "https://rest.zuora.com/next"}}, "taxationItems.data"),
            ({"taxationItems": 7}, "taxationItems"),
            ({"taxItems": [{"taxAmount": "x"}]}, "taxItems[0].taxAmount"),
            ({"taxItems": [True]}, "taxItems[0].taxAmount"),
            ({"taxAmount": "many"}, "taxAmount"),
        ],
    )
    def test_tax_that_is_not_known_in_full_is_a_fault(self, lines: Raw, path: str) -> None:
        """A wrong net amount would go unnoticed."""
        raw = credit_memo(memo_item(amountWithoutTax=..., amount="11.90", **lines))
        assert list(faults(raw)) == [f"$.items[0].{path}"]

    def test_the_net_amount_wins(self) -> None:
        """Nothing is derived where it is stated; the others stay carried."""
        found = first(credit_memo(memo_item(amount="11.90", taxAmount="5")))
        assert found.amount == 10
        assert found.assumed == ()
        assert found.carried.fields["amount"] == "11.90"

    def test_neither_amount_is_a_fault(self) -> None:
        """Told at the field that should be there."""
        assert list(faults(credit_memo(memo_item(amountWithoutTax=...)))) == ["$.items[0].amountWithoutTax"]

    @pytest.mark.parametrize("field", ["sourceItemType", "processingType"])
    def test_a_word_is_text(self, field: str) -> None:
        """Any word, but a word."""
        assert list(faults(invoice(item(**{field: 7})))) == [f"$.invoiceItems[0].{field}"]

    @pytest.mark.parametrize("given", ["9" * 19, "1E+18", "0." + "1" * 19, "1e-19"])
    def test_amounts_have_bounded_digits(self, given: str) -> None:
        """18 on each side of the point."""
        assert list(faults(invoice(item(chargeAmount=given)))) == ["$.invoiceItems[0].chargeAmount"]
        assert first(invoice(item(chargeAmount="-" + "9" * 18 + "." + "9" * 18))).amount

    def test_a_difference_has_bounded_digits_too(self) -> None:
        """Deducting may not grow beyond the bound, nor round."""
        most = "9" * 18
        raw = credit_memo(memo_item(amountWithoutTax=..., amount=most, taxAmount="-" + most))
        assert list(faults(raw)) == ["$.items[0].amount"]
        assert self.amount(amount=most, taxAmount="0." + "0" * 17 + "1") == ("9" * 17 + "8." + "9" * 18, ["FCT-9"])


class TestWhatIsAssumed:
    """Every assumption has its rule, and nothing else is called one."""

    def test_an_item_that_says_nothing(self) -> None:
        """FCT-5 and FCT-8."""
        found = first(invoice({"id": "i1", "chargeAmount": 1}))
        assert found.assumed == (
            Assumption("processing type", "Charge", "FCT-8"),
            Assumption("excluded from revenue accounting", "no", "FCT-5"),
        )
        assert (found.source, found.excluded_from_revenue) == (None, False)
        assert found.processing_type is ProcessingType.CHARGE

    def test_null_is_like_a_field_that_is_not_there(self) -> None:
        """Exports write one or the other."""
        silent = first(invoice({"id": "i1", "chargeAmount": 1}))
        nulls = {"sourceItemType": None, "processingType": None, "excludeItemBillingFromRevenueAccounting": None}
        assert first(invoice({"id": "i1", "chargeAmount": 1, **nulls})) == silent

    def test_the_currency_of_an_adjustment_is_its_invoices(self) -> None:
        """FCT-7."""
        currencies = {"2c92c0f96a1b4c0d016a1b5e3f7a0001": "CHF"}
        header = read(adjustment(), currency_of_invoice=currencies.get).header
        assert header.currency == "CHF"
        assert [each.rule_id for each in header.assumed] == ["FCT-7"]

    @pytest.mark.parametrize("invoice_id", ["another", None, 7])
    def test_without_its_invoice_the_currency_must_be_given(self, invoice_id: object) -> None:
        """FCT-7: told where to put it."""
        assert list(faults(adjustment(InvoiceId=invoice_id))) == ["$.regenCore.currency"]

    def test_a_default_organisation_is_for_documents_without_one(self) -> None:
        """FCT-11: the label wins, and the default is shown as assumed."""
        assert read(invoice(organizationLabel="north"), default_org="south").header.org == "north"
        assumed = read(invoice(), default_org="south").header
        assert assumed.org == "south"
        assert [each.rule_id for each in assumed.assumed] == ["FCT-11"]
        assert read(invoice()).header.assumed == ()


class TestCompanions:
    """FCT-10: what our own fields say wins."""

    def test_facts_that_no_shape_has(self) -> None:
        """All of them, on an item."""
        companion = {
            "bookingAmount": "-3.00",
            "bookingExcluded": True,
            "accountLevelDiscount": False,
            "calculatedChargeModel": True,
            "chargeDeleted": False,
            "orderLineItemCategory": "Return",
            "fields": {"SellPrice": Decimal("12.50")},
        }
        found = first(invoice(item(regenCore=companion)))
        assert found.booking_amount == -3
        assert (found.booking_excluded, found.account_level_discount) == (True, False)
        assert (found.calculated_charge_model, found.charge_deleted) == (True, False)
        assert found.order_line_category is OrderLineCategory.RETURN
        assert found.carried.fields["regenCore"] == {"fields": {"SellPrice": Decimal("12.50")}}
        assert found.assumed == ()

    def test_facts_of_the_document(self) -> None:
        """Type, organisation and reversal; nothing of them is carried."""
        companion = {"type": "CreditMemo", "org": "north", "fromReversal": True}
        header = read({**credit_memo(), "regenCore": companion}).header
        assert (header.org, header.from_reversal) == ("north", True)
        assert header.carried.text == "{}"

    def test_an_adjustment_has_them_all_in_one_object(self) -> None:
        """It is its own item."""
        companion = {
            "currency": "EUR",
            "org": "north",
            "source": "Invoice",
            "chargeDeleted": True,
            "fromReversal": False,
        }
        document = read(adjustment(regenCore={**companion, "fields": {"SalesOrderNumber": "O-1"}}))
        assert (document.header.org, document.header.from_reversal) == ("north", False)
        assert (document.items[0].source, document.items[0].charge_deleted) == (ItemSource.INVOICE, True)
        assert document.header.carried.fields["regenCore"] == {"fields": {"SalesOrderNumber": "O-1"}}
        assert document.items[0].carried.text == "{}"

    def test_overruling_the_shape_is_noted_and_what_it_said_stays_carried(self) -> None:
        """FCT-10."""
        document = read(
            invoice(item(regenCore={"source": "OrderLineItem"}), organizationLabel="south", regenCore={"org": "north"})
        )
        assert (document.header.org, document.items[0].source) == ("north", ItemSource.ORDER_LINE_ITEM)
        assert [each.rule_id for each in (*document.header.assumed, *document.items[0].assumed)] == ["FCT-10"] * 2
        assert document.header.carried.fields == {"organizationLabel": "south"}
        assert document.items[0].carried.fields["sourceItemType"] == "SubscriptionComponent"

    def test_a_value_of_the_shape_that_is_none_is_overruled_too(self) -> None:
        """FCT-10: an export that is wrong can be corrected without touching it."""
        document = read(
            invoice(
                item(sourceItemType=7, regenCore={"source": "Standalone"}),
                currency="euro",
                regenCore={"currency": "EUR"},
            )
        )
        assert (document.header.currency, document.items[0].source) == ("EUR", ItemSource.STANDALONE)
        assert [each.rule_id for each in (*document.header.assumed, *document.items[0].assumed)] == ["FCT-10"] * 2
        assert document.header.carried.fields == {"currency": "euro"}
        assert list(faults(invoice(currency="euro", regenCore={"currency": "Euro"}))) == ["$.regenCore.currency"]

    def test_repeating_the_shape_is_not_overruling(self) -> None:
        """The same fact twice is no assumption."""
        document = read(
            invoice(item(regenCore={"source": "Subscription"}), organizationLabel="north", regenCore={"org": "north"})
        )
        assert document.header.assumed == document.items[0].assumed == ()
        assert document.header.carried.text == "{}"
        assert document.items[0].carried.fields["sourceItemType"] == "SubscriptionComponent"
        assert read(invoice(organizationLabel=None, regenCore={"org": "north"})).header.carried.text == "{}"

    @pytest.mark.parametrize(
        ("companion", "path"),
        [
            ({"bookingExclude": True}, "bookingExclude"),
            ({"org": "north"}, "org"),
            ({"a b": 1}, '["a b"]'),
            ({"source": "subscription"}, "source"),
            ({"bookingAmount": "ten"}, "bookingAmount"),
            ({"chargeDeleted": 1}, "chargeDeleted"),
            ({"orderLineItemCategory": "Rental"}, "orderLineItemCategory"),
            ({"fields": []}, "fields"),
            ({"fields": {"SellPrize": 1}}, "fields.SellPrize"),
            ({"fields": {"SellPrice": "much"}}, "fields.SellPrice"),
            ({"fields": {"SellPrice": {}}}, "fields.SellPrice"),
        ],
    )
    def test_a_mistake_in_them_is_a_fault(self, companion: Raw, path: str) -> None:
        """A typo must not silently become another fact."""
        step = path if path.startswith("[") else f".{path}"
        assert list(faults(invoice(item(regenCore=companion)))) == [f"$.invoiceItems[0].regenCore{step}"]

    @pytest.mark.parametrize("companion", ["north", [], 7, True])
    def test_they_are_an_object(self, companion: object) -> None:
        """At both levels."""
        assert list(faults(invoice(regenCore=companion))) == ["$.regenCore"]
        assert list(faults(invoice(item(regenCore=companion)))) == ["$.invoiceItems[0].regenCore"]

    def test_null_is_none(self) -> None:
        """As everywhere."""
        assert read(invoice(item(regenCore=None), regenCore=None)) == read(invoice(item()))


class TestFaults:
    """All that is wrong with a document is told at once, each with path, what was found and what to do."""

    def test_all_at_once(self) -> None:
        """Header and items, missing and malformed."""
        raw = invoice(
            {"id": "", "chargeAmount": True, "regenCore": {"typo": 1}},
            {"id": "i\n2"},
            "no item",
            invoiceNumber=None,
            invoiceDate="31.01.2026",
            status=["Posted"],
            currency="eur",
            organizationLabel=" ",
            reasonCode=7,
        )
        assert list(faults(raw)) == [
            "$.invoiceNumber",
            "$.status",
            "$.invoiceDate",
            "$.currency",
            "$.organizationLabel",
            "$.reasonCode",
            "$.invoiceItems[0].regenCore.typo",
            "$.invoiceItems[0].id",
            "$.invoiceItems[0].chargeAmount",
            "$.invoiceItems[1].id",
            "$.invoiceItems[1].chargeAmount",
            "$.invoiceItems[2]",
        ]

    @pytest.mark.parametrize(
        "given", ["2026-02-30", "0000-01-01", "2026-1-31", "2026-01-31T25:00:00Z", "٢٠٢٦-٠١-٣١", 20260131]
    )
    def test_days_that_are_none(self, given: object) -> None:
        """ASCII digits and a day that exists."""
        assert list(faults(invoice(invoiceDate=given))) == ["$.invoiceDate"]

    @pytest.mark.parametrize("given", ["EU", "EURO", "eur", "ÄUR", "", 978])
    def test_currencies_have_three_capital_letters(self, given: object) -> None:
        """Whatever else is no currency code."""
        assert list(faults(invoice(currency=given))) == ["$.currency"]

    @pytest.mark.parametrize("given", ["NaN", "Infinity", "1,000.00", " 1", "", "0x10", "1_000", "--1", True, [], {}])
    def test_amounts_that_are_none(self, given: object) -> None:
        """Text is a number only if JSON would call it one, give or take leading zeros."""
        assert list(faults(invoice(item(chargeAmount=given)))) == ["$.invoiceItems[0].chargeAmount"]

    def test_the_amount_of_an_adjustment_has_no_sign(self) -> None:
        """MAP-A: its Type says which way it goes."""
        assert list(faults(adjustment(Amount="-1", regenCore={"currency": "EUR"}))) == ["$.Amount"]

    @pytest.mark.parametrize("given", ["credit", "Debit", None])
    def test_an_adjustment_is_credit_or_charge(self, given: object) -> None:
        """MAP-A."""
        assert list(faults(adjustment(Type=given, regenCore={"currency": "EUR"}))) == ["$.Type"]

    def test_an_item_id_twice(self) -> None:
        """Both places are named."""
        found = faults(invoice(item(), item(id="i2"), item()))
        assert list(found) == ["$.invoiceItems[2].id"]
        assert "$.invoiceItems[0]" in found["$.invoiceItems[2].id"]

    def test_a_document_without_items_says_so_with_an_empty_list(self) -> None:
        """Items that were forgotten must not look like none."""
        assert read(invoice()).items == ()
        raw = invoice()
        for none in ({}, {"invoiceItems": None}):
            del raw["invoiceItems"]
            raw |= none
            assert list(faults(raw)) == ["$.invoiceItems"]
            raw["invoiceItems"] = None
        assert list(faults(invoice() | {"invoiceItems": {"data": []}})) == ["$.invoiceItems"]

    def test_nested_items_that_go_on_elsewhere_are_not_all(self) -> None:
        """A next page is a fault while its items are missing."""
        assert list(faults(invoice(item(), nextPage="https://rest.zuora.com/next"))) == ["$.nextPage"]

    def test_items_that_come_apart_have_paths_of_their_own(self) -> None:
        """From another file, say."""
        raw = invoice()
        found = read_document(raw, [{"id": "i1"}], tenant="t", entity="e", item_paths=["b.json [0]"])
        assert isinstance(found, tuple)
        assert [fault.path for fault in found] == ["b.json [0].chargeAmount"]
        found = read_document(raw, [7], tenant="t", entity="e", path="$[2]")
        assert isinstance(found, tuple)
        assert [fault.path for fault in found] == ["$[2].invoiceItems[0]"]

    def test_a_value_in_a_message_is_escaped_and_cut(self) -> None:
        """A file can't write to a terminal what it wants."""
        [found] = read_document(invoice(currency="\x1b[31m" + "x" * 1000), tenant="t", entity="e")  # type: ignore[misc]  # faults
        assert isinstance(found, Fault)
        assert len(found.found) <= 64
        assert "\x1b" not in found.message

    def test_a_tenant_that_is_no_name_is_the_callers_mistake(self) -> None:
        """Not the document's."""
        with pytest.raises(ValueError, match="tenant"):
            read_document(invoice(), tenant="", entity="e")


class TestWhichDocumentItIs:
    """The shape tells, or the companion does."""

    @pytest.mark.parametrize("kind", list(DocumentType))
    def test_the_companion_says_it(self, kind: DocumentType) -> None:
        """Even of an object that says nothing else."""
        assert document_type({"regenCore": {"type": kind.value}}) is kind

    @pytest.mark.parametrize(
        "raw",
        [
            {},
            {"id": "s1", "subscriptionNumber": "A-S1", "accountId": "a1", "termType": "EVERGREEN"},
            {"id": "m1", "number": "CM-1", "items": []},
            {"invoiceNumber": "INV-1", "creditMemoDate": "2026-01-31"},
        ],
    )
    def test_what_can_not_be_told_is_a_fault(self, raw: Raw) -> None:
        """Something else entirely, or signs of two."""
        found = document_type(raw, "$[1]")
        assert isinstance(found, Fault)
        assert found.path == "$[1]"
        assert read_document(raw, tenant="t", entity="e", path="$[1]") == (found,)

    @pytest.mark.parametrize("stated", ["creditMemo", "Order", 7])
    def test_a_type_that_is_none(self, stated: Any) -> None:
        """Spelled exactly as in the request."""
        found = document_type({"regenCore": {"type": stated}, "invoiceNumber": "INV-1"})
        assert isinstance(found, Fault)
        assert found.path == "$.regenCore.type"
