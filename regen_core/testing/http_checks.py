"""What can be checked of a service from outside: refusals, repeats under a key, and a document known to be posted."""

from __future__ import annotations

from collections.abc import Callable
from secrets import token_hex
from typing import Final

from attrs import frozen

from regen_core.documents import DocumentType
from regen_core.refusals import (
    ConflictingFlags,
    DocumentNotFound,
    IdempotencyKeyReused,
    Refusal,
)
from regen_core.testing.over_http import Heard, Service

__all__ = ["HTTP_CHECKS", "HttpCheck"]


@frozen
class HttpCheck:
    """One check: ``needs_document`` where a posted document must be regenerated for it."""

    id: str
    rule_ids: tuple[str, ...]
    perform: Callable[[Service], None]
    needs_document: bool = False

    @property
    def told(self) -> str:
        """What it does, in a sentence."""
        return (self.perform.__doc__ or self.id).strip().splitlines()[0]


_NOBODYS: Final = {"type": "Invoice", "id": "conformance-nobodys-document"}


def _refused(heard: Heard, expected: Refusal) -> None:
    told = (heard.status, heard.code)
    wanted = (expected.http_status, expected.code)
    assert told == wanted, f"answered {told}, expected {wanted}, {type(expected).__name__}: {heard.body[:300]!r}"


def _status(heard: Heard, status: int) -> None:
    assert heard.status == status, f"answered {heard.status}, expected {status}: {heard.body[:300]!r}"


def both_flags_are_refused(service: Service) -> None:
    """Both flags together are refused, before the document is looked for."""
    _refused(service.ask(_NOBODYS, flags=(True, True)), ConflictingFlags())


def a_document_that_is_not_there(service: Service) -> None:
    """An id and a number that nothing has are not found."""
    _refused(service.ask(_NOBODYS), DocumentNotFound(DocumentType.INVOICE))
    by_number = {"type": "Invoice", "number": "conformance-nobodys-number"}
    _refused(service.ask(by_number), DocumentNotFound(DocumentType.INVOICE))


def types_are_spelled_exactly(service: Service) -> None:
    """A type in another case is no type."""
    _status(service.ask({**_NOBODYS, "type": "invoice"}), 400)


def a_name_is_needed(service: Service) -> None:
    """Neither id nor number is a missing field."""
    _status(service.ask({"type": "Invoice"}), 400)


def unreadable_bodies_are_refused(service: Service) -> None:
    """What is no JSON object, or names a field twice, is refused."""
    for body in (b"{", b"[]", b'{"type": "Invoice", "type": "Invoice", "id": "x"}'):
        _status(service.ask(body), 400)


def flags_are_true_or_false(service: Service) -> None:
    """Any other value of a flag is refused."""
    _status(service.ask(_NOBODYS, query="onlyReSend=maybe"), 400)


def strangers_are_refused(service: Service) -> None:
    """A token that was never given out is refused, whatever it asks for."""
    _status(service.ask(_NOBODYS, token="conformance-no-token"), 401)  # noqa: S106  # not one


def a_refusal_is_replayed_under_its_key(service: Service) -> None:
    """That a document isn't found is given again under its key, byte by byte, and says so."""
    key = f"conformance-{token_hex(8)}"
    first, again = service.ask(_NOBODYS, key=key), service.ask(_NOBODYS, key=key)
    _replayed(first, again)


def another_meaning_under_a_key_is_refused(service: Service) -> None:
    """The same key with another flag is refused."""
    key = f"conformance-{token_hex(8)}"
    service.ask(_NOBODYS, key=key)
    _refused(service.ask(_NOBODYS, flags=(False, True), key=key), IdempotencyKeyReused())


def _replayed(first: Heard, again: Heard) -> None:
    told = (again.status, again.body)
    assert told == (first.status, first.body), f"answered {told} at the repeat, {(first.status, first.body)} at first"
    replayed = again.headers.get("idempotent-replayed")
    assert replayed == "true", f"Idempotent-Replayed is {replayed!r} at the repeat, expected 'true'"


def _ids(service: Service, flags: tuple[bool, bool], key: str | None = None) -> list[str]:
    assert service.document is not None, "a check that needs a document has one"
    kind, name = service.document
    heard = service.ask({"type": kind, "id": name}, flags=flags, key=key)
    _status(heard, 200)
    ids = heard.json.get("idList")
    assert heard.json.get("success") is True, f"success is {heard.json.get('success')!r}, expected true"
    assert isinstance(ids, list), f"idList is {ids!r}, expected a list"
    assert len(set(ids)) == len(ids), f"idList names a transaction twice: {ids}"
    return ids


def generating_again_changes_nothing(service: Service) -> None:
    """With neither flag the second and the third answer are the same."""
    _ids(service, (False, False))
    second, third = _ids(service, (False, False)), _ids(service, (False, False))
    assert second == third, f"idList was {second} and is {third}"


def overriding_keeps_the_ids(service: Service) -> None:
    """reMigrate lists what was listed before, in the same order, and the same again when it is repeated."""
    generated = _ids(service, (False, False))
    first, again = _ids(service, (False, True)), _ids(service, (False, True))
    assert first == again, f"idList was {first} and is {again}"
    assert [each for each in first if each in generated] == generated, f"{generated} before, {first} overridden"


def a_success_is_replayed_under_its_key(service: Service) -> None:
    """A success is given again under its key, byte by byte, and says so."""
    assert service.document is not None, "a check that needs a document has one"
    told = dict(zip(("type", "id"), service.document, strict=True))
    key = f"conformance-{token_hex(8)}"
    first, again = service.ask(told, key=key), service.ask(told, key=key)
    _status(first, 200)
    _replayed(first, again)


HTTP_CHECKS: Final = (
    HttpCheck("http REQ-5", ("REQ-5", "TBL-M4"), both_flags_are_refused),
    HttpCheck("http REQ-7", ("REQ-4", "REQ-7"), a_document_that_is_not_there),
    HttpCheck("http REQ-2", ("REQ-2",), types_are_spelled_exactly),
    HttpCheck("http REQ-4", ("REQ-4",), a_name_is_needed),
    HttpCheck("http REQ-14", ("REQ-14",), unreadable_bodies_are_refused),
    HttpCheck("http REQ-3", ("REQ-3",), flags_are_true_or_false),
    HttpCheck("http ACC-1", ("ACC-1",), strangers_are_refused),
    HttpCheck("http IDM-6", ("IDM-1", "IDM-6"), a_refusal_is_replayed_under_its_key),
    HttpCheck("http IDM-4", ("IDM-4",), another_meaning_under_a_key_is_refused),
    HttpCheck("http CNV-5", ("CNV-5",), generating_again_changes_nothing, needs_document=True),
    HttpCheck("http TBL-I", ("TBL-I", "TBL-R"), overriding_keeps_the_ids, needs_document=True),
    HttpCheck("http IDM-1", ("IDM-1",), a_success_is_replayed_under_its_key, needs_document=True),
)
"""All checks of a service, those that write nothing first."""
