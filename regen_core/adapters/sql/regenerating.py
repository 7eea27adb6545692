"""The operation within a unit of work: read, let the core decide, write (IDM-7)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from attrs import frozen

from regen_core.access import Scope
from regen_core.adapters.sql.keys import are_visible, save_record, saved_record
from regen_core.adapters.sql.reading import NotOne, Reader, StoredRows
from regen_core.adapters.sql.reading_many import find_many
from regen_core.adapters.sql.rows import text_of_moment
from regen_core.adapters.sql.writing import Changes, rows_after, write_regeneration
from regen_core.documents import DocumentKey
from regen_core.idempotency import IdempotencyRecord, Proceed, Replay, Running, consult, is_saved, meaning_of
from regen_core.ports import IdempotentCall
from regen_core.refusals import ConcurrentModification, Refusal
from regen_core.regeneration import Regeneration, decide, refused_unread
from regen_core.request import RegenerateRequest
from regen_core.transactions import Occasion

__all__ = ["Asked", "regenerate", "regenerate_documents", "regenerate_once", "running"]

Outcome = Regeneration | Refusal


@frozen
class Asked:
    """One call: whose, which, by whom and when, the version that is expected or ``None``, and the store's clock."""

    scope: Scope
    request: RegenerateRequest
    occasion: Occasion | None
    expected: int | None
    clock: Callable[[], datetime]


def regenerate(reader: Reader, asked: Asked) -> Outcome:
    """Decide and write."""
    return _regenerate(reader, asked)[0]


def _regenerate(reader: Reader, asked: Asked) -> tuple[Outcome, tuple[DocumentKey, ...]]:
    """The outcome, and the documents that it is about."""
    rows = reader.find(asked.scope, asked.request)
    if isinstance(rows, NotOne):
        return rows.refusal, rows.documents
    stored = rows.stored
    outcome = decide(stored.document, stored.transactions, asked.request, asked.occasion)
    if isinstance(outcome, Regeneration):
        moved = asked.expected is not None and asked.expected != rows.version
        refused = ConcurrentModification() if moved else write_regeneration(reader, rows, outcome, asked.clock())
        outcome = outcome if refused is None else refused
    return outcome, (stored.document.key,)


def running(asked: Asked) -> Refusal | Replay:
    """What a request hears whose key is running (IDM-3)."""
    meaning = meaning_of(asked.scope, asked.request)
    verdict = consult(Running(), meaning, asked.clock(), documents_are_visible=True)
    assert not isinstance(verdict, Proceed), "a running key never lets another request proceed (IDM-3)"
    return verdict


def regenerate_once(
    reader: Reader, asked: Asked, call: IdempotentCall, digest: str, *, clean_up: bool
) -> Outcome | Replay:
    """Under an Idempotency-Key that nobody else in this process has: the core says what its record means (IDM)."""
    scope, meaning, now = asked.scope, meaning_of(asked.scope, asked.request), asked.clock()
    is_free, found = saved_record(reader, scope.tenant, digest)
    if not is_free:
        return running(asked)
    visible = found is None or are_visible(reader, scope, found.documents)
    verdict = consult(found, meaning, now, documents_are_visible=visible)
    if not isinstance(verdict, Proceed):
        return verdict
    outcome, documents = _regenerate(reader, asked)
    if is_saved(outcome):
        answer = call.answer(outcome)
        record = IdempotencyRecord(
            meaning=meaning, status=answer.status, body=answer.body, documents=documents, set_at=now
        )
        save_record(reader, scope.tenant, digest, record, clean_up=clean_up)
    return outcome


def regenerate_documents(
    reader: Reader,
    scope: Scope,
    requests: Sequence[RegenerateRequest],
    occasion: Occasion | None,
    clock: Callable[[], datetime],
) -> tuple[Outcome, ...]:
    """Decide each request after those before it and write what all of them changed; a refused one stops no other."""
    outcomes: list[Outcome | None] = [refused_unread(request) for request in requests]
    wanted = [place for place, outcome in enumerate(outcomes) if outcome is None]
    changes, changed = Changes(reader, text_of_moment(clock())), dict[DocumentKey, tuple[StoredRows, Regeneration]]()
    for place, found in zip(wanted, find_many(reader, scope, [requests[each] for each in wanted]), strict=True):
        if not isinstance(found, StoredRows):
            outcomes[place] = found.refusal
            continue
        key = found.stored.document.key
        rows = rows_after(*changed[key]) if key in changed else found
        outcome = decide(rows.stored.document, rows.stored.transactions, requests[place], occasion)
        outcomes[place] = outcome
        if isinstance(outcome, Regeneration) and changes.add(rows, outcome):
            changed[key] = rows, outcome
    refused = changes.write()
    assert refused is None, "in a unit that writes, nothing moves between reading and writing"
    return tuple([outcome for outcome in outcomes if outcome is not None])
