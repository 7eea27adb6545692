"""Limits as decisions over counts and times."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from regen_core.adapters.http import limits as limits_module
from regen_core.adapters.http.addresses import counted_address
from regen_core.adapters.http.limits import Limits, Quotas, Used, Window, count, uncount

WINDOWS = st.lists(st.builds(Window, seconds=st.integers(1, 100), quota=st.integers(1, 5)), min_size=1, max_size=3).map(
    tuple
)
MOMENTS = st.lists(st.floats(0, 300), max_size=40).map(sorted)


class TestCounting:
    """Windows begin with their first request and end after their seconds."""

    @given(WINDOWS, MOMENTS)
    def test_no_window_ever_holds_more_than_its_quota(self, windows: tuple[Window, ...], moments: list[float]) -> None:
        """Whatever comes when; and what is told agrees with what is counted."""
        used: tuple[Used, ...] = ()
        granted: list[float] = []
        for now in moments:
            used, rate = count(windows, used, now)
            assert all(part.requests <= window.quota for window, part in zip(windows, used, strict=True))
            granted += [now] if rate.retry_after is None else []
            assert 0 <= rate.remaining <= rate.limit
            assert rate.reset >= 1
        for window in windows:
            for first in granted:
                within = [at for at in granted if first <= at < first + window.seconds]
                assert len(within) <= 2 * window.quota

    @given(WINDOWS, MOMENTS)
    def test_who_waits_as_long_as_told_gets_in(self, windows: tuple[Window, ...], moments: list[float]) -> None:
        """``retry_after`` isn't too short."""
        used: tuple[Used, ...] = ()
        for now in moments:
            used, rate = count(windows, used, now)
            if rate.retry_after is not None:
                assert count(windows, used, now + rate.retry_after)[1].retry_after is None

    def test_the_window_closest_to_its_end_is_told(self) -> None:
        """By its share, not by its number."""
        windows = (Window(60, 2), Window(3600, 1000))
        _, rate = count(windows, (), 0.0)
        assert (rate.limit, rate.remaining, rate.reset) == (2, 1, 60)
        _, rate = count(windows, (Used(0.0, 0), Used(0.0, 998)), 59.5)
        assert (rate.limit, rate.remaining, rate.reset) == (1000, 1, 3541)

    def test_a_refused_request_counts_nowhere(self) -> None:
        """Knocking doesn't lengthen the wait."""
        used, _ = count((Window(60, 1),), (), 0.0)
        assert count((Window(60, 1),), used, 30.0)[0] == used
        assert uncount(used) == (Used(0.0, 0),)


class TestPlaces:
    """An entity has so many places, and they come back."""

    def test_a_place_is_given_and_given_back(self) -> None:
        """The third of two is turned away, until one leaves."""
        limits = Limits(Quotas(concurrent=2))
        first, second, third = [limits.enter("t", "e", 0.0) for _ in range(3)]
        assert [place.retry_after for place in (first, second, third)] == [None, None, 1]
        limits.leave(third)
        limits.leave(first)
        assert limits.enter("t", "e", 0.0).retry_after is None

    def test_entities_and_tenants_have_their_own(self) -> None:
        """Also where they are called alike."""
        limits = Limits(Quotas(concurrent=1))
        places = [limits.enter(tenant, entity, 0.0) for tenant in ("t", "u") for entity in ("e", "f")]
        assert [place.retry_after for place in places] == [None] * 4
        for place in places:
            limits.leave(place)
        assert not limits._entities

    def test_a_request_beyond_the_rate_takes_no_place(self) -> None:
        """And gives none back."""
        limits = Limits(Quotas(requests=(Window(60, 1),), concurrent=1))
        first, second = limits.enter("t", "e", 0.0), limits.enter("t", "e", 0.0)
        assert (first.entity, second.entity) == (("t", "e"), None)


class TestAddresses:
    """Whose failures are counted."""

    def test_memory_is_bounded(self) -> None:
        """Whoever has many addresses makes the oldest be forgotten, and nothing grow."""
        limits = Limits(Quotas(failed_logins=Window(60, 1)))
        for each in range(limits_module.MOST_ADDRESSES + 10):
            limits.login_begins(str(each), 0.0)
        assert len(limits._addresses) == limits_module.MOST_ADDRESSES
        assert limits.login_begins("5", 0.0) is None
        assert limits.login_begins(str(limits_module.MOST_ADDRESSES), 0.0) == 60

    def test_an_address_that_is_none_counts_as_one(self) -> None:
        """All such together: they can't be told apart."""
        assert counted_address(None) == counted_address("unix") == ""
        assert counted_address("fe80::1%eth0") == "fe80::/64"
        assert counted_address("2001:db8:0:1::5") != counted_address("2001:db8:0:2::5")
