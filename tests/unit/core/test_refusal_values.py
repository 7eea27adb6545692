"""Refusals as values: codes, sentences, and nothing of the caller's in them (PRE-2, PRE-3)."""

from __future__ import annotations

import pytest

from regen_core.documents import DocumentType
from regen_core.refusals import (
    REFUSALS,
    RESOURCE_CODE,
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
    shown,
)

ONE_OF_EACH: tuple[Refusal, ...] = (
    UnknownPath(),
    MethodNotAllowed(),
    PayloadTooLarge(65536),
    UnsupportedEncoding("Content-Encoding"),
    Unauthenticated(),
    PermissionDenied("Manage OTR Transactions Regeneration"),
    EntityRequired(),
    EntityNotAccessible(),
    OrgNotAccessible(),
    LimitExceeded(7),
    InvalidHeader("Zuora-Track-Id", "at most 64 ASCII characters"),
    UnreadableBody("line 1: expected a value"),
    InvalidParameter("onlyResend", "is unknown"),
    ConflictingFlags(),
    UnknownField("tpye"),
    MissingField("type"),
    InvalidField("type", "is not one of the four"),
    IdempotencyKeyInProgress(),
    IdempotencyKeyReused(),
    DocumentNotFound(DocumentType.INVOICE),
    DocumentReferenceMismatch(DocumentType.CREDIT_MEMO),
    DocumentNotPosted(DocumentType.INVOICE_ITEM_ADJUSTMENT, "Processed"),
    UnmappableItem((UnmappedItem("i1", "its source is not told"), UnmappedItem("i2", "its category is not told"))),
    NothingToResend(2, 0),
    ConcurrentModification(),
    InternalFault(),
    TemporaryFault(),
)


class TestEveryRefusal:
    """PRE-2, PRE-3."""

    def test_one_of_each_is_here(self) -> None:
        assert tuple(type(refusal) for refusal in ONE_OF_EACH) == REFUSALS

    @pytest.mark.parametrize("refusal", ONE_OF_EACH, ids=lambda refusal: refusal.name)
    def test_it_speaks_in_sentences(self, refusal: Refusal) -> None:
        assert refusal.message.endswith(".")
        assert "  " not in refusal.message
        assert not any(ord(character) < 0x20 for character in refusal.message)

    @pytest.mark.parametrize("refusal", ONE_OF_EACH, ids=lambda refusal: refusal.name)
    def test_its_code_is_resource_and_category(self, refusal: Refusal) -> None:
        expected = 90000011 if isinstance(refusal, Unauthenticated) else RESOURCE_CODE * 100 + refusal.category
        assert refusal.code == expected
        assert len(str(refusal.code)) == 8
        assert refusal.name == type(refusal).__name__
        assert refusal.is_transient is (refusal.category in {50, 60, 61, 70, 99})

    @pytest.mark.parametrize(
        ("refusal", "told"),
        [
            (LimitExceeded(7), "7"),
            (UnknownField("tpye"), "tpye"),
            (InvalidParameter("onlyResend", "is unknown"), "onlyResend"),
            (DocumentNotPosted(DocumentType.INVOICE, "Posted"), "Posted"),
            (UnmappableItem((UnmappedItem("i1", "x"), UnmappedItem("i2", "y"))), "i2"),
            (MethodNotAllowed(("GET", "POST")), "GET, POST"),
        ],
        ids=lambda value: getattr(value, "name", ""),
    )
    def test_it_tells_what_it_is_about(self, refusal: Refusal, told: str) -> None:
        assert told in refusal.message


class TestNamesOfTheCallers:
    """PRE-2: an unknown name appears escaped and cut, never as it came."""

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("onlyResend", '"onlyResend"'),
            ('a"b\n', r'"a\"b\n"'),
            ("é", r'"\u00e9"'),
            ("x" * 64, '"' + "x" * 64 + '"'),
            ("x" * 65, '"' + "x" * 63 + r'\u2026"'),
        ],
    )
    def test_it_is_escaped_and_cut(self, name: str, expected: str) -> None:
        assert shown(name) == expected
