"""Histories that crash tests perform, and the core's own replay of them: what a store must hold after each step.

A step is one unit of work. The replay is done by the store in memory, in which the core decides everything; the clock
is the step's number, so a store that performed the same steps holds the same, moments included.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import Enum, unique
from random import Random
from typing import Final, TypeVar

from attrs import define, evolve, frozen

from regen_core.access import Scope
from regen_core.adapters.memory import MemoryStore
from regen_core.documents import BillingDocument, DocumentKey
from regen_core.idempotency import Replay
from regen_core.ports import Answer, IdempotentCall, Page, Store
from regen_core.refusals import Refusal
from regen_core.regeneration import Regeneration
from regen_core.request import RegenerateRequest
from regen_core.testing.edits import EDITS, SLOTS, edited, initial
from regen_core.transactions import Occasion

__all__ = ["SCOPES", "Clock", "History", "Step", "Verb", "ask", "perform", "picture"]

T = TypeVar("T")
_BEGIN: Final = datetime(2026, 1, 31, 12, tzinfo=UTC)
_FLAGS: Final = ((False, False), (False, True), (False, True), (True, False))
SCOPES: Final = tuple(
    [Scope(tenant=tenant, entity=entity, orgs=None) for tenant, entity in (("t1", "e1"), ("t1", "e2"), ("t2", "e1"))]
)
"""Everything there is in the small universe of :mod:`regen_core.testing.edits`, as an operator sees it."""


@define
class Clock:
    """A store's clock that shows the number of the step, in seconds."""

    step: int = 0

    def __call__(self) -> datetime:
        """The time."""
        return _BEGIN + timedelta(seconds=self.step)


@unique
class Verb(Enum):
    """What a step does to the store."""

    LOAD = "load"
    REGENERATE = "regenerate"
    TO_LEDGER = "to ledger"
    ACKNOWLEDGE = "acknowledge"
    COLLECT = "collect"


@frozen(kw_only=True)
class Step:
    """One unit of work; ``key`` is its Idempotency-Key, ``limit`` how many deliveries it takes at most."""

    number: int
    verb: Verb
    scope: Scope
    documents: tuple[BillingDocument, ...] = ()
    request: RegenerateRequest | None = None
    key: str | None = None
    limit: int = 0


def perform(store: Store, step: Step) -> object:
    """Perform a step as one unit of work; what the store answered."""
    match step.verb:
        case Verb.LOAD:
            return store.load_all(step.documents)
        case Verb.REGENERATE:
            return ask(store, step)
        case Verb.TO_LEDGER:
            return store.deliver_to_ledger(step.scope, step.limit)
        case Verb.ACKNOWLEDGE:
            return store.acknowledge(step.scope, store.pending(step.scope, step.limit))
        case Verb.COLLECT:
            return store.collect([entry.delivery for entry in store.pending(step.scope, step.limit)])


def ask(store: Store, step: Step) -> Regeneration | Refusal | Replay:
    """Perform a step that regenerates, under its key where it has one."""
    assert step.request is not None, "only a step with a request regenerates"
    call = None if step.key is None else IdempotentCall(client="c1", key=step.key, answer=_answer)
    return store.regenerate(step.scope, step.request, Occasion(_BEGIN, "tester"), idempotent=call)


def _answer(outcome: Regeneration | Refusal) -> Answer:
    told = outcome.id_list if isinstance(outcome, Regeneration) else type(outcome).__name__
    return Answer(200 if isinstance(outcome, Regeneration) else 400, repr(told).encode())


def picture(store: Store) -> str:
    """Documents, transactions with their counters, outbox and ledger as text; equal texts are equal stores.

    A place in the outbox counts by its order alone. Idempotency records show only in what is answered.
    """
    shown: list[object] = []
    for scope in SCOPES:
        for each in (store.documents, store.transactions, store.revenue):
            shown.extend(_rows(each(scope, limit=1000)))
        shown.extend(evolve(entry, position=0) for entry in _rows(store.deliveries(scope, limit=1000)))
    return "\n".join(map(repr, shown))


def _rows(page: Page[T]) -> tuple[T, ...]:
    assert page.next is None, "a history of a crash test is short"
    return page.rows


@frozen
class History:
    """Steps, and what the core's replay holds after the first 0, 1, … of them.

    ``saved`` is what a keyed step must answer when it is asked again, by its number.
    """

    name: str
    steps: tuple[Step, ...]
    pictures: tuple[str, ...]
    saved: Mapping[int, Replay]

    @classmethod
    def of(cls, steps: Iterable[Step], name: str = "given") -> History:
        """Replay steps; they are numbered from 1."""
        clock = Clock()
        memory = MemoryStore(clock)
        done, pictures, saved = [], [picture(memory)], {}
        for step in steps:
            clock.step = step.number
            perform(memory, step)
            if step.key is not None:
                again = ask(memory, step)
                assert isinstance(again, Replay), "what a key's first request answered is answered again (IDM-1)"
                saved[step.number] = again
            done.append(step)
            pictures.append(picture(memory))
        return cls(name, tuple(done), tuple(pictures), saved)

    @classmethod
    def random(cls, seed: int, length: int) -> History:
        """The history of a seed: the same everywhere."""
        return cls.of(_steps(Random(seed), length), f"seed {seed}")  # noqa: S311  # a history to try, no secret

    def keyed(self) -> Sequence[Step]:
        """The steps that have an Idempotency-Key."""
        return [step for step in self.steps if step.key is not None]


def _steps(rng: Random, length: int) -> Iterator[Step]:
    now = {key: initial(key) for key in SLOTS}
    yield Step(number=1, verb=Verb.LOAD, scope=SCOPES[0], documents=tuple(now.values()))
    for number in range(2, length + 1):
        verb = rng.choices(tuple(Verb), (4, 6, 2, 1, 1))[0]
        slot = rng.choice(SLOTS)
        scope = Scope(tenant=slot.tenant, entity=slot.entity, orgs=None)
        if verb is Verb.LOAD:
            chosen = rng.sample(SLOTS, rng.choice((1, 2, 3)))
            now.update({key: _edited(rng, now[key]) for key in chosen})
            yield Step(number=number, verb=verb, scope=scope, documents=tuple([now[key] for key in chosen]))
        elif verb is Verb.REGENERATE:
            key = f"key-{number}" if rng.random() < 0.5 else None
            yield Step(number=number, verb=verb, scope=scope, request=_request(rng, slot), key=key)
        else:
            yield Step(number=number, verb=verb, scope=scope, limit=rng.choice((1, 3, 100)))


def _edited(rng: Random, document: BillingDocument) -> BillingDocument:
    edit = rng.choice(tuple(EDITS))
    return edited(document, "mend everything" if rng.random() < 0.2 else edit, rng.randrange(8))


def _request(rng: Random, slot: DocumentKey) -> RegenerateRequest:
    only_re_send, re_migrate = rng.choice(_FLAGS)
    return RegenerateRequest(type=slot.type, id=slot.id, only_re_send=only_re_send, re_migrate=re_migrate)
