"""Memory, SQLite and PostgreSQL get the same history of calls and agree on every answer and on all that is stored.

They share the core and nothing else: one keeps immutable values, the others rows. Amounts are compared with their
exponents and carried fields with their bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Any

import pytest
from attrs import define, evolve, frozen
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from regen_core.access import Scope
from regen_core.adapters.memory import MemoryStore
from regen_core.adapters.sql import SqlStore
from regen_core.documents import Assumption, BillingDocument, CarriedFields, DocumentType
from regen_core.ports import Answer, IdempotentCall, RegenerateCall, Selection, Store
from regen_core.reconciliation import Period
from regen_core.regeneration import Regeneration
from regen_core.request import RegenerateRequest
from regen_core.testing.strategies import documents, flags, occasions, requests, scopes
from regen_core.transactions import Occasion
from tests.conformance.databases import Database, PostgresqlDatabase, SqliteDatabase

Everything = Callable[[Store], str]

ALL = Scope(tenant="t1", entity="e1", orgs=None)
CARRIED = ("{}", '{"a":1.10}', '{"name":"Ä \\" \\\\ ,\\"carried\\":{}","n":[1E+2,null,true]}')
DAYS = (date.min, date(2024, 2, 29), date(2024, 3, 1), date(2026, 1, 31), date(2026, 12, 31), date.max)
PERIODS = st.sampled_from([Period(first, last) for first in DAYS for last in DAYS if first <= last])
KINDS = st.none() | st.sampled_from(DocumentType)
ASSUMED = ((), (Assumption("currency", "EUR", "FCT-6"),))


@frozen
class Step:
    """One verb of the port: which, with what."""

    verb: str
    given: tuple[Any, ...]


@st.composite
def full_documents(draw: DrawFn, *, sound: bool | None = None) -> BillingDocument:
    """Documents of the small universe with carried fields and assumptions; ``sound``: posted and mappable."""
    document = draw(documents(posted=sound, mappable=sound))
    carried, assumed = st.sampled_from(CARRIED), st.sampled_from(ASSUMED)
    header = evolve(document.header, carried=CarriedFields(draw(carried)), assumed=draw(assumed))
    items = [evolve(item, carried=CarriedFields(draw(carried)), assumed=draw(assumed)) for item in document.items]
    return BillingDocument(header, tuple(items))


def steps(universe: list[BillingDocument]) -> SearchStrategy[Step]:
    """One call about these documents; most ask for what leads to something."""
    known = st.sampled_from(universe)
    asked = known.flatmap(lambda document: st.tuples(scopes(seeing=document), requests(document=document)))
    free = st.tuples(scopes(), known.flatmap(lambda document: requests(document=document, conflicting=True)))
    keys = st.sampled_from([None, None, ("c1", "k1"), ("c1", "k2"), ("c2", "k1")])
    stale = st.sampled_from([None, None, None, 0, 1])
    seeing = known.flatmap(lambda document: scopes(seeing=document)) | scopes()
    regenerate = st.builds(lambda one, *more: Step("regenerate", (*one, *more)), asked, occasions(), stale, keys)
    relayed = st.builds(
        lambda verb, scope, limit: Step(verb, (scope, limit)),
        st.sampled_from(["deliver", "deliver", "acknowledge"]),
        seeing,
        st.integers(1, 4),
    )
    batches = st.lists(known.flatmap(lambda document: requests(document=document, conflicting=True)), max_size=4)
    others = st.one_of(
        st.builds(
            lambda scope, batch, when: Step("regenerate_all", (scope, tuple(batch), when)), seeing, batches, occasions()
        ),
        st.builds(
            lambda calls: Step("regenerate_together", (tuple(calls),)),
            st.lists(st.tuples(asked | free, occasions(), keys), max_size=6),
        ),
        st.builds(lambda batch: Step("load_all", (tuple(batch),)), st.lists(known, max_size=4)),
        st.builds(Step, st.sampled_from(["find", "plan"]), asked | free),
        st.builds(lambda one, *more: Step("regenerate", (*one, *more)), free, occasions(), stale, keys),
        st.builds(lambda limit: Step("collect", (limit,)), st.integers(1, 4)),
        st.builds(lambda hours: Step("wait", (hours,)), st.sampled_from([1, 23, 24])),
        st.builds(lambda scope, kind, limit: Step("list", (scope, kind, limit)), seeing, known, st.integers(1, 3)),
        st.builds(lambda scope, period, kind: Step("reconcile", (scope, period, kind)), seeing, PERIODS, KINDS),
    )
    return st.sampled_from([regenerate, regenerate, relayed, relayed, others, others]).flatmap(lambda kind: kind)


@st.composite
def histories(draw: DrawFn) -> list[Step]:
    """Calls about a few documents, several of which share ids, numbers and items."""
    universe = [draw(full_documents(sound=True)), *draw(st.lists(full_documents(), max_size=2))]
    loads = [Step("load", (document,)) for document in universe[:2]]
    return [*loads, *draw(st.lists(steps(universe), min_size=3, max_size=12))]


def keyed(key: tuple[str, str] | None) -> IdempotentCall | None:
    """A key of a client, whose answers show everything."""
    if key is None:
        return None
    return IdempotentCall(client=key[0], key=key[1], answer=lambda done: Answer(200, repr(done).encode()))


def call_of(
    scope: Scope, request: RegenerateRequest, occasion: Occasion | None, key: tuple[str, str] | None
) -> RegenerateCall:
    """One of several calls."""
    return RegenerateCall(scope=scope, request=request, occasion=occasion, idempotent=keyed(key))


@define
class Player:
    """One store, playing steps; its answers are text that shows everything."""

    store: Store
    clock: Any

    def play(self, step: Step) -> str:
        """What the store answers."""
        return repr(getattr(self, step.verb)(*step.given))

    def load(self, document: BillingDocument) -> object:
        return self.store.load(document)

    def load_all(self, batch: tuple[BillingDocument, ...]) -> object:
        return self.store.load_all(batch)

    def find(self, scope: Scope, request: RegenerateRequest) -> object:
        return self.store.find(scope, request)

    def plan(self, scope: Scope, request: RegenerateRequest) -> object:
        return self.store.plan(scope, request)

    def regenerate(
        self,
        scope: Scope,
        request: RegenerateRequest,
        occasion: Occasion | None,
        stale: int | None,
        key: tuple[str, str] | None,
    ) -> object:
        """``stale`` tells how far behind the expected version is, ``None`` that none is given."""
        found = self.store.find(scope, request)
        expected = None if stale is None else getattr(found, "version", 1) - stale
        done = self.store.regenerate(scope, request, occasion, expected=expected, idempotent=keyed(key))
        derived = (done.id_list, done.deliveries, done.stored_after) if isinstance(done, Regeneration) else ()
        return done, derived

    def regenerate_all(self, scope: Scope, batch: tuple[RegenerateRequest, ...], occasion: Occasion | None) -> object:
        done = self.store.regenerate_all(scope, batch, occasion)
        return done, [(each.id_list, each.deliveries) for each in done if isinstance(each, Regeneration)]

    def regenerate_together(self, calls: tuple[tuple[Any, ...], ...]) -> object:
        """Calls in the scopes of several callers, some of them under one key."""
        done = self.store.regenerate_together([call_of(scope, asked, when, key) for (scope, asked), when, key in calls])
        return done, [(each.id_list, each.deliveries) for each in done if isinstance(each, Regeneration)]

    def deliver(self, scope: Scope, limit: int) -> object:
        return self.store.deliver_to_ledger(scope, limit)

    def acknowledge(self, scope: Scope, limit: int) -> object:
        waiting = self.store.pending(scope, limit)
        return waiting, self.store.acknowledge(scope, waiting)

    def collect(self, limit: int) -> object:
        """A relay of another day: late, again, in the wrong order."""
        return self.store.collect([entry.delivery for entry in reversed(self.store.deliveries(ALL, limit=limit).rows)])

    def wait(self, hours: int) -> None:
        self.clock.move(hours=hours)

    def reconcile(self, scope: Scope, period: Period, kind: DocumentType | None) -> object:
        """The memory's answer looks at all lines, whatever the period (RCN-4)."""
        return self.store.reconcile(scope, period, kind)

    def list(self, scope: Scope, document: BillingDocument, limit: int) -> object:
        """Each listing, its first page and the one after it, selected or not."""
        pages: list[object] = []
        for selection in (Selection(), Selection(type=document.type, number=document.header.number)):
            store = self.store
            for listing in (store.documents, store.transactions, store.deliveries, store.revenue):
                page = listing(scope, selection, limit=limit)
                pages.append(page.rows)
                if page.next is not None:
                    pages.append(listing(scope, selection, limit=limit, after=page.next).rows)
        currency = self.store.invoice_currency(scope, document.id)
        return pages, currency


