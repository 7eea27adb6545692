"""The state machine on the reference store: CNV-1 … CNV-7, REV-4, REQ-5, PRE-4 and TBL-R, beside the naive model.

Under the profile ``deep`` the shards make a million steps together; each shard draws histories of its own.
"""

from __future__ import annotations

import os

import pytest

from regen_core.testing.machine import check

SHARDS = 40 if os.environ.get("REGEN_PROFILE") == "deep" else 2


@pytest.mark.parametrize("shard", range(SHARDS))
def test_every_history_keeps_the_laws_and_agrees_with_the_model(shard: int) -> None:
    """CNV-1 … CNV-7, REV-0 … REV-4, REQ-5, PRE-4, TBL-R, TBL-I, ACC-4, ELI-2, DOC-4."""
    check()
