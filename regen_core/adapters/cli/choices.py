"""How values of the field are spelled on the command line: as the enums spell them, and no other way."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, Generic, TypeVar

import click

__all__ = ["choice", "flag_or_unknown"]

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


def choice(kind: type[Enum]) -> click.ParamType[Any]:
    """A parameter type for the members of an enum, spelled exactly (REQ-2)."""
    return _EnumChoice(kind)


def flag_or_unknown(name: str, told: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A flag with a ``--no-`` twin; without either the fact is not told."""
    return click.option(f"{name}/--no-{name[2:]}", default=None, help=f"{told}  [default: not told]")
