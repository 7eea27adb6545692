"""What the processes do that are killed: each reports on a pipe what it has acknowledged, as a client would see it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime, timedelta
from enum import Enum, unique
from functools import partial
from io import StringIO
from itertools import chain
from multiprocessing.connection import Connection

from regen_core.adapters.cli.main import cli
from regen_core.adapters.revenue.destination import destination_of
from regen_core.adapters.revenue.http_sink import LEASE, HttpSink
from regen_core.adapters.sql import SqlStore
from regen_core.ports import OutboxEntry
from regen_core.wire.canonical import delivery_json
from regen_core.wire.strict_json import dump
from tests.crash.driver import connections, straight
from tests.crash.history import SCOPES, Clock, Step, perform
from tests.crash.points import Points, file_functions, socket_functions

__all__ = [
    "How",
    "delivers",
    "opens_and_performs",
    "performs_numbered",
    "relays",
    "relays_later",
    "relays_numbered",
]


@unique
class How(Enum):
    """As the library does it, or with one protection taken out: a control."""

    WELL = "well"
    EARLY = "acknowledges before it is done"
    IN_PIECES = "commits each statement"


def opens_and_performs(pipe: Connection, url: str, steps: Sequence[Step], how: How) -> None:
    """Open the store, report 0, then perform steps and report the number of each."""
    clock = Clock()
    with connections(straight, in_pieces=how is How.IN_PIECES), SqlStore.open(url, clock=clock) as store:
        pipe.send(0)
        for step in steps:
            clock.step = step.number
            if how is How.EARLY:
                pipe.send(step.number)
            perform(store, step)
            pipe.send(step.number)


def performs_numbered(pipe: Connection, url: str, step: Step | None, crash_at: int, how: How) -> None:
    """Perform a step, or only open the store where it is ``None``, and end as a crash would at a numbered point.

    Reports the step's number when it is acknowledged, and the names of all points when none was the last one.
    """
    points, number = Points(crash_at), 0 if step is None else step.number
    with connections(points.around, in_pieces=how is How.IN_PIECES):
        if step is None:
            points.count()
        store = SqlStore.open(url, clock=Clock(number))
        if step is not None:
            points.count()
            if how is How.EARLY:
                points.around("acknowledge", lambda: pipe.send(number))
            perform(store, step)
        points.around("acknowledge", lambda: pipe.send(number))
    pipe.send(points.names)


def relays(pipe: Connection, url: str, destination: str, batch: int, how: How) -> None:
    """Run ``regen deliver``, or in its place the control that acknowledges first, and reports that.

    ``batch`` deliveries between two acknowledgements: fewer than usual, for more moments to hit.
    """
    pipe.send("begun")
    if how is How.EARLY:
        _acknowledges_first(pipe, url, destination, batch)
    else:
        delivers(url, destination, batch)


def relays_numbered(pipe: Connection, url: str, destination: str, batch: int, how: How, crash_at: int) -> None:
    """Run ``regen deliver`` or the control, and end as a crash would at a numbered point."""
    points = Points(crash_at)
    with connections(points.around), file_functions(points):
        points.count()
        relays(pipe, url, destination, batch, how)
    pipe.send(points.names)


def relays_later(
    pipe: Connection, url: str, destination: str, batch: int, how: How, later: timedelta, crash_at: int
) -> None:
    """Run ``regen deliver`` to an address, or the control, in a process whose clock shows a later time.

    What a relay had claimed that died is due when its lease has ended, and no test waits for that. With ``crash_at`` it
    ends as a crash would at a numbered point: 0 for none.
    """
    SqlStore.open = partial(SqlStore.open, clock=lambda: datetime.now(UTC) + later)  # type: ignore[method-assign]  # here
    points = Points(crash_at)
    with connections(points.around), socket_functions(points):
        points.count()
        relays(pipe, url, destination, batch, how)
    pipe.send(points.names)


def delivers(url: str, destination: str, batch: int) -> None:
    """Run the command line's own relay to its end."""
    of = SCOPES[0]
    options = {"--db": url, "--tenant": of.tenant, "--entity": of.entity, "--to": destination, "--batch": str(batch)}
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        code = cli(["deliver", *chain.from_iterable(options.items())], prog_name="regen", standalone_mode=False)
    if code:
        raise RuntimeError(f"regen deliver ended with {code}")


def _acknowledges_first(pipe: Connection, url: str, destination: str, batch: int) -> None:
    send = _sends_to_address if destination.startswith("http") else _sends_here
    with SqlStore.open(url) as store:
        while waiting := store.claim(SCOPES[0], batch, LEASE if send is _sends_to_address else timedelta(0)):
            store.acknowledge(SCOPES[0], waiting)
            pipe.send("acknowledged")
            send(store, destination, waiting)


def _sends_to_address(_: SqlStore, destination: str, waiting: Sequence[OutboxEntry]) -> None:
    with HttpSink(destination_of(destination)) as sink:
        for part in sink.parts(waiting):
            sink.send(part)


def _sends_here(store: SqlStore, destination: str, waiting: Sequence[OutboxEntry]) -> None:
    deliveries = [entry.delivery for entry in waiting]
    if destination == "ledger":
        store.collect(deliveries)
        return
    lines = "".join(f"{dump(delivery_json(each))}\n" for each in deliveries).encode()
    file = os.open(destination.removeprefix("file:"), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, lines)
    os.close(file)
