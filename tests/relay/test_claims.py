"""What every outbox promises to relays: leases that end, notes that belong to a claim, parking, and a backlog."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve

from regen_core.access import Scope
from regen_core.adapters import memory_outbox
from regen_core.adapters.memory import MemoryStore
from regen_core.adapters.sql import relay as sql_relay
from regen_core.attempts import LONGEST_WAIT, Acknowledged, Outcome, Parked, Released, TryAgain
from regen_core.ports import CollectedDeliveries, OutboxEntry, Settlement, Store
from tests.relay.conftest import ALL, FakeWorld

LEASE = timedelta(seconds=60)
Fill = Callable[..., list[str]]


def ids(entries: tuple[OutboxEntry, ...]) -> list[str]:
    """Of deliveries."""
    return [entry.delivery.id for entry in entries]


def note(store: Store, entry: OutboxEntry, outcome: Outcome) -> int:
    """Settle one claim."""
    return store.settle(ALL, [Settlement(entry, outcome)])


class TestLeases:
    """REV-0: several relays lose nothing, and one that dies holds nothing up for longer than its lease."""

    def test_two_relays_get_different_deliveries(self, store: Store, fill: Fill) -> None:
        """In commit order, and then there is nothing left."""
        sent = fill(store, 5)
        assert ids(store.claim(ALL, 2, LEASE)) == sent[:2]
        assert ids(store.claim(ALL, 10, LEASE)) == sent[2:]
        assert store.claim(ALL, 10, LEASE) == ()

    def test_without_a_lease_they_get_the_same(self, store: Store, fill: Fill) -> None:
        """The control: it is the lease that keeps the second relay off."""
        sent = fill(store, 2)
        assert ids(store.claim(ALL, 2, timedelta(0))) == ids(store.claim(ALL, 2, timedelta(0))) == sent

    def test_what_a_dead_relay_had_is_due_when_its_lease_ends(self, store: Store, fill: Fill, world: FakeWorld) -> None:
        """Not a moment before, and under the same ids."""
        sent = fill(store, 2)
        store.claim(ALL, 2, LEASE)
        world.sleep(59.999)
        assert store.claim(ALL, 2, LEASE) == ()
        world.sleep(0.001)
        assert ids(store.claim(ALL, 2, LEASE)) == sent

    def test_what_is_given_back_is_due_at_once_and_counts_no_attempt(self, store: Store, fill: Fill) -> None:
        """A relay that was told to stop leaves nothing behind."""
        fill(store, 1)
        (entry,) = store.claim(ALL, 1, LEASE)
        assert note(store, entry, Released()) == 1
        (again,) = store.claim(ALL, 1, LEASE)
        assert (again.claims, again.attempts, again.fault) == (2, 0, None)

    @pytest.mark.parametrize("lease", [timedelta(seconds=-1), LONGEST_WAIT + timedelta(seconds=1)])
    def test_a_lease_has_limits(self, store: Store, lease: timedelta) -> None:
        """A longer one would look like a wrong clock."""
        with pytest.raises(ValueError, match="lease is"):
            store.claim(ALL, 1, lease)

    @pytest.mark.parametrize("limit", [0, 1001])
    def test_a_batch_has_limits(self, store: Store, limit: int) -> None:
        """It is held in memory."""
        with pytest.raises(ValueError, match="limit is"):
            store.claim(ALL, limit, LEASE)


class TestNotes:
    """A note belongs to a claim; that something arrived is true whoever says it."""

    def test_a_failed_attempt_waits_for_its_time(self, store: Store, fill: Fill, world: FakeWorld) -> None:
        """And says why."""
        fill(store, 1)
        (entry,) = store.claim(ALL, 1, LEASE)
        note(store, entry, TryAgain(world.now() + timedelta(seconds=5), "no answer"))
        assert store.claim(ALL, 1, LEASE) == ()
        world.sleep(5)
        (again,) = store.claim(ALL, 1, LEASE)
        assert (again.attempts, again.fault, again.claims) == (1, "no answer", 2)

    @pytest.mark.parametrize("late", [Parked("no"), Released()])
    def test_a_relay_whose_lease_ended_says_nothing_about_the_next_claim(
        self, store: Store, fill: Fill, world: FakeWorld, late: Outcome
    ) -> None:
        """Its note is dropped; the delivery stays with the relay that has it now."""
        fill(store, 1)
        (first,) = store.claim(ALL, 1, LEASE)
        world.sleep(60)
        (second,) = store.claim(ALL, 1, LEASE)
        assert note(store, first, late) == 0
        assert store.pending(ALL, 1) == (second,)
        assert store.claim(ALL, 1, LEASE) == ()

    def test_without_the_claims_number_it_would(self, store: Store, fill: Fill, world: FakeWorld) -> None:
        """The control: the same note with the number of the claim that runs parks what another relay is sending."""
        fill(store, 1)
        (first,) = store.claim(ALL, 1, LEASE)
        world.sleep(60)
        (second,) = store.claim(ALL, 1, LEASE)
        assert note(store, evolve(first, claims=second.claims), Parked("no")) == 1
        assert store.backlog(ALL).parked == 1

    def test_what_arrived_is_done_whoever_says_so(self, store: Store, fill: Fill, world: FakeWorld) -> None:
        """Even where another relay has parked it in the meantime."""
        fill(store, 1)
        (first,) = store.claim(ALL, 1, LEASE)
        world.sleep(60)
        (second,) = store.claim(ALL, 1, LEASE)
        note(store, second, Parked("no"))
        assert note(store, first, Acknowledged()) == 1
        assert (store.backlog(ALL).parked, store.acknowledged_count(ALL)) == (0, 1)

    def test_nothing_is_noted_about_what_is_done(self, store: Store, fill: Fill, world: FakeWorld) -> None:
        """A repeated acknowledgement and a late failure change nothing."""
        fill(store, 1)
        (entry,) = store.claim(ALL, 1, LEASE)
        assert note(store, entry, Acknowledged()) == 1
        assert note(store, entry, Acknowledged()) == 0
        assert note(store, entry, TryAgain(world.now(), "no")) == 0
        assert store.claim(ALL, 1, LEASE) == ()

    def test_another_tenant_notes_nothing(self, store: Store, fill: Fill) -> None:
        """ACC-4: positions are the outbox's own, so the scope is in the question."""
        fill(store, 1)
        (entry,) = store.claim(ALL, 1, LEASE)
        elsewhere = Scope(tenant="t2", entity="e1", orgs=None)
        for outcome in (Acknowledged(), Parked("no"), Released()):
            assert store.settle(elsewhere, [Settlement(entry, outcome)]) == 0
        assert store.pending(ALL, 1) == (entry,)


