"""When there is a window: in a sandbox on loopback, elsewhere only where it is asked for, and never beyond loopback."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from regen_core.adapters.http.clients import hash_secret
from tests.forks.starting import fast

SECONDS = 60.0
"""Against hangs only."""


CONFIGURATION = """
[[clients]]
client_id = "one"
secret_hash = "{hash}"
tenant = "t1"
entities = ["e1"]
"""


@contextmanager
def serving(folder: Path, *options: str) -> Iterator[dict[str, Any]]:
    """What ``regen serve`` says when it answers; it is stopped in the end, and must stop well."""
    command = [*fast(), "--json", "serve", "--port", "0", *options]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            said = "".join(iter(process.stdout.readline, "}\n"))
            told: dict[str, Any] = json.loads(said + "}")
            assert "error" not in told, told["error"]
            yield told
        finally:
            process.terminate()
            process.wait(SECONDS)


@pytest.fixture
def configured(tmp_path: Path) -> list[str]:
    """The option of a configured service."""
    path = tmp_path / "service.toml"
    path.write_text(CONFIGURATION.format(hash=hash_secret("secret").text), encoding="utf-8")
    return ["--config", str(path)]


def test_a_sandbox_has_one(tmp_path: Path) -> None:
    """Its address is printed, and new at each start."""
    with serving(tmp_path) as first, serving(tmp_path) as second:
        assert httpx.get(first["window"], timeout=SECONDS).status_code == 200
        assert httpx.get(f"{first['window']}state", timeout=SECONDS).json()["is_sandbox"]
        assert first["window"].rsplit("/", 2)[1] != second["window"].rsplit("/", 2)[1]
        assert httpx.get(first["url"], timeout=SECONDS).status_code == 404


def test_it_can_be_left_out(tmp_path: Path) -> None:
    """And then nothing is said of it."""
    with serving(tmp_path, "--no-window") as told:
        assert "window" not in told


def test_a_configured_service_has_none_unless_asked(tmp_path: Path, configured: list[str]) -> None:
    """Never by default; and where there is one, nothing can be emptied."""
    with serving(tmp_path, *configured) as told:
        assert "window" not in told
    with serving(tmp_path, *configured, "--window") as told:
        shown = httpx.get(f"{told['window']}state", timeout=SECONDS).json()
        assert (shown["tenant"], shown["is_sandbox"]) == ("t1", False)


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])  # noqa: S104  # that is the point
def test_beyond_loopback_there_is_none(tmp_path: Path, host: str) -> None:
    """Asked for, the service doesn't start; not asked for, it starts without."""
    with pytest.raises(AssertionError, match="no loopback address"), serving(tmp_path, "--host", host, "--window"):
        pass
    with serving(tmp_path, "--host", host) as told:
        assert "window" not in told
