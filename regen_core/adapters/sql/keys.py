"""Idempotency-Keys: who runs one in this process, and what is saved under one; what follows, the core decides (IDM)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from attrs import field, frozen
from msgspec.json import Decoder, Encoder

from regen_core.access import Scope
from regen_core.adapters.sql.conditions import org_count, org_values
from regen_core.adapters.sql.forks import is_told_of_forks
from regen_core.adapters.sql.prepared import Prepared
from regen_core.adapters.sql.reading import Reader
from regen_core.adapters.sql.rows import DAMAGE, damaged, exact_moment, text_of_moment
from regen_core.adapters.sql.unit import Row
from regen_core.documents import DocumentKey, DocumentType
from regen_core.idempotency import KEY_LIFETIME, IdempotencyRecord, RequestMeaning
from regen_core.wire.requests import meaning_json, meaning_of

__all__ = ["CLEAN_UP_EVERY", "RunningKeys", "are_visible", "saved_record", "save_record"]

_encode: Final = Encoder(order="sorted").encode
_decode: Final = Decoder().decode

CLEAN_UP_EVERY: Final = 16
"""After so many saved keys some that have expired are removed."""

_CLEANED_UP: Final = 64
"""How many at once: more than are saved in between, so none stays for good, and few enough not to be noticed."""

_MOST_DOCUMENTS: Final = 2
"""Columns for the documents of a result."""


@frozen(eq=False)
class RunningKeys:
    """The keys whose first request is running in this process: they are let go with it (IDM-3, IDM-7)."""

    _running: dict[str, object] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        is_told_of_forks(self)

    def before_fork(self) -> None:
        """Nothing has to be done."""

    def in_child(self) -> None:
        """What is running runs in the parent."""
        self._running.clear()

    @contextmanager
    def claimed(self, digest: str) -> Iterator[bool]:
        """Claim a key for the time of the block; whether it was free."""
        claim = object()
        is_free = self._running.setdefault(digest, claim) is claim
        try:
            yield is_free
        finally:
            if self._running.get(digest) is claim:
                del self._running[digest]


def saved_record(reader: Reader, tenant: str, digest: str) -> tuple[bool, IdempotencyRecord | None]:
    """Whether no other unit of work has the key, and what is saved under it, expired or not.

    The key is claimed in the database before its record is read, so whoever gets it sees what the one before saved.
    """
    questions: list[tuple[Prepared, Row]] = [(reader.statements.keys.record, (tenant, digest))]
    if reader.unit.key_claim is not None:
        questions.insert(0, (reader.unit.key_claim, (_number_of(digest),)))
    *claimed, rows = reader.unit.ask(questions)
    is_free = all(bool(answer[0][0]) for answer in claimed)
    return is_free, _read(tenant, rows[0]) if rows else None


def _number_of(digest: str) -> int:
    """64 bits of a key's digest, with a sign: what a database can lock."""
    return int.from_bytes(bytes.fromhex(digest)[:8], "big", signed=True)


def _read(tenant: str, row: Row) -> IdempotencyRecord:
    try:
        return _record(tenant, row)
    except DAMAGE as damage:
        raise damaged(damage) from None


def _record(tenant: str, row: Row) -> IdempotencyRecord:
    meaning, status, body, entity, kind, *document_ids, set_at = row
    given = [each for each in document_ids if each is not None]
    documents = [DocumentKey(tenant=tenant, entity=entity, type=DocumentType(kind), id=each) for each in given]
    return IdempotencyRecord(
        meaning=meaning_of(_decode(meaning)),
        status=status,
        body=bytes(body),
        documents=tuple(documents),
        set_at=exact_moment(set_at),
    )


def save_record(
    reader: Reader, tenant: str, digest: str, record: IdempotencyRecord, set_at: str, *, clean_up: bool
) -> None:
    """Save a first result in the same unit of work as what it tells of (IDM-1, IDM-7).

    ``set_at`` is its moment as a column holds it. ``clean_up`` also removes some of the tenant's keys that have
    expired: bounded work, which keeps up with what is saved when it is done for every :data:`CLEAN_UP_EVERY` th key.
    """
    meaning: RequestMeaning = record.meaning
    text = _encode(meaning_json(meaning)).decode()
    told = (text, record.status, record.body, meaning.entity, *_ids(record.documents))
    reader.unit.put(reader.statements.keys.save, (tenant, digest, *told, set_at))
    if clean_up:
        before = text_of_moment(record.set_at - KEY_LIFETIME)
        reader.unit.put(reader.statements.keys.remove_expired, (tenant, before, _CLEANED_UP))


def _ids(documents: tuple[DocumentKey, ...]) -> tuple[str | None, ...]:
    """Their type, which they share as one request named them, and two ids; null where there are fewer."""
    ids = [document.id for document in documents]
    assert len(ids) <= _MOST_DOCUMENTS, "a request names a document by id, by number or both"
    return (documents[0].type.value if documents else None, *ids, *[None] * (_MOST_DOCUMENTS - len(ids)))


def are_visible(reader: Reader, scope: Scope, documents: Sequence[DocumentKey]) -> bool:
    """Whether the caller may still see all documents of a saved result; true where there are none (IDM-6)."""
    statement, orgs = reader.statements.document_is_visible(org_count(scope)), org_values(scope)
    places = [(scope.tenant, scope.entity, document.type.value, document.id) for document in documents]
    return all(reader.unit.ask([(statement, (*place, *orgs)) for place in places]))
