"""Every statement of the store, built by SQLAlchemy for one dialect and compiled once.

Owns what is asked and in which order the values are given; nothing here looks at a result. Each look-up of a document
filters by tenant, entity and organisations in the query itself (ACC-4).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Final

from sqlalchemy import ColumnElement, Dialect, Select, Table, bindparam, case, select, tuple_

from regen_core.adapters.sql.conditions import (
    CONTENT,
    DOCUMENT,
    HELD,
    OF_DOCUMENT,
    OUTBOX,
    TRANSACTION_ROW,
    adding,
    deliveries_with,
    equal,
    held_with,
    org_names,
    same,
    visible,
)
from regen_core.adapters.sql.key_statements import KeyStatements
from regen_core.adapters.sql.lookups import LookUps
from regen_core.adapters.sql.outbox_statements import OutboxStatements
from regen_core.adapters.sql.period_statements import PeriodStatements
from regen_core.adapters.sql.prepared import Prepared, StatementsOfDialect
from regen_core.adapters.sql.runs_statements import RunStatements
from regen_core.adapters.sql.schema import (
    document_items,
    document_versions,
    documents,
    outbox,
    revenue,
    transactions,
)

__all__ = ["Listing", "Statements", "statements_of"]


class Listing:
    """The shape of one listing query: which filters it has, those named by ``extra`` included, and how it goes on."""

    def __init__(
        self, of: Table, given: tuple[str, ...], orgs: int | None, extra: Sequence[str], *, goes_on: bool
    ) -> None:
        self.of, self.given, self.orgs, self.extra, self.goes_on = of, given, orgs, tuple(extra), goes_on

    @property
    def key(self) -> tuple[object, ...]:
        """What two listings of the same text have in common."""
        return self.of.name, self.given, self.orgs, self.extra, self.goes_on


class Statements(StatementsOfDialect):
    """The statements of one dialect; those that depend on how many organisations a caller has, by that number.

    Those of relays are in ``outbox``, those of reconciliations in ``periods``, those of Idempotency-Keys in ``keys``,
    those that find documents in ``lookups``, those about migrations in ``runs``.
    """

    def __init__(self, dialect: Dialect) -> None:
        super().__init__(dialect)
        self.outbox = OutboxStatements(dialect)
        self.keys = KeyStatements(dialect)
        self.lookups = LookUps(dialect)
        self.periods = PeriodStatements(dialect)
        self.runs = RunStatements(dialect)

    def _upsert(self, of: Table, names: tuple[str, ...], key: tuple[str, ...]) -> Prepared:
        return adding(self._dialect, of, names, key=key)

    def _insert(self, of: Table, *names: str) -> Prepared:
        return adding(self._dialect, of, names)

    # documents

    def document_is_visible(self, orgs: int | None) -> Prepared:
        """Whether a document is visible (IDM-6)."""

        def build() -> Prepared:
            query = select(documents.c.document_id).where(equal(documents, *DOCUMENT), *visible(documents, orgs))
            return self._prepared(query, *DOCUMENT, *org_names(orgs))

        return self._remembered(("document_is_visible", orgs), build)

    @cached_property
    def add_document(self) -> Prepared:
        """Add a document's row."""
        return self._insert(documents, *DOCUMENT, "number", "org", "version", "content_version")

    @cached_property
    def replace_document(self) -> Prepared:
        """Replace a document's row if its version is still the one that was read: compare-and-swap."""
        query = documents.update().where(equal(documents, *DOCUMENT), documents.c.version == bindparam("read"))
        names = ("number", "org", "version", "content_version")
        query = query.values({name: bindparam(f"new_{name}") for name in names})
        return self._prepared(query, *[f"new_{name}" for name in names], *DOCUMENT, "read")

    @cached_property
    def give_up_number(self) -> Prepared:
        """Let a document have no number for a moment within a unit: another text, which no number can be."""
        query = documents.update().where(equal(documents, *DOCUMENT), documents.c.version == bindparam("read"))
        return self._prepared(query.values(number=bindparam("none")), "none", *DOCUMENT, "read")

    @cached_property
    def add_version(self) -> Prepared:
        """Add the content of a document as loaded."""
        return self._insert(document_versions, *DOCUMENT, "version", "date", "currency", *CONTENT)

    @cached_property
    def add_item(self) -> Prepared:
        """Note which document an item is on."""
        return self._insert(document_items, "tenant", "entity", "document_type", "item_id", "document_id")

    @cached_property
    def remove_item(self) -> Prepared:
        """Forget which document an item was on."""
        names = ("tenant", "entity", "document_type", "item_id")
        return self._prepared(document_items.delete().where(equal(document_items, *names)), *names)

    @cached_property
    def move_document(self) -> Prepared:
        """Raise a document's version if it is still the one that was read: compare-and-swap."""
        query = documents.update().where(equal(documents, *DOCUMENT), documents.c.version == bindparam("read"))
        return self._prepared(query.values(version=documents.c.version + bindparam("step")), "step", *DOCUMENT, "read")

    @cached_property
    def move_locked_document(self) -> Prepared:
        """The same where nobody waits for the answer: another version than the one that was read becomes null, and the
        column refuses that, and with it the unit."""
        raised = case((documents.c.version == bindparam("read"), documents.c.version + bindparam("step")))
        query = documents.update().where(equal(documents, *DOCUMENT)).values(version=raised)
        return self._prepared(query, "step", *DOCUMENT, "read")

    @cached_property
    def version_content(self) -> Prepared:
        """The content of one version of a document."""
        names = (*DOCUMENT, "version")
        query = select(*[document_versions.c[part] for part in CONTENT]).where(equal(document_versions, *names))
        return self._prepared(query, *names)

    def invoice_currency(self, orgs: int | None) -> Prepared:
        """The currency of a visible document."""

        def build() -> Prepared:
            current = same(documents, document_versions, **OF_DOCUMENT, content_version="version")
            query = (
                select(document_versions.c.currency)
                .join_from(documents, document_versions, current)
                .where(equal(documents, *DOCUMENT), *visible(documents, orgs))
            )
            return self._prepared(query, *DOCUMENT, *org_names(orgs))

        return self._remembered(("invoice_currency", orgs), build)

    # transactions and deliveries

    @cached_property
    def add_transaction(self) -> Prepared:
        """Add a transaction with its place and its counter of deliveries (REV-0)."""
        return self._insert(transactions, *DOCUMENT, *TRANSACTION_ROW)

    @cached_property
    def put_transaction(self) -> Prepared:
        """Add or replace a transaction with its place and its counter of deliveries (REV-0)."""
        names = (*DOCUMENT, *TRANSACTION_ROW)
        return self._upsert(transactions, names, (*DOCUMENT, "item_id"))

    @cached_property
    def add_delivery(self) -> Prepared:
        """Commit a delivery to the outbox."""
        return self._insert(outbox, *OUTBOX)

    # Revenue

    @cached_property
    def held(self) -> Prepared:
        """What Revenue holds for one transaction."""
        names = (*DOCUMENT, "item_id")
        query = select(*[revenue.c[name] for name in HELD]).where(equal(revenue, *names)).with_for_update()
        return self._prepared(query, *names)

    @cached_property
    def hold(self) -> Prepared:
        """Let Revenue hold something for a transaction."""
        return self._upsert(revenue, HELD, (*DOCUMENT, "item_id"))

    # listings

    def listing(self, shape: Listing) -> Prepared:
        """A page of documents, transactions, deliveries or of what Revenue holds."""
        return self._remembered(shape.key, lambda: self._listing(shape))

    def _listing(self, shape: Listing) -> Prepared:
        query, order, owner = _LISTED[shape.of.name]()
        names = {"type": owner.c.document_type, "id": owner.c.document_id, "number": _number_of(owner)}
        query = query.where(equal(shape.of, "tenant", "entity"), *visible(owner, shape.orgs))
        query = query.where(*[names[name] == bindparam(name) for name in shape.given])
        query = query.where(*[_EXTRA[name] for name in shape.extra])
        after = tuple(f"after_{number}" for number in range(len(order) if shape.goes_on else 0))
        if after:
            query = query.where(
                tuple_(*order)
                > tuple_(*[bindparam(name, type_=each.type) for name, each in zip(after, order, strict=True)])
            )
        query = query.order_by(*order).limit(bindparam("rows"))
        return self._prepared(query, "tenant", "entity", *org_names(shape.orgs), *shape.given, *after, "rows")


