"""``regen reconcile``: Billing's transactions against the built-in Revenue for a period, each variance named (RCN)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date
from decimal import Decimal
from typing import Any, Final

import click

from regen_core.adapters.cli.choices import choice
from regen_core.adapters.cli.connecting import opened
from regen_core.adapters.cli.faults import ExitCode
from regen_core.adapters.cli.run_report import spelled
from regen_core.adapters.cli.settings import RegenCommand, Settings, settings_of
from regen_core.changes import FieldChange
from regen_core.documents import DocumentType
from regen_core.explain.as_json import changes_as_json
from regen_core.explain.blocks import Cell, Line, Tone
from regen_core.explain.regenerations import transaction_changes
from regen_core.explain.sentences import change_text
from regen_core.explain.words import VARIANCE_TONE, amount_text, times
from regen_core.reconciliation import CurrencyTotals, Period, Reconciliation, Total, Variance
from regen_core.revenue import HeldAs
from regen_core.transactions import BillingTransaction
from regen_core.variance_rules import Remedy, Transit

__all__ = ["reconcile"]

_DELIVER: Final = ("deliver", "--to", "ledger")
_RUN: Final = ("run", "--type", "{type}", "--id", "{id}")
_COMMANDS: Final[Mapping[Remedy, tuple[tuple[str, ...], ...]]] = {
    Remedy.DELIVER: (_DELIVER,),
    Remedy.RE_SEND: ((*_RUN, "--only-re-send"), _DELIVER),
    Remedy.CATCH_UP: ((*_RUN, "--re-migrate"), _DELIVER),
    Remedy.CORRECT: (),
}
"""What to type for a remedy, in words; none where no command helps."""

_WAITS: Final = frozenset({Transit.ON_ITS_WAY, Transit.NOT_ENOUGH})
_COLUMNS: Final = ("variance", "document", "number", "item", "billing", "revenue", "sent", "next", "differs")
_TOLD: Final = frozenset(
    {
        "revision",
        "state",
        "revenue_type",
        "standalone",
        "header.date",
        "header.currency",
        "header.org",
        "item.amount",
        "item.excluded_from_revenue",
    }
)
"""Differences that are told to people; JSON has all of them."""
_NOTHING: Final = "–"


class _Day(click.ParamType[date]):
    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        day = _day_of(str(value))
        if day is None:
            self.fail(f"{value!r} is no day of the calendar written as 2026-01-31.", param, ctx)
        return day


def _day_of(text: str) -> date | None:
    with suppress(ValueError):
        day = date.fromisoformat(text)
        return day if day.isoformat() == text else None  # other forms, such as 2026-W05-6, are read too
    return None


@click.command(cls=RegenCommand)
@click.option("--from", "first", type=_Day(), required=True, metavar="DATE", help="First document date, as 2026-01-31.")
@click.option("--to", "last", type=_Day(), required=True, metavar="DATE", help="Last document date, included.")
@click.option("--type", "kind", type=choice(DocumentType), help="Documents of this type only.  [default: all]")
@click.pass_context
def reconcile(ctx: click.Context, first: date, last: date, kind: DocumentType | None) -> ExitCode:
    """Compare the stored transactions of a period with what the built-in Revenue holds.

    Per currency it counts and sums the live lines of both sides, amounts with their sign for revenue, and names every
    line on which the two disagree, what differs (Revenue's value → Billing's), and what to do next.

    Exit status 1 where there are variances.

    Example: regen reconcile --from 2026-01-01 --to 2026-01-31
    """
    if last < first:
        raise click.UsageError("--from is after --to: exchange the two.", ctx)
    settings = settings_of(ctx)
    with opened(settings.db) as store:
        outcome = store.reconcile(settings.scope, Period(first, last), kind)
    _print(settings, outcome)
    return ExitCode.DONE if outcome.agrees else ExitCode.REFUSED


def _print(settings: Settings, outcome: Reconciliation) -> None:
    listing = settings.output.listing("variances", _COLUMNS)
    for each in outcome.variances:
        listing.row(_cells(each), _variance_json(settings, each))
    value = {
        "success": outcome.agrees,
        "from": outcome.period.first.isoformat(),
        "to": outcome.period.last.isoformat(),
        "totals": [_totals_json(each) for each in outcome.totals],
    }
    listing.end([*_totals(outcome), _verdict(outcome), *_advice(settings, outcome)], value)


# for people


def _cells(variance: Variance) -> tuple[Cell, ...]:
    header = variance.transaction.header
    return (
        Cell(variance.kind.value, tone=VARIANCE_TONE[variance.kind]),
        *map(Cell, (header.key.type.value, header.number, variance.transaction.item.id)),
        Cell(_money(variance.billing_amount, variance.billing_currency)),
        Cell(_money(variance.revenue_amount, variance.revenue_currency)),
        Cell(variance.transit.value, tone=Tone.WARNING if variance.transit in _WAITS else Tone.PLAIN),
        Cell(variance.remedy.value, tone=Tone.STRONG),
        Cell(", ".join(_differing(variance)) or _NOTHING, tone=Tone.QUIET),
    )


def _money(amount: Decimal | None, currency: str | None) -> str:
    return _NOTHING if amount is None else f"{amount_text(amount)} {currency}"


def _changes(variance: Variance) -> tuple[FieldChange, ...]:
    """From Revenue's copy to Billing's transaction, where there are both."""
    if variance.stored is None or variance.held is None:
        return ()
    return transaction_changes(variance.held.transaction, variance.stored.transaction)


def _differing(variance: Variance) -> Iterator[str]:
    """What differs and matters to the comparison, and how much else does."""
    if variance.held is not None and variance.held.kind is HeldAs.TOMBSTONE:
        yield "Revenue holds a tombstone"
    changes = _changes(variance)
    told = [change_text(each) for each in changes if each.path in _TOLD]
    yield from told
    if len(changes) > len(told):
        yield f"{len(changes) - len(told)} more" if told else times(len(changes), "field")


def _totals(outcome: Reconciliation) -> Iterator[Line]:
    for each in outcome.totals:
        sides = f"Billing {_total(each.billing)}; Revenue {_total(each.revenue)}"
        yield Line(f"{each.currency}: {sides}; difference {_total(each.difference)}")


def _total(total: Total) -> str:
    return f"{times(total.count, 'line')}, {amount_text(total.amount)}"


def _verdict(outcome: Reconciliation) -> Line:
    period = f"from {outcome.period.first} to {outcome.period.last}"
    if not outcome.agrees:
        return Line(f"{times(len(outcome.variances), 'variance')} {period}", tone=Tone.WARNING)
    return Line(f"Billing and Revenue agree {period}{'' if outcome.totals else ': no live lines'}", tone=Tone.STRONG)


def _advice(settings: Settings, outcome: Reconciliation) -> Iterator[Line]:
    """What each remedy means that a variance asks for, with the commands to type."""
    counts = Counter(each.remedy for each in outcome.variances)
    for remedy in Remedy:
        if counts[remedy]:
            yield Line(f"{remedy.value} ({counts[remedy]}): {remedy.advice}")
            yield from (Line(each, depth=1) for each in _commands(settings, remedy, type="TYPE", id="ID"))


# for programs


def _variance_json(settings: Settings, variance: Variance) -> dict[str, Any]:
    transaction, held = variance.transaction, variance.held
    key = transaction.header.key
    stored = None if variance.stored is None else variance.stored.transaction
    own = {"type": key.type.value, "document_id": key.id, "number": transaction.header.number}
    return {
        "variance": variance.kind.value,
        "transaction_id": transaction.id,
        **own,
        "item_id": transaction.item.id,
        "billing": None if stored is None else _side_json(stored, variance.billing_amount, stored.state.value),
        "revenue": None if held is None else _side_json(held.transaction, variance.revenue_amount, held.kind.value),
        "differs": changes_as_json(_changes(variance)),
        "sent": variance.transit.value,
        "next": variance.remedy.value,
        "commands": _commands(settings, variance.remedy, type=key.type.value, id=key.id),
    }


def _side_json(transaction: BillingTransaction, counted: Decimal | None, state: str) -> dict[str, Any]:
    """One side of a line; ``counted`` is the amount that it adds to the period, ``null`` where it adds none."""
    header = transaction.header
    own = {"state": state, "revision": transaction.revision, "date": header.date.isoformat()}
    amount = None if counted is None else str(counted)
    return {**own, "currency": header.currency, "amount": str(transaction.amount), "counted": amount}


def _commands(settings: Settings, remedy: Remedy, **names: str) -> Sequence[str]:
    """What to type for a remedy, about the tenant, the entity and the organisations that were asked about."""
    return [spelled(settings, *[word.format(**names) for word in words]) for words in _COMMANDS[remedy]]


def _totals_json(totals: CurrencyTotals) -> dict[str, Any]:
    sides = {"billing": totals.billing, "revenue": totals.revenue, "difference": totals.difference}
    told = {name: {"count": each.count, "amount": str(each.amount)} for name, each in sides.items()}
    return {"currency": totals.currency, **told}
