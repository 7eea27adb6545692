"""The file whose bytes stand for running keys: other processes hear of them, also after it was removed (IDM-3)."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from regen_core.adapters.sql import key_file
from regen_core.adapters.sql.faults import DatabaseUnavailable, KeyFileReadOnly, ReadOnlyDatabase
from regen_core.adapters.sql.key_file import KeyFile
from regen_core.idempotency import key_digest

DIGEST: Final = key_digest("t1", "c1", "k1")

IS_ROOT: Final = os.geteuid() == 0

NOBODY: Final = 65534

_ELSEWHERE: Final = """
import os, sys
from regen_core.adapters.sql.faults import KeyFileReadOnly
from regen_core.adapters.sql.key_file import KeyFile
path, digest, user = sys.argv[1:]
if int(user):
    os.setgroups([])
    os.setuid(int(user))
os.umask(0o077)
try:
    with KeyFile(path, "here").claimed(digest) as is_free:
        print("free" if is_free else "running")
except KeyFileReadOnly:
    print("read-only")
"""


def found_elsewhere(path: Path, *, user: int = 0) -> str:
    """What a process of its own hears of the key; ``user`` whose it is, 0 for our own."""
    command = [sys.executable, "-c", _ELSEWHERE, str(path), DIGEST, str(user)]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout.strip()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database without a file of keys."""
    database = tmp_path / "regen.db"
    database.touch()
    return database


def keys_of(database: Path) -> Path:
    """Where its keys are claimed."""
    return database.with_name(f"{database.name}-keys")


def once(database: Path) -> None:
    """Claim a key and let go of it."""
    with KeyFile(str(database), "here").claimed(DIGEST) as is_free:
        assert is_free


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
    keys_of(path).unlink()
    with before.claimed(DIGEST):
        assert found_elsewhere(path) == "free"
    with KeyFile(str(path), "here").claimed(DIGEST):
        assert found_elsewhere(path) == "running"


def test_a_key_that_runs_while_the_file_is_removed_is_let_go(path: Path) -> None:
    """In the file that it was claimed in, not in the one that has its name by then."""
    with KeyFile(str(path), "here").claimed(DIGEST):
        keys_of(path).unlink()
        other = KeyFile(str(path), "here")
        with other.claimed(DIGEST) as is_free:
            assert not is_free
        with other.claimed(key_digest("t1", "c1", "k2")) as is_free:
            assert is_free
    once(path)
    assert found_elsewhere(path) == "free"


class TestPermissions:
    """A file that can't be opened is told as that, and one that is made serves all who may write the database."""

    @pytest.fixture
    def shared(self) -> Iterator[Path]:
        """A database in a directory that every user of the machine may write."""
        directory = Path(tempfile.mkdtemp(prefix="regen-keys-"))
        database = directory / "regen.db"
        database.touch()
        directory.chmod(0o777)
        database.chmod(0o666)
        yield database
        shutil.rmtree(directory)

    def test_a_file_that_may_not_be_written_is_no_running_key(self, shared: Path) -> None:
        """Root may write any, so it tries as somebody else; the control: with the right to write the key is free."""
        once(shared)
        user = NOBODY if IS_ROOT else 0
        keys_of(shared).chmod(0o444)
        assert found_elsewhere(shared, user=user) == "read-only"
        keys_of(shared).chmod(0o666)
        assert found_elsewhere(shared, user=user) == "free"

    def test_a_directory_that_may_not_be_written(self, shared: Path) -> None:
        """Where the file isn't there yet."""
        shared.parent.chmod(0o555)
        assert found_elsewhere(shared, user=NOBODY if IS_ROOT else 0) == "read-only"
        shared.parent.chmod(0o777)

    @pytest.mark.parametrize("mode", [0o600, 0o660, 0o666])
    def test_it_is_made_with_the_mode_of_the_database(self, shared: Path, mode: int) -> None:
        """Whatever the umask is, here 077."""
        shared.chmod(mode)
        assert found_elsewhere(shared) == "free"
        assert stat.S_IMODE(keys_of(shared).stat().st_mode) == mode

    @pytest.mark.skipif(not IS_ROOT, reason="only root may give files away")
    def test_as_root_it_is_made_for_the_owner_of_the_database(self, shared: Path) -> None:
        """Who could claim no key otherwise."""
        os.chown(shared, NOBODY, NOBODY)
        shared.chmod(0o600)
        once(shared)
        assert (keys_of(shared).stat().st_uid, keys_of(shared).stat().st_gid) == (NOBODY, NOBODY)
        assert found_elsewhere(shared, user=NOBODY) == "free"

    def test_a_file_that_is_there_keeps_its_mode(self, shared: Path) -> None:
        """Somebody may have chosen it."""
        keys_of(shared).touch(0o600)
        once(shared)
        assert stat.S_IMODE(keys_of(shared).stat().st_mode) == 0o600

    def test_a_link_is_not_followed(self, shared: Path) -> None:
        """It may lead to anything, and root may write anything."""
        target = shared.with_name("target")
        keys_of(shared).symlink_to(target)
        with pytest.raises(DatabaseUnavailable, match="ELOOP"):
            once(shared)
        assert not target.exists()

    def test_the_fault_says_what_to_do(self) -> None:
        """And is one of a database that can't be written."""
        fault = KeyFileReadOnly("here")
        assert isinstance(fault, ReadOnlyDatabase)
        assert "-keys" in str(fault)
        assert "write" in str(fault)


class TestDescriptors:
    """A process that opens many databases one after the other runs out of nothing."""

    @pytest.fixture(autouse=True)
    def _alone(self) -> None:
        """Other tests' files are closed first."""
        with key_file._lock:
            key_file._tidy()

    def test_files_that_no_store_names_are_closed(self, tmp_path: Path) -> None:
        """Whether they are still there or were removed."""
        before = len(key_file._open)
        for number in range(8):
            database = tmp_path / f"{number}.db"
            database.touch()
            once(database)
            if number % 2:
                keys_of(database).unlink()
        assert len(key_file._open) <= before + 1

    def test_files_that_are_named_or_locked_stay_open(self, path: Path, tmp_path: Path) -> None:
        """The control: closing one lets go of its locks, and others would run what is running."""
        other = tmp_path / "other.db"
        other.touch()
        named = KeyFile(str(path), "here")
        with named.claimed(DIGEST):
            path.rename(tmp_path / "moved.db")
            keys_of(path).rename(tmp_path / "moved.db-keys")
            once(other)
            assert found_elsewhere(tmp_path / "moved.db") == "running"
        assert found_elsewhere(tmp_path / "moved.db") == "free"

    def test_control_closing_it_would_let_go(self, path: Path) -> None:
        """What a file that is closed too early costs."""
        with KeyFile(str(path), "here").claimed(DIGEST):
            os.close(os.open(keys_of(path), os.O_RDONLY))
            assert found_elsewhere(path) == "free"
