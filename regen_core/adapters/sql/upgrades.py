"""Upgrading an older schema to the present one, by the steps in ``migrations``.

A migration in Zuora's sense moves billing documents; what alembic calls one is an upgrade of our own tables.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from regen_core.adapters.sql.schema import SCHEMA_VERSION, version_table

__all__ = ["DIRECTORY", "is_known", "upgrade"]

DIRECTORY: Final = Path(__file__).with_name("migrations")
"""Where the steps are: one module per version, each of which stays as it was released."""


def is_known(version: str) -> bool:
    """Whether there is a way from a version.

    >>> is_known("0002"), is_known("00021")
    (True, False)
    """
    return version in {path.stem.removeprefix("v") for path in (DIRECTORY / "versions").glob("v*.py")}


def upgrade(connection: Connection, to: str = SCHEMA_VERSION) -> None:
    """Bring the schema up within the transaction that the caller began and commits; an empty database is the start."""
    steps = ScriptDirectory(str(DIRECTORY))

    def wanted(found: Any, _: MigrationContext) -> Any:
        return steps._upgrade_revs(to, found)

    context = MigrationContext.configure(connection, opts={"version_table": version_table.name, "fn": wanted})
    version_table.create(connection, checkfirst=True)
    with Operations.context(context):
        context.run_migrations()
