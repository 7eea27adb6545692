"""The stores that must agree, a clock that stands still until it is moved, and a look at everything that is stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from attrs import define

from regen_core.access import Scope
from regen_core.adapters.memory import MemoryStore
from regen_core.adapters.sql import SqlStore
from regen_core.documents import (
    BillingDocument,
    BillingItem,
    CarriedFields,
    DocumentHeader,
    DocumentKey,
    DocumentType,
    ItemSource,
)
from regen_core.ports import Store
from tests.conformance.databases import Database, PostgresqlDatabase, SqliteDatabase


@define
class Clock:
    """The stores' clock in the tests."""

    now: datetime = datetime(2026, 1, 31, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        """The time."""
        return self.now

    def move(self, **parts: float) -> None:
        """Let time pass."""
        self.now += timedelta(**parts)


def everything(store: Store) -> str:
    """All that a store holds, as text in which amounts show their exponents; equal texts are equal stores."""
    shown: list[object] = []
    for tenant in ("t1", "t2"):
        for entity in ("e1", "e2"):
            scope = Scope(tenant=tenant, entity=entity, orgs=None)
            shown.append((tenant, entity))
            shown.extend(each(scope, limit=1000).rows for each in (store.documents, store.transactions))
            shown.extend(each(scope, limit=1000).rows for each in (store.deliveries, store.revenue))
    return repr(shown)


def invoice(number: str = "INV-1", **given: Any) -> BillingDocument:
    """An invoice of subscription items; ``items`` are pairs of id and amount."""
    pairs = given.pop("items", (("i1", "10.00"), ("i2", "20.50")))
    key = DocumentKey(tenant="t1", entity="e1", type=given.pop("type", DocumentType.INVOICE), id=given.pop("id", "d1"))
    told = {"status": "Posted", "date": date(2026, 1, 31), "currency": "EUR", "carried": CarriedFields('{"a":1.10}')}
    header = DocumentHeader(key=key, number=number, **{**told, **given})
    items = [BillingItem(id=name, amount=Decimal(amount), source=ItemSource.SUBSCRIPTION) for name, amount in pairs]
    return BillingDocument(header, tuple(items))


@pytest.fixture
def clock() -> Clock:
    """A clock of the test's own."""
    return Clock()


@pytest.fixture(scope="session")
def schemas() -> dict[str, str]:
    """Schemas of the server that tests take turns with, by what they are for."""
    return {}


def made(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    """An empty database of a kind; the server is asked for where it is needed only."""
    if kind == "sqlite":
        return SqliteDatabase(tmp_path / "regen.db")
    schemas, server = request.getfixturevalue("schemas"), request.getfixturevalue("postgresql")
    is_new = kind not in schemas
    if is_new:
        schemas[kind] = server.new_schema()
    database = PostgresqlDatabase(server, schemas[kind])
    if not is_new:
        database.clear()
    return database


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    """Each kind of database, empty."""
    return made(request.param, request, tmp_path)


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, clock: Clock, tmp_path: Path) -> Iterator[Store]:
    """Each of the stores, empty."""
    if request.param == "memory":
        yield MemoryStore(clock)
        return
    with SqlStore.open(made(request.param, request, tmp_path).url, clock=clock) as opened:
        yield opened


@pytest.fixture
def sql(clock: Clock, database: Database) -> Iterator[SqlStore]:
    """An empty store on a database."""
    with SqlStore.open(database.url, clock=clock) as opened:
        yield opened


@pytest.fixture(name="everything")
def _everything() -> Callable[[Store], str]:
    return everything


@pytest.fixture(name="invoice")
def _invoice() -> Callable[..., BillingDocument]:
    return invoice
