"""Reading documents with their transactions within a unit of work."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Final, Self

from attrs import field, frozen

from regen_core.access import Scope
from regen_core.adapters.sql.conditions import org_count, org_values
from regen_core.adapters.sql.contents import Content
from regen_core.adapters.sql.faults import PassingConflict
from regen_core.adapters.sql.prepared import Prepared
from regen_core.adapters.sql.rows import Occasions, key_of_row, transaction_of_row
from regen_core.adapters.sql.statements import Statements
from regen_core.adapters.sql.unit import Row, UnitOfWork
from regen_core.documents import DocumentKey
from regen_core.refusals import DocumentNotFound, DocumentReferenceMismatch
from regen_core.request import RegenerateRequest
from regen_core.store import StoredDocument
from regen_core.transactions import NO_TRANSACTIONS, StoredTransaction, StoredTransactions
from regen_core.unchecked import unchecked
from regen_core.wire.codec import NotCanonical

__all__ = ["FoundRows", "NotOne", "Question", "Reader", "StoredRows"]


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
class NotOne:
    """What is answered where a request doesn't name one document, and the two that it names on a mismatch."""

    refusal: DocumentNotFound | DocumentReferenceMismatch
    documents: tuple[DocumentKey, ...] = ()


_stored_rows: Final = unchecked(StoredRows)

FoundRows = StoredRows | NotOne
"""What a request names."""

Question = tuple[Prepared, Row]
"""A statement and the values of its parameters."""


@frozen
class Reader:
    """Reads within one unit of work, which it begins and ends as a context.

    A version's content is read once, however many rows come from it.
    """

    unit: UnitOfWork
    statements: Statements
    contents: Callable[[Row, Row], Content]
    occasions: Occasions = field(factory=Occasions)
    _versions: dict[tuple[Row, int], Content] = field(factory=dict)

    def __enter__(self) -> Self:
        self.unit.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.unit.__exit__(kind, error, trace)

    def find(self, scope: Scope, request: RegenerateRequest) -> FoundRows:
        """The document that a request names; id and number are each looked up in scope (REQ-4, REQ-7, ACC-4).

        In a unit that writes, the document's row is locked before it is read. A name that changed hands between the two
        raises :class:`PassingConflict`.
        """
        look = self.statements.lookups
        asked = [self._named(scope, request, look.documents_named), self._transactions_named(scope, request)]
        if not self.unit.locks_rows:
            return self.found(scope, request, None, *self.unit.ask(asked))
        return self.found(scope, request, *self.unit.ask([self._named(scope, request, look.lock_document), *asked]))

    def _named(
        self, scope: Scope, request: RegenerateRequest, statement: Callable[[tuple[str, ...], int | None], Prepared]
    ) -> Question:
        """A statement about the visible documents that a request names."""
        names, values = _names(request)
        wanted = (scope.tenant, scope.entity, request.type._value_, *values, *org_values(scope))
        return statement(names, org_count(scope)), wanted

    def found(
        self,
        scope: Scope,
        request: RegenerateRequest,
        locked: Sequence[Row] | None,
        found: Sequence[Row],
        lines: Sequence[Row],
    ) -> FoundRows:
        """What was locked (``None`` where nothing is), found and stored, as an answer."""
        named = _named_rows(request, found)
        keys = [(scope.tenant, scope.entity, request.type._value_, row[0]) for row in named]
        if locked is not None and [each[0] for each in locked] != ([named[0][0]] if len(named) == 1 else []):
            raise PassingConflict(self.unit.where, "a name changed hands")
        if not keys:
            return NotOne(DocumentNotFound(request.type))
        if len(keys) > 1:
            return NotOne(DocumentReferenceMismatch(request.type), tuple(map(key_of_row, keys)))
        _, _, version, content_version, *content = named[0]
        return self._stored(keys[0], version, content_version, tuple(content), lines)

    def _transactions_named(self, scope: Scope, request: RegenerateRequest) -> Question:
        """What asks for the transactions of the document that a request names."""
        look, of_type = self.statements.lookups, (scope.tenant, scope.entity, request.type._value_)
        if request.id is not None:
            return look.transactions_of, (*of_type, request.id)
        return look.transactions_of_number, (*of_type, request.number)

    def content(self, key: Row, version: int) -> Content:
        """The content of one version of a document, by the row of its key."""
        found = self._versions.get((key, version))
        if found is None:
            row = self.unit.one(self.statements.version_content, (*key, version))
            if row is None:
                raise NotCanonical("the content that a transaction was written from is missing")
            found = self._versions[key, version] = self.contents(key, row)
        return found

    def transaction(self, content: Content, item_id: str, deliveries: int, told: Row) -> StoredTransaction:
        """A stored transaction from its row and the content it was written from."""
        read = transaction_of_row(content.header, content.item(item_id), told, self.occasions)
        return StoredTransaction(read, deliveries)

    def _stored(
        self, key: Row, version: int, content_version: int, content_row: Row, rows: Iterable[Row]
    ) -> StoredRows:
        current = self.contents(key, content_row)
        lines, places = [], {}
        for row in rows:
            item_id, place, deliveries, written_from = row[0], row[1], row[2], row[-1]
            content = current if written_from == content_version else self.content(key, written_from)
            lines.append(self.transaction(content, item_id, deliveries, row[3:-1]))
            places[item_id] = (place, written_from)
        stored = StoredDocument(current.document, StoredTransactions(tuple(lines)) if lines else NO_TRANSACTIONS)
        return _stored_rows(stored, version, content_version, places)


def _names(request: RegenerateRequest) -> tuple[tuple[str, ...], Row]:
    """How a request names its document: the columns and their values."""
    if request.number is None:
        return ("document_id",), (request.id,)
    if request.id is None:
        return ("number",), (request.number,)
    return ("document_id", "number"), (request.id, request.number)


def _named_rows(request: RegenerateRequest, found: Sequence[Row]) -> Sequence[Row]:
    """The row that has all names of the request; two where the names are of two, none where one has none (REQ-4)."""
    if request.id is None or request.number is None:
        return found
    by_id = [row for row in found if row[0] == request.id]
    by_number = [row for row in found if row[1] == request.number]
    if not by_id or not by_number:
        return ()
    return by_id if by_id[0][0] == by_number[0][0] else (by_id[0], by_number[0])
