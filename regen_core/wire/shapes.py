"""One document from its REST object: which of the four it is, and its facts by the tables of its type.

All faults of a document are found in one reading. :mod:`regen_core.wire.tables` says where every fact comes from; what
a file looks like is :mod:`regen_core.wire.reading`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from regen_core.documents import Assumption, BillingDocument, BillingItem, DocumentHeader, DocumentKey, DocumentType
from regen_core.fields import companion_field_fault
from regen_core.wire.facts import COMPANION, Fact, Fault, RestObject
from regen_core.wire.kinds import CURRENCY, OBJECT
from regen_core.wire.shown import JsonValue, path_step, shown_value
from regen_core.wire.tables import SHAPES, Shape

__all__ = ["COMPANION", "ENVELOPE", "Fault", "SHAPES", "document_type", "read_document"]

ENVELOPE: Final = frozenset({"success", "processId", "requestId", "nextPage"})
"""What stands beside the payload of every answer and is no part of the document."""

_DROPPED: Final = {kind: ENVELOPE | frozenset(shape.item_keys) for kind, shape in SHAPES.items()}
_TYPES_BY_NAME: Final = {kind.value: kind for kind in DocumentType}
_FIELDS_LISTED: Final = 6


def document_type(raw: Mapping[str, JsonValue], path: str = "$") -> DocumentType | Fault:
    """The type of a document: what its companion says, else the one whose shape alone has some field of it.

    >>> document_type({"id": "8ad08d29", "creditMemoDate": "2026-01-31"})
    <DocumentType.CREDIT_MEMO: 'CreditMemo'>
    """
    companion = raw.get(COMPANION)
    stated = companion.get("type") if isinstance(companion, dict) else None
    if stated is not None:
        if isinstance(stated, str) and stated in _TYPES_BY_NAME:
            return _TYPES_BY_NAME[stated]
        expected = ", ".join(_TYPES_BY_NAME)
        return Fault(path=f"{path}.{COMPANION}.type", found=shown_value(stated), expected=expected, do="Correct it")
    fitting = [kind for kind, shape in SHAPES.items() if any([sign in raw for sign in shape.signs])]
    if len(fitting) == 1:
        return fitting[0]
    return Fault(
        path=path,
        found=_described(raw, fitting),
        expected="an invoice, credit memo, debit memo or invoice item adjustment as Zuora's REST API returns it",
        do=f'If it is one, give "{COMPANION}": {{"type": …}} with one of {", ".join(_TYPES_BY_NAME)}',
    )


def _described(raw: Mapping[str, JsonValue], fitting: Sequence[DocumentType]) -> str:
    if not raw:
        return "an empty object"
    names = ", ".join([shown_value(name) for name in list(raw)[:_FIELDS_LISTED]])
    listed = f"an object with the fields {names}{', …' if len(raw) > _FIELDS_LISTED else ''}"
    return listed if not fitting else f"{listed}, signs of {' and '.join([kind.value for kind in fitting])}"


def _no_invoice(invoice_id: str) -> str | None:  # noqa: ARG001  # stands in for a caller's look-up
    return None


def read_document(
    raw: Mapping[str, JsonValue],
    items: Sequence[JsonValue] | None = None,
    *,
    tenant: str,
    entity: str,
    kind: DocumentType | None = None,
    default_org: str | None = None,
    path: str = "$",
    item_paths: Sequence[str] | None = None,
    currency_of_invoice: Callable[[str], str | None] = _no_invoice,
) -> BillingDocument | tuple[Fault, ...]:
    """The document that a REST object states, or everything that is wrong with it.

    ``items`` are its items where they came apart from it, with ``item_paths`` for messages; ``None`` takes the nested
    ones. ``kind`` ``None`` is found by :func:`document_type`; ``default_org`` is for documents without an organisation
    (FCT-11); ``currency_of_invoice`` gives the currency of an adjustment's invoice by its id (FCT-7). Raises
    ``ValueError`` for a tenant, entity or default organisation that is no name, and ``TypeError`` for a float, which
    only another parser than ours makes.

    >>> invoice = {"id": "8ad08d29", "invoiceNumber": "INV-1", "invoiceDate": "2026-01-31", "status": "Posted"}
    >>> invoice |= {"currency": "EUR", "invoiceItems": [{"id": "i1", "chargeAmount": "10.00"}]}
    >>> read_document(invoice, tenant="t", entity="e").items[0].amount
    Decimal('10.00')
    """
    told = document_type(raw, path) if kind is None else kind
    if isinstance(told, Fault):
        return (told,)
    shape = SHAPES[told]
    header = RestObject(raw, path, [])
    facts = _facts(header, shape.header, shape.header_companions, shape.known_in_header)
    if shape.item_keys:
        read = _items(shape, header, items, item_paths)
    else:
        read = _own_item(shape, header)
        _currency(header, facts, currency_of_invoice)
    if facts["org"] is None and default_org is not None and not header.companion.get("org"):
        facts["org"] = default_org
        header.assumed.append(Assumption("organisation", f"{default_org}, the default", "FCT-11"))
    if header.faults:
        return tuple(header.faults)
    key = DocumentKey(tenant=tenant, entity=entity, type=told, id=facts.pop("id"))
    carried = header.carried(_DROPPED[told])
    return BillingDocument(
        DocumentHeader(key=key, assumed=tuple(header.assumed), carried=carried, **facts), tuple(read)
    )


def _facts(
    found: RestObject, rows: Sequence[Fact], companion_rows: Sequence[Fact], known: frozenset[str]
) -> dict[str, Any]:
    """The facts of a header or an item; without a companion object the facts that only it tells stay untold."""
    if COMPANION not in found.raw:
        return found.facts(rows)
    found.open_companion(known)
    return found.facts((*rows, *companion_rows))


def _items(
    shape: Shape, header: RestObject, items: Sequence[JsonValue] | None, item_paths: Sequence[str] | None
) -> list[BillingItem]:
    if items is None:
        items, prefix = _nested(header, shape)
    else:
        prefix = f"{header.path}.{shape.item_keys[0]}"
    read: list[BillingItem] = []
    places: dict[str, str] = {}
    for at, raw in enumerate(items):
        path = f"{prefix}[{at}]" if item_paths is None else item_paths[at]
        if not isinstance(raw, dict):
            found = shown_value(raw)
            header.faults.append(Fault(path=path, found=found, expected="an item, a JSON object", do="Correct it"))
            continue
        item = RestObject(raw, path, header.faults, header.raw)
        facts = _facts(item, shape.item, shape.item_companions, shape.known_in_item)
        _check_fields(item, shape)
        if facts["id"] is not None and places.setdefault(facts["id"], path) is not path:
            again = f"{shown_value(facts['id'])} again, as at {places[facts['id']]}"
            item.fault("id", again, "an id of its own", "Remove one of the items")
        if not header.faults:
            read.append(BillingItem(assumed=tuple(item.assumed), carried=item.carried(), **facts))
    return read


def _nested(header: RestObject, shape: Shape) -> tuple[Sequence[JsonValue], str]:
    key = next((key for key in shape.item_keys if header.raw.get(key) is not None), None)
    if key is None:
        header.fault(
            shape.item_keys[0],
            "neither items nor a page of them",
            "a list of items, an empty one where there are none",
            "Nest the items under this key, or load their pages with the document",
        )
        return (), ""
    nested = header.raw[key]
    if not isinstance(nested, list):
        header.fault(key, shown_value(nested), "a list of items", "Correct it")
        return (), ""
    if header.raw.get("nextPage") is not None:
        header.fault("nextPage", "a next page", "all items of the document", "Add the items of the next page")
    return nested, f"{header.path}.{key}"


def _own_item(shape: Shape, header: RestObject) -> list[BillingItem]:
    """An adjustment is its own single item; everything that no attribute keeps is carried by its header."""
    item = RestObject(header.raw, header.path, header.faults)
    item.companion = header.companion
    rows = (*shape.item, *shape.item_companions) if header.companion else shape.item
    facts = item.facts(rows)
    _check_fields(item, shape)
    header.kept.extend(item.kept)
    item_id = header.raw.get("Id")
    if header.faults or not isinstance(item_id, str):
        return []
    return [BillingItem(id=item_id, assumed=tuple(item.assumed), **facts)]


def _currency(header: RestObject, facts: dict[str, Any], currency_of_invoice: Callable[[str], str | None]) -> None:
    """FCT-7: without a companion's currency that of the invoice where it is known, else a fault."""
    if header.companion.get("currency") is not None:
        return
    invoice_id = header.raw.get("InvoiceId")
    known = currency_of_invoice(invoice_id) if isinstance(invoice_id, str) else None
    if known is not None:
        facts["currency"] = header.read(CURRENCY, "InvoiceId", known, "Correct the invoice's currency")
        told = f"{known}, the currency of the invoice {shown_value(invoice_id)}"
        header.assumed.append(Assumption("currency", told, "FCT-7"))
        return
    header.fault(
        f"{COMPANION}.currency",
        f"nothing, and no loaded invoice with the InvoiceId {shown_value(invoice_id)}",
        "the currency of the adjusted invoice",
        f'Load the invoice before or with it, or give "currency" in "{COMPANION}"',
    )


def _check_fields(item: RestObject, shape: Shape) -> None:
    """The companion's ``fields`` fill the flat row: names and values as documented for it (FCT-10)."""
    given = item.companion.get("fields")
    if given is None:
        return
    fields = item.read(OBJECT, f"{COMPANION}.fields", given, "Correct or remove it")
    for name, value in (fields or {}).items():
        fault = companion_field_fault(shape.type, name, value)
        if fault is not None:
            step = f"{COMPANION}.fields{path_step(name)}"
            item.fault(step, f"{shown_value(value)}: {fault}", "a documented field and its value", "Correct it")
