"""A sandbox: the one client of a service that was started without a configuration."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterable

from attrs import field, frozen

from regen_core.access import Caller
from regen_core.adapters.http.clients import Client, hash_secret

__all__ = ["SandboxClient", "sandbox_client"]

_RANDOM_BYTES = 30


@frozen(kw_only=True)
class SandboxClient:
    """A client with its secret in plain text, to be printed once; both fit into the official SDK's fields."""

    client: Client
    secret: str = field(repr=False)


def sandbox_client(tenant: str, entity: str, orgs: Iterable[str]) -> SandboxClient:
    """A new client of one tenant and entity with every permission.

    >>> made = sandbox_client("default", "default", ())
    >>> len(made.client.caller.client), len(made.secret)
    (36, 40)
    """
    caller = Caller(tenant=tenant, client=str(uuid.uuid4()), entities=frozenset({entity}), orgs=frozenset(orgs))
    secret = secrets.token_urlsafe(_RANDOM_BYTES)
    return SandboxClient(client=Client(caller, hash_secret(secret)), secret=secret)
