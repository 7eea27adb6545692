"""Zuora's SDK in a process of its own, asked for facts."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from attrs import define

from tests.sdk.environment import PYTHON
from tests.served.process import CLIENT, SECRET, Service

__all__ = ["Sdk", "running_sdk"]

_SCRIPT: Final = Path(__file__).with_name("inside.py")


@define
class Sdk:
    """The running process."""

    process: subprocess.Popen[str]

    def ask(self, do: str, **asked: Any) -> dict[str, Any]:
        """Have something done; the facts of it."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"do": do, **asked}) + "\n")
        self.process.stdin.flush()
        facts: dict[str, Any] = json.loads(self.process.stdout.readline())
        assert "failed" not in facts, facts
        return facts

    def login(self, service: Service, client_id: str = CLIENT, client_secret: str = SECRET) -> dict[str, Any]:
        """Log in to a service; its address is the client's name."""
        return self.ask("login", client=service.url, host=service.url, client_id=client_id, client_secret=client_secret)

    def regenerate(
        self, service: Service, body: dict[str, Any], headers: dict[str, str] | None = None, **parameters: Any
    ) -> dict[str, Any]:
        """Call the operation."""
        return self.ask("regenerate", client=service.url, body=body, headers=headers, parameters=parameters)


@contextmanager
def running_sdk() -> Iterator[Sdk]:
    """The SDK's process, which ends with the block."""
    command = [PYTHON, _SCRIPT]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Sdk(process)
        finally:
            process.kill()
