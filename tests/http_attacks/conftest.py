"""A service under attack: after whatever was done to it, it answers a good request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest

from tests.http_attacks.variants import start
from tests.served.documents import PLAIN
from tests.served.process import Service, served

MANY = {"failed_logins_per_minute": 10_000}
"""So that one test's failed logins aren't in another one's way."""


@pytest.fixture(scope="session")
def _service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with served(tmp_path_factory.mktemp("served"), limits=MANY) as service:
        yield service


@pytest.fixture
def service(_service: Service) -> Iterator[Service]:
    """A service that several tests attack, one after the other."""
    yield _service
    assert_well(_service)


Variant = Callable[..., Service]
"""By its name, and with limits as the configuration has them."""


def assert_well(service: Service) -> None:
    """It runs, and what is asked of it is done."""
    assert service.process.poll() is None, service.log[-2000:]
    assert service.ask({"type": "Invoice", "id": PLAIN["id"]}).status == 200


@pytest.fixture(scope="session")
def variant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Variant]:
    """Gives the service with one thing about it changed; it is for controls, and nobody minds how it ends."""
    with ExitStack() as running:

        @cache
        def made(name: str, **limits: float) -> Service:
            folder = tmp_path_factory.mktemp("variant")
            return running.enter_context(served(folder, start=start(name), limits=limits))

        yield made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """For a service of a test's own."""
    return tmp_path
