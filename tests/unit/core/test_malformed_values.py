"""A malformed value raises where it is built, and says what was wrong (REQ-7, REQ-14, TBL-I)."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve

from regen_core.access import Caller, Scope
from regen_core.changes import field_changes
from regen_core.checks import kind_of
from regen_core.documents import (
    MAX_NAME_LENGTH,
    AdjustmentKind,
    BillingDocument,
    BillingItem,
    CarriedFields,
    DocumentHeader,
    DocumentKey,
    DocumentType,
    name_fault,
)
from regen_core.request import RegenerateRequest
from regen_core.testing.edits import SLOTS, initial
from regen_core.transactions import (
    Occasion,
    StoredTransaction,
    StoredTransactions,
    TransactionState,
)
from tests.unit.core.stored_lines import ONE, OTHER, stored

KEY = DocumentKey(tenant="t1", entity="e1", type=DocumentType.INVOICE, id="d1")
ADJUSTMENT = evolve(KEY, type=DocumentType.INVOICE_ITEM_ADJUSTMENT)
HEADER = DocumentHeader(key=KEY, number="N-1", status="Posted", date=date(2026, 1, 31), currency="EUR")
ITEM = BillingItem(id="i1", amount=Decimal(10))
CREDIT = evolve(ITEM, id="d1", adjustment_kind=AdjustmentKind.CREDIT)


def broken(**parts: Any) -> dict[str, Any]:
    """Parts that no type checker would let pass."""
    return parts


class TestNames:
    """REQ-7, REQ-14: an id, a number or an organisation is text that isn't blank, over-long or holding controls."""

    @pytest.mark.parametrize(
        ("text", "fault"),
        [
            ("", "is blank"),
            ("   ", "is blank"),
            ("\u2003\t", "is blank"),
            ("x" * 256, "has 256 characters; at most 255 are allowed"),
            ("a\x00b", "holds the control character U+0000"),
            ("a\x1fb", "holds the control character U+001F"),
            ("a\x7f", "holds the control character U+007F"),
            ("a\x9f", "holds the control character U+009F"),
            ("a\ud800", "holds the lone surrogate U+D800"),
            ("a\udfff", "holds the lone surrogate U+DFFF"),
            (None, "is null, not a text"),
            (True, "is a boolean, not a text"),
            (7, "is a number, not a text"),
            (7.5, "is a number, not a text"),
            (Decimal("7.50"), "is a number, not a text"),
            ([], "is a list, not a text"),
            ({}, "is an object, not a text"),
            (b"7", "is a value of type bytes, not a text"),
        ],
    )
    def test_the_fault_is_named(self, text: object, fault: str) -> None:
        assert name_fault(text) == fault

    @pytest.mark.parametrize(
        "text",
        [
            *("a", "x" * MAX_NAME_LENGTH, "a b", " a ", "é", "a\u00a0b", "\u200b", "😀", "\ue000"),
            *("a b\u200b", "x" * (MAX_NAME_LENGTH - 1) + "\u200b"),  # not printable, and looked at more closely
        ],
    )
    def test_all_else_is_well_formed(self, text: str) -> None:
        assert name_fault(text) is None

    @pytest.mark.parametrize("part", ["tenant", "entity", "id"])
    def test_a_key_is_made_of_names(self, part: str) -> None:
        with pytest.raises(ValueError, match=f"{part} is blank"):
            evolve(KEY, **broken(**{part: " "}))

    @pytest.mark.parametrize("part", ["number", "org"])
    def test_a_header_has_names(self, part: str) -> None:
        with pytest.raises(ValueError, match=f"{part} holds the control character U"):
            evolve(HEADER, **broken(**{part: "a\nb"}))
        with pytest.raises(ValueError, match="number is null, not a text"):
            evolve(HEADER, **broken(number=None))
        assert evolve(HEADER, org=None).org is None

    def test_an_item_has_a_name(self) -> None:
        with pytest.raises(ValueError, match="id is blank"):
            evolve(ITEM, id="")

    @pytest.mark.parametrize(
        ("value", "kind"),
        [
            (None, "null"),
            ("7", "a text"),
            (False, "a boolean"),
            ({}, "an object"),
            (b"", "a value of type bytes"),
        ],
    )
    def test_a_kind_is_told_and_never_the_value(self, value: object, kind: str) -> None:
        assert kind_of(value) == kind


class TestTypes:
    """REQ-2: a type is one of the four, never its spelling."""

    def test_a_key_has_a_type(self) -> None:
        with pytest.raises(TypeError, match="type"):
            evolve(KEY, **broken(type="Invoice"))

    def test_a_header_has_a_key(self) -> None:
        with pytest.raises(TypeError, match="key"):
            evolve(HEADER, **broken(key="d1"))

    def test_a_document_has_a_header(self) -> None:
        with pytest.raises(TypeError, match="header"):
            BillingDocument(items=(), **broken(header="N-1"))