@define
class Shared:
    """A store on one database for all examples, which is emptied before each; the clock is the example's."""

    sql: SqlStore
    database: Database
    clock: Any = None


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    """Each kind of database."""
    database: Database
    if request.param == "sqlite":
        database = SqliteDatabase(tmp_path_factory.mktemp("agree") / "regen.db")
    else:
        server = request.getfixturevalue("postgresql")
        database = PostgresqlDatabase(server, server.new_schema())
    made: list[Shared] = []

    def now() -> datetime:
        moment: datetime = made[0].clock()
        return moment

    with SqlStore.open(database.url, clock=now) as store:
        made.append(Shared(store, database))
        yield made[0]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(history=histories())
def test_every_answer_and_all_that_is_stored(
    shared: Shared, clock: Any, everything: Everything, history: list[Step]
) -> None:
    """Step by step the same answer; refusals included, the same store (PRE-4)."""
    kind = type(clock)
    shared.database.clear()
    shared.clock = kind()
    memory_clock = kind()
    players = (Player(MemoryStore(memory_clock), memory_clock), Player(shared.sql, shared.clock))
    for step in history:
        answers = [player.play(step) for player in players]
        assert answers[0] == answers[1], step
    dumps = [everything(player.store) for player in players]
    assert dumps[0] == dumps[1]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(batch=st.lists(full_documents(), max_size=8), modes=st.lists(flags(), min_size=1, max_size=3))
