"""The tables of a store, for SQLite and PostgreSQL alike, and what each row means.

Every key begins with tenant and entity (ACC-4). Text is compared by code point; amounts are text inside JSON, so no
database rounds them; moments are ISO 8601 text. A document's content is stored once per loaded version and is never
changed afterwards. A transaction and a delivery point to the version that they were written from, for their content
*is* that version's header and item: they cost no copy, and a delivery keeps what it said whatever is loaded later.
Revenue is another system, so its ledger copies.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    column,
    text,
)

__all__ = [
    "METADATA",
    "SCHEMA_VERSION",
    "document_items",
    "document_versions",
    "documents",
    "idempotency",
    "outbox",
    "revenue",
    "run_rejects",
    "runs",
    "transactions",
    "version_table",
]

SCHEMA_VERSION: Final = "0005"
"""The version that this library reads and writes; versions are ordered as text."""

METADATA: Final = MetaData()

_EXACT: Final = Text(collation="BINARY").with_variant(Text(collation="C"), "postgresql")
"""Text that is compared by code point (REQ-7): the same answer from either database."""


_LONG: Final = Integer().with_variant(BigInteger(), "postgresql")


def _text(name: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, _EXACT, nullable=nullable)


def _number(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, Integer, nullable=nullable, autoincrement=False)


def _counter(name: str) -> Column[int]:
    """A number that a new row need not name: it begins at 0."""
    return Column(name, Integer, nullable=False, server_default=text("0"))


def _count(name: str) -> Column[int]:
    """A number without a limit that anybody reaches."""
    return Column(name, _LONG, nullable=False, autoincrement=False)


_DOCUMENT: Final = ("tenant", "entity", "document_type", "document_id")


_BY_DATE: Final = ("date", *_DOCUMENT)
"""By which the documents of a period are found (RCN-1). The date comes first: where PostgreSQL has no statistics yet,
an index that began with tenant and entity would look to it as good as the primary key for finding one document."""


def _document() -> list[Column[str]]:
    return [_text(name) for name in _DOCUMENT]


def _transaction() -> list[Column[Any]]:
    """What a transaction says beside its header and its item."""
    return [
        _text("transaction_id"),
        _text("revenue_type"),
        _number("standalone"),
        _number("revision"),
        _text("state"),
        _text("created_at", nullable=True),
        _text("created_by", nullable=True),
        _text("updated_at", nullable=True),
        _text("updated_by", nullable=True),
    ]


def _version_of(name: str) -> ForeignKeyConstraint:
    target = [f"document_versions.{part}" for part in (*_DOCUMENT, "version")]
    return ForeignKeyConstraint([*_DOCUMENT, name], target)


version_table: Final = Table(
    "regen_core_version", METADATA, Column("version_num", Text, primary_key=True), sqlite_strict=True
)
"""One row with the schema's version. Its name is what tells a database of ours from somebody else's."""

documents: Final = Table(
    "documents",
    METADATA,
    *_document(),
    _text("number"),
    _text("org", nullable=True),
    _number("version"),
    _number("content_version"),
    PrimaryKeyConstraint(*_DOCUMENT),
    UniqueConstraint("tenant", "entity", "document_type", "number", name="documents_number"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""Who is there and who may see it (DOC-2, ACC-4). ``version`` rises with every change of the document or its
transactions and serves compare-and-swap; ``content_version`` is the one loaded last."""

document_versions: Final = Table(
    "document_versions",
    METADATA,
    *_document(),
    _number("version"),
    _text("date"),
    _text("currency"),
    _text("header"),
    _text("header_carried"),
    _text("items"),
    _text("items_carried"),
    PrimaryKeyConstraint(*_DOCUMENT, "version"),
    Index("document_versions_date", *_BY_DATE),
    sqlite_strict=True,
)
"""What was loaded: canonical JSON of the header and of the list of items, and beside them the carried fields byte for
byte, those of the items parted by U+001E, which JSON text can't hold."""

