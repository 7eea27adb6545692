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
from random import Random
from typing import Any, Final

from attrs import frozen

from regen_core.decision_table import DECISION_TABLE, DecisionTable, RegenerateFlag, SendAction
from regen_core.documents import BillingDocument
from regen_core.refusals import NothingToResend, Refusal, UnmappableItem
from regen_core.regeneration import Regeneration, apply, decide
from regen_core.request import RegenerateRequest
from regen_core.revenue import COLLECTING_RULES, CollectingRules, Delivery, Held, HeldAs, RevenueLedger, collect
from regen_core.testing.model import Plain, collected
from regen_core.testing.planned import GENERATED, KEPT, OVERRIDDEN, Plan, PlannedLine, Slot, slots_of
from regen_core.testing.simulation import cut, search
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

_Line = tuple[tuple[Any, ...], int]
"""A stored line as it must be: the fields of its transaction in their order, and its deliveries."""

_Sending = tuple[BillingTransaction, int, RegenerateFlag, SendAction]
"""A delivery as it must be."""

_REQUESTS: Final = 30_000
_DELIVERIES: Final = 63_500
"""A verb below the first is a request, one below the second a delivery, any other a disturbance."""

_FIRST: Final = datetime(2026, 1, 31, tzinfo=UTC)
_OCCASIONS: Final = tuple([Occasion(_FIRST + timedelta(seconds=number), "someone") for number in range(1024)])
_ACTIVE: Final = TransactionState.ACTIVE
_VOIDED: Final = TransactionState.VOIDED
_Y: Final = RegenerateFlag.Y
_VOID: Final = SendAction.VOID
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
    for start in range(0, count, _WHOLE):
        numbers = iter(array("H", rng.randbytes(8 * min(_WHOLE, count - start))))
        yield from zip(numbers, numbers, numbers, numbers, strict=True)


@lru_cache(maxsize=1)
def _universe(number: int) -> tuple[Slot, ...]:
    return slots_of(number)


class _Document:
    """A document with what is stored of it: by the core, and as the model says."""

    def __init__(self, slot: Slot) -> None:
        self.variants = slot.variants
        self.now = slot.variants[0]
        self.stored = NO_TRANSACTIONS
        self.lines: list[_Line] = []
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
        documents, sent = self._documents, self._sent
        for verb, a, b, c in steps:
            self.steps += 1
            if verb < _REQUESTS:
                self._request(documents[a % len(documents)], b, c)
            elif not sent:
                continue
            elif verb < _DELIVERIES:
                self._deliver(*sent[-1 - min(a, b) % 64 % len(sent)])
            else:
                self._disturb(verb % 16, *sent[-1 - min(a, b) % 64 % len(sent)])
            if self.steps % _WHOLE == 0:
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

    def _accepted(self, document: _Document, done: Regeneration, plan: Plan, occasion: Occasion) -> None:
        after = apply(document.stored, done)
        assert isinstance(after, StoredTransactions), f"{after}, though nothing has moved"
        assert len(after.lines) == len(plan.lines), f"stored are {after}, by the model {plan.lines}"
        before, stored = document.lines, document.stored.lines
        lines, said, listed = list[_Line](), list[_Sending](), list[str]()
        for given, planned in zip(after.lines, plan.lines, strict=True):
            write, at, _, _, told, is_listed = planned
            transaction = given.transaction
            if write == KEPT:
                fields, deliveries = before[at]
                same = transaction is stored[at].transaction or _fields(transaction) == fields
            else:
                fields, deliveries = self._written(document, planned, transaction, occasion)
                same = _fields(transaction) == fields
            if told is not None:
                deliveries += 1
                said.append((transaction, deliveries, told.flag, told.action))
            assert same, f"stored is {given}, by the model {fields}"
            assert given.deliveries == deliveries, f"{given} was sent {deliveries} times by the model"
            if is_listed:
                listed.append(fields[0])
            lines.append((fields, deliveries))
        assert tuple(listed) == done.id_list, f"listed are {done.id_list}, by the model {listed}"
        self._send(done.deliveries, said)
        document.stored, document.lines, document.shape = after, lines, plan.shape

    def _written(self, document: _Document, planned: PlannedLine, given: BillingTransaction, now: Occasion) -> _Line:
        """The line as it must be after the write; the id of a generated one is the core's, if the item had none."""
        if planned.write == GENERATED:
            assert planned.content is not None, "what is generated has content"
            id_ = document.ids.get(planned.item_id) or self._new_id(document, planned.item_id, given.id)
            return (id_, *planned.content, 1, _ACTIVE, now, now), 0
        (id_, header, item, kind, standalone, revision, _, created, _), deliveries = document.lines[planned.at]
        if planned.write == OVERRIDDEN:
            assert planned.content is not None, "what is overridden has content"
            return (id_, *planned.content, revision + 1, _ACTIVE, created, now), deliveries
        return (id_, header, item, kind, standalone, revision + 1, _VOIDED, created, now), deliveries

    def _new_id(self, document: _Document, item_id: str, id_: str) -> str:
        assert id_ not in self._ids, f"{id_} stands for two (TBL-I)"
        assert len(id_) == 32, f"{id_!r} doesn't have 32 characters (TBL-I)"
        assert set(id_) <= set("0123456789abcdef"), f"{id_!r} is not hexadecimal (TBL-I)"
        self._ids.add(id_)
        document.ids[item_id] = id_
        return id_

    def _send(self, deliveries: tuple[Delivery, ...], said: list[_Sending]) -> None:
        given = [(each.transaction, each.number, each.flag, each.action) for each in deliveries]
        assert given == said, f"sent are {given}, by the model {said}"
        sent, ids = self._sent, self._delivery_ids
        for delivery, (transaction, _, flag, action) in zip(deliveries, said, strict=True):
            id_ = delivery.id
            assert id_ not in ids, f"two deliveries have the id {id_} (REV-0)"
            ids.add(id_)
            plain = {"revision": transaction.revision, "given": transaction}
            words = {"flag": "Y" if flag is _Y else "N", "action": "void" if action is _VOID else "line"}
            sent.append((delivery, {**words, "transaction": plain}))
        if len(sent) > 2 * _REMEMBERED:
            del sent[:-_REMEMBERED]

    # Revenue

    def _deliver(self, delivery: Delivery, plain: Plain) -> None:
        """Revenue collects a delivery: in time, late or once more."""
        id_ = delivery.transaction.id
        self._ledger = collect(self._ledger, delivery, self._core.rules)
        expected = collected(self._revenue.get(id_), plain)
        assert expected is not None, "the model's Revenue forgets nothing (REV-3)"
        self._revenue[id_] = expected
        _compare_held(self._ledger.held.get(id_), expected)

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
        return f"seed {seed} fails after {len(steps)} steps\n{lines}\n{shortest and shortest[1]}\n"

    gc.disable()  # nothing here is circular, and what is remembered needn't be looked through
    try:
        return search("regen_core.testing.decisions", __doc__, run, told, arguments, steps=400)
    finally:
        gc.enable()


def _named(verb: int) -> str:
    return "request" if verb < _REQUESTS else "deliver" if verb < _DELIVERIES else f"disturb {verb % 16}"


if __name__ == "__main__":
    sys.exit(main())
