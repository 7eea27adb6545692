"""The examples' README shows what the program prints, and the story's script runs to its end.

``REGEN_WRITE_TRANSCRIPTS=1`` writes what is printed today into the README, for a reader to approve.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from regen_core.adapters.cli.main import cli
from tests.forks.starting import fast

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
README = EXAMPLES / "README.md"
CONSOLE = re.compile(r"(?<=^```console\n).*?(?=^```$)", re.MULTILINE | re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the examples to work in, with a database of its own."""
    copy = tmp_path / "examples"
    shutil.copytree(EXAMPLES, copy)
    monkeypatch.chdir(copy)
    monkeypatch.setenv("REGEN_DB", f"sqlite:///{tmp_path}/regen.db")
    return copy


def expanded(arguments: list[str]) -> Iterator[str]:
    """As a shell would: patterns become the names that they fit."""
    for argument in arguments:
        fitting = sorted(str(path) for path in Path().glob(argument)) if "*" in argument else []
        yield from fitting or [argument]


def typed(command: str) -> str:
    """A command and what it prints, as a transcript."""
    program, *arguments = shlex.split(command)
    assert program == "regen"
    result = CliRunner().invoke(cli, list(expanded(arguments)))
    assert result.exit_code in (0, 1), result.output
    return f"$ {command}\n{result.output}"


def test_the_readme_shows_what_is_printed(folder: Path) -> None:
    written = README.read_text()
    commands = [re.findall(r"^\$ (.*)$", block, re.MULTILINE) for block in CONSOLE.findall(written)]
    blocks = iter(["".join([typed(command) for command in block]) for block in commands])
    printed = CONSOLE.sub(lambda _: next(blocks), written)
    if os.environ.get("REGEN_WRITE_TRANSCRIPTS"):
        README.write_text(printed)
    assert printed == written, "what is printed has changed; see this module's first lines on how to write it down"


def told_by(script: Path) -> subprocess.CompletedProcess[str]:
    """The script run as a newcomer runs it; what CI runs before all tests is the ``regen`` that was installed."""
    regen = script.with_name("regen")
    regen.write_text(f'#!/bin/sh\nexec {shlex.join(fast())} "$@"\n')
    regen.chmod(0o755)
    environment = {**os.environ, "REGEN": str(regen)}
    return subprocess.run(
        ["sh", str(script)], env=environment, capture_output=True, text=True, check=False, timeout=300, cwd="/"
    )


def test_the_story_runs_to_its_end(folder: Path) -> None:
    story = told_by(folder / "story.sh")
    assert (story.returncode, story.stderr) == (0, "")
    told = story.stdout.splitlines()
    assert [line[0] for line in told if re.match(r"[1-9]\. ", line)] == list("12345")
    assert "All came out as told." in told[-1]


def test_the_story_fails_where_something_is_off(folder: Path) -> None:
    """The control: with the deposit no longer excluded, Revenue collects a line too many."""
    invoice = folder / "01-posted" / "invoice-INV00000104.json"
    excluded = '"excludeItemBillingFromRevenueAccounting": true'
    invoice.write_text(invoice.read_text().replace(excluded, excluded.replace("true", "false")))
    story = told_by(folder / "story.sh")
    assert story.returncode == 1
    assert "this was to say 10 collected" in story.stderr
