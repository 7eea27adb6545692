"""Zuora's SDK and services for it. Without the SDK's environment its tests aren't part of a run, which says so."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sdk.driving import Sdk, running_sdk
from tests.sdk.environment import is_made
from tests.served.process import Service, served

collect_ignore = [] if is_made() else ["test_zuora_sdk.py"]


@pytest.fixture(scope="session")
def process() -> Iterator[Sdk]:
    """The SDK, imported once."""
    with running_sdk() as running:
        yield running


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service as it comes."""
    with served(tmp_path_factory.mktemp("served")) as running:
        yield running


@pytest.fixture
def sdk(process: Sdk, service: Service) -> Sdk:
    """The SDK, logged in to the service."""
    assert process.login(service)["printed"] == ""
    return process
