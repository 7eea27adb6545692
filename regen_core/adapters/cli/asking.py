"""``regen table`` and ``regen explain``: the decision tables, and what they say of a case; no database is opened."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

import click

from regen_core.adapters.cli.choices import choice, flag_or_unknown
from regen_core.adapters.cli.faults import ExitCode
from regen_core.adapters.cli.settings import RegenCommand, settings_of
from regen_core.documents import (
    POSTED_STATUS,
    AdjustmentKind,
    BillingItem,
    DocumentHeader,
    DocumentKey,
    DocumentType,
    ItemSource,
    OrderLineCategory,
    ProcessingType,
)
from regen_core.explain.as_json import explanation_as_json, refusal_as_json, rule_as_json
from regen_core.explain.blocks import Block
from regen_core.explain.cases import Case, explain_case
from regen_core.explain.refused import ExplainedRefusal
from regen_core.explain.rendering import FORMATS, records_of
from regen_core.explain.sentences import described, refused, rule_lines
from regen_core.explain.tables import DECIDING, TABLES
from regen_core.explain.tables import table as table_named
from regen_core.rules import RULES
from regen_core.transactions import TransactionState
from regen_core.wire.kinds import amount_fault

__all__ = ["explain", "table"]

_ALL = "all"
_SOURCES = tuple([each.value.replace(" ", "-") for each in ItemSource])


@click.command(cls=RegenCommand)
@click.argument("names", nargs=-1, metavar="[NAME]...", type=click.Choice([*TABLES, _ALL]))
@click.option("--format", "form", type=click.Choice(list(FORMATS)), help="Format.  [default: text for people]")
@click.pass_context
def table(ctx: click.Context, names: tuple[str, ...], form: str | None) -> ExitCode:
    """Print decision tables, made from the data that decides.

    \b
    NAME is one or more of
      modes       flags to mode (TBL-M)
      writes      what is written, line by line (TBL-W)
      sends       what Revenue is told (TBL-S)
      mapping     revenue transaction type of an item (MAP)
      refusals    in their order of precedence, with codes
      fields      the documented fields, and where each comes from
      rules       the register of rules: who says so, and why
      collecting  what Revenue does with a delivery (REV)
    or all; without one the first three are printed.

    Example: regen table writes sends --format html > tables.html
    """
    settings = settings_of(ctx)
    if settings.as_json and form not in (None, "json"):
        raise click.UsageError(f"--json and --format {form} contradict each other; give one of them.", ctx)
    wanted = tuple(TABLES) if _ALL in names else tuple(dict.fromkeys(names)) or DECIDING
    tables = tuple(map(table_named, wanted))
    if form is None:
        settings.output.show(tables, records_of(tables))
    else:
        click.echo(FORMATS[form](tables), nl=False)
    return ExitCode.DONE


class _Amount(click.ParamType[Decimal]):
    name = "amount"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        try:
            amount = Decimal(value)
        except InvalidOperation:
            self.fail(f"{value!r} is not a number such as 10 or -5.25.", param, ctx)
        if not amount.is_finite():
            self.fail(f"{value!r} is not a finite number.", param, ctx)
        fault = amount_fault(amount)
        if fault is not None:
            self.fail(f"{value!r} has {fault}.", param, ctx)
        return amount


def _case_options(command: Callable[..., Any]) -> Callable[..., Any]:
    amount = _Amount()
    options: list[Callable[[Callable[..., Any]], Callable[..., Any]]] = [
        click.option("--type", "kind", type=choice(DocumentType), help="Type of the document."),
        click.option(
            "--source",
            type=choice(ItemSource),
            metavar="SOURCE",
            help=f"What the item was billed from: {', '.join(_SOURCES)}.  [default: not told]",
        ),
        click.option("--amount", type=amount, default="10", show_default=True, help="As the document states it."),
        click.option("--booking-amount", type=amount, help="Booking amount.  [default: not told]"),
        click.option(
            "--processing-type",
            type=choice(ProcessingType),
            default="Charge",
            show_default=True,
            help="What the item is.",
        ),
        click.option("--order-line-category", type=choice(OrderLineCategory), help="Of an order line item."),
        click.option("--adjustment-kind", type=choice(AdjustmentKind), help="Of an adjustment.  [default: Credit]"),
        flag_or_unknown("--booking-excluded", "Booking is excluded from revenue accounting."),
        flag_or_unknown("--account-level-discount", "The charge is an account-level discount."),
        flag_or_unknown("--calculated-charge-model", "The charge model is calculated."),
        flag_or_unknown("--charge-deleted", "Subscription or charge was deleted."),
        flag_or_unknown("--from-reversal", "The memo comes from a reversal."),
        click.option("--reason-code", help="The memo's reason code."),
        click.option("--status", help="The document's status.  [default: posted]"),
        click.option("--excluded", is_flag=True, help="The item is excluded from revenue accounting."),
        click.option("--stored", type=choice(TransactionState), help="A transaction is stored.  [default: none]"),
        click.option("--gone", is_flag=True, help="The item is gone from the document."),
        click.option("--sent", count=True, help="A delivery was sent before; once per delivery."),
        click.option("--re-migrate", is_flag=True, help="The request says reMigrate=true."),
        click.option("--only-re-send", is_flag=True, help="The request says onlyReSend=true."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.command(cls=RegenCommand)
@click.argument("rule_ids", nargs=-1, metavar="[RULE]...")
@_case_options
@click.pass_context
def explain(ctx: click.Context, /, rule_ids: tuple[str, ...], kind: DocumentType | None, **case: Any) -> ExitCode:
    """Explain rules by id, or a case: one line of a document, without a database.

    A case is told by --type and what else differs from the defaults. Facts of the item that are not told are assumed by
    the rules, and the answer says which.

    \b
    Examples:
      regen explain TBL-S2 MAP-U
      regen explain --type Invoice --source subscription --booking-amount -5 \\
                    --stored active --sent --excluded --re-migrate
    """
    if rule_ids and kind is not None:
        raise click.UsageError("Give either rule ids or a case, not both.", ctx)
    if rule_ids:
        return _explain_rules(ctx, rule_ids)
    if kind is None:
        raise click.UsageError("Give rule ids such as TBL-W9, or a case by --type and the options of a case.", ctx)
    return _explain_case(ctx, kind, case)


def _explain_rules(ctx: click.Context, rule_ids: tuple[str, ...]) -> ExitCode:
    unknown = [each for each in rule_ids if each not in RULES]
    if unknown:
        raise click.UsageError(f"Unknown rule: {', '.join(unknown)}. 'regen table rules' lists all of them.", ctx)
    rules = [RULES[each] for each in rule_ids]
    told = [{**rule_as_json(each), "reason": each.reason, "alternatives": each.alternatives} for each in rules]
    settings_of(ctx).output.show([line for each in rules for line in rule_lines(each)], {"rules": told})
    return ExitCode.DONE


def _explain_case(ctx: click.Context, kind: DocumentType, case: dict[str, Any]) -> ExitCode:
    try:
        told = explain_case(_case(kind, **case))
    except ValueError as fault:
        message = f"There is no such case: {fault}."
        raise click.UsageError(message, ctx) from None
    output = settings_of(ctx).output
    if isinstance(told, ExplainedRefusal):
        output.show(refused(told), {"success": False, "refusal": refusal_as_json(told)})
        return ExitCode.REFUSED
    blocks: list[Block] = [*described(told, is_done=False)]
    output.show(blocks, {"success": True, **explanation_as_json(told)})
    return ExitCode.DONE


def _case(kind: DocumentType, **given: Any) -> Case:
    is_adjustment = kind is DocumentType.INVOICE_ITEM_ADJUSTMENT
    header = DocumentHeader(
        key=DocumentKey(tenant="default", entity="default", type=kind, id="document"),
        number="DOCUMENT",
        status=given["status"] or POSTED_STATUS[kind],
        date=date(2026, 1, 31),
        currency="EUR",
        from_reversal=given["from_reversal"],
        reason_code=given["reason_code"],
    )
    own = ("source", "amount", "booking_amount", "processing_type", "order_line_category", "booking_excluded")
    more = ("account_level_discount", "calculated_charge_model", "charge_deleted")
    item = BillingItem(
        id="document" if is_adjustment else "item",
        adjustment_kind=given["adjustment_kind"] or (AdjustmentKind.CREDIT if is_adjustment else None),
        excluded_from_revenue=given["excluded"],
        **{name: given[name] for name in (*own, *more)},
    )
    return Case(
        header=header,
        item=item,
        is_gone=given["gone"],
        stored=given["stored"],
        deliveries=given["sent"],
        only_re_send=given["only_re_send"],
        re_migrate=given["re_migrate"],
    )
