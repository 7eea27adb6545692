"""What Zuora's SDK can't say: onlyReSend, the field's older name, bodies that are compressed, replays to the byte."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from tests.http_attacks.variants import start
from tests.served.documents import DRAFT, LONG, PLAIN, UNSENT
from tests.served.process import OPERATION, Service, served
from tests.served.wire import PATIENCE

ASKED: Final = {"type": "Invoice", "id": PLAIN["id"]}


def client_of(service: Service) -> httpx.Client:
    """An independent client with a token."""
    return httpx.Client(base_url=service.url, headers={"Authorization": f"Bearer {service.token}"}, timeout=PATIENCE)


@pytest.fixture
def client(service: Service) -> Iterator[httpx.Client]:
    """A client of the service as it comes."""
    with client_of(service) as made:
        yield made


def post(client: httpx.Client, body: Mapping[str, Any], headers: Mapping[str, str] | None = None, **flags: Any) -> Any:
    """Ask the operation."""
    return client.post(OPERATION, json=dict(body), headers=headers, params=flags)


def test_the_older_name_of_the_field(client: httpx.Client) -> None:
    """REQ-3."""
    older = post(client, {"type": "Invoice", "documentId": PLAIN["id"]})
    assert older.json() == post(client, ASKED).json()
    assert post(client, {**ASKED, "documentId": PLAIN["id"]}).status_code == 200
    assert post(client, {**ASKED, "documentId": "another"}).status_code == 400


def test_resending(client: httpx.Client, service: Service) -> None:
    """Nothing stored is refused, and stays nothing; what is stored is sent and stays as it is (TBL-M3, ELI-2)."""
    unsent = {"type": "Invoice", "id": UNSENT["id"]}
    refused = post(client, unsent, onlyReSend="true")
    assert (refused.status_code, refused.json()["reasons"][0]["code"]) == (400, 50000030)
    assert not service.has_generated(UNSENT)
    assert post(client, ASKED).status_code == 200
    before = service.revisions(PLAIN)
    sent = post(client, ASKED, onlyReSend="True")
    assert len(sent.json()["idList"]) == 2
    assert service.revisions(PLAIN) == before
    assert post(client, ASKED, onlyReSend="true", reMigrate="true").status_code == 400


@pytest.mark.parametrize(
    ("name", "body", "status"),
    [
        ("success", ASKED, 200),
        ("draft", {"type": "Invoice", "id": DRAFT["id"]}, 400),
        ("none", {**ASKED, "id": "a"}, 404),
    ],
)
def test_a_replay_is_equal_to_the_byte(
    client: httpx.Client, service: Service, name: str, body: dict[str, str], status: int
) -> None:
    """IDM-1, IDM-8: the status and the bytes, the saved requestId among them; other headers are fresh."""
    key = {"Idempotency-Key": f"replay-{name}", "Zuora-Track-Id": "first"}
    first = post(client, body, key, reMigrate="true")
    before = service.revisions(PLAIN)
    again = post(client, dict(reversed(body.items())), {**key, "Zuora-Track-Id": "second"}, reMigrate="TRUE")
    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert first.status_code == status
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert (first.headers["zuora-track-id"], again.headers["zuora-track-id"]) == ("first", "second")
    assert first.headers["zuora-request-id"] != again.headers["zuora-request-id"]
    assert service.revisions(PLAIN) == before
    assert post(client, body, key).status_code == 422


def test_gzip_both_ways(client: httpx.Client) -> None:
    """REQ-10, REQ-13. httpx inflates by itself, so the length on the wire is looked at."""
    body = gzip.compress(b'{"type":"Invoice","id":"%b"}' % LONG["id"].encode())
    sent = client.post(OPERATION, content=body, headers={"Content-Encoding": "gzip", "Accept-Encoding": "gzip"})
    assert (sent.status_code, sent.headers["content-encoding"]) == (200, "gzip")
    assert int(sent.headers["content-length"]) < len(sent.content)
    assert len(sent.json()["idList"]) == 40
    plain = post(client, {"type": "Invoice", "id": LONG["id"]}, {"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == sent.content
    assert "content-encoding" not in post(client, ASKED, {"Accept-Encoding": "gzip"}).headers, "it is short"


def test_a_compressed_replay_is_the_same_answer(client: httpx.Client) -> None:
    """The bytes before compression are saved, so each request is compressed as it asks (IDM-1)."""
    asked, key = {"type": "Invoice", "id": LONG["id"]}, {"Idempotency-Key": "compressed"}
    first = post(client, asked, {**key, "Accept-Encoding": "gzip"})
    again = post(client, asked, {**key, "Accept-Encoding": "identity"})
    assert (first.headers["content-encoding"], again.headers["idempotent-replayed"]) == ("gzip", "true")
    assert first.content == again.content


Answers = tuple[list[httpx.Response], list[httpx.Response]]


def two_at_once(service: Service, asked: Mapping[str, str], key: str, *, seconds: float = 8.0) -> Answers:
    """Two requests under one key: what came while neither could be done, and what came afterwards.

    The first answer is waited for; ``seconds`` is less than the store's patience.
    """
    headers = {"Idempotency-Key": key}
    with ThreadPoolExecutor(2) as pool, client_of(service) as one, client_of(service) as other:
        with service.locked():
            calls = [pool.submit(post, one, ASKED, headers), pool.submit(post, other, asked, headers)]
            done, waiting = wait(calls, timeout=seconds, return_when=FIRST_COMPLETED)
        return [call.result() for call in done], [call.result() for call in waiting]


@pytest.mark.parametrize("asked", [ASKED, {"type": "Invoice", "id": LONG["id"]}], ids=["the same", "another"])
def test_one_of_two_hears_at_once_that_the_other_is_running(service: Service, asked: dict[str, str]) -> None:
    """IDM-3: whatever it asks for under that key."""
    (second,), (first,) = two_at_once(service, asked, f"running-{asked['id']}")
    assert (second.status_code, second.headers["retry-after"]) == (409, "1")
    assert second.json()["reasons"][0]["code"] == 50000050
    assert first.status_code == 200


def test_control_where_keys_wait_for_the_store_it_is_noticed(tmp_path: Path) -> None:
    with served(tmp_path, start=start("keys wait for the store")) as service:
        at_once, later = two_at_once(service, ASKED, "waiting", seconds=2.0)
    assert at_once == []
    assert 200 in {answer.status_code for answer in later} <= {200, 409}
