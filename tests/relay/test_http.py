"""Deliveries over real connections on this machine, to a receiver that fails in every way that receivers fail."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import httpcore
import pytest
import trustme

from regen_core.adapters.memory import MemoryStore
from regen_core.adapters.revenue import http_sink
from regen_core.adapters.revenue.destination import destination_of
from regen_core.adapters.revenue.http_sink import HttpSink, idempotency_key
from regen_core.adapters.revenue.relay import Relay, Tally, Until
from regen_core.adapters.revenue.sink import part_of
from regen_core.attempts import Answer, Failed, Refused, Taken
from regen_core.revenue import RevenueLedger, collect_all
from regen_core.statuses import Concern
from tests.relay.conftest import ALL, FakeWorld
from tests.relay.receiver import Behaviour, Receiver, answers, cuts, cuts_body, drips, floods, hangs, refuses

Fill = Callable[..., list[str]]
AUTHORITY = trustme.CA()
"""Signs a certificate for 127.0.0.1 in this run's memory; nobody else trusts it."""

SHORT = timedelta(seconds=0.5)
"""Patience where an answer is not to come in time; elsewhere a busy machine gets the usual half a minute."""


def trusting() -> ssl.SSLContext:
    """A client's context that trusts the authority of this run."""
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    return context


def sink_to(url: str, token: str | None = None, **given: Any) -> HttpSink:
    """A sink for an address."""
    return HttpSink(destination_of(url, token), **given)


@pytest.fixture
def sink(receiver: Receiver) -> Iterator[HttpSink]:
    """An open sink to the receiver."""
    with sink_to(receiver.url) as opened:
        yield opened


@pytest.fixture
def send(memory: MemoryStore, fill: Fill, sink: HttpSink) -> Callable[[], Answer]:
    """Sends one delivery over the sink."""
    fill(memory, 1)
    return lambda: sink.send(part_of(memory.pending(ALL, 1)))


@pytest.fixture
def send_impatiently(memory: MemoryStore, fill: Fill, receiver: Receiver) -> Iterator[Callable[[], Answer]]:
    """Sends one delivery and waits for a moment only."""
    fill(memory, 1)
    with sink_to(receiver.url, patience=SHORT) as sink:
        yield lambda: sink.send(part_of(memory.pending(ALL, 1)))


