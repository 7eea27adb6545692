"""Reading documents with their transactions within a unit of work."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from attrs import field, frozen

from regen_core.access import Scope
from regen_core.adapters.sql.rows import Content, Occasions, content_of_row, key_row, transaction_of_row
from regen_core.adapters.sql.statements import Statements
from regen_core.adapters.sql.unit import Row, UnitOfWork
from regen_core.documents import DocumentKey
from regen_core.refusals import DocumentNotFound, DocumentReferenceMismatch
from regen_core.request import RegenerateRequest
from regen_core.store import StoredDocument
from regen_core.transactions import StoredTransaction, StoredTransactions
from regen_core.wire.codec import NotCanonical

__all__ = ["Reader", "StoredRows", "org_count", "org_values"]


def org_count(scope: Scope) -> int | None:
    """How many organisations a look-up filters by; ``None`` for all."""
    return None if scope.orgs is None else len(scope.orgs)


def org_values(scope: Scope) -> tuple[str, ...]:
    """The organisations of a scope, as many as :func:`org_count` says."""
    return tuple(scope.orgs or ())


@frozen
class StoredRows:
    """A document as read, with what writing it back needs to know.

    Fields: ``version`` of the document for compare-and-swap, ``content_version`` of its content; ``places`` the place
    in stored order and the content's version of each transaction by item id.
    """

    stored: StoredDocument
    version: int
    content_version: int
    places: dict[str, tuple[int, int]]


@frozen
class Reader:
    """Reads within one unit of work, which it begins and ends as a context.

    A version's content is read once, however many rows come from it.
    """

    unit: UnitOfWork
    statements: Statements
    occasions: Occasions = field(factory=Occasions)
    _contents: dict[tuple[DocumentKey, int], Content] = field(factory=dict)

    def __enter__(self) -> Self:
        self.unit.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.unit.__exit__(kind, error, trace)

    def find(
        self, scope: Scope, request: RegenerateRequest
    ) -> StoredRows | DocumentNotFound | DocumentReferenceMismatch:
        """The document that a request names; id and number are each looked up in scope (REQ-4, REQ-7, ACC-4)."""
        found: list[Row] = []
        for name, value in (("document_id", request.id), ("number", request.number)):
            if value is None:
                continue
            statement = self.statements.document_by(name, org_count(scope))
            wanted = (scope.tenant, scope.entity, request.type.value, value, *org_values(scope))
            row = self.unit.one(statement, wanted)
            if row is None:
                return DocumentNotFound(request.type)
            found.append(row)
        if found[0][0] != found[-1][0]:
            return DocumentReferenceMismatch(request.type)
        document_id, version, content_version, *content = found[0]
        key = DocumentKey(tenant=scope.tenant, entity=scope.entity, type=request.type, id=document_id)
        return self._stored(key, version, content_version, tuple(content))

    def get(self, key: DocumentKey) -> tuple[Content, int, int] | None:
        """A document's content, its version and its content's version, whoever asks."""
        row = self.unit.one(self.statements.document_by("document_id", None), key_row(key))
        return None if row is None else (content_of_row(key, tuple(row[3:])), row[1], row[2])

    def content(self, key: DocumentKey, version: int) -> Content:
        """The content of one version of a document."""
        found = self._contents.get((key, version))
        if found is None:
            row = self.unit.one(self.statements.version_content, (*key_row(key), version))
            if row is None:
                raise NotCanonical("the content that a transaction was written from is missing")
            found = self._contents[key, version] = content_of_row(key, row)
        return found

    def transaction(self, content: Content, item_id: str, deliveries: int, told: Row) -> StoredTransaction:
        """A stored transaction from its row and the content it was written from."""
        read = transaction_of_row(content.header, content.item(item_id), told, self.occasions)
        return StoredTransaction(read, deliveries)

    def _stored(self, key: DocumentKey, version: int, content_version: int, row: Row) -> StoredRows:
        current = content_of_row(key, row)
        lines, places = [], {}
        for item_id, place, deliveries, *told, written_from in self.unit.all(
            self.statements.transactions_of, key_row(key)
        ):
            content = current if written_from == content_version else self.content(key, written_from)
            lines.append(self.transaction(content, item_id, deliveries, tuple(told)))
            places[item_id] = (place, written_from)
        stored = StoredDocument(current.document, StoredTransactions(tuple(lines)))
        return StoredRows(stored, version, content_version, places)
