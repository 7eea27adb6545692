"""Who may look through the window: the checks of a request that knows the path, as pure functions (loopback only).

A page on the internet can make a browser send requests to this machine, and can have its own name resolve to it. So a
request must name the address that the window was opened on (``Host``), must not come from another page (``Origin``,
``Sec-Fetch-Site``), and what changes something must be JSON, which no form of another page can send unasked. The random
path keeps everybody else out, and leads to the same answer as any path that isn't there.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Sequence
from secrets import token_urlsafe
from typing import Final

from attrs import Attribute, field, frozen

__all__ = ["Address", "Knock", "NotOnLoopback", "TOKEN_BYTES", "fault_of", "is_token", "new_token"]

TOKEN_BYTES: Final = 32
"""Random bytes of the path: twice the 128 bits that nobody guesses."""

_JSON: Final = ("application/json", "application/x-ndjson")
"""Content types that a browser asks permission for before it sends them to another origin; it gets none here."""

_HARMLESS: Final = frozenset({"GET", "HEAD"})


class NotOnLoopback(ValueError):  # noqa: N818  # named for what is the matter
    """The window was asked for on an address that other machines reach; the message says what to do."""

    def __init__(self, host: str) -> None:
        super().__init__(
            f"The window shows and changes everything, so it opens on this machine alone, and {host!r} is no loopback "
            "address. Listen on 127.0.0.1, or leave the window out."
        )


def new_token() -> str:
    """A random part of a path, from the operating system's generator."""
    return token_urlsafe(TOKEN_BYTES)


def is_token(given: str, token: str) -> bool:
    """Whether a path has the token; how long that takes tells nothing about it.

    >>> is_token("a" * 43, "a" * 43), is_token("ä", "a")
    (True, False)
    """
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), token.encode())


@frozen
class Address:
    """Where the service listens: a loopback address and a port. Raises :class:`NotOnLoopback`.

    >>> sorted(Address("::1", 8080).hosts)
    ['127.0.0.1:8080', '[::1]:8080', 'localhost:8080']
    """

    host: str = field()
    port: int

    @host.validator
    def _is_loopback(self, _: Attribute[str], value: str) -> None:
        if value == "localhost":
            return
        try:
            is_loopback = ipaddress.ip_address(value).is_loopback
        except ValueError:
            is_loopback = False
        if not is_loopback:
            raise NotOnLoopback(value)

    @property
    def shown_host(self) -> str:
        """The host as a URL has it."""
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def hosts(self) -> frozenset[str]:
        """What ``Host`` may say: this address by any of its names, with its port."""
        names = {self.shown_host, "localhost", "127.0.0.1", "[::1]"}
        with_port = {f"{name}:{self.port}" for name in names}
        return frozenset(with_port | names if self.port == 80 else with_port)

    @property
    def origin(self) -> str:
        """The address as the beginning of a URL."""
        return f"http://{self.shown_host}:{self.port}"


@frozen(kw_only=True)
class Knock:
    """The part of a request that is checked: its method, and its headers as pairs with lower-case names."""

    method: str
    headers: Sequence[tuple[str, str]]

    def values(self, name: str) -> list[str]:
        """All values of a header."""
        return [value for each, value in self.headers if each == name]


def fault_of(knock: Knock, address: Address) -> str | None:
    """Why a request that knows the path is refused all the same, or ``None``.

    >>> fault_of(Knock(method="GET", headers=[("host", "127.0.0.1:8080")]), Address("127.0.0.1", 8080)) is None
    True
    >>> fault_of(Knock(method="GET", headers=[("host", "rebound.example")]), Address("127.0.0.1", 8080))
    'Host names another address; open the window on http://127.0.0.1:8080.'
    """
    hosts, origins, sites = (knock.values(name) for name in ("host", "origin", "sec-fetch-site"))
    if len(hosts) != 1 or hosts[0].lower() not in address.hosts:
        return f"Host names another address; open the window on {address.origin}."
    if origins and origins != [f"http://{hosts[0]}"]:
        return "Origin is another page; only the window's own page may ask."
    is_harmless = knock.method in _HARMLESS
    if sites and sites not in ([["same-origin"], ["none"]] if is_harmless else [["same-origin"]]):
        return "The request was begun by another site; only the window's own page may ask."
    if not is_harmless and not _is_json(knock.values("content-type")):
        return f"Content-Type is none of {', '.join(_JSON)}, which alone may change something here."
    return None


def _is_json(content_types: list[str]) -> bool:
    """Whether there is one content type, and it is JSON; parameters such as the charset don't matter."""
    return len(content_types) == 1 and content_types[0].partition(";")[0].strip().lower() in _JSON
