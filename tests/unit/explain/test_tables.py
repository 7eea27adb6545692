"""Every table is made from the data, whole, in every format."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest
from attrs import evolve

from regen_core.decision_table import DECISION_TABLE, Mode, Presence, RegenerateFlag, SendAction, WriteAction, WriteRule
from regen_core.explain import DECIDING, FORMATS, TABLES, Cell, Table, table
from regen_core.explain.decision_tables import collecting, modes, writes
from regen_core.field_table import FIELD_ROWS
from regen_core.refusals import REFUSALS
from regen_core.revenue import COLLECTING_RULES, Comparison
from regen_core.rules import RULES
from regen_core.transactions import Standing
from regen_core.type_mapping import MAPPING_ROWS

DATA = {
    "modes": [rule.id for rule in DECISION_TABLE.modes.values()],
    "writes": [rule.id for rule in DECISION_TABLE.writes.values()],
    "sends": [rule.id for rule in DECISION_TABLE.sends.values()],
    "mapping": [row.id for row in MAPPING_ROWS],
    "refusals": [kind.__name__ for kind in REFUSALS],
    "fields": [row.name for row in FIELD_ROWS],
    "rules": list(RULES),
    "collecting": [rule.id for rule in COLLECTING_RULES.cells.values()],
}
"""What each table must name: ids, names, everything that the data holds."""


class Words(HTMLParser):
    """Collects the text of a page and what it loads from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self.anchors: set[str] = set()
        self.links: set[str] = set()
        self.foreign: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if "id" in told:
            assert told["id"] not in self.anchors, "an id stands once in a page"
            self.anchors.add(str(told["id"]))
        if tag == "a":
            self.links.add(str(told["href"]).removeprefix("#"))
        if tag in {"script", "link", "img", "iframe"}:
            self.foreign.append(tag)

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def words_in(form: str, text: str) -> str:
    """What a person reads in a rendered table, on one line."""
    if form == "html":
        page = Words()
        page.feed(text)
        return " ".join("".join(page.text).split())
    if form == "svg":
        return " ".join(" ".join(ET.fromstring(text).itertext()).split())  # noqa: S314  # our own picture
    return text


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("name", TABLES)
class TestTablesAreTotal:
    """Whatever decides is shown, in every format."""

    def test_every_id_of_the_data_stands_in_the_table(self, name: str, form: str) -> None:
        """Every cell of TBL-M, TBL-W and TBL-S, every row of MAP, every refusal, field, rule and REV cell."""
        shown = words_in(form, FORMATS[form]([table(name)]))
        assert not [each for each in DATA[name] if each not in shown]

    def test_a_format_ends_its_last_line(self, name: str, form: str) -> None:
        """Files of text end with one newline."""
        text = FORMATS[form]([table(name)])
        assert text.endswith("\n")
        assert not text.endswith("\n\n")


def test_every_table_has_its_records() -> None:
    """Programs get as many records as the data has rows, in the same order."""
    for name, ids in DATA.items():
        records = table(name).records
        assert [record.get("id", record.get("name")) for record in records] == ids


def test_json_tells_a_cell_of_the_matrix_by_its_coordinates() -> None:
    """A cell for programs: TBL-W9 is REMIGRATE on a line whose item is gone and whose transaction is active."""
    told = json.loads(FORMATS["json"]([table("writes")]))["tables"][0]["rows"]
    assert {
        "id": "TBL-W9",
        "mode": "REMIGRATE",
        "presence": "item gone, active",
        "action": "void",
        "origin": "interpretation",
    } in told


def test_the_write_table_is_the_matrix_of_modes_and_presence() -> None:
    """Rows are modes, columns are presence, and each cell is the one that decides (TBL-W)."""
    shown = table("writes")
    assert [row[0].text for row in shown.rows] == [mode.value for mode in Mode]
    for mode, row in zip(Mode, shown.rows, strict=True):
        for presence, cell in zip(Presence, row[1:], strict=True):
            decides = DECISION_TABLE.writes[mode, presence]
            assert (cell.rule_id, cell.text) == (decides.id, decides.action.value)


def test_the_send_table_is_the_matrix_of_flags_and_standing() -> None:
    """Rows are flags, columns are standing, and each cell is the one that decides (TBL-S)."""
    for flag, row in zip(RegenerateFlag, table("sends").rows, strict=True):
        for standing, cell in zip(Standing, row[1:], strict=True):
            decides = DECISION_TABLE.sends[flag, standing]
            assert (cell.rule_id, cell.text) == (decides.id, decides.action.value)


def test_the_collecting_table_is_the_matrix_of_flags_and_what_is_held() -> None:
    """REV-1 and REV-2, and what a collected delivery leaves (REV-3)."""
    shown = collecting()
    for flag, row in zip(RegenerateFlag, shown.rows, strict=True):
        for held, cell in zip(Comparison, row[1:], strict=True):
            decides = COLLECTING_RULES.cells[flag, held]
            assert (cell.rule_id, cell.text) == (decides.id, decides.action.value)
    assert "a void leaves a tombstone" in shown.notes[0]


