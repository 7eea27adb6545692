"""Pages of items that come apart from their document: whose they are, and in which order."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from regen_core.documents import DocumentType
from regen_core.wire.shapes import COMPANION, SHAPES, Fault, document_type
from regen_core.wire.shown import JsonValue, path_step, shown_value
from regen_core.wire.texts import Where

__all__ = ["ITEM_KEYS", "incomplete", "ownerless", "page_order", "page_owner"]

ITEM_KEYS: Final = tuple(dict.fromkeys(key for shape in SHAPES.values() for key in shape.item_keys))
"""Where pages of any type have their items."""

_PAGE_COMPANIONS: Final = frozenset({"type", "documentId"})
_OWNER_FIELDS: Final[Mapping[str, DocumentType]] = {
    "invoiceId": DocumentType.INVOICE,
    "creditMemoId": DocumentType.CREDIT_MEMO,
    "debitMemoId": DocumentType.DEBIT_MEMO,
}
_PAGE_NUMBER: Final = re.compile(r"[?&]page=([0-9]{1,9})(?:&|$)")


def page_owner(raw: Mapping[str, JsonValue], where: Where) -> tuple[DocumentType | None, str] | Fault:
    """To which document a page of items belongs: by its companion, else by its items; or why it can't be told."""
    key = next(key for key in ITEM_KEYS if key in raw)
    items, companion = raw[key], raw.get(COMPANION)
    if not isinstance(items, list):
        return Fault(path=f"{where.path}.{key}", found=shown_value(items), expected="a list of items", do="Correct it")
    told = companion if isinstance(companion, dict) else {}
    unknown = next((name for name in told if name not in _PAGE_COMPANIONS), None)
    if unknown is not None:
        path = f"{where.path}.{COMPANION}{path_step(unknown)}"
        expected = " and ".join(sorted(_PAGE_COMPANIONS))
        return Fault(path=path, found="an unknown companion field", expected=expected, do="Correct the name")
    kind = document_type({COMPANION: told}, where.path) if told.get("type") is not None else None
    if isinstance(kind, Fault):
        return kind
    owner = told.get("documentId")
    if isinstance(owner, str):
        return kind or (DocumentType.INVOICE if key == "invoiceItems" else None), owner
    for field, of_kind in _OWNER_FIELDS.items():
        named = [each.get(field) if isinstance(each, dict) else None for each in items]
        first = named[0] if named else None
        if isinstance(first, str) and named.count(first) == len(named) and kind in (None, of_kind):
            return of_kind, first
    return Fault(
        path=where.path,
        found="a page of items that doesn't say whose they are",
        expected=f'"{COMPANION}": {{"type": …, "documentId": …}} beside them, or the items nested in their document',
        do="Add it, with the id of the document that the page was requested for",
    )


def ownerless(where: Where, kind: DocumentType | None, document_id: str) -> Fault:
    """A page whose document isn't there, or isn't without items."""
    whose = "document" if kind is None else kind.value
    return Fault(
        path=where.path,
        found=f"items of the {whose} {shown_value(document_id)}, which this load doesn't have without items",
        expected="exactly one such document in the same load",
        do="Load the document and the pages of its items together",
    )


def page_order(raw: Mapping[str, JsonValue]) -> int:
    """Pages by the number in the address of the next one; the page without a next one is last."""
    following = raw.get("nextPage")
    if following is None:
        return 1 << 31
    number = _PAGE_NUMBER.search(following) if isinstance(following, str) else None
    return 0 if number is None else int(number[1])


def incomplete(path: str) -> Fault:
    """Pages of which the last one isn't there."""
    return Fault(
        path=path, found="a next page", expected="all pages of the document's items", do="Load the next page as well"
    )
