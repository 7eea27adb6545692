"""A reader can hold a module in mind."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "regen_core"
LONGEST_MODULE = 350

LONGER = {
    "rules.py": "the register: a row per rule, no code",
    "refusals.py": "the closed union: a class per refusal, in the order in which they win",
    "field_table.py": "a row per documented field, no code",
}
"""Modules that are tables and grow with the rules, each with its reason."""


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_is_short_and_says_what_it_is(path: Path) -> None:
    """At most 350 lines, and a docstring that says what it owns."""
    text = path.read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(text))
    assert len(text.splitlines()) <= LONGEST_MODULE or path.name in LONGER
