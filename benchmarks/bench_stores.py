"""The SQL stores beside the drivers alone, doing the same rows in the same run; and what a document costs as they grow.

Each is measured twice, on the disk of the temporary directory and in memory: there a commit waits for nothing, and what
is left is computing. ``REGEN_BENCH_DOCUMENTS`` says how large the large store is: 20,000 documents unless told,
1,000,000 for the full measurement, which takes a while to build.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Final

from attrs import frozen

from benchmarks.cases import ITEMS, document, request
from benchmarks.measure import Aim, Pair, Report, paired
from benchmarks.raw_stores import Raw, RawPostgresql, RawSqlite
from benchmarks.stored_rows import AT, CLIENT, SCOPE, Rows, loaded, regenerated, together
from regen_core import BillingDocument, Regeneration
from regen_core.adapters.sql import SqlStore
from regen_core.ports import Answer, IdempotentCall
from tests.postgresql_server import running_server

SMALL: Final = 1_000
LARGE: Final = int(os.environ.get("REGEN_BENCH_DOCUMENTS", "20000"))
BATCH: Final = 500
"""Documents of one unit of work in the bulk path."""

SAMPLE: Final = 200
"""Documents that take turns where they are worked on alone."""

CALLS, ROUNDS, BULK_ROUNDS = 20, 40, 12
"""Documents of a round, rounds that count, and rounds of one batch each."""

EVERY: Final = CALLS * (ROUNDS + 1)
"""Calls in all, with the round that doesn't count."""

AIM_ALONE, AIM_BULK, AIM_GROWTH = 1.5, 0.6, 1.3
MEMORY: Final = Path("/dev/shm")  # noqa: S108  # where the system keeps files in memory; what is made there has its own name
DRIVER: Final = "driver, statement by statement"
MANY: Final = "driver, many rows at once"


@frozen
class Place:
    """A kind of database in one directory: how a store and a driver each get one of their own."""

    name: str
    new: Callable[[], str]
    raw: Callable[[str], Raw]

    def made(self) -> Raw:
        """A driver on a database that has the store's own tables."""
        url = self.new()
        SqlStore.open(url).close()
        return self.raw(url)


@contextmanager
def places_in(directory: Path, medium: str) -> Iterator[list[Place]]:
    """SQLite files and a PostgreSQL server of the run's own in a directory."""
    numbers = count()
    with ExitStack() as stack:
        own = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=directory)))
        server = stack.enter_context(running_server("shared_buffers=256MB", "max_wal_size=4GB", within=directory))

        def on_server(url: str) -> Raw:
            connection = stack.enter_context(server.connect())
            connection.execute(f"SET search_path = {url.rpartition('%3D')[2]}")
            return RawPostgresql(connection)

        yield [
            Place(f"SQLite on {medium}", lambda: f"sqlite:///{own / str(next(numbers))}.db", _on_file),
            Place(f"PostgreSQL on {medium}", lambda: server.url(server.new_schema()), on_server),
        ]


def _on_file(url: str) -> Raw:
    return RawSqlite(url.removeprefix("sqlite:///"))


def _opened(url: str) -> SqlStore:
    return SqlStore.open(url, clock=lambda: AT)


def _check_same(place: Place, url: str, raw: Raw) -> None:
    """Raise unless both databases hold the same rows."""
    ours, theirs = place.raw(url).holds(), raw.holds()
    different = [table for table, rows in theirs.items() if ours[table] != rows]
    if different:
        raise AssertionError(f"{place.name}: the driver and the store differ in {different}")


def _notes(pair: Pair, documents: int) -> list[str]:
    (low, high), (ours, theirs) = pair.quartiles, pair.computed
    micros = [
        f"{1e6 * seconds / documents:.0f} µs, {1e6 * computed / documents:.0f} of them computing in this process"
        for seconds, computed in zip(pair.seconds, pair.computed, strict=True)
    ]
    return [
        f"half of the rounds' ratios lie between {low:.2f} and {high:.2f}; of computing alone: {ours / theirs:.2f}",
        f"a document takes {'; '.join(micros)}",
    ]


def _keyed(store: SqlStore, sample: Sequence[BillingDocument]) -> Callable[[int], object]:
    """REMIGRATE of a sample's documents in turns, each under a key of its own."""
    requests, turns = [request(each, re_migrate=True) for each in sample], count()

    def run(_: int) -> None:
        for _ in range(CALLS):
            turn = next(turns)
            call = IdempotentCall(client=CLIENT, key=f"k{turn}", answer=lambda _: Answer(200, b"done"))
            done = store.regenerate(SCOPE, requests[turn % len(requests)], idempotent=call)
            assert isinstance(done, Regeneration)

    return run


def _in_turns(sample: Sequence[BillingDocument], turns: int) -> Iterator[Rows]:
    """The rows that :func:`_keyed` writes."""
    keys = [[f"k{turn}" for turn in range(first, turns, len(sample))] for first in range(len(sample))]
    made = [regenerated(each, of) for each, of in zip(sample, keys, strict=True)]
    return iter([next(made[turn % len(sample)]) for turn in range(turns)])


