"""IDM-1 … IDM-9 as far as they are a pure decision: what a request under a key does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve
from hypothesis import example, given
from hypothesis import strategies as st

from regen_core.access import Scope
from regen_core.documents import DocumentKey, DocumentType
from regen_core.idempotency import (
    KEY_LIFETIME,
    MAX_KEY_LENGTH,
    IdempotencyRecord,
    Proceed,
    Replay,
    RequestMeaning,
    Running,
    consult,
    is_saved,
    key_digest,
    key_fault,
    meaning_of,
)
from regen_core.refusals import (
    REFUSALS,
    ConcurrentModification,
    ConflictingFlags,
    DocumentNotFound,
    DocumentNotPosted,
    DocumentReferenceMismatch,
    IdempotencyKeyInProgress,
    IdempotencyKeyReused,
    InternalFault,
    NothingToResend,
    Refusal,
    TemporaryFault,
    UnmappableItem,
)
from regen_core.regeneration import Regeneration, decide
from regen_core.request import RegenerateRequest
from regen_core.testing import strategies as some
from regen_core.testing.edits import SLOTS, initial
from regen_core.transactions import NO_TRANSACTIONS

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
SCOPE = Scope(tenant="t1", entity="e1", orgs=frozenset({"north"}))
REQUEST = RegenerateRequest(type=DocumentType.INVOICE, id="d1")
KEY = DocumentKey(tenant="t1", entity="e1", type=DocumentType.INVOICE, id="d1")


def recorded(meaning: RequestMeaning, at: datetime = NOW) -> IdempotencyRecord:
    return IdempotencyRecord(meaning=meaning, status=200, body=b'{"success":true}', documents=(KEY,), set_at=at)


@st.composite
def meanings(draw: st.DrawFn) -> RequestMeaning:
    scope = evolve(
        SCOPE, requested_orgs=draw(st.none() | st.just(frozenset({"north"})) | st.just(frozenset({"south"})))
    )
    names = st.sampled_from([("d1", None), (None, "N-1"), ("d1", "N-1"), ("d2", None)])
    by_id, by_number = draw(names)
    flags = draw(some.flags())
    request = RegenerateRequest(
        type=draw(st.sampled_from([DocumentType.INVOICE, DocumentType.CREDIT_MEMO])),
        id=by_id,
        number=by_number,
        only_re_send=flags[0],
        re_migrate=flags[1],
    )
    return meaning_of(scope, request)


class TestReplaying:
    """IDM-1, IDM-8: the same request under the same key gets the saved status and body, whatever they are."""

    @given(meanings(), st.integers(200, 599), st.binary(max_size=20))
    def test_the_first_result_is_given_again(self, meaning: RequestMeaning, status: int, body: bytes) -> None:
        record = evolve(recorded(meaning), status=status, body=body)
        assert consult(record, meaning, NOW, documents_are_visible=True) == Replay(status, body)

    @given(meanings())
    def test_a_new_key_proceeds(self, meaning: RequestMeaning) -> None:
        assert consult(None, meaning, NOW, documents_are_visible=True) == Proceed()


class TestLifetime:
    """IDM-2: 24 hours from being set, never shorter; after that the key is new."""

    @given(meanings(), st.timedeltas(timedelta(0), timedelta(hours=48)))
    @example(meaning_of(SCOPE, REQUEST), timedelta(hours=24))
    @example(meaning_of(SCOPE, REQUEST), timedelta(hours=24) - timedelta(microseconds=1))
    def test_it_lives_a_day(self, meaning: RequestMeaning, age: timedelta) -> None:
        answer = consult(recorded(meaning), meaning, NOW + age, documents_are_visible=True)
        assert isinstance(answer, Replay) is (age < timedelta(hours=24))
        assert isinstance(answer, Proceed) is (age >= timedelta(hours=24))
        assert timedelta(hours=24) == KEY_LIFETIME

    @given(meanings(), meanings())
    def test_once_over_even_another_request_may_use_it(self, first: RequestMeaning, second: RequestMeaning) -> None:
        assert consult(recorded(first), second, NOW + KEY_LIFETIME, documents_are_visible=False) == Proceed()


class TestRunning:
    """IDM-3: while the first is running, the answer is to wait, at once."""

    @given(meanings(), st.booleans())
    def test_it_is_told_to_wait(self, meaning: RequestMeaning, visible: bool) -> None:
        answer = consult(Running(), meaning, NOW, documents_are_visible=visible)
        assert answer == IdempotencyKeyInProgress(retry_after=1)
        assert isinstance(answer, IdempotencyKeyInProgress)
        assert (answer.http_status, answer.is_transient) == (409, True)


class TestReuse:
    """IDM-4: another meaning under the key is refused; what may be seen today is no part of the meaning."""

    @given(meanings(), meanings(), st.booleans())
    def test_another_meaning_is_refused(self, first: RequestMeaning, second: RequestMeaning, visible: bool) -> None:
        answer = consult(recorded(first), second, NOW, documents_are_visible=visible)
        assert (answer == IdempotencyKeyReused()) is (first != second)

    @pytest.mark.parametrize(
        "changed",
        [
            {"method": "PUT"},
            {"path": "/v1/other"},
            {"entity": "e2"},
            {"requested_orgs": frozenset({"north"})},
            {"request": evolve(REQUEST, only_re_send=True)},
            {"request": evolve(REQUEST, re_migrate=True)},
            {"request": evolve(REQUEST, type=DocumentType.DEBIT_MEMO)},
            {"request": evolve(REQUEST, id="d2")},
            {"request": evolve(REQUEST, number="N-1")},
            {"request": evolve(REQUEST, id=None, number="d1")},
        ],
    )
    def test_every_part_of_the_meaning_counts(self, changed: dict[str, Any]) -> None:
        meaning = meaning_of(SCOPE, REQUEST)
        other = RequestMeaning(**{**{name: getattr(meaning, name) for name in _PARTS}, **changed})
        assert consult(recorded(meaning), other, NOW, documents_are_visible=True) == IdempotencyKeyReused()

    def test_what_the_caller_may_see_is_no_part_of_it(self) -> None:
        wider = evolve(SCOPE, orgs=frozenset({"north", "south"}))
        assert meaning_of(SCOPE, REQUEST) == meaning_of(wider, REQUEST)
        assert meaning_of(SCOPE, REQUEST) != meaning_of(evolve(SCOPE, requested_orgs=SCOPE.orgs), REQUEST)

    def test_flags_that_are_absent_are_false(self) -> None:
        spelled_out = RegenerateRequest(type=DocumentType.INVOICE, id="d1", only_re_send=False, re_migrate=False)
        assert meaning_of(SCOPE, REQUEST) == meaning_of(SCOPE, spelled_out)


_PARTS = ("method", "path", "entity", "requested_orgs", "request")


class TestSight:
    """IDM-6: no saved answer outlives the right to see its document; the record stays for those who may."""

    @given(meanings())
    def test_what_is_out_of_sight_is_not_found(self, meaning: RequestMeaning) -> None:
        answer = consult(recorded(meaning), meaning, NOW, documents_are_visible=False)
        assert answer == DocumentNotFound(meaning.request.type)


class TestSaving:
    """IDM-6: saved is what the operation itself decided, and nothing that a retry should get past."""

    SAVED = (DocumentNotFound, DocumentReferenceMismatch, DocumentNotPosted, UnmappableItem, NothingToResend)

    @pytest.mark.parametrize("kind", REFUSALS, ids=lambda kind: kind.__name__)
    def test_a_refusal_is_saved_from_not_found_to_nothing_to_resend(self, kind: type[Refusal]) -> None:
        refusal = object.__new__(kind)
        assert is_saved(refusal) is (kind in self.SAVED)

    def test_a_success_is_saved(self) -> None:
        done = decide(initial(SLOTS[0]), NO_TRANSACTIONS, REQUEST)
        assert isinstance(done, Regeneration)
        assert is_saved(done)

    def test_what_may_pass_is_not_saved(self) -> None:
        for refusal in (ConflictingFlags(), ConcurrentModification(), InternalFault(), TemporaryFault()):
            assert not is_saved(refusal)


class TestDigests:
    """IDM-5: keys belong to a client of a tenant, and only a hash of them is stored."""

    @given(st.tuples(*[st.text("ab", max_size=3)] * 3), st.tuples(*[st.text("ab", max_size=3)] * 3))
    def test_no_two_owners_share_a_key(self, one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
        assert (key_digest(*one) == key_digest(*other)) is (one == other)

    @given(some.names(), some.names(), some.names())
    def test_the_key_cannot_be_read_back(self, tenant: str, client: str, key: str) -> None:
        digest = key_digest(tenant, client, key)
        assert len(digest) == 32
        assert len(key) < 4 or key not in digest


class TestKeys:
    """IDM-9: a key is up to 255 printable ASCII characters, taken as they are."""

    @given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=MAX_KEY_LENGTH))
    @example("k" * 255)
    @example("!~")
    def test_any_visible_ascii_will_do(self, key: str) -> None:
        assert key_fault(key) is None

    @pytest.mark.parametrize("key", ["", "k" * 256])
    def test_the_length_has_limits(self, key: str) -> None:
        assert key_fault(key) == f"has {len(key)} characters; expected 1 to 255"

    @pytest.mark.parametrize("key", [" ", "a b", "a\n", "\x7f", "é", "key\x00"])
    def test_nothing_else_will_do(self, key: str) -> None:
        assert key_fault(key) == "holds a character that is not visible ASCII"

    def test_case_counts(self) -> None:
        assert key_digest("t", "c", "Key") != key_digest("t", "c", "key")
