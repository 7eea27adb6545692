"""The servers that are asked over HTTP, each a process of its own on a copy of one database."""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psutil  # type: ignore[import-untyped]  # it comes without types
from attrs import define, evolve, field, frozen

import regen_core.adapters.http
from benchmarks.cases import document, request
from benchmarks.http_load import Asked, Round, asked_over
from benchmarks.stored_rows import CLIENT, SCOPE
from regen_core import Regeneration
from regen_core.adapters.http.clients import hash_secret
from regen_core.adapters.sql import SqlStore
from regen_core.idempotency import OPERATION_PATH
from regen_core.wire.answers import success_body

__all__ = ["Case", "Contender", "Sample", "by_hand", "mocked", "served"]

SAMPLE: Final = 200
"""Documents that take turns."""

PATIENCE: Final = 60.0
"""Seconds until a server that doesn't start counts as failed."""

_SECRET: Final = "a secret of the benchmark's"  # noqa: S105  # of a client that lives as long as the benchmark
_SERVE: Final = ("-c", "from regen_core.adapters.cli.main import main; main()", "--json", "serve", "--config")
_MOCKED: Final = b"Authorization: Bearer any\r\n"
_CONFIGURATION: Final = """
database = {database}
[listen]
port = 0
[limits]
requests_per_minute = 1000000000
requests_per_hour = 1000000000
requests_per_day = 1000000000
concurrent_requests = 10000
requests_per_commit = {together}
[[clients]]
client_id = {client}
secret_hash = {hash}
tenant = {tenant}
entities = [{entity}]
"""


@frozen
class Case:
    """How is asked: whether each request has a key of its own, and over how many connections."""

    has_keys: bool
    connections: int


@define
class Contender:
    """A server at work: where, on which database, and what its requests say beside the others'.

    Fields: ``sample`` what is asked for and what it must answer; ``rounds`` by case; ``computed`` in seconds of the
    server's own computing in each of them.
    """

    name: str
    process: int
    port: int
    path: Path
    sample: Sample
    headers: bytes = b""
    rounds: dict[Case, list[Round]] = field(factory=dict)
    computed: dict[Case, list[float]] = field(factory=dict)

    def be_asked(self, case: Case, requests: Sequence[Asked], *, counts: bool) -> None:
        """A round of a case, which counts or only warms up."""
        before = self._used()
        done = asked_over(self.port, case.connections, requests)
        if counts:
            self.rounds.setdefault(case, []).append(done)
            self.computed.setdefault(case, []).append(self._used() - before)

    def forget(self, case: Case) -> None:
        """Begin a case again."""
        self.rounds.pop(case, None)
        self.computed.pop(case, None)

    def _used(self) -> float:
        used = psutil.Process(self.process).cpu_times()
        return float(used.user + used.system)

    def rates(self, case: Case) -> list[float]:
        """Requests per second, round by round."""
        return [each.rate for each in self.rounds[case]]

    def micros(self, case: Case) -> float:
        """Microseconds that the server computes for a request; the system counts in hundredths of a second."""
        return 1e6 * sum(self.computed[case]) / sum(len(each.each) for each in self.rounds[case])


@frozen
class Sample:
    """Documents by id, each with the body that answers whoever overrides it."""

    bodies: dict[str, bytes]
    path: Path

    @classmethod
    def made(cls, path: Path) -> Sample:
        """A database of documents that have been regenerated once."""
        documents = [document(number) for number in range(SAMPLE)]
        with SqlStore.open(f"sqlite:///{path}") as store:
            store.load_all(documents)
            done = store.regenerate_all(SCOPE, [request(each) for each in documents])
        bodies = {}
        for of, outcome in zip(documents, done, strict=True):
            assert isinstance(outcome, Regeneration)
            bodies[of.id] = success_body(outcome.id_list)
        return cls(bodies, path)

    def requests(self, total: int, headers: bytes, *, keys: Iterator[int] | None) -> list[Asked]:
        """Requests for all documents in turns, each under a key of its own unless there are none."""
        asked, ids = [], list(self.bodies)
        for turn in range(total):
            key = b"" if keys is None else b"Idempotency-Key: key-%012d\r\n" % next(keys)
            body = json.dumps({"type": "Invoice", "id": ids[turn % len(ids)]}).encode()
            lines = b"Host: localhost\r\nContent-Type: application/json\r\nAccept: application/json\r\n" + headers + key
            head = f"POST {OPERATION_PATH}?reMigrate=true HTTP/1.1\r\nContent-Length: {len(body)}\r\n".encode()
            asked.append(Asked(b"".join([head, lines, b"\r\n", body]), self.bodies[ids[turn % len(ids)]]))
        return asked


