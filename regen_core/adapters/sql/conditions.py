"""What several statements have in common: the columns of rows, and conditions that keep to tenant, entity and orgs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import ColumnElement, Dialect, Select, Table, and_, bindparam, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from regen_core.adapters.sql.schema import documents, outbox

__all__ = [
    "DOCUMENT",
    "OF_DOCUMENT",
    "OUTBOX",
    "RELAYED",
    "TRANSACTION",
    "deliveries_with",
    "equal",
    "org_names",
    "same",
    "upsert",
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

OUTBOX: Final = (*DOCUMENT, "item_id", "number", "flag", "action", *TRANSACTION, "content_version", "committed_at")
"""What a delivery says when it is committed."""

RELAYED: Final = ("acknowledged_at", "claims", "attempts", "due_at", "parked_at", "fault")
"""What relays note about a delivery."""


_INSERTS: Final[dict[str, Callable[[Table], Any]]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def equal(of: Table, *names: str) -> ColumnElement[bool]:
    return and_(*[of.c[name] == bindparam(name) for name in names])


def same(left: Table, right: Table, **names: str) -> ColumnElement[bool]:
    return and_(*[left.c[mine] == right.c[other] for mine, other in names.items()])


OF_DOCUMENT: Final = dict(zip(DOCUMENT, DOCUMENT, strict=True))


def org_names(orgs: int | None) -> tuple[str, ...]:
    return tuple(f"org_{number}" for number in range(orgs or 0))


def visible(of: Table, orgs: int | None) -> list[ColumnElement[bool]]:
    """The filter by organisation: so many of them, or ``None`` for all (ACC-4)."""
    if orgs is None:
        return []
    return [or_(of.c.org.is_(None), *[of.c.org == bindparam(name) for name in org_names(orgs)])]


def deliveries_with(*conditions: ColumnElement[bool]) -> Select[Any]:
    """Deliveries of the documents that there are, each with all its columns."""
    query = select(outbox.c.position, *[outbox.c[name] for name in (*OUTBOX, *RELAYED)])
    return query.join_from(outbox, documents, same(outbox, documents, **OF_DOCUMENT)).where(*conditions)


def upsert(dialect: Dialect, of: Table, names: tuple[str, ...], key: tuple[str, ...]) -> Any:
    """Add a row, or replace what stands under its key."""
    insert = _INSERTS[dialect.name](of).values({name: bindparam(name) for name in names})
    changed = {name: insert.excluded[name] for name in names if name not in key}
    return insert.on_conflict_do_update(index_elements=key, set_=changed)
