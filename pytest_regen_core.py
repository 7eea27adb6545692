"""The options of ``pytest --pyargs regen_core.testing.suite``; imports nothing else, so coverage sees all imports."""

from __future__ import annotations

import pytest

_OPTIONS = (
    (
        "store",
        "MODULE:FACTORY",
        "what makes an empty store, or a subject of the kit's; with an address what is behind it",
    ),
    ("url", "URL", "a service to check over HTTP; the client's secret is read from REGEN_CLIENT_SECRET"),
    ("client-id", "ID", "the service's client; REGEN_CLIENT_ID without it"),
    ("max-examples", "N", "random histories; 60 without it"),
    ("steps", "N", "steps of each history; 120 without it"),
    ("seed", "N", "the first history's seed; 0 without it, so that each run is the same"),
    ("skips", "FILE", "checks to leave out: an id, two blanks, the reason"),
    ("xfails", "FILE", "checks that must fail, in the same form"),
    ("without", "NAMES", "capabilities to do without, separated by commas"),
    ("report", "FILE", "write the report as JSON"),
    ("html", "FILE", "write the report as a page"),
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options, all of which begin with ``--regen-``."""
    group = parser.getgroup("regen", "conformance with the rules of regenerating (regen_core.testing.suite)")
    for name, metavar, told in _OPTIONS:
        group.addoption(f"--regen-{name}", metavar=metavar, default=None, help=told)
