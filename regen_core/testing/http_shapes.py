"""Checks of how requests are read and answers are shaped: the order of refusals, headers, encodings, spellings.

Each is about a document that nobody has, so that nothing is written: that it isn't found shows that the request was
read to its end.
"""

from __future__ import annotations

import gzip
from secrets import token_hex
from typing import Any, Final

from regen_core.documents import DocumentType
from regen_core.idempotency import OPERATION_PATH
from regen_core.refusals import (
    ConflictingFlags,
    DocumentNotFound,
    EntityNotAccessible,
    InvalidHeader,
    InvalidParameter,
    MissingField,
    OrgNotAccessible,
    Refusal,
    Unauthenticated,
    UnknownField,
    UnreadableBody,
)
from regen_core.testing.over_http import Heard, Service

__all__ = [
    "NOBODYS", "answers_are_plain", "compressed_bodies_are_read", "entities_of_others_are_refused",
    "errors_have_one_shape", "everything_has_a_request_id", "flags_are_spelled_in_any_case", "keys_are_visible_text",
    "orgs_of_others_are_refused", "other_paths_and_methods", "refused", "status_of", "the_earliest_fault_is_told",
    "track_ids_come_back", "what_is_unknown_is_refused",
]  # fmt: skip

NOBODYS: Final = {"type": "Invoice", "id": "conformance-nobodys-document"}
"""A request for a document that nobody has."""

_NOT_FOUND: Final = DocumentNotFound(DocumentType.INVOICE)


def refused(heard: Heard, expected: Refusal, when: str = "") -> None:
    """Asserts that this refusal was heard, by its status and code (PRE-2)."""
    told, wanted = (heard.status, heard.code), (expected.http_status, expected.code)
    where = f"{when}: " if when else ""
    assert told == wanted, f"{where}answered {told}, expected {wanted}, {expected.name}: {heard.body[:300]!r}"


def status_of(heard: Heard, status: int) -> None:
    """Asserts a status."""
    assert heard.status == status, f"answered {heard.status}, expected {status}: {heard.body[:300]!r}"


def the_earliest_fault_is_told(service: Service) -> None:
    """Of a request with many faults the earliest in the order is told; one is mended at a time."""
    wrong = {"Zuora-Track-Id": "a:b", "Authorization": "Bearer conformance-no-token"}
    both = "onlyReSend=true&reMigrate=true"
    document: dict[str, Any] = {"nothing": 1, "type": "Invoice"}
    steps: list[tuple[object, str, dict[str, str], Refusal]] = [
        (b"{", f"{both}&reMigrate=maybe", wrong, Unauthenticated()),
        (b"{", f"{both}&reMigrate=maybe", {"Zuora-Track-Id": "a:b"}, InvalidHeader("Zuora-Track-Id", "")),
        (b"{", f"{both}&reMigrate=maybe", {}, UnreadableBody("")),
        (document, f"{both}&onlyReSnd=true", {}, InvalidParameter("onlyReSnd", "")),
        (document, both, {}, ConflictingFlags()),
        (document, "", {}, UnknownField("nothing")),
        ({"type": "Invoice"}, "", {}, MissingField("id")),
        (NOBODYS, "", {}, _NOT_FOUND),
    ]
    for body, query, headers, expected in steps:
        refused(service.ask(body, query=query, headers=headers), expected, f"expecting {expected.name}")


def errors_have_one_shape(service: Service) -> None:
    """An error says that it is none, has ids of the call, and one reason with an integer code of eight digits."""
    for heard in (service.ask(NOBODYS), service.ask(b"["), service.ask(NOBODYS, query="reMigrate=2")):
        told = heard.json
        assert isinstance(told, dict), f"an error is no object: {heard.body[:300]!r}"
        assert told.get("success") is False, f"success is {told.get('success')!r} in an error"
        assert heard.code is not None, f"an error has no reasons with an integer code: {heard.body[:300]!r}"
        assert len(str(heard.code)) == 8, f"the code {heard.code} doesn't have eight digits"


def everything_has_a_request_id(service: Service) -> None:
    """Every answer, errors and replays too, has a request id of 36 characters that no other has."""
    key = f"conformance-{token_hex(8)}"
    heard = [service.ask(NOBODYS, key=key), service.ask(NOBODYS, key=key), service.ask(b"{")]
    ids = [each.headers.get("zuora-request-id", "") for each in heard]
    assert all(len(each) == 36 for each in ids), f"Zuora-Request-Id is {ids}, expected 36 characters each"
    assert len(set(ids)) == len(ids), f"Zuora-Request-Id came twice: {ids}"


