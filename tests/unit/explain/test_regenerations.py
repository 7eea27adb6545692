"""Explanations of regenerations: they say what ``decide`` did, and what it left as it is although it has drifted."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve, fields
from hypothesis import given
from hypothesis import strategies as st

from regen_core import (
    RULES,
    BillingDocument,
    BillingItem,
    DocumentHeader,
    DocumentKey,
    DocumentType,
    ItemSource,
    decide,
)
from regen_core.changes import FieldChange
from regen_core.documents import Assumption, CarriedFields, ProcessingType
from regen_core.explain import (
    described,
    drift_of,
    explain,
    explain_mapping,
    explain_refusal,
    explanation_as_json,
    refusal_as_json,
    refused,
    summarised,
)
from regen_core.explain.rendering import blocks_as_text
from regen_core.fields import flat_row
from regen_core.refusals import ConcurrentModification, NothingToResend, UnmappableItem, UnmappedItem
from regen_core.regeneration import Regeneration
from regen_core.request import RegenerateRequest
from regen_core.testing.strategies import documents, histories, requests, stored_transactions
from regen_core.transactions import (
    NO_TRANSACTIONS,
    RevenueType,
    StoredTransaction,
    StoredTransactions,
    TransactionState,
)
from regen_core.type_mapping import MAPPING_ROWS

KEY = DocumentKey(tenant="t", entity="e", type=DocumentType.INVOICE, id="8ad08d29")
HEADER = DocumentHeader(key=KEY, number="INV-1", status="Posted", date=date(2026, 1, 31), currency="EUR")
ITEM = BillingItem(id="i1", amount=Decimal("10.00"), source=ItemSource.SUBSCRIPTION)
REQUEST = RegenerateRequest(type=DocumentType.INVOICE, number="INV-1")


def done(
    document: BillingDocument,
    stored: StoredTransactions = NO_TRANSACTIONS,
    *,
    re_migrate: bool = False,
    only_re_send: bool = False,
) -> Regeneration:
    """A regeneration that isn't refused."""
    outcome = decide(document, stored, evolve(REQUEST, re_migrate=re_migrate, only_re_send=only_re_send))
    assert isinstance(outcome, Regeneration)
    return outcome


def stored_for(*items: BillingItem, header: DocumentHeader = HEADER, deliveries: int = 0) -> StoredTransactions:
    """The transactions that the items generate, sent so often."""
    lines = done(BillingDocument(header, items)).stored_after.lines
    return StoredTransactions(tuple(StoredTransaction(line.transaction, deliveries) for line in lines))


@st.composite
def regenerations(draw: st.DrawFn) -> Regeneration:
    """Any regeneration that isn't refused."""
    versions = draw(histories())
    stored = draw(stored_transactions(document=versions[0]))
    document = versions[-1]
    outcome = decide(document, stored, draw(requests(document=document)))
    return outcome if isinstance(outcome, Regeneration) else done(BillingDocument(HEADER, (ITEM,)))


