"""The store on a database, by SQLAlchemy Core: an SQLite file that needs no server, or PostgreSQL."""

from regen_core.adapters.sql.store import SqlStore

__all__ = ["SqlStore"]
