"""The SQL stores beside the drivers alone, doing the same rows in the same run; and what a document costs as they grow.

``REGEN_BENCH_DOCUMENTS`` says how large the large store is: 100,000 documents unless told, 1,000,000 for the full
measurement, which takes minutes to build.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from time import perf_counter
from typing import Any

from attrs import frozen

from benchmarks.cases import ITEMS, document, request
from benchmarks.measure import Aim, Report
from benchmarks.raw_stores import Raw, RawPostgresql, RawSqlite, rows_of, together
from regen_core import BillingDocument, Regeneration, Scope
from regen_core.adapters.sql import SqlStore
from regen_core.ports import Answer, IdempotentCall
from tests.postgresql_server import running_server

SCOPE = Scope(tenant="tenant", entity="entity", orgs=None)
SMALL, LARGE = 1_000, int(os.environ.get("REGEN_BENCH_DOCUMENTS", "100000"))
BATCH = 500
"""Documents of one unit of work in the bulk path."""

SAMPLE = 200
"""Documents that take turns in a measurement."""

ROUNDS = 7
AIM_ALONE, AIM_BULK, AIM_GROWTH = 1.5, 0.6, 1.3


@frozen
class Place:
    """A kind of database: how a store and a driver each get one of their own."""

    name: str
    url: Callable[[], str]
    raw: Callable[[str], Raw]


@contextmanager
def places() -> Iterator[list[Place]]:
    """SQLite files and a PostgreSQL server of the run's own."""
    numbers = count()
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(running_server("shared_buffers=256MB", "max_wal_size=4GB"))

        def on_server(url: str) -> RawPostgresql:
            connection = stack.enter_context(server.connect())
            connection.execute(f"SET search_path = {url.rpartition('%3D')[2]}")
            return RawPostgresql(connection)

        yield [
            Place("SQLite", lambda: f"sqlite:///{directory / str(next(numbers))}.db", _on_file),
            Place("PostgreSQL", lambda: server.url(server.new_schema()), on_server),
        ]


def _on_file(url: str) -> RawSqlite:
    return RawSqlite(url.removeprefix("sqlite:///"))


def _made(place: Place) -> Raw:
    """A driver on a database that has the store's own tables."""
    url = place.url()
    SqlStore.open(url).close()
    return place.raw(url)


def _keyed(store: SqlStore, turns: Iterator[int], size: int) -> Callable[[], object]:
    """REMIGRATE of the sample's documents in turns, each under a key of its own."""
    requests = [request(document(10**9 + number), re_migrate=True) for number in range(size)]

    def run() -> object:
        turn = next(turns)
        call = IdempotentCall(client="c", key=f"k{turn}", answer=lambda _: Answer(200, b"done"))
        done = store.regenerate(SCOPE, requests[turn % size], idempotent=call)
        assert isinstance(done, Regeneration)
        return done

    return run


def alone(place: Place) -> Report:
    """One document per commit, under an Idempotency-Key: three reads, and a row for each line, delivery and the key."""
    raw, sample = _made(place), [document(10**9 + number) for number in range(SAMPLE)]
    raw.many(together([rows_of(each, 1, "") for each in sample], "documents", "document_versions", "document_items"))
    with SqlStore.open(place.url()) as store:
        store.load_all(sample)
        ours, theirs = _keyed(store, count(), SAMPLE), _raw_calls(raw)
        measured = _alternate({"regen_core": ours, "driver, statement by statement": theirs}, calls=SAMPLE)
    ratio = measured["regen_core"] / measured["driver, statement by statement"]
    return Report(
        f"{place.name}: one document of {ITEMS} items per commit, with its outbox and its key",
        "documents/s",
        [(name, 1 / seconds) for name, seconds in measured.items()],
        [Aim("time / time of the driver alone", ratio, AIM_ALONE)],
    )


def _raw_calls(raw: Raw) -> Callable[[], object]:
    rows = iter(
        [
            rows_of(document(10**9 + number), time, f"{time}-{number}")
            for time in range(1, ROUNDS + 2)
            for number in range(SAMPLE)
        ]
    )
    return lambda: raw.one(next(rows))


