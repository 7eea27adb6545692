"""``regen migrate``: one pair of flags put to all documents, batch by batch, in a run that can be resumed (MIG)."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final

import click

from regen_core.adapters.cli.choices import choice, faultless, whole
from regen_core.adapters.cli.connecting import occasion, opened
from regen_core.adapters.cli.faults import BrokenOff, ExitCode, cause_of_batch
from regen_core.adapters.cli.paging import paged
from regen_core.adapters.cli.progress import Progress
from regen_core.adapters.cli.run_report import (
    DRY_RUN,
    EXIT_CODES,
    REJECT_COLUMNS,
    reject_cells,
    reject_json,
    run_json,
    spelled,
    summary,
    unknown_run,
)
from regen_core.adapters.cli.settings import RegenCommand, Settings, settings_of
from regen_core.adapters.cli.stopping import Stop, stop_on_signals
from regen_core.documents import DocumentType, name_fault
from regen_core.explain.as_json import refusal_as_json
from regen_core.explain.blocks import Line, Tone, printable
from regen_core.explain.refused import explain_refusal
from regen_core.explain.sentences import refused
from regen_core.explain.words import times
from regen_core.migration import (
    Handled,
    Reject,
    Run,
    accept,
    begin,
    differing,
    fail,
    progress,
    rejects_of,
    request_for,
    resume,
)
from regen_core.ports import MAX_PAGE, Selection, Store, StoreFault
from regen_core.refusals import ConflictingFlags

__all__ = ["migrate"]

BATCH: Final = 256
"""Documents of one unit of work: enough that its commit costs little, few enough to do again or to lose to a kill."""

SHOWN_REJECTS: Final = 20
"""Refused documents that are listed at the end; ``regen show runs --id`` lists all."""


@click.command(cls=RegenCommand)
@click.option("--re-migrate", is_flag=True, help="reMigrate=true: override what is stored, and send it.")
@click.option("--only-re-send", is_flag=True, help="onlyReSend=true: send what is stored.")
@click.option("--type", "kind", type=choice(DocumentType), help="Documents of this type only.  [default: all]")
@click.option("--dry-run", is_flag=True, help="Say what would become of the documents; nothing is changed.")
@click.option(
    "--resume",
    "resumed",
    metavar="RUN",
    callback=faultless(name_fault),
    help="Go on with a run that was interrupted.",
)
@click.option(
    "--batch",
    type=whole(1, MAX_PAGE),
    default=BATCH,
    show_default=True,
    help="Documents of one unit of work.",
)
@click.option(
    "--limit",
    type=whole(0),
    default=SHOWN_REJECTS,
    show_default=True,
    help="List at most so many refused documents.",
)
@click.pass_context
def migrate(
    ctx: click.Context,
    /,
    kind: DocumentType | None,
    resumed: str | None,
    batch: int,
    limit: int,
    *,
    dry_run: bool,
    **flags: bool,
) -> ExitCode:
    """Regenerate the billing transactions of all documents in the database, as 'regen run' does for one.

    A document that is refused stops no other: it is listed with the reason, and the exit status is 1. What is to be
    sent waits in the outbox for 'regen deliver'.

    Every batch is stored with the run's log in one unit of work. Ctrl-C ends the run between two batches; whatever
    ended it, 'regen migrate --resume RUN' goes on behind the last document done, and it ends as if nothing had
    happened. 'regen show runs' lists runs, 'regen show runs --id RUN' the documents that one refused.

    Zuora says to migrate only once, before going live, as a second time makes its Billing and Revenue inconsistent.
    Here it may be repeated: once its deliveries have arrived, --re-migrate has brought Revenue to what the documents
    say, whatever it held before (CNV-1 to CNV-3).

    \b
    Examples:
      regen migrate --dry-run --re-migrate
      regen migrate --re-migrate --type Invoice
      regen migrate --resume 20260131-120000-5f3a9c
    """
    if dry_run and resumed is not None:
        raise click.UsageError("--dry-run plans a run from its beginning; leave out --resume.", ctx)
    settings = settings_of(ctx)
    with opened(settings.db) as store:
        if dry_run:
            return _dry_run(settings, store, limit, kind, flags)
        with stop_on_signals() as stop:
            run = _accepted(settings, store, kind, flags) if resumed is None else None
            if isinstance(run, ConflictingFlags):
                return _refuse(settings, run)
            if run is None:
                run = _resumed(ctx, settings, store, str(resumed), type=kind, **flags)
            run = _carried_out(settings, store, run, batch, stop)
        return _told(settings, run, islice(paged(store.rejects, scope=settings.scope, run_id=run.id), limit))


def _now() -> datetime:
    return datetime.now(UTC)


def _say(text: str) -> None:
    click.echo(f"regen: {text}", err=True)


# how a run begins


def _accepted(
    settings: Settings, store: Store, kind: DocumentType | None, flags: dict[str, Any]
) -> Run | ConflictingFlags:
    """A new run, begun."""
    while True:
        asked = occasion()
        name = f"{asked.at:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
        run = accept(name, settings.scope, asked, type=kind, **flags)
        if isinstance(run, ConflictingFlags):
            return run
        if store.accept_run(run):
            break
    _say(f"run {name} begins. If it is interrupted: {_resuming(settings, run)}")
    return _changed(store, run, lambda run: begin(run, _now()))


def _resumed(ctx: click.Context, settings: Settings, store: Store, run_id: str, **asked: object) -> Run:
    """A run that was begun before, in progress again; one that is complete stays as it is (MIG-10)."""
    run = store.run(settings.scope, run_id)
    if run is None:
        raise unknown_run(ctx, settings, run_id)
    others = [f"--{name.replace('_', '-')}" for name in differing(run, **asked)]
    if others:
        told = f"The run {run_id} was begun without {' and '.join(others)}, and goes on as it was begun."
        raise click.UsageError(f"{told} Leave out what differs, or begin another run without --resume.", ctx)
    run = _changed(store, run, lambda run: resume(run, _now()))
    after = f"after {times(run.counts.documents, 'document')}"
    _say(f"run {run.id} goes on {after}." if run.is_running else f"run {run.id} is complete: nothing is left to do.")
    return run


def _changed(store: Store, run: Run, change: Callable[[Run], Run]) -> Run:
    after = store.change_run(run.scope, run.id, change)
    assert after is not None, "no verb takes a run away"
    return after


def _resuming(settings: Settings, run: Run) -> str:
    return spelled(settings, "migrate", "--resume", run.id)


# how it is carried out


def _carried_out(settings: Settings, store: Store, run: Run, batch: int, stop: Stop) -> Run:
    """The run after its last batch, or after the one in which somebody asked to stop."""
    watched = Progress(None)
    try:
        while run.is_running and not stop.is_asked:
            after = store.migrate_batch(run.scope, run.id, batch)
            assert after is not None, "no verb takes a run away"
            run = after
            watched.tell(f"migrating: {times(run.counts.documents, 'document')}, {run.counts.rejects} refused")
    except (StoreFault, KeyboardInterrupt) as fault:
        watched.clear()
        raise _broken_off(settings, store, run, fault) from fault
    watched.clear()
    return run


def _broken_off(settings: Settings, store: Store, run: Run, fault: BaseException) -> BrokenOff:
    """Note in the log why the run ended, if the store lets us, and say how it goes on."""
    cause = cause_of_batch(fault)
    if isinstance(fault, StoreFault):
        with suppress(StoreFault):
            run = _changed(store, run, lambda run: fail(run, printable(cause), _now()))
    done = f"The run {run.id} had done {times(run.counts.documents, 'document')}, and that stays."
    return BrokenOff(f"{cause} {done} To go on: {_resuming(settings, run)}")


def _dry_run(
    settings: Settings, store: Store, limit: int, kind: DocumentType | None, flags: dict[str, Any]
) -> ExitCode:
    """The same decisions without the storing: a run in memory, batch by batch."""
    accepted = accept(DRY_RUN, settings.scope, occasion(), type=kind, **flags)
    if isinstance(accepted, ConflictingFlags):
        return _refuse(settings, accepted)
    run, shown, watched = begin(accepted, _now()), list[Reject](), Progress(None)
    documents = paged(store.documents, scope=settings.scope, selection=Selection(type=kind))
    planned = (
        Handled(each.key, each.header.number, store.plan(run.scope, request_for(run, each.key))) for each in documents
    )
    while run.is_running:
        batch = list(islice(planned, BATCH))
        run = progress(run, batch, _now(), is_last=len(batch) < BATCH)
        shown += rejects_of(batch)[: limit - len(shown)]
        watched.tell(f"planning: {times(run.counts.documents, 'document')}, {run.counts.rejects} refused")
    watched.clear()
    return _told(settings, run, shown)


# what is told at the end


def _refuse(settings: Settings, refusal: ConflictingFlags) -> ExitCode:
    explained = explain_refusal(refusal)
    settings.output.show(refused(explained), {"success": False, "refusal": refusal_as_json(explained)})
    return ExitCode.REFUSED


def _told(settings: Settings, run: Run, rejects: Iterator[Reject] | Sequence[Reject]) -> ExitCode:
    """The rejects that are listed, the summary, and what to do next."""
    code, is_dry = EXIT_CODES[run.status], run.id == DRY_RUN
    listing, listed = settings.output.listing("rejects", REJECT_COLUMNS, is_quiet=True), 0
    for each in rejects:
        listing.row(reject_cells(each), reject_json(each))
        listed += 1
    lines = [*summary(run, "would be " if is_dry else ""), *_rest(settings, run, listed), *_next(settings, run)]
    value: dict[str, Any] = {"success": code is ExitCode.DONE, "is_dry_run": is_dry, "run": run_json(run)}
    listing.end(lines, value)
    return code


def _rest(settings: Settings, run: Run, listed: int) -> Iterator[Line]:
    """How to see the refused documents that weren't listed."""
    if listed < run.counts.rejects:
        all_of_them = spelled(settings, "show", "runs", "--id", run.id)
        how = f"give --limit {run.counts.rejects}" if run.id == DRY_RUN else all_of_them
        yield Line(f"{listed} of {run.counts.rejects} refused documents are listed. To see all: {how}", tone=Tone.QUIET)


def _next(settings: Settings, run: Run) -> Iterator[Line]:
    """What to do next, where there is something to do."""
    if run.id == DRY_RUN:
        yield Line("Dry run, nothing was changed.", tone=Tone.QUIET)
    elif EXIT_CODES[run.status] is ExitCode.ENVIRONMENT_FAILED:
        yield Line(f"To go on: {_resuming(settings, run)}", "next")
    elif not run.counts.documents:
        kind = "" if run.type is None else f" of type {run.type.value}"
        where = f"tenant {settings.tenant!r}, entity {settings.entity!r}"
        yield Line(f"No document{kind} is stored in {where}. Check these, or load documents: regen load FILE", "next")
    else:
        if run.counts.deliveries:
            yield Line(f"{spelled(settings, 'deliver')} --to ledger|file:PATH|URL", "next")
        if run.counts.rejects:
            yield Line("Mend what was refused, load it again, and repeat the migration or 'regen run' these.", "next")
