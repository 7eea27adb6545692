"""The kit on a service over HTTP: ``regen serve`` conforms, and services that are wrong are rejected by name."""

from __future__ import annotations

import json
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from click.testing import CliRunner

from regen_core.adapters.cli.main import cli
from regen_core.testing.clients import Client
from regen_core.testing.conformance import Options
from regen_core.testing.conforming_service import conform_service
from regen_core.testing.factories import NoSystem
from regen_core.testing.http_checks import HTTP_CHECKS
from regen_core.testing.over_http import Service
from regen_core.testing.report import Outcome
from tests.command import START

ROOT = Path(__file__).parents[2]
DOCUMENT = ("Invoice", "8ad0ad0e9b293b260193ff7dbf9e399d")


@pytest.fixture(scope="module", name="told")
def _told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A sandbox with the example documents, in a process of its own; what it prints at its start."""
    folder = tmp_path_factory.mktemp("served")
    database = ["--db", f"sqlite:///{folder / 'regen.db'}"]
    files = sorted(str(each) for each in (ROOT / "docs/examples/01-posted").iterdir())
    subprocess.run([*START, "load", *files, *database], check=True, capture_output=True, timeout=120)
    serving = [*START, "serve", "--json", "--port", "0", "--no-window", *database]
    with subprocess.Popen(serving, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        lines: list[str] = []
        while not lines or lines[-1] != "}\n":
            lines.append(process.stdout.readline())
            assert lines[-1], "the service ended before it answered"
        yield json.loads("".join(lines))
        process.terminate()


def service(told: dict[str, str], document: tuple[str, str] | None = DOCUMENT) -> Service:
    return service_at(told["url"], told["client_id"], told["client_secret"], document)


def service_at(url: str, name: str, secret: str, document: tuple[str, str] | None = None) -> Service:
    return Service(url, (Client(id=name, secret=secret),), document)


def test_the_projects_own_service_conforms(told: dict[str, str]) -> None:
    report = conform_service(service(told))
    assert report.is_conforming, [(each.id, each.history) for each in report.failures]
    assert {each.outcome for each in report.verdicts} <= {Outcome.PASSED, Outcome.NEVER}
    never = {each.id for each in report.verdicts if each.outcome is Outcome.NEVER}
    assert never <= {"http IDM-3"}, "whether a request meets another one that runs is chance"


def test_without_a_document_what_needs_one_is_skipped(told: dict[str, str]) -> None:
    report = conform_service(service(told, None))
    skipped = {each.id for each in report.verdicts if each.outcome is Outcome.SKIPPED}
    assert skipped == {each.id for each in HTTP_CHECKS if each.needs_document}
    assert "document" in report.lacking


def test_a_stale_entry_is_told(told: dict[str, str]) -> None:
    assert not conform_service(service(told), Options(skips={"gone": "why"})).is_conforming


def test_the_command_takes_an_address(told: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGEN_CLIENT_SECRET", told["client_secret"])
    asked = ["--url", told["url"], "--client-id", told["client_id"], "--document", ":".join(DOCUMENT)]
    report = tmp_path / "report.json"
    done = CliRunner().invoke(cli, ["conformance", *asked, "--report", str(report)])
    assert done.exit_code == 0, done.output
    assert told["client_secret"] not in done.output + report.read_text(encoding="utf-8")


def test_a_wrong_secret_and_a_silent_address_are_told(told: dict[str, str]) -> None:
    with pytest.raises(NoSystem, match="secret"):
        conform_service(service_at(told["url"], told["client_id"], "wrong"))
    with pytest.raises(NoSystem, match="reached"):
        conform_service(service_at("http://127.0.0.1:1", "x", "y"))


class _Canned(BaseHTTPRequestHandler):
    """A mock that answers every request alike, as mocks do; ``ids`` are those of each answer."""

    @staticmethod
    def ids() -> list[str]:
        return ["1" * 32]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        is_token = self.path.startswith("/oauth")
        told: dict[str, Any] = {"access_token": "t"} if is_token else {"success": True, "idList": self.ids()}
        body = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing."""


class _NewIds(_Canned):
    """TBL-I: other ids for the same document each time."""

    @staticmethod
    def ids() -> list[str]:
        return [secrets.token_hex(16)]


class _TwiceTheSame(_Canned):
    """TBL-R: an id is listed twice."""

    @staticmethod
    def ids() -> list[str]:
        return ["1" * 32, "1" * 32]


@contextmanager
def answered_by(kind: type[_Canned]) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), kind) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


WITHOUT_RULES = {each.id for each in HTTP_CHECKS if each.id not in {"http CNV-5", "http TBL-I", "http REQ-10"}}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (_Canned, WITHOUT_RULES),
        (_NewIds, {*WITHOUT_RULES, "http CNV-5", "http TBL-I"}),
        (_TwiceTheSame, {*WITHOUT_RULES, "http CNV-5", "http TBL-I"}),
    ],
)
def test_control_a_wrong_service_is_rejected_by_name(kind: type[_Canned], expected: set[str]) -> None:
    """Each failure tells what was sent as lines for curl, without the token."""
    with answered_by(kind) as url:
        report = conform_service(service_at(url, "c", "s", DOCUMENT))
    assert {each.id for each in report.failures} == expected
    for each in report.failures:
        assert each.history is not None
        assert each.history.calls
        assert all("curl -X P" in call["curl"] and "$TOKEN" in call["curl"] for call in each.history.calls)


def test_what_failed_over_http_is_replayed(
    told: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the mock that failed it fails again; on the project's own service it holds."""
    monkeypatch.setenv("REGEN_CLIENT_SECRET", told["client_secret"])
    report, who = tmp_path / "report.json", ["--client-id", told["client_id"], "--document", ":".join(DOCUMENT)]
    with answered_by(_NewIds) as url:
        asked = ["conformance", "--url", url, *who, "--report", str(report)]
        assert CliRunner().invoke(cli, asked).exit_code == 1
        again = CliRunner().invoke(cli, ["replay", str(report), "--url", url, *who])
    assert again.exit_code == 1
    assert "still fails: http CNV-5" in again.output
    mended = CliRunner().invoke(cli, ["replay", str(report), "--url", told["url"], *who])
    assert mended.exit_code == 0, mended.output
