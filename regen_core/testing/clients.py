"""Who asks a service: OAuth clients with what their tokens reach, and which of them can ask what the kit wants to ask.

The universe has tenants ``t1`` and ``t2``, entities ``e1`` and ``e2``, organisations ``north`` and ``south``. One
client that sees both organisations of ``t1``, ``e1`` is enough to begin with; what needs others is told as skipped: a
scope that no client reaches is :class:`OutOfReach`, never a fault of the service.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from attrs import define, field, frozen

from regen_core.access import Scope

__all__ = ["ORGS", "Asker", "Client", "Clients", "OutOfReach"]

ORGS: Final = frozenset({"north", "south"})
"""All organisations of the universe: who has both sees everything of an entity."""


class OutOfReach(Exception):  # noqa: N818  # named for what is the matter
    """Something that no client can ask for; the message says what a client would need."""


def _set(names: Iterable[str]) -> frozenset[str]:
    return frozenset(names)


@frozen(kw_only=True)
class Client:
    """An OAuth client of a service, and what its token reaches (ACC-1 … ACC-3)."""

    id: str
    secret: str = field(repr=False)
    tenant: str = "t1"
    entities: frozenset[str] = field(default=frozenset({"e1"}), converter=_set)
    orgs: frozenset[str] = field(default=ORGS, converter=_set)


@frozen
class Asker:
    """A client with the headers that give its request a scope."""

    client: Client
    headers: dict[str, str]


@define
class Clients:
    """A service's clients; names that the kit's scenarios use are given out to them in order, tenant by tenant."""

    known: Sequence[Client]
    _named: dict[tuple[str, str], Client] = field(factory=dict, init=False)

    def reaches(self, scope: Scope) -> bool:
        """Whether anybody can ask with this scope."""
        return any(headers_of(each, scope) is not None for each in self.known)

    def asker(self, scope: Scope, name: str | None = None) -> Asker:
        """Who asks with this scope; ``name`` is one of a scenario's clients. Raises :class:`OutOfReach`."""
        fitting = [(each, headers_of(each, scope)) for each in self.known]
        for client, headers in fitting:
            if headers is not None and self._is_free(client, scope.tenant, name):
                return Asker(client, headers)
        whose = "a client" if name is None else f"a client of its own ({name!r})"
        orgs = sorted(ORGS if scope.orgs is None else scope.orgs)
        seen = f"that sees orgs {', '.join(orgs)}" if orgs else "that sees no org"
        raise OutOfReach(f"needs {whose} of tenant {scope.tenant}, entity {scope.entity}, {seen}")

    def _is_free(self, client: Client, tenant: str, name: str | None) -> bool:
        """Whether a client has this name already, or none yet, and takes it."""
        if name is None:
            return True
        taken = self._named.get((tenant, name))
        if taken is None and client not in self._named.values():
            taken = self._named[tenant, name] = client
        return taken == client

    def forget_names(self) -> None:
        """Give names out anew: another scenario begins."""
        self._named.clear()


def headers_of(client: Client, scope: Scope) -> dict[str, str] | None:
    """The headers that give a client's request this scope; ``None`` where none do.

    >>> both = Client(id="c", secret="s")
    >>> headers_of(both, Scope(tenant="t1", entity="e1", orgs=frozenset({"north"})))
    {'Zuora-Org-Ids': 'north'}
    >>> headers_of(both, Scope(tenant="t1", entity="e1", orgs=None))
    {}
    >>> headers_of(both, Scope(tenant="t1", entity="e1", orgs=frozenset())) is None
    True
    """
    if client.tenant != scope.tenant or scope.entity not in client.entities:
        return None
    headers = {} if len(client.entities) == 1 else {"Zuora-Entity-Ids": scope.entity}
    wanted = ORGS if scope.orgs is None else scope.orgs
    if scope.requested_orgs is None and client.orgs == wanted:
        return headers
    asked = wanted if scope.requested_orgs is None else scope.requested_orgs
    if not asked or not asked <= client.orgs:
        return None
    return {**headers, "Zuora-Org-Ids": ",".join(sorted(asked))}
