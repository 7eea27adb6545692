"""The statements about runs: a run is found by tenant, entity and id, and by its organisations where a caller has some.

``scoped`` says whether the caller has: it then sees the runs of exactly these (MIG-12). Documents that come next are
found by the key that the cursor is in, so a batch costs the same wherever the run is.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, Final

from sqlalchemy import ColumnElement, bindparam, select, tuple_

from regen_core.adapters.sql.conditions import INSERTS, adding, equal, org_names, same, visible
from regen_core.adapters.sql.prepared import Prepared, StatementsOfDialect
from regen_core.adapters.sql.schema import documents, run_rejects, runs

__all__ = ["CHANGING", "KEY", "REJECT", "RUN", "RunStatements"]

KEY: Final = ("tenant", "entity", "run_id")
"""What every row of a run begins with."""

RUN: Final = tuple([each.name for each in runs.c])
"""Every column of a run, in the table's order."""

REJECT: Final = tuple([each.name for each in run_rejects.c])
"""Every column of a reject, in the table's order."""

CHANGING: Final = RUN[RUN.index("status") :]
"""What a log says that changes while it is carried out."""


class RunStatements(StatementsOfDialect):
    """The statements of one dialect; those that depend on who asks, by that."""

    @cached_property
    def add(self) -> Prepared:
        """Add a run, unless its id is taken."""
        values: Any = {name: bindparam(name) for name in RUN}
        insert: Any = INSERTS[self._dialect.name](runs).values(values).on_conflict_do_nothing()
        return self._prepared(insert, *RUN)

    @cached_property
    def put(self) -> Prepared:
        """Replace what changes in a log."""
        query = runs.update().where(equal(runs, *KEY))
        query = query.values({name: bindparam(f"new_{name}") for name in CHANGING})
        return self._prepared(query, *[f"new_{name}" for name in CHANGING], *KEY)

    @cached_property
    def add_reject(self) -> Prepared:
        """Note a document that was refused, and why."""
        return adding(self._dialect, run_rejects, REJECT)

    def one(self, *, scoped: bool) -> Prepared:
        """A run."""

        def build() -> Prepared:
            query = select(*runs.c).where(equal(runs, *KEY), *_seen(scoped=scoped))
            return self._prepared(query, *KEY, *_orgs(scoped=scoped))

        return self._remembered(("one", scoped), build)

    def locked(self, *, scoped: bool) -> Prepared:
        """A run, whose row nobody else gets before the unit has ended: what was read holds until it is written."""

        def build() -> Prepared:
            query = select(*runs.c).where(equal(runs, *KEY), *_seen(scoped=scoped)).with_for_update()
            return self._prepared(query, *KEY, *_orgs(scoped=scoped))

        return self._remembered(("locked", scoped), build)

    def listed(self, *, scoped: bool, goes_on: bool) -> Prepared:
        """Runs by id."""

        def build() -> Prepared:
            query = select(*runs.c).where(equal(runs, "tenant", "entity"), *_seen(scoped=scoped))
            query = query.where(*([runs.c.run_id > bindparam("after_id")] if goes_on else []))
            query = query.order_by(runs.c.run_id).limit(bindparam("rows"))
            after = ("after_id",) if goes_on else ()
            return self._prepared(query, "tenant", "entity", *_orgs(scoped=scoped), *after, "rows")

        return self._remembered(("listed", scoped, goes_on), build)

    def rejects(self, *, scoped: bool, goes_on: bool) -> Prepared:
        """What a run refused, by type and id of the documents."""
        place = (run_rejects.c.document_type, run_rejects.c.document_id)

        def build() -> Prepared:
            query = select(*run_rejects.c)
            query = query.join_from(run_rejects, runs, same(run_rejects, runs, **dict(zip(KEY, KEY, strict=True))))
            query = query.where(equal(run_rejects, *KEY), *_seen(scoped=scoped), *_behind(place, goes_on=goes_on))
            query = query.order_by(*place).limit(bindparam("rows"))
            return self._prepared(query, *KEY, *_orgs(scoped=scoped), *_after(goes_on=goes_on), "rows")

        return self._remembered(("rejects", scoped, goes_on), build)

    def next_documents(self, orgs: int | None, *, of_type: bool, goes_on: bool) -> Prepared:
        """Type, id and number of the visible documents behind a cursor, in the order of a run (MIG-9, ACC-4).

        Of one type, they are those behind an id.
        """
        place = (documents.c.document_type, documents.c.document_id)
        kind = ("document_type",) if of_type else ()
        after = _after(goes_on=goes_on)[len(kind) :]

        def build() -> Prepared:
            query = select(*place, documents.c.number).where(equal(documents, "tenant", "entity", *kind))
            query = query.where(*visible(documents, orgs), *_behind(place[len(kind) :], goes_on=goes_on))
            query = query.order_by(*place).limit(bindparam("rows"))
            return self._prepared(query, "tenant", "entity", *kind, *org_names(orgs), *after, "rows")

        return self._remembered(("next_documents", orgs, of_type, goes_on), build)


def _seen(*, scoped: bool) -> list[ColumnElement[bool]]:
    return [runs.c.orgs == bindparam("orgs")] if scoped else []


def _orgs(*, scoped: bool) -> tuple[str, ...]:
    return ("orgs",) if scoped else ()


_AFTER: Final = {"document_type": "after_type", "document_id": "after_id"}


def _after(*, goes_on: bool) -> tuple[str, ...]:
    return tuple(_AFTER.values()) if goes_on else ()


def _behind(place: tuple[ColumnElement[Any], ...], *, goes_on: bool) -> list[ColumnElement[bool]]:
    """Rows whose place comes later than one that is given."""
    if not goes_on:
        return []
    return [tuple_(*place) > tuple_(*[bindparam(_AFTER[each.key or ""], type_=each.type) for each in place])]
