"""CNV-1 … CNV-7 on one request at a time, over anything that could be stored and anything that Revenue could hold.

The machine in ``tests/stateful`` proves the same over whole histories; here the state before is drawn, not reached.
"""

from __future__ import annotations

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from regen_core.access import Scope
from regen_core.documents import BillingDocument
from regen_core.regeneration import Regeneration, decide
from regen_core.request import RegenerateRequest
from regen_core.revenue import Held, HeldAs, RevenueLedger, collect, collect_all
from regen_core.store import Loaded, StoredDocument, TransactionStore
from regen_core.testing import laws
from regen_core.testing import strategies as some
from regen_core.testing.laws import Exchange
from regen_core.testing.subject import Accepted
from regen_core.transactions import StoredTransactions

Case = tuple[Exchange, RevenueLedger, RevenueLedger]


def exchanged(document: BillingDocument, stored: StoredTransactions, request: RegenerateRequest) -> Exchange:
    done = decide(document, stored, request)
    scope = Scope(tenant=document.key.tenant, entity=document.key.entity, orgs=None)
    if not isinstance(done, Regeneration):
        return Exchange(scope, request, document, stored.lines, done, stored.lines)
    accepted = Accepted(done.id_list, done.deliveries)
    return Exchange(scope, request, document, stored.lines, accepted, done.stored_after.lines)


@st.composite
def cases(draw: st.DrawFn, *, only_re_send: bool, re_migrate: bool) -> Case:
    """An exchange, and Revenue before and after its deliveries, in some order, some of them twice."""
    document = draw(some.documents())
    stored = draw(some.stored_transactions(document=document))
    request = draw(some.requests(document=document, only_re_send=only_re_send, re_migrate=re_migrate))
    exchange, before = exchanged(document, stored, request), draw(some.ledgers(stored=stored))
    if exchange.accepted is None:
        return exchange, before, before
    deliveries = exchange.accepted.deliveries
    order = draw(st.permutations([*deliveries, *deliveries[:2]]))
    return exchange, before, collect_all(before, tuple(order))


def held(ledger: RevenueLedger) -> dict[str, Held]:
    return dict(ledger.held.items())


class TestReMigrate:
    """CNV-1, CNV-3: Revenue's live lines become what the items generate now, whatever was stored and held."""

    @given(cases(only_re_send=False, re_migrate=True))
    def test_revenue_has_what_the_document_generates(self, case: Case) -> None:
        exchange, _, after = case
        assert laws.cnv_1(exchange, held(after)) is None
        assert laws.cnv_3(exchange, held(after)) is None

    @given(cases(only_re_send=False, re_migrate=True))
    def test_every_other_law_of_an_exchange_holds(self, case: Case) -> None:
        for law in laws.LAWS_OF_AN_EXCHANGE:
            assert law(case[0]) is None


class TestReSend:
    """CNV-2, CNV-3: Revenue's live lines become the stored live ones, and nothing is written."""

    @given(cases(only_re_send=True, re_migrate=False))
    def test_revenue_has_what_is_stored(self, case: Case) -> None:
        exchange, _, after = case
        assert laws.cnv_2(exchange, held(after)) is None
        for law in laws.LAWS_OF_AN_EXCHANGE:
            assert law(exchange) is None


class TestNeitherFlag:
    """CNV-4: nothing stored and nothing held changes; every item is stored, every live one held."""

    @given(cases(only_re_send=False, re_migrate=False))
    def test_it_only_adds(self, case: Case) -> None:
        exchange, before, after = case
        assert laws.cnv_4(exchange) is None
        assert laws.cnv_4_held(exchange, held(after)) is None
        assert {key: held(after)[key] for key in held(before)} == held(before)
        for law in laws.LAWS_OF_AN_EXCHANGE:
            assert law(exchange) is None


class TestAgain:
    """CNV-5: repeating a request leaves content alone; it is reMigrate alone that raises revisions."""

    @given(data=st.data(), flags=some.flags())
    def test_no_content_changes(self, data: st.DataObject, flags: tuple[bool, bool]) -> None:
        first, _, once = data.draw(cases(only_re_send=flags[0], re_migrate=flags[1]))
        assert first.document is not None
        again = exchanged(first.document, StoredTransactions(first.after), first.request)
        twice = once if again.accepted is None else collect_all(once, again.accepted.deliveries)
        assert laws.cnv_5(first, again, held(once), held(twice)) is None


class TestDocumentsCommute:
    """CNV-6: requests for different documents may change places."""

    @given(data=st.data())
    def test_either_order_ends_in_one_store_and_one_revenue(self, data: st.DataObject) -> None:
        one = data.draw(some.documents())
        other = data.draw(some.documents().filter(lambda each: each.key != one.key))
        loaded = TransactionStore().load(one)
        assert isinstance(loaded, Loaded)
        loaded = loaded.store.load(other)
        if not isinstance(loaded, Loaded):
            return
        asked = [data.draw(some.requests(document=each)) for each in (one, other)]
        orders = [list(zip((one, other), asked, strict=True)), list(zip((other, one), reversed(asked), strict=True))]
        ends = [after_all(loaded.store, order) for order in orders]
        assert ends[0] == ends[1]
        assert laws.cnv_6(*ends) is None


def after_all(
    store: TransactionStore, order: list[tuple[BillingDocument, RegenerateRequest]]
) -> tuple[TransactionStore, RevenueLedger]:
    ledger = RevenueLedger()
    for document, request in order:
        found = store.get(document.key)
        assert isinstance(found, StoredDocument)
        done = decide(found.document, found.transactions, request)
        if isinstance(done, Regeneration):
            after = store.apply(done)
            assert isinstance(after, TransactionStore)
            store, ledger = after, collect_all(ledger, done.deliveries)
    return store, ledger


class TestAcknowledging:
    """REV-0: what was committed waits in the outbox until it is acknowledged, and only that leaves."""

    @given(data=st.data())
    def test_the_outbox_holds_what_was_sent(self, data: st.DataObject) -> None:
        document = data.draw(some.documents())
        loaded = TransactionStore().load(document)
        assert isinstance(loaded, Loaded)
        done = decide(document, StoredDocument(document).transactions, data.draw(some.requests(document=document)))
        if not isinstance(done, Regeneration):
            return
        store = loaded.store.apply(done)
        assert isinstance(store, TransactionStore)
        assert dict(store.outbox.items()) == {each.id: each for each in done.deliveries}
        for delivery in done.deliveries:
            store = store.delivered(delivery.id)
            assert delivery.id not in store.outbox
        assert store.delivered("unknown") == store
        assert len(store.outbox) == 0


class TestTheLawsTakeNoSide:
    """A law says nothing of a refusal or of a request that it isn't about, and names what it finds."""

    @given(cases(only_re_send=False, re_migrate=True))
    def test_a_violation_names_its_rule(self, case: Case) -> None:
        exchange, _, after = case
        live = after.live_lines()
        if exchange.accepted is None or not live:
            return
        key, line = next(iter(live.items()))
        wrong = {**held(after), key: Held(line, HeldAs.TOMBSTONE)}
        found = laws.cnv_1(exchange, wrong)
        assert found is not None
        assert found.rule_id == "CNV-1"
        found = laws.cnv_3(exchange, wrong)
        assert found is not None
        assert found.rule_id == "CNV-3"
        resend = evolve(exchange, request=evolve(exchange.request, re_migrate=False, only_re_send=True))
        found = laws.cnv_2(resend, None)
        written = exchange.before != exchange.after
        assert (found is not None) is (written and found is not None)
        assert collect(after, exchange.accepted.deliveries[0]) is not None
