"""Pages of what is stored, each read in one unit of work."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Final, TypeVar

from sqlalchemy import Table

from regen_core.access import Scope
from regen_core.adapters.sql.conditions import OUTBOX, org_count, org_values
from regen_core.adapters.sql.contents import content_of_row
from regen_core.adapters.sql.reading import Reader
from regen_core.adapters.sql.rows import entry_of_row, held_of_row, key_of_row
from regen_core.adapters.sql.schema import documents, outbox, revenue, transactions
from regen_core.adapters.sql.statements import Listing
from regen_core.adapters.sql.unit import Row
from regen_core.documents import BillingDocument
from regen_core.ports import MAX_PAGE, OutboxEntry, Page, Selection
from regen_core.revenue import Held
from regen_core.transactions import StoredTransaction

__all__ = ["list_deliveries", "list_documents", "list_revenue", "list_transactions", "read_entry"]

T = TypeVar("T")

_CONTENT_VERSION: Final = 1 + OUTBOX.index("content_version")
"""Where it stands in a row of the outbox: behind the position."""


def list_documents(
    reader: Reader, scope: Scope, selection: Selection, limit: int, after: str | None
) -> Page[BillingDocument]:
    """Documents by type and id."""

    def read(row: Row) -> BillingDocument:
        return content_of_row(key_of_row(row), row[4:]).document

    return _page(reader, documents, scope, selection, limit, after, read, lambda row: row[2:4])


def list_transactions(
    reader: Reader, scope: Scope, selection: Selection, limit: int, after: str | None
) -> Page[StoredTransaction]:
    """Transactions by type and id of their document, then by item id."""

    def read(row: Row) -> StoredTransaction:
        content = reader.content(row[:4], row[-1])
        return reader.transaction(content, row[4], row[6], row[7:-1])

    return _page(reader, transactions, scope, selection, limit, after, read, lambda row: row[2:5])


def list_deliveries(
    reader: Reader, scope: Scope, selection: Selection, limit: int, after: str | None, *, extra: tuple[str, ...] = ()
) -> Page[OutboxEntry]:
    """The outbox in commit order; ``extra`` names conditions such as "waiting" and "not parked"."""

    def read(row: Row) -> OutboxEntry:
        return read_entry(reader, row)

    return _page(reader, outbox, scope, selection, limit, after, read, lambda row: row[:1], extra)


def read_entry(reader: Reader, row: Row) -> OutboxEntry:
    """A delivery with its content, from a row of the outbox."""
    return entry_of_row(reader.content(row[1:5], row[_CONTENT_VERSION]), row, reader.occasions)


def list_revenue(reader: Reader, scope: Scope, selection: Selection, limit: int, after: str | None) -> Page[Held]:
    """What Revenue holds, by type and id of the document, then by item id."""

    def read(row: Row) -> Held:
        return held_of_row(row, reader.occasions)

    return _page(reader, revenue, scope, selection, limit, after, read, lambda row: row[2:5])


def _page(
    reader: Reader,
    of: Table,
    scope: Scope,
    selection: Selection,
    limit: int,
    after: str | None,
    read: Callable[[Row], T],
    place: Callable[[Row], Row],
    extra: tuple[str, ...] = (),
) -> Page[T]:
    """One row more than asked for tells whether there is a next page."""
    if not 1 <= limit <= MAX_PAGE:
        raise ValueError(f"limit is {limit}; a page has 1 to {MAX_PAGE} rows")
    given = {"type": None if selection.type is None else selection.type.value, "id": selection.id}
    given = {name: value for name, value in {**given, "number": selection.number}.items() if value is not None}
    shape = Listing(of, tuple(given), org_count(scope), extra, goes_on=after is not None)
    started = () if after is None else tuple(json.loads(after))
    asked = (scope.tenant, scope.entity, *org_values(scope), *given.values(), *started, limit + 1)
    rows = reader.unit.all(reader.statements.listing(shape), asked)
    more = len(rows) > limit
    return Page(tuple([read(row) for row in rows[:limit]]), json.dumps(place(rows[limit - 1])) if more else None)
