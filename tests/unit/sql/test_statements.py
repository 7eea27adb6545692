"""What every statement promises: it stays within tenant and entity, binds its values, and finds its rows by a key."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from functools import cache, cached_property
from pathlib import Path

import pytest
from sqlalchemy import Dialect, bindparam, create_engine, literal, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from regen_core.adapters.sql import SqlStore
from regen_core.adapters.sql.conditions import FEW
from regen_core.adapters.sql.key_statements import KeyStatements
from regen_core.adapters.sql.outbox_statements import OutboxStatements
from regen_core.adapters.sql.period_statements import PeriodStatements
from regen_core.adapters.sql.prepared import Prepared, prepare
from regen_core.adapters.sql.runs_statements import RunStatements
from regen_core.adapters.sql.schema import METADATA, documents, outbox, revenue, transactions
from regen_core.adapters.sql.statements import Listing, Statements, statements_of

SQLITE = create_engine("sqlite://").dialect
ORGS = (None, 0, 2, FEW + 1)
"""How many organisations a caller has: all, none, so few that each is a parameter, more."""
POSTGRESQL: Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped


def look_ups(statements: Statements) -> Iterator[tuple[str, Prepared]]:
    """Those that find documents, with their names."""
    for name in ("transactions_of", "transactions_of_number"):
        yield name, getattr(statements.lookups, name)
    for size in (1, 2):
        yield f"numbers {size}", statements.lookups.number_owners(size)
        yield f"items {size}", statements.lookups.item_owners(size)
        for name in ("document_id", "number"):
            yield f"transactions of all {name} {size}", statements.lookups.transactions_of_all(name, size)
            for orgs in ORGS:
                yield f"lock all {name} {size}, {orgs}", statements.lookups.lock_documents(name, orgs, size)
                yield f"all {name} {size}, {orgs}", statements.lookups.documents_of(name, orgs, size)


def all_of(statements: Statements) -> Iterator[tuple[str, Prepared]]:
    """Every statement with its name."""
    for name, attribute in vars(Statements).items():
        if isinstance(attribute, cached_property):
            yield name, getattr(statements, name)
    for name, attribute in vars(KeyStatements).items():
        if isinstance(attribute, cached_property):
            yield f"key {name}", getattr(statements.keys, name)
    yield from relays_of(statements.outbox)
    yield from runs_of(statements.runs)
    yield from look_ups(statements)
    yield from periods_of(statements.periods)
    for orgs in ORGS:
        for names in (("document_id",), ("number",), ("document_id", "number")):
            yield f"by {names}, {orgs}", statements.lookups.documents_named(names, orgs)
            yield f"lock by {names}, {orgs}", statements.lookups.lock_document(names, orgs)
        yield f"visible, {orgs}", statements.document_is_visible(orgs)
        yield f"currency, {orgs}", statements.invoice_currency(orgs)
        for table in (documents, transactions, outbox, revenue):
            for given in ((), ("type",), ("type", "id"), ("type", "id", "number"), ("number",)):
                for goes_on in (False, True):
                    listing = Listing(table, given, orgs, "", goes_on=goes_on)
                    yield f"{table.name} {given} {orgs} {goes_on}", statements.listing(listing)


def relays_of(statements: OutboxStatements) -> Iterator[tuple[str, Prepared]]:
    """Those of relays."""
    for name, attribute in vars(OutboxStatements).items():
        if isinstance(attribute, cached_property):
            yield f"outbox {name}", getattr(statements, name)
    for orgs in ORGS:
        for name in ("due", "backlog", "release_parked", "acknowledged_count"):
            yield f"{name}, {orgs}", getattr(statements, name)(orgs)


def runs_of(statements: RunStatements) -> Iterator[tuple[str, Prepared]]:
    """Those about migrations."""
    for name, attribute in vars(RunStatements).items():
        if isinstance(attribute, cached_property):
            yield f"run {name}", getattr(statements, name)
    for scoped in (False, True):
        yield f"run, scoped {scoped}", statements.one(scoped=scoped)
        yield f"lock run, scoped {scoped}", statements.locked(scoped=scoped)
        for goes_on in (False, True):
            yield f"runs, scoped {scoped} {goes_on}", statements.listed(scoped=scoped, goes_on=goes_on)
            yield f"rejects, scoped {scoped} {goes_on}", statements.rejects(scoped=scoped, goes_on=goes_on)
    for orgs in ORGS:
        for of_type in (False, True):
            for goes_on in (False, True):
                found = statements.next_documents(orgs, of_type=of_type, goes_on=goes_on)
                yield f"next {of_type} {goes_on}, {orgs}", found


def periods_of(statements: PeriodStatements) -> Iterator[tuple[str, Prepared]]:
    """Those of reconciliations."""
    for orgs in ORGS:
        yield f"stored, {orgs}", statements.stored(orgs)
        yield f"held, {orgs}", statements.held(orgs)
        for of_type in (False, True):
            yield f"concerned {of_type}, {orgs}", statements.concerned(orgs, of_type=of_type)


@cache
def sql() -> dict[str, Prepared]:
    """Every statement on SQLite by its name: made when the first test asks, not by whoever only collects."""
    return dict(all_of(Statements(SQLITE)))


def test_stores_of_one_dialect_share_their_statements() -> None:
    """Each is compiled once in a process; another dialect has its own."""
    assert statements_of(create_engine("sqlite://").dialect) is statements_of(create_engine("sqlite://").dialect)
    assert statements_of(POSTGRESQL) is not statements_of(SQLITE)


class TestEveryStatement:
    """ACC-4, IDM-5."""

    @pytest.mark.parametrize("dialect", [SQLITE, POSTGRESQL], ids=["sqlite", "postgresql"])
    def test_it_names_tenant_and_entity(self, dialect: Dialect) -> None:
        """A key belongs to a tenant and a client, whose digest is in its name; all else to tenant and entity."""
        for name, prepared in all_of(Statements(dialect)):
            assert "tenant" in prepared.sql, name
            assert "entity" in prepared.sql or "key_digest" in prepared.sql, name

    @pytest.mark.parametrize("orgs", ORGS[1:])
    def test_look_ups_for_a_caller_filter_by_org(self, orgs: int) -> None:
        """In the query itself, however many organisations there are, none included."""
        for name, prepared in sql().items():
            if f", {orgs}" in name or f" {orgs} " in name:
                assert "org IS NULL" in prepared.sql, name

    def test_callers_with_organisations_see_the_runs_of_exactly_these(self) -> None:
        """In the query itself (MIG-12)."""
        scoped = [name for name in sql() if ", scoped True" in name]
        assert len(scoped) == 6
        for name in scoped:
            assert "runs.orgs = ?" in sql()[name].sql, name

    def test_a_run_is_locked_before_it_is_carried_on(self) -> None:
        """Where the database locks rows (MIG-8)."""
        assert Statements(POSTGRESQL).runs.locked(scoped=False).sql.endswith("FOR UPDATE")

    def test_relays_skip_what_another_one_is_claiming(self) -> None:
        """Where the database locks rows; the other's claims are its own, and none is waited for."""
        assert "FOR UPDATE OF outbox SKIP LOCKED" in Statements(POSTGRESQL).outbox.due(None).sql

    def test_no_value_stands_in_a_statement(self) -> None:
        """Bound parameters only."""
        for name, prepared in sql().items():
            assert "'" not in prepared.sql, name


