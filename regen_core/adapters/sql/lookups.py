"""The statements by which documents, their transactions and the owners of names are found, alone or many at once.

A look-up filters by tenant, entity and organisations in the query itself (ACC-4). For many names there is one text per
power of two: the last name is given again until the number fits, which changes no answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, Final

from sqlalchemy import Select, Table, bindparam, or_, select

from regen_core.adapters.sql.conditions import (
    CONTENT,
    DOCUMENT,
    OF_DOCUMENT,
    TRANSACTION_ROW,
    equal,
    org_names,
    same,
    visible,
)
from regen_core.adapters.sql.prepared import Prepared, StatementsOfDialect
from regen_core.adapters.sql.schema import document_items, document_versions, documents, transactions

__all__ = ["LookUps", "MOST_NAMES", "in_parts"]

MOST_NAMES: Final = 256
"""Most names that one statement looks up."""

_OF_TYPE: Final = DOCUMENT[:3]


def in_parts(names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Names in parts of sizes that there are statements for."""
    for start in range(0, len(names), MOST_NAMES):
        part = names[start : start + MOST_NAMES]
        size = 1 << (len(part) - 1).bit_length()
        yield (*part, *(part[-1],) * (size - len(part)))


class LookUps(StatementsOfDialect):
    """The statements of one dialect; those that depend on how many names or organisations there are, by that number."""

    # one document

    def lock_document(self, names: tuple[str, ...], orgs: int | None) -> Prepared:
        """Lock the row of a visible document that all given names belong to; nothing else may be read from it."""

        def build() -> Prepared:
            wanted = (*_OF_TYPE, *names)
            query = select(documents.c.document_id).where(equal(documents, *wanted), *visible(documents, orgs))
            return self._prepared(query.with_for_update(), *wanted, *org_names(orgs))

        return self._remembered(("lock_document", names, orgs), build)

    def documents_named(self, names: tuple[str, ...], orgs: int | None) -> Prepared:
        """The visible documents that any of the names belongs to, as one moment saw them (REQ-4, REQ-7, ACC-4)."""

        def build() -> Prepared:
            query = _documents(orgs).where(or_(*[equal(documents, name) for name in names]))
            return self._prepared(query, *_OF_TYPE, *names, *org_names(orgs))

        return self._remembered(("documents_named", names, orgs), build)

    @cached_property
    def transactions_of(self) -> Prepared:
        """A document's transactions in stored order."""
        query = select(*[transactions.c[name] for name in TRANSACTION_ROW])
        return self._prepared(query.where(equal(transactions, *DOCUMENT)).order_by(transactions.c.place), *DOCUMENT)

    @cached_property
    def transactions_of_number(self) -> Prepared:
        """The transactions of the document that has a number, in stored order."""
        query = select(*[transactions.c[name] for name in TRANSACTION_ROW])
        query = query.join_from(transactions, documents, same(transactions, documents, **OF_DOCUMENT))
        query = query.where(equal(documents, *_OF_TYPE, "number")).order_by(transactions.c.place)
        return self._prepared(query, *_OF_TYPE, "number")

    # many, all of one type

    def lock_documents(self, name: str, orgs: int | None, size: int) -> Prepared:
        """Lock the rows of the visible documents that have one of the names, in one order for all: id and number."""

        def build() -> Prepared:
            query = select(documents.c.document_id, documents.c.number).where(equal(documents, *_OF_TYPE))
            query = query.where(*visible(documents, orgs), _one_of(documents, name, size))
            query = query.order_by(documents.c.document_id).with_for_update()
            return self._prepared(query, *_OF_TYPE, *_given(size), *org_names(orgs))

        return self._remembered(("lock_documents", name, orgs, size), build)

    def documents_of(self, name: str, orgs: int | None, size: int) -> Prepared:
        """The visible documents that have one of the names."""

        def build() -> Prepared:
            query = _documents(orgs).where(_one_of(documents, name, size))
            return self._prepared(query, *_OF_TYPE, *_given(size), *org_names(orgs))

        return self._remembered(("documents_of", name, orgs, size), build)

    def transactions_of_all(self, name: str, size: int) -> Prepared:
        """The transactions of the documents that have one of the names, each document's in stored order."""

        def build() -> Prepared:
            of = transactions if name in transactions.c else documents
            query = select(transactions.c.document_id, *[transactions.c[each] for each in TRANSACTION_ROW])
            if of is documents:
                query = query.join_from(transactions, documents, same(transactions, documents, **OF_DOCUMENT))
            query = query.where(equal(of, *_OF_TYPE), _one_of(of, name, size))
            return self._prepared(query.order_by(transactions.c.place), *_OF_TYPE, *_given(size))

        return self._remembered(("transactions_of_all", name, size), build)

    def number_owners(self, size: int) -> Prepared:
        """Numbers and the documents that have them (DOC-2)."""
        return self._owners(documents, "number", size)

    def item_owners(self, size: int) -> Prepared:
        """Items and the documents that they are on (DOC-3)."""
        return self._owners(document_items, "item_id", size)

    def _owners(self, of: Table, name: str, size: int) -> Prepared:
        def build() -> Prepared:
            query = select(of.c[name], of.c.document_id).where(equal(of, *_OF_TYPE), _one_of(of, name, size))
            return self._prepared(query, *_OF_TYPE, *_given(size))

        return self._remembered(("owners", name, size), build)


def _given(size: int) -> tuple[str, ...]:
    return tuple(f"name_{place}" for place in range(size))


def _one_of(of: Table, name: str, size: int) -> Any:
    return of.c[name].in_([bindparam(each, type_=of.c[name].type) for each in _given(size)])


def _documents(orgs: int | None) -> Select[Any]:
    """Visible documents of a type: id, number, versions, content."""
    current = same(documents, document_versions, **OF_DOCUMENT, content_version="version")
    shown = [documents.c[name] for name in ("document_id", "number", "version", "content_version")]
    query = select(*shown, *[document_versions.c[part] for part in CONTENT])
    query = query.join_from(documents, document_versions, current)
    return query.where(equal(documents, *_OF_TYPE), *visible(documents, orgs))
