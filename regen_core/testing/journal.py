"""What a history did, call by call, in words and as JSON: around any subject, which notices nothing of it.

The words are what a report shows; the JSON is for other languages, with documents and amounts in full.
"""

from __future__ import annotations

from regen_core.access import Scope
from regen_core.documents import BillingDocument, BillingItem, DocumentKey
from regen_core.refusals import Refusal
from regen_core.request import RegenerateRequest
from regen_core.revenue import Delivery, Held
from regen_core.store import ItemTaken, NumberTaken
from regen_core.testing.subject import Accepted, LoadedAs, Subject
from regen_core.transactions import Occasion, StoredTransactions
from regen_core.wire.canonical import document_json, held_json
from regen_core.wire.codec import JsonObject

__all__ = ["Journal", "request_json", "request_words", "scope_json"]


class Journal:
    """A subject that notes every call that changes something; ``words`` and ``calls`` have one entry each."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self.words: list[str] = []
        self.calls: list[JsonObject] = []

    def _note(self, words: str, **call: object) -> None:
        """A call is noted before it is made: one that raises is the last one of the journal."""
        self.words.append(words)
        self.calls.append(dict(call))

    def load(self, document: BillingDocument) -> LoadedAs | NumberTaken | ItemTaken:
        """See :class:`~regen_core.testing.subject.Subject`."""
        self._note(f"load {document_words(document)}", call="load", document=document_json(document))
        answer = self._subject.load(document)
        self._answered(_load_words(answer))
        return answer

    def _answered(self, words: str) -> None:
        self.words[-1] += f" -> {words}"
        self.calls[-1]["answer"] = words

    def regenerate(self, scope: Scope, request: RegenerateRequest, occasion: Occasion | None) -> Accepted | Refusal:
        """See :class:`~regen_core.testing.subject.Subject`."""
        told = {"scope": scope_json(scope), "request": request_json(request)}
        self._note(request_words(scope, request), call="regenerate", **told)
        outcome = self._subject.regenerate(scope, request, occasion)
        self._answered(_outcome_words(outcome))
        return outcome

    def transactions(self, key: DocumentKey) -> StoredTransactions:
        """See :class:`~regen_core.testing.subject.Subject`."""
        return self._subject.transactions(key)

    def pending(self) -> dict[str, Delivery]:
        """See :class:`~regen_core.testing.subject.Subject`."""
        return self._subject.pending()

    def acknowledge(self, delivery_id: str) -> None:
        """See :class:`~regen_core.testing.subject.Subject`."""
        self._note(f"acknowledge {delivery_id}", call="acknowledge", delivery=delivery_id)
        self._subject.acknowledge(delivery_id)

    def deliver(self, delivery: Delivery) -> None:
        """See :class:`~regen_core.testing.subject.Subject`."""
        self._note(f"Revenue collects {delivery_words(delivery)}", call="deliver", delivery=delivery.id)
        self._subject.deliver(delivery)

    def held(self, transaction_id: str) -> Held | None:
        """See :class:`~regen_core.testing.subject.Subject`."""
        return self._subject.held(transaction_id)

    def holdings(self) -> dict[str, Held]:
        """See :class:`~regen_core.testing.subject.Subject`."""
        return self._subject.holdings()

    def disturb(self, transaction_id: str, held: Held | None) -> None:
        """See :class:`~regen_core.testing.subject.Subject`."""
        told = None if held is None else held_json(held)
        words = "nothing any more" if held is None else f"a {held.kind.value} at revision {held.revision}"
        self._note(f"Revenue holds {words} for {transaction_id}", call="disturb", id=transaction_id, held=told)
        self._subject.disturb(transaction_id, held)

    def state(self) -> object:
        """See :class:`~regen_core.testing.subject.Subject`."""
        return self._subject.state()

    def fork(self) -> Subject:
        """A copy without a journal: what is done to it is a question, not a part of the history."""
        self._note("two copies are made, and the same is done to each in another order", call="fork")
        return self._subject.fork()


def document_words(document: BillingDocument) -> str:
    """A document in one line."""
    header, key = document.header, document.key
    org = "" if header.org is None else f", org {header.org}"
    items = "; ".join([_item_words(item) for item in document.items]) or "no items"
    return f"{key.type.value} {key.id} ({key.tenant}/{key.entity}{org}, {header.number}, {header.status}): {items}"


def _item_words(item: BillingItem) -> str:
    facts = [item.id, str(item.amount), "no source" if item.source is None else item.source.value]
    facts += ["excluded"] if item.excluded_from_revenue else []
    facts += ["tax"] if item.is_tax else []
    return " ".join(facts)


def request_words(scope: Scope, request: RegenerateRequest) -> str:
    """A request in one line, with what the caller may see."""
    named = [f"{name} {each}" for name, each in (("id", request.id), ("number", request.number)) if each is not None]
    told = (("onlyReSend", request.only_re_send), ("reMigrate", request.re_migrate))
    flags = " and ".join([name for name, flag in told if flag]) or "neither flag"
    sees = "" if scope.orgs is None else f", seeing orgs {sorted(scope.orgs)}"
    return f"regenerate {request.type.value} {', '.join(named)} ({scope.tenant}/{scope.entity}{sees}) with {flags}"


def delivery_words(delivery: Delivery) -> str:
    """A delivery in a few words."""
    where = f"{delivery.transaction.header.key.type.value} {delivery.transaction.item.id}"
    return f"delivery {delivery.number} of {where} ({delivery.flag.value} {delivery.action.value}, {delivery.id})"


def _load_words(answer: LoadedAs | NumberTaken | ItemTaken) -> str:
    if isinstance(answer, LoadedAs):
        return "new" if answer.is_new else "changed" if answer.is_changed else "same"
    return type(answer).__name__


def _outcome_words(outcome: Accepted | Refusal) -> str:
    if not isinstance(outcome, Accepted):
        return type(outcome).__name__
    sent = ", ".join([f"{each.flag.value} {each.action.value} {each.id}" for each in outcome.deliveries])
    return f"ids [{', '.join(outcome.id_list)}], sent [{sent}]"


def scope_json(scope: Scope) -> JsonObject:
    """A scope as JSON; ``orgs`` ``null`` means every organisation."""
    return {"tenant": scope.tenant, "entity": scope.entity, "orgs": None if scope.orgs is None else sorted(scope.orgs)}


def request_json(request: RegenerateRequest) -> JsonObject:
    """A request as JSON, in the names of the operation."""
    named = {"type": request.type.value, "id": request.id, "number": request.number}
    return {**named, "onlyReSend": request.only_re_send, "reMigrate": request.re_migrate}
