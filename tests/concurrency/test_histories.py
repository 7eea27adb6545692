"""Concurrent histories are explained by one order of their calls (CNV-6, REV-0, DOC-2, DOC-3, IDM-3)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from attrs import evolve

from regen_core.adapters.memory import MemoryStore
from regen_core.adapters.sql import SqlStore, statements
from regen_core.adapters.sql.lookups import LookUps
from regen_core.adapters.sql.prepared import Prepared
from regen_core.request import RegenerateRequest
from regen_core.testing.edits import initial
from tests.concurrency.histories import PLACES, load, look, run, shown
from tests.concurrency.linearizability import Done, explained, fork
from tests.conformance.databases import Database, PostgresqlDatabase, SqliteDatabase
from tests.crash.history import Clock
from tests.crash.profiles import scaled
from tests.crash.seeds import Counted
from tests.postgresql_server import Server

PARTS = 4
"""So that several processes share the histories evenly."""

HISTORIES = {"sqlite": scaled(quick=16, deep=400), "postgresql": scaled(quick=32, deep=2000)}
"""SQLite lets one writer in at a time, so less can go wrong there."""


def found(database: Database, seeds: range, prepare: Callable[[SqlStore], None] = lambda _: None) -> Counted:
    """The histories of some seeds, by two stores of one database."""
    clock, together = Clock(), Counted("histories")
    with SqlStore.open(database.url, clock=clock) as one, SqlStore.open(database.url, clock=clock) as other:
        for each in (one, other):
            prepare(each)
        for seed in seeds:
            together.add(run(database, (one, other), clock, seed))
    return together


@pytest.mark.parametrize("part", range(PARTS))
def test_every_history_has_an_order(database: Database, part: int) -> None:
    """Threads on two stores of one database load, ask, ask again and look."""
    share = HISTORIES["sqlite" if isinstance(database, SqliteDatabase) else "postgresql"] // PARTS
    histories = found(database, range(part * share, (part + 1) * share))
    assert histories == Counted("histories", share)


class TestControls:
    """With the protections taken out the same harness sees it; and the checker itself tells orders apart."""

    def test_control_without_locks_histories_have_no_order(
        self, postgresql: Server, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Neither lock nor compare-and-swap, nor the unique key of a delivery, which would catch it, too."""

        def unlocked(build: Callable[..., Prepared]) -> Callable[..., Prepared]:
            def built(*given: Any) -> Prepared:
                locking = build(*given)
                return evolve(locking, sql=locking.sql.replace(" FOR UPDATE", ""))

            return built

        def unswapped(store: SqlStore) -> None:
            all_stores = store._units.statements
            always = all_stores.move_locked_document
            swapped = always.sql.replace("(documents.version = %s::INTEGER)", "(%s::INTEGER >= 0)")
            vars(all_stores)["move_locked_document"] = evolve(always, sql=swapped)
            assert ">= 0" in swapped

        monkeypatch.setattr(statements, "_known", {})
        for name in ("lock_document", "lock_documents"):
            monkeypatch.setattr(LookUps, name, unlocked(getattr(LookUps, name)))
        database = PostgresqlDatabase(postgresql, postgresql.new_schema())
        SqlStore.open(database.url).close()
        database.run("ALTER TABLE outbox DROP CONSTRAINT outbox_delivery")
        assert found(database, range(scaled(quick=40, deep=200)), unswapped).bad

    def test_the_checker_knows_orders(self) -> None:
        """Two reads of a change: after it by the clock both see it, at the same time either may."""
        memory, key = MemoryStore(Clock()), PLACES[0]
        look_at = partial(look, RegenerateRequest(type=key.type, id=key.id))
        before = fork(memory)
        absent, loaded = repr(look_at(memory)), repr(load((initial(key),), memory))
        present, ends = repr(look_at(memory)), shown(memory)

        def history(*reads: tuple[str, float, float]) -> list[Done]:
            change = Done("load", partial(load, (initial(key),)), loaded, 1, 3)
            return [change, *[Done("look", look_at, answer, began, ended) for answer, began, ended in reads]]

        assert explained(history((absent, 0, 2), (present, 2, 4)), before, shown, ends)
        assert explained(history((present, 2, 2.5), (present, 4, 5)), before, shown, ends)
        assert not explained(history((absent, 4, 5)), before, shown, ends)
        assert not explained(history((present, 1.1, 1.2), (absent, 2, 2.5)), before, shown, ends)
        assert not explained(history((present, 4, 5)), before, shown, ends + "another end")
