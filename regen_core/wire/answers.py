"""The bodies of answers as bytes: success with its ids, refusal with its reason. Ids of the call come in as values."""

from __future__ import annotations

import json
from collections.abc import Iterable

from regen_core.refusals import Refusal

__all__ = ["error_body", "success_body"]


def success_body(id_list: Iterable[str]) -> bytes:
    """What a regeneration answers: the ids of the transactions that were written or sent (TBL-R).

    >>> success_body(["adc0855557e506d35afa7e9ab75f0bfc"])
    b'{"success":true,"idList":["adc0855557e506d35afa7e9ab75f0bfc"]}'
    """
    return _body({"success": True, "idList": list(id_list)})


def error_body(refusal: Refusal, *, process_id: str, request_id: str) -> bytes:
    """What a refusal answers: one reason with its integer code and its message (PRE-2).

    >>> from regen_core.refusals import ConflictingFlags
    >>> error_body(ConflictingFlags(), process_id="p", request_id="r")[:60]
    b'{"success":false,"processId":"p","requestId":"r","reasons":['
    """
    reason = {"code": refusal.code, "message": refusal.message}
    return _body({"success": False, "processId": process_id, "requestId": request_id, "reasons": [reason]})


def _body(answer: dict[str, object]) -> bytes:
    return json.dumps(answer, separators=(",", ":")).encode()
