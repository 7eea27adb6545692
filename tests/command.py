"""How a test starts ``regen`` as a process of its own, and what a command said."""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from typing import Any, Final

from attrs import frozen

__all__ = ["START", "Said"]

START: Final = (sys.executable, "-c", "from regen_core.adapters.cli.main import main; main()")
"""With this interpreter's packages, wherever the command is installed."""


@frozen
class Said:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as JSON, in which no amount may be a float."""
        return json.loads(self.out, parse_float=_no_float)

    @property
    def rows(self) -> list[list[str]]:
        """The tab-separated rows after the header."""
        return [line.split("\t") for line in self.out.splitlines()[1:] if "\t" in line]


def _no_float(text: str) -> Decimal:
    raise AssertionError(f"the number {text} would become a float in most readers")
