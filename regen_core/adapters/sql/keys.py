"""Idempotency-Keys: who runs one in this process, and what is saved under one; what follows, the core decides (IDM)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from threading import Lock
from typing import Any

from attrs import field, frozen

from regen_core.access import Scope
from regen_core.adapters.sql.reading import Reader, org_count, org_values
from regen_core.adapters.sql.rows import key_row
from regen_core.documents import DocumentKey, DocumentType
from regen_core.idempotency import IdempotencyRecord, RequestMeaning
from regen_core.wire.requests import meaning_json, meaning_of

__all__ = ["RunningKeys", "is_visible", "saved_record", "save_record"]

_write = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode


@frozen(eq=False)
class RunningKeys:
    """The keys whose first request is running in this process: they are let go with it (IDM-3, IDM-7)."""

    _running: set[str] = field(factory=set)
    _lock: Any = field(factory=Lock)

    @contextmanager
    def claimed(self, digest: str) -> Iterator[bool]:
        """Claim a key for the time of the block; whether it was free."""
        with self._lock:
            is_free = digest not in self._running
            self._running.add(digest)
        try:
            yield is_free
        finally:
            if is_free:
                with self._lock:
                    self._running.discard(digest)


def saved_record(reader: Reader, tenant: str, digest: str) -> IdempotencyRecord | None:
    """What is saved under a key, expired or not."""
    row = reader.unit.one(reader.statements.key_record, (tenant, digest))
    if row is None:
        return None
    meaning, status, body, entity, kind, document_id, set_at = row
    document = None
    if document_id is not None:
        document = DocumentKey(tenant=tenant, entity=entity, type=DocumentType(kind), id=document_id)
    return IdempotencyRecord(
        meaning=meaning_of(json.loads(meaning)),
        status=status,
        body=bytes(body),
        document=document,
        set_at=datetime.fromisoformat(set_at),
    )


def save_record(reader: Reader, tenant: str, digest: str, record: IdempotencyRecord) -> None:
    """Save a first result in the same unit of work as what it tells of (IDM-1, IDM-7)."""
    document = (None, None) if record.document is None else key_row(record.document)[2:]
    meaning: RequestMeaning = record.meaning
    told = (_write(meaning_json(meaning)), record.status, record.body, meaning.entity, *document)
    reader.unit.write(reader.statements.save_key, (tenant, digest, *told, record.set_at.isoformat()))


def is_visible(reader: Reader, scope: Scope, document: DocumentKey | None) -> bool:
    """Whether the caller may still see the document of a saved result; true where there was none (IDM-6)."""
    if document is None:
        return True
    statement = reader.statements.document_is_visible(org_count(scope))
    place = (scope.tenant, scope.entity, document.type.value, document.id)
    return reader.unit.one(statement, (*place, *org_values(scope))) is not None