def _alternate(contenders: dict[str, Callable[[], object]], *, calls: int) -> dict[str, float]:
    """Seconds per call: rounds in turns, the best of each counts."""
    best = dict.fromkeys(contenders, float("inf"))
    for number in range(ROUNDS + 1):
        for name, call in contenders.items():
            start = perf_counter()
            for _ in range(calls):
                call()
            if number:
                best[name] = min(best[name], (perf_counter() - start) / calls)
    return best


def bulk(place: Place) -> list[Report]:
    """Many documents per commit: loading them, and regenerating them."""
    raw, numbers = _made(place), count()
    batches = [[document(next(numbers)) for _ in range(BATCH)] for _ in range(ROUNDS)]
    loaded = ("documents", "document_versions", "document_items")
    made = [[rows_of(each, 1, "") for each in batch] for batch in batches]
    kinds: tuple[tuple[str, ...], ...] = (loaded, ("transactions", "outbox"))
    by_hand = {kind: [together(each, *kind) for each in made] for kind in kinds}
    with SqlStore.open(place.url()) as store:
        reports = []
        for what, tables, ours in (
            ("loading", kinds[0], partial(_loading, store)),
            ("regenerating", kinds[1], partial(_regenerating, store)),
        ):
            theirs = by_hand[tables]
            seconds = _best_of_batches(ours, batches, raw, theirs)
            rows = sum(len(given) for given in theirs[0].values())
            share = seconds[1] / seconds[0]
            told = [("regen_core", rows / seconds[0]), ("driver, many rows at once", rows / seconds[1])]
            aims = [Aim("share of the driver's rows per second", share, AIM_BULK, at_most=False)]
            reports.append(Report(f"{place.name}: {what} {BATCH} documents per commit", "rows/s", told, aims))
    return reports


def _loading(store: SqlStore, batch: list[BillingDocument]) -> object:
    return store.load_all(batch)


def _regenerating(store: SqlStore, batch: list[BillingDocument]) -> object:
    return store.regenerate_all(SCOPE, [request(each) for each in batch])


def _best_of_batches(
    ours: Callable[[list[BillingDocument]], object], batches: list[Any], raw: Raw, theirs: list[Any]
) -> tuple[float, float]:
    best = [float("inf"), float("inf")]
    for batch, rows in zip(batches, theirs, strict=True):
        contenders: tuple[Callable[[], object], ...] = (partial(ours, batch), partial(raw.many, rows))
        for place, run in enumerate(contenders):
            start = perf_counter()
            run()
            best[place] = min(best[place], perf_counter() - start)
    return best[0], best[1]


def growing(place: Place) -> Report:
    """One document per commit in a small store and in a large one."""
    sample = [document(10**9 + number) for number in range(SAMPLE)]
    with ExitStack() as stack:
        runs = {}
        for size in (SMALL, LARGE):
            store = stack.enter_context(SqlStore.open(place.url()))
            for start in range(0, size - SAMPLE, BATCH):
                store.load_all(
                    [document(number, items=1) for number in range(start, min(start + BATCH, size - SAMPLE))]
                )
            store.load_all(sample)
            runs[f"{size:>9,} documents"] = _keyed(store, count(), SAMPLE)
        measured = _alternate(runs, calls=SAMPLE)
    small, large = measured.values()
    return Report(
        f"{place.name}: one document per commit as the store grows",
        "documents/s",
        [(name, 1 / seconds) for name, seconds in measured.items()],
        [Aim(f"time at {LARGE:,} / time at {SMALL:,}", large / small, AIM_GROWTH)],
        [] if LARGE >= 10**6 else ["REGEN_BENCH_DOCUMENTS=1000000 measures the full size"],
    )


def reports() -> Iterator[Report]:
    """All reports of this module."""
    with places() as known:
        for place in known:
            yield alone(place)
            yield from bulk(place)
            yield growing(place)
