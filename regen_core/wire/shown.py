"""Foreign text as messages show it: escaped, on one line, cut. No terminal and no log is flooded by a file."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Final, TypeAlias

__all__ = ["JsonValue", "MAX_SHOWN", "path_step", "shown_value"]

JsonValue: TypeAlias = "bool | int | Decimal | str | list[JsonValue] | dict[str, JsonValue] | None"
"""What JSON text is read as."""

MAX_SHOWN: Final = 64
"""Longest part of a foreign text in a message: enough to find it, too short to flood a terminal."""


def shown_value(value: JsonValue) -> str:
    """A JSON value as a message shows it: escaped ASCII on one line, at most 64 characters.

    >>> print(shown_value("Müller"), shown_value({"amount": Decimal("1.10")}))
    "M\\u00fcller" an object with 1 field
    """
    if isinstance(value, dict):
        return f"an object with {len(value)} field{'s' * (len(value) != 1)}"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, Decimal):
        return str(value)
    text = json.dumps(value[:MAX_SHOWN] if isinstance(value, str) else value)
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"


def path_step(key: str) -> str:
    """A key as a step of a path: ``.id``, or quoted and cut where it is no plain name.

    >>> path_step("id"), path_step("a b")
    ('.id', '["a b"]')
    """
    return f".{key}" if key.isidentifier() and key.isascii() and len(key) <= MAX_SHOWN else f"[{shown_value(key)}]"
