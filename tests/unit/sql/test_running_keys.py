"""Stores on one database hear of each other's running keys, those on two don't (IDM-3)."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from regen_core.access import Scope
from regen_core.adapters.sql import SqlStore
from regen_core.adapters.sql.faults import DatabaseBusy
from regen_core.adapters.sql.key_file import KeyFile
from regen_core.adapters.sql.together import Claims
from regen_core.documents import BillingDocument, DocumentType
from regen_core.idempotency import Replay
from regen_core.ports import Answer, IdempotentCall
from regen_core.refusals import IdempotencyKeyInProgress
from regen_core.regeneration import Regeneration
from regen_core.request import RegenerateRequest
from tests.conformance.conftest import invoice
from tests.conformance.databases import PostgresqlDatabase
from tests.postgresql_server import Server

ALL = Scope(tenant="t1", entity="e1", orgs=None)
REQUEST = RegenerateRequest(type=DocumentType.INVOICE, id="d1")


def call(answer: Callable[[object], Answer]) -> IdempotentCall:
    """One request under one key."""
    return IdempotentCall(client="c1", key="k1", answer=answer)


def done(_: object) -> Answer:
    """An answer at once."""
    return Answer(200, b"done")


def heard_meanwhile(first: SqlStore, second: SqlStore) -> object:
    """What the second store says to a key that is running in the first."""
    heard: list[object] = []

    def answer(outcome: object) -> Answer:
        try:
            heard.append(second.regenerate(ALL, REQUEST, idempotent=call(done)))
        except DatabaseBusy as busy:
            heard.append(busy)
        return done(outcome)

    assert isinstance(first.regenerate(ALL, REQUEST, idempotent=call(answer)), Regeneration)
    return heard[0]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A file with a document, whose name has to be encoded in a URI."""
    path = tmp_path / "a b%20c.db"
    document: BillingDocument = invoice()
    with SqlStore.open(f"sqlite:///{str(path).replace('%', '%25')}") as store:
        store.load(document)
    assert path.is_file()
    return path


SPELLINGS = {
    "path": lambda path: str(path).replace("%", "%25"),
    "URI": lambda path: f"file:{str(path).replace('%', '%2525').replace(' ', '%2520')}?uri=true",
    "URI with host": lambda path: f"file://localhost{str(path).replace('%', '%2525').replace(' ', '%2520')}?uri=true",
    "URI of letters": lambda path: f"file:{path.parent}/%2561 b%252520c.db?uri=true",
    "link": lambda path: str(_link_to(path)),
}


def _link_to(path: Path) -> Path:
    link = path.with_name("link.db")
    link.symlink_to(path)
    return link


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_key_is_running_for_every_spelling(place: Path, spelling: str) -> None:
    """The other one hears so at once, where it would wait for the lock of the database with a file of its own."""
    with (
        SqlStore.open(f"sqlite:///{SPELLINGS['path'](place)}") as first,
        SqlStore.open(f"sqlite:///{SPELLINGS[spelling](place)}", busy_timeout=0.01) as second,
    ):
        assert isinstance(heard_meanwhile(first, second), IdempotencyKeyInProgress)
        assert isinstance(second.regenerate(ALL, REQUEST, idempotent=call(done)), Replay)
    assert [name for name in os.listdir(place.parent) if name.endswith("-keys")] == [f"{place.name}-keys"]


def test_control_with_files_of_their_own_they_wait(place: Path) -> None:
    """The control: a second file beside the same database tells nobody."""
    with (
        SqlStore.open(f"sqlite:///{SPELLINGS['path'](place)}") as first,
        SqlStore.open(f"sqlite:///{SPELLINGS['URI'](place)}", busy_timeout=0.01) as second,
    ):
        other = place.with_name("other")
        other.touch()
        second._claims = Claims(KeyFile(str(other), "here").claimed, lambda: False)
        assert isinstance(heard_meanwhile(first, second), DatabaseBusy)


def test_two_schemas_have_keys_of_their_own(schema: PostgresqlDatabase, postgresql: Server) -> None:
    """Staging runs a key while production does."""
    other = PostgresqlDatabase(postgresql, postgresql.new_schema())
    with SqlStore.open(schema.url) as first, SqlStore.open(other.url) as second:
        first.load(invoice())
        second.load(invoice())
        assert isinstance(heard_meanwhile(first, second), Regeneration)
        assert isinstance(second.regenerate(ALL, REQUEST, idempotent=call(done)), Replay)


def test_control_one_schema_has_one_of_each(schema: PostgresqlDatabase) -> None:
    """The control: stores on one schema hear of each other."""
    with SqlStore.open(schema.url) as first, SqlStore.open(schema.url) as second:
        first.load(invoice())
        assert isinstance(heard_meanwhile(first, second), IdempotencyKeyInProgress)
        assert isinstance(second.regenerate(ALL, REQUEST, idempotent=call(done)), Replay)
