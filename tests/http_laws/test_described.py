"""The service is what its OpenAPI document says: each status on purpose, and whatever schemathesis thinks of."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from attrs import evolve
from openapi_spec_validator import OpenAPIV31SpecValidator

from regen_core.access import Caller
from regen_core.adapters.http.execution import Outcome, Overloaded, Work
from regen_core.adapters.http.limits import Quotas, Window
from regen_core.adapters.memory import MemoryStore
from regen_core.ports import StoreFault
from regen_core.refusals import ConcurrentModification, IdempotencyKeyInProgress
from regen_core.testing.edits import SLOTS, initial
from regen_core.wire.answers import AnswerStyle
from tests.http_laws.calling import Heard, InProcess, Sent
from tests.http_laws.described import DESCRIPTION, undescribed
from tests.http_laws.serving import AtOnce, Running

CALLER = Caller(tenant="t1", client="c1", entities=frozenset({"e1"}), orgs=frozenset({"north"}))
BODY = b'{"type":"Invoice","id":"d1"}'


def test_the_description_is_valid() -> None:
    """OpenAPI 3.1."""
    OpenAPIV31SpecValidator(DESCRIPTION).validate()


class _Answers:
    """An executor that a store would let answer so at another moment."""

    def __init__(self, outcome: Outcome | Exception) -> None:
        self._outcome = outcome

    async def submit(self, work: Work) -> Outcome:
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return self._outcome


@pytest.fixture(name="loop")
def _loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


class Place:
    """A service on a store with two invoices, called by one who may, unless a test says otherwise."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop, self.store = loop, MemoryStore()
        self.store.load_all([initial(key) for key in SLOTS[:2]])

    def heard(self, sent: Sent, service: Running | None = None, caller: Caller | None = CALLER) -> Heard:
        """The answer, which is as described."""
        running = Running(AtOnce(self.store), ready_if=self.store) if service is None else service
        if caller is not None:
            token = running.token_of(caller).encode()
            sent = evolve(sent, headers=(*sent.headers, (b"authorization", b"Bearer " + token)))
        heard = InProcess(running.app, self.loop)(sent)
        assert undescribed(sent, heard) == []
        return heard


@pytest.fixture(name="place")
def _place(loop: asyncio.AbstractEventLoop) -> Place:
    return Place(loop)


def header(name: str, value: str) -> Sent:
    """A request with one header."""
    return Sent(headers=((name.encode(), value.encode()),), parts=(BODY,))


FAULTY: dict[str, tuple[int, Sent]] = {
    "nothing to hear": (400, Sent(query=b"onlyReSend=true", parts=(BODY,))),
    "both flags": (400, Sent(query=b"onlyReSend=true&reMigrate=true", parts=(BODY,))),
    "a key with a space": (400, header("idempotency-key", "a b")),
    "no JSON": (400, Sent(parts=(b"{",))),
    "a foreign organisation": (403, header("zuora-org-ids", "south")),
    "a foreign entity": (403, header("zuora-entity-ids", "e2")),
    "no such document": (404, Sent(parts=(BODY.replace(b"d1", b"d9"),))),
    "no such path": (404, Sent(path="/v1/uno-regenerate", parts=(BODY,))),
    "GET": (405, Sent(method="GET")),
    "GET of a token": (405, Sent(method="GET", path="/oauth/token")),
    "POST of the description": (405, Sent(method="POST", path="/openapi.json")),
    "too long": (413, Sent(parts=(b" " * 40_000, b" " * 40_000))),
    "plain text": (415, header("content-type", "text/plain")),
    "an unknown compression": (415, header("content-encoding", "br")),
    "a form of nobody": (
        401,
        Sent(
            path="/oauth/token",
            headers=((b"content-type", b"application/x-www-form-urlencoded"),),
            parts=(b"grant_type=client_credentials",),
        ),
    ),
    "no form": (400, Sent(path="/oauth/token", parts=(BODY,))),
    "done": (200, Sent(parts=(BODY,))),
    "the description": (200, Sent(method="GET", path="/openapi.json")),
    "alive": (200, Sent(method="GET", path="/healthz")),
    "alive, in headers": (200, Sent(method="HEAD", path="/healthz")),
    "ready": (200, Sent(method="GET", path="/readyz")),
}


