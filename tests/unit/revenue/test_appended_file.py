"""What is appended can be read under the file's name, whatever becomes of the file meanwhile."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from regen_core.adapters.revenue.appended_file import AppendedFile

FIRST, SECOND, THIRD = (f'{{"id":"a-{number}"}}\n'.encode() for number in (1, 2, 3))


def removed(path: Path) -> None:
    """By hand."""
    path.unlink()


def moved(path: Path) -> None:
    """As programs do that rotate logs."""
    path.rename(path.with_suffix(".1"))


def replaced(path: Path) -> None:
    """As editors do: another file takes the name."""
    other = path.with_suffix(".new")
    other.write_bytes(b"kept\n")
    other.replace(path)


GONE = pytest.mark.parametrize(("happens", "before"), [(removed, b""), (moved, b""), (replaced, b"kept\n")])
Happens = Callable[[Path], None]


@GONE
def test_a_file_that_went_is_begun_anew(tmp_path: Path, happens: Happens, before: bytes) -> None:
    """Between two appends: the second one's lines stand under the name, those before where they were left."""
    path = tmp_path / "out"
    with AppendedFile(str(path)) as file:
        file.append([FIRST])
        happens(path)
        file.append([SECOND])
        file.append([THIRD])
    assert path.read_bytes() == before + SECOND + THIRD
    if happens is moved:
        assert path.with_suffix(".1").read_bytes() == FIRST


@GONE
def test_a_file_that_goes_before_the_lines_are_durable_gets_them_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, happens: Happens, before: bytes
) -> None:
    """Whoever moved it may have read it already."""
    path, sync = tmp_path / "out", os.fsync
    with AppendedFile(str(path)) as file:
        file.append([FIRST])
        once = [happens]

        def syncing(of: int) -> None:
            sync(of)
            while once:
                once.pop()(path)

        monkeypatch.setattr(os, "fsync", syncing)
        file.append([SECOND])
    assert path.read_bytes() == before + SECOND
    if happens is moved:
        assert path.with_suffix(".1").read_bytes() == FIRST + SECOND


def test_control_a_file_that_stays_gets_each_line_once(tmp_path: Path) -> None:
    """Under its name or by a link."""
    path, link = tmp_path / "out", tmp_path / "link"
    path.touch()
    link.symlink_to(path)
    for name, line in ((path, FIRST), (link, SECOND)):
        with AppendedFile(str(name)) as file:
            file.append([line])
            file.append([THIRD])
    assert path.read_bytes() == FIRST + THIRD + SECOND + THIRD


def test_a_directory_that_went_is_told_with_the_name(tmp_path: Path) -> None:
    """Nothing is acknowledged, and the file that was open is closed."""
    directory = tmp_path / "there"
    directory.mkdir()
    with AppendedFile(str(directory / "out")) as file:
        directory.rename(tmp_path / "elsewhere")
        with pytest.raises(FileNotFoundError) as raised:
            file.append([FIRST])
        assert raised.value.filename == str(directory / "out")
    assert (tmp_path / "elsewhere" / "out").read_bytes() == b""


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes of POSIX")
def test_a_pipe_is_no_file_that_went(tmp_path: Path) -> None:
    """It has a name, too."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with AppendedFile(str(path)) as file:
        file.append([FIRST])
    assert os.read(reader, 100) == FIRST
    os.close(reader)
