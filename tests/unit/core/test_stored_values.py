"""What a store holds: ids and digests that never change, amounts as they are shown, and what is derived (TBL-I)."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve

from regen_core.access import Scope
from regen_core.documents import AdjustmentKind, BillingItem, DocumentKey, DocumentType
from regen_core.idempotency import IdempotencyRecord, RequestMeaning, Running, consult, key_digest, meaning_of
from regen_core.request import RegenerateRequest
from regen_core.transactions import (
    BillingTransaction,
    Occasion,
    RevenueType,
    Standing,
    StoredTransaction,
    StoredTransactions,
    billed_amount,
    transaction_id,
)
from tests.unit.core.stored_lines import ONE, OTHER, stored


class TestIdsOutliveAVersion:
    """TBL-I, IDM-5: what was stored under an id or a digest is found again by every later version."""

    @pytest.mark.parametrize(
        ("item", "id_"), [("i1", "6ee874e58de3da4558622f553821d0a4"), ("äöü", "2c38e8a0178bb8001e2ff7412b643a84")]
    )
    def test_transactions(self, item: str, id_: str) -> None:
        key = DocumentKey(tenant="tenant", entity="entité", type=DocumentType.CREDIT_MEMO, id="8ad08d29")
        assert transaction_id(key, item) == id_

    @pytest.mark.parametrize(
        ("owner", "digest"),
        [
            (("t", "c", "k"), "f6cfec8ad49ab9ab7764d20b499c622c"),
            (("tenant", "clé", "order-7"), "40f44747b399ddc381352381d711aed6"),
        ],
    )
    def test_keys(self, owner: tuple[str, str, str], digest: str) -> None:
        assert key_digest(*owner) == digest


class TestAmounts:
    """MAP-A."""

    @pytest.mark.parametrize("amount", ["0", "0.00", "-0"])
    def test_zero_stays_as_it_is_written(self, amount: str) -> None:
        """Nobody owes minus nothing."""
        line = BillingItem(id="i1", amount=Decimal(amount))
        assert str(billed_amount(DocumentType.CREDIT_MEMO, line)) == amount

    def test_credits_are_negated(self) -> None:
        line = BillingItem(id="i1", amount=Decimal("10.00"))
        credit = evolve(line, adjustment_kind=AdjustmentKind.CREDIT)
        assert str(billed_amount(DocumentType.CREDIT_MEMO, line)) == "-10.00"
        assert str(billed_amount(DocumentType.INVOICE_ITEM_ADJUSTMENT, credit)) == "-10.00"
        assert str(billed_amount(DocumentType.INVOICE, line)) == "10.00"


class TestDerived:
    """What follows from the other parts is neither told nor shown."""

    def test_where_a_transaction_stands(self) -> None:
        line: Any = StoredTransaction
        with pytest.raises(TypeError):
            line(stored().transaction, 0, 5)
        assert "place" not in repr(stored())
        assert stored().deliveries == 0

    def test_standings_are_counted_from_nought(self) -> None:
        """The composed tables are laid out by them."""
        assert [each.value for each in Standing] == [0, 1, 2, 3]

    def test_the_items_of_stored_transactions(self) -> None:
        lines: Any = StoredTransactions
        with pytest.raises(TypeError):
            lines((), ())
        one = StoredTransactions((stored(), stored(place=1)))
        assert one.item_ids == ("d1-i1", "d1-i2")
        assert "item_ids" not in repr(one)
        assert StoredTransactions((stored(),)).item_ids == ("d1-i1",)
        assert StoredTransactions().item_ids == ()

    def test_what_an_override_replaces(self) -> None:
        now = stored().transaction
        assert now.content == (ONE.header, ONE.items[0], RevenueType.INV, False)
        assert BillingTransaction(*[getattr(now, name) for name in _PARTS]) == now


_PARTS = ("id", "header", "item", "revenue_type", "standalone", "revision", "state", "created", "updated")


class TestMessages:
    """What is wrong is told whole."""

    def test_of_two_documents(self) -> None:
        with pytest.raises(ValueError, match=r"^stored transactions of one document, but ") as caught:
            StoredTransactions((stored(), stored(place=1), stored(OTHER)))
        assert str(caught.value).endswith(f"but {ONE.key} and {OTHER.key} are two")

    def test_of_one_item(self) -> None:
        with pytest.raises(ValueError, match=r"^two stored transactions of one document belong to the same item$"):
            StoredTransactions((stored(), stored()))

    def test_of_an_occasion(self) -> None:
        with pytest.raises(ValueError, match=r"^by holds the control character U\+000A$"):
            Occasion(datetime(2026, 1, 31, tzinfo=UTC), "a\nb")
        assert Occasion(datetime(2026, 1, 31, tzinfo=UTC)).by is None


class TestKeyedValues:
    """IDM-4: what a request means, and that no part of it passes for another."""

    @pytest.mark.parametrize("requested", [None, frozenset({"north"})])
    def test_what_a_request_means(self, requested: frozenset[str] | None) -> None:
        scope = Scope(tenant="t1", entity="e7", orgs=frozenset({"north"}), requested_orgs=requested)
        request = RegenerateRequest(type=DocumentType.INVOICE, id="d1")
        told = {"path": "/v1/uno-regenerate/billing-transaction", "entity": "e7", "requested_orgs": requested}
        parts: dict[str, Any] = {**told, "request": request}
        assert meaning_of(scope, request) == RequestMeaning(method="POST", **parts)
        assert meaning_of(scope, request, method="PUT") == RequestMeaning(method="PUT", **parts)

    def test_a_claim_is_a_value(self) -> None:
        """IDM-3: two claims say the same, that somebody is at it."""
        assert Running() == Running()
        assert len({Running(), Running()}) == 1

    @pytest.mark.parametrize(("kind", "parts"), [(RequestMeaning, 5), (IdempotencyRecord, 5)])
    def test_parts_are_named(self, kind: Any, parts: int) -> None:
        with pytest.raises(TypeError):
            kind(*range(parts))

    @pytest.mark.parametrize(("ask", "parts"), [(meaning_of, 3), (consult, 4)])
    def test_so_is_the_last_of_a_question(self, ask: Any, parts: int) -> None:
        with pytest.raises(TypeError):
            ask(*[None] * parts)
