"""``python -m tests.mutants regeneration access``: make the mutants of modules, and see which tests notice."""

from __future__ import annotations

import argparse
import pickle
import sys
import time
from hashlib import blake2b
from pathlib import Path

from tests.mutants import judging
from tests.mutants.equivalents import LISTED, read_list, unmatched
from tests.mutants.generating import mutants_of
from tests.mutants.mutant import CORE, Mutant

TESTS = ("tests/unit/core", "tests/unit/revenue", "tests/unit/fields", "tests/properties")
NO_RULE_OF_ITS_OWN = {"__init__", "calls", "page", "ports", "rules", "run_ports"}
"""The register, names and protocols: nothing in them decides."""


def _surveyed(paths: list[str], kept: Path | None) -> judging.Survey:
    """The survey of the unchanged tests, taken from the file where it is about the same texts."""
    texts = [path.read_bytes() for each in (*paths, str(CORE)) for path in sorted(Path(each).rglob("*.py"))]
    digest = blake2b(b"\0".join(texts)).hexdigest()
    if kept is not None and kept.exists():
        told, survey = pickle.loads(kept.read_bytes())  # noqa: S301  # written by this command
        if told == digest and isinstance(survey, judging.Survey):
            return survey
    survey = judging.survey(paths)
    if kept is not None:
        kept.write_bytes(pickle.dumps((digest, survey)))
    return survey


def _survivors(paths: list[str], mutants: list[Mutant], survey: judging.Survey) -> list[Mutant]:
    """The mutants that no test notices, swapped in where that shows all, else imported."""
    within = [mutant for mutant in mutants if mutant.places]
    survivors: list[Mutant] = []
    again = [mutant for mutant in mutants if not mutant.places]
    for mutant, answer in zip(within, judging.judge_swapped(paths, within, survey), strict=True):
        on_import = any(f"{mutant.module}:{name}:{line}" in survey.on_import for name, line in mutant.places)
        if answer == judging.NOT_SWAPPED or (answer == judging.SURVIVED and on_import):
            again.append(mutant)
        elif answer == judging.SURVIVED:
            survivors.append(mutant)
    survivors.extend(each for each in again if judging.judge_imported(paths, each, survey) == judging.SURVIVED)
    return survivors


def _report(module: str, paths: list[str], survey: judging.Survey) -> int:
    """Judge a module's mutants and say what came out; how many faults there are."""
    started = time.monotonic()
    mutants, listed = list(mutants_of(module)), read_list(LISTED.read_text(encoding="utf-8"))
    survivors = _survivors(paths, mutants, survey)
    equivalent = [each for each in survivors if each.identity in listed]
    alive = [each for each in survivors if each.identity not in listed]
    told = {each.identity for each in equivalent}
    moved = unmatched(listed, mutants, [module])
    noticed = [each for each in listed if each[0] == module and each not in told and each not in moved]
    killed, seconds = len(mutants) - len(survivors), time.monotonic() - started
    tally = f"{len(mutants)} mutants, {killed} killed, {len(equivalent)} equivalent, {len(alive)} alive"
    _say(f"{module}: {tally} ({seconds:.0f} s)")
    for mutant in alive:
        _say(f"ALIVE {mutant}")
    for what, entries in (("listed, but no mutant is so", moved), ("listed as equivalent, but noticed", noticed)):
        for _, before, after in entries:
            _say(f"{what}: {module}\n  - {before}\n  + {after}")
    return len(alive) + len(moved) + len(noticed)


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201  # the report of a command


def main(arguments: list[str]) -> int:
    """Exit code 1 where a mutant is alive, or an entry of the list is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("modules", nargs="*", help="modules of the core; all that decide where none is named")
    parser.add_argument("--survey", type=Path, help="file that keeps which test executes what, between two runs")
    parser.add_argument("--tests", nargs="+", default=list(TESTS), help="where the tests are that may notice")
    chosen = parser.parse_args(arguments)
    modules = chosen.modules or sorted({path.stem for path in CORE.glob("*.py")} - NO_RULE_OF_ITS_OWN)
    survey = _surveyed(chosen.tests, chosen.survey)
    return 1 if sum([_report(module, chosen.tests, survey) for module in modules]) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
