"""Bad databases of both kinds on the command line: a sentence on standard error, exit code 3, and nothing is lost."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import psycopg
import pytest
from attrs import frozen
from sqlalchemy import create_engine

from regen_core.adapters.sql import SqlStore, on_sqlite
from regen_core.adapters.sql.schema import SCHEMA_VERSION
from regen_core.adapters.sql.upgrades import upgrade
from tests.command import Said
from tests.conformance.databases import Database, PostgresqlDatabase, SqliteDatabase, dump
from tests.postgresql_server import Server, running_server
from tests.unit.cli.conftest import Regen
from tests.unit.cli.cutting_proxy import LOCK, Cut, CuttingProxy

RUN: Final = ("run", "--type", "Invoice", "--number", "INV-1")
CANARY: Final = "canary-5d1c0"
NO_SCHEMA: Final = "it has no such schema, or the user has no right to use it (GRANT USAGE ON SCHEMA)"
NOTHING_LOADED: Final = "outcome\tdocument\tnumber\tid\tfrom\nbroken off: no documents\n"
"""What a load prints that ended before the first document was stored."""


@frozen
class Place:
    """A database of one kind with an invoice in it, and a command line."""

    regen: Regen
    database: Database
    server: Server | None

    def __call__(self, *args: str, url: str | None = None) -> Said:
        """Run a command on it, or on another one."""
        return self.regen(*args, "--db", url or self.database.url)

    def refused(self, *args: str, url: str | None = None) -> str:
        """The sentence with which a command fails: one line, exit code 3, for a program too; and nothing changed."""
        before = dump(self.database)
        said = self(*args, url=url)
        assert (said.code, said.out) in [(3, ""), (3, NOTHING_LOADED)], said
        assert said.err.startswith("regen: The database ")
        assert said.err.endswith(".\n")
        assert said.err.count("\n") == 1
        as_json = self(*args, "--json", url=url)
        assert (as_json.code, as_json.json["exit_code"], as_json.json["success"]) == (3, 3, False)
        assert CANARY not in said.err + as_json.out + as_json.err
        assert dump(self.database) == before
        return said.err

    def works(self) -> None:
        """When the fault is gone, the same command does what it would have done, once."""
        assert self(*RUN).code == 0
        assert {row["revision"] for row in self.database.rows("transactions")[0]} == {1}
        assert len(self.database.rows("outbox")[0]) == 2


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server whose settings these tests may change."""
    with running_server() as own:
        yield own


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, regen: Regen, invoice: Any, tmp_path: Path) -> Place:
    """Each kind of database, with an invoice of two items."""
    return made(request, request.param, regen, invoice, tmp_path)


@pytest.fixture
def on_postgresql(request: pytest.FixtureRequest, regen: Regen, invoice: Any, tmp_path: Path) -> Place:
    """What only a server can do."""
    return made(request, "postgresql", regen, invoice, tmp_path)


def made(request: pytest.FixtureRequest, kind: str, regen: Regen, invoice: Any, tmp_path: Path) -> Place:
    """A place of a kind."""
    if kind == "sqlite":
        found = Place(regen, SqliteDatabase(tmp_path / "place.db"), None)
    else:
        server: Server = request.getfixturevalue("server")
        found = Place(regen, PostgresqlDatabase(server, server.new_schema()), server)
    assert found("load", regen.write("first.ndjson", invoice(items=("10.00", "-2.50")))).code == 0
    return found


@contextmanager
def setting(server: Server, name: str, value: str) -> Iterator[None]:
    """A setting of the server for the time of a block; new connections see it at once."""
    with server.connect() as connection:
        try:
            connection.execute(f"ALTER SYSTEM SET {name} = {value}")
            _reload(server, name, value)
            yield
        finally:
            connection.execute(f"ALTER SYSTEM RESET {name}")
            _reload(server, name, "on")


def _reload(server: Server, name: str, value: str) -> None:
    with server.connect() as connection:
        connection.execute("SELECT pg_reload_conf()")
    for _ in range(1000):
        with server.connect() as connection:
            found = connection.execute(f"SHOW {name}").fetchone()
        if found == (value,):
            return
        time.sleep(0.01)
    raise AssertionError(f"{name} did not become {value}")


