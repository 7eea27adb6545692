"""The content of a document's version as columns of text, and back.

Owns how a version is kept: header and items as JSON with defaults left out, and beside each its carried fields, byte
for byte. What is read back is checked as its class would check it: kinds by the reader of JSON, names and other texts
by the class's own validators. It runs no statement.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import cached_property
from typing import Any, Final, get_type_hints

import attrs
from attrs import frozen
from msgspec import NODEFAULT, Struct, ValidationError, defstruct
from msgspec.json import Decoder, Encoder
from msgspec.structs import astuple

from regen_core.documents import BillingDocument, BillingItem, CarriedFields, DocumentHeader, DocumentKey
from regen_core.unchecked import unchecked
from regen_core.wire.canonical import header_content, item_content
from regen_core.wire.codec import NotCanonical, amount

__all__ = [
    "Content",
    "DAMAGE",
    "content_of_row",
    "content_row",
    "header_of_text",
    "header_text",
    "item_of_text",
    "item_text",
]

Row = tuple[Any, ...]

DAMAGE: Final = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What a value of ours raises when it is made of what no store wrote."""

_SEPARATOR: Final = "\x1e"
"""Parts the carried fields of items: a control character, which JSON text never holds unescaped."""

_NOTHING_CARRIED: Final = CarriedFields()
_encode: Final = Encoder().encode


@frozen
class Content:
    """A version of a document as it was loaded."""

    document: BillingDocument

    @property
    def header(self) -> DocumentHeader:
        """The version's header; all transactions written from it share this object."""
        return self.document.header

    def item(self, item_id: str) -> BillingItem:
        """One of the version's items."""
        try:
            return self.items[item_id]
        except KeyError:
            raise NotCanonical("a transaction's item is not in the content that it was written from") from None

    @cached_property
    def items(self) -> dict[str, BillingItem]:
        """The version's items by id."""
        return {item.id: item for item in self.document.items}


def content_row(document: BillingDocument) -> Row:
    """Header, header's carried fields, items, items' carried fields."""
    items = document.items
    carried = _SEPARATOR.join([item.carried.text for item in items])
    if carried.count(_SEPARATOR) >= max(len(items), 1):
        raise ValueError("carried fields hold the control character U+001E; JSON text writes it as \\u001e")
    header = document.header
    return (header_text(header), header.carried.text, _encode([*map(item_content, items)]).decode(), carried)


def header_text(header: DocumentHeader) -> str:
    """A header without its key and its carried fields; names and texts hold nothing that UTF-8 couldn't (REQ-14)."""
    return _encode(header_content(header)).decode()


def item_text(item: BillingItem) -> str:
    """An item without its carried fields."""
    return _encode(item_content(item)).decode()


def content_of_row(key: DocumentKey, row: Row) -> Content:
    """The content that :func:`content_row` wrote; raises :class:`NotCanonical` where it did not."""
    header, header_carried, items, items_carried = row
    try:
        parts = _read_items(items)
        carried = items_carried.split(_SEPARATOR) if items_carried else ()
        read = tuple([_item(part, text) for part, text in zip(parts, carried, strict=True)])
        return Content(BillingDocument(_header(_read_header(header), key, header_carried), read))
    except DAMAGE as damage:
        raise _not_kept(damage) from None


def header_of_text(text: str, key: DocumentKey, carried: str) -> DocumentHeader:
    """The header that :func:`header_text` wrote."""
    try:
        return _header(_read_header(text), key, carried)
    except DAMAGE as damage:
        raise _not_kept(damage) from None


def item_of_text(text: str, carried: str) -> BillingItem:
    """The item that :func:`item_text` wrote."""
    try:
        return _item(_read_item(text), carried)
    except DAMAGE as damage:
        raise _not_kept(damage) from None


# What is kept of a class, and how the class is made of it.

_AS_KEPT: Final = {Decimal: str, Decimal | None: str | None}
"""Amounts are kept as text, so that no reader makes floats of them."""


def _kept(kind: type, *apart: str) -> type[Struct]:
    """What is kept of a class: its fields in order but those apart, with their kinds and defaults, and nothing else."""
    kinds, fields = get_type_hints(kind), [each for each in attrs.fields(kind) if each.init and each.name not in apart]
    told = [(each.name, _AS_KEPT.get(kinds[each.name], kinds[each.name]), _default(each)) for each in fields]
    return defstruct(f"Kept{kind.__name__}", told, kw_only=True, forbid_unknown_fields=True, gc=False)


def _default(field: attrs.Attribute[Any]) -> object:
    return NODEFAULT if field.default is attrs.NOTHING else field.default


def _texts(kind: type) -> tuple[tuple[str, Any, Any], ...]:
    """The fields whose texts only the class itself can check: name, field, validator."""
    kinds = get_type_hints(kind)
    fields = [each for each in attrs.fields(kind) if kinds[each.name] in (str, str | None)]
    return tuple((each.name, each, each.validator) for each in fields)


_KEPT_HEADER: Final = _kept(DocumentHeader, "key", "carried")
_KEPT_ITEM: Final = _kept(BillingItem, "carried")
_read_header: Final = Decoder(_KEPT_HEADER).decode
_read_item: Final = Decoder(_KEPT_ITEM).decode
_read_items: Final = Decoder(list[_KEPT_ITEM]).decode  # type: ignore[valid-type]  # a class that was made above
_new_header: Final[Callable[..., DocumentHeader]] = unchecked(DocumentHeader)
_new_item: Final[Callable[..., BillingItem]] = unchecked(BillingItem)
_HEADER_TEXTS: Final = _texts(DocumentHeader)
_ITEM_TEXTS: Final = _texts(BillingItem)


def _header(kept: Any, key: DocumentKey, carried: str) -> DocumentHeader:
    for name, field, check in _HEADER_TEXTS:
        check(kept, field, getattr(kept, name))
    return _new_header(key, *astuple(kept), _carried(carried))


def _item(kept: Any, carried: str) -> BillingItem:
    for name, field, check in _ITEM_TEXTS:
        check(kept, field, getattr(kept, name))
    kept.amount = amount(kept.amount)
    if kept.booking_amount is not None:
        kept.booking_amount = amount(kept.booking_amount)
    return _new_item(*astuple(kept), _carried(carried))


def _carried(text: str) -> CarriedFields:
    """Carried fields by their text; most items carry nothing, and share it."""
    return _NOTHING_CARRIED if text == "{}" else CarriedFields(text)


def _not_kept(damage: Exception) -> NotCanonical:
    """What is wrong, without the value that is: the reader's own message may repeat it."""
    said = f"at {str(damage).rpartition(' - at ')[2]}" if isinstance(damage, ValidationError) else str(damage)
    return NotCanonical(f"the content of a document: {said}")
