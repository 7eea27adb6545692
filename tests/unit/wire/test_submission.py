"""Ranks 0 to 12 of the ladder: what is refused before anything is looked up, and in which order."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve

from regen_core.access import Caller
from regen_core.documents import BillingDocument, BillingItem, DocumentHeader, DocumentKey, DocumentType, ItemSource
from regen_core.refusals import Refusal, UnreadableBody
from regen_core.regeneration import Regeneration, decide
from regen_core.request import RegenerateRequest
from regen_core.store import Loaded, StoredDocument, TransactionStore
from regen_core.wire.answers import error_body, success_body
from regen_core.wire.submission import MAX_BODY_BYTES, Admitted, Submission, admit, track_id_of

CALLER = Caller(tenant="t", client="c", entities=frozenset({"e"}), orgs=frozenset({"north", "south"}))
JSON = ("Content-Type", "application/json")
GZIP = ("Content-Encoding", "gzip")


def submission(*headers: tuple[str, str], query: tuple[tuple[str, str], ...] = (), **body: Any) -> Submission:
    given = body or {"type": "Invoice", "id": "inv1"}
    return Submission(query=query, headers=(JSON, *headers), body=json.dumps(given).encode(), caller=CALLER)


def admitted(made: Submission) -> Admitted:
    found = admit(made)
    assert isinstance(found, Admitted), found
    return found


def refused(made: Submission) -> Refusal:
    found = admit(made)
    assert not isinstance(found, Admitted)
    return found


def name(made: Submission) -> str:
    return refused(made).name


class TestBeforeEverything:
    """Path, method, size and encoding come before all ranks."""

    def test_another_path(self) -> None:
        """REQ-1."""
        assert name(evolve(submission(), path="/v1/uno-regenerate/billing-transaction/")) == "UnknownPath"

    @pytest.mark.parametrize("method", ["GET", "PUT", "post", "OPTIONS"])
    def test_another_method(self, method: str) -> None:
        """REQ-1: methods are matched exactly."""
        assert name(evolve(submission(), method=method)) == "MethodNotAllowed"

    def test_a_body_over_the_limit(self) -> None:
        """Raw bytes count, and one less is no matter for this refusal."""
        assert name(evolve(submission(), body=b" " * (MAX_BODY_BYTES + 1))) == "PayloadTooLarge"
        assert name(evolve(submission(), body=b" " * MAX_BODY_BYTES)) == "UnreadableBody"
        assert admit(submission(), max_body_bytes=10).name == "PayloadTooLarge"  # type: ignore[union-attr]  # refused

    @pytest.mark.parametrize("body", [b"", b" \n"])
    def test_an_empty_body_is_called_so(self, body: bytes) -> None:
        """Not an end of text somewhere within a value."""
        refused = admit(evolve(submission(), body=body))
        assert isinstance(refused, UnreadableBody)
        assert refused.fault == "it is empty"

    @pytest.mark.parametrize(
        "media_type",
        [
            "application/json",
            "Application/JSON",
            "application/json;charset=utf-8",
            'application/json; charset="UTF-8"',
            "application/json ; charset=utf8",
        ],
    )
    def test_json_is_taken(self, media_type: str) -> None:
        """In UTF-8."""
        admitted(evolve(submission(), headers=(("content-type", media_type),)))

    def test_a_content_type_may_be_left_out(self) -> None:
        """Then it is JSON, or unreadable."""
        admitted(evolve(submission(), headers=()))

    @pytest.mark.parametrize(
        "headers",
        [
            (("Content-Type", "text/plain"),),
            (("Content-Type", "application/x-www-form-urlencoded"),),
            (("Content-Type", "application/json; charset=latin-1"),),
            (("Content-Type", "application/jsonx"),),
            (JSON, JSON),
            (JSON, ("Content-Encoding", "br")),
            (JSON, ("Content-Encoding", "gzip, gzip")),
            (JSON, GZIP, GZIP),
        ],
    )
    def test_other_content_is_not(self, headers: tuple[tuple[str, str], ...]) -> None:
        """REQ-10: JSON, plain or gzipped; each header once."""
        assert name(evolve(submission(), headers=headers)) == "UnsupportedEncoding"


class TestAccess:
    """Ranks 1 to 5."""

    def test_nobody(self) -> None:
        """REQ-11."""
        assert name(evolve(submission(), caller=None)) == "Unauthenticated"

    def test_two_tokens_are_nobodys(self) -> None:
        """Which of them was checked can't be told."""
        assert name(submission(("Authorization", "Bearer a"), ("authorization", "Bearer a"))) == "Unauthenticated"

    def test_without_permission(self) -> None:
        """ACC-1."""
        assert name(evolve(submission(), caller=evolve(CALLER, permissions=frozenset()))) == "PermissionDenied"

    @pytest.mark.parametrize(
        ("entities", "headers", "expected"),
        [
            ({"e", "f"}, (), "EntityRequired"),
            ({"e"}, (("Zuora-Entity-Ids", "f"),), "EntityNotAccessible"),
            ({"e", "f"}, (("Zuora-Entity-Ids", "e,f"),), "EntityNotAccessible"),
            ({"e"}, (("Zuora-Entity-Ids", "e"), ("zuora-entity-ids", "e")), "EntityNotAccessible"),
            ({"e"}, (("Zuora-Org-Ids", "west"),), "OrgNotAccessible"),
            ({"e"}, (("Zuora-Org-Ids", "north,"),), "OrgNotAccessible"),
            ({"e"}, (("Zuora-Org-Ids", "north"), ("ZUORA-ORG-IDS", "south")), "OrgNotAccessible"),
        ],
    )
    def test_entity_and_organisations(
        self, entities: set[str], headers: tuple[tuple[str, str], ...], expected: str
    ) -> None:
        """ACC-2, ACC-3; a header that comes twice names nothing."""
        made = evolve(submission(*headers), caller=evolve(CALLER, entities=frozenset(entities)))
        assert name(made) == expected

    def test_the_scope_is_what_was_asked_for(self) -> None:
        """Names of headers in any case."""
        scope = admitted(submission(("zuora-ENTITY-ids", "e"), ("ZUORA-ORG-IDS", "north, north"))).scope
        assert (scope.tenant, scope.entity, scope.orgs) == ("t", "e", frozenset({"north"}))
        assert scope.requested_orgs == frozenset({"north"})
        assert admitted(submission()).scope.orgs == CALLER.orgs

    def test_a_limit_that_is_used_up(self) -> None:
        """With the time to wait."""
        found = refused(evolve(submission(), retry_after=3))
        assert found.name == "LimitExceeded"
        assert "3 s" in found.message