COMMANDS = [RUN, ("plan", *RUN[1:]), ("show", "documents"), ("deliver", "--to", "ledger"), ("load", "{file}")]


class TestVersions:
    """Whose it is, and of which version."""

    @pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
    def test_a_newer_one_is_left_alone(self, place: Place, command: tuple[str, ...]) -> None:
        """By every command, even those that only look."""
        place.database.run("UPDATE regen_core_version SET version_num = '9999'")
        file = str(place.regen.directory / "first.ndjson")
        told = place.refused(*[part.format(file=file) for part in command])
        assert f"has schema version 9999, and this version of regen-core knows {SCHEMA_VERSION}. Upgrade" in told

    def test_one_that_is_older_than_any_known(self, place: Place) -> None:
        """No way leads from there."""
        place.database.run("UPDATE regen_core_version SET version_num = '0000'")
        assert "knows no way there" in place.refused(*RUN)

    def test_an_older_one_is_upgraded_in_use(self, request: Any, place: Place, tmp_path: Path) -> None:
        """The first command that comes by does it, and what was in it is still there."""
        if isinstance(place.database, PostgresqlDatabase):
            url = place.database.server.url(place.database.server.new_schema())
        else:
            url = f"sqlite:///{tmp_path / 'older.db'}"
        engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
        with engine.begin() as connection:
            upgrade(connection, "0001")
        engine.dispose()
        assert place("load", str(place.regen.directory / "first.ndjson"), url=url).code == 0
        assert place(*RUN, url=url).code == 0
        assert len(place("show", "deliveries", url=url).rows) == 2

    def test_one_of_somebody_else(self, place: Place, tmp_path: Path) -> None:
        """It is neither read nor written."""
        other: Database
        if isinstance(place.database, PostgresqlDatabase):
            other = PostgresqlDatabase(place.database.server, place.database.server.new_schema())
        else:
            other = SqliteDatabase(tmp_path / "other.db")
        other.run("CREATE TABLE documents (id varchar(9))")
        assert "belongs to another program" in place.refused(*RUN, url=other.url)
        assert other.rows("documents") == [[]]


def role(place: Place, name: str, rights: str) -> str:
    """The URL of a new role of the server's that has these rights to the tables, and none to the sequences."""
    database, server = place.database, place.server
    assert isinstance(database, PostgresqlDatabase)
    assert server is not None
    database.run(f"CREATE ROLE {name} LOGIN")
    database.run(f"GRANT USAGE ON SCHEMA {database.schema} TO {name}")
    database.run(f"GRANT {rights} ON ALL TABLES IN SCHEMA {database.schema} TO {name}")
    return server.url(database.schema, user=name)


