"""Two tenants on one service: whatever the one does, the other one hears what it would hear alone.

A strand is what one tenant does at given seconds: load, ask, ask while another request is held, let it go. Both tenants
have the same document ids, numbers, keys and client names. Each strand is performed alone, in a world in which the
other tenant has no documents, requests or keys; then each strand of the one together with each of the other. Status,
body and headers must be the same, apart from the ids of the call, and so must be what is stored. The limits are small
enough to be used up. A seed is the same pairs everywhere. From the command line::

    python -m tests.http_laws.two_tenants --seeds 0:100
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import product
from random import Random
from typing import Any, Final

from attrs import define, evolve, field, frozen

from regen_core.access import Scope
from regen_core.adapters.http.execution import Executor, Outcome, Work
from regen_core.adapters.http.keys_in_flight import KeysInFlight
from regen_core.adapters.http.limits import Limits, Quotas, Window
from regen_core.adapters.memory import MemoryStore
from regen_core.documents import BillingDocument, DocumentKey, DocumentType
from regen_core.ports import Store
from regen_core.request import RegenerateRequest
from regen_core.testing.edits import EDITS, edited, initial
from regen_core.transactions import Occasion
from tests.crash.seeds import Counted, chosen_seeds
from tests.http_laws.calling import FRESH, Heard, Sent, asked
from tests.http_laws.serving import Running
from tests.http_laws.wording import worded

__all__ = ["PAIRS", "Difference", "Step", "World", "differences", "main", "strand"]

TENANTS: Final = ("t1", "t2")
STRANDS: Final = 20
PAIRS: Final = STRANDS**2
"""Traces of a seed."""

_QUOTAS: Final = Quotas(requests=(Window(10, 3), Window(40, 6)), concurrent=2)
_SECONDS: Final = 40
_FIRST: Final = datetime(2026, 1, 31, tzinfo=UTC)
_FLAGS: Final = ((False, False), (False, True), (True, False), (True, True))
_SIGHTS: Final = (None, None, None, frozenset({"north"}), frozenset[str]())
_IDS: Final = re.compile(rb'"(processId|requestId)":"[^"]*"')


@frozen
class Step:
    """What a tenant does at a second: load a document, ask, let held requests go."""

    at: float
    verb: str
    number: int = 0
    document: DocumentKey | None = None
    edit: str = ""
    scope: Scope | None = None
    request: RegenerateRequest | None = None
    key: str | None = None
    spoil: int = 0


def strand(tenant: str, rng: Random) -> tuple[Step, ...]:
    """Some steps of a tenant, in the order of their seconds; the document is there from the beginning."""
    seconds = sorted(rng.uniform(1, _SECONDS) for _ in range(rng.randrange(2, 7)))
    names = ("d1", "d2")[: rng.choice((1, 2, 2, 2))]
    first = [DocumentKey(tenant=tenant, entity="e1", type=DocumentType.INVOICE, id=name) for name in names]
    return (*[Step(0, "load", document=key) for key in first], *[_step(tenant, rng, second) for second in seconds])


def _key(tenant: str, rng: Random) -> DocumentKey:
    kind = DocumentType.INVOICE if rng.random() < 0.9 else DocumentType.CREDIT_MEMO
    entity = "e1" if rng.random() < 0.9 else "e2"
    return DocumentKey(tenant=tenant, entity=entity, type=kind, id=rng.choice(("d1", "d2")))


def _step(tenant: str, rng: Random, second: float) -> Step:
    verb = rng.choices(("load", "ask", "hold", "release"), (1, 6, 2, 1))[0]
    key = _key(tenant, rng)
    if verb == "load":
        return Step(second, verb, rng.randrange(8), key, rng.choice(tuple(EDITS)))
    flags = rng.choice(_FLAGS[:3] if rng.random() < 0.9 else _FLAGS)
    by = rng.choice(({"id": key.id}, {"id": key.id}, {"number": f"N-{key.id}"}, {"id": key.id, "number": "N-d1"}))
    return Step(
        second,
        verb,
        rng.randrange(10_000),
        scope=Scope(tenant=tenant, entity=key.entity, orgs=rng.choice(_SIGHTS)),
        request=RegenerateRequest(type=key.type, only_re_send=flags[0], re_migrate=flags[1], **by),
        key=rng.choice((None, None, "k1", "k1", "k2")),
        spoil=rng.randrange(20),
    )


_SPOILT: Final[Mapping[int, Callable[[Sent], Sent]]] = {
    0: lambda sent: evolve(sent, headers=tuple([each for each in sent.headers if each[0] != b"authorization"])),
    1: lambda sent: evolve(sent, parts=(b"{", *sent.parts)),
    2: lambda sent: evolve(sent, query=b"dryRun=true"),
    3: lambda sent: evolve(sent, headers=(*sent.headers, (b"zuora-track-id", b"job 7"))),
    4: lambda sent: evolve(sent, headers=(*sent.headers, (b"zuora-entity-ids", b"e1"), (b"zuora-entity-ids", b"e2"))),
    5: lambda sent: evolve(sent, path="/v1/other"),
}
"""A request made into one that is refused before any document is looked for, by a number."""


class _Gated:
    """Executes at once, or when it is let to."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.gate: asyncio.Event | None = None

    async def submit(self, work: Work) -> Outcome:
        gate, self.gate = self.gate, None
        if gate is not None:
            await gate.wait()
        occasion = Occasion(_FIRST, None if work.occasion is None else work.occasion.by)
        return self.store.regenerate(work.scope, work.request, occasion, idempotent=work.idempotent)


