"""The steps of the schema end where the tables stand, on both databases, and an older database is upgraded in use."""

# ruff: noqa: S608  # names and values of the tests' own

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from sqlalchemy import create_engine, text

from regen_core.adapters.sql import SqlStore, engine, faults, on_postgresql
from regen_core.adapters.sql.schema import METADATA, SCHEMA_VERSION
from regen_core.adapters.sql.upgrades import DIRECTORY, upgrade
from regen_core.documents import DocumentType
from regen_core.idempotency import Replay, key_digest, meaning_of
from regen_core.ports import Answer, IdempotentCall
from regen_core.refusals import DocumentNotFound
from regen_core.regeneration import Regeneration
from regen_core.request import RegenerateRequest
from regen_core.wire.requests import meaning_json
from tests.concurrency.requests import ALL, asked, at_once, invoice
from tests.conformance.databases import Database, PostgresqlDatabase, SqliteDatabase
from tests.postgresql_server import Server

SAID = {SqliteDatabase: "x'73616964'", PostgresqlDatabase: r"'\x73616964'"}
"""The bytes of "said" as each database writes them."""


@pytest.fixture(params=["sqlite", "postgresql"])
def databases(request: pytest.FixtureRequest, tmp_path: Path) -> list[Database]:
    """Two of a kind."""
    if request.param == "sqlite":
        return [SqliteDatabase(tmp_path / f"{number}.db") for number in range(2)]
    server: Server = request.getfixturevalue("postgresql")
    return [PostgresqlDatabase(server, server.new_schema()) for _ in range(2)]


def brought_to(database: Database, version: str) -> None:
    """Go the steps to a version."""
    url = database.url.replace("postgresql:", "postgresql+psycopg:")
    made = create_engine(url)
    with made.begin() as connection:
        upgrade(connection, version)
    made.dispose()


def described(database: Database) -> list[Any]:
    """Tables, columns, keys and indexes as the database tells them; order of columns within a table doesn't count."""
    if isinstance(database, SqliteDatabase):
        return _described_by_sqlite(database.path)
    assert isinstance(database, PostgresqlDatabase)
    where = database.schema
    columns = (
        "SELECT table_name, column_name, data_type, is_nullable, column_default, collation_name "
        f"FROM information_schema.columns WHERE table_schema = '{where}' ORDER BY 1, 2"
    )
    constraints = (
        "SELECT r.relname, c.conname, pg_get_constraintdef(c.oid) FROM pg_constraint c "
        f"JOIN pg_class r ON r.oid = c.conrelid WHERE c.connamespace = '{where}'::regnamespace ORDER BY 1, 2"
    )
    indexes = f"SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = '{where}' ORDER BY 1, 2"
    with database.server.connect() as connection:
        told = [connection.execute(query).fetchall() for query in (columns, constraints, indexes)]
    return [repr(rows).replace(where, "schema") for rows in told]


def _described_by_sqlite(path: Path) -> list[Any]:
    connection = sqlite3.connect(path)
    told: list[Any] = []
    tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'sqlite_stat1' ORDER BY name"
    for (name,) in connection.execute(tables).fetchall():
        columns = connection.execute(f"PRAGMA table_xinfo({name})").fetchall()
        told.append((name, sorted(row[1:] for row in columns)))
        told.append(sorted(row[2:] for row in connection.execute(f"PRAGMA foreign_key_list({name})")))
        told.append([row[1:] for row in connection.execute("PRAGMA table_list") if row[1] == name])
        indexes = connection.execute(f"PRAGMA index_list({name})").fetchall()
        told.append(
            sorted((row[1:], connection.execute(f"PRAGMA index_xinfo({row[1]})").fetchall()) for row in indexes)
        )
    connection.close()
    return told


def test_steps_and_tables_agree(databases: list[Database]) -> None:
    """A database that went all the steps is as one that was made at once."""
    stepped, made = databases
    brought_to(stepped, SCHEMA_VERSION)
    SqlStore.open(made.url).close()
    assert described(stepped) == described(made)


def test_a_disagreement_is_noticed(databases: list[Database]) -> None:
    """The control: a column, an index."""
    stepped, made = databases
    brought_to(stepped, SCHEMA_VERSION)
    SqlStore.open(made.url).close()
    made.run("DROP INDEX idempotency_age")
    assert described(stepped) != described(made)
    stepped.run("DROP INDEX idempotency_age")
    assert described(stepped) == described(made)
    made.run("ALTER TABLE outbox ADD COLUMN more text")
    assert described(stepped) != described(made)


def test_an_older_database_is_upgraded_when_it_is_used(databases: list[Database]) -> None:
    """By one of many that open it at once; the others find it upgraded."""
    older = databases[0]
    brought_to(older, "0001")

    def seen() -> object:
        with SqlStore.open(older.url) as store:
            return store.documents(ALL).rows

    assert at_once([seen] * 6) == [()] * 6
    with SqlStore.open(older.url) as store:
        store.load(invoice())
        assert isinstance(store.regenerate(ALL, asked()), Regeneration)
        assert store.backlog(ALL).due == 2


