"""The kit's state machine on SQLite and on PostgreSQL: every law of the operation, beside the naive model."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import chain, cycle
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import Dialect, Table, bindparam

from regen_core.access import Scope
from regen_core.adapters.sql import SqlStore
from regen_core.adapters.sql.conditions import HELD
from regen_core.adapters.sql.prepared import Prepared, prepare
from regen_core.adapters.sql.reading import NotOne, Question, Reader
from regen_core.adapters.sql.rows import Occasions, held_of_row, held_row
from regen_core.adapters.sql.schema import (
    document_items,
    document_versions,
    documents,
    outbox,
    revenue,
    transactions,
)
from regen_core.adapters.sql.statements import Listing
from regen_core.documents import DocumentKey
from regen_core.ports import OutboxEntry, Selection
from regen_core.refusals import Refusal
from regen_core.regeneration import Regeneration
from regen_core.request import RegenerateRequest
from regen_core.revenue import Delivery, Held
from regen_core.testing.adapted import StoreSubject, accepted
from regen_core.testing.machine import regeneration_machine
from regen_core.testing.subject import Accepted, Subject
from regen_core.transactions import NO_TRANSACTIONS, Occasion, StoredTransactions
from tests.conformance.databases import Database, PostgresqlDatabase, SqliteDatabase
from tests.crash.profiles import scaled
from tests.postgresql_server import Server

BESIDE_THE_LAW = ("position", "committed_at", "acknowledged_at")
"""What tells when a delivery was committed among others: two orders of requests may differ in it (CNV-6)."""
TABLES = (documents, document_versions, document_items, transactions, outbox, revenue)
PLACES = [Scope(tenant=tenant, entity=entity, orgs=None) for tenant in ("t1", "t2") for entity in ("e1", "e2")]


def _rows_of(table: Table) -> Prepared:
    """Asks for a table's rows as the laws look at them; whether a delivery waits, not since when."""
    shown = [each.name for each in table.columns if each.name not in BESIDE_THE_LAW]
    shown += ["acknowledged_at IS NULL"] if "acknowledged_at" in table.columns else []
    return Prepared(f"SELECT {', '.join(shown)} FROM {table.name}", tuple)  # noqa: S608  # names of the schema


ROWS = [(_rows_of(table), ()) for table in TABLES]


@cache
def _forgetting(dialect: Dialect) -> Prepared:
    """Revenue loses what it holds for a transaction."""
    return prepare(revenue.delete().where(revenue.c.transaction_id == bindparam("lost")), dialect, ("lost",))


_TRANSACTION_ID = HELD.index("transaction_id")
"""Where it stands in a row of the ledger."""


def _ledger_of(reader: Reader, scope: Scope, selection: Selection) -> Question:
    """Asks for what :meth:`SqlStore.revenue` lists."""
    given = {} if selection.type is None or selection.id is None else {"type": selection.type.value, "id": selection.id}
    listing = reader.statements.listing(Listing(revenue, tuple(given), None, (), goes_on=False))
    return listing, (scope.tenant, scope.entity, *given.values(), 1000)


Place = tuple[Database, SqlStore]


