"""What the page asks for, read strictly: each kind of question from its JSON, or the reason why it can't be read.

A question about the operation keeps the operation's own parts as they were typed, however wrong they are: refusing them
is the operation's business, and seeing that is what the page is for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlencode

import attrs
from attrs import field, frozen
from starlette.types import ASGIApp

from regen_core.adapters.http.window.faults import Faults
from regen_core.adapters.http.window.reading import DEFAULT_SHOWN, Looked
from regen_core.adapters.http.window.tampering import Tampering
from regen_core.documents import DocumentKey, DocumentType
from regen_core.wire.strict_json import JsonFault, JsonValue, dump, parse

__all__ = [
    "Asked",
    "AskedOperation",
    "AskedTampering",
    "Question",
    "Unreadable",
    "asked_of",
    "faults_of",
    "operation_of",
    "tampering_of",
]

T = TypeVar("T")


class Unreadable(ValueError):  # noqa: N818  # named for what is the matter
    """A question that can't be read; the message says what was expected."""


@frozen(kw_only=True)
class Asked:
    """On whose behalf the page asks, and what it shows.

    Fields: ``client`` and ``entity`` ``None`` mean the first there is; ``seen`` is the tag of the answer that is shown
    already, ``None`` where none is.
    """

    client: str | None = None
    entity: str | None = None
    seen: str | None = None
    looked: Looked = field(factory=Looked)


@frozen(kw_only=True)
class Question:
    """One question of the page: on whose behalf, its body, and the whole service that it came to."""

    asked: Asked
    body: bytes
    app: ASGIApp


@frozen(kw_only=True)
class AskedOperation:
    """One call of the operation as its raw parts.

    Fields: ``body`` is what its JSON body holds; ``flags`` are its query parameters; ``idempotency_key`` and
    ``track_id`` ``None`` mean that the header isn't sent.
    """

    body: Mapping[str, JsonValue]
    flags: Mapping[str, str]
    idempotency_key: str | None
    track_id: str | None

    @property
    def query(self) -> bytes:
        """The query string."""
        return urlencode(self.flags).encode()

    @property
    def text(self) -> bytes:
        """The body's bytes."""
        return dump(dict(self.body)).encode()

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """The headers of its own."""
        own = (("idempotency-key", self.idempotency_key), ("zuora-track-id", self.track_id))
        told = [(name, value) for name, value in own if value is not None]
        return (("content-type", "application/json"), *told)


@frozen(kw_only=True)
class AskedTampering:
    """Which line Revenue is to lose or to hold altered; the key's tenant and entity are those of the caller."""

    type: DocumentType
    id: str
    item_id: str
    how: Tampering

    def key(self, tenant: str, entity: str) -> DocumentKey:
        """The document's key."""
        return DocumentKey(tenant=tenant, entity=entity, type=self.type, id=self.id)


def asked_of(query: bytes) -> Asked:
    """The question in a query string; raises :class:`Unreadable`.

    >>> asked_of(b"name=INV-1&type=Invoice").looked.name
    'INV-1'
    """
    try:
        given = parse_qs(query.decode("ascii"), strict_parsing=bool(query), max_num_fields=16, errors="strict")
    except ValueError:
        raise Unreadable("The query string can't be read.") from None
    known = {"client", "entity", "seen", "type", "name", "limit", "after"}
    _only_known(given, known)
    one = {name: values[-1] for name, values in given.items()}
    limit = one.get("limit", str(DEFAULT_SHOWN))
    if not (limit.isascii() and limit.isdigit() and len(limit) <= 4):
        raise Unreadable("limit is a whole number.")
    kind = one.get("type")
    looked = _built(
        Looked,
        type=None if kind is None else _type(kind),
        name=one.get("name"),
        limit=int(limit),
        after=one.get("after"),
    )
    return Asked(client=one.get("client"), entity=one.get("entity"), seen=one.get("seen"), looked=looked)


def operation_of(body: bytes) -> AskedOperation:
    """A call of the operation; raises :class:`Unreadable`."""
    given = _object(body, "body", "flags", "idempotencyKey", "trackId")
    request, flags = given.get("body", {}), given.get("flags", {})
    if not isinstance(request, dict) or not isinstance(flags, dict):
        raise Unreadable("body and flags are objects.")
    if not all(isinstance(value, str) for value in flags.values()):
        raise Unreadable("flags are text, as they stand in a query string.")
    headers = {name: given.get(name) for name in ("idempotencyKey", "trackId")}
    if not all(value is None or (isinstance(value, str) and _is_one_line(value)) for value in headers.values()):
        raise Unreadable("idempotencyKey and trackId are text on one line, or null.")
    return AskedOperation(
        body=request,
        flags={name: str(value) for name, value in flags.items()},
        idempotency_key=_text_or_none(headers["idempotencyKey"]),
        track_id=_text_or_none(headers["trackId"]),
    )


def _is_one_line(text: str) -> bool:
    """Whether a header can carry it at all: what no HTTP client could send isn't sent here either."""
    return all(" " <= character <= "\xff" and character != "\x7f" for character in text)


def _text_or_none(value: JsonValue) -> str | None:
    return None if value is None else str(value)


def tampering_of(body: bytes) -> AskedTampering:
    """What is to happen to a line at Revenue; raises :class:`Unreadable`."""
    given = _object(body, "type", "id", "item", "how")
    texts = {name: str(value) for name, value in given.items() if isinstance(value, str)}
    if len(texts) != len(("type", "id", "item", "how")):
        raise Unreadable("type, id, item and how are given, and are text.")
    try:
        how = Tampering(texts["how"])
    except ValueError:
        raise Unreadable(f"how is one of {', '.join(each.value for each in Tampering)}.") from None
    return AskedTampering(type=_type(texts["type"]), id=texts["id"], item_id=texts["item"], how=how)


def faults_of(body: bytes) -> Faults:
    """The faults to be injected; what isn't named isn't to happen. Raises :class:`Unreadable`."""
    names = [each.name for each in attrs.fields(Faults)]
    return _built(Faults, **_object(body, *names))


def _object(body: bytes, *known: str) -> dict[str, Any]:
    try:
        given = parse(body)
    except JsonFault as fault:
        raise Unreadable(f"The body isn't JSON: {fault}.") from None
    if not isinstance(given, dict):
        raise Unreadable("The body is JSON, but no object.")
    _only_known(given, set(known))
    return given


def _only_known(given: Mapping[str, object], known: set[str]) -> None:
    unknown = given.keys() - known
    if unknown:
        raise Unreadable(f"{len(unknown)} of the names given are unknown; known are {', '.join(sorted(known))}.")


def _type(name: str) -> DocumentType:
    try:
        return DocumentType(name)
    except ValueError:
        raise Unreadable(f"type is one of {', '.join(each.value for each in DocumentType)}.") from None


def _built(kind: Callable[..., T], **parts: Any) -> T:
    try:
        return kind(**parts)
    except (TypeError, ValueError) as fault:
        raise Unreadable(f"{fault}.") from None
