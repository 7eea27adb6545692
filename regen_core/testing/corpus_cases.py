"""The cases of the golden corpus: what happens before, which request is made, and which rules it is about.

A case is told in the library's values, and says nothing of what comes out: that is the naive model's to say
(:mod:`regen_core.testing.corpus_making`). The cases cover every cell of TBL-M, TBL-W and TBL-S, every row of MAP, every
refusal of the operation, and documents at the edges of names and numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import product
from typing import Any, Final

from attrs import evolve, field, frozen

from regen_core.access import Scope
from regen_core.documents import (
    MAX_NAME_LENGTH,
    AdjustmentKind,
    BillingDocument,
    BillingItem,
    DocumentKey,
    DocumentType,
    ItemSource,
    OrderLineCategory,
    ProcessingType,
)
from regen_core.request import RegenerateRequest
from regen_core.testing.edits import initial, item_of

__all__ = ["CASES", "Case"]

_I, _C, _D = DocumentType.INVOICE, DocumentType.CREDIT_MEMO, DocumentType.DEBIT_MEMO
_A = DocumentType.INVOICE_ITEM_ADJUSTMENT
_EVERYTHING: Final = Scope(tenant="t1", entity="e1", orgs=None)
_FLAGS: Final = {
    "generate": (False, False), "remigrate": (False, True), "resend": (True, False), "both flags": (True, True),
}  # fmt: skip


@frozen(kw_only=True)
class Case:
    """``before`` are documents to load and requests to make, in order; then ``request`` is asked in ``scope``."""

    chapter: str
    name: str
    about: str
    before: tuple[BillingDocument | RegenerateRequest, ...]
    request: RegenerateRequest
    scope: Scope = field(default=_EVERYTHING)


def _key(kind: DocumentType = _I, name: str = "d1") -> DocumentKey:
    return DocumentKey(tenant="t1", entity="e1", type=kind, id=name)


def _asked(key: DocumentKey, how: str, **named: Any) -> RegenerateRequest:
    only_re_send, re_migrate = _FLAGS[how]
    by = named or {"id": key.id}
    return RegenerateRequest(type=key.type, only_re_send=only_re_send, re_migrate=re_migrate, **by)


def _document(*items: BillingItem, key: DocumentKey | None = None, **header: Any) -> BillingDocument:
    key = key or _key()
    posted = evolve(initial(_key(key.type)).header, key=key, number=f"N-{key.id}"[:MAX_NAME_LENGTH])
    return BillingDocument(evolve(posted, **header), items)


# Every presence and standing of a line, under every mode


_OTHER: Final = item_of(_key(), "other")
_LINE: Final = item_of(_key(), "line")
_OUT: Final = evolve(_LINE, excluded_from_revenue=True)
_WITHOUT: Final = _document(_OTHER)
_WITH: Final = _document(_OTHER, _LINE)
_EXCLUDED: Final = _document(_OTHER, _OUT)
_GENERATED: Final = _asked(_key(), "generate")
_OVERRIDDEN: Final = _asked(_key(), "remigrate")

_STATES: Final[dict[str, tuple[BillingDocument | RegenerateRequest, ...]]] = {
    "new line": (_WITHOUT, _GENERATED, _WITH),
    "new excluded line": (_WITHOUT, _GENERATED, _EXCLUDED),
    "live and sent": (_WITH, _GENERATED),
    "excluded and never sent": (_EXCLUDED, _GENERATED),
    "excluded after it was sent": (_WITH, _GENERATED, _EXCLUDED, _OVERRIDDEN),
    "not excluded any more, never sent": (_EXCLUDED, _GENERATED, _WITH),
    "excluded by now, sent": (_WITH, _GENERATED, _EXCLUDED),
    "voided, back again": (_WITH, _GENERATED, _WITHOUT, _OVERRIDDEN, _WITH),
    "voided and never sent, back again": (_EXCLUDED, _GENERATED, _WITHOUT, _OVERRIDDEN, _EXCLUDED),
    "gone, sent": (_WITH, _GENERATED, _WITHOUT),
    "gone, never sent": (_EXCLUDED, _GENERATED, _WITHOUT),
    "gone and voided": (_WITH, _GENERATED, _WITHOUT, _OVERRIDDEN),
    "gone and voided, never sent": (_EXCLUDED, _GENERATED, _WITHOUT, _OVERRIDDEN),
    "gone for good, nothing else": (_document(_LINE), _GENERATED, _document(), _OVERRIDDEN),
    "amount fixed": (_WITH, _GENERATED, _document(_OTHER, evolve(_LINE, amount=Decimal("7.30")))),
    "became tax": (_WITH, _GENERATED, _document(_OTHER, evolve(_LINE, processing_type=ProcessingType.TAX))),
    "other order": (_WITH, _GENERATED, _document(_LINE, _OTHER)),
    "sent again before": (_WITH, _GENERATED, _asked(_key(), "resend"), _asked(_key(), "resend")),
}


def _of_tables() -> Iterator[Case]:
    for (state, before), how in product(_STATES.items(), _FLAGS):
        about = f"a document with a line that is: {state}"
        yield Case(chapter="tables", name=f"{state}: {how}", about=about, before=before, request=_asked(_key(), how))


# Every row of MAP, and what none covers


_HALF: Final = Decimal("10.50")
_MAPPED: Final[tuple[tuple[str, DocumentType, dict[str, Any], dict[str, Any]], ...]] = (
    ("booking excluded", _I, {"source": ItemSource.SUBSCRIPTION, "booking_excluded": True}, {}),
    ("account-level discount", _C, {"source": ItemSource.SUBSCRIPTION, "account_level_discount": True}, {}),
    ("calculated charge model", _I, {"source": None, "calculated_charge_model": True}, {}),
    ("charge deleted", _C, {"source": None, "charge_deleted": True}, {}),
    ("first row wins", _I, {"source": ItemSource.SUBSCRIPTION, "booking_excluded": True, "booking_amount": -_HALF}, {}),
    ("same sign", _I, {"source": ItemSource.SUBSCRIPTION, "booking_amount": Decimal(3)}, {}),
    ("different sign", _I, {"source": ItemSource.SUBSCRIPTION, "booking_amount": Decimal(-3)}, {}),
    ("booked nothing", _I, {"source": ItemSource.SUBSCRIPTION, "booking_amount": Decimal(0)}, {}),
    ("billed nothing", _I, {"source": ItemSource.SUBSCRIPTION, "booking_amount": -_HALF, "amount": Decimal(0)}, {}),
    ("negative, booking not told", _I, {"source": ItemSource.SUBSCRIPTION, "amount": -_HALF}, {}),
    ("discount, booking not told", _I,
     {"source": ItemSource.SUBSCRIPTION, "amount": -_HALF, "processing_type": ProcessingType.DISCOUNT}, {}),
    ("standalone", _I, {"source": ItemSource.STANDALONE}, {}),
    ("sales", _I, {"source": ItemSource.ORDER_LINE_ITEM, "order_line_category": OrderLineCategory.SALES}, {}),
    ("return on an invoice", _I,
     {"source": ItemSource.ORDER_LINE_ITEM, "order_line_category": OrderLineCategory.RETURN}, {}),
    ("category not told", _I, {"source": ItemSource.ORDER_LINE_ITEM}, {}),
    ("source not told", _I, {"source": None}, {}),
    ("negative booking on a memo", _C, {"source": ItemSource.SUBSCRIPTION, "booking_amount": Decimal(-3)}, {}),
    ("positive booking on a memo", _C, {"source": ItemSource.SUBSCRIPTION, "booking_amount": Decimal(3)}, {}),
    ("booking not told on a memo", _C, {"source": ItemSource.SUBSCRIPTION}, {}),
    ("from a reversal, told", _C, {"source": ItemSource.INVOICE}, {"from_reversal": True}),
    ("from a reversal, by its reason", _C, {"source": ItemSource.INVOICE}, {"reason_code": "Invoice reversal"}),
    ("told against its reason", _C, {"source": ItemSource.INVOICE},
     {"reason_code": "Invoice reversal", "from_reversal": False}),
    ("another type's reason", _C, {"source": ItemSource.INVOICE}, {"reason_code": "Credit memo reversal"}),
    ("from an invoice", _C, {"source": ItemSource.INVOICE}, {}),
    ("rate plan charge", _C, {"source": ItemSource.PRODUCT_RATE_PLAN_CHARGE}, {}),
    ("return", _C, {"source": ItemSource.ORDER_LINE_ITEM, "order_line_category": OrderLineCategory.RETURN}, {}),
    ("sales on a memo", _C, {"source": ItemSource.ORDER_LINE_ITEM, "order_line_category": OrderLineCategory.SALES}, {}),
    ("memo of a memo", _C, {"source": ItemSource.CREDIT_MEMO}, {}),
    ("debit memo from a reversal", _D, {"source": ItemSource.CREDIT_MEMO}, {"reason_code": "Credit memo reversal"}),
    ("debit memo", _D, {"source": None}, {}),
    ("credit adjustment", _A, {"source": None, "adjustment_kind": AdjustmentKind.CREDIT}, {}),
    ("charge adjustment", _A, {"source": None, "adjustment_kind": AdjustmentKind.CHARGE}, {}),
)  # fmt: skip


def _of_mapping() -> Iterator[Case]:
    for name, kind, item, header in _MAPPED:
        key = _key(kind)
        told = {"amount": _HALF, **item}
        document = _document(BillingItem(id="d1" if kind is _A else "line", **told), key=key, **header)
        about = f"an item of type {kind.value}: {name}"
        yield Case(chapter="mapping", name=name, about=about, before=(document,), request=_asked(key, "generate"))


# Every refusal, and the order in which they win


def _refused(name: str, *before: BillingDocument | RegenerateRequest, **given: Any) -> Case:
    request = given.pop("request", _GENERATED)
    return Case(chapter="refusals", name=name, about=f"a request: {name}", before=before, request=request, **given)


def _of_refusals() -> Iterator[Case]:
    second = _document(item_of(_key(name="d2"), "theirs"), key=_key(name="d2"))
    unsourced = (evolve(_LINE, source=None), _OTHER, evolve(_LINE, id="too", source=None))
    yield _refused("no such id", request=_asked(_key(name="d9"), "generate"))
    yield _refused("no such number", _WITH, request=_asked(_key(), "generate", number="N-9"))
    yield _refused("another type's id", _WITH, request=_asked(_key(_C), "generate"))
    yield _refused("another tenant", _WITH, scope=evolve(_EVERYTHING, tenant="t9"))
    yield _refused("another entity", _WITH, scope=evolve(_EVERYTHING, entity="e9"))
    of_north = evolve(_WITH, header=evolve(_WITH.header, org="north"))
    for name, orgs in (("another org", {"south"}), ("no org", set[str]()), ("its org", {"north", "south"})):
        yield _refused(name, of_north, scope=evolve(_EVERYTHING, orgs=frozenset(orgs)))
    yield _refused("its number", _WITH, request=_asked(_key(), "generate", number="N-d1"))
    yield _refused("id and number", _WITH, request=_asked(_key(), "generate", id="d1", number="N-d1"))
    yield _refused("another's number", _WITH, second, request=_asked(_key(), "generate", id="d1", number="N-d2"))
    yield _refused("id and no such number", _WITH, request=_asked(_key(), "generate", id="d1", number="N-9"))
    for kind in DocumentType:
        draft = initial(_key(kind))
        draft = evolve(draft, header=evolve(draft.header, status="Draft"))
        yield _refused(f"{kind.value} not posted", draft, request=_asked(_key(kind), "generate"))
    draft = evolve(_WITH, header=evolve(_WITH.header, status="Draft"))
    yield _refused("both flags of a draft that nobody has", draft, request=_asked(_key(name="d9"), "both flags"))
    yield _refused("two items without a row", _document(*unsourced))
    yield _refused("an item without a row, overridden", _WITH, _GENERATED, _document(*unsourced), request=_OVERRIDDEN)
    yield _refused("an item without a row, resent", _WITH, _GENERATED, _document(*unsourced),
                   request=_asked(_key(), "resend"))  # fmt: skip
    yield _refused("nothing to resend, nothing stored", _WITH, request=_asked(_key(), "resend"))
    yield _refused("nothing to resend, no items", _document(), request=_asked(_key(), "resend"))
    yield _refused("nothing to resend, never sent", _document(_OUT), _GENERATED, request=_asked(_key(), "resend"))
    yield _refused("no items", _document(), request=_GENERATED)
    yield _refused("no items, overridden", _document(), request=_OVERRIDDEN)
    tax = evolve(_LINE, processing_type=ProcessingType.TAX)
    yield _refused("tax alone", _document(tax), request=_GENERATED)


# Names and numbers at their edges


_NAMES: Final = {
    "longest": "n" * 255, "emoji": "\U0001f9fe\u200d\U0001f4b6", "combining": "e\u0301", "composed": "\u00e9",
    "right to left": "\u05d7\u05e9\u05d1\u05d5\u05df", "looks like SQL": "d1'; DROP TABLE documents; --",
    "blanks around": " d1 ", "percent": "100%_", "beyond the first plane": "\U00010ffd",
}  # fmt: skip
_AMOUNTS: Final = (
    "0", "-0", "0.0001", "-0.01", "1.10", "1.1000", "99999999999999999999.999999999", "123456789012345678901234567890",
)  # fmt: skip


def _of_edges() -> Iterator[Case]:
    for about, name in _NAMES.items():
        key = _key(name=name)
        document = _document(item_of(key, name), key=key, number=name)
        yield Case(
            chapter="edges", name=f"name: {about}", about="a name that is easily lost",
            before=(document,), request=_asked(key, "generate", id=name, number=name),
        )  # fmt: skip
    for amount, kind in product(_AMOUNTS, (_I, _C)):
        key = _key(kind)
        document = _document(item_of(key, "line", Decimal(amount)), key=key)
        yield Case(
            chapter="edges", name=f"amount: {amount} on a {kind.value}", about="an amount that is easily rounded",
            before=(document, _asked(key, "generate")), request=_asked(key, "remigrate"),
        )  # fmt: skip


CASES: Final = (*_of_tables(), *_of_mapping(), *_of_refusals(), *_of_edges())
"""All cases, chapter by chapter."""
