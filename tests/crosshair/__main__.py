"""``python -m tests.crosshair``: CrossHair over the contracts and their controls; 1 where one isn't as it must be."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).parent
CONFIRMED = "Confirmed over all paths"
SECONDS = 60
"""How long CrossHair may look at one contract."""


def contracts_in(path: Path) -> dict[int, str]:
    """The functions with a postcondition, by the line at which CrossHair names them."""
    functions = [each for each in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(each, ast.FunctionDef)]
    found = {}
    for function in functions:
        docstring = function.body[0]
        assert docstring.end_lineno is not None
        lines = range(function.lineno, docstring.end_lineno + 1)
        if "post:" in (ast.get_docstring(function) or ""):
            found.update(dict.fromkeys(lines, function.name))
    return found


def answers(path: Path) -> dict[str, str]:
    """What CrossHair says of each contract of a file; ``no answer`` where it says nothing."""
    names = contracts_in(path)
    options = ["--analysis_kind=PEP316", "--report_all", f"--per_condition_timeout={SECONDS}"]
    command = [sys.executable, "-m", "crosshair", "check", *options, f"tests.crosshair.{path.stem}"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=HERE.parents[1])
    found = dict.fromkeys(names.values(), "no answer")
    for line, said in re.findall(rf"{path.name}:(\d+): (.*)$", done.stdout + done.stderr, re.MULTILINE):
        found[names.get(int(line), f"line {line}")] = said
    return found


def main() -> int:
    """Every contract confirmed over all paths, every control refuted by an input."""
    if find_spec("crosshair") is None:
        sys.exit("CrossHair is not installed. Install it: python -m pip install -r tests/crosshair/requirements.txt")
    wrong = 0
    for stem, wanted in (("contracts", CONFIRMED), ("controls", "error: false")):
        for name, said in answers(HERE / f"{stem}.py").items():
            as_wanted = wanted in said
            wrong += not as_wanted
            print(f"{'as expected' if as_wanted else 'NOT AS EXPECTED'}  {name}: {said}")  # noqa: T201
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
