"""How long ``import regen_core`` takes beyond ``import attrs`` and the standard library that attrs needs."""

from __future__ import annotations

import compileall
import subprocess
import sys
from pathlib import Path

import regen_core
from benchmarks.measure import Aim, Report

ROUNDS = 15


def _best(statement: str) -> float:
    """The best of several fresh interpreters, timed inside, bytecode at hand."""
    program = f"import time; start = time.perf_counter(); {statement}; print(time.perf_counter() - start)"
    command = [sys.executable, "-c", program]
    return min(float(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(ROUNDS))


def reports() -> list[Report]:
    """Milliseconds of each import, fresh interpreters in turn."""
    compileall.compile_dir(Path(regen_core.__file__).parent, quiet=2)
    attrs_alone = _best("import attrs")
    with_core = _best("import attrs, regen_core")
    extra = (with_core - attrs_alone) * 1000
    rows = [("import attrs", attrs_alone * 1000), ("import attrs, regen_core", with_core * 1000)]
    return [Report("Import time", "ms", rows, [Aim("ms beyond import attrs", extra, 60)])]