class TestParking:
    """What keeps failing is set aside, told, and released by a person."""

    def test_what_is_parked_is_claimed_by_nobody(self, store: Store, fill: Fill, world: FakeWorld) -> None:
        """However long one waits, and the built-in ledger doesn't take it either."""
        sent = fill(store, 2)
        (entry,) = store.claim(ALL, 1, LEASE)
        note(store, entry, Parked("HTTP 422"))
        world.sleep(1e6)
        assert ids(store.claim(ALL, 2, timedelta(0))) == sent[1:]
        assert store.deliver_to_ledger(ALL, 10) == CollectedDeliveries(1, 0)
        (parked,) = store.deliveries(ALL, acknowledged=False, parked=True).rows
        assert (parked.delivery.id, parked.fault, parked.attempts) == (sent[0], "HTTP 422", 1)
        assert store.deliveries(ALL, parked=False).rows[0].delivery.id == sent[1]

    def test_released_it_begins_anew(self, store: Store, fill: Fill) -> None:
        """With all its attempts, and with the reason of the last one."""
        fill(store, 1)
        (entry,) = store.claim(ALL, 1, LEASE)
        note(store, entry, Parked("HTTP 422"))
        assert (store.release_parked(ALL), store.release_parked(ALL)) == (1, 0)
        (again,) = store.claim(ALL, 1, LEASE)
        assert (again.attempts, again.fault, again.parked_at) == (0, "HTTP 422", None)

    def test_only_what_is_visible_is_claimed_counted_and_released(self, store: Store, fill: Fill) -> None:
        """ACC-4: a caller of one organisation sees its deliveries and those of none."""
        fill(store, 1, org="north")
        fill(store, 1, start=2, org="south")
        north = Scope(tenant="t1", entity="e1", orgs=frozenset({"north"}))
        (entry,) = store.claim(north, 10, LEASE)
        assert entry.delivery.transaction.header.org == "north"
        (other,) = store.claim(ALL, 10, LEASE)
        note(store, entry, Parked("no"))
        note(store, other, Parked("no"))
        assert (store.backlog(north).parked, store.backlog(ALL).parked) == (1, 2)
        assert (store.release_parked(north), store.backlog(ALL).parked) == (1, 1)
        assert store.acknowledge(ALL, [entry, other]) == 2
        assert (store.acknowledged_count(north), store.acknowledged_count(ALL)) == (1, 2)


