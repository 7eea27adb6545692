"""The statements of relays: claim what is due, note what became of it, and how much is left.

Nothing here reads the outbox by "later than the last one": where commits overtake each other, that skips deliveries for
good. What is done carries a mark, and whatever carries none is still to be done.
"""

from __future__ import annotations

from functools import cached_property
from typing import Final

from sqlalchemy import bindparam, func, null, or_, select

from regen_core.adapters.sql.conditions import OF_DOCUMENT, deliveries_with, equal, org_names, same, visible
from regen_core.adapters.sql.prepared import Prepared, StatementsOfDialect
from regen_core.adapters.sql.schema import documents, outbox

__all__ = ["OutboxStatements"]

_ENTRY: Final = ("tenant", "entity", "position")
_AT: Final = ("now", "horizon")
_UNDONE: Final = outbox.c.acknowledged_at.is_(None)
_IS_DUE: Final = (
    outbox.c.parked_at.is_(None),
    or_(outbox.c.due_at.is_(None), outbox.c.due_at <= bindparam("now"), outbox.c.due_at > bindparam("horizon")),
)
"""Nobody has set it aside, and its time has come or was written by a clock that was wrong."""


class OutboxStatements(StatementsOfDialect):
    """The statements of one dialect; those that depend on how many organisations a caller has, by that number."""

    @cached_property
    def acknowledge(self) -> Prepared:
        """Mark a delivery as done, if it isn't."""
        query = outbox.update().where(equal(outbox, *_ENTRY), outbox.c.acknowledged_at.is_(None))
        query = query.values(acknowledged_at=bindparam("acknowledged_now"), due_at=null(), parked_at=null())
        return self._prepared(query, "acknowledged_now", *_ENTRY)

    def due(self, orgs: int | None) -> Prepared:
        """The first deliveries that a relay may take now; rows that another one is claiming are skipped (ACC-4)."""

        def build() -> Prepared:
            query = deliveries_with(equal(outbox, "tenant", "entity"), *visible(documents, orgs), _UNDONE, *_IS_DUE)
            query = (
                query.order_by(outbox.c.position).limit(bindparam("rows")).with_for_update(of=outbox, skip_locked=True)
            )
            return self._prepared(query, "tenant", "entity", *org_names(orgs), *_AT, "rows")

        return self._remembered(("due", orgs), build)

    @cached_property
    def claim(self) -> Prepared:
        """Take a delivery until a moment."""
        query = outbox.update().where(equal(outbox, *_ENTRY))
        query = query.values(claims=outbox.c.claims + bindparam("step"), due_at=bindparam("until"))
        return self._prepared(query, "step", "until", *_ENTRY)

    @cached_property
    def settle(self) -> Prepared:
        """Note how an attempt failed, if the claim is still the last one; no new fault keeps the old one."""
        query = outbox.update().where(equal(outbox, *_ENTRY, "claims"), outbox.c.acknowledged_at.is_(None))
        query = query.values(
            attempts=outbox.c.attempts + bindparam("failed"),
            due_at=bindparam("due"),
            parked_at=bindparam("parked"),
            fault=func.coalesce(bindparam("told", type_=outbox.c.fault.type), outbox.c.fault),
        )
        return self._prepared(query, "failed", "due", "parked", "told", *_ENTRY, "claims")

    def release_parked(self, orgs: int | None) -> Prepared:
        """Make parked deliveries due again (ACC-4)."""

        def build() -> Prepared:
            owner = select(documents.c.document_id).where(same(documents, outbox, **OF_DOCUMENT))
            query = outbox.update().where(equal(outbox, "tenant", "entity"), _UNDONE, outbox.c.parked_at.is_not(None))
            query = query.where(owner.where(*visible(documents, orgs)).correlate(outbox).exists())
            query = query.values(parked_at=null(), due_at=null(), attempts=bindparam("none"))
            return self._prepared(query, "none", "tenant", "entity", *org_names(orgs))

        return self._remembered(("release_parked", orgs), build)

    def backlog(self, orgs: int | None) -> Prepared:
        """How much waits, is due and is parked, the oldest that waits and the next that becomes due (ACC-4)."""

        def build() -> Prepared:
            waits = outbox.c.parked_at.is_(None)
            shown = (
                func.count().filter(waits),
                func.count().filter(*_IS_DUE),
                func.count().filter(outbox.c.parked_at.is_not(None)),
                func.min(outbox.c.committed_at).filter(waits),
                func.min(func.coalesce(outbox.c.due_at, outbox.c.committed_at)).filter(waits),
            )
            owned = same(outbox, documents, **OF_DOCUMENT)
            query = select(*shown).select_from(outbox).join(documents, owned)
            query = query.where(equal(outbox, "tenant", "entity"), *visible(documents, orgs), _UNDONE)
            return self._prepared(query, *_AT, "tenant", "entity", *org_names(orgs))

        return self._remembered(("backlog", orgs), build)

    def acknowledged_count(self, orgs: int | None) -> Prepared:
        """How many deliveries are done (ACC-4)."""

        def build() -> Prepared:
            owned = same(outbox, documents, **OF_DOCUMENT)
            query = select(func.count()).select_from(outbox).join(documents, owned)
            query = query.where(equal(outbox, "tenant", "entity"), *visible(documents, orgs))
            query = query.where(outbox.c.acknowledged_at.is_not(None))
            return self._prepared(query, "tenant", "entity", *org_names(orgs))

        return self._remembered(("acknowledged_count", orgs), build)
