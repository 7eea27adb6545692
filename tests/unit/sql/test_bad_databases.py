"""A database that can't be used is refused with a sentence that says what to do, and is left as it was."""

from __future__ import annotations

import os
import pickle
import sqlite3
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from regen_core.access import Scope
from regen_core.adapters.sql import SqlStore, faults, on_sqlite
from regen_core.adapters.sql.backend import translated
from regen_core.adapters.sql.schema import SCHEMA_VERSION
from regen_core.documents import BillingDocument, BillingItem, DocumentHeader, DocumentKey, DocumentType, ItemSource
from regen_core.ports import DocumentLoaded, StoreFault
from regen_core.request import RegenerateRequest
from tests.concurrency.requests import at_once

ALL = Scope(tenant="t1", entity="e1", orgs=None)


def url(path: Path) -> str:
    """The URL of a file."""
    return f"sqlite:///{path}"


def document() -> BillingDocument:
    """An invoice of one item."""
    key = DocumentKey(tenant="t1", entity="e1", type=DocumentType.INVOICE, id="d1")
    header = DocumentHeader(key=key, number="N-1", status="Posted", date=date(2026, 1, 31), currency="EUR")
    return BillingDocument(header, (BillingItem(id="i1", amount=Decimal(10), source=ItemSource.SUBSCRIPTION),))


def refused(path: Path, kind: type[StoreFault], **options: Any) -> str:
    """The sentence with which opening is refused; the file stays as it was."""
    before = path.read_bytes() if path.exists() else None
    with pytest.raises(kind) as raised:
        SqlStore.open(url(path), **options)
    if before is not None:
        assert path.read_bytes() == before
    return str(raised.value)


class TestOpening:
    """What is looked at before anything is read or written."""

    def test_a_missing_file_and_an_empty_one_get_the_schema(self, tmp_path: Path) -> None:
        """The first use needs no command of its own."""
        (tmp_path / "empty.db").touch()
        for name in ("empty.db", "missing.db"):
            with SqlStore.open(url(tmp_path / name)) as store:
                assert store.documents(ALL).rows == ()

    def test_a_file_may_be_named_as_sqlite_does(self, tmp_path: Path) -> None:
        """A URL within the URL, for SQLite's own options."""
        with SqlStore.open(f"sqlite:///file:{tmp_path}/regen.db?uri=true") as store:
            assert store.documents(ALL).rows == ()

    def test_a_file_that_is_no_database(self, tmp_path: Path) -> None:
        """A text file, for instance the documents that were meant to be loaded."""
        path = tmp_path / "invoices.json"
        path.write_text('{"id": "8ad08d29"}' * 100)
        assert "is not an SQLite database" in refused(path, faults.NotADatabase)

    def test_a_database_of_somebody_else(self, tmp_path: Path) -> None:
        """It has tables; a table that happens to be called as one of ours doesn't make it ours."""
        path = tmp_path / "other.db"
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE documents (id)")
        connection.close()
        assert "belongs to another program" in refused(path, faults.ForeignDatabase)

    @pytest.mark.parametrize(
        ("version", "kind"), [("9999", "NewerDatabase"), ("0000", "OlderDatabase"), ("00021", "OlderDatabase")]
    )
    def test_a_schema_of_another_version(self, tmp_path: Path, version: str, kind: str) -> None:
        """The sentence names both versions."""
        path = tmp_path / "regen.db"
        SqlStore.open(url(path)).close()
        connection = sqlite3.connect(path)
        connection.execute("UPDATE regen_core_version SET version_num = ?", (version,))
        connection.commit()
        connection.close()
        told = refused(path, getattr(faults, kind))
        assert version in told
        assert SCHEMA_VERSION in told

    def test_a_schema_without_a_version(self, tmp_path: Path) -> None:
        """The marker's table is there and empty."""
        path = tmp_path / "regen.db"
        SqlStore.open(url(path)).close()
        connection = sqlite3.connect(path)
        connection.execute("DELETE FROM regen_core_version")
        connection.commit()
        connection.close()
        refused(path, faults.OlderDatabase)

    def test_a_missing_directory(self, tmp_path: Path) -> None:
        """It isn't made: a typo must not become a new place."""
        assert "its directory doesn't exist" in refused(tmp_path / "no" / "regen.db", faults.DatabaseUnavailable)
        assert not (tmp_path / "no").exists()
        (tmp_path / "file").touch()
        assert "its directory doesn't exist" in refused(tmp_path / "file" / "regen.db", faults.DatabaseUnavailable)

    def test_a_directory(self, tmp_path: Path) -> None:
        """Named with a slash at its end or without one; nothing is made in it."""
        for given in (f"sqlite:///{tmp_path}", f"sqlite:///{tmp_path}/"):
            with pytest.raises(faults.UnreadableDatabaseUrl, match="it names a directory, and a file is needed"):
                SqlStore.open(given)
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        "given",
        [
            "",
            "regen.db",
            "nosuch://x",
            "sqlite://",
            "sqlite:///:memory:",
            "mysql://user:secret@host/db",
            "a@b:secret",
        ],
    )
    def test_a_url_that_names_no_file(self, given: str) -> None:
        """And no password is ever repeated."""
        with pytest.raises(faults.UnreadableDatabaseUrl) as raised:
            SqlStore.open(given)
        assert "secret" not in str(raised.value)

    @pytest.mark.parametrize("setting", [{"synchronous": "NORMAL"}, {"synchronous": "OFF"}, {"journal_mode": "DELETE"}])
    def test_weak_durability(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: dict[str, str]) -> None:
        """IDM-7: a setting that doesn't take is found by reading it back."""
        monkeypatch.setattr(on_sqlite, "SETTINGS", {**on_sqlite.SETTINGS, **setting})
        with pytest.raises(faults.DurabilityTooWeak, match=next(iter(setting))):
            SqlStore.open(url(tmp_path / "regen.db"))

    def test_every_connection_is_durable(self, tmp_path: Path) -> None:
        """IDM-7: also those that are opened later."""
        with SqlStore.open(url(tmp_path / "regen.db")) as store:
            held = [store._connections.take() for _ in range(20)]
            for connection, cursor in held:
                found = [cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]
                assert found == ["wal", 2]
                store._connections.give((connection, cursor))

    def test_many_may_open_a_new_file_at_once(self, tmp_path: Path) -> None:
        """One makes the schema, the others find it."""
        path = tmp_path / "regen.db"

        def seen() -> object:
            with SqlStore.open(url(path)) as store:
                return store.documents(ALL).rows

        assert at_once([seen] * 8) == [()] * 8


