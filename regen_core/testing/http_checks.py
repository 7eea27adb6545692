"""What can be checked of a service from outside: refusals, repeats under a key, and a document known to be posted."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from secrets import token_hex
from typing import Final

from attrs import frozen

from regen_core.documents import DocumentType
from regen_core.refusals import ConflictingFlags, DocumentNotFound, IdempotencyKeyInProgress, IdempotencyKeyReused
from regen_core.testing import http_shapes as shapes
from regen_core.testing.http_shapes import NOBODYS, refused, status_of
from regen_core.testing.over_http import Heard, Service

__all__ = ["HTTP_CHECKS", "HttpCheck", "NotExercised"]

_AT_ONCE: Final = 8
"""Requests that are sent at the same moment."""

_ROUNDS: Final = 4
"""How often: which one comes first is chance."""


class NotExercised(Exception):  # noqa: N818  # named for what is the matter
    """A check that met nothing that it could have judged."""


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


def both_flags_are_refused(service: Service) -> None:
    """Both flags together are refused, before the document is looked for."""
    refused(service.ask(NOBODYS, flags=(True, True)), ConflictingFlags())


def a_document_that_is_not_there(service: Service) -> None:
    """An id and a number that nothing has are not found."""
    refused(service.ask(NOBODYS), DocumentNotFound(DocumentType.INVOICE))
    by_number = {"type": "Invoice", "number": "conformance-nobodys-number"}
    refused(service.ask(by_number), DocumentNotFound(DocumentType.INVOICE))


def types_are_spelled_exactly(service: Service) -> None:
    """A type in another case is no type."""
    status_of(service.ask({**NOBODYS, "type": "invoice"}), 400)


def a_name_is_needed(service: Service) -> None:
    """Neither id nor number is a missing field."""
    status_of(service.ask({"type": "Invoice"}), 400)


def unreadable_bodies_are_refused(service: Service) -> None:
    """What is no JSON object, or names a field twice, is refused."""
    for body in (b"{", b"[]", b'{"type": "Invoice", "type": "Invoice", "id": "x"}'):
        status_of(service.ask(body), 400)


def flags_are_true_or_false(service: Service) -> None:
    """Any other value of a flag is refused."""
    status_of(service.ask(NOBODYS, query="onlyReSend=maybe"), 400)


def strangers_are_refused(service: Service) -> None:
    """A token that was never given out is refused, whatever it asks for."""
    status_of(service.ask(NOBODYS, headers={"Authorization": "Bearer conformance-no-token"}), 401)


def a_refusal_is_replayed_under_its_key(service: Service) -> None:
    """That a document isn't found is given again under its key, byte by byte, and says so."""
    key = f"conformance-{token_hex(8)}"
    first, again = service.ask(NOBODYS, key=key), service.ask(NOBODYS, key=key)
    _replayed(first, again)


def another_meaning_under_a_key_is_refused(service: Service) -> None:
    """The same key with another flag is refused."""
    key = f"conformance-{token_hex(8)}"
    service.ask(NOBODYS, key=key)
    refused(service.ask(NOBODYS, flags=(False, True), key=key), IdempotencyKeyReused())


def _replayed(first: Heard, again: Heard) -> None:
    told = (again.status, again.body)
    assert told == (first.status, first.body), f"answered {told} at the repeat, {(first.status, first.body)} at first"
    replayed = again.headers.get("idempotent-replayed")
    assert replayed == "true", f"Idempotent-Replayed is {replayed!r} at the repeat, expected 'true'"


def _named(service: Service) -> dict[str, str]:
    """A request for the service's document."""
    assert service.document is not None, "a check that needs a document has one"
    return dict(zip(("type", "id"), service.document, strict=True))


