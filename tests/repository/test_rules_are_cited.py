"""Every rule id that is cited exists in the register, and every rule is cited where it is carried out and proved."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from regen_core import RULES

ROOT = Path(__file__).parents[2]
CITATION = re.compile(
    r"\b(?:REQ|ACC|ELI|REV|CNV|IDM|MIG|RCN|PRE|FCT|TAX|DOC)-\d+\b|\bTBL-(?:[MWS]\d+|[IR]\b)|\bMAP-(?:\d+|[ASRUD]\b)"
)
RANGE = re.compile(r"\b((?:TBL-[MWS]|[A-Z]{3}-))(\d+)(?:…| … | to |–)(?:\1)?(\d+)\b")

ELSEWHERE = {
    "MIG-3": "selection by cutover date is not carried out yet",
    "MIG-4": "selection by cutover date is not carried out yet",
    "MIG-5": "selection by cutover date is not carried out yet",
}
"""Rules that the register explains and that no code carries out."""


def texts(*folders: str) -> Iterator[tuple[Path, str]]:
    """The project's own texts below some folders."""
    for folder in folders:
        base = ROOT / folder
        files = [base] if base.is_file() else sorted(p for p in base.rglob("*") if p.suffix in {".py", ".md", ".sh"})
        for path in files:
            yield path.relative_to(ROOT), path.read_text(encoding="utf-8")


def cited_in(text: str) -> set[str]:
    """The rule ids in a text, the members of ranges such as ``REV-1 … REV-4`` included."""
    found = set(CITATION.findall(text))
    for prefix, first, last in RANGE.findall(text):
        found |= {f"{prefix}{number}" for number in range(int(first), int(last) + 1)}
    return found


def test_a_range_is_all_its_rules() -> None:
    """The reader of citations reads what people write."""
    assert cited_in("REV-1 … REV-3, TBL-W9 and MAP-A") == {"REV-1", "REV-2", "REV-3", "TBL-W9", "MAP-A"}


def test_every_cited_rule_exists() -> None:
    """A citation leads somewhere."""
    unknown = {
        (str(path), rule_id)
        for path, text in texts("regen_core", "tests", "benchmarks", "docs", "README.md", "CHANGELOG.md")
        for rule_id in cited_in(text)
        if rule_id not in RULES and not path.name.startswith("test_rules_are_cited")
    }
    assert not unknown


@pytest.mark.parametrize("folder", ["regen_core", "tests"])
def test_every_rule_is_cited(folder: str) -> None:
    """A rule that nobody cites is carried out by nobody, or proved by nobody."""
    cited = set[str]()
    for path, text in texts(folder):
        if path.name not in {"rules.py", Path(__file__).name}:
            cited |= cited_in(text)
    assert not {rule_id for rule_id in RULES if rule_id not in cited and rule_id not in ELSEWHERE}
