"""The laws of convergence as pure functions: given what was asked and what came of it, the violation or ``None``.

A law reads the two flags of the request as they were given, and never a mode, a table or a rule of the code under test,
so that no cell of a table can move the law together with the code. Each looks at values only; whoever performs the
steps says when Revenue has collected what it had to. A law asserts what its rule says and nothing more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from attrs import evolve, field, frozen

from regen_core.access import Scope
from regen_core.decision_table import RegenerateFlag, SendAction
from regen_core.documents import BillingDocument, DocumentHeader
from regen_core.refusals import ConflictingFlags, NothingToResend, Refusal
from regen_core.request import RegenerateRequest
from regen_core.revenue import Delivery, Held, HeldAs
from regen_core.testing.subject import Accepted
from regen_core.transactions import BillingTransaction, StoredTransaction, TransactionState
from regen_core.type_mapping import map_item

__all__ = [
    "Exchange",
    "LAWS_OF_AN_EXCHANGE",
    "LawBrokenError",
    "Violation",
    "acc_4",
    "cnv_1",
    "cnv_2",
    "cnv_3",
    "cnv_4",
    "cnv_4_collected",
    "cnv_4_held",
    "cnv_5",
    "cnv_6",
    "cnv_7",
    "eli_2",
    "pre_4",
    "promised",
    "req_5",
    "rev_4",
    "tbl_i",
    "tbl_r",
]

Holdings = Mapping[str, Held]


@frozen
class Violation:
    """A law that does not hold: the rule's id, and what was found instead."""

    rule_id: str
    found: str


class LawBrokenError(AssertionError):
    """Raised by whoever performs steps, with the violation that a law returned."""

    def __init__(self, violation: Violation) -> None:
        super().__init__(f"{violation.rule_id}: {violation.found}")
        self.violation = violation


@frozen
class Exchange:
    """One request and what came of it.

    Fields: ``document`` as loaded when the request was made, ``None`` where id and number lead to none; ``before`` and
    ``after`` its stored transactions; ``outcome`` the answer, with the deliveries that were committed.
    """

    scope: Scope
    request: RegenerateRequest
    document: BillingDocument | None
    before: tuple[StoredTransaction, ...]
    outcome: Accepted | Refusal
    after: tuple[StoredTransaction, ...]
    accepted: Accepted | None = field(init=False, eq=False, repr=False)
    """The outcome, unless the request was refused."""

    @accepted.default
    def _unless_refused(self) -> Accepted | None:
        return self.outcome if isinstance(self.outcome, Accepted) else None

    @property
    def item_ids(self) -> tuple[str, ...]:
        """The items that have a revenue transaction, in document order (TAX-1)."""
        if self.document is None:
            return ()
        return tuple(item.id for item in self.document.items if not item.is_tax)


def _by_item(lines: Iterable[StoredTransaction]) -> dict[str, StoredTransaction]:
    return {line.transaction.item.id: line for line in lines}


def _live(lines: Iterable[StoredTransaction]) -> dict[str, BillingTransaction]:
    return {line.transaction.id: line.transaction for line in lines if _is_live(line.transaction)}


def _is_live(transaction: BillingTransaction) -> bool:
    return transaction.state is TransactionState.ACTIVE and not transaction.item.excluded_from_revenue


def _differ(one: BillingTransaction, other: BillingTransaction) -> bool:
    """Whether two transactions differ; the same one isn't compared with itself."""
    return one is not other and one != other


def _counting(held: Holdings) -> dict[str, BillingTransaction]:
    return {key: each.transaction for key, each in held.items() if each.kind is HeldAs.LINE}


def req_5(exchange: Exchange) -> Violation | None:
    """Both flags together are refused, and no other pair is refused for its flags."""
    both = exchange.request.only_re_send and exchange.request.re_migrate
    if both is not isinstance(exchange.outcome, ConflictingFlags):
        return Violation("REQ-5", f"with both flags {both} the answer was {type(exchange.outcome).__name__}")
    return None


def acc_4(exchange: Exchange) -> Violation | None:
    """A request that is not refused is about a document that the caller can see and has named rightly."""
    if exchange.accepted is None:
        return None
    document, scope = exchange.document, exchange.scope
    if document is None:
        return Violation("ACC-4", "accepted, though there is no such document")
    where = (document.key.tenant, document.key.entity)
    org = document.header.org
    if where != (scope.tenant, scope.entity) or not (org is None or scope.orgs is None or org in scope.orgs):
        return Violation("ACC-4", f"accepted for {where}, org {org}, though the caller's scope is {scope}")
    return None


def pre_4(exchange: Exchange, before: object, after: object) -> Violation | None:
    """A refusal changes nothing; ``before`` and ``after`` are everything that is stored anywhere."""
    if exchange.accepted is None and before != after:
        return Violation("PRE-4", f"{type(exchange.outcome).__name__} changed what is stored")
    return None


