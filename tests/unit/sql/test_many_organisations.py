"""A caller may have any number of organisations, on either database, and sees what it saw with a few."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from regen_core.access import Scope
from regen_core.adapters.memory import MemoryStore
from regen_core.adapters.sql import SqlStore
from regen_core.adapters.sql.conditions import FEW, org_count, org_names, org_values
from regen_core.documents import DocumentType
from regen_core.migration import accept, begin
from regen_core.ports import Answer, IdempotentCall, RegenerateCall, Store
from regen_core.reconciliation import Period
from regen_core.request import RegenerateRequest
from regen_core.transactions import Occasion
from tests.conformance.conftest import Clock, invoice
from tests.conformance.databases import PostgresqlDatabase

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
JANUARY = Period(date(2026, 1, 1), date(2026, 1, 31))
ALL = Scope(tenant="t1", entity="e1", orgs=None)
MANY = 40_000
"""More than any database takes as parameters of one statement."""
MINE = ("north", 'a "quoted", ünusual [name]\\', "nobody's")


def scope_of(count: int) -> Scope:
    """A caller of so many organisations, the first of which have documents."""
    names = (*MINE, *[f"o{number}" for number in range(count)])
    return Scope(tenant="t1", entity="e1", orgs=frozenset(names[:count]))


@pytest.fixture(params=["sqlite", "postgresql"])
def sql(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlStore]:
    """An empty store on each database."""
    url = f"sqlite:///{tmp_path / 'regen.db'}"
    if request.param == "postgresql":
        schema: PostgresqlDatabase = request.getfixturevalue("schema")
        url = schema.url
    with SqlStore.open(url, clock=Clock(NOW)) as opened:
        yield opened


def filled(store: Store) -> Store:
    """One document of no organisation, one of each that has some, one of an organisation that nobody here has."""
    for number, org in enumerate((None, *MINE, "south")):
        store.load(invoice(f"N-{number}", id=f"d{number}", org=org, items=((f"i{number}", "10.00"),)))
        store.regenerate(ALL, named(number), Occasion(NOW, "ann"))
    return store


def named(number: int) -> RegenerateRequest:
    """A request by id."""
    return RegenerateRequest(type=DocumentType.INVOICE, id=f"d{number}", re_migrate=True)


def told(store: Any, scope: Scope) -> list[object]:
    """What a caller hears through every door that filters by organisation, writing ones included."""
    call = IdempotentCall(client="c", key="k", answer=lambda _: Answer(200, b"done"))
    by_number = RegenerateRequest(type=DocumentType.INVOICE, number="N-1")
    work = [RegenerateCall(scope=scope, request=named(number), occasion=None, idempotent=None) for number in (1, 4)]
    run = accept("r1", scope, Occasion(NOW, "ann"), re_migrate=False)
    doors: list[Callable[[], object]] = [
        lambda: [each(scope).rows for each in (store.documents, store.transactions, store.deliveries, store.revenue)],
        lambda: [store.plan(scope, named(number)) for number in range(5)],
        lambda: [store.invoice_currency(scope, f"d{number}") for number in range(5)],
        lambda: [store.regenerate(scope, each) for each in (named(1), by_number, named(4))],
        lambda: [store.regenerate(scope, named(1), idempotent=call) for _ in range(2)],
        lambda: store.regenerate_all(scope, [named(number) for number in range(5)]),
        lambda: store.regenerate_together(work),
        lambda: (store.backlog(scope), store.acknowledged_count(scope), store.release_parked(scope)),
        lambda: store.deliver_to_ledger(scope, 3),
        lambda: store.reconcile(scope, JANUARY),
        lambda: store.revenue(scope).rows,
        lambda: [store.accept_run(run), store.change_run(scope, "r1", lambda each: begin(each, NOW))],
        lambda: [store.migrate_batch(scope, "r1", 2) for _ in range(3)],
        lambda: (store.run(scope, "r1"), store.runs(scope).rows, store.rejects(scope, "r1").rows),
    ]
    return [door() for door in doors]


@pytest.mark.parametrize("count", [0, 1, FEW, FEW + 1, 1_100, MANY])
def test_every_door_answers_as_the_store_in_memory_does(sql: SqlStore, count: int) -> None:
    """ACC-4: whatever the number, the organisations count and not how they are given."""
    expected = told(filled(MemoryStore(Clock(NOW))), scope_of(count))
    assert told(filled(sql), scope_of(count)) == expected


def test_control_it_is_the_organisations_that_let_documents_be_seen(sql: SqlStore) -> None:
    """Of as many others, there is only the document that has none."""
    filled(sql)
    others = evolve(ALL, orgs=frozenset(f"other{number}" for number in range(MANY)))
    assert [each.id for each in sql.documents(others).rows] == ["d0"]
    assert [each.id for each in sql.documents(scope_of(MANY)).rows] == ["d0", "d1", "d2", "d3"]


def test_there_are_few_texts_however_many_callers_there_are(sql: SqlStore) -> None:
    """A statement is compiled once for each small number of organisations and once for all others."""
    statements = sql._units.statements
    asked = {statements.document_is_visible(org_count(scope_of(count))).sql for count in range(200)}
    assert len(asked) == FEW + 2
    for count in (None, 0, 1, FEW, FEW + 1, MANY):
        scope = ALL if count is None else scope_of(count)
        assert len(org_values(scope)) == len(org_names(org_count(scope))) <= FEW
    assert frozenset(json.loads(org_values(scope_of(FEW + 1))[0])) == scope_of(FEW + 1).orgs
