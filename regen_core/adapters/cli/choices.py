"""How values of the field are spelled on the command line: as the enums spell them, and as names and keys may be."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, Generic, TypeVar

import click

__all__ = ["choice", "faultless", "flag_or_unknown", "whole"]

E = TypeVar("E", bound=Enum)


class _EnumChoice(click.Choice[str], Generic[E]):
    """One member of an enum, by its value; spaces in a value may be written as hyphens."""

    def __init__(self, kind: type[E]) -> None:
        self._members = {str(member.value).replace(" ", "-"): member for member in kind}
        super().__init__(list(self._members))

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The member; a value with spaces is understood too."""
        if isinstance(value, Enum):
            return value
        return self._members[super().convert(str(value).replace(" ", "-"), param, ctx)]

    def get_missing_message(self, param: click.Parameter, ctx: click.Context | None) -> str:  # noqa: ARG002  # click's
        """What may be given, on the same line."""
        return f"Choose from: {', '.join(self._members)}."


def choice(kind: type[Enum]) -> click.ParamType[Any]:
    """A parameter type for the members of an enum, spelled exactly (REQ-2)."""
    return _EnumChoice(kind)


class _Whole(click.IntRange):
    name = "whole number"


def whole(least: int | None = None, most: int | None = None) -> click.ParamType[Any]:
    """A parameter type for whole numbers, bounds included; ``None`` is no bound."""
    return _Whole(least, most)


def faultless(fault_of: Callable[[str], str | None]) -> Callable[[click.Context, click.Parameter, Any], Any]:
    """A callback for an option whose values, one, several or none, are wrong usage where ``fault_of`` finds a fault."""

    def check(ctx: click.Context, parameter: click.Parameter, value: Any) -> Any:
        for each in value if isinstance(value, tuple) else (value,):
            fault = None if each is None else fault_of(each)
            if fault is not None:
                raise click.BadParameter(fault, ctx, parameter)
        return value

    return check


def flag_or_unknown(name: str, told: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A flag with a ``--no-`` twin; without either the fact is not told."""
    return click.option(f"{name}/--no-{name[2:]}", default=None, help=f"{told}  [default: not told]")
