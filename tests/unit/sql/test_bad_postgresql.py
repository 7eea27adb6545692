"""A PostgreSQL database that can't be used is refused with a sentence that says what to do; nothing is halved."""

# ruff: noqa: S608  # names and values of the tests' own

from __future__ import annotations

import subprocess
from collections.abc import Callable
from urllib.parse import quote

import pytest

from regen_core.adapters.sql import SqlStore, faults, on_postgresql
from regen_core.adapters.sql.schema import SCHEMA_VERSION
from regen_core.idempotency import Replay
from regen_core.ports import Answer, StoreFault
from regen_core.regeneration import Regeneration
from tests.concurrency.requests import ALL, asked, call, invoice
from tests.conformance.databases import PostgresqlDatabase, dump
from tests.forks.starting import fast
from tests.postgresql_server import Server, running_server


def refused(url: str, kind: type[StoreFault]) -> str:
    """The sentence with which opening is refused."""
    with pytest.raises(kind) as raised:
        SqlStore.open(url, busy_timeout=2)
    assert type(raised.value) is kind
    return str(raised.value)


class TestOpening:
    """What is looked at before anything is read or written."""

    def test_a_server_that_is_not_there(self, postgresql: Server) -> None:
        """No password is ever repeated."""
        away = quote(f"{postgresql.socket}/nobody")
        told = refused(f"postgresql://me:secret@/db?host={away}", faults.ServerUnavailable)
        assert "can't be reached" in told
        assert "secret" not in told

    def test_a_database_that_is_not_there(self, postgresql: Server) -> None:
        """The server answers, and has no such database."""
        refused(f"postgresql://postgres@/nobody?host={quote(postgresql.socket)}", faults.ServerUnavailable)

    def test_a_schema_that_is_not_there(self, postgresql: Server) -> None:
        """It isn't made: a typo must not become a new place."""
        with pytest.raises(StoreFault):
            SqlStore.open(postgresql.url("nobody"))

    def test_a_schema_that_the_role_may_not_use(self, schema: PostgresqlDatabase) -> None:
        """The server doesn't tell it from one that isn't there, so both are said."""
        SqlStore.open(schema.url).close()
        schema.run(f"CREATE ROLE {schema.schema}_outside LOGIN")
        told = refused(schema.server.url(schema.schema, user=f"{schema.schema}_outside"), faults.ServerUnavailable)
        assert "it has no such schema, or the user has no right to use it (GRANT USAGE ON SCHEMA)" in told

    @pytest.mark.parametrize(
        ("query", "says"),
        [
            ("sslmode=bogus", "a parameter of the URL has a value that it can't have"),
            ("options=-cnosuch%3D1", "it has no such setting as the URL's options name"),
            ("options=-cfsync%3Doff", "the URL's options name a setting that no session may change"),
            ("options=-cwork_mem%3Dx", "the URL's options give a setting a value that it can't have"),
            ("options=-cwork_mem", "the URL's options can't be read"),
            ("options=work_mem", "the URL's options can't be read"),
            ("service=nobody", "the URL names a service that isn't defined"),
        ],
    )
    def test_a_parameter_with_a_wrong_value(self, postgresql: Server, query: str, says: str) -> None:
        """The sentence says that the URL is at fault."""
        url = f"postgresql://postgres@/postgres?host={quote(postgresql.socket)}&{query}"
        assert f"can't be reached: {says}." in refused(url, faults.ServerUnavailable)

    def test_a_parameter_that_is_none(self, postgresql: Server) -> None:
        """It is found before the server is asked; so is a driver's own, which would be ignored."""
        for name in ("nosuch", "autocommit"):
            url = f"postgresql://postgres:secret@/postgres?host={quote(postgresql.socket)}&{name}=1"
            told = refused(url, faults.UnreadableDatabaseUrl)
            assert "it has a parameter that libpq doesn't know" in told
            assert "secret" not in told

    def test_a_port_that_is_none(self) -> None:
        """No password is repeated here either."""
        assert "secret" not in refused("postgresql://me:secret@host:port/db", faults.UnreadableDatabaseUrl)
        assert "the URL's port is none" in refused("postgresql://me@127.0.0.1:99999/db", faults.ServerUnavailable)

    @pytest.mark.parametrize(
        ("name", "role", "says"),
        [
            ("stranger", None, "it knows no such user"),
            ("group", "NOLOGIN", "the user may not log in"),
            ("many", "LOGIN CONNECTION LIMIT 0", "all its connections are in use"),
            ("guest", "LOGIN", "the user may not connect to this database"),
        ],
    )
    def test_a_user_that_is_not_let_in(
        self, schema: PostgresqlDatabase, name: str, role: str | None, says: str
    ) -> None:
        """The server's texts name role and database in all of these cases, yet they aren't one."""
        place = f"{schema.schema}_{name}"
        schema.run(f"CREATE DATABASE {place}")
        schema.run(f"REVOKE CONNECT ON DATABASE {place} FROM PUBLIC")
        if role is not None:
            schema.run(f"CREATE ROLE {place} {role}")
        if name == "many":
            schema.run(f"GRANT CONNECT ON DATABASE {place} TO {place}")
        url = f"postgresql://{place}@/{place}?host={quote(schema.server.socket)}"
        assert f"can't be reached: {says}." in refused(url, faults.ServerUnavailable)

    @pytest.mark.parametrize("rule", ["", "local all stranger reject\n"])
    def test_a_user_that_pg_hba_does_not_know(self, rule: str) -> None:
        """Its text names the database, which is there."""
        with running_server() as server:
            (server.directory / "data" / "pg_hba.conf").write_text(f"{rule}local all postgres trust\n")
            server.kill()
            server.start()
            assert "its pg_hba.conf lets" in refused(server.url(user="stranger"), faults.ServerUnavailable)

    def test_a_database_of_somebody_else(self, schema: PostgresqlDatabase) -> None:
        """A table that happens to be called as one of ours doesn't make it ours, and it is left alone."""
        schema.run("CREATE TABLE documents (id text)")
        assert "belongs to another program" in refused(schema.url, faults.ForeignDatabase)

    @pytest.mark.parametrize(
        ("version", "kind"),
        [("9999", faults.NewerDatabase), ("0000", faults.OlderDatabase), ("00021", faults.OlderDatabase)],
    )
    def test_a_schema_of_another_version(
        self, schema: PostgresqlDatabase, version: str, kind: type[StoreFault]
    ) -> None:
        """The sentence names both versions."""
        SqlStore.open(schema.url).close()
        schema.run(f"UPDATE regen_core_version SET version_num = '{version}'")
        told = refused(schema.url, kind)
        assert version in told
        assert SCHEMA_VERSION in told

    def test_commits_that_do_not_wait_for_the_disk(self, schema: PostgresqlDatabase) -> None:
        """IDM-7: a setting of the role is found by reading it back."""
        schema.run("CREATE ROLE hasty SUPERUSER LOGIN")
        schema.run("ALTER ROLE hasty SET synchronous_commit = off")
        url = schema.server.url(schema.schema, user="hasty")
        assert "synchronous_commit is off" in refused(url, faults.DurabilityTooWeak)

    def test_a_server_that_does_not_write_to_the_disk(self) -> None:
        """IDM-7."""
        with running_server("fsync=off") as server:
            assert "fsync is off" in refused(server.url(), faults.DurabilityTooWeak)

    def test_an_encoding_that_cannot_hold_every_text(self, postgresql: Server) -> None:
        """REQ-7, REQ-14."""
        with postgresql.connect() as connection:
            connection.execute("CREATE DATABASE ascii TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'")
        url = f"postgresql://postgres@/ascii?host={quote(postgresql.socket)}"
        assert "server_encoding is SQL_ASCII" in refused(url, faults.UnsuitableDatabase)

    def test_a_role_for_which_all_is_read_only(self, schema: PostgresqlDatabase) -> None:
        """It is refused at once."""
        schema.run("CREATE ROLE looker SUPERUSER LOGIN")
        schema.run("ALTER ROLE looker SET default_transaction_read_only = on")
        refused(schema.server.url(schema.schema, user="looker"), faults.ReadOnlyDatabase)


