"""A database whose schema isn't as this library made it, at opening and under an open store."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from regen_core.adapters.sql import SqlStore, engine, faults
from regen_core.adapters.sql.schema import SCHEMA_VERSION
from regen_core.regeneration import Regeneration
from tests.concurrency.requests import ALL, asked, invoice
from tests.conformance.databases import Database, PostgresqlDatabase, SqliteDatabase, new_database
from tests.unit.sql.test_upgrades import brought_to

NEXT_VERSION = "UPDATE regen_core_version SET version_num = '0099'"


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    """One of each kind."""
    return new_database(request, tmp_path)


@pytest.fixture
def store(database: Database) -> Iterator[SqlStore]:
    """A store on it with an invoice, open while something else alters it."""
    with SqlStore.open(database.url) as opened:
        opened.load(invoice())
        yield opened


def dropped(database: Database, table: str) -> None:
    """Drop a table, and on PostgreSQL what hangs on it."""
    database.run(f"DROP TABLE {table}{' CASCADE' if isinstance(database, PostgresqlDatabase) else ''}")


class TestOpening:
    """What is found before anything is read or written."""

    def test_a_table_that_is_missing_is_named(self, database: Database) -> None:
        """The version alone doesn't make it ours."""
        SqlStore.open(database.url).close()
        dropped(database, "outbox")
        dropped(database, "run_rejects")
        with pytest.raises(faults.AlteredTables, match=r"made them: missing: outbox, run_rejects\. "):
            SqlStore.open(database.url)

    @pytest.mark.parametrize("name", ["documents", "report"])
    def test_a_view_belongs_to_somebody(self, database: Database, name: str) -> None:
        """It isn't taken over, whatever it is called."""
        database.run(f"CREATE VIEW {name} AS SELECT 1 AS id")
        with pytest.raises(faults.ForeignDatabase):
            SqlStore.open(database.url)

    @pytest.mark.parametrize(
        "made",
        [
            "CREATE SEQUENCE outbox",
            "CREATE MATERIALIZED VIEW documents AS SELECT 1 AS id",
            "CREATE TYPE documents AS (id text)",
        ],
    )
    def test_so_does_what_only_a_server_has(self, schema: PostgresqlDatabase, made: str) -> None:
        """All of these stand in the way of a table of the name."""
        schema.run(made)
        with pytest.raises(faults.ForeignDatabase):
            SqlStore.open(schema.url)

    def test_a_name_that_is_taken_after_all_is_told(self, schema: PostgresqlDatabase) -> None:
        """An enumeration is no relation, and a table needs a type of its name."""
        schema.run("CREATE TYPE outbox AS ENUM ('x')")
        with pytest.raises(faults.AlteredTables, match="something else has the name of a table"):
            SqlStore.open(schema.url)

    def test_what_an_extension_brought_is_nobodys_data(self, schema: PostgresqlDatabase) -> None:
        """The control: many servers have some of that in every schema that is used by default."""
        schema.run("CREATE VIEW brought AS SELECT 1 AS id")
        schema.run("ALTER EXTENSION plpgsql ADD VIEW brought")
        try:
            SqlStore.open(schema.url).close()
        finally:
            schema.run("ALTER EXTENSION plpgsql DROP VIEW brought")

    def test_an_upgrade_in_between_is_no_missing_table(
        self, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Who asked for names before another process's upgrade, and for the version after it, asks again."""
        brought_to(database, "0003")
        real, done = engine._check_version, list[str]()

        def meanwhile(where: str, rows: Sequence[Sequence[Any]]) -> str:
            if done:
                return real(where, rows)
            done.append(real(where, rows))
            SqlStore.open(database.url).close()
            return SCHEMA_VERSION

        monkeypatch.setattr(engine, "_check_version", meanwhile)
        SqlStore.open(database.url).close()
        assert done == ["0003"]


class TestWorking:
    """Under an open store."""

    @pytest.mark.parametrize("verb", [lambda store: store.regenerate(ALL, asked()), lambda store: store.backlog(ALL)])
    def test_a_table_that_is_dropped(
        self, store: SqlStore, database: Database, verb: Callable[[SqlStore], object]
    ) -> None:
        """It is told in a sentence, without the statement."""
        dropped(database, "outbox")
        with pytest.raises(faults.AlteredTables, match=r"made them: a table is missing\."):
            verb(store)

    def test_a_column_that_is_renamed(self, store: SqlStore, database: Database) -> None:
        """The same for what is read and what is written."""
        database.run("ALTER TABLE transactions RENAME COLUMN revision TO other")
        with pytest.raises(faults.AlteredTables, match="a column is missing"):
            store.transactions(ALL)
        with pytest.raises(faults.AlteredTables, match="a column is missing"):
            store.regenerate(ALL, asked())

    def test_a_view_in_a_tables_place(self, store: SqlStore, database: Database) -> None:
        """It can be read and not written."""
        database.run("ALTER TABLE transactions RENAME TO other")
        database.run("CREATE VIEW transactions AS SELECT * FROM other LIMIT 10")
        with pytest.raises(faults.AlteredTables, match=r"has (the name of a table|a table's name)"):
            store.regenerate(ALL, asked())

    def test_a_schema_that_is_dropped(self, schema: PostgresqlDatabase) -> None:
        """The connections stay, and nothing is there."""
        with SqlStore.open(schema.url) as store:
            store.load(invoice())
            schema.run(f"DROP SCHEMA {schema.schema} CASCADE")
            for verb in (lambda: store.regenerate(ALL, asked()), lambda: store.backlog(ALL)):
                with pytest.raises(faults.AlteredTables, match="a table is missing"):
                    verb()

    def test_a_type_that_was_changed(self, schema: PostgresqlDatabase) -> None:
        """A server has no operator for it."""
        with SqlStore.open(schema.url) as store:
            store.load(invoice())
            schema.run("ALTER TABLE documents ALTER COLUMN document_id TYPE bytea USING document_id::bytea")
            with pytest.raises(faults.AlteredTables, match="a column has another type"):
                store.regenerate(ALL, asked())

    def test_a_plan_that_holds_no_longer_is_made_anew(self, schema: PostgresqlDatabase) -> None:
        """An alteration that our statements can live with: whoever writes is begun again on another connection."""
        with SqlStore.open(schema.url) as store:
            store.load(invoice())
            for _ in range(3):
                assert isinstance(store.regenerate(ALL, asked()), Regeneration)
            schema.run("ALTER TABLE transactions ALTER COLUMN revision TYPE numeric")
            assert isinstance(store.regenerate(ALL, asked()), Regeneration)

    def test_a_session_that_something_else_uses_too(self, schema: PostgresqlDatabase) -> None:
        """As a pooler does that hands out no whole sessions; the next connection works."""
        with SqlStore.open(schema.url) as store:
            store.load(invoice())
            store.regenerate(ALL, asked())
            _on_its_connection(store, "DEALLOCATE ALL")
            with pytest.raises(faults.SharedConnection, match="a prepared statement is gone"):
                store.regenerate(ALL, asked())
            assert isinstance(store.regenerate(ALL, asked()), Regeneration)


def _on_its_connection(store: SqlStore, statement: str) -> None:
    held = store._connections.take()
    connection: Any = held[0].driver_connection
    connection.pgconn.exec_(statement.encode())
    store._connections.give(held)


class TestNewer:
    """Another program upgrades the schema while a store is open."""

    def test_a_new_connection_is_refused(self, store: SqlStore, database: Database) -> None:
        """Nothing is read or written on it; a connection from before goes on until it is closed."""
        held = store._connections.take()
        database.run(NEXT_VERSION)
        before = database.rows("transactions")
        for verb in (lambda: store.regenerate(ALL, asked()), lambda: store.backlog(ALL)):
            with pytest.raises(faults.NewerDatabase, match="0099"):
                verb()
        assert database.rows("transactions") == before
        store._connections.give(held)
        assert isinstance(store.regenerate(ALL, asked()), Regeneration)

    def test_a_new_connection_of_the_same_version_is_not(self, store: SqlStore) -> None:
        """The control."""
        held = store._connections.take()
        assert isinstance(store.regenerate(ALL, asked()), Regeneration)
        store._connections.give(held)

    def test_a_marker_that_is_gone(self, store: SqlStore, database: Database) -> None:
        """Whatever that database is now."""
        held = store._connections.take()
        dropped(database, "regen_core_version")
        with pytest.raises(faults.AlteredTables, match="a table is missing"):
            store.backlog(ALL)
        store._connections.give(held)


class TestDamaged:
    """What no text can be."""

    def test_bytes_that_are_no_text_are_damage(self, tmp_path: Path) -> None:
        """Told as such, where it was told as a failing disk."""
        database = SqliteDatabase(tmp_path / "regen.db")
        with SqlStore.open(database.url) as store:
            store.load(invoice())
            other = sqlite3.connect(database.path, isolation_level=None)
            other.execute("UPDATE document_versions SET header = CAST(x'ff7b7d' AS TEXT)")
            other.close()
            for verb in (store.plan, store.regenerate):
                with pytest.raises(faults.DamagedRows):
                    verb(ALL, asked())
