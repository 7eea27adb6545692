"""An address to deliver to, as given by whoever runs the relay, taken apart and checked; its secrets are never shown.

The address comes from the command line or a configuration, never from data, an answer or a redirect.
"""

from __future__ import annotations

import ipaddress
from base64 import b64encode
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from attrs import field, frozen

__all__ = ["BadDestination", "Destination", "destination_of"]

_LONGEST_URL: Final = 2_048
"""Characters; servers take hardly more."""

_PORTS: Final = {"http": 80, "https": 443}


class BadDestination(ValueError):  # noqa: N818  # the word of the field
    """An address that nothing can be delivered to; the message never repeats it, for it may hold a password."""

    def __init__(self, fault: str) -> None:
        super().__init__(f"The address of --to {fault}. Give one such as https://revenue.example/deliveries.")


@frozen(kw_only=True)
class Destination:
    """Where requests go.

    Fields: ``target`` path and query; ``authorization`` the header's value, ``None`` without credentials, and like
    ``target`` in no representation, since a query may hold a key.
    """

    scheme: str
    host: str
    port: int
    target: str = field(repr=False)
    authorization: str | None = field(repr=False)

    @property
    def authority(self) -> str:
        """Host and port as the ``Host`` header has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def shown(self) -> str:
        """The address for people: without credentials and without the query's values."""
        path, asks, _ = self.target.partition("?")
        return f"{self.scheme}://{self.authority}{path}{'?…' if asks else ''}"


def destination_of(url: str, token: str | None = None) -> Destination:
    """Take an ``http`` or ``https`` address apart; raises :class:`BadDestination`.

    Credentials come from ``token`` (bearer) or from the address itself (basic), and go over TLS or to this machine.

    >>> destination_of("https://ann:secret@revenue.example/in?key=1").shown
    'https://revenue.example/in?…'
    """
    parts = _split(url)
    host = _host(parts)
    authorization = _authorization(parts, token)
    if authorization is not None and parts.scheme != "https" and not _is_this_machine(host):
        raise BadDestination("would send credentials unencrypted: they go over https or to this machine")
    target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    port = _port(parts) or _PORTS[parts.scheme]
    return Destination(scheme=parts.scheme, host=host, port=port, target=target, authorization=authorization)


def _split(url: str) -> SplitResult:
    if len(url) > _LONGEST_URL:
        raise BadDestination(f"has more than {_LONGEST_URL} characters")
    if not all("!" <= character <= "~" for character in url):
        raise BadDestination("holds a character that is not visible ASCII; write it as %XX")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise BadDestination("is not a URL") from None
    if parts.scheme not in _PORTS:
        raise BadDestination("does not begin with http:// or https://")
    if "#" in url:
        raise BadDestination("has a fragment, which no server ever gets")
    return parts


def _host(parts: SplitResult) -> str:
    if not parts.hostname:
        raise BadDestination("names no host")
    return parts.hostname


def _port(parts: SplitResult) -> int | None:
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        raise BadDestination("has a port that is no number from 1 to 65535")
    return port


def _authorization(parts: SplitResult, token: str | None) -> str | None:
    has_own = "@" in parts.netloc
    if token is None:
        if not has_own:
            return None
        given = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
        return f"Basic {b64encode(given.encode()).decode()}"
    if has_own:
        raise BadDestination("has credentials, and a token is given too: only one of them can be sent")
    if not token or not all("!" <= character <= "~" for character in token):
        raise BadDestination("can't get the token that is given: it is empty or holds more than visible ASCII")
    return f"Bearer {token}"


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
