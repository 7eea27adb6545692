"""Millions of decisions and deliveries, one document at a time: the core's functions beside the naive model's answers.

``decide``, ``apply`` and ``collect`` are performed as they are, without a store around them, and after each step all
that they answered is compared: refusals, lines, deliveries, ids, and what Revenue holds. The model is asked once per
shape of what is stored (:mod:`regen_core.testing.planned`). A seed is the same history everywhere. From the command
line, one line per block of seeds::

    python -m regen_core.testing.decisions --seeds 0:2500 --steps 400
"""

from __future__ import annotations

import gc
import sys
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import chain
from random import Random
from typing import Any, Final

from attrs import frozen

from regen_core.decision_table import DECISION_TABLE, DecisionTable, RegenerateFlag, SendAction
from regen_core.documents import BillingDocument
from regen_core.explain.words import times
from regen_core.refusals import NothingToResend, Refusal, UnmappableItem
from regen_core.regeneration import Regeneration, apply, decide
from regen_core.request import RegenerateRequest
from regen_core.revenue import COLLECTING_RULES, CollectingRules, Delivery, Held, HeldAs, RevenueLedger, collect
from regen_core.testing.model import Plain, collected
from regen_core.testing.planned import Plan, Slot, Written, slots_of
from regen_core.testing.simulation import cut, search
from regen_core.testing.translation import WORDS
from regen_core.transactions import (
    NO_TRANSACTIONS,
    BillingTransaction,
    Occasion,
    StoredTransactions,
    TransactionState,
)

__all__ = ["Core", "Decisions", "Step", "failing", "main", "steps_of"]

Step = tuple[int, int, int, int]
"""Which verb, and three numbers of which it uses what it needs; all below 2**16."""

Decide = Callable[
    [BillingDocument, StoredTransactions, RegenerateRequest, Occasion, DecisionTable], Regeneration | Refusal
]

_Sending = tuple[BillingTransaction, int, RegenerateFlag, SendAction]
"""A delivery as it must be."""

_Fields = tuple[Any, ...]
"""A transaction as it must be: its fields in their order."""

_REQUESTS: Final = 30_000
_DELIVERIES: Final = 63_500
"""A verb below the first is a request, one below the second a delivery, any other a disturbance."""

_FIRST: Final = datetime(2026, 1, 31, tzinfo=UTC)
_OCCASIONS: Final = tuple([Occasion(_FIRST + timedelta(seconds=number), "someone") for number in range(1024)])
_ACTIVE: Final = TransactionState.ACTIVE
_VOIDED: Final = TransactionState.VOIDED
_KINDS: Final = {kind.value: kind for kind in HeldAs}

_PER_UNIVERSE: Final = 1000
"""Seeds that share their documents, and with them what the model has answered."""

_REMEMBERED: Final = 256
"""Deliveries, counted from the latest, that may come once more."""

_WHOLE: Final = 1024
"""Steps that are drawn at once; after so many, and at the end, all that Revenue holds is compared."""


@frozen
class Core:
    """What is simulated: the core's function and tables, or broken ones."""

    table: DecisionTable = DECISION_TABLE
    rules: CollectingRules = COLLECTING_RULES
    decide: Decide = decide


_THE_CORE: Final = Core()


def steps_of(seed: int, count: int) -> Iterator[Step]:
    """The steps of a seed."""
    rng = Random(seed)  # noqa: S311  # a history to try, no secret
    return chain.from_iterable([_drawn(rng, min(_WHOLE, count - start)) for start in range(0, count, _WHOLE)])


def _drawn(rng: Random, count: int) -> Iterator[Step]:
    numbers = iter(array("H", rng.randbytes(8 * count)))
    return zip(numbers, numbers, numbers, numbers, strict=True)


@lru_cache(maxsize=1)
def _universe(number: int) -> tuple[Slot, ...]:
    return slots_of(number)


class _Document:
    """A document with what is stored of it, which is as the model says, or the history has ended."""

    def __init__(self, slot: Slot) -> None:
        self.variants = slot.variants
        self.now = slot.variants[0]
        self.stored = NO_TRANSACTIONS
        self.shape = 0
        self.ids: dict[str, str] = {}