class TestHeaders:
    """Rank 6, and what is returned of them."""

    @pytest.mark.parametrize("key", ["a", "x" * 255, "!~", "K-ü".encode().hex()])
    def test_an_idempotency_key(self, key: str) -> None:
        """IDM-9: opaque, 1 to 255 visible ASCII characters."""
        assert admitted(submission(("idempotency-key", key))).idempotency_key == key

    @pytest.mark.parametrize("key", ["", "x" * 256, "a b", "ü", "a\tb", "\x7f"])
    def test_a_key_that_is_none(self, key: str) -> None:
        """REQ-8, IDM-9."""
        assert name(submission(("Idempotency-Key", key))) == "InvalidHeader"

    @pytest.mark.parametrize("track", ["", "job 7", "x" * 64, "<a>=?@[]{}|~!#$%&()*+,-./0"])
    def test_a_track_id_is_returned_unchanged(self, track: str) -> None:
        """REQ-9."""
        assert admitted(submission(("Zuora-Track-Id", track))).track_id == track

    @pytest.mark.parametrize("track", ["a:b", "a;b", 'a"b', "a'b", "x" * 65, "ü", "a\nb", "a\x7f", "\x00"])
    def test_a_track_id_that_is_none_is_not_returned(self, track: str) -> None:
        """REQ-9."""
        made = submission(("Zuora-Track-Id", track))
        assert name(made) == "InvalidHeader"
        assert track_id_of(made.headers) is None

    @pytest.mark.parametrize("header", ["Idempotency-Key", "Zuora-Track-Id"])
    def test_each_comes_once(self, header: str) -> None:
        """Twice, even the same, is refused."""
        made = submission((header, "a"), (header.upper(), "a"))
        assert name(made) == "InvalidHeader"
        assert track_id_of(made.headers) is None

    def test_a_track_id_is_returned_with_refusals_too(self) -> None:
        """REQ-9: as long as it is valid, whatever else is wrong."""
        made = evolve(submission(("ZUORA-TRACK-ID", "job 7")), caller=None)
        assert refused(made).rank == 1
        assert track_id_of(made.headers) == "job 7"

    def test_other_headers_pass(self) -> None:
        """REQ-6: the SDK sends Zuora-Version, twice for all we care."""
        admitted(submission(("Zuora-Version", "2026-01-01"), ("X", ""), ("X", ""), ("Ü", "")))
        assert admitted(submission()).idempotency_key is None
        assert admitted(submission()).track_id is None

    def test_a_name_that_only_looks_like_one_is_another(self) -> None:
        """The Kelvin sign folds to k; header names are ASCII."""
        assert admitted(submission(("Idempotency-\u212aey", "a b"))).idempotency_key is None