def alone(place: Place, documents: int, times: str) -> Report:
    """One document per commit, under an Idempotency-Key: three reads, and a row for each line, delivery and the key.

    So many documents take turns: where they are as many as calls, none has been read before.
    """
    sample = [document(number) for number in range(documents)]
    rows, raw, url = _in_turns(sample, EVERY), place.made(), place.new()
    raw.load(together([loaded(each) for each in sample]))

    def theirs(_: int) -> None:
        for _ in range(CALLS):
            raw.one(next(rows))

    with _opened(url) as store:
        store.load_all(sample)
        pair = paired(_keyed(store, sample), theirs, rounds=ROUNDS)
    _check_same(place, url, raw)
    return Report(
        f"{place.name}: one document of {ITEMS} items per commit, with its outbox and its key, {times}",
        "documents/s",
        [(name, CALLS / seconds) for name, seconds in zip(("regen_core", DRIVER), pair.seconds, strict=True)],
        [Aim("time / time of the driver alone", pair.ratio, AIM_ALONE)],
        _notes(pair, CALLS),
    )


def each_alone(place: Place) -> Iterator[Report]:
    """Documents that are regenerated again and again, whose content the store remembers, and such as come once."""
    yield alone(place, SAMPLE, f"{SAMPLE} documents in turns")
    yield alone(place, EVERY, "each for the first time")


def bulk(place: Place) -> Iterator[Report]:
    """Many documents per commit: loading them, and regenerating them; what is stored of them is read by both."""
    numbers = count()
    batches = [[document(next(numbers)) for _ in range(BATCH)] for _ in range(BULK_ROUNDS + 1)]
    asked = [[request(each, re_migrate=True) for each in batch] for batch in batches]
    load = [together([loaded(each) for each in batch]) for batch in batches]
    change = [together([next(regenerated(each, ["no key"])) for each in batch]) for batch in batches]
    for rows in change:
        del rows["idempotency"]
    raw, url = place.made(), place.new()
    with _opened(url) as store:
        for what, ours, theirs, given in (
            ("loading", lambda each: store.load_all(batches[each]), lambda each: raw.load(load[each]), load),
            (
                "regenerating",
                lambda each: store.regenerate_all(SCOPE, asked[each]),
                lambda each: raw.regenerate(change[each]),
                change,
            ),
        ):
            pair = paired(ours, theirs, rounds=BULK_ROUNDS)
            rows_of_one = sum(len(rows) for rows in given[0].values())
            yield Report(
                f"{place.name}: {what} {BATCH} documents of {ITEMS} items per commit",
                "rows/s",
                [
                    (name, rows_of_one / seconds)
                    for name, seconds in zip(("regen_core", MANY), pair.seconds, strict=True)
                ],
                [Aim("share of the driver's rows per second", 1 / pair.ratio, AIM_BULK, at_most=False)],
                _notes(pair, BATCH),
            )
    _check_same(place, url, raw)


def growing(place: Place) -> Report:
    """One document per commit in a small store and in a large one, all of whose documents have been regenerated."""
    with ExitStack() as stack:
        runs = []
        for size in (SMALL, LARGE):
            url = place.new()
            store = stack.enter_context(_opened(url))
            runs.append(_keyed(store, _filled(store, size)))
            place.raw(url).settle()
        pair = paired(runs[1], runs[0], rounds=ROUNDS)
    names = [f"{size:>9,} documents" for size in (LARGE, SMALL)]
    return Report(
        f"{place.name}: one document of {ITEMS} items per commit as the store grows",
        "documents/s",
        [(name, CALLS / seconds) for name, seconds in zip(names, pair.seconds, strict=True)],
        [Aim(f"time at {LARGE:,} / time at {SMALL:,}", pair.ratio, AIM_GROWTH)],
        [*_notes(pair, CALLS), *([] if LARGE >= 10**6 else ["REGEN_BENCH_DOCUMENTS=1000000 measures the full size"])],
    )


def _filled(store: SqlStore, size: int) -> list[BillingDocument]:
    """Fill a store; the sample, which has the usual number of items, lies all over it, the others have one item."""
    step, sample = size // SAMPLE, list[BillingDocument]()
    for start in range(0, size, BATCH):
        numbers = range(start, min(start + BATCH, size))
        batch = [document(number, items=1 if number % step else ITEMS) for number in numbers]
        store.load_all(batch)
        store.regenerate_all(SCOPE, [request(each) for each in batch])
        sample += [each for each in batch if len(each.items) == ITEMS]
    return sample[:SAMPLE]


def reports() -> Iterator[Report]:
    """All reports of this module."""
    disk = Path(tempfile.gettempdir())
    with places_in(disk, "the disk of the temporary directory") as known:
        for place in known:
            yield from each_alone(place)
            yield from bulk(place)
            yield growing(place)
    if MEMORY.is_dir() and os.access(MEMORY, os.W_OK):
        with places_in(MEMORY, "files in memory") as known:
            for place in known:
                yield from each_alone(place)
                yield from bulk(place)
