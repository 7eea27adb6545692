"""schemathesis, as anybody would run it, against ``regen serve``: every check, valid and invalid data, no failure."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from attrs import frozen

from tests.crash.profiles import scaled
from tests.http_laws.variants import start
from tests.served.documents import PLAIN, load
from tests.served.process import CLIENT, ENTITY, SECRET, TENANT, Service, served

EXAMPLES = scaled(quick=10, deep=300)
"""Cases per operation and kind of data, beside those that cover each part of the document on purpose."""

ROOT = Path(__file__).parents[2]


@frozen
class Run:
    """What schemathesis said."""

    exit_code: int
    output: str


def checked(service: Service, *options: str, seed: int = 1) -> Run:
    """Run it on a service."""
    told = ("--checks", "all", "--mode", "all", "--seed", str(seed), "--generation-database", "none", "--no-color")
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{service.url}/openapi.json", *told, *options]
    hooks = {"SCHEMATHESIS_HOOKS": "tests.http_laws.schemathesis_hooks", "PYTHONPATH": str(ROOT)}
    secrets = {"REGEN_CLIENT": CLIENT, "REGEN_SECRET": SECRET, "REGEN_ENTITY": ENTITY}
    load(service.db, TENANT, ENTITY, [OF_THE_DESCRIPTION], service.folder)
    assert service.ask({"type": "Invoice", "id": OF_THE_DESCRIPTION["id"]}).status == 200, "it can be sent again"
    (service.folder / "schemathesis.toml").write_text(SETTINGS)
    done = subprocess.run(
        [*command, "-H", f"Authorization: Bearer {service.token}"],
        check=False,
        capture_output=True,
        text=True,
        cwd=service.folder,
        env={**os.environ, **hooks, **secrets},
    )
    return Run(done.returncode, done.stdout + done.stderr)


OF_THE_DESCRIPTION = {
    **PLAIN,
    "id": "8ad08d298f4b",
    "invoiceNumber": "INV00000021",
    "invoiceItems": [{**item, "id": f"of-{item['id']}"} for item in PLAIN["invoiceItems"]],
}
"""The invoice that the description's examples name."""

SETTINGS = """
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "403", "404", "409", "422", "429"]
"""
"""Valid data may be about another entity or document, or come under a key that was used (IDM-4)."""

OPERATION = "regenerateBillingTransactions"
LIMITS = {"failed_logins_per_minute": 10_000}


def test_no_check_fails(tmp_path: Path) -> None:
    """Statuses, headers, bodies, media types, authentication, methods; invalid data is refused, valid data is taken."""
    with served(tmp_path, limits=LIMITS) as service:
        run = checked(service, "--max-examples", str(EXAMPLES))
        assert run.exit_code == 0, run.output
        assert "Missing test data" not in run.output, "the operation was reached"
        assert "7 passed" in run.output


PROMISES = {
    "takes any flag": "Schema-violating request accepted",
    "lets everybody in": "authentication",
    "tells more than it describes": "Response violates schema",
}
"""What a variant of the service breaks, and what is said of it."""


@pytest.mark.parametrize("variant", tuple(PROMISES)[: scaled(quick=1, deep=3)])
def test_control_a_service_that_breaks_its_promises_fails(tmp_path: Path, variant: str) -> None:
    """The run is one that can fail."""
    with served(tmp_path, start=start(variant), limits=LIMITS) as service:
        run = checked(
            service, "--phases", "examples,coverage", "--include-operation-id", OPERATION, "--max-failures", "1"
        )
        assert run.exit_code == 1, run.output
        assert PROMISES[variant] in run.output, run.output
