"""What an adopter names on the command line: ``module:factory``, looked for in the current directory too."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from traceback import FrameSummary, extract_tb
from typing import Any

__all__ = ["NoSystem", "factory_named", "made_by"]


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
    except (Exception, SystemExit) as fault:  # a module of somebody's own may raise anything
        advice = "Check the names, and where you run this."
        raise NoSystem(f"{text!r} can't be imported: {_told(fault)}. {advice}") from fault
    if not callable(found):
        kind = type(found).__name__
        raise NoSystem(f"{text!r} is of type {kind}. It must be callable and make an empty store each time.")
    made: Callable[..., Any] = found
    return made


def made_by(name: str, factory: Callable[..., Any]) -> Any:
    """What a factory makes when it is called for the first time; raises :class:`NoSystem` where that raises."""
    try:
        return factory()
    except NoSystem:
        raise
    except (Exception, SystemExit) as fault:  # as above
        asked = "It is called without arguments and must make an empty store each time."
        raise NoSystem(f"{name} raised {_told(fault)}. {asked}") from fault


def _told(fault: BaseException) -> str:
    """What was raised, and by which line of the adopter's; none is theirs where a name is wrong."""
    lines = [f"{Path(at.filename).name}:{at.lineno}" for at in extract_tb(fault.__traceback__)[1:] if _is_theirs(at)]
    said = f"{type(fault).__name__}: {fault}" if str(fault) else type(fault).__name__
    return f"{said} ({lines[-1]})" if lines else said


def _is_theirs(at: FrameSummary) -> bool:
    return not at.filename.startswith("<") and at.filename != importlib.__file__