@contextmanager
def _process(directory: Path, *command: str) -> Iterator[subprocess.Popen[str]]:
    with (directory / "log").open("ab") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=60)


@contextmanager
def served(name: str, sample: Sample, *, together: int) -> Iterator[Contender]:
    """Our service as a production would run it: from a configuration, its log in a file."""
    directory = sample.path.parent / name
    directory.mkdir()
    path, configuration = directory / "regen.db", directory / "service.toml"
    shutil.copy(sample.path, path)
    texts = {
        "database": f"sqlite:///{path}",
        "client": CLIENT,
        "hash": hash_secret(_SECRET).text,
        "tenant": SCOPE.tenant,
        "entity": SCOPE.entity,
    }
    quoted = {each: json.dumps(text) for each, text in texts.items()}
    configuration.write_text(_CONFIGURATION.format(together=together, **quoted))
    with _process(directory, sys.executable, *_SERVE, str(configuration)) as process:
        assert process.stdout is not None
        told = "".join(iter(process.stdout.readline, "}\n")) + "}"
        url = json.loads(told)["url"]
        form = {"grant_type": "client_credentials", "client_id": CLIENT, "client_secret": _SECRET}
        with urllib.request.urlopen(f"{url}/oauth/token", urllib.parse.urlencode(form).encode()) as answer:  # noqa: S310
            token = json.load(answer)["access_token"]
        yield Contender(
            name, process.pid, int(url.rpartition(":")[2]), path, sample, f"Authorization: Bearer {token}\r\n".encode()
        )


@contextmanager
def by_hand(name: str, sample: Sample) -> Iterator[Contender]:
    """The least that does the same."""
    directory = sample.path.parent / name
    directory.mkdir()
    path = directory / "regen.db"
    shutil.copy(sample.path, path)
    with _process(directory, sys.executable, "-m", "benchmarks.http_minimal", str(path)) as process:
        assert process.stdout is not None
        yield Contender(name, process.pid, int(process.stdout.readline()), path, sample)


@contextmanager
def mocked(name: str, sample: Sample, prism: str) -> Iterator[Contender]:
    """Stoplight Prism on our description, which it holds requests against; it writes no line per request."""
    directory = sample.path.parent / name
    directory.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    description = Path(regen_core.adapters.http.__file__).with_name("openapi.json")
    options = ("mock", "--host", "127.0.0.1", "--port", str(port), "--verboseLevel", "silent")
    with _process(directory, prism, *options, str(description)) as process:
        body = _answered(port, sample.requests(1, _MOCKED, keys=None)[0])
        told = evolve(sample, bodies=dict.fromkeys(sample.bodies, body))
        yield Contender(name, process.pid, port, sample.path, told, _MOCKED)


def _answered(port: int, asked: Asked) -> bytes:
    """The body that a server answers as soon as it listens."""
    head, _, body = asked.sent.partition(b"\r\n\r\n")
    line, *lines = head.decode().split("\r\n")
    headers, until = dict([each.split(": ", 1) for each in lines]), time.monotonic() + PATIENCE
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        try:
            connection.request("POST", line.split(" ")[1], body, headers)
            return connection.getresponse().read()
        except ConnectionRefusedError:
            assert time.monotonic() < until, "the server doesn't start"
            time.sleep(0.1)
        finally:
            connection.close()
