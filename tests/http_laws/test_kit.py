"""The kit on the operation over HTTP: every law, beside the naive model, and nothing known but what answers tell.

In this process the requests are ASGI calls: on the store in memory, and on an SQLite file behind the service's own
threads. A smaller number go over a real socket to a service in a process of its own.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from itertools import chain, cycle, product
from pathlib import Path

import pytest
from attrs import evolve, frozen
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from regen_core.access import Caller, Scope
from regen_core.adapters.http.execution import Outcome, StoreThreads, Work
from regen_core.adapters.sql import SqlStore
from regen_core.ports import DocumentStore
from regen_core.regeneration import Regeneration
from regen_core.request import RegenerateRequest
from regen_core.testing.harness import Harness
from regen_core.testing.machine import regeneration_machine
from regen_core.testing.simulation import find_failure, run
from regen_core.testing.subject import Subject
from regen_core.transactions import Occasion
from tests.conformance.databases import SqliteDatabase
from tests.conformance.test_sql_under_the_laws import SqlSubject
from tests.crash.profiles import scaled
from tests.http_laws.calling import Heard
from tests.http_laws.described import undescribed
from tests.http_laws.processes import Moment, Remote, served
from tests.http_laws.serving import AtOnce
from tests.http_laws.subjects import HttpSubject, InThisProcess, MemorySubject, Service, in_process
from tests.http_laws.wording import CLIENT, ENTITIES, ORGS, worded

PARTS = 4
SEEDS, STEPS = scaled(quick=1, deep=104), 500


@pytest.fixture(name="loop")
def _loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


def test_every_history_over_http_keeps_the_laws(loop: asyncio.AbstractEventLoop) -> None:
    """CNV-1 … CNV-7, REV-0 … REV-4, REQ-5, PRE-4, TBL-R, TBL-I, ACC-4, ELI-2, DOC-4; IDM-1, IDM-8."""
    machine = regeneration_machine(lambda: HttpSubject(MemorySubject(), in_process(loop)))
    run_state_machine_as_test(machine, settings=settings(max_examples=scaled(quick=10, deep=500)))


@pytest.mark.parametrize("part", range(PARTS))
def test_simulated_histories_agree_with_the_model(loop: asyncio.AbstractEventLoop, part: int) -> None:
    """Long histories without Hypothesis: deep, 200,000 steps in all parts; what isn't possible then is no step."""
    steps = 0
    for seed in range(part, PARTS * SEEDS, PARTS):
        steps += run(seed, STEPS, lambda: HttpSubject(MemorySubject(), in_process(loop))).steps
    assert steps >= scaled(quick=400, deep=50_000)


Place = tuple[SqliteDatabase, SqlStore]


@pytest.fixture(name="places")
def _places() -> Iterator[Sequence[Place]]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory, ExitStack() as stack:
        databases = [SqliteDatabase(Path(directory) / f"{number}.db") for number in range(3)]
        yield [(each, stack.enter_context(SqlStore.open(each.url))) for each in databases]


def _in_turns(places: Sequence[Place]) -> Iterator[Place]:
    """The first place, then the others in turns, each emptied before."""
    for database, store in chain(places[:1], cycle(places[1:])):
        database.clear()
        yield database, store


def _check(places: Sequence[Place], serve: Callable[[DocumentStore], Service], share: int) -> None:
    machine = regeneration_machine(lambda: HttpSubject(SqlSubject(_in_turns(places)), serve))
    active = settings()
    run_state_machine_as_test(machine, settings=settings(max_examples=active.max_examples // share))


def test_on_a_file_behind_the_services_threads(loop: asyncio.AbstractEventLoop, places: Sequence[Place]) -> None:
    """The same laws, with the parts that ``regen serve`` puts together: a store's thread, an SQLite file."""
    services: dict[int, InThisProcess] = {}
    with ExitStack() as stack:
        for _, store in places:
            threads = StoreThreads(store)
            stack.callback(threads.close)
            services[id(store)] = InThisProcess.made(threads, loop)
        _check(places, lambda store: services[id(store)], share=6)


CALLERS = tuple(
    Caller(tenant=tenant, client=CLIENT, entities=entities, orgs=frozenset(orgs))
    for tenant, entities, orgs in product(
        ("t1", "t2"),
        (*[frozenset({each}) for each in ENTITIES], ENTITIES),
        (set(), {"north"}, ORGS),
    )
)
"""All who ask in the small universe."""


@frozen
class OverASocket:
    """A service in another process."""

    remote: Remote
    tokens: dict[Caller, str]
    moment: Moment

    def ask(self, scope: Scope, request: RegenerateRequest, occasion: Occasion, number: int, key: str | None) -> Heard:
        self.moment.set(occasion)
        told = worded(scope, request, number, key=key)
        sent = told.authorized(self.tokens[told.caller])
        heard = self.remote(sent)
        assert undescribed(sent, heard) == []
        return heard


def test_over_a_real_socket_to_a_real_process(places: Sequence[Place], tmp_path: Path) -> None:
    """The same laws; two processes work on each file, the service's and this one."""
    services: dict[int, OverASocket] = {}
    with ExitStack() as stack:
        for number, (database, store) in enumerate(places):
            moment = Moment(tmp_path / f"moment-{number}").made()
            service = stack.enter_context(served(database.url, *CALLERS, moment=moment))
            remote = service.remote
            stack.callback(remote.close)
            services[id(store)] = OverASocket(remote, service.tokens, moment)
        _check(places, lambda store: services[id(store)], share=20)


class _ForgetsTheOrgs(AtOnce):
    """ACC-4."""

    async def submit(self, work: Work) -> Outcome:
        return await super().submit(evolve(work, scope=evolve(work.scope, orgs=ORGS)))


class _ListsInReverse(AtOnce):
    """TBL-R."""

    async def submit(self, work: Work) -> Outcome:
        outcome = await super().submit(work)
        if not isinstance(outcome, Regeneration):
            return outcome
        columns = {name: getattr(outcome, name)[::-1] for name in ("items", "before", "written", "rulings")}
        return evolve(outcome, **columns)


class _ForgetsTheKey(AtOnce):
    """IDM-1."""

    async def submit(self, work: Work) -> Outcome:
        return await super().submit(evolve(work, idempotent=None))


class _OverridesAlways(AtOnce):
    """TBL-M1."""

    async def submit(self, work: Work) -> Outcome:
        overriding = evolve(work.request, re_migrate=not work.request.only_re_send)
        return await super().submit(evolve(work, request=overriding))


@pytest.mark.parametrize("broken", [_ForgetsTheOrgs, _ListsInReverse, _ForgetsTheKey, _OverridesAlways])
def test_control_a_broken_service_is_noticed(loop: asyncio.AbstractEventLoop, broken: type[AtOnce]) -> None:
    """Mistakes between the socket and the store, which the kit sees through HTTP."""

    def serve(store: DocumentStore) -> Service:
        return InThisProcess.made(broken(store), loop)

    def build() -> Subject:
        return HttpSubject(MemorySubject(), serve)

    assert find_failure(lambda: Harness(build, with_laws=False), range(20), 300) is not None
