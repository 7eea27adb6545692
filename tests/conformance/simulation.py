"""The kit's seeded simulation on SQLite or PostgreSQL, beside the naive model: a seed is the same history on either.

From the command line, on a database of its own::

    python -m tests.conformance.simulation --on postgresql --seeds 0:100
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Final

from regen_core.adapters.sql import SqlStore
from regen_core.testing.simulation import run
from tests.conformance.databases import Database, PostgresqlDatabase, SqliteDatabase
from tests.conformance.test_sql_under_the_laws import SqlSubject
from tests.crash.directories import memory_directory
from tests.crash.seeds import Counted, chosen_seeds
from tests.postgresql_server import Server, running_server

__all__ = ["database_on", "main", "simulated"]

STEPS: Final = 500
"""Steps of a seed: more make histories longer and each step slower, for the model looks at all that was sent."""


@contextmanager
def database_on(kind: str, server: Server | None = None) -> Iterator[Database]:
    """A new database without a disk's slowness: for PostgreSQL a schema, of a new server if none is given."""
    if kind == "sqlite":
        with memory_directory() as directory:
            yield SqliteDatabase(Path(directory) / "simulated.db")
    else:
        with running_server() if server is None else nullcontext(server) as given:
            yield PostgresqlDatabase(given, given.new_schema())


def simulated(database: Database, store: SqlStore, seed: int) -> Counted:
    """One seed's history on an emptied database."""

    def places() -> Iterator[tuple[Database, SqlStore]]:
        database.clear()
        yield database, store

    try:
        return Counted("steps", run(seed, STEPS, lambda: SqlSubject(places())).steps)
    except AssertionError as disagreement:
        return Counted("steps", STEPS, {seed: f"seed {seed}: {disagreement}"})


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; the exit code is 1 where store and model disagree."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--on", choices=("sqlite", "postgresql"), default="sqlite")
    chosen, rest = parser.parse_known_args(arguments)
    with database_on(chosen.on) as database, SqlStore.open(database.url) as store:
        of_seed = partial(simulated, database, store)
        return chosen_seeds("tests.conformance.simulation", __doc__, of_seed, rest)


if __name__ == "__main__":
    sys.exit(main())
