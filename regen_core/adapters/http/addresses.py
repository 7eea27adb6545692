"""Whom an address stands for when failed logins and connections are counted."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

__all__ = ["Networks", "counted_address", "is_within", "networks_of"]

Networks = tuple[IPv4Network | IPv6Network, ...]

_PREFIX: Final = 64
"""Bits of an IPv6 address that name a network; whoever has one has all its addresses."""


def counted_address(host: str | None) -> str:
    """The address that is counted for: an IPv6 one stands for its network, a mapped one for IPv4, none for nobody.

    >>> counted_address("2001:db8::1") == counted_address("2001:db8::2"), counted_address("::ffff:192.0.2.1")
    (True, '192.0.2.1')
    """
    address = _parsed(host)
    if not isinstance(address, IPv6Address):
        return "" if address is None else str(address)
    return str(IPv6Network((address, _PREFIX), strict=False))


def networks_of(texts: tuple[str, ...]) -> Networks:
    """Addresses and networks as they are configured."""
    return tuple([ip_network(text) for text in texts])


def is_within(host: str | None, networks: Networks) -> bool:
    """Whether an address is one of these.

    >>> is_within("::ffff:10.1.2.3", networks_of(("10.0.0.0/8",))), is_within("192.0.2.1", networks_of(("10.0.0.0/8",)))
    (True, False)
    """
    address = _parsed(host)
    return address is not None and any(address in network for network in networks)


def _parsed(host: str | None) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address((host or "").partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
