"""The operation over HTTP: what goes in by the rules of the request comes out in Zuora's shape."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from regen_core.access import Scope
from regen_core.idempotency import OPERATION_PATH
from tests.http.conftest import Served, invoice

ALL = Scope(tenant="t1", entity="e1", orgs=None)
UNKNOWN = "unknown"
"""A token that nobody has."""


def reason(answer: Any) -> int:
    """The code of a refusal's only reason."""
    (only,) = answer.json()["reasons"]
    return int(only["code"])


class TestSuccess:
    """REQ-1, REQ-3, TBL-R."""

    @pytest.mark.parametrize("names", [{"id": "inv1"}, {"documentId": "inv1"}, {"number": "INV-1"}])
    def test_a_document_is_named_by_id_or_number(self, service: Served, names: dict[str, str]) -> None:
        """Both names of the id, and the number."""
        answer = service.ask({"type": "Invoice", **names})
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
        stored = [row.transaction.id for row in service.store.transactions(ALL).rows]
        assert answer.json() == {"success": True, "idList": stored}
        assert len(stored) == 2

    @pytest.mark.parametrize("flag", ["reMigrate=True", "reMigrate=true&onlyReSend=FALSE"])
    def test_flags_are_asked_in_the_query(self, service: Served, flag: str) -> None:
        """REQ-6, TBL-M2."""
        service.ask()
        assert service.ask(query=f"?{flag}").status_code == 200
        assert [row.transaction.revision for row in service.store.transactions(ALL).rows] == [2, 2]

    def test_a_gzipped_body_is_read_and_a_plain_one_that_is_announced_so(self, service: Served) -> None:
        """REQ-10, REQ-13."""
        plain = b'{"type": "Invoice", "id": "inv1"}'
        for content in (gzip.compress(plain), plain):
            assert service.ask(content=content, headers={"content-encoding": "gzip"}).status_code == 200

    def test_a_long_answer_is_compressed_for_who_accepts_it(self, service: Served) -> None:
        """REQ-10: over 1000 bytes, and the same bytes once inflated."""
        service.store.load(invoice("2", items=40))
        asked = {"type": "Invoice", "id": "inv2"}
        plain, packed = service.ask(asked), service.ask(asked, headers={"accept-encoding": "gzip"})
        assert (plain.headers.get("content-encoding"), packed.headers["content-encoding"]) == (None, "gzip")
        assert packed.content == plain.content
        assert int(packed.headers["content-length"]) < len(plain.content)
        assert plain.headers["vary"] == packed.headers["vary"] == "accept-encoding"
        assert "content-encoding" not in service.ask(headers={"accept-encoding": "gzip"}).headers


