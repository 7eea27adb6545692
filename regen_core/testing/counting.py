"""What a history exercised: the harness, which counts the rows of the tables and the laws that were at stake.

A row counts where the core, asked the same, decides by it; a law counts where it could have been broken, not where it
was merely looked at. What never counts is told in the report: a kit that tried nothing has shown nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from regen_core.access import Scope
from regen_core.decision_table import DECISION_TABLE
from regen_core.documents import BillingDocument, DocumentKey
from regen_core.refusals import (
    ConflictingFlags,
    DocumentNotFound,
    DocumentNotPosted,
    DocumentReferenceMismatch,
    NothingToResend,
    UnmappableItem,
)
from regen_core.regeneration import Regeneration, decide
from regen_core.request import RegenerateRequest
from regen_core.store import ItemTaken, NumberTaken
from regen_core.testing.laws import Exchange
from regen_core.testing.reach import ALL, Reach, ReachingHarness
from regen_core.testing.subject import BuildSubject, LoadedAs, reference_subject
from regen_core.transactions import StoredTransactions
from regen_core.type_mapping import MAPPING_ROWS, map_item

__all__ = ["LAWS", "ROWS", "CountingHarness", "rows_of"]

LAWS: Final = (
    "REQ-5", "PRE-4", "ACC-4", "DOC-4", "ELI-2", "TBL-R", "TBL-I", "REV-0", "REV-4",
    "CNV-1", "CNV-2", "CNV-3", "CNV-4", "CNV-5", "CNV-6", "CNV-7",
)  # fmt: skip
"""The laws that histories are checked by, by their rule ids."""

REFUSALS: Final = (
    ConflictingFlags, DocumentNotFound, DocumentReferenceMismatch, DocumentNotPosted, UnmappableItem, NothingToResend,
)  # fmt: skip

ROWS: Final = (
    *[rule.id for rule in DECISION_TABLE.modes.values()],
    *[rule.id for rule in DECISION_TABLE.writes.values()],
    *[rule.id for rule in DECISION_TABLE.sends.values()],
    *[row.id for row in MAPPING_ROWS],
    "MAP-U",
    *[kind.__name__ for kind in REFUSALS],
)
"""All that a request can be decided by: the cells of TBL-M, TBL-W and TBL-S, the rows of MAP, the refusals."""


def rows_of(
    document: BillingDocument | None, stored: StoredTransactions, request: RegenerateRequest, refused: str | None
) -> Iterator[str]:
    """The rows that decide a request; ``refused`` names its refusal, ``None`` where it is none."""
    yield DECISION_TABLE.modes[request.only_re_send, request.re_migrate].id
    if refused is not None:
        yield refused
        if refused == UnmappableItem.__name__:
            yield "MAP-U"
        return
    done = None if document is None else decide(document, stored, request)
    if not isinstance(done, Regeneration):
        return
    for line, new in zip(done.lines, done.written, strict=True):
        yield from line.rule_ids
        row = None if new is None or line.item is None else map_item(done.document.header, line.item)
        if row is not None:
            yield row.id


class CountingHarness(ReachingHarness):
    """A harness that adds to ``counts`` what each step exercised."""

    def __init__(
        self,
        build: BuildSubject = reference_subject,
        *,
        counts: Counter[str],
        with_laws: bool = True,
        with_model: bool = True,
        heeded: frozenset[str] | None = None,
        reach: Reach = ALL,
    ) -> None:
        super().__init__(build, with_laws=with_laws, with_model=with_model, heeded=heeded, reach=reach)
        self.counts = counts

    def load(self, document: BillingDocument) -> LoadedAs | NumberTaken | ItemTaken:
        """See :class:`~regen_core.testing.harness.Harness`."""
        answer = super().load(document)
        self.counts["DOC-4"] += not isinstance(answer, LoadedAs)
        return answer

    def ask(self, scope: Scope, request: RegenerateRequest) -> Exchange:
        """See :class:`~regen_core.testing.harness.Harness`."""
        exchange = super().ask(scope, request)
        if self.with_laws:
            refused = None if exchange.accepted is not None else type(exchange.outcome).__name__
            self.counts.update(rows_of(exchange.document, StoredTransactions(exchange.before), request, refused))
            self.counts.update(_laws_at_stake(exchange))
        return exchange

    def _check_claim(self, key: DocumentKey) -> None:
        claim = self._claims.get(key)
        if claim is not None and not claim.due:
            flags = (claim.exchange.request.only_re_send, claim.exchange.request.re_migrate)
            promised = {(False, False): "CNV-4", (False, True): "CNV-1", (True, False): "CNV-2"}[flags]
            self.counts["CNV-3" if claim.was_disturbed and promised != "CNV-4" else promised] += 1
        super()._check_claim(key)

    def repeat(self, slot: int, only_re_send: bool, re_migrate: bool) -> None:
        """See :class:`~regen_core.testing.harness.Harness`."""
        super().repeat(slot, only_re_send, re_migrate)
        self.counts["CNV-5"] += 1

    def reorder(self, slot: int, seed: int) -> None:
        """See :class:`~regen_core.testing.harness.Harness`."""
        super().reorder(slot, seed)
        self.counts["REV-4"] += bool(self.sent)

    def commute(self, slots: tuple[int, int], flags: tuple[tuple[bool, bool], tuple[bool, bool]]) -> None:
        """See :class:`~regen_core.testing.harness.Harness`."""
        super().commute(slots, flags)
        self.counts["CNV-6"] += bool(self.loaded)


def _laws_at_stake(exchange: Exchange) -> Iterator[str]:
    """The laws that the answer to this request could have broken."""
    yield "REQ-5"
    yield "ACC-4"
    if exchange.request.only_re_send:
        yield "ELI-2"
    if exchange.accepted is None:
        yield "PRE-4"
        return
    yield from ("TBL-R", "CNV-7", *(["TBL-I"] if exchange.after else []))
    yield from ["REV-0"] * len(exchange.accepted.deliveries)
