"""Migrations that are killed: a store to migrate, what does it in a process of its own, and what must come of it.

The store in memory, in which the core decides everything, does the same documents one by one. Whenever a run is
looked at, the store must hold what that one held after as many documents as the run's log says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime
from enum import Enum, unique
from io import StringIO
from multiprocessing.connection import Connection
from typing import Final

from attrs import evolve, frozen

from regen_core.adapters.cli.connecting import occasion
from regen_core.adapters.cli.main import cli
from regen_core.adapters.memory import MemoryStore
from regen_core.adapters.sql import SqlStore
from regen_core.documents import BillingDocument, DocumentKey, DocumentType
from regen_core.migration import (
    Handled,
    Reject,
    Run,
    RunCounts,
    RunStatus,
    accept,
    begin,
    place_of,
    progress,
    request_for,
)
from regen_core.ports import Store
from regen_core.request import RegenerateRequest
from regen_core.testing.edits import initial
from regen_core.transactions import Occasion
from tests.crash.driver import connections
from tests.crash.history import SCOPES, picture
from tests.crash.points import Points
from tests.crash.verdict import Verdict

__all__ = ["Expected", "Kept", "fill", "judge", "migrates", "migrates_numbered"]

_SCOPE: Final = SCOPES[0]
_EARLIER: Final = datetime(2026, 1, 31, tzinfo=UTC)
_MOMENT: Final = re.compile(r"datetime\.datetime\([^)]*\)")


@unique
class Kept(Enum):
    """When a run's log is stored: with the batch, as the library does it, or in a unit of its own: a control."""

    TOGETHER = "together"
    BEHIND = "after the batch"
    AHEAD = "before the batch"


def _documents(count: int) -> Iterator[BillingDocument]:
    """Invoices and credit memos in turns; each third one is a draft, which a run refuses."""
    for number in range(count):
        kind = (DocumentType.INVOICE, DocumentType.CREDIT_MEMO)[number % 2]
        document = initial(DocumentKey(tenant="t1", entity="e1", type=kind, id=f"d{number:03}"))
        status = "Draft" if number % 3 == 1 else document.header.status
        yield evolve(document, header=evolve(document.header, status=status))


def fill(store: Store, count: int) -> None:
    """Documents, of which some have transactions and waiting deliveries already."""
    documents = tuple(_documents(count))
    store.load_all(documents)
    requests = [RegenerateRequest(type=each.type, id=each.id) for each in documents[::2]]
    store.regenerate_all(_SCOPE, requests, Occasion(_EARLIER, "earlier"))


def migrates(pipe: Connection | None, url: str, batch: int, kept: Kept) -> None:
    """Run ``regen migrate``, or go on with the run that there is; or do the control in its place."""
    found = _found(url)
    if pipe is not None:
        pipe.send("begun")
    _migrates(url, found, batch, kept)


def _found(url: str) -> Sequence[Run]:
    with SqlStore.open(url) as store:
        return store.runs(_SCOPE).rows


def _migrates(url: str, found: Sequence[Run], batch: int, kept: Kept) -> None:
    if kept is not Kept.TOGETHER:
        _does_it_in_two_units(url, found, batch, kept)
        return
    how = ["--resume", found[0].id] if found else ["--re-migrate"]
    given = ["migrate", "--db", url, "--tenant", "t1", "--entity", "e1", "--batch", str(batch), *how]
    with redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()) as told:
        code = cli(given, prog_name="regen", standalone_mode=False)
    if code not in (0, 1):
        raise RuntimeError(f"regen migrate ended with {code}: {told.getvalue()}{out.getvalue()}")


def migrates_numbered(pipe: Connection, url: str, batch: int, kept: Kept, crash_at: int) -> None:
    """The same, and end as a crash would at a numbered point."""
    points, found = Points(crash_at), _found(url)
    with connections(points.around):
        points.count()
        _migrates(url, found, batch, kept)
    pipe.send(points.names)


def _does_it_in_two_units(url: str, found: Sequence[Run], batch: int, kept: Kept) -> None:
    with SqlStore.open(url) as store:
        run = found[0] if found else _accepted(store)
        while run.is_running:
            headers = [each.header for each in store.documents(_SCOPE, limit=1000).rows]
            left = [each for each in headers if run.cursor is None or place_of(each.key) > place_of(run.cursor)][:batch]
            requests = [request_for(run, each.key) for each in left]
            planned = [store.plan(_SCOPE, request, run.accepted) for request in requests]
            handled = [Handled(each.key, each.number, what) for each, what in zip(left, planned, strict=True)]
            after = progress(run, handled, occasion().at, is_last=len(left) < batch)
            if kept is Kept.AHEAD:
                store.change_run(_SCOPE, run.id, lambda _, to=after: to)  # type: ignore[misc]  # a default binds it
            store.regenerate_all(_SCOPE, requests, run.accepted)
            if kept is Kept.BEHIND:
                store.change_run(_SCOPE, run.id, lambda _, to=after: to)  # type: ignore[misc]  # as above
            run = after


def _accepted(store: Store) -> Run:
    run = accept("r1", _SCOPE, occasion(), re_migrate=True)
    assert isinstance(run, Run), "one flag is no conflict"
    run = begin(run, run.accepted.at)
    assert store.accept_run(run)
    return run


@frozen
class Expected:
    """What a store shows, what a run's log counts and which documents it refused after 0, 1, … documents."""

    pictures: tuple[str, ...]
    counts: tuple[RunCounts, ...]
    rejects: tuple[tuple[Reject, ...], ...]

    @classmethod
    def of(cls, count: int) -> Expected:
        """Do them one by one in memory."""
        store = MemoryStore()
        fill(store, count)
        run: Run | None = _accepted(store)
        pictures, counts, rejects = [_timeless(store)], [RunCounts()], [tuple[Reject, ...]()]
        for _ in range(count):
            run = store.migrate_batch(_SCOPE, "r1", 1)
            assert run is not None
            pictures.append(_timeless(store))
            counts.append(run.counts)
            rejects.append(store.rejects(_SCOPE, "r1", limit=1000).rows)
        return cls(tuple(pictures), tuple(counts), tuple(rejects))


def _timeless(store: Store) -> str:
    """All that a store shows but the moments, which are those of a clock."""
    return _MOMENT.sub("then", picture(store))


def judge(url: str, expected: Expected, *, is_finished: bool) -> Verdict:
    """Compare a store with what it must hold after as many documents as its run's log says."""
    try:
        with SqlStore.open(url) as store:
            return _judged(store, expected, is_finished=is_finished)
    except Exception:  # noqa: BLE001  # whatever it is: the store can't be used
        return Verdict.UNREADABLE


def _judged(store: Store, expected: Expected, *, is_finished: bool) -> Verdict:
    found, shown = store.runs(_SCOPE).rows, _timeless(store)
    done = found[0].counts.documents if found else 0
    rejects = store.rejects(_SCOPE, found[0].id, limit=1000).rows if found else ()
    if len(found) > 1 or shown != expected.pictures[done]:
        return Verdict.LOST if shown in expected.pictures[:done] else Verdict.BROKEN
    if found and (found[0].counts, rejects) != (expected.counts[done], expected.rejects[done]):
        return Verdict.BROKEN
    is_complete = [run.status for run in found] == [RunStatus.COMPLETED_WARNING] and done == len(expected.counts) - 1
    return Verdict.SOUND if is_complete or not is_finished else Verdict.LOST
