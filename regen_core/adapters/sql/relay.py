"""The outbox and the built-in Revenue within a unit of work; what is collected, the core decides (REV).

Moments are the store's clock. Which deliveries are due is asked of the database; that the answer doesn't depend on a
clock that jumps is in the question (:data:`~regen_core.attempts.LONGEST_WAIT`).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from attrs import evolve

from regen_core.access import Scope
from regen_core.adapters.sql.conditions import org_count, org_values
from regen_core.adapters.sql.listing import read_entry
from regen_core.adapters.sql.reading import Reader
from regen_core.adapters.sql.rows import Row, held_of_row, held_row, key_row, moment_of_text, text_of_moment
from regen_core.attempts import LONGEST_WAIT, Acknowledged, Parked, Released, TryAgain
from regen_core.persistent_map import PersistentMap
from regen_core.ports import MAX_PAGE, Backlog, CollectedDeliveries, OutboxEntry, Settlement
from regen_core.revenue import Delivery, Held, RevenueLedger, collect
from regen_core.transactions import BillingTransaction

__all__ = [
    "acknowledge",
    "acknowledged_count",
    "backlog",
    "claim",
    "collect_deliveries",
    "deliver_to_ledger",
    "due_deliveries",
    "release_parked",
    "settle",
]


def due_deliveries(reader: Reader, scope: Scope, limit: int, now: datetime) -> tuple[OutboxEntry, ...]:
    """The first deliveries that a relay may take now, in commit order; nobody else can take them in this unit."""
    if not 1 <= limit <= MAX_PAGE:
        raise ValueError(f"limit is {limit}; a relay takes 1 to {MAX_PAGE} deliveries at once")
    statement = reader.statements.outbox.due(org_count(scope))
    asked = (scope.tenant, scope.entity, *org_values(scope), *_at(now), limit)
    return tuple([read_entry(reader, row) for row in reader.unit.all(statement, asked)])


def claim(reader: Reader, scope: Scope, limit: int, now: datetime, lease: timedelta) -> tuple[OutboxEntry, ...]:
    """Take what is due until the lease ends."""
    if not timedelta(0) <= lease <= LONGEST_WAIT:
        raise ValueError(f"lease is {lease}; expected nothing to {LONGEST_WAIT}")
    entries, until = due_deliveries(reader, scope, limit, now), now + lease
    taken = [(1, text_of_moment(until), scope.tenant, scope.entity, each.position) for each in entries]
    reader.unit.write_many(reader.statements.outbox.claim, taken)
    return tuple([evolve(each, claims=each.claims + 1, due_at=until) for each in entries])


def acknowledge(reader: Reader, scope: Scope, entries: Iterable[OutboxEntry], now: datetime) -> int:
    """Mark deliveries as done; how many of them weren't until now."""
    statement, at = reader.statements.outbox.acknowledge, text_of_moment(now)
    return reader.unit.write_each(statement, [(at, scope.tenant, scope.entity, entry.position) for entry in entries])


def settle(reader: Reader, scope: Scope, settlements: Iterable[Settlement], now: datetime) -> int:
    """Note what became of claimed deliveries; how many of the notes were taken."""
    return sum(_settle(reader, scope, each, now) for each in settlements)


def _settle(reader: Reader, scope: Scope, settlement: Settlement, now: datetime) -> int:
    entry = settlement.entry
    if isinstance(settlement.outcome, Acknowledged):
        return acknowledge(reader, scope, (entry,), now)
    noted = _noted(settlement.outcome, now)
    place = (scope.tenant, scope.entity, entry.position, entry.claims)
    return reader.unit.write(reader.statements.outbox.settle, (*noted, *place))


def _noted(outcome: TryAgain | Parked | Released, now: datetime) -> Row:
    """How many attempts failed, when it is due, when it was parked, and why."""
    match outcome:
        case TryAgain(at, reason):
            return (1, text_of_moment(at), None, reason)
        case Parked(reason):
            return (1, None, text_of_moment(now), reason)
        case Released():
            return (0, None, None, None)


def release_parked(reader: Reader, scope: Scope) -> int:
    """Make parked deliveries due again; how many there were."""
    statement = reader.statements.outbox.release_parked(org_count(scope))
    return reader.unit.write(statement, (0, scope.tenant, scope.entity, *org_values(scope)))


def backlog(reader: Reader, scope: Scope, now: datetime) -> Backlog:
    """What isn't done yet."""
    statement = reader.statements.outbox.backlog(org_count(scope))
    row = reader.unit.one(statement, (*_at(now), scope.tenant, scope.entity, *org_values(scope)))
    assert row is not None, "counting always has an answer"
    waiting, due, parked, oldest, next_due = row
    first, following = moment_of_text(oldest), moment_of_text(next_due)
    return Backlog(at=now, waiting=waiting, due=due, parked=parked, oldest=first, next_due=following)


def acknowledged_count(reader: Reader, scope: Scope) -> int:
    """How many deliveries are done."""
    statement = reader.statements.outbox.acknowledged_count(org_count(scope))
    row = reader.unit.one(statement, (scope.tenant, scope.entity, *org_values(scope)))
    assert row is not None, "counting always has an answer"
    return int(row[0])


def _at(now: datetime) -> Row:
    """Now, and the moment that no honest due time lies beyond."""
    return text_of_moment(now), text_of_moment(now + LONGEST_WAIT)


def collect_deliveries(reader: Reader, deliveries: Iterable[Delivery]) -> CollectedDeliveries:
    """Let Revenue collect deliveries one after the other (REV-1 … REV-4)."""
    before: dict[str, RevenueLedger] = {}
    after: dict[str, RevenueLedger] = {}
    transactions: dict[str, BillingTransaction] = {}
    collected = ignored = 0
    for delivery in deliveries:
        of = delivery.transaction.id
        if of not in after:
            transactions[of] = delivery.transaction
            after[of] = before[of] = _ledger_of(reader, delivery.transaction)
        ledger = collect(after[of], delivery)
        if ledger is after[of]:
            ignored += 1
        else:
            collected += 1
            after[of] = ledger
    for of, ledger in after.items():
        if ledger is not before[of]:
            _keep(reader, transactions[of], ledger)
    return CollectedDeliveries(collected, ignored)


def deliver_to_ledger(reader: Reader, scope: Scope, limit: int, now: datetime) -> CollectedDeliveries:
    """Collect the first deliveries that are due, and mark them as done."""
    due = due_deliveries(reader, scope, limit, now)
    done = collect_deliveries(reader, [entry.delivery for entry in due])
    acknowledge(reader, scope, due, now)
    return done


def _key_row(transaction: BillingTransaction) -> Row:
    return (*key_row(transaction.header.key), transaction.item.id)


def _ledger_of(reader: Reader, transaction: BillingTransaction) -> RevenueLedger:
    """What Revenue holds for one transaction, as a ledger of its own: no rule looks further."""
    row = reader.unit.one(reader.statements.held, _key_row(transaction))
    if row is None:
        return RevenueLedger()
    return RevenueLedger(PersistentMap[Held]().put(transaction.id, held_of_row(row, reader.occasions)))


def _keep(reader: Reader, transaction: BillingTransaction, ledger: RevenueLedger) -> None:
    held = ledger.held.get(transaction.id)
    assert held is not None, "no collecting rule lets Revenue forget (REV-3)"
    reader.unit.put(reader.statements.hold, held_row(held, reader.occasions))
