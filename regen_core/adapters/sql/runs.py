"""Runs of migrations within a unit of work: their logs, and a batch together with what it did (MIG-8).

What a batch adds to a log, and when a run is complete, the core decides.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime

from regen_core.access import Scope
from regen_core.adapters.sql.conditions import org_count, org_values
from regen_core.adapters.sql.reading import Reader
from regen_core.adapters.sql.regenerating import regenerate_documents
from regen_core.adapters.sql.rows import key_of_row
from regen_core.adapters.sql.runs_rows import orgs_text, reject_of_row, reject_row, run_of_row, run_row
from regen_core.adapters.sql.runs_statements import CHANGING, KEY
from regen_core.adapters.sql.unit import Row
from regen_core.documents import DocumentKey
from regen_core.migration import Handled, Reject, Run, place_of, progress, rejects_of, request_for
from regen_core.page import MAX_PAGE, Page

__all__ = ["accept_run", "change_run", "list_rejects", "list_runs", "migrate_batch", "read_run"]


def accept_run(reader: Reader, run: Run) -> bool:
    """Keep a run; whether its id was free."""
    return reader.unit.write(reader.statements.runs.add, run_row(run, reader.occasions)) == 1


def read_run(reader: Reader, scope: Scope, run_id: str) -> Run | None:
    """A run's log, ``None`` where none is visible (MIG-12)."""
    statement = reader.statements.runs.one(scoped=scope.orgs is not None)
    row = reader.unit.one(statement, _asked(scope, run_id))
    return None if row is None else run_of_row(row, reader.occasions)


def _locked_run(reader: Reader, scope: Scope, run_id: str) -> Run | None:
    statement = reader.statements.runs.locked(scoped=scope.orgs is not None)
    row = reader.unit.one(statement, _asked(scope, run_id))
    return None if row is None else run_of_row(row, reader.occasions)


def change_run(reader: Reader, scope: Scope, run_id: str, change: Callable[[Run], Run]) -> Run | None:
    """Replace a log that nobody else changes meanwhile; the log then."""
    before = _locked_run(reader, scope, run_id)
    return None if before is None else _put(reader, before, change(before))


def migrate_batch(reader: Reader, scope: Scope, run_id: str, limit: int, clock: Callable[[], datetime]) -> Run | None:
    """Do the next documents of a run in progress, and keep the log with what they led to; the log then."""
    if not 1 <= limit <= MAX_PAGE:
        raise ValueError(f"limit is {limit}; a batch has 1 to {MAX_PAGE} documents")
    run = _locked_run(reader, scope, run_id)
    if run is None or not run.is_running:
        return run
    found = _next_documents(reader, run, limit)
    requests = [request_for(run, key) for key, _ in found]
    outcomes = regenerate_documents(reader, run.scope, requests, run.accepted, clock)
    batch = [Handled(key, number, outcome) for (key, number), outcome in zip(found, outcomes, strict=True)]
    reader.unit.add_many(reader.statements.runs.add_reject, [reject_row(run, each) for each in rejects_of(batch)])
    return _put(reader, run, progress(run, batch, clock(), is_last=len(found) < limit))


def _put(reader: Reader, before: Run, after: Run) -> Run:
    if after != before:
        row = run_row(after, reader.occasions)
        reader.unit.put(reader.statements.runs.put, (*row[-len(CHANGING) :], *row[: len(KEY)]))
    return after


def _next_documents(reader: Reader, run: Run, limit: int) -> list[tuple[DocumentKey, str]]:
    """Keys and numbers of the documents behind the cursor (MIG-9)."""
    kind = () if run.type is None else (run.type.value,)
    after = () if run.cursor is None else place_of(run.cursor)[len(kind) :]
    statement = reader.statements.runs.next_documents(
        org_count(run.scope), of_type=bool(kind), goes_on=run.cursor is not None
    )
    asked = (run.tenant, run.entity, *kind, *org_values(run.scope), *after, limit)
    return [(key_of_row((run.tenant, run.entity, *row)), row[2]) for row in reader.unit.all(statement, asked)]


def list_runs(reader: Reader, scope: Scope, limit: int, after: str | None) -> Page[Run]:
    """Runs by id."""
    statement = reader.statements.runs.listed(scoped=scope.orgs is not None, goes_on=after is not None)
    started = () if after is None else (after,)
    asked = (scope.tenant, scope.entity, *_orgs_asked(scope), *started, _checked(limit) + 1)
    rows = reader.unit.all(statement, asked)
    shown = tuple([run_of_row(row, reader.occasions) for row in rows[:limit]])
    return Page(shown, shown[-1].id if len(rows) > limit else None)


def list_rejects(reader: Reader, scope: Scope, run_id: str, limit: int, after: str | None) -> Page[Reject]:
    """What a run refused, by type and id of the documents."""
    statement = reader.statements.runs.rejects(scoped=scope.orgs is not None, goes_on=after is not None)
    started = () if after is None else tuple(json.loads(after))
    rows = reader.unit.all(statement, (*_asked(scope, run_id), *started, _checked(limit) + 1))
    shown = tuple([reject_of_row(row) for row in rows[:limit]])
    return Page(shown, json.dumps(place_of(shown[-1].document)) if len(rows) > limit else None)


def _checked(limit: int) -> int:
    if not 1 <= limit <= MAX_PAGE:
        raise ValueError(f"limit is {limit}; a page has 1 to {MAX_PAGE} rows")
    return limit


def _asked(scope: Scope, run_id: str) -> Row:
    return (scope.tenant, scope.entity, run_id, *_orgs_asked(scope))


def _orgs_asked(scope: Scope) -> tuple[str, ...]:
    return () if scope.orgs is None else (orgs_text(scope.orgs),)
