"""A mutant: one small change to a module of the core, and where it takes hold."""

from __future__ import annotations

import ast
import difflib
import types
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from attrs import frozen

__all__ = ["CORE", "Mutant", "Place", "functions_of", "mutant_of"]

CORE = Path(__file__).parents[2] / "regen_core"

CO_OPTIMIZED = 1
"""Set in the code of functions, not in that of modules and class bodies."""

Place = tuple[str, int]
"""A function of a module: its qualified name and its first line in the unchanged text."""


@frozen
class Mutant:
    """A module with one change.

    Fields: ``module`` is the stem of its file; ``before`` and ``after`` the changed lines without indentation;
    ``places`` the functions that read otherwise, none where the change is in the body of the module or of a class,
    which is executed once, on import.
    """

    module: str
    line: int
    before: str
    after: str
    source: str
    places: tuple[Place, ...]

    @property
    def identity(self) -> tuple[str, str, str]:
        """What the list of equivalents names: it outlives that lines move."""
        return self.module, self.before, self.after

    def __str__(self) -> str:
        return f"{self.module}.py:{self.line}\n  - {self.before}\n  + {self.after}"


def mutant_of(module: str, original: str, changed: str) -> Mutant | None:
    """The mutant that a changed text is; ``None`` where it doesn't compile, or nothing differs but annotations."""
    try:
        old, new = _compiled(original), compile(changed, module, "exec")
    except (SyntaxError, ValueError, TypeError):
        return None
    places = _changed_functions(old, new)
    if not places and _without_annotations(original) == _without_annotations(changed):
        return None
    line, before, after = _difference(original, changed)
    return Mutant(module, line, before, after, changed, places)


@lru_cache(maxsize=2)
def _compiled(text: str) -> types.CodeType:
    return compile(text, "", "exec")


def _difference(original: str, changed: str) -> tuple[int, str, str]:
    old, new = original.splitlines(), changed.splitlines()
    blocks = [each for each in difflib.SequenceMatcher(None, old, new, False).get_opcodes() if each[0] != "equal"]
    first, last = blocks[0], blocks[-1]
    return first[1] + 1, _joined(old[first[1] : last[2]]), _joined(new[first[3] : last[4]])


def _joined(lines: list[str]) -> str:
    return " ".join(line.strip() for line in lines)


@lru_cache(maxsize=2)
def _without_annotations(text: str) -> str:
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.AnnAssign):
            node.annotation = ast.Constant(0)
        elif isinstance(node, ast.arg):
            node.annotation = None
        elif isinstance(node, ast.FunctionDef):
            node.returns = None
    return ast.dump(tree)


def functions_of(code: types.CodeType) -> Iterator[tuple[Place, types.CodeType]]:
    """The outermost functions in the code of a module, its classes' methods among them."""
    for part in code.co_consts:
        if isinstance(part, types.CodeType):
            if part.co_flags & CO_OPTIMIZED:
                yield (part.co_qualname, part.co_firstlineno), part
            else:
                yield from functions_of(part)


def _changed_functions(old: types.CodeType, new: types.CodeType) -> tuple[Place, ...]:
    """The functions that differ; none where code outside of functions differs, too."""
    before, after = list(functions_of(old)), list(functions_of(new))
    if [place[0] for place, _ in before] != [place[0] for place, _ in after] or _bodies(old) != _bodies(new):
        return ()
    pairs = zip(before, after, strict=True)
    return tuple(place for (place, was), (_, now) in pairs if _bodies(was, True) != _bodies(now, True))


def _bodies(code: types.CodeType, inside: bool = False) -> tuple[object, ...]:
    """What is executed, without line numbers: of a function with all that it holds, else without its functions."""
    parts: list[object] = [code.co_code, code.co_names, code.co_varnames, code.co_freevars, code.co_flags]
    for part in code.co_consts:
        if not isinstance(part, types.CodeType):
            parts.append((type(part), repr(part)))
        elif inside or not part.co_flags & CO_OPTIMIZED:
            parts.append(_bodies(part, inside))
    return tuple(parts)