class TestTheBody:
    """Rank 7."""

    body = b'{"type": "Invoice", "id": "inv1"}'

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b" ",
            b"[]",
            b'"Invoice"',
            b"null",
            b"{",
            b"type=Invoice",
            b'{"type": "Invoice", "id": "inv1"} {}',
            b'{"type": "Invoice", "type": "Invoice"}',
            b'{"id": "\xff"}',
            b'{"id": "\\ud800"}',
            b'{"id": "\\u0000"}',
            b'{"id": NaN}',
            b'{"id": 1e999999}',
            b'{"id": ' + b"1" * 65 + b"}",
            b'{"id": ' + b"[" * 40 + b"]" * 40 + b"}",
            b"\xef\xbb\xbf{}",
            "{}".encode("utf-16"),
            gzip.compress(b"{}", mtime=0),
        ],
    )
    def test_what_is_not_one_strict_json_object(self, body: bytes) -> None:
        """REQ-14; gzip that isn't announced is no JSON either."""
        assert name(evolve(submission(), body=body)) == "UnreadableBody"

    def test_gzip_is_inflated(self) -> None:
        """REQ-10."""
        assert admitted(evolve(submission(GZIP), body=gzip.compress(self.body, mtime=0))).request.id == "inv1"
        admitted(evolve(submission(("Content-Encoding", "GZIP")), body=gzip.compress(self.body, mtime=0)))
        admitted(submission(("Content-Encoding", "identity")))

    def test_plain_json_that_is_announced_as_gzip(self) -> None:
        """REQ-13: the official SDK sends exactly that."""
        assert admitted(submission(GZIP)).request.id == "inv1"

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"\x1f\x8b",
            gzip.compress(body, mtime=0)[:-1],
            gzip.compress(body, mtime=0)[:-9],
            gzip.compress(body, mtime=0)[:-4] + b"\0\0\0\0",
            gzip.compress(body, mtime=0) + b" ",
            gzip.compress(body, mtime=0) + gzip.compress(b" ", mtime=0),
            zlib.compress(body),
            gzip.compress(gzip.compress(body, mtime=0), mtime=0),
            gzip.compress(b"{", mtime=0),
            gzip.compress(b" " * (MAX_BODY_BYTES + 1), mtime=0),
            gzip.compress(bytes(30_000_000), mtime=0),
        ],
    )
    def test_anything_else_that_is_announced_as_gzip(self, body: bytes) -> None:
        """REQ-13: one complete member within the limit."""
        assert name(evolve(submission(GZIP), body=body)) == "UnreadableBody"

    def test_the_limit_itself_is_within_it(self) -> None:
        """Inflated bytes count as raw ones do."""
        exactly = self.body + b" " * (MAX_BODY_BYTES - len(self.body))
        admitted(evolve(submission(GZIP), body=gzip.compress(exactly, mtime=0)))
        admitted(evolve(submission(), body=exactly))

    def test_no_value_of_the_callers_is_in_a_message(self) -> None:
        """Names may be, escaped and cut."""
        for body in (b'{"id": "canary"', b'canary {"id": 1}', b'{"id": "canary", "id": "canary"}', b'["canary"]'):
            assert "canary" not in refused(evolve(submission(), body=body)).message