class SqlSubject(StoreSubject):
    """A store on a database as the kit sees it, beside its own Revenue; ``places`` gives empty ones."""

    def __init__(self, places: Iterator[Place]) -> None:
        self._places = places
        self.database, self._opened = next(places)
        self._owners: dict[str, DocumentKey] = {}
        self._entries: dict[str, tuple[Scope, OutboxEntry]] = {}
        self._done: set[str] = set()
        self._looks = 0
        super().__init__(lambda: self._opened)

    @property
    def store(self) -> SqlStore:
        return self._opened

    def regenerate(self, scope: Scope, request: RegenerateRequest, occasion: Occasion | None) -> Accepted | Refusal:
        """What it sent it says itself; the outbox is compared with the model's as a whole."""
        outcome = self.store.regenerate(scope, request, occasion)
        if isinstance(outcome, Regeneration):
            self._own(outcome.deliveries)
        return accepted(outcome, lambda: getattr(outcome, "deliveries"))  # noqa: B009  # what isn't refused has them

    def _own(self, deliveries: Iterable[Delivery]) -> None:
        """Remember whose transactions these are, so that only its own document's rows are read for one."""
        self._owners.update((each.transaction.id, each.transaction.header.key) for each in deliveries)

    def _of(self, transaction_id: str) -> list[tuple[Scope, Selection]]:
        """Where a transaction's rows are: those of its document, everywhere where it isn't known."""
        key = self._owners.get(transaction_id)
        if key is None:
            return [(scope, Selection()) for scope in PLACES]
        return [(Scope(tenant=key.tenant, entity=key.entity, orgs=None), Selection(type=key.type, id=key.id))]

    def _looking(self) -> Reader:
        """What reads for a look: mostly the database's cheapest, every eighth time a unit of the store's own."""
        self._looks += 1
        return self.store._reading() if self._looks % 8 == 0 else self.database.looking(self.store)

    def transactions(self, key: DocumentKey) -> StoredTransactions:
        """What :meth:`SqlStore.find` finds."""
        scope = Scope(tenant=key.tenant, entity=key.entity, orgs=None)
        with self._looking() as reader:
            found = reader.find(scope, RegenerateRequest(type=key.type, id=key.id))
        return NO_TRANSACTIONS if isinstance(found, NotOne) else found.stored.transactions

    def pending(self) -> dict[str, Delivery]:
        entries = [entry for scope in PLACES for entry in self.store.pending(scope, 1000)]
        self._own([entry.delivery for entry in entries])
        return {entry.delivery.id: entry.delivery for entry in entries}

    def acknowledge(self, delivery_id: str) -> None:
        """An entry of the outbox is looked for once; acknowledged again, it changes nothing."""
        if delivery_id not in self._entries:
            for scope, selection in self._of(delivery_id.partition("-")[0]):
                waiting = self.store.deliveries(scope, selection, acknowledged=False, limit=1000).rows
                self._entries.update((entry.delivery.id, (scope, entry)) for entry in waiting)
        if delivery_id in self._entries:
            scope, entry = self._entries[delivery_id]
            changed = self.store.acknowledge(scope, [entry])
            assert changed == (delivery_id not in self._done), f"acknowledging {delivery_id} changed {changed} rows"
            self._done.add(delivery_id)

    def deliver(self, delivery: Delivery) -> None:
        self.store.collect([delivery])

    def held(self, transaction_id: str) -> Held | None:
        """The one row of what is listed for its document."""
        with self._looking() as reader:
            asked = [_ledger_of(reader, *place) for place in self._of(transaction_id)]
            rows = [row for page in reader.unit.ask(asked) for row in page if row[_TRANSACTION_ID] == transaction_id]
            return held_of_row(rows[0], reader.occasions) if rows else None

    def holdings(self) -> dict[str, Held]:
        held = [each for scope in PLACES for each in self.store.revenue(scope, limit=1000).rows]
        return {each.transaction.id: each for each in held}

    def disturb(self, transaction_id: str, held: Held | None) -> None:
        with self.store._writing() as reader:
            if held is None:
                reader.unit.put(_forgetting(self.store._connections.engine.dialect), (transaction_id,))
            else:
                reader.unit.put(reader.statements.hold, held_row(held, reader.occasions))

    def state(self) -> object:
        with self.database.looking(self.store) as reader:
            return [sorted(map(repr, rows)) for rows in reader.unit.ask(ROWS)]

    def fork(self) -> Subject:
        copy = SqlSubject(self._places)
        self.database.copy_to(copy.database)
        copy._owners, copy._entries, copy._done = dict(self._owners), dict(self._entries), set(self._done)
        return copy


@pytest.fixture
def directory() -> Iterator[Path]:
    """Where the files of all histories are, for as long as the test runs."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as made:
        yield Path(made)


def _in_turns(places: Sequence[Place]) -> Iterator[Place]:
    """The first place, then the others in turns, each emptied before: no history looks at more than two copies."""
    for database, store in chain(places[:1], cycle(places[1:])):
        database.clear()
        yield database, store


PARTS = scaled(quick=1, deep=4)
"""Deep, each database's histories are drawn in so many tests, for two workers end together then."""


@pytest.mark.parametrize("part", range(PARTS))
def test_every_history_on_sqlite_keeps_the_laws(directory: Path, part: int) -> None:
    """CNV-1 … CNV-7, REV-0 … REV-4, REQ-5, PRE-4, TBL-R, TBL-I, ACC-4, ELI-2, DOC-4."""
    databases = [SqliteDatabase(directory / f"{number}.db") for number in range(3)]
    _check([(each, SqlStore.open(each.url)) for each in databases], share=PARTS)


@pytest.mark.parametrize("part", range(PARTS))
def test_every_history_on_postgresql_keeps_the_laws(postgresql: Server, part: int) -> None:
    """CNV-1 … CNV-7, REV-0 … REV-4, REQ-5, PRE-4, TBL-R, TBL-I, ACC-4, ELI-2, DOC-4."""
    databases = [PostgresqlDatabase(postgresql, postgresql.new_schema()) for _ in range(3)]
    _check([(each, SqlStore.open(each.url)) for each in databases], share=4 * PARTS)


def _check(places: Sequence[Place], share: int) -> None:
    machine, active = regeneration_machine(lambda: SqlSubject(_in_turns(places))), settings()
    try:
        run_state_machine_as_test(machine, settings=settings(max_examples=active.max_examples // share))
    finally:
        for _, store in places:
            store.close()


def test_what_revenue_holds_comes_back_exactly(sql: SqlStore, invoice: object) -> None:
    """A row of the ledger is read as it was written, amounts and carried fields included."""
    assert callable(invoice)
    sql.load(invoice())
    scope = PLACES[0]
    sql.regenerate(scope, RegenerateRequest(type=invoice().type, id="d1"))
    sql.deliver_to_ledger(scope)
    sent = [entry.delivery.transaction for entry in sql.deliveries(scope).rows]
    with sql._writing() as reader:
        rows = [reader.unit.one(reader.statements.held, ("t1", "e1", "Invoice", "d1", each.item.id)) for each in sent]
    assert [repr(held_of_row(row, Occasions()).transaction) for row in rows if row] == [repr(each) for each in sent]
