"""What a store must offer for migrations: runs with their rejects, and a batch of a run as one unit of work (MIG).

Owns no behaviour: which status follows which, and what a batch adds to a run's log, is said by
:mod:`regen_core.migration`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from regen_core.access import Scope
from regen_core.migration import Reject, Run
from regen_core.page import Page

__all__ = ["MigrationRuns"]


class MigrationRuns(Protocol):
    """Runs of migrations. Every write is one atomic unit of work, durable when the call returns.

    A run is looked up by its id within scope in the query itself (MIG-12, ACC-4); one that isn't visible doesn't exist.
    """

    def accept_run(self, run: Run) -> bool:
        """Keep a run that was accepted; whether its id was free. Where it wasn't, nothing is stored."""
        ...

    def run(self, scope: Scope, run_id: str) -> Run | None:
        """A run's log, ``None`` where none is visible."""
        ...

    def change_run(self, scope: Scope, run_id: str, change: Callable[[Run], Run]) -> Run | None:
        """Replace a run's log by what ``change`` makes of it; the log then, ``None`` where no run is visible.

        Nobody else changes the run between reading and writing. ``change`` is called once for each time that the unit
        is begun; it must be pure, and keep what names the run.
        """
        ...

    def migrate_batch(self, scope: Scope, run_id: str, limit: int) -> Run | None:
        """Let a run in progress do the next documents behind its cursor, at most ``limit``; the log then.

        One unit of work holds all of it: what the documents' regeneration writes and sends, the rejects, counts and
        cursor (MIG-8). Of several callers at once each does a batch of its own. Where there are fewer documents than
        asked for, the run is complete. A run that isn't in progress does nothing; ``None`` where none is visible.
        """
        ...

    def runs(self, scope: Scope, *, limit: int = ..., after: str | None = ...) -> Page[Run]:
        """Runs by id, at most :data:`~regen_core.page.MAX_PAGE` at a time."""
        ...

    def rejects(self, scope: Scope, run_id: str, *, limit: int = ..., after: str | None = ...) -> Page[Reject]:
        """What a run refused, by type and id of the documents; nothing where no run is visible."""
        ...
