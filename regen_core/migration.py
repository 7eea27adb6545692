"""A migration: one pair of flags put to many documents, and the log that such a run keeps (MIG).

Owns what a run's log says, which status follows which, and what a batch adds to it. All of it is values and pure
functions: when something happened and who asked comes in, and a store keeps what comes out. A run visits documents by
type and id (MIG-9) and remembers the last one done, so that nothing but its log is needed to go on (MIG-7). The words
of a status are Zuora's (*View migration logs*). Selection by cutover date is not here; the log has a place for the
date (MIG-2).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import Enum, unique
from itertools import pairwise
from typing import Final

from attrs import evolve, field, frozen
from attrs.validators import instance_of, optional

from regen_core.access import Scope
from regen_core.checks import check_name
from regen_core.decision_table import DECISION_TABLE, DecisionTable, Mode
from regen_core.documents import DocumentKey, DocumentType
from regen_core.refusals import ConflictingFlags, Refusal
from regen_core.regeneration import Regeneration
from regen_core.request import RegenerateRequest
from regen_core.transactions import Occasion

__all__ = [
    "Handled",
    "Reject",
    "Run",
    "RunCounts",
    "RunEvent",
    "RunStatus",
    "TRANSITIONS",
    "accept",
    "begin",
    "complete",
    "differing",
    "fail",
    "place_of",
    "progress",
    "rejects_of",
    "request_for",
    "resume",
]


@unique
class RunStatus(Enum):
    """How far a run is (MIG-6); *Completed-Warning* means that some documents were refused."""

    ACCEPTED = "Accepted"
    IN_PROGRESS = "In progress"
    COMPLETED = "Completed"
    COMPLETED_WARNING = "Completed-Warning"
    ERROR = "Error"

    @property
    def is_ended(self) -> bool:
        """Whether nobody works on the run; one that ended in an error may still be resumed."""
        return self not in (RunStatus.ACCEPTED, RunStatus.IN_PROGRESS)


@unique
class RunEvent(Enum):
    """What happens to a run."""

    BEGIN = "begin"
    PROGRESS = "progress"
    COMPLETE = "complete"
    COMPLETE_WITH_REJECTS = "complete with rejects"
    FAIL = "fail"
    RESUME = "resume"


_ACCEPTED, _IN_PROGRESS, _ERROR = RunStatus.ACCEPTED, RunStatus.IN_PROGRESS, RunStatus.ERROR
_COMPLETED, _WARNING = RunStatus.COMPLETED, RunStatus.COMPLETED_WARNING

TRANSITIONS: Final[Mapping[tuple[RunStatus, RunEvent], RunStatus | None]] = {
    (_ACCEPTED, RunEvent.BEGIN): _IN_PROGRESS,
    (_ACCEPTED, RunEvent.PROGRESS): None,
    (_ACCEPTED, RunEvent.COMPLETE): None,
    (_ACCEPTED, RunEvent.COMPLETE_WITH_REJECTS): None,
    (_ACCEPTED, RunEvent.FAIL): _ERROR,
    (_ACCEPTED, RunEvent.RESUME): _IN_PROGRESS,
    (_IN_PROGRESS, RunEvent.BEGIN): None,
    (_IN_PROGRESS, RunEvent.PROGRESS): _IN_PROGRESS,
    (_IN_PROGRESS, RunEvent.COMPLETE): _COMPLETED,
    (_IN_PROGRESS, RunEvent.COMPLETE_WITH_REJECTS): _WARNING,
    (_IN_PROGRESS, RunEvent.FAIL): _ERROR,
    (_IN_PROGRESS, RunEvent.RESUME): _IN_PROGRESS,
    (_COMPLETED, RunEvent.BEGIN): None,
    (_COMPLETED, RunEvent.PROGRESS): None,
    (_COMPLETED, RunEvent.COMPLETE): None,
    (_COMPLETED, RunEvent.COMPLETE_WITH_REJECTS): None,
    (_COMPLETED, RunEvent.FAIL): _COMPLETED,
    (_COMPLETED, RunEvent.RESUME): _COMPLETED,
    (_WARNING, RunEvent.BEGIN): None,
    (_WARNING, RunEvent.PROGRESS): None,
    (_WARNING, RunEvent.COMPLETE): None,
    (_WARNING, RunEvent.COMPLETE_WITH_REJECTS): None,
    (_WARNING, RunEvent.FAIL): _WARNING,
    (_WARNING, RunEvent.RESUME): _WARNING,
    (_ERROR, RunEvent.BEGIN): None,
    (_ERROR, RunEvent.PROGRESS): None,
    (_ERROR, RunEvent.COMPLETE): None,
    (_ERROR, RunEvent.COMPLETE_WITH_REJECTS): None,
    (_ERROR, RunEvent.FAIL): _ERROR,
    (_ERROR, RunEvent.RESUME): _IN_PROGRESS,
}
"""The status after an event, every cell; ``None`` where the event can't happen. An event that leaves an ended run in
its status changes nothing else of it: what one process completed, the failure of another doesn't undo (MIG-10)."""