class TestExchange:
    """What is sent, and what comes back as an answer."""

    def test_a_request_is_lines_of_deliveries_with_a_key(
        self, memory: MemoryStore, fill: Fill, sink: HttpSink, receiver: Receiver
    ) -> None:
        """POST to the path, newline-delimited JSON, nothing of a browser."""
        sent = fill(memory, 3)
        part = part_of(memory.pending(ALL, 3))
        assert sink.send(part) == Taken()
        (request,) = receiver.requests
        assert (request.method, request.path, request.ids) == ("POST", "/deliveries", sent)
        assert request.headers["content-type"] == "application/x-ndjson"
        assert request.headers["idempotency-key"] == idempotency_key(part)
        assert request.headers["host"] == f"127.0.0.1:{receiver.port}"
        assert not {"authorization", "cookie", "accept-encoding", "referer"} & set(request.headers)

    def test_the_key_is_stable_over_retries_and_different_otherwise(self, memory: MemoryStore, fill: Fill) -> None:
        """One delivery's key is its id; a batch's is as long as keys may be, and visible ASCII."""
        sent = fill(memory, 3)
        entries = memory.pending(ALL, 3)
        memory.claim(ALL, 3, timedelta(0))
        again = memory.pending(ALL, 3)
        assert [idempotency_key(part_of([entry])) for entry in again] == sent
        assert idempotency_key(part_of(again)) == idempotency_key(part_of(entries))
        assert idempotency_key(part_of(entries[:2])) != idempotency_key(part_of(entries[1:]))

    def test_one_connection_serves_many_requests(
        self, send: Callable[[], Answer], receiver: Receiver, sink: HttpSink
    ) -> None:
        """It is kept."""
        for _ in range(3):
            assert send() == Taken()
        assert len(sink._pool.connections) == 1
        assert len(receiver.requests) == 3

    @pytest.mark.parametrize("status", [200, 201, 202, 204])
    def test_taken(self, send: Callable[[], Answer], receiver: Receiver, status: int) -> None:
        """2xx."""
        receiver.plan(answers(status))
        assert send() == Taken()

    @pytest.mark.parametrize("status", [400, 413, 422])
    def test_refused(self, send: Callable[[], Answer], receiver: Receiver, status: int) -> None:
        """What the receiver writes about it isn't repeated: it may hold anything."""
        receiver.plan(answers(status, body=b"canary-7f3a9"))
        answer = send()
        assert isinstance(answer, Refused)
        assert answer.reason == f"HTTP {status}: the same content would be refused again"

    @pytest.mark.parametrize(("status", "concern"), [(500, Concern.DELIVERY), (503, Concern.DESTINATION)])
    def test_failed(self, send: Callable[[], Answer], receiver: Receiver, status: int, concern: Concern) -> None:
        """With what the receiver asks for."""
        receiver.plan(answers(status, ("Retry-After", "17")))
        answer = send()
        assert isinstance(answer, Failed)
        assert (answer.concern, answer.asked_wait) == (concern, timedelta(seconds=17))

    def test_a_date_in_retry_after_is_seen_from_the_relays_clock(
        self, memory: MemoryStore, fill: Fill, receiver: Receiver, world: FakeWorld
    ) -> None:
        """The world's, which stands at noon."""
        fill(memory, 1)
        receiver.plan(answers(429, ("Retry-After", "Sat, 31 Jan 2026 12:01:00 GMT")))
        with sink_to(receiver.url, now=world.now) as sink:
            answer = sink.send(part_of(memory.pending(ALL, 1)))
        assert isinstance(answer, Failed)
        assert answer.asked_wait == timedelta(minutes=1)

    def test_nobody_listens(self, memory: MemoryStore, fill: Fill) -> None:
        """The address is wrong, or the receiver is down."""
        fill(memory, 1)
        with Receiver() as gone:
            url = gone.url
        with sink_to(url) as sink:
            answer = sink.send(part_of(memory.pending(ALL, 1)))
        assert answer == Failed("the connection was refused", Concern.DESTINATION)

    @pytest.mark.parametrize("behaviour", [cuts(), cuts(takes=True), cuts_body()], ids=["first", "after", "within"])
    def test_a_cut_connection_is_no_answer(
        self, send: Callable[[], Answer], receiver: Receiver, behaviour: Behaviour
    ) -> None:
        """Before the answer or within it; the next request opens a new one."""
        receiver.plan(behaviour)
        answer = send()
        assert isinstance(answer, Failed)
        assert answer.concern is Concern.DELIVERY
        assert send() == Taken()

    def test_what_is_no_http_is_no_answer(self, send: Callable[[], Answer], receiver: Receiver) -> None:
        """Something else listens there."""

        def greet(_: Receiver, handler: Any, __: object) -> None:
            handler.wfile.write(b"SSH-2.0-OpenSSH\r\n\r\n")
            handler.close_connection = True

        receiver.plan(Behaviour(greet))
        assert isinstance(send(), Failed)


