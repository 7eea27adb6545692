"""Who may ask, and which documents they may see (ACC). Tokens are checked elsewhere; no HTTP here."""

from __future__ import annotations

from typing import Final

from attrs import field, frozen
from attrs.validators import instance_of, optional

from regen_core.documents import DocumentHeader
from regen_core.refusals import EntityNotAccessible, EntityRequired, OrgNotAccessible, PermissionDenied

__all__ = ["Caller", "REGENERATION_PERMISSION", "Scope", "authorize"]

REGENERATION_PERMISSION: Final = "Manage OTR Transactions Regeneration"
"""The permission that the operation needs (ACC-1)."""


_SET: Final = instance_of(frozenset)
"""A set, never a text: parts of a text would pass for its elements."""


@frozen(kw_only=True)
class Caller:
    """An authenticated client: its tenant, the entities and organisations it may use, and its permissions.

    ``orgs`` empty means that the tenant doesn't use Multi-Org (ACC-3).
    """

    tenant: str
    client: str
    entities: frozenset[str] = field(validator=_SET)
    orgs: frozenset[str] = field(default=frozenset(), validator=_SET)
    permissions: frozenset[str] = field(default=frozenset({REGENERATION_PERMISSION}), validator=_SET)


@frozen(kw_only=True)
class Scope:
    """The effective tenant, entity and organisations of one request.

    ``orgs`` ``None`` means every organisation: a local operator, never a network caller. ``requested_orgs`` is what the
    header asked for, ``None`` when it was absent (IDM-4).

    >>> Scope(tenant="t", entity="e", orgs=frozenset({"north"})).requested_orgs is None
    True
    """

    tenant: str
    entity: str
    orgs: frozenset[str] | None = field(validator=optional(_SET))
    requested_orgs: frozenset[str] | None = field(default=None, validator=optional(_SET))

    def can_see(self, header: DocumentHeader) -> bool:
        """Whether a document is visible; to everybody else it doesn't exist (ACC-4)."""
        if header.key.tenant != self.tenant or header.key.entity != self.entity:
            return False
        return header.org is None or self.orgs is None or header.org in self.orgs

    def can_see_copy(self, copy: DocumentHeader, document: DocumentHeader | None) -> bool:
        """Whether what another system keeps of a document is visible: as the document is today (ACC-5).

        ``document`` ``None`` where it isn't known, then by the copy.
        """
        return self.can_see(copy if document is None else document)


def authorize(
    caller: Caller, entity_ids: str | None = None, org_ids: str | None = None
) -> Scope | PermissionDenied | EntityRequired | EntityNotAccessible | OrgNotAccessible:
    """The scope of a caller's request, or the first refusal of ranks 2 to 4.

    ``entity_ids`` and ``org_ids`` are the values of ``Zuora-Entity-Ids`` and ``Zuora-Org-Ids``; ``None`` means absent.
    Rules ACC-1 … ACC-3. An unknown and a foreign entity or organisation get the same answer.

    >>> caller = Caller(tenant="t", client="c", entities=frozenset({"e"}), orgs=frozenset({"north", "south"}))
    >>> sorted(authorize(caller, org_ids="south, south").orgs)
    ['south']
    """
    if REGENERATION_PERMISSION not in caller.permissions:
        return PermissionDenied(REGENERATION_PERMISSION)
    entity = _entity(caller, entity_ids)
    if not isinstance(entity, str):
        return entity
    if org_ids is None:
        return Scope(tenant=caller.tenant, entity=entity, orgs=caller.orgs)
    requested = frozenset(_elements(org_ids))
    if not requested <= caller.orgs:
        return OrgNotAccessible()
    return Scope(tenant=caller.tenant, entity=entity, orgs=requested, requested_orgs=requested)


def _entity(caller: Caller, entity_ids: str | None) -> str | EntityRequired | EntityNotAccessible:
    if entity_ids is not None:
        return entity_ids if entity_ids in caller.entities else EntityNotAccessible()
    if len(caller.entities) == 1:
        return next(iter(caller.entities))
    return EntityRequired() if caller.entities else EntityNotAccessible()


def _elements(header: str) -> list[str]:
    """The elements of a comma-separated header; an empty one stays, and no organisation is called so."""
    return [element.strip(" \t") for element in header.split(",")]