def test_a_batch_is_its_documents_one_by_one(
    shared: Shared,
    clock: Any,
    everything: Everything,
    batch: list[BillingDocument],
    modes: list[tuple[bool, bool]],
) -> None:
    """DOC-4: loading many in one unit of work answers and stores what loading each does."""
    shared.clock = type(clock)()
    told = []
    for size in (len(batch), 1):
        shared.database.clear()
        parts = [batch[start : start + size] for start in range(0, len(batch), max(size, 1))]
        answers: list[object] = [outcome for part in parts for outcome in shared.sql.load_all(part)]
        for document in batch:
            scope = Scope(tenant=document.key.tenant, entity=document.key.entity, orgs=None)
            for only_re_send, re_migrate in modes:
                request = RegenerateRequest(
                    type=document.type, id=document.id, only_re_send=only_re_send, re_migrate=re_migrate
                )
                answers.append(shared.sql.regenerate(scope, request))
        told.append((repr(answers), everything(shared.sql)))
    assert told[0] == told[1]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data(), universe=st.lists(full_documents(), min_size=1, max_size=4))
def test_a_batch_of_requests_is_its_requests_one_by_one(
    shared: Shared, clock: Any, everything: Everything, data: st.DataObject, universe: list[BillingDocument]
) -> None:
    """PRE-4, DOC-4: regenerating many in one unit of work answers and stores what regenerating each does."""
    shared.clock = type(clock)()
    asked = st.sampled_from(universe).flatmap(lambda document: requests(document=document, conflicting=True))
    batch, scope = data.draw(st.lists(asked, max_size=40)), data.draw(scopes(seeing=universe[0]))
    told = []
    for size in (max(len(batch), 1), 1):
        shared.database.clear()
        shared.sql.load_all(universe)
        parts = [batch[start : start + size] for start in range(0, len(batch), size)]
        answers = [outcome for part in parts for outcome in shared.sql.regenerate_all(scope, part)]
        if size == 1:
            shared.database.clear()
            shared.sql.load_all(universe)
            assert repr(answers) == repr([shared.sql.regenerate(scope, request) for request in batch])
        told.append((repr(answers), everything(shared.sql)))
    assert told[0] == told[1]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data(), universe=st.lists(full_documents(), min_size=1, max_size=4))
def test_calls_together_are_the_calls_one_by_one(
    shared: Shared, clock: Any, everything: Everything, data: st.DataObject, universe: list[BillingDocument]
) -> None:
    """IDM-7: calls of several callers, each under a key of its own or none, in one unit of work and in one each."""
    shared.clock = type(clock)()
    known = st.sampled_from(universe)
    asked = known.flatmap(
        lambda document: st.tuples(scopes(seeing=document), requests(document=document, conflicting=True), occasions())
    )
    drawn = data.draw(st.lists(st.tuples(asked, st.booleans()), max_size=20))
    calls = [call_of(*each, ("c", f"k{n}") if has_key else None) for n, (each, has_key) in enumerate(drawn)]
    told = []
    for size in (max(len(calls), 1), 1):
        shared.database.clear()
        shared.sql.load_all(universe)
        parts = [calls[start : start + size] for start in range(0, len(calls), size)]
        answers = [outcome for part in parts for outcome in shared.sql.regenerate_together(part)]
        again = [shared.sql.regenerate(each.scope, each.request, idempotent=each.idempotent) for each in calls[:1]]
        told.append((repr(answers), repr(again), everything(shared.sql)))
    assert told[0] == told[1]


def test_a_disagreement_is_noticed(
    clock: Any, everything: Everything, sql: SqlStore, database: Database, invoice: Any
) -> None:
    """The control: a store that forgets to count deliveries differs at once."""
    memory = MemoryStore(clock)
    request = RegenerateRequest(type=invoice().type, id="d1")
    for store in (memory, sql):
        store.load(invoice())
        store.regenerate(ALL, request)
    assert everything(memory) == everything(sql)
    database.run("UPDATE transactions SET deliveries = 0 WHERE item_id = 'i2'")
    assert everything(memory) != everything(sql)
