"""The file whose bytes stand for running keys: other processes hear of them, also after it was removed (IDM-3)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from regen_core.adapters.sql.key_file import KeyFile
from regen_core.idempotency import key_digest

DIGEST = key_digest("t1", "c1", "k1")

_ELSEWHERE = """
import sys
from regen_core.adapters.sql.key_file import KeyFile
with KeyFile(sys.argv[1], "here").claimed(sys.argv[2]) as is_free:
    print("free" if is_free else "running")
"""


def found_elsewhere(path: Path) -> str:
    """What a process of its own hears of the key."""
    command = [sys.executable, "-c", _ELSEWHERE, str(path), DIGEST]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout.strip()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where no file is yet."""
    return tmp_path / "regen.db-keys"


def test_another_process_hears_of_it_while_it_runs(path: Path) -> None:
    """And is free to claim it afterwards."""
    with KeyFile(str(path), "here").claimed(DIGEST) as is_free:
        assert is_free
        assert found_elsewhere(path) == "running"
    assert found_elsewhere(path) == "free"


def test_a_file_that_was_removed_is_opened_anew(path: Path) -> None:
    """By whoever names it next; the control: who doesn't look holds locks on a file that nobody else can open."""
    before = KeyFile(str(path), "here")
    with before.claimed(DIGEST):
        pass
    path.unlink()
    with before.claimed(DIGEST):
        assert found_elsewhere(path) == "free"
    with KeyFile(str(path), "here").claimed(DIGEST):
        assert found_elsewhere(path) == "running"
