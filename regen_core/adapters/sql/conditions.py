"""What several statements have in common: the columns of rows, and conditions that keep to tenant, entity and orgs."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Final

from attrs import evolve
from sqlalchemy import ColumnElement, Dialect, Select, Table, and_, bindparam, not_, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from regen_core.adapters.sql.prepared import Prepared, prepare
from regen_core.adapters.sql.schema import documents, outbox, revenue

__all__ = [
    "CONTENT",
    "DOCUMENT",
    "HELD",
    "INSERTS",
    "OF_DOCUMENT",
    "OUTBOX",
    "RELAYED",
    "TRANSACTION",
    "TRANSACTION_ROW",
    "adding",
    "deliveries_with",
    "equal",
    "held_with",
    "org_names",
    "same",
    "visible",
]

DOCUMENT: Final = ("tenant", "entity", "document_type", "document_id")
"""What every row of a document begins with."""

TRANSACTION: Final = (
    "transaction_id",
    "revenue_type",
    "standalone",
    "revision",
    "state",
    "created_at",
    "created_by",
    "updated_at",
    "updated_by",
)
"""What a transaction says beside header and item."""

CONTENT: Final = ("header", "header_carried", "items", "items_carried")
"""What a version of a document says."""

TRANSACTION_ROW: Final = ("item_id", "place", "deliveries", *TRANSACTION, "content_version")
"""What the row of a transaction says behind its document."""

HELD: Final = (
    *(*DOCUMENT, "item_id", "document_number", "org", "kind", *TRANSACTION, "date", "currency"),
    *("header", "header_carried", "item", "item_carried"),
)
"""What Revenue holds for a transaction."""

OUTBOX: Final = (*DOCUMENT, "item_id", "number", "flag", "action", *TRANSACTION, "content_version", "committed_at")
"""What a delivery says when it is committed."""

RELAYED: Final = ("acknowledged_at", "claims", "attempts", "due_at", "parked_at", "fault")
"""What relays note about a delivery."""


INSERTS: Final[dict[str, Callable[[Table], Any]]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
"""How rows are added that may be there already, by dialect."""


def equal(of: Table, *names: str) -> ColumnElement[bool]:
    return and_(*[of.c[name] == bindparam(name) for name in names])


def same(left: Table, right: Table, **names: str) -> ColumnElement[bool]:
    return and_(*[left.c[mine] == right.c[other] for mine, other in names.items()])


OF_DOCUMENT: Final = dict(zip(DOCUMENT, DOCUMENT, strict=True))


def org_names(orgs: int | None) -> tuple[str, ...]:
    return tuple(f"org_{number}" for number in range(orgs or 0))


def visible(of: Table, orgs: int | None) -> list[ColumnElement[bool]]:
    """The filter by organisation: so many of them, or ``None`` for all (ACC-4).

    What Revenue holds goes by its document, which the query must have joined; where there is none, by its own (ACC-5).
    """
    if orgs is None:
        return []
    if of is not revenue:
        return [_of_an_org(of, orgs)]
    is_known = documents.c.document_id.is_not(None)
    return [or_(and_(is_known, _of_an_org(documents, orgs)), and_(not_(is_known), _of_an_org(revenue, orgs)))]


def _of_an_org(of: Table, orgs: int) -> ColumnElement[bool]:
    return or_(of.c.org.is_(None), *[of.c.org == bindparam(name) for name in org_names(orgs)])


def held_with(*conditions: ColumnElement[bool]) -> Select[Any]:
    """What Revenue holds, each with all its columns, beside its document where there is one."""
    query = select(*[revenue.c[name] for name in HELD])
    return query.outerjoin_from(revenue, documents, same(revenue, documents, **OF_DOCUMENT)).where(*conditions)


def deliveries_with(*conditions: ColumnElement[bool]) -> Select[Any]:
    """Deliveries of the documents that there are, each with all its columns."""
    query = select(outbox.c.position, *[outbox.c[name] for name in (*OUTBOX, *RELAYED)])
    return query.join_from(outbox, documents, same(outbox, documents, **OF_DOCUMENT)).where(*conditions)


def adding(
    dialect: Dialect, of: Table, names: tuple[str, ...], *, key: tuple[str, ...] | None = None, copies: bool = True
) -> Prepared:
    """Add rows; with ``key`` a row replaces what stands under it. Only rows that replace nothing can be copied in."""

    @cache
    def several(rows: int) -> Prepared:
        given: Any = [{name: bindparam(f"{name}_{row}") for name in names} for row in range(rows)]
        insert = INSERTS[dialect.name](of).values(given)
        if key is not None:
            changed = {name: insert.excluded[name] for name in names if name not in key}
            insert = insert.on_conflict_do_update(index_elements=key, set_=changed)
        return prepare(insert, dialect, tuple(f"{name}_{row}" for row in range(rows) for name in names))

    copy = f"COPY {of.name} ({', '.join(names)}) FROM STDIN" if copies and key is None else None
    return evolve(several(1), several=several, copy=copy)
