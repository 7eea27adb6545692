"""Each condition of a decision turns it by itself: what masking MC/DC asks for beyond the branches."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve

from regen_core.access import Caller, Scope, authorize
from regen_core.changes import field_changes
from regen_core.decision_table import DECISION_TABLE, DecisionTable, Mode, ModeRule, Presence, WriteAction, WriteRule
from regen_core.documents import (
    BillingDocument,
    BillingItem,
    CarriedFields,
    DocumentHeader,
    DocumentKey,
    DocumentType,
    ItemSource,
    ProcessingType,
)
from regen_core.fields import _date, _sum_at
from regen_core.migration import Run, accept, begin, complete
from regen_core.persistent_map import PersistentMap
from regen_core.reconciliation import Period
from regen_core.refusals import OrgNotAccessible
from regen_core.regeneration import Regeneration, apply, decide
from regen_core.request import RegenerateRequest
from regen_core.transactions import NO_TRANSACTIONS, Occasion, StoredTransactions, TransactionState

KEY = DocumentKey(tenant="t1", entity="e1", type=DocumentType.INVOICE, id="d1")
HEADER = DocumentHeader(key=KEY, number="N-1", status="Posted", date=date(2026, 1, 31), currency="EUR")
ITEM = BillingItem(id="i1", amount=Decimal(10), source=ItemSource.SUBSCRIPTION)
TAX = BillingItem(id="i2", amount=Decimal(2), processing_type=ProcessingType.TAX)
DOCUMENT = BillingDocument(HEADER, (ITEM, TAX))


def done(stored: StoredTransactions, table: DecisionTable = DECISION_TABLE, **flags: Any) -> Regeneration:
    """What a request on the document does."""
    made = decide(DOCUMENT, stored, RegenerateRequest(type=KEY.type, id=KEY.id, **flags), None, table)
    assert isinstance(made, Regeneration)
    return made


def stored() -> StoredTransactions:
    """The document's transactions after its first request."""
    after = apply(NO_TRANSACTIONS, done(NO_TRANSACTIONS))
    assert isinstance(after, StoredTransactions)
    return after


def with_write(mode: Mode, presence: Presence, action: WriteAction) -> DecisionTable:
    """The operation with another cell of TBL-W."""
    rule = WriteRule(DECISION_TABLE.writes[mode, presence].id, action)
    return evolve(DECISION_TABLE, writes={**DECISION_TABLE.writes, (mode, presence): rule})


class TestAnotherTable:
    """What is decided stands in the table, also where no documented cell says so."""

    def test_a_mode_without_a_flag_is_refused(self) -> None:
        rule = ModeRule("TBL-M1", Mode.GENERATE, None, may_say_nothing=True)
        table = evolve(DECISION_TABLE, modes={**DECISION_TABLE.modes, (False, False): rule})
        assert table.rulings[False, False] is None

    def test_a_present_line_can_be_voided(self) -> None:
        """TBL-W9 voids what is gone; the void itself doesn't ask whether an item is there."""
        table = with_write(Mode.REMIGRATE, Presence.PRESENT_ACTIVE, WriteAction.VOID)
        (voided,) = done(stored(), table, re_migrate=True).writes
        assert (voided.state, voided.item, voided.revision) == (TransactionState.VOIDED, ITEM, 2)

    def test_keeping_what_is_not_there_is_nothing(self) -> None:
        table = with_write(Mode.GENERATE, Presence.ITEM_ONLY, WriteAction.KEEP)
        made = done(NO_TRANSACTIONS, table)
        assert (made.id_list, made.deliveries, made.stored_after) == ((), (), NO_TRANSACTIONS)


class TestLines:
    """Which items have lines."""

    def test_tax_lines_are_skipped_and_nothing_else(self) -> None:
        """TAX-1."""
        assert done(NO_TRANSACTIONS).skipped_tax_items == (TAX,)


class TestCopies:
    """ACC-5: what another system keeps is visible as the document is today."""

    scope = Scope(tenant="t1", entity="e1", orgs=frozenset({"north"}))
    north, south = evolve(HEADER, org="north"), evolve(HEADER, org="south")

    def test_by_the_document_where_it_is_known(self) -> None:
        assert self.scope.can_see_copy(self.south, self.north)
        assert not self.scope.can_see_copy(self.north, self.south)

    def test_by_the_copy_where_it_is_not(self) -> None:
        assert self.scope.can_see_copy(self.north, None)
        assert not self.scope.can_see_copy(self.south, None)


