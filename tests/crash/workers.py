"""What the processes do that are killed: each reports on a pipe what it has acknowledged, as a client would see it."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from enum import Enum, unique
from multiprocessing.connection import Connection
from typing import Final

from regen_core.adapters.cli import delivering
from regen_core.adapters.cli.main import cli
from regen_core.adapters.sql import SqlStore
from regen_core.wire.canonical import delivery_json
from regen_core.wire.strict_json import dump
from tests.crash.driver import connections, straight
from tests.crash.history import SCOPES, Clock, Step, perform
from tests.crash.points import Points, file_functions

__all__ = ["BATCH", "How", "opens_and_performs", "performs_numbered", "relays", "relays_numbered"]

BATCH: Final = 40
"""Deliveries between two acknowledgements while relays are killed: fewer than usual, for more moments to hit."""


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


def relays(pipe: Connection, url: str, destination: str, how: How) -> None:
    """Run ``regen deliver``, or in its place the control that acknowledges first."""
    pipe.send("begun")
    if how is How.EARLY:
        _acknowledges_first(url, destination)
    else:
        _delivers(url, destination)


def relays_numbered(pipe: Connection, url: str, destination: str, crash_at: int, how: How) -> None:
    """Run ``regen deliver`` or the control, and end as a crash would at a numbered point."""
    points = Points(crash_at)
    with connections(points.around), file_functions(points):
        points.count()
        relays(pipe, url, destination, how)
    pipe.send(points.names)


def _delivers(url: str, destination: str) -> None:
    setattr(delivering, "BATCH", BATCH)  # noqa: B010  # it is Final for everybody else
    sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  # until the process ends
    of = SCOPES[0]
    arguments = ["deliver", "--db", url, "--tenant", of.tenant, "--entity", of.entity, "--to", destination]
    code = cli(arguments, prog_name="regen", standalone_mode=False)
    if code:
        sys.exit(code)


def _acknowledges_first(url: str, destination: str) -> None:
    with SqlStore.open(url) as store:
        while waiting := store.pending(SCOPES[0], BATCH):
            store.acknowledge(SCOPES[0], waiting)
            deliveries = [entry.delivery for entry in waiting]
            if destination == "ledger":
                store.collect(deliveries)
            else:
                with open(destination.removeprefix("file:"), "ab") as file:
                    file.write("".join(f"{dump(delivery_json(each))}\n" for each in deliveries).encode())
