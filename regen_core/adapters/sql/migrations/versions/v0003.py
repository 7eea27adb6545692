"""A first result is about as many documents as its request named: one more column, filled for what is there."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

EXACT = sa.Text(collation="BINARY").with_variant(sa.Text(collation="C"), "postgresql")

KEYS = sa.table(
    "idempotency",
    *map(sa.column, ("tenant", "key_digest", "meaning", "entity", "document_type", "document_id", "other_document_id")),
)
DOCUMENTS = sa.table("documents", *map(sa.column, ("tenant", "entity", "document_type", "document_id", "number")))


def upgrade() -> None:
    """Until now a result that found two documents was saved like one that found none (IDM-6).

    Which of the two it was, a row doesn't tell. So a result without a document, whose request gave id and number, gets
    the documents that have them now. It is replayed to whoever sees these, as before; to anybody else no document is
    found, which is right for both.
    """
    op.add_column("idempotency", sa.Column("other_document_id", EXACT, nullable=True))
    connection = op.get_bind()
    query = sa.select(KEYS.c.tenant, KEYS.c.key_digest, KEYS.c.meaning).where(KEYS.c.document_id.is_(None))
    for tenant, digest, text in connection.execute(query).all():
        meaning = json.loads(text)
        request = meaning["request"]
        if request["id"] is not None and request["number"] is not None:
            named = named_now(connection, tenant, meaning["entity"], request)
            if named:
                row = sa.and_(KEYS.c.tenant == tenant, KEYS.c.key_digest == digest)
                told = dict(zip(("document_id", "other_document_id"), named, strict=False))
                connection.execute(KEYS.update().where(row).values(document_type=request["type"], **told))


def named_now(connection: Any, tenant: str, entity: str, request: Any) -> list[str]:
    """The ids of the documents that an id and a number belong to."""
    of = DOCUMENTS.c
    of_type = (of.tenant == tenant, of.entity == entity, of.document_type == request["type"])
    either = sa.or_(of.document_id == request["id"], of.number == request["number"])
    query = sa.select(of.document_id).where(*of_type, either).order_by(of.document_id)
    return [row[0] for row in connection.execute(query)]
