"""What an answer over HTTP says: a success with its ids, or the refusal that its status and code stand for.

A message is never read: other services say it in other words. Three refusals share status and code, and some have
parts that no answer tells; there the answer counts as what it should be, as long as status and code are those.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from regen_core.documents import POSTED_STATUS, DocumentType
from regen_core.refusals import (
    ConcurrentModification,
    ConflictingFlags,
    DocumentNotFound,
    DocumentNotPosted,
    DocumentReferenceMismatch,
    IdempotencyKeyInProgress,
    IdempotencyKeyReused,
    NothingToResend,
    Refusal,
    UnmappableItem,
    UnmappedItem,
)
from regen_core.testing.laws import LawBrokenError, Violation
from regen_core.testing.over_http import Heard
from regen_core.testing.subject import Executed

__all__ = ["outcome_heard"]

_UNFORESEEN: Final = "unforeseen"


def _possible(kind: DocumentType) -> tuple[Refusal, ...]:
    """Every refusal that a well-formed request for a document of this type can hear."""
    return (
        ConflictingFlags(),
        IdempotencyKeyInProgress(),
        IdempotencyKeyReused(),
        DocumentNotFound(kind),
        DocumentReferenceMismatch(kind),
        DocumentNotPosted(kind, POSTED_STATUS[kind]),
        UnmappableItem((UnmappedItem("untold", "an answer doesn't have to tell it"),)),
        NothingToResend(items=0, stored=0),
        ConcurrentModification(),
    )


def outcome_heard(heard: Heard, kind: DocumentType, expected: Callable[[], object]) -> Executed | Refusal:
    """What a service answered; ``expected`` is asked where that is not all in status and code.

    Raises ``LawBrokenError`` for an answer that no request of the kit's can get.
    """
    if heard.status == 200:
        return _executed(heard)
    found = [each for each in _possible(kind) if (each.http_status, each.code) == (heard.status, heard.code)]
    if not found:
        raise _unforeseen(f"answered {heard.status} with code {heard.code}: {heard.body[:300]!r}")
    should_be = expected() if len(found) > 1 or not isinstance(found[0], _WHOLE) else found[0]
    matching = [each for each in found if type(each) is type(should_be)]
    return should_be if matching else found[0]  # type: ignore[return-value]  # it has the type of a refusal


_WHOLE: Final = (
    ConflictingFlags, IdempotencyKeyInProgress, IdempotencyKeyReused, DocumentNotFound, DocumentReferenceMismatch,
)  # fmt: skip
"""Refusals that status and code say all of."""


def _executed(heard: Heard) -> Executed:
    told = heard.json
    ids = told.get("idList") if isinstance(told, dict) else None
    if not isinstance(ids, list) or not all([isinstance(each, str) for each in ids]) or told.get("success") is not True:
        raise _unforeseen(f"answered 200 without success and idList: {heard.body[:300]!r}")
    return Executed(tuple(ids), heard.status, heard.body)


def _unforeseen(found: str) -> LawBrokenError:
    return LawBrokenError(Violation(_UNFORESEEN, found))
