"""Who wrote a transaction and when, as the kit told it: a service takes both from its own clock and its own clients.

The kit dates each request; over HTTP nobody can. So what a request writes first counts as written on the occasion that
the kit had in mind, for as long as the service goes on telling the same of it: a creation that changes later, or an
update without a new revision, shows as it is.
"""

from __future__ import annotations

from attrs import define, evolve, field

from regen_core.transactions import BillingTransaction, Occasion

__all__ = ["Moments"]

_Pair = tuple[Occasion | None, Occasion | None]


@define
class Moments:
    """For every transaction that was seen what the service tells and what the kit had in mind."""

    _created: dict[str, _Pair] = field(factory=dict, init=False)
    _updated: dict[tuple[str, int], _Pair] = field(factory=dict, init=False)

    def note(self, transaction: BillingTransaction, occasion: Occasion | None) -> None:
        """A request on this occasion may have written the transaction."""
        self._created.setdefault(transaction.id, (transaction.created, occasion))
        self._updated.setdefault((transaction.id, transaction.revision), (transaction.updated, occasion))

    def told(self, transaction: BillingTransaction) -> BillingTransaction:
        """The transaction with the kit's occasions, as far as the service still tells what it told first."""
        created = self._created.get(transaction.id)
        updated = self._updated.get((transaction.id, transaction.revision))
        return evolve(
            transaction, created=_kept(transaction.created, created), updated=_kept(transaction.updated, updated)
        )


def _kept(now: Occasion | None, pair: _Pair | None) -> Occasion | None:
    return pair[1] if pair is not None and pair[0] == now else now
