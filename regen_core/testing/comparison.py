"""Whether a system and the naive model say the same, step by step and as a whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from regen_core.access import Scope
from regen_core.documents import BillingDocument, DocumentKey
from regen_core.refusals import NothingToResend, Refusal, UnmappableItem
from regen_core.request import RegenerateRequest
from regen_core.revenue import Delivery, Held
from regen_core.store import ItemTaken, NumberTaken
from regen_core.testing.model import Identity, NaiveModel, Plain
from regen_core.testing.subject import Accepted, LoadedAs, Subject
from regen_core.testing.translation import WORDS, plain_document, plain_held, plain_request, plain_scope
from regen_core.transactions import BillingTransaction, Occasion, StoredTransaction

__all__ = ["Comparison", "Identities"]


class Identities:
    """Which tuple each transaction id stands for; two of one or one of two break TBL-I."""

    def __init__(self) -> None:
        self._of: dict[str, Identity] = {}
        self._known: dict[Identity, str] = {}

    def of(self, transaction: BillingTransaction) -> Identity:
        """The tuple that identifies the transaction, checked against all that were seen."""
        key, identity = transaction.header.key, self._of.get(transaction.id)
        now = (key.tenant, key.entity, WORDS[key.type], key.id, transaction.item.id)
        if identity is None:
            assert len(transaction.id) == 32, f"{transaction.id!r} doesn't have 32 characters (TBL-I)"
            assert set(transaction.id) <= set("0123456789abcdef"), f"{transaction.id!r} is not hexadecimal (TBL-I)"
            assert now not in self._known, f"{now} has two ids (TBL-I)"
            self._of[transaction.id], self._known[now] = now, transaction.id
            return now
        assert identity == now, f"{transaction.id} stands for {identity} and for {now} (TBL-I)"
        return identity

    def named(self, transaction_id: str) -> Identity:
        """The tuple of an id that was seen."""
        assert transaction_id in self._of, f"{transaction_id} is no transaction's id (TBL-I)"
        return self._of[transaction_id]

    def transaction(self, given: BillingTransaction, plain: Plain) -> bool:
        """Whether a transaction is the model's."""
        header, item = plain["document"]["as_given"], plain["item"]["as_given"]
        return (
            self.of(given) == plain["identity"]
            and (given.header is header or given.header == header)
            and (given.item is item or given.item == item)
            and given.revision == plain["revision"]
            and WORDS[given.state] == plain["state"]
            and WORDS[given.revenue_type] == plain["revenue_type"]
            and given.standalone is plain["standalone"]
            and given.created == plain["created"]
            and given.updated == plain["updated"]
        )

    def delivery(self, given: Delivery, plain: Plain) -> bool:
        """Whether a delivery is the model's."""
        return (
            given.number == plain["number"]
            and WORDS[given.flag] == plain["flag"]
            and WORDS[given.action] == plain["action"]
            and self.transaction(given.transaction, plain["transaction"])
        )

    def held(self, given: Held | None, plain: Plain | None) -> bool:
        """Whether Revenue holds what the model's Revenue holds."""
        if given is None or plain is None:
            return given is None and plain is None
        return WORDS[given.kind] == plain["kind"] and self.transaction(given.transaction, plain["transaction"])


class Comparison:
    """The naive model beside a system; each method lets the model do the step and asserts that both agree."""

    def __init__(self) -> None:
        self._model = NaiveModel()
        self._identities = Identities()

    def loaded(self, document: BillingDocument, answer: LoadedAs | NumberTaken | ItemTaken) -> None:
        """A document was loaded."""
        word = self._model.load(plain_document(document))
        assert _word_of(answer) == word, f"loading answered {answer}, the model {word}"

    def answered(
        self,
        asked: tuple[Scope, RegenerateRequest, Occasion],
        outcome: Accepted | Refusal,
        document: BillingDocument | None,
        after: tuple[StoredTransaction, ...],
    ) -> None:
        """A request was answered; ``document`` is what it named, ``after`` its transactions."""
        scope, request, occasion = asked
        plain = self._model.regenerate(plain_scope(scope), plain_request(request), occasion)
        name = None if isinstance(outcome, Accepted) else type(outcome).__name__
        assert name == plain["refused"], f"the answer was {outcome}, the model's {plain['refused']}"
        if isinstance(outcome, UnmappableItem):
            assert [each.item_id for each in outcome.items] == plain["details"], f"{outcome}, not {plain['details']}"
        elif isinstance(outcome, NothingToResend):
            assert (outcome.items, outcome.stored) == plain["details"], f"{outcome}, not {plain['details']}"
        elif isinstance(outcome, Accepted):
            assert document is not None, "accepted, though there is no such document"
            self._lines(document.key, after)
            _all("deliveries", outcome.deliveries, plain["deliveries"], self._identities.delivery)
            listed = [self._identities.named(each) for each in outcome.id_list]
            assert listed == plain["ids"], f"listed are {listed}, by the model {plain['ids']}"

    def _lines(self, key: DocumentKey, lines: tuple[StoredTransaction, ...]) -> None:
        place = (key.tenant, key.entity, key.type.value, key.id)
        plain, so_far = self._model.transactions.get(place, []), self._model.deliveries_so_far
        _all("stored", [line.transaction for line in lines], plain, self._identities.transaction)
        counted = [so_far.get(each["identity"], 0) for each in plain]
        assert [line.deliveries for line in lines] == counted, f"deliveries are not counted right: {lines}, {counted}"

    def collected(self, delivery: Delivery, held: Held | None, *, acknowledged: bool) -> None:
        """Revenue got a delivery and holds this."""
        identity = self._identities.of(delivery.transaction)
        if acknowledged:
            self._model.outbox.discard((identity, delivery.number))
        self._model.collect(identity, delivery.number)
        expected = self._model.revenue.get(identity)
        assert self._identities.held(held, expected), f"Revenue holds {held}, by the model {expected}"

    def disturbed(self, transaction_id: str, held: Held | None) -> None:
        """Revenue was made to hold this."""
        identity = self._identities.named(transaction_id)
        self._model.revenue.pop(identity, None)
        if held is not None:
            self._model.revenue[identity] = plain_held(held)

    def everything(self, subject: Subject, keys: Sequence[DocumentKey]) -> None:
        """The whole system against the whole model: these documents, the outbox and Revenue."""
        for key in keys:
            self._lines(key, subject.transactions(key).lines)
        pending = {(self._identities.of(each.transaction), each.number): each for each in subject.pending().values()}
        assert pending.keys() == self._model.outbox, "the outbox is not the model's"
        for where, delivery in pending.items():
            assert self._identities.delivery(delivery, self._model.sent[where]), f"{delivery} waits, not the model's"
        held = {self._identities.of(each.transaction): each for each in subject.holdings().values()}
        assert held.keys() == self._model.revenue.keys(), "Revenue holds what the model's doesn't, or the reverse"
        for identity, each in held.items():
            assert self._identities.held(each, self._model.revenue[identity]), f"{each} is held, not the model's"


def _all(what: str, given: Sequence[Any], plain: Sequence[Plain], same: Callable[..., bool]) -> None:
    agree = len(given) == len(plain) and all([same(one, other) for one, other in zip(given, plain, strict=True)])
    assert agree, f"{what}: {given}, by the model {plain}"


def _word_of(answer: LoadedAs | NumberTaken | ItemTaken) -> str:
    if isinstance(answer, LoadedAs):
        return "new" if answer.is_new else "changed" if answer.is_changed else "same"
    return type(answer).__name__
