"""MIG-1, MIG-6 … MIG-12 as far as they are pure: the statuses of a run, what a batch adds to its log, who sees it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from regen_core.access import Scope
from regen_core.decision_table import Mode
from regen_core.documents import BillingDocument, DocumentKey, DocumentType
from regen_core.migration import (
    TRANSITIONS,
    Handled,
    Reject,
    Run,
    RunCounts,
    RunEvent,
    RunStatus,
    accept,
    begin,
    complete,
    differing,
    fail,
    place_of,
    progress,
    rejects_of,
    request_for,
    resume,
)
from regen_core.refusals import ConflictingFlags, DocumentNotPosted, Refusal
from regen_core.regeneration import Regeneration, decide
from regen_core.testing import strategies as some
from regen_core.testing.edits import EDITS, edited, initial
from regen_core.transactions import NO_TRANSACTIONS, Occasion

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
SCOPE = Scope(tenant="t1", entity="e1", orgs=None)


def accepted(scope: Scope = SCOPE, **flags: Any) -> Run:
    """A run that was asked for."""
    run = accept("r1", scope, Occasion(NOW, "ann"), **flags)
    assert isinstance(run, Run)
    return run


@st.composite
def batches(draw: st.DrawFn) -> list[list[Handled]]:
    """All documents of a store, parted into batches, each with what the core decides about it; some are refused."""
    places = draw(st.sets(st.tuples(st.sampled_from(DocumentType), st.sampled_from("abcdef")), max_size=9))
    keys = [DocumentKey(tenant="t1", entity="e1", type=kind, id=name) for kind, name in places]
    documents = [draw(_documents(key)) for key in sorted(keys, key=place_of)]
    handled = [Handled(each.key, each.header.number, _decided(each)) for each in documents]
    size = draw(st.integers(1, 4))
    return [handled[start : start + size] for start in range(0, len(handled), size)]


@st.composite
def _documents(draw: st.DrawFn, key: DocumentKey) -> BillingDocument:
    edits = st.sampled_from(("unpost or post", *EDITS))
    return edited(initial(key), draw(edits), draw(st.integers(0, 3)))


def _decided(document: BillingDocument) -> Regeneration | Refusal:
    return decide(document, NO_TRANSACTIONS, request_for(accepted(re_migrate=True), document.key))


def carried_through(run: Run, parts: Sequence[Sequence[Handled]]) -> Run:
    """A run that nothing happens to."""
    run = begin(run, NOW)
    for part in parts:
        run = progress(run, part, NOW, is_last=False)
    return progress(run, [], NOW, is_last=True)


class TestStatuses:
    """MIG-6, MIG-10: which status follows which is a table, and the functions do what it says."""

    def test_every_cell_is_there(self) -> None:
        """Each status meets each event."""
        assert TRANSITIONS.keys() == set(product(RunStatus, RunEvent))

    def test_every_status_is_reached_and_only_an_error_is_left_again(self) -> None:
        """From *Accepted*; what is complete is a record."""
        reached = {RunStatus.ACCEPTED}
        for _ in RunStatus:
            reached |= {after for (before, _), after in TRANSITIONS.items() if after and before in reached}
        assert reached == set(RunStatus)
        left = {before for (before, _), after in TRANSITIONS.items() if after not in (None, before)}
        assert left == {RunStatus.ACCEPTED, RunStatus.IN_PROGRESS, RunStatus.ERROR}

    def test_only_a_run_in_progress_does_something(self) -> None:
        """Documents are done, and a run completes, in no other status."""
        for event in (RunEvent.PROGRESS, RunEvent.COMPLETE, RunEvent.COMPLETE_WITH_REJECTS):
            assert [each for each in RunStatus if TRANSITIONS[each, event] is not None] == [RunStatus.IN_PROGRESS]

    @pytest.mark.parametrize("status", RunStatus)
    def test_every_run_can_be_resumed_and_can_fail(self, status: RunStatus) -> None:
        """So whoever comes back to a run, or loses its database, has something to do that is allowed."""
        assert TRANSITIONS[status, RunEvent.RESUME] is not None
        assert TRANSITIONS[status, RunEvent.FAIL] is not None

    @pytest.mark.parametrize("status", RunStatus)
    def test_the_functions_do_what_the_table_says(self, status: RunStatus) -> None:
        """And raise where it says that something can't happen."""
        run = evolve(accepted(), status=status)
        refused = evolve(run, counts=RunCounts(refused=(("DocumentNotPosted", 1),)))
        done: dict[RunEvent, Callable[[], Run]] = {
            RunEvent.BEGIN: lambda: begin(run, NOW),
            RunEvent.PROGRESS: lambda: progress(run, [], NOW, is_last=False),
            RunEvent.COMPLETE: lambda: complete(run, NOW),
            RunEvent.COMPLETE_WITH_REJECTS: lambda: complete(refused, NOW),
            RunEvent.FAIL: lambda: fail(run, "no disk", NOW),
            RunEvent.RESUME: lambda: resume(run, NOW),
        }
        for event, call in done.items():
            after = TRANSITIONS[status, event]
            if after is None:
                with pytest.raises(ValueError, match=f"a run that is {status.value} can't {event.value}"):
                    call()
            else:
                assert call().status is after
                assert after is not status or not status.is_ended or call() == run

    def test_start_end_and_fault_come_and_go(self) -> None:
        """A run that is resumed has begun when it began, has not ended, and has no fault."""
        run = begin(accepted(), NOW)
        assert (run.started_at, run.ended_at, run.is_running) == (NOW, None, True)
        failed = fail(run, "no disk", LATER)
        assert (failed.status, failed.fault, failed.ended_at) == (RunStatus.ERROR, "no disk", LATER)
        assert resume(failed, LATER) == run
        assert resume(accepted(), LATER).started_at == LATER
        assert complete(run, LATER).ended_at == LATER


