"""The state machine on the reference store: CNV-1 … CNV-7, REV-4, REQ-5, PRE-4 and TBL-R, beside the naive model.

Deep, the shards make 700,000 steps together; each draws histories of its own. Those are long then, for beginning
one takes as much time as twenty steps.
"""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from regen_core.testing.machine import regeneration_machine
from tests.crash.profiles import scaled

SHARDS = scaled(quick=2, deep=24)
HISTORIES, RULES = scaled(quick=25, deep=125), scaled(quick=40, deep=200)


@pytest.mark.parametrize("shard", range(SHARDS))
def test_every_history_keeps_the_laws_and_agrees_with_the_model(shard: int) -> None:
    """CNV-1 … CNV-7, REV-0 … REV-4, REQ-5, PRE-4, TBL-R, TBL-I, ACC-4, ELI-2, DOC-4."""
    run_state_machine_as_test(
        regeneration_machine(), settings=settings(max_examples=HISTORIES, stateful_step_count=RULES)
    )
