"""Stores with something in the outbox, a world that moves only when it is told to, and a receiver on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field

from regen_core.access import Scope
from regen_core.adapters.memory import MemoryStore
from regen_core.adapters.revenue.relay import Relay, World
from regen_core.adapters.revenue.sink import Sink
from regen_core.adapters.sql import SqlStore
from regen_core.attempts import RetryPolicy
from regen_core.documents import (
    BillingDocument,
    BillingItem,
    CarriedFields,
    DocumentHeader,
    DocumentKey,
    DocumentType,
    ItemSource,
)
from regen_core.ports import Outbox, Store
from regen_core.regeneration import Regeneration
from regen_core.request import RegenerateRequest
from tests.relay.receiver import Receiver

ALL = Scope(tenant="t1", entity="e1", orgs=None)
START = datetime(2026, 1, 31, 12, tzinfo=UTC)


@define
class FakeWorld:
    """A clock for store and relay that stands still until somebody sleeps; ``jump`` moves the date, not the time."""

    seconds: float = 0.0
    jumped: timedelta = timedelta(0)
    jitter: float = 0.5
    sleeps: list[float] = field(factory=list)
    is_stopped: bool = False

    def now(self) -> datetime:
        """The date and time."""
        return START + self.jumped + timedelta(seconds=self.seconds)

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.sleeps.append(seconds)
        self.seconds += seconds

    def jump(self, **parts: float) -> None:
        """Set the clock forward or back."""
        self.jumped += timedelta(**parts)

    @property
    def world(self) -> World:
        """For a relay."""
        return World(
            now=self.now,
            elapsed=lambda: self.seconds,
            sleep=self.sleep,
            jitter=lambda: self.jitter,
            is_stopped=lambda: self.is_stopped,
        )

    def relay(
        self, store: Outbox, sink: Sink, *, kind: type[Relay] = Relay, attempts: int = 3, batch: int = 100
    ) -> Relay:
        """A relay in this world; its sink is open already or needs no opening."""
        policy = RetryPolicy(max_attempts=attempts)
        return kind(store=store, scope=ALL, sink=sink, world=self.world, batch=batch, policy=policy)


def invoice(number: int, org: str | None = None) -> BillingDocument:
    """An invoice of one item, with an amount whose exponent matters and a line end in what it carries."""
    key = DocumentKey(tenant="t1", entity="e1", type=DocumentType.INVOICE, id=f"d{number}")
    told: dict[str, Any] = {"status": "Posted", "date": date(2026, 1, 31), "currency": "EUR"}
    carried = CarriedFields('{"memo":"two\\nlines","rate":1.50}')
    header = DocumentHeader(key=key, number=f"INV-{number}", org=org, carried=carried, **told)
    item = BillingItem(id=f"i{number}", amount=Decimal("10.50"), source=ItemSource.SUBSCRIPTION)
    return BillingDocument(header, (item,))


def fill(store: Store, count: int, *, start: int = 1, org: str | None = None) -> list[str]:
    """Load invoices and regenerate each; the ids of the deliveries in the order of the outbox."""
    ids = []
    for number in range(start, start + count):
        store.load(invoice(number, org))
        done = store.regenerate(ALL, RegenerateRequest(type=DocumentType.INVOICE, id=f"d{number}"))
        assert isinstance(done, Regeneration)
        ids += [delivery.id for delivery in done.deliveries]
    return ids


@pytest.fixture
def world() -> FakeWorld:
    """A world of the test's own."""
    return FakeWorld()


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, world: FakeWorld, tmp_path: Path) -> Iterator[Store]:
    """Each of the stores, empty."""
    if request.param == "memory":
        yield MemoryStore(world.now)
        return
    url = f"sqlite:///{tmp_path / 'regen.db'}"
    if request.param == "postgresql":
        server = request.getfixturevalue("postgresql")
        url = server.url(server.new_schema())
    with SqlStore.open(url, clock=world.now) as opened:
        yield opened


@pytest.fixture
def sqlite(world: FakeWorld, tmp_path: Path) -> Iterator[SqlStore]:
    """An empty store in a file."""
    with SqlStore.open(f"sqlite:///{tmp_path / 'regen.db'}", clock=world.now) as opened:
        yield opened


@pytest.fixture
def memory(world: FakeWorld) -> MemoryStore:
    """An empty store in memory."""
    return MemoryStore(world.now)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver that takes everything until it is told otherwise."""
    with Receiver() as started:
        yield started


@pytest.fixture(name="fill")
def _fill() -> Callable[..., list[str]]:
    return fill
