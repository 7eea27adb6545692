"""``python -m tests.mutants access idempotency``: make the mutants of modules, and see which no test notices."""

from __future__ import annotations

import argparse
import sys
import time

from tests.mutants.equivalents import LISTED, read_list, unmatched
from tests.mutants.generating import mutants_of
from tests.mutants.judging import survivors
from tests.mutants.mutant import CORE

UNIT, SENDING, RULES = "tests/unit/core", "tests/unit/revenue", "tests/properties"
FOCUSED = {
    "access": [f"{UNIT}/test_access.py", f"{UNIT}/test_each_condition.py"],
    "attempts": [f"{SENDING}/test_documented_waits.py", f"{SENDING}/test_attempts.py", f"{UNIT}/test_named_parts.py"],
    "changes": [f"{UNIT}/test_changes.py"],
    "checks": [f"{UNIT}/test_malformed_values.py", f"{UNIT}/test_each_condition.py"],
    "decision_table": [f"{UNIT}/test_composed_tables.py"],
    "documents": [
        f"{UNIT}/test_malformed_values.py",
        f"{UNIT}/test_each_condition.py",
        f"{UNIT}/test_document_values.py",
        f"{UNIT}/test_named_parts.py",
    ],
    "field_table": ["tests/unit/fields", f"{UNIT}/test_named_parts.py"],
    "fields": ["tests/unit/fields", f"{UNIT}/test_named_parts.py", f"{UNIT}/test_each_condition.py"],
    "idempotency": [f"{UNIT}/test_stored_values.py", f"{RULES}/test_idempotency.py"],
    "migration": [f"{UNIT}/test_named_parts.py", f"{UNIT}/test_each_condition.py", f"{RULES}/test_migration.py"],
    "pairing": [f"{UNIT}/test_pairing.py"],
    "persistent_map": [f"{UNIT}/test_map_order.py", f"{UNIT}/test_each_condition.py"],
    "plain_values": [f"{UNIT}/test_plain_values.py"],
    "reconciliation": [
        f"{UNIT}/test_reconciliation_values.py",
        f"{UNIT}/test_named_parts.py",
        f"{UNIT}/test_variances.py",
        f"{RULES}/test_reconciliation.py",
    ],
    "refusals": [f"{UNIT}/test_refusal_messages.py", f"{UNIT}/test_refusal_values.py"],
    "regeneration": [f"{UNIT}/test_decisions.py", f"{RULES}/test_items_come_and_go.py"],
    "request": [f"{UNIT}/test_request_values.py"],
    "retry_after": [f"{UNIT}/test_retry_after.py"],
    "revenue": [f"{UNIT}/test_collecting.py"],
    "statuses": [f"{SENDING}/test_documented_statuses.py", f"{SENDING}/test_documented_waits.py"],
    "store": [f"{UNIT}/test_store_values.py"],
    "transactions": [f"{UNIT}/test_stored_values.py", f"{UNIT}/test_malformed_values.py"],
    "type_mapping": [f"{UNIT}/test_mapping_words.py", f"{RULES}/test_mapping.py"],
    "variance_rules": [f"{UNIT}/test_variance_rules.py", f"{UNIT}/test_variances.py"],
}
"""The tests that are about a module; where none are named, all that are about the core."""

EVERYTHING = [UNIT, SENDING, "tests/unit/fields", RULES]
NO_RULE_OF_ITS_OWN = {"__init__", "calls", "page", "ports", "rules", "run_ports"}
"""The register, names and protocols: nothing in them decides."""

BOTH = ["functions", "bodies"]


def _report(module: str, wanted: list[str], paths: list[str]) -> int:
    """Judge a module's mutants and say what came out; how many faults there are."""
    started = time.monotonic()
    mutants, listed = mutants_of(module, wanted), read_list(LISTED.read_text(encoding="utf-8"))
    found = survivors(paths, mutants, lambda mutant: None if mutant.identity in listed else _say(f"ALIVE {mutant}"))
    equivalent = {each.identity for each in found} & set(listed)
    alive = [each for each in found if each.identity not in equivalent]
    moved = unmatched(listed, mutants, [module] if wanted == BOTH else [])
    noticed = ({each.identity for each in mutants} & set(listed)) - equivalent
    tally = f"{len(mutants)} mutants, {len(mutants) - len(found)} killed"
    seconds = time.monotonic() - started
    _say(f"{module}: {tally}, {len(found) - len(alive)} equivalent, {len(alive)} alive ({seconds:.0f} s)")
    for what, entries in (("listed, but no mutant is so", moved), ("listed as equivalent, but noticed", noticed)):
        for _, before, after in sorted(entries):
            _say(f"{what}: {module}\n  - {before}\n  + {after}")
    return len(alive) + len(moved) + len(noticed)


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201  # the report of a command


def main(arguments: list[str]) -> int:
    """Exit code 1 where a mutant is alive, or an entry of the list is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("modules", nargs="*", help="modules of the core; all that decide where none is named")
    parser.add_argument("--only", choices=BOTH, help="mutants within functions, or of the bodies around them")
    parser.add_argument("--tests", nargs="+", help="where the tests are that may notice")
    chosen = parser.parse_args(arguments)
    modules = chosen.modules or sorted({path.stem for path in CORE.glob("*.py")} - NO_RULE_OF_ITS_OWN)
    wanted = [chosen.only] if chosen.only else BOTH
    faults = [_report(module, wanted, chosen.tests or FOCUSED.get(module, EVERYTHING)) for module in modules]
    return 1 if sum(faults) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
