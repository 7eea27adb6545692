"""A directory in memory for tests that don't need a disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.directories import memory_directory


@pytest.fixture
def memory() -> Iterator[Path]:
    """An empty directory that costs no time to sync."""
    with memory_directory() as where:
        yield where
