"""Loading documents within a unit of work: what is there is read at once, then each is judged in turn, then written.

A batch answers and stores exactly what loading its documents one after the other does (DOC-4). Between reading and
writing nothing is asked of the database, so a batch costs a few statements, not a few per document; and since rows are
written in the order of their keys, two batches don't wait for each other in a circle.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from attrs import define, field

from regen_core.adapters.sql.contents import content_row
from regen_core.adapters.sql.lookups import in_parts
from regen_core.adapters.sql.prepared import Prepared
from regen_core.adapters.sql.reading import Question, Reader
from regen_core.adapters.sql.rows import key_of_row, key_row
from regen_core.adapters.sql.unit import Row
from regen_core.changes import document_changes
from regen_core.documents import BillingDocument
from regen_core.ports import DocumentLoaded, LoadOutcome
from regen_core.store import ItemTaken, NumberTaken

__all__ = ["load_documents"]

_Of = tuple[str, str, str]
"""Tenant, entity and type: documents of different ones have nothing to do with each other."""


@define
class _Group:
    """What a batch concerns of one tenant, entity and type, as it changes document by document.

    Fields: ``documents`` with version and content version, and ``read`` with the version as they were read, by id;
    ``numbers`` and ``items`` the id of the document that has a name now, ``had_items`` the one that had it;
    ``versions`` the contents to be added, with their versions.
    """

    of: _Of
    documents: dict[str, tuple[BillingDocument, int, int]] = field(factory=dict)
    read: dict[str, tuple[BillingDocument, int]] = field(factory=dict)
    numbers: dict[str, str | None] = field(factory=dict)
    items: dict[str, str | None] = field(factory=dict)
    had_items: dict[str, str | None] = field(factory=dict)
    versions: list[tuple[int, BillingDocument]] = field(factory=list)


def load_documents(reader: Reader, documents: Sequence[BillingDocument]) -> tuple[LoadOutcome, ...]:
    """Add or replace documents; a refused one has written nothing and stops no other (DOC-1 … DOC-4)."""
    places: list[_Of] = [key_row(document.key)[:3] for document in documents]
    by_type: dict[_Of, list[BillingDocument]] = {of: [] for of in sorted(set(places))}
    for of, document in zip(places, documents, strict=True):
        by_type[of].append(document)
    groups = {of: _Group(of) for of in by_type}
    _read(reader, [(groups[of], by_type[of]) for of in groups])
    outcomes = tuple([_load(groups[of], document) for of, document in zip(places, documents, strict=True)])
    _write(reader, [group for group in groups.values() if group.versions])
    return outcomes


def _read(reader: Reader, groups: Sequence[tuple[_Group, Sequence[BillingDocument]]]) -> None:
    """What is stored of the documents, and who owns their numbers and items: locked first, then read at one moment."""
    look, ids = reader.statements.lookups, list[tuple[_Group, Iterable[str]]]()
    for group, documents in groups:
        ids.append((group, {document.id for document in documents}))
        group.numbers.update(dict.fromkeys([document.header.number for document in documents]))
        group.items.update(dict.fromkeys([item.id for document in documents for item in document.items]))
    locks = _questions(
        lambda size: look.lock_documents("document_id", None, size), ids if reader.unit.locks_rows else []
    )
    known = _questions(lambda size: look.documents_of("document_id", None, size), ids)
    owned = _questions(look.number_owners, [(group, group.numbers) for group, _ in groups])
    had = _questions(look.item_owners, [(group, group.items) for group, _ in groups])
    asked = [*locks, *known, *owned, *had]
    answers = iter(reader.unit.ask([question for _, question in asked])[len(locks) :])
    for (group, _), rows in zip(known, answers, strict=False):
        for document_id, _, version, content_version, *content in rows:
            document = reader.contents((*group.of, document_id), tuple(content)).document
            group.documents[document_id] = document, version, content_version
            group.read[document_id] = document, version
    for (group, _), rows in zip(owned, answers, strict=False):
        group.numbers.update(rows)
    for (group, _), rows in zip(had, answers, strict=False):
        group.items.update(rows)
    for group, _ in groups:
        group.had_items.update(group.items)


def _questions(
    statement: Callable[[int], Prepared], names: Iterable[tuple[_Group, Iterable[str]]]
) -> list[tuple[_Group, Question]]:
    return [
        (group, (statement(len(part)), (*group.of, *part)))
        for group, given in names
        for part in in_parts(sorted(given))
    ]


def _load(group: _Group, document: BillingDocument) -> LoadOutcome:
    """What loading one document leads to, after those before it."""
    taken = _taken(group, document)
    if taken is not None:
        return taken
    key = document.key
    found = group.documents.get(key.id)
    if found is None:
        _keep(group, document, None, 1, 1)
        return DocumentLoaded(key, True, ())
    before, version, content_version = found
    changes = document_changes(before, document)
    if changes:
        _keep(group, document, before, version + 1, content_version + 1)
    return DocumentLoaded(key, False, changes)


def _taken(group: _Group, document: BillingDocument) -> NumberTaken | ItemTaken | None:
    """Who else has the document's number or one of its items (DOC-2, DOC-3)."""
    key, items = document.key, group.items
    owner = group.numbers[document.header.number]
    if owner is not None and owner != key.id:
        return NumberTaken(document.header.number, key_of_row((*group.of, owner)))
    for item in document.items:
        owner = items[item.id]
        if owner is not None and owner != key.id:
            return ItemTaken(item.id, key_of_row((*group.of, owner)))
    return None


