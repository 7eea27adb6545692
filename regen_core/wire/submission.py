"""The raw request as values, admitted or refused: ranks 0 to 12 of the ladder, strictly in order (PRE-1).

Owns how path, headers, query and body are read (REQ-3 … REQ-14). It knows no HTTP library, no token and no store: the
caller comes in authenticated or as ``None``, the limits as a verdict. Source: *Regenerate billing transactions*.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Final

from attrs import field, frozen

from regen_core.access import Caller, Scope, authorize
from regen_core.decision_table import DECISION_TABLE
from regen_core.documents import DocumentType, name_fault
from regen_core.idempotency import OPERATION_PATH, key_fault
from regen_core.refusals import (
    ConflictingFlags,
    InvalidField,
    InvalidHeader,
    InvalidParameter,
    LimitExceeded,
    MethodNotAllowed,
    MissingField,
    PayloadTooLarge,
    Refusal,
    Unauthenticated,
    UnknownField,
    UnknownPath,
    UnreadableBody,
    UnsupportedEncoding,
)
from regen_core.request import RegenerateRequest
from regen_core.wire.strict_json import JsonFault, JsonValue, parse

__all__ = ["Admitted", "MAX_BODY_BYTES", "MAX_TRACK_ID_LENGTH", "Submission", "admit", "track_id_of"]

MAX_BODY_BYTES: Final = 64 * 1024
"""Longest body in bytes, raw and inflated: a reference to one document needs a few hundred, at most."""

MAX_TRACK_ID_LENGTH: Final = 64
"""Longest ``Zuora-Track-Id`` in characters (REQ-9)."""

_METHOD: Final = "POST"
_FLAGS: Final = ("onlyReSend", "reMigrate")
_FIELDS: Final = ("type", "id", "documentId", "number")
_TYPES: Final = {kind.value: kind for kind in DocumentType}
_TRACK_ID: Final = re.compile(f"[ !#-&(-9<-~]{{0,{MAX_TRACK_ID_LENGTH}}}")
_MEDIA_TYPE: Final = re.compile(
    r'application/json[ \t]*(?:;[ \t]*charset[ \t]*=[ \t]*"?utf-?8"?[ \t]*)?;?', re.IGNORECASE
)


@frozen(kw_only=True, slots=False)
class Submission:
    """One request as it came.

    Fields: ``path`` without the query; ``query`` and ``headers`` as decoded pairs in their order, repeated ones
    repeated; ``body`` raw, still compressed; ``caller`` ``None`` where authentication failed; ``retry_after`` in
    seconds where a limit is used up, ``None`` where none is.
    """

    method: str = _METHOD
    path: str = OPERATION_PATH
    query: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: bytes = field(repr=False)
    caller: Caller | None
    retry_after: int | None = None

    @cached_property
    def named_headers(self) -> Mapping[str, Sequence[str]]:
        """Header values by lower-case name: names are ASCII and matched in any case."""
        headers: dict[str, list[str]] = {}
        for name, value in self.headers:
            if name.isascii():
                headers.setdefault(name.lower(), []).append(value)
        return headers

    @cached_property
    def scope(self) -> Scope | Refusal:
        """The scope, or the refusal of ranks 1 to 4: what limits need to know, which come next.

        >>> Submission(body=b"", caller=Caller(tenant="t", client="c", entities=frozenset({"e"}))).scope.entity
        'e'
        """
        return _scope(self.caller, self.named_headers)


@frozen(kw_only=True)
class Admitted:
    """A request that passed ranks 0 to 12; ``idempotency_key`` and ``track_id`` ``None`` mean that none was sent."""

    scope: Scope
    request: RegenerateRequest
    idempotency_key: str | None = field(repr=False)
    track_id: str | None


def admit(submission: Submission, *, max_body_bytes: int = MAX_BODY_BYTES) -> Admitted | Refusal:
    """The request and its scope, or the first refusal of ranks 0 to 12 (PRE-1).

    >>> caller = Caller(tenant="t", client="c", entities=frozenset({"e"}))
    >>> admitted = admit(Submission(body=b'{"type": "Invoice", "id": "8ad08d29"}', caller=caller))
    >>> admitted.request.id, admitted.scope.entity
    ('8ad08d29', 'e')
    >>> admit(Submission(body=b"", caller=None)).name
    'Unauthenticated'
    """
    headers = submission.named_headers
    refusal = _before_everything(submission, headers, max_body_bytes)
    if refusal is not None:
        return refusal
    scope = submission.scope
    if not isinstance(scope, Scope):
        return scope
    if submission.retry_after is not None:
        return LimitExceeded(submission.retry_after)
    refusal = _header_refusal(headers)
    if refusal is not None:
        return refusal
    body = _read_body(submission.body, _is_gzip(headers), max_body_bytes)
    if isinstance(body, UnreadableBody):
        return body
    request = _request(submission.query, body)
    if not isinstance(request, RegenerateRequest):
        return request
    key, track = headers.get("idempotency-key"), headers.get("zuora-track-id")
    return Admitted(
        scope=scope,
        request=request,
        idempotency_key=key[0] if key else None,
        track_id=track[0] if track else None,
    )


_Headers = Mapping[str, Sequence[str]]


def track_id_of(headers: Sequence[tuple[str, str]]) -> str | None:
    """The track id to return with the response, errors included, or ``None`` (REQ-9); an invalid one isn't returned.

    >>> track_id_of([("zuora-track-id", "job 7")]), track_id_of([("Zuora-Track-Id", "job:7")])
    ('job 7', None)
    """
    sent = [value for name, value in headers if name.isascii() and name.lower() == "zuora-track-id"]
    return sent[0] if len(sent) == 1 and _TRACK_ID.fullmatch(sent[0]) is not None else None


def _before_everything(submission: Submission, headers: _Headers, max_body_bytes: int) -> Refusal | None:
    if submission.path != OPERATION_PATH:
        return UnknownPath()
    if submission.method != _METHOD:
        return MethodNotAllowed((_METHOD,))
    if len(submission.body) > max_body_bytes:
        return PayloadTooLarge(max_body_bytes)
    media_types, encodings = headers.get("content-type", ()), headers.get("content-encoding", ())
    if len(media_types) > 1 or any([_MEDIA_TYPE.fullmatch(each) is None for each in media_types]):
        return UnsupportedEncoding("Content-Type")
    if len(encodings) > 1 or any([each.lower() not in ("gzip", "identity") for each in encodings]):
        return UnsupportedEncoding("Content-Encoding")
    return None


def _is_gzip(headers: _Headers) -> bool:
    return [each.lower() for each in headers.get("content-encoding", ())] == ["gzip"]


def _scope(caller: Caller | None, headers: _Headers) -> Scope | Refusal:
    """Ranks 1 to 4."""
    if caller is None or len(headers.get("authorization", ())) > 1:
        return Unauthenticated()
    return authorize(caller, _only(headers, "zuora-entity-ids"), _only(headers, "zuora-org-ids"))


def _only(headers: _Headers, name: str) -> str | None:
    """The value of a header; one that came twice is blank, and nothing accessible is called so."""
    sent = headers.get(name, ())
    return None if not sent else sent[0] if len(sent) == 1 else ""


def _header_refusal(headers: _Headers) -> InvalidHeader | None:
    """Rank 6."""
    keys, tracks = headers.get("idempotency-key", ()), headers.get("zuora-track-id", ())
    if len(keys) > 1 or any([key_fault(key) is not None for key in keys]):
        return InvalidHeader("Idempotency-Key", "it once, with 1 to 255 visible ASCII characters")
    if len(tracks) > 1 or any([_TRACK_ID.fullmatch(track) is None for track in tracks]):
        expected = f"it once, with at most {MAX_TRACK_ID_LENGTH} printable ASCII characters other than : ; \" '"
        return InvalidHeader("Zuora-Track-Id", expected)
    return None


def _read_body(raw: bytes, is_gzip: bool, max_body_bytes: int) -> dict[str, JsonValue] | UnreadableBody:
    """Rank 7. The body is inflated only here, and never beyond the limit (REQ-13)."""
    text = raw
    if is_gzip and raw.startswith(b"\x1f\x8b"):
        inflated = _inflated(raw, max_body_bytes)
        if isinstance(inflated, str):
            return UnreadableBody(inflated)
        text = inflated
    try:
        body = parse(text)
    except JsonFault as fault:
        if not text.strip():
            return UnreadableBody("it is empty")
        return UnreadableBody(f"it holds {fault.fault} at line {fault.line}, column {fault.column}")
    return body if isinstance(body, dict) else UnreadableBody("it is JSON, but not an object")


def _inflated(raw: bytes, limit: int) -> bytes | str:
    """One complete gzip member within the limit, or what is wrong with it."""
    inflater = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        text = inflater.decompress(raw, limit + 1)
    except zlib.error:
        return "it is announced as gzip but is damaged"
    if len(text) > limit:
        return f"it inflates to more than {limit} bytes"
    if not inflater.eof:
        return "it is announced as gzip but ends early"
    return "it holds more than one gzip member" if inflater.unused_data else text


def _request(query: Sequence[tuple[str, str]], body: Mapping[str, JsonValue]) -> RegenerateRequest | Refusal:
    """Ranks 8 to 12."""
    flags = _flags(query, body)
    if isinstance(flags, InvalidParameter):
        return flags
    if DECISION_TABLE.rulings[flags] is None:
        return ConflictingFlags()
    unknown = next((name for name in body if name not in _FIELDS), None)
    if unknown is not None:
        return UnknownField(unknown)
    return _reference(body, *flags)


def _flags(query: Sequence[tuple[str, str]], body: Mapping[str, JsonValue]) -> tuple[bool, bool] | InvalidParameter:
    found: dict[str, bool] = {}
    for name, value in query:
        if name not in _FLAGS:
            return InvalidParameter(name, f"is unknown; known are {' and '.join(_FLAGS)}")
        if name in found:
            return InvalidParameter(name, "is given more than once; give it once")
        if value.lower() not in ("true", "false"):
            return InvalidParameter(name, "is neither true nor false; give one of them")
        found[name] = value.lower() == "true"
    in_body = next((name for name in _FLAGS if name in body), None)
    if in_body is not None:
        return InvalidParameter(in_body, "stands in the body; give it in the query")
    return found.get("onlyReSend", False), found.get("reMigrate", False)


def _reference(body: Mapping[str, JsonValue], only_re_send: bool, re_migrate: bool) -> RegenerateRequest | Refusal:
    """Ranks 11 and 12: what the body says about the document; ``null`` is like a field that isn't there."""
    given = {name: value for name, value in body.items() if value is not None}
    if "type" not in given:
        return MissingField("type")
    if not {"id", "documentId", "number"} & given.keys():
        return MissingField("id")
    kind = _TYPES.get(given["type"]) if isinstance(given["type"], str) else None
    if kind is None:
        return InvalidField("type", f"is not one of {', '.join(_TYPES)}")
    names: dict[str, str] = {}
    for name in _FIELDS[1:]:
        if name in given:
            fault = name_fault(given[name])
            if fault is not None:
                return InvalidField(name, f"{fault}; expected 1 to 255 characters, exactly as Zuora has them")
            names[name] = str(given[name])
    document_id = names.get("id", names.get("documentId"))
    if names.get("documentId", document_id) != document_id:
        return InvalidField("documentId", "differs from id, which is the same field by its newer name; give one")
    return RegenerateRequest(
        type=kind, id=document_id, number=names.get("number"), only_re_send=only_re_send, re_migrate=re_migrate
    )
