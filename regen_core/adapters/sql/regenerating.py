"""The operation within a unit of work: read, let the core decide, write (IDM-7)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from attrs import frozen

from regen_core.access import Scope
from regen_core.adapters.sql.faults import IgnoredWrite
from regen_core.adapters.sql.keys import are_visible, save_record, saved_record
from regen_core.adapters.sql.reading import NotOne, Reader, StoredRows
from regen_core.adapters.sql.reading_many import find_many
from regen_core.adapters.sql.rows import text_of_moment
from regen_core.adapters.sql.writing import Changes, rows_after, write_regeneration
from regen_core.documents import DocumentKey
from regen_core.idempotency import KEY_IS_RUNNING, IdempotencyRecord, Proceed, Replay, consult, is_saved, meaning_of
from regen_core.ports import IdempotentCall
from regen_core.refusals import ConcurrentModification, Refusal
from regen_core.regeneration import Regeneration, decide, refused_unread
from regen_core.request import RegenerateRequest
from regen_core.transactions import Occasion

__all__ = [
    "Asked",
    "Keyed",
    "Turn",
    "regenerate",
    "regenerate_documents",
    "regenerate_once",
    "regenerate_turns",
]

Outcome = Regeneration | Refusal


@frozen
class Asked:
    """One call: whose, which, by whom and when, the version that is expected or ``None``, and the store's clock."""

    scope: Scope
    request: RegenerateRequest
    occasion: Occasion | None
    expected: int | None
    clock: Callable[[], datetime]


@frozen
class Keyed:
    """The Idempotency-Key of a call, claimed in this process; ``clean_up``: expired ones are removed with it."""

    call: IdempotentCall
    digest: str
    clean_up: bool


@frozen
class Turn:
    """One of several calls in a unit; ``keyed`` ``None`` means that it came without a key."""

    request: RegenerateRequest
    occasion: Occasion | None
    keyed: Keyed | None = None


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


def regenerate_once(reader: Reader, asked: Asked, keyed: Keyed) -> Outcome | Replay:
    """Under an Idempotency-Key that nobody else in this process has: the core says what its record means (IDM)."""
    turn, now = Turn(asked.request, asked.occasion, keyed), asked.clock()
    known = _known(reader, asked.scope, turn, now)
    if known is not None:
        return known
    outcome, documents = _regenerate(reader, asked)
    _save(reader, asked.scope, turn, outcome, documents, now)
    return outcome


def _known(reader: Reader, scope: Scope, turn: Turn, now: datetime) -> Refusal | Replay | None:
    """What a call hears without being performed, ``None`` where it is to be."""
    unread = refused_unread(turn.request)
    if unread is not None or turn.keyed is None:
        return unread
    is_free, found = saved_record(reader, scope.tenant, turn.keyed.digest)
    if not is_free:
        return KEY_IS_RUNNING
    visible = found is None or are_visible(reader, scope, found.documents)
    verdict = consult(found, meaning_of(scope, turn.request), now, documents_are_visible=visible)
    return None if isinstance(verdict, Proceed) else verdict


def _save(
    reader: Reader, scope: Scope, turn: Turn, outcome: Outcome, documents: tuple[DocumentKey, ...], now: datetime
) -> None:
    keyed = turn.keyed
    if keyed is None or not is_saved(outcome):
        return
    answer, meaning = keyed.call.answer(outcome), meaning_of(scope, turn.request)
    record = IdempotencyRecord(meaning=meaning, status=answer.status, body=answer.body, documents=documents, set_at=now)
    save_record(reader, scope.tenant, keyed.digest, record, clean_up=keyed.clean_up)


def regenerate_turns(
    reader: Reader, scope: Scope, turns: Sequence[Turn], clock: Callable[[], datetime]
) -> tuple[Outcome | Replay, ...]:
    """Decide each call after those before it and write what all of them changed; a refused one stops no other.

    No two of the calls have the same key.
    """
    now = clock()
    outcomes: list[Outcome | Replay | None] = [_known(reader, scope, turn, now) for turn in turns]
    wanted = [place for place, outcome in enumerate(outcomes) if outcome is None]
    changes, changed = Changes(reader, text_of_moment(now)), dict[DocumentKey, tuple[StoredRows, Regeneration]]()
    for place, found in zip(wanted, find_many(reader, scope, [turns[each].request for each in wanted]), strict=True):
        turn = turns[place]
        if isinstance(found, NotOne):
            outcomes[place] = found.refusal
            _save(reader, scope, turn, found.refusal, found.documents, now)
            continue
        key = found.stored.document.key
        rows = rows_after(*changed[key]) if key in changed else found
        outcomes[place] = outcome = decide(rows.stored.document, rows.stored.transactions, turn.request, turn.occasion)
        if isinstance(outcome, Regeneration) and changes.add(rows, outcome):
            changed[key] = rows, outcome
        _save(reader, scope, turn, outcome, (key,), now)
    if changes.write() is not None:  # in a unit that writes, nothing moves between reading and writing
        raise IgnoredWrite(reader.unit.where)
    return tuple([outcome for outcome in outcomes if outcome is not None])


def regenerate_documents(
    reader: Reader,
    scope: Scope,
    requests: Sequence[RegenerateRequest],
    occasion: Occasion | None,
    clock: Callable[[], datetime],
) -> tuple[Outcome, ...]:
    """The same for calls of one occasion without keys."""
    outcomes = regenerate_turns(reader, scope, [Turn(request, occasion) for request in requests], clock)
    return tuple([outcome for outcome in outcomes if not isinstance(outcome, Replay)])
