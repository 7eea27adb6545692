"""The statements of a reconciliation: which documents a period concerns, and what both sides have of one (RCN).

A document is concerned where any version of it, or any line that Revenue holds of it, is dated in the period: each side
by its own date (RCN-4). That may be more than the rules count, never less. Each statement filters by tenant, entity and
organisations in the query itself (ACC-4, ACC-5).
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Select, Table, bindparam, literal, select, union

from regen_core.adapters.sql.conditions import (
    DOCUMENT,
    OF_DOCUMENT,
    TRANSACTION_ROW,
    equal,
    held_with,
    org_names,
    same,
    visible,
)
from regen_core.adapters.sql.prepared import Prepared, StatementsOfDialect, prepare
from regen_core.adapters.sql.schema import document_versions, documents, revenue, transactions

__all__ = ["PeriodStatements"]

_PERIOD: Final = ("first", "last")


class PeriodStatements(StatementsOfDialect):
    """The statements of one dialect, by how many organisations a caller has."""

    def concerned(self, orgs: int | None, *, of_type: bool) -> Prepared:
        """Type and id of the documents that a period concerns, in the order of their keys; of one type or of all."""
        place = ("tenant", "entity", *(["document_type"] if of_type else []))

        def build() -> Prepared:
            sides = [_dated(of, place) for of in (document_versions, revenue)]
            if orgs is not None:
                sides = [_owned(side, of, orgs) for side, of in zip(sides, (document_versions, revenue), strict=True)]
            query = union(*sides).order_by("kind", "name")
            return prepare(query, self._dialect, (*place, *_PERIOD, *org_names(orgs)))

        return self._remembered(("concerned", orgs, of_type), build)

    def stored(self, orgs: int | None) -> Prepared:
        """The transactions of a visible document, by item id."""

        def build() -> Prepared:
            query = select(*[transactions.c[name] for name in TRANSACTION_ROW])
            query = query.join_from(transactions, documents, same(transactions, documents, **OF_DOCUMENT))
            query = query.where(equal(transactions, *DOCUMENT), *visible(documents, orgs))
            return prepare(query.order_by(transactions.c.item_id), self._dialect, (*DOCUMENT, *org_names(orgs)))

        return self._remembered(("stored", orgs), build)

    def held(self, orgs: int | None) -> Prepared:
        """What Revenue holds of a document, by item id."""

        def build() -> Prepared:
            query = held_with(equal(revenue, *DOCUMENT), *visible(revenue, orgs))
            return prepare(query.order_by(revenue.c.item_id), self._dialect, (*DOCUMENT, *org_names(orgs)))

        return self._remembered(("held", orgs), build)


def _dated(of: Table, place: tuple[str, ...]) -> Select[Any]:
    """The documents of which something is dated in a period.

    Tenant and entity are compared as what no index begins with: SQLite would take the primary key for them, and read
    all that a tenant has.
    """
    first, last = (bindparam(name, type_=of.c.date.type) for name in _PERIOD)
    query = select(of.c.document_type.label("kind"), of.c.document_id.label("name"))
    own = [of.c[name] + literal("") == bindparam(name, type_=of.c[name].type) for name in place]
    return query.where(of.c.date >= first, of.c.date <= last, *own)


def _owned(query: Select[Any], of: Table, orgs: int) -> Select[Any]:
    """Those that a caller may see: Billing has every document of which it has a version, but not all that was sent."""
    query = query.join_from(of, documents, same(of, documents, **OF_DOCUMENT), isouter=of is revenue)
    return query.where(*visible(revenue if of is revenue else documents, orgs))
