"""A directory in memory for tests that don't need a disk; without fork and SIGKILL nothing here runs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.directories import memory_directory

collect_ignore_glob = [] if hasattr(os, "fork") else ["test_*.py"]


@pytest.fixture
def memory() -> Iterator[Path]:
    """An empty directory that costs no time to sync."""
    with memory_directory() as where:
        yield where


@pytest.fixture(scope="session", autouse=True)
def _tidy() -> Iterator[None]:
    """Test processes end without their exit handlers, so what was kept between tests is removed here."""
    yield
    if hasattr(os, "fork"):
        from tests.crash.kill_relay import forget_filled  # noqa: PLC0415  # it needs fork

        forget_filled()
