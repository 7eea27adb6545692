"""One test per check of the kit, on the system that ``--regen-store`` names; what is lacking is skipped, not passed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from regen_core.testing.clients import Client
from regen_core.testing.conformance import DEFAULT_HISTORIES, DEFAULT_STEPS, Options, check_ids, conform
from regen_core.testing.factories import NoSystem, factory_named
from regen_core.testing.http_checks import HTTP_CHECKS
from regen_core.testing.lists import BadList, entries_of
from regen_core.testing.over_http import Service
from regen_core.testing.report import Outcome, Report, failure_lines, report_json
from regen_core.testing.report_html import report_html
from regen_core.testing.services import service_system
from regen_core.testing.systems import System, system_of
from regen_core.wire.strict_json import dump

WRONG_USAGE = 4


@pytest.fixture(scope="session", name="report")
def _report(pytestconfig: pytest.Config) -> Report:
    """One run of the kit, which the tests tell check by check."""
    try:
        found = conform(_system(pytestconfig), _options(pytestconfig))
    except (BadList, NoSystem, OSError, ValueError) as fault:
        pytest.exit(str(fault), WRONG_USAGE)
    for name, text in (("report", dump(report_json(found)) + "\n"), ("html", report_html(found))):
        path = _given(pytestconfig, name)
        if path is not None:
            Path(path).write_text(text, encoding="utf-8")
    return found


def _given(config: pytest.Config, name: str) -> str | None:
    given: str | None = config.getoption(f"--regen-{name}")
    return given


def _system(config: pytest.Config) -> System:
    store = _given(config, "store")
    if store is None:
        raise NoSystem("Nothing to check. Name a store with --regen-store module:factory.")
    without = [each.strip() for each in (_given(config, "without") or "").split(",") if each.strip()]
    url = _given(config, "url")
    if url is None:
        return system_of(store, factory_named(store), without)
    return service_system(Service(url, _clients(config)), store, factory_named(store), without)


def _clients(config: pytest.Config) -> tuple[Client, ...]:
    """The one that the options and the environment name; none where what is behind the service names its own."""
    name, secret = (
        _given(config, "client-id") or os.environ.get("REGEN_CLIENT_ID"),
        os.environ.get("REGEN_CLIENT_SECRET"),
    )
    return (Client(id=name, secret=secret),) if name and secret else ()


def _options(config: pytest.Config) -> Options:
    return Options(
        histories=int(_given(config, "max-examples") or DEFAULT_HISTORIES),
        steps=int(_given(config, "steps") or DEFAULT_STEPS),
        seed=int(_given(config, "seed") or 0),
        skips=_entries(_given(config, "skips")),
        xfails=_entries(_given(config, "xfails")),
    )


def _entries(path: str | None) -> dict[str, str]:
    return {} if path is None else entries_of(Path(path).read_text(encoding="utf-8"), path)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test for each check; those of requests by hand where there is a service to send them to."""
    if "check" in metafunc.fixturenames:
        by_hand = () if _given(metafunc.config, "url") is None else [each.id for each in HTTP_CHECKS]
        metafunc.parametrize("check", (*check_ids(), *by_hand))


def test_the_system_keeps(report: Report, check: str) -> None:
    """The rule, row or story that the id names."""
    (verdict,) = [each for each in report.verdicts if each.id == check]
    match verdict.outcome:
        case Outcome.SKIPPED:
            pytest.skip(verdict.reason or "skipped")
        case Outcome.NEVER:
            pytest.skip("no history exercised it; let there be more with --regen-max-examples")
        case Outcome.XFAILED:
            pytest.xfail(verdict.reason or "expected")
        case Outcome.FAILED | Outcome.XPASSED:
            pytest.fail("\n".join(failure_lines(verdict)), pytrace=False)


def test_the_lists_name_checks(report: Report) -> None:
    """An entry of the skips or xfails that matches nothing fails."""
    assert not report.complaints, "\n".join(report.complaints)
