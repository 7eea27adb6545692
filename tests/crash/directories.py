"""Where crash simulations that need no real disk keep their files."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["memory_directory"]


@contextmanager
def memory_directory() -> Iterator[Path]:
    """An empty directory, in memory where the machine offers that: the operating system survives these crashes."""
    memory = Path("/dev/shm")  # noqa: S108  # made unguessable by tempfile
    where = Path(tempfile.mkdtemp(prefix="regen-crash-", dir=memory if memory.is_dir() else None))
    try:
        yield where
    finally:
        shutil.rmtree(where)
