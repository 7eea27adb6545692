"""What nearly every worker needs, imported once in the process that they are forked from.

A short worker would otherwise spend a third of its time on it. What is there is frozen: a worker that collects garbage
would touch, and so copy, all of it.
"""

from __future__ import annotations

import gc
from importlib import import_module

for each in (
    "tests.crash.workers",
    "tests.crash.migrations",
    "regen_core.adapters.cli.delivering",
    "regen_core.adapters.cli.migrating",
    "regen_core.adapters.sql.on_sqlite",
):
    import_module(each)

gc.collect()
gc.freeze()
