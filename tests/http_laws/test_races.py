"""IDM-3, IDM-7 over sockets: of equal requests at once exactly one executes; a killed service forgets nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from random import Random

import pytest
from attrs import define, field

from regen_core.access import Caller, Scope
from regen_core.adapters.sql import SqlStore
from regen_core.request import RegenerateRequest
from tests.concurrency.requests import asked as overriding
from tests.concurrency.requests import at_once, invoice
from tests.conformance.databases import Database, SqliteDatabase
from tests.crash.profiles import scaled
from tests.http_laws.calling import Heard, Sent
from tests.http_laws.described import undescribed
from tests.http_laws.processes import GONE, How, Remote, Served, served
from tests.http_laws.wording import worded

EVERYTHING = Scope(tenant="t1", entity="e1", orgs=None)
ASKING = Scope(tenant="t1", entity="e1", orgs=frozenset())
CALLERS = tuple(
    Caller(tenant="t1", client="someone", entities=frozenset(entities)) for entities in ({"e1"}, {"e1", "e2"})
)
AT_ONCE = 8
"""Equal requests, half of them to each of two services."""

KEYS = scaled(quick=6, deep=60)
CLIENTS = 32
"""So many ask at once that the requests of several share a commit, and are lost or kept with it."""

KILLS = scaled(quick=2, deep=40)
SOON = 30.0
MOST = 40
"""Kills within which a control must have shown its damage."""


def _sent(service: Served, request: RegenerateRequest, key: str, number: int) -> Sent:
    told = worded(ASKING, request, number, key=key)
    return told.authorized(service.tokens[told.caller])


def _executions(store: SqlStore) -> set[tuple[int, int]]:
    """How often each line was overridden, and sent."""
    return {(line.transaction.revision, line.deliveries) for line in store.transactions(EVERYTHING).rows}


def _raced(services: Sequence[Served], keys: Sequence[str]) -> list[list[Heard]]:
    """What equal requests at once heard, key by key, each in a wording of its own."""
    with ExitStack() as stack:
        remotes = []
        for _ in range(AT_ONCE // len(services)):
            for service in services:
                remote = service.remote
                stack.callback(remote.close)
                remotes.append((service, remote))
        return [_at_once(remotes, key) for key in keys]


def _at_once(remotes: Sequence[tuple[Served, Remote]], key: str) -> list[Heard]:
    sent = [_sent(service, overriding(), key, number) for number, (service, _) in enumerate(remotes)]
    calls = [lambda each=each, remote=remote: remote(each) for each, (_, remote) in zip(sent, remotes, strict=True)]
    heard = at_once(calls)
    for each, one in zip(sent, heard, strict=True):
        assert isinstance(one, Heard), one
        assert undescribed(each, one) == []
    return [each for each in heard if isinstance(each, Heard)]


@pytest.fixture(name="store")
def _store(database: Database) -> Iterator[SqlStore]:
    with SqlStore.open(database.url) as store:
        store.load(invoice())
        yield store


def test_of_equal_requests_one_executes(database: Database, store: SqlStore) -> None:
    """Two services on one database; the others are told to come again, or what the first one was told."""
    keys = [f"key-{number}" for number in range(KEYS)]
    with served(database.url, *CALLERS) as one, served(database.url, *CALLERS) as other:
        for heard in _raced((one, other), keys):
            executed = [each for each in heard if each.status == 200 and not each.all("idempotent-replayed")]
            replayed = [each for each in heard if each.status == 200 and each.all("idempotent-replayed")]
            waiting = [each for each in heard if each.status == 409]
            assert len(executed) == 1, heard
            assert len(executed) + len(replayed) + len(waiting) == AT_ONCE, heard
            assert {each.body for each in replayed} <= {executed[0].body}
            assert {each.header("retry-after") for each in waiting} <= {"1"}
            assert {each.json["reasons"][0]["code"] for each in waiting} <= {50000050}
    assert _executions(store) == {(KEYS, KEYS)}


def test_control_without_keys_several_execute(database: Database, store: SqlStore) -> None:
    """Only what each process knows by itself is left; the same harness counts."""
    how = How.WITHOUT_KEYS
    with served(database.url, *CALLERS, how=how) as one, served(database.url, *CALLERS, how=how) as other:
        heard = _raced((one, other), ["key"])[0]
    executed = [each for each in heard if each.status == 200 and not each.all("idempotent-replayed")]
    assert len(executed) > 1
    assert _executions(store) == {(len(executed), len(executed))}


@define
class _Client:
    """Asks under one new key after the other, and remembers what it was told."""

    name: str
    told: dict[str, Heard] = field(factory=dict)
    in_flight: str | None = None
    asked: int = 0

    def ask_until_it_ends(self, service: Served) -> None:
        """Ask until the service is gone."""
        remote = service.remote
        try:
            while True:
                self.asked += 1
                self.in_flight = f"{self.name}-{self.asked}"
                heard = remote(_sent(service, overriding(), self.in_flight, self.asked))
                assert heard.status == 200, heard
                self.told[self.in_flight] = heard
        except GONE:
            return
        finally:
            remote.close()


@contextmanager
def _asking(clients: Sequence[_Client], service: Served) -> Iterator[None]:
    threads = [threading.Thread(target=client.ask_until_it_ends, args=(service,)) for client in clients]
    for thread in threads:
        thread.start()
    yield
    for thread in threads:
        thread.join()


def _killed(database: Database, clients: Sequence[_Client], how: How, rng: Random) -> None:
    """A service that is killed with SIGKILL while clients ask."""
    with served(database.url, *CALLERS, how=how) as service, _asking(clients, service):
        enough, deadline = rng.choice((1, 2, 5, 10, 20)), time.monotonic() + SOON
        while sum(len(client.told) for client in clients) < enough and time.monotonic() < deadline:
            time.sleep(0.001)
        time.sleep(rng.uniform(0.0, 0.02))
        service.process.kill()


def _forgotten(database: Database, clients: Sequence[_Client]) -> list[str]:
    """Keys that a new service doesn't answer as they were answered; what was in flight is asked again, too."""
    bad = []
    with served(database.url, *CALLERS) as service:
        remote = service.remote
        for client in clients:
            for key, first in client.told.items():
                again = remote(_sent(service, overriding(), key, 0))
                if (again.status, again.body, again.header("idempotent-replayed")) != (200, first.body, "true"):
                    bad.append(key)
            if client.in_flight is not None and client.in_flight not in client.told:
                assert _settled(remote, _sent(service, overriding(), client.in_flight, 0)).status == 200
            client.told.clear()
        remote.close()
        service.process.kill()
    return bad


