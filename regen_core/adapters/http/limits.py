"""How much a tenant, an entity and an address may ask for: decisions over counts and given times, and who keeps them.

Names and defaults follow *Rate and concurrent request limits* (REQ-12). No clock here: ``now`` is in seconds of a clock
that never goes back.
"""

from __future__ import annotations

from collections import OrderedDict
from math import ceil
from typing import Final

from attrs import field, frozen

__all__ = ["Limits", "Place", "Quotas", "Rate", "Used", "Window", "count", "uncount"]

MOST_ADDRESSES: Final = 10_000
"""Addresses whose failed logins are remembered; beyond that the one that was quiet longest is forgotten."""

BUSY_SECONDS: Final = 1
"""When a request that met too many others of its entity may come again: most take milliseconds."""


@frozen
class Window:
    """At most ``quota`` requests in ``seconds``, counted from the first of them."""

    seconds: int
    quota: int


@frozen
class Used:
    """What is used up of a window that began at ``since``."""

    since: float
    requests: int


@frozen(kw_only=True)
class Rate:
    """Where a caller stands after a request, in the window that is closest to being used up.

    Fields: ``limit`` and ``remaining`` in requests; ``reset`` in seconds; ``retry_after`` in seconds where the request
    was one too many, else ``None``.
    """

    limit: int
    remaining: int
    reset: int
    retry_after: int | None


@frozen(kw_only=True)
class Quotas:
    """The limits of a service; the defaults are Zuora's for a production tenant.

    Fields: ``requests`` per tenant, one window or more; ``concurrent`` requests per entity; ``failed_logins`` per
    address.
    """

    requests: tuple[Window, ...] = (Window(60, 50_000), Window(3600, 2_250_000), Window(86_400, 27_000_000))
    concurrent: int = 200
    failed_logins: Window = Window(60, 20)


def count(windows: tuple[Window, ...], used: tuple[Used, ...], now: float) -> tuple[tuple[Used, ...], Rate]:
    """Count one request against all windows; one that is too many counts against none.

    ``used`` is empty before the first request.

    >>> hourly = (Window(3600, 1),)
    >>> used, first = count(hourly, (), 0.0)
    >>> first.remaining, first.retry_after
    (0, None)
    >>> count(hourly, used, 600.0)[1].retry_after
    3000
    """
    before = used or (Used(now, 0),) * len(windows)
    current = [_current(window, part, now) for window, part in zip(windows, before, strict=True)]
    pairs = list(zip(windows, current, strict=True))
    waits = [_left(window, part, now) for window, part in pairs if part.requests >= window.quota]
    after = tuple(current if waits else [Used(part.since, part.requests + 1) for part in current])
    window, part = max(zip(windows, after, strict=True), key=lambda each: each[1].requests / each[0].quota)
    rate = Rate(
        limit=window.quota,
        remaining=window.quota - part.requests,
        reset=_left(window, part, now),
        retry_after=max(waits, default=None),
    )
    return after, rate


def uncount(used: tuple[Used, ...]) -> tuple[Used, ...]:
    """Take one request back out of the windows that it was counted in."""
    return tuple([Used(part.since, max(0, part.requests - 1)) for part in used])


def _current(window: Window, used: Used, now: float) -> Used:
    return Used(now, 0) if now >= used.since + window.seconds else used


def _left(window: Window, used: Used, now: float) -> int:
    return max(1, ceil(used.since + window.seconds - now))


@frozen
class Place:
    """A request among the others: when to come again if there was no place for it, and its limits as headers."""

    retry_after: int | None
    headers: tuple[tuple[str, str], ...]
    entity: tuple[str, str] | None
    """Where it occupies a place, to be given back; ``None`` where it doesn't."""


@frozen(eq=False)
class Limits:
    """What is used up at present. Used from one thread, the event loop's."""

    quotas: Quotas = field(factory=Quotas)
    _tenants: dict[str, tuple[Used, ...]] = field(factory=dict, init=False)
    _entities: dict[tuple[str, str], int] = field(factory=dict, init=False)
    _addresses: OrderedDict[str, tuple[Used, ...]] = field(factory=OrderedDict, init=False)

    def enter(self, tenant: str, entity: str | None, now: float) -> Place:
        """Count a request of a tenant, and give it a place in its entity where both limits have room.

        ``entity`` ``None`` is a request that will be refused before it needs a place. Give the place to :meth:`leave`.
        """
        used, rate = count(self.quotas.requests, self._tenants.get(tenant, ()), now)
        self._tenants[tenant] = used
        busy, key = 0, None if entity is None else (tenant, entity)
        retry_after = rate.retry_after
        if key is not None:
            busy = self._entities.get(key, 0)
            if retry_after is None and busy >= self.quotas.concurrent:
                retry_after = BUSY_SECONDS
        occupied = key if retry_after is None else None
        if occupied is not None:
            busy += 1
            self._entities[occupied] = busy
        return Place(retry_after, self._headers(rate, busy), occupied)

    def _headers(self, rate: Rate, busy: int) -> tuple[tuple[str, str], ...]:
        """The headers by Zuora's names (REQ-12)."""
        return (
            ("ratelimit-limit", str(rate.limit)),
            ("ratelimit-remaining", str(rate.remaining)),
            ("ratelimit-reset", str(rate.reset)),
            ("concurrency-limit-type", "Default"),
            ("concurrency-limit-limit", str(self.quotas.concurrent)),
            ("concurrency-limit-remaining", str(max(0, self.quotas.concurrent - busy))),
        )

    def leave(self, place: Place) -> None:
        """Give a place back."""
        if place.entity is not None:
            left = self._entities[place.entity] - 1
            if left:
                self._entities[place.entity] = left
            else:
                del self._entities[place.entity]

    def login_begins(self, address: str, now: float) -> int | None:
        """Count a login of an address as failed until it succeeds; seconds to wait where there were too many."""
        used, rate = count((self.quotas.failed_logins,), self._addresses.get(address, ()), now)
        self._addresses[address] = used
        self._addresses.move_to_end(address)
        if len(self._addresses) > MOST_ADDRESSES:
            self._addresses.popitem(last=False)
        return rate.retry_after

    def login_succeeded(self, address: str) -> None:
        """Take back that a login was counted as failed."""
        if address in self._addresses:
            self._addresses[address] = uncount(self._addresses[address])
