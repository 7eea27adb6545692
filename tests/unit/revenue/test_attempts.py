"""What follows an attempt: the meaning of every status, how long to wait, and when to stop (REV-0, REV-4)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regen_core.attempts import (
    DEFAULT_POLICY,
    LONGEST_WAIT,
    MOST_IN_A_ROW,
    SHORTEST_WAIT,
    Acknowledged,
    Answer,
    Failed,
    Outcome,
    Parked,
    Pause,
    Refused,
    Released,
    RetryPolicy,
    Taken,
    TryAgain,
    after_attempt,
    answer_of_status,
    backoff,
    parked_in_a_row,
    pause_after,
    wait_after,
)
from regen_core.statuses import STATUS_CLASSES, STATUSES, Concern, Meaning, status_rule

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
JITTERS = st.floats(0, 1, exclude_max=True)
POLICIES = st.builds(
    lambda attempts, base, cap: RetryPolicy(
        max_attempts=attempts, base=timedelta(seconds=base), cap=timedelta(seconds=cap)
    ),
    st.integers(1, 30),
    st.floats(0.001, 60),
    st.floats(0.001, 7200),
)


class TestStatuses:
    """The table is total, and each row does what it says."""

    def test_every_status_has_a_meaning(self) -> None:
        """With a reason that is told; only 2xx means that the receiver has it."""
        kinds = {Meaning.TAKEN: Taken, Meaning.REFUSED: Refused, Meaning.FAILED: Failed}
        for status in range(100, 600):
            rule, answer = status_rule(status), answer_of_status(status, None, NOW)
            assert rule.because
            assert isinstance(answer, kinds[rule.meaning])
            assert 200 <= status < 300 or not isinstance(answer, Taken)

    def test_the_statuses_that_people_ask_about(self) -> None:
        """Written out, independently of the table."""
        taken = {200, 201, 202, 204}
        refused = {207, 400, 413, 422, 499}
        of_the_delivery = {408, 409, 425, 500, 599}
        of_the_destination = {429, 502, 503, 504}
        of_the_address = {100, 301, 302, 303, 307, 308, 401, 403, 404, 405, 410, 415, 501, 505, 511}
        assert {s for s in taken if status_rule(s).meaning is Meaning.TAKEN} == taken
        assert {s for s in refused if status_rule(s).meaning is Meaning.REFUSED} == refused
        failed = of_the_delivery | of_the_destination | of_the_address
        assert {s for s in failed if status_rule(s).meaning is Meaning.FAILED} == failed
        assert {s for s in failed if status_rule(s).concern is Concern.DESTINATION} == of_the_destination
        assert {s for s in failed if status_rule(s).concern is Concern.ADDRESS} == of_the_address

    @pytest.mark.parametrize("status", [0, 42, 99, 600, 999])
    def test_what_is_no_status_acknowledges_nothing(self, status: int) -> None:
        """And parks nothing at once."""
        assert isinstance(answer_of_status(status, None, NOW), Failed)

    def test_a_row_of_its_own_says_something_else_than_its_class(self) -> None:
        """No row is there for nothing."""
        for status, rule in STATUSES.items():
            usual = STATUS_CLASSES[status // 100]
            assert (rule.meaning, rule.concern) != (usual.meaning, usual.concern)


class TestBackoff:
    """Full jitter below a limit that doubles up to a cap."""

    @given(st.integers(0, 10_000), JITTERS, POLICIES)
    def test_it_stays_within_its_limits(self, failed: int, jitter: float, policy: RetryPolicy) -> None:
        """However often it failed."""
        limit = min(policy.cap, policy.base * 2 ** min(failed, 40))
        assert SHORTEST_WAIT <= backoff(failed, jitter, policy) <= max(SHORTEST_WAIT, limit)

    @given(st.integers(0, 100), JITTERS, JITTERS)
    def test_a_greater_number_never_waits_less(self, failed: int, one: float, other: float) -> None:
        """The jitter is the part of the limit that is waited."""
        assert (backoff(failed, one) <= backoff(failed, other)) or one > other

    @pytest.mark.parametrize("jitter", [-0.1, 1.0, 2.0, float("nan")])
    def test_a_number_that_is_no_part_is_a_mistake(self, jitter: float) -> None:
        """Ours."""
        with pytest.raises(ValueError, match="jitter is"):
            backoff(0, jitter)

    def test_no_attempt_at_all_is_a_mistake(self) -> None:
        """A policy tries at least once."""
        with pytest.raises(ValueError, match="at least 1"):
            RetryPolicy(max_attempts=0)


class TestAfterAttempt:
    """Acknowledged, again at a moment, or parked."""

    @given(st.integers(0, 40), JITTERS, POLICIES)
    def test_what_was_taken_is_done(self, failed: int, jitter: float, policy: RetryPolicy) -> None:
        """Whatever happened before."""
        assert after_attempt(Taken(), failed_before=failed, now=NOW, jitter=jitter, policy=policy) == Acknowledged()

    @given(st.integers(0, 40), JITTERS, POLICIES)
    def test_what_was_refused_is_parked_at_once(self, failed: int, jitter: float, policy: RetryPolicy) -> None:
        """The same content would be refused again."""
        found = after_attempt(Refused("HTTP 422"), failed_before=failed, now=NOW, jitter=jitter, policy=policy)
        assert found == Parked("HTTP 422")

    @given(st.integers(0, 40), JITTERS, POLICIES, st.none() | st.timedeltas(timedelta(0), timedelta(days=999)))
    def test_a_failure_is_tried_so_often_and_no_more(
        self, failed: int, jitter: float, policy: RetryPolicy, asked: timedelta | None
    ) -> None:
        """Each time within the longest wait, not before the backoff is over, and not before the receiver wants."""
        answer = Failed("no answer", Concern.DELIVERY, asked)
        found = after_attempt(answer, failed_before=failed, now=NOW, jitter=jitter, policy=policy)
        if failed + 1 >= policy.max_attempts:
            assert isinstance(found, Parked)
            return
        assert isinstance(found, TryAgain)
        assert found.at - NOW == wait_after(answer, failed, jitter, policy) <= LONGEST_WAIT
        assert found.at - NOW >= min(max(asked or timedelta(0), backoff(failed, jitter, policy)), LONGEST_WAIT)


class TestRetryAfter:
    """Seconds and dates are honoured; what is neither is no wish."""

    @pytest.mark.parametrize(
        ("value", "seconds"),
        [
            ("0", 0),
            (" 7\t", 7),
            ("0000000000000000000000007", 7),
            ("9" * 5000, 10**9),
            ("Sat, 31 Jan 2026 12:00:30 GMT", 30),
            ("Saturday, 31-Jan-26 12:00:30 GMT", 30),
            ("Sat Jan 31 12:00:30 2026", 30),
            ("Sun Feb  1 12:00:00 2026", 86_400),
            ("Sat, 31 Jan 2026 12:00:60 GMT", 59),
            ("Fri, 30 Jan 2026 12:00:00 GMT", 0),
            ("Sunday, 31-Jan-99 12:00:00 GMT", 0),
        ],
    )
    def test_what_can_be_read(self, value: str, seconds: int) -> None:
        """A date that has passed asks for nothing."""
        answer = answer_of_status(503, value, NOW)
        assert isinstance(answer, Failed)
        assert answer.asked_wait == timedelta(seconds=seconds)

    @pytest.mark.parametrize(
        "value",
        ["", "soon", "-1", "1.5", "١٢", "1e3", "Sat, 31 Feb 2026 12:00:00 GMT", "Sat, 31 Abc 2026 12:00:00 GMT",
         "Sat, 31 Jan 2026 25:00:00 GMT", "Sat, 31 Jan 2026 12:00:00 CET", "Sat, 31 Jan 0000 12:00:00 GMT", "x" * 99],
    )  # fmt: skip
    def test_what_can_not(self, value: str) -> None:
        """The backoff counts alone."""
        answer = answer_of_status(503, value, NOW)
        assert isinstance(answer, Failed)
        assert answer.asked_wait is None

    @given(st.text(max_size=80))
    def test_any_text_is_read_or_ignored(self, value: str) -> None:
        """What a server says raises nothing, and asks for no negative time."""
        answer = answer_of_status(429, value, NOW)
        assert isinstance(answer, Failed)
        assert answer.asked_wait is None or answer.asked_wait >= timedelta(0)

    @given(st.integers(-(10**9), 10**9))
    def test_dates_agree_with_the_standard_librarys(self, seconds: int) -> None:
        """Written by one, read by the other."""
        moment = NOW + timedelta(seconds=seconds)
        answer = answer_of_status(503, format_datetime(moment, usegmt=True), NOW)
        assert isinstance(answer, Failed)
        assert answer.asked_wait == max(moment - NOW, timedelta(0))


class TestPauses:
    """When a destination is left alone, and when it is suspected of taking nothing."""

    @staticmethod
    def pause(answer: Answer, in_a_row: int, *, has_parked: bool) -> Pause | None:
        """After the first failure, with the default policy."""
        return pause_after(
            answer,
            in_a_row=in_a_row,
            astray=1,
            has_parked=has_parked,
            failed_before=0,
            jitter=0.5,
            policy=DEFAULT_POLICY,
        )

    @given(st.lists(st.sampled_from([Acknowledged(), Parked("no"), TryAgain(NOW, "no"), Released()]), max_size=40))
    def test_those_parked_since_one_was_taken_are_counted(self, outcomes: list[Outcome]) -> None:
        """Counted backwards from the end, as the name says; what waits and what wasn't tried says nothing."""
        counted = 0
        for outcome in outcomes:
            counted = parked_in_a_row(counted, outcome)
        last_taken = max([at for at, each in enumerate(outcomes) if isinstance(each, Acknowledged)], default=-1)
        assert counted == sum(isinstance(each, Parked) for each in outcomes[last_taken + 1 :])

    @pytest.mark.parametrize("answer", [Refused("no"), Failed("no"), Failed("no", Concern.DESTINATION)])
    def test_too_many_parked_in_a_row_are_followed_by_the_longest_pause(self, answer: Answer) -> None:
        """Whatever the last of them was parked for; one fewer changes nothing."""
        suspected = Pause(DEFAULT_POLICY.cap, takes_nothing=True)
        assert self.pause(answer, MOST_IN_A_ROW, has_parked=True) == suspected
        assert self.pause(answer, MOST_IN_A_ROW + 1, has_parked=True) == suspected
        assert self.pause(answer, MOST_IN_A_ROW - 1, has_parked=True) == self.pause(answer, 0, has_parked=True)

    def test_an_answer_that_parks_nothing_is_followed_by_the_pause_of_its_own(self) -> None:
        """However many were parked before it."""
        assert self.pause(Taken(), MOST_IN_A_ROW, has_parked=False) is None
        assert self.pause(Failed("no"), MOST_IN_A_ROW, has_parked=False) is None
        down = Failed("no", Concern.DESTINATION)
        assert self.pause(down, MOST_IN_A_ROW, has_parked=False) == Pause(wait_after(down, 0, 0.5))
