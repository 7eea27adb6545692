"""Put a mutant's functions in place of the loaded ones, or its whole module in place of what would be imported."""

from __future__ import annotations

import gc
import importlib.abc
import importlib.util
import sys
import types
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path

from tests.mutants.mutant import CORE, Mutant, Place, functions_of

__all__ = ["ImportsMutant", "live_functions", "swap"]

Live = dict[tuple[str, Place], list[types.FunctionType]]
"""By module and place, the functions that were made there."""


def live_functions() -> Live:
    """The functions of the core's modules that are loaded now."""
    found: Live = {}
    for each in gc.get_objects():
        if isinstance(each, types.FunctionType):
            path = Path(each.__code__.co_filename)
            if path.parent == CORE:
                place = each.__code__.co_qualname, each.__code__.co_firstlineno
                found.setdefault((path.stem, place), []).append(each)
    return found


def swap(mutant: Mutant, live: Live) -> bool:
    """Whether all functions that the mutant changes are changed now, wherever they were bound to."""
    path = CORE / f"{mutant.module}.py"
    original, changed = (
        functions_of(compile(text, path, "exec")) for text in (path.read_text(encoding="utf-8"), mutant.source)
    )
    codes = {place: code for (place, _), (_, code) in zip(original, changed, strict=False)}
    for place in mutant.places:
        functions = live.get((mutant.module, place), [])
        if not functions or any(each.__code__.co_freevars != codes[place].co_freevars for each in functions):
            return False
        for each in functions:
            each.__code__ = codes[place]
    return bool(mutant.places)


class ImportsMutant(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """While it is installed, an import of the mutant's module executes the mutant's text."""

    def __init__(self, mutant: Mutant) -> None:
        self._name = f"regen_core.{mutant.module}"
        self._code = compile(mutant.source, str(CORE / f"{mutant.module}.py"), "exec")

    def install(self) -> None:
        """From now on; the module must not have been loaded."""
        assert self._name not in sys.modules, f"{self._name} is loaded already"
        sys.meta_path.insert(0, self)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> ModuleSpec | None:
        """Of this one module only."""
        origin = self._code.co_filename
        return importlib.util.spec_from_file_location(fullname, origin, loader=self) if fullname == self._name else None

    def exec_module(self, module: types.ModuleType) -> None:
        """The mutant's text instead of the file's."""
        exec(self._code, vars(module))  # noqa: S102  # the text of a module of this project, with one change