class TestTheQuery:
    """Ranks 8 and 9."""

    @pytest.mark.parametrize(
        ("query", "flags"),
        [
            ((), (False, False)),
            ((("onlyReSend", "true"),), (True, False)),
            ((("reMigrate", "True"),), (False, True)),
            ((("reMigrate", "TRUE"), ("onlyReSend", "False")), (False, True)),
            ((("reMigrate", "false"), ("onlyReSend", "fALSE")), (False, False)),
        ],
    )
    def test_flags(self, query: tuple[tuple[str, str], ...], flags: tuple[bool, bool]) -> None:
        """REQ-6: absent is false, any ASCII case."""
        request = admitted(submission(query=query)).request
        assert (request.only_re_send, request.re_migrate) == flags

    @pytest.mark.parametrize(
        "query",
        [
            (("onlyResend", "true"),),
            (("ReMigrate", "true"),),
            (("onlyReSend ", "true"),),
            (("", ""),),
            (("page", "1"),),
            (("onlyReSend", ""),),
            (("onlyReSend", "1"),),
            (("onlyReSend", "yes"),),
            (("onlyReSend", " true"),),
            (("onlyReSend", "true,true"),),
            (("onlyReSend", "\uff54rue"),),
            (("onlyReSend", "true"), ("onlyReSend", "true")),
            (("reMigrate", "false"), ("reMigrate", "true")),
        ],
    )
    def test_what_is_no_flag(self, query: tuple[tuple[str, str], ...]) -> None:
        """REQ-6: a typo must never silently become another operation."""
        assert name(submission(query=query)) == "InvalidParameter"

    @pytest.mark.parametrize("flag", ["onlyReSend", "reMigrate"])
    def test_a_flag_in_the_body(self, flag: str) -> None:
        """REQ-6: whatever its value."""
        for value in (True, "true", None):
            body: dict[str, Any] = {"type": "Invoice", "id": "inv1", flag: value}
            assert name(submission(**body)) == "InvalidParameter"

    def test_both_flags(self) -> None:
        """REQ-5."""
        assert name(submission(query=(("onlyReSend", "true"), ("reMigrate", "true")))) == "ConflictingFlags"

    def test_an_unknown_name_is_escaped_and_cut(self) -> None:
        """Enough to find a typo, too short to smuggle anything out."""
        message = refused(submission(query=(("\x1b" + "x" * 1000, "secret"),))).message
        assert "\x1b" not in message
        assert "secret" not in message
        assert len(message) < 200