class TestBounds:
    """An answer is bounded in time and in size; a redirect leads nowhere."""

    def test_silence_ends(self, send_impatiently: Callable[[], Answer], receiver: Receiver) -> None:
        """With the relay's patience."""
        receiver.plan(hangs())
        began = time.monotonic()
        assert send_impatiently() == Failed("no complete answer within 0.5 s")
        assert time.monotonic() - began < 30

    def test_an_answer_that_drips_ends_too(self, send_impatiently: Callable[[], Answer], receiver: Receiver) -> None:
        """A byte every now and then doesn't buy time."""
        receiver.plan(drips(0.06, 20))
        assert send_impatiently() == Failed("no complete answer within 0.5 s")

    def test_a_limit_per_read_would_wait_for_it(
        self, memory: MemoryStore, fill: Fill, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The control: the same time limit on every single read, and the answer takes three times as long."""
        fill(memory, 1)
        receiver.plan(drips(0.06, 20))
        monkeypatch.setattr(http_sink, "BoundedNetwork", lambda _: httpcore.SyncBackend())
        with sink_to(receiver.url, patience=SHORT) as sink:
            began = time.monotonic()
            assert sink.send(part_of(memory.pending(ALL, 1))) == Taken()
        assert time.monotonic() - began > 2 * SHORT.total_seconds()

    SIZE = 1 << 26

    def test_a_flood_is_not_read(self, send: Callable[[], Answer], receiver: Receiver) -> None:
        """The status counts, and the rest of the body stays where it is."""
        receiver.plan(floods(self.SIZE))
        assert send() == Taken()
        assert receiver.sent_bytes < self.SIZE

    def test_without_the_limit_it_would_be(
        self, send: Callable[[], Answer], receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The control: all of it, or as much as time allows."""
        monkeypatch.setattr(http_sink, "READ_OF_ANSWER", 1 << 60)
        receiver.plan(floods(1 << 23))
        send()
        assert receiver.sent_bytes == 1 << 23

    def test_an_endless_header_ends(self, send: Callable[[], Answer], receiver: Receiver) -> None:
        """The library's own limit is a hundred kilobytes."""
        receiver.plan(answers(200, *[(f"X-{n}", "y" * 1000) for n in range(90)], ("Z", "z" * 60_000)))
        assert isinstance(send(), Failed)

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_a_redirect_is_not_followed(self, send: Callable[[], Answer], receiver: Receiver, status: int) -> None:
        """Where deliveries go is said by whoever runs the relay. The control: the other place is there and takes."""
        with Receiver() as other:
            receiver.plan(answers(status, ("Location", other.url)))
            answer = send()
            assert isinstance(answer, Failed)
            assert answer.concern is Concern.ADDRESS
            assert other.requests == []
            receiver.otherwise = answers(200)
            with sink_to(other.url) as direct:
                assert direct.send(part_of(())) == Taken()
            assert len(other.requests) == 1

    def test_proxies_of_the_environment_are_not_used(
        self, send: Callable[[], Answer], receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """They would be somewhere else."""
        with Receiver() as proxy:
            for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
                monkeypatch.setenv(name, proxy.url)
            assert send() == Taken()
            assert (len(receiver.requests), len(proxy.requests)) == (1, 0)


class TestTls:
    """A server must prove who it is."""

    @pytest.fixture
    def secure(self) -> Iterator[Receiver]:
        """A receiver with a certificate that nobody knows."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        AUTHORITY.issue_cert("127.0.0.1").configure_cert(context)
        with Receiver(tls=context) as started:
            yield started

    def _sent(self, memory: MemoryStore, url: str, context: ssl.SSLContext | None) -> Answer:
        with HttpSink(destination_of(url, "canary-7f3a9"), context=context) as sink:
            return sink.send(part_of(memory.pending(ALL, 1)))

    def test_an_unknown_certificate_gets_nothing(self, memory: MemoryStore, fill: Fill, secure: Receiver) -> None:
        """Neither a delivery nor the token."""
        fill(memory, 1)
        answer = self._sent(memory, secure.url, None)
        assert answer == Failed("the server's certificate is not to be trusted", Concern.ADDRESS)
        assert secure.requests == []

    def test_nor_does_one_for_another_name(self, memory: MemoryStore, fill: Fill, secure: Receiver) -> None:
        """It is trusted, but for 127.0.0.1 only."""
        fill(memory, 1)
        url = secure.url.replace("127.0.0.1", "localhost")
        answer = self._sent(memory, url, trusting())
        assert answer == Failed("the server's certificate is not to be trusted", Concern.ADDRESS)
        assert secure.requests == []

    def test_a_known_one_does(self, memory: MemoryStore, fill: Fill, secure: Receiver) -> None:
        """The control: the same server, trusted."""
        sent = fill(memory, 1)
        assert self._sent(memory, secure.url, trusting()) == Taken()
        assert secure.ids == sent
        assert secure.requests[0].headers["authorization"] == "Bearer canary-7f3a9"

    def test_without_checking_everybody_would(self, memory: MemoryStore, fill: Fill, secure: Receiver) -> None:
        """The control: it is the check that keeps the unknown server out."""
        fill(memory, 1)
        careless = ssl.create_default_context()
        careless.check_hostname, careless.verify_mode = False, ssl.CERT_NONE
        assert self._sent(memory, secure.url, careless) == Taken()

    def test_plain_http_on_a_tls_port(self, memory: MemoryStore, fill: Fill, receiver: Receiver) -> None:
        """And the other way round."""
        fill(memory, 1)
        answer = self._sent(memory, receiver.url.replace("http:", "https:"), None)
        assert answer == Failed("no encrypted connection came about", Concern.ADDRESS)


class TestSecrets:
    """REPRs and failures name the place without what opens it."""

    def test_nothing_that_is_shown_holds_one(self, memory: MemoryStore, fill: Fill, receiver: Receiver) -> None:
        """The control: the receiver does get the token, and the query."""
        fill(memory, 1)
        with sink_to(f"{receiver.url}?key=canary-1", "canary-2") as sink:
            assert sink.send(part_of(memory.pending(ALL, 1))) == Taken()
            assert "canary" not in repr(sink) + sink.shown
        (request,) = receiver.requests
        assert (request.path, request.headers["authorization"]) == ("/deliveries?key=canary-1", "Bearer canary-2")


class TestParts:
    """How deliveries are put into requests."""

    def test_a_body_has_a_limit(
        self, memory: MemoryStore, fill: Fill, sink: HttpSink, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """In order, each exactly once; what is longer than the limit goes alone."""
        sent = fill(memory, 7)
        entries = memory.pending(ALL, 10)
        length = part_of(entries[:1]).size
        for limit, shape in ((10**9, [7]), (3 * length, [3, 3, 1]), (1, [1] * 7)):
            monkeypatch.setattr(http_sink, "MAX_BODY", limit)
            parts = sink.parts(entries)
            assert [len(part.entries) for part in parts] == shape
            assert [entry.delivery.id for part in parts for entry in part.entries] == sent

    def test_nothing_makes_no_request(self, sink: HttpSink) -> None:
        """An idle relay is silent."""
        assert sink.parts([]) == []


class TestRelayOverHttp:
    """REV-4: whatever happens on the way, the receiver ends with what the core's ledger has."""

    @staticmethod
    def _expected(memory: MemoryStore) -> RevenueLedger:
        deliveries = tuple([entry.delivery for entry in memory.deliveries(ALL, limit=1000).rows])
        return collect_all(RevenueLedger(), deliveries)

    def _run(
        self, memory: MemoryStore, receiver: Receiver, world: FakeWorld, attempts: int = 20, seconds: float = 30
    ) -> Tally:
        with sink_to(receiver.url, now=world.now, patience=timedelta(seconds=seconds)) as sink:
            relay: Relay = world.relay(memory, sink, attempts=attempts, batch=7)
            return relay.run(Until.DONE)

    def test_everything_goes_wrong_and_everything_arrives(
        self, memory: MemoryStore, fill: Fill, receiver: Receiver, world: FakeWorld
    ) -> None:
        """Taken and then cut, taken and then 500: those arrive twice, under the same id, and count once."""
        sent = fill(memory, 30)
        receiver.plan(
            cuts(), answers(200), cuts(takes=True), answers(500, takes=True), answers(429, ("Retry-After", "3")),
            cuts_body(), answers(503), answers(200), hangs(), answers(408), answers(302, ("Location", "/other")),
        )  # fmt: skip
        tally = self._run(memory, receiver, world, seconds=0.5)
        assert (tally.parked, memory.backlog(ALL).waiting) == (0, 0)
        assert set(receiver.ids) == set(sent)
        assert len(receiver.ids) > len(sent)
        assert receiver.ledger == self._expected(memory)

    def test_the_receivers_rule_is_what_makes_repetitions_harmless(
        self, memory: MemoryStore, fill: Fill, receiver: Receiver, world: FakeWorld
    ) -> None:
        """The control: a receiver that adds up what arrives has too much."""
        fill(memory, 3)
        receiver.plan(cuts(takes=True))
        self._run(memory, receiver, world)
        added = sum(each.transaction.amount for request in receiver.taken for each in request.deliveries)
        held = sum(each.amount for each in receiver.ledger.live_lines().values())
        assert added == 2 * held

    @pytest.mark.parametrize("status", [400, 422, 500, 503, 409])
    def test_one_poison_delivery_is_parked_and_all_others_arrive(
        self, memory: MemoryStore, fill: Fill, receiver: Receiver, world: FakeWorld, status: int
    ) -> None:
        """Whatever the receiver says about it."""
        sent = fill(memory, 12)
        receiver.otherwise = refuses(sent[5], status)
        tally = self._run(memory, receiver, world, attempts=3)
        assert (tally.delivered, tally.parked) == (11, 1)
        assert sorted(receiver.ids) == sorted(set(sent) - {sent[5]})
        receiver.otherwise = answers(200)
        memory.release_parked(ALL)
        assert self._run(memory, receiver, world).delivered == 1
        assert receiver.ledger == self._expected(memory)

    def test_a_delivery_that_hangs_holds_up_no_other_for_long(
        self, memory: MemoryStore, fill: Fill, receiver: Receiver, world: FakeWorld
    ) -> None:
        """It is waited for as often as allowed."""
        sent = fill(memory, 4)
        poison = sent[0]
        silent, taking = hangs(), answers(200)

        def answer(of: Receiver, handler: object, request: object) -> None:
            ids = getattr(request, "ids", [])
            if poison not in ids:
                of.taken.append(request)  # type: ignore[arg-type]  # a request
            (silent if poison in ids else taking).answer(of, handler, request)  # type: ignore[arg-type]

        receiver.otherwise = Behaviour(answer)
        tally = self._run(memory, receiver, world, attempts=2, seconds=0.7)
        assert (tally.delivered, tally.parked) == (3, 1)
        assert sorted(receiver.ids) == sorted(sent[1:])
