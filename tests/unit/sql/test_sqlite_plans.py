"""How SQLite finds many documents by their names: by an index on the names, however many a tenant has."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import create_engine

from regen_core.adapters.sql import SqlStore
from regen_core.adapters.sql.prepared import Prepared
from regen_core.adapters.sql.statements import Statements
from regen_core.adapters.sql.upgrades import upgrade

SIZE = 256
SHARED = "(tenant=? AND entity=? AND document_type=?)"
"""What a search says that goes through all documents of a tenant."""


def look_ups(statements: Statements) -> Iterator[tuple[str, Prepared]]:
    """Those of many names, by what they look for."""
    look = statements.lookups
    yield "numbers", look.number_owners(SIZE)
    yield "items", look.item_owners(SIZE)
    for name in ("document_id", "number"):
        yield f"documents by {name}", look.documents_of(name, None, SIZE)
        yield f"transactions by {name}", look.transactions_of_all(name, SIZE)
        yield f"one document by {name}", look.documents_named((name,), None)
    yield "transactions of one", look.transactions_of
    yield "transactions of a number", look.transactions_of_number


def through_a_tenant(path: Path, statements: Statements) -> list[str]:
    """The look-ups that go through all that a tenant has."""
    connection = sqlite3.connect(path)
    found = []
    for name, statement in look_ups(statements):
        given = ["x"] * statement.sql.count("?")
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement.sql}", given)]
        found += [f"{name}: {step}" for step in plan if SHARED in step or step.startswith("SCAN")]
    connection.close()
    return found


def test_names_are_looked_up_by_their_own_index(tmp_path: Path) -> None:
    """In a store that was made a moment ago, in which nothing could have been counted."""
    path = tmp_path / "regen.db"
    with SqlStore.open(f"sqlite:///{path}") as store:
        assert through_a_tenant(path, store._units.statements) == []


def test_an_upgraded_store_knows_it_too(tmp_path: Path) -> None:
    """The steps of the schema make no estimates; whoever goes them does."""
    path = tmp_path / "regen.db"
    made = create_engine(f"sqlite:///{path}")
    with made.begin() as connection:
        upgrade(connection, "0001")
    made.dispose()
    with SqlStore.open(f"sqlite:///{path}") as store:
        assert through_a_tenant(path, store._units.statements) == []


def test_control_without_estimates_some_go_through_the_tenant(tmp_path: Path) -> None:
    """What SQLite guesses by itself."""
    path = tmp_path / "regen.db"
    with SqlStore.open(f"sqlite:///{path}") as store:
        connection = sqlite3.connect(path)
        connection.execute("DELETE FROM sqlite_stat1")
        connection.commit()
        connection.close()
        assert through_a_tenant(path, store._units.statements) != []
