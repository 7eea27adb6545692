"""The golden corpus as checks: each vector is a scenario for any subject; the files are JSON for any language.

``corpus/README.md`` says what a vector holds. A vector is performed by its own steps, so that it fits every system that
can load and regenerate, whatever it stores.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache, partial
from importlib.resources import files
from typing import Any, Final

from regen_core.access import Scope
from regen_core.documents import BillingDocument, DocumentType
from regen_core.refusals import UnmappableItem
from regen_core.request import RegenerateRequest
from regen_core.revenue import Delivery
from regen_core.testing.scenarios import Bench, Scenario
from regen_core.testing.subject import Accepted, Subject
from regen_core.transactions import StoredTransaction
from regen_core.wire.canonical import document_of
from regen_core.wire.codec import JsonObject
from regen_core.wire.strict_json import parse

__all__ = ["CHAPTERS", "corpus_scenarios", "vectors"]

CHAPTERS: Final = ("tables", "mapping", "refusals", "edges")
_BEFORE: Final = Scope(tenant="t1", entity="e1", orgs=None)


@lru_cache
def vectors() -> tuple[JsonObject, ...]:
    """All vectors as they stand in the files."""
    folder = files(__package__) / "corpus"
    read: list[Any] = [parse((folder / f"{chapter}.json").read_bytes()) for chapter in CHAPTERS]
    return tuple([vector for chapter in read for vector in chapter["vectors"]])


@lru_cache
def corpus_scenarios() -> tuple[Scenario, ...]:
    """Each vector as a check."""
    return tuple([_scenario(each) for each in vectors()])


def _scenario(vector: JsonObject) -> Scenario:
    perform = partial(_perform, vector)
    return Scenario(f"corpus {vector['id']}", tuple(vector["rules"]), perform, about=vector["about"])


def _perform(vector: JsonObject, bench: Bench) -> None:
    subject, document = bench.subject, None
    request = _request(vector["request"])
    for step in vector["before"]:
        if "load" in step:
            loaded = document_of(step["load"])
            subject.load(loaded)
            document = loaded if loaded.key.id == request.id or loaded.header.number == request.number else document
        else:
            subject.regenerate(_BEFORE, _request(step["regenerate"]), None)
    if document is not None and (document.type, document.id) == (request.type, request.id):
        stored = _lines(subject.transactions(document.key).lines)
        assert stored == _exact(vector["stored"]), f"stored before: {stored}, expected {vector['stored']}"
    told = vector["scope"]
    orgs = None if told["orgs"] is None else frozenset(told["orgs"])
    outcome = subject.regenerate(Scope(tenant=told["tenant"], entity=told["entity"], orgs=orgs), request, None)
    for name, found in _found(subject, document, outcome).items():
        expected = vector["expected"].get(name)
        expected = _exact(expected) if name == "lines" and expected is not None else expected
        assert found == expected, f"{name}: {found}, expected {expected} ({', '.join(vector['rules'])})"


def _request(told: JsonObject) -> RegenerateRequest:
    return RegenerateRequest(
        type=DocumentType(told["type"]),
        id=told["id"],
        number=told["number"],
        only_re_send=told["onlyReSend"],
        re_migrate=told["reMigrate"],
    )


def _found(subject: Subject, document: BillingDocument | None, outcome: object) -> JsonObject:
    """What came of it, as a vector tells it."""
    if not isinstance(outcome, Accepted):
        items = [each.item_id for each in outcome.items] if isinstance(outcome, UnmappableItem) else None
        status, code = getattr(outcome, "http_status", None), getattr(outcome, "code", None)
        return {"refused": type(outcome).__name__, "http_status": status, "code": code, "items": items}
    assert document is not None, "accepted, though no step loads the document"
    lines = subject.transactions(document.key).lines
    by_id = {line.transaction.id: line.transaction.item.id for line in lines}
    return {
        "refused": None,
        "ids": [by_id.get(each, each) for each in outcome.id_list],
        "deliveries": [_delivery(each) for each in outcome.deliveries],
        "lines": _lines(lines),
    }


def _lines(lines: Sequence[StoredTransaction]) -> list[JsonObject]:
    return [
        {
            "item": line.transaction.item.id,
            "amount": line.transaction.item.amount,
            "excluded": line.transaction.item.excluded_from_revenue,
            "revision": line.transaction.revision,
            "state": line.transaction.state.value,
            "revenue_type": line.transaction.revenue_type.value,
            "standalone": line.transaction.standalone,
            "deliveries": line.deliveries,
        }
        for line in lines
    ]


def _exact(lines: Sequence[JsonObject]) -> list[JsonObject]:
    """The lines with their amounts as values: 1.10 is 1.1."""
    return [{**line, "amount": Decimal(line["amount"])} for line in lines]


def _delivery(delivery: Delivery) -> JsonObject:
    return {
        "item": delivery.transaction.item.id,
        "revision": delivery.revision,
        "number": delivery.number,
        "flag": delivery.flag.value,
        "action": delivery.action.value,
    }
