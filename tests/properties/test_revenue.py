"""REV-0 … REV-4: deliveries and what Revenue makes of them."""

from __future__ import annotations

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from regen_core.decision_table import RegenerateFlag, SendAction
from regen_core.regeneration import Regeneration, decide
from regen_core.request import RegenerateRequest
from regen_core.revenue import (
    COLLECTING_RULES,
    CollectAction,
    Comparison,
    Delivery,
    Held,
    HeldAs,
    RevenueLedger,
    collect,
    collect_all,
    comparison,
)
from regen_core.rules import RULES
from regen_core.testing import strategies as some
from regen_core.testing.harness import Harness
from regen_core.testing.model import collected
from regen_core.testing.simulation import perform, random_steps
from regen_core.transactions import BillingTransaction, StoredTransactions

BY_HAND = """
   NOTHING_HELD   HELD_OLDER     HELD_SAME      HELD_NEWER
N  REV-1:collect  REV-1:ignore   REV-1:ignore   REV-1:ignore
Y  REV-2:collect  REV-2:collect  REV-2:collect  REV-2:ignore
"""


@st.composite
def transactions(draw: st.DrawFn) -> BillingTransaction:
    document = draw(some.documents(min_items=1, tax=False))
    stored = draw(some.stored_transactions(document=document, complete=True))
    return stored.lines[0].transaction


@st.composite
def meetings(draw: st.DrawFn) -> tuple[RevenueLedger, Delivery]:
    """A delivery and a Revenue that holds nothing, something older, the same or newer."""
    transaction = draw(transactions())
    kind, flag = draw(st.sampled_from([SendAction.LINE, SendAction.VOID])), draw(st.sampled_from(RegenerateFlag))
    delivery = Delivery(transaction, 1, flag, kind)
    if draw(st.booleans()):
        return RevenueLedger(), delivery
    held = Held(evolve(transaction, revision=draw(st.integers(1, 5))), draw(st.sampled_from(HeldAs)))
    return RevenueLedger(RevenueLedger().held.put(transaction.id, held)), delivery


class TestDeliveryIds:
    """REV-0: a function of the transaction and of how many were sent before."""

    @given(transactions(), transactions(), st.integers(1, 99), st.integers(1, 99))
    def test_two_deliveries_have_one_id_only_if_they_are_one(
        self, one: BillingTransaction, other: BillingTransaction, first: int, second: int
    ) -> None:
        ids = [Delivery(*each, RegenerateFlag.Y, SendAction.LINE).id for each in ((one, first), (other, second))]
        assert (ids[0] == ids[1]) is ((one.id, first) == (other.id, second))

    @given(data=st.data())
    def test_each_resend_has_a_new_id(self, data: st.DataObject) -> None:
        document = data.draw(some.documents(min_items=1, tax=False))
        stored = data.draw(some.stored_transactions(document=document, complete=True, deliveries=1))
        request = RegenerateRequest(type=document.type, id=document.id, only_re_send=True)
        seen: set[str] = set()
        for count in range(2, 5):
            done = decide(document, stored, request)
            assert isinstance(done, Regeneration)
            ids = {delivery.id for delivery in done.deliveries}
            assert ids
            assert not ids & seen
            assert {delivery.number for delivery in done.deliveries} == {count}
            seen |= ids
            stored = done.stored_after

    @given(data=st.data())
    def test_the_counter_counts_what_was_committed(self, data: st.DataObject) -> None:
        document = data.draw(some.documents())
        stored = data.draw(some.stored_transactions(document=document))
        done = decide(document, stored, data.draw(some.requests(document=document)))
        if isinstance(done, Regeneration):
            for line in done.lines:
                if line.after is not None:
                    before = 0 if line.before is None else line.before.deliveries
                    assert line.after.deliveries == before + (line.delivery is not None)
                    assert line.delivery is None or line.delivery.number == before + 1


