"""The relay itself, with a place that answers as it is told to and a clock that nobody waits for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, Self

import pytest
from attrs import define, evolve, field

from regen_core.adapters.memory import MemoryStore
from regen_core.adapters.revenue.relay import Happened, Relay, TakesNothing, Tally, Until
from regen_core.adapters.revenue.sink import Part, delivery_line, joined, part_of
from regen_core.attempts import MOST_ASTRAY, MOST_IN_A_ROW, Answer, Failed, Pause, Refused, Taken
from regen_core.ports import OutboxEntry, Settlement, Store, StoreFault
from regen_core.revenue import RevenueLedger, collect_all
from regen_core.statuses import Concern
from regen_core.wire.canonical import delivery_of
from regen_core.wire.strict_json import parse
from tests.relay.conftest import ALL, FakeWorld

Fill = Callable[..., list[str]]
DOWN = Failed("the connection was refused", Concern.DESTINATION)
WRONG = Failed("HTTP 404: nothing is at the address", Concern.ADDRESS)


@define
class FakeSink:
    """Takes what ``answer`` says it takes; one that never failed goes with its like, any other alone."""

    answer: Callable[[list[str]], Answer] = field(default=lambda _: Taken())
    lease: timedelta = timedelta(seconds=60)
    patience: timedelta = timedelta(seconds=30)
    shown: str = "a fake"
    alone: bool = False
    asked: list[list[str]] = field(factory=list)
    taken: list[str] = field(factory=list)

    def parts(self, entries: Sequence[OutboxEntry]) -> list[Part]:
        fresh = [entry for entry in entries if not entry.attempts and not self.alone]
        return [part_of(fresh)] * bool(fresh) + [part_of([entry]) for entry in entries if entry not in fresh]

    def send(self, part: Part) -> Answer:
        ids = [entry.delivery.id for entry in part.entries]
        self.asked.append(ids)
        answer = self.answer(ids)
        if isinstance(answer, Taken):
            self.taken.extend(ids)
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


class TestDelivering:
    """REV-0: everything arrives, in commit order where nothing fails."""

    def test_everything_arrives_once_in_order(self, store: Store, fill: Fill, world: FakeWorld) -> None:
        """Batch after batch, and nothing is waited for."""
        sent, sink = fill(store, 5), FakeSink()
        assert world.relay(store, sink, batch=2).run(Until.DONE) == Tally(delivered=5)
        assert (sink.taken, [len(each) for each in sink.asked], world.sleeps) == (sent, [2, 2, 1], [])
        assert (store.backlog(ALL).waiting, store.acknowledged_count(ALL)) == (0, 5)

    def test_what_fails_is_tried_again_under_the_same_id(
        self, memory: MemoryStore, fill: Fill, world: FakeWorld
    ) -> None:
        """After the backoff; each then goes alone."""
        sent, answers = fill(memory, 2), [Failed("no answer")]
        sink = FakeSink(lambda _: answers.pop() if answers else Taken())
        assert world.relay(memory, sink).run(Until.DONE) == Tally(delivered=2, retried=2)
        assert sink.asked == [sent, sent[:1], sent[1:]]
        assert world.sleeps == [0.25]

    def test_acknowledged_is_what_was_taken_and_nothing_else(
        self, memory: MemoryStore, fill: Fill, world: FakeWorld
    ) -> None:
        """A relay that breaks off between the two repeats; it never skips."""
        fill(memory, 1)

        class Broken(MemoryStore):
            def settle(self, *_: object) -> int:
                raise StoreFault("lost the database")

        broken: Any = Broken(world.now)
        broken.__dict__.update(memory.__dict__)
        with pytest.raises(StoreFault):
            world.relay(broken, FakeSink()).run(Until.DONE)
        assert memory.backlog(ALL).waiting == 1

    def test_a_relay_that_acknowledges_first_loses_deliveries(
        self, memory: MemoryStore, fill: Fill, world: FakeWorld
    ) -> None:
        """The control: the same failing place, and the delivery is gone."""

        class Early(Relay):
            def _settle(self, part: Part, answer: Answer) -> Pause | None:
                return super()._settle(part, Taken())

        fill(memory, 1)
        sink = FakeSink(lambda _: Failed("no answer"))
        world.relay(memory, sink, kind=Early).run(Until.DONE)
        assert (sink.taken, memory.backlog(ALL).waiting) == ([], 0)


class TestParking:
    """A delivery that is refused, or fails too often, is set aside and told; the rest goes on."""

    @pytest.mark.parametrize("poison", [0, 3, 6])
    def test_a_refused_one_stops_no_other(self, store: Store, fill: Fill, world: FakeWorld, poison: int) -> None:
        """The request that held it is halved until it stands alone; the others are taken in the same run."""
        sent = fill(store, 7)
        sink = FakeSink(lambda ids: Refused("HTTP 422") if sent[poison] in ids else Taken())
        told: list[Happened | TakesNothing] = []
        relay = world.relay(store, sink)
        relay.tell = told.append
        assert relay.run(Until.DONE) == Tally(delivered=6, parked=1)
        assert sorted(sink.taken) == sorted(set(sent) - {sent[poison]})
        assert [
            (each.entries[0].delivery.id, each.reason, each.again_in) for each in told if isinstance(each, Happened)
        ] == [(sent[poison], "HTTP 422", None)]
        assert world.sleeps == []

    def test_without_halving_it_takes_others_with_it(self, memory: MemoryStore, fill: Fill, world: FakeWorld) -> None:
        """The control: a relay that takes a refusal of several for a refusal of each."""

        class Blunt(Relay):
            def _send(self, waiting: Any, unsettled: dict[int, Settlement], began: float) -> Pause | None:
                for part in waiting:
                    self._settle(part, self.sink.send(part))
                    unsettled.clear()
                return None

        sent = fill(memory, 7)
        sink = FakeSink(lambda ids: Refused("HTTP 422") if sent[3] in ids else Taken())
        assert world.relay(memory, sink, kind=Blunt).run(Until.DONE).parked == 7

    def test_a_search_that_runs_out_of_time_ends_all_the_same(self, store: Store, fill: Fill, world: FakeWorld) -> None:
        """A slow place: in one claim there is time for two requests, too few to find the one of nine by halving."""
        sent = fill(store, 9)

        def slow(ids: list[str]) -> Answer:
            assert len(sink.asked) < 100, "the search never ends"
            world.seconds += 20
            return Refused("HTTP 422") if sent[0] in ids else Taken()

        sink = FakeSink(slow)
        tally = world.relay(store, sink).run(Until.DONE)
        assert (tally.delivered, tally.parked) == (8, 1)
        assert sorted(sink.taken) == sorted(sent[1:])

    @pytest.mark.parametrize("concern", list(Concern))
    def test_one_that_always_fails_stops_no_other(
        self, store: Store, fill: Fill, world: FakeWorld, concern: Concern
    ) -> None:
        """Whatever its failures look like; it is tried as often as allowed and then parked."""
        sent = fill(store, 5)
        sink = FakeSink(lambda ids: Failed("HTTP 500", concern) if sent[1] in ids else Taken())
        tally = world.relay(store, sink, attempts=4).run(Until.DONE)
        assert (tally.delivered, tally.parked) == (4, 1)
        assert sum(sent[1] in ids for ids in sink.asked) == 4
        assert store.deliveries(ALL, parked=True).rows[0].fault == "HTTP 500 (attempt 4 of 4)"

    def test_a_place_that_is_down_is_left_alone_in_between(
        self, memory: MemoryStore, fill: Fill, world: FakeWorld
    ) -> None:
        """One attempt, a pause, one attempt; those that weren't sent count none."""
        sent = fill(memory, 3)
        sink = FakeSink(lambda _: DOWN)
        tally = world.relay(memory, sink, attempts=3).run(Until.DONE)
        assert tally.parked == 3
        assert [len(ids) for ids in sink.asked] == [3] + [1] * 6
        assert all(sum(each in ids for ids in sink.asked) == 3 for each in sent)
        assert len(world.sleeps) >= 6
        assert world.seconds < 10

    def test_a_place_that_recovers_gets_everything(self, store: Store, fill: Fill, world: FakeWorld) -> None:
        """Down for ten seconds of the relay's clock."""
        sent = fill(store, 9)
        sink = FakeSink(lambda _: DOWN if world.seconds < 10 else Taken())
        tally = world.relay(store, sink, attempts=24, batch=4).run(Until.DONE)
        assert (tally.delivered, tally.parked, sorted(sink.taken)) == (9, 0, sorted(sent))

    def test_a_wish_to_wait_is_honoured_and_capped(self, memory: MemoryStore, fill: Fill, world: FakeWorld) -> None:
        """Not asked again before its time, and not after a year either."""
        fill(memory, 1)
        wishes = [timedelta(days=365), timedelta(seconds=40)]
        sink = FakeSink(lambda _: Failed("HTTP 503", Concern.DESTINATION, wishes.pop()) if wishes else Taken())
        world.relay(memory, sink).run(Until.DONE)
        assert world.sleeps == [40, 3600]


