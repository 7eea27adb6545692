"""IDM-7: a PostgreSQL server that is killed at any moment loses nothing that was acknowledged and leaves no half.

That this isn't a loss of power is said where durability is promised.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Final

import pytest

from tests.crash.profiles import scaled
from tests.crash.tally import Tally
from tests.crash.verdict import Verdict
from tests.crash_postgresql.kill_server import How, run
from tests.postgresql_server import Server, running_server

KILLS: Final = scaled(quick=4, deep=50)
MOST: Final = 40
"""Kills within which a control must have lost something."""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server that nobody else needs."""
    with running_server() as own:
        yield own


def killed_often(server: Server, kills: int, how: How = How.WELL) -> Tally:
    """Histories, one after the other, until the server was killed so often or something is wrong."""
    together = Tally()
    for seed in count():
        together.add(run(server, seed, how=how, kills=kills - together.crashes))
        if together.bad or together.crashes >= kills:
            break
    return together


def test_no_kill_loses_halves_or_doubles_anything(server: Server) -> None:
    """The database holds what was acknowledged, possibly with the step in flight; keys answer as they did (IDM-1)."""
    tally = killed_often(server, KILLS)
    assert not tally.bad
    assert tally.crashes == KILLS


@pytest.mark.parametrize("how", [How.EARLY, How.WEAK], ids=lambda how: how.name)
def test_control_a_client_without_protection_is_caught(server: Server, how: How) -> None:
    """Acknowledging before the commit, and a commit that doesn't wait for the disk."""
    bad = killed_often(server, MOST, how).bad
    assert bad
    assert bad.keys() <= {Verdict.LOST}
