"""OAuth clients and their secrets: kept as scrypt hashes, compared in constant time, as slow for unknown ids."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from attrs import field, frozen

from regen_core.access import Caller

__all__ = ["Client", "Clients", "SecretHash", "hash_secret"]

_COST: Final = 2**14
_BLOCK_SIZE: Final = 8
_LANES: Final = 1
_MEMORY: Final = 64 * 1024 * 1024
"""scrypt at 16 MiB and some tens of milliseconds: dear for who guesses, and once an hour for who logs in."""

_SALT_BYTES: Final = 16
_KEY_BYTES: Final = 32
_SCHEME: Final = "scrypt"


@frozen
class SecretHash:
    """A client's secret as it is kept. Its text is ``scrypt$SALT$KEY``, both in base64.

    >>> SecretHash.parse("scrypt$c2FsdA==$a2V5") is None, SecretHash.parse(hash_secret("s").text) is None
    (True, False)
    """

    salt: bytes = field(repr=False)
    key: bytes = field(repr=False)

    @property
    def text(self) -> str:
        """What stands in a configuration file."""
        return "$".join([_SCHEME, *[base64.b64encode(each).decode() for each in (self.salt, self.key)]])

    @classmethod
    def parse(cls, text: str) -> SecretHash | None:
        """The hash of a text, ``None`` where it isn't one."""
        scheme, *parts = text.split("$")
        try:
            salt, key = [base64.b64decode(part, validate=True) for part in parts]
        except (ValueError, binascii.Error):
            return None
        is_whole = scheme == _SCHEME and len(salt) == _SALT_BYTES and len(key) == _KEY_BYTES
        return cls(salt, key) if is_whole else None

    def matches(self, secret: str) -> bool:
        """Whether this is the hash of a secret. It takes as long for a wrong one as for the right one."""
        return hmac.compare_digest(_derived(secret, self.salt), self.key)


def hash_secret(secret: str) -> SecretHash:
    """The hash of a secret, with a fresh salt."""
    salt = secrets.token_bytes(_SALT_BYTES)
    return SecretHash(salt, _derived(secret, salt))


def _derived(secret: str, salt: bytes) -> bytes:
    """Of the secret's digest: scrypt's HMAC takes a secret with NULs behind it for the secret itself."""
    return hashlib.scrypt(
        hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest(),
        salt=salt,
        n=_COST,
        r=_BLOCK_SIZE,
        p=_LANES,
        maxmem=_MEMORY,
        dklen=_KEY_BYTES,
    )


@frozen
class Client:
    """A client that may log in, and the caller that it is then."""

    caller: Caller
    secret: SecretHash


def _nobody() -> SecretHash:
    """A hash that no secret has: what an unknown client is compared with, so that it takes as long."""
    return SecretHash(secrets.token_bytes(_SALT_BYTES), secrets.token_bytes(_KEY_BYTES))


@frozen(eq=False)
class Clients:
    """All clients by their id."""

    by_id: Mapping[str, Client]
    _unknown: SecretHash = field(factory=_nobody, init=False)

    @classmethod
    def of(cls, clients: Iterable[Client]) -> Clients:
        """Clients by the name that their callers have."""
        return cls(MappingProxyType({client.caller.client: client for client in clients}))

    def authenticated(self, client_id: str, secret: str) -> Caller | None:
        """The caller of an id with its secret, else ``None``. Slow on purpose: call it on a thread."""
        client = self.by_id.get(client_id)
        matches = (self._unknown if client is None else client.secret).matches(secret)
        return client.caller if client is not None and matches else None
