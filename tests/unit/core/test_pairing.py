"""The meeting of two sides against a dictionary of each, and what is said of a side that isn't in order (RCN-1)."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from itertools import product

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from regen_core.documents import BillingItem, DocumentHeader, DocumentKey, DocumentType
from regen_core.pairing import Pair, paired
from regen_core.revenue import Held, HeldAs
from regen_core.transactions import BillingTransaction, StoredTransaction
from tests.unit.core.stored_lines import transaction_of

Place = tuple[str, str, str, str, str, str]
Part = tuple[list[StoredTransaction], list[Held]]

PLACES = st.sampled_from(tuple(product("ab", "ab", ("CreditMemo", "Invoice"), "ab", "ab", "ab")))
SIDES = st.sets(PLACES, max_size=8).map(sorted)

A, B, C = (("a", "a", "Invoice", "a", item, "a") for item in "abc")


def transaction(place: Place) -> BillingTransaction:
    tenant, entity, kind, document, item, id_ = place
    key = DocumentKey(tenant=tenant, entity=entity, type=DocumentType(kind), id=document)
    header = DocumentHeader(key=key, number="N-1", status="Posted", date=date(2026, 1, 31), currency="EUR")
    return transaction_of(header, BillingItem(id=item, amount=Decimal(1)), id=id_, standalone=True)


def stored(*places: Place) -> list[StoredTransaction]:
    return [StoredTransaction(transaction(place)) for place in places]


def held(*places: Place) -> list[Held]:
    return [Held(evolve(transaction(place), revision=2), HeldAs.LINE) for place in places]


def cut(ours: list[Place], theirs: list[Place], ends: list[Place]) -> list[Part]:
    """The two sides in parts, each up to one of the ends and the last with what is left."""
    parts, rest = [], (ours, theirs)
    for end in sorted(ends):
        parts.append((stored(*[each for each in rest[0] if each <= end]), held(*[e for e in rest[1] if e <= end])))
        rest = ([each for each in rest[0] if each > end], [each for each in rest[1] if each > end])
    return [*parts, (stored(*rest[0]), held(*rest[1]))]


def test_nothing_meets_nothing() -> None:
    assert list(paired([])) == list(paired([([], [])])) == []


@given(SIDES, SIDES, st.lists(PLACES, max_size=3))
def test_each_line_comes_once_in_order_with_what_each_side_has(
    ours: list[Place], theirs: list[Place], ends: list[Place]
) -> None:
    """Wherever the sides are cut into parts, some of them empty."""
    here, there = dict(zip(ours, stored(*ours), strict=True)), dict(zip(theirs, held(*theirs), strict=True))
    expected: list[Pair] = [(here.get(place), there.get(place)) for place in sorted({*here, *there})]
    assert list(paired(cut(ours, theirs, ends))) == expected


@pytest.mark.parametrize("second", [A, B], ids=["before", "the same again"])
@pytest.mark.parametrize("side", ["ours", "theirs"])
def test_a_side_that_is_not_in_order_is_refused(second: Place, side: str) -> None:
    """It is told which side, at which line, and how it is to be sorted."""
    rows: Part = (stored(B, second), []) if side == "ours" else ([], held(B, second))
    whose = "the stored transactions are" if side == "ours" else "what Revenue holds is"
    message = (
        f"{whose} not in strictly ascending order: {second} comes after {B}; sort them by tenant, entity, "
        "document type, document id, item id and transaction id, each once"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        list(paired([rows]))


@pytest.mark.parametrize("second", [A, B], ids=["before", "the same again"])
def test_a_part_begins_behind_the_one_before(second: Place) -> None:
    message = f"a part has {second}, which doesn't come behind {B}, where the last part ended"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        list(paired([(stored(A, B), held(A)), ([], []), ([], held(second, C))]))


def test_no_more_is_read_than_the_next_line_of_each_side() -> None:
    """A side may be longer than any memory."""
    read = iter(stored(A, B, C))
    pairs = paired([(read, [])])
    assert next(pairs) == (stored(A)[0], None)
    assert len(list(read)) == 2
