"""One address can't hold every connection: the others are let in, and so is a proxy that speaks for many."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from regen_core.adapters.http.protocol import Bounds
from tests.http.test_connections import BODY, PATIENCE, Server, everything, running

MOST, THEIRS = 8, 5
ONE, OTHER = "127.0.0.1", "127.0.0.2"
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="a second address of this machine without setting one up")


def connected(server: Server, address: str) -> socket.socket:
    """A connection from an address of this machine."""
    return socket.create_connection((ONE, server.port), timeout=PATIENCE, source_address=(address, 0))


@contextmanager
def held(server: Server, address: str, count: int) -> Iterator[list[socket.socket]]:
    """Idle connections of an address; the server has seen them all, for each was answered."""
    with ExitStack() as stack:
        wires = [stack.enter_context(connected(server, address)) for _ in range(count)]
        for wire in wires:
            wire.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        yield wires


def is_answered(server: Server, address: str) -> bool:
    """Whether a client of an address is let in."""
    with connected(server, address) as wire:
        try:
            wire.sendall(server.head("Connection: close", length=len(BODY)) + BODY)
        except OSError:
            return False
        return everything(wire).startswith(b"HTTP/1.1 200")


def greeted(wires: list[socket.socket]) -> int:
    """How many of the connections got an answer."""
    count = 0
    for wire in wires:
        try:
            count += bool(wire.recv(1))
        except ConnectionResetError:
            continue
    return count


@LINUX
def test_one_address_leaves_room_for_others() -> None:
    """It holds its share, is refused more, and another one is answered; with some of them gone it may come again."""
    bounds = Bounds(connections=MOST, connections_per_address=THEIRS)
    with running(bounds) as server, held(server, ONE, MOST + 2) as wires:
        assert greeted(wires) == THEIRS
        assert is_answered(server, OTHER)
        assert not is_answered(server, ONE)
        for wire in wires[:2]:
            wire.close()
        assert any(is_answered(server, ONE) for _ in range(100))


@LINUX
def test_control_without_a_share_it_shuts_the_others_out() -> None:
    """The same attack where an address may have all that there are."""
    bounds = Bounds(connections=MOST, connections_per_address=MOST)
    with running(bounds) as server, held(server, ONE, MOST) as wires:
        assert greeted(wires) == MOST
        assert not is_answered(server, OTHER)


def test_a_trusted_proxy_has_no_share() -> None:
    """Its connections are those of many clients; the limit of all of them holds for it too."""
    bounds = Bounds(connections=MOST, connections_per_address=THEIRS)
    with running(bounds, trusted_proxies=("127.0.0.0/8",)) as server, held(server, ONE, MOST + 1) as wires:
        assert greeted(wires) == MOST
