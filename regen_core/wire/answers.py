"""The answers of the operation as statuses and bytes. Ids of the call come in as values."""

from __future__ import annotations

import json
from collections.abc import Iterable

from attrs import frozen

from regen_core.idempotency import Replay, is_saved
from regen_core.ports import Answer
from regen_core.refusals import Refusal, Unauthenticated
from regen_core.regeneration import Regeneration

__all__ = ["AnswerStyle", "answer_to", "error_body", "success_body"]

_CONFLICT = 409
_write = json.JSONEncoder(separators=(",", ":")).encode


@frozen(kw_only=True)
class AnswerStyle:
    """Which of the ways that Zuora documents a service answers in; the defaults are those of the operation's own page.

    Fields: ``business_failures_are_ok`` answers what the operation itself refused (ranks 15 to 19) with 200 and
    ``success: false`` (PRE-3, *Error handling*); ``replays_are_conflicts`` answers a replay with 409 and the first
    result as its body (IDM-1, *Error handling*).
    """

    business_failures_are_ok: bool = False
    replays_are_conflicts: bool = False


def answer_to(
    outcome: Regeneration | Refusal | Replay, style: AnswerStyle, *, process_id: str, request_id: str
) -> Answer:
    """The status and body bytes of an outcome.

    >>> from regen_core.documents import DocumentType
    >>> from regen_core.refusals import DocumentNotFound
    >>> refusal = DocumentNotFound(DocumentType.INVOICE)
    >>> style = AnswerStyle(business_failures_are_ok=True)
    >>> [answer_to(refusal, each, process_id="p", request_id="r").status for each in (AnswerStyle(), style)]
    [404, 200]
    """
    if isinstance(outcome, Regeneration):
        return Answer(200, success_body(outcome.id_list))
    if isinstance(outcome, Replay):
        return Answer(_CONFLICT if style.replays_are_conflicts else outcome.status, outcome.body)
    is_ok = style.business_failures_are_ok and is_saved(outcome)
    body = error_body(outcome, process_id=process_id, request_id=request_id)
    return Answer(200 if is_ok else outcome.http_status, body)


def success_body(id_list: Iterable[str]) -> bytes:
    """What a regeneration answers: the ids of the transactions that were written or sent (TBL-R).

    >>> success_body(["adc0855557e506d35afa7e9ab75f0bfc"])
    b'{"success":true,"idList":["adc0855557e506d35afa7e9ab75f0bfc"]}'
    """
    return _body({"success": True, "idList": list(id_list)})


def error_body(refusal: Refusal, *, process_id: str, request_id: str) -> bytes:
    """What a refusal answers: one reason with its integer code and its message (PRE-2).

    Who isn't authenticated also finds the message on the outside, where the official SDK looks for it.

    >>> from regen_core.refusals import ConflictingFlags
    >>> error_body(ConflictingFlags(), process_id="p", request_id="r")[:60]
    b'{"success":false,"processId":"p","requestId":"r","reasons":['
    """
    reason = {"code": refusal.code, "message": refusal.message}
    beside = {"message": refusal.message} if isinstance(refusal, Unauthenticated) else {}
    told = {"success": False, "processId": process_id, "requestId": request_id, "reasons": [reason], **beside}
    return _body(told)


def _body(answer: dict[str, object]) -> bytes:
    return _write(answer).encode()