class TestTheFields:
    """Ranks 10 to 12."""

    @pytest.mark.parametrize("kind", list(DocumentType))
    def test_a_document_by_id_number_or_both(self, kind: DocumentType) -> None:
        """REQ-2, REQ-4."""
        references: tuple[dict[str, Any], ...] = ({"id": "a"}, {"number": "n"}, {"id": "a", "number": "n"})
        for reference in references:
            request = admitted(submission(type=kind.value, **reference)).request
            assert (request.type, request.id, request.number) == (kind, reference.get("id"), reference.get("number"))

    def test_the_id_by_either_name(self) -> None:
        """REQ-3."""
        assert admitted(submission(type="Invoice", documentId="a")).request.id == "a"
        assert admitted(submission(type="Invoice", documentId="a", id="a")).request.id == "a"
        assert name(submission(type="Invoice", documentId="a", id="b")) == "InvalidField"

    def test_null_is_like_a_field_that_is_not_there(self) -> None:
        """Clients write one or the other."""
        assert admitted(submission(type="Invoice", id="a", number=None, documentId=None)).request.number is None
        assert name(submission(type="Invoice", id=None, number=None)) == "MissingField"
        assert name(submission(type=None, id="a")) == "MissingField"

    @pytest.mark.parametrize("field", ["Type", "documentID", "invoiceId", "", "success"])
    def test_an_unknown_field(self, field: str) -> None:
        """REQ-6: also beside all that is needed."""
        body: dict[str, Any] = {"type": "Invoice", "id": "a", field: None}
        assert name(submission(**body)) == "UnknownField"

    @pytest.mark.parametrize("body", [{"id": "a"}, {"type": "Invoice"}, {"type": 7}])
    def test_a_missing_field(self, body: dict[str, Any]) -> None:
        """REQ-4: the type, or both id and number."""
        assert name(submission(**body)) == "MissingField"

    @pytest.mark.parametrize("kind", ["invoice", "Invoice ", "Order", "", 7, True, [], {}])
    def test_a_type_that_is_none(self, kind: object) -> None:
        """REQ-2: exactly one of four."""
        assert name(submission(type=kind, id="a")) == "InvalidField"

    @pytest.mark.parametrize("value", ["", "  ", "x" * 256, "a\nb", "a\x85", 7, 1.5, True, [], {}])
    @pytest.mark.parametrize("field", ["id", "documentId", "number"])
    def test_a_reference_that_is_none(self, field: str, value: object) -> None:
        """REQ-7."""
        made: dict[str, Any] = {"type": "Invoice", "id": "a", field: value}
        assert name(submission(**made)) == "InvalidField"

    @pytest.mark.parametrize(
        ("value", "kind"), [(7, "a number"), (1.5, "a number"), (True, "a boolean"), ([], "a list"), ({}, "an object")]
    )
    def test_a_reference_that_is_no_text_is_told_in_words_of_json(self, value: object, kind: str) -> None:
        """A caller knows JSON, and no type of Python's."""
        message = refused(submission(type="Invoice", number=value)).message
        assert f"number is {kind}, not a text; expected 1 to 255 characters" in message

    @pytest.mark.parametrize("value", [" a ", "A", "e\u0301", "\u00e9", "x" * 255, "😀"])
    def test_a_reference_is_taken_as_it_is(self, value: str) -> None:
        """REQ-7: no trimming, no folding, no normalising."""
        assert admitted(submission(type="Invoice", id=value)).request.id == value


def document(name: str, *items: BillingItem, status: str = "Posted", org: str = "north") -> BillingDocument:
    key = DocumentKey(tenant="t", entity="e", type=DocumentType.INVOICE, id=name)
    return BillingDocument(
        DocumentHeader(key=key, number=f"N-{name}", status=status, date=date(2026, 1, 31), currency="EUR", org=org),
        items,
    )


UNMAPPED = BillingItem(id="i1", amount=Decimal(1))
MAPPED = BillingItem(id="i2", amount=Decimal(1), source=ItemSource.SUBSCRIPTION)


def stored(*documents: BillingDocument) -> TransactionStore:
    store = TransactionStore()
    for each in documents:
        loaded = store.load(each)
        assert isinstance(loaded, Loaded)
        store = loaded.store
    return store


def answered(made: Submission, store: TransactionStore) -> Refusal | Regeneration:
    """The whole operation, without the key: admit, find, decide."""
    found = admit(made)
    if not isinstance(found, Admitted):
        return found
    asked = store.find(found.scope, found.request)
    if not isinstance(asked, StoredDocument):
        return asked
    return decide(asked.document, asked.transactions, found.request)


Step = Callable[[Submission], Submission]


def with_header(name: str, *values: str) -> Step:
    """The submission with a header changed, or without it."""

    def mended(made: Submission) -> Submission:
        others = [pair for pair in made.headers if pair[0].lower() != name.lower()]
        return evolve(made, headers=(*others, *((name, value) for value in values)))

    return mended


def with_body(text: bytes) -> Step:
    return lambda made: evolve(made, body=gzip.compress(text, mtime=0))


def of_document(name: str, number: str, *flags: tuple[str, str]) -> Step:
    body = json.dumps({"type": "Invoice", "id": name, "number": number}).encode()
    return lambda made: evolve(made, body=gzip.compress(body, mtime=0), query=flags)


def by_caller(**fields: Any) -> Step:
    return lambda made: evolve(made, caller=evolve(CALLER, **fields))


SEVERAL = frozenset({"e", "f"})