@define
class World:
    """A service, put back to its beginning for each trace.

    ``renew`` gives an empty store with a clock; ``keys`` is what keeps requests under one key apart, ``limits`` counts.
    ``traces`` of several tenants were performed.
    """

    renew: Callable[[Callable[[], datetime]], Store] = MemoryStore
    keys: Callable[[Executor], Executor] = KeysInFlight
    limits: Limits = field(factory=lambda: Limits(_QUOTAS))
    traces: int = 0
    _service: Running = field(init=False)
    _executor: _Gated = field(init=False)
    _heard: dict[str, list[Any]] = field(factory=dict)
    _held: dict[str, list[tuple[int, asyncio.Event, asyncio.Task[Heard]]]] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        self._executor = _Gated(self.renew(self._clock))
        self._service = Running(self.keys(self._executor), limits=self.limits)

    def _clock(self) -> datetime:
        return _FIRST + timedelta(seconds=self._service.seconds)

    async def perform(self, steps: Iterable[Step], tenants: Sequence[str]) -> dict[str, list[Any]]:
        """What each tenant hears, step by step, and what it has at the end."""
        self.traces += len(tenants) > 1
        self._executor.store = self.renew(self._clock)
        for counted in (self.limits._tenants, self.limits._entities):
            counted.clear()
        self._heard, self._held = {each: [] for each in tenants}, {each: [] for each in tenants}
        for step in sorted(steps, key=lambda each: each.at):
            self._service.seconds = step.at
            await self._take(step)
        for tenant in tenants:
            await self._release(tenant)
            self._heard[tenant].append(_stored(self._executor.store, tenant))
        return self._heard

    async def _take(self, step: Step) -> None:
        if step.document is not None:
            heard = self._heard[step.document.tenant]
            heard.append(repr(self._load(step.document, step)))
        elif step.scope is not None and step.verb == "release":
            await self._release(step.scope.tenant)
        elif step.scope is not None:
            await self._ask(step, step.scope)

    def _load(self, key: DocumentKey, step: Step) -> object:
        return self._executor.store.load(_document(key, step.edit, step.number))

    async def _ask(self, step: Step, scope: Scope) -> None:
        assert step.request is not None
        told = worded(scope, step.request, step.number, key=step.key)
        caller = evolve(told.caller, permissions=frozenset()) if step.spoil == 6 else told.caller
        sent = told.authorized(self._service.token_of(caller))
        if step.spoil in _SPOILT:
            sent = _SPOILT[step.spoil](sent)
        heard = self._heard[scope.tenant]
        if step.verb == "ask":
            heard.append(lasting(await asked(self._service.app, sent)))
            return
        gate = self._executor.gate = asyncio.Event()
        task = asyncio.ensure_future(asked(self._service.app, sent))
        while not task.done() and self._executor.gate is gate:
            await asyncio.sleep(0)
        self._executor.gate = None
        heard.append(None)
        self._held[scope.tenant].append((len(heard) - 1, gate, task))

    async def _release(self, tenant: str) -> None:
        for place, gate, task in self._held[tenant]:
            gate.set()
            self._heard[tenant][place] = lasting(await task)
        self._held[tenant].clear()


@lru_cache(maxsize=4096)
def _document(key: DocumentKey, edit: str, number: int) -> BillingDocument:
    """A document as it is loaded: each strand is performed many times."""
    return edited(initial(key), edit, number) if edit else initial(key)


def lasting(heard: Heard) -> tuple[int, Any, bytes]:
    """An answer apart from the ids of the call."""
    headers = tuple(sorted(each for each in heard.headers if each[0] not in FRESH))
    return heard.status, headers, _IDS.sub(b"", heard.body)


def _stored(store: Store, tenant: str) -> list[Any]:
    told: list[Any] = []
    for entity in ("e1", "e2"):
        scope = Scope(tenant=tenant, entity=entity, orgs=None)
        told += [store.documents(scope).rows, store.transactions(scope).rows]
        told.append([each.delivery for each in store.pending(scope, 1000)])
    return told


@frozen
class Difference:
    """A pair of strands in which a tenant hears something else than alone."""

    seed: int
    places: tuple[int, int]
    tenant: str
    alone: object
    together: object


async def _differences(world: World, seed: int, strands: int) -> Difference | None:
    rng = Random(seed)  # noqa: S311  # reproducible
    all_of = {tenant: [strand(tenant, rng) for _ in range(strands)] for tenant in TENANTS}
    alone = {
        tenant: [(await world.perform(steps, (tenant,)))[tenant] for steps in all_of[tenant]] for tenant in TENANTS
    }
    for places in product(range(strands), repeat=2):
        both = [step for tenant, place in zip(TENANTS, places, strict=True) for step in all_of[tenant][place]]
        heard = await world.perform(both, TENANTS)
        for tenant, place in zip(TENANTS, places, strict=True):
            if heard[tenant] != alone[tenant][place]:
                pairs = zip(alone[tenant][place], heard[tenant], strict=True)
                first = next(pair for pair in pairs if pair[0] != pair[1])
                return Difference(seed, (places[0], places[1]), tenant, *first)
    return None


def differences(world: World, seeds: Iterable[int], strands: int = STRANDS) -> Difference | None:
    """The first difference in the traces of several seeds, if there is one."""

    async def first() -> Difference | None:
        for seed in seeds:
            found = await _differences(world, seed, strands)
            if found is not None:
                return found
        return None

    return asyncio.run(first())


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; the exit code is 1 where a tenant hears of another one."""
    world = World()

    def of_seed(seed: int) -> Counted:
        found = differences(world, (seed,))
        return Counted("traces", PAIRS, {} if found is None else {seed: str(found)})

    return chosen_seeds("tests.http_laws.two_tenants", __doc__, of_seed, arguments)


if __name__ == "__main__":
    sys.exit(main())
