"""The scenarios of documents and of what a store offers beyond the operation: versions, plans, listings, a ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import product
from typing import Any, Final

from attrs import evolve

from regen_core.access import Scope
from regen_core.decision_table import RegenerateFlag, SendAction
from regen_core.documents import BillingDocument, DocumentKey
from regen_core.page import MAX_PAGE
from regen_core.ports import Found
from regen_core.refusals import ConcurrentModification, DocumentNotFound
from regen_core.regeneration import Regeneration
from regen_core.request import RegenerateRequest
from regen_core.revenue import Delivery, RevenueLedger, collect
from regen_core.store import ItemTaken, NumberTaken
from regen_core.testing.adapted import Capability
from regen_core.testing.edits import SLOTS, edited, initial
from regen_core.testing.scenarios import Bench, Scenario
from regen_core.testing.subject import Accepted, LoadedAs

__all__ = ["STORIES"]

_FIRST, _SECOND = SLOTS[0], SLOTS[1]
_SCOPE: Final = Scope(tenant=_FIRST.tenant, entity=_FIRST.entity, orgs=None)
_REQUEST: Final = RegenerateRequest(type=_FIRST.type, id=_FIRST.id)
_OVERRIDE: Final = evolve(_REQUEST, re_migrate=True)


def a_changed_document_keeps_its_transactions(bench: Bench) -> None:
    """Loading tells new, same and changed, and never touches what is stored for the document."""
    subject, document = bench.subject, initial(_FIRST)
    changed = edited(edited(document, "fix an amount", 0), "drop an item", 1)
    answers = [subject.load(document), subject.load(document)]
    subject.regenerate(_SCOPE, _REQUEST, None)
    before = subject.transactions(_FIRST)
    answers.append(subject.load(changed))
    expected = [LoadedAs(is_new=True, is_changed=False), LoadedAs(False, False), LoadedAs(False, True)]
    assert answers == expected, f"loading answered {answers}, expected {expected} (DOC-1)"
    assert subject.transactions(_FIRST) == before, "loading a changed document changed its transactions (DOC-1)"


def a_number_belongs_to_one_document(bench: Bench) -> None:
    """A number that another document of the type has is refused, and free again when that one is renumbered."""
    subject, other = bench.subject, edited(initial(_SECOND), "change the number", 0)
    taken = evolve(other, header=evolve(other.header, number=f"N-{_FIRST.id}"))
    subject.load(initial(_FIRST))
    heard = subject.load(taken)
    assert isinstance(heard, NumberTaken), f"a document with another's number was answered {heard} (DOC-2)"
    subject.load(edited(edited(initial(_FIRST), "change the number", 0), "change the number", 0))
    heard = subject.load(taken)
    assert isinstance(heard, LoadedAs), f"a number that was given up was answered {heard} (DOC-2)"


def an_item_belongs_to_one_document(bench: Bench) -> None:
    """An item that another document of the type has is refused, and free again when that one dropped it."""
    subject, borrowing = bench.subject, edited(initial(_SECOND), "take a neighbour's item", 0)
    subject.load(initial(_FIRST))
    heard = subject.load(borrowing)
    assert isinstance(heard, ItemTaken), f"a document with another's item was answered {heard} (DOC-3)"
    subject.load(edited(initial(_FIRST), "drop an item", 0))
    heard = subject.load(borrowing)
    assert isinstance(heard, LoadedAs), f"an item that was given up was answered {heard} (DOC-3)"


_TWINS: Final = ("d1", "D1", "d1 ", "dı1", "d1\u0301", "d\u03011", "ｄ1", "d%", "d_", "d1'--")
"""Ids that a database's collation, padding, normal form or pattern could take for each other."""


def names_are_exact(bench: Bench) -> None:
    """Ids and numbers that look alike name different documents: case, blanks, accents, width, wildcards."""
    for name in (*_TWINS, _SECOND.id):
        bench.subject.load(_twin(name))
    for name in _TWINS:
        for request in (
            RegenerateRequest(type=_FIRST.type, id=name),
            RegenerateRequest(type=_FIRST.type, number=f"N-{name}"),
        ):
            heard = bench.subject.regenerate(_SCOPE, request, None)
            sent = {each.transaction.item.id for each in heard.deliveries} if isinstance(heard, Accepted) else heard
            assert sent == {f"{name}-i"}, f"asked for {request.id or request.number!r}, what was sent is {sent} (REQ-7)"
    for request in _nobodys():
        heard = bench.subject.regenerate(_SCOPE, request, None)
        told = f"asked for {request.id or request.number!r}, which nothing is called, the answer was {heard} (REQ-7)"
        assert isinstance(heard, DocumentNotFound), told


