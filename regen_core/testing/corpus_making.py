"""Writes the golden corpus: the naive model answers each case; the core is only asked which rules to cite.

``python -m regen_core.testing.corpus_making`` writes the files of :mod:`regen_core.testing.corpus`; with ``--check`` it
compares them and ends with 1 where one differs.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from attrs import evolve

from regen_core.access import Scope
from regen_core.documents import BillingDocument
from regen_core.rules import RULES
from regen_core.testing.corpus_cases import CASES, Case
from regen_core.testing.counting import rows_of
from regen_core.testing.harness import Harness
from regen_core.testing.journal import request_json, scope_json
from regen_core.testing.model import NaiveModel, Plain
from regen_core.testing.translation import plain_document, plain_request, plain_scope
from regen_core.transactions import StoredTransactions
from regen_core.wire.canonical import document_json
from regen_core.wire.codec import JsonObject
from regen_core.wire.strict_json import dump

__all__ = ["FORMAT", "chapters", "main", "vector_of"]

FORMAT: Final = "regen-corpus/1"
FOLDER: Final = Path(__file__).parent / "corpus"

_REFUSED: Final = {
    "ConflictingFlags": (400, 50000027),
    "DocumentNotFound": (404, 50000040),
    "DocumentReferenceMismatch": (400, 50000020),
    "DocumentNotPosted": (400, 50000030),
    "UnmappableItem": (400, 50000030),
    "NothingToResend": (400, 50000030),
}
"""HTTP status and code of each refusal (PRE-2)."""


def vector_of(case: Case) -> JsonObject:
    """A case with what comes of it, by the naive model."""
    model = NaiveModel()
    for step in case.before:
        if isinstance(step, BillingDocument):
            model.load(plain_document(step))
        else:
            done = model.regenerate(plain_scope(_whole(case)), plain_request(step), None)
            assert done["refused"] is None, f"{case.name}: {step} is refused before it begins"
    key = (case.request.type.value, case.request.id)
    stored = [_stored(model, each) for place, lines in model.transactions.items() if place[2:] == key for each in lines]
    expected = _expected(model, case)
    rules = tuple(dict.fromkeys(_rules(case, expected["refused"])))
    return {
        "id": f"{case.chapter}: {case.name}",
        "about": case.about,
        "rules": list(rules),
        "origins": {each: RULES[each].origin.value for each in rules if each in RULES},
        "made": "expected: naive model; rules cited: decision tables of the library",
        "before": [_step(each) for each in case.before],
        "stored": stored,
        "scope": scope_json(case.scope),
        "request": request_json(case.request),
        "expected": expected,
    }


def _whole(case: Case) -> Scope:
    return evolve(case.scope, tenant="t1", entity="e1", orgs=None)


def _step(step: Any) -> JsonObject:
    if isinstance(step, BillingDocument):
        return {"load": document_json(step)}
    return {"regenerate": request_json(step)}


def _stored(model: NaiveModel, transaction: Plain) -> JsonObject:
    return {**_transaction(transaction), "deliveries": model.deliveries_so_far.get(transaction["identity"], 0)}


def _transaction(transaction: Plain) -> JsonObject:
    item = transaction["item"]
    return {
        "item": item["id"],
        "amount": format(item["amount"], "f"),
        "excluded": item["excluded"],
        "revision": transaction["revision"],
        "state": transaction["state"],
        "revenue_type": transaction["revenue_type"],
        "standalone": transaction["standalone"],
    }


def _expected(model: NaiveModel, case: Case) -> JsonObject:
    answer = model.regenerate(plain_scope(case.scope), plain_request(case.request), None)
    name = answer["refused"]
    if name is not None:
        status, code = _REFUSED[name]
        items = answer["details"] if name == "UnmappableItem" else None
        return {"refused": name, "http_status": status, "code": code, "items": items}
    key = next(place for place in model.transactions if _is_meant(model, place, case))
    return {
        "refused": None,
        "ids": [identity[4] for identity in answer["ids"]],
        "deliveries": [_delivery(each) for each in answer["deliveries"]],
        "lines": [_stored(model, each) for each in model.transactions[key]],
    }


def _is_meant(model: NaiveModel, place: tuple[str, str, str, str], case: Case) -> bool:
    request, number = case.request, model.documents[place]["number"]
    return place[2] == request.type.value and request.id in (None, place[3]) and request.number in (None, number)


def _delivery(delivery: Plain) -> JsonObject:
    told = {name: delivery[name] for name in ("number", "flag", "action")}
    return {"item": delivery["transaction"]["item"]["id"], "revision": delivery["transaction"]["revision"], **told}


def _rules(case: Case, refused: str | None) -> Iterator[str]:
    """The rules that the case is about, as the library's own tables name them."""
    harness = Harness(with_laws=False, with_model=False)
    for step in case.before:
        if isinstance(step, BillingDocument):
            harness.load(step)
        else:
            harness.ask(_whole(case), step)
    document = harness._meant(case.scope, case.request)
    before = StoredTransactions(harness._stored(document))
    yield from rows_of(document, before, case.request, refused)


def chapters() -> dict[str, str]:
    """The text of each file by its name."""
    texts: dict[str, str] = {}
    for chapter in dict.fromkeys(case.chapter for case in CASES):
        vectors = [vector_of(case) for case in CASES if case.chapter == chapter]
        lines = ",\n".join([dump(each) for each in vectors])
        texts[f"{chapter}.json"] = f'{{"format": "{FORMAT}", "chapter": "{chapter}", "vectors": [\n{lines}\n]}}\n'
    return texts


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m regen_core.testing.corpus_making", description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare the files instead of writing them")
    chosen = parser.parse_args(arguments)
    differing = 0
    for name, text in chapters().items():
        path = FOLDER / name
        if not chosen.check:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            differing += 1
            sys.stdout.write(f"{name} differs; write it anew with python -m regen_core.testing.corpus_making\n")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
