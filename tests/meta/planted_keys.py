"""Stores whose Idempotency-Keys are deliberately wrong, each in one thing that an adapter could really get wrong.

:class:`Keyed` does what IDM says once more, by steps that can be overridden one by one; it is the control.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

from attrs import evolve, frozen

from regen_core.access import Scope
from regen_core.adapters.memory import MemoryStore
from regen_core.calls import IdempotentCall, RegenerateCall
from regen_core.documents import DocumentKey
from regen_core.idempotency import Replay
from regen_core.refusals import (
    ConflictingFlags,
    DocumentNotFound,
    IdempotencyKeyInProgress,
    IdempotencyKeyReused,
    Refusal,
)
from regen_core.regeneration import Regeneration
from regen_core.request import RegenerateRequest
from regen_core.transactions import Occasion

__all__ = ["BROKEN_KEYS", "Keyed"]


@frozen
class Kept:
    """What is saved under a key."""

    meaning: object
    status: int
    body: bytes
    documents: tuple[DocumentKey, ...]
    set_at: datetime


class Keyed(MemoryStore):
    """A store in memory with keys of its own making."""

    def __init__(self, clock: Any = None) -> None:
        super().__init__(*([] if clock is None else [clock]))
        self.kept: dict[object, Kept] = {}

    def regenerate(
        self,
        scope: Scope,
        request: RegenerateRequest,
        occasion: Occasion | None = None,
        *,
        expected: int | None = None,
        idempotent: IdempotentCall | None = None,
    ) -> Regeneration | Refusal | Replay:
        if idempotent is None or (request.only_re_send and request.re_migrate and not self.keeps_early_refusals()):
            return super().regenerate(scope, request, occasion, expected=expected)
        with self.alone():
            return self.looked_up(scope, request, idempotent)

    def alone(self) -> AbstractContextManager[object]:
        """For as long as nobody else may look at keys or write."""
        return self._lock

    def looked_up(
        self, scope: Scope, request: RegenerateRequest, idempotent: IdempotentCall
    ) -> Regeneration | Refusal | Replay:
        name = self.name_of(scope, idempotent)
        found = self.kept.get(name)
        if found is not None and not self.is_expired(found, self._clock()):
            heard = self.heard_again(scope, request, found)
            if heard is not None:
                return heard
        return self.executed(name, scope, request, idempotent)

    def keeps_early_refusals(self) -> bool:
        return False

    def name_of(self, scope: Scope, call: IdempotentCall) -> object:
        return (scope.tenant, call.client, call.key)

    def is_expired(self, found: Kept, now: datetime) -> bool:
        return now >= found.set_at + timedelta(hours=24)

    def meaning_of(self, scope: Scope, request: RegenerateRequest) -> object:
        return (scope.entity, scope.requested_orgs, request)

    def heard_again(self, scope: Scope, request: RegenerateRequest, found: Kept) -> Refusal | Replay | None:
        if found.meaning != self.meaning_of(scope, request):
            return IdempotencyKeyReused()
        if not all(self.is_visible(scope, each) for each in found.documents):
            return DocumentNotFound(request.type)
        return self.replay(found, scope, request)

    def is_visible(self, scope: Scope, key: DocumentKey) -> bool:
        stored = self.transaction_store.get(key)
        return stored is not None and scope.can_see(stored.document.header)

    def replay(self, found: Kept, scope: Scope, request: RegenerateRequest) -> Replay:
        return Replay(found.status, found.body)

    def executed(
        self, name: object, scope: Scope, request: RegenerateRequest, call: IdempotentCall
    ) -> Regeneration | Refusal:
        """In one unit of work: what is answered is known before anything is written."""
        planned = self.plan(scope, request)
        kept = self.kept_of(scope, request, call, planned)
        outcome = self.done(scope, request)
        if kept is not None:
            self.kept[name] = kept
        return outcome

    def done(self, scope: Scope, request: RegenerateRequest) -> Regeneration | Refusal:
        outcome = MemoryStore.regenerate(self, scope, request)
        assert not isinstance(outcome, Replay), "no key, no replay"
        return outcome

    def kept_of(
        self, scope: Scope, request: RegenerateRequest, call: IdempotentCall, outcome: Regeneration | Refusal
    ) -> Kept | None:
        if not self.is_to_be_kept(outcome):
            return None
        documents = tuple(each.document.key for each in self.transaction_store.named(scope, request))
        answer = call.answer(outcome)
        return Kept(self.meaning_of(scope, request), answer.status, answer.body, documents, self._clock())

    def is_to_be_kept(self, outcome: Regeneration | Refusal) -> bool:
        return isinstance(outcome, Regeneration) or outcome.rank in range(15, 20)

    def regenerate_together(self, calls: Iterable[RegenerateCall]) -> tuple[Any, ...]:
        running: set[object] = set()
        outcomes = []
        for call in calls:
            name = None if call.idempotent is None else self.name_of(call.scope, call.idempotent)
            if name is not None and name in running:
                outcomes.append(self.while_running(call))
                continue
            running |= {name}
            outcomes.append(self.regenerate(call.scope, call.request, call.occasion, idempotent=call.idempotent))
        return tuple(outcomes)

    def while_running(self, call: RegenerateCall) -> Any:
        return IdempotencyKeyInProgress()


class SharesKeysAmongTenants(Keyed):
    """IDM-5: a key is looked up by client and key only."""

    def name_of(self, scope: Scope, call: IdempotentCall) -> object:
        return (call.client, call.key)


class SharesKeysAmongClients(Keyed):
    """IDM-5: a key is looked up by tenant and key only."""

    def name_of(self, scope: Scope, call: IdempotentCall) -> object:
        return (scope.tenant, call.key)


class JoinsClientAndKey(Keyed):
    """IDM-5: client and key are joined without a separator."""

    def name_of(self, scope: Scope, call: IdempotentCall) -> object:
        return (scope.tenant, call.client + call.key)


class IgnoresTheCaseOfKeys(Keyed):
    """IDM-9: the column's collation takes ab for AB."""

    def name_of(self, scope: Scope, call: IdempotentCall) -> object:
        return (scope.tenant, call.client, call.key.lower())


