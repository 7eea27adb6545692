"""Indexes by which a period is found: documents by any of their dates, what Revenue holds by its own."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Both hold the document, so they alone answer which ones a period concerns."""
    for table in ("document_versions", "revenue"):
        op.create_index(f"{table}_date", table, ["date", "tenant", "entity", "document_type", "document_id"])
