"""``regen show runs``: the logs of migrations, and what one of them refused."""

from __future__ import annotations

from itertools import islice

import click

from regen_core.adapters.cli.connecting import opened
from regen_core.adapters.cli.faults import ExitCode
from regen_core.adapters.cli.paging import paged
from regen_core.adapters.cli.run_report import (
    REJECT_COLUMNS,
    RUN_COLUMNS,
    reject_cells,
    reject_json,
    run_cells,
    run_json,
    summary,
    unknown_run,
    when,
)
from regen_core.adapters.cli.settings import Settings
from regen_core.ports import Store

__all__ = ["show_runs"]


def show_runs(ctx: click.Context, settings: Settings, run_id: str | None, limit: int | None) -> ExitCode:
    """All runs in the order of their ids, or with ``run_id`` the documents that one of them refused, and its log."""
    with opened(settings.db) as store:
        if run_id is not None:
            return _show_rejects(ctx, settings, store, run_id, limit)
        listing = settings.output.listing("runs", RUN_COLUMNS)
        for run in islice(paged(store.runs, scope=settings.scope), limit):
            listing.row(run_cells(run), run_json(run))
        listing.end((), {})
    return ExitCode.DONE


def _show_rejects(ctx: click.Context, settings: Settings, store: Store, run_id: str, limit: int | None) -> ExitCode:
    run = store.run(settings.scope, run_id)
    if run is None:
        raise unknown_run(ctx, settings, run_id)
    listing = settings.output.listing("rejects", REJECT_COLUMNS)
    for reject in islice(paged(store.rejects, scope=settings.scope, run_id=run_id), limit):
        listing.row(reject_cells(reject), reject_json(reject))
    listing.end((*summary(run), when(run)), {"run": run_json(run)})
    return ExitCode.DONE