class TestAPlaceThatTakesNothing:
    """A wrong address must not park an outbox: after so many in a row it is the place that is suspected."""

    MANY = MOST_IN_A_ROW + 15

    @staticmethod
    def suspicions(relay: Relay) -> list[TakesNothing]:
        """What the relay will tell of its place."""
        told: list[TakesNothing] = []
        relay.tell = lambda each: told.append(each) if isinstance(each, TakesNothing) else None
        return told

    @pytest.mark.parametrize("until", [Until.DONE, Until.ONCE])
    @pytest.mark.parametrize("answer", [Refused("HTTP 400"), Failed("HTTP 500"), DOWN])
    def test_the_relay_ends_and_leaves_the_rest(
        self, store: Store, fill: Fill, world: FakeWorld, until: Until, answer: Answer
    ) -> None:
        """However it refuses; what isn't parked waits, and arrives when the place has been mended."""
        sent, sink = fill(store, self.MANY), FakeSink(lambda _: answer)
        relay = world.relay(store, sink)
        told = self.suspicions(relay)
        tally = relay.run(until)
        parks = until is Until.DONE or isinstance(answer, Refused)
        assert tally.parked == (MOST_IN_A_ROW if parks else 0)
        assert told == ([TakesNothing(MOST_IN_A_ROW, None)] if parks else [])
        assert tally.held_up == (parks or answer is DOWN)
        assert store.backlog(ALL).waiting == self.MANY - tally.parked
        store.release_parked(ALL)
        mended = FakeSink()
        assert world.relay(store, mended).run(Until.DONE).delivered == self.MANY
        assert sorted(mended.taken) == sorted(sent)

    @pytest.mark.parametrize("count", [1, MANY])
    def test_an_address_that_cannot_heal_is_waited_for_five_times(
        self, memory: MemoryStore, fill: Fill, world: FakeWorld, count: int
    ) -> None:
        """A wrong path answers 404 to everything: minutes until ten were parked, and now seconds, with none parked."""
        sent, sink = fill(memory, count), FakeSink(lambda _: WRONG)
        relay = world.relay(memory, sink, attempts=8)
        told = self.suspicions(relay)
        tally = relay.run(Until.DONE)
        assert (len(sink.asked), tally.parked, tally.held_up) == (MOST_ASTRAY, 0, True)
        assert told == [TakesNothing(MOST_ASTRAY, None, WRONG.reason)]
        assert sum(world.sleeps) < 10
        world.seconds += 3600
        mended = FakeSink()
        assert world.relay(memory, mended).run(Until.DONE).delivered == count
        assert sorted(mended.taken) == sorted(sent)

    def test_without_that_limit_it_takes_minutes(
        self, memory: MemoryStore, fill: Fill, world: FakeWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The control."""
        monkeypatch.setattr("regen_core.attempts.MOST_ASTRAY", 10**9)
        fill(memory, self.MANY)
        tally = world.relay(memory, FakeSink(lambda _: WRONG), attempts=8).run(Until.DONE)
        assert tally.parked == MOST_IN_A_ROW
        assert sum(world.sleeps) > 120

    def test_following_waits_longer_with_each_answer_of_a_wrong_address(
        self, memory: MemoryStore, fill: Fill, world: FakeWorld
    ) -> None:
        """And goes on when it was mended: a service doesn't end."""
        sent = fill(memory, self.MANY)
        sink = FakeSink(lambda _: WRONG if world.seconds < 60 else Taken())
        relay = world.relay(memory, sink, attempts=24)
        told, sleep = self.suspicions(relay), world.sleep

        def nap(seconds: float) -> None:
            sleep(seconds)
            world.is_stopped = len(sink.taken) == len(sent)

        relay.world = evolve(relay.world, sleep=nap)
        assert relay.run(Until.STOPPED).parked == 0
        assert [each.in_a_row for each in told] == list(range(MOST_ASTRAY, MOST_ASTRAY + len(told)))
        waits = [each.again_in for each in told if each.again_in is not None]
        assert len(waits) == len(told) > 1
        assert waits == sorted(waits)

    def test_without_the_limit_all_is_parked(
        self, memory: MemoryStore, fill: Fill, world: FakeWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The control."""
        monkeypatch.setattr("regen_core.attempts.MOST_IN_A_ROW", 10**9)
        fill(memory, self.MANY)
        assert world.relay(memory, FakeSink(lambda _: Refused("HTTP 400"))).run(Until.DONE).parked == self.MANY

    def test_one_that_is_taken_ends_the_suspicion(self, store: Store, fill: Fill, world: FakeWorld) -> None:
        """Many poisoned ones among others are parked without an end."""
        sent = fill(store, self.MANY + 15)
        sink = FakeSink(lambda ids: Taken() if set(ids) <= set(sent[::5]) else Refused("HTTP 422"))
        tally = world.relay(store, sink).run(Until.DONE)
        assert (tally.delivered, tally.parked, tally.held_up) == (len(sent) // 5, len(sent) - len(sent) // 5, False)

    def test_following_it_tries_one_at_a_time_until_the_place_recovers(
        self, store: Store, fill: Fill, world: FakeWorld
    ) -> None:
        """A service doesn't end: it parks one per pause, and goes on at full speed when one was taken."""
        sent = fill(store, self.MANY)
        sink = FakeSink(lambda _: Refused("HTTP 400") if world.seconds < 650 else Taken())
        relay = world.relay(store, sink)
        told, sleep = self.suspicions(relay), world.sleep

        def nap(seconds: float) -> None:
            sleep(seconds)
            world.is_stopped = len(sink.taken) + relay.tally.parked == len(sent)

        relay.world = evolve(relay.world, sleep=nap)
        tally = relay.run(Until.STOPPED)
        pause = relay.policy.cap
        assert told == [TakesNothing(MOST_IN_A_ROW + number, pause) for number in range(3)]
        assert (tally.parked, tally.delivered) == (MOST_IN_A_ROW + 2, len(sent) - MOST_IN_A_ROW - 2)
        assert world.sleeps[:3] == [pause.total_seconds()] * 3


class TestEnds:
    """When a relay ends, and what it leaves behind."""

    def test_once_waits_for_nothing(self, memory: MemoryStore, fill: Fill, world: FakeWorld) -> None:
        """What is to be tried again stays."""
        sent = fill(memory, 3)
        sink = FakeSink(lambda ids: Failed("HTTP 500") if sent[0] in ids else Taken())
        assert world.relay(memory, sink, batch=1).run(Until.ONCE) == Tally(delivered=2, retried=1)
        assert (world.sleeps, memory.backlog(ALL).waiting) == ([], 1)

    def test_once_ends_at_a_place_that_is_down(self, memory: MemoryStore, fill: Fill, world: FakeWorld) -> None:
        """And says that it was held up."""
        fill(memory, 3)
        assert world.relay(memory, FakeSink(lambda _: DOWN), batch=1).run(Until.ONCE) == Tally(retried=1, held_up=True)
        assert memory.backlog(ALL).due == 2

    def test_done_waits_for_what_another_relay_holds(self, store: Store, fill: Fill, world: FakeWorld) -> None:
        """That one died: when its lease is over, the delivery arrives."""
        sent, sink = fill(store, 2), FakeSink()
        store.claim(ALL, 1, timedelta(seconds=60))
        world.relay(store, sink).run(Until.DONE)
        assert sink.taken == [sent[1], sent[0]]
        assert 60 <= world.seconds < 61

    def test_stopped_it_finishes_the_request_and_gives_the_rest_back(
        self, store: Store, fill: Fill, world: FakeWorld
    ) -> None:
        """Nothing stays claimed, and nothing is sent after that."""
        sent = fill(store, 4)

        def stop(_: list[str]) -> Answer:
            world.is_stopped = True
            return Taken()

        sink = FakeSink(stop, alone=True)
        assert world.relay(store, sink).run(Until.STOPPED) == Tally(delivered=1)
        assert (sink.taken, store.backlog(ALL).due) == (sent[:1], 3)

    def test_following_it_takes_what_comes(self, memory: MemoryStore, fill: Fill, world: FakeWorld) -> None:
        """It looks every second, and ends when it is told to."""
        sink, sleep = FakeSink(), world.sleep

        def nap(seconds: float) -> None:
            sleep(seconds)
            if len(world.sleeps) == 2:
                fill(memory, 1)
            world.is_stopped = len(world.sleeps) > 4

        relay = world.relay(memory, sink)
        relay.world = evolve(relay.world, sleep=nap)
        assert relay.run(Until.STOPPED) == Tally(delivered=1)
        assert world.sleeps == [1] * 5

    def test_what_raises_leaves_nothing_claimed(self, store: Store, fill: Fill, world: FakeWorld) -> None:
        """A full disk, a second Ctrl-C: the next relay begins at once."""
        fill(store, 3)

        def fail(_: list[str]) -> Answer:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            world.relay(store, FakeSink(fail)).run(Until.DONE)
        assert store.backlog(ALL).due == 3

    def test_nothing_is_sent_that_could_outlive_its_lease(
        self, memory: MemoryStore, fill: Fill, world: FakeWorld
    ) -> None:
        """Slow answers: after two there is no time for a third, so the rest is claimed anew."""
        sent = fill(memory, 5)

        def slow(_: list[str]) -> Answer:
            world.seconds += 29
            return Taken()

        sink = FakeSink(slow, alone=True)
        world.relay(memory, sink).run(Until.DONE)
        assert sink.taken == sent
        claims = [entry.claims for entry in memory.deliveries(ALL).rows]
        assert claims == [1, 1, 2, 2, 3]

    def test_a_clock_that_jumps_within_a_run_loses_nothing(self, store: Store, fill: Fill, world: FakeWorld) -> None:
        """Forward and back at every request."""
        sent = fill(store, 6)
        jumps = [timedelta(days=day) for day in (1, -2, 400, -800, 5, -1)]

        def jump(_: list[str]) -> Answer:
            world.jumped += jumps[len(sink.asked) % len(jumps)]
            return Taken() if len(sink.asked) % 3 == 0 else Failed("no answer")

        sink = FakeSink(jump)
        tally = world.relay(store, sink, attempts=30, batch=2).run(Until.DONE)
        assert (tally.parked, set(sink.taken), store.backlog(ALL).waiting) == (0, set(sent), 0)


class TestLines:
    """What a place gets reads back as what was committed."""

    def test_a_line_is_the_delivery(self, memory: MemoryStore, fill: Fill) -> None:
        """Amounts and carried numbers exactly, text with line ends in one line, the id first."""
        fill(memory, 3)
        deliveries = [entry.delivery for entry in memory.pending(ALL, 10)]
        lines = [delivery_line(each) for each in deliveries]
        assert all(line.endswith(b"\n") and line.count(b"\n") == 1 for line in lines)
        assert all(line.startswith(b'{"id":"') for line in lines)
        back = tuple([delivery_of(parse(line)) for line in lines])
        assert back == tuple(deliveries)
        assert [each.transaction.header.carried.text for each in back] == ['{"memo":"two\\nlines","rate":1.50}'] * 3
        assert collect_all(RevenueLedger(), back) == collect_all(RevenueLedger(), tuple(deliveries))

    def test_parts_are_halved_and_joined_without_loss(self, memory: MemoryStore, fill: Fill) -> None:
        """In order."""
        fill(memory, 5)
        whole = part_of(memory.pending(ALL, 10))
        assert joined(whole.halves()) == whole
        assert joined([]) == Part((), ())
        assert whole.size == sum(part_of([entry]).size for entry in whole.entries)