@pytest.fixture(scope="module")
def plans(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    """A connection to an empty store, to ask for query plans."""
    path: Path = tmp_path_factory.mktemp("plans") / "regen.db"
    SqlStore.open(f"sqlite:///{path}").close()
    connection = sqlite3.connect(path)
    yield connection
    connection.close()


class TestCost:
    """The cost of a statement doesn't grow with the store."""

    def test_rows_are_found_by_a_key(self, plans: sqlite3.Connection) -> None:
        """No statement about one document, and no listing of one, reads a table from end to end."""
        asked = {name: prepared for name, prepared in sql().items() if "(" not in name or "'id'" in name}
        assert len(asked) > 100
        for name, prepared in asked.items():
            values = ("x",) * prepared.sql.count("?")
            steps = [row[3] for row in plans.execute(f"EXPLAIN QUERY PLAN {prepared.sql}", values)]
            bounded = ("SCAN old", "SCAN listed VIRTUAL TABLE")  # at most as many rows as the statement was given
            read = [step for step in steps if step.startswith("SCAN") and not step.startswith(bounded)]
            assert not read, (name, steps)

    @pytest.mark.parametrize("of_type", [False, True])
    def test_a_batch_begins_at_the_cursor(self, plans: sqlite3.Connection, of_type: bool) -> None:
        """Documents that were done aren't read again, so a long run doesn't slow down."""
        query = Statements(SQLITE).runs.next_documents(None, of_type=of_type, goes_on=True)
        (step,) = [row[3] for row in plans.execute(f"EXPLAIN QUERY PLAN {query.sql}", ("x",) * query.sql.count("?"))]
        place = "document_type=? AND document_id>?" if of_type else "(document_type,document_id)>(?,?)"
        assert step.endswith(f"(tenant=? AND entity=? AND {place})"), step

    def test_what_waits_is_found_without_what_is_done(self, plans: sqlite3.Connection) -> None:
        """A relay's query uses the index that holds waiting deliveries only, in commit order."""
        waiting = Statements(SQLITE).listing(Listing(outbox, (), None, ("waiting",), goes_on=False))
        steps = [
            row[3]
            for row in plans.execute(f"EXPLAIN QUERY PLAN {waiting.sql}", ("x", "x", 1, 0)[: waiting.sql.count("?")])
        ]
        assert any("outbox_waiting" in step for step in steps), steps
        assert not any("TEMP B-TREE" in step for step in steps), steps

    @pytest.mark.parametrize("of_type", [False, True])
    @pytest.mark.parametrize("orgs", ORGS)
    def test_a_period_is_found_by_its_dates(
        self, plans: sqlite3.Connection, orgs: int | None, *, of_type: bool
    ) -> None:
        """RCN-1: on each side by an index that holds all that is asked for; no content is read for it."""
        prepared = sql()[f"concerned {of_type}, {orgs}"]
        values = ("x",) * prepared.sql.count("?")
        steps = "\n".join(row[3] for row in plans.execute(f"EXPLAIN QUERY PLAN {prepared.sql}", values))
        for index in ("document_versions_date", "revenue_date"):
            assert f"{index} (date>? AND date<?)" in steps

    def test_only_a_filter_by_org_reads_the_lines_themselves(self, plans: sqlite3.Connection) -> None:
        """Whoever sees all organisations is answered from the two indexes and the documents' keys."""
        prepared = sql()["concerned True, None"]
        steps = [
            row[3] for row in plans.execute(f"EXPLAIN QUERY PLAN {prepared.sql}", ("x",) * prepared.sql.count("?"))
        ]
        assert sum("COVERING INDEX" in step for step in steps) == 2


class TestPreparing:
    """Values are given in declared order, whatever the driver wants."""

    QUERY = select(documents.c.org).where(documents.c.tenant == bindparam("a"), documents.c.entity == bindparam("b"))

    def test_a_positional_driver_gets_its_own_order(self) -> None:
        """And a value that is used twice is given once."""
        assert prepare(self.QUERY, SQLITE, ("a", "b")).bind((1, 2)) == (1, 2)
        assert prepare(self.QUERY, SQLITE, ("b", "a")).bind((2, 1)) == (1, 2)
        twice = self.QUERY.where(documents.c.org == bindparam("a"))
        assert prepare(twice, SQLITE, ("a", "b")).bind((1, 2)) == (1, 2, 1)
        one = select(documents.c.org).where(documents.c.tenant == bindparam("a"))
        assert prepare(one, SQLITE, ("a",)).bind((1,)) == (1,)

    def test_a_driver_with_names_gets_names(self) -> None:
        """The style of PostgreSQL's driver."""
        assert prepare(self.QUERY, POSTGRESQL, ("b", "a")).bind((2, 1)) == {"a": 1, "b": 2}

    def test_a_value_of_the_statements_own_is_kept(self) -> None:
        """Such as the offset that a limit brings along."""
        alone = select(documents.c.org).where(documents.c.org == literal("x"))
        assert prepare(alone, SQLITE, ()).bind(()) == ("x",)
        with_own = self.QUERY.where(documents.c.org == literal("x"))
        assert prepare(with_own, SQLITE, ("a", "b")).bind((1, 2)) == (1, 2, "x")

    @pytest.mark.parametrize("names", [("a",), ("a", "b", "c"), ()])
    def test_names_must_be_the_statements(self, names: tuple[str, ...]) -> None:
        """A forgotten value must not become NULL."""
        with pytest.raises(ValueError, match="parameters differ"):
            prepare(self.QUERY, SQLITE, names)


def test_the_schema_compiles_for_postgresql() -> None:
    """The same tables, text compared by code point there, too (REQ-7)."""
    for table in METADATA.sorted_tables:
        told = str(CreateTable(table).compile(dialect=POSTGRESQL))
        if table.name != "regen_core_version":
            assert 'COLLATE "C"' in told
