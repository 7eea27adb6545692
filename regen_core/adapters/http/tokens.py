"""Bearer tokens: opaque, random, kept as hashes only, and expiring; which caller stands behind one."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable
from hashlib import sha256
from typing import Final

from attrs import field, frozen

from regen_core.access import Caller

__all__ = ["LIFETIME", "MOST_PER_CLIENT", "Tokens"]

LIFETIME: Final = 3600
"""Seconds for which a token is valid: the hour that Zuora gives."""

MOST_PER_CLIENT: Final = 1000
"""Tokens of one client that are valid at once; a new one beyond that ends the oldest. Many workers, bounded memory."""

_RANDOM_BYTES: Final = 32
"""256 bits: nobody finds a token by trying."""


@frozen
class _Issued:
    caller: Caller
    expires_at: float


@frozen(eq=False)
class Tokens:
    """The tokens that are valid, on a clock that gives seconds. Used from one thread, the event loop's.

    >>> now = [0.0]
    >>> tokens = Tokens(clock=lambda: now[0])
    >>> caller = Caller(tenant="t", client="c", entities=frozenset({"e"}))
    >>> token = tokens.issue(caller)
    >>> tokens.caller_of(token) is caller
    True
    >>> now[0] = LIFETIME
    >>> tokens.caller_of(token) is None
    True
    """

    clock: Callable[[], float]
    most_per_client: int = MOST_PER_CLIENT
    _issued: dict[tuple[str, str], OrderedDict[bytes, _Issued]] = field(factory=dict, init=False)
    """By tenant and client, the oldest first."""
    _by_digest: dict[bytes, _Issued] = field(factory=dict, init=False)

    def issue(self, caller: Caller) -> str:
        """A new token for a caller; what of the client's has expired is forgotten."""
        token = secrets.token_urlsafe(_RANDOM_BYTES)
        digest, now = _digest(token), self.clock()
        mine = self._issued.setdefault((caller.tenant, caller.client), OrderedDict())
        while mine and (len(mine) >= self.most_per_client or next(iter(mine.values())).expires_at <= now):
            del self._by_digest[mine.popitem(last=False)[0]]
        mine[digest] = self._by_digest[digest] = _Issued(caller, now + LIFETIME)
        return token

    def caller_of(self, token: str) -> Caller | None:
        """Who has a token, ``None`` for an unknown, expired or malformed one."""
        issued = self._by_digest.get(_digest(token))
        return issued.caller if issued is not None and self.clock() < issued.expires_at else None


def _digest(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogatepass")).digest()
