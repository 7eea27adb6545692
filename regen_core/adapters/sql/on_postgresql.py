"""PostgreSQL: writers side by side, each with the lock on its document's row, and statements in pipelines."""

from __future__ import annotations

import os
import re
import select
import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

import psycopg
from psycopg.conninfo import make_conninfo
from sqlalchemy.engine import URL

from regen_core.adapters.sql import faults
from regen_core.adapters.sql.backend import Ask, Backend, Claims
from regen_core.adapters.sql.keys import RunningKeys
from regen_core.adapters.sql.no_connection import why_not
from regen_core.ports import StoreFault

__all__ = ["BACKEND", "STATEMENT_TIMEOUT"]

STATEMENT_TIMEOUT: Final = 120.0
"""Seconds that one statement may take: a batch of the largest size is done in a fraction of it."""

_ABANDONED: Final = 120.0
"""Seconds after which the server ends a unit that says nothing, so that a client's machine that died holds no lock."""

_SECONDS: Final = re.compile("-?[0-9]{1,6}")
"""Those of ``connect_timeout``, which the driver reads by itself; zero and less is its own default."""

_NEEDED: Final = (
    ("fsync", ("on",), faults.DurabilityTooWeak),
    ("synchronous_commit", ("on", "local", "remote_write", "remote_apply"), faults.DurabilityTooWeak),
    ("full_page_writes", ("on",), faults.DurabilityTooWeak),
    ("server_encoding", ("UTF8",), faults.UnsuitableDatabase),
    ("transaction_read_only", ("off",), None),
)
"""Settings that are read on every connection, the values that will do, and the fault otherwise: read-only for the last.

With the first three a commit is on the disk before it is acknowledged, and a crash tears no page."""

_NAMES: Final = (
    "SELECT relname FROM pg_catalog.pg_class WHERE relnamespace = current_schema()::regnamespace "
    "AND relkind NOT IN ('i', 'I', 't') AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend "
    "WHERE classid = 'pg_catalog.pg_class'::regclass AND objid = pg_class.oid AND deptype = 'e')"
)
"""Tables, views, sequences and types of their kind; what an extension brought is nobody's data."""

_TIMEOUTS: Final = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")
_SET_UP: Final = "SELECT " + ", ".join(
    [*[f"set_config('{name}', %s, false)" for name in _TIMEOUTS], *[f"current_setting('{row[0]}')" for row in _NEEDED]]
)

_BY_CODE: Final = {
    "25006": faults.ReadOnlyDatabase,  # a transaction that is read-only
    "42501": faults.ReadOnlyDatabase,  # a right that the role hasn't
    "53100": faults.DatabaseFull,  # a full disk
    "53300": faults.DatabaseBusy,  # too many connections
    "55P03": faults.DatabaseBusy,  # a lock that wasn't granted in time
    "57014": faults.StatementStopped,  # a statement that took too long, or was cancelled
}
"""The server's codes, and what they mean here."""

_NO_SUCH_PLACE: Final = {
    "3D000": "it has no such database",
    "3F000": "it has no such schema, or the user has no right to use it (GRANT USAGE ON SCHEMA)",
}
"""Names of the URL that lead nowhere; the server doesn't tell a schema that is hidden from one that isn't there."""

_TAKEN: Final = "something else has the name of a table"

_ALTERED: Final = {
    "42P01": "a table is missing",
    "42703": "a column is missing",
    "42P10": "a key is missing",
    "42804": "a column has another type",
    "42883": "a column has another type",  # which has no such operator
    "42P07": _TAKEN,
    "42710": _TAKEN,  # a type
    "42809": _TAKEN,  # a sequence, a materialized view
    "55000": _TAKEN,  # a view that takes no rows
}
"""The schema isn't as it was made."""

_SHARED: Final = {
    "26000": "a prepared statement is gone",
    "42P05": "a prepared statement is there already",
}
"""Somebody else prepares statements on the same session, or ends them."""

_DETAILED: Final = (
    (_NO_SUCH_PLACE, faults.ServerUnavailable),
    (_ALTERED, faults.AlteredTables),
    (_SHARED, faults.SharedConnection),
)

_CONFLICTS: Final = ("40001", "40P01", "23505", "23502", "0A000")
"""Units were in each other's way: not serializable, a deadlock, a name that another unit took first, a document that
moved although it was locked (:meth:`~regen_core.adapters.sql.statements.Statements.move_locked_document`); or a table
was altered under the plan of a statement, which the next connection makes anew."""