_LIKE_D2: Final = ("D2", "d2 ", " d2", "d\uff12", "d", "d_", "d%")
"""What another document alone could be taken for."""


def _nobodys() -> Iterator[RegenerateRequest]:
    yield from [RegenerateRequest(type=_FIRST.type, id=name) for name in _LIKE_D2 if name not in _TWINS]
    yield from [RegenerateRequest(type=_FIRST.type, number=f"N-{name}") for name in _LIKE_D2 if name not in _TWINS]
    yield RegenerateRequest(type=_FIRST.type, number=f"n-{_SECOND.id}")


def _twin(name: str) -> BillingDocument:
    key = evolve(_FIRST, id=name)
    (item, *_) = initial(_FIRST).items
    header = evolve(initial(_FIRST).header, key=key, number=f"N-{name}")
    return BillingDocument(header, (evolve(item, id=f"{name}-i"),))


def what_moved_is_not_written_over(bench: Bench) -> None:
    """With the version of a read before a change nothing is written; with the present one it is."""
    bench.subject.load(initial(_FIRST))
    seen = bench.store.find(_SCOPE, _REQUEST)
    assert isinstance(seen, Found), f"a loaded document was not found but {seen} (REQ-4)"
    moves: dict[str, Callable[[], object]] = {
        "the document was loaded again": lambda: bench.subject.load(edited(initial(_FIRST), "fix an amount", 0)),
        "its transactions were written": lambda: bench.subject.regenerate(_SCOPE, _REQUEST, None),
        "it was changed and changed back": lambda: bench.subject.load(initial(_FIRST)),
    }
    for name, move in moves.items():
        move()
        before = bench.subject.state()
        heard = bench.store.regenerate(_SCOPE, _OVERRIDE, None, expected=seen.version)
        assert isinstance(heard, ConcurrentModification), f"though {name}, the answer was {heard} (PRE-1)"
        assert bench.subject.state() == before, f"though {name} and it was refused, something was written (PRE-4)"
    seen = bench.store.find(_SCOPE, _REQUEST)
    heard = bench.store.regenerate(_SCOPE, _OVERRIDE, None, expected=seen.version)
    assert isinstance(heard, Regeneration), f"with the present version the answer was {heard} (PRE-1)"


def a_plan_is_what_happens_and_changes_nothing(bench: Bench) -> None:
    """What a plan says equals what the same request then does, and planning leaves no trace."""
    bench.subject.load(initial(_FIRST))
    for request in (evolve(_REQUEST, only_re_send=True), _REQUEST, _OVERRIDE, evolve(_REQUEST, only_re_send=True)):
        before = bench.subject.state()
        planned = bench.store.plan(_SCOPE, request, None)
        assert bench.subject.state() == before, f"planning {request} changed what is stored (PRE-4)"
        done = bench.store.regenerate(_SCOPE, request, None)
        assert planned == done, f"planned was {planned}, done {done} (TBL-R)"


def listings_keep_to_the_scope(bench: Bench) -> None:
    """Documents, transactions and deliveries are listed for who may see them, and for nobody else."""
    for key in SLOTS:
        bench.subject.load(edited(initial(key), "change the organisation", 0) if key == _SECOND else initial(key))
        scope = Scope(tenant=key.tenant, entity=key.entity, orgs=None)
        bench.subject.regenerate(scope, RegenerateRequest(type=key.type, id=key.id), None)
    for tenant, entity in {(key.tenant, key.entity) for key in SLOTS}:
        for orgs in (None, frozenset({"north"}), frozenset({"south"})):
            scope = Scope(tenant=tenant, entity=entity, orgs=orgs)
            seen = {each for each in SLOTS if (each.tenant, each.entity) == (tenant, entity)}
            seen -= {_SECOND} if orgs == frozenset({"south"}) else set()
            for name, keys in _listed(bench.store, scope):
                assert set(keys) == seen, f"{name} shows {set(keys)} to {scope}, expected {seen} (ACC-4)"