class ReplaysExpiredKeys(Keyed):
    """IDM-2: nobody looks at the clock."""

    def is_expired(self, found: Kept, now: datetime) -> bool:
        return False


class ExpiresTooLate(Keyed):
    """IDM-2: at 24 hours exactly a key still lives."""

    def is_expired(self, found: Kept, now: datetime) -> bool:
        return now > found.set_at + timedelta(hours=24)


class ExpiresAtMidnight(Keyed):
    """IDM-2: a key lives for its day."""

    def is_expired(self, found: Kept, now: datetime) -> bool:
        return now.date() != found.set_at.date()


class ReplayRenewsTheKey(Keyed):
    """IDM-2: a key lives from its last use."""

    def replay(self, found: Kept, scope: Scope, request: RegenerateRequest) -> Replay:
        for name, each in self.kept.items():
            if each is found:
                self.kept[name] = evolve(each, set_at=self._clock())
        return super().replay(found, scope, request)


class ReplaysAnotherMeaning(Keyed):
    """IDM-4: whatever is asked under a key is a repeat."""

    def meaning_of(self, scope: Scope, request: RegenerateRequest) -> object:
        return None


class ForgetsTheFlags(Keyed):
    """IDM-4: the body is compared, the query isn't."""

    def meaning_of(self, scope: Scope, request: RegenerateRequest) -> object:
        return (scope.entity, scope.requested_orgs, request.type, request.id, request.number)


class ForgetsTheEntity(Keyed):
    """IDM-4: the header that chooses an entity isn't compared."""

    def meaning_of(self, scope: Scope, request: RegenerateRequest) -> object:
        return (scope.requested_orgs, request)