document_items: Final = Table(
    "document_items",
    METADATA,
    _text("tenant"),
    _text("entity"),
    _text("document_type"),
    _text("item_id"),
    _text("document_id"),
    PrimaryKeyConstraint("tenant", "entity", "document_type", "item_id"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""Which document an item is on now (DOC-3)."""

transactions: Final = Table(
    "transactions",
    METADATA,
    *_document(),
    _text("item_id"),
    _number("place"),
    _number("deliveries"),
    *_transaction(),
    _number("content_version"),
    PrimaryKeyConstraint(*_DOCUMENT, "item_id"),
    _version_of("content_version"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""The stored transactions at their ``place`` in stored order, with the counter of their deliveries (REV-0)."""

outbox: Final = Table(
    "outbox",
    METADATA,
    Column("position", _LONG, primary_key=True, autoincrement=True),
    *_document(),
    _text("item_id"),
    _number("number"),
    _text("flag"),
    _text("action"),
    *_transaction(),
    _number("content_version"),
    _text("committed_at"),
    _text("acknowledged_at", nullable=True),
    _counter("claims"),
    _counter("attempts"),
    _text("due_at", nullable=True),
    _text("parked_at", nullable=True),
    _text("fault", nullable=True),
    UniqueConstraint(*_DOCUMENT, "item_id", "number", name="outbox_delivery"),
    _version_of("content_version"),
    sqlite_strict=True,
    sqlite_autoincrement=True,
)
"""Deliveries with the transaction as it was when they were committed; the unique key is the delivery's id (REV-0).

What relays write: ``claims`` rises with each claim and tells a claim from a later one; ``attempts`` counts those that
failed; before ``due_at`` no relay takes the row, be it claimed or to be tried again; ``parked_at`` is set while nobody
tries it any more; ``fault`` says why the last attempt failed."""

Index(
    "outbox_waiting",
    outbox.c.tenant,
    outbox.c.entity,
    outbox.c.position,
    sqlite_where=column("acknowledged_at").is_(None),
    postgresql_where=column("acknowledged_at").is_(None),
)

revenue: Final = Table(
    "revenue",
    METADATA,
    *_document(),
    _text("item_id"),
    _text("document_number"),
    _text("org", nullable=True),
    _text("kind"),
    *_transaction(),
    _text("date"),
    _text("currency"),
    _text("header"),
    _text("header_carried"),
    _text("item"),
    _text("item_carried"),
    PrimaryKeyConstraint(*_DOCUMENT, "item_id"),
    Index("revenue_date", *_BY_DATE),
    sqlite_strict=True,
)
"""The built-in Revenue: per transaction the line or tombstone that it holds, copied when it was collected (REV-3)."""

idempotency: Final = Table(
    "idempotency",
    METADATA,
    _text("tenant"),
    _text("key_digest"),
    _text("meaning"),
    _number("status"),
    Column("body", LargeBinary, nullable=False),
    _text("entity"),
    _text("document_type", nullable=True),
    _text("document_id", nullable=True),
    _text("set_at"),
    _text("other_document_id", nullable=True),
    PrimaryKeyConstraint("tenant", "key_digest"),
    Index("idempotency_age", "tenant", "set_at"),
    sqlite_strict=True,
)
"""First results by the digest of tenant, client and key (IDM-1, IDM-5), with the documents that each is about (IDM-6):
null where none was found, two of one type where id and number named different ones."""

_RUN: Final = ("tenant", "entity", "run_id")

runs: Final = Table(
    "runs",
    METADATA,
    *[_text(name) for name in _RUN],
    _text("orgs", nullable=True),
    _number("only_re_send"),
    _number("re_migrate"),
    _text("document_type", nullable=True),
    _text("cutover", nullable=True),
    _text("accepted_at"),
    _text("accepted_by", nullable=True),
    _text("status"),
    _text("started_at", nullable=True),
    _text("ended_at", nullable=True),
    _text("cursor_type", nullable=True),
    _text("cursor_id", nullable=True),
    _count("regenerated"),
    _count("transactions"),
    _count("deliveries"),
    _text("refused"),
    _text("fault", nullable=True),
    PrimaryKeyConstraint(*_RUN),
    sqlite_strict=True,
)
"""Logs of migrations (MIG-6). ``orgs`` is a sorted JSON list, null for all; the cursor is the last document done, null
before the first; ``refused`` is a JSON object of counts by refusal. What a batch did is in the log as soon as it is in
the other tables (MIG-8)."""

run_rejects: Final = Table(
    "run_rejects",
    METADATA,
    *[_text(name) for name in _RUN],
    _text("document_type"),
    _text("document_id"),
    _text("number"),
    _text("refusal"),
    _count("code"),
    _text("message"),
    PrimaryKeyConstraint(*_RUN, "document_type", "document_id"),
    ForeignKeyConstraint(_RUN, [f"runs.{name}" for name in _RUN]),
    sqlite_strict=True,
)
"""The documents that a run could not regenerate, and why (MIG-6)."""