def _listed(store: Any, scope: Scope) -> Iterable[tuple[str, list[DocumentKey]]]:
    yield "documents", [each.key for each in store.documents(scope, limit=MAX_PAGE).rows]
    lines = store.transactions(scope, limit=MAX_PAGE).rows
    yield "transactions", [each.transaction.header.key for each in lines]
    sent = store.deliveries(scope, limit=MAX_PAGE).rows
    yield "deliveries", [each.delivery.transaction.header.key for each in sent]


def the_ledger_collects_by_the_rules(bench: Bench) -> None:
    """The store's own Revenue takes over, keeps and replaces what the rules say, whatever arrives when."""
    deliveries = _every_delivery(bench)
    expected = RevenueLedger()
    unasked = [each for each in deliveries if each.flag is RegenerateFlag.N]
    for delivery in (*unasked, *deliveries, *deliveries[::-1], *deliveries):
        rule = _rule_of(delivery)
        bench.store.collect([delivery])
        expected = collect(expected, delivery)
        rows = bench.store.revenue(_SCOPE, limit=MAX_PAGE).rows
        held = {each.transaction.id: each for each in rows}
        assert held == dict(expected.held.items()), (
            f"after a {delivery.flag.value} {delivery.action.value} at revision {delivery.revision} of "
            f"{delivery.transaction.item.id}, Revenue holds {held}, expected {dict(expected.held.items())} ({rule})"
        )


def _rule_of(delivery: Delivery) -> str:
    if delivery.flag is RegenerateFlag.N:
        return "REV-1"
    return "REV-3" if delivery.action is SendAction.VOID else "REV-2"


def _every_delivery(bench: Bench) -> list[Delivery]:
    """Lines with N and with Y, voids and lines that come back, of one document."""
    document = initial(_FIRST)
    versions = (document, edited(document, "fix an amount", 0), edited(document, "drop an item", 0), document)
    sent: list[Delivery] = []
    for version in versions:
        bench.subject.load(version)
        for request in (_REQUEST, _OVERRIDE, _REQUEST):
            heard = bench.subject.regenerate(_SCOPE, request, None)
            assert isinstance(heard, Accepted), f"an ordinary request was answered {heard}"
            sent += heard.deliveries
    return sent


def a_document_out_of_sight_does_not_exist(bench: Bench) -> None:
    """What tenant, entity or organisations hide is answered as if it weren't there, by id and by number."""
    for key in SLOTS:
        bench.subject.load(edited(initial(key), "change the organisation", 0))
    for key, tenant, entity, orgs in product(SLOTS, ("t1", "t2", "t3"), ("e1", "e2", "e3"), _SIGHTS):
        scope = Scope(tenant=tenant, entity=entity, orgs=orgs)
        if not bench.reach.reaches(scope):
            continue
        is_there = evolve(key, tenant=tenant, entity=entity) in SLOTS and (orgs is None or "north" in orgs)
        for request in (
            RegenerateRequest(type=key.type, id=key.id),
            RegenerateRequest(type=key.type, number=f"N-{key.id}"),
        ):
            heard = bench.subject.regenerate(scope, request, None)
            told = f"{request} by {scope} was answered {type(heard).__name__} (ACC-4)"
            assert isinstance(heard, Accepted if is_there else DocumentNotFound), told


_SIGHTS: Final = (None, frozenset({"north"}), frozenset({"south"}), frozenset[str]())


STORIES: Final = (
    Scenario("DOC-1", ("DOC-1",), a_changed_document_keeps_its_transactions),
    Scenario("DOC-2", ("DOC-2",), a_number_belongs_to_one_document),
    Scenario("DOC-3", ("DOC-3",), an_item_belongs_to_one_document),
    Scenario("REQ-7", ("REQ-7",), names_are_exact),
    Scenario("ACC-4 sight", ("ACC-4",), a_document_out_of_sight_does_not_exist),
    Scenario("PRE-1 version", ("PRE-1",), what_moved_is_not_written_over, frozenset({Capability.VERSIONS})),
    Scenario("PRE-4 plan", ("PRE-4",), a_plan_is_what_happens_and_changes_nothing, frozenset({Capability.PLANNING})),
    Scenario("ACC-4 listings", ("ACC-4",), listings_keep_to_the_scope, frozenset({Capability.LISTINGS})),
    Scenario(
        "REV ledger", ("REV-1", "REV-2", "REV-3"), the_ledger_collects_by_the_rules, frozenset({Capability.HAS_LEDGER})
    ),
)
"""What any system is asked about documents, and a store about what it offers beyond the operation."""