class TestWorking:
    """What goes wrong while the store works."""

    def test_a_role_that_may_only_read(self, schema: PostgresqlDatabase) -> None:
        """It may look, and hears at its first write that it may do no more."""
        with SqlStore.open(schema.url) as store:
            store.load(invoice())
        schema.run("CREATE ROLE reader LOGIN")
        schema.run(f"GRANT USAGE ON SCHEMA {schema.schema} TO reader")
        schema.run(f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema.schema} TO reader")
        with SqlStore.open(schema.server.url(schema.schema, user="reader")) as store:
            assert len(store.documents(ALL).rows) == 1
            for write in (lambda: store.load(invoice(amount=11)), lambda: store.regenerate(ALL, asked())):
                with pytest.raises(faults.ReadOnlyDatabase):
                    write()

    def test_a_full_disk(self, schema: PostgresqlDatabase) -> None:
        """Simulated by a trigger that raises what the server does; nothing of the operation is stored."""
        with SqlStore.open(schema.url) as store:
            store.load(invoice())
            _raises(schema, "RAISE EXCEPTION USING ERRCODE = '53100'", "outbox")
            before = dump(schema)
            with pytest.raises(faults.DatabaseFull, match="disk is full"):
                store.regenerate(ALL, asked())
            assert dump(schema) == before
            schema.run("DROP TRIGGER raises ON outbox")
            assert isinstance(store.regenerate(ALL, asked()), Regeneration)

    def test_a_statement_that_takes_too_long(self, schema: PostgresqlDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
        """Whatever it waited for: it isn't told as another process's lock, for which there is a time of its own."""
        monkeypatch.setattr(on_postgresql, "STATEMENT_TIMEOUT", 0.2)
        with SqlStore.open(schema.url, busy_timeout=60) as store:
            store.load(invoice())
            before = dump(schema)
            with schema.locked(), pytest.raises(faults.StatementStopped, match="took too long") as raised:
                store.regenerate(ALL, asked())
            assert "Nothing of this operation was stored" in str(raised.value)
        assert dump(schema) == before

    def test_a_connection_that_is_lost_before_the_commit(self, schema: PostgresqlDatabase) -> None:
        """Nothing was stored, so the operation is begun again, and executes once."""
        lost: list[int] = []

        def answer(_: object) -> Answer:
            if not lost:
                lost.append(_end_others(schema.server))
            return Answer(200, b"done")

        with SqlStore.open(schema.url) as store:
            store.load(invoice())
            assert isinstance(store.regenerate(ALL, asked(), idempotent=call("k1", answer)), Regeneration)
            assert lost == [1]
            assert isinstance(store.regenerate(ALL, asked(), idempotent=call("k1")), Replay)
            assert {line.deliveries for line in store.transactions(ALL).rows} == {1}

    def test_a_connection_that_is_lost_while_nobody_uses_it(self, schema: PostgresqlDatabase) -> None:
        """A server that was started again is no reason to fail."""
        with SqlStore.open(schema.url) as store:
            store.load(invoice())
            assert _end_others(schema.server) == 1
            assert len(store.documents(ALL).rows) == 1

    def test_a_connection_that_is_lost_during_the_commit(self, schema: PostgresqlDatabase) -> None:
        """The one fault after which the operation may be stored, and it says so."""
        with SqlStore.open(schema.url) as store:
            store.load(invoice())
            _raises(schema, "PERFORM pg_terminate_backend(pg_backend_pid())", "outbox", deferred=True)
            before = dump(schema)
            with pytest.raises(faults.OutcomeUnknown, match="Idempotency-Key"):
                store.regenerate(ALL, asked())
            assert dump(schema) == before


def _raises(schema: PostgresqlDatabase, what: str, table: str, *, deferred: bool = False) -> None:
    """Let something happen at each row of a table, or at the commit of it."""
    schema.run(f"CREATE FUNCTION raises() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN {what}; RETURN NEW; END$$")
    kind = "CONSTRAINT TRIGGER" if deferred else "TRIGGER"
    when = "DEFERRABLE INITIALLY DEFERRED" if deferred else ""
    schema.run(f"CREATE {kind} raises AFTER INSERT ON {table} {when} FOR EACH ROW EXECUTE FUNCTION raises()")


def _end_others(server: Server) -> int:
    """End the connections of stores; how many there were."""
    with server.connect() as connection:
        ended = connection.execute(
            "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE application_name = 'regen_core'"
        )
        return len(ended.fetchall())


def _made_without(schema: PostgresqlDatabase, table: str) -> None:
    SqlStore.open(schema.url).close()
    schema.run(f"DROP TABLE {table} CASCADE")


class TestCommandLine:
    """The same sentences, and the exit code for an environment that failed."""

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda schema: schema.run("CREATE TABLE documents (id text)"),
            lambda schema: schema.run("CREATE TABLE regen_core_version (version_num text)"),
            lambda schema: schema.run("CREATE VIEW documents AS SELECT 1"),
            lambda schema: _made_without(schema, "outbox"),
        ],
    )
    def test_a_bad_database_is_exit_code_3(
        self, schema: PostgresqlDatabase, spoil: Callable[[PostgresqlDatabase], None]
    ) -> None:
        """One sentence on stderr, no traceback."""
        spoil(schema)
        command = [*fast(), "--db", schema.url, "show", "documents"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 3
        assert "Traceback" not in done.stderr
        assert "The database postgresql://" in done.stderr