def eli_2(exchange: Exchange) -> Violation | None:
    """Only a resend can be refused for saying nothing, and one that says nothing is."""
    resend, accepted = exchange.request.only_re_send, exchange.accepted
    if isinstance(exchange.outcome, NothingToResend):
        worth = [line for line in exchange.before if _is_live(line.transaction) or line.deliveries]
        if not resend or worth:
            return Violation("ELI-2", f"refused, though onlyReSend is {resend} and {len(worth)} line(s) are to be sent")
    if accepted is not None and resend and not accepted.deliveries:
        return Violation("ELI-2", "a resend that sends nothing was accepted")
    return None


def tbl_r(exchange: Exchange) -> Violation | None:
    """The list names what was written or sent, once each: items in document order, then the rest as stored."""
    if exchange.accepted is None:
        return None
    before, after = _by_item(exchange.before), _by_item(exchange.after)
    sent = {delivery.transaction.id for delivery in exchange.accepted.deliveries}
    expected: list[str] = []
    for item_id in dict.fromkeys((*exchange.item_ids, *before)):
        if item_id in after:
            new, old = after[item_id].transaction, before.get(item_id)
            if new.id in sent or old is None or _differ(new, old.transaction):
                expected.append(new.id)
    if exchange.accepted.id_list != tuple(expected):
        return Violation("TBL-R", f"the list is {exchange.accepted.id_list}, written or sent were {tuple(expected)}")
    return None


def tbl_i(exchange: Exchange) -> Violation | None:
    """A stored transaction keeps its id and its creation, and changes only with a higher revision."""
    before = _by_item(exchange.before)
    for item_id, line in _by_item(exchange.after).items():
        old, new = before.get(item_id), line.transaction
        if old is None:
            if new.revision != 1:
                return Violation("TBL-I", f"the new transaction of {item_id} begins at revision {new.revision}")
        elif _differ(new, old.transaction) and (
            (new.id, new.created) != (old.transaction.id, old.transaction.created)
            or new.revision != old.transaction.revision + 1
        ):
            return Violation("TBL-I", f"{item_id} was rewritten from {old.transaction} to {new}")
    return None


_Content = tuple[DocumentHeader, object, object, bool]


def generated_now(document: BillingDocument) -> dict[str, _Content]:
    """What the items generate now, without the excluded, by item id."""
    content: dict[str, _Content] = {}
    for item in document.items:
        row = None if item.is_tax or item.excluded_from_revenue else map_item(document.header, item)
        if row is not None:
            content[item.id] = (document.header, item, row.revenue_type, row.standalone)
    return content


def _drift(counted: list[str], counting: Mapping[str, object], expected: Mapping[str, object]) -> str:
    """What Revenue counts against what it should, in words: by item for what is generated, by id for what is stored."""
    told = [f"nothing for {each}" for each in expected if each not in counting]
    told += [f"{each}, which it shouldn't" for each in counting if each not in expected]
    told += [f"{each} twice" for each in dict.fromkeys(counted) if counted.count(each) > 1]
    both = [each for each in expected if each in counting and counting[each] != expected[each]]
    told += [f"{each} as {counting[each]}, not {expected[each]}" for each in both]
    return f"Revenue counts {'; '.join(told)}"


def cnv_1(exchange: Exchange, held: Holdings) -> Violation | None:
    """reMigrate, once delivered, leaves Revenue with the lines of today's items, those excluded from revenue apart.

    ``held`` is what Revenue holds for this document's transactions once it has collected the request's deliveries.
    """
    if exchange.accepted is None or not exchange.request.re_migrate or exchange.document is None:
        return None
    counting = [(each.item.id, each.content) for each in _counting(held).values()]
    expected = generated_now(exchange.document)
    if len(counting) != len(expected) or dict(counting) != expected:
        return Violation("CNV-1", _drift([each for each, _ in counting], dict(counting), expected))
    return None


def cnv_2(exchange: Exchange, held: Holdings | None) -> Violation | None:
    """After onlyReSend and its deliveries, Revenue's live lines are the stored live ones, and none was written.

    ``held`` as in :func:`cnv_1`; ``None`` as long as not everything was collected.
    """
    if exchange.accepted is None or not exchange.request.only_re_send:
        return None
    written = {line.transaction.id: line.transaction for line in exchange.after}
    if written != {line.transaction.id: line.transaction for line in exchange.before}:
        return Violation("CNV-2", "a resend created, changed or lost a stored transaction")
    if held is not None and _counting(held) != _live(exchange.after):
        counting = _counting(held)
        return Violation("CNV-2", _drift(list(counting), counting, _live(exchange.after)))
    return None


def cnv_3(exchange: Exchange, held: Holdings) -> Violation | None:
    """CNV-3: the two laws before don't depend on what Revenue held or on what was under way at the time."""
    violation = cnv_1(exchange, held) or cnv_2(exchange, held)
    return None if violation is None else evolve(violation, rule_id="CNV-3")


