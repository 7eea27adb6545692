"""The outbox and the built-in Revenue within a unit of work; what is collected, the core decides (REV)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from regen_core.adapters.sql.reading import Reader
from regen_core.adapters.sql.rows import Row, held_of_row, held_row, key_row
from regen_core.persistent_map import PersistentMap
from regen_core.ports import CollectedDeliveries, OutboxEntry
from regen_core.revenue import Delivery, Held, RevenueLedger, collect
from regen_core.transactions import BillingTransaction

__all__ = ["acknowledge", "collect_deliveries"]


def acknowledge(reader: Reader, tenant: str, entity: str, entries: Iterable[OutboxEntry], now: datetime) -> int:
    """Mark deliveries as done; how many of them waited until now."""
    at = now.isoformat()
    return sum(
        reader.unit.write(reader.statements.acknowledge, (at, tenant, entity, entry.position)) for entry in entries
    )


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
    reader.unit.write(reader.statements.hold, held_row(held, reader.occasions))
