"""A database URL is read as a whole or refused, and its passwords stand in no message."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest

from regen_core.access import Scope
from regen_core.adapters.cli.connecting import NoDatabase, NoUrl, opened
from regen_core.adapters.sql import SqlStore, faults
from tests.conformance.databases import PostgresqlDatabase
from tests.postgresql_server import Server

ALL = Scope(tenant="t1", entity="e1", orgs=None)
CANARY = "geheim"


def refused(url: str) -> str:
    """The sentence with which a URL is refused that can't be read."""
    with pytest.raises(faults.UnreadableDatabaseUrl) as raised:
        SqlStore.open(url)
    return str(raised.value)


class TestPasswords:
    """What a message shows of a URL."""

    @pytest.mark.parametrize(
        ("url", "says"),
        [
            (f"postgresql://u:my@{CANARY}@127.0.0.1/db", "an @ within its user, password or parameters is written %40"),
            (f"postgresql://u:my@{CANARY}/x@127.0.0.1/db", "is written %40"),
            (f"postgresql://u:my@{CANARY}?x@127.0.0.1/db", "is written %40"),
            (f"postgresql://u@127.0.0.1:1/db?password={CANARY}@x", "is written %40"),
            (f"postgresql://127.0.0.1:port/db?password={CANARY}", "its port is not a number"),
            (f"postgresql://u:{CANARY}/db", "its port is not a number"),
            (f"postgresql:u:{CANARY}@127.0.0.1/db", "it is not a database URL"),
            (f"host=127.0.0.1 password = {CANARY}", "it is not a database URL"),
            (f"postgresql://u:{CANARY}@127.0.0.1/db?sslmode", "NAME=VALUE each"),
            (f"postgresql://127.0.0.1/db?nosuch=1&oauth_client_secret={CANARY}", "libpq doesn't know"),
            (f"sqlite://u:{CANARY}@host/regen.db", "a file's URL begins with sqlite:///"),
        ],
    )
    def test_none_is_shown_of_a_url_that_is_refused(self, url: str, says: str) -> None:
        """Wherever it ends: what can't be read may be a part of it."""
        told = refused(url)
        assert CANARY not in told
        assert says in told

    def test_none_is_shown_of_a_url_that_leads_nowhere(self, postgresql: Server) -> None:
        """The control: @, / and ? written as they must be, or where they can't be mistaken."""
        away = quote(f"{postgresql.socket}/nobody")
        for password in (f"my%40{CANARY}", f"my/{CANARY}", f"my?{CANARY}"):
            with pytest.raises(faults.ServerUnavailable) as raised:
                SqlStore.open(f"postgresql://me:{password}@/db?host={away}&sslpassword={CANARY}")
            assert f"postgresql://me:***@/db?host={away}&sslpassword=***" in str(raised.value)


class TestQuestionMarks:
    """What follows a ? are parameters, all of them."""

    @pytest.mark.parametrize("end", ["?x.db", "?", "?mode=", "?uri=true&x.db", "?x.db&uri=true"])
    def test_a_file_whose_name_would_be_cut_off_is_refused(self, tmp_path: Path, end: str) -> None:
        """Two names that differ only behind the ? would lead to one file."""
        assert "a ? within a file's name is written %3F" in refused(f"sqlite:///{tmp_path}/q{end}")
        assert list(tmp_path.iterdir()) == []

    def test_a_file_whose_name_has_one_can_be_named(self, tmp_path: Path) -> None:
        """The control, with parameters in their place as well."""
        with SqlStore.open(f"sqlite:///{tmp_path}/q%3Fx.db") as store:
            assert store.documents(ALL).rows == ()
        assert (tmp_path / "q?x.db").stat().st_size
        with SqlStore.open(f"sqlite:///file:{tmp_path}/r.db?uri=true&psow=1") as store:
            assert store.documents(ALL).rows == ()
        assert (tmp_path / "r.db").stat().st_size

    def test_a_parameter_without_a_value_is_refused_everywhere(self) -> None:
        """It was dropped in silence, whatever it should have been."""
        for end in ("?sslmode", "?sslmode=", "?sslmode=require&x"):
            assert "NAME=VALUE each" in refused(f"postgresql://u@127.0.0.1/db{end}")


class TestConnectTimeout:
    """A parameter of libpq's that the store gives, too."""

    @pytest.mark.parametrize("value", ["abc", "1.5", "inf", "%20", "1e3", "99999999999", "1&connect_timeout=2"])
    def test_what_is_no_number_of_seconds_is_refused(self, value: str) -> None:
        """It was ignored."""
        told = refused(f"postgresql://u@127.0.0.1/db?connect_timeout={value}")
        assert "its connect_timeout is not a whole number of seconds" in told

    def test_that_of_the_url_counts(self, schema: PostgresqlDatabase) -> None:
        """And so does its name for the program."""
        with SqlStore.open(f"{schema.url}&connect_timeout=7&application_name=mine") as store:
            held = store._connections.take()
            parameters = held[0].driver_connection.info.get_parameters()  # type: ignore[union-attr]  # psycopg's
            store._connections.give(held)
        assert (parameters["connect_timeout"], parameters["application_name"]) == ("7", "mine")


class TestCommandLine:
    """What looks at a URL before it is opened: a question must make no file."""

    @pytest.mark.parametrize("given", [f"host=127.0.0.1 password={CANARY}", f"PASSWORD={CANARY}"])
    def test_what_may_hold_a_password_is_not_taken_for_a_path(self, given: str) -> None:
        """A path is told as it was given, and this might be libpq's other way to name a database."""
        with pytest.raises(faults.UnreadableDatabaseUrl) as raised, opened(given):
            pass
        assert CANARY not in str(raised.value)

    @pytest.mark.parametrize("may_create", [False, True])
    def test_a_name_that_would_be_cut_off_is_told_at_once(self, tmp_path: Path, *, may_create: bool) -> None:
        """And not with the advice to load documents, which would be refused as well."""
        with (
            pytest.raises(faults.UnreadableDatabaseUrl, match="written %3F"),
            opened(f"sqlite:///{tmp_path}/q?x.db", may_create=may_create),
        ):
            pass
        assert list(tmp_path.iterdir()) == []

    def test_a_file_that_is_not_there_is_told(self, tmp_path: Path) -> None:
        """The control."""
        for given in ("q%3Fx.db", "q?uri=true"):
            with pytest.raises(NoDatabase), opened(f"sqlite:///{tmp_path}/{given}"):
                pass
        with pytest.raises(NoUrl), opened("regen.db"):
            pass
