"""Loading documents within a unit of work: what is there is read at once, then each is judged in turn, then written.

A batch answers and stores exactly what loading its documents one after the other does (DOC-4). Between reading and
writing nothing is asked of the database, so a batch costs a few statements, not a few per document; and since rows are
written in the order of their keys, two batches don't wait for each other in a circle.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from attrs import define, field

from regen_core.adapters.sql.lookups import in_parts
from regen_core.adapters.sql.prepared import Prepared
from regen_core.adapters.sql.reading import Question, Reader
from regen_core.adapters.sql.rows import content_of_row, content_row, key_of_row, key_row
from regen_core.adapters.sql.unit import Row
from regen_core.changes import document_changes
from regen_core.documents import BillingDocument, DocumentKey
from regen_core.ports import DocumentLoaded, LoadOutcome
from regen_core.store import ItemTaken, NumberTaken

__all__ = ["load_documents"]

_Name = tuple[str, str, str, str]
"""Tenant, entity, type, and a number or an item id."""


@define
class _Batch:
    """What is known of the documents, numbers and items that a batch is about, as it changes document by document.

    Fields: ``documents`` with version and content version by key; ``numbers`` and ``items`` who owns a name now, by
    document id; ``read`` the versions as they were read; ``versions`` the contents to be added.
    """

    documents: dict[DocumentKey, tuple[BillingDocument, int, int]] = field(factory=dict)
    numbers: dict[_Name, str | None] = field(factory=dict)
    items: dict[_Name, str | None] = field(factory=dict)
    read: dict[DocumentKey, tuple[BillingDocument, int]] = field(factory=dict)
    had_items: dict[_Name, str | None] = field(factory=dict)
    versions: list[tuple[DocumentKey, int, BillingDocument]] = field(factory=list)


def load_documents(reader: Reader, documents: Sequence[BillingDocument]) -> tuple[LoadOutcome, ...]:
    """Add or replace documents; a refused one has written nothing and stops no other (DOC-1 … DOC-4)."""
    batch = _read(reader, documents)
    outcomes = tuple([_load(batch, document) for document in documents])
    if batch.versions:
        _write(reader, batch)
    return outcomes


def _read(reader: Reader, documents: Sequence[BillingDocument]) -> _Batch:
    """What is stored of the documents, and who owns their numbers and items: locked first, then read at one moment."""
    look, batch = reader.statements.lookups, _Batch()
    ids, numbers, items = _names_by_type(documents)
    locks = _questions(
        lambda size: look.lock_documents("document_id", None, size), ids if reader.unit.locks_rows else {}
    )
    known = _questions(lambda size: look.documents_of("document_id", None, size), ids)
    owned = _questions(look.number_owners, numbers)
    had = _questions(look.item_owners, items)
    answers = iter(reader.unit.ask([*locks, *known, *owned, *had])[len(locks) :])
    for (_, asked), rows in zip(known, answers, strict=False):
        for document_id, _, version, content_version, *content in rows:
            key = key_of_row((*asked[:3], document_id))
            document = content_of_row(key, tuple(content)).document
            batch.documents[key] = document, version, content_version
            batch.read[key] = document, version
    for into, names, questions in ((batch.numbers, numbers, owned), (batch.items, items, had)):
        into.update({(*of, name): None for of, given in names.items() for name in given})
        for (_, asked), rows in zip(questions, answers, strict=False):
            tenant, entity, kind = asked[:3]
            into.update({(tenant, entity, kind, name): owner for name, owner in rows})
    batch.had_items = dict(batch.items)
    return batch


_Names = dict[tuple[str, str, str], set[str]]


def _names_by_type(documents: Sequence[BillingDocument]) -> tuple[_Names, _Names, _Names]:
    """Ids, numbers and item ids, each by tenant, entity and type."""
    ids, numbers, items = _Names(), _Names(), _Names()
    for document in documents:
        tenant, entity, kind, document_id = key_row(document.key)
        of = tenant, entity, kind
        ids.setdefault(of, set()).add(document_id)
        numbers.setdefault(of, set()).add(document.header.number)
        items.setdefault(of, set()).update([item.id for item in document.items])
    return ids, numbers, items


def _questions(statement: Callable[[int], Prepared], names: _Names) -> list[Question]:
    return [(statement(len(part)), (*of, *part)) for of in sorted(names) for part in in_parts(sorted(names[of]))]


def _number_name(document: BillingDocument) -> _Name:
    tenant, entity, kind, _ = key_row(document.key)
    return tenant, entity, kind, document.header.number


def _load(batch: _Batch, document: BillingDocument) -> LoadOutcome:
    """What loading one document leads to, after those before it."""
    taken = _taken(batch, document)
    if taken is not None:
        return taken
    key = document.key
    found = batch.documents.get(key)
    if found is None:
        _keep(batch, document, None, 1, 1)
        return DocumentLoaded(key, True, ())
    before, version, content_version = found
    changes = document_changes(before, document)
    if changes:
        _keep(batch, document, before, version + 1, content_version + 1)
    return DocumentLoaded(key, False, changes)


def _taken(batch: _Batch, document: BillingDocument) -> NumberTaken | ItemTaken | None:
    """Who else has the document's number or one of its items (DOC-2, DOC-3)."""
    key = document.key
    owner = batch.numbers[_number_name(document)]
    if owner is not None and owner != key.id:
        return NumberTaken(document.header.number, _beside(key, owner))
    of_type = key_row(key)[:3]
    for item in document.items:
        owner = batch.items[(*of_type, item.id)]
        if owner is not None and owner != key.id:
            return ItemTaken(item.id, _beside(key, owner))
    return None


