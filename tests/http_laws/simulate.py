"""Random histories over HTTP against the naive model, in this process; the command line is the kit's own::

python -m tests.http_laws.simulate --seeds 0:100 --steps 500
"""

from __future__ import annotations

import asyncio
import sys

from regen_core.testing import simulation
from regen_core.testing.subject import Subject
from tests.http_laws.subjects import HttpSubject, MemorySubject, in_process

__all__ = ["main"]


def main() -> int:
    """The kit's command line on a store behind a service."""
    serve = in_process(asyncio.new_event_loop())

    def build() -> Subject:
        return HttpSubject(MemorySubject(), serve)

    return simulation.main(build=build)


if __name__ == "__main__":
    sys.exit(main())