@frozen(kw_only=True)
class RunCounts:
    """What a run did so far, in documents but for ``transactions`` written and ``deliveries`` committed.

    ``refused`` counts refusals by name, in the order of names.

    >>> RunCounts(regenerated=7, refused=(("DocumentNotPosted", 2), ("UnmappableItem", 1))).documents
    10
    """

    regenerated: int = 0
    transactions: int = 0
    deliveries: int = 0
    refused: tuple[tuple[str, int], ...] = ()

    @property
    def rejects(self) -> int:
        """How many documents were refused."""
        return sum([count for _, count in self.refused])

    @property
    def documents(self) -> int:
        """How many documents the run came to."""
        return self.regenerated + self.rejects


_NOTHING_YET: Final = RunCounts()


@frozen(kw_only=True)
class Run:
    """The log of a migration.

    Fields: ``id`` names it within tenant and entity; ``orgs`` whose documents it is about, ``None`` for all; the two
    flags as given; ``type`` the documents' type, ``None`` for all; ``cutover`` the cutover date, ``None`` where none
    chose the documents; ``accepted`` when and by whom it was asked for, which is what it stamps on what it writes
    (MIG-11); ``started_at`` and ``ended_at`` ``None`` until it has; ``cursor`` the last document done, ``None`` before
    the first; ``fault`` why it ended in an error, ``None`` where it didn't. Raises ``ValueError`` for a malformed id.
    """

    id: str = field(validator=check_name)
    tenant: str = field(validator=check_name)
    entity: str = field(validator=check_name)
    orgs: frozenset[str] | None = field(validator=optional(instance_of(frozenset)))
    only_re_send: bool = field(validator=instance_of(bool))
    re_migrate: bool = field(validator=instance_of(bool))
    type: DocumentType | None = None
    cutover: date | None = None
    accepted: Occasion
    status: RunStatus = RunStatus.ACCEPTED
    started_at: datetime | None = None
    ended_at: datetime | None = None
    cursor: DocumentKey | None = None
    counts: RunCounts = _NOTHING_YET
    fault: str | None = None

    @property
    def scope(self) -> Scope:
        """What the run sees of documents, whoever resumes it."""
        return Scope(tenant=self.tenant, entity=self.entity, orgs=self.orgs, requested_orgs=self.orgs)

    @property
    def mode(self) -> Mode:
        """What its flags mean (TBL-M)."""
        mode = DECISION_TABLE.modes[self.only_re_send, self.re_migrate].mode
        assert mode is not None, "flags that are refused are not accepted (TBL-M4)"
        return mode

    @property
    def is_running(self) -> bool:
        """Whether there is more to do for whoever works on it."""
        return self.status is RunStatus.IN_PROGRESS

    def is_visible_to(self, scope: Scope) -> bool:
        """Whether a caller sees the run: one of all organisations, or of exactly the run's (MIG-12, ACC-4)."""
        if (self.tenant, self.entity) != (scope.tenant, scope.entity):
            return False
        return scope.orgs is None or scope.orgs == self.orgs


@frozen
class Reject:
    """A document that a run could not regenerate, and why: the refusal's name, code and message (MIG-6)."""

    document: DocumentKey
    number: str
    refusal: str
    code: int
    message: str


@frozen
class Handled:
    """A document that a run came to, with its number, and what became of it."""

    key: DocumentKey
    number: str
    outcome: Regeneration | Refusal


def accept(
    run_id: str,
    scope: Scope,
    accepted: Occasion,
    *,
    only_re_send: bool = False,
    re_migrate: bool = False,
    type: DocumentType | None = None,  # noqa: A002  # the request's word
    table: DecisionTable = DECISION_TABLE,
) -> Run | ConflictingFlags:
    """A run that has yet to begin, or the refusal of its flags (REQ-5, TBL-M4).

    >>> from datetime import UTC
    >>> asked = Occasion(datetime(2026, 1, 31, tzinfo=UTC), "ann")
    >>> accept("r1", Scope(tenant="t", entity="e", orgs=None), asked, re_migrate=True).status
    <RunStatus.ACCEPTED: 'Accepted'>
    """
    if table.rulings[only_re_send, re_migrate] is None:
        return ConflictingFlags()
    return Run(
        id=run_id,
        tenant=scope.tenant,
        entity=scope.entity,
        orgs=scope.orgs,
        only_re_send=only_re_send,
        re_migrate=re_migrate,
        type=type,
        accepted=accepted,
    )


