"""The reference store as it grows, and what a stored transaction costs in memory."""

from __future__ import annotations

import gc
import math
import tracemalloc
from collections.abc import Callable
from random import Random

from benchmarks.cases import ITEMS, document, request
from benchmarks.measure import Aim, Report, compare
from regen_core import BillingDocument, Regeneration, TransactionStore, decide
from regen_core.store import Loaded, StoredDocument

SIZES = (10**2, 10**4, 10**6)
SAMPLE = 256
"""Documents that take turns in a measurement, spread over the whole store."""

MEMORY_DOCUMENTS = 20_000


def loaded(store: TransactionStore, of: BillingDocument) -> TransactionStore:
    """The store with a document in it."""
    outcome = store.load(of)
    assert isinstance(outcome, Loaded)
    return outcome.store


def regenerated(store: TransactionStore, of: BillingDocument) -> TransactionStore:
    """The store after GENERATE on one of its documents."""
    after = store.apply(_decided(store, of))
    assert isinstance(after, TransactionStore)
    return after


def _decided(store: TransactionStore, of: BillingDocument) -> Regeneration:
    held = store.get(of.key)
    assert held is not None
    done = decide(held.document, held.transactions, request(of))
    assert isinstance(done, Regeneration)
    return done


def _applying(size: int) -> Callable[[], object]:
    """``apply`` of decisions made beforehand, on ``size`` one-item documents and a sample of ordinary ones."""
    store = TransactionStore()
    gc.disable()  # nothing here is garbage, and looking for it costs more than building
    for number in range(size - SAMPLE if size > SAMPLE else 0):
        store = loaded(store, document(number, items=1))
    gc.enable()
    gc.freeze()
    sample = [document(10**9 + number) for number in range(min(size, SAMPLE))]
    for of in sample:
        store = loaded(store, of)
    decisions = [_decided(store, of) for of in sample]
    Random(0).shuffle(decisions)
    for done in decisions:
        assert done.lines is not None
    turns = iter(range(10**12))
    return lambda: store.apply(decisions[next(turns) % len(decisions)])


def growing() -> Report:
    """``apply`` costs the document's items times the logarithm of the store: 10² to 10⁶ documents."""
    measured = compare({f"{size:>9,} documents": _applying(size) for size in SIZES})
    seconds = list(measured.seconds.values())
    logarithms = math.log(SIZES[-1]) / math.log(SIZES[0])
    return Report(
        f"apply on the reference store, a document of {ITEMS} items with its outbox",
        "documents/s",
        [(name, 1 / each) for name, each in measured.seconds.items()],
        [Aim(f"time at 10⁶ / time at 10² (logarithms: {logarithms:.1f})", seconds[-1] / seconds[0], logarithms)],
    )


def remembering() -> Report:
    """Memory per stored transaction beyond its document, whose header and items it shares."""
    documents = [document(number) for number in range(MEMORY_DOCUMENTS)]
    gc.collect()
    tracemalloc.start()
    store = TransactionStore()
    for of in documents:
        store = loaded(store, of)
    gc.collect()
    with_documents, _ = tracemalloc.get_traced_memory()
    decided = [_decided(store, of).stored_after for of in documents]
    gc.collect()
    with_transactions, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(decided) == MEMORY_DOCUMENTS
    assert isinstance(store.get(documents[0].key), StoredDocument)
    lines = MEMORY_DOCUMENTS * ITEMS
    return Report(
        f"Memory of the reference store, {MEMORY_DOCUMENTS:,} documents of {ITEMS} items",
        "bytes",
        [
            ("the store's own indices, per document", with_documents / MEMORY_DOCUMENTS),
            ("a stored transaction, id included, content shared", (with_transactions - with_documents) / lines),
        ],
    )


def reports() -> list[Report]:
    """All reports of this module."""
    return [growing(), remembering()]
