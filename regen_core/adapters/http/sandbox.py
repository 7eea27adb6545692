"""A sandbox: the one client of a service that was started without a configuration."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterable
from typing import Final

from attrs import field, frozen

from regen_core.access import Caller
from regen_core.adapters.http.clients import Client, hash_secret

__all__ = ["SandboxClient", "new_client_id", "new_secret", "sandbox_client"]

_RANDOM_BYTES: Final = 30
"""Of a secret: the official SDK takes at most 42 characters, and these make 40."""


@frozen(kw_only=True)
class SandboxClient:
    """A client with its secret in plain text, to be printed once; both fit into the official SDK's fields."""

    client: Client
    secret: str = field(repr=False)


def new_client_id() -> str:
    """A client id as Zuora's are: 36 characters."""
    return str(uuid.uuid4())


def new_secret() -> str:
    """A secret of 240 random bits in 40 characters."""
    return secrets.token_urlsafe(_RANDOM_BYTES)


def sandbox_client(tenant: str, entity: str, orgs: Iterable[str]) -> SandboxClient:
    """A new client of one tenant and entity with every permission.

    >>> made = sandbox_client("default", "default", ())
    >>> len(made.client.caller.client), len(made.secret)
    (36, 40)
    """
    caller = Caller(tenant=tenant, client=new_client_id(), entities=frozenset({entity}), orgs=frozenset(orgs))
    secret = new_secret()
    return SandboxClient(client=Client(caller, hash_secret(secret)), secret=secret)
