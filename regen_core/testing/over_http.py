"""A service as a client sees it: logs in, sends requests, and keeps each as a line for ``curl``."""

from __future__ import annotations

import json
import shlex
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from attrs import define, field, frozen

from regen_core.idempotency import OPERATION_PATH
from regen_core.testing.systems import NoSystem

__all__ = ["Heard", "Service"]

_SECONDS: Final = 30.0
"""Longest wait for an answer."""


@frozen
class Heard:
    """An answer; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, read; an ``AssertionError`` where it isn't JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise AssertionError(f"the body of {self.status} is no JSON: {self.body[:200]!r}") from None

    @property
    def code(self) -> int | None:
        """The code of an error in Zuora's shape (PRE-2)."""
        reasons = self.json.get("reasons") if isinstance(self.json, dict) else None
        first = reasons[0] if isinstance(reasons, list) and reasons else None
        code = first.get("code") if isinstance(first, dict) else None
        return code if isinstance(code, int) else None


@define
class Service:
    """A service at an address, and a client of it; ``sent`` are the lines for ``curl`` since it was cleared last.

    ``document`` is the id of a posted document that may be regenerated, with its type; ``None`` where there is none.
    """

    url: str
    client_id: str
    client_secret: str = field(repr=False)
    document: tuple[str, str] | None = None
    entity: str | None = None
    sent: list[str] = field(factory=list)
    _token: str = field(default="", repr=False)

    def log_in(self) -> None:
        """Get a token; raises :class:`NoSystem` where there is no service, or it doesn't know the client."""
        form = {"client_id": self.client_id, "client_secret": self.client_secret, "grant_type": "client_credentials"}
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        try:
            heard = self._exchange("POST", "/oauth/token", headers, urlencode(form).encode())
        except (OSError, HTTPException) as fault:
            raise NoSystem(f"{self.url} can't be reached: {fault}. Check the address, and that it runs.") from fault
        if heard.status != 200:
            raise NoSystem(f"{self.url} gave no token but {heard.status}. Check the client's id and secret.")
        self._token = heard.json["access_token"]

    def _exchange(self, method: str, path: str, headers: dict[str, str], body: bytes | None) -> Heard:
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise NoSystem(f"{self.url!r} is no address. Write http://host:port or https://host.")
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        connection = kind(parts.hostname, parts.port, timeout=_SECONDS)
        try:
            connection.request(method, parts.path.rstrip("/") + path, body, headers)
            answer = connection.getresponse()
            return Heard(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def ask(
        self,
        told: object,
        *,
        flags: tuple[bool, bool] = (False, False),
        query: str | None = None,
        key: str | None = None,
        token: str | None = None,
        method: str = "POST",
    ) -> Heard:
        """One request to the operation; ``told`` is its body, as bytes or to be written as JSON."""
        names = [name for name, flag in zip(("onlyReSend", "reMigrate"), flags, strict=True) if flag]
        query = "&".join([f"{name}=true" for name in names]) if query is None else query
        headers = {
            "Content-Type": "application/json",
            "Authorization": f"Bearer {self._token if token is None else token}",
        }
        headers |= {"Zuora-Entity-Ids": self.entity} if self.entity else {}
        headers |= {"Idempotency-Key": key} if key else {}
        body = told if isinstance(told, bytes) else json.dumps(told).encode()
        path = OPERATION_PATH + (f"?{query}" if query else "")
        self._note(method, path, headers, body)
        try:
            return self._exchange(method, path, headers, body)
        except (OSError, HTTPException) as fault:
            raise AssertionError(f"no answer: {type(fault).__name__}: {fault}") from fault

    def _note(self, method: str, path: str, headers: dict[str, str], body: bytes) -> None:
        """The request as a line to paste; the token is in a variable, for it is a secret."""
        told = {**headers, "Authorization": "Bearer $TOKEN"}
        parts = [f'-H "{name}: {value}"' for name, value in told.items()]
        address = shlex.quote(self.url.rstrip("/") + path)
        self.sent.append(f"curl -X {method} {address} {' '.join(parts)} --data {shlex.quote(body.decode())}")
