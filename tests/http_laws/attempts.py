"""A request in layers, each of which can be broken without touching another, and how it is put on the wire."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Final
from urllib.parse import quote

from attrs import Factory, define, frozen

from regen_core.access import Caller
from regen_core.idempotency import OPERATION_PATH
from regen_core.wire.submission import Submission
from tests.http_laws.calling import Sent

__all__ = ["Attempt", "CANARY", "KINDS", "Standing", "Token", "valid_attempt"]

CANARY: Final = "q7Xv"
"""In every value of the caller's and in no word of the service's: what it says must never hold it."""

KINDS: Final = ("Invoice", "CreditMemo", "DebitMemo", "InvoiceItemAdjustment")
_FLAGS: Final = (
    (),
    (("reMigrate", "true"),),
    (("onlyReSend", "True"), ("reMigrate", "FALSE")),
    (("onlyReSend", "false"),),
)
_LATIN: Final = "latin-1"


class Token:
    """What stands in ``Authorization``, by a word: who may ask, and each way in which nobody may."""

    VALID = "valid"
    WAYS: Final = ("absent", "unknown", "expired", "twice", "basic", "altered", "blank", "spaced", "listed")


@frozen
class Standing:
    """What the token is valid for."""

    is_permitted: bool = True
    has_several: bool = False
    has_orgs: bool = True

    def caller(self) -> Caller:
        """The caller of this standing."""
        return _CALLERS[self.is_permitted, self.has_several, self.has_orgs]


def _caller(standing: Standing) -> Caller:
    return Caller(
        tenant=f"t-{CANARY}",
        client=f"c-{CANARY}",
        entities=frozenset({"e1", "e2"} if standing.has_several else {"e1"}),
        orgs=frozenset({"north", "south"} if standing.has_orgs else ()),
        permissions=frozenset({"Manage OTR Transactions Regeneration"} if standing.is_permitted else {"Other"}),
    )


_BOTH = (True, False)
_STANDINGS: Final = {
    (is_permitted, has_several, has_orgs): Standing(is_permitted, has_several, has_orgs)
    for is_permitted in _BOTH
    for has_several in _BOTH
    for has_orgs in _BOTH
}
_CALLERS: Final = {each: _caller(standing) for each, standing in _STANDINGS.items()}


@define
class Attempt:
    """A request that is about to be sent; ``fields`` hold JSON texts, ``text`` and ``pack`` are done to them last."""

    fields: list[tuple[str, str]]
    query: list[tuple[str, str]]
    headers: list[tuple[str, str]]
    method: str = "POST"
    path: str = OPERATION_PATH
    token: str = Token.VALID
    is_permitted: bool = True
    has_several: bool = False
    has_orgs: bool = True
    is_limited: bool = False
    raw_query: str | None = None
    text: Callable[[bytes], bytes] | None = None
    pack: Callable[[bytes], bytes] | None = None
    pad: bytes = b""
    cuts: list[int] = Factory(list)

    @property
    def standing(self) -> Standing:
        """What its token is valid for."""
        return _STANDINGS[self.is_permitted, self.has_several, self.has_orgs]

    def set_header(self, name: str, *values: str) -> None:
        """Give a header these values instead of what it had."""
        self.headers = [each for each in self.headers if each[0].lower() != name.lower()]
        self.headers += [(name, value) for value in values]

    def set_field(self, name: str, text: str) -> None:
        """Give a field a JSON text instead of what it had."""
        self.fields = [each for each in self.fields if each[0] != name]
        self.fields.append((name, text))

    def without(self, *names: str) -> None:
        """Take fields out."""
        self.fields = [each for each in self.fields if each[0] not in names]

    @property
    def body(self) -> bytes:
        """Its bytes."""
        body = ("{" + ",".join([f'"{name}":{text}' for name, text in self.fields]) + "}").encode(
            "utf-8", "surrogatepass"
        )
        if self.text is not None:
            body = self.text(body)
        if self.pack is not None:
            body = self.pack(body)
        return body + self.pad if self.pad else body

    def submission(self) -> Submission:
        """It as the core gets it."""
        headers = [*self.headers, *[("Authorization", "Bearer x")] * (2 if self.token == "twice" else 1)]  # noqa: S105
        is_known = self.token in (Token.VALID, "twice")
        return Submission(
            method=self.method,
            path=self.path,
            query=tuple(self.query),
            headers=tuple(headers),
            body=self.body,
            caller=self.standing.caller() if is_known else None,
            retry_after=7 if self.is_limited else None,
        )

    def sent(self, authorizations: list[str]) -> Sent:
        """It as a server hands it over, with these headers of authorization."""
        query = self.raw_query
        if query is None:
            query = "&".join([f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in self.query])
        headers = [(name.lower().encode(_LATIN), value.encode(_LATIN)) for name, value in self.headers]
        headers += [(b"authorization", each.encode(_LATIN)) for each in authorizations]
        body, parts, start = self.body, [], 0
        for cut in sorted(self.cuts):
            parts.append(body[start:cut])
            start = max(start, cut)
        return Sent(
            method=self.method,
            path=self.path,
            query=query.encode(_LATIN),
            headers=tuple(headers),
            parts=(*parts, body[start:]),
        )


def valid_attempt(rng: Random, names: tuple[str, ...]) -> Attempt:
    """A request that is admitted; ``names`` are the ids that documents may have."""
    bits = rng.getrandbits(16)
    name = names[bits % len(names)]
    fields = [("type", f'"{KINDS[bits >> 2 & 3]}"'), ("id", f'"{name}"')]
    if bits >> 4 & 3 == 0:
        fields[1] = ("documentId", f'"{name}"')
    elif bits >> 4 & 3 == 1:
        fields.append(("number", json.dumps(f"N-{name}")))
    headers = [("Content-Type", "application/json")]
    has_several = bits >> 6 & 1 == 1
    if has_several:
        headers.append(("Zuora-Entity-Ids", "e1"))
    if bits >> 7 & 3 == 0:
        headers.append(("Zuora-Org-Ids", "south, north"))
    if bits >> 9 & 1:
        headers.append(("Zuora-Track-Id", f"job {CANARY} {bits}"))
    if bits >> 10 & 3 == 0:
        headers.append(("Idempotency-Key", f"{CANARY}-{rng.getrandbits(32):x}"))
    return Attempt(fields=fields, query=list(_FLAGS[bits >> 12 & 3]), headers=headers, has_several=has_several)