class TestAmounts:
    """Amounts are finite decimals; a float never gets in."""

    @pytest.mark.parametrize("amount", [10, 10.0, "10", None])
    def test_only_decimals(self, amount: Any) -> None:
        with pytest.raises(TypeError, match=re.escape("an amount is a decimal.Decimal")):
            evolve(ITEM, amount=amount)

    @pytest.mark.parametrize("amount", ["NaN", "sNaN", "Infinity", "-Infinity"])
    def test_only_finite_ones(self, amount: str) -> None:
        with pytest.raises(ValueError, match="an amount is finite"):
            evolve(ITEM, amount=Decimal(amount))
        with pytest.raises(ValueError, match="booking_amount is"):
            evolve(ITEM, booking_amount=Decimal(amount))

    def test_a_booking_amount_may_be_untold(self) -> None:
        assert evolve(ITEM, booking_amount=None).booking_amount is None
        with pytest.raises(TypeError, match="booking_amount is of type float"):
            evolve(ITEM, **broken(booking_amount=1.5))


class TestCurrencies:
    """A currency is an ISO 4217 code."""

    @pytest.mark.parametrize("currency", ["", "EU", "EURO", "eur", "E R", "EÜR", "123"])
    def test_three_capital_letters(self, currency: str) -> None:
        with pytest.raises(ValueError, match="an ISO 4217 code has three capital letters"):
            evolve(HEADER, currency=currency)


class TestDocuments:
    """A document's items are its own, once each; an adjustment is its own single item."""

    def test_items_are_a_tuple(self) -> None:
        with pytest.raises(TypeError, match="items is a tuple"):
            BillingDocument(HEADER, **broken(items=[ITEM]))

    def test_no_item_twice(self) -> None:
        with pytest.raises(ValueError, match="item id 'i1' occurs twice in one document"):
            BillingDocument(HEADER, (ITEM, evolve(ITEM, amount=Decimal(1))))

    def test_an_adjustment_kind_belongs_to_adjustments(self) -> None:
        adjustment = evolve(HEADER, key=ADJUSTMENT)
        with pytest.raises(ValueError, match="adjustment_kind"):
            BillingDocument(HEADER, (CREDIT,))
        with pytest.raises(ValueError, match="adjustment_kind"):
            BillingDocument(adjustment, (evolve(CREDIT, adjustment_kind=None),))
        assert BillingDocument(adjustment, (CREDIT,)).items == (CREDIT,)

    @pytest.mark.parametrize("items", [(), (evolve(CREDIT, id="other"),), (CREDIT, evolve(CREDIT, id="other"))])
    def test_an_adjustment_is_its_own_single_item(self, items: tuple[BillingItem, ...]) -> None:
        with pytest.raises(ValueError, match="its own single item"):
            BillingDocument(evolve(HEADER, key=ADJUSTMENT), items)

    def test_carried_fields_are_read_exactly(self) -> None:
        assert CarriedFields('{"balance":0.10}').fields == {"balance": Decimal("0.10")}
        assert CarriedFields().fields == {}


class TestRequests:
    """REQ-4, REQ-6, REQ-7."""

    def test_one_name_is_needed(self) -> None:
        with pytest.raises(ValueError, match="neither id nor number is given"):
            RegenerateRequest(type=DocumentType.INVOICE)

    @pytest.mark.parametrize("part", ["id", "number"])
    def test_names_are_well_formed(self, part: str) -> None:
        with pytest.raises(ValueError, match=f"{part} is blank"):
            RegenerateRequest(type=DocumentType.INVOICE, **broken(**{part: " "}))

    @pytest.mark.parametrize("flag", ["only_re_send", "re_migrate"])
    def test_flags_are_booleans(self, flag: str) -> None:
        with pytest.raises(TypeError, match=flag):
            RegenerateRequest(type=DocumentType.INVOICE, id="d1", **broken(**{flag: "true"}))

    def test_the_type_is_one_of_the_four(self) -> None:
        with pytest.raises(TypeError, match="type"):
            RegenerateRequest(id="d1", **broken(type="Invoice"))


