"""How much a run of the tests tries: a little for a newcomer, the promised number before a merge."""

from __future__ import annotations

import os
from collections.abc import Sequence

__all__ = ["scaled", "tried"]


def scaled(*, quick: int, deep: int) -> int:
    """The number for the chosen ``REGEN_PROFILE``."""
    return deep if os.environ.get("REGEN_PROFILE", "quick") == "deep" else quick


def tried(names: Sequence[str]) -> list[int]:
    """The numbers, from 1, of the points at which a process dies: all of them, or every sixth one and the last.

    The moment behind a commit is never left out: what is wrong is wrong from there on.
    """
    every = scaled(quick=6, deep=1)
    numbered = enumerate(names, 1)
    return [at for at, name in numbered if at % every == 1 % every or at == len(names) or name == "after COMMIT"]
