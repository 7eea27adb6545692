"""Both sides of a period as of one moment, some documents at a time; how they compare, the core decides (RCN-7)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from typing import Final

from regen_core.access import Scope
from regen_core.adapters.sql.conditions import org_count, org_values
from regen_core.adapters.sql.contents import Content, content_of_row
from regen_core.adapters.sql.listing import list_deliveries
from regen_core.adapters.sql.reading import Reader
from regen_core.adapters.sql.rows import Occasions, held_of_row, key_of_row, key_row, transaction_of_row
from regen_core.adapters.sql.unit import Row
from regen_core.documents import DocumentKey, DocumentType
from regen_core.pairing import Side
from regen_core.ports import MAX_PAGE, Selection
from regen_core.reconciliation import Period, Reconciliation, foresee, reconcile_parts
from regen_core.revenue import Delivery, Held
from regen_core.transactions import StoredTransaction
from regen_core.wire.codec import NotCanonical

__all__ = ["reconcile_period"]

_TOGETHER: Final = 64
"""Documents whose lines are held at a time: enough that asking costs little, few enough to fit anywhere."""

_Contents = dict[tuple[DocumentKey, int], Content]


def reconcile_period(reader: Reader, scope: Scope, period: Period, kind: DocumentType | None) -> Reconciliation:
    """Compare the documents that a period concerns, and look for what differs in the outbox.

    The reader's unit sees one moment, whatever is written meanwhile.
    """
    statement = reader.statements.periods.concerned(org_count(scope), of_type=kind is not None)
    given = (scope.tenant, scope.entity, *([] if kind is None else [kind.value]))
    days = (period.first.isoformat(), period.last.isoformat())
    with closing(reader.unit.parts(statement, (*given, *days, *org_values(scope)), _TOGETHER)) as names:
        outcome = reconcile_parts(period, (_sides(reader, scope, each) for each in names))
    return outcome if outcome.agrees else foresee(outcome, _waiting(reader, scope, kind))


def _sides(reader: Reader, scope: Scope, names: Iterable[Row]) -> tuple[Side[StoredTransaction], Side[Held]]:
    """What both sides have of some documents, in the order of their lines."""
    periods, count, orgs = reader.statements.periods, org_count(scope), org_values(scope)
    keys = [key_of_row((scope.tenant, scope.entity, *name)) for name in names]
    sides = (periods.stored(count), periods.held(count))
    answers = reader.unit.ask([(side, (*key_row(key), *orgs)) for side in sides for key in keys])
    stored, held = list(zip(keys, answers, strict=False)), answers[len(keys) :]
    occasions = Occasions()
    return (
        _stored(stored, _contents(reader, stored), occasions),
        [held_of_row(row, occasions) for rows in held for row in rows],
    )


def _contents(reader: Reader, stored: Sequence[tuple[DocumentKey, Sequence[Row]]]) -> _Contents:
    """The content that transactions were written from."""
    wanted = list(dict.fromkeys((key, row[-1]) for key, rows in stored for row in rows))
    statement = reader.statements.version_content
    answers = reader.unit.ask([(statement, (*key_row(key), version)) for key, version in wanted])
    if not all(answers):
        raise NotCanonical("the content that a transaction was written from is missing")
    return {place: content_of_row(place[0], rows[0]) for place, rows in zip(wanted, answers, strict=True)}


def _stored(
    stored: Sequence[tuple[DocumentKey, Sequence[Row]]], contents: _Contents, occasions: Occasions
) -> list[StoredTransaction]:
    lines = []
    for key, rows in stored:
        for item_id, _, deliveries, *told, version in rows:
            content = contents[key, version]
            read = transaction_of_row(content.header, content.item(item_id), tuple(told), occasions)
            lines.append(StoredTransaction(read, deliveries))
    return lines


def _waiting(reader: Reader, scope: Scope, kind: DocumentType | None) -> Iterator[Delivery]:
    """What isn't done, page by page; a page's content is forgotten with it."""
    after: str | None = None
    while True:
        own = Reader(reader.unit, reader.statements, reader.contents)
        page = list_deliveries(own, scope, Selection(type=kind), MAX_PAGE, after, extra=("waiting",))
        yield from (entry.delivery for entry in page.rows)
        after = page.next
        if after is None:
            return
