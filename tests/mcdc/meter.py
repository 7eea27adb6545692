"""Masking MC/DC: which conditions have shown, each by itself, that they turn their decision both ways.

A condition has shown one of its values where it had it and nothing else masked it: in every ``and`` above it all other
operands that were evaluated were true, in every ``or`` false. Where both values were shown so, the decision came out
differently because of this condition.
"""

from __future__ import annotations

import importlib.abc
import importlib.util
import sys
import types
from collections.abc import Collection, Iterator, Mapping, Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import TypeVar

from attrs import frozen

from tests.mcdc.instrumenting import Decision, Tree, instrumented

__all__ = ["Meter", "Missing"]

T = TypeVar("T")

Vector = tuple[tuple[int, bool], ...]
"""The conditions of one evaluation, in their order, with what they came out as."""


@frozen
class Missing:
    """A condition that never decided with this value."""

    module: str
    line: int
    condition: str
    value: bool

    @property
    def identity(self) -> tuple[str, str, bool]:
        """What the list of exceptions names: it outlives that lines move."""
        return self.module, self.condition, self.value

    def __str__(self) -> str:
        return f"{self.module}.py:{self.line}: {self.condition!r} never decides as {self.value}"


class Meter(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports modules so that their decisions are recorded, and says what is missing.

    ``paths`` holds the files of the modules by full name.
    """

    def __init__(self, paths: Mapping[str, Path]) -> None:
        self._paths = paths
        self._seen: dict[Decision, set[Vector]] = {}

    def install(self) -> None:
        """From now on; none of the modules may have been loaded."""
        loaded = sorted(set(self._paths) & set(sys.modules))
        assert not loaded, f"already loaded: {loaded}"
        sys.meta_path.insert(0, self)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> ModuleSpec | None:
        """Of its own modules only."""
        file = self._paths.get(fullname)
        return None if file is None else importlib.util.spec_from_file_location(fullname, file, loader=self)

    def exec_module(self, module: types.ModuleType) -> None:
        """The instrumented text instead of the file's."""
        self.run(self._paths[module.__name__].read_text(encoding="utf-8"), module)

    def run(self, text: str, module: types.ModuleType) -> None:
        """Execute a text in a module and record its decisions from now on."""
        tree, decisions = instrumented(module.__name__.rpartition(".")[2], text)
        vectors = [self._seen.setdefault(decision, set()) for decision in decisions]

        def decided(place: int, seen: list[tuple[int, bool]], outcome: T) -> T:
            vectors[place].add(tuple(seen))
            return outcome

        vars(module).update(_condition=_condition, _value=_value, _decided=decided)
        origin = module.__spec__.origin if module.__spec__ is not None else None
        exec(compile(tree, origin or module.__name__, "exec"), vars(module))  # noqa: S102  # a text of this project

    @property
    def conditions(self) -> int:
        """How many conditions were found; a value that never was a ``bool`` is none."""
        return sum(len(_numbers(decision, seen)) for decision, seen in self._seen.items())

    @property
    def decisions(self) -> int:
        """How many decisions were found."""
        return len(self._seen)

    def missing(self) -> tuple[Missing, ...]:
        """The conditions that have not shown both values, by module and line."""
        found = [each for decision, seen in self._seen.items() for each in _missing(decision, seen)]
        return tuple(sorted(found, key=lambda each: (each.module, each.line)))


def _condition(seen: list[tuple[int, bool]], number: int, value: T) -> T:
    seen.append((number, bool(value)))
    return value


def _value(seen: list[tuple[int, bool]], number: int, value: T) -> T:
    if isinstance(value, bool):
        seen.append((number, value))
    return value


def _numbers(decision: Decision, seen: Collection[Vector]) -> list[int]:
    evaluated = {number for vector in seen for number, _ in vector}
    return [
        number for number in range(len(decision.conditions)) if number in evaluated or number not in decision.values
    ]


def _missing(decision: Decision, seen: Collection[Vector]) -> Iterator[Missing]:
    shown = {(number, truth) for vector in seen for number, truth in _unmasked(decision.tree, dict(vector))}
    for number in _numbers(decision, seen):
        for truth in (False, True):
            if (number, truth) not in shown:
                yield Missing(decision.module, decision.line, decision.conditions[number], truth)


def _unmasked(tree: Tree, vector: Mapping[int, bool]) -> Iterator[tuple[int, bool]]:
    """The conditions on which this outcome depends, with their values."""
    if isinstance(tree, int):
        if tree in vector:
            yield tree, vector[tree]
        return
    name, parts = tree
    neutral = name == "and"
    for part in parts:
        others = [_outcome(other, vector) for other in parts if other is not part]
        if name == "not" or all(other is None or other is neutral for other in others):
            yield from _unmasked(part, vector)


def _outcome(tree: Tree, vector: Mapping[int, bool]) -> bool | None:
    """What a part came out as; ``None`` where it wasn't evaluated."""
    if isinstance(tree, int):
        return vector.get(tree)
    name, parts = tree
    outcomes = [outcome for outcome in (_outcome(part, vector) for part in parts) if outcome is not None]
    if not outcomes:
        return None
    if name == "not":
        return not outcomes[0]
    return all(outcomes) if name == "and" else any(outcomes)