class TestBacklog:
    """How far Revenue is behind."""

    def test_it_counts_what_waits_is_due_and_is_parked(self, store: Store, fill: Fill, world: FakeWorld) -> None:
        """And tells the oldest that waits, and when the next is due."""
        assert store.backlog(ALL).oldest is None
        began = world.now()
        fill(store, 1)
        world.sleep(10)
        fill(store, 3, start=2)
        first, second = store.claim(ALL, 2, LEASE)
        note(store, first, Parked("no"))
        left = store.backlog(ALL)
        assert (left.at, left.waiting, left.due, left.parked) == (world.now(), 3, 2, 1)
        assert left.oldest == began + timedelta(seconds=10)
        store.acknowledge(ALL, [each for each in store.pending(ALL, 10) if each.delivery.id != second.delivery.id])
        left = store.backlog(ALL)
        assert (left.waiting, left.due, left.parked, left.next_due) == (1, 0, 0, world.now() + LEASE)
        assert store.acknowledged_count(ALL) == 3


class TestClocksThatJump:
    """A clock may be set forward or back at any time; that costs repetitions, never a delivery."""

    JUMPS = (timedelta(days=-3650), timedelta(hours=-2), timedelta(hours=2), timedelta(days=3650))

    @pytest.mark.parametrize("jump", JUMPS, ids=str)
    def test_nothing_waits_for_longer_than_the_longest_wait(
        self, store: Store, fill: Fill, world: FakeWorld, jump: timedelta
    ) -> None:
        """Claimed, put off or new: an hour after the jump all of it is due."""
        sent = fill(store, 3)
        store.claim(ALL, 1, LEASE)
        (second,) = store.claim(ALL, 1, LEASE)
        note(store, second, TryAgain(world.now() + timedelta(minutes=30), "no answer"))
        world.jumped += jump
        world.sleep(3600)
        assert ids(store.claim(ALL, 10, LEASE)) == sent

    def test_without_the_limit_a_clock_set_back_holds_deliveries_for_years(
        self, store: Store, fill: Fill, world: FakeWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The control."""
        for module in (sql_relay, memory_outbox):
            monkeypatch.setattr(module, "LONGEST_WAIT", timedelta(days=36500))
        fill(store, 1)
        store.claim(ALL, 1, LEASE)
        world.jump(days=-3650)
        world.sleep(86_400)
        assert store.claim(ALL, 10, LEASE) == ()


class TestAtOnce:
    """Many relays at the same moment, in one process."""

    RELAYS, DELIVERIES = 4, 60

    def _race(self, store: Store, take: Callable[[], tuple[OutboxEntry, ...]]) -> list[str]:
        """What all relays together got, with repetitions."""
        got: list[str] = []
        begin = threading.Barrier(self.RELAYS)

        def run() -> None:
            begin.wait()
            while entries := take():
                got.extend(ids(entries))
                store.acknowledge(ALL, entries)

        threads = [threading.Thread(target=run) for _ in range(self.RELAYS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return got

    def test_each_delivery_goes_to_one_of_them(self, store: Store, fill: Fill) -> None:
        """None is skipped and none is given twice."""
        sent = fill(store, self.DELIVERIES)
        assert sorted(self._race(store, lambda: store.claim(ALL, 3, LEASE))) == sorted(sent)

    def test_relays_that_only_look_get_the_same_ones(self, memory: MemoryStore, fill: Fill) -> None:
        """The control: reading what waits instead of claiming it."""
        sent, both = fill(memory, 6), threading.Barrier(self.RELAYS)

        def look() -> tuple[OutboxEntry, ...]:
            found: Any = memory.pending(ALL, 3)
            both.wait()
            return tuple(found)

        assert len(self._race(memory, look)) == self.RELAYS * len(sent)
