"""How thoroughly the tests search: ``REGEN_PROFILE`` is ``quick`` (a newcomer's run) or ``deep`` (before a merge)."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from typing import Any

import pytest
from hypothesis import settings

from tests.browser.finding import report
from tests.forks import starting
from tests.postgresql_server import Server, running_server
from tests.sdk.environment import said_at_the_start

settings.register_profile("quick", max_examples=25, stateful_step_count=40, deadline=None, print_blob=True)
settings.register_profile("deep", max_examples=200, stateful_step_count=50, deadline=None, print_blob=True)
settings.load_profile(os.environ.get("REGEN_PROFILE", "quick"))


def pytest_report_header() -> list[str]:
    """Whether the sandbox's page is tested in a browser, and the service with Zuora's SDK."""
    return [report(), said_at_the_start()]


@pytest.hookimpl(optionalhook=True, wrapper=True)
def pytest_xdist_auto_num_workers() -> Generator[None, int, int]:
    """One process more than there are cores: some always wait for a command, a server or a disk."""
    cores = yield
    return cores if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ else cores + 1


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Each process gets a stretch of the tests, so that few make the same things twice; who is through takes over some.

    What else than ``--numprocesses`` is asked for is done.
    """
    if config.getoption("dist") != "load":
        return None
    from xdist.scheduler import WorkStealingScheduling  # type: ignore[import-untyped]  # noqa: PLC0415  # with it only

    return WorkStealingScheduling(config, log)


def pytest_unconfigure() -> None:
    """What was started for several tests ends with them."""
    starting.end()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A PostgreSQL server of this process: started when the first test needs it, ended with the run."""
    with running_server() as server:
        yield server
