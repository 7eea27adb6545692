"""The page about the delivery format has the table of statuses that decides."""

from __future__ import annotations

import re
from pathlib import Path

from regen_core.statuses import STATUS_CLASSES, STATUSES, Concern, Meaning, StatusRule

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "delivery-format.md"
PAUSES = {Concern.DELIVERY: "–", Concern.DESTINATION: "yes", Concern.ADDRESS: "yes, five times"}
BECOMES = {Meaning.TAKEN: "acknowledged", Meaning.REFUSED: "parked", Meaning.FAILED: "tried again"}


def row(status: str, rule: StatusRule) -> str:
    """A row of the page."""
    pause = PAUSES[rule.concern]
    return f"| {status} | {BECOMES[rule.meaning]} | {pause} | {rule.because} |"


def test_the_page_has_every_row_and_no_other() -> None:
    """Classes before their exceptions, in order."""
    expected = []
    for first, usual in sorted(STATUS_CLASSES.items()):
        expected.append(row(f"{first}xx", usual))
        expected += [row(str(each), STATUSES[each]) for each in sorted(STATUSES) if each // 100 == first]
    assert re.findall(r"^\| \dxx .*|^\| \d{3} .*", PAGE.read_text(encoding="utf-8"), re.MULTILINE) == expected