def _beside(key: DocumentKey, document_id: str) -> DocumentKey:
    return DocumentKey(tenant=key.tenant, entity=key.entity, type=key.type, id=document_id)


def _keep(
    batch: _Batch, document: BillingDocument, before: BillingDocument | None, version: int, content_version: int
) -> None:
    key, of_type = document.key, key_row(document.key)[:3]
    if before is not None:
        batch.numbers[_number_name(before)] = None
        for item in before.items:
            batch.items[(*of_type, item.id)] = None
            batch.had_items.setdefault((*of_type, item.id), key.id)
    batch.numbers[_number_name(document)] = key.id
    batch.items.update({(*of_type, item.id): key.id for item in document.items})
    batch.documents[key] = document, version, content_version
    batch.versions.append((key, content_version, document))


def _write(reader: Reader, batch: _Batch) -> None:
    """Write what has changed: what is given up first, so that whoever takes it over may have it."""
    unit, statements = reader.unit, reader.statements
    moved = [name for name, owner in sorted(batch.items.items()) if batch.had_items.get(name) != owner]
    unit.write_many(statements.remove_item, [name for name in moved if batch.had_items.get(name) is not None])
    new: list[Row] = []
    replaced: list[tuple[DocumentKey, Row]] = []
    for key in sorted({key for key, _, _ in batch.versions}, key=key_row):
        document, version, content_version = batch.documents[key]
        row = (document.header.number, document.header.org, version, content_version)
        if key in batch.read:
            replaced.append((key, row))
        else:
            new.append((*key_row(key), *row))
    _replace(reader, batch, replaced)
    unit.add_many(statements.add_document, new)
    unit.add_many(statements.add_version, [_version_row(*each) for each in batch.versions])
    given = [(name, batch.items[name]) for name in moved]
    unit.add_many(statements.add_item, [(*name, owner) for name, owner in given if owner is not None])


def _replace(reader: Reader, batch: _Batch, rows: Sequence[tuple[DocumentKey, Row]]) -> None:
    """Replace rows; a number that changes makes room first, for the one that another document of the batch has now."""
    unit, statements = reader.unit, reader.statements
    for key, row in rows:
        before, version = batch.read[key]
        if before.header.number != row[0]:
            unit.put(statements.give_up_number, (f"\x1f{key.id}", *key_row(key), version))
    for key, row in rows:
        unit.put(statements.replace_document, (*row, *key_row(key), batch.read[key][1]))


def _version_row(key: DocumentKey, content_version: int, document: BillingDocument) -> Row:
    header = document.header
    return (*key_row(key), content_version, header.date.isoformat(), header.currency, *content_row(document))
