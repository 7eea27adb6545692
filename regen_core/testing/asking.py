"""Requests for documents of the universe, in words: how the document is named, and what the caller may see of it."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from regen_core.access import Scope
from regen_core.documents import DocumentKey
from regen_core.request import RegenerateRequest

__all__ = ["NAMINGS", "SIGHTS", "asked"]

NAMINGS: Final = ("id", "number", "id and number", "id and another's number", "another's id")
"""How a request names its document (REQ-4)."""

SIGHTS: Final = ("everything", "north", "no organisation", "another entity", "another tenant")
"""What the caller may see (ACC-4)."""

_ORGS: Final = {"everything": None, "north": frozenset({"north"}), "no organisation": frozenset[str]()}


@lru_cache(maxsize=4096)
def asked(
    key: DocumentKey, number: str, naming: str, only_re_send: bool, re_migrate: bool, sight: str
) -> tuple[Scope, RegenerateRequest]:
    """The scope and the request for a document; ``number`` is its own, as loaded now (REQ-4, ACC-4)."""
    another = "d2" if key.id == "d1" else "d1"
    by_id, by_number = {
        "id": (key.id, None),
        "number": (None, number),
        "id and number": (key.id, number),
        "id and another's number": (key.id, f"N-{another}"),
        "another's id": (another, number),
    }[naming]
    tenant = "t2" if sight == "another tenant" else key.tenant
    entity = "e2" if sight == "another entity" else key.entity
    request = RegenerateRequest(
        type=key.type, id=by_id, number=by_number, only_re_send=only_re_send, re_migrate=re_migrate
    )
    return Scope(tenant=tenant, entity=entity, orgs=_ORGS.get(sight)), request
