"""What an adopter names on the command line: ``module:factory``, looked for in the current directory too."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

__all__ = ["NoSystem", "factory_named"]


class NoSystem(ValueError):  # noqa: N818  # named for what is the matter
    """Nothing that can be tested; the message says what was expected and what to do."""


def factory_named(text: str) -> Callable[..., Any]:
    """What ``module:factory`` names, looked for in the current directory too; raises :class:`NoSystem`."""
    module, colon, name = text.partition(":")
    if not (module and colon and name):
        raise NoSystem(f"{text!r} names no factory. Write module:factory, such as my_package.stores:build.")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        found: Any = import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as fault:
        raise NoSystem(f"{text!r} can't be imported: {fault}. Check the names, and where you run this.") from fault
    if not callable(found):
        raise NoSystem(
            f"{text!r} is of type {type(found).__name__}. It must be callable and make an empty store each time."
        )
    made: Callable[..., Any] = found
    return made
