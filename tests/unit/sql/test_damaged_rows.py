"""Every column of every table is damaged once: whoever reads it is told, and nobody else is held up."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from regen_core.access import Scope
from regen_core.adapters.cli.main import cli
from regen_core.adapters.sql import SqlStore, contents, rows
from regen_core.adapters.sql.faults import DamagedRows
from regen_core.adapters.sql.schema import METADATA
from regen_core.documents import DocumentType
from regen_core.migration import Run, accept, begin
from regen_core.ports import Answer, IdempotentCall, RegenerateCall
from regen_core.reconciliation import Period
from regen_core.regeneration import Regeneration
from regen_core.request import RegenerateRequest
from regen_core.transactions import Occasion
from tests.conformance.conftest import Clock, invoice

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
ALL = Scope(tenant="t1", entity="e1", orgs=None)
D1, D2 = (RegenerateRequest(type=DocumentType.INVOICE, id=name) for name in ("d1", "d2"))
CALL = IdempotentCall(client="c", key="k", answer=lambda _: Answer(200, b"done"))
COLUMNS = [
    (table.name, column.name)
    for table in METADATA.sorted_tables
    for column in table.c
    if table.name != "regen_core_version"
]
TEXTS = [(table, name) for table, name in COLUMNS if METADATA.tables[table].c[name].type.python_type is str]
KEYS = {(table.name, column.name) for table in METADATA.sorted_tables for column in table.primary_key}

Door = Callable[[SqlStore], object]

READING: dict[str, Door] = {
    "documents": lambda store: store.documents(ALL),
    "transactions": lambda store: store.transactions(ALL),
    "deliveries": lambda store: store.deliveries(ALL),
    "revenue": lambda store: store.revenue(ALL),
    "plan": lambda store: store.plan(ALL, D1),
    "currency": lambda store: store.invoice_currency(ALL, "d1"),
    "backlog": lambda store: store.backlog(ALL),
    "reconcile": lambda store: store.reconcile(ALL, Period(date(2026, 1, 1), date(2026, 1, 31))),
    "runs": lambda store: store.runs(ALL),
    "run": lambda store: store.run(ALL, "r1"),
    "rejects": lambda store: store.rejects(ALL, "r1"),
    "keyed": lambda store: store.regenerate(ALL, D1, idempotent=CALL),
}
"""Those that change nothing: the key's first result is saved."""

WRITING: dict[str, Door] = {
    "regenerate": lambda store: store.regenerate(ALL, D1),
    "regenerate all": lambda store: store.regenerate_all(ALL, [D1]),
    "load": lambda store: store.load(invoice("N1", id="d1", items=(("i1", "7.00"),))),
    "claim": lambda store: store.claim(ALL, 10, timedelta(seconds=1)),
    "ledger": lambda store: store.deliver_to_ledger(ALL, 10),
    "migrate": lambda store: store.migrate_batch(ALL, "r1", 10),
}

_LINES = {"transactions", "plan", "reconcile", "regenerate", "regenerate all"}
HEARD = {
    "document_versions": {"documents", "deliveries", "load", "claim", "ledger", *_LINES},
    "transactions": _LINES,
    "outbox": {"deliveries"},
    "revenue": {"revenue", "reconcile"},
    "runs": {"runs", "run", "migrate"},
    "idempotency": {"keyed"},
}
"""Who reads a row of a table for what it says."""

OUR_WORDS = {
    *("header", "header_carried", "items", "items_carried", "item", "item_carried", "meaning", "set_at"),
    *("orgs", "refused", "kind", "revenue_type", "state", "flag", "action", "status", "cutover", "cursor_type"),
    *("created_at", "updated_at", "accepted_at", "started_at", "ended_at"),
    *("committed_at", "acknowledged_at", "due_at", "parked_at"),
}  # fmt: skip
"""Columns in which not every text is one of ours; in any other it may be somebody's name for something."""


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that has rows in every table, two documents, and a run that has more to do."""
    path = tmp_path_factory.mktemp("sound") / "regen.db"
    with SqlStore.open(f"sqlite:///{path}", clock=Clock(NOW)) as store:
        for number in (1, 2):
            store.load(invoice(f"N{number}", id=f"d{number}", org="north", items=((f"i{number}", "1.00"),)))
        store.load(invoice("N0", id="d0", status="Draft", items=(("i0", "1.00"),)))
        store.regenerate(ALL, D1, Occasion(NOW, "ann"), idempotent=CALL)
        store.deliver_to_ledger(ALL, 10)
        run = accept("r1", ALL, Occasion(NOW, "ann"))
        assert isinstance(run, Run)
        store.accept_run(run)
        store.change_run(ALL, "r1", lambda run: begin(run, NOW))
        store.migrate_batch(ALL, "r1", 1)
        store.regenerate(ALL, D1, Occasion(NOW, "ann"))
    return path


def damaged(sound: Path, path: Path, table: str, column: str, value: str) -> None:
    """A copy of a store with another value in a column of what belongs to the first document."""
    shutil.copy(sound, path)
    where = "document_id = 'd1'" if "document_id" in METADATA.tables[table].c and table != "run_rejects" else "1"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"UPDATE OR IGNORE {table} SET {column} = {value} WHERE {where}")  # noqa: S608  # our own


def heard(sound: Path, directory: Path, doors: dict[str, Door], *damage: str) -> set[str]:
    """The doors at which a damage is told; what raises anything else fails the test."""
    path, found = directory / "damaged.db", set[str]()
    reading = {name: door for name, door in doors.items() if name in READING}
    for part in (reading, *[{name: door} for name, door in doors.items() if name in WRITING]):
        damaged(sound, path, *damage)
        with SqlStore.open(f"sqlite:///{path}", clock=Clock(NOW)) as store:
            found |= {name for name, door in part.items() if is_told(store, door)}
    return found


def is_told(store: SqlStore, door: Door) -> bool:
    """Whether a door tells of damaged rows."""
    try:
        door(store)
    except DamagedRows:
        return True
    return False


NO_TEXT = "CAST(x'ff' AS TEXT)"
"""Bytes that aren't UTF-8."""