class ForgetsTheOrgsAskedFor(Keyed):
    """IDM-4: the header that narrows the organisations isn't compared."""

    def meaning_of(self, scope: Scope, request: RegenerateRequest) -> object:
        return (scope.entity, request)


class ExecutesAgain(Keyed):
    """IDM-8: a repeat hears the first answer, after everything was done once more."""

    def replay(self, found: Kept, scope: Scope, request: RegenerateRequest) -> Replay:
        MemoryStore.regenerate(self, scope, request)
        return super().replay(found, scope, request)


class SavesNothing(Keyed):
    """IDM-1: the key is accepted and forgotten."""

    def is_to_be_kept(self, outcome: Regeneration | Refusal) -> bool:
        return False


class AnswersWithAnotherStatus(Keyed):
    """IDM-1: a repeat is a conflict."""

    def replay(self, found: Kept, scope: Scope, request: RegenerateRequest) -> Replay:
        return Replay(409, found.body)


class SavesNoRefusal(Keyed):
    """IDM-6: only what succeeds is saved."""

    def is_to_be_kept(self, outcome: Regeneration | Refusal) -> bool:
        return isinstance(outcome, Regeneration)


class SavesEveryRefusal(Keyed):
    """IDM-6: conflicting flags use the key up."""

    def keeps_early_refusals(self) -> bool:
        return True

    def is_to_be_kept(self, outcome: Regeneration | Refusal) -> bool:
        return super().is_to_be_kept(outcome) or isinstance(outcome, ConflictingFlags)


class ReusedKeyForgetsItsResult(Keyed):
    """IDM-6: a refused reuse deletes what is saved."""

    def heard_again(self, scope: Scope, request: RegenerateRequest, found: Kept) -> Refusal | Replay | None:
        heard = super().heard_again(scope, request, found)
        if isinstance(heard, IdempotencyKeyReused):
            self.kept.clear()
        return heard


class ReplaysWhatCantBeSeen(Keyed):
    """IDM-6: a repeat isn't asked what its caller may see by now."""

    def is_visible(self, scope: Scope, key: DocumentKey) -> bool:
        return True


class ExecutesAllAtOnce(Keyed):
    """IDM-3: whoever comes while the key is running is executed as well."""

    def while_running(self, call: RegenerateCall) -> Any:
        return MemoryStore.regenerate(self, call.scope, call.request)


BROKEN_KEYS: dict[type[MemoryStore], set[str]] = {
    SharesKeysAmongTenants: {"IDM-5 tenant"},
    SharesKeysAmongClients: {"IDM-5 client"},
    JoinsClientAndKey: {"IDM-9"},
    IgnoresTheCaseOfKeys: {"IDM-9"},
    ReplaysExpiredKeys: {"IDM-2", "IDM-2 another meaning"},
    ExpiresTooLate: {"IDM-2", "IDM-2 another meaning"},
    ExpiresAtMidnight: {"IDM-2"},
    ReplayRenewsTheKey: {"IDM-2"},
    ReplaysAnotherMeaning: {"IDM-4", "IDM-6 not saved"},
    ForgetsTheFlags: {"IDM-4"},
    ForgetsTheEntity: {"IDM-4"},
    ForgetsTheOrgsAskedFor: {"IDM-4"},
    ExecutesAgain: {"IDM-8"},
    SavesNothing: {
        "IDM-1", "IDM-2", "IDM-4", "IDM-6 saved", "IDM-6 kept", "IDM-6 visible", "IDM-8",
    },
    AnswersWithAnotherStatus: {"IDM-1", "IDM-2", "IDM-6 kept", "IDM-6 saved"},
    SavesNoRefusal: {"IDM-6 saved"},
    SavesEveryRefusal: {"IDM-6 not saved"},
    ReusedKeyForgetsItsResult: {"IDM-4", "IDM-6 kept"},
    ReplaysWhatCantBeSeen: {"IDM-6 visible"},
    ExecutesAllAtOnce: {"IDM-3"},
}  # fmt: skip
"""Each mistake with the checks that may notice it: exactly these, and at least one."""
