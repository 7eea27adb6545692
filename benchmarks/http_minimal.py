"""The least that answers the operation over HTTP and commits the same rows: what a service costs when it knows no rule.

``python -m benchmarks.http_minimal DATABASE`` serves until it is ended and prints its port. It asks for no token, reads
the document's id and the Idempotency-Key, and writes by hand what REMIGRATE writes of documents that have been
regenerated before: every line once more, its delivery, and the key's record. Each request has a durable commit of its
own, on a thread of its own, so that the next ones are read meanwhile. ``GET /`` answers nothing but itself.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import socket
import sqlite3
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, Final

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from benchmarks.raw_stores import Texts
from benchmarks.stored_rows import CLIENT, SCOPE
from regen_core.idempotency import OPERATION_PATH, key_digest

__all__ = ["HandWritten"]

_SETTINGS: Final = ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON")
_INVOICE: Final = "Invoice"
_MEANING: Final = (
    '{"entity":"entity","method":"POST","path":"/v1/uno-regenerate/billing-transaction","request":{"id":"%s",'
    '"number":null,"only_re_send":false,"re_migrate":true,"type":"Invoice"},"requested_orgs":null}'
)


class HandWritten:
    """The statements of one request, on the standard library's driver."""

    def __init__(self, path: str) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        for setting in _SETTINGS:
            self._connection.execute(f"PRAGMA {setting}").close()
        self._texts = Texts("?")
        self._keys = os.open(f"{path}-raw-keys", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)

    def regenerate(self, document_id: str, key: str | None) -> Response:
        """Override every line of a document, and answer when that is durable."""
        if key is None:
            return self._regenerated(document_id, None)
        digest = key_digest(SCOPE.tenant, CLIENT, key)
        place = int(digest[:15], 16)
        fcntl.lockf(self._keys, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
        try:
            return self._regenerated(document_id, digest)
        finally:
            fcntl.lockf(self._keys, fcntl.LOCK_UN, 1, place)

    def _regenerated(self, document_id: str, digest: str | None) -> Response:
        cursor, texts = self._connection.cursor(), self._texts
        name, now = (SCOPE.tenant, SCOPE.entity, _INVOICE, document_id), datetime.now(UTC).isoformat()
        cursor.execute("BEGIN IMMEDIATE")
        if digest is not None:
            assert cursor.execute(texts.record, (SCOPE.tenant, digest)).fetchone() is None
        version = cursor.execute(texts.document, name).fetchone()[2]
        lines = [_overridden(line, now) for line in cursor.execute(texts.lines, name).fetchall()]
        cursor.execute(texts.move, (*name, version))
        cursor.executemany(texts.one["transactions"], [(*name, *line) for line in lines])
        sent = [(*name, line[0], line[2], "Y", "line", *line[3:], now) for line in lines]
        cursor.executemany(texts.one["outbox"], sent)
        answer = JSONResponse({"success": True, "idList": [line[3] for line in lines]})
        if digest is not None:
            told = (_MEANING % document_id, 200, answer.body, SCOPE.entity, _INVOICE, document_id, now, None)
            cursor.execute(texts.one["idempotency"], (SCOPE.tenant, digest, *told))
        cursor.execute("COMMIT")
        return answer


def _overridden(line: tuple[Any, ...], now: str) -> tuple[Any, ...]:
    """A line's columns one revision and one delivery later."""
    item_id, place, deliveries, transaction_id, kind, standalone, revision, state, at, by, _, _, version = line
    told = (transaction_id, kind, standalone, revision + 1, state, at, by, now, CLIENT, version)
    return (item_id, place, deliveries + 1, *told)


def application(path: str) -> Starlette:
    """The endpoint, and one that does nothing."""
    store, thread = HandWritten(path), ThreadPoolExecutor(1)

    async def regenerate(request: Request) -> Response:
        asked, key = await request.json(), request.headers.get("idempotency-key")
        return await asyncio.get_running_loop().run_in_executor(thread, store.regenerate, asked["id"], key)

    async def nothing(request: Request) -> Response:  # noqa: ARG001  # Starlette's signature
        return Response(b"nothing")

    return Starlette(routes=[Route(OPERATION_PATH, regenerate, methods=["POST"]), Route("/", nothing)])


def main() -> None:
    """Serve a database that is given, with the server's settings of the service."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=2048)
    config = uvicorn.Config(
        application(sys.argv[1]),
        http="httptools",
        loop="auto",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="off",
        ws="none",
        timeout_keep_alive=15,
    )
    print(listening.getsockname()[1], flush=True)
    uvicorn.Server(config).run([listening])


if __name__ == "__main__":
    main()