@pytest.mark.parametrize("name", FAULTY)
def test_an_answer_is_as_described(place: Place, name: str) -> None:
    """Each status with a request that earns it."""
    status, sent = FAULTY[name]
    assert place.heard(sent).status == status


def test_nobody_is_told_so(place: Place) -> None:
    """401: one answer for every cause (REQ-11)."""
    told = {
        place.heard(sent, caller=None).body[-200:]
        for sent in (Sent(parts=(BODY,)), header("authorization", "Bearer x"), header("authorization", "Basic eDp5"))
    }
    assert len(told) == 1


def test_who_may_not_is_told_so(place: Place) -> None:
    """403 without the permission (ACC-1)."""
    assert place.heard(Sent(parts=(BODY,)), caller=evolve(CALLER, permissions=frozenset())).status == 403


def test_a_reused_key_and_replays(place: Place) -> None:
    """422 (IDM-4); a replay with its header (IDM-8), as 409 where it is configured so (IDM-1)."""
    keyed = header("idempotency-key", "k")
    assert place.heard(keyed).status == 200
    assert place.heard(keyed).header("idempotent-replayed") == "true"
    as_conflict = Running(AtOnce(place.store), style=AnswerStyle(replays_are_conflicts=True))
    assert place.heard(keyed, as_conflict).status == 409
    assert place.heard(evolve(keyed, query=b"reMigrate=true")).status == 422


def test_a_business_failure_may_be_ok(place: Place) -> None:
    """200 with ``success: false`` where it is configured so (PRE-3)."""
    style = Running(AtOnce(place.store), style=AnswerStyle(business_failures_are_ok=True))
    heard = place.heard(FAULTY["no such document"][1], style)
    assert (heard.status, heard.json["success"]) == (200, False)


@pytest.mark.parametrize("quotas", [Quotas(concurrent=0), Quotas(requests=(Window(60, 1),))], ids=["entity", "tenant"])
def test_one_too_many_is_told_so(place: Place, quotas: Quotas) -> None:
    """429 with ``Retry-After`` (REQ-12)."""
    service = Running(AtOnce(place.store), quotas)
    heard = [place.heard(Sent(parts=(BODY,)), service) for _ in range(2)][-1]
    assert heard.status == 429
    assert heard.header("retry-after")


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (IdempotencyKeyInProgress(), 409),
        (ConcurrentModification(), 409),
        (Overloaded(), 503),
        (StoreFault("/var/lib/secret.db is full"), 503),
        (RuntimeError("SELECT secret"), 500),
    ],
    ids=repr,
)
def test_what_a_store_may_answer_otherwise(place: Place, outcome: Outcome | Exception, status: int) -> None:
    """409, 500 and 503; faults don't say what they are."""
    heard = place.heard(Sent(parts=(BODY,)), Running(_Answers(outcome)))
    assert heard.status == status
    assert b"secret" not in heard.body


def test_a_long_answer_is_compressed_for_who_accepts_it(place: Place) -> None:
    """REQ-10: the description is long."""
    sent = Sent(method="GET", path="/openapi.json", headers=((b"accept-encoding", b"gzip"),))
    assert place.heard(sent).json == DESCRIPTION
    assert place.heard(sent).header("content-encoding") == "gzip"


def test_control_an_answer_that_is_not_as_described_is_noticed() -> None:
    """A field too many, a header too many, a status that nobody described, a header that is missing."""
    sent, ids = Sent(parts=(BODY,)), (("zuora-request-id", "x" * 36), ("content-type", "application/json"))
    good = Heard(200, ids, b'{"success":true,"idList":[]}')
    assert undescribed(sent, good) == []
    assert undescribed(sent, Heard(200, ids, b'{"success":true,"idList":[],"id":1}'))
    assert undescribed(sent, Heard(200, (*ids, ("x-powered-by", "us")), good.body))
    assert undescribed(sent, Heard(201, ids, good.body))
    assert undescribed(sent, Heard(200, ids[1:], good.body))
    assert undescribed(sent, Heard(200, (ids[0], ("content-type", "text/html")), good.body))