class Decisions:
    """One history, in the documents of a seed; raises ``AssertionError`` where core and model differ."""

    def __init__(self, seed: int, core: Core = _THE_CORE) -> None:
        self.steps = 0
        self._core = core
        self._documents = [_Document(slot) for slot in _universe(seed // _PER_UNIVERSE)]
        self._ids: set[str] = set()
        self._ledger, self._revenue = RevenueLedger(), dict[str, Plain]()
        self._backup = (self._ledger, dict[str, Plain]())
        self._sent: list[tuple[Delivery, Plain]] = []
        self._delivery_ids: set[str] = set()

    def perform(self, steps: Iterable[Step]) -> None:
        """Perform requests, deliveries and disturbances of Revenue."""
        documents, sent, slots = self._documents, self._sent, len(self._documents)
        for number, (verb, a, b, c) in enumerate(steps, self.steps + 1):
            self.steps = number
            if verb < _REQUESTS:
                self._request(documents[a % slots], b, c)
            elif not sent:
                continue
            elif verb < _DELIVERIES:
                self._deliver(*sent[-1 - min(a, b) % 64 % len(sent)])
            else:
                self._disturb(verb % 16, *sent[-1 - min(a, b) % 64 % len(sent)])
            if not number % _WHOLE:
                self._compare_revenue()
        self._compare_revenue()

    # Requests

    def _request(self, document: _Document, b: int, c: int) -> None:
        if not b & 0x300:  # one of four finds another version
            document.now = document.variants[b % len(document.variants)]
        now, shape = document.now, document.shape
        request, plans = now.requests[c % len(now.requests)]
        occasion = _OCCASIONS[self.steps % len(_OCCASIONS)]
        done = self._core.decide(now.document, document.stored, request, occasion, self._core.table)
        plan = plans.get(shape)
        if plan is None:
            plan = plans[shape] = now.ask(request, shape)
        if plan.refused is not None:
            _compare_refusal(done, plan)
        else:
            assert isinstance(done, Regeneration), f"the answer was {done}, the model accepts"
            self._accepted(document, done, plan, occasion)

    def _accepted(self, document: _Document, done: Regeneration, plan: Plan, now: Occasion) -> None:
        after, before = apply(document.stored, done), document.stored.lines
        assert isinstance(after, StoredTransactions), f"{after}, though nothing has moved"
        assert len(after.lines) == len(plan.lines), f"stored are {after}, by the model {plan.lines}"
        given = [line.transaction for line in after.lines]
        expected = [before[at].transaction if at >= 0 else None for at, _ in plan.lines]
        for written in plan.written:
            place = written.place
            transaction = given[place]
            fields = self._written(document, written, expected[place], transaction.id, now)
            assert _fields(transaction) == fields, f"stored is {transaction}, by the model {fields}"
            expected[place] = transaction
        assert given == expected, f"stored are {given}, by the model still {expected}"
        counts = [line.deliveries for line in after.lines]
        numbers = [before[at].deliveries + sendings if at >= 0 else sendings for at, sendings in plan.lines]
        assert counts == numbers, f"sent are {counts} deliveries, by the model {numbers}"
        listed = tuple([given[place].id for place in plan.listed])
        assert listed == done.id_list, f"listed are {done.id_list}, by the model {listed}"
        self._send(done.deliveries, [(given[place], numbers[place], flag, action) for place, flag, action in plan.said])
        document.stored, document.shape = after, plan.shape

    def _written(
        self, document: _Document, written: Written, old: BillingTransaction | None, id_: str, now: Occasion
    ) -> _Fields:
        """The transaction as it must be; the id of a generated one is the core's, if the item had none."""
        _, item_id, content = written
        if old is None:
            assert content is not None, "what is generated has content"
            known = document.ids.get(item_id) or self._new_id(document, item_id, id_)
            return (known, *content, 1, _ACTIVE, now, now)
        if content is not None:
            return (old.id, *content, old.revision + 1, _ACTIVE, old.created, now)
        return (old.id, *old.content, old.revision + 1, _VOIDED, old.created, now)

    def _new_id(self, document: _Document, item_id: str, id_: str) -> str:
        assert id_ not in self._ids, f"{id_} stands for two (TBL-I)"
        assert len(id_) == 32, f"{id_!r} doesn't have 32 characters (TBL-I)"
        assert not id_.strip("0123456789abcdef"), f"{id_!r} is not hexadecimal (TBL-I)"
        self._ids.add(id_)
        document.ids[item_id] = id_
        return id_

    def _send(self, deliveries: tuple[Delivery, ...], said: list[_Sending]) -> None:
        given = [(each.transaction, each.number, each.flag, each.action) for each in deliveries]
        assert given == said, f"sent are {given}, by the model {said}"
        ids, known, sent = [each.id for each in deliveries], len(self._delivery_ids), self._sent
        self._delivery_ids.update(ids)
        assert len(self._delivery_ids) == known + len(ids), f"two deliveries have one id, among {ids} (REV-0)"
        sent.extend([(each, _plain(each)) for each in deliveries])
        if len(sent) > 2 * _REMEMBERED:
            del sent[:-_REMEMBERED]

    # Revenue

    def _deliver(self, delivery: Delivery, plain: Plain) -> None:
        """Revenue collects a delivery: in time, late or once more."""
        id_ = delivery.transaction.id
        self._ledger = ledger = collect(self._ledger, delivery, self._core.rules)
        expected = collected(self._revenue.get(id_), plain)
        assert expected is not None, "the model's Revenue forgets nothing (REV-3)"
        self._revenue[id_] = expected
        _compare_held(ledger.held.get(id_), expected)

    def _disturb(self, how: int, delivery: Delivery, plain: Plain) -> None:
        """Revenue makes a backup, restores the last one, loses a line, or holds something that was sent once."""
        id_, held = delivery.transaction.id, self._ledger.held
        if how == 0:
            self._backup = (self._ledger, dict(self._revenue))
        elif how == 1:
            self._ledger, self._revenue = self._backup[0], dict(self._backup[1])
        elif how < 8:
            self._ledger = RevenueLedger(held.without(id_))
            self._revenue.pop(id_, None)
        else:
            kind = "line" if how % 2 else "tombstone"
            self._ledger = RevenueLedger(held.put(id_, Held(delivery.transaction, _KINDS[kind])))
            self._revenue[id_] = {"kind": kind, "transaction": plain["transaction"]}

    def _compare_revenue(self) -> None:
        held = dict(self._ledger.held.items())
        assert held.keys() == self._revenue.keys(), "Revenue holds what the model's doesn't, or the reverse"
        for id_, each in held.items():
            _compare_held(each, self._revenue[id_])


def _plain(delivery: Delivery) -> Plain:
    transaction = delivery.transaction
    return {
        "flag": WORDS[delivery.flag],
        "action": WORDS[delivery.action],
        "transaction": {"revision": transaction.revision, "given": transaction},
    }


def _fields(given: BillingTransaction) -> tuple[Any, ...]:
    return (
        given.id,
        given.header,
        given.item,
        given.revenue_type,
        given.standalone,
        given.revision,
        given.state,
        given.created,
        given.updated,
    )


def _compare_refusal(done: Regeneration | Refusal, plan: Plan) -> None:
    assert type(done).__name__ == plan.refused, f"the answer was {done}, the model's {plan.refused}"
    if isinstance(done, UnmappableItem):
        assert [each.item_id for each in done.items] == plan.details, f"{done}, not {plan.details}"
    elif isinstance(done, NothingToResend):
        assert (done.items, done.stored) == plan.details, f"{done}, not {plan.details}"


def _compare_held(held: Held | None, expected: Plain) -> None:
    kind, given = _KINDS[expected["kind"]], expected["transaction"]["given"]
    agree = held is not None and held.kind is kind and (held.transaction is given or held.transaction == given)
    assert agree, f"Revenue holds {held}, by the model {expected}"


def failing(
    seed: int, steps: tuple[Step, ...], core: Core = _THE_CORE
) -> tuple[tuple[Step, ...], AssertionError] | None:
    """The steps up to the one that fails, with what is wrong; ``None`` where core and model agree."""
    history = Decisions(seed, core)
    try:
        history.perform(steps)
    except AssertionError as error:
        return steps[: history.steps], error
    return None


def main(arguments: Sequence[str] | None = None, core: Core = _THE_CORE) -> int:
    """The command line; the exit code is 1 where a seed fails, after its shortest history was printed."""

    def run(seed: int, count: int) -> int:
        history = Decisions(seed, core)
        history.perform(steps_of(seed, count))
        return history.steps

    def told(seed: int, count: int) -> str:
        found = failing(seed, tuple(steps_of(seed, count)), core)
        assert found is not None, "a seed's history is always the same"
        steps = cut(found[0], lambda fewer: None if (less := failing(seed, fewer, core)) is None else less[0])
        shortest = failing(seed, steps, core)
        lines = "\n".join([f"  {_named(verb)} {numbers}" for verb, *numbers in steps])
        return f"seed {seed} fails after {times(len(steps), 'step')}\n{lines}\n{shortest and shortest[1]}\n"

    gc.disable()  # nothing here is circular, and what is remembered needn't be looked through
    try:
        return search("regen_core.testing.decisions", __doc__, run, told, arguments, steps=400)
    finally:
        gc.enable()


def _named(verb: int) -> str:
    return "request" if verb < _REQUESTS else "deliver" if verb < _DELIVERIES else f"disturb {verb % 16}"


if __name__ == "__main__":
    sys.exit(main())
