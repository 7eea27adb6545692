"""A child answers, raises, waits or never ends; only the last is stopped, and by a processor's time."""

from __future__ import annotations

import os
import signal
import time

import pytest

from tests.mutants.judging import KILLED, SURVIVED, Answer, _forked

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # forking beside the threads of pytest-xdist


def _never_ending() -> Answer:
    while True:
        pass


def _raising() -> Answer:
    raise RuntimeError("noticed")


def test_what_a_child_says_is_heard() -> None:
    assert _forked(lambda: (SURVIVED, f"{os.getppid()} é"), 60) == (SURVIVED, f"{os.getpid()} é")
    assert _forked(lambda: (KILLED, ""), 60) == (KILLED, "")


def test_a_mutant_that_breaks_everything_is_noticed() -> None:
    assert _forked(_raising, 60) == (KILLED, "")


def test_a_mutant_that_never_ends_is_ended() -> None:
    assert _forked(_never_ending, 0.1) == (-signal.SIGPROF, "")


def test_who_waits_for_a_busy_machine_is_not() -> None:
    """The control: as long by the clock, and nothing of a processor."""

    def waiting() -> Answer:
        time.sleep(0.3)
        return SURVIVED, ""

    assert _forked(waiting, 0.1) == (SURVIVED, "")
