"""The scenarios of the Idempotency-Key, on the store's own clock (IDM-1 … IDM-6, IDM-8)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from attrs import evolve

from regen_core.access import Scope
from regen_core.calls import Answer, IdempotentCall, RegenerateCall
from regen_core.documents import DocumentKey
from regen_core.idempotency import KEY_LIFETIME, Replay
from regen_core.refusals import (
    ConflictingFlags,
    DocumentNotFound,
    DocumentNotPosted,
    IdempotencyKeyInProgress,
    IdempotencyKeyReused,
    Refusal,
)
from regen_core.regeneration import Regeneration
from regen_core.request import RegenerateRequest
from regen_core.testing.adapted import Capability
from regen_core.testing.edits import SLOTS, edited, initial
from regen_core.testing.scenarios import Bench, Scenario
from regen_core.testing.subject import Executed

__all__ = ["AGAIN", "IDEMPOTENCY_SCENARIOS", "KEY", "REQUEST", "SCOPE", "answered", "is_executed"]

KEY: Final = SLOTS[0]
REQUEST: Final = RegenerateRequest(type=KEY.type, id=KEY.id)
AGAIN: Final = RegenerateRequest(type=KEY.type, id=KEY.id, re_migrate=True)
SCOPE: Final = Scope(tenant=KEY.tenant, entity=KEY.entity, orgs=None)
_OTHER_TENANT: Final = DocumentKey(tenant="t2", entity=KEY.entity, type=KEY.type, id=KEY.id)


def answered(outcome: Regeneration | Executed | Refusal) -> Answer:
    """A pure answer that shows how often the lines were sent, so that a second execution can't look like a replay."""
    if isinstance(outcome, Executed):
        return Answer(outcome.status, outcome.body)
    if isinstance(outcome, Regeneration):
        return Answer(200, ",".join([each.id for each in outcome.deliveries]).encode())
    return Answer(outcome.http_status, type(outcome).__name__.encode())


def _ask(
    bench: Bench, request: RegenerateRequest = REQUEST, scope: Scope = SCOPE, *, key: str = "k", client: str = "c"
) -> Any:
    call = IdempotentCall(client=client, key=key, answer=answered)
    return bench.store.regenerate(scope, request, None, idempotent=call)


def _loaded(bench: Bench, *edits: str, key: DocumentKey = KEY) -> None:
    document = initial(key)
    for edit in edits:
        document = edited(document, edit, 0)
    bench.subject.load(document)


def is_executed(outcome: object) -> bool:
    """Whether a request was carried out, rather than refused or replayed."""
    return isinstance(outcome, (Regeneration, Executed))


def _executed(outcome: Any, rule_id: str, when: str) -> Answer:
    assert is_executed(outcome), f"{when}, the request was not executed but answered {outcome} ({rule_id})"
    return answered(outcome)


def _replayed(outcome: object, first: Answer, rule_id: str, when: str) -> None:
    told = (outcome.status, outcome.body) if isinstance(outcome, Replay) else outcome
    assert told == (first.status, first.body), f"{when}, the answer was {told}, not {first} again ({rule_id})"


def the_same_request_again_hears_the_first_answer(bench: Bench) -> None:
    """A repeated request with the same key gets the first status and body again."""
    _loaded(bench)
    first = _executed(_ask(bench), "IDM-1", "at first")
    _replayed(_ask(bench), first, "IDM-1", "repeated with the same key")
    _replayed(_ask(bench), first, "IDM-1", "repeated a third time")


def a_replay_writes_and_sends_nothing(bench: Bench) -> None:
    """Nothing that is stored or waits for Revenue changes by a replay."""
    _loaded(bench)
    _ask(bench, AGAIN)
    before = bench.subject.state()
    _ask(bench, AGAIN)
    assert bench.subject.state() == before, "a repeated request with the same key changed what is stored (IDM-8)"


def another_meaning_is_refused(bench: Bench) -> None:
    """The same key with other flags, another name of the document, another entity or narrowed orgs is refused."""
    _loaded(bench)
    _ask(bench)
    before = bench.subject.state()
    others = {
        "other flags": (AGAIN, SCOPE),
        "the number for the id": (RegenerateRequest(type=KEY.type, number=f"N-{KEY.id}"), SCOPE),
        "another entity": (REQUEST, evolve(SCOPE, entity="e2")),
        "other orgs asked for": (REQUEST, evolve(SCOPE, requested_orgs=frozenset({"north"}))),
    }
    for name, (request, scope) in others.items():
        heard = _ask(bench, request, scope)
        assert isinstance(heard, IdempotencyKeyReused), f"with {name} under the same key: {heard} (IDM-4)"
    assert bench.subject.state() == before, "a reused key changed what is stored (IDM-4)"


def another_tenant_has_keys_of_its_own(bench: Bench) -> None:
    """The same key of another tenant's client is another key."""
    _loaded(bench)
    _loaded(bench, key=_OTHER_TENANT)
    _ask(bench)
    heard = _ask(bench, scope=evolve(SCOPE, tenant="t2"))
    _executed(heard, "IDM-5", "with a key that only another tenant used")


def another_client_has_keys_of_its_own(bench: Bench) -> None:
    """The same key of another client of the tenant is another key."""
    _loaded(bench)
    _ask(bench)
    _executed(_ask(bench, client="d"), "IDM-5", "with a key that only another client used")


