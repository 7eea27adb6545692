"""Stores that are deliberately wrong: the kit must reject each, by the law that it breaks.

Each is the reference store with one mistake that an adapter could really make.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from attrs import evolve

from regen_core.access import Scope
from regen_core.documents import BillingDocument, DocumentKey
from regen_core.refusals import DocumentNotFound, Refusal, UnmappableItem
from regen_core.request import RegenerateRequest
from regen_core.revenue import Delivery, RevenueLedger
from regen_core.store import ItemTaken, Loaded, NumberTaken, StoredDocument, TransactionStore
from regen_core.testing.harness import Harness
from regen_core.testing.simulation import Failure, find_failure, shrunk
from regen_core.testing.subject import Accepted, LoadedAs, ReferenceSubject, Subject
from regen_core.transactions import Occasion, StoredTransactions
from tests.meta.test_laws_have_teeth import SEEDS, STEPS

SOME_DAY = Occasion(datetime(2026, 1, 1, tzinfo=UTC))


class WritesDespiteARefusal(ReferenceSubject):
    """PRE-4: it keeps what it had begun."""

    def regenerate(self, scope: Scope, request: RegenerateRequest, occasion: Occasion | None) -> Accepted | Refusal:
        outcome = super().regenerate(scope, request, occasion)
        if isinstance(outcome, UnmappableItem):
            self.store = TransactionStore(self.store.documents, self.store.numbers, self.store.items)
        return outcome


class LosesADocumentItRefuses(ReferenceSubject):
    """DOC-4: it takes the old version out before it looks at the new one."""

    def load(self, document: BillingDocument) -> LoadedAs | NumberTaken | ItemTaken:
        answer = super().load(document)
        if not isinstance(answer, LoadedAs) and self.store.get(document.key) is not None:
            emptied = self.store.load(BillingDocument(document.header, ()))
            self.store = emptied.store if isinstance(emptied, Loaded) else self.store
        return answer


class ListsInReverse(ReferenceSubject):
    """TBL-R: the ids are right, their order is not."""

    def regenerate(self, scope: Scope, request: RegenerateRequest, occasion: Occasion | None) -> Accepted | Refusal:
        outcome = super().regenerate(scope, request, occasion)
        return evolve(outcome, id_list=outcome.id_list[::-1]) if isinstance(outcome, Accepted) else outcome


class ListsOnlyWhatItSent(ReferenceSubject):
    """TBL-R: excluded lines are written, but not told."""

    def regenerate(self, scope: Scope, request: RegenerateRequest, occasion: Occasion | None) -> Accepted | Refusal:
        outcome = super().regenerate(scope, request, occasion)
        if isinstance(outcome, Accepted):
            return evolve(outcome, id_list=tuple(each.transaction.id for each in outcome.deliveries))
        return outcome


class ForgetsTheOrgs(ReferenceSubject):
    """ACC-4: it filters on tenant and entity only."""

    def regenerate(self, scope: Scope, request: RegenerateRequest, occasion: Occasion | None) -> Accepted | Refusal:
        return super().regenerate(evolve(scope, orgs=None), request, occasion)


class ForgetsTheTenant(ReferenceSubject):
    """ACC-4: it finds the document of another tenant when its own has none."""

    def regenerate(self, scope: Scope, request: RegenerateRequest, occasion: Occasion | None) -> Accepted | Refusal:
        outcome = super().regenerate(scope, request, occasion)
        if isinstance(outcome, DocumentNotFound):
            outcome = super().regenerate(evolve(scope, tenant="t1"), request, occasion)
        return outcome


class UsesADeliveryIdTwice(ReferenceSubject):
    """REV-0: the number is the revision, so a second resend looks like the first."""

    def regenerate(self, scope: Scope, request: RegenerateRequest, occasion: Occasion | None) -> Accepted | Refusal:
        outcome = super().regenerate(scope, request, occasion)
        if isinstance(outcome, Accepted):
            numbered = tuple(evolve(each, number=each.revision) for each in outcome.deliveries)
            return evolve(outcome, deliveries=numbered)
        return outcome


class TellsOfTheFirstAlone(ReferenceSubject):
    """IDM-7: what its answer doesn't tell of is in the outbox nevertheless."""

    def regenerate(self, scope: Scope, request: RegenerateRequest, occasion: Occasion | None) -> Accepted | Refusal:
        outcome = super().regenerate(scope, request, occasion)
        return evolve(outcome, deliveries=outcome.deliveries[:1]) if isinstance(outcome, Accepted) else outcome


