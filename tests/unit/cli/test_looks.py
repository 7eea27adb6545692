"""What a terminal shows, what a pipe gets, and what JSON says: the same, each in its own way."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest

from regen_core.adapters.cli.output import JsonOutput, output_for
from regen_core.adapters.cli.progress import Progress
from regen_core.explain import TABLES, Cell, Line, table

REFERENCE = ("--type", "Invoice", "--number", "INV-1")
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
FRAME = re.compile("[─-╿]")

EVERY_COMMAND: list[tuple[str, ...]] = [
    ("plan", *REFERENCE),
    ("plan", *REFERENCE, "-v"),
    ("plan", *REFERENCE, "--only-re-send"),
    ("run", *REFERENCE),
    ("show", "documents"),
    ("show", "transactions"),
    ("show", "deliveries"),
    ("show", "revenue"),
    ("deliver", "--to", "ledger"),
    ("table",),
    ("table", "mapping", "refusals"),
    ("explain", "--type", "Invoice", "--source", "standalone"),
    ("explain", "TBL-W9"),
]


@pytest.mark.parametrize("command", EVERY_COMMAND, ids=" ".join)
def test_a_pipe_gets_plain_text(loaded: Any, command: tuple[str, ...]) -> None:
    """No colour, no frame, whatever the terminal type says."""
    said = loaded.process(*command, environment={"TERM": "xterm-256color"})
    assert said.code in {0, 1}
    assert said.err == ""
    assert not ESCAPE.search(said.out)
    assert not FRAME.search(said.out)


@pytest.mark.parametrize("command", EVERY_COMMAND, ids=" ".join)
def test_every_command_speaks_json(loaded: Any, command: tuple[str, ...]) -> None:
    """One value on standard output, no float in it, nothing on standard error."""
    said = loaded(*command, "--json")
    assert isinstance(said.json, dict)
    assert said.err == ""


def test_a_terminal_gets_tables_and_colour(loaded: Any) -> None:
    """As wide as the window."""
    said = loaded.on_a_terminal("plan", *REFERENCE)
    assert said.code == 0
    assert ESCAPE.search(said.out)
    assert FRAME.search(said.out)
    plain = ESCAPE.sub("", said.out)
    assert all(word in plain for word in ("generate", "TBL-W1", "line N", "Dry run"))
    assert max(map(len, plain.splitlines())) <= 120


IDS = [f"8ad0{number:04x}fe92a1f7019bd2c5e3a0" for number in range(3)]


@pytest.fixture
def long_ids(regen: Any, invoice: Any) -> Any:
    """An invoice whose item ids are as long as Zuora's."""
    item = {"chargeAmount": "1200.00", "sourceItemType": "SubscriptionComponent"}
    regen("load", regen.write("a.ndjson", invoice(items=[{**item, "id": each} for each in IDS])))
    return regen


@pytest.mark.parametrize("columns", [80, 120, 200])
def test_a_plan_on_a_narrow_terminal_has_a_line_per_item(long_ids: Any, columns: int) -> None:
    """Ids are cut to what tells them apart, then the reasons go; that is told, and -v shows all."""
    plain = ESCAPE.sub("", long_ids.on_a_terminal("plan", *REFERENCE, columns=columns).out)
    rows = [line for line in plain.splitlines() if line.startswith("8ad0")]
    assert [row.split()[0] for row in rows] == (IDS if columns == 200 else [f"{each[:8]}…" for each in IDS])
    assert all("TBL-W1 TBL-S1" in row for row in rows)
    assert ("item present" in plain) == (columns > 80)
    assert ("Ids are cut" in plain) == (columns < 200)
    assert ("no room for 'why'" in plain) == (columns == 80)
    assert max(map(len, plain.splitlines())) <= columns


def test_ids_are_never_cut_for_programs_pipes_and_explanations(long_ids: Any) -> None:
    """Whatever COLUMNS says."""
    explained = ESCAPE.sub("", long_ids.on_a_terminal("plan", *REFERENCE, "-v", columns=80).out)
    piped = long_ids.process("plan", *REFERENCE, environment={"COLUMNS": "80"}).out
    for said in (explained, piped, long_ids("plan", *REFERENCE, "--json").out):
        assert all(each in said for each in IDS)


def test_a_long_label_is_set_apart_from_its_text(regen: Any) -> None:
    """In a pipe and on a terminal."""
    assert "  instead of Delete the transaction" in regen("explain", "TBL-W9").out
    assert "  instead of Delete the" in ESCAPE.sub("", regen.on_a_terminal("explain", "TBL-W9").out)


def test_no_color_is_respected(loaded: Any) -> None:
    """The frame stays, the colour goes."""
    said = loaded.on_a_terminal("table", "writes", environment={"NO_COLOR": "1"})
    assert FRAME.search(said.out)
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", said.out)


@pytest.mark.parametrize("columns", [20, 80, 200])
@pytest.mark.parametrize("what", ["documents", "transactions", "deliveries"])
def test_a_listing_shows_every_column_in_any_window(loaded: Any, what: str, columns: int) -> None:
    """One that is too narrow breaks the lines; in a wide one each row has its own."""
    loaded("run", *REFERENCE)
    said = ESCAPE.sub("", loaded.on_a_terminal("show", what, columns=columns).out)
    named, *rows = [line.split("\t") for line in loaded("show", what).out.splitlines() if "\t" in line]
    assert said.split("\n")[0].split() == [part for name in named for part in name.split()]
    assert all([cell in said for row in rows for cell in row])
    if columns == 200:
        assert len(said.splitlines()) == len(rows) + 2 + (what == "deliveries")


