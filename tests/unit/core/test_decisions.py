"""One document from its first request to its last, every value of it; and each reason for which nothing is done."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve

from regen_core.decision_table import (
    DECISION_TABLE,
    DecisionTable,
    Mode,
    Presence,
    RegenerateFlag,
    SendAction,
    WriteAction,
    WriteRule,
)
from regen_core.documents import (
    AdjustmentKind,
    BillingDocument,
    BillingItem,
    DocumentHeader,
    DocumentKey,
    DocumentType,
    ItemSource,
    ProcessingType,
)
from regen_core.refusals import (
    ConcurrentModification,
    ConflictingFlags,
    DocumentNotFound,
    DocumentNotPosted,
    NothingToResend,
    UnmappableItem,
    UnmappedItem,
)
from regen_core.regeneration import PlannedLine, Regeneration, apply, decide, refused_unread
from regen_core.request import RegenerateRequest
from regen_core.revenue import Delivery
from regen_core.transactions import (
    NO_TRANSACTIONS,
    BillingTransaction,
    Occasion,
    RevenueType,
    StoredTransaction,
    StoredTransactions,
    TransactionState,
    transaction_id,
)

KEY = DocumentKey(tenant="t1", entity="e1", type=DocumentType.INVOICE, id="d1")
HEADER = DocumentHeader(key=KEY, number="N-1", status="Posted", date=date(2026, 1, 31), currency="EUR")
A, B, C = (BillingItem(id=name, amount=Decimal(10), source=ItemSource.SUBSCRIPTION) for name in "abc")
MONDAY, FRIDAY = (Occasion(datetime(2026, 2, day, tzinfo=UTC), by) for day, by in ((2, "ann"), (6, "bob")))

GENERATE = RegenerateRequest(type=DocumentType.INVOICE, id="d1")
REMIGRATE, RESEND = evolve(GENERATE, re_migrate=True), evolve(GENERATE, only_re_send=True)


def document(*items: BillingItem, header: DocumentHeader = HEADER) -> BillingDocument:
    return BillingDocument(header, items)


def transaction(item: BillingItem, revision: int, updated: Occasion | None, **parts: Any) -> BillingTransaction:
    told: dict[str, Any] = {
        "id": transaction_id(KEY, item.id),
        "header": HEADER,
        "item": item,
        "revenue_type": RevenueType.INV,
        "standalone": False,
        "revision": revision,
        "state": TransactionState.ACTIVE,
        "created": MONDAY,
        "updated": updated,
    }
    return BillingTransaction(**{**told, **parts})


def lines(*rows: tuple[BillingTransaction, int]) -> StoredTransactions:
    return StoredTransactions(tuple(StoredTransaction(*row) for row in rows))


def done(about: BillingDocument, stored: StoredTransactions, request: RegenerateRequest, **more: Any) -> Regeneration:
    made = decide(about, stored, request, **more)
    assert isinstance(made, Regeneration)
    return made


FIRST = lines((transaction(A, 1, MONDAY), 1), (transaction(B, 1, MONDAY), 1))


class TestOneDocument:
    """TBL-W, TBL-S and TBL-I with all that is written down."""

    def test_its_first_request(self) -> None:
        made = done(document(A, B), NO_TRANSACTIONS, GENERATE, occasion=MONDAY)
        assert made.stored_after == FIRST
        assert made.writes == made.written == tuple(each.transaction for each in FIRST.lines)
        assert made.deliveries == tuple(
            Delivery(each.transaction, 1, RegenerateFlag.N, SendAction.LINE) for each in FIRST.lines
        )
        assert (made.items, made.before) == ((A, B), (None, None))
        assert (made.document, made.stored, made.request) == (document(A, B), NO_TRANSACTIONS, GENERATE)
        assert made.rule is DECISION_TABLE.modes[False, False]

    def test_an_override_beside_a_void_and_a_line_that_is_new(self) -> None:
        """What is gone keeps its content; what is overridden keeps its id and when it was created."""
        header, negative = evolve(HEADER, number="N-2"), evolve(B, amount=Decimal(-10))
        about = document(C, negative, header=header)
        made = done(about, FIRST, REMIGRATE, occasion=FRIDAY)
        new = transaction(C, 1, FRIDAY, header=header, created=FRIDAY)
        now = transaction(negative, 2, FRIDAY, header=header, revenue_type=RevenueType.CM_C)
        void = transaction(A, 2, FRIDAY, state=TransactionState.VOIDED)
        assert made.stored_after == lines((new, 1), (now, 2), (void, 2))
        assert made.writes == (new, now, void)
        assert made.deliveries == (
            Delivery(new, 1, RegenerateFlag.Y, SendAction.LINE),
            Delivery(now, 2, RegenerateFlag.Y, SendAction.LINE),
            Delivery(void, 2, RegenerateFlag.Y, SendAction.VOID),
        )
        assert (made.items, made.before) == ((C, negative, None), (None, FIRST.lines[1], FIRST.lines[0]))
        assert [each.rule_ids for each in made.lines] == [
            ("TBL-W6", "TBL-S5"),
            ("TBL-W7", "TBL-S6"),
            ("TBL-W9", "TBL-S8"),
        ]
        assert made.rule is DECISION_TABLE.modes[False, True]

    def test_what_is_stored_is_kept_beside_a_line_that_is_new(self) -> None:
        made = done(document(A, C, B), FIRST, GENERATE, occasion=FRIDAY)
        new = transaction(C, 1, FRIDAY, created=FRIDAY)
        assert made.written == (None, new, None)
        assert made.stored_after == lines(
            (FIRST.lines[0].transaction, 2),
            (new, 1),
            (FIRST.lines[1].transaction, 2),
        )
        assert made.id_list == tuple(transaction_id(KEY, name) for name in "acb")

    @pytest.mark.parametrize("request_", [GENERATE, RESEND])
    def test_where_all_is_stored_it_is_said_again(self, request_: RegenerateRequest) -> None:
        made = done(document(A, B), FIRST, request_, occasion=FRIDAY)
        assert (made.document, made.stored, made.request) == (document(A, B), FIRST, request_)
        assert made.rule is DECISION_TABLE.modes[request_.only_re_send, False]
        assert (made.items, made.before, made.written) == ((A, B), FIRST.lines, (None, None))
        assert made.stored_after == lines(*[(each.transaction, 2) for each in FIRST.lines])
        assert [each.number for each in made.deliveries] == [2, 2]

    @pytest.mark.parametrize("request_", [GENERATE, REMIGRATE, RESEND])
    @pytest.mark.parametrize("before", [FIRST, lines((transaction(A, 1, MONDAY), 3))], ids=["all", "one"])
    def test_what_is_there_afterwards(self, before: StoredTransactions, request_: RegenerateRequest) -> None:
        """By line, and the same as the lines tell; nothing where nothing was stored and nothing is generated."""
        made = done(document(C, A, B), before, request_)
        there = [None if line.after is None else (line.after.transaction, line.after.deliveries) for line in made.lines]
        assert made.after == tuple(there)
        assert (None in there) is request_.only_re_send

    def test_a_key_is_known_by_its_parts(self) -> None:
        """What was read at another time has a key of its own."""
        read = document(A, B, header=evolve(HEADER, key=evolve(KEY)))
        assert read.key is not KEY
        assert done(read, FIRST, RESEND).before == FIRST.lines

    def test_what_is_excluded_is_written_and_named_and_not_said(self) -> None:
        out = evolve(A, excluded_from_revenue=True)
        made = done(document(out, B), NO_TRANSACTIONS, GENERATE, occasion=MONDAY)
        assert made.stored_after == lines((transaction(out, 1, MONDAY), 0), (transaction(B, 1, MONDAY), 1))
        assert [line.delivery is None for line in made.lines] == [True, False]
        again = done(document(out, B), made.stored_after, GENERATE)
        assert again.lines[0].after is again.lines[0].before is made.stored_after.lines[0]
        assert again.id_list == (transaction_id(KEY, "b"),)
        assert made.id_list == (transaction_id(KEY, "a"), transaction_id(KEY, "b"))
        again = done(document(out, B), made.stored_after, REMIGRATE, occasion=FRIDAY)
        assert [each.deliveries for each in again.stored_after.lines] == [0, 2]
        assert again.deliveries == (Delivery(transaction(B, 2, FRIDAY), 2, RegenerateFlag.Y, SendAction.LINE),)

    def test_a_tax_line_is_skipped_and_named(self) -> None:
        """TAX-1."""
        tax = evolve(C, processing_type=ProcessingType.TAX)
        made = done(document(A, tax), NO_TRANSACTIONS, GENERATE)
        assert made.skipped_tax_items == (tax,)
        assert made.items == (A,)

    def test_what_is_written_and_not_said_was_said_as_often_as_before(self) -> None:
        """REV-0, by a table that overrides without a word: the next delivery has the next number."""
        cell = (Mode.GENERATE, Presence.PRESENT_ACTIVE)
        table = evolve(
            DECISION_TABLE, writes={**DECISION_TABLE.writes, cell: WriteRule("TBL-W2", WriteAction.OVERRIDE)}
        )
        out = evolve(A, excluded_from_revenue=True)
        made = done(document(out, B), FIRST, GENERATE, occasion=FRIDAY, table=table)
        assert made.stored_after == lines((transaction(out, 2, FRIDAY), 1), (transaction(B, 2, FRIDAY), 2))

    def test_nobody_need_say_when(self) -> None:
        (new,) = done(document(A), NO_TRANSACTIONS, GENERATE).writes
        assert (new.created, new.updated) == (None, None)

    def test_lines_without_a_transaction_have_nothing_else(self) -> None:
        made = done(document(A, C), lines((transaction(A, 1, MONDAY), 1)), RESEND)
        assert made.lines[1] == PlannedLine(C, None, None, made.rulings[1], None)
        assert made.id_list == (transaction_id(KEY, "a"),)


DRAFT = evolve(HEADER, status="Draft")
UNTOLD = evolve(A, id="x", source=None), evolve(C, id="y", source=ItemSource.CREDIT_MEMO)


class TestRefusals:
    """TBL-M4, REQ-4, ELI-1, MAP-U, ELI-2: each whole."""

    @pytest.mark.parametrize(
        ("changed", "refusal"),
        [
            ({"only_re_send": True, "re_migrate": True}, ConflictingFlags()),
            ({"type": DocumentType.DEBIT_MEMO}, DocumentNotFound(DocumentType.DEBIT_MEMO)),
            ({"id": "d2"}, DocumentNotFound(DocumentType.INVOICE)),
            ({"number": "N-2"}, DocumentNotFound(DocumentType.INVOICE)),
            ({"id": None, "number": "N-2"}, DocumentNotFound(DocumentType.INVOICE)),
            ({}, DocumentNotPosted(DocumentType.INVOICE, "Posted")),
            ({"id": None, "number": "N-1"}, DocumentNotPosted(DocumentType.INVOICE, "Posted")),
            ({"number": "N-1"}, DocumentNotPosted(DocumentType.INVOICE, "Posted")),
        ],
    )
    def test_of_a_draft(self, changed: dict[str, Any], refusal: object) -> None:
        asked = evolve(GENERATE, **changed)
        assert decide(document(A, header=DRAFT), NO_TRANSACTIONS, asked) == refusal
        assert refused_unread(asked) == (refusal if refusal == ConflictingFlags() else None)

    def test_an_adjustment_is_to_be_processed(self) -> None:
        kind = DocumentType.INVOICE_ITEM_ADJUSTMENT
        item = BillingItem(id="d1", amount=Decimal(1), adjustment_kind=AdjustmentKind.CREDIT)
        about = document(item, header=evolve(HEADER, key=evolve(KEY, type=kind)))
        asked = RegenerateRequest(type=kind, id="d1")
        assert decide(about, NO_TRANSACTIONS, asked) == DocumentNotPosted(kind, "Processed")

    @pytest.mark.parametrize("request_", [GENERATE, REMIGRATE])
    def test_of_items_that_no_row_maps(self, request_: RegenerateRequest) -> None:
        """All of them, wherever they stand."""
        about = document(UNTOLD[0], A, UNTOLD[1], B)
        assert decide(about, FIRST, request_) == UnmappableItem(
            (
                UnmappedItem(
                    "x", "where the Invoice item comes from is not told; give 'source' in its companion fields"
                ),
                UnmappedItem("y", "no row maps a document of type Invoice with an item whose source is: credit memo"),
            )
        )

    def test_of_a_resend_with_nothing_to_say(self) -> None:
        """Excluded and never sent, or not there at all."""
        out = lines((transaction(evolve(A, excluded_from_revenue=True), 1, MONDAY), 0))
        assert decide(document(A, B), out, RESEND) == NothingToResend(2, 1)
        assert decide(document(A), out, RESEND) == NothingToResend(1, 1)
        assert decide(document(A, B, C), NO_TRANSACTIONS, RESEND) == NothingToResend(3, 0)
        assert done(document(), NO_TRANSACTIONS, GENERATE).lines == ()

    def test_the_last_line_may_be_the_one_that_is_said(self) -> None:
        out = evolve(A, excluded_from_revenue=True)
        stored = lines((transaction(out, 1, MONDAY), 0), (transaction(B, 1, MONDAY), 0))
        assert [each.transaction.item for each in done(document(A, B), stored, RESEND).deliveries] == [B]

    def test_of_what_has_moved(self) -> None:
        made = done(document(A, B), FIRST, RESEND)
        assert apply(FIRST, made) == apply(lines(*[(e.transaction, 1) for e in FIRST.lines]), made) == made.stored_after
        assert apply(NO_TRANSACTIONS, made) == ConcurrentModification()
        assert apply(made.stored_after, made) == ConcurrentModification()


def commanding(action: WriteAction) -> DecisionTable:
    """The operation that does something else to an item without a transaction."""
    cell = (Mode.GENERATE, Presence.ITEM_ONLY)
    return evolve(DECISION_TABLE, writes={**DECISION_TABLE.writes, cell: WriteRule("TBL-W1", action)})


class TestOurOwnMistakes:
    """What no caller can be told of stops at once, and nothing is written."""

    def test_the_transactions_of_another_document(self) -> None:
        other = document(A, header=evolve(HEADER, key=evolve(KEY, id="d2")))
        message = re.escape(f"the stored transactions are not those of {other.key}")
        for request_ in (evolve(GENERATE, id="d2"), evolve(GENERATE, only_re_send=True, re_migrate=True)):
            with pytest.raises(ValueError, match=f"^{message}$"):
                decide(other, FIRST, request_)

    @pytest.mark.parametrize(
        ("action", "message"),
        [
            (WriteAction.VOID, "a line without an item has a stored transaction"),
            (WriteAction.OVERRIDE, "only a stored transaction is overridden"),
        ],
    )
    def test_a_table_that_commands_what_cannot_be(self, action: WriteAction, message: str) -> None:
        with pytest.raises(AssertionError, match=f"^{message}$"):
            decide(document(A), NO_TRANSACTIONS, GENERATE, table=commanding(action))

    @pytest.mark.parametrize("column", ["items", "before", "written", "rulings"])
    def test_columns_of_unequal_length(self, column: str) -> None:
        made = done(document(A, B), FIRST, RESEND)
        shorter: dict[str, Any] = {column: getattr(made, column)[:1]}
        with pytest.raises(ValueError, match="zip"):
            _ = evolve(made, **shorter).lines
        if column != "items":
            with pytest.raises(ValueError, match="zip"):
                _ = evolve(made, **shorter).after
            with pytest.raises(ValueError, match="zip"):
                _ = evolve(made, **shorter).stored_after

    def test_a_line_of_nothing(self) -> None:
        ruling = done(document(A), NO_TRANSACTIONS, GENERATE).rulings[0]
        nothing = PlannedLine(None, None, None, ruling, None)
        with pytest.raises(AssertionError, match=r"^a line has an item or a stored transaction$"):
            _ = nothing.item_id

    def test_lines_are_made_once(self) -> None:
        """Who asks a large document for its lines, its deliveries and its ids pays for them once."""
        made = done(document(A, B), FIRST, RESEND)
        assert made.lines is made.lines