def track_ids_come_back(service: Service) -> None:
    """A valid track id comes back as it was sent, with errors too; an invalid one is refused and doesn't."""
    heard = service.ask(NOBODYS, headers={"Zuora-Track-Id": "conformance 1"})
    told = heard.headers.get("zuora-track-id")
    assert told == "conformance 1", f"Zuora-Track-Id came back as {told!r}"
    for wrong in ("a:b", "x" * 65):
        heard = service.ask(NOBODYS, headers={"Zuora-Track-Id": wrong})
        refused(heard, InvalidHeader("Zuora-Track-Id", ""), f"with the track id {wrong!r}")
        assert "zuora-track-id" not in heard.headers, "an invalid Zuora-Track-Id came back"


def compressed_bodies_are_read(service: Service) -> None:
    """A gzipped body is read, plain JSON that is announced as gzip too, half a gzip isn't."""
    text, announced = b'{"type":"Invoice","id":"conformance-nobodys-document"}', {"Content-Encoding": "gzip"}
    refused(service.ask(gzip.compress(text), headers=announced), _NOT_FOUND, "with a gzipped body")
    refused(service.ask(text, headers=announced), _NOT_FOUND, "with plain JSON announced as gzip")
    refused(service.ask(gzip.compress(text)[:-9], headers=announced), UnreadableBody(""), "with half a gzip")


def answers_are_plain(service: Service) -> None:
    """An answer that nobody asked to compress is plain, and so is a short one."""
    for headers in ({"Accept-Encoding": "identity"}, {"Accept-Encoding": "gzip"}):
        heard = service.ask(NOBODYS, headers=headers)
        encoding = heard.headers.get("content-encoding", "identity")
        assert encoding == "identity", f"a body of {len(heard.body)} bytes came as {encoding!r}, asked with {headers}"
        assert heard.body.startswith(b"{"), f"the body is no JSON object: {heard.body[:60]!r}"


def flags_are_spelled_in_any_case(service: Service) -> None:
    """TRUE and False are flags; false is as good as none."""
    refused(service.ask(NOBODYS, query="onlyReSend=TRUE&reMigrate=True"), ConflictingFlags(), "with TRUE and True")
    refused(service.ask(NOBODYS, query="onlyReSend=False&reMigrate=tRUE"), _NOT_FOUND, "with False and tRUE")


def what_is_unknown_is_refused(service: Service) -> None:
    """An unknown parameter or field, a flag in the body or twice is refused; unknown headers pass."""
    refused(service.ask(NOBODYS, query="onlyResend=true"), InvalidParameter("onlyResend", ""), "with onlyResend")
    twice = service.ask(NOBODYS, query="reMigrate=true&reMigrate=true")
    refused(twice, InvalidParameter("reMigrate", ""), "with reMigrate twice")
    refused(service.ask({**NOBODYS, "anything": 1}), UnknownField("anything"), "with an unknown field")
    status_of(service.ask({**NOBODYS, "reMigrate": True}), 400)
    refused(service.ask(NOBODYS, headers={"X-Anything": "1"}), _NOT_FOUND, "with an unknown header")


def keys_are_visible_text(service: Service) -> None:
    """A key has 1 to 255 visible ASCII characters."""
    refused(service.ask(NOBODYS, key=f"{token_hex(8)}{'k' * 239}"), _NOT_FOUND, "with a key of 255 characters")
    for wrong in ("k" * 256, "two words", "é"):
        heard = service.ask(NOBODYS, headers={"Idempotency-Key": wrong})
        refused(heard, InvalidHeader("Idempotency-Key", ""), f"with a key of {len(wrong)} characters like {wrong[0]!r}")


def entities_of_others_are_refused(service: Service) -> None:
    """An entity that the client doesn't have is refused, whether or not there is one."""
    heard = service.ask(NOBODYS, headers={"Zuora-Entity-Ids": "conformance-nobodys-entity"})
    refused(heard, EntityNotAccessible())


def orgs_of_others_are_refused(service: Service) -> None:
    """An organisation that the client doesn't have fails the request."""
    refused(service.ask(NOBODYS, headers={"Zuora-Org-Ids": "conformance-nobodys-org"}), OrgNotAccessible())


def other_paths_and_methods(service: Service) -> None:
    """The operation is a POST to its own path."""
    status_of(service.ask(NOBODYS, method="PUT"), 405)
    status_of(service.ask(NOBODYS, path=f"{OPERATION_PATH}s"), 404)
