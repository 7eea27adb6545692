"""What only people who experiment may do to a store: empty it, and let Revenue lose a line.

No service that works does either, so no port of the core has it.
"""

from __future__ import annotations

from typing import Final, Self

from sqlalchemy import Dialect, Table

from regen_core.access import Scope
from regen_core.adapters.sql.conditions import DOCUMENT, equal
from regen_core.adapters.sql.engine import open_database
from regen_core.adapters.sql.prepared import Prepared, prepare
from regen_core.adapters.sql.rows import key_row
from regen_core.adapters.sql.schema import METADATA, revenue
from regen_core.adapters.sql.unit import Connections
from regen_core.adapters.sql.units import Units
from regen_core.documents import DocumentKey

__all__ = ["SqlSandbox"]

_ENTITY: Final = ("tenant", "entity")


class SqlSandbox:
    """Experiments on a database, beside the store that is open on it; safe to share between threads."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._units = Units(connections)
        self.where = connections.where
        """The database as it may be shown: without a password."""

    @classmethod
    def open(cls, url: str) -> SqlSandbox:
        """Open the database of a store's URL. Raises a :class:`~regen_core.ports.StoreFault` where it can't be used."""
        return cls(open_database(url))

    def close(self) -> None:
        """Close the connections."""
        self._connections.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def empty(self, scope: Scope) -> None:
        """Remove everything of a tenant's entity, whatever its organisation, in one unit of work."""
        dialect = self._connections.engine.dialect
        statements = [_emptying(table, dialect) for table in _of_entities()]
        row = (scope.tenant, scope.entity)
        self._units.write(lambda reader: [reader.unit.write(statement, row) for statement in statements])

    def lose(self, scope: Scope, key: DocumentKey, item_id: str) -> bool:
        """Let Revenue hold nothing for a line any more; whether it held something in the scope's tenant and entity.

        Whether the line may be seen is for whoever asks to know (ACC-4).
        """
        names = (*DOCUMENT, "item_id")
        statement = prepare(revenue.delete().where(equal(revenue, *names)), self._connections.engine.dialect, names)
        row = (scope.tenant, scope.entity, *key_row(key)[2:], item_id)
        return self._units.write(lambda reader: reader.unit.write(statement, row)) > 0


def _of_entities() -> tuple[Table, ...]:
    """The tables that belong to entities, those that point to others first."""
    found = [table for table in reversed(METADATA.sorted_tables) if set(_ENTITY) <= set(table.c.keys())]
    return tuple(found)


def _emptying(table: Table, dialect: Dialect) -> Prepared:
    return prepare(table.delete().where(equal(table, *_ENTITY)), dialect, _ENTITY)
