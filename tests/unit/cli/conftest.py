"""A command line to try: in this process, or as a process of its own in a pipe or on a terminal."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen
from click.testing import CliRunner

from regen_core.adapters.cli.main import cli
from tests.command import START, Said
from tests.forks.starting import fast


@frozen
class Regen:
    """The command line on one database, in a directory of its own."""

    directory: Path
    start: tuple[str, ...] = START

    @property
    def environment(self) -> dict[str, str]:
        """Nothing of the user's own settings."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "SYSTEMROOT") if name in os.environ}
        return {**kept, "REGEN_DB": f"sqlite:///{self.directory / 'regen.db'}", "PYTHONWARNINGS": "error"}

    def __call__(self, *args: str, stdin: bytes | None = None) -> Said:
        """Run a command in this process."""
        done = CliRunner().invoke(cli, args, input=stdin, env=self.environment, prog_name="regen")
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Said(done.exit_code, done.stdout, done.stderr)

    def process(self, *args: str, stdin: bytes = b"", environment: Mapping[str, str] | None = None) -> Said:
        """Run a command as a process whose output is a pipe; what Python is told needs an interpreter of its own."""
        is_told = any([name.startswith("PYTHON") for name in environment or ()])
        done = subprocess.run(
            [*(self.start if is_told else fast()), *args],
            input=stdin,
            capture_output=True,
            cwd=self.directory,
            env={**self.environment, **(environment or {})},
            timeout=300,
            check=False,
        )
        return Said(done.returncode, done.stdout.decode(), done.stderr.decode())

    def on_a_terminal(self, *args: str, environment: Mapping[str, str] | None = None, columns: int = 120) -> Said:
        """Run a command as a process whose output and complaints go to a pseudo-terminal."""
        pty = pytest.importorskip("pty")
        ours, theirs = pty.openpty()
        told = {**self.environment, "TERM": "xterm-256color", "COLUMNS": str(columns), **(environment or {})}
        with subprocess.Popen(
            [*fast(), *args], stdin=theirs, stdout=theirs, stderr=theirs, cwd=self.directory, env=told
        ) as child:
            os.close(theirs)
            screen = b"".join(iter(lambda: _read(ours), b""))
            code = child.wait(300)
        os.close(ours)
        return Said(code, screen.decode().replace("\r\n", "\n"), "")

    def write(self, name: str, *documents: Mapping[str, Any]) -> str:
        """A file of documents, one per line; its path."""
        path = self.directory / name
        path.write_text("".join(json.dumps(document) + "\n" for document in documents), encoding="utf-8")
        return str(path)


def _read(terminal: int) -> bytes:
    with contextlib.suppress(OSError):  # Linux ends a terminal with an error, others with nothing
        return os.read(terminal, 65536)
    assert errno.EIO, "the terminal is closed"
    return b""


@pytest.fixture
def regen(tmp_path: Path) -> Regen:
    """A command line on a database that doesn't exist yet."""
    return Regen(tmp_path)


InvoiceMaker = Callable[..., dict[str, Any]]


@pytest.fixture
def invoice() -> InvoiceMaker:
    """Makes invoices in Zuora's REST shape; items are amounts, or objects of their own."""

    def make(name: str = "1", items: Sequence[Any] = ("10.00",), **more: Any) -> dict[str, Any]:
        return {
            "id": f"invoice-{name}",
            "invoiceNumber": f"INV-{name}",
            "invoiceDate": "2026-01-31",
            "status": "Posted",
            "currency": "EUR",
            "invoiceItems": [
                each
                if isinstance(each, dict)
                else {"id": f"item-{name}-{at}", "chargeAmount": each, "sourceItemType": "SubscriptionComponent"}
                for at, each in enumerate(items)
            ],
            **more,
        }

    return make


@pytest.fixture
def loaded(regen: Regen, invoice: InvoiceMaker) -> Regen:
    """A command line on a database with the invoice INV-1 of two items."""
    assert regen("load", regen.write("first.ndjson", invoice(items=("10.00", "-2.50")))).code == 0
    return regen
