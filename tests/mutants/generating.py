"""The mutants of a module: by mutmut within functions, by cosmic-ray in the bodies of modules and classes.

Of both tools only the mutations are used. mutmut's own runner leaves out what is decorated, here every property,
validator and default; cosmic-ray's starts a test run per mutant, half a second and more for each of thousands.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from cosmic_ray.ast import get_ast
from cosmic_ray.mutating import MutationVisitor as CosmicVisitor
from cosmic_ray.operators import provider
from cosmic_ray.operators.operator import Operator
from libcst import BaseComp, CSTNode, FunctionDef, Lambda, Module, parse_module
from libcst.metadata import MetadataWrapper
from mutmut.mutation.file_mutation import MutationVisitor, deep_replace
from mutmut.mutation.mutators import mutation_operators
from mutmut.mutation.pragma_handling import IgnoredCode
from parso.tree import NodeOrLeaf

from tests.mutants.mutant import CORE, Mutant, mutant_of

__all__ = ["mutants_of"]

Position = tuple[int, int]
"""Line and column."""

RANDOM = {"VariableReplacer", "VariableInserter"}
"""Operators of cosmic-ray that draw at random: no two runs would be about the same mutants."""

INNER = (FunctionDef, Lambda, BaseComp)
"""What has code of its own. Nothing else of mutmut's is kept, and a table of texts would be a mutant for each."""


class _Everywhere(MutationVisitor):  # type: ignore[misc,unused-ignore]
    """mutmut's visitor, which also goes into decorated functions."""

    def _skip_node_and_children(self, node: CSTNode) -> bool:
        if isinstance(node, FunctionDef) and node.decorators:
            return False
        return bool(super()._skip_node_and_children(node))


def mutants_of(module: str, wanted: Sequence[str] = ("functions", "bodies")) -> tuple[Mutant, ...]:
    """The mutants of a module of the core, each once, in the order of its lines."""
    original = (CORE / f"{module}.py").read_text(encoding="utf-8")
    found: dict[str, Mutant] = {}
    for name, changed_texts in (("functions", _by_mutmut), ("bodies", _by_cosmic_ray)):
        for changed in changed_texts(original) if name in wanted else ():
            mutant = mutant_of(module, original, changed)
            if mutant is not None and bool(mutant.places) is (name == "functions"):
                found.setdefault(mutant.source, mutant)
    return tuple(sorted(found.values(), key=lambda each: each.line))


def _by_mutmut(original: str) -> Iterator[str]:
    wrapper = MetadataWrapper(parse_module(original))
    visitor = _Everywhere(mutation_operators, IgnoredCode(set(), set(), set()), None)
    tree = wrapper.visit(visitor)
    parts = [tree.code_for_node(part) for part in tree.body]
    before, behind = _lines(tree, tree.header), _lines(tree, tree.footer)
    place_of = {id(node): place for place, part in enumerate(tree.body) for node in _nodes(part)}
    inner = {id(node) for outer in _nodes(tree) if isinstance(outer, INNER) for node in _nodes(outer)}
    for mutation in visitor.mutations:
        if id(mutation.original_node) not in inner:
            continue
        place = place_of[id(mutation.original_node)]
        changed = deep_replace(tree.body[place], mutation.original_node, mutation.mutated_node)
        assert isinstance(changed, CSTNode)
        yield "".join((before, *parts[:place], tree.code_for_node(changed), *parts[place + 1 :], behind))


def _lines(tree: Module, lines: Sequence[CSTNode]) -> str:
    return "".join(tree.code_for_node(line) for line in lines)


def _nodes(node: CSTNode) -> Iterator[CSTNode]:
    yield node
    for child in node.children:
        yield from _nodes(child)


def _by_cosmic_ray(original: str) -> Iterator[str]:
    elsewhere, lines = _functions_and_annotations(original), original.splitlines(keepends=True)
    operators = provider.OperatorProvider()
    makers = [operators[name]() for name in sorted(set(operators) - RANDOM)]
    for first, behind in _statements(original):
        statement = "".join(lines[first:behind])
        tree = get_ast(statement)
        for operator in makers:
            for occurrence, (line, column) in enumerate(_positions(operator, tree)):
                if not any(start <= (first + line, column) < stop for start, stop in elsewhere):
                    changed = CosmicVisitor.mutate_code(statement, operator, occurrence)
                    if changed is not None:
                        yield "".join((*lines[:first], changed, *lines[behind:]))


def _statements(text: str) -> Iterator[Position]:
    """The outermost statements with their decorators: the place of the first line of each and that behind its last."""
    for node in ast.parse(text).body:
        decorators: list[ast.expr] = getattr(node, "decorator_list", [])
        assert node.end_lineno is not None
        yield min([node.lineno, *[each.lineno for each in decorators]]) - 1, node.end_lineno


def _positions(operator: Operator, node: NodeOrLeaf) -> Iterator[Position]:
    """Where an operator can mutate, in the order in which it counts."""
    for start, _ in operator.mutation_positions(node):
        yield start
    for child in getattr(node, "children", ()):
        yield from _positions(operator, child)


def _functions_and_annotations(text: str) -> list[tuple[Position, Position]]:
    """The stretches of a text that are not executed on import: bodies of functions, and annotations."""
    found: list[tuple[Position, Position]] = []
    for node in ast.walk(ast.parse(text)):
        parts: list[ast.AST | None] = []
        if isinstance(node, ast.FunctionDef):
            parts = [
                *node.body,
                node.returns,
                *[each.annotation for each in ast.walk(node.args) if isinstance(each, ast.arg)],
            ]
        elif isinstance(node, ast.AnnAssign):
            parts = [node.annotation]
        for part in parts:
            if isinstance(part, ast.stmt | ast.expr):
                assert part.end_lineno is not None
                assert part.end_col_offset is not None
                found.append(((part.lineno, part.col_offset), (part.end_lineno, part.end_col_offset)))
    return found