def test_a_dumb_terminal_gets_plain_text(loaded: Any) -> None:
    """It can't do more; nor can it take a line of progress away."""
    for command in (("table",), ("migrate", "--dry-run"), ("load", str(loaded.directory / "first.ndjson"))):
        assert not ESCAPE.search(loaded.on_a_terminal(*command, environment={"TERM": "dumb"}).out)


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_nothing_is_lost_on_a_narrow_terminal(loaded: Any, columns: int) -> None:
    """Cells are folded, never cut: every cell id is still there."""
    plain = ESCAPE.sub("", loaded.on_a_terminal("table", "writes", columns=columns).out)
    found = re.sub(r"\s", "", plain)
    assert all(f"W{number}" in found for number in range(1, 16))


def test_a_terminal_lists_more_rows_than_it_lays_out_at_once(regen: Any, invoice: Any) -> None:
    """A listing is printed in pieces."""
    regen("load", "-q", regen.write("a.ndjson", *[invoice(f"{number:03}") for number in range(250)]))
    plain = ESCAPE.sub("", regen.on_a_terminal("show", "documents", columns=160).out)
    assert all(f"INV-{number:03}" in plain for number in range(250))


def test_a_load_on_a_terminal_shows_faults_and_summary(regen: Any, invoice: Any) -> None:
    """Beside the row that they belong to."""
    file = regen.write("a.ndjson", invoice(), {**invoice("2"), "currency": "euro"})
    said = regen.on_a_terminal("load", file, columns=200)
    plain = ESCAPE.sub("", said.out)
    assert said.code == 1
    assert "$.currency" in plain
    assert "2 documents: 1 new, 1 refused" in plain


def test_json_stays_valid_where_the_output_knows_ascii_only() -> None:
    """Other letters are escaped, not lost and not a crash."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii", errors="strict")
    output = JsonOutput(stream)
    listing = output.listing("rows", ())
    listing.row([Cell("x")], {"name": "Jürgen 🎉"})
    listing.end((), {"note": "ß"})
    stream.flush()
    assert raw.getvalue() == (b'{"rows": [\n{"name":"J\\u00fcrgen \\ud83c\\udf89"}\n], "note": "\\u00df"}\n')


def test_text_is_printed_where_the_output_knows_ascii_only(loaded: Any) -> None:
    """An arrow becomes an escape, not a traceback."""
    said = loaded.process("plan", *REFERENCE, environment={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"})
    assert said.code == 0
    assert "\\u2192" in said.out


def test_progress_is_silent_in_a_pipe_and_rewrites_a_line_on_a_terminal(monkeypatch: Any, capsys: Any) -> None:
    """How many bytes of how many; erased in the end."""
    silent = Progress(10)
    assert list(silent.lines(io.BytesIO(b"a\nb\n"))) == [b"a\n", b"b\n"]
    assert silent.done == 4
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    moments = iter([0.0, 10.0, 10.1, 20.0])
    monkeypatch.setattr("time.monotonic", lambda: next(moments))
    shown = Progress(4_000_000)
    assert len(list(shown.lines(io.BytesIO(b"x" * 999_999 + b"\n" + b"a\n" + b"b\n")))) == 3
    shown.clear()
    said = capsys.readouterr().err
    assert "reading: 25 % of 4.0 MB" in said
    assert said.endswith("\r\x1b[K")


class Window(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def window(monkeypatch: Any) -> Window:
    """A terminal of 100 columns in this process."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")
    return Window()


@pytest.mark.parametrize("name", TABLES)
def test_a_terminal_shows_every_table_with_its_title_and_notes(window: Window, name: str) -> None:
    """Folded to the window, nothing left out."""
    shown = table(name)
    output_for(window, as_json=False).show([shown, Line("labelled", "label"), Line("plain", depth=1)], {})
    plain = ESCAPE.sub("", window.getvalue())
    words = re.sub(r"\s", "", plain)
    assert re.sub(r"\s", "", shown.title) in words
    assert all(re.sub(r"\s", "", note) in words for note in shown.notes)
    assert max(map(len, plain.splitlines())) <= 100


def test_a_listing_on_a_terminal_has_one_header_and_details_below_their_row(window: Window) -> None:
    """Pieces stand below each other."""
    listing = output_for(window, as_json=False).listing("rows", ("outcome", "id"))
    listing.row([Cell("new"), Cell("a" * 20)], {})
    listing.row([Cell("refused"), Cell("b")], {}, [Line("because", "fault", depth=1)])
    listing.row([Cell("new"), Cell("c")], {})
    listing.end([Line("3 documents")], {})
    lines = [line.rstrip() for line in ESCAPE.sub("", window.getvalue()).splitlines()]
    assert [line.split()[0] for line in lines if line and not FRAME.search(line)] == [
        "outcome",
        "new",
        "refused",
        "fault",
        "new",
        "3",
    ]


def test_a_failure_in_the_middle_ends_what_json_was_begun() -> None:
    """What was printed stays valid."""
    stream = io.StringIO()
    output = JsonOutput(stream)
    output.listing("rows", ()).row([], {"a": 1})
    output.fail({"error": "x"})
    assert json.loads(stream.getvalue()) == {"rows": [{"a": 1}], "error": "x"}
