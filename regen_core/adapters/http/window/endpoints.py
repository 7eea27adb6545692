"""What the page can ask for, one coroutine each: look, load, plan, run, deliver, tamper, reset, inject faults.

They read the question, ask the store or the service in the scope of one caller, and tell the answer; nothing here rules
on anything. What runs, runs through the whole service, as if the request had come by the network.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, Protocol, TypeVar

from attrs import define, evolve, field, frozen

from regen_core.access import REGENERATION_PERMISSION, Caller, Scope, authorize
from regen_core.adapters.http.tokens import Tokens
from regen_core.adapters.http.window.asking import (
    Asked,
    AskedTampering,
    Question,
    Unreadable,
    faults_of,
    operation_of,
    tampering_of,
)
from regen_core.adapters.http.window.calling import Called, call
from regen_core.adapters.http.window.faults import NO_FAULTS, Faults
from regen_core.adapters.http.window.injecting import InjectedFaults
from regen_core.adapters.http.window.loading import EXAMPLES, example_texts, load_texts, results_json
from regen_core.adapters.http.window.plan_json import modes_json, plan_json
from regen_core.adapters.http.window.reading import documents_shown
from regen_core.adapters.http.window.recent import Recent, remembered_json
from regen_core.adapters.http.window.tampering import Tampering, altered
from regen_core.adapters.http.window.view import totals_of, view_of
from regen_core.adapters.http.window.view_json import backlog_json, document_view_json, totals_json
from regen_core.documents import DocumentKey
from regen_core.idempotency import OPERATION_PATH
from regen_core.plain_values import plain
from regen_core.ports import MAX_PAGE, CollectedDeliveries, Selection, Store
from regen_core.wire.submission import Admitted, Submission, admit

__all__ = ["Endpoints", "NotOffered", "Sandbox"]

T = TypeVar("T")
JsonObject = dict[str, Any]

MOST_DELIVERED: Final = 20 * MAX_PAGE
"""Deliveries that one click hands over; more need another."""

_TOLD_HEADERS: Final = frozenset({"idempotent-replayed", "retry-after", "zuora-request-id", "zuora-track-id", "allow"})
"""Headers of an answer that the page shows."""


class NotOffered(Exception):  # noqa: N818  # named for what is the matter
    """Something that only a sandbox does; the message says why this isn't one."""

    def __init__(self) -> None:
        super().__init__("Only a sandbox can be emptied or tampered with: a service that runs without a configuration.")


class Sandbox(Protocol):
    """What may be done to a store that people experiment with."""

    @property
    def where(self) -> str:
        """The database, as it may be shown."""
        ...

    def empty(self, scope: Scope) -> None:
        """Remove everything of a tenant's entity."""
        ...

    def lose(self, scope: Scope, key: DocumentKey, item_id: str) -> bool:
        """Let Revenue hold nothing for a line any more; whether it held something."""
        ...


@frozen
class _Behalf:
    """On whose behalf the page asks: a caller, and one of its entities."""

    caller: Caller
    scope: Scope


