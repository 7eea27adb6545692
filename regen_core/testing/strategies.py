"""Hypothesis strategies for the core's values: valid by construction, from small universes of ids so that they collide.

Options are keyword-only, and one that is left out is drawn. Simple draws mean simple values: an invoice with one posted
subscription item, never sent. What is *not* generated: odd names other than by :func:`names`, amounts beyond sixteen
digits, currencies beyond three, carried fields, assumptions of a reader, documents with more than four items, revisions
above four, more than three deliveries of one transaction.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from itertools import permutations
from typing import Any

from attrs import evolve
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from regen_core.access import REGENERATION_PERMISSION, Caller, Scope
from regen_core.decision_table import RegenerateFlag, SendAction
from regen_core.documents import BillingDocument, BillingItem, DocumentHeader, DocumentType
from regen_core.request import RegenerateRequest
from regen_core.revenue import Delivery, Held, HeldAs, RevenueLedger
from regen_core.testing.document_strategies import (
    ITEM_IDS,
    amounts,
    any_of,
    document_keys,
    documents,
    headers,
    histories,
    items,
    names,
)
from regen_core.transactions import (
    BillingTransaction,
    Occasion,
    RevenueType,
    StoredTransaction,
    StoredTransactions,
    TransactionState,
    transaction_id,
)
from regen_core.type_mapping import map_item

__all__ = [
    "amounts",
    "callers",
    "deliveries",
    "document_keys",
    "documents",
    "flags",
    "headers",
    "histories",
    "items",
    "ledgers",
    "names",
    "occasions",
    "requests",
    "scopes",
    "stored_transactions",
]


def flags(*, conflicting: bool = False) -> SearchStrategy[tuple[bool, bool]]:
    """onlyReSend and reMigrate; both true only when asked for."""
    allowed = [(False, False), (False, True), (True, False), (True, True)]
    return st.sampled_from(allowed if conflicting else allowed[:3])


def occasions() -> SearchStrategy[Occasion | None]:
    """When and by whom, or not told."""
    return _OCCASIONS


_OCCASIONS = st.sampled_from([None, *[Occasion(datetime(2026, 1, day, tzinfo=UTC), "someone") for day in (1, 2, 3)]])


@st.composite
def requests(
    draw: DrawFn,
    *,
    document: BillingDocument | None = None,
    only_re_send: bool | None = None,
    re_migrate: bool | None = None,
    conflicting: bool = False,
) -> RegenerateRequest:
    """Requests that name the document by id, by number or by both; without a document, any well-formed name.

    A flag that is left out is drawn; both true only with ``conflicting``.
    """
    drawn = draw(flags(conflicting=conflicting))
    if document is None:
        kind, given = draw(st.sampled_from(DocumentType)), (draw(names()), draw(names()))
    else:
        kind, given = document.type, (document.id, document.header.number)
    by_id, by_number = draw(st.sampled_from([(given[0], None), (None, given[1]), given]))
    return RegenerateRequest(
        type=kind,
        id=by_id,
        number=by_number,
        only_re_send=drawn[0] if only_re_send is None else only_re_send,
        re_migrate=drawn[1] if re_migrate is None else re_migrate,
    )


@st.composite
def stored_transactions(
    draw: DrawFn, *, document: BillingDocument, complete: bool = False, deliveries: int | None = None
) -> StoredTransactions:
    """What could be stored for a document: of its items some, of items that are gone some, voided, excluded, ever sent.

    ``complete`` stores every item and nothing else, in document order; ``deliveries`` fixes how often each was sent.
    """
    by_id = {item.id: item for item in document.revenue_items}
    is_adjustment = document.type is DocumentType.INVOICE_ITEM_ADJUSTMENT
    gone = () if is_adjustment or complete else tuple(each for each in ITEM_IDS if each not in by_id)
    known = tuple(by_id) if complete else draw(_subsets((*by_id, *gone)))
    lines = []
    for item_id in known:
        item = by_id.get(item_id) or draw(items(type=document.type, id=item_id, tax=False))
        how, when, sent = draw(_HOW_STORED), draw(occasions()), draw(st.integers(0, 3))
        transaction = _transaction(document.header, evolve(item, **how["item"]), when, **how["transaction"])
        lines.append(StoredTransaction(transaction, sent if deliveries is None else deliveries))
    return StoredTransactions(tuple(lines))


@lru_cache
def _subsets(ids: tuple[str, ...]) -> SearchStrategy[tuple[str, ...]]:
    return any_of([order for count in range(min(len(ids), 3) + 1) for order in permutations(ids, count)])


_STORED: tuple[dict[str, dict[str, Any]], ...] = tuple(
    {"item": changed, "transaction": {"revision": revision, "state": state}}
    for changed in ({}, {"amount": Decimal("7.77")}, {"excluded_from_revenue": True}, {"excluded_from_revenue": False})
    for state, revisions in ((TransactionState.ACTIVE, (1, 2, 4)), (TransactionState.VOIDED, (2, 3)))
    for revision in revisions
)
"""How what is stored can differ from what the item generates now."""
_HOW_STORED = any_of(_STORED)


def _transaction(
    header: DocumentHeader, item: BillingItem, when: Occasion | None, revision: int, state: TransactionState
) -> BillingTransaction:
    row = map_item(header, item)
    return BillingTransaction(
        id=transaction_id(header.key, item.id),
        header=header,
        item=item,
        revenue_type=RevenueType.INV if row is None else row.revenue_type,
        standalone=row is None or row.standalone,
        revision=revision,
        state=state,
        created=when,
        updated=when,
    )


@st.composite
def deliveries(draw: DrawFn, *, transaction: BillingTransaction, number: int | None = None) -> Delivery:
    """A delivery of one transaction with either flag, a line or a void."""
    return Delivery(
        transaction,
        number or draw(st.integers(1, 3)),
        draw(st.sampled_from(RegenerateFlag)),
        draw(st.sampled_from([SendAction.LINE, SendAction.VOID])),
    )


@st.composite
def ledgers(draw: DrawFn, *, stored: StoredTransactions) -> RevenueLedger:
    """Any Revenue that CNV-3 allows: for what was ever sent, nothing or anything at a revision that isn't newer."""
    ledger = RevenueLedger()
    for line in stored.lines:
        if line.deliveries and draw(st.booleans()):
            now = line.transaction
            altered = evolve(
                now,
                revision=draw(st.integers(1, now.revision)),
                item=evolve(now.item, amount=draw(st.just(now.item.amount) | amounts())),
            )
            held = Held(altered, draw(st.sampled_from(HeldAs)))
            ledger = RevenueLedger(ledger.held.put(now.id, held))
    return ledger


@st.composite
def callers(draw: DrawFn, *, permitted: bool = True) -> Caller:
    """Clients of either tenant with some entities and organisations."""
    return Caller(
        tenant=draw(st.sampled_from(["t1", "t2"])),
        client=draw(st.sampled_from(["c1", "c2"])),
        entities=draw(st.frozensets(st.sampled_from(["e1", "e2"]))),
        orgs=draw(st.frozensets(st.sampled_from(["north", "south", "east"]))),
        permissions=frozenset({REGENERATION_PERMISSION} if permitted else set()),
    )


@st.composite
def scopes(draw: DrawFn, *, seeing: BillingDocument | None = None) -> Scope:
    """Scopes over the small universe; with ``seeing`` only those that show this document."""
    orgs = draw(st.none() | st.frozensets(st.sampled_from(["north", "south"])))
    if seeing is None:
        return Scope(tenant=draw(st.sampled_from(["t1", "t2"])), entity=draw(st.sampled_from(["e1", "e2"])), orgs=orgs)
    org = seeing.header.org
    if orgs is not None and org is not None:
        orgs |= {org}
    return Scope(tenant=seeing.key.tenant, entity=seeing.key.entity, orgs=orgs)
