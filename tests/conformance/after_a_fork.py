"""What processes do with a store that was open when they were forked: run by tests in a process without threads.

``python -m tests.conformance.after_a_fork NAME URL [unprotected]`` tells what the story says, one text a line.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable
from threading import Event, Thread
from typing import Final

from regen_core.access import Scope
from regen_core.adapters.sql import SqlStore, unit
from regen_core.adapters.sql.keys import RunningKeys
from regen_core.documents import DocumentType
from regen_core.ports import Answer, IdempotentCall
from regen_core.request import RegenerateRequest

ALL: Final = Scope(tenant="t1", entity="e1", orgs=None)
REQUEST: Final = RegenerateRequest(type=DocumentType.INVOICE, id="d1")

EACH: Final = 20
"""Calls of each process."""

CHILDREN: Final = 3

PATIENCE: Final = 100
"""Seconds after which a process that hangs is ended by the system."""


class Child:
    """A forked process that does one thing when it is let, and nothing of what its parent would have done."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._reads, self._go = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            signal.alarm(PATIENCE)
            status = 1
            try:
                os.read(self._reads, 1)
                work()
                status = 0
            except BaseException:  # noqa: BLE001  # it must end here, whatever happens
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                os._exit(status)

    def end(self) -> None:
        """Let it work, and wait for its end."""
        os.write(self._go, b"x")
        os.waitpid(self._pid, 0)


def say(*told: object) -> None:
    """One line, also where nobody ends the process in order."""
    sys.stdout.write(" ".join(map(str, told)) + "\n")
    sys.stdout.flush()


def call(key: str, answer: Callable[[object], object] = id) -> IdempotentCall:
    """A call under a key; ``answer`` is done within its unit of work."""

    def answering(outcome: object) -> Answer:
        answer(outcome)
        return Answer(200, b"done")

    return IdempotentCall(client="c1", key=key, answer=answering)


def outcome(store: SqlStore, key: str | None = None) -> str:
    """What a request comes to."""
    try:
        return type(store.regenerate(ALL, REQUEST, idempotent=None if key is None else call(key))).__name__
    except Exception as error:  # noqa: BLE001  # it is what is told
        return type(error).__name__


def side_by_side(store: SqlStore) -> None:
    """Parent and children use the same store at once."""
    outcome(store)

    def work() -> None:
        say(*[outcome(store, f"{os.getpid()} {number}" if number % 2 else None) for number in range(EACH)])

    children = [Child(work) for _ in range(CHILDREN)]
    for each in children:
        os.write(each._go, b"x")
    work()
    for each in children:
        each.end()


def parent_closes(store: SqlStore) -> None:
    """A child goes on after its parent has closed the store."""
    outcome(store)
    child = Child(lambda: say(outcome(store)))
    outcome(store)
    store.close()
    child.end()


def parent_is_kept(store: SqlStore) -> None:
    """The parent's session with its server is the same after children came and went."""
    before = store._connections.ask("SELECT pg_backend_pid()")
    Child(lambda: say("child", store._connections.ask("SELECT pg_backend_pid()") != before)).end()
    Child(store.close).end()
    say("parent", store._connections.ask("SELECT pg_backend_pid()") == before)


def within_a_unit(store: SqlStore) -> None:
    """A child that is forked within a unit goes on with its parent's code, here when that is done with it."""
    reads, go = os.pipe()
    child: list[int] = []

    def forking(_: object) -> None:
        child.append(os.fork())
        if child == [0]:
            signal.alarm(PATIENCE)
            os.read(reads, 1)

    try:
        told = type(store.regenerate(ALL, REQUEST, idempotent=call("k1", forking))).__name__
    except Exception as error:  # noqa: BLE001  # it is what is told
        told = type(error).__name__
    if child != [0]:
        os.write(go, b"x")
        os.waitpid(child[0], 0)
    say("child" if child == [0] else "parent", told, outcome(store))


def beside_a_unit(store: SqlStore) -> None:
    """A child that is forked while another thread is within a unit, under a key of its own."""
    outcome(store)
    is_within, may_end = Event(), Event()

    def staying(_: object) -> None:
        is_within.set()
        may_end.wait(60)

    answers: list[str] = []
    thread = Thread(
        target=lambda: answers.append(type(store.regenerate(ALL, REQUEST, idempotent=call("k1", staying))).__name__)
    )
    thread.start()
    is_within.wait(60)
    child = Child(lambda: say("child", outcome(store, "k1"), opened(store)))
    may_end.set()
    thread.join()
    child.end()
    say("parent", *answers, outcome(store))


def opened(store: SqlStore) -> str:
    """What a store that is opened now says."""
    try:
        with SqlStore.open(str(store._connections.engine.url.render_as_string(hide_password=False))) as other:
            return outcome(other)
    except Exception as error:  # noqa: BLE001  # it is what is told
        return type(error).__name__


STORIES: Final = {
    story.__name__: story for story in (side_by_side, parent_closes, parent_is_kept, within_a_unit, beside_a_unit)
}


def main(name: str, url: str, *how: str) -> None:
    """Tell a story; ``unprotected`` as if nothing knew of forks."""
    signal.alarm(PATIENCE)
    if how:
        for kind in (unit.Connections, RunningKeys):
            for verb in ("before_fork", "in_child"):
                setattr(kind, verb, lambda _: None)
    with SqlStore.open(url) as store:
        STORIES[name](store)


if __name__ == "__main__":
    main(*sys.argv[1:])
