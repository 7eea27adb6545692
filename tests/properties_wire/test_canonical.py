"""The library's values as canonical JSON: what is written is read back exactly, and nothing else is read."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import attrs
import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from regen_core.access import Scope
from regen_core.adapters.sql.contents import content_of_row, content_row, item_of_text, item_text
from regen_core.changes import document_changes
from regen_core.documents import (
    Assumption,
    BillingDocument,
    BillingItem,
    CarriedFields,
    DocumentHeader,
    DocumentKey,
    DocumentType,
)
from regen_core.idempotency import meaning_of as meaning_of_call
from regen_core.plain_values import plain
from regen_core.refusals import NothingToResend, UnmappableItem, UnmappedItem
from regen_core.regeneration import Regeneration, decide
from regen_core.request import RegenerateRequest
from regen_core.revenue import Held, HeldAs
from regen_core.testing.strategies import deliveries, documents, names, requests, scopes, stored_transactions
from regen_core.transactions import NO_TRANSACTIONS, Occasion
from regen_core.wire import canonical, outgoing, strict_json
from regen_core.wire import requests as request_wire
from regen_core.wire.codec import TEXT, Codec, NotCanonical

_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6)
_DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-99, max_value=99)
_NUMBERS = st.integers(-(10**9), 10**9) | _DECIMALS
_JSON = st.recursive(
    st.none() | st.booleans() | _NUMBERS | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=8,
)
_CARRIED = st.dictionaries(_TEXT, _JSON, max_size=4).map(lambda json: CarriedFields(strict_json.dump(json)))
_ASSUMED = st.lists(st.builds(Assumption, _TEXT, _TEXT, st.just("FCT-1")), max_size=2).map(tuple)
_OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
_OCCASIONS = st.builds(Occasion, st.datetimes(timezones=st.just(UTC) | _OFFSETS) | st.datetimes(), st.none() | names())


@st.composite
def full_documents(draw: DrawFn) -> BillingDocument:
    """Documents with carried fields, assumptions, and names of any allowed characters."""
    document = draw(documents(posted=None, mappable=None))
    header = evolve(
        document.header,
        number=draw(names()),
        reason_code=draw(st.none() | _TEXT),
        carried=draw(_CARRIED),
        assumed=draw(_ASSUMED),
    )
    items = [evolve(item, carried=draw(_CARRIED), assumed=draw(_ASSUMED)) for item in document.items]
    return BillingDocument(header, tuple(items))


def through_text(json: Any) -> Any:
    """JSON written and read again."""
    return strict_json.parse(strict_json.dump(json))


class TestRoundTrip:
    """Exact: exponents of amounts, ``None`` and absent, the bytes of carried fields."""

    @given(document=full_documents())
    def test_documents(self, document: BillingDocument) -> None:
        """As one JSON object, and as the columns of a store."""
        again = canonical.document_of(through_text(canonical.document_json(document)))
        assert repr(again) == repr(document)
        stored = content_of_row(document.key, content_row(document)).document
        assert repr(stored) == repr(document)
        assert stored == document

    @given(data=st.data(), document=full_documents(), occasion=st.none() | _OCCASIONS)
    def test_deliveries_and_what_revenue_holds(
        self, data: st.DataObject, document: BillingDocument, occasion: Occasion | None
    ) -> None:
        """With the transaction inside, stamped at any offset."""
        for line in data.draw(stored_transactions(document=document)).lines:
            transaction = evolve(line.transaction, header=document.header, created=occasion)
            delivery = data.draw(deliveries(transaction=transaction))
            again = canonical.delivery_of(through_text(canonical.delivery_json(delivery)))
            assert again == delivery
            assert repr(again.transaction.item) == repr(transaction.item)
            held = Held(transaction, data.draw(st.sampled_from(HeldAs)))
            assert canonical.held_of(through_text(canonical.held_json(held))) == held

    @given(data=st.data(), scope=scopes())
    def test_requests_and_what_they_mean(self, data: st.DataObject, scope: Scope) -> None:
        """IDM-4: requested orgs absent, none or some."""
        request = data.draw(requests(conflicting=True))
        asked = evolve(scope, requested_orgs=data.draw(st.none() | st.frozensets(names(), max_size=3)))
        meaning = meaning_of_call(asked, request)
        assert request_wire.request_of(through_text(request_wire.request_json(request))) == request
        assert request_wire.meaning_of(through_text(request_wire.meaning_json(meaning))) == meaning

    @given(occasion=_OCCASIONS)
    def test_moments_keep_their_offset(self, occasion: Occasion) -> None:
        """Not only the instant."""
        again = canonical.occasion_of(through_text(canonical.occasion_json(occasion)))
        assert again == occasion
        assert again is not None
        assert again.at.utcoffset() == occasion.at.utcoffset()

    def test_nothing_told_is_nothing(self) -> None:
        """``None`` both ways."""
        assert canonical.occasion_json(None) is None
        assert canonical.occasion_of(None) is None

    def test_carried_fields_must_be_text_of_json(self) -> None:
        """What parts them in a store can't be in them unescaped."""
        odd = evolve(DOCUMENT, items=(evolve(DOCUMENT.items[0], carried=CarriedFields('{"a":"\x1e"}')),))
        with pytest.raises(ValueError, match=r"U\+001E"):
            content_row(odd)

    def test_a_false_fact_is_not_an_untold_one(self) -> None:
        """FCT-1: told false is no assumption; the brief form of a store keeps the two apart."""
        told = BillingItem(id="i1", amount=Decimal("1E+2"), booking_excluded=False)
        assert canonical.item_content(told) == {"id": "i1", "amount": "1E+2", "booking_excluded": False}
        assert item_of_text(item_text(told), "{}") == told


