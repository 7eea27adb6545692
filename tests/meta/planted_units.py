"""Stores whose unit of work is deliberately wrong: it isn't one, or several are under way at once (IDM-3, IDM-7).

Each is :class:`~tests.meta.planted_keys.Keyed` with one mistake; :class:`Reopened` is the control where a crash is
looked at: a store in memory that a next process finds as the last one left it.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from attrs import evolve

from regen_core.access import Scope
from regen_core.adapters.memory import MemoryStore
from regen_core.calls import IdempotentCall
from regen_core.refusals import IdempotencyKeyReused, Refusal
from regen_core.regeneration import Regeneration
from regen_core.request import RegenerateRequest
from regen_core.transactions import NO_TRANSACTIONS
from tests.meta.planted_keys import Kept, Keyed

__all__ = ["BROKEN_UNITS", "Reopened"]


class Reopened(Keyed):
    """What is stored outlives the process; so does nothing else."""

    def reopened(self) -> Reopened:
        self.lost()
        return self

    def lost(self) -> None:
        """What a crash takes along."""


class AnswersAfterTheCommit(Keyed):
    """IDM-7: the work is committed, then the answer is made and saved in a unit of work of its own."""

    def executed(
        self, name: object, scope: Scope, request: RegenerateRequest, call: IdempotentCall
    ) -> Regeneration | Refusal:
        outcome = self.done(scope, request)
        kept = self.kept_of(scope, request, call, outcome)
        if kept is not None:
            self.kept[name] = kept
        return outcome


class SavesTheKeyFirst(Keyed):
    """IDM-7: a record that says *running* is committed before the work, and stays when that breaks off."""

    def executed(
        self, name: object, scope: Scope, request: RegenerateRequest, call: IdempotentCall
    ) -> Regeneration | Refusal:
        self.kept[name] = Kept(self.meaning_of(scope, request), 202, b"running", (), self._clock())
        return super().executed(name, scope, request, call)


class LeavesTheOutboxBehind(Keyed):
    """IDM-7: the outbox is written at once, beside the unit of work."""

    def executed(
        self, name: object, scope: Scope, request: RegenerateRequest, call: IdempotentCall
    ) -> Regeneration | Refusal:
        before, planned = self.transaction_store, self.done(scope, request)
        self.transaction_store = before
        kept = self.kept_of(scope, request, call, planned)
        self._outbox = self._outbox[: -len(planned.deliveries)] if isinstance(planned, Regeneration) else self._outbox
        outcome = self.done(scope, request)
        if kept is not None:
            self.kept[name] = kept
        return outcome


class RollsBackErrorsOnly(Reopened):
    """IDM-7: what is rolled back is what raises an error; a process that ends leaves its work without its key."""

    def executed(
        self, name: object, scope: Scope, request: RegenerateRequest, call: IdempotentCall
    ) -> Regeneration | Refusal:
        before = self.transaction_store, self._outbox
        outcome = self.done(scope, request)
        try:
            kept = self.kept_of(scope, request, call, outcome)
        except Exception:
            self.transaction_store, self._outbox = before
            raise
        if kept is not None:
            self.kept[name] = kept
        return outcome


class KeepsKeysInTheProcess(Reopened):
    """IDM-7: keys are in a cache, which the next process doesn't have."""

    def lost(self) -> None:
        self.kept.clear()


class FlushesTheOutboxLater(Reopened):
    """IDM-7: the request is acknowledged before its deliveries are durable."""

    def lost(self) -> None:
        self._outbox = ()


class FlushesTheLinesLater(Reopened):
    """IDM-7: the request is acknowledged before its transactions are durable."""

    def lost(self) -> None:
        for place, stored in self.transaction_store.documents.items():
            emptied = self.transaction_store.documents.put(place, evolve(stored, transactions=NO_TRANSACTIONS))
            self.transaction_store = evolve(self.transaction_store, documents=emptied)


class LooksBeforeItWrites(Keyed):
    """IDM-3: the key is looked up and saved without a lock between."""

    def alone(self) -> AbstractContextManager[object]:
        return nullcontext()


class LooksOutsideItsLock(Keyed):
    """IDM-3: only what writes is locked; who has looked before comes in afterwards."""

    def alone(self) -> AbstractContextManager[object]:
        return nullcontext()

    def executed(
        self, name: object, scope: Scope, request: RegenerateRequest, call: IdempotentCall
    ) -> Regeneration | Refusal:
        with self._lock:
            return super().executed(name, scope, request, call)


class TakesTheRunningForAnother(Keyed):
    """IDM-3: whoever comes while the key is running hears that it was used for something else."""

    def regenerate(self, *args: Any, idempotent: IdempotentCall | None = None, **kwargs: Any) -> Any:
        if not self._lock.acquire(blocking=idempotent is None):
            return IdempotencyKeyReused()
        try:
            return super().regenerate(*args, idempotent=idempotent, **kwargs)
        finally:
            self._lock.release()


BROKEN_UNITS: dict[type[MemoryStore], set[str]] = {
    AnswersAfterTheCommit: {"IDM-7"},
    SavesTheKeyFirst: {"IDM-7"},
    LeavesTheOutboxBehind: {"IDM-7"},
    RollsBackErrorsOnly: {"IDM-7 crash"},
    KeepsKeysInTheProcess: {"IDM-7 kept"},
    FlushesTheOutboxLater: {"IDM-7 kept"},
    FlushesTheLinesLater: {"IDM-7 kept"},
    LooksBeforeItWrites: {"IDM-3 threads"},
    LooksOutsideItsLock: {"IDM-3 threads"},
    TakesTheRunningForAnother: {"IDM-3 threads"},
}
"""Each mistake with the checks that must notice it."""