LADDER: tuple[tuple[str, int, Step], ...] = (
    ("UnknownPath", 0, lambda made: evolve(made, path=Submission(body=b"", caller=None).path)),
    ("MethodNotAllowed", 0, lambda made: evolve(made, method="POST")),
    ("PayloadTooLarge", 0, with_body(b"canary")),
    ("UnsupportedEncoding", 0, with_header("Content-Type", "application/json")),
    ("UnsupportedEncoding", 0, with_header("Content-Encoding", "gzip")),
    ("Unauthenticated", 1, by_caller(entities=SEVERAL, permissions=frozenset())),
    ("PermissionDenied", 2, by_caller(entities=SEVERAL)),
    ("EntityRequired", 3, with_header("Zuora-Entity-Ids", "g")),
    ("EntityNotAccessible", 3, with_header("Zuora-Entity-Ids", "e")),
    ("OrgNotAccessible", 4, with_header("Zuora-Org-Ids", "north")),
    ("LimitExceeded", 5, lambda made: evolve(made, retry_after=None)),
    ("InvalidHeader", 6, with_header("Idempotency-Key", "key-1")),
    ("InvalidHeader", 6, with_header("Zuora-Track-Id", "job 7")),
    ("UnreadableBody", 7, with_body(b'{"reMigrate": true, "typ": "Invoice"}')),
    ("InvalidParameter", 8, lambda made: evolve(made, query=(("onlyReSend", "TRUE"), ("reMigrate", "True")))),
    ("InvalidParameter", 8, with_body(b'{"typ": "Invoice"}')),
    ("ConflictingFlags", 9, lambda made: evolve(made, query=(("onlyReSend", "true"),))),
    ("UnknownField", 10, with_body(b'{"id": "bare", "documentId": "draft"}')),
    ("MissingField", 11, with_body(b'{"type": "Order", "id": "bare", "documentId": "draft"}')),
    ("InvalidField", 12, with_body(b'{"type": "Invoice", "id": "bare", "documentId": "draft"}')),
    ("InvalidField", 12, of_document("bare", "N-foreign")),
    ("DocumentNotFound", 15, of_document("bare", "N-draft")),
    ("DocumentReferenceMismatch", 16, of_document("draft", "N-draft")),
    ("DocumentNotPosted", 17, of_document("unmapped", "N-unmapped")),
    ("UnmappableItem", 18, of_document("bare", "N-bare", ("onlyReSend", "true"))),
    ("NothingToResend", 19, of_document("mapped", "N-mapped")),
)
"""Each refusal in its order, and the step that mends its fault and no later one."""


def test_the_ladder_is_walked_rung_by_rung() -> None:
    """PRE-1: of several faults the first in the order is told; with all mended, the request succeeds."""
    store = stored(
        document("bare", UNMAPPED),
        document("draft", evolve(UNMAPPED, id="d1"), status="Draft"),
        document("unmapped", evolve(UNMAPPED, id="u1")),
        document("mapped", MAPPED),
        document("foreign", evolve(MAPPED, id="f1"), org="south"),
    )
    made = Submission(
        method="GET",
        path="/v1",
        query=(("onlyResend", "true"), ("onlyReSend", "true"), ("reMigrate", "true")),
        headers=(
            ("Content-Type", "text/plain"),
            ("Content-Encoding", "br"),
            ("Zuora-Org-Ids", "west"),
            ("Idempotency-Key", "a b"),
            ("Zuora-Track-Id", "a:b"),
        ),
        body=bytes(MAX_BODY_BYTES + 1),
        caller=None,
        retry_after=1,
    )
    ranks = []
    for expected, rank, mend in LADDER:
        found = answered(made, store)
        assert not isinstance(found, Regeneration)
        assert (found.name, found.rank) == (expected, rank)
        ranks.append(rank)
        made = mend(made)
    assert ranks == sorted(ranks)
    done = answered(made, store)
    assert isinstance(done, Regeneration)
    assert done.request == RegenerateRequest(type=DocumentType.INVOICE, id="mapped", number="N-mapped")
    assert json.loads(success_body(done.id_list)) == {"success": True, "idList": list(done.id_list)}


def test_every_refusal_has_an_error_body() -> None:
    """One reason with an integer code, whatever is in the message."""
    found = refused(submission(query=(('"\\\u2028é', "true"),)))
    body = json.loads(error_body(found, process_id="p" * 16, request_id="r" * 36))
    assert body == {
        "success": False,
        "processId": "p" * 16,
        "requestId": "r" * 36,
        "reasons": [{"code": 50000027, "message": found.message}],
    }
