"""``regen serve`` as the outside world meets it: a process of its own on this machine, its log, and what it remembers.

Whoever asks for a *variant* gets the same service with one protection taken out: the control of a test.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from urllib.parse import urlencode

from attrs import define, field

from regen_core.adapters.http.clients import hash_secret
from tests.forks.starting import REGEN, Forked
from tests.served.documents import DOCUMENTS, FOREIGN, load, revisions
from tests.served.wire import Reply, Wire, head, wire_to

__all__ = ["CLIENT", "ENTITY", "OPERATION", "POWERLESS", "SECRET", "STRANGER", "TENANT", "Service", "served"]

OPERATION: Final = "/v1/uno-regenerate/billing-transaction"
TENANT: Final = "acme"
ENTITY: Final = "eu"
CLIENT: Final = "c1a5ed00-0000-4000-8000-000000000001"
"""The client of all tests: 36 characters, as the official SDK demands."""

STRANGER: Final = "c1a5ed00-0000-4000-8000-000000000002"
"""A client of another tenant."""

POWERLESS: Final = "c1a5ed00-0000-4000-8000-000000000003"
"""A client of the same tenant without the permission."""

SECRET: Final = "canary-secret-0123456789-abcdefghijklmnop"  # noqa: S105  # of a service that lives for a test
"""The secret of all of them: 41 characters of the 42 that the SDK takes."""

_PATIENCE: Final = 60.0
_PEAK: Final = re.compile(r"^VmHWM:\s*([0-9]+) kB$", re.MULTILINE)


@define(kw_only=True)
class Service:
    """A running service. ``folder`` holds its database, its log and what it printed."""

    process: Forked
    folder: Path
    port: int
    _token: str | None = field(default=None, repr=False, init=False)

    @property
    def url(self) -> str:
        """Where it is, as clients write it."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def db(self) -> str:
        """Its database."""
        return _db(self.folder)

    @property
    def token(self) -> str:
        """A token, fetched when it is first needed."""
        if self._token is None:
            self._token = self.login().json["access_token"]
        return self._token

    def login(self, **fields: str) -> Reply:
        """Ask for a token; ``fields`` take the place of the right ones."""
        form = {"grant_type": "client_credentials", "client_id": CLIENT, "client_secret": SECRET, **fields}
        body = urlencode(form).encode()
        kind = "Content-Type: application/x-www-form-urlencoded"
        with wire_to(self.port) as wire:
            wire.send(head("POST /oauth/token HTTP/1.1", "Host: x", kind, f"Content-Length: {len(body)}"), body)
            return wire.reply()

    def request(self, body: bytes, *headers: str | bytes, query: str = "", token: str | None = None) -> bytes:
        """A request to the operation as bytes: well formed, but for what the headers say."""
        return (
            head(
                f"POST {OPERATION}{query} HTTP/1.1",
                "Host: x",
                f"Authorization: Bearer {self.token if token is None else token}",
                f"Content-Length: {len(body)}",
                *headers,
            )
            + body
        )

    def ask(
        self, body: Mapping[str, Any] | bytes, *headers: str | bytes, query: str = "", token: str | None = None
    ) -> Reply:
        """Ask the operation on a connection of its own."""
        encoded = body if isinstance(body, bytes) else json.dumps(body).encode()
        whole = self.request(encoded, *headers, query=query, token=token)
        with wire_to(self.port) as wire:
            wire.send(whole)
            return wire.reply()

    def revisions(self, document: dict[str, Any]) -> list[int]:
        """The revisions of the transactions that a document of the client's tenant has."""
        return revisions(self.db, TENANT, ENTITY, document)

    def has_generated(self, document: dict[str, Any]) -> bool:
        """Whether it has any."""
        return bool(self.revisions(document))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Another program writes to the database for the time of the block: whoever wants to begin waits."""
        holder = sqlite3.connect(self.folder / "served.db", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            holder.execute("ROLLBACK")
            holder.close()

    @property
    def log(self) -> str:
        """All that it printed and logged so far."""
        return "".join([(self.folder / name).read_text("utf-8", "replace") for name in ("out", "err")])

    def peak(self, work: Callable[[], object]) -> int:
        """By how many bytes the process's memory peaks above what it has now, while ``work`` is done."""
        before = self._peak_since_now()
        work()
        return self._peak() - before

    def grows(self, work: Callable[[Wire], object], least: int) -> bool:
        """Whether it gets to need so many bytes more while a connection, on which ``work`` is done, stays open."""
        before = self._peak_since_now()
        deadline = time.monotonic() + _PATIENCE
        with wire_to(self.port) as wire:
            work(wire)
            while self._peak() - before < least and time.monotonic() < deadline:
                time.sleep(0.05)
        return self._peak() - before >= least

    def _peak_since_now(self) -> int:
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")
        return self._peak()

    def _peak(self) -> int:
        found = _PEAK.search(Path(f"/proc/{self.process.pid}/status").read_text())
        assert found is not None, "Linux tells the peak of a process that runs"
        return int(found[1]) * 1024


