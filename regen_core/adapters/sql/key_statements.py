"""The statements about Idempotency-Keys: a record is found by tenant and digest, which holds client and key (IDM-5)."""

from __future__ import annotations

from functools import cached_property
from typing import Final

from sqlalchemy import Dialect, bindparam, select

from regen_core.adapters.sql.conditions import adding, equal
from regen_core.adapters.sql.prepared import Prepared, prepare
from regen_core.adapters.sql.schema import idempotency

__all__ = ["KeyStatements"]


_ABOUT: Final = ("entity", "document_type", "document_id", "other_document_id")
_RECORD: Final = ("meaning", "status", "body", *_ABOUT, "set_at")


class KeyStatements:
    """The statements of one dialect."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    @cached_property
    def record(self) -> Prepared:
        """What is saved under a key (IDM-1)."""
        query = select(*[idempotency.c[name] for name in _RECORD]).where(equal(idempotency, "tenant", "key_digest"))
        return prepare(query, self._dialect, ("tenant", "key_digest"))

    @cached_property
    def save(self) -> Prepared:
        """Save a first result, in the place of one that has expired (IDM-2)."""
        key = ("tenant", "key_digest")
        return adding(self._dialect, idempotency, (*key, *_RECORD), key=key)

    @cached_property
    def remove_expired(self) -> Prepared:
        """Remove a few of a tenant's keys that were set before a moment; another unit's are left alone (IDM-2)."""
        old = select(idempotency.c.key_digest).where(equal(idempotency, "tenant"))
        old = old.where(idempotency.c.set_at < bindparam("before")).order_by(idempotency.c.set_at)
        old = old.limit(bindparam("rows")).with_for_update(skip_locked=True)
        once = select(old.cte("old").c.key_digest)  # a subquery with a limit may be run more than once
        query = idempotency.delete().where(equal(idempotency, "tenant"), idempotency.c.key_digest.in_(once))
        return prepare(query, self._dialect, ("tenant", "before", "rows"))
