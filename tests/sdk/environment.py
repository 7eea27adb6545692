"""The environment of Zuora's SDK, apart from everything else: it pins old versions of what others use, too.

``python -m tests.sdk.environment`` makes it, in ``.sdk-venv``; it stays there until the pinned version changes.
"""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path
from typing import Final

__all__ = ["PYTHON", "SDK", "is_made", "make", "said_at_the_start"]

SDK: Final = "zuora-sdk==3.21.0"

_ROOT: Final = Path(__file__).parents[2]
_PLACE: Final = _ROOT / ".sdk-venv"
_DONE: Final = _PLACE / "installed.txt"
PYTHON: Final = _PLACE / "bin" / "python"


def is_made() -> bool:
    """Whether the environment holds the pinned version."""
    return _DONE.is_file() and _DONE.read_text() == SDK


def said_at_the_start() -> str:
    """For the head of a test run: whether the SDK's tests are part of it."""
    return f"sdk: {SDK}" if is_made() else "sdk: left out; python -m tests.sdk.environment brings it"


def make() -> None:
    """Make the environment, unless it is there."""
    if is_made():
        return
    venv.create(_PLACE, clear=True, with_pip=True)
    subprocess.run([PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", SDK], check=True)
    _DONE.write_text(SDK)


if __name__ == "__main__":
    make()
    sys.stdout.write(f"{said_at_the_start()}\n")