class TestReadOnly:
    """A store that can't be written is refused at once, not at the first write."""

    def test_a_url_that_asks_for_reading_only(self, tmp_path: Path) -> None:
        """SQLite's own way to say it."""
        path = tmp_path / "regen.db"
        SqlStore.open(url(path)).close()
        with pytest.raises(faults.ReadOnlyDatabase):
            SqlStore.open(f"sqlite:///file:{path}?mode=ro&uri=true")

    @pytest.mark.parametrize("part", ["regen.db", "."])
    def test_a_file_or_directory_without_the_right_to_write(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str
    ) -> None:
        """SQLite needs the directory, too, for the files beside the database."""
        path = tmp_path / "regen.db"
        SqlStore.open(url(path)).close()
        denied, allowed = os.path.realpath(tmp_path / part), os.access

        def access(of: str, mode: int) -> bool:
            return os.path.realpath(of) != denied and allowed(of, mode)

        monkeypatch.setattr(os, "access", access)
        assert "read-only" in refused(path, faults.ReadOnlyDatabase)
        if part == ".":
            assert "read-only" in refused(tmp_path / "new.db", faults.ReadOnlyDatabase)

    def test_a_file_that_turns_read_only(self, tmp_path: Path) -> None:
        """The driver's word for it is translated, and nothing is stored."""
        with SqlStore.open(url(tmp_path / "regen.db")) as store:
            _on_its_connection(store, "PRAGMA query_only = ON")
            with pytest.raises(faults.ReadOnlyDatabase):
                store.load(document())