def _settled(remote: Remote, sent: Sent) -> Heard:
    """The answer, once the killed service's connection to its database is gone with the key that it held."""
    deadline = time.monotonic() + SOON
    while (heard := remote(sent)).status == 409 and time.monotonic() < deadline:
        time.sleep(0.02)
    return heard


def _lives(database: Database, how: How, kills: int) -> tuple[list[str], int]:
    """What was forgotten within so many kills, and under how many keys was asked."""
    rng = Random(1)  # noqa: S311  # reproducible, but for the moments
    clients = [_Client(f"client-{number}") for number in range(CLIENTS)]
    bad: list[str] = []
    for _ in range(kills):
        _killed(database, clients, how, rng)
        bad += _forgotten(database, clients)
        if bad:
            break
    return bad, sum(client.asked for client in clients)


def test_a_killed_service_forgets_nothing(database: Database, store: SqlStore) -> None:
    """Every key answers as it did first, after a restart; each was executed once, acknowledged or in flight."""
    bad, keys = _lives(database, How.WELL, KILLS if isinstance(database, SqliteDatabase) else KILLS // 2)
    assert bad == []
    assert _executions(store) == {(keys, keys)}


def test_control_answers_before_the_commit_are_forgotten(database: Database, store: SqlStore) -> None:
    """What was said too early is lost."""
    bad, _ = _lives(database, How.EARLY, MOST)
    assert bad
