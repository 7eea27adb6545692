"""The kit's seeded simulation runs on both databases, agrees with the model, and notices a store that doesn't."""

from __future__ import annotations

import pytest

from regen_core.adapters.sql import SqlStore
from tests.conformance.simulation import database_on, simulated
from tests.crash.profiles import scaled
from tests.crash.seeds import Counted

SEEDS = {"sqlite": scaled(quick=2, deep=100), "postgresql": scaled(quick=1, deep=50)}
"""Of a part: about 490 steps each."""

PARTS = {"sqlite": scaled(quick=1, deep=4), "postgresql": scaled(quick=1, deep=2)}
"""Deep, SQLite performs 200,000 steps with the machine's; PostgreSQL, which takes five times as long, a quarter."""


@pytest.mark.parametrize(("kind", "part"), [(kind, part) for kind in PARTS for part in range(PARTS[kind])])
def test_every_seed_agrees_with_the_model(kind: str, part: int) -> None:
    """Answers, deliveries, and what Revenue holds."""
    together, first = Counted("steps"), part * SEEDS[kind]
    with database_on(kind) as database, SqlStore.open(database.url) as store:
        for seed in range(first, first + SEEDS[kind]):
            together.add(simulated(database, store, seed))
    assert together.bad == {}
    assert together.number > 400 * SEEDS[kind]


def test_a_store_that_is_wrong_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: Revenue is told, and nothing is collected."""
    monkeypatch.setattr(SqlStore, "collect", lambda *_: None)
    with database_on("sqlite") as database, SqlStore.open(database.url) as store:
        assert simulated(database, store, 0).bad.keys() == {0}
