"""The operation within a unit of work: read, let the core decide, write (IDM-7)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from attrs import define

from regen_core.access import Scope
from regen_core.adapters.sql.faults import IgnoredWrite
from regen_core.adapters.sql.keys import are_visible, save_record, saved_record
from regen_core.adapters.sql.reading import FoundRows, NotOne, Reader, StoredRows
from regen_core.adapters.sql.reading_many import find_many
from regen_core.adapters.sql.rows import text_of_moment
from regen_core.adapters.sql.writing import Changes, rows_after, write_regeneration
from regen_core.documents import DocumentKey
from regen_core.idempotency import (
    KEY_IS_RUNNING,
    IdempotencyRecord,
    Proceed,
    Replay,
    RequestMeaning,
    consult,
    is_saved,
    meaning_of,
)
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


@define
class Asked:
    """One call: whose, which, by whom and when, the version that is expected or ``None``, and the store's clock."""

    scope: Scope
    request: RegenerateRequest
    occasion: Occasion | None
    expected: int | None
    clock: Callable[[], datetime]


@define
class Keyed:
    """The Idempotency-Key of a call, claimed in this process; ``clean_up``: expired ones are removed with it."""

    call: IdempotentCall
    digest: str
    clean_up: bool


@define
class Turn:
    """One of several calls in a unit; ``keyed`` ``None`` means that it came without a key."""

    request: RegenerateRequest
    occasion: Occasion | None
    keyed: Keyed | None = None


def regenerate(reader: Reader, asked: Asked) -> Outcome:
    """Decide and write."""
    return _regenerate(reader, asked, text_of_moment(asked.clock()))[0]


def _regenerate(reader: Reader, asked: Asked, at: str) -> tuple[Outcome, tuple[DocumentKey, ...]]:
    """The outcome, and the documents that it is about."""
    rows = reader.find(asked.scope, asked.request)
    if isinstance(rows, NotOne):
        return rows.refusal, rows.documents
    stored = rows.stored
    outcome = decide(stored.document, stored.transactions, asked.request, asked.occasion)
    if isinstance(outcome, Regeneration):
        moved = asked.expected is not None and asked.expected != rows.version
        refused = ConcurrentModification() if moved else write_regeneration(reader, rows, outcome, at)
        outcome = outcome if refused is None else refused
    return outcome, (stored.document.key,)


def regenerate_once(reader: Reader, asked: Asked, keyed: Keyed) -> Outcome | Replay:
    """Under an Idempotency-Key that nobody else in this process has: the core says what its record means (IDM)."""
    now = asked.clock()
    at = text_of_moment(now)
    record = _Record(reader, asked.scope, keyed, meaning_of(asked.scope, asked.request), now, at)
    known = _known(asked.request, record)
    if known is not None:
        return known
    outcome, documents = _regenerate(reader, asked, at)
    record.save(outcome, documents)
    return outcome


@define
class _Record:
    """The record of one call's key, as the unit of work finds it and as it leaves it; ``at`` is ``now`` as text."""

    reader: Reader
    scope: Scope
    keyed: Keyed
    meaning: RequestMeaning
    now: datetime
    at: str

    def consulted(self) -> Refusal | Replay | None:
        """What the record answers, ``None`` where the call is to be performed."""
        is_free, found = saved_record(self.reader, self.scope.tenant, self.keyed.digest)
        if not is_free:
            return KEY_IS_RUNNING
        visible = found is None or are_visible(self.reader, self.scope, found.documents)
        verdict = consult(found, self.meaning, self.now, documents_are_visible=visible)
        return None if isinstance(verdict, Proceed) else verdict

    def save(self, outcome: Outcome, documents: tuple[DocumentKey, ...]) -> None:
        """Keep a first result, where it is one to be kept."""
        if not is_saved(outcome):
            return
        answer = self.keyed.call.answer(outcome)
        told = IdempotencyRecord(
            meaning=self.meaning, status=answer.status, body=answer.body, documents=documents, set_at=self.now
        )
        save_record(self.reader, self.scope.tenant, self.keyed.digest, told, self.at, clean_up=self.keyed.clean_up)


def _known(request: RegenerateRequest, record: _Record | None) -> Refusal | Replay | None:
    """What a call hears without being performed, ``None`` where it is to be."""
    unread = refused_unread(request)
    return unread if unread is not None or record is None else record.consulted()


def regenerate_turns(
    reader: Reader, scope: Scope, turns: Sequence[Turn], clock: Callable[[], datetime]
) -> tuple[Outcome | Replay, ...]:
    """Decide each call after those before it and write what all of them changed; a refused one stops no other.

    No two of the calls have the same key.
    """
    now = clock()
    at = text_of_moment(now)
    records = [
        None if turn.keyed is None else _Record(reader, scope, turn.keyed, meaning_of(scope, turn.request), now, at)
        for turn in turns
    ]
    answers: list[Outcome | Replay | None] = [
        _known(turn.request, record) for turn, record in zip(turns, records, strict=True)
    ]
    wanted = [place for place, known in enumerate(answers) if known is None]
    changes, changed = Changes(reader, at), dict[DocumentKey, tuple[StoredRows, Regeneration]]()
    for place, found in zip(wanted, find_many(reader, scope, [turns[each].request for each in wanted]), strict=True):
        outcome, documents = _performed(turns[place], found, changes, changed)
        answers[place], record = outcome, records[place]
        if record is not None:
            record.save(outcome, documents)
    if changes.write() is not None:  # in a unit that writes, nothing moves between reading and writing
        raise IgnoredWrite(reader.unit.where)
    return tuple([answer for answer in answers if answer is not None])


def _performed(
    turn: Turn, found: FoundRows, changes: Changes, changed: dict[DocumentKey, tuple[StoredRows, Regeneration]]
) -> tuple[Outcome, tuple[DocumentKey, ...]]:
    """The outcome after what ``changed`` before it, noted in both, and the documents that it is about."""
    if isinstance(found, NotOne):
        return found.refusal, found.documents
    key = found.stored.document.key
    rows = rows_after(*changed[key]) if key in changed else found
    outcome = decide(rows.stored.document, rows.stored.transactions, turn.request, turn.occasion)
    if isinstance(outcome, Regeneration) and changes.add(rows, outcome):
        changed[key] = rows, outcome
    return outcome, (key,)


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
