"""Performs steps on a system and checks after each that the laws hold and that the naive model says the same.

The steps are the verbs of the world: a document changes and is loaded, a request is made, Revenue collects a delivery
early, late, again or never, loses a line, alters one or restores one from a backup. Steps take small numbers, so that
any history can be told in numbers, cut down and performed again. What a request promised of Revenue (CNV-1 … CNV-4) is
kept as a claim and checked at every delivery from when its own deliveries were collected until a next request for that
document, or a disturbance, ends it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Final

from attrs import define, evolve

from regen_core.access import Scope
from regen_core.documents import BillingDocument, DocumentKey
from regen_core.refusals import Refusal
from regen_core.request import RegenerateRequest
from regen_core.revenue import Delivery, Held, HeldAs
from regen_core.store import ItemTaken, NumberTaken
from regen_core.testing import laws
from regen_core.testing.asking import asked
from regen_core.testing.comparison import Comparison
from regen_core.testing.edits import SLOTS, edited, initial
from regen_core.testing.laws import Exchange, LawBrokenError, Violation
from regen_core.testing.subject import Accepted, BuildSubject, LoadedAs, Subject, reference_subject
from regen_core.transactions import Occasion, StoredTransaction

__all__ = ["Harness"]

_FIRST: Final = datetime(2026, 1, 31, tzinfo=UTC)


@define
class _Claim:
    """What an accepted request promised, and the ids of its deliveries that Revenue hasn't collected yet."""

    exchange: Exchange
    due: set[str]
    was_disturbed: bool