class TestAnExplanationSaysWhatWasDecided:
    """TBL-M, TBL-W, TBL-S, TAX-1: cells, before and after, deliveries and skipped lines are the decision's own."""

    @given(regenerations())
    def test_every_line_is_explained_by_the_cells_that_decided_it(self, regeneration: Regeneration) -> None:
        """Rules in the register's words, under the ids of the ruling."""
        explanation = explain(regeneration)
        assert explanation.rule.id == regeneration.rule.id
        for explained, line in zip(explanation.lines, regeneration.lines, strict=True):
            assert explained.line == line
            assert tuple(rule.id for rule in explained.rules) == line.rule_ids
            if line.after is not None:
                assert explained.transaction_id == line.after.transaction.id

    @given(regenerations())
    def test_changes_are_listed_exactly_where_something_is_written(self, regeneration: Regeneration) -> None:
        """A kept transaction changes in nothing; one that is written changes at least in its revision."""
        for explained in explain(regeneration).lines:
            assert bool(explained.changes) == explained.line.ruling.writes

    @given(regenerations())
    def test_drift_is_asked_exactly_where_a_transaction_is_kept(self, regeneration: Regeneration) -> None:
        """What is written anew can't have drifted, what doesn't exist neither."""
        for explained in explain(regeneration).lines:
            is_kept = explained.line.before is not None and not explained.line.ruling.writes
            assert (explained.drift is not None) == is_kept

    @given(regenerations(), st.booleans())
    def test_json_and_text_can_be_made_of_every_explanation(self, regeneration: Regeneration, is_done: bool) -> None:
        """Exact amounts as text, ids in both, never a float."""
        explanation = explain(regeneration)
        told = json.loads(json.dumps(explanation_as_json(explanation)), parse_float=_no_float)
        assert told["id_list"] == list(regeneration.id_list)
        short = blocks_as_text(summarised(explanation, is_done=is_done))
        long = blocks_as_text(described(explanation, is_done=is_done))
        for line in regeneration.lines:
            assert line.item_id in short
            assert all(rule_id in short and rule_id in long for rule_id in line.rule_ids)

    def test_a_tax_line_is_skipped_with_its_rule(self) -> None:
        """TAX-1: listed, with the reason, and without a line."""
        tax = BillingItem(id="i2", amount=Decimal(2), processing_type=ProcessingType.TAX)
        explanation = explain(done(BillingDocument(HEADER, (ITEM, tax))))
        assert [(each.item.id, each.rule.id) for each in explanation.skipped] == [("i2", "TAX-1")]
        assert [line.line.item_id for line in explanation.lines] == ["i1"]

    def test_a_stored_item_that_became_a_tax_line_is_told_as_such(self) -> None:
        """TAX-1: its transaction is treated as if the item were gone, and the explanation says why."""
        was = evolve(ITEM, id="i2")
        tax = evolve(was, processing_type=ProcessingType.TAX)
        explanation = explain(done(BillingDocument(HEADER, (ITEM, tax)), stored_for(ITEM, was), re_migrate=True))
        assert explanation.lines[1].situation == "item is a tax line now, active → voided, never sent"


def _no_float(text: str) -> Any:
    raise AssertionError(f"{text} would become a float")


class TestDrift:
    """Whether a kept transaction is what its document would generate today."""

    @given(st.data())
    def test_what_has_not_drifted_is_what_overriding_would_write(self, data: st.DataObject) -> None:
        """Two ways to the same answer: the drift of a kept line, and the content that REMIGRATE gives it."""
        versions = data.draw(histories())
        document = versions[-1]
        stored = data.draw(stored_transactions(document=versions[0]))
        overridden = decide(document, stored, RegenerateRequest(type=document.type, id=document.id, re_migrate=True))
        if not isinstance(overridden, Regeneration):
            return
        for line in overridden.lines:
            if line.before is None or line.after is None:
                continue
            old, new = line.before.transaction, line.after.transaction
            drift = drift_of(old, document.header, line.item)
            new = evolve(new, revision=old.revision, created=old.created, updated=old.updated)
            assert (not drift) == (_facts(old) == _facts(new) and old.state is new.state)

    def test_a_fact_that_changed_is_drift(self) -> None:
        """The path, and the values as stored and as they would be."""
        fixed = evolve(ITEM, amount=Decimal("12.00"))
        line = explain(done(BillingDocument(HEADER, (fixed,)), stored_for(ITEM))).lines[0]
        assert line.drift == (FieldChange("item.amount", Decimal("10.00"), Decimal("12.00")),)
        assert line.has_drifted

    def test_a_type_that_maps_differently_today_is_drift(self) -> None:
        """MAP-4 became MAP-5: the booking amount turned negative."""
        fixed = evolve(ITEM, booking_amount=Decimal(-1))
        paths = {change.path for change in drift_of(stored_for(ITEM).lines[0].transaction, HEADER, fixed)}
        assert paths == {"revenue_type", "item.booking_amount"}

    def test_a_raw_field_that_fills_no_documented_field_is_no_drift(self) -> None:
        """A comment on the invoice is carried, and Revenue never sees it."""
        today = evolve(ITEM, carried=CarriedFields('{"someUiField":"x"}'))
        assert drift_of(stored_for(ITEM).lines[0].transaction, HEADER, today) == ()

    def test_a_raw_field_that_fills_a_documented_field_is_drift_under_that_name(self) -> None:
        """The charge name is one of the documented fields."""
        old = evolve(ITEM, carried=CarriedFields('{"chargeName":"Old"}'))
        today = evolve(ITEM, carried=CarriedFields('{"chargeName":"New"}'))
        drift = drift_of(stored_for(old).lines[0].transaction, HEADER, today)
        assert drift == (FieldChange("ChargeName", "Old", "New"),)

    def test_how_a_fact_was_come_by_is_no_drift(self) -> None:
        """A currency that was assumed and is told now is the same currency."""
        today = evolve(HEADER, assumed=(Assumption("currency", "EUR", "FCT-7"),))
        assert drift_of(stored_for(ITEM).lines[0].transaction, today, ITEM) == ()

    def test_an_active_transaction_without_its_item_has_drifted_and_a_voided_one_has_not(self) -> None:
        """Today nothing would be generated for it."""
        active = stored_for(ITEM).lines[0].transaction
        assert [change.path for change in drift_of(active, HEADER, None)] == ["state"]
        assert drift_of(evolve(active, state=TransactionState.VOIDED), HEADER, None) == ()

    def test_a_voided_transaction_whose_item_is_back_has_drifted(self) -> None:
        """Today it would be active (TBL-W3 keeps it, TBL-W8 brings it back)."""
        voided = evolve(stored_for(ITEM).lines[0].transaction, state=TransactionState.VOIDED)
        [change] = drift_of(voided, HEADER, ITEM)
        assert (change.before, change.after) == (TransactionState.VOIDED, TransactionState.ACTIVE)

    def test_an_item_that_could_not_be_generated_today_is_told_and_its_type_is_left_alone(self) -> None:
        """MAP-U: a resend doesn't refuse it, the explanation says it."""
        unknown = evolve(ITEM, source=None)
        line = explain(done(BillingDocument(HEADER, (unknown,)), stored_for(ITEM), only_re_send=True)).lines[0]
        assert line.is_unmappable_today
        assert [change.path for change in line.drift or ()] == ["item.source"]
        assert line.mapping is not None
        assert line.mapping.unmapped_because is not None


