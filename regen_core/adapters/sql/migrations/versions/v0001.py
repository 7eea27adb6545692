"""The first schema: documents with their versions and items, transactions, outbox, Revenue's ledger, keys."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

EXACT = sa.Text(collation="BINARY").with_variant(sa.Text(collation="C"), "postgresql")
POSITION = sa.Integer().with_variant(sa.BigInteger(), "postgresql")
DOCUMENT = ("tenant", "entity", "document_type", "document_id")
OF_TYPE = DOCUMENT[:3]
STRICT: dict[str, Any] = {"sqlite_strict": True}
BY_KEY: dict[str, Any] = {**STRICT, "sqlite_with_rowid": False}


def texts(*names: str, nullable: bool = False) -> list[Any]:
    """Columns of exact text."""
    return [sa.Column(name, EXACT, nullable=nullable) for name in names]


def numbers(*names: str) -> list[Any]:
    """Columns of whole numbers."""
    return [sa.Column(name, sa.Integer, nullable=False, autoincrement=False) for name in names]


def transaction() -> list[Any]:
    """What a transaction says beside its header and its item."""
    return [
        *texts("transaction_id", "revenue_type"),
        *numbers("standalone", "revision"),
        *texts("state"),
        *texts("created_at", "created_by", "updated_at", "updated_by", nullable=True),
    ]


def version_of(name: str) -> Any:
    """The version of a document that a row's content is."""
    return sa.ForeignKeyConstraint([*DOCUMENT, name], [f"document_versions.{part}" for part in (*DOCUMENT, "version")])


def upgrade() -> None:
    """Make all tables."""
    op.create_table(
        "documents",
        *texts(*DOCUMENT, "number"),
        *texts("org", nullable=True),
        *numbers("version", "content_version"),
        sa.PrimaryKeyConstraint(*DOCUMENT),
        sa.UniqueConstraint(*OF_TYPE, "number", name="documents_number"),
        **BY_KEY,
    )
    op.create_table(
        "document_versions",
        *texts(*DOCUMENT),
        *numbers("version"),
        *texts("date", "currency", "header", "header_carried", "items", "items_carried"),
        sa.PrimaryKeyConstraint(*DOCUMENT, "version"),
        **STRICT,
    )
    op.create_table(
        "document_items",
        *texts(*OF_TYPE, "item_id", "document_id"),
        sa.PrimaryKeyConstraint(*OF_TYPE, "item_id"),
        **BY_KEY,
    )
    op.create_table(
        "transactions",
        *texts(*DOCUMENT, "item_id"),
        *numbers("place", "deliveries"),
        *transaction(),
        *numbers("content_version"),
        sa.PrimaryKeyConstraint(*DOCUMENT, "item_id"),
        version_of("content_version"),
        **BY_KEY,
    )
    _outbox()
    _revenue_and_keys()


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("position", POSITION, primary_key=True, autoincrement=True),
        *texts(*DOCUMENT, "item_id"),
        *numbers("number"),
        *texts("flag", "action"),
        *transaction(),
        *numbers("content_version"),
        *texts("committed_at"),
        *texts("acknowledged_at", nullable=True),
        sa.UniqueConstraint(*DOCUMENT, "item_id", "number", name="outbox_delivery"),
        version_of("content_version"),
        **STRICT,
        sqlite_autoincrement=True,
    )
    waiting = sa.column("acknowledged_at").is_(None)
    op.create_index(
        "outbox_waiting", "outbox", ["tenant", "entity", "position"], sqlite_where=waiting, postgresql_where=waiting
    )


def _revenue_and_keys() -> None:
    op.create_table(
        "revenue",
        *texts(*DOCUMENT, "item_id", "document_number"),
        *texts("org", nullable=True),
        *texts("kind"),
        *transaction(),
        *texts("date", "currency", "header", "header_carried", "item", "item_carried"),
        sa.PrimaryKeyConstraint(*DOCUMENT, "item_id"),
        **STRICT,
    )
    op.create_table(
        "idempotency",
        *texts("tenant", "key_digest", "meaning"),
        *numbers("status"),
        sa.Column("body", sa.LargeBinary, nullable=False),
        *texts("entity"),
        *texts("document_type", "document_id", nullable=True),
        *texts("set_at"),
        sa.PrimaryKeyConstraint("tenant", "key_digest"),
        **STRICT,
    )
