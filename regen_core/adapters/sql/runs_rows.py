"""Runs and rejects to rows and back; it runs no statement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from msgspec.json import Decoder, Encoder

from regen_core.adapters.sql.rows import (
    DAMAGE,
    Occasions,
    damaged,
    fact_of_number,
    key_of_row,
    key_row,
    moment_of_text,
    text_of_moment,
)
from regen_core.adapters.sql.unit import Row
from regen_core.documents import DocumentType
from regen_core.migration import Reject, Run, RunCounts, RunStatus, place_of
from regen_core.wire.codec import NotCanonical

__all__ = ["orgs_text", "reject_of_row", "reject_row", "run_of_row", "run_row"]

_encode: Final = Encoder(order="sorted").encode
_read_orgs: Final = Decoder(list[str]).decode
_read_counts: Final = Decoder(dict[str, int]).decode


def _write(value: Mapping[str, int] | Sequence[str]) -> str:
    return _encode(value).decode()


def orgs_text(orgs: frozenset[str]) -> str:
    """Organisations as a column holds them: one text per set."""
    return _write(sorted(orgs))


def run_row(run: Run, occasions: Occasions) -> Row:
    """Every column of a run, in the table's order."""
    return (
        run.tenant,
        run.entity,
        run.id,
        None if run.orgs is None else orgs_text(run.orgs),
        int(run.only_re_send),
        int(run.re_migrate),
        None if run.type is None else run.type.value,
        None if run.cutover is None else run.cutover.isoformat(),
        *occasions.row(run.accepted),
        run.status.value,
        *[None if moment is None else text_of_moment(moment) for moment in (run.started_at, run.ended_at)],
        *((None, None) if run.cursor is None else place_of(run.cursor)),
        run.counts.regenerated,
        run.counts.transactions,
        run.counts.deliveries,
        _write(dict(run.counts.refused)),
        run.fault,
    )


def run_of_row(row: Row, occasions: Occasions) -> Run:
    """The run that :func:`run_row` wrote."""
    try:
        return _run(row, occasions)
    except DAMAGE as damage:
        raise damaged(damage) from None


def _run(row: Row, occasions: Occasions) -> Run:
    tenant, entity, name, orgs, only_re_send, re_migrate, kind, cutover, at, by, status, *rest = row
    started_at, ended_at, cursor_type, cursor_id, regenerated, transactions, deliveries, refused, fault = rest
    accepted = occasions.of((at, by))
    if accepted is None:
        raise NotCanonical("a run that nobody accepted")
    return Run(
        id=name,
        tenant=tenant,
        entity=entity,
        orgs=None if orgs is None else frozenset(_read_orgs(orgs)),
        only_re_send=fact_of_number(only_re_send),
        re_migrate=fact_of_number(re_migrate),
        type=None if kind is None else DocumentType(kind),
        cutover=None if cutover is None else date.fromisoformat(cutover),
        accepted=accepted,
        status=RunStatus(status),
        started_at=moment_of_text(started_at),
        ended_at=moment_of_text(ended_at),
        cursor=None if cursor_id is None else key_of_row((tenant, entity, cursor_type, cursor_id)),
        counts=RunCounts(
            regenerated=regenerated,
            transactions=transactions,
            deliveries=deliveries,
            refused=tuple(sorted(_read_counts(refused).items())),
        ),
        fault=fault,
    )


def reject_row(run: Run, reject: Reject) -> Row:
    """Every column of a reject, in the table's order."""
    tenant, entity, kind, name = key_row(reject.document)
    return (tenant, entity, run.id, kind, name, reject.number, reject.refusal, reject.code, reject.message)


def reject_of_row(row: Row) -> Reject:
    """The reject that :func:`reject_row` wrote."""
    tenant, entity, _, kind, name, number, refusal, code, message = row
    return Reject(key_of_row((tenant, entity, kind, name)), number, refusal, code, message)
