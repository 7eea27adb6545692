"""Runs of migrations in a store in memory: which documents come next, and logs that are replaced (MIG)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from datetime import datetime
from threading import RLock

from regen_core.access import Scope
from regen_core.adapters.memory_pages import page
from regen_core.documents import DocumentHeader
from regen_core.migration import Handled, Reject, Run, place_of, progress, rejects_of, request_for
from regen_core.page import MAX_PAGE, Page
from regen_core.refusals import Refusal
from regen_core.regeneration import Regeneration
from regen_core.request import RegenerateRequest
from regen_core.store import TransactionStore
from regen_core.transactions import Occasion

__all__ = ["MemoryRuns"]

_PAGE = 100
_Name = tuple[str, str, str]
"""Tenant, entity, id of a run."""


class MemoryRuns(ABC):
    """What a store in memory offers for migrations; see :class:`regen_core.run_ports.MigrationRuns`."""

    transaction_store: TransactionStore
    _lock: RLock
    _clock: Callable[[], datetime]

    def __init__(self) -> None:
        self._runs: dict[_Name, Run] = {}
        self._rejects: dict[_Name, tuple[Reject, ...]] = {}

    @abstractmethod
    def regenerate_all(
        self, scope: Scope, requests: Iterable[RegenerateRequest], occasion: Occasion | None = None
    ) -> tuple[Regeneration | Refusal, ...]:
        """Decide and keep several; a refused one stops no other."""

    def accept_run(self, run: Run) -> bool:
        """Keep a run that was accepted; whether its id was free."""
        with self._lock:
            return self._runs.setdefault(_name(run), run) is run

    def run(self, scope: Scope, run_id: str) -> Run | None:
        """A run's log, ``None`` where none is visible."""
        found = self._runs.get((scope.tenant, scope.entity, run_id))
        return found if found is not None and found.is_visible_to(scope) else None

    def change_run(self, scope: Scope, run_id: str, change: Callable[[Run], Run]) -> Run | None:
        """Replace a run's log by what ``change`` makes of it; the log then."""
        with self._lock:
            found = self.run(scope, run_id)
            if found is None:
                return None
            after = self._runs[_name(found)] = change(found)
            return after

    def migrate_batch(self, scope: Scope, run_id: str, limit: int) -> Run | None:
        """Let a run in progress do the next documents behind its cursor (MIG-8); the log then."""
        if not 1 <= limit <= MAX_PAGE:
            raise ValueError(f"limit is {limit}; a batch has 1 to {MAX_PAGE} documents")
        with self._lock:
            run = self.run(scope, run_id)
            if run is None or not run.is_running:
                return run
            headers = self._next_documents(run)[:limit]
            requests = [request_for(run, each.key) for each in headers]
            outcomes = self.regenerate_all(run.scope, requests, run.accepted)
            batch = [Handled(each.key, each.number, what) for each, what in zip(headers, outcomes, strict=True)]
            after = progress(run, batch, self._clock(), is_last=len(headers) < limit)
            self._rejects[_name(run)] = (*self._rejects.get(_name(run), ()), *rejects_of(batch))
            self._runs[_name(run)] = after
            return after

    def _next_documents(self, run: Run) -> list[DocumentHeader]:
        """Headers of the documents behind a run's cursor, in the order in which it visits them (MIG-9)."""
        headers = [stored.document.header for stored in self.transaction_store.documents.values()]
        wanted = [each for each in headers if run.scope.can_see(each) and run.type in (None, each.key.type)]
        begin = ("", "") if run.cursor is None else place_of(run.cursor)
        return sorted([each for each in wanted if place_of(each.key) > begin], key=lambda each: place_of(each.key))

    def runs(self, scope: Scope, *, limit: int = _PAGE, after: str | None = None) -> Page[Run]:
        """Runs by id."""
        return page([((each.id,), each) for each in self._runs.values() if each.is_visible_to(scope)], limit, after)

    def rejects(self, scope: Scope, run_id: str, *, limit: int = _PAGE, after: str | None = None) -> Page[Reject]:
        """What a run refused, by type and id of the documents."""
        run = self.run(scope, run_id)
        found = () if run is None else self._rejects.get(_name(run), ())
        return page([(place_of(each.document), each) for each in found], limit, after)


def _name(run: Run) -> _Name:
    return run.tenant, run.entity, run.id
