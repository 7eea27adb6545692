"""The service over HTTP beside the least that does the same rows, and group commit beside a commit per request.

All of them are processes of their own on loopback, on copies of one database on the disk of the temporary directory,
and take turns in being asked the same. In the end their databases must hold the same.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter
from typing import Final

import psutil  # type: ignore[import-untyped]  # it comes without types
from attrs import define, field, frozen

from benchmarks.cases import ITEMS, document, request
from benchmarks.http_load import Asked, Round, asked_over
from benchmarks.measure import Aim, Report
from benchmarks.stored_rows import CLIENT, SCOPE
from regen_core import Regeneration
from regen_core.adapters.http.clients import hash_secret
from regen_core.adapters.sql import SqlStore
from regen_core.idempotency import OPERATION_PATH
from regen_core.wire.answers import success_body

CONNECTIONS: Final = (1, 8, 32)
REQUESTS: Final = {1: 250, 8: 600, 32: 1200}
"""Requests of a round, by connections."""

SAMPLE: Final = 200
"""Documents that take turns."""

ROUNDS: Final = int(os.environ.get("REGEN_BENCH_ROUNDS", "9"))
AIM_MINIMAL, AIM_GROUPED = 0.7, 2.0

GROUPED: Final = "regen serve, in groups as by default"
UNGROUPED: Final = "regen serve, a commit per request"
MINIMAL: Final = "Starlette and sqlite3 by hand"

_SECRET: Final = "a secret of the benchmark's"  # noqa: S105  # of a client that lives as long as the benchmark
_SERVE: Final = ("-c", "from regen_core.adapters.cli.main import main; main()", "--json", "serve", "--config")
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

    Fields: ``rounds`` by what was asked; ``computed`` in seconds of the server's own computing in each of them.
    """

    name: str
    process: int
    port: int
    path: Path
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
def _process(directory: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    with (directory / "log").open("ab") as log:
        process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.PIPE, stderr=log, text=True)
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
    with _process(directory, *_SERVE, str(configuration)) as process:
        assert process.stdout is not None
        told = "".join(iter(process.stdout.readline, "}\n")) + "}"
        url = json.loads(told)["url"]
        form = {"grant_type": "client_credentials", "client_id": CLIENT, "client_secret": _SECRET}
        with urllib.request.urlopen(f"{url}/oauth/token", urllib.parse.urlencode(form).encode()) as answer:  # noqa: S310
            token = json.load(answer)["access_token"]
        yield Contender(
            name, process.pid, int(url.rpartition(":")[2]), path, f"Authorization: Bearer {token}\r\n".encode()
        )


@contextmanager
def by_hand(sample: Sample) -> Iterator[Contender]:
    """The least that does the same."""
    directory = sample.path.parent / MINIMAL
    directory.mkdir()
    path = directory / "regen.db"
    shutil.copy(sample.path, path)
    with _process(directory, "-m", "benchmarks.http_minimal", str(path)) as process:
        assert process.stdout is not None
        yield Contender(MINIMAL, process.pid, int(process.stdout.readline()), path)


def measure(contenders: Sequence[Contender], sample: Sample, case: Case, keys: Iterator[int]) -> None:
    """Let contenders be asked in turns, another one first each time; round 0 warms up and doesn't count."""
    for number in range(ROUNDS + 1):
        first = next(keys)
        turn = number % len(contenders)
        for contender in (*contenders[turn:], *contenders[:turn]):
            own = count(first * 10_000) if case.has_keys else None
            requests = sample.requests(REQUESTS[case.connections], contender.headers, keys=own)
            contender.be_asked(case, requests, counts=number > 0)


def _ratio(one: Contender, other: Contender, case: Case) -> tuple[float, str]:
    """The median of the rounds' ratios of rates, and between what half of them lie."""
    ratios = [mine / its for mine, its in zip(one.rates(case), other.rates(case), strict=True)]
    low, _, high = quantiles(ratios, n=4)
    return median(ratios), f"{low:.2f} to {high:.2f}"


