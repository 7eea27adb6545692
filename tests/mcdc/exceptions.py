"""The reviewed list of conditions that can't decide both ways, each with its reason."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

__all__ = ["LISTED", "read_list"]

LISTED = Path(__file__).with_name("exceptions.toml")

Reasons = Mapping[tuple[str, str, bool], str]
"""By module, condition and the value with which it never decides: why it can't."""


def read_list(text: str) -> Reasons:
    """The reasons by condition and value; raises ``ValueError`` for an entry without a reason, or one twice."""
    found: dict[tuple[str, str, bool], str] = {}
    for entry in tomllib.loads(text).get("exception", []):
        identity = entry["module"], entry["condition"], entry["value"]
        if not entry["reason"].strip():
            raise ValueError(f"{identity} has no reason; say why it can't decide so")
        if identity in found:
            raise ValueError(f"{identity} is listed twice")
        found[identity] = entry["reason"]
    return found