_GONE: Final = ("08", "57P")
"""How the codes of a broken connection and of a server that goes down begin."""


def _check(url: URL, where: str) -> None:
    """Nothing can be said about a server before it is asked, but which parameters a URL may have is known."""
    try:
        make_conninfo(**dict.fromkeys(url.query, ""))
    except psycopg.ProgrammingError:
        raise faults.UnreadableDatabaseUrl(where, "it has a parameter that libpq doesn't know") from None
    if _SECONDS.fullmatch(str(url.query.get("connect_timeout", "0"))) is None:
        raise faults.UnreadableDatabaseUrl(where, "its connect_timeout is not a whole number of seconds")


def _options(busy_timeout: float) -> Mapping[str, Any]:
    given = {"connect_timeout": max(2, round(busy_timeout)), "application_name": "regen_core"}
    return {**given, "autocommit": True, "prepare_threshold": 1}


def _set_up(connection: psycopg.Connection[Any], where: str, busy_timeout: float) -> None:
    """Set what a connection needs and read back what its server has; raises a fault where that is too weak."""
    times = [f"{round(1000 * seconds)}ms" for seconds in (busy_timeout, STATEMENT_TIMEOUT, _ABANDONED)]
    row = connection.execute(_SET_UP, times).fetchone()
    assert row is not None, "a SELECT without FROM has a row"
    for (name, enough, fault), told in zip(_NEEDED, row[len(_TIMEOUTS) :], strict=True):
        found = told.decode() if isinstance(told, bytes) else told  # from an encoding that isn't one
        if found not in enough:
            raise faults.ReadOnlyDatabase(where) if fault is None else fault(where, name, found, enough[0])


def _is_alive(connection: psycopg.Connection[Any]) -> bool:
    """An idle connection has nothing to say; one on which something can be read was ended by the server."""
    if connection.closed:
        return False
    readable = select.poll()
    readable.register(connection.fileno(), select.POLLIN | select.POLLHUP | select.POLLERR)
    return not readable.poll(0)


def _sever(connection: psycopg.Connection[Any]) -> None:
    """Put a socket with nobody at its other end in the place of the server's, of which another process has a copy.

    So nothing is said to the server, not even that the connection ends; here it looks like one that the server ended.
    """
    ours, theirs = socket.socketpair()
    theirs.close()
    with ours, suppress(psycopg.Error):  # one that was closed has none
        os.dup2(ours.fileno(), connection.fileno(), inheritable=False)


def _claims(_: Ask, __: str) -> Claims:
    """The server knows who has a key, whichever process asks; in this one nobody has to ask it."""
    return RunningKeys().claimed


def _fault_of(error: BaseException, where: str) -> StoreFault | None:
    if not isinstance(error, psycopg.Error):
        return None
    code = error.sqlstate
    if code in _BY_CODE:
        return _BY_CODE[code](where)
    for details, kind in _DETAILED:
        if code in details:
            return kind(where, details[code])
    if isinstance(error, (psycopg.ProgrammingError, psycopg.DataError)):
        return None
    if code is None or code.startswith(_GONE):
        return faults.ConnectionLost(where, why_not(error, code))
    if code in _CONFLICTS:
        return faults.PassingConflict(where, type(error).__name__)
    if isinstance(error, psycopg.IntegrityError):
        return None
    return faults.DatabaseUnavailable(where, code)


BACKEND: Final = Backend(
    driver="postgresql+psycopg",
    paramstyle="format",
    reading="BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    writing="BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
    writing_as_read="BEGIN ISOLATION LEVEL REPEATABLE READ READ WRITE",
    names=_NAMES,
    changing=(
        "SELECT pg_advisory_xact_lock(hashtextextended('regen_core schema ' || current_schema(), 0))",
        "SET LOCAL statement_timeout = 0",
    ),
    estimate=None,
    locks_rows=True,
    key_claim="SELECT pg_try_advisory_xact_lock(%s::bigint # hashtextextended(current_schema(), 0))",
    is_pipelined=True,
    check=_check,
    options=_options,
    set_up=_set_up,
    is_alive=_is_alive,
    sever=_sever,
    claims=_claims,
    fault_of=_fault_of,
)
"""A unit that writes first locks its document and then reads it, each statement in a snapshot of its own: what it reads
is what was committed when it got the lock, and nobody moves it before the commit. A unit that reads has one snapshot,
and so has one that writes what must still be as it was read: where it isn't, the unit is begun again."""