class TestCollecting:
    """REV-1, REV-2, REV-3."""

    def test_the_rules_are_the_law(self) -> None:
        head, *rows = [line.split() for line in BY_HAND.strip().splitlines()]
        expected = {(row[0], column): cell for row in rows for column, cell in zip(head, row[1:], strict=True)}
        told = {
            (flag.value, column.name): f"{rule.id}:{rule.action.value}"
            for (flag, column), rule in COLLECTING_RULES.cells.items()
        }
        assert told == expected
        assert {rule.id for rule in COLLECTING_RULES.cells.values()} <= set(RULES)
        assert COLLECTING_RULES.leaves == {SendAction.LINE: HeldAs.LINE, SendAction.VOID: HeldAs.TOMBSTONE}

    def test_the_rules_are_total(self) -> None:
        assert set(COLLECTING_RULES.cells) == {(flag, column) for flag in RegenerateFlag for column in Comparison}
        assert set(COLLECTING_RULES.leaves) == {SendAction.LINE, SendAction.VOID}

    @given(meetings())
    def test_the_naive_model_holds_the_same(self, meeting: tuple[RevenueLedger, Delivery]) -> None:
        ledger, delivery = meeting
        held = ledger.held.get(delivery.transaction.id)
        plain = None if held is None else {"kind": held.kind.value, "transaction": {"revision": held.revision}}
        expected = collected(
            plain,
            {
                "flag": delivery.flag.value,
                "action": delivery.action.value,
                "transaction": {"revision": delivery.revision},
            },
        )
        after = collect(ledger, delivery).held.get(delivery.transaction.id)
        assert after is not None
        assert expected == {"kind": after.kind.value, "transaction": {"revision": after.revision}}

    @given(meetings())
    def test_n_never_changes_what_is_held(self, meeting: tuple[RevenueLedger, Delivery]) -> None:
        """REV-1."""
        ledger, delivery = meeting
        after = collect(ledger, evolve(delivery, flag=RegenerateFlag.N))
        if ledger.held.get(delivery.transaction.id) is not None:
            assert after is ledger
        else:
            assert delivery.transaction.id in after.held

    @given(meetings())
    def test_y_is_collected_unless_it_is_stale(self, meeting: tuple[RevenueLedger, Delivery]) -> None:
        """REV-2."""
        ledger, delivery = meeting
        delivery = evolve(delivery, flag=RegenerateFlag.Y)
        held = ledger.held.get(delivery.transaction.id)
        after = collect(ledger, delivery).held.get(delivery.transaction.id)
        assert after is not None
        is_stale = held is not None and held.revision > delivery.revision
        assert (after == held) if is_stale else (after.transaction == delivery.transaction)

    @given(meetings())
    def test_a_void_leaves_a_tombstone_with_its_revision(self, meeting: tuple[RevenueLedger, Delivery]) -> None:
        """REV-3."""
        ledger, delivery = meeting
        void = evolve(delivery, flag=RegenerateFlag.Y, action=SendAction.VOID)
        after = collect(ledger, void)
        held = ledger.held.get(void.transaction.id)
        assert COLLECTING_RULES.cells[void.flag, comparison(held, void)].action in set(CollectAction)
        if held is None or held.revision <= void.revision:
            assert after.held.get(void.transaction.id) == Held(void.transaction, HeldAs.TOMBSTONE)
            assert void.transaction.id not in after.live_lines()

    @given(meetings())
    def test_live_lines_are_all_but_the_tombstones(self, meeting: tuple[RevenueLedger, Delivery]) -> None:
        after = collect(*meeting)
        for key, held in after.held.items():
            assert (key in after.live_lines()) is (held.kind is HeldAs.LINE)
            assert held.revision == held.transaction.revision


class TestAnyOrder:
    """REV-4: the same deliveries in any order, repeated, batched in any way, end in the same Revenue."""

    @given(data=st.data(), seed=st.integers(0, 10_000))
    def test_what_one_history_ever_sent(self, data: st.DataObject, seed: int) -> None:
        harness = Harness(with_laws=False, with_model=False)
        perform(harness, random_steps(seed, 40))
        sent = harness.sent
        one_way = collect_all(RevenueLedger(), tuple(sent))
        order = data.draw(st.permutations([*sent, *sent[: len(sent) // 2]]))
        cut = data.draw(st.integers(0, len(order)))
        batched = collect_all(collect_all(RevenueLedger(), tuple(order[:cut])), tuple(order[cut:]))
        assert batched == one_way
        assert dict(batched.held.items()) == dict(one_way.held.items())

    @given(meetings())
    def test_twice_is_once(self, meeting: tuple[RevenueLedger, Delivery]) -> None:
        ledger, delivery = meeting
        once = collect(ledger, delivery)
        assert collect(once, delivery) == once

    def test_nothing_delivered_is_nothing_held(self) -> None:
        assert len(collect_all(RevenueLedger(), ()).held) == len(StoredTransactions()) == 0
