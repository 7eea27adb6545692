"""Runs of migrations and what they refused, as rows, as a summary and for programs; and what to do next."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

import click
from attrs import evolve

from regen_core.adapters.cli.faults import ExitCode
from regen_core.adapters.cli.settings import DEFAULT_DB, DEFAULT_NAME, Settings
from regen_core.explain.blocks import Cell, Line, Tone
from regen_core.explain.words import times
from regen_core.migration import Reject, Run, RunStatus
from regen_core.plain_values import plain

__all__ = [
    "DRY_RUN",
    "EXIT_CODES",
    "REJECT_COLUMNS",
    "RUN_COLUMNS",
    "reject_cells",
    "reject_json",
    "run_cells",
    "run_json",
    "spelled",
    "summary",
    "unknown_run",
    "when",
]

RUN_COLUMNS: Final = ("run", "status", "mode", "type", "documents", "refused", "transactions", "deliveries", "by",
                      "accepted", "ended")  # fmt: skip
"""What matters most stands first: a narrow window has no room for the rest."""

REJECT_COLUMNS: Final = ("document", "number", "id", "refusal", "code", "why")

DRY_RUN: Final = "dry-run"
"""The id of a run that isn't kept."""

EXIT_CODES: Final = {
    RunStatus.ACCEPTED: ExitCode.ENVIRONMENT_FAILED,
    RunStatus.IN_PROGRESS: ExitCode.ENVIRONMENT_FAILED,
    RunStatus.COMPLETED: ExitCode.DONE,
    RunStatus.COMPLETED_WARNING: ExitCode.REFUSED,
    RunStatus.ERROR: ExitCode.ENVIRONMENT_FAILED,
}
"""What a run tells the shell."""

_TONES: Final = {
    RunStatus.ACCEPTED: Tone.PLAIN,
    RunStatus.IN_PROGRESS: Tone.WARNING,
    RunStatus.COMPLETED: Tone.STRONG,
    RunStatus.COMPLETED_WARNING: Tone.WARNING,
    RunStatus.ERROR: Tone.REFUSED,
}
_NONE: Final = "–"


def run_cells(run: Run) -> tuple[Cell, ...]:
    """A row of :data:`RUN_COLUMNS`."""
    kind, counts = _NONE if run.type is None else run.type.value, run.counts
    told = (run.mode.value, kind, counts.documents, counts.rejects, counts.transactions, counts.deliveries)
    who = (run.accepted.by or _NONE, _moment(run.accepted.at), _moment(run.ended_at))
    return (Cell(run.id), Cell(run.status.value, tone=_TONES[run.status]), *[Cell(str(each)) for each in (*told, *who)])


def when(run: Run) -> Line:
    """By whom and when."""
    ended = "not ended" if run.ended_at is None else f"ended {_moment(run.ended_at)}"
    return Line(f"{run.accepted.by or _NONE}, accepted {_moment(run.accepted.at)}, {ended}", "by")


def _moment(moment: datetime | None) -> str:
    return _NONE if moment is None else moment.isoformat(sep=" ", timespec="seconds").replace("+00:00", "Z")


def run_json(run: Run) -> dict[str, Any]:
    """A run's log for programs; the ``id`` of a dry run is ``null``."""
    told = plain(evolve(run, counts=evolve(run.counts, refused=())))
    counts = {"documents": run.counts.documents, **told["counts"], "refused": dict(run.counts.refused)}
    return {**told, "id": None if run.id == DRY_RUN else run.id, "mode": run.mode.value, "counts": counts}


def reject_cells(reject: Reject) -> tuple[Cell, ...]:
    """A row of :data:`REJECT_COLUMNS`."""
    key = reject.document
    own = [Cell(each) for each in (key.type.value, reject.number, key.id)]
    return (*own, Cell(reject.refusal, tone=Tone.REFUSED), Cell(str(reject.code)), Cell(reject.message))


def reject_json(reject: Reject) -> dict[str, Any]:
    """A reject for programs."""
    key = reject.document
    own = {"type": key.type.value, "number": reject.number, "document_id": key.id}
    return {**own, "refusal": reject.refusal, "code": reject.code, "message": reject.message}


def summary(run: Run, verb: str = "") -> Iterator[Line]:
    """What a run did so far, or with ``verb`` "would be" what it would do; by refusal, where some were refused."""
    counts, name = run.counts, f"run {run.id} ({run.mode.value}): {run.status.value}."
    if run.id == DRY_RUN:
        name = f"dry run ({run.mode.value}):"
    parts = [f"{counts.regenerated} {verb}regenerated", f"{counts.rejects} {verb}refused"]
    done = f"{times(counts.documents, 'document')}: {', '.join(parts)}" if counts.documents else "no documents"
    made = f"{times(counts.transactions, 'transaction')} {verb}written"
    sent = f"{times(counts.deliveries, 'delivery', 'deliveries')} {verb}put into the outbox"
    yield Line(f"{name} {done}; {made}, {sent}", tone=_TONES[run.status])
    if run.counts.refused:
        by_name = ", ".join([f"{name} {count}" for name, count in run.counts.refused])
        yield Line(by_name, label="refused", tone=Tone.WARNING)
    if run.fault is not None:
        yield Line(run.fault, label="fault", tone=Tone.REFUSED)


def spelled(settings: Settings, *words: str) -> str:
    """A command as it is to be typed for the same tenant, entity, organisations and database.

    A database that was named on the command line may have a password in its URL; it isn't repeated.
    """
    named: Sequence[str] = [word for org in settings.orgs for word in ("--org", org)]
    for option, value in (("--tenant", settings.tenant), ("--entity", settings.entity)):
        named = [*named, *((option, value) if value != DEFAULT_NAME else ())]
    is_known = settings.db in (DEFAULT_DB, os.environ.get("REGEN_DB"))
    return " ".join(["regen", *map(shlex.quote, (*words, *named)), *([] if is_known else ["--db …"])])


def unknown_run(ctx: click.Context, settings: Settings, run_id: str) -> click.UsageError:
    """A run that isn't visible, as for one that doesn't exist (MIG-12)."""
    orgs = f", org {' and '.join(map(repr, settings.orgs))}" if settings.orgs else ""
    where = f"tenant {settings.tenant!r}, entity {settings.entity!r}{orgs}"
    told = f"There is no run {run_id!r} in {where}. '{spelled(settings, 'show', 'runs')}' lists those that there are."
    return click.UsageError(told, ctx)