def _report(case: Case, contenders: Sequence[Contender]) -> Report:
    grouped, ungrouped, minimal = contenders
    aims, notes = [], []
    for one, other, bound, what in (
        (ungrouped, minimal, AIM_MINIMAL, "requests/s, a commit per request / by hand"),
        (grouped, minimal, AIM_MINIMAL, "requests/s, in groups / by hand"),
        (grouped, ungrouped, AIM_GROUPED, "requests/s, in groups / a commit per request"),
    ):
        ratio, spread = _ratio(one, other, case)
        if bound == AIM_MINIMAL or case.connections == max(CONNECTIONS):
            aims.append(Aim(what, ratio, bound, at_most=False))
        else:
            notes.append(f"{what}: {ratio:.2f}")
        notes.append(f"{what}: half of the rounds' ratios are {spread}")
    for contender in contenders:
        rounds = contender.rounds[case]
        hundredths = quantiles([1000 * each for one in rounds for each in one.each], n=100)
        busy = median([each.computed / each.seconds for each in rounds])
        told = (
            f"p50 {hundredths[49]:.2f} ms, p99 {hundredths[98]:.2f} ms, {contender.micros(case):.0f} µs computing each"
        )
        notes.append(f"{contender.name}: {told}; asking took {busy:.0%} of a core")
    key = "an Idempotency-Key" if case.has_keys else "no key"
    title = f"HTTP, {case.connections} at once, {key} per request, documents of {ITEMS} items"
    rows = [(contender.name, median(contender.rates(case))) for contender in contenders]
    return Report(title, "requests/s", rows, aims, notes)


def _surroundings(minimal: Contender, directory: Path) -> Report:
    """What asking reaches where nothing is done, and what the disk takes to make some pages durable."""
    nothing = [Asked(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"nothing")] * 5000
    idle = asked_over(minimal.port, max(CONNECTIONS), nothing)
    took = []
    with (directory / "synced").open("wb", buffering=0) as file:
        for _ in range(200):
            file.write(bytes(5 * 4096))
            start = perf_counter()
            os.fdatasync(file.fileno())
            took.append(perf_counter() - start)
    note = (
        f"asking took {idle.computed / idle.seconds:.0%} of a core; a sync of 20 KiB takes {1e6 * median(took):.0f} µs"
    )
    rows = [("an endpoint that does nothing, the same server", idle.rate)]
    return Report(f"HTTP, {max(CONNECTIONS)} at once, nothing to do", "requests/s", rows, notes=[note])


def _check_same(contenders: Sequence[Contender]) -> None:
    """Raise unless all databases hold the same rows, but for the time."""
    held = [_rows(contender.path) for contender in contenders]
    for contender, rows in zip(contenders[1:], held[1:], strict=True):
        different = [table for table in rows if rows[table] != held[0][table]]
        assert not different, f"{contender.name!r} and {contenders[0].name!r} differ in {different}"


def _rows(path: Path) -> dict[str, list[str]]:
    found = {}
    connection = sqlite3.connect(path)
    for table in ("documents", "transactions", "outbox", "idempotency"):
        names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        shown = ", ".join(name for name in names if not name.endswith("_at") and name != "position")
        found[table] = sorted(map(repr, connection.execute(f"SELECT {shown} FROM {table}")))  # noqa: S608
    connection.close()
    return found


def reports() -> Iterator[Report]:
    """All reports of this module."""
    with tempfile.TemporaryDirectory() as own, ExitStack() as stack:
        directory, keys = Path(own), count(1)
        sample = Sample.made(directory / "sample.db")
        contenders = [
            stack.enter_context(served(GROUPED, sample, together=64)),
            stack.enter_context(served(UNGROUPED, sample, together=1)),
            stack.enter_context(by_hand(sample)),
        ]
        yield _surroundings(contenders[-1], directory)
        for has_keys in (True, False):
            for connections in CONNECTIONS:
                case = Case(has_keys, connections)
                measure(contenders, sample, case, keys)
                yield _report(case, contenders)
        _check_same(contenders)
