"""What a refusal tells a caller: what to correct, in the words of the request, and in plain sentences (PRE-2)."""

from __future__ import annotations

import re

import pytest
from attrs import evolve
from attrs.exceptions import FrozenInstanceError

from regen_core.documents import DocumentType
from regen_core.refusals import (
    TRANSIENT_CATEGORIES,
    ConcurrentModification,
    ConflictingFlags,
    DocumentNotFound,
    DocumentNotPosted,
    DocumentReferenceMismatch,
    EntityNotAccessible,
    EntityRequired,
    IdempotencyKeyInProgress,
    IdempotencyKeyReused,
    InternalFault,
    InvalidField,
    InvalidHeader,
    InvalidParameter,
    LimitExceeded,
    MethodNotAllowed,
    MissingField,
    NothingToResend,
    OrgNotAccessible,
    PayloadTooLarge,
    PermissionDenied,
    Refusal,
    TemporaryFault,
    Unauthenticated,
    UnknownField,
    UnknownPath,
    UnmappableItem,
    UnmappedItem,
    UnreadableBody,
    UnsupportedEncoding,
    _Refused,
)

TOLD: list[tuple[Refusal, tuple[str, ...]]] = [
    (UnknownPath(), ("no such path", "POST /v1/uno-regenerate/billing-transaction")),
    (MethodNotAllowed(), ("answers POST only", "that method")),
    (PayloadTooLarge(65536), ("longer than 65536 bytes", "one document reference")),
    (UnsupportedEncoding("Content-Encoding"), ("header Content-Encoding", "application/json", "gzipped")),
    (Unauthenticated(), ("Authorization: Bearer {token}", "not expired")),
    (PermissionDenied("manage it"), ("'manage it'", "administrator")),
    (EntityRequired(), ("several entities", "Zuora-Entity-Ids")),
    (EntityNotAccessible(), ("Zuora-Entity-Ids", "exactly one")),
    (OrgNotAccessible(), ("Zuora-Org-Ids", "leave it out")),
    (LimitExceeded(7), ("Too many requests", "after 7 s")),
    (InvalidHeader("Zuora-Track-Id", "short text"), ("header Zuora-Track-Id", "expected short text")),
    (UnreadableBody("no value"), ("no value", "one JSON object", '{"type": …, "id": …}')),
    (InvalidParameter("onlyResend", "is unknown"), ('query parameter "onlyResend" is unknown',)),
    (ConflictingFlags(), ("onlyReSend and reMigrate are both true", "onlyReSend sends", "reMigrate overrides")),
    (UnknownField("tpye"), ('"tpye" is unknown', "type, id, documentId, number")),
    (MissingField("type"), ("field type is missing", "id or number or both")),
    (InvalidField("type", "is no type"), ("field type is no type",)),
    (IdempotencyKeyInProgress(), ("Idempotency-Key is still running", "after 1 s")),
    (IdempotencyKeyInProgress(9), ("after 9 s",)),
    (IdempotencyKeyReused(), ("Idempotency-Key", "different request", "a new key")),
    (DocumentNotFound(DocumentType.INVOICE), ("no such Invoice", "type, id and number")),
    (DocumentReferenceMismatch(DocumentType.CREDIT_MEMO), ("id and number", "type CreditMemo", "leave it out")),
    (DocumentNotPosted(DocumentType.DEBIT_MEMO, "Posted"), ("DebitMemo", "the status Posted")),
    (
        UnmappableItem((UnmappedItem("i1", "no source"), UnmappedItem("i2", "no category"))),
        ('for item "i1": no source; item "i2": no category.', "Nothing was written"),
    ),
    (NothingToResend(2, 0), ("nothing to resend (items: 2)", "Generate them first", "leave out onlyReSend")),
    (NothingToResend(3, 2), ("nothing to hear (stored: 2)", "excluded from revenue", "use reMigrate")),
    (ConcurrentModification(), ("changed in the meantime", "Nothing was written", "send it again")),
    (InternalFault(), ("again later", "Idempotency-Key")),
    (TemporaryFault(), ("again later", "Idempotency-Key")),
]

SPELLED = {"POST", "JSON", "onlyReSend", "reMigrate", "onlyResend", "documentId", "CreditMemo", "DebitMemo"}
"""Words that have capitals of their own."""


def is_plain(word: str) -> bool:
    """Whether a word is neither shouted nor mangled: lower-case, capitalised, or spelled as the request spells it."""
    return word in SPELLED or re.fullmatch(r"[A-Z]?[a-z]*", word) is not None


EACH = pytest.mark.parametrize(("refusal", "told"), TOLD, ids=lambda value: getattr(value, "name", ""))


class TestWhatIsTold:
    """Clients show it to people: it says what to correct, and nothing that only this code's authors understand."""

    @EACH
    def test_it_names_what_is_wrong_and_what_helps(self, refusal: Refusal, told: tuple[str, ...]) -> None:
        assert [each for each in told if each not in refusal.message] == []

    @EACH
    def test_its_words_are_plain(self, refusal: Refusal, told: tuple[str, ...]) -> None:
        assert [word for word in re.findall(r"[A-Za-z]+", refusal.message) if not is_plain(word)] == []

    @EACH
    def test_its_sentences_begin_as_sentences_do(self, refusal: Refusal, told: tuple[str, ...]) -> None:
        """With a capital letter, or with the name of a flag or field as it is spelled."""
        for sentence in re.split(r"(?<=[.]) ", refusal.message):
            assert sentence[0].isupper() or sentence.startswith(("onlyReSend and", "id and number")), sentence

    def test_control_shouting_and_mangling_are_noticed(self) -> None:
        assert not is_plain("INTERNAL")
        assert not is_plain("XXInternal")
        assert not is_plain("onlyresendXX")


class TestAuthors:
    """Who adds a refusal has to say what it tells."""

    def test_one_without_a_message_is_not_done(self) -> None:
        class Unsaid(_Refused):
            __slots__ = ()

        with pytest.raises(NotImplementedError):
            _ = Unsaid().message


class TestAsValues:
    """PRE-2: refusals are compared, kept for replays and never changed."""

    @EACH
    def test_two_that_say_the_same_are_the_same(self, refusal: Refusal, told: tuple[str, ...]) -> None:
        assert evolve(refusal) == refusal
        assert hash(evolve(refusal)) == hash(refusal)
        with pytest.raises(FrozenInstanceError):
            refusal.rank = 0  # type: ignore[misc]

    def test_codes_are_the_documented_digits(self) -> None:
        """Zuora's code of an unknown object before the two digits of the category."""
        assert UnknownPath().code == 50000040
        assert DocumentNotPosted(DocumentType.INVOICE, "Posted").code == 50000030

    def test_zuoras_categories_that_are_worth_a_retry(self) -> None:
        """PRE-3: those that no refusal of ours has are among them."""
        assert sorted(TRANSIENT_CATEGORIES) == [50, 60, 61, 70, 99]

    def test_a_client_is_asked_to_wait_at_least_a_second(self) -> None:
        assert IdempotencyKeyInProgress().retry_after == 1