def keys_are_told_apart_exactly(bench: Bench) -> None:
    """Keys that differ in case, or that run into the client's name, are different keys."""
    _loaded(bench)
    _ask(bench, key="ab", client="c")
    _executed(_ask(bench, key="AB", client="c"), "IDM-9", "with the key in another case")
    _executed(_ask(bench, key="b", client="ca"), "IDM-5", "where client and key join to the same text")


def a_key_lives_for_a_day(bench: Bench) -> None:
    """A second before 24 hours are over the key replays; then it is new, and lives from then on."""
    _loaded(bench)
    first = _executed(_ask(bench), "IDM-2", "at first")
    bench.clock.move(KEY_LIFETIME - timedelta(seconds=1))
    _replayed(_ask(bench), first, "IDM-2", "a second before the key expires")
    bench.clock.move(timedelta(seconds=1))
    second = _executed(_ask(bench), "IDM-2", "when the key has expired")
    bench.clock.move(KEY_LIFETIME - timedelta(seconds=1))
    _replayed(_ask(bench), second, "IDM-2", "a second before the renewed key expires")


def an_expired_key_takes_another_meaning(bench: Bench) -> None:
    """When its time is over, a key may be used for something else."""
    _loaded(bench)
    _ask(bench)
    bench.clock.move(KEY_LIFETIME)
    _executed(_ask(bench, AGAIN), "IDM-2", "with other flags under an expired key")


def a_refusal_of_the_operation_is_saved(bench: Bench) -> None:
    """What the operation refuses for the document's status is given again, even when the document is posted by then."""
    _loaded(bench, "unpost or post")
    heard = _ask(bench)
    assert isinstance(heard, DocumentNotPosted), f"an unposted document: {heard} (ELI-1)"
    _loaded(bench)
    _replayed(_ask(bench), answered(heard), "IDM-6", "when the document was posted after a refusal")


def a_refusal_before_it_is_not(bench: Bench) -> None:
    """What is refused before the document is looked for leaves the key unused."""
    _loaded(bench)
    both = evolve(REQUEST, only_re_send=True, re_migrate=True)
    heard = _ask(bench, both)
    assert isinstance(heard, ConflictingFlags), f"both flags: {heard} (REQ-5)"
    _executed(_ask(bench), "IDM-6", "under a key that only conflicting flags had")


def a_reused_key_keeps_its_first_result(bench: Bench) -> None:
    """A refusal for another meaning doesn't replace what is saved."""
    _loaded(bench)
    first = _executed(_ask(bench), "IDM-6", "at first")
    _ask(bench, AGAIN)
    _replayed(_ask(bench), first, "IDM-6", "after the key was used for another meaning")


def a_replay_needs_the_right_to_see(bench: Bench) -> None:
    """Whoever may no longer see the document hears that it isn't found, not what was saved."""
    north = evolve(SCOPE, orgs=frozenset({"north"}))
    _loaded(bench, "change the organisation")
    _executed(_ask(bench, scope=north), "IDM-6", "of a document of one's own org")
    _loaded(bench, "change the organisation", "change the organisation")
    heard = _ask(bench, scope=north)
    assert isinstance(heard, DocumentNotFound), f"of a document that can't be seen: {heard} (IDM-6)"


def one_of_several_at_once_is_executed(bench: Bench) -> None:
    """Of several calls with one key in one unit of work the first is executed, and the others hear that it runs."""
    _loaded(bench)
    call = IdempotentCall(client="c", key="k", answer=answered)
    calls = [RegenerateCall(scope=SCOPE, request=REQUEST, idempotent=call) for _ in range(3)]
    first, *others = bench.store.regenerate_together(calls)
    _executed(first, "IDM-3", "as the first of three at once")
    for heard in others:
        assert isinstance(heard, IdempotencyKeyInProgress), f"while the key is running: {heard} (IDM-3)"


_KEYS: Final = frozenset({Capability.IDEMPOTENCY})

IDEMPOTENCY_SCENARIOS: Final = (
    Scenario("IDM-1", ("IDM-1",), the_same_request_again_hears_the_first_answer, _KEYS),
    Scenario("IDM-2", ("IDM-2",), a_key_lives_for_a_day, _KEYS | {Capability.CLOCK}),
    Scenario(
        "IDM-2 another meaning", ("IDM-2", "IDM-4"), an_expired_key_takes_another_meaning, _KEYS | {Capability.CLOCK}
    ),
    Scenario("IDM-3", ("IDM-3",), one_of_several_at_once_is_executed, _KEYS | {Capability.TOGETHER}),
    Scenario("IDM-4", ("IDM-4",), another_meaning_is_refused, _KEYS),
    Scenario("IDM-5 tenant", ("IDM-5",), another_tenant_has_keys_of_its_own, _KEYS),
    Scenario("IDM-5 client", ("IDM-5",), another_client_has_keys_of_its_own, _KEYS),
    Scenario("IDM-6 saved", ("IDM-6",), a_refusal_of_the_operation_is_saved, _KEYS),
    Scenario("IDM-6 not saved", ("IDM-6",), a_refusal_before_it_is_not, _KEYS),
    Scenario("IDM-6 kept", ("IDM-6",), a_reused_key_keeps_its_first_result, _KEYS),
    Scenario("IDM-6 visible", ("IDM-6", "ACC-4"), a_replay_needs_the_right_to_see, _KEYS),
    Scenario("IDM-8", ("IDM-8",), a_replay_writes_and_sends_nothing, _KEYS),
    Scenario("IDM-9", ("IDM-9", "IDM-5"), keys_are_told_apart_exactly, _KEYS),
)
"""What a store that takes an Idempotency-Key is asked."""
