"""What relays note about a delivery, and an index by which keys that have expired are found."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

EXACT = sa.Text(collation="BINARY").with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """A delivery that is there already was never claimed and is due."""
    for name in ("claims", "attempts"):
        op.add_column("outbox", sa.Column(name, sa.Integer, nullable=False, server_default=sa.text("0")))
    for name in ("due_at", "parked_at", "fault"):
        op.add_column("outbox", sa.Column(name, EXACT, nullable=True))
    op.create_index("idempotency_age", "idempotency", ["tenant", "set_at"])
