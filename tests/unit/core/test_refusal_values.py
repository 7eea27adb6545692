"""Refusals as values: order, codes, sentences, and nothing of the caller's in them (PRE-1 … PRE-3)."""

from __future__ import annotations

from typing import get_args

import pytest

from regen_core.documents import DocumentType
from regen_core.refusals import (
    REFUSALS,
    RESOURCE_CODE,
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
    shown,
)
from regen_core.rules import RULES

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


BY_HAND = """
0  40 404 UnknownPath
0  45 405 MethodNotAllowed
0  20 413 PayloadTooLarge
0  20 415 UnsupportedEncoding
1  11 401 Unauthenticated
2  10 403 PermissionDenied
3  10 403 EntityRequired
3  10 403 EntityNotAccessible
4  10 403 OrgNotAccessible
5  70 429 LimitExceeded
6  20 400 InvalidHeader
7  90 400 UnreadableBody
8  27 400 InvalidParameter
9  27 400 ConflictingFlags
10 21 400 UnknownField
11 22 400 MissingField
12 20 400 InvalidField
13 50 409 IdempotencyKeyInProgress
14 30 422 IdempotencyKeyReused
15 40 404 DocumentNotFound
16 20 400 DocumentReferenceMismatch
17 30 400 DocumentNotPosted
18 30 400 UnmappableItem
19 30 400 NothingToResend
20 50 409 ConcurrentModification
-  60 500 InternalFault
-  61 503 TemporaryFault
"""


class TestTheLadder:
    """PRE-1, PRE-2, PRE-3: the order is law, and so are names, categories and codes."""

    def test_refusals_are_those_of_the_law_in_its_order(self) -> None:
        rows = [line.split() for line in BY_HAND.strip().splitlines()]
        told = [
            ["-" if kind.rank is None else str(kind.rank), str(kind.category), str(kind.http_status), kind.__name__]
            for kind in REFUSALS
        ]
        assert told == rows
        assert get_args(Refusal) == REFUSALS

    def test_business_refusals_are_never_409(self) -> None:
        """PRE-3: clients retry 409, which cannot help."""
        for kind in REFUSALS:
            assert (kind.http_status == 409) <= (kind.category in TRANSIENT_CATEGORIES)

    def test_every_refusal_cites_rules_of_the_register(self) -> None:
        for kind in REFUSALS:
            assert kind.rule_ids
            assert set(kind.rule_ids) <= set(RULES)


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