class TestFlags:
    """MIG-1: a run asks of each document what a single request does."""

    @given(flags=some.flags(conflicting=True))
    def test_flags_that_a_request_may_not_have_are_refused(self, flags: tuple[bool, bool]) -> None:
        """REQ-5."""
        run = accept("r1", SCOPE, Occasion(NOW), only_re_send=flags[0], re_migrate=flags[1])
        assert isinstance(run, ConflictingFlags) == (flags == (True, True))

    def test_a_run_has_the_mode_of_its_flags(self) -> None:
        """TBL-M."""
        assert accepted().mode is Mode.GENERATE
        assert accepted(re_migrate=True).mode is Mode.REMIGRATE
        assert accepted(only_re_send=True).mode is Mode.RESEND

    def test_flags_that_no_run_is_accepted_with_have_no_mode(self) -> None:
        """A store that has such a run was tampered with."""
        with pytest.raises(AssertionError, match=r"^flags that are refused are not accepted \(TBL-M4\)$"):
            _ = evolve(accepted(), only_re_send=True, re_migrate=True).mode

    def test_a_run_keeps_what_was_asked_for_and_by_whom(self) -> None:
        """MIG-2, MIG-11."""
        run = accepted(type=DocumentType.DEBIT_MEMO)
        assert (run.type, run.accepted) == (DocumentType.DEBIT_MEMO, Occasion(NOW, "ann"))
        assert accepted().type is None

    def test_a_request_names_the_document_and_has_the_runs_flags(self) -> None:
        """By id: a number may be given to another document while the run is under way."""
        key = DocumentKey(tenant="t1", entity="e1", type=DocumentType.CREDIT_MEMO, id="d1")
        request = request_for(accepted(re_migrate=True), key)
        assert (request.type, request.id, request.number) == (DocumentType.CREDIT_MEMO, "d1", None)
        assert (request.only_re_send, request.re_migrate) == (False, True)
        assert request_for(accepted(only_re_send=True), key).only_re_send

    def test_what_differs_from_what_was_asked_for_is_named(self) -> None:
        """What isn't given differs from nothing."""
        run = accepted(re_migrate=True)
        assert differing(run, only_re_send=False, re_migrate=False, type=None) == ()
        assert differing(run, re_migrate=True) == ()
        asked = {"only_re_send": True, "re_migrate": True, "type": DocumentType.INVOICE}
        assert differing(run, **asked) == ("only_re_send", "type")

    @pytest.mark.parametrize("name", ["", "a\nb", "x" * 256])
    def test_an_id_is_a_name(self, name: str) -> None:
        """It is typed by people and stored by databases."""
        with pytest.raises(ValueError, match="id "):
            evolve(accepted(), id=name)


