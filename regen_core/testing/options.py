"""How thorough a run of the kit is, and what it leaves out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from attrs import field, frozen

__all__ = ["DEFAULT_HISTORIES", "DEFAULT_STEPS", "Options"]

DEFAULT_HISTORIES: Final = 60
"""Random histories of a run without options; the laws and the model each look at all of them."""

DEFAULT_STEPS: Final = 120
"""Steps of one history."""


@frozen(kw_only=True)
class Options:
    """How thorough a run is and what it leaves out; ``skips`` and ``xfails`` give reasons by the id of a check."""

    histories: int = DEFAULT_HISTORIES
    steps: int = DEFAULT_STEPS
    seed: int = 0
    skips: Mapping[str, str] = field(factory=dict)
    xfails: Mapping[str, str] = field(factory=dict)

    @property
    def seeds(self) -> range:
        """The seeds of the histories."""
        return range(self.seed, self.seed + self.histories)
