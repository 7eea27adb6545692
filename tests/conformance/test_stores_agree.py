"""Memory and SQLite get the same history of calls and agree on every answer and on all that is stored.

The two share the core and nothing else: one keeps immutable values, the other rows. Amounts are compared with their
exponents and carried fields with their bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from attrs import define, evolve, frozen
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from regen_core.access import Scope
from regen_core.adapters.memory import MemoryStore
from regen_core.adapters.sql import SqlStore
from regen_core.documents import Assumption, BillingDocument, CarriedFields
from regen_core.ports import Answer, IdempotentCall, Selection, Store
from regen_core.regeneration import Regeneration
from regen_core.request import RegenerateRequest
from regen_core.testing.strategies import documents, flags, occasions, requests, scopes
from regen_core.transactions import Occasion

Everything = Callable[[Store], str]

ALL = Scope(tenant="t1", entity="e1", orgs=None)
CARRIED = ("{}", '{"a":1.10}', '{"name":"Ä \\" \\\\ ,\\"carried\\":{}","n":[1E+2,null,true]}')
ASSUMED = ((), (Assumption("currency", "EUR", "FCT-6"),))


@frozen
class Step:
    """One verb of the port: which, with what."""

    verb: str
    given: tuple[Any, ...]


@st.composite
def full_documents(draw: DrawFn) -> BillingDocument:
    """Documents of the small universe, posted or not, mappable or not, with carried fields and assumptions."""
    document = draw(documents(posted=None, mappable=None))
    carried, assumed = st.sampled_from(CARRIED), st.sampled_from(ASSUMED)
    header = evolve(document.header, carried=CarriedFields(draw(carried)), assumed=draw(assumed))
    items = [evolve(item, carried=CarriedFields(draw(carried)), assumed=draw(assumed)) for item in document.items]
    return BillingDocument(header, tuple(items))


def steps(universe: list[BillingDocument]) -> SearchStrategy[Step]:
    """One call about these documents."""
    known = st.sampled_from(universe)
    asked = known.flatmap(lambda document: st.tuples(scopes(seeing=document), requests(document=document)))
    free = st.tuples(scopes(), known.flatmap(lambda document: requests(document=document, conflicting=True)))
    keys = st.none() | st.tuples(st.sampled_from(["c1", "c2"]), st.sampled_from(["k1", "k2"]))
    return st.one_of(
        st.builds(lambda document: Step("load", (document,)), known),
        st.builds(lambda batch: Step("load_all", (tuple(batch),)), st.lists(known, max_size=4)),
        st.builds(lambda one: Step("find", one), asked | free),
        st.builds(lambda one: Step("plan", one), asked | free),
        st.builds(
            lambda one, occasion, stale, key: Step("regenerate", (*one, occasion, stale, key)),
            asked | asked | asked | free,
            occasions(),
            st.sampled_from([None, None, 0, 1]),
            keys,
        ),
        st.builds(lambda scope, limit: Step("deliver", (scope, limit)), scopes(), st.integers(1, 4)),
        st.builds(lambda scope, limit: Step("acknowledge", (scope, limit)), scopes(), st.integers(1, 4)),
        st.builds(lambda limit: Step("collect", (limit,)), st.integers(1, 4)),
        st.builds(lambda hours: Step("wait", (hours,)), st.sampled_from([1, 23, 24])),
        st.builds(lambda scope, kind, limit: Step("list", (scope, kind, limit)), scopes(), known, st.integers(1, 3)),
    )


@st.composite
def histories(draw: DrawFn) -> list[Step]:
    """Calls about a few documents, several of which share ids, numbers and items."""
    universe = draw(st.lists(full_documents(), min_size=1, max_size=5))
    loads = [Step("load", (document,)) for document in universe[:2]]
    return [*loads, *draw(st.lists(steps(universe), max_size=12))]


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
        call = None
        if key is not None:
            call = IdempotentCall(client=key[0], key=key[1], answer=lambda done: Answer(200, repr(done).encode()))
        done = self.store.regenerate(scope, request, occasion, expected=expected, idempotent=call)
        derived = (done.id_list, done.deliveries, done.stored_after) if isinstance(done, Regeneration) else ()
        return done, derived

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


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SqlStore, Path, list[Any]]]:
    """One database for all examples; it is emptied before each. The list holds the clock of the example."""
    path = tmp_path_factory.mktemp("agree") / "regen.db"
    clocks: list[Any] = []

    def now() -> datetime:
        moment: datetime = clocks[-1]()
        return moment

    with SqlStore.open(f"sqlite:///{path}", clock=now) as store:
        yield store, path, clocks


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(history=histories())
def test_every_answer_and_all_that_is_stored(
    shared: tuple[SqlStore, Path, list[Any]],
    clock: Any,
    everything: Everything,
    clear: Callable[[Path], None],
    history: list[Step],
) -> None:
    """Step by step the same answer; refusals included, the same store (PRE-4)."""
    sql, path, clocks = shared
    kind = type(clock)
    clear(path)
    clocks[:] = [kind()]
    memory_clock = kind()
    players = (Player(MemoryStore(memory_clock), memory_clock), Player(sql, clocks[-1]))
    for step in history:
        answers = [player.play(step) for player in players]
        assert answers[0] == answers[1], step
    dumps = [everything(player.store) for player in players]
    assert dumps[0] == dumps[1]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(batch=st.lists(full_documents(), max_size=8), modes=st.lists(flags(), min_size=1, max_size=3))
def test_a_batch_is_its_documents_one_by_one(
    shared: tuple[SqlStore, Path, list[Any]],
    clock: Any,
    everything: Everything,
    clear: Callable[[Path], None],
    batch: list[BillingDocument],
    modes: list[tuple[bool, bool]],
) -> None:
    """DOC-4: loading many in one unit of work answers and stores what loading each does."""
    sql, path, clocks = shared
    clocks[:] = [type(clock)()]
    told = []
    for size in (len(batch), 1):
        clear(path)
        parts = [batch[start : start + size] for start in range(0, len(batch), max(size, 1))]
        answers: list[object] = [outcome for part in parts for outcome in sql.load_all(part)]
        for document in batch:
            scope = Scope(tenant=document.key.tenant, entity=document.key.entity, orgs=None)
            for only_re_send, re_migrate in modes:
                request = RegenerateRequest(
                    type=document.type, id=document.id, only_re_send=only_re_send, re_migrate=re_migrate
                )
                answers.append(sql.regenerate(scope, request))
        told.append((repr(answers), everything(sql)))
    assert told[0] == told[1]


def test_a_disagreement_is_noticed(clock: Any, everything: Everything, database: Path, invoice: Any) -> None:
    """The control: a store that forgets to count deliveries differs at once."""
    with SqlStore.open(f"sqlite:///{database}", clock=clock) as sql:
        memory = MemoryStore(clock)
        request = RegenerateRequest(type=invoice().type, id="d1")
        for store in (memory, sql):
            store.load(invoice())
            store.regenerate(ALL, request)
        assert everything(memory) == everything(sql)
        connection, cursor = sql._connections.take()
        cursor.execute("UPDATE transactions SET deliveries = 0 WHERE item_id = 'i2'")
        sql._connections.give((connection, cursor))
        assert everything(memory) != everything(sql)
