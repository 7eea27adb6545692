"""Values of the library as plain JSON, and the values that a store is called with."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from regen_core.access import Scope
from regen_core.calls import Answer, IdempotentCall, RegenerateCall
from regen_core.documents import CarriedFields, DocumentKey, DocumentType
from regen_core.page import Page
from regen_core.plain_values import plain
from regen_core.request import RegenerateRequest
from regen_core.transactions import StoredTransactions

KEY = DocumentKey(tenant="t", entity="e", type=DocumentType.INVOICE, id="8ad08d29")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (DocumentType.CREDIT_MEMO, "CreditMemo"),
        (Decimal("1.10"), "1.10"),
        (date(2026, 1, 31), "2026-01-31"),
        (datetime(2026, 1, 31, 12, tzinfo=UTC), "2026-01-31T12:00:00+00:00"),
        (CarriedFields('{"a":[1,"x"]}'), {"a": [1, "x"]}),
        ({DocumentType.INVOICE: frozenset({"b", "a"})}, {"Invoice": ["a", "b"]}),
        (("a", None, True, 7), ["a", None, True, 7]),
        (StoredTransactions(), {"lines": []}),
        (KEY, {"tenant": "t", "entity": "e", "type": "Invoice", "id": "8ad08d29"}),
    ],
)
def test_a_value_is_shown(value: Any, shown: Any) -> None:
    """Nothing is lost to a float, sets have an order, and what follows from other fields is left out."""
    assert plain(value) == shown


def test_a_call_shows_no_key() -> None:
    """Keys are secrets of their clients: only a digest is stored, and none stands in a traceback (IDM-5)."""
    keyed = IdempotentCall(client="c", key="order-7", answer=lambda _: Answer(200, b""))
    request = RegenerateRequest(type=DocumentType.INVOICE, id=KEY.id)
    call = RegenerateCall(scope=Scope(tenant="t", entity="e", orgs=None), request=request, idempotent=keyed)
    assert "order-7" not in repr(call)
    assert call.occasion is None


def test_the_last_page_names_no_next_one() -> None:
    """Pages are compared by what they hold."""
    assert Page(("a",), None) == Page(("a",), None) != Page(("a",), "more")
