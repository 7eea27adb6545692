"""``python -m tests.mcdc``: masking MC/DC of the core under its own tests; exit code 1 where a condition is missing.

Lines and branches stay where they are: ``coverage run -m tests.mcdc`` measures both by one run of the tests.
"""

from __future__ import annotations

import sys

import pytest

from tests.mcdc.exceptions import LISTED, read_list
from tests.mcdc.meter import Meter
from tests.mutants.mutant import CORE

TESTS = ("tests/properties", "tests/stateful", "tests/unit/core", "tests/unit/fields", "tests/unit/revenue")


def main(paths: list[str]) -> int:
    """Run the tests at these paths, or all that are about the core, and say which conditions never decided."""
    meter = Meter({f"regen_core.{path.stem}": path for path in CORE.glob("*.py") if path.stem != "__init__"})
    meter.install()
    code = pytest.main(["-q", "-p", "no:cacheprovider", *(paths or TESTS)])
    if code != 0:
        return int(code)
    listed, missing = read_list(LISTED.read_text(encoding="utf-8")), meter.missing()
    told = [each for each in missing if each.identity not in listed]
    stale = set(listed) - {each.identity for each in missing}
    for each in told:
        _say(str(each))
    for module, condition, value in sorted(stale):
        _say(f"listed as never deciding, but it does or isn't there: {module}: {condition!r} as {value}")
    excepted = len(missing) - len(told)
    _say(f"{meter.decisions} decisions, {meter.conditions} conditions, {excepted} excepted, {len(told)} missing")
    return 1 if told or stale else 0


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201  # the report of a command


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