_known: Final[dict[tuple[object, ...], Statements]] = {}


def statements_of(dialect: Dialect) -> Statements:
    """The statements of a dialect; all stores of a process that speak the same one share their texts."""
    key = (dialect.name, dialect.driver, dialect.paramstyle, dialect.server_version_info)
    found = _known.get(key)
    return _known.setdefault(key, Statements(dialect)) if found is None else found


def _number_of(owner: Table) -> ColumnElement[str]:
    return owner.c.document_number if owner is revenue else owner.c.number


_EXTRA: Final[dict[str, ColumnElement[bool]]] = {
    "waiting": outbox.c.acknowledged_at.is_(None),
    "acknowledged": outbox.c.acknowledged_at.is_not(None),
    "parked": outbox.c.parked_at.is_not(None),
    "not parked": outbox.c.parked_at.is_(None),
}
"""Conditions that a listing may add, by name."""

_Listed = tuple[Select[Any], tuple[ColumnElement[Any], ...], Table]


def _documents_listed() -> _Listed:
    current = same(documents, document_versions, **OF_DOCUMENT, content_version="version")
    shown = (*[documents.c[name] for name in DOCUMENT], *[document_versions.c[part] for part in CONTENT])
    query = select(*shown).join_from(documents, document_versions, current)
    return query, (documents.c.document_type, documents.c.document_id), documents


def _transactions_listed() -> _Listed:
    names = (*DOCUMENT, *TRANSACTION_ROW)
    query = select(*[transactions.c[name] for name in names])
    query = query.join_from(transactions, documents, same(transactions, documents, **OF_DOCUMENT))
    order = (transactions.c.document_type, transactions.c.document_id, transactions.c.item_id)
    return query, order, documents


def _deliveries_listed() -> _Listed:
    return deliveries_with(), (outbox.c.position,), documents


def _revenue_listed() -> _Listed:
    order = (revenue.c.document_type, revenue.c.document_id, revenue.c.item_id)
    return held_with(), order, revenue


_LISTED: Final[dict[str, Callable[[], _Listed]]] = {
    "documents": _documents_listed,
    "transactions": _transactions_listed,
    "outbox": _deliveries_listed,
    "revenue": _revenue_listed,
}
