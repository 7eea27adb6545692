"""Whom an address stands for when failed logins are counted."""

from __future__ import annotations

from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Final

__all__ = ["counted_address"]

_PREFIX: Final = 64
"""Bits of an IPv6 address that name a network; whoever has one has all its addresses."""


def counted_address(host: str | None) -> str:
    """The address that failures are counted for: an IPv6 one stands for its network, a mapped one for IPv4.

    >>> counted_address("2001:db8::1") == counted_address("2001:db8::2"), counted_address("::ffff:192.0.2.1")
    (True, '192.0.2.1')
    """
    try:
        address = ip_address((host or "").partition("%")[0])
    except ValueError:
        return ""
    if not isinstance(address, IPv6Address):
        return str(address)
    return str(address.ipv4_mapped or IPv6Network((address, _PREFIX), strict=False))
