"""The kit's seeded simulation runs on both databases, agrees with the model, and notices a store that doesn't."""

from __future__ import annotations

import pytest

from regen_core.adapters.sql import SqlStore
from tests.conformance.simulation import database_on, simulated
from tests.crash.profiles import scaled
from tests.crash.seeds import Counted

STEPS = scaled(quick=400, deep=200_000)
"""At least so many are performed on each database."""

SEEDS = {"sqlite": scaled(quick=2, deep=104), "postgresql": scaled(quick=1, deep=104)}
"""Of a part: about 488 steps each."""

PARTS = scaled(quick=1, deep=4)
"""So that two workers end together."""


@pytest.mark.parametrize(("kind", "part"), [(kind, part) for kind in SEEDS for part in range(PARTS)])
def test_every_seed_agrees_with_the_model(kind: str, part: int, request: pytest.FixtureRequest) -> None:
    """Answers, deliveries, and what Revenue holds."""
    together, first = Counted("steps"), part * SEEDS[kind]
    server = request.getfixturevalue("postgresql") if kind == "postgresql" else None
    with database_on(kind, server) as database, SqlStore.open(database.url) as store:
        for seed in range(first, first + SEEDS[kind]):
            together.add(simulated(database, store, seed))
    assert together.bad == {}
    assert together.number * PARTS >= STEPS


def test_a_store_that_is_wrong_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: Revenue is told, and nothing is collected."""
    monkeypatch.setattr(SqlStore, "collect", lambda *_: None)
    with database_on("sqlite") as database, SqlStore.open(database.url) as store:
        assert simulated(database, store, 0).bad.keys() == {0}