class TestOrgs:
    """ACC-3."""

    @pytest.mark.parametrize("header", ["", ",", "north,", "north,south", " "])
    def test_an_empty_element_is_no_organisation(self, header: str) -> None:
        caller = Caller(tenant="t", client="c", entities=frozenset({"e"}), orgs=frozenset({"north"}))
        assert authorize(caller, org_ids=header) == OrgNotAccessible()


class TestValues:
    """Values are compared, read and refused as a whole."""

    def test_objects_with_other_names_differ(self) -> None:
        before, after = (evolve(ITEM, carried=CarriedFields(text)) for text in ('{"a":{"b":1}}', '{"a":{"c":1}}'))
        (change,) = field_changes(before, after)
        assert (change.path, change.before, change.after) == ("carried.a", {"b": 1}, {"c": 1})

    @pytest.mark.parametrize("text", ["{", "}", "", "[]"])
    def test_carried_fields_are_one_whole_object(self, text: str) -> None:
        with pytest.raises(ValueError, match="the text of one JSON object"):
            CarriedFields(text)

    @pytest.mark.parametrize("name", ["status", "currency"])
    def test_text_that_must_be_told_is_not_none(self, name: str) -> None:
        parts: dict[str, Any] = {name: None}
        with pytest.raises(TypeError, match=f"{name} is null, not a text"):
            evolve(HEADER, **parts)

    def test_text_may_hold_what_comes_behind_the_surrogates(self) -> None:
        assert evolve(HEADER, reason_code="\ue000\ud7ff").reason_code == "\ue000\ud7ff"

    @pytest.mark.parametrize(("text", "code"), [("a\x00", "0000"), ("\ud800", "D800"), ("b\udfff", "DFFF")])
    def test_text_that_no_database_keeps_is_named(self, text: str, code: str) -> None:
        """REQ-14."""
        with pytest.raises(ValueError, match=f"reason_code holds U\\+{code}, which no database keeps; remove it"):
            evolve(HEADER, reason_code=text)

    def test_a_document_date_is_no_moment(self) -> None:
        parts: dict[str, Any] = {"date": datetime(2026, 1, 31, tzinfo=UTC)}
        with pytest.raises(TypeError, match=r"date is of type datetime; it is a datetime\.date without a time"):
            evolve(HEADER, **parts)

    def test_a_period_has_dates(self) -> None:
        """RCN-1."""
        first: Any = "2026-01-01"
        with pytest.raises(TypeError, match="first is of type str; a period has dates without a time of day"):
            Period(first, date(2026, 1, 31))


class TestFields:
    """A flat row is filled from whatever a REST object holds."""

    @pytest.mark.parametrize("holder", [{"a": 1}, {"a": {"b": 1}}, {"a": None}, {}])
    def test_a_list_that_is_not_there_has_no_sum(self, holder: dict[str, Any]) -> None:
        assert _sum_at(holder, "a.b.c[].d") is None
        assert _sum_at({"a": {"b": {"c": [{"d": "1.5"}]}}}, "a.b.c[].d") == Decimal("1.5")

    def test_the_day_of_a_moment_is_no_moment(self) -> None:
        assert type(_date(datetime(2026, 1, 31, 12, tzinfo=UTC))) is date
        assert _date(date(2026, 1, 31)) == date(2026, 1, 31)


class TestRuns:
    """MIG-8."""

    def test_a_run_that_is_complete_is_not_running(self) -> None:
        occasion = Occasion(datetime(2026, 1, 31, tzinfo=UTC), "ann")
        run = accept("r1", Scope(tenant="t1", entity="e1", orgs=None), occasion)
        assert isinstance(run, Run)
        assert begin(run, occasion.at).is_running
        assert not complete(begin(run, occasion.at), occasion.at).is_running


class TestMaps:
    """A map is what it holds, whatever way led to it."""

    names = tuple(f"key {number}" for number in range(400))

    def whole(self) -> PersistentMap[int]:
        """A map that is three nodes deep in places."""
        made = PersistentMap[int]()
        for number, name in enumerate(self.names):
            made = made.put(name, number)
        return made

    def test_taking_out_one_after_the_other_leaves_the_others(self) -> None:
        left, expected = self.whole(), {name: number for number, name in enumerate(self.names)}
        for name in self.names:
            left = left.without(name)
            del expected[name]
            assert dict(left.items()) == expected
            assert left.without(name) is left
        assert left == PersistentMap()

    def test_what_was_never_in_it_is_not_taken_out(self) -> None:
        whole = self.whole()
        assert all(whole.without(f"other {number}") is whole for number in range(400))

    def test_the_same_names_with_another_value_are_another_map(self) -> None:
        whole = self.whole()
        assert whole != whole.put("key 7", -1)
        assert whole == whole.put("key 7", 7)
