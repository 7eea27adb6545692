"""One call of the operation as a store takes it: the scope, the request, and the Idempotency-Key that it came with."""

from __future__ import annotations

from collections.abc import Callable

from attrs import field, frozen

from regen_core.access import Scope
from regen_core.refusals import Refusal
from regen_core.regeneration import Regeneration
from regen_core.request import RegenerateRequest
from regen_core.transactions import Occasion

__all__ = ["Answer", "IdempotentCall", "RegenerateCall"]


@frozen
class Answer:
    """A status and the body bytes as answered, before compression (IDM-1)."""

    status: int
    body: bytes


@frozen(kw_only=True)
class IdempotentCall:
    """The Idempotency-Key of a call, the client that it belongs to, and how the outcome is answered (IDM-1, IDM-5).

    ``answer`` is called within the unit of work for an outcome that is saved (IDM-6), once for each time that the unit
    is begun; it must be pure. The key is in no ``repr``.
    """

    client: str
    key: str = field(repr=False)
    answer: Callable[[Regeneration | Refusal], Answer]


@frozen(kw_only=True)
class RegenerateCall:
    """One caller's call; ``occasion`` ``None`` leaves who and when unknown, ``idempotent`` ``None``: it has no key."""

    scope: Scope
    request: RegenerateRequest
    occasion: Occasion | None = None
    idempotent: IdempotentCall | None = None
