"""``regen conformance --url`` on services with one planted mistake each: every one is rejected, by its rule."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from regen_core.adapters.cli.main import cli
from regen_core.testing.conformance import check_ids
from regen_core.testing.http_checks import HTTP_CHECKS
from tests.crash.profiles import scaled
from tests.meta.planted_services import BROKEN_SERVICES, IgnoresReMigrate, ListsInReverse, SwapsTheFlags
from tests.meta.serving import Served, running

EVERY = (*check_ids(), *[each.id for each in HTTP_CHECKS])


def checked(served: Served, folder: Path, asked: Iterable[str], *options: str) -> tuple[int, dict[str, Any]]:
    """The command with some of its checks: its exit status and its report."""
    skips, report = folder / "skips.txt", folder / "report.json"
    skips.write_text("".join([f"{each}  another mistake's\n" for each in EVERY if each not in set(asked)]))
    named = ["--url", served.url, "--store", "tests.meta.serving:behind", "--derandomize"]
    asked_for = ["conformance", *named, "--skips", str(skips), "--report", str(report), *options]
    done = CliRunner().invoke(cli, asked_for)
    assert report.exists(), done.output
    told = json.loads(report.read_text(encoding="utf-8"))
    return done.exit_code, {each["id"]: each for each in told["checks"] if each["outcome"] != "skipped"}


@pytest.mark.parametrize(
    ("kind", "expected"), BROKEN_SERVICES.items(), ids=lambda value: getattr(value, "__name__", "")
)
def test_a_broken_service_is_rejected_by_its_rule(kind: type[Served], expected: set[str], tmp_path: Path) -> None:
    """Each of the expected checks fails and says what it found; that all pass on the healthy service is the control."""
    with running(kind()) as served:
        code, told = checked(served, tmp_path, expected)
    assert code == 1
    assert {name for name, each in told.items() if each["outcome"] == "failed"} == expected
    assert all(each["history"]["found"] for each in told.values())


HISTORIES = ("--max-examples", str(scaled(quick=1, deep=20)), "--steps", str(scaled(quick=30, deep=120)))


def test_control_the_service_as_it_should_be_conforms(tmp_path: Path) -> None:
    """Everything that can be seen through this door: what isn't is skipped, and never passed.

    What a broken service is rejected by had something at stake here, and passed.
    """
    with running(Served()) as served:
        code, told = checked(served, tmp_path, EVERY, *HISTORIES)
    assert code == 0, [name for name, each in told.items() if each["outcome"] == "failed"]
    assert {told[each]["outcome"] for each in set[str]().union(*BROKEN_SERVICES.values())} == {"passed"}
    unseen = {*EVERY} - told.keys()
    assert unseen == {
        "CNV-6", "PRE-1 version", "PRE-4 plan", "ACC-4 listings", "REV ledger", "IDM-3",
        "IDM-7", "IDM-7 crash", "IDM-7 kept",
        *[each for each in EVERY if each.startswith("corpus") and each not in told],
    }  # fmt: skip


@pytest.mark.parametrize("kind", [SwapsTheFlags, IgnoresReMigrate, ListsInReverse], ids=lambda each: each.__name__)
def test_random_histories_notice_without_any_story(kind: type[Served], tmp_path: Path) -> None:
    """The naive model and the laws alone tell that something is wrong, with a history that is short."""
    longer = ("--max-examples", "20", "--steps", "60")
    with running(kind()) as served:
        code, told = checked(served, tmp_path, {"model"}, *longer)
    assert code == 1
    history = told["model"]["history"]
    assert len(history["calls"]) <= 6
    assert len(history["curl"]) == sum(call["call"] == "regenerate" for call in history["calls"])
    assert all("$TOKEN" in line for line in history["curl"])


def test_there_are_enough_of_them() -> None:
    assert len(BROKEN_SERVICES) >= 25
    assert all(kind.__doc__ for kind in BROKEN_SERVICES)
