"""Injected faults at work: an executor around the service's own, which does to each operation what is asked for."""

from __future__ import annotations

import asyncio
from typing import Final

from attrs import field, frozen

from regen_core.adapters.http.envelope import DropConnection
from regen_core.adapters.http.execution import Executor, Outcome, Work
from regen_core.adapters.http.window.faults import NO_FAULTS, Effect, Faults, next_effect
from regen_core.ports import StoreFault

__all__ = ["CommitRefused", "FaultyExecutor", "InjectedFaults"]

_MS_PER_SECOND: Final = 1000


class CommitRefused(StoreFault):
    """The commit was refused because somebody asked for that; nothing was stored."""

    def __init__(self) -> None:
        super().__init__("This commit was refused by an injected fault. Nothing was stored; try again.")


@frozen(eq=False)
class InjectedFaults:
    """The faults that are to happen, by tenant: nobody's break anybody else's operations. Used from one thread."""

    _by_tenant: dict[str, Faults] = field(factory=dict, init=False)

    def of(self, tenant: str) -> Faults:
        """What is to go wrong for a tenant."""
        return self._by_tenant.get(tenant, NO_FAULTS)

    def put(self, tenant: str, faults: Faults) -> None:
        """Let this go wrong from now on, and nothing else."""
        self._by_tenant[tenant] = faults

    def next(self, tenant: str) -> Effect:
        """What happens to a tenant's next operation; it is used up by asking."""
        effect, self._by_tenant[tenant] = next_effect(self.of(tenant))
        return effect


@frozen(eq=False)
class FaultyExecutor:
    """Executes as another one does, late, not at all, or without anybody hearing of it."""

    inner: Executor
    faults: InjectedFaults

    async def submit(self, work: Work) -> Outcome:
        """What the request led to.

        Raises :class:`CommitRefused` in place of the commit, and
        :class:`~regen_core.adapters.http.envelope.DropConnection` once the commit is durable.
        """
        effect = self.faults.next(work.scope.tenant)
        if effect.delay_ms:
            await asyncio.sleep(effect.delay_ms / _MS_PER_SECOND)
        if effect.refuse:
            raise CommitRefused
        outcome = await self.inner.submit(work)
        if effect.drop:
            raise DropConnection
        return outcome
