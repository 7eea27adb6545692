"""The reviewed list of mutants that nobody could tell from the original, each with its reason."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.mutants.mutant import CORE, Mutant

__all__ = ["LISTED", "forgotten", "read_list", "unmatched"]

LISTED = Path(__file__).with_name("equivalent.toml")

Reasons = Mapping[tuple[str, str, str], str]
"""By module, line before and line after: why it is equivalent."""


def read_list(text: str) -> Reasons:
    """The reasons by mutant; raises ``ValueError`` for an entry without a reason, or one that is there twice."""
    found: dict[tuple[str, str, str], str] = {}
    for entry in tomllib.loads(text).get("equivalent", []):
        identity = entry["module"], entry["before"], entry["after"]
        if not entry["reason"].strip():
            raise ValueError(f"{identity} has no reason; say why nobody can tell it from the original")
        if identity in found:
            raise ValueError(f"{identity} is listed twice")
        found[identity] = entry["reason"]
    return found


def unmatched(listed: Reasons, mutants: Iterable[Mutant], modules: Iterable[str]) -> list[tuple[str, str, str]]:
    """The entries about these modules that no mutant of theirs matches: the code has moved on."""
    known, asked = {mutant.identity for mutant in mutants}, set(modules)
    return [identity for identity in listed if identity[0] in asked and identity not in known]


def forgotten(listed: Reasons) -> list[tuple[str, str, str]]:
    """The entries whose line isn't in its module any more; asks for no tool that makes mutants."""
    texts = {module: _flat((CORE / f"{module}.py").read_text(encoding="utf-8")) for module, _, _ in listed}
    return [identity for identity in listed if _flat(identity[1]) not in texts[identity[0]]]


def _flat(text: str) -> str:
    return " ".join(text.split())