def _keep(
    group: _Group, document: BillingDocument, before: BillingDocument | None, version: int, content_version: int
) -> None:
    document_id = document.id
    if before is not None:
        group.numbers[before.header.number] = None
        for item in before.items:
            group.items[item.id] = None
            group.had_items.setdefault(item.id, document_id)
    group.numbers[document.header.number] = document_id
    group.items.update(dict.fromkeys([item.id for item in document.items], document_id))
    group.documents[document_id] = document, version, content_version
    group.versions.append((content_version, document))


def _write(reader: Reader, groups: Sequence[_Group]) -> None:
    """Write what has changed: what is given up first, so that whoever takes it over may have it."""
    unit, statements = reader.unit, reader.statements
    given_up: list[Row] = []
    given: list[Row] = []
    new: list[Row] = []
    replaced: list[tuple[_Group, str, Row]] = []
    for group in groups:
        moved = [name for name, owner in sorted(group.items.items()) if group.had_items[name] != owner]
        given_up += [(*group.of, name) for name in moved if group.had_items[name] is not None]
        given += [(*group.of, name, group.items[name]) for name in moved if group.items[name] is not None]
        for document_id in sorted({document.id for _, document in group.versions}):
            document, version, content_version = group.documents[document_id]
            row = (document.header.number, document.header.org, version, content_version)
            if document_id in group.read:
                replaced.append((group, document_id, row))
            else:
                new.append((*group.of, document_id, *row))
    unit.write_many(statements.remove_item, given_up)
    _replace(reader, replaced)
    unit.add_many(statements.add_document, new)
    unit.add_many(statements.add_version, [_version_row(*each) for group in groups for each in group.versions])
    unit.add_many(statements.add_item, given)


def _replace(reader: Reader, rows: Sequence[tuple[_Group, str, Row]]) -> None:
    """Replace rows; a number that changes makes room first, for the one that another document of the batch has now."""
    unit, statements = reader.unit, reader.statements
    for group, document_id, row in rows:
        before, version = group.read[document_id]
        if before.header.number != row[0]:
            unit.put(statements.give_up_number, (f"\x1f{document_id}", *group.of, document_id, version))
    for group, document_id, row in rows:
        unit.put(statements.replace_document, (*row, *group.of, document_id, group.read[document_id][1]))


def _version_row(content_version: int, document: BillingDocument) -> Row:
    header = document.header
    about = (content_version, header.date.isoformat(), header.currency)
    return (*key_row(header.key), *about, *content_row(document))
