"""Equal requests from several threads, stores and processes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from multiprocessing.connection import Connection

from regen_core.access import Scope
from regen_core.adapters.sql import SqlStore
from regen_core.documents import BillingDocument, BillingItem, DocumentHeader, DocumentKey, DocumentType, ItemSource
from regen_core.idempotency import Replay
from regen_core.ports import Answer, IdempotentCall
from regen_core.refusals import Refusal
from regen_core.regeneration import Regeneration
from regen_core.request import RegenerateRequest

__all__ = ["ALL", "asked", "at_once", "call", "holds_a_key", "invoice", "performs_keys"]

ALL = Scope(tenant="t1", entity="e1", orgs=None)


def invoice(name: str = "d1", amount: int = 10) -> BillingDocument:
    """An invoice of two subscription items."""
    key = DocumentKey(tenant="t1", entity="e1", type=DocumentType.INVOICE, id=name)
    header = DocumentHeader(key=key, number=f"N-{name}", status="Posted", date=date(2026, 1, 31), currency="EUR")
    source = ItemSource.SUBSCRIPTION
    items = [BillingItem(id=f"{name}-{part}", amount=Decimal(amount + part), source=source) for part in (1, 2)]
    return BillingDocument(header, tuple(items))


def asked(name: str = "d1") -> RegenerateRequest:
    """A request whose every execution leaves its mark: the revision rises and deliveries are added."""
    return RegenerateRequest(type=DocumentType.INVOICE, id=name, re_migrate=True)


def call(key: str, answer: Callable[[Regeneration | Refusal], Answer] | None = None) -> IdempotentCall:
    """A call under a key."""
    return IdempotentCall(client="c1", key=key, answer=answer or (lambda _: Answer(200, b"done")))


def at_once(calls: Sequence[Callable[[], object]]) -> list[object]:
    """Run each call in a thread of its own, all let loose together; what they answered or raised, in their order."""
    barrier = threading.Barrier(len(calls))
    answers: list[object] = [None] * len(calls)

    def run(place: int) -> None:
        barrier.wait()
        try:
            answers[place] = calls[place]()
        except Exception as raised:  # noqa: BLE001  # told to the test
            answers[place] = raised

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def holds_a_key(pipe: Connection, url: str, key: str) -> None:
    """A worker that is killed in the middle of an operation: when its answer is made, nothing is committed yet."""

    def answer(_: Regeneration | Refusal) -> Answer:
        pipe.send("in the middle")
        threading.Event().wait()
        raise AssertionError("it is killed")

    with SqlStore.open(url) as store:
        store.regenerate(ALL, asked(), idempotent=call(key, answer))


def performs_keys(pipe: Connection, url: str, keys: Sequence[str]) -> None:
    """A worker that asks under one key after the other and tells which requests it executed."""
    with SqlStore.open(url) as store:
        pipe.send("ready")
        executed = []
        for key in keys:
            outcome: object = None
            while not isinstance(outcome, (Regeneration, Replay)):
                outcome = store.regenerate(ALL, asked(), idempotent=call(key))
            if isinstance(outcome, Regeneration):
                executed.append(key)
        pipe.send(executed)