def test_a_table_that_was_changed_is_shown_as_it_is() -> None:
    """Nothing is written into the tables: another decision table is another picture."""
    cells = {**DECISION_TABLE.writes, (Mode.RESEND, Presence.ITEM_ONLY): WriteRule("TBL-W11", WriteAction.GENERATE)}
    changed = writes(evolve(DECISION_TABLE, writes=cells))
    assert changed.rows[2][1].text == "generate"
    kept = {**DECISION_TABLE.writes, (Mode.REMIGRATE, Presence.PRESENT_ACTIVE): WriteRule("TBL-W7", WriteAction.KEEP)}
    assert modes(evolve(DECISION_TABLE, writes=kept)).records[1]["stored"] == "kept"
    leaves = {**COLLECTING_RULES.leaves, SendAction.VOID: None}
    assert "a void leaves nothing" in collecting(evolve(COLLECTING_RULES, leaves=leaves)).notes[0]


def test_refusals_are_shown_in_order_of_precedence_with_their_codes() -> None:
    """PRE-1, PRE-2: the ladder, the integer code, the one code of its own."""
    records = table("refusals").records
    ranks = [record["rank"] for record in records if record["rank"] is not None]
    assert ranks == sorted(ranks)
    codes = {record["name"]: record["code"] for record in records}
    assert (codes["Unauthenticated"], codes["NothingToResend"]) == (90000011, 50000030)


def test_a_table_that_nobody_knows_is_told_with_the_known_ones() -> None:
    """A misspelt name is an error that helps."""
    with pytest.raises(KeyError, match="there are modes, writes"):
        table("wirtes")


def test_a_row_fits_its_columns() -> None:
    """A table with a short row can't be made."""
    with pytest.raises(ValueError, match="a row of 1 cells under 2 columns"):
        Table(name="x", title="x", columns=("a", "b"), rows=((Cell("1"),),))


class TestPages:
    """HTML and SVG stand alone and lead somewhere."""

    @pytest.mark.parametrize("names", [DECIDING, ("rules",), tuple(TABLES)])
    def test_every_link_of_a_page_leads_to_a_rule_on_it(self, names: tuple[str, ...]) -> None:
        """A rule id is a link to the rule's words, in the same page."""
        page = Words()
        page.feed(FORMATS["html"]([table(name) for name in names]))
        assert page.links <= page.anchors
        assert not page.foreign

    def test_a_page_says_of_each_cited_rule_who_says_so_and_why(self) -> None:
        """Statement, origin, source and reason stand below the tables."""
        read = words_in("html", FORMATS["html"]([table("writes")]))
        rule = RULES["TBL-W9"]
        assert f"{rule.id} (interpretation)" in read
        assert rule.reason is not None
        assert rule.reason in read

    def test_a_picture_loads_nothing(self) -> None:
        """No script, no style sheet, no image, no font from elsewhere."""
        picture = FORMATS["svg"]([table(name) for name in DECIDING])
        assert "href" not in picture
        assert "url(" not in picture
        assert "<script" not in picture

    @pytest.mark.parametrize("name", TABLES)
    def test_no_text_of_a_picture_leaves_the_picture(self, name: str) -> None:
        """Everything drawn lies within the stated size."""
        picture = ET.fromstring(FORMATS["svg"]([table(name)]))  # noqa: S314  # our own picture
        width, height = float(picture.attrib["width"]), float(picture.attrib["height"])
        for each in picture.iter("{http://www.w3.org/2000/svg}text"):
            assert float(each.attrib["x"]) < width
            assert float(each.attrib["y"]) < height
        for box in picture.iter("{http://www.w3.org/2000/svg}rect"):
            if "x" in box.attrib:
                assert float(box.attrib["x"]) + float(box.attrib["width"]) <= width
                assert float(box.attrib["y"]) + float(box.attrib["height"]) <= height


HOSTILE = Table(
    name="x",
    title="a <b> & c",
    columns=("one", "two"),
    rows=((Cell("<script>|*x*"), Cell("\x1b[2J\u202eabc")), (Cell("w" * 300), Cell(""))),
)


@pytest.mark.parametrize("form", ["text", "markdown", "html", "svg"])
def test_a_text_can_not_break_out_of_its_cell(form: str) -> None:
    """Tags, pipes, escapes and direction marks of a text stay text."""
    shown = FORMATS[form]([HOSTILE])
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    if form in {"html", "svg"}:
        assert "<script" not in shown
    if form == "markdown":
        assert "&lt;script>\\|" in shown


def test_a_wide_table_is_separated_by_tabs_and_a_narrow_one_is_aligned() -> None:
    """One row per line in either case; no frames, so that a pipe can search."""
    assert "\t" in FORMATS["text"]([table("rules")])
    narrow = FORMATS["text"]([table("writes")])
    assert "\t" not in narrow
    line = next(line for line in narrow.splitlines() if line.startswith("REMIGRATE"))
    assert "TBL-W9* void" in line
    assert "TBL-W7 override" in line
