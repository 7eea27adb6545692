"""Reading from a store what the page shows, always within the scope of one caller and never without a bound (ACC-4).

Each document is read at one moment with its transactions; what waits and what Revenue holds is read beside it. So a
line may show two moments for as long as somebody writes; the next look shows one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from attrs import field, frozen

from regen_core.access import Scope
from regen_core.adapters.http.window.view import DocumentParts
from regen_core.documents import DocumentKey, DocumentType
from regen_core.ports import MAX_PAGE, Found, Page, Selection, Store
from regen_core.request import RegenerateRequest

__all__ = ["DEFAULT_SHOWN", "Looked", "MOST_SHOWN", "documents_shown", "parts_of"]

DEFAULT_SHOWN: Final = 20
"""Documents of one page where nobody says how many: each costs three small look-ups a second while somebody watches."""

MOST_SHOWN: Final = 100
"""Most documents of one page."""


@frozen(kw_only=True)
class Looked:
    """Which documents are to be shown.

    Fields: ``type`` ``None`` means any; ``name`` is an id or a number and matches exactly, ``None`` means any (REQ-7);
    ``limit`` documents at most; ``after`` is what a page gave to go on.
    """

    type: DocumentType | None = None
    name: str | None = None
    limit: int = field(default=DEFAULT_SHOWN)
    after: str | None = None

    @limit.validator
    def _within(self, _: object, value: int) -> None:
        if not 1 <= value <= MOST_SHOWN:
            raise ValueError(f"limit is {value}; at most {MOST_SHOWN} documents are shown at once")


def documents_shown(store: Store, scope: Scope, looked: Looked) -> Page[DocumentParts]:
    """The documents that are to be shown, by type and id, each with all that is known of it."""
    if looked.name is not None:
        return Page(tuple(_named(store, scope, looked)), None)
    page = store.documents(scope, Selection(type=looked.type), limit=looked.limit, after=looked.after)
    found = (parts_of(store, scope, document.key) for document in page.rows)
    return Page(tuple(parts for parts in found if parts is not None), page.next)


def _named(store: Store, scope: Scope, looked: Looked) -> Iterator[DocumentParts]:
    """Whatever has the name as its id or as its number: at most two documents of each type, which have an order."""
    kinds = DocumentType if looked.type is None else (looked.type,)
    selections = [each for kind in kinds for each in (_with_id(kind, looked.name), _with_number(kind, looked.name))]
    keys = {document.key for selection in selections for document in store.documents(scope, selection, limit=1).rows}
    for key in sorted(keys, key=lambda key: (key.type.value, key.id)):
        parts = parts_of(store, scope, key)
        if parts is not None:
            yield parts


def _with_id(kind: DocumentType, name: str | None) -> Selection:
    return Selection(type=kind, id=name)


def _with_number(kind: DocumentType, name: str | None) -> Selection:
    return Selection(type=kind, number=name)


def parts_of(store: Store, scope: Scope, key: DocumentKey) -> DocumentParts | None:
    """All that is known of one document; ``None`` where it isn't visible, or not any more."""
    found = store.find(scope, RegenerateRequest(type=key.type, id=key.id))
    if not isinstance(found, Found):
        return None
    of_document = Selection(type=key.type, id=key.id)
    waiting = store.deliveries(scope, of_document, acknowledged=False, limit=MAX_PAGE).rows
    held = store.revenue(scope, of_document, limit=MAX_PAGE).rows
    return DocumentParts(stored=found.stored, waiting=waiting, held=held)
