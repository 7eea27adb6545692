"""How long a receiver asks to wait: each form of ``Retry-After``, to the second, and what is no wish at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from regen_core.retry_after import MOST_SECONDS, asked_wait

NOW = datetime(1994, 11, 6, 8, 0, 0, tzinfo=UTC)
AT = timedelta(minutes=49, seconds=37)
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class TestSeconds:
    """A number of seconds."""

    @pytest.mark.parametrize(
        ("value", "seconds"),
        [
            ("0", 0),
            ("1", 1),
            ("120", 120),
            ("000", 0),
            ("0070", 70),
            ("0" * 20 + "7", 7),
            (" 7\t", 7),
            ("\t 7 ", 7),
            (str(MOST_SECONDS), MOST_SECONDS),
            (str(MOST_SECONDS + 1), MOST_SECONDS),
            ("9" * 5000, MOST_SECONDS),
            ("1" + "0" * 80, MOST_SECONDS),
        ],
    )
    def test_are_read_to_the_most(self, value: str, seconds: int) -> None:
        assert asked_wait(value, NOW) == timedelta(seconds=seconds)

    def test_the_most_is_about_thirty_years(self) -> None:
        assert MOST_SECONDS == 1_000_000_000

    @pytest.mark.parametrize("value", ["", " ", "-1", "1.5", "1 2", "٣", "1\n", "\xa01", "soon", "7s", "X7", "7X"])
    def test_what_is_no_number_is_no_wish(self, value: str) -> None:
        assert asked_wait(value, NOW) is None


class TestDates:
    """A moment, in the form that is written and in the two that must be read."""

    @pytest.mark.parametrize(
        "value",
        [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            " Sun, 06 Nov 1994 08:49:37 GMT\t",
        ],
    )
    def test_all_forms_say_the_same(self, value: str) -> None:
        assert asked_wait(value, NOW) == AT

    @pytest.mark.parametrize(("place", "month"), list(enumerate(MONTHS, start=1)))
    def test_every_month(self, place: int, month: str) -> None:
        wanted = datetime(1995, place, 1, tzinfo=UTC) - NOW
        assert asked_wait(f"Sun, 01 {month} 1995 00:00:00 GMT", NOW) == wanted

    def test_what_is_past_is_no_wait(self) -> None:
        assert asked_wait("Sun, 06 Nov 1994 07:59:59 GMT", NOW) == timedelta(0)

    def test_a_leap_second_is_the_second_before(self) -> None:
        assert asked_wait("Sun, 06 Nov 1994 08:00:60 GMT", NOW) == timedelta(seconds=59)
        assert asked_wait("Sun, 06 Nov 1994 08:00:59 GMT", NOW) == timedelta(seconds=59)
        assert asked_wait("Sun, 06 Nov 1994 08:00:58 GMT", NOW) == timedelta(seconds=58)

    @pytest.mark.parametrize(("digits", "year"), [("76", 2076), ("77", 1977), ("26", 2026), ("25", 2025), ("00", 2000)])
    def test_two_digits_are_at_most_fifty_years_ahead(self, digits: str, year: int) -> None:
        now = datetime(2026, 1, 1, tzinfo=UTC)
        wanted = max(datetime(year, 3, 1, tzinfo=UTC) - now, timedelta(0))
        assert asked_wait(f"Sunday, 01-Mar-{digits} 00:00:00 GMT", now) == wanted

    def test_the_century_is_that_of_now(self) -> None:
        now = datetime(2000, 1, 1, tzinfo=UTC)
        assert asked_wait("Wednesday, 01-Mar-00 00:00:00 GMT", now) == timedelta(days=60)

    def test_a_day_that_only_the_century_before_has(self) -> None:
        """1980 had a 29 February: the moment is read, and past."""
        now = datetime(2026, 1, 1, tzinfo=UTC)
        assert asked_wait("Friday, 29-Feb-80 00:00:00 GMT", now) == timedelta(0)
        assert asked_wait("Friday, 29-Feb-79 00:00:00 GMT", now) is None

    @pytest.mark.parametrize(
        "value",
        [
            "Sun, 06 Nox 1994 08:49:37 GMT",
            "Sun, 31 Feb 1995 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:00:00 GMT",
            "Sun, 06 Nov 1994 08:60:00 GMT",
            "Sun, 06 Nov 0000 08:00:00 GMT",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 0٦ Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 GMT" + " " * 3 + "x",
            "Sun, 06 Nov 1994 08:49:37 GMT" * 3,
        ],
    )
    def test_what_is_no_moment_is_no_wish(self, value: str) -> None:
        assert asked_wait(value, NOW) is None
