"""The scenarios of a key's unit of work: all or nothing, and of equal requests at once one is executed (IDM-3, IDM-7).

``answer`` of an :class:`~regen_core.calls.IdempotentCall` is called within the unit of work, between what is decided
and the commit. There the kit breaks off, or lingers until the other threads have come.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier
from typing import Any, Final

from regen_core.calls import Answer, IdempotentCall
from regen_core.idempotency import Replay
from regen_core.page import MAX_PAGE
from regen_core.ports import Found
from regen_core.refusals import IdempotencyKeyInProgress
from regen_core.testing.adapted import Capability
from regen_core.testing.edits import initial
from regen_core.testing.idempotent import AGAIN, KEY, REQUEST, SCOPE, answered, is_executed
from regen_core.testing.scenarios import Bench, Scenario

__all__ = ["UNIT_SCENARIOS"]

_AT_ONCE: Final = 8
"""Threads that ask at the same moment."""

_KEYS: Final = 3
"""Keys that they ask with, one after the other: which thread comes first is chance."""

_LINGERS: Final = 0.02
"""Seconds within the unit of work: long enough for every other thread to come."""


class _BrokenOff(Exception):  # noqa: N818  # what happens
    """What the kit raises within a unit of work."""


class _Crash(BaseException):
    """What ends a unit of work as the end of its process does: no handler of errors is meant to see it."""


def _call(answer: Any = answered, key: str = "k") -> IdempotentCall:
    return IdempotentCall(client="c", key=key, answer=answer)


def _breaks_off(_outcome: object) -> Answer:
    raise _BrokenOff("by the kit, within the unit of work")


def _crashes(_outcome: object) -> Answer:
    raise _Crash


def what_breaks_off_leaves_nothing(bench: Bench) -> None:
    """What fails between the work and its commit leaves neither lines nor deliveries nor the key; a retry executes."""
    bench.subject.load(initial(KEY))
    bench.subject.regenerate(SCOPE, REQUEST, None)
    before = bench.subject.state()
    with suppress(Exception):  # however the store tells it
        bench.store.regenerate(SCOPE, AGAIN, None, idempotent=_call(_breaks_off))
    assert bench.subject.state() == before, "a request that broke off before its commit left its work (IDM-7)"
    heard = bench.store.regenerate(SCOPE, AGAIN, None, idempotent=_call())
    assert is_executed(heard), f"after a request that broke off, its retry was answered {heard} (IDM-7)"


def a_crash_leaves_nothing(bench: Bench) -> None:
    """What ends between the work and its commit leaves nothing in a store that is opened again."""
    bench.subject.load(initial(KEY))
    before = _shown(bench.store)
    with suppress(_Crash):
        bench.store.regenerate(SCOPE, AGAIN, None, idempotent=_call(_crashes))
    store = bench.store.reopened()
    assert _shown(store) == before, "a request that never came to its commit left its work (IDM-7)"
    heard = store.regenerate(SCOPE, AGAIN, None, idempotent=_call())
    assert is_executed(heard), f"after a crash before the commit, the retry was answered {heard} (IDM-7)"


def a_crash_loses_nothing(bench: Bench) -> None:
    """What was answered is there with its key in a store that is opened again, and is not done twice."""
    bench.subject.load(initial(KEY))
    first = answered(bench.store.regenerate(SCOPE, AGAIN, None, idempotent=_call()))
    before = _shown(bench.store)
    store = bench.store.reopened()
    now = _shown(store)
    assert now == before, f"after a crash the store shows {now}, before it {before} (IDM-7)"
    heard = store.regenerate(SCOPE, AGAIN, None, idempotent=_call())
    assert _is_replay(heard, first), f"what was answered before a crash is answered {heard} after it (IDM-7)"


def _shown(store: Any) -> object:
    """The document with its transactions, and what waits of it."""
    found = store.find(SCOPE, REQUEST)
    waits = [each.delivery for each in store.pending(SCOPE, MAX_PAGE)]
    return (found.stored if isinstance(found, Found) else found), waits


def _is_replay(heard: object, first: Answer) -> bool:
    return isinstance(heard, Replay) and (heard.status, heard.body) == (first.status, first.body)


def one_of_many_threads_is_executed(bench: Bench) -> None:
    """Of equal requests at the same moment one is executed; the others hear that it runs, or its answer."""
    bench.subject.load(initial(KEY))
    lines, sent = len(initial(KEY).items), 0
    for number in range(_KEYS):
        heard = _heard_at_once(bench.store, f"k{number}")
        done = [each for each in heard if is_executed(each)]
        assert len(done) == 1, f"{len(done)} of {_AT_ONCE} equal requests at once were executed (IDM-3)"
        first = answered(done[0])
        for each in heard:
            is_right = each is done[0] or _is_replay(each, first) or isinstance(each, IdempotencyKeyInProgress)
            assert is_right, f"one of {_AT_ONCE} equal requests at once, which wasn't executed, heard {each} (IDM-3)"
        sent += lines
        waits = len(bench.store.pending(SCOPE, MAX_PAGE))
        assert waits == sent, f"{waits} deliveries wait after {number + 1} executions of {lines} lines each (IDM-3)"


def _heard_at_once(store: Any, key: str) -> list[Any]:
    together = Barrier(_AT_ONCE)

    def lingering(outcome: Any) -> Answer:
        time.sleep(_LINGERS)
        return answered(outcome)

    def ask(_: int) -> Any:
        together.wait()
        return store.regenerate(SCOPE, AGAIN, None, idempotent=_call(lingering, key))

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(ask, range(_AT_ONCE)))


_KEYED: Final = frozenset({Capability.IDEMPOTENCY})

UNIT_SCENARIOS: Final = (
    Scenario("IDM-3 threads", ("IDM-3",), one_of_many_threads_is_executed, _KEYED | {Capability.THREADS}),
    Scenario("IDM-7", ("IDM-7", "PRE-4"), what_breaks_off_leaves_nothing, _KEYED | {Capability.UNITS}),
    Scenario("IDM-7 crash", ("IDM-7",), a_crash_leaves_nothing, _KEYED | {Capability.REOPENS}),
    Scenario("IDM-7 kept", ("IDM-7",), a_crash_loses_nothing, _KEYED | {Capability.REOPENS}),
)
"""What a store that takes an Idempotency-Key is asked beyond one caller and beyond success."""
