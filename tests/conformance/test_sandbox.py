"""Experiments on a database: what is emptied is all of one tenant's entity, and nothing of another."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from regen_core.access import Scope
from regen_core.adapters.sql import SqlStore
from regen_core.adapters.sql.sandbox import SqlSandbox
from regen_core.request import RegenerateRequest
from tests.concurrency.requests import call
from tests.conformance.conftest import invoice
from tests.conformance.databases import TABLES, Database
from tests.conformance.test_migrations import ALL, begun, carried_through

OTHERS = (evolve(ALL, tenant="t2"), evolve(ALL, entity="e2"))


def filled(store: SqlStore, scope: Scope) -> None:
    """A row of the scope's in every table: an invoice, a draft, a run that refused it, a key, a delivered outbox."""
    for name, status in (("d1", "Posted"), ("d2", "Draft")):
        made = invoice(name, id=name, items=((f"{name}-1", "10.00"),), status=status)
        key = evolve(made.key, tenant=scope.tenant, entity=scope.entity)
        store.load(evolve(made, header=evolve(made.header, key=key)))
    carried_through(store, begun(store, scope))
    store.regenerate(scope, RegenerateRequest(type=key.type, id="d1"), idempotent=call(f"of {scope.entity}"))
    store.deliver_to_ledger(scope)


def of(database: Database, scope: Scope) -> list[list[dict[str, Any]]]:
    """The rows of a scope, table by table."""
    names = (scope.tenant, scope.entity)
    return [[row for row in rows if (row["tenant"], row["entity"]) == names] for rows in database.rows(*TABLES)]


@pytest.fixture
def sandbox(sql: SqlStore, database: Database) -> Any:
    """Experiments on a database in which three entities of two tenants have the same."""
    for scope in (ALL, *OTHERS):
        filled(sql, scope)
    with SqlSandbox.open(database.url) as found:
        yield found


class TestEmptying:
    """Runs and what they refused are gone with the rest."""

    def test_no_table_keeps_a_row(self, sandbox: SqlSandbox, database: Database) -> None:
        """Every table had one, so a table that is added later is looked at, too."""
        assert all(of(database, ALL))
        sandbox.empty(ALL)
        assert not any(of(database, ALL))

    def test_what_is_not_ones_own_stays(self, sandbox: SqlSandbox, database: Database) -> None:
        """ACC-4: neither another tenant's, nor another entity's."""
        before = [of(database, scope) for scope in OTHERS]
        sandbox.empty(ALL)
        assert [of(database, scope) for scope in OTHERS] == before

    def test_it_begins_anew(self, sandbox: SqlSandbox, sql: SqlStore) -> None:
        """What was used once is free: ids of documents, of runs, and keys."""
        sandbox.empty(ALL)
        filled(sql, ALL)
        assert [run.id for run in sql.runs(ALL).rows] == ["r1"]
        assert {row.transaction.revision for row in sql.transactions(ALL).rows} == {1}