class DropsWhatItHasSeen(ReferenceSubject):
    """CNV-2, CNV-3: Revenue remembers transaction and revision and drops a resend as a duplicate."""

    def deliver(self, delivery: Delivery) -> None:
        seen: set[tuple[str, int]] = self.__dict__.setdefault("seen", set())
        if (delivery.transaction.id, delivery.revision) not in seen:
            seen.add((delivery.transaction.id, delivery.revision))
            super().deliver(delivery)

    def fork(self) -> Subject:
        other = super().fork()
        other.__dict__["seen"] = set(self.__dict__.get("seen", ()))
        return other


class BelievesTheLast(ReferenceSubject):
    """REV-4: what arrives last is what Revenue holds."""

    def deliver(self, delivery: Delivery) -> None:
        self.ledger = RevenueLedger(self.ledger.held.without(delivery.transaction.id))
        super().deliver(delivery)


class LosesADelivery(ReferenceSubject):
    """CNV-1, CNV-4: the first line of each request never gets into the outbox."""

    def regenerate(self, scope: Scope, request: RegenerateRequest, occasion: Occasion | None) -> Accepted | Refusal:
        outcome = super().regenerate(scope, request, occasion)
        if isinstance(outcome, Accepted) and len(outcome.deliveries) > 1:
            self.acknowledge(outcome.deliveries[0].id)
            return evolve(outcome, deliveries=outcome.deliveries[1:])
        return outcome


class TouchesAnotherDocument(ReferenceSubject):
    """CNV-6: a request leaves a mark that the next request for any document meets."""

    def regenerate(self, scope: Scope, request: RegenerateRequest, occasion: Occasion | None) -> Accepted | Refusal:
        number = self.__dict__.get("number", 0) + 1
        self.__dict__["number"] = number
        return super().regenerate(scope, request, None if number % 2 else occasion or SOME_DAY)

    def state(self) -> object:
        return (super().state(), self.__dict__.get("number", 0) % 2)

    def fork(self) -> Subject:
        other = TouchesAnotherDocument(self.table, self.rules, self.store, self.ledger)
        other.__dict__["number"] = self.__dict__.get("number", 0)
        return other


class ChangesContentOnRepeat(ReferenceSubject):
    """CNV-5: generating again what is stored marks it as updated under another number."""

    def regenerate(self, scope: Scope, request: RegenerateRequest, occasion: Occasion | None) -> Accepted | Refusal:
        found = self.store.find(scope, request)
        repeated = isinstance(found, StoredDocument) and bool(found.transactions.lines)
        outcome = super().regenerate(scope, request, occasion)
        if isinstance(outcome, Accepted) and repeated and request.re_migrate and isinstance(found, StoredDocument):
            self._rename(found.document.key, outcome)
        return outcome

    def _rename(self, key: DocumentKey, outcome: Accepted) -> None:
        now = self.store.get(key)
        assert now is not None
        lines = []
        for line in now.transactions.lines:
            header = evolve(line.transaction.header, number=line.transaction.header.number + "'")
            lines.append(evolve(line, transaction=evolve(line.transaction, header=header)))
        renamed = evolve(now, transactions=StoredTransactions(tuple(lines)))
        place = f"{key.tenant}\x1f{key.entity}\x1f{key.type.value}\x1f{key.id}"
        self.store = evolve(self.store, documents=self.store.documents.put(place, renamed))


