"""ACC-4, IDM-5, REQ-12: a tenant hears what it would hear if the other one had nothing, limits included."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime
from random import Random
from typing import Any

import pytest
from attrs import evolve

from regen_core.access import Scope
from regen_core.adapters import memory
from regen_core.adapters.http.execution import Executor
from regen_core.adapters.http.keys_in_flight import KeysInFlight
from regen_core.adapters.http.limits import Limits, Quotas, Window
from regen_core.adapters.sql import SqlStore, statements
from regen_core.adapters.sql.lookups import LookUps
from regen_core.adapters.sql.prepared import Prepared
from regen_core.idempotency import key_digest
from regen_core.ports import Store
from regen_core.refusals import DocumentNotFound
from regen_core.store import StoredDocument, TransactionStore
from tests.conformance.databases import Database
from tests.crash.profiles import scaled
from tests.http_laws.two_tenants import PAIRS, World, differences, main, strand

PARTS = scaled(quick=4, deep=10)
"""So that several processes share the traces evenly."""

SEEDS = scaled(quick=4, deep=250)
"""Seeds of 400 traces: deep, 100,000 in all parts."""

STRANDS = scaled(quick=6, deep=20)
"""On databases a seed has the square of so many traces."""


@pytest.mark.parametrize("part", range(PARTS))
def test_no_tenant_hears_of_another_one(part: int) -> None:
    """On the store in memory, where the core looks things up."""
    world = World()
    assert differences(world, range(part, SEEDS, PARTS), STRANDS) is None
    assert world.traces >= scaled(quick=36, deep=10_000)


@pytest.fixture(name="world_on")
def _world_on() -> Iterator[Callable[[Database], World]]:
    """Makes a world whose store is on a database, emptied for each trace."""
    with ExitStack() as stack:

        def made(database: Database) -> World:
            opened: list[SqlStore] = []

            def renewed(clock: Callable[[], datetime]) -> Store:
                if not opened:
                    opened.append(stack.enter_context(SqlStore.open(database.url, clock=clock)))
                database.clear()
                return opened[0]

            return World(renewed)

        yield made


def test_no_tenant_hears_of_another_one_on_a_database(
    world_on: Callable[[Database], World], database: Database
) -> None:
    """Where each statement filters by itself."""
    world = world_on(database)
    assert differences(world, range(scaled(quick=2, deep=5)), STRANDS) is None
    assert world.traces >= scaled(quick=72, deep=2_000)


def test_strands_meet_every_kind_of_answer() -> None:
    """What is compared says something: successes, refusals of each kind, replays, used-up limits."""
    rng, world, heard = Random(1), World(), list[Any]()  # noqa: S311  # reproducible

    async def perform() -> None:
        for _ in range(400):
            heard.extend((await world.perform(strand("t1", rng), ("t1",)))["t1"][:-1])

    asyncio.run(perform())
    answers = [each for each in heard if isinstance(each, tuple)]
    assert {status for status, _, _ in answers} == {200, 400, 401, 403, 404, 409, 422, 429}
    assert any(("idempotent-replayed", "true") in headers for _, headers, _ in answers)
    assert any(b'"idList":["' in body for _, _, body in answers)


def test_a_range_is_run_from_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    """One seed, one line."""
    assert main(["--seeds", "3:4"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("seeds 3:4, ")
    assert f", {PAIRS} traces, " in told


OF_A_TENANT = re.compile(r"""\b(documents\.tenant = (?:\?|%\S+)(?: COLLATE "C")?)""")


class _OneForAll(Limits):
    """Limits that take all tenants for one."""

    def enter(self, tenant: str, entity: str | None, now: float) -> Any:
        return super().enter("", entity, now)


def _digest_of_a_key(tenant: str, client: str, key: str) -> str:
    return key_digest("", client, key)


class TestControls:
    """One filter is dropped at a time; the same harness must notice."""

    def test_control_keys_of_all_tenants(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """IDM-5."""
        monkeypatch.setattr(memory, "key_digest", _digest_of_a_key)
        assert differences(World(), range(3)) is not None

    def test_control_running_keys_of_all_tenants(self) -> None:
        """IDM-5: the other one's request under the same key is running."""

        class Keys(set[tuple[str, str, str]]):
            def __contains__(self, key: object) -> bool:
                return isinstance(key, tuple) and super().__contains__(("", *key[1:]))

            def add(self, key: tuple[str, str, str]) -> None:
                super().add(("", *key[1:]))

            def discard(self, key: object) -> None:
                if isinstance(key, tuple):
                    super().discard(("", *key[1:]))

        def one_for_all(executor: Executor) -> KeysInFlight:
            keys = KeysInFlight(executor)
            object.__setattr__(keys, "_keys", Keys())
            return keys

        assert differences(World(keys=one_for_all), range(3)) is not None

    def test_control_documents_of_all_tenants(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """ACC-4: what isn't found is looked for elsewhere."""
        find = TransactionStore.find

        def found(store: TransactionStore, scope: Scope, request: Any) -> StoredDocument | Any:
            tenants = (scope.tenant, "t1", "t2")
            all_of = [find(store, evolve(scope, tenant=tenant), request) for tenant in tenants]
            return next((each for each in all_of if not isinstance(each, DocumentNotFound)), all_of[0])

        monkeypatch.setattr(TransactionStore, "find", found)
        assert differences(World(), range(3)) is not None

    def test_control_a_statement_without_its_tenant(
        self, world_on: Callable[[Database], World], database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """ACC-4: the look-ups of documents on a database."""
        prepared = LookUps._prepared

        def without(look_ups: LookUps, statement: Any, *parameters: str) -> Prepared:
            made = prepared(look_ups, statement, *parameters)
            return evolve(made, sql=OF_A_TENANT.sub(r"(\1 OR 1 = 1)", made.sql))

        monkeypatch.setattr(statements, "_known", {})
        monkeypatch.setattr(LookUps, "_prepared", without)
        assert differences(world_on(database), range(20), 4) is not None

    def test_control_limits_of_all_tenants(self) -> None:
        """REQ-12: requests per tenant."""
        quotas = Quotas(requests=(Window(10, 3), Window(40, 6)), concurrent=2)
        assert differences(World(limits=_OneForAll(quotas)), range(3)) is not None

    def test_control_places_of_all_tenants(self) -> None:
        """REQ-12: concurrent requests per entity."""

        class Places(dict[tuple[str, str], int]):
            def __getitem__(self, key: tuple[str, str]) -> int:
                return super().__getitem__(("", key[1]))

            def get(self, key: tuple[str, str], default: Any = None) -> Any:
                return super().get(("", key[1]), default)

            def __setitem__(self, key: tuple[str, str], value: int) -> None:
                super().__setitem__(("", key[1]), value)

            def __delitem__(self, key: tuple[str, str]) -> None:
                super().__delitem__(("", key[1]))

        limits = Limits(Quotas(requests=(Window(10, 100),), concurrent=2))
        object.__setattr__(limits, "_entities", Places())
        assert differences(World(limits=limits), range(3)) is not None
