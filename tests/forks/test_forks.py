"""A command that is forked says, reads, leaves and dies as one does that an interpreter was started for."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from tests.command import START
from tests.forks.starting import REGEN, Forked, fast

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")

SECONDS = 60.0
"""Against hangs only."""


@pytest.mark.parametrize(
    ("arguments", "given", "code"),
    [
        (("table", "none"), "", 2),
        (("load", "-"), '{"id": 3}\n', 1),
        (("show", "documents"), "", 3),
    ],
)
def test_it_is_what_an_interpreter_runs(tmp_path: Path, arguments: tuple[str, ...], given: str, code: int) -> None:
    """In its directory, with its environment and its streams."""
    environment = {"PATH": os.environ["PATH"], "REGEN_DB": "sqlite:///here.db", "PYTHONWARNINGS": "error"}
    said = []
    for number, start in enumerate((START, fast())):
        folder = tmp_path / str(number)
        folder.mkdir()
        done = subprocess.run(
            [*start, *arguments], input=given, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        said.append((done.returncode, done.stdout, done.stderr, sorted(path.name for path in folder.iterdir())))
    assert said[0] == said[1]
    assert said[0][0] == code


def served(folder: Path) -> list[str]:
    """The arguments of a service in a folder."""
    return ["--json", "--db", f"sqlite:///{folder / 'regen.db'}", "serve", "--port", "0", "--no-window"]


def port_of(told: str) -> int:
    """Where a service listens, by what it said."""
    return int(json.loads(told)["url"].rpartition(":")[2])


def until_closed(port: int) -> None:
    """Nobody listens there any more."""
    end = time.monotonic() + SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), SECONDS).close()
        except ConnectionRefusedError:
            return
        assert time.monotonic() < end, "it lives on"
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 0), (signal.SIGKILL, -signal.SIGKILL)], ids=str
)
def test_a_signal_ends_the_command(tmp_path: Path, number: signal.Signals, code: int) -> None:
    """Also one that the program in between can't pass on."""
    with subprocess.Popen([*fast(), *served(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        port = port_of(b"".join(iter(process.stdout.readline, b"}\n")).decode() + "}")
        process.send_signal(number)
        assert process.wait(SECONDS) == code
        until_closed(port)


def test_a_process_is_known_by_its_id_and_ends_with_the_block(tmp_path: Path) -> None:
    """And tells its exit code."""
    paths = tmp_path / "out", tmp_path / "err"
    with paths[0].open("wb") as out, paths[1].open("wb") as err:
        process = Forked.begun(REGEN, *served(tmp_path), cwd=tmp_path, environment=os.environ, out=out, err=err)
    with process:
        while not paths[0].read_text().endswith("}\n"):
            assert process.poll() is None, paths[1].read_text()
            time.sleep(0.01)
        os.kill(process.pid, 0)
    assert process.returncode == -signal.SIGKILL
    until_closed(port_of(paths[0].read_text()))
