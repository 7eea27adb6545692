"""A whole service: a configuration, a store and a socket become a server that runs until a signal stops it."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Sequence
from typing import TextIO

from attrs import evolve, field, frozen
from starlette.routing import BaseRoute

from regen_core.adapters.http.application import Service, application
from regen_core.adapters.http.clients import Clients
from regen_core.adapters.http.configuration import Configuration
from regen_core.adapters.http.exchange import Observer
from regen_core.adapters.http.execution import Executor, StoreThreads
from regen_core.adapters.http.grouping import GroupedCommits
from regen_core.adapters.http.health import Readiness
from regen_core.adapters.http.keys_in_flight import KeysInFlight
from regen_core.adapters.http.limits import Limits
from regen_core.adapters.http.logs import RequestLog, ServerLog
from regen_core.adapters.http.server import ServiceServer
from regen_core.adapters.http.tokens import Tokens
from regen_core.ports import DocumentStore

__all__ = ["Additions", "run_service"]


def _unchanged(executor: Executor) -> Executor:
    return executor


@frozen(kw_only=True)
class Additions:
    """What somebody adds to a service.

    Fields: ``routes`` that are tried first; ``around`` wraps the executor, and so every commit; ``observers`` are told
    of every request, after the log; ``tokens`` those that are valid, ``None`` leaves them to the service.
    """

    routes: Sequence[BaseRoute] = ()
    around: Callable[[Executor], Executor] = _unchanged
    observers: Sequence[Observer] = ()
    tokens: Tokens | None = None


@frozen(kw_only=True)
class Surroundings:
    """Where a service runs: it takes requests from ``listening`` and writes its log to ``log``."""

    listening: socket.socket
    log: TextIO = field(factory=lambda: sys.stderr)


def _at_the_store(configuration: Configuration, store: DocumentStore) -> GroupedCommits | StoreThreads:
    """Several threads each commit on their own; one has all that came meanwhile committed together."""
    if configuration.threads is None or configuration.threads == 1:
        return GroupedCommits(store, most_together=configuration.most_together)
    return StoreThreads(store, threads=configuration.threads)


def run_service(
    configuration: Configuration,
    store: DocumentStore,
    surroundings: Surroundings,
    *,
    on_start: Callable[[], None],
    additions: Additions | None = None,
) -> None:
    """Answer requests until a signal asks to stop; requests in flight finish, and then this returns.

    ``on_start`` is called when requests are answered. Call it on the main thread, which gets the signals. Raises
    ``KeyboardInterrupt`` where a second signal didn't let them finish.
    """
    added, log = additions or Additions(), RequestLog(surroundings.log)
    ServerLog(log).install()
    threads = _at_the_store(configuration, store)
    service = Service(
        executor=KeysInFlight(added.around(threads)),
        clients=Clients.of(configuration.clients),
        limits=Limits(configuration.quotas),
        style=configuration.style,
        body_seconds=configuration.body_seconds,
    )
    if added.tokens is not None:
        service = evolve(service, tokens=added.tokens)
    readiness = Readiness(store, service.clock)
    app = application(service, readiness=readiness, observers=(log, *added.observers), extra_routes=added.routes)

    def started() -> None:
        log.event("started", {})
        on_start()

    def stopping() -> None:
        readiness.is_stopping = True
        log.event("stopping", {})

    try:
        server = ServiceServer(app, configuration.server, on_start=started, on_stop=stopping)
        server.run([surroundings.listening])
    finally:
        threads.close()
        readiness.close()
        log.event("stopped", {})
    if server.force_exit:
        raise KeyboardInterrupt