class ForgetsTheCreation(ReferenceSubject):
    """TBL-I: an override is stored as if it were new."""

    def transactions(self, key: DocumentKey) -> StoredTransactions:
        lines = super().transactions(key).lines
        return StoredTransactions(
            tuple(
                evolve(line, transaction=evolve(line.transaction, created=line.transaction.updated)) for line in lines
            )
        )


class AcknowledgesWithoutStoring(ReferenceSubject):
    """CNV-4: the answer is right, but the unit of work was never committed."""

    def regenerate(self, scope: Scope, request: RegenerateRequest, occasion: Occasion | None) -> Accepted | Refusal:
        before = self.store
        outcome = super().regenerate(scope, request, occasion)
        if not request.only_re_send and not request.re_migrate:
            self.store = before
        return outcome


BROKEN = [
    (WritesDespiteARefusal, {"PRE-4"}),
    (LosesADocumentItRefuses, {"DOC-4"}),
    (ListsInReverse, {"TBL-R"}),
    (ListsOnlyWhatItSent, {"TBL-R"}),
    (ForgetsTheOrgs, {"ACC-4"}),
    (ForgetsTheTenant, {"ACC-4"}),
    (UsesADeliveryIdTwice, {"REV-0"}),
    (TellsOfTheFirstAlone, {"IDM-7"}),
    (DropsWhatItHasSeen, {"CNV-1", "CNV-2", "CNV-3"}),
    (BelievesTheLast, {"CNV-3", "CNV-4", "REV-4"}),
    (LosesADelivery, {"CNV-1", "CNV-2", "CNV-3", "CNV-4", "TBL-R"}),
    (TouchesAnotherDocument, {"CNV-6", "PRE-4"}),
    (ChangesContentOnRepeat, {"CNV-5"}),
    (ForgetsTheCreation, {"TBL-I"}),
    (AcknowledgesWithoutStoring, {"CNV-4", "TBL-R"}),
]


def rejected(kind: type[ReferenceSubject], *, with_laws: bool, heeded: frozenset[str] | None = None) -> Failure | None:
    def make() -> Harness:
        return Harness(kind, with_laws=with_laws, with_model=not with_laws, heeded=heeded)

    failure = find_failure(make, SEEDS, STEPS)
    return None if failure is None else shrunk(make, failure)


class TestTheKitRejects:
    """Each planted mistake is found by a law that it breaks, in a history of a few steps."""

    @pytest.mark.parametrize(("kind", "expected"), BROKEN, ids=lambda value: getattr(value, "__name__", ""))
    def test_a_law_rejects_it(self, kind: type[ReferenceSubject], expected: set[str]) -> None:
        failure = rejected(kind, with_laws=True, heeded=frozenset(expected))
        assert failure is not None
        assert failure.rule_id in expected
        assert len(failure.steps) <= 12, failure.steps

    @pytest.mark.parametrize("kind", [kind for kind, _ in BROKEN], ids=lambda kind: kind.__name__)
    def test_so_does_the_model(self, kind: type[ReferenceSubject]) -> None:
        failure = rejected(kind, with_laws=False, heeded=frozenset())
        assert failure is not None
        assert failure.rule_id == "model"

    def test_the_reference_store_is_not_rejected(self) -> None:
        """The control. By the laws neither: ``test_laws_have_teeth`` performs the same histories of it."""
        assert rejected(ReferenceSubject, with_laws=False) is None

    def test_every_law_has_a_store_that_breaks_it(self) -> None:
        """Together with the broken tables, which CNV-7, REQ-5 and ELI-2 notice."""
        seen = set().union(*(expected for _, expected in BROKEN))
        assert seen >= {
            "PRE-4",
            "DOC-4",
            "TBL-R",
            "TBL-I",
            "ACC-4",
            "REV-0",
            "REV-4",
            "IDM-7",
            *(f"CNV-{n}" for n in range(1, 7)),
        }