class Harness:
    """One history on one system.

    ``with_laws`` and ``with_model`` say what is checked: the laws alone, the model alone, or both; ``heeded`` holds the
    ids of the laws that count, ``None`` for all. Raises ``LawBrokenError`` with the violation, or ``AssertionError``
    where the model disagrees.
    """

    def __init__(
        self,
        build: BuildSubject = reference_subject,
        *,
        with_laws: bool = True,
        with_model: bool = True,
        heeded: frozenset[str] | None = None,
    ) -> None:
        self.subject: Subject = build()
        self.with_laws = with_laws
        self._heeded = heeded
        self.comparison = Comparison() if with_model else None
        self.loaded: dict[DocumentKey, BillingDocument] = {}
        self.sent: list[Delivery] = []
        self.steps = 0
        self._latest: tuple[Delivery, ...] = ()
        self._asked: dict[str, RegenerateRequest] = {}
        self._ever_sent: dict[str, DocumentKey] = {}
        self._sent_of: dict[DocumentKey, dict[str, None]] = {}
        self._backups: list[dict[str, Held]] = []
        self._claims: dict[DocumentKey, _Claim] = {}
        self._disturbed: set[DocumentKey] = set()

    def _hold(self, violation: Violation | None) -> None:
        if violation is not None and (self._heeded is None or violation.rule_id in self._heeded):
            raise LawBrokenError(violation)

    # Documents

    def change(self, slot: int, edit: str, place: int) -> None:
        """A document of the universe changes and is loaded."""
        key = SLOTS[slot % len(SLOTS)]
        before = self.loaded.get(key)
        self.load(edited(initial(key) if before is None else before, edit, place))

    def load(self, document: BillingDocument) -> LoadedAs | NumberTaken | ItemTaken:
        """Any document is loaded; one that is refused leaves everything as it was (DOC-4)."""
        self.steps += 1
        state = self.subject.state() if self.with_laws else None
        answer = self.subject.load(document)
        if self.comparison is not None:
            self.comparison.loaded(document, answer)
        if isinstance(answer, LoadedAs):
            self.loaded[document.key] = document
        elif self.with_laws and self.subject.state() != state:
            self._hold(Violation("DOC-4", f"{answer} changed what is stored"))
        return answer

    # Requests

    def request(
        self, slot: int, naming: str, only_re_send: bool, re_migrate: bool, sight: str
    ) -> tuple[Scope, RegenerateRequest]:
        """A request for a document of the universe, named and seen as the words say."""
        key = SLOTS[slot % len(SLOTS)]
        loaded = self.loaded.get(key)
        number = f"N-{key.id}" if loaded is None else loaded.header.number
        return asked(key, number, naming, only_re_send, re_migrate, sight)

    def regenerate(
        self,
        slot: int,
        only_re_send: bool,
        re_migrate: bool,
        naming: str = "id",
        sight: str = "everything",
    ) -> Accepted | Refusal:
        """A request is made, and nothing is delivered yet."""
        return self.ask(*self.request(slot, naming, only_re_send, re_migrate, sight)).outcome

    def ask(self, scope: Scope, request: RegenerateRequest) -> Exchange:
        """Any request is made."""
        self.steps += 1
        subject, occasion = self.subject, Occasion(_FIRST + timedelta(seconds=self.steps), "someone")
        document = self._meant(scope, request)
        before = self._stored(document) if self.with_laws else ()
        state = subject.state() if self.with_laws else None
        outcome = subject.regenerate(scope, request, occasion)
        after = self._stored(document) if self.with_laws or isinstance(outcome, Accepted) else ()
        exchange = Exchange(scope, request, document, before, outcome, after)
        if self.comparison is not None:
            self.comparison.answered((scope, request, occasion), outcome, document, after)
        if isinstance(outcome, Accepted):
            self._note(request, outcome)
        if self.with_laws:
            self._judge(exchange, state)
        return exchange

    def _meant(self, scope: Scope, request: RegenerateRequest) -> BillingDocument | None:
        """The one document that id and number name, whether or not the caller may see it."""
        for document in self.loaded.values():
            key, number = document.key, document.header.number
            if (
                (key.tenant, key.entity, key.type) == (scope.tenant, scope.entity, request.type)
                and request.id in (None, key.id)
                and request.number in (None, number)
            ):
                return document
        return None

    def _stored(self, document: BillingDocument | None) -> tuple[StoredTransaction, ...]:
        return () if document is None else self.subject.transactions(document.key).lines

    def _note(self, request: RegenerateRequest, outcome: Accepted) -> None:
        self._latest = outcome.deliveries
        self.sent.extend(outcome.deliveries)
        for delivery in outcome.deliveries:
            if self.with_laws and delivery.id in self._asked:
                self._hold(Violation("REV-0", f"two deliveries have the id {delivery.id}"))
            self._asked[delivery.id] = request
            transaction_id, key = delivery.transaction.id, delivery.transaction.header.key
            self._ever_sent[transaction_id] = key
            self._sent_of.setdefault(key, {})[transaction_id] = None

    def _judge(self, exchange: Exchange, state: object) -> None:
        for law in laws.LAWS_OF_AN_EXCHANGE:
            self._hold(law(exchange))
        self._hold(laws.cnv_2(exchange, None))
        if exchange.accepted is None:
            self._hold(laws.pre_4(exchange, state, self.subject.state()))
        elif exchange.document is not None:
            key = exchange.document.key
            due = {delivery.id for delivery in exchange.accepted.deliveries}
            self._claims[key] = _Claim(exchange, due, key in self._disturbed)
            self._check_claim(key)

    def _check_claim(self, key: DocumentKey) -> None:
        claim = self._claims.get(key)
        if claim is not None and not claim.due:
            self._hold(laws.promised(claim.exchange, self._held_of(key), was_disturbed=claim.was_disturbed))
            if claim.exchange.request.only_re_send or claim.exchange.request.re_migrate:
                self._disturbed.discard(key)

    def _held_of(self, key: DocumentKey) -> dict[str, Held]:
        ids = [each for each in self._sent_of.get(key, ()) if self._ever_sent[each] == key]
        held = {each: self.subject.held(each) for each in ids}
        return {each: now for each, now in held.items() if now is not None}

    # Deliveries

    def deliver(self, pick: int, acknowledge: bool = True) -> None:
        """Revenue collects a delivery that was ever sent, the latest for 0, now or once more."""
        if self.sent:
            self._deliver(self.sent[-1 - pick % len(self.sent)], acknowledge)

    def deliver_latest(self, turn: int = 0) -> None:
        """Revenue collects what the last accepted request sent, beginning anywhere, forwards or backwards."""
        for delivery in _turned(self._latest, turn):
            self._deliver(delivery, True)

    def deliver_pending(self, seed: int) -> None:
        """Revenue collects all that waits in the outbox, shuffled, some of it twice."""
        for delivery in _shuffled(tuple(self.subject.pending().values()), seed):
            self._deliver(delivery, True)

    def _deliver(self, delivery: Delivery, acknowledge: bool) -> None:
        self.steps += 1
        transaction_id = delivery.transaction.id
        before = self.subject.held(transaction_id) if self.with_laws else None
        self.subject.deliver(delivery)
        if acknowledge:
            self.subject.acknowledge(delivery.id)
        held = self.subject.held(transaction_id)
        if self.comparison is not None:
            self.comparison.collected(delivery, held, acknowledged=acknowledge)
        if self.with_laws:
            if (request := self._asked.get(delivery.id)) is None:
                self._hold(Violation("IDM-7", f"no answer told of {delivery.id}, which is in the outbox"))
            else:
                self._hold(laws.cnv_4_collected(request, before, held))
            claim = self._claims.get(delivery.transaction.header.key)
            if claim is not None:
                claim.due.discard(delivery.id)
                self._check_claim(delivery.transaction.header.key)

    # Revenue is disturbed, within the bounds of CNV-3

    def back_up(self) -> None:
        """Revenue keeps a backup of all that it holds."""
        self.steps += 1
        self._backups.append(self.subject.holdings())

    def lose(self, pick: int) -> None:
        """Revenue loses a line that was ever sent."""
        transaction_id = self._picked(pick)
        if transaction_id is not None:
            self._disturb(transaction_id, None)

    def alter(self, pick: int, how: int) -> None:
        """Revenue holds something else for a transaction that was ever sent, at a revision that exists."""
        transaction_id = self._picked(pick)
        stored = None if transaction_id is None else self._stored_now(transaction_id)
        if transaction_id is not None and stored is not None:
            now = stored.transaction
            item = evolve(now.item, amount=now.item.amount + Decimal(how % 3), excluded_from_revenue=False)
            altered = evolve(now, item=item, revision=now.revision - how % min(2, now.revision))
            self._disturb(transaction_id, Held(altered, HeldAs.TOMBSTONE if how % 5 == 4 else HeldAs.LINE))

    def restore(self, pick_backup: int, pick: int) -> None:
        """Revenue restores one line from an old backup; what wasn't in it is lost."""
        transaction_id = self._picked(pick)
        if transaction_id is not None and self._backups:
            self._restore(self._backups[pick_backup % len(self._backups)], transaction_id)

    def restore_all(self, pick_backup: int) -> None:
        """Revenue restores an old backup."""
        if self._backups:
            backup = self._backups[pick_backup % len(self._backups)]
            for transaction_id in tuple(self._ever_sent):
                self._restore(backup, transaction_id)

    def _picked(self, pick: int) -> str | None:
        known = tuple(self._ever_sent)
        return known[-1 - pick % len(known)] if known else None

    def _restore(self, backup: dict[str, Held], transaction_id: str) -> None:
        held, stored = backup.get(transaction_id), self._stored_now(transaction_id)
        if held is None or (stored is not None and held.revision <= stored.transaction.revision):
            self._disturb(transaction_id, held)

    def _stored_now(self, transaction_id: str) -> StoredTransaction | None:
        lines = self.subject.transactions(self._ever_sent[transaction_id]).lines
        return next((line for line in lines if line.transaction.id == transaction_id), None)

    def _disturb(self, transaction_id: str, held: Held | None) -> None:
        self.steps += 1
        self.subject.disturb(transaction_id, held)
        if self.comparison is not None:
            self.comparison.disturbed(transaction_id, held)
        key = self._ever_sent[transaction_id]
        self._claims.pop(key, None)
        self._disturbed.add(key)

    # Laws about two histories

    def repeat(self, slot: int, only_re_send: bool, re_migrate: bool) -> None:
        """A request is made and delivered twice in a row (CNV-5)."""
        scope, request = self.request(slot, "id", only_re_send, re_migrate, "everything")
        first, held_first = self._ask_and_deliver(scope, request)
        again, held_again = self._ask_and_deliver(scope, request)
        if self.with_laws:
            self._hold(laws.cnv_5(first, again, held_first, held_again))

    def _ask_and_deliver(self, scope: Scope, request: RegenerateRequest) -> tuple[Exchange, dict[str, Held]]:
        exchange = self.ask(scope, request)
        if exchange.accepted is not None:
            self.deliver_latest()
        return exchange, {} if exchange.document is None else self._held_of(exchange.document.key)

    def reorder(self, slot: int, seed: int) -> None:
        """All deliveries of a document, in two orders with repetitions, end in one Revenue (REV-4)."""
        key = SLOTS[slot % len(SLOTS)]
        deliveries = tuple(delivery for delivery in self.sent if delivery.transaction.header.key == key)
        ends = []
        for order in (_shuffled(deliveries, seed), _shuffled(deliveries, seed + 1)):
            other = self.subject.fork()
            for delivery in order:
                other.deliver(delivery)
            ends.append(other.holdings())
        self._hold(laws.rev_4(*ends))

    def commute(self, slots: tuple[int, int], flags: tuple[tuple[bool, bool], tuple[bool, bool]]) -> None:
        """Requests for two documents, in both orders, end in one state (CNV-6)."""
        if slots[0] % len(SLOTS) == slots[1] % len(SLOTS):
            return
        both = [self.request(slot, "id", *each, "everything") for slot, each in zip(slots, flags, strict=True)]
        ends = []
        for order in (both, both[::-1]):
            other = self.subject.fork()
            for scope, request in order:
                outcome = other.regenerate(scope, request, None)
                for delivery in outcome.deliveries if isinstance(outcome, Accepted) else ():
                    other.deliver(delivery)
            ends.append(other.state())
        self._hold(laws.cnv_6(*ends))

    def compare_everything(self) -> None:
        """The whole system against the whole model."""
        if self.comparison is not None:
            self.comparison.everything(self.subject, tuple(self.loaded))


def _turned(deliveries: tuple[Delivery, ...], turn: int) -> tuple[Delivery, ...]:
    if not deliveries:
        return ()
    start = turn // 2 % len(deliveries)
    turned = deliveries[start:] + deliveries[:start]
    return turned[::-1] if turn % 2 else turned


def _shuffled(deliveries: tuple[Delivery, ...], seed: int) -> list[Delivery]:
    order = Random(seed)  # noqa: S311  # an order to try, no secret
    again = order.sample(deliveries, order.randrange(len(deliveries) + 1))
    shuffled = [*deliveries, *again]
    order.shuffle(shuffled)
    return shuffled
