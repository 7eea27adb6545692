"""The core depends on attrs and the standard library alone, and does no I/O of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "regen_core"
IO_MODULES = {"asyncio", "logging", "multiprocessing", "secrets", "socket", "sqlite3", "ssl", "subprocess", "uuid"}
"""Modules that an import of the core must not even load. Others, such as ``os``, every interpreter has loaded."""

PROBE = """
import json, sys
import attrs
before = set(sys.modules)
import {module}
print(json.dumps(sorted(set(sys.modules) - before)))
"""


@cache
def modules_loaded_by(module: str) -> frozenset[str]:
    """The top-level modules that importing a module adds to a fresh interpreter that has attrs."""
    program = PROBE.format(module=module)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    return frozenset([name.partition(".")[0] for name in json.loads(done.stdout)])


@pytest.mark.parametrize("module", ["regen_core", "regen_core.explain", "regen_core.wire", "regen_core.ports"])
def test_importing_it_loads_attrs_and_the_standard_library_only(module: str) -> None:
    """What an application pays and trusts when it depends on the core."""
    loaded = modules_loaded_by(module)
    assert "regen_core" in loaded
    assert loaded - {"regen_core", "attr", "attrs"} <= sys.stdlib_module_names
    assert not loaded & IO_MODULES


def test_every_module_of_the_core_is_held_to_it() -> None:
    """The linter's list of what does no I/O names all that is neither an adapter nor the kit, and nothing else."""
    linter = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    (pure,) = [each["source_modules"] for each in linter["contracts"] if each["type"] == "forbidden"]
    assert sorted(pure) == sorted(core_modules())
    assert len(pure) == len(set(pure))


def core_modules() -> set[str]:
    """The modules and packages right below the package that the core consists of."""
    names = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    return {f"regen_core.{name}" for name in names - {"__init__", "adapters", "testing"}}


@pytest.mark.parametrize("module", ["regen_core.adapters.sql", "regen_core.adapters.cli.main"])
def test_sqlite_needs_no_driver_but_its_own(module: str) -> None:
    """Who has the command line alone has no PostgreSQL driver and no Hypothesis."""
    assert not modules_loaded_by(module) & {"psycopg", "hypothesis", "pytest"}


def test_the_probe_sees_what_it_must_not_miss() -> None:
    """The control: an adapter does load its database library, and the probe tells."""
    assert "sqlalchemy" in modules_loaded_by("regen_core.adapters.sql")
    assert "sqlite3" in modules_loaded_by("sqlite3")
