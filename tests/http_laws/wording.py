"""One request in many wordings that mean the same: names, orders, cases, escapes, compression, headers, chunks.

Which wording a request gets depends on a number alone. The service must not care (REQ-3, REQ-6, REQ-10, REQ-13).
"""

from __future__ import annotations

import gzip
import json
from functools import lru_cache
from random import Random

from attrs import frozen

from regen_core.access import Caller, Scope
from regen_core.request import RegenerateRequest
from tests.http_laws.calling import Sent

__all__ = ["Worded", "worded"]

ENTITIES = frozenset({"e1", "e2"})
ORGS = frozenset({"north", "south"})
"""All organisations that documents of the small universe have: who has both sees everything."""

CLIENT = "someone"


@frozen
class Worded:
    """A request and who must send it; ``Authorization`` is still to be added."""

    caller: Caller
    sent: Sent

    def authorized(self, token: str) -> Sent:
        """The request with a bearer token."""
        headers = (*self.sent.headers, (b"authorization", b"Bearer " + token.encode()))
        return Sent(query=self.sent.query, headers=headers, parts=self.sent.parts)


@lru_cache(maxsize=4096)
def worded(scope: Scope, request: RegenerateRequest, number: int, *, key: str | None = None) -> Worded:
    """A request in the wording of a number."""
    rng = Random(number)  # noqa: S311  # a wording, no secret
    caller, headers = _asking(scope, rng)
    if key is not None:
        headers.append((b"idempotency-key", key.encode()))
    body, described = _body(request, rng)
    headers += described
    if rng.random() < 0.3:
        headers.append((b"zuora-version", b"2026-01-01"))
    rng.shuffle(headers)
    return Worded(caller, Sent(query=_query(request, rng), headers=tuple(headers), parts=_parts(body, rng)))


def _asking(scope: Scope, rng: Random) -> tuple[Caller, list[tuple[bytes, bytes]]]:
    """A caller with the scope: by what the token is valid for, or by a header that narrows it (ACC-2, ACC-3)."""
    headers = []
    entities = rng.choice((frozenset({scope.entity}), ENTITIES))
    if len(entities) > 1 or rng.random() < 0.2:
        headers.append((b"zuora-entity-ids", scope.entity.encode()))
    wanted = ORGS if scope.orgs is None else scope.orgs
    orgs = wanted if not wanted or rng.random() < 0.5 else ORGS
    if orgs != wanted or (wanted and rng.random() < 0.2):
        told = sorted(wanted) * rng.choice((1, 2))
        headers.append((b"zuora-org-ids", rng.choice((",", ", ")).join(told).encode()))
    return Caller(tenant=scope.tenant, client=CLIENT, entities=entities, orgs=orgs), headers


def _query(request: RegenerateRequest, rng: Random) -> bytes:
    pairs = []
    for name, flag in (("onlyReSend", request.only_re_send), ("reMigrate", request.re_migrate)):
        if flag or rng.random() < 0.5:
            value = "true" if flag else "false"
            name = rng.choice((name, name, name.replace("e", "%65")))  # noqa: PLW2901  # the same name
            pairs.append(f"{name}={rng.choice((value, value.capitalize(), value.upper()))}")
    rng.shuffle(pairs)
    return "&".join(pairs).encode()


def _body(request: RegenerateRequest, rng: Random) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    fields: list[tuple[str, str | None]] = [("type", request.type.value)]
    if request.id is not None:
        names = rng.choice((("id",), ("documentId",), ("documentId", "id")))
        fields += [(name, request.id) for name in names]
    if request.number is not None or rng.random() < 0.1:
        fields.append(("number", request.number))
    rng.shuffle(fields)
    text = json.dumps(dict(fields), indent=rng.choice((None, None, 2)), separators=rng.choice((None, (",", ":"))))
    if rng.random() < 0.2:
        text = text.replace("d", "\\u0064")
    headers = [(b"content-type", each) for each in rng.choice(_MEDIA_TYPES)]
    how = rng.random()
    if how < 0.2:
        return gzip.compress(text.encode(), 1, mtime=0), [*headers, (b"content-encoding", b"gzip")]
    if how < 0.3:
        headers.append((b"content-encoding", rng.choice((b"gzip", b"identity"))))
    return text.encode(), headers


_MEDIA_TYPES = (
    (b"application/json",),
    (b"application/json; charset=utf-8",),
    (b'Application/JSON;charset="UTF8"',),
    (),
)


def _parts(body: bytes, rng: Random) -> tuple[bytes, ...]:
    if rng.random() < 0.7:
        return (body,)
    cut = rng.randrange(len(body) + 1)
    return (body[:cut], b"", body[cut:])
