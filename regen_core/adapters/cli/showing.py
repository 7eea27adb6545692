"""``regen show``: what is stored, row by row, in as little memory as a page takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from itertools import islice
from typing import Any, Final

import click
from attrs import frozen

from regen_core.access import Scope
from regen_core.adapters.cli.choices import whole
from regen_core.adapters.cli.connecting import opened
from regen_core.adapters.cli.faults import ExitCode
from regen_core.adapters.cli.paging import paged
from regen_core.adapters.cli.references import name_checked, reference_options
from regen_core.adapters.cli.settings import RegenCommand, settings_of
from regen_core.adapters.cli.showing_runs import show_runs
from regen_core.documents import BillingDocument, DocumentType
from regen_core.explain.blocks import Cell, Line, Tone
from regen_core.explain.words import amount_text, yes_no
from regen_core.fields import FlatCell, flat_row
from regen_core.plain_values import plain
from regen_core.ports import OutboxEntry, Page, Selection, Store
from regen_core.revenue import Held
from regen_core.transactions import BillingTransaction, StoredTransaction, billed_amount
from regen_core.wire.canonical import delivery_json, document_json, held_json, stored_transaction_json

__all__ = ["show"]

_Row = tuple[Sequence[Cell], object]
_NONE: Final = "–"


@frozen
class _Kind:
    """One kind of rows: how to get a page of them, and what a row shows to people and to programs.

    A row of several lines for people has its value for programs on the first and ``None`` on the others.
    """

    page: Callable[[Store], Callable[..., Page[Any]]]
    columns: tuple[str, ...]
    rows: Callable[[Any], Iterable[_Row]]


def _cells(*texts: object) -> tuple[Cell, ...]:
    return tuple([text if isinstance(text, Cell) else Cell(_shown(text)) for text in texts])


def _shown(value: object) -> str:
    return amount_text(value) if isinstance(value, Decimal) else str(value)


def _document_row(document: BillingDocument) -> Iterator[_Row]:
    header = document.header
    total = sum(billed_amount(document.type, item) for item in document.items)
    status = Cell(header.status, tone=Tone.PLAIN if header.is_posted else Tone.WARNING)
    own = (document.type.value, header.number, document.id, status, header.date, header.org or _NONE)
    yield _cells(*own, len(document.items), total, header.currency), document_json(document)


def _place(transaction: BillingTransaction) -> tuple[str, str, str]:
    header = transaction.header
    return header.key.type.value, header.number, transaction.item.id


def _state(transaction: BillingTransaction) -> Cell:
    if transaction.is_live:
        return Cell(transaction.state.value)
    excluded = ", excluded" if transaction.item.excluded_from_revenue else ""
    return Cell(f"{transaction.state.value}{excluded}", tone=Tone.QUIET)


def _transaction_row(stored: StoredTransaction) -> Iterator[_Row]:
    each = stored.transaction
    facts = (each.revision, _state(each), each.revenue_type.value, yes_no(each.standalone))
    amount = (each.amount, each.header.currency, stored.deliveries)
    yield _cells(each.id, *_place(each), *facts, *amount), stored_transaction_json(stored)


def _flat_rows(stored: StoredTransaction) -> Iterator[_Row]:
    each = stored.transaction
    row = flat_row(each)
    value: object = {"id": each.id, "values": plain(row.values), "filled_from": plain(row.filled_from),
                     "unfilled": plain(row.unfilled)}  # fmt: skip
    for cell in row.cells:
        yield _cells(each.id, cell.name, *_flat_texts(cell)), value
        value = None


def _flat_texts(cell: FlatCell) -> tuple[Cell, Cell]:
    if cell.value is None:
        return Cell(_NONE, tone=Tone.QUIET), Cell(f"unfilled: {cell.reason}", tone=Tone.QUIET)
    shown = yes_no(cell.value, "true", "false") if isinstance(cell.value, bool) else _flat_text(cell.value)
    return Cell(shown, tone=Tone.STRONG), Cell(cell.filled_from or _NONE)


def _flat_text(value: object) -> str:
    return _shown(value if isinstance(value, Decimal) else plain(value))


def _delivery_row(entry: OutboxEntry) -> Iterator[_Row]:
    delivery = entry.delivery
    each = delivery.transaction
    action = Cell(delivery.action.value, tone=Tone.VOID if delivery.action.value == "void" else Tone.SEND)
    told = (delivery.id, *_place(each), delivery.flag.value, action, delivery.revision, each.amount)
    noted = plain(entry)
    del noted["delivery"]
    yield (
        _cells(*told, each.header.currency, _moment(entry.committed_at), _done(entry)),
        {
            **noted,
            **delivery_json(delivery),
        },
    )


def _done(entry: OutboxEntry) -> Cell:
    """When a delivery was acknowledged, or what it waits for."""
    if entry.acknowledged_at is not None:
        return Cell(_moment(entry.acknowledged_at), tone=Tone.QUIET)
    if entry.parked_at is not None:
        return Cell(f"parked: {entry.fault}", tone=Tone.REFUSED)
    return Cell(f"waiting, failed {entry.attempts}×" if entry.attempts else "waiting", tone=Tone.WARNING)


def _moment(moment: Any) -> str:
    return str(moment.isoformat(sep=" ", timespec="seconds")).replace("+00:00", "Z")


def _held_row(held: Held) -> Iterator[_Row]:
    each = held.transaction
    kind = Cell(held.kind.value, tone=Tone.SEND if held.kind.value == "line" else Tone.VOID)
    facts = (kind, held.revision, each.revenue_type.value, yes_no(each.standalone), each.amount, each.header.currency)
    yield _cells(each.id, *_place(each), *facts), held_json(held)


_OWNER: Final = ("document", "number", "item")
_KINDS: Final = {
    "documents": _Kind(
        lambda store: store.documents,
        ("document", "number", "id", "status", "date", "org", "items", "amount", "currency"),
        _document_row,
    ),
    "transactions": _Kind(
        lambda store: store.transactions,
        ("id", *_OWNER, "revision", "state", "type", "standalone", "amount", "currency", "sent"),
        _transaction_row,
    ),
    "deliveries": _Kind(
        lambda store: store.deliveries,
        ("id", *_OWNER, "flag", "action", "revision", "amount", "currency", "committed", "acknowledged"),
        _delivery_row,
    ),
    "revenue": _Kind(
        lambda store: store.revenue,
        ("id", *_OWNER, "held as", "revision", "type", "standalone", "amount", "currency"),
        _held_row,
    ),
}
_STATES: Final[dict[str | None, dict[str, bool]]] = {
    None: {},
    "--pending": {"acknowledged": False, "parked": False},
    "--acknowledged": {"acknowledged": True},
    "--parked": {"acknowledged": False, "parked": True},
}
_RUNS: Final = "runs"
_FLAT: Final = _Kind(lambda store: store.transactions, ("id", "field", "value", "from"), _flat_rows)


@click.command(cls=RegenCommand)
@click.argument("what", metavar="WHAT", type=click.Choice([*_KINDS, _RUNS]))
@reference_options(is_required=False, of="the document, or of the run")
@click.option("--flat", is_flag=True, help="transactions: every documented field, filled or why not.")
@click.option("--pending", "state", flag_value="--pending", help="deliveries: only those that wait.")
@click.option("--acknowledged", "state", flag_value="--acknowledged", help="deliveries: only those that are done.")
@click.option("--parked", "state", flag_value="--parked", help="deliveries: only those that nobody tries any more.")
@click.option("--limit", type=whole(0), help="Show at most so many.  [default: all]")
@click.pass_context
def show(
    ctx: click.Context,
    what: str,
    kind: DocumentType | None,
    id_: str | None,
    number: str | None,
    flat: bool,
    state: str | None,
    limit: int | None,
) -> ExitCode:
    """Show what is stored; WHAT is documents, transactions, deliveries (the outbox), revenue (the built-in ledger) or
    runs (of 'regen migrate').

    runs --id RUN shows the documents that a run refused, and why. Amounts have their sign for revenue. In a pipe, rows
    are separated by tabs.

    \b
    Examples:
      regen show transactions --type Invoice --number INV00000104
      regen show transactions --flat | grep ChargeName
      regen show deliveries --pending --json
      regen show runs
    """
    _only_with(ctx, what, "transactions", "--flat", is_given=flat)
    _only_with(ctx, what, "deliveries", str(state), is_given=state is not None)
    for option, name in (("--id", id_), ("--number", number)):
        name_checked(ctx, option, name)
    settings = settings_of(ctx)
    if what == _RUNS:
        if kind is not None or number is not None:
            raise click.UsageError("'regen show runs' takes --id RUN, and neither --type nor --number.", ctx)
        return show_runs(ctx, settings, id_, limit)
    shown = _FLAT if flat else _KINDS[what]
    wanted: dict[str, Any] = {"scope": settings.scope, "selection": Selection(type=kind, id=id_, number=number)}
    wanted.update(_STATES[state])
    with opened(settings.db) as store:
        listing = settings.output.listing(what, shown.columns)
        for found in islice(paged(shown.page(store), **wanted), limit):
            for cells, value in shown.rows(found):
                listing.row(cells, value)
        listing.end(*(_lag(store, settings.scope) if what == "deliveries" else ((), {})))
    return ExitCode.DONE


def _lag(store: Store, scope: Scope) -> tuple[Sequence[Line], dict[str, Any]]:
    """How far Revenue is behind, whatever part of the outbox was listed."""
    left, done = store.backlog(scope), store.acknowledged_count(scope)
    age = None if left.oldest is None else max(left.at - left.oldest, timedelta(0))
    oldest = "" if age is None else f" (the oldest for {_age(age)})"
    told = f"{left.waiting} waiting{oldest}, {left.due} of them due, {left.parked} parked, {done} acknowledged"
    seconds = None if age is None else round(age.total_seconds(), 3)
    counts = {"waiting": left.waiting, "due": left.due, "parked": left.parked, "acknowledged": done}
    return [Line(told, label="lag")], {"lag": {**counts, "oldest_age_seconds": seconds}}


def _age(age: timedelta) -> str:
    return str(timedelta(seconds=int(age.total_seconds())))


def _only_with(ctx: click.Context, what: str, needed: str, option: str, *, is_given: bool) -> None:
    if is_given and what != needed:
        raise click.UsageError(f"{option} goes with 'regen show {needed}', not with {what}.", ctx)
