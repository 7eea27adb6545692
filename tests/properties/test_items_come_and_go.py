"""Items gone, back, new and excluded, as short stories: TBL-W1 … TBL-W15 and TBL-S1 … TBL-S8 by their ids."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from attrs import evolve

from regen_core.decision_table import SendAction
from regen_core.documents import BillingDocument, BillingItem, DocumentHeader, DocumentKey, DocumentType, ItemSource
from regen_core.regeneration import Regeneration, decide
from regen_core.request import RegenerateRequest
from regen_core.transactions import NO_TRANSACTIONS, StoredTransactions, TransactionState

KEY = DocumentKey(tenant="t1", entity="e1", type=DocumentType.INVOICE, id="d1")
HEADER = DocumentHeader(key=KEY, number="N-1", status="Posted", date=date(2026, 1, 31), currency="EUR")
ITEMS = tuple(BillingItem(id=f"i{n}", amount=Decimal(n), source=ItemSource.SUBSCRIPTION) for n in (1, 2, 3))
WHOLE = BillingDocument(HEADER, ITEMS)
WITHOUT_THE_SECOND = BillingDocument(HEADER, (ITEMS[0], ITEMS[2]))

GENERATE = RegenerateRequest(type=DocumentType.INVOICE, id="d1")
REMIGRATE = evolve(GENERATE, re_migrate=True)
RESEND = evolve(GENERATE, only_re_send=True)


def after(document: BillingDocument, stored: StoredTransactions, request: RegenerateRequest) -> Regeneration:
    done = decide(document, stored, request)
    assert isinstance(done, Regeneration)
    return done


def of_second(done: Regeneration) -> tuple[tuple[str, ...], SendAction | None]:
    line = next(line for line in done.lines if line.item_id == "i2")
    return line.rule_ids, None if line.delivery is None else line.delivery.action


GENERATED = after(WHOLE, NO_TRANSACTIONS, GENERATE).stored_after
VOIDED = after(WITHOUT_THE_SECOND, GENERATED, REMIGRATE).stored_after


class TestAnItemIsGone:
    """TBL-W4, TBL-W5, TBL-W9, TBL-W10, TBL-W14, TBL-W15."""

    def test_generate_keeps_and_sends_its_transaction(self) -> None:
        assert of_second(after(WITHOUT_THE_SECOND, GENERATED, GENERATE)) == (("TBL-W4", "TBL-S2"), SendAction.LINE)

    def test_remigrate_voids_it_and_says_so(self) -> None:
        done = after(WITHOUT_THE_SECOND, GENERATED, REMIGRATE)
        assert of_second(done) == (("TBL-W9", "TBL-S8"), SendAction.VOID)
        voided = done.stored_after.lines[-1].transaction
        assert (voided.state, voided.revision, voided.item) == (TransactionState.VOIDED, 2, ITEMS[1])

    def test_resend_keeps_and_sends_it(self) -> None:
        assert of_second(after(WITHOUT_THE_SECOND, GENERATED, RESEND)) == (("TBL-W14", "TBL-S6"), SendAction.LINE)

    def test_what_is_voided_is_kept_and_with_y_said_again(self) -> None:
        assert of_second(after(WITHOUT_THE_SECOND, VOIDED, GENERATE)) == (("TBL-W5", "TBL-S4"), None)
        assert of_second(after(WITHOUT_THE_SECOND, VOIDED, REMIGRATE)) == (("TBL-W10", "TBL-S8"), SendAction.VOID)
        assert of_second(after(WITHOUT_THE_SECOND, VOIDED, RESEND)) == (("TBL-W15", "TBL-S8"), SendAction.VOID)

    def test_one_never_sent_is_voided_without_a_word(self) -> None:
        """TBL-S7, CNV-7."""
        excluded = BillingDocument(HEADER, (ITEMS[0], evolve(ITEMS[1], excluded_from_revenue=True), ITEMS[2]))
        stored = after(excluded, NO_TRANSACTIONS, GENERATE).stored_after
        assert of_second(after(WITHOUT_THE_SECOND, stored, REMIGRATE)) == (("TBL-W9", "TBL-S7"), None)


class TestAnItemIsBack:
    """TBL-W3, TBL-W8, TBL-W13."""

    def test_generate_leaves_it_voided(self) -> None:
        assert of_second(after(WHOLE, VOIDED, GENERATE)) == (("TBL-W3", "TBL-S4"), None)

    def test_remigrate_brings_it_back_under_its_old_id(self) -> None:
        done = after(WHOLE, VOIDED, REMIGRATE)
        assert of_second(done) == (("TBL-W8", "TBL-S6"), SendAction.LINE)
        back = done.stored_after.lines[1].transaction
        assert (back.state, back.revision) == (TransactionState.ACTIVE, 3)
        assert back.id == GENERATED.lines[1].transaction.id

    def test_resend_says_the_void_again(self) -> None:
        assert of_second(after(WHOLE, VOIDED, RESEND)) == (("TBL-W13", "TBL-S8"), SendAction.VOID)


class TestAnItemIsExcluded:
    """TBL-S3, TBL-S4, TBL-S8: written like any other, but Revenue must not have it."""

    EXCLUDED = BillingDocument(HEADER, (ITEMS[0], evolve(ITEMS[1], excluded_from_revenue=True), ITEMS[2]))

    def test_a_new_one_is_written_and_not_sent(self) -> None:
        assert of_second(after(self.EXCLUDED, NO_TRANSACTIONS, GENERATE)) == (("TBL-W1", "TBL-S3"), None)
        assert of_second(after(self.EXCLUDED, NO_TRANSACTIONS, REMIGRATE)) == (("TBL-W6", "TBL-S7"), None)

    def test_one_that_was_sent_is_taken_back_with_y_only(self) -> None:
        assert of_second(after(self.EXCLUDED, GENERATED, REMIGRATE)) == (("TBL-W7", "TBL-S8"), SendAction.VOID)
        stored = after(self.EXCLUDED, GENERATED, REMIGRATE).stored_after
        assert of_second(after(self.EXCLUDED, stored, GENERATE)) == (("TBL-W2", "TBL-S4"), None)

    def test_one_that_is_included_again_comes_back(self) -> None:
        stored = after(self.EXCLUDED, GENERATED, REMIGRATE).stored_after
        assert of_second(after(WHOLE, stored, REMIGRATE)) == (("TBL-W7", "TBL-S6"), SendAction.LINE)


class TestAnItemIsNew:
    """TBL-W1, TBL-W6, TBL-W11."""

    STORED = after(WITHOUT_THE_SECOND, NO_TRANSACTIONS, GENERATE).stored_after

    def test_generate_and_remigrate_write_it(self) -> None:
        assert of_second(after(WHOLE, self.STORED, GENERATE)) == (("TBL-W1", "TBL-S1"), SendAction.LINE)
        assert of_second(after(WHOLE, self.STORED, REMIGRATE)) == (("TBL-W6", "TBL-S5"), SendAction.LINE)

    def test_resend_skips_it(self) -> None:
        done = after(WHOLE, self.STORED, RESEND)
        assert of_second(done) == (("TBL-W11",), None)
        assert len(done.stored_after) == 2
