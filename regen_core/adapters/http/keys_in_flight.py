"""The Idempotency-Keys whose first request is under way here, so that a second one hears it at once (IDM-3).

The store claims keys, too, and for all processes; but a request that waits for its turn at the store would hear that
only then.
"""

from __future__ import annotations

from attrs import field, frozen

from regen_core.adapters.http.execution import Executor, Outcome, Work
from regen_core.idempotency import KEY_IS_RUNNING

__all__ = ["KeysInFlight"]


@frozen(eq=False)
class KeysInFlight:
    """An executor around another one. Used from one thread, the event loop's.

    A key is let go with its request, or with whoever waited for that; then the store's own claim still holds (IDM-7).
    """

    executor: Executor
    _keys: set[tuple[str, str, str]] = field(factory=set, init=False)

    async def submit(self, work: Work) -> Outcome:
        """What the request led to, or that an earlier one under its key is running."""
        if work.idempotent is None:
            return await self.executor.submit(work)
        key = (work.scope.tenant, work.idempotent.client, work.idempotent.key)
        if key in self._keys:
            return KEY_IS_RUNNING
        self._keys.add(key)
        try:
            return await self.executor.submit(work)
        finally:
            self._keys.discard(key)
