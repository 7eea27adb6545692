"""Why a regeneration does what it does, line by line, as values.

Owns what is said beyond the decision itself: the register's words for each rule, the difference between before and
after, how an item maps and what was assumed for it, and whether a kept transaction has drifted from its document. None
of it is computed unless somebody asks: ``decide`` doesn't need it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs
from attrs import frozen

from regen_core.changes import FieldChange, field_changes
from regen_core.decision_table import WriteAction
from regen_core.documents import Assumption, BillingDocument, BillingItem, CarriedFields, DocumentHeader
from regen_core.fields import flat_row
from regen_core.regeneration import PlannedLine, Regeneration
from regen_core.rules import Rule, rule
from regen_core.transactions import BillingTransaction, StoredTransaction, TransactionState, transaction_ids_of
from regen_core.type_mapping import MAPPING_ROWS, MappingRow, assumptions_of, map_item, unmapped_because

__all__ = [
    "ExplainedLine",
    "ExplainedMapping",
    "Explanation",
    "SkippedItem",
    "drift_of",
    "explain",
    "explain_mapping",
    "transaction_changes",
]


@frozen(kw_only=True)
class ExplainedMapping:
    """How an item maps today.

    Fields: ``row`` ``None`` means that no row covers the item, and ``unmapped_because`` says why (MAP-U);
    ``passed_over`` are the rows for its document and source that were asked before and didn't hold; ``assumptions`` the
    facts among those asked that nobody told.
    """

    row: MappingRow | None
    passed_over: tuple[MappingRow, ...]
    assumptions: tuple[Assumption, ...]
    unmapped_because: str | None


@frozen(kw_only=True)
class ExplainedLine:
    """One line of a regeneration with its reasons.

    Fields: ``line`` is the decision; ``transaction_id`` the id that the line's transaction has or would have (TBL-I);
    ``rules`` the cells that decided, in the register's words; ``situation`` what they were asked about;
    ``changes`` what differs between the stored transaction before and after, empty where it is kept; ``mapping`` how
    the item maps today, ``None`` where it is gone; ``drift`` what a kept transaction would be different in if it were
    generated today, empty where nothing is, ``None`` where no transaction is kept.
    """

    line: PlannedLine
    transaction_id: str
    rules: tuple[Rule, ...]
    situation: str
    changes: tuple[FieldChange, ...]
    mapping: ExplainedMapping | None
    drift: tuple[FieldChange, ...] | None

    @property
    def has_drifted(self) -> bool:
        """Whether the transaction is kept although the document says something else today."""
        return bool(self.drift)

    @property
    def is_unmappable_today(self) -> bool:
        """Whether its item is present and could not be generated today (MAP-U)."""
        return self.mapping is not None and self.mapping.row is None


@frozen
class SkippedItem:
    """An item that has no line, and the rule that says so (TAX-1)."""

    item: BillingItem
    rule: Rule


@frozen(kw_only=True)
class Explanation:
    """A regeneration with its reasons: the rule of the mode, every line, and the items without one."""

    regeneration: Regeneration
    rule: Rule
    lines: tuple[ExplainedLine, ...]
    skipped: tuple[SkippedItem, ...]


def explain(regeneration: Regeneration) -> Explanation:
    """Why a regeneration does what it does. Costs some microseconds per line, and more for one that has drifted.

    >>> from datetime import date; from decimal import Decimal
    >>> from regen_core import BillingItem, DocumentKey, DocumentType, ItemSource, RegenerateRequest, decide
    >>> from regen_core.transactions import StoredTransactions
    >>> key = DocumentKey(tenant="t", entity="e", type=DocumentType.INVOICE, id="8ad08d29")
    >>> header = DocumentHeader(key=key, number="INV-1", status="Posted", date=date(2026, 1, 31), currency="EUR")
    >>> item = BillingItem(id="i1", amount=Decimal("10.00"), source=ItemSource.SUBSCRIPTION)
    >>> request = RegenerateRequest(type=DocumentType.INVOICE, number="INV-1")
    >>> line = explain(decide(BillingDocument(header, (item,)), StoredTransactions(), request)).lines[0]
    >>> line.situation, line.mapping.row.id
    ('item present, none stored → live, never sent', 'MAP-4')
    """
    document = regeneration.document
    id_of = transaction_ids_of(document.key)
    skipped = tuple(SkippedItem(item, rule("TAX-1")) for item in regeneration.skipped_tax_items)
    tax_ids = {each.item.id for each in skipped}
    return Explanation(
        regeneration=regeneration,
        rule=rule(regeneration.rule.id),
        lines=tuple(
            _explained(document, line, id_of(line.item_id), is_tax=line.item_id in tax_ids)
            for line in regeneration.lines
        ),
        skipped=skipped,
    )


def _explained(document: BillingDocument, line: PlannedLine, own_id: str, *, is_tax: bool) -> ExplainedLine:
    stored = line.before or line.after
    return ExplainedLine(
        line=line,
        transaction_id=own_id if stored is None else stored.transaction.id,
        rules=tuple(rule(each) for each in line.rule_ids),
        situation=_situation(line, is_tax=is_tax),
        changes=_changes(line),
        mapping=None if line.item is None else explain_mapping(document.header, line.item),
        drift=_drift(document, line),
    )


def _changes(line: PlannedLine) -> tuple[FieldChange, ...]:
    before = None if line.before is None else line.before.transaction
    after = None if line.after is None else line.after.transaction
    if after is None or before is after:
        return ()
    return transaction_changes(before, after)


def _situation(line: PlannedLine, *, is_tax: bool) -> str:
    """What the tables were asked about: item and stored transaction, then how it stands once TBL-W has been applied."""
    gone = "item is a tax line now" if is_tax else "item gone"
    item = gone if line.item is None else "item present"
    stored = "none stored" if line.before is None else line.before.transaction.state.value
    if line.after is None:
        return f"{item}, {stored}"
    return f"{item}, {stored} → {_standing(line.after.transaction)}, {_sent(line.before)}"


def _standing(transaction: BillingTransaction) -> str:
    if transaction.is_live:
        return "live"
    return "voided" if transaction.state is TransactionState.VOIDED else "excluded from revenue"


def _sent(stored: StoredTransaction | None) -> str:
    count = 0 if stored is None else stored.deliveries
    return f"sent {count}×" if count else "never sent"


def explain_mapping(header: DocumentHeader, item: BillingItem) -> ExplainedMapping:
    """How an item maps: the row that holds, those that were asked before it, and what was assumed on the way (MAP)."""
    row = map_item(header, item)
    asked = tuple(
        each for each in MAPPING_ROWS if header.key.type in each.documents and each.source in (None, item.source)
    )
    return ExplainedMapping(
        row=row,
        passed_over=asked if row is None else asked[: asked.index(row)],
        assumptions=assumptions_of(header, item),
        unmapped_because=unmapped_because(header, item) if row is None else None,
    )


_NOT_CONTENT = frozenset({"carried", "assumed", "key", "id"})
"""Left out of drift: identity, how a fact was come by, and raw fields, which count by what they put in the row."""


def transaction_changes(before: BillingTransaction | None, after: BillingTransaction) -> tuple[FieldChange, ...]:
    """What is different in a transaction after it was written: its own fields, then its header's and its item's.

    ``before`` ``None`` means that it is new; then only what tells it apart at a glance is listed.
    """
    own = {name: getattr(after, name) for name in ("revision", "state", "revenue_type", "standalone")}
    if before is None:
        shown = {**own, "amount": after.amount, "currency": after.header.currency}
        return tuple(FieldChange(name, None, value) for name, value in shown.items())
    changed = [FieldChange(name, getattr(before, name), now) for name, now in own.items()]
    parts = (*field_changes(before.header, after.header, "header."), *field_changes(before.item, after.item, "item."))
    return (
        *(change for change in changed if change.before != change.after),
        *(change for change in parts if not change.path.endswith(".assumed")),
    )


def _drift(document: BillingDocument, line: PlannedLine) -> tuple[FieldChange, ...] | None:
    if line.before is None or line.ruling.write.action is not WriteAction.KEEP:
        return None
    return drift_of(line.before.transaction, document.header, line.item)


def drift_of(stored: BillingTransaction, header: DocumentHeader, item: BillingItem | None) -> tuple[FieldChange, ...]:
    """What a stored transaction is different in from what the document would generate today.

    ``item`` ``None`` means that it is gone: an active transaction has drifted by being there. Compared are the state,
    the facts of header and item, type and standalone, and the documented fields that raw REST fields fill; a raw field
    that fills none is no drift. Type and standalone are left out for an item that no row maps today (MAP-U).
    """
    if item is None:
        return (FieldChange("state", stored.state, None),) if stored.state is TransactionState.ACTIVE else ()
    return tuple(_differences(stored, header, item))


def _differences(stored: BillingTransaction, header: DocumentHeader, item: BillingItem) -> Iterator[FieldChange]:
    if stored.state is not TransactionState.ACTIVE:
        yield FieldChange("state", stored.state, TransactionState.ACTIVE)
    row = map_item(header, item)
    if row is not None and stored.revenue_type is not row.revenue_type:
        yield FieldChange("revenue_type", stored.revenue_type, row.revenue_type)
    if row is not None and stored.standalone is not row.standalone:
        yield FieldChange("standalone", stored.standalone, row.standalone)
    yield from _typed("header.", stored.header, header)
    yield from _typed("item.", stored.item, item)
    if stored.header.carried != header.carried or stored.item.carried != item.carried:
        yield from _documented(stored, header.carried, item.carried)


def _typed(path: str, before: Any, after: Any) -> Iterator[FieldChange]:
    for each in attrs.fields(type(before)):
        old, new = getattr(before, each.name), getattr(after, each.name)
        if each.eq and each.name not in _NOT_CONTENT and old != new:
            yield FieldChange(path + each.name, old, new)


def _documented(stored: BillingTransaction, header: CarriedFields, item: CarriedFields) -> Iterator[FieldChange]:
    """The documented fields that are different for the raw fields alone: today's beside the typed facts as stored."""
    today = attrs.evolve(
        stored,
        header=attrs.evolve(stored.header, carried=header),
        item=attrs.evolve(stored.item, carried=item),
    )
    before, after = flat_row(stored).values, flat_row(today).values
    for name in dict.fromkeys((*before, *after)):
        if before.get(name) != after.get(name):
            yield FieldChange(name, before.get(name), after.get(name))
