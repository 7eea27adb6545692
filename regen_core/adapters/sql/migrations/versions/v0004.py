"""Runs of migrations with their logs, and the documents that a run refused."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

EXACT = sa.Text(collation="BINARY").with_variant(sa.Text(collation="C"), "postgresql")
LONG = sa.Integer().with_variant(sa.BigInteger(), "postgresql")
RUN = ("tenant", "entity", "run_id")


def upgrade() -> None:
    """Nothing has run before."""
    op.create_table(
        "runs",
        *texts(*RUN),
        *texts("orgs", nullable=True),
        *[sa.Column(name, sa.Integer, nullable=False, autoincrement=False) for name in ("only_re_send", "re_migrate")],
        *texts("document_type", "cutover", nullable=True),
        *texts("accepted_at"),
        *texts("accepted_by", nullable=True),
        *texts("status"),
        *texts("started_at", "ended_at", "cursor_type", "cursor_id", nullable=True),
        *counts("regenerated", "transactions", "deliveries"),
        *texts("refused"),
        *texts("fault", nullable=True),
        sa.PrimaryKeyConstraint(*RUN),
        sqlite_strict=True,
    )
    op.create_table(
        "run_rejects",
        *texts(*RUN, "document_type", "document_id", "number", "refusal"),
        *counts("code"),
        *texts("message"),
        sa.PrimaryKeyConstraint(*RUN, "document_type", "document_id"),
        sa.ForeignKeyConstraint(RUN, [f"runs.{name}" for name in RUN]),
        sqlite_strict=True,
    )


def texts(*names: str, nullable: bool = False) -> list[sa.Column[str]]:
    """Columns of text that is compared by code point."""
    return [sa.Column(name, EXACT, nullable=nullable) for name in names]


def counts(*names: str) -> list[sa.Column[int]]:
    """Columns of large numbers."""
    return [sa.Column(name, LONG, nullable=False, autoincrement=False) for name in names]