KEY = DocumentKey(tenant="t", entity="e", type=DocumentType.INVOICE, id="d1")
HEADER = DocumentHeader(key=KEY, number="N-1", status="Posted", date=date(2026, 1, 31), currency="EUR")
DOCUMENT = BillingDocument(HEADER, (BillingItem(id="i1", amount=Decimal("1.10")),))


class TestRefusing:
    """What wasn't written by this library isn't read as if it was."""

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("amount", 1.1),
            ("amount", "NaN"),
            ("amount", "1_0"),
            ("amount", "\u0661"),
            ("amount", " 1"),
            ("amount", "1E2"),
            ("amount", "01"),
            ("source", "somewhere"),
            ("source", []),
            ("excluded_from_revenue", 1),
            ("excluded_from_revenue", None),
            ("booking_excluded", "true"),
            ("id", 1),
            ("id", ""),
            ("id", None),
            ("assumed", {}),
            ("assumed", [{"fact": "x"}]),
            ("carried", []),
            ("carried", None),
            ("unheard_of", 1),
        ],
    )
    def test_a_field_that_is_wrong(self, name: str, value: object) -> None:
        """The message names the class and never repeats the value."""
        with pytest.raises((NotCanonical, ValueError)) as raised:
            canonical.item_of({**canonical.item_json(DOCUMENT.items[0]), name: value})
        assert "somewhere" not in str(raised.value)

    @pytest.mark.parametrize("given", [None, [], "x", {}, {"header": {}}, {"header": {}, "items": []}])
    def test_something_else_than_a_document(self, given: object) -> None:
        """Missing parts are named."""
        with pytest.raises(NotCanonical):
            canonical.document_of(given)

    def test_more_than_a_document(self) -> None:
        """A field that the library doesn't write."""
        with pytest.raises(NotCanonical, match="unknown"):
            canonical.document_of({**canonical.document_json(DOCUMENT), "more": 1})

    def test_a_document_that_cannot_be(self) -> None:
        """Two items of one id."""
        json = canonical.document_json(DOCUMENT)
        with pytest.raises(NotCanonical, match="twice"):
            canonical.document_of({**json, "items": [*json["items"], *json["items"]]})

    @pytest.mark.parametrize("name", ["id", "transaction_id", "revision"])
    def test_a_delivery_that_contradicts_itself(self, name: str) -> None:
        """REV-0: what is derived must be what it is derived from."""
        delivery = _done().deliveries[0]
        json = canonical.delivery_json(delivery)
        with pytest.raises(NotCanonical, match="disagrees"):
            canonical.delivery_of({**json, name: "x"})
        json["transaction"]["amount"] = "9.99"
        with pytest.raises(NotCanonical, match="disagrees"):
            canonical.delivery_of(json)

    @pytest.mark.parametrize("name", ["number", "action", "transaction"])
    def test_a_delivery_with_a_wrong_field(self, name: str) -> None:
        """Also deep inside."""
        with pytest.raises(NotCanonical):
            canonical.delivery_of({**canonical.delivery_json(_done().deliveries[0]), name: True})

    @pytest.mark.parametrize("given", [[], "2026-01-31", {"at": "yesterday"}, {"by": None}])
    def test_something_else_than_an_occasion(self, given: object) -> None:
        """A moment needs its date."""
        with pytest.raises(NotCanonical):
            canonical.occasion_of(given)

    def test_a_class_that_gains_a_field_is_noticed(self) -> None:
        """The table of a class names exactly its fields."""
        with pytest.raises(ValueError, match="differs"):
            Codec(Assumption, {"fact": TEXT})