def cnv_4(exchange: Exchange) -> Violation | None:
    """With neither flag no stored transaction changes, and afterwards every item has one."""
    request = exchange.request
    if exchange.accepted is None or request.only_re_send or request.re_migrate:
        return None
    after = _by_item(exchange.after)
    for item_id, line in _by_item(exchange.before).items():
        if item_id not in after or _differ(after[item_id].transaction, line.transaction):
            return Violation("CNV-4", f"the stored transaction of {item_id} changed")
    missing = [item_id for item_id in exchange.item_ids if item_id not in after]
    return Violation("CNV-4", f"nothing is stored for {missing}") if missing else None


def cnv_4_collected(request: RegenerateRequest, before: Held | None, after: Held | None) -> Violation | None:
    """What a request with neither flag sent changes nothing that Revenue already holds, a line or a void."""
    if request.only_re_send or request.re_migrate or before is None or before == after:
        return None
    return Violation("CNV-4", f"Revenue held {before} and holds {after}")


def cnv_4_held(exchange: Exchange, held: Holdings) -> Violation | None:
    """After a request with neither flag and its deliveries, Revenue holds every live transaction."""
    request = exchange.request
    if exchange.accepted is None or request.only_re_send or request.re_migrate:
        return None
    missing = [key for key in _live(exchange.after) if key not in held]
    return Violation("CNV-4", f"Revenue holds nothing for {missing}") if missing else None


def promised(exchange: Exchange, held: Holdings, *, was_disturbed: bool) -> Violation | None:
    """What a request promised of Revenue, once it has collected the request's deliveries (CNV-1 … CNV-4)."""
    if was_disturbed:
        return cnv_3(exchange, held) or cnv_4_held(exchange, held)
    return cnv_1(exchange, held) or cnv_2(exchange, held) or cnv_4_held(exchange, held)


def cnv_5(first: Exchange, again: Exchange, held_first: Holdings, held_again: Holdings) -> Violation | None:
    """Repeating a request leaves all content as it is, on both sides; reMigrate may raise revisions."""
    if first.accepted is None:
        return None
    if again.accepted is None:
        return Violation("CNV-5", f"accepted once, the same request was then refused: {again.outcome}")
    keep_revision = not first.request.re_migrate
    stored = [[_content(line.transaction, keep_revision) for line in each.after] for each in (first, again)]
    if stored[0] != stored[1]:
        return Violation("CNV-5", f"stored was {stored[0]} and is {stored[1]}")
    held = [
        {key: (each.kind, _content(each.transaction, keep_revision)) for key, each in holdings.items()}
        for holdings in (held_first, held_again)
    ]
    return Violation("CNV-5", f"Revenue held {held[0]} and holds {held[1]}") if held[0] != held[1] else None


def _content(transaction: BillingTransaction, keep_revision: bool) -> object:
    revision = transaction.revision if keep_revision else None
    return (transaction.id, transaction.content, transaction.state, revision)


def cnv_6(one_way: object, other_way: object) -> Violation | None:
    """Requests for different documents commute; the two are everything stored, after either order."""
    return Violation("CNV-6", "the order of two documents' requests shows") if one_way != other_way else None


def cnv_7(exchange: Exchange) -> Violation | None:
    """Lines only for the live, voids only with ``Y`` for what was sent and is not; what is gone stays as it is."""
    if exchange.accepted is None:
        return None
    before, after = _by_item(exchange.before), _by_item(exchange.after)
    for delivery in exchange.accepted.deliveries:
        needless = _needless(delivery, exchange.request, before)
        if needless is not None:
            return Violation("CNV-7", needless)
    for item_id, line in before.items():
        gone = item_id not in exchange.item_ids and line.transaction.state is TransactionState.VOIDED
        if gone and after.get(item_id) is not None and after[item_id].transaction != line.transaction:
            return Violation("CNV-7", f"{item_id} is gone and voided, and was written again")
    return None


def _needless(delivery: Delivery, request: RegenerateRequest, before: Mapping[str, StoredTransaction]) -> str | None:
    transaction = delivery.transaction
    if delivery.action is SendAction.LINE:
        return None if _is_live(transaction) else f"a line was sent for {transaction.id}, which is not live"
    if not (request.only_re_send or request.re_migrate) or delivery.flag is not RegenerateFlag.Y:
        return f"a void was sent for {transaction.id} without Y"
    old = before.get(transaction.item.id)
    if _is_live(transaction) or old is None or not old.deliveries:
        return f"a void was sent for {transaction.id}, which is live or was never sent"
    return None


def rev_4(one_way: Holdings, other_way: Holdings) -> Violation | None:
    """The same deliveries in any order, repeated and batched in any way, end in the same Revenue."""
    if dict(one_way) != dict(other_way):
        return Violation("REV-4", f"one order ends in {dict(one_way)}, another in {dict(other_way)}")
    return None


LAWS_OF_AN_EXCHANGE: Final = (req_5, acc_4, cnv_4, cnv_7, eli_2, tbl_r, tbl_i)
"""The laws that need no more than one request and its answer; :func:`cnv_2` joins them with ``held=None``."""