@define(kw_only=True, eq=False)
class Endpoints:
    """The answers to the page's questions, on the event loop's thread; the store is asked on a thread of its own.

    ``sandbox`` ``None`` means that this is a configured service, in which nothing is emptied or tampered with.
    """

    store: Store
    callers: tuple[Caller, ...]
    tokens: Tokens
    faults: InjectedFaults
    recent: Recent
    sandbox: Sandbox | None
    _bearers: dict[str, str] = field(factory=dict, init=False)
    _pool: ThreadPoolExecutor = field(
        factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="regen-window"), init=False
    )

    async def _at_store(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def close(self) -> None:
        """Let what was begun end."""
        self._pool.shutdown()

    # looking

    async def state(self, question: Question) -> JsonObject:
        """Everything that the page shows, as far as it was asked for."""
        behalf = self._behalf(question.asked)
        told = await self._at_store(lambda: self._stored(question.asked, behalf.scope))
        return {
            "callers": [self._caller_json(each) for each in self.callers],
            "client": behalf.caller.client,
            "tenant": behalf.scope.tenant,
            "entity": behalf.scope.entity,
            "is_sandbox": self.sandbox is not None,
            "database": None if self.sandbox is None else self.sandbox.where,
            "examples": list(EXAMPLES),
            "modes": modes_json(),
            "faults": plain(self.faults.of(behalf.scope.tenant)),
            "requests": self._requests(behalf),
            **told,
        }

    def _stored(self, asked: Asked, scope: Scope) -> JsonObject:
        try:
            shown = documents_shown(self.store, scope, asked.looked)
        except ValueError:
            raise Unreadable("after is no place to go on from.") from None
        return {
            "documents": [document_view_json(view_of(parts)) for parts in shown.rows],
            "next": shown.next,
            "totals": totals_json(totals_of(shown.rows)),
            "backlog": backlog_json(self.store.backlog(scope)),
        }

    @staticmethod
    def _caller_json(caller: Caller) -> JsonObject:
        return {"client": caller.client, "tenant": caller.tenant, "entities": sorted(caller.entities)}

    async def requests(self, question: Question) -> JsonObject:
        """The last requests of the caller's tenant, the newest first."""
        return {"requests": self._requests(self._behalf(question.asked))}

    def _requests(self, behalf: _Behalf) -> list[JsonObject]:
        found = self.recent.of(behalf.scope.tenant, with_strangers=self._has_one_tenant)
        return [remembered_json(each) for each in found]

    @property
    def _has_one_tenant(self) -> bool:
        """Whether a request of nobody who is known can be shown without telling a tenant of another (ACC-4)."""
        return len({each.tenant for each in self.callers}) == 1

    def _behalf(self, asked: Asked) -> _Behalf:
        """Who asks; looking needs no permission but the window's own (ACC-1 is for the operation)."""
        found = [each for each in self.callers if asked.client in (None, each.client)]
        if not found:
            raise Unreadable("client is none of the service's.")
        caller = found[0]
        entity = min(caller.entities, default="") if asked.entity is None else asked.entity
        scope = authorize(evolve(caller, permissions=frozenset({REGENERATION_PERMISSION})), entity)
        if not isinstance(scope, Scope):
            raise Unreadable("entity is none of the client's.")
        return _Behalf(caller, scope)

    # loading

    async def documents(self, question: Question) -> JsonObject:
        """Load the documents of a text."""
        scope = self._behalf(question.asked).scope
        return results_json(await self._at_store(lambda: load_texts(self.store, scope, (question.body,))))

    async def examples(self, question: Question) -> JsonObject:
        """Load a chapter of the example documents; the body names it as a JSON text."""
        scope, chapter = self._behalf(question.asked).scope, question.body.decode("utf-8", "replace").strip('" \n')
        if chapter not in EXAMPLES:
            raise Unreadable(f"The chapter is one of {', '.join(EXAMPLES)}.")
        return results_json(await self._at_store(lambda: load_texts(self.store, scope, example_texts(chapter))))

    # planning and running

    async def plan(self, question: Question) -> JsonObject:
        """What a request would do, and why; nothing is changed."""
        behalf, operation = self._behalf(question.asked), operation_of(question.body)
        submission = Submission(
            query=tuple(operation.flags.items()),
            headers=(*operation.headers, ("zuora-entity-ids", behalf.scope.entity)),
            body=operation.text,
            caller=behalf.caller,
        )
        admitted = admit(submission)
        if not isinstance(admitted, Admitted):
            return plan_json(admitted)
        return plan_json(await self._at_store(lambda: self.store.plan(admitted.scope, admitted.request)))

    async def run(self, question: Question) -> JsonObject:
        """Have the service answer a request, with its limits and with injected faults, and tell what a client sees."""
        behalf, operation = self._behalf(question.asked), operation_of(question.body)
        headers = (
            *operation.headers,
            ("authorization", f"Bearer {self._bearer(behalf.caller)}"),
            ("zuora-entity-ids", behalf.scope.entity),
        )
        answer = await call(question.app, OPERATION_PATH, query=operation.query, headers=headers, body=operation.text)
        return self._answer_json(behalf, answer)

    def _bearer(self, caller: Caller) -> str:
        """A token of the caller's, the same one for as long as it is valid."""
        token = self._bearers.get(caller.client)
        if token is None or self.tokens.caller_of(token) != caller:
            token = self._bearers[caller.client] = self.tokens.issue(caller)
        return token

    def _answer_json(self, behalf: _Behalf, answer: Called) -> JsonObject:
        headers = {name: value for name, value in answer.headers if name in _TOLD_HEADERS}
        remembered = self.recent.by_request_id(behalf.scope.tenant, headers.get("zuora-request-id", ""))
        return {
            "status": answer.status,
            "headers": headers,
            "body": answer.body.decode(),
            "request": None if remembered is None else remembered_json(remembered),
        }

    # Revenue

    async def deliver(self, question: Question) -> JsonObject:
        """Hand what waits over to the built-in Revenue."""
        scope = self._behalf(question.asked).scope
        return _plain(await self._at_store(lambda: self._deliver(scope)))

    def _deliver(self, scope: Scope) -> CollectedDeliveries:
        collected = ignored = 0
        while collected + ignored < MOST_DELIVERED:
            done = self.store.deliver_to_ledger(scope, MAX_PAGE)
            if not done.collected + done.ignored:
                break
            collected, ignored = collected + done.collected, ignored + done.ignored
        return CollectedDeliveries(collected, ignored)

    async def tamper(self, question: Question) -> JsonObject:
        """Let Revenue lose a line, or hold it altered."""
        scope, tampering, sandbox = self._behalf(question.asked).scope, tampering_of(question.body), self._sandbox()
        key = tampering.key(scope.tenant, scope.entity)
        return {"done": await self._at_store(lambda: self._tamper(sandbox, scope, key, tampering))}

    def _tamper(self, sandbox: Sandbox, scope: Scope, key: DocumentKey, tampering: AskedTampering) -> bool:
        """Whether Revenue held something for the line that may be seen (ACC-4)."""
        of_document = self.store.revenue(scope, Selection(type=key.type, id=key.id), limit=MAX_PAGE).rows
        held = [each for each in of_document if each.transaction.item.id == tampering.item_id]
        if not held or tampering.how is Tampering.ALTER:
            return bool(self.store.collect([altered(each) for each in held]).collected)
        return sandbox.lose(scope, key, tampering.item_id)

    def _sandbox(self) -> Sandbox:
        if self.sandbox is None:
            raise NotOffered
        return self.sandbox

    # faults, and an empty sandbox

    async def inject(self, question: Question) -> JsonObject:
        """Let something go wrong from now on."""
        tenant, faults = self._behalf(question.asked).scope.tenant, faults_of(question.body)
        self.faults.put(tenant, faults)
        return _plain(faults)

    async def injected(self, question: Question) -> JsonObject:
        """What is to go wrong."""
        return _plain(self.faults.of(self._behalf(question.asked).scope.tenant))

    async def mend(self, question: Question) -> JsonObject:
        """Let nothing go wrong any more."""
        self.faults.put(self._behalf(question.asked).scope.tenant, NO_FAULTS)
        return _plain(NO_FAULTS)

    async def reset(self, question: Question) -> JsonObject:
        """Empty the sandbox: documents, transactions, deliveries, Revenue, keys, remembered requests, faults."""
        scope, sandbox = self._behalf(question.asked).scope, self._sandbox()
        await self._at_store(lambda: sandbox.empty(scope))
        self.recent.forget(scope.tenant, with_strangers=self._has_one_tenant)
        self.faults.put(scope.tenant, NO_FAULTS)
        return {"done": True}


def _plain(value: CollectedDeliveries | Faults) -> JsonObject:
    told: JsonObject = plain(value)
    return told
