"""How many crashes a run of the tests simulates: few for a newcomer, the promised number before a merge."""

from __future__ import annotations

import os

__all__ = ["scaled"]


def scaled(*, quick: int, deep: int) -> int:
    """The number for the chosen ``REGEN_PROFILE``."""
    return deep if os.environ.get("REGEN_PROFILE", "quick") == "deep" else quick