def _after(run: Run, event: RunEvent) -> RunStatus:
    status = TRANSITIONS[run.status, event]
    if status is None:
        raise ValueError(f"a run that is {run.status.value} can't {event.value}")
    return status


def begin(run: Run, now: datetime) -> Run:
    """The run in progress."""
    return evolve(run, status=_after(run, RunEvent.BEGIN), started_at=now)


def resume(run: Run, now: datetime) -> Run:
    """The run in progress again, from its cursor; one that is complete stays as it is (MIG-7, MIG-10)."""
    status = _after(run, RunEvent.RESUME)
    if status.is_ended:
        return run
    return evolve(run, status=status, started_at=run.started_at or now, ended_at=None, fault=None)


def fail(run: Run, reason: str, now: datetime) -> Run:
    """The run given up for a reason that isn't a document's; what it did before stays done (MIG-10)."""
    status = _after(run, RunEvent.FAIL)
    return run if run.status.is_ended else evolve(run, status=status, fault=reason, ended_at=now)


def complete(run: Run, now: datetime) -> Run:
    """The run at its end: with a warning where documents were refused (MIG-6)."""
    event = RunEvent.COMPLETE_WITH_REJECTS if run.counts.refused else RunEvent.COMPLETE
    return evolve(run, status=_after(run, event), ended_at=now)


def progress(run: Run, batch: Sequence[Handled], now: datetime, *, is_last: bool) -> Run:
    """The run after a batch of documents; complete where it was the last one.

    Raises ``ValueError`` where the batch isn't the one behind the cursor, in the order of :func:`place_of` (MIG-9).
    """
    before = () if run.cursor is None else (run.cursor,)
    places = [place_of(key) for key in (*before, *[each.key for each in batch])]
    if any(later <= earlier for earlier, later in pairwise(places)):
        raise ValueError("a batch begins behind the run's cursor and is in the order of types and ids")
    cursor = batch[-1].key if batch else run.cursor
    status = _after(run, RunEvent.PROGRESS)
    after = evolve(run, status=status, cursor=cursor, counts=_counted(run.counts, batch))
    return complete(after, now) if is_last else after


def _counted(before: RunCounts, batch: Sequence[Handled]) -> RunCounts:
    refused = Counter(dict(before.refused))
    refused.update(each.outcome.name for each in batch if not isinstance(each.outcome, Regeneration))
    done = [each.outcome for each in batch if isinstance(each.outcome, Regeneration)]
    return RunCounts(
        regenerated=before.regenerated + len(done),
        transactions=before.transactions + sum([len(each.writes) for each in done]),
        deliveries=before.deliveries + sum([len(each.deliveries) for each in done]),
        refused=tuple(sorted(refused.items())),
    )


def place_of(key: DocumentKey) -> tuple[str, str]:
    """Where a document stands in the order in which a run visits documents: by type, then by id (MIG-9)."""
    return key.type.value, key.id


def request_for(run: Run, key: DocumentKey) -> RegenerateRequest:
    """What a run asks of one document: the operation, no more and no less (MIG-1)."""
    return RegenerateRequest(type=key.type, id=key.id, only_re_send=run.only_re_send, re_migrate=run.re_migrate)


def rejects_of(batch: Sequence[Handled]) -> tuple[Reject, ...]:
    """The documents of a batch that were refused, and why, in their order (MIG-6)."""
    refused = [(each, each.outcome) for each in batch if not isinstance(each.outcome, Regeneration)]
    return tuple([Reject(each.key, each.number, why.name, why.code, why.message) for each, why in refused])


def differing(run: Run, **asked: object) -> tuple[str, ...]:
    """Which of the things that somebody asks for anew, by field, the run was not accepted with.

    What is ``None`` or false isn't asked for.

    >>> from datetime import UTC
    >>> run = accept("r1", Scope(tenant="t", entity="e", orgs=None), Occasion(datetime(2026, 1, 31, tzinfo=UTC)))
    >>> differing(run, re_migrate=True, only_re_send=False, type=None)
    ('re_migrate',)
    """
    return tuple([name for name, value in asked.items() if value not in (None, False, getattr(run, name))])