class TestReadOnly:
    """Looking is allowed where the database allows it; writing is told."""

    def test_a_database_that_takes_no_writes(self, place: Place) -> None:
        """A URL that asks for reading only, a role whose units are read-only."""
        if place.server is None:
            url = place.database.url.replace("sqlite:///", "sqlite:///file:") + "?mode=ro&uri=true"
        else:
            url = place.database.url + quote(" -cdefault_transaction_read_only=on")
        assert "is read-only. Make it writable" in place.refused(*RUN, url=url)
        place.works()

    def test_a_role_that_may_only_look(self, on_postgresql: Place) -> None:
        """It may plan, and hears it when it would write."""
        url = role(on_postgresql, "looker", "SELECT")
        assert on_postgresql("plan", *RUN[1:], url=url).code == 0
        assert "is read-only" in on_postgresql.refused(*RUN, url=url)
        on_postgresql.works()

    def test_the_rights_that_are_enough(self, on_postgresql: Place) -> None:
        """Once the tables are there, a role that may read and write them can do everything."""
        url = role(on_postgresql, "worker", "SELECT, INSERT, UPDATE, DELETE")
        database = on_postgresql.database
        assert isinstance(database, PostgresqlDatabase)
        database.run(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {database.schema} TO worker")
        for command in COMMANDS:
            file = str(on_postgresql.regen.directory / "first.ndjson")
            assert on_postgresql(*[part.format(file=file) for part in command], url=url).code == 0

    def test_control_without_the_sequence_they_are_not(self, on_postgresql: Place) -> None:
        """Deliveries get their places from it."""
        url = role(on_postgresql, "clerk", "SELECT, INSERT, UPDATE, DELETE")
        assert "is read-only" in on_postgresql.refused(*RUN, url=url)


class TestLocked:
    """Somebody else works on it for longer than anybody waits."""

    @pytest.mark.parametrize("command", [RUN, ("load", "{file}")], ids=lambda command: command[0])
    def test_a_writer_waits_and_then_says_so(
        self, place: Place, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
    ) -> None:
        """When the other one is done, the command works."""
        monkeypatch.setattr(SqlStore, "open", partial(SqlStore.open, busy_timeout=0.1))
        file = place.regen.write("changed.ndjson", json.loads((place.regen.directory / "first.ndjson").read_text()))
        with place.database.locked():
            told = place.refused(*[part.format(file=file) for part in command])
        assert "is locked by another process" in told
        place.works()


class TestFull:
    """A request with many lines doesn't fit; what was there is there, and when there is room again it is done."""

    MANY: Final = 400
    TOLD: Final = "can't grow: the disk is full. Nothing of this operation was stored; make room and repeat it."
    ASKS: Final = ("run", "--type", "Invoice", "--number", "INV-2")

    def load_many(self, place: Place, invoice: Any) -> None:
        """An invoice of many items."""
        many = place.regen.write("many.ndjson", invoice("2", items=("1.00",) * self.MANY))
        assert place("load", many).code == 0

    def done(self, place: Place) -> None:
        """The same command once more, with room."""
        assert place(*self.ASKS).code == 0
        mine = [row for row in place.database.rows("outbox")[0] if row["document_id"] == "invoice-2"]
        assert len(mine) == self.MANY

    def test_a_file_that_may_not_grow(
        self, request: pytest.FixtureRequest, regen: Regen, invoice: Any, tmp_path: Path
    ) -> None:
        """SQLite: simulated by its limit on the number of pages."""
        place = made(request, "sqlite", regen, invoice, tmp_path)
        self.load_many(place, invoice)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(on_sqlite, "SETTINGS", {**on_sqlite.SETTINGS, "max_page_count": "1"})
            assert self.TOLD in place.refused(*self.ASKS)
        self.done(place)

    def test_a_server_on_a_small_disk(self, regen: Regen, invoice: Any, tmp_path: Path) -> None:
        """PostgreSQL: the tables lie on a disk of three megabytes, which something else has filled.

        Where the system lets nobody make such a disk, a trigger raises what the server would.
        """
        disk = Path(tempfile.mkdtemp(prefix="regen-disk-"))
        disk.chmod(0o777)
        runner = small_disk(disk)
        try:
            with running_server(runner=runner) as server:
                place = Place(regen, PostgresqlDatabase(server, server.new_schema()), server)
                if runner:
                    server.looking.execute(f"CREATE TABLESPACE small LOCATION '{disk}'")
                    server.looking.execute("ALTER ROLE postgres SET default_tablespace = small")
                self.load_many(place, invoice)
                place.database.run(FILL if runner else RAISE)
                assert self.TOLD in place.refused(*self.ASKS)
                place.database.run("DROP TABLE filler" if runner else "DROP TRIGGER raises ON outbox")
                self.done(place)
        finally:
            shutil.rmtree(disk, ignore_errors=True)


FILL: Final = """
    CREATE TABLE filler (content text); ALTER TABLE filler ALTER content SET STORAGE PLAIN;
    DO $$BEGIN LOOP INSERT INTO filler VALUES (repeat('x', 7000)); END LOOP; EXCEPTION WHEN disk_full THEN NULL; END$$
    """
"""Until not one page fits any more."""

RAISE: Final = """
    CREATE FUNCTION raises() RETURNS trigger LANGUAGE plpgsql AS
    $$BEGIN RAISE EXCEPTION USING ERRCODE = '53100'; END$$;
    CREATE TRIGGER raises AFTER INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION raises()
    """


def small_disk(where: Path) -> tuple[str, ...]:
    """A command within which a directory is a disk of three megabytes, seen by nobody else; empty where it can't be."""
    mount = 'mount -t tmpfs -o size=3m,mode=0777 none "$0" && exec unshare --user --map-user=1000 --map-group=1000 "$@"'
    within = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, str(where))
    with suppress(OSError):
        if subprocess.run([*within, "true"], capture_output=True, check=False).returncode == 0:
            return within
    return ()


