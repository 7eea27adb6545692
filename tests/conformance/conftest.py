"""The stores that must agree, a clock that stands still until it is moved, and a look at everything that is stored."""

from __future__ import annotations

import sqlite3
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


def clear(path: Path) -> None:
    """Empty the tables of a database, positions included, so that one file serves many examples."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("BEGIN IMMEDIATE")
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for name in names:
            if name != "regen_core_version":
                connection.execute(f"DELETE FROM {name}")  # noqa: S608  # a name from the schema
        connection.execute("COMMIT")
    finally:
        connection.close()


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


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Where the SQLite file of a test is."""
    return tmp_path / "regen.db"


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, clock: Clock, database: Path) -> Iterator[Store]:
    """Each of the stores, empty."""
    build: dict[str, Callable[[], Store]] = {
        "memory": lambda: MemoryStore(clock),
        "sqlite": lambda: SqlStore.open(f"sqlite:///{database}", clock=clock),
    }
    made = build[request.param]()
    yield made
    made.close()


@pytest.fixture
def sql(clock: Clock, database: Path) -> Iterator[SqlStore]:
    """An empty store on an SQLite file."""
    with SqlStore.open(f"sqlite:///{database}", clock=clock) as made:
        yield made


@pytest.fixture(name="everything")
def _everything() -> Callable[[Store], str]:
    return everything


@pytest.fixture(name="clear")
def _clear() -> Callable[[Path], None]:
    return clear


@pytest.fixture(name="invoice")
def _invoice() -> Callable[..., BillingDocument]:
    return invoice
