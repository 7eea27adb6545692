"""The kit's state machine on an SQLite file: every law of the operation, beside the naive model."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from regen_core.access import Scope
from regen_core.adapters.sql import SqlStore
from regen_core.adapters.sql.rows import Occasions, held_of_row, held_row
from regen_core.documents import BillingDocument, DocumentKey
from regen_core.idempotency import Replay
from regen_core.ports import DocumentLoaded, Found
from regen_core.refusals import Refusal
from regen_core.regeneration import Regeneration
from regen_core.request import RegenerateRequest
from regen_core.revenue import Delivery, Held
from regen_core.store import ItemTaken, NumberTaken
from regen_core.testing.machine import check
from regen_core.testing.subject import Accepted, LoadedAs, Subject
from regen_core.transactions import NO_TRANSACTIONS, Occasion, StoredTransactions

BESIDE_THE_LAW = ("position", "committed_at", "acknowledged_at")
"""What tells when a delivery was committed among others: two orders of requests may differ in it (CNV-6)."""
TABLES = ("documents", "document_versions", "document_items", "transactions", "outbox", "revenue")
PLACES = [Scope(tenant=tenant, entity=entity, orgs=None) for tenant in ("t1", "t2") for entity in ("e1", "e2")]


def _told(row: sqlite3.Row) -> list[str]:
    """A row as the laws look at it; whether it waits, not since when."""
    parts = {name: row[name] for name in row.keys() if name not in BESIDE_THE_LAW}  # noqa: SIM118  # a Row isn't a dict
    waits = "acknowledged_at" in row.keys() and row["acknowledged_at"] is None  # noqa: SIM118  # as above
    return [repr((name, part)) for name, part in parts.items()] + [repr(waits)]


class Files:
    """Where the files of the histories are; those of one history are closed when the next begins."""

    def __init__(self, directory: Path) -> None:
        self._directory, self._numbers = directory, count()
        self.opened: list[SqlStore] = []

    def path(self) -> Path:
        """A file of its own."""
        return self._directory / f"{next(self._numbers)}.db"

    def close(self) -> None:
        """Close every store."""
        while self.opened:
            self.opened.pop().close()

    def subject(self) -> SqlSubject:
        """A fresh subject for a new history."""
        self.close()
        return SqlSubject(self)


class SqlSubject:
    """An SQLite file as the kit sees it."""

    def __init__(self, files: Files) -> None:
        self._files, self.path = files, files.path()
        self._opened: SqlStore | None = None

    @property
    def store(self) -> SqlStore:
        """The store, opened when it is needed first."""
        if self._opened is None:
            self._opened = SqlStore.open(f"sqlite:///{self.path}")
            self._files.opened.append(self._opened)
        return self._opened

    def load(self, document: BillingDocument) -> LoadedAs | NumberTaken | ItemTaken:
        outcome = self.store.load(document)
        if isinstance(outcome, DocumentLoaded):
            return LoadedAs(outcome.is_new, bool(outcome.changes))
        return outcome

    def regenerate(self, scope: Scope, request: RegenerateRequest, occasion: Occasion | None) -> Accepted | Refusal:
        outcome = self.store.regenerate(scope, request, occasion)
        assert not isinstance(outcome, Replay), "no key, no replay"
        return Accepted(outcome.id_list, outcome.deliveries) if isinstance(outcome, Regeneration) else outcome

    def transactions(self, key: DocumentKey) -> StoredTransactions:
        scope = Scope(tenant=key.tenant, entity=key.entity, orgs=None)
        found = self.store.find(scope, RegenerateRequest(type=key.type, id=key.id))
        return found.stored.transactions if isinstance(found, Found) else NO_TRANSACTIONS

    def pending(self) -> dict[str, Delivery]:
        entries = [entry for scope in PLACES for entry in self.store.pending(scope, 1000)]
        return {entry.delivery.id: entry.delivery for entry in entries}

    def acknowledge(self, delivery_id: str) -> None:
        for scope in PLACES:
            entries = [entry for entry in self.store.pending(scope, 1000) if entry.delivery.id == delivery_id]
            self.store.acknowledge(scope, entries)

    def deliver(self, delivery: Delivery) -> None:
        self.store.collect([delivery])

    def held(self, transaction_id: str) -> Held | None:
        return self.holdings().get(transaction_id)

    def holdings(self) -> dict[str, Held]:
        held = [each for scope in PLACES for each in self.store.revenue(scope, limit=1000).rows]
        return {each.transaction.id: each for each in held}

    def disturb(self, transaction_id: str, held: Held | None) -> None:
        connection = sqlite3.connect(self.path, isolation_level=None)
        try:
            connection.execute("DELETE FROM revenue WHERE transaction_id = ?", (transaction_id,))
        finally:
            connection.close()
        if held is not None:
            with self.store._writing() as reader:
                reader.unit.write(reader.statements.hold, held_row(held, reader.occasions))

    def state(self) -> object:
        if self._opened is None:
            return [[] for _ in TABLES]
        connection = sqlite3.connect(self.path)
        connection.row_factory = sqlite3.Row
        try:
            return [sorted(map(_told, connection.execute(f"SELECT * FROM {table}"))) for table in TABLES]  # noqa: S608
        finally:
            connection.close()

    def fork(self) -> Subject:
        copy = SqlSubject(self._files)
        if self._opened is not None:
            source, target = sqlite3.connect(self.path), sqlite3.connect(copy.path)
            source.backup(target)
            source.close()
            target.close()
        return copy


@pytest.fixture
def files() -> Iterator[Files]:
    """The files of all histories, for as long as the test runs."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as made:
        kept = Files(Path(made))
        yield kept
        kept.close()


def test_every_history_on_sqlite_keeps_the_laws(files: Files) -> None:
    """CNV-1 … CNV-7, REV-0 … REV-4, REQ-5, PRE-4, TBL-R, TBL-I, ACC-4, ELI-2, DOC-4."""
    check(files.subject)


def test_what_revenue_holds_comes_back_exactly(sql: SqlStore, invoice: object) -> None:
    """A row of the ledger is read as it was written, amounts and carried fields included."""
    assert callable(invoice)
    sql.load(invoice())
    scope = PLACES[0]
    sql.regenerate(scope, RegenerateRequest(type=invoice().type, id="d1"))
    sql.deliver_to_ledger(scope)
    sent = [entry.delivery.transaction for entry in sql.deliveries(scope).rows]
    with sql._reading() as reader:
        rows = [reader.unit.one(reader.statements.held, ("t1", "e1", "Invoice", "d1", each.item.id)) for each in sent]
    assert [repr(held_of_row(row, Occasions()).transaction) for row in rows if row] == [repr(each) for each in sent]
