"""``Retry-After`` as a length of time: a number of seconds, or one of the three forms of an HTTP date (RFC 9110).

Owns no decision: what is done with the wish is for the caller. Anything that is neither form is no wish.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

__all__ = ["MOST_SECONDS", "asked_wait"]

MOST_SECONDS: Final = 10**9
"""A longer wish reads as this, about thirty years: whoever honours it has a much lower limit of their own."""

_LONGEST: Final = 64
"""Characters: twice the longest date."""

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_TIME: Final = r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)"
_FORMS: Final = tuple(
    re.compile(form, re.ASCII)
    for form in (
        rf"[A-Z][a-z]{{2}}, (?P<day>\d\d) (?P<month>[A-Z][a-z]{{2}}) (?P<year>\d{{4}}) {_TIME} GMT",
        rf"[A-Z][a-z]{{5,8}}, (?P<day>\d\d)-(?P<month>[A-Z][a-z]{{2}})-(?P<year>\d\d) {_TIME} GMT",
        rf"[A-Z][a-z]{{2}} (?P<month>[A-Z][a-z]{{2}}) (?P<day>[ \d]\d) {_TIME} (?P<year>\d{{4}})",
    )
)
"""``Sun, 06 Nov 1994 08:49:37 GMT``, and the two forms that only old servers write."""


def asked_wait(value: str, now: datetime) -> timedelta | None:
    """How long to wait, at least nothing; ``None`` where the value can't be read. ``now`` with an offset.

    >>> asked_wait("120", datetime(2026, 1, 31, tzinfo=UTC))
    datetime.timedelta(seconds=120)
    >>> asked_wait("Sat, 31 Jan 2026 00:01:00 GMT", datetime(2026, 1, 31, tzinfo=UTC))
    datetime.timedelta(seconds=60)
    >>> asked_wait("soon", datetime(2026, 1, 31, tzinfo=UTC))
    """
    text = value.strip(" \t")
    if re.fullmatch("[0-9]+", text):
        digits = text.lstrip("0") or "0"
        return timedelta(seconds=min(int(digits[: len(str(MOST_SECONDS))]), MOST_SECONDS))
    moment = _moment(text, now) if len(text) <= _LONGEST else None
    return None if moment is None else max(moment - now, timedelta(0))


def _moment(text: str, now: datetime) -> datetime | None:
    for form in _FORMS:
        found = form.fullmatch(text)
        if found is not None:
            return _built(found, now)
    return None


def _built(found: re.Match[str], now: datetime) -> datetime | None:
    if found["month"] not in _MONTHS:
        return None
    year = int(found["year"])
    try:
        return datetime(
            year if len(found["year"]) > 2 else _full_year(year, now),
            _MONTHS.index(found["month"]) + 1,
            int(found["day"]),
            int(found["hour"]),
            int(found["minute"]),
            min(int(found["second"]), 59),
            tzinfo=UTC,
        )
    except ValueError:
        return None


def _full_year(two_digits: int, now: datetime) -> int:
    """The year with these last digits that is at most fifty years ahead."""
    year = now.year // 100 * 100 + two_digits
    return year - 100 if year > now.year + 50 else year
