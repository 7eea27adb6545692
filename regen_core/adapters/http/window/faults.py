"""Injected faults, as a value and one pure step: what happens to the next operation, and what is left for those after.

They are the faults that a client of the real thing meets and can't bring about: a commit that is refused, an answer
that is late, and a connection that breaks after the work was done. Who carries them out is the service's business.
"""

from __future__ import annotations

from typing import Any, Final

from attrs import Attribute, evolve, field, frozen

__all__ = ["Effect", "Faults", "MAX_COUNT", "MAX_DELAY_MS", "NO_FAULTS", "next_effect"]

MAX_COUNT: Final = 1000
"""Most operations that one injected fault is meant for: more than anybody watches, few enough to wear off."""

MAX_DELAY_MS: Final = 20_000
"""Longest delay in milliseconds: longer than a patient client's time limit for one attempt."""


def _within(most: int) -> Any:
    def check(_: object, attribute: Attribute[int], value: object) -> None:
        if type(value) is not int:
            raise TypeError(
                f"{attribute.name} is of type {type(value).__name__}; it is a whole number from 0 to {most}"
            )
        if not 0 <= value <= most:
            raise ValueError(f"{attribute.name} is {value}; it is a whole number from 0 to {most}")

    return check


@frozen(kw_only=True)
class Faults:
    """What is to go wrong.

    Fields: ``refuse`` how many of the next operations are answered as temporarily unavailable, nothing being stored
    (category 61); ``drop`` how many of those after them are carried out and stored but never answered, the connection
    being closed; ``delay_ms`` milliseconds by which every operation is late until that is taken back. Raises
    ``ValueError`` or ``TypeError`` for a number beyond :data:`MAX_COUNT` or :data:`MAX_DELAY_MS`.
    """

    refuse: int = field(default=0, validator=_within(MAX_COUNT))
    drop: int = field(default=0, validator=_within(MAX_COUNT))
    delay_ms: int = field(default=0, validator=_within(MAX_DELAY_MS))

    @property
    def is_quiet(self) -> bool:
        """Whether nothing is to go wrong."""
        return self == NO_FAULTS


NO_FAULTS: Final = Faults()


@frozen(kw_only=True)
class Effect:
    """What happens to one operation: it is late, then refused, or carried out and its connection dropped."""

    delay_ms: int = 0
    refuse: bool = False
    drop: bool = False


def next_effect(faults: Faults) -> tuple[Effect, Faults]:
    """What happens to the next operation, and the faults that are left; one that is refused isn't dropped as well.

    >>> effect, left = next_effect(Faults(refuse=1, drop=1, delay_ms=50))
    >>> effect, left
    (Effect(delay_ms=50, refuse=True, drop=False), Faults(refuse=0, drop=1, delay_ms=50))
    >>> next_effect(left)[0].drop
    True
    """
    if faults.refuse:
        return Effect(delay_ms=faults.delay_ms, refuse=True), evolve(faults, refuse=faults.refuse - 1)
    if faults.drop:
        return Effect(delay_ms=faults.delay_ms, drop=True), evolve(faults, drop=faults.drop - 1)
    return Effect(delay_ms=faults.delay_ms), faults
