"""Requests, and what a request means under an Idempotency-Key, as canonical JSON and back (IDM-4)."""

from __future__ import annotations

from typing import Final

from regen_core.documents import DocumentType
from regen_core.idempotency import RequestMeaning
from regen_core.request import RegenerateRequest
from regen_core.wire.codec import BOOL, TEXT_OR_NONE, Codec, JsonObject, enum, or_none, parts_of, text, tuple_of

__all__ = ["meaning_json", "meaning_of", "request_json", "request_of"]

_REQUEST: Final = Codec(
    RegenerateRequest,
    {
        "type": enum(DocumentType),
        "id": TEXT_OR_NONE,
        "number": TEXT_OR_NONE,
        "only_re_send": BOOL,
        "re_migrate": BOOL,
    },
)


def request_json(request: RegenerateRequest) -> JsonObject:
    """A request with both flags, defaults applied."""
    return _REQUEST.full(request)


def request_of(json: object) -> RegenerateRequest:
    """The request that :func:`request_json` wrote."""
    return _REQUEST.read(json)


def meaning_json(meaning: RequestMeaning) -> JsonObject:
    """What two requests under one Idempotency-Key must agree on; a set of orgs in order (IDM-4)."""
    orgs = meaning.requested_orgs
    return {
        "method": meaning.method,
        "path": meaning.path,
        "entity": meaning.entity,
        "requested_orgs": None if orgs is None else sorted(orgs),
        "request": request_json(meaning.request),
    }


def meaning_of(json: object) -> RequestMeaning:
    """The meaning that :func:`meaning_json` wrote."""
    parts = parts_of(json, RequestMeaning, "method", "path", "entity", "requested_orgs", "request")
    orgs = or_none(tuple_of(text))(parts["requested_orgs"])
    return RequestMeaning(
        method=text(parts["method"]),
        path=text(parts["path"]),
        entity=text(parts["entity"]),
        requested_orgs=None if orgs is None else frozenset(orgs),
        request=request_of(parts["request"]),
    )