class TestLocked:
    """Another process holds the write lock."""

    @pytest.mark.parametrize(
        "verb",
        [
            lambda store: store.load(document()),
            lambda store: store.regenerate(ALL, RegenerateRequest(type=DocumentType.INVOICE, id="d1")),
            lambda store: store.deliver_to_ledger(ALL, 1),
        ],
    )
    def test_a_writer_waits_and_then_says_so(self, tmp_path: Path, verb: Callable[[SqlStore], object]) -> None:
        """And once the lock is free the same call works."""
        path = tmp_path / "regen.db"
        with SqlStore.open(url(path), busy_timeout=0.02) as store:
            other = sqlite3.connect(path, isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(faults.DatabaseBusy, match="locked by another process"):
                verb(store)
            other.execute("ROLLBACK")
            other.close()
            verb(store)

    def test_a_new_file_that_is_locked(self, tmp_path: Path) -> None:
        """The schema can't be made."""
        path = tmp_path / "regen.db"
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("PRAGMA journal_mode = WAL")
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(faults.DatabaseBusy):
            SqlStore.open(url(path), busy_timeout=0.02)
        other.close()


class TestDamaged:
    """Rows that the library didn't write, or not like this."""

    @pytest.mark.parametrize(
        "damage",
        [
            'UPDATE document_versions SET items = \'[{"id":"i1"}]\'',
            "UPDATE document_versions SET items = 'x'",
            "UPDATE document_versions SET items = '[]'",
            "UPDATE document_versions SET header = '[]'",
            "UPDATE document_versions SET header = '{\"number\":1}'",
            "UPDATE transactions SET content_version = 7",
        ],
    )
    def test_content_that_cannot_be_read_is_told(self, tmp_path: Path, damage: str) -> None:
        """Nothing is guessed, and nothing is written."""
        path = tmp_path / "regen.db"
        request = RegenerateRequest(type=DocumentType.INVOICE, id="d1")
        with SqlStore.open(url(path)) as store:
            store.load(document())
            store.regenerate(ALL, request)
            other = sqlite3.connect(path, isolation_level=None)
            other.execute(damage)
            before = list(other.iterdump())
            for verb in (store.plan, store.regenerate):
                with pytest.raises(faults.NotADatabase, match="damaged"):
                    verb(ALL, request)
            assert list(other.iterdump()) == before
            other.close()


class TestFull:
    """The disk is full: simulated by a limit on the number of pages."""

    def test_nothing_of_the_operation_is_stored(self, tmp_path: Path) -> None:
        """A batch that doesn't fit leaves what was there, and the store goes on when there is room."""
        with SqlStore.open(url(tmp_path / "regen.db")) as store:
            store.load(document())
            _on_its_connection(store, "PRAGMA max_page_count = 1")
            many = [_numbered(number) for number in range(2, 500)]
            with pytest.raises(faults.DatabaseFull, match="disk is full"):
                store.load_all(many)
            assert store.documents(ALL).rows == (document(),)
            _on_its_connection(store, "PRAGMA max_page_count = 1000000")
            assert len(store.load_all(many)) == 498

    def test_a_file_that_reached_a_limit_of_its_size(self, tmp_path: Path) -> None:
        """The process's own, as by ``ulimit -f``: SQLite says no more than that it couldn't write."""
        resource = pytest.importorskip("resource")
        with SqlStore.open(url(tmp_path / "regen.db")) as store:
            store.load(document())
            before = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, before[1]))
            try:
                with pytest.raises(faults.DatabaseUnavailable, match="a quota or a limit of its file's size"):
                    store.load_all([_numbered(number) for number in range(2, 2000)])
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, before)
            assert store.documents(ALL).rows == (document(),)
            assert isinstance(store.load(_numbered(2)), DocumentLoaded)


def _on_its_connection(store: SqlStore, pragma: str) -> None:
    held = store._connections.take()
    held[1].execute(pragma)
    store._connections.give(held)


def _numbered(number: int) -> BillingDocument:
    key = DocumentKey(tenant="t1", entity="e1", type=DocumentType.INVOICE, id=f"d{number}")
    header = DocumentHeader(key=key, number=f"N-{number}", status="Posted", date=date(2026, 1, 31), currency="EUR")
    return BillingDocument(header, (BillingItem(id=f"i{number}", amount=Decimal(10)),))


class TestFaults:
    """The faults themselves."""

    @pytest.mark.parametrize("name", [name for name in faults.__all__ if name[0].isupper()])
    def test_each_is_a_store_fault_that_survives_pickling(self, name: str) -> None:
        """It may have to travel between processes; and its sentence ends by saying what to do."""
        fault = getattr(faults, name)("sqlite:///x.db", "a", "b", "c")
        assert isinstance(fault, StoreFault)
        assert str(pickle.loads(pickle.dumps(fault))) == str(fault)  # noqa: S301  # our own bytes
        assert str(fault).startswith("The database sqlite:///x.db ")
        assert str(fault).endswith(".")

    def test_other_failures_keep_the_drivers_name(self) -> None:
        """So that a report of it can be understood."""
        error = sqlite3.OperationalError("disk I/O error")
        assert "OperationalError" in str(on_sqlite.BACKEND.fault_of(error, "x"))

    def test_our_own_mistakes_are_not_translated(self) -> None:
        """They are no fault of the database."""
        with pytest.raises(sqlite3.IntegrityError), translated(on_sqlite.BACKEND, "x"):
            raise sqlite3.IntegrityError
