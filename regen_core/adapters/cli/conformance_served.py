"""What is behind ``regen serve``, as the kit needs it beside the service's address.

With ``--url … --store regen_core.adapters.cli.conformance_served:behind`` requests go to the service; documents get in,
and what is stored and sent is looked at, through the database that the service works on. ``REGEN_DB`` names it, as it
does for every command.
"""

from __future__ import annotations

import os
from typing import Final

from regen_core.access import Scope
from regen_core.adapters.cli.settings import DEFAULT_DB
from regen_core.adapters.sql import SqlStore
from regen_core.adapters.sql.sandbox import SqlSandbox

__all__ = ["behind"]

_PLACES: Final = tuple([Scope(tenant=name, entity=each, orgs=None) for name in ("t1", "t2") for each in ("e1", "e2")])
"""Where the kit's documents are; nothing of other tenants and entities is touched."""


def behind() -> SqlStore:
    """The service's database, emptied of what the kit has loaded before; whoever gets it closes it."""
    url = os.environ.get("REGEN_DB") or DEFAULT_DB
    store = SqlStore.open(url)
    used = [place for place in _PLACES if store.documents(place, limit=1).rows]
    if used:
        with SqlSandbox.open(url) as sandbox:
            for place in used:
                sandbox.empty(place)
    return store
