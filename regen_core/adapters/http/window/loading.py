"""Loading documents through the window: one text, all that is wrong with it at once, and what became of each document.

The text is what ``regen load`` takes as a file: a document, a list, or one document per line, with pages of items.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from typing import Any, Final

from attrs import field, frozen

from regen_core.access import Scope
from regen_core.adapters.cli.change_lines import change_lines
from regen_core.changes import FieldChange
from regen_core.documents import DocumentType
from regen_core.plain_values import plain
from regen_core.ports import DocumentLoaded, LoadOutcome, Store
from regen_core.store import ItemTaken, NumberTaken
from regen_core.wire.reading import BadInput, DocumentReader, ReadDocument

__all__ = ["EXAMPLES", "LoadResult", "MAX_DOCUMENTS_BYTES", "example_texts", "load_texts", "results_json"]

MAX_DOCUMENTS_BYTES: Final = 4 * 1024 * 1024
"""Longest text in bytes: some thousand documents. ``regen load`` takes files of any size."""

EXAMPLES: Final[Mapping[str, tuple[str, ...]]] = {
    "posted": ("posted.json",),
    "data-fix": ("data-fix.json",),
}
"""The example documents that come along, by the chapter of their story: what was posted, and a data fix after it."""

_NAME: Final = "documents"
"""What a text is called in messages: it has no name of its own."""

MOST_CHANGES: Final = 20
"""Changes of one document that are told; of more only their number."""

_TRIES: Final = 3
"""How often documents are tried that others stood in the way of: those may have given up a number or an item since."""


@frozen
class LoadResult:
    """What became of one document.

    Fields: ``word`` is new, changed, unchanged or refused; ``name`` type, number and id, ``None`` where the text could
    not be read so far; ``told`` what changed or what is wrong, one line each.
    """

    word: str
    where: str
    name: tuple[str, str, str] | None
    told: tuple[str, ...] = field(default=())


def example_texts(chapter: str) -> tuple[bytes, ...]:
    """The texts of a chapter of the examples; raises ``KeyError`` for one that isn't there."""
    folder = files(__package__) / "examples"
    return tuple([(folder / name).read_bytes() for name in EXAMPLES[chapter]])


def load_texts(store: Store, scope: Scope, texts: Sequence[bytes], *, org: str | None = None) -> list[LoadResult]:
    """Load what can be loaded, the rest is told (DOC-1 … DOC-4); ``org`` is that of documents that name none."""
    reader = DocumentReader(
        tenant=scope.tenant,
        entity=scope.entity,
        default_org=org,
        currency_of_invoice=lambda invoice_id: store.invoice_currency(scope, invoice_id),
    )
    reads = [*[read for text in texts for read in reader.read(text.splitlines(keepends=True), name=_NAME)]]
    reads += reader.finish()
    bad = [_bad(read) for read in reads if isinstance(read, BadInput)]
    good = [read for read in reads if isinstance(read, ReadDocument)]
    return [*bad, *_stored(store, scope, good)]


def _stored(store: Store, scope: Scope, reads: Sequence[ReadDocument]) -> Iterator[LoadResult]:
    """Store documents; one that another stands in the way of is tried again once all others are stored."""
    left = list(reads)
    for last in range(1, _TRIES + 1):
        outcomes = store.load_all([read.document for read in left]) if left else ()
        both = tuple(zip(left, outcomes, strict=True))
        left = []
        for read, outcome in both:
            if isinstance(outcome, DocumentLoaded) or last == _TRIES:
                yield _told(scope, read, outcome)
            else:
                left.append(read)


def _bad(bad: BadInput) -> LoadResult:
    return LoadResult("refused", str(bad.where), None, tuple(fault.message for fault in bad.faults))


def _told(scope: Scope, read: ReadDocument, outcome: LoadOutcome) -> LoadResult:
    document = read.document
    name = (document.type.value, document.header.number, document.id)
    word, told = _outcome(document.type, outcome)
    if not scope.can_see(document.header):
        told = (*told, f"It belongs to the organisation {document.header.org}, which this client can't see (ACC-4).")
    return LoadResult(word, str(read.where), name, told)


def _outcome(kind: DocumentType, outcome: LoadOutcome) -> tuple[str, tuple[str, ...]]:
    match outcome:
        case DocumentLoaded(is_new=True):
            return "new", ()
        case DocumentLoaded(changes=changes):
            return "changed" if changes else "unchanged", _changes(kind, changes)
        case NumberTaken(number, owner):
            told = f"The number {number} belongs to the {owner.type.value} with id {owner.id} (DOC-2)."
            return "refused", (f"{told} Correct the number, or load that document under its new number first.",)
        case ItemTaken(item_id, owner):
            told = f"The item {item_id} belongs to the {owner.type.value} with id {owner.id} (DOC-3)."
            return "refused", (f"{told} Correct the export, or load that document without the item first.",)


def _changes(kind: DocumentType, changes: Sequence[FieldChange]) -> tuple[str, ...]:
    lines = change_lines(kind, changes)
    left = len(lines) - MOST_CHANGES
    return (*lines[:MOST_CHANGES], *([f"and {left} more"] if left > 0 else ()))


def results_json(results: Sequence[LoadResult]) -> dict[str, Any]:
    """What became of all, as JSON."""
    counts = {word: sum(each.word == word for each in results) for word in ("new", "changed", "unchanged", "refused")}
    return {"success": not counts["refused"], "counts": counts, "documents": [plain(each) for each in results]}
