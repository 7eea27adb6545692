"""A reader can hold a module in mind."""

from __future__ import annotations

import ast
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "regen_core"
LONGEST_MODULE = 350

LONGER = {
    "rules.py": "the register: a row per rule, no code",
    "refusals.py": "the closed union: a class per refusal, in the order in which they win",
    "field_table.py": "a row per documented field, no code",
}
"""Modules that are tables and grow with the rules, each with its reason."""


def test_every_module_is_short_and_says_what_it_is() -> None:
    """At most 350 lines, and a docstring that says what it owns."""
    texts = {path.relative_to(PACKAGE): path.read_text(encoding="utf-8") for path in sorted(PACKAGE.rglob("*.py"))}
    assert texts
    assert not [str(path) for path, text in texts.items() if not ast.get_docstring(ast.parse(text))]
    lengths = {str(path): len(text.splitlines()) for path, text in texts.items() if path.name not in LONGER}
    assert not {path: lines for path, lines in lengths.items() if lines > LONGEST_MODULE}
