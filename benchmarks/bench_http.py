"""The service over HTTP beside the least that does the same rows, and group commit beside a commit per request.

All of them are processes of their own on loopback, on copies of one database on the disk of the temporary directory,
and take turns in being asked the same. In the end their databases must hold the same. With ``REGEN_BENCH_PRISM``, the
path of Stoplight Prism's command, that takes turns, too, on the description that the service serves of itself.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter
from typing import Final

from benchmarks.cases import ITEMS
from benchmarks.http_contenders import Case, Contender, Sample, by_hand, mocked, served
from benchmarks.http_load import Asked, asked_over
from benchmarks.measure import Aim, Report
from regen_core.adapters.http.grouping import MOST_TOGETHER

CONNECTIONS: Final = (1, 8, 32)
REQUESTS: Final = {1: 250, 8: 600, 32: 1200}
"""Requests of a round, by connections."""

ROUNDS: Final = int(os.environ.get("REGEN_BENCH_ROUNDS", "9"))
AIM_MINIMAL, AIM_GROUPED = 0.7, 2.0

GROUPED: Final = "regen serve, in groups as by default"
UNGROUPED: Final = "regen serve, a commit per request"
MINIMAL: Final = "Starlette and sqlite3 by hand"
PRISM: Final = "Prism, which keeps nothing"


def measure(contenders: Sequence[Contender], case: Case, keys: Iterator[int]) -> None:
    """Let contenders be asked in turns, another one first each time; round 0 warms up and doesn't count."""
    for number in range(ROUNDS + 1):
        first = next(keys)
        turn = number % len(contenders)
        for contender in (*contenders[turn:], *contenders[:turn]):
            own = count(first * 10_000) if case.has_keys else None
            requests = contender.sample.requests(REQUESTS[case.connections], contender.headers, keys=own)
            contender.be_asked(case, requests, counts=number > 0)


def _ratio(one: Contender, other: Contender, case: Case) -> tuple[float, str]:
    """The median of the rounds' ratios of rates, and between what half of them lie."""
    ratios = [mine / its for mine, its in zip(one.rates(case), other.rates(case), strict=True)]
    low, _, high = quantiles(ratios, n=4)
    return median(ratios), f"{low:.2f} to {high:.2f}"


def _figures(contender: Contender, case: Case) -> str:
    """What a request takes from end to end and of the server's computing, and how busy asking was."""
    rounds = contender.rounds[case]
    hundredths = quantiles([1000 * each for one in rounds for each in one.each], n=100)
    busy = median([each.computed / each.seconds for each in rounds])
    told = f"p50 {hundredths[49]:.2f} ms, p99 {hundredths[98]:.2f} ms"
    return f"{contender.name}: {told}, {contender.micros(case):.0f} µs computing each; asking took {busy:.0%} of a core"


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
    notes += [_figures(contender, case) for contender in contenders]
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


def _beside_a_mock(ours: Contender, prism: str, keys: Iterator[int]) -> Report:
    """Our service beside one that answers what the description allows, checks requests against it and keeps nothing."""
    case = Case(True, max(CONNECTIONS))
    with mocked(PRISM, ours.sample, prism) as mock:
        contenders = (ours, mock)
        ours.forget(case)
        measure(contenders, case, keys)
    ratio, spread = _ratio(ours, mock, case)
    return Report(
        f"HTTP, {case.connections} at once, beside a mock without state",
        "requests/s",
        [(contender.name, median(contender.rates(case))) for contender in contenders],
        notes=[f"ratio {ratio:.2f}, of half of the rounds {spread}", *[_figures(each, case) for each in contenders]],
    )


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
            stack.enter_context(served(GROUPED, sample, together=MOST_TOGETHER)),
            stack.enter_context(served(UNGROUPED, sample, together=1)),
            stack.enter_context(by_hand(MINIMAL, sample)),
        ]
        yield _surroundings(contenders[-1], directory)
        for has_keys in (True, False):
            for connections in CONNECTIONS:
                case = Case(has_keys, connections)
                measure(contenders, case, keys)
                yield _report(case, contenders)
        _check_same(contenders)
        if "REGEN_BENCH_PRISM" in os.environ:
            yield _beside_a_mock(contenders[0], os.environ["REGEN_BENCH_PRISM"], keys)