def _db(folder: Path) -> str:
    return f"sqlite:///{folder / 'served.db'}"


@cache
def _hash() -> str:
    """Of the secret: made once, for that takes time on purpose."""
    return hash_secret(SECRET).text


@cache
def _database(documents: str) -> bytes:
    """A file with these documents, and one of another tenant: loaded once, copied for each service."""
    with TemporaryDirectory(prefix="regen-served-") as folder:
        path = Path(folder)
        load(_db(path), TENANT, ENTITY, json.loads(documents), path)
        load(_db(path), "another", ENTITY, [FOREIGN], path)
        assert sorted(each.suffix for each in path.iterdir()) == [".db", ".ndjson", ".ndjson"], "it is closed"
        return (path / "served.db").read_bytes()


def _configuration(settings: Mapping[str, Mapping[str, Any]]) -> str:
    """A configuration file; ``settings`` are its tables, beside the clients."""
    lines = []
    for table, keys in settings.items():
        lines += [f"[{table}]", *[f"{name} = {json.dumps(value)}" for name, value in keys.items()]]
    for client, tenant, permissions in ((CLIENT, TENANT, None), (STRANGER, "another", None), (POWERLESS, TENANT, [])):
        told = {"client_id": client, "secret_hash": _hash(), "tenant": tenant, "entities": [ENTITY]}
        told |= {} if permissions is None else {"permissions": permissions}
        lines += ["[[clients]]", *[f"{name} = {json.dumps(value)}" for name, value in told.items()]]
    return "\n".join(lines)


@contextmanager
def served(
    folder: Path,
    *,
    start: Sequence[str] = (REGEN,),
    documents: Sequence[dict[str, Any]] = DOCUMENTS,
    **settings: Mapping[str, Any],
) -> Iterator[Service]:
    """A service on a new database with some documents. It is ended, by its process, with the block.

    ``start`` is what is called and its first arguments; ``settings`` are tables of the configuration file.
    """
    (folder / "served.db").write_bytes(_database(json.dumps(documents)))
    configuration = folder / "regen.toml"
    configuration.write_text(_configuration(settings))
    command = [*start, "--json", "--db", _db(folder), "serve", "--port", "0", "--config", str(configuration)]
    out, err = folder / "out", folder / "err"
    with out.open("wb") as o, err.open("wb") as e:
        process = Forked.begun(*command, cwd=folder, environment=os.environ, out=o, err=e)
    with process:
        told = _started(process, out, err)
        yield Service(process=process, folder=folder, port=int(told["url"].rpartition(":")[2]))


def _started(process: Forked, out: Path, err: Path) -> dict[str, Any]:
    """What it prints when it is ready."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            told: dict[str, Any] = json.loads(out.read_text())
        except ValueError:
            time.sleep(0.02)
        else:
            return told
    raise AssertionError(f"the service did not start: {out.read_text()} {err.read_text()}")