class TestConnections:
    """A server that can't be reached, lets nobody in, or is lost on the way."""

    @pytest.mark.parametrize(
        ("change", "told"),
        [
            (lambda url, _: url.replace("@/postgres", "@/mistyped"), "it has no such database"),
            (lambda url, _: url.replace("//postgres@", f"//stranger:{CANARY}@"), "it knows no such user"),
            (lambda url, _: url.replace("//postgres@", "//guarded@"), "it wants a password, and none is given"),
            (
                lambda url, _: url.replace("//postgres@", f"//guarded:{CANARY}@"),
                "it doesn't accept the user's password",
            ),
            (lambda _, free: f"postgresql://me:{CANARY}@127.0.0.1:{free}/x", "nobody listens there"),
            (lambda _, __: f"postgresql://me:{CANARY}@/x?host=/nowhere", "nobody listens there"),
            (lambda _, __: f"postgresql://me:{CANARY}@no-such-host.invalid/x", "its host's name is not known"),
            (lambda url, _: url.replace("search_path%3Dstore", "search_path%3Dmistyped"), NO_SCHEMA),
        ],
        ids=["database", "user", "no password", "wrong password", "port", "directory", "host", "schema"],
    )
    def test_a_url_that_leads_nowhere(
        self, on_postgresql: Place, guarded: None, change: Callable[[str, int], str], told: str
    ) -> None:
        """What is wrong with it is said, and no password is repeated."""
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            url = change(on_postgresql.database.url, taken.getsockname()[1])
            command = ("load", str(on_postgresql.regen.directory / "first.ndjson"))
            assert f"can't be reached: {told}. Nothing was stored." in on_postgresql.refused(*command, url=url)

    @pytest.fixture
    def guarded(self, server: Server) -> None:
        """A role that needs a password; all others come in as they are."""
        with server.connect() as connection:
            if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = 'guarded'").fetchone():
                return
            connection.execute("CREATE ROLE guarded LOGIN PASSWORD 'right'")
            (name,) = connection.execute("SHOW hba_file").fetchone() or ("",)
            path = Path(name)
            path.write_text("local all guarded scram-sha-256\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
            connection.execute("SELECT pg_reload_conf()")
        for _ in range(1000):
            try:
                server_connect(server, "guarded")
            except psycopg.OperationalError:
                return
            time.sleep(0.01)

    @pytest.mark.parametrize(("cuts", "code"), [(3, 0), (10**9, 3)])
    def test_one_that_is_lost_in_the_middle_of_a_unit(
        self, on_postgresql: Place, tmp_path: Path, cuts: int, code: int
    ) -> None:
        """It is begun again a number of times; then a sentence says that nothing was stored, and nothing was."""
        server = on_postgresql.server
        assert server is not None
        with CuttingProxy(tmp_path, server.socket, Cut.BEFORE, at=LOCK, most=cuts) as proxy:
            url = on_postgresql.database.url.replace(quote(server.socket), quote(str(tmp_path)))
            said = on_postgresql(*RUN, url=url)
        assert said.code == code
        assert proxy.cuts >= 3
        if code:
            assert "lost the connection" in said.err
            assert "Nothing of this operation was stored; repeat it when the server is back." in said.err
            assert on_postgresql.database.rows("outbox") == [[]]
            on_postgresql.works()
        assert len(on_postgresql.database.rows("outbox")[0]) == 2

    def test_one_that_is_lost_within_the_commit(self, on_postgresql: Place) -> None:
        """The server dies before it has committed, and nobody who asked knows."""
        on_postgresql.database.run(ENDS)
        told = on_postgresql.refused(*RUN)
        assert "the operation is stored as a whole or not at all, and nobody knows which" in told
        on_postgresql.database.run("DROP TRIGGER ends ON outbox")
        on_postgresql.works()

    @pytest.mark.parametrize("cut", [Cut.BEFORE, Cut.AFTER], ids=lambda cut: cut.name)
    def test_whichever_it_is_the_same_key_executes_once(self, on_postgresql: Place, tmp_path: Path, cut: Cut) -> None:
        """IDM-1: as the sentence says, repeating under the key is safe, whether it was stored or not."""
        server = on_postgresql.server
        assert server is not None
        asks = (*RUN, "--re-migrate", "--idempotency-key", "fix-1")
        with CuttingProxy(tmp_path, server.socket, cut) as proxy:
            url = on_postgresql.database.url.replace(quote(server.socket), quote(str(tmp_path)))
            said = on_postgresql(*asks, url=url)
            assert (said.code, proxy.cuts) == (3, 1)
            assert "Repeating it under the same Idempotency-Key is safe" in said.err
            stored = len(on_postgresql.database.rows("outbox")[0])
            assert stored == (2 if cut is Cut.AFTER else 0)
            assert on_postgresql(*asks, url=url).code == 0
        assert len(on_postgresql.database.rows("outbox")[0]) == 2
        assert {row["revision"] for row in on_postgresql.database.rows("transactions")[0]} == {1}

    def test_control_without_a_key_it_executes_again(self, on_postgresql: Place, tmp_path: Path) -> None:
        """Which is why the sentence says to look first."""
        server = on_postgresql.server
        assert server is not None
        with CuttingProxy(tmp_path, server.socket, Cut.AFTER):
            url = on_postgresql.database.url.replace(quote(server.socket), quote(str(tmp_path)))
            assert on_postgresql(*RUN, "--re-migrate", url=url).code == 3
            assert on_postgresql(*RUN, "--re-migrate", url=url).code == 0
        assert {row["revision"] for row in on_postgresql.database.rows("transactions")[0]} == {2}


def server_connect(server: Server, user: str) -> None:
    """Connect as a user, once."""
    psycopg.connect(host=server.socket, user=user, dbname="postgres").close()


ENDS: Final = """
    CREATE FUNCTION ends() RETURNS trigger LANGUAGE plpgsql AS
    $$BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END$$;
    CREATE CONSTRAINT TRIGGER ends AFTER INSERT ON outbox DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION ends()
    """
"""The server ends the connection when it would commit what was added to the outbox."""


class TestWeakDurability:
    """IDM-7: what would be acknowledged before it is safe is refused before anything is read."""

    @pytest.mark.parametrize("name", ["fsync", "full_page_writes", "synchronous_commit"])
    @pytest.mark.parametrize("command", COMMANDS[::2][:2], ids=lambda command: command[0])
    def test_a_server_that_does_not_keep_commits(
        self, on_postgresql: Place, name: str, command: tuple[str, ...]
    ) -> None:
        """By its configuration; by every command."""
        assert on_postgresql.server is not None
        with setting(on_postgresql.server, name, "off"):
            told = on_postgresql.refused(*command)
        assert f"doesn't keep commits safe: {name} is off, needed is on" in told
        on_postgresql.works()

    def test_a_url_that_weakens_its_own_commits(self, on_postgresql: Place) -> None:
        """However the setting came about."""
        url = on_postgresql.database.url + quote(" -csynchronous_commit=off")
        assert "synchronous_commit is off" in on_postgresql.refused(*RUN, url=url)

    @pytest.mark.parametrize(
        ("name", "value", "found"), [("synchronous", "NORMAL", "1"), ("journal_mode", "DELETE", "delete")]
    )
    def test_a_file_that_does_not(
        self,
        request: pytest.FixtureRequest,
        regen: Regen,
        invoice: Any,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        name: str,
        value: str,
        found: str,
    ) -> None:
        """SQLite: a setting that didn't take."""
        place = made(request, "sqlite", regen, invoice, tmp_path)
        with monkeypatch.context() as patched:
            patched.setattr(on_sqlite, "SETTINGS", {**on_sqlite.SETTINGS, name: value})
            assert f"doesn't keep commits safe: {name} is {found}" in place.refused(*RUN)
        place.works()