_REQUEST = RegenerateRequest(type=DocumentType.INVOICE, id="d1")


def _done() -> Regeneration:
    item = evolve(DOCUMENT.items[0], booking_excluded=True)
    document = BillingDocument(HEADER, (item,))
    done = decide(document, NO_TRANSACTIONS, _REQUEST)
    assert isinstance(done, Regeneration)
    return done


class TestGoingOut:
    """Plans, refusals and differences: JSON that a script can rely on."""

    def test_a_plan_is_json(self) -> None:
        """TBL-R: the idList, and per line its rules and what is stored and sent."""
        done = _done()
        json = outgoing.regeneration_json(done)
        assert through_text(json) == json
        assert json["id_list"] == list(done.id_list)
        assert json["lines"][0]["rule_ids"] == ["TBL-W1", "TBL-S1"]
        assert json["lines"][0]["delivery_id"] == done.deliveries[0].id
        assert json["lines"][0]["before"] is None

    def test_a_refusal_is_json(self) -> None:
        """PRE-2: name, code, category, message and its own fields."""
        json = outgoing.refusal_json(UnmappableItem((UnmappedItem("i1", "no source"),)))
        assert through_text(json) == json
        assert json["items"] == [{"item_id": "i1", "because": "no source"}]
        assert outgoing.refusal_json(NothingToResend(2, 0))["stored"] == 0

    def test_a_difference_is_json(self) -> None:
        """DOC-1: amounts as text, items as objects."""
        fixed = BillingDocument(evolve(HEADER, date=date(2026, 2, 1)), (evolve(DOCUMENT.items[0], id="i2"),))
        for change in document_changes(DOCUMENT, fixed):
            json = outgoing.change_json(change)
            assert through_text(json) == json

    def test_any_value_is_plain(self) -> None:
        """Sets in order, mappings by name."""
        moment = datetime(2026, 1, 31, tzinfo=UTC)
        assert plain({DocumentType.INVOICE: frozenset({"b", "a"})}) == {"Invoice": ["a", "b"]}
        assert plain((moment, Decimal("1.0"), CarriedFields('{"a":1}'))) == [
            moment.isoformat(),
            "1.0",
            {"a": 1},
        ]
        assert set(plain(HEADER)) == {each.name for each in attrs.fields(DocumentHeader) if each.init}