def _facts(transaction: Any) -> tuple[object, ...]:
    """All that a transaction says to Revenue or that a rule reads, its identity and revision apart."""
    header, item, kind, standalone = transaction.content
    return (
        {
            each.name: getattr(header, each.name)
            for each in fields(DocumentHeader)
            if each.name not in {"carried", "assumed"}
        },
        {
            each.name: getattr(item, each.name)
            for each in fields(BillingItem)
            if each.eq and each.name not in {"carried", "assumed"}
        },
        kind,
        standalone,
        dict(flat_row(transaction).values),
    )


class TestMapping:
    """MAP: the row that holds, those before it, and what was assumed on the way."""

    @given(documents(mappable=None))
    def test_the_rows_passed_over_are_those_before_the_one_that_holds(self, document: BillingDocument) -> None:
        """In the order of the table, for the item's document and source only."""
        for item in document.revenue_items:
            mapping = explain_mapping(document.header, item)
            asked = [*mapping.passed_over, *([] if mapping.row is None else [mapping.row])]
            places = [MAPPING_ROWS.index(row) for row in asked]
            assert places == sorted(places)
            assert all(document.type in row.documents and row.source in (None, item.source) for row in asked)
            assert (mapping.row is None) == (mapping.unmapped_because is not None)

    def test_assumed_facts_are_named_with_their_rules(self) -> None:
        """FCT-1 … FCT-4 and MAP-S: nobody told them."""
        told = {each.rule_id for each in explain_mapping(HEADER, ITEM).assumptions}
        assert told == {"FCT-1", "FCT-2", "FCT-3", "FCT-4", "MAP-S"}


