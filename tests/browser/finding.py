"""Whether the page can be tested here: a browser, by ``REGEN_CHROMIUM`` or by its usual name, and what drives it."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path
from typing import Final

__all__ = ["browser_path", "missing", "report"]

NAMES: Final = ("chromium", "chromium-browser", "google-chrome")


def browser_path() -> str | None:
    """Where the browser is; ``None`` where there is none."""
    told = os.environ.get("REGEN_CHROMIUM")
    found = [told] if told else [shutil.which(name) for name in NAMES]
    return next((each for each in found if each and Path(each).exists()), None)


def missing() -> str | None:
    """What is missing to test the page, or ``None``."""
    if importlib.util.find_spec("playwright") is None:
        return "the package playwright (extra browser)"
    return None if browser_path() else "Chromium (or its path in REGEN_CHROMIUM)"


def report() -> str:
    """A line for the head of a run: tests that aren't collected would go unnoticed else."""
    lacking = missing()
    return (
        f"browser: {browser_path()}"
        if lacking is None
        else f"browser: tests/browser is left out, for want of {lacking}"
    )