def _ids(service: Service, flags: tuple[bool, bool], key: str | None = None) -> list[str]:
    heard = service.ask(_named(service), flags=flags, key=key)
    status_of(heard, 200)
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
    told = _named(service)
    key = f"conformance-{token_hex(8)}"
    first, again = service.ask(told, key=key), service.ask(told, key=key)
    status_of(first, 200)
    _replayed(first, again)


def one_of_many_at_once_is_executed(service: Service) -> None:
    """Of equal requests at the same moment one is executed; the others hear 409 with Retry-After: 1, or its answer."""
    is_any_busy = False
    for _ in range(_ROUNDS):
        key = f"conformance-{token_hex(8)}"
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            heard = list(pool.map(lambda _, key=key: service.ask(_named(service), key=key), range(_AT_ONCE)))
        first = [each for each in heard if each.status == 200 and "idempotent-replayed" not in each.headers]
        assert len(first) == 1, f"{len(first)} of {_AT_ONCE} equal requests at once were executed"
        for each in heard:
            if each.status == IdempotencyKeyInProgress.http_status:
                is_any_busy = True
                refused(each, IdempotencyKeyInProgress())
                again = each.headers.get("retry-after")
                assert again == "1", f"Retry-After is {again!r} while the first request runs, expected '1'"
    if not is_any_busy:
        raise NotExercised


HTTP_CHECKS: Final = (
    HttpCheck("http REQ-1", ("REQ-1",), shapes.other_paths_and_methods),
    HttpCheck("http REQ-5", ("REQ-5", "TBL-M4"), both_flags_are_refused),
    HttpCheck("http REQ-6 flags", ("REQ-6",), shapes.flags_are_spelled_in_any_case),
    HttpCheck("http REQ-6 unknown", ("REQ-6",), shapes.what_is_unknown_is_refused),
    HttpCheck("http REQ-7", ("REQ-4", "REQ-7"), a_document_that_is_not_there),
    HttpCheck("http REQ-2", ("REQ-2",), types_are_spelled_exactly),
    HttpCheck("http REQ-4", ("REQ-4",), a_name_is_needed),
    HttpCheck("http REQ-9", ("REQ-9",), shapes.track_ids_come_back),
    HttpCheck("http REQ-10", ("REQ-10",), shapes.answers_are_plain),
    HttpCheck("http REQ-12", ("REQ-12",), shapes.everything_has_a_request_id),
    HttpCheck("http REQ-13", ("REQ-10", "REQ-13"), shapes.compressed_bodies_are_read),
    HttpCheck("http REQ-14", ("REQ-14",), unreadable_bodies_are_refused),
    HttpCheck("http REQ-3", ("REQ-3",), flags_are_true_or_false),
    HttpCheck("http ACC-1", ("ACC-1",), strangers_are_refused),
    HttpCheck("http ACC-2", ("ACC-2",), shapes.entities_of_others_are_refused),
    HttpCheck("http ACC-3", ("ACC-3",), shapes.orgs_of_others_are_refused),
    HttpCheck("http PRE-1", ("PRE-1",), shapes.the_earliest_fault_is_told),
    HttpCheck("http PRE-2", ("PRE-2",), shapes.errors_have_one_shape),
    HttpCheck("http IDM-6", ("IDM-1", "IDM-6"), a_refusal_is_replayed_under_its_key),
    HttpCheck("http IDM-4", ("IDM-4",), another_meaning_under_a_key_is_refused),
    HttpCheck("http IDM-9", ("IDM-9", "REQ-8"), shapes.keys_are_visible_text),
    HttpCheck("http CNV-5", ("CNV-5",), generating_again_changes_nothing, needs_document=True),
    HttpCheck("http TBL-I", ("TBL-I", "TBL-R"), overriding_keeps_the_ids, needs_document=True),
    HttpCheck("http IDM-1", ("IDM-1",), a_success_is_replayed_under_its_key, needs_document=True),
    HttpCheck("http IDM-3", ("IDM-3",), one_of_many_at_once_is_executed, needs_document=True),
)
"""All checks of a service, those that write nothing first."""
