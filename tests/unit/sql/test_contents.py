"""Contents that were read lately: found by their whole text, so never another document's or an older one's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from regen_core.access import Scope
from regen_core.adapters.sql import SqlStore, rows
from regen_core.adapters.sql.contents import Content, content_of_row, content_row
from regen_core.adapters.sql.rows import Contents, Row, key_of_row, key_row
from regen_core.adapters.sql.sandbox import SqlSandbox
from regen_core.documents import BillingDocument
from regen_core.regeneration import Regeneration
from regen_core.request import RegenerateRequest
from tests.conformance.conftest import invoice

ALL = Scope(tenant="t1", entity="e1", orgs=None)


def document(name: str, amount: str = "10.00") -> BillingDocument:
    """An invoice with one item."""
    return invoice(name, id=name, items=((f"{name}-1", amount),))


def read(contents: Contents, of: BillingDocument) -> Content:
    """A document by way of its row, each time with texts of its own, as a driver gives them."""
    fresh = tuple(["".join([*text]) for text in content_row(of)])
    return contents.of(key_row(of.key), fresh)


class TestFinding:
    """What is the same is read once; what isn't, is read."""

    def test_a_row_that_is_read_again_is_kept(self) -> None:
        """All later readers share one value, which is what was written; what was read only once takes no memory."""
        contents, written = Contents(), document("d1")
        first = read(contents, written)
        assert first.document == written
        assert not contents._younger
        again = read(contents, written)
        assert again.document == written
        assert again is not first
        assert read(contents, written) is read(contents, written) is again

    @pytest.mark.parametrize("name", ["tenant", "entity", "id"])
    def test_another_key_is_another_document(self, name: str) -> None:
        """Even where all else is equal."""
        contents, written = Contents(), document("d1")
        changed: dict[str, Any] = {name: "other"}
        moved = evolve(written, header=evolve(written.header, key=evolve(written.key, **changed)))
        for _ in range(3):
            read(contents, written)
        for _ in range(3):
            assert read(contents, moved).document == moved

    def test_another_text_is_another_content(self) -> None:
        """Of the same document, in whichever column it differs."""
        contents, written = Contents(), document("d1")
        for _ in range(3):
            read(contents, written)
        for other in (document("d1", "11.00"), evolve(written, header=evolve(written.header, reason_code="r"))):
            assert read(contents, other).document == other


class TestForgetting:
    """Memory has a bound, and what is in use stays."""

    @pytest.fixture(autouse=True)
    def _small(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(rows, "MOST_TEXT", 2_000)

    def test_never_more_than_two_generations(self) -> None:
        """However many there are."""
        contents = Contents()
        for number in range(200):
            for _ in range(2):
                read(contents, document(f"d{number}"))
            kept = [*contents._younger, *contents._older]
            assert sum(len(text) for name in kept for text in name[4:]) <= 2 * 2_000
        assert len(kept) > 2

    def test_what_is_read_again_is_kept(self) -> None:
        """While others come and go."""
        contents, used = Contents(), document("used")
        for each in (used, document("left")):
            read(contents, each)
        kept, forgotten = read(contents, used), read(contents, document("left"))
        assert read(contents, document("left")) is forgotten
        for number in range(200):
            for _ in range(2):
                read(contents, document(f"d{number}"))
            assert read(contents, used) is kept
        assert read(contents, document("left")) is not forgotten

    def test_many_that_come_once_drive_out_none(self) -> None:
        """A run over all documents leaves at hand what is in use."""
        contents, used = Contents(), document("used")
        read(contents, used)
        kept = read(contents, used)
        for number in range(500):
            read(contents, document(f"d{number}"))
        assert [*contents._younger.values()] == [kept]

    def test_those_that_came_once_are_forgotten_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Their number has a bound of its own."""
        monkeypatch.setattr(rows, "MOST_ONCE", 10)
        contents = Contents()
        for number in range(100):
            read(contents, document(f"d{number}"))
            assert len(contents._once) <= 10

    def test_one_that_is_larger_than_a_generation_is_read_all_the_same(self) -> None:
        """It takes the place of all others."""
        contents = Contents()
        large = invoice("large", id="large", items=tuple((f"item {number}", "1") for number in range(500)))
        for _ in range(3):
            assert read(contents, large).document == large


def regenerated(store: SqlStore) -> list[str]:
    """The amounts that a regeneration writes."""
    done = store.regenerate(ALL, RegenerateRequest(type=document("d1").type, id="d1", re_migrate=True))
    assert isinstance(done, Regeneration)
    return [str(written.amount) for written in done.writes]


@contextmanager
def replaced(directory: Path) -> Iterator[SqlStore]:
    """A store whose document was taken away behind its back and came again in another shape, with the same version."""
    url = f"sqlite:///{directory / 'regen.db'}"
    with SqlStore.open(url) as store, SqlStore.open(url) as other:
        store.load(document("d1"))
        for _ in range(3):
            assert regenerated(store) == ["10.00"]
        with SqlSandbox.open(url) as sandbox:
            sandbox.empty(ALL)
        other.load(document("d1", "11.00"))
        yield store


def test_a_version_that_came_again_is_read_again(tmp_path: Path) -> None:
    """A database may be emptied or restored; versions begin again, and say nothing."""
    with replaced(tmp_path) as store:
        assert regenerated(store) == ["11.00"]


def test_control_found_by_key_alone_it_is_an_older_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the same check sees of a store that asks for the key only."""
    known: dict[Row, Content] = {}

    def by_key(_: Contents, key: Row, row: Row) -> Content:
        return known.setdefault(key, content_of_row(key_of_row(key), row))

    monkeypatch.setattr(Contents, "of", by_key)
    with replaced(tmp_path) as store:
        assert regenerated(store) == ["10.00"]