class TestProgress:
    """MIG-6, MIG-9: what a run's log says is what became of the documents it came to."""

    @given(parts=batches())
    def test_counts_are_those_of_all_documents(self, parts: list[list[Handled]]) -> None:
        """Reckoned anew from the outcomes, however they were parted into batches."""
        run, everything = carried_through(accepted(re_migrate=True), parts), [each for part in parts for each in part]
        done = [each.outcome for each in everything if isinstance(each.outcome, Regeneration)]
        names = [each.outcome.name for each in everything if not isinstance(each.outcome, Regeneration)]
        counts = run.counts
        assert (counts.documents, counts.regenerated, counts.rejects) == (len(everything), len(done), len(names))
        assert counts.refused == tuple((name, names.count(name)) for name in sorted(set(names)))
        assert counts.transactions == sum(len(each.writes) for each in done)
        assert counts.deliveries == sum(len(each.deliveries) for each in done)
        assert run.cursor == (everything[-1].key if everything else None)

    @given(parts=batches())
    def test_it_completes_with_a_warning_where_something_was_refused(self, parts: list[list[Handled]]) -> None:
        """Which, and why, is listed; everything else was done all the same."""
        run, rejects = (
            carried_through(accepted(re_migrate=True), parts),
            [each for part in parts for each in rejects_of(part)],
        )
        assert run.status is (RunStatus.COMPLETED_WARNING if rejects else RunStatus.COMPLETED)
        assert len(rejects) == run.counts.rejects
        assert run.ended_at == NOW

    def test_a_reject_says_which_document_and_why(self) -> None:
        """By the refusal's own name, code and message."""
        key = DocumentKey(tenant="t1", entity="e1", type=DocumentType.INVOICE, id="d1")
        refusal = DocumentNotPosted(DocumentType.INVOICE, "Posted")
        told = Reject(key, "N-1", "DocumentNotPosted", 50000030, refusal.message)
        assert rejects_of([Handled(key, "N-1", refusal)]) == (told,)

    @given(parts=batches(), data=st.data())
    def test_failures_and_resumptions_leave_no_trace(self, parts: list[list[Handled]], data: st.DataObject) -> None:
        """MIG-7: between any two batches a run may fail, be resumed, or be resumed twice."""
        run = begin(accepted(re_migrate=True), NOW)
        for part in parts:
            for what in data.draw(st.lists(st.sampled_from(("fail", "resume")), max_size=3)):
                run = fail(run, "no disk", LATER) if what == "fail" else resume(run, LATER)
            run = progress(resume(run, LATER), part, LATER, is_last=False)
        assert progress(run, [], NOW, is_last=True) == carried_through(accepted(re_migrate=True), parts)

    @given(parts=batches().filter(bool), data=st.data())
    def test_no_batch_is_done_twice_and_none_out_of_order(
        self, parts: list[list[Handled]], data: st.DataObject
    ) -> None:
        """A batch that isn't behind the cursor is a store's mistake."""
        run, part = begin(accepted(re_migrate=True), NOW), data.draw(st.sampled_from(parts))
        run = progress(run, part, NOW, is_last=False)
        with pytest.raises(ValueError, match=r"^a batch begins behind the run's cursor"):
            progress(run, part, NOW, is_last=False)
        if len(part) > 1:
            with pytest.raises(ValueError, match="in the order"):
                progress(begin(accepted(), NOW), part[::-1], NOW, is_last=False)


class TestVisibility:
    """MIG-12: a run tells of documents, so who may not see these doesn't see it."""

    NORTH, BOTH = frozenset({"north"}), frozenset({"north", "south"})

    @pytest.mark.parametrize(
        ("runs", "callers", "seen"),
        [
            (None, None, True),
            (NORTH, None, True),
            (NORTH, NORTH, True),
            (None, NORTH, False),
            (BOTH, NORTH, False),
            (NORTH, BOTH, False),
            (NORTH, frozenset(), False),
        ],
    )
    def test_organisations(self, runs: frozenset[str] | None, callers: frozenset[str] | None, seen: bool) -> None:
        """All, or exactly the run's."""
        assert accepted(evolve(SCOPE, orgs=runs)).is_visible_to(evolve(SCOPE, orgs=callers)) is seen

    def test_tenant_and_entity(self) -> None:
        """ACC-4."""
        assert not accepted().is_visible_to(evolve(SCOPE, tenant="t2"))
        assert not accepted().is_visible_to(evolve(SCOPE, entity="e2"))

    def test_a_run_sees_what_it_was_accepted_for(self) -> None:
        """Whoever resumes it."""
        assert accepted(evolve(SCOPE, orgs=self.NORTH)).scope == evolve(
            SCOPE, orgs=self.NORTH, requested_orgs=self.NORTH
        )