class TestWords:
    """What people read."""

    def test_a_plan_reads_like_this(self) -> None:
        """Golden: one row per line, and how much of it there is."""
        tax = BillingItem(id="t1", amount=Decimal(2), processing_type=ProcessingType.TAX)
        fixed = evolve(ITEM, amount=Decimal("-12.00"))
        new = BillingItem(id="i2", amount=Decimal("5.00"), source=ItemSource.STANDALONE, excluded_from_revenue=True)
        document = BillingDocument(HEADER, (fixed, new, tax))
        stored = stored_for(ITEM, evolve(ITEM, id="i9"), deliveries=1)
        text = blocks_as_text(summarised(explain(done(document, stored)), is_done=False))
        assert text == (Path(__file__).parent / "plan.txt").read_text(encoding="utf-8")

    def test_an_explained_line_reads_like_this(self) -> None:
        """Golden: rules in words, before, after, the difference, mapping and what was assumed."""
        fixed = evolve(ITEM, amount=Decimal("12.00"), booking_amount=Decimal(-1))
        regeneration = done(BillingDocument(HEADER, (fixed,)), stored_for(ITEM, deliveries=2), re_migrate=True)
        own_id = regeneration.id_list[0]
        lines = blocks_as_text(described(explain(regeneration), is_done=True)).splitlines()
        assert lines[4:] == [
            "item i1: override",
            "  because   item present, active → live, sent 2×",
            f"  TBL-W7    {RULES['TBL-W7'].statement} [documented]",
            "  TBL-S6    `Y`, live, sent before: send a line. [documented]",
            f"  id        {own_id}",
            "  before    revision 1, active, INV, 10.00 EUR, sent 2×",
            "  after     revision 2, active, CM-C, 12.00 EUR, sent 3×",
            "  change    revision: 1 → 2",
            "  change    revenue_type: INV → CM-C",
            "  change    item.amount: 10.00 → 12.00",
            "  change    item.booking_amount: nothing → -1",
            f"  send      line with regenerate_flag Y, delivery {own_id}-3",
            "  mapping   MAP-5 → CM-C, not standalone, after MAP-1, MAP-2, MAP-3, MAP-4 did not hold",
            "  assumed   booking excluded: no (FCT-1)",
            "  assumed   account-level discount: no (FCT-2)",
            "  assumed   calculated charge model: no (FCT-3)",
            "  assumed   subscription or charge deleted: no (FCT-4)",
            "",
            "Done: 1 transaction written; 1 delivery put into the outbox.",
        ]

    def test_a_line_without_drift_says_so(self) -> None:
        """Silence could mean that nobody looked."""
        text = blocks_as_text(
            described(explain(done(BillingDocument(HEADER, (ITEM,)), stored_for(ITEM))), is_done=False)
        )
        assert "drift     no: it is what the document says today" in text

    def test_nested_raw_fields_are_not_spelled_out(self) -> None:
        """People get the place, programs get both values."""
        old = evolve(ITEM, carried=CarriedFields('{"taxationItems":{"data":[1]}}'))
        new = evolve(ITEM, carried=CarriedFields('{"taxationItems":{"data":[2]}}'))
        explanation = explain(done(BillingDocument(HEADER, (new,)), stored_for(old), re_migrate=True))
        assert "item.carried.taxationItems: differs within" in blocks_as_text(described(explanation, is_done=True))
        changes = explanation_as_json(explanation)["lines"][0]["changes"]
        assert {"path": "item.carried.taxationItems", "before": {"data": [1]}, "after": {"data": [2]}} in changes

    def test_voids_are_counted_apart(self) -> None:
        """TBL-W9, TBL-S8: the item is gone and Revenue must drop the line."""
        explanation = explain(done(BillingDocument(HEADER, ()), stored_for(ITEM, deliveries=1), re_migrate=True))
        assert "1 delivery to send, 1 of them void." in blocks_as_text(summarised(explanation, is_done=False))


class TestRefusals:
    """A refusal with its rules, for people and for programs."""

    def test_a_refusal_is_told_with_its_rules_and_its_own_fields(self) -> None:
        """MAP-U: which items, and what was missing."""
        refusal = UnmappableItem((UnmappedItem("i1", "its source is not told"),))
        told = refusal_as_json(explain_refusal(refusal))
        assert (told["name"], told["code"], told["rank"]) == ("UnmappableItem", 50000030, 18)
        assert [rule["id"] for rule in told["rules"]] == ["MAP-U"]
        assert told["details"] == {"items": [{"item_id": "i1", "because": "its source is not told"}]}

    @pytest.mark.parametrize(
        ("refusal", "advice"),
        [(NothingToResend(1, 0), "Mend the cause"), (ConcurrentModification(), "may succeed later")],
    )
    def test_a_refusal_says_whether_to_repeat(
        self, refusal: NothingToResend | ConcurrentModification, advice: str
    ) -> None:
        """PRE-3, PRE-4: final or transient, and nothing was changed."""
        text = blocks_as_text(refused(explain_refusal(refusal)))
        assert text.startswith(f"refused: {refusal.name} ({refusal.code})")
        assert advice in text
        assert "Nothing was changed (PRE-4)" in text


def test_revenue_types_are_told_by_their_own_names() -> None:
    """CM-C, not an enum's name."""
    told = explanation_as_json(explain(done(BillingDocument(HEADER, (evolve(ITEM, amount=Decimal(-1)),)))))
    assert told["lines"][0]["after"]["revenue_type"] == RevenueType.CM_C.value