class TestRefusals:
    """PRE-1, PRE-2: the ladder as an HTTP client sees it."""

    @pytest.mark.parametrize(
        ("status", "code", "asked"),
        [
            (415, 50000020, {"headers": {"content-type": "text/plain"}}),
            (415, 50000020, {"headers": {"content-encoding": "br"}}),
            (413, 50000020, {"content": b" " * 65_537}),
            (401, 90000011, {"token": UNKNOWN}),
            (401, 90000011, {"headers": {"authorization": "Basic b25lOnR3bw=="}}),
            (403, 50000010, {"client": "powerless"}),
            (403, 50000010, {"client": "several"}),
            (403, 50000010, {"headers": {"zuora-entity-ids": "e2"}}),
            (403, 50000010, {"headers": {"zuora-org-ids": "north"}}),
            (400, 50000020, {"headers": {"idempotency-key": "a key"}}),
            (400, 50000020, {"headers": {"zuora-track-id": "a:b"}}),
            (400, 50000090, {"content": b"{"}),
            (400, 50000090, {"content": gzip.compress(b" " * 70_000), "headers": {"content-encoding": "gzip"}}),
            (400, 50000027, {"query": "?onlyResend=true"}),
            (400, 50000027, {"query": "?onlyReSend"}),
            (400, 50000027, {"query": "?reMigrate=true&reMigrate=true"}),
            (400, 50000027, {"query": "?reMigrate=%FF"}),
            (400, 50000027, {"query": "?reMigrate=true&onlyReSend=true"}),
            (400, 50000021, {"body": {"type": "Invoice", "id": "inv1", "ID": "inv1"}}),
            (400, 50000022, {"body": {"type": "Invoice"}}),
            (400, 50000020, {"body": {"type": "invoice", "id": "inv1"}}),
            (404, 50000040, {"body": {"type": "Invoice", "id": "INV1"}}),
            (404, 50000040, {"body": {"type": "CreditMemo", "id": "inv1"}}),
            (404, 50000040, {"client": "two"}),
            (400, 50000030, {"query": "?onlyReSend=true"}),
        ],
    )
    def test_each_fault_has_its_status_and_code(
        self, service: Served, status: int, code: int, asked: dict[str, Any]
    ) -> None:
        """In the error body, as an integer, and nothing is stored (PRE-4)."""
        answer = service.ask(**asked)
        assert (answer.status_code, reason(answer)) == (status, code)
        body = answer.json()
        assert body["success"] is False
        assert body["requestId"] == answer.headers["zuora-request-id"]
        assert len(body["requestId"]) == 36
        assert service.store.transactions(ALL).rows == ()

    def test_who_is_not_authenticated_hears_it_where_the_sdk_looks(self, service: Served) -> None:
        """REQ-11: ``message`` beside the reasons, and a challenge; nobody else has it."""
        answer = service.ask(token=UNKNOWN)
        assert answer.json()["message"] == answer.json()["reasons"][0]["message"]
        assert answer.headers["www-authenticate"] == "Bearer"
        assert "message" not in service.ask({"type": "Invoice"}).json()

    def test_an_expired_token_is_no_token(self, service: Served) -> None:
        """REQ-11: after an hour, and with the same answer."""
        token = service.login()
        service.now[0] = 3599.0
        assert service.ask(token=token).status_code == 200
        service.now[0] = 3600.0
        late, never = service.ask(token=token), service.ask(token=UNKNOWN)
        assert late.status_code == never.status_code == 401
        assert late.json()["reasons"] == never.json()["reasons"]

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "PATCH"])
    def test_another_method(self, service: Served, method: str) -> None:
        """405 with ``Allow``."""
        answer = service.http.request(method, OPERATION_PATH)
        assert (answer.status_code, answer.headers["allow"], reason(answer)) == (405, "POST", 50000045)

    @pytest.mark.parametrize("slash", ["%2F", "%2f"])
    def test_an_encoded_slash_separates_nothing(self, service: Served, slash: str) -> None:
        """RFC 3986, 2.2: whoever lets paths through by their segments lets another one through."""
        for path in (
            "/v1%2Funo-regenerate/billing-transaction",
            "/v1/uno-regenerate%2Fbilling-transaction",
            "/oauth%2Ftoken",
        ):
            answer = service.http.post(path.replace("%2F", slash))
            assert (answer.status_code, reason(answer)) == (404, 50000040)
        hyphen = OPERATION_PATH.replace("-", "%2D")
        assert service.http.post(hyphen).status_code == 401, "an encoded hyphen is a hyphen (RFC 3986, 6.2.2.2)"

    @pytest.mark.parametrize(
        ("header", "status"),
        [("idempotency-key", 400), ("zuora-track-id", 400), ("authorization", 401), ("content-type", 415)],
    )
    def test_a_header_twice_is_never_chosen_from(self, service: Served, header: str, status: int) -> None:
        """The ladder says what it is; equal values make no difference."""
        told = {"authorization": f"Bearer {service.login()}", "content-type": "application/json"}
        pairs = [*{header: "k", **told}.items(), (header, told.get(header, "k"))]
        answer = service.http.post(OPERATION_PATH, content=b'{"type": "Invoice", "id": "inv1"}', headers=pairs)
        assert answer.status_code == status

    def test_a_body_that_is_cut_off_anywhere_is_refused(self, service: Served) -> None:
        """And answered."""
        token, whole = service.login(), json.dumps({"type": "Invoice", "id": "inv1"}).encode()
        for length in range(len(whole)):
            assert reason(service.ask(token=token, content=whole[:length])) == 50000090


class TestTrackId:
    """REQ-9."""

    def test_a_valid_one_comes_back_with_errors_too(self, service: Served) -> None:
        """As it was sent, whatever answers."""
        told = {"zuora-track-id": "job 7"}
        answers = [service.ask(headers=told), service.ask({"type": "Invoice"}, headers=told)]
        answers += [service.ask(token=UNKNOWN, headers=told), service.http.get("/nowhere", headers=told)]
        assert [answer.headers["zuora-track-id"] for answer in answers] == ["job 7"] * 4

    @pytest.mark.parametrize("value", ["a;b", "x" * 65, "a\tb", 'a"b'])
    def test_an_invalid_one_does_not(self, service: Served, value: str) -> None:
        """Nor does one that wasn't sent."""
        assert "zuora-track-id" not in service.ask(headers={"zuora-track-id": value}).headers
        assert "zuora-track-id" not in service.ask().headers
