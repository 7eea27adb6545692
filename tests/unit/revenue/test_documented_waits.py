"""How long is waited, and how often is tried: the figures that the page about delivering names (REV-4)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from regen_core.attempts import (
    DEFAULT_POLICY,
    SHORTEST_WAIT,
    Acknowledged,
    Failed,
    Parked,
    Pause,
    Refused,
    Released,
    RetryPolicy,
    Taken,
    TryAgain,
    after_attempt,
    answer_of_status,
    astray_in_a_row,
    backoff,
    parked_in_a_row,
    pause_after,
    wait_after,
)
from regen_core.statuses import Concern

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
HALF = 0.5
"""A random number of which every wait is half its limit."""

MICROSECOND = timedelta(microseconds=1)


class TestBackoff:
    """A random part of a limit that begins at half a second, doubles with every failure and ends at five minutes."""

    @pytest.mark.parametrize(
        ("failed_before", "limit"), [(0, 0.5), (1, 1), (2, 2), (3, 4), (9, 256), (10, 300), (31, 300), (10_000, 300)]
    )
    def test_the_limit(self, failed_before: int, limit: float) -> None:
        assert backoff(failed_before, HALF) == timedelta(seconds=limit) / 2

    def test_a_relay_never_spins(self) -> None:
        """Where the random part is nothing."""
        assert backoff(0, 0) == backoff(40, 0) == timedelta(milliseconds=50)

    @pytest.mark.parametrize("base", [MICROSECOND, timedelta(hours=1), timedelta(hours=6), timedelta.max])
    @pytest.mark.parametrize("cap", [timedelta(hours=1), timedelta(days=1), timedelta.max])
    def test_the_limit_of_any_policy_is_reached(self, base: timedelta, cap: timedelta) -> None:
        """However small the first wait is, and however long: doubled often, it exceeds any time."""
        policy = RetryPolicy(base=base, cap=cap)
        assert backoff(90, HALF, policy) == cap / 2
        assert backoff(0, HALF, policy) == max(min(base, cap) / 2, SHORTEST_WAIT)

    def test_what_doubles_to_the_limit_exactly_is_the_limit(self) -> None:
        policy = RetryPolicy(base=timedelta(seconds=1), cap=timedelta(seconds=8))
        assert [backoff(failed, HALF, policy).total_seconds() for failed in range(6)] == [0.5, 1, 2, 4, 4, 4]

    @pytest.mark.parametrize(("base", "cap"), [(1_500_000, 3_000_001), (1_500_002, 3_000_003)])
    def test_the_limit_is_the_doubled_wait_or_the_cap_to_the_microsecond(self, base: int, cap: int) -> None:
        policy = RetryPolicy(base=base * MICROSECOND, cap=cap * MICROSECOND)
        assert backoff(1, 0.9, policy) == min(2 * base, cap) * MICROSECOND * 0.9

    @pytest.mark.parametrize("jitter", [1.0, -0.1])
    def test_what_is_no_part_is_told(self, jitter: float) -> None:
        with pytest.raises(ValueError, match=f"^jitter is {jitter}; expected a number from 0 up to but not including"):
            backoff(0, jitter)


class TestAsked:
    """A receiver that asks for more gets it, up to an hour."""

    @pytest.mark.parametrize(("asked", "waited"), [(None, 0.25), (0.1, 0.25), (30, 30), (3600, 3600), (86_400, 3600)])
    def test_the_longer_wait_counts(self, asked: float | None, waited: float) -> None:
        wanted = None if asked is None else timedelta(seconds=asked)
        assert wait_after(Failed("busy", asked_wait=wanted), 0, HALF) == timedelta(seconds=waited)

    def test_of_a_status(self) -> None:
        answer = answer_of_status(503, "30", NOW)
        assert answer == Failed(
            "HTTP 503: the receiver is overloaded or down for maintenance",
            Concern.DESTINATION,
            timedelta(seconds=30),
        )
        assert answer_of_status(422, "30", NOW) == Refused("HTTP 422: the same content would be refused again")
        assert answer_of_status(600, None, NOW) == Failed("HTTP 600: this is no HTTP status", Concern.ADDRESS)

    def test_a_failure_that_says_nothing_of_itself_is_about_the_delivery(self) -> None:
        assert Failed("no answer") == Failed("no answer", Concern.DELIVERY, None)


class TestAttempts:
    """Eight, unless another number is asked for; the last one says so."""

    def test_the_eighth_failure_parks(self) -> None:
        failed = Failed("no answer")
        seventh = after_attempt(failed, failed_before=6, now=NOW, jitter=HALF)
        assert seventh == TryAgain(NOW + backoff(6, HALF), "no answer")
        eighth = after_attempt(failed, failed_before=7, now=NOW, jitter=HALF)
        assert eighth == Parked("no answer (attempt 8 of 8)")

    def test_one_is_enough(self) -> None:
        once = RetryPolicy(max_attempts=1)
        assert after_attempt(Failed("no"), failed_before=0, now=NOW, jitter=HALF, policy=once) == Parked(
            "no (attempt 1 of 1)"
        )
        with pytest.raises(ValueError, match=r"^max_attempts is 0; expected at least 1$"):
            RetryPolicy(max_attempts=0)

    def test_the_policy_waits(self) -> None:
        slow = RetryPolicy(base=timedelta(minutes=1))
        again = after_attempt(Failed("no"), failed_before=0, now=NOW, jitter=HALF, policy=slow)
        assert again == TryAgain(NOW + timedelta(seconds=30), "no")


class TestPauses:
    """Ten parked in a row look like a wrong address, which gets one more every five minutes."""

    @staticmethod
    def pause(in_a_row: int, policy: RetryPolicy = DEFAULT_POLICY, *, has_parked: bool = True) -> Pause | None:
        answer = Refused("HTTP 400") if has_parked else Failed("down", Concern.DESTINATION)
        return pause_after(
            answer, in_a_row=in_a_row, astray=0, has_parked=has_parked, failed_before=3, jitter=HALF, policy=policy
        )

    def test_the_tenth(self) -> None:
        assert self.pause(9) is None
        assert self.pause(10) == Pause(timedelta(minutes=5), takes_nothing=True)

    def test_a_failing_address_is_given_the_time_of_its_failures(self) -> None:
        assert self.pause(10, has_parked=False) == Pause(timedelta(seconds=2), takes_nothing=False)
        slow = RetryPolicy(base=timedelta(minutes=1))
        assert self.pause(10, slow, has_parked=False) == Pause(timedelta(minutes=2.5))

    def test_the_fifth_answer_of_a_wrong_address_is_the_last_that_is_waited_for(self) -> None:
        """After 0.25 + 0.5 + 1 + 2 seconds on average, whichever deliveries they were about."""
        wrong = Failed("HTTP 404", Concern.ADDRESS)
        after = partial(pause_after, wrong, in_a_row=0, has_parked=False, failed_before=0, jitter=HALF)
        pauses = [after(astray=astray, policy=DEFAULT_POLICY) for astray in range(1, 6)]
        assert pauses[:4] == [Pause(timedelta(seconds=wait)) for wait in (0.25, 0.5, 1, 2)]
        assert pauses[4] == Pause(timedelta(seconds=4), takes_nothing=True, said="HTTP 404")
        slow = RetryPolicy(base=timedelta(minutes=1))
        assert after(astray=2, policy=slow) == Pause(timedelta(minutes=1))

    def test_what_was_tried_ends_or_lengthens_the_row(self) -> None:
        assert parked_in_a_row(4, Parked("HTTP 422")) == 5
        assert parked_in_a_row(4, Acknowledged()) == 0
        assert parked_in_a_row(4, Released()) == 4
        assert astray_in_a_row(4, Failed("HTTP 404", Concern.ADDRESS)) == 5
        assert astray_in_a_row(4, Failed("HTTP 503", Concern.DESTINATION)) == 4
        assert astray_in_a_row(4, Failed("HTTP 500", Concern.DELIVERY)) == 4
        assert astray_in_a_row(4, Refused("HTTP 422")) == astray_in_a_row(4, Taken()) == 0

    def test_outcomes_are_values(self) -> None:
        """A store and a test say the same with them."""
        assert Taken() == Taken()
        assert Acknowledged() == Acknowledged()
        assert Released() == Released()