class TestStoredTransactions:
    """TBL-I: they are of one document, and one per item."""

    def test_of_one_document(self) -> None:
        with pytest.raises(ValueError, match="stored transactions of one document"):
            StoredTransactions((stored(), stored(OTHER, 1)))

    def test_one_per_item(self) -> None:
        with pytest.raises(ValueError, match="belong to the same item"):
            StoredTransactions((stored(), stored()))
        assert len(StoredTransactions((stored(), stored(place=1)))) == 2

    def test_equal_keys_are_one_document(self) -> None:
        again = evolve(ONE, header=evolve(ONE.header, key=evolve(ONE.key)))
        assert len(StoredTransactions((stored(), stored(again, 1)))) == 2

    def test_what_a_transaction_is_worth(self) -> None:
        """MAP-A."""
        transaction = stored(initial(SLOTS[2])).transaction
        assert (transaction.amount, transaction.is_live) == (Decimal(-10), True)
        out = evolve(transaction, item=evolve(transaction.item, excluded_from_revenue=True))
        assert not out.is_live
        assert not evolve(transaction, state=TransactionState.VOIDED).is_live

    @pytest.mark.parametrize("state", TransactionState)
    @pytest.mark.parametrize("excluded", [False, True])
    @pytest.mark.parametrize("deliveries", [0, 1, 2])
    def test_where_it_stands(self, state: TransactionState, excluded: bool, deliveries: int) -> None:
        """TBL-S: live or not, ever sent or not."""
        transaction = stored().transaction
        transaction = evolve(transaction, state=state, item=evolve(transaction.item, excluded_from_revenue=excluded))
        live = "LIVE" if state is TransactionState.ACTIVE and not excluded else "NOT_LIVE"
        sent = "EVER_SENT" if deliveries else "NEVER_SENT"
        assert StoredTransaction(transaction, deliveries).standing.name == f"{live}_{sent}"


class TestTexts:
    """REQ-14: text that no store could hold is refused where it is said; other text may be anything."""

    @pytest.mark.parametrize("name", ["status", "reason_code"])
    @pytest.mark.parametrize("character", ["\x00", "\ud800"])
    def test_no_nul_and_no_lone_surrogates(self, name: str, character: str) -> None:
        with pytest.raises(ValueError, match=f"{name} holds U"):
            evolve(HEADER, **broken(**{name: f"a{character}"}))

    @pytest.mark.parametrize("text", ["", " ", "a\tb"])
    def test_any_other_text(self, text: str) -> None:
        assert evolve(HEADER, reason_code=text).reason_code == text

    def test_only_text(self) -> None:
        with pytest.raises(TypeError, match=r"^status is a number, not a text$"):
            evolve(HEADER, **broken(status=1))

    def test_by_whom_is_a_name(self) -> None:
        with pytest.raises(ValueError, match="by is blank"):
            Occasion(datetime(2026, 1, 31, tzinfo=UTC), "")
        assert Occasion(datetime(2026, 1, 31, tzinfo=UTC), "ann").by == "ann"


class TestSameness:
    """DOC-1: what changed is told by type and value; 1 and true, or null and nothing, are not the same in JSON."""

    @pytest.mark.parametrize(
        ("before", "after"),
        [("1", "true"), ("[1]", "[true]"), ('{"a":1}', '{"a":1.0}'), ("[1]", "[1,2]"), ("0", "false")],
    )
    def test_another_type_is_a_change(self, before: str, after: str) -> None:
        old, new = (evolve(ITEM, carried=CarriedFields(f'{{"x":{text}}}')) for text in (before, after))
        assert [change.path for change in field_changes(old, new)] == ["carried.x"]
        assert field_changes(old, old) == ()

    def test_the_same_object_written_otherwise_is_none(self) -> None:
        old, new = (
            evolve(ITEM, carried=CarriedFields(text)) for text in ('{"x":{"a":1,"b":[2]}}', '{"x":{"b":[2],"a":1}}')
        )
        assert field_changes(old, new) == ()


class TestKinds:
    """REQ-14: a fact has its type; text that reads like one would decide as something else."""

    @pytest.mark.parametrize(
        "fact",
        [
            {"processing_type": "Tax"},
            {"excluded_from_revenue": "false"},
            {"booking_excluded": "no"},
            {"account_level_discount": 1},
            {"calculated_charge_model": "no"},
            {"charge_deleted": 0},
            {"source": "subscription"},
            {"order_line_category": "Sales"},
            {"adjustment_kind": "Credit"},
        ],
        ids=lambda fact: next(iter(fact)),
    )
    def test_of_an_item(self, fact: dict[str, Any]) -> None:
        with pytest.raises(TypeError, match=next(iter(fact))):
            evolve(ITEM, **fact)

    @pytest.mark.parametrize(
        "fact", [{"date": "2026-01-01"}, {"date": datetime(2026, 1, 1, tzinfo=UTC)}, {"from_reversal": "no"}], ids=str
    )
    def test_of_a_header(self, fact: dict[str, Any]) -> None:
        with pytest.raises(TypeError, match=next(iter(fact))):
            evolve(HEADER, **fact)

    @pytest.mark.parametrize("text", ["", "not json", "[]", None])
    def test_of_carried_fields(self, text: Any) -> None:
        with pytest.raises(ValueError, match="one JSON object"):
            CarriedFields(text)

    def test_of_callers_and_scopes(self) -> None:
        """ACC-4: a part of an organisation's name is no organisation."""
        with pytest.raises(TypeError, match="entities"):
            Caller(tenant="t", client="c", **broken(entities="e"))
        with pytest.raises(TypeError, match="orgs"):
            Scope(tenant="t", entity="e", **broken(orgs="north"))
