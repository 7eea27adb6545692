"""What differs between two versions of a document or two contents of a transaction, field by field, as values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import attrs
from attrs import frozen

from regen_core.documents import BillingDocument, BillingItem, CarriedFields, DocumentHeader

__all__ = ["FieldChange", "document_changes", "field_changes"]


@frozen
class FieldChange:
    """One difference: where, and the values there before and after; ``None`` means that nothing stood there."""

    path: str
    before: Any
    after: Any


def field_changes(before: Any, after: Any, path: str = "") -> tuple[FieldChange, ...]:
    """The fields in which two headers or two items differ; carried fields one by one, under Zuora's names.

    >>> from decimal import Decimal
    >>> old, new = (BillingItem(id="i1", amount=Decimal(amount)) for amount in ("10", "12"))
    >>> [(change.path, change.before, change.after) for change in field_changes(old, new)]
    [('amount', Decimal('10'), Decimal('12'))]
    """
    return tuple(_differences(_by_name(before), _by_name(after), path))


def document_changes(before: BillingDocument, after: BillingDocument) -> tuple[FieldChange, ...]:
    """What a document says now that it didn't before: header fields, items changed, added, gone or moved (DOC-1)."""
    old, new = ({item.id: item for item in document.items} for document in (before, after))
    changes = list(field_changes(before.header, after.header))
    for item_id in dict.fromkeys((*old, *new)):
        path = f"items[{item_id}]"
        if item_id in old and item_id in new:
            changes.extend(field_changes(old[item_id], new[item_id], f"{path}."))
        else:
            changes.append(FieldChange(path, old.get(item_id), new.get(item_id)))
    order = [[item_id for item_id in side if item_id in old and item_id in new] for side in (old, new)]
    if order[0] != order[1]:
        changes.append(FieldChange("order of items", tuple(order[0]), tuple(order[1])))
    return tuple(changes)


def _by_name(value: DocumentHeader | BillingItem) -> dict[str, Any]:
    own = {each.name: getattr(value, each.name) for each in attrs.fields(type(value)) if each.eq}
    carried: CarriedFields = own.pop("carried")
    return {**own, **{f"carried.{name}": part for name, part in carried.fields.items()}}


def _differences(before: Mapping[str, Any], after: Mapping[str, Any], path: str) -> Iterator[FieldChange]:
    for name in dict.fromkeys((*before, *after)):
        if not _same(before.get(name), after.get(name)):
            yield FieldChange(path + name, before.get(name), after.get(name))


def _same(before: Any, after: Any) -> bool:
    """Equal in type and value, all the way down: JSON's 1 and true are two things, Python's are not."""
    if type(before) is not type(after):
        return False
    if isinstance(before, dict):
        return before.keys() == after.keys() and all(_same(part, after[name]) for name, part in before.items())
    if isinstance(before, list):
        return len(before) == len(after) and all(map(_same, before, after))
    return bool(before == after)
