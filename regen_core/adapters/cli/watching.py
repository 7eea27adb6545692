"""The window of ``regen serve``: whether there is one, and onto what."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Final

from regen_core.adapters.cli.faults import BrokenOff
from regen_core.ports import Store

if TYPE_CHECKING:
    from regen_core.adapters.http.configuration import Configuration
    from regen_core.adapters.http.window.route import Window

__all__ = ["watching"]

_OWN_FILE: Final = "sqlite:"
"""Databases that may be emptied by a click: a file of one's own, never a server that others may share."""


@contextmanager
def watching(
    store: Store,
    listening: socket.socket,
    configuration: Configuration,
    *,
    database: str,
    is_configured: bool,
    is_wanted: bool | None,
) -> Iterator[Window | None]:
    """A window into a service that is about to run, or ``None``.

    ``is_wanted`` ``None`` means that nobody said anything: then a sandbox on a loopback address has one, and a
    configured service has none. Raises :class:`BrokenOff` where one is wanted that other machines would reach.
    """
    from regen_core.adapters.http.tokens import Tokens  # noqa: PLC0415  # an extra of its own
    from regen_core.adapters.http.window.guard import Address, NotOnLoopback  # noqa: PLC0415
    from regen_core.adapters.http.window.route import Window  # noqa: PLC0415

    if is_wanted is False or (is_wanted is None and is_configured):
        yield None
        return
    try:
        address = Address(*listening.getsockname()[:2])
    except NotOnLoopback as fault:
        if is_wanted:
            raise BrokenOff(str(fault)) from None
        yield None
        return
    from regen_core.adapters.sql.sandbox import SqlSandbox  # noqa: PLC0415

    with ExitStack() as stack:
        is_own = database.startswith(_OWN_FILE) and not is_configured
        window = Window.into(
            store,
            address=address,
            callers=tuple(client.caller for client in configuration.clients),
            tokens=Tokens(time.monotonic),
            sandbox=stack.enter_context(SqlSandbox.open(database)) if is_own else None,
        )
        stack.callback(window.close)
        yield window
