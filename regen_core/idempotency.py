"""What a request under an Idempotency-Key does: proceed, replay, wait or be refused (IDM), as a pure decision.

A store keeps the records and a lock says which key is running; the clock's reading comes in as a value. Zuora's pages
disagree on two points: whether a repeat comes back with its first status or as 409 with the result inside, and whether
a key may have 255 characters. Here the first status and 255 (IDM-1, IDM-9); the other is a setting of a service.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Final

from attrs import frozen

from regen_core.access import Scope
from regen_core.documents import DocumentKey
from regen_core.refusals import DocumentNotFound, IdempotencyKeyInProgress, IdempotencyKeyReused, Refusal
from regen_core.regeneration import Regeneration
from regen_core.request import RegenerateRequest

__all__ = [
    "IdempotencyRecord",
    "KEY_IS_RUNNING",
    "KEY_LIFETIME",
    "MAX_KEY_LENGTH",
    "Proceed",
    "Replay",
    "RequestMeaning",
    "Running",
    "consult",
    "is_saved",
    "key_digest",
    "key_fault",
    "meaning_of",
]

KEY_LIFETIME: Final = timedelta(hours=24)
"""How long a key lives from being set (IDM-2, *Idempotent requests*)."""

MAX_KEY_LENGTH: Final = 255
"""Longest key in characters (IDM-9); clients of our own send at most 254, which the other page asks for."""

OPERATION_PATH: Final = "/v1/uno-regenerate/billing-transaction"


@frozen(kw_only=True)
class RequestMeaning:
    """What two requests under one key must agree on: their parsed meaning, defaults applied (IDM-4)."""

    method: str
    path: str
    entity: str
    requested_orgs: frozenset[str] | None
    request: RegenerateRequest


def meaning_of(scope: Scope, request: RegenerateRequest, *, method: str = "POST") -> RequestMeaning:
    """The meaning of a request to the operation's own path (IDM-4)."""
    return RequestMeaning(
        method=method,
        path=OPERATION_PATH,
        entity=scope.entity,
        requested_orgs=scope.requested_orgs,
        request=request,
    )


@frozen(kw_only=True)
class IdempotencyRecord:
    """What is saved under a key: the request's meaning and its first result.

    Fields: ``status`` and ``body`` as they were answered, before compression; ``documents`` that the first result is
    about: none where none was found, two where id and number named different ones (IDM-6); ``set_at`` on the store's
    clock.
    """

    meaning: RequestMeaning
    status: int
    body: bytes
    documents: tuple[DocumentKey, ...]
    set_at: datetime


@frozen
class Running:
    """Another request holds the key right now. It is never stored: the claim ends with its process (IDM-7)."""


@frozen
class Proceed:
    """The key is new, or its record has expired: execute the request and save the result."""


@frozen
class Replay:
    """Answer with the saved result; nothing is written and nothing is sent (IDM-8)."""

    status: int
    body: bytes


KEY_IS_RUNNING: Final = IdempotencyKeyInProgress()
"""What everybody hears whose key is running, whatever they ask (IDM-3)."""


def consult(
    found: IdempotencyRecord | Running | None, meaning: RequestMeaning, now: datetime, *, documents_are_visible: bool
) -> Proceed | Replay | IdempotencyKeyInProgress | IdempotencyKeyReused | DocumentNotFound:
    """What to do with a request whose key was looked up.

    ``now`` is the store's clock; ``documents_are_visible`` tells whether the caller may still see all of
    ``found.documents`` (true where there are none: that nothing was found is given again, even where there is
    something by now). Rules IDM-1 … IDM-4, IDM-6.

    >>> from regen_core.documents import DocumentType
    >>> request = RegenerateRequest(type=DocumentType.INVOICE, id="8ad08d29")
    >>> meaning = meaning_of(Scope(tenant="t", entity="e", orgs=None), request)
    >>> consult(None, meaning, datetime(2026, 1, 31), documents_are_visible=True)
    Proceed()
    """
    if isinstance(found, Running):
        return KEY_IS_RUNNING
    if found is None or now >= found.set_at + KEY_LIFETIME:
        return Proceed()
    if found.meaning != meaning:
        return IdempotencyKeyReused()
    if not documents_are_visible:
        return DocumentNotFound(meaning.request.type)
    return Replay(found.status, found.body)


def is_saved(outcome: Regeneration | Refusal) -> bool:
    """Whether an outcome is saved under its key: a success, or a refusal that the operation decided (IDM-6)."""
    if isinstance(outcome, Regeneration):
        return True
    return outcome.rank is not None and 15 <= outcome.rank <= 19


def key_fault(key: str) -> str | None:
    """What is wrong with a key, or ``None``: 1 to 255 visible ASCII characters (IDM-9).

    >>> key_fault("order 7")
    'holds a character that is not visible ASCII'
    """
    if not 1 <= len(key) <= MAX_KEY_LENGTH:
        return f"has {len(key)} characters; expected 1 to {MAX_KEY_LENGTH}"
    if not all("!" <= character <= "~" for character in key):
        return "holds a character that is not visible ASCII"
    return None


def key_digest(tenant: str, client: str, key: str) -> str:
    """What is stored instead of the key: it is bound to its tenant and client, and can't be read back (IDM-5)."""
    hashed = blake2b(digest_size=16, person=b"regen_core IDM-5")
    for part in (tenant, client, key):
        encoded = part.encode()
        hashed.update(len(encoded).to_bytes(4, "big") + encoded)
    return hashed.hexdigest()
