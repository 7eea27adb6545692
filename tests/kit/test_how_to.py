"""The adopter's how-to, followed in an empty folder: files written, commands run, words found."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from regen_core.access import Scope
from regen_core.testing.clients import Clients
from tests.command import START
from tests.crash.profiles import scaled
from tests.kit.doors import plugin

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/how-to/prove-your-store.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)
OF_STORES, OF_SERVICES = PAGE.split("## A service over HTTP\n")
BLOCKS = BLOCK.findall(OF_STORES)
PATIENCE = 300
"""Seconds after which a command hangs."""

FILES = {text.split("\n", 1)[0].removeprefix("# "): text for kind, text in BLOCKS if kind in {"python", "py"}}


def commands() -> list[tuple[str, int, str]]:
    """Each command with the exit status that the page tells, and the text block that follows it."""
    found: list[tuple[str, int, str]] = []
    for kind, text in BLOCKS:
        if kind == "sh" and not text.startswith("pip "):
            for line in text.splitlines():
                command, _, told = line.partition("  # ends with ")
                found.append((command, int(told or 0), ""))
        elif kind == "text" and found and not found[-1][2] and not text.startswith("CNV-6"):
            command, status, _ = found[-1]
            found[-1] = (command, status, text)
    return found


@pytest.fixture(scope="module", name="folder")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("adopter")
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def run(folder: Path, command: str) -> tuple[int, str]:
    """A command as an adopter types it, with this interpreter's packages."""
    program, *arguments = command.split()
    started = {
        "pytest": [sys.executable, "-m", "pytest", *plugin(), "-p", "no:cacheprovider", "-p", "no:schemathesis"],
        "regen": START,
    }[program]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{folder}", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [*started, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    return done.returncode, done.stdout + done.stderr


def test_the_page_has_its_parts() -> None:
    assert set(FILES) == {"stores.py", "test_stores.py", "broken.py"}
    assert [status for _, status, _ in commands()] == [0, 0, 0, 1, 1, 0]


FEWER = {"regen conformance --store stores:": " --max-examples 6", "pytest --pyargs ": " --regen-max-examples 6"}
"""What a quick run adds where the page leaves the number of histories open."""


def added_to(command: str) -> str:
    """Nothing in deep runs: they follow the page to the letter."""
    quick = next((more for begins, more in FEWER.items() if command.startswith(begins)), "")
    return (quick, "")[scaled(quick=0, deep=1)]


def test_every_command_does_what_the_page_says(folder: Path) -> None:
    """In the order of the page, since the later ones read what the earlier ones wrote."""
    for command, status, expected in commands():
        code, told = run(folder, command + added_to(command))
        assert code == status, f"{command}: {told}"
        for line in expected.splitlines():
            assert line in told, f"{command} doesn't say {line!r}: {told}"
    _is_told_by_a_history_of_minimal_length(folder / "broken.json")


def _is_told_by_a_history_of_minimal_length(report: Path) -> None:
    """Two calls are enough to lose a row: a document is loaded, and overridden."""
    checks = {each["id"]: each for each in json.loads(report.read_text(encoding="utf-8"))["checks"]}
    assert [call["call"] for call in checks["CNV-1"]["history"]["calls"]] == ["load", "regenerate"]


def test_what_the_page_tells_of_services_is_what_the_doors_do() -> None:
    """``tests/kit/test_doors.py`` runs these commands; the clients are made as they are written there."""
    told = {text.split("\n", 1)[0]: text for _, text in BLOCK.findall(OF_SERVICES)}
    commands, clients = (
        told["export REGEN_DB=sqlite:///sandbox.db"],
        told["from regen_core.testing.clients import Client"],
    )
    assert "--tenant t1 --entity e1 --org north --org south" in commands
    assert commands.count("regen_core.adapters.cli.conformance_served:behind") == 2
    made: dict[str, Any] = dict.fromkeys(("ONE", "TWO", "NONE", "OTHER"), "a secret")
    exec(clients, made)  # noqa: S102  # the page's own lines
    known = Clients(made["Behind"].clients)
    for tenant, entity, orgs in (("t1", "e2", None), ("t2", "e1", None), ("t1", "e1", frozenset[str]())):
        assert known.reaches(Scope(tenant=tenant, entity=entity, orgs=orgs))
    assert not known.reaches(Scope(tenant="t3", entity="e1", orgs=None))


@pytest.mark.parametrize("wrong", ["", "--regen-store nothing", "--regen-store stores:nothing"])
def test_a_wrong_store_is_wrong_usage_for_pytest(folder: Path, wrong: str) -> None:
    code, told = run(folder, f"pytest --pyargs regen_core.testing.suite {wrong}")
    assert code == 4, told
    assert "factory" in told or "imported" in told


def test_pytest_skips_and_fails_by_the_lists(folder: Path) -> None:
    (folder / "skips.txt").write_text("CNV-6  of another test\ngone  of another version\n", encoding="utf-8")
    few = "--regen-max-examples 2 --regen-steps 20 --regen-skips skips.txt"
    code, told = run(folder, f"pytest -rs --pyargs regen_core.testing.suite --regen-store stores:DictStore {few}")
    assert code == 1
    assert "of another test" in told
    assert "'gone' names no check" in told
