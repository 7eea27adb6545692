"""A service as a client sees it: logs in, sends requests, and keeps each as a line for ``curl``."""

from __future__ import annotations

import json
import shlex
from base64 import b64encode
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection, RemoteDisconnected
from typing import Any, Final
from urllib.parse import SplitResult, urlencode, urlsplit

from attrs import define, field, frozen

from regen_core.idempotency import OPERATION_PATH
from regen_core.testing.clients import Client
from regen_core.testing.factories import NoSystem

__all__ = ["Heard", "Service", "address_of"]

_SECONDS: Final = 30.0
"""Longest wait for an answer."""


def address_of(url: str) -> SplitResult:
    """The parts of a service's address; raises :class:`NoSystem` where it is none, or names a user."""
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address or not url.isprintable() or " " in url:
        raise NoSystem(f"{url!r} is no address. Write http://host:port or https://host.")
    if parts.username is not None:
        raise NoSystem("The address names a user. Leave that out: a client logs in with its id and its secret.")
    return parts


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
    """A service at an address and its clients, the first of which asks where nobody else is named.

    Fields: ``document`` is type and id of a posted document that may be regenerated, ``None`` where there is none;
    ``sent`` are the requests as lines for ``curl`` since it was cleared last.
    """

    url: str
    clients: tuple[Client, ...]
    document: tuple[str, str] | None = None
    sent: list[str] = field(factory=list)
    _tokens: dict[str, str] = field(factory=dict, repr=False, init=False)

    def log_in(self) -> None:
        """Get a token of each client; raises :class:`NoSystem` where there is no service, or it doesn't know one."""
        for client in self.clients:
            self._tokens[client.id] = self._token_of(client)

    def _token_of(self, client: Client) -> str:
        form = {"client_id": client.id, "client_secret": client.secret, "grant_type": "client_credentials"}
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        try:
            heard = self._exchange("POST", "/oauth/token", headers, urlencode(form).encode())
        except (OSError, HTTPException, UnicodeError) as fault:
            raise NoSystem(
                f"{self.url} can't be reached: {_why(fault)}. Check the address, and that it runs."
            ) from fault
        if heard.status != 200:
            told = "Check the address, and the client's id and secret."
            raise NoSystem(f"{self.url} gave no token but {heard.status}. {told}")
        try:
            return str(heard.json["access_token"])
        except (AssertionError, KeyError, TypeError) as fault:
            told = "its answer to POST /oauth/token has none. Check the address: something else may listen there."
            raise NoSystem(f"{self.url} gave no token: {told}") from fault

    def _exchange(self, method: str, path: str, headers: dict[str, str], body: bytes | None) -> Heard:
        parts = address_of(self.url)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=_SECONDS)
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
        headers: Mapping[str, str] | None = None,
        key: str | None = None,
        client: Client | None = None,
        method: str = "POST",
        path: str = OPERATION_PATH,
    ) -> Heard:
        """One request to the operation; ``told`` is its body, as bytes or to be written as JSON.

        ``headers`` are added to those that every request of the client has, or replace them.
        """
        names = [name for name, flag in zip(("onlyReSend", "reMigrate"), flags, strict=True) if flag]
        query = "&".join([f"{name}=true" for name in names]) if query is None else query
        all_headers = {**self._headers(client or self.clients[0], key), **(headers or {})}
        body = told if isinstance(told, bytes) else json.dumps(told).encode()
        path = path + (f"?{query}" if query else "")
        self._note(method, path, all_headers, body)
        try:
            return self._exchange(method, path, all_headers, body)
        except (OSError, HTTPException) as fault:
            raise AssertionError(f"no answer: {type(fault).__name__}: {fault}") from fault

    def _headers(self, client: Client, key: str | None) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._tokens.get(client.id, '')}"}
        headers |= {"Zuora-Entity-Ids": min(client.entities)} if len(client.entities) > 1 else {}
        return headers | ({"Idempotency-Key": key} if key else {})

    def _note(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> None:
        """The request as a line to paste; the token is in a variable, for it is a secret."""
        told = {**headers, "Authorization": "Bearer $TOKEN"}
        parts = [f"-H {_quoted(f'{name}: {value}')}" for name, value in told.items()]
        address = shlex.quote(self.url.rstrip("/") + path)
        before, data = _data(body)
        self.sent.append(f"{before}curl -X {method} {address} {' '.join(parts)} {data}")


def _why(fault: Exception) -> str:
    """Why there was no answer, in words that don't repeat what the other side said."""
    if isinstance(fault, RemoteDisconnected):
        return "it closed the connection without an answer"
    if isinstance(fault, HTTPException):
        return "what answers there doesn't speak HTTP"
    return getattr(fault, "strerror", None) or str(fault) or type(fault).__name__


def _data(body: bytes) -> tuple[str, str]:
    """A body in front of ``curl`` and as its option: text as it is, anything else by way of base64."""
    text = body.decode(errors="replace")
    if text.isprintable() and text.encode() == body:
        return "", f"--data {shlex.quote(text)}"
    return f"base64 -d <<< {b64encode(body).decode()} | ", "--data-binary @-"


def _quoted(header: str) -> str:
    """A header as a word of the shell, in which only the token's variable is looked up."""
    return f'"{header}"' if header == "Authorization: Bearer $TOKEN" else shlex.quote(header)