@pytest.mark.parametrize("value", ["'zz'", NO_TEXT])
@pytest.mark.parametrize(("table", "column"), TEXTS)
def test_a_damaged_text_is_told_at_every_door_that_reads_it(
    sound: Path, tmp_path: Path, table: str, column: str, value: str
) -> None:
    """Once, and never as anything else. A row under another name is one that is missing: there, nothing is written."""
    told = heard(sound, tmp_path, {**READING, **({} if (table, column) in KEYS else WRITING)}, table, column, value)
    if column in OUR_WORDS:
        assert HEARD[table] <= told


@pytest.mark.parametrize("column", ["committed_at", "acknowledged_at", "due_at", "parked_at"])
def test_a_moment_without_a_time_zone_is_no_moment(sound: Path, tmp_path: Path, column: str) -> None:
    """It could not be compared with any."""
    assert "deliveries" in heard(sound, tmp_path, {**READING, **WRITING}, "outbox", column, "'2026-01-31'")


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_a_value_of_another_kind_is_refused_by_the_database(
    sound: Path, tmp_path: Path, table: str, column: str
) -> None:
    """The tables are strict; a number that no store wrote in a place for a fact is told by whoever reads it."""
    kind = METADATA.tables[table].c[column].type.python_type
    other = "x'00'" if kind is not bytes else "'text'"
    with pytest.raises(sqlite3.IntegrityError, match=r"cannot store|datatype mismatch"):
        damaged(sound, tmp_path / "refused.db", table, column, other)
    if kind is int and column in ("standalone", "only_re_send", "re_migrate"):
        assert HEARD[table] <= heard(sound, tmp_path, {**READING, **WRITING}, table, column, "7")


TOGETHER = [
    ("transactions", "state", "'zz'"),
    ("transactions", "created_at", "'zz'"),
    ("document_versions", "items", "'zz'"),
    ("document_versions", "header", "CAST(x'ff' AS TEXT)"),
    ("idempotency", "meaning", "'zz'"),
]


@pytest.mark.parametrize(("table", "column", "value"), TOGETHER)
def test_calls_about_other_documents_are_performed(
    sound: Path, tmp_path: Path, table: str, column: str, value: str
) -> None:
    """Of a group, only the one that is about the damage hears of it."""
    damaged(sound, tmp_path / "damaged.db", table, column, value)
    call = CALL if table == "idempotency" else None
    with SqlStore.open(f"sqlite:///{tmp_path / 'damaged.db'}", clock=Clock(NOW)) as store:
        first, second = store.regenerate_together(
            [RegenerateCall(scope=ALL, request=D1, idempotent=call), RegenerateCall(scope=ALL, request=D2)]
        )
        assert isinstance(first, DamagedRows)
        assert isinstance(second, Regeneration)


@pytest.fixture
def unguarded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Readers of rows that let everything through."""
    for module in (contents, rows):
        monkeypatch.setattr(module, "DAMAGE", ())


def test_control_without_the_guard_it_is_an_error_of_ours(sound: Path, tmp_path: Path, unguarded: None) -> None:
    """Which a caller can't tell from a mistake in the library."""
    with pytest.raises(KeyError):
        heard(sound, tmp_path, READING, "transactions", "state", "'zz'")


COMMANDS = [
    ("show", "transactions"),
    ("run", "--type", "Invoice", "--id", "d1"),
    ("plan", "--type", "Invoice", "--id", "d1"),
    ("deliver", "--to", "ledger"),
    ("reconcile", "--from", "2026-01-01", "--to", "2026-01-31"),
    ("migrate",),
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
@pytest.mark.parametrize("value", ["'zz'", "CAST(x'ff' AS TEXT)"])
def test_a_command_ends_with_exit_status_3(sound: Path, tmp_path: Path, command: tuple[str, ...], value: str) -> None:
    """And a sentence that says what to do; the control is the sound store."""
    column = ("outbox", "action") if command[0] == "deliver" else ("transactions", "state")
    shutil.copy(sound, tmp_path / "sound.db")
    damaged(sound, tmp_path / "damaged.db", *column, value)
    for name, code in (("sound", 0), ("damaged", 3)):
        place = ("--db", f"sqlite:///{tmp_path / name}.db", "--tenant", "t1", "--entity", "e1")
        done = CliRunner().invoke(cli, [*command, *place], env={}, prog_name="regen")
        assert (done.exit_code == 3) is (code == 3), (name, done.output, done.exception)
    assert "holds rows that can't be read: they are damaged. Restore it from a backup." in done.stderr
