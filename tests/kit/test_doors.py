"""The kit as an adopter runs it, by its very commands: on memory, SQLite, PostgreSQL, and on ``regen serve``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from regen_core.testing.conformance import check_ids
from tests.crash.profiles import scaled
from tests.kit.doors import DOORS, Door, opened

HISTORIES = {"memory": (4, 60), "sqlite": (2, 60), "postgresql": (1, 40), "http": (1, 20)}
"""How many histories of 40 steps are enough quick and deep; the laws and the model each look at all of them."""

NOT_SEEN = {
    "memory": {"IDM-7 crash", "IDM-7 kept"},
    "sqlite": set[str](),
    "postgresql": set[str](),
    "http": {
        "CNV-6", "PRE-1 version", "PRE-4 plan", "ACC-4 listings", "REV ledger", "IDM-2", "IDM-2 another meaning",
        "IDM-3", "IDM-4", "IDM-5 tenant", "IDM-5 client", "IDM-9", "IDM-7", "IDM-7 crash", "IDM-7 kept",
    },
}  # fmt: skip
"""What a door doesn't show, vectors of the corpus apart; it is skipped, never passed."""


EVERY = scaled(quick=12, deep=1)
"""Of so many vectors of the corpus one is performed; the others are the same steps with other documents."""


SUITES = ("memory", "http", "sqlite", "postgresql")[: scaled(quick=2, deep=4)]
"""Doors that pytest goes through, too: what it runs is what the command runs."""


@pytest.fixture(scope="module", name="skips")
def _skips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that leaves most vectors out where there is little time."""
    vectors = [each for each in check_ids() if each.startswith("corpus ")]
    left_out = [each for place, each in enumerate(vectors) if place % EVERY]
    file = tmp_path_factory.mktemp("doors") / "skips.txt"
    file.write_text("".join([f"{each}  performed where there is more time\n" for each in left_out]), encoding="utf-8")
    return file


@pytest.fixture(scope="module", name="door", params=DOORS)
def _door(request: pytest.FixtureRequest) -> Iterator[tuple[str, Door]]:
    with opened(request.param) as door:
        yield request.param, door


def test_the_command_tells_that_it_conforms(door: tuple[str, Door], skips: Path, tmp_path: Path) -> None:
    name, at = door
    quick, deep = HISTORIES[name]
    report, page = tmp_path / "report.json", tmp_path / "report.html"
    few = (
        "--derandomize",
        "--max-examples",
        str(scaled(quick=quick, deep=deep)),
        "--steps",
        "40",
        "--skips",
        str(skips),
    )
    done = at.command(*few, "--report", str(report), "--html", str(page))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("conforms: ")
    checks = json.loads(report.read_text(encoding="utf-8"))["checks"]
    skipped = {each["id"] for each in checks if each["outcome"] == "skipped"}
    assert {each for each in skipped if not each.startswith("corpus ")} == NOT_SEEN[name]
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


@pytest.mark.parametrize("door", SUITES, indirect=True)
def test_so_does_pytest(door: tuple[str, Door], skips: Path) -> None:
    done = door[1].suite("--regen-max-examples", "1", "--regen-steps", "20", "--regen-skips", str(skips))
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
    assert " failed" not in done.stdout