def test_a_delivery_from_before_waits(databases: list[Database]) -> None:
    """REV-0: what an older version committed to the outbox is due, and has never been claimed."""
    older = databases[0]
    brought_to(older, "0001")
    told = "'t1', 'e1', 'Invoice', 'd1'"
    content = '{"number":"N","status":"Posted","date":"2026-01-31","currency":"EUR"}'
    older.run(f"INSERT INTO documents VALUES ({told}, 'N', NULL, 1, 1)")
    older.run(f"INSERT INTO document_versions VALUES ({told}, 1, '2026-01-31', 'EUR', '{content}', '{{}}', '[]', '')")
    at = "2026-01-31T00:00:00+00:00"
    values = f"{told}, 'i1', 1, 'N', 'line', 'x', 'INV', 0, 1, 'active', NULL, NULL, NULL, NULL, 1, '{at}'"
    names = [column.name for column in METADATA.tables["outbox"].columns][1:20]
    assert names[-1] == "committed_at"
    older.run(f"INSERT INTO outbox ({', '.join(names)}) VALUES ({values})")
    with SqlStore.open(older.url) as store:
        backlog = store.backlog(ALL)
        assert (backlog.waiting, backlog.due, backlog.parked) == (1, 1, 0)
        assert older.rows("outbox")[0][0]["claims"] == 0


@pytest.mark.parametrize(
    ("names", "about"),
    [
        (("d1", "N-2"), ("d1", "d2")),
        (("d1", "N-1"), ("d1", None)),
        (("d1", "gone"), ("d1", None)),
        (("gone", "gone"), (None, None)),
        (("d1", None), (None, None)),
        ((None, "N-1"), (None, None)),
    ],
)
def test_a_result_from_before_gets_the_documents_that_it_may_be_about(
    databases: list[Database], names: tuple[str | None, str | None], about: tuple[str | None, str | None]
) -> None:
    """IDM-6: a mismatch was saved without its two documents; nobody hears it who may not see them."""
    older = databases[0]
    brought_to(older, "0002")
    for number, org in enumerate(("north", "south"), 1):
        older.run(f"INSERT INTO documents VALUES ('t1', 'e1', 'Invoice', 'd{number}', 'N-{number}', '{org}', 1, 1)")
        older.run(f"INSERT INTO documents VALUES ('t1', 'e1', 'DebitMemo', 'd{number}', 'N-{number}', '{org}', 1, 1)")
    request = RegenerateRequest(type=DocumentType.INVOICE, id=names[0], number=names[1])
    meaning = json.dumps(meaning_json(meaning_of(ALL, request)))
    at = datetime.now(UTC).isoformat()
    digest = key_digest("t1", "c1", "k1")
    saved = f"'t1', '{digest}', '{meaning}', 400, {SAID[type(older)]}, 'e1', NULL, NULL, '{at}'"
    columns = "tenant, key_digest, meaning, status, body, entity, document_type, document_id, set_at"
    older.run(f"INSERT INTO idempotency ({columns}) VALUES ({saved})")
    with SqlStore.open(older.url) as store:
        row = older.rows("idempotency")[0][0]
        assert (row["document_id"], row["other_document_id"]) == about
        assert row["document_type"] == (None if about == (None, None) else "Invoice")
        call = IdempotentCall(client="c1", key="k1", answer=lambda _: Answer(200, b"other"))
        assert store.regenerate(ALL, request, idempotent=call) == Replay(400, b"said")
        north = evolve(ALL, orgs=frozenset({"north"}))
        heard = store.regenerate(north, request, idempotent=call)
        assert isinstance(heard, DocumentNotFound if about[1] else Replay)


def test_an_upgrade_that_fails_leaves_the_older_database(
    databases: list[Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All steps are one unit of work."""
    older, other = databases
    for each in (older, other):
        brought_to(each, "0001")
    failing = text("SELECT 1 FROM nowhere")

    def half(connection: Any) -> None:
        upgrade(connection)
        connection.execute(failing)

    monkeypatch.setattr("regen_core.adapters.sql.upgrades.upgrade", half)
    with pytest.raises(faults.AlteredTables, match="a table is missing"):
        SqlStore.open(older.url)
    assert described(older) == described(other)
    monkeypatch.undo()
    SqlStore.open(older.url).close()


def slow(connection: Any) -> None:
    """An upgrade of which one statement takes half a second."""
    connection.execute(text("SELECT pg_sleep(0.5)"))
    upgrade(connection)


def test_an_upgrade_takes_as_long_as_it_takes(postgresql: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """An index of a large table takes longer than a statement may otherwise, and can't be made in parts."""
    older = PostgresqlDatabase(postgresql, postgresql.new_schema())
    brought_to(older, "0001")
    monkeypatch.setattr(on_postgresql, "STATEMENT_TIMEOUT", 0.2)
    monkeypatch.setattr("regen_core.adapters.sql.upgrades.upgrade", slow)
    with SqlStore.open(older.url) as store:
        assert older.rows("regen_core_version") == [[{"version_num": SCHEMA_VERSION}]]
        with pytest.raises(faults.StatementStopped):  # the control: for everything else the limit holds
            store._connections.ask("SELECT pg_sleep(0.5)")


def test_an_upgrade_that_the_server_ends_is_told_in_words(postgresql: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The older schema stays, and the next one who opens it upgrades it."""
    older = PostgresqlDatabase(postgresql, postgresql.new_schema())
    brought_to(older, "0001")
    ended = text("SELECT pg_terminate_backend(pg_backend_pid())")
    with monkeypatch.context() as patched:
        patched.setattr("regen_core.adapters.sql.upgrades.upgrade", lambda connection: connection.execute(ended))
        with pytest.raises(faults.ServerUnavailable, match="reached: an administrator or a restart ended the conn"):
            SqlStore.open(older.url)
    assert older.rows("regen_core_version") == [[{"version_num": "0001"}]]
    SqlStore.open(older.url).close()


def test_every_step_is_there() -> None:
    """The last one leads to the version that the tables have, the first from nothing to what upgrades begin with."""
    versions = sorted(path.stem.removeprefix("v") for path in (DIRECTORY / "versions").glob("v*.py"))
    assert versions[0] == engine.FIRST_VERSION
    assert versions[-1] == SCHEMA_VERSION
