"""Answers of the operation turned back into what was decided: the reverse of how the service tells it.

What a body shows is less than the refusal's value. ``NothingToResend`` tells one of its two counts; the other one comes
from whoever asks. Everything else that the kit compares is in status, code and message.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final

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
from tests.http_laws.calling import Heard

__all__ = ["checked_error", "checked_success", "refusal_in"]

_CLOSED: Final[tuple[Refusal, ...]] = (
    ConflictingFlags(),
    IdempotencyKeyInProgress(),
    IdempotencyKeyReused(),
    ConcurrentModification(),
    *[of(kind) for kind in DocumentType for of in (DocumentNotFound, DocumentReferenceMismatch)],
    *[DocumentNotPosted(kind, POSTED_STATUS[kind]) for kind in DocumentType],
)
_TOLD: Final = {(each.http_status, each.code, each.message): each for each in _CLOSED}
_ITEM: Final = re.compile(r'item ("(?:[^"\\]|\\.)*"): (.+?)(?=; item "|\. Nothing was written\.$)')
_ITEMS_ONLY: Final = re.compile(r"\(items: (\d+)\)")
_STORED_ONLY: Final = re.compile(r"\(stored: (\d+)\)")


def checked_success(heard: Heard) -> tuple[str, ...]:
    """The ``idList`` of a success, which has its one shape (TBL-R)."""
    told = heard.json
    assert heard.status == 200, heard
    assert told == {"success": True, "idList": told["idList"]}, heard
    assert heard.header("content-type") == "application/json"
    return tuple(told["idList"])


def checked_error(heard: Heard) -> tuple[int, str]:
    """Code and message of an error, which has its one shape (PRE-2)."""
    told = heard.json
    (reason,) = told["reasons"]
    expected = {"success", "processId", "requestId", "reasons"} | ({"message"} if heard.status == 401 else set())
    assert told.keys() == expected, heard
    assert told["success"] is False
    assert reason.keys() == {"code", "message"}
    assert type(reason["code"]) is int
    assert len(str(reason["code"])) == 8
    assert isinstance(reason["message"], str)
    assert told.get("message", reason["message"]) == reason["message"]
    assert heard.header("content-type") == "application/json"
    return reason["code"], reason["message"]


def refusal_in(heard: Heard, uncounted: Callable[[], int]) -> Refusal:
    """The refusal that an answer tells; ``uncounted`` counts the items where only the stored ones are told."""
    code, message = checked_error(heard)
    known = _TOLD.get((heard.status, code, message))
    if known is not None:
        return known
    refusal = _counted(message, uncounted) if "resend" in message or "hear" in message else _unmappable(message)
    assert (refusal.http_status, refusal.code, refusal.message) == (heard.status, code, message), heard
    return refusal


def _counted(message: str, uncounted: Callable[[], int]) -> NothingToResend:
    items, stored = _ITEMS_ONLY.search(message), _STORED_ONLY.search(message)
    if items is not None:
        return NothingToResend(items=int(items[1]), stored=0)
    assert stored is not None, message
    return NothingToResend(items=uncounted(), stored=int(stored[1]))


def _unmappable(message: str) -> UnmappableItem:
    found: list[Any] = _ITEM.findall(message)
    assert found, f"no refusal of the operation's own says {message!r}"
    return UnmappableItem(tuple(UnmappedItem(json.loads(name), because) for name, because in found))
