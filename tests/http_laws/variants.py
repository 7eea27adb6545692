"""``regen serve`` with a protection taken out or a promise broken."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from regen_core.access import Caller
from regen_core.adapters.cli.main import main
from regen_core.adapters.http.exchange import Exchange
from regen_core.adapters.http.operation import Operation
from regen_core.wire import answers, submission

__all__ = ["VARIANTS", "start"]


def start(name: str) -> tuple[str, ...]:
    """What is called for a variant, and its first argument."""
    assert name in VARIANTS, "it is known"
    return (f"{__name__}:{run.__name__}", name)


def run() -> None:
    """The command line of the variant that its first argument names."""
    VARIANTS[sys.argv.pop(1)]()
    main()


def _lets_everybody_in() -> None:
    asked = Operation._caller

    def caller(operation: Operation, exchange: Exchange) -> Caller | None:
        known = list(operation._tokens._by_digest.values())
        return asked(operation, exchange) or (known[0].caller if known else None)

    Operation._caller = caller  # type: ignore[method-assign,assignment]


def _takes_any_flag() -> None:
    def flags(query: Sequence[tuple[str, str]], body: Mapping[str, object]) -> tuple[bool, bool]:
        told = {name: value.lower() == "true" for name, value in query}
        return told.get("onlyReSend", False), told.get("reMigrate", False)

    submission._flags = flags


def _tells_more_than_it_describes() -> None:
    def success_body(id_list: Iterable[str]) -> bytes:
        return answers._body({"success": True, "idList": list(id_list), "count": 1})

    answers.success_body = success_body


VARIANTS: Final[Mapping[str, Callable[[], None]]] = MappingProxyType(
    {
        "lets everybody in": _lets_everybody_in,
        "takes any flag": _takes_any_flag,
        "tells more than it describes": _tells_more_than_it_describes,
    }
)
