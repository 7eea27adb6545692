"""What differs between two versions of a document, for people: each fact once, and what was assumed in words.

Programs get the changes as they are. Owns which raw field of Zuora's says the same as a typed fact; the tables of
:mod:`regen_core.wire.tables` know it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from regen_core.changes import FieldChange
from regen_core.documents import Assumption, BillingItem, DocumentType
from regen_core.explain.sentences import change_text
from regen_core.explain.words import amount_text
from regen_core.wire.tables import SHAPES

__all__ = ["change_lines"]

_CARRIED: Final = "carried."
_ASSUMED: Final = "assumed"
_FACT_OF: Final[Mapping[DocumentType, Mapping[str, str]]] = {
    kind: {fact.field: fact.attribute for fact in (*shape.header, *shape.item) if fact.field is not None}
    for kind, shape in SHAPES.items()
}
"""By document type, Zuora's name of a field and the typed fact that it tells."""


def change_lines(kind: DocumentType, changes: Sequence[FieldChange]) -> list[str]:
    """One line per fact that changed; a raw field is left out where a typed fact tells the same.

    What was assumed is told where nothing else changed, for else it follows from that.

    >>> change_lines(DocumentType.INVOICE, [FieldChange("status", "Draft", "Posted")])
    ['status: Draft → Posted']
    """
    typed = [each for each in changes if not _is_raw(each) and not _is_assumed(each)]
    told = {(_owner(kind, each), _fact(each)): _both(each) for each in typed}
    shown = [each for each in changes if not _is_assumed(each) and not (_is_raw(each) and _is_told(kind, each, told))]
    moved = {_owner(kind, each) for each in shown if not isinstance(each.before or each.after, BillingItem)}
    lines = [_line(each) for each in shown]
    for each in changes:
        if _is_assumed(each) and _owner(kind, each) not in moved:
            lines.extend(_assumptions(each))
    return lines


def _is_told(kind: DocumentType, raw: FieldChange, told: Mapping[tuple[str, str], tuple[str, str]]) -> bool:
    """Whether a typed fact of the same object tells what a raw field does: it was read from it, or both are alike."""
    owner, name = _owner(kind, raw), _fact(raw)
    own = _FACT_OF[kind].get(name)
    return (own is not None and (owner, own) in told) or told.get((owner, name.lower())) == _both(raw)


def _steps(change: FieldChange) -> tuple[str, str]:
    """Whose field it is (an item's, with its brackets, or the header's), and which."""
    owner, closed, rest = change.path.rpartition("].")
    return owner + closed, rest


def _owner(kind: DocumentType, change: FieldChange) -> str:
    """Whose change it is; an adjustment is its own item."""
    return "" if kind is DocumentType.INVOICE_ITEM_ADJUSTMENT else _steps(change)[0]


def _is_raw(change: FieldChange) -> bool:
    return _steps(change)[1].startswith(_CARRIED)


def _is_assumed(change: FieldChange) -> bool:
    return _steps(change)[1] == _ASSUMED


def _fact(change: FieldChange) -> str:
    return _steps(change)[1].removeprefix(_CARRIED)


def _both(change: FieldChange) -> tuple[str, str]:
    return str(change.before), str(change.after)


def _line(change: FieldChange) -> str:
    if isinstance(change.after, BillingItem):
        return f"{change.path}: added, {amount_text(change.after.amount)}"
    if isinstance(change.before, BillingItem):
        return f"{change.path}: gone, was {amount_text(change.before.amount)}"
    return change_text(change)


def _assumptions(change: FieldChange) -> Iterator[str]:
    """What is assumed now, and what no longer is."""
    before, after = _listed(change.before), _listed(change.after)
    owner = _steps(change)[0].removesuffix(".")
    place = f"{owner}: " if owner else ""
    for word, left, right in (("no longer assumed", before, after), ("assumed now", after, before)):
        for each in left:
            if each not in right:
                yield f"{place}{word}: {each.fact}: {each.value} ({each.rule_id})"


def _listed(value: Any) -> tuple[Assumption, ...]:
    return value if isinstance(value, tuple) else ()
