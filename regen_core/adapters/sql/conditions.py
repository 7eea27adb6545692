"""What several statements have in common: the columns of rows, and conditions that keep to tenant, entity and orgs."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any, Final

from attrs import evolve
from sqlalchemy import ColumnElement, Dialect, Select, Table, and_, bindparam, not_, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from regen_core.access import Scope
from regen_core.adapters.sql.prepared import Prepared, prepare
from regen_core.adapters.sql.schema import documents, outbox, revenue

__all__ = [
    "CONTENT",
    "DOCUMENT",
    "FEW",
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
    "org_count",
    "org_names",
    "org_values",
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


FEW: Final = 8
"""So many organisations are given one by one, with one text of a statement per number; more as one list."""

_LIST: Final = "org_list"


def org_count(scope: Scope) -> int | None:
    """By how many organisations a statement filters: any number beyond a few is the same; ``None`` for all."""
    orgs = scope.orgs
    if orgs is None:
        return None
    count = len(orgs)
    return count if count <= FEW else FEW + 1


def org_values(scope: Scope) -> tuple[str, ...]:
    """The organisations of a scope, in the form that goes with :func:`org_count`."""
    orgs = scope.orgs
    if orgs is None or len(orgs) <= FEW:
        return tuple(orgs or ())
    return (json.dumps(tuple(orgs)),)


def org_names(orgs: int | None) -> tuple[str, ...]:
    """The parameters for what :func:`org_values` gives."""
    return (_LIST,) if orgs is not None and orgs > FEW else tuple(f"org_{number}" for number in range(orgs or 0))


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
    if orgs > FEW:
        listed = _Listed(bindparam(_LIST)).table_valued("value", name="listed")
        return or_(of.c.org.is_(None), of.c.org.in_(select(listed.c.value)))
    return or_(of.c.org.is_(None), *[of.c.org == bindparam(name) for name in org_names(orgs)])


class _Listed(FunctionElement[Any]):
    """The texts of a list in JSON as rows: one parameter however many they are, and no limit of a database on these."""

    inherit_cache = True


@compiles(_Listed, "sqlite")
def _on_sqlite(listed: _Listed, compiler: Any, **kwargs: Any) -> str:
    return f"json_each({compiler.process(listed.clauses, **kwargs)})"


@compiles(_Listed, "postgresql")
def _on_postgresql(listed: _Listed, compiler: Any, **kwargs: Any) -> str:
    return f"json_array_elements_text(CAST({compiler.process(listed.clauses, **kwargs)} AS JSON))"


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
