"""Rewrite a module so that each of its decisions tells which of its conditions were evaluated, and to what.

A decision is an outermost boolean expression: what is tested, combined with ``and``, ``or`` and ``not``, or compared.
A condition is a part of it that is neither. A chain such as ``a < b < c`` is two conditions. The last operand of an
``and`` or ``or`` that is no test is a value, and a condition only where it comes out as a ``bool``. Assertions are left
alone: that they hold is all that can be shown.
"""

from __future__ import annotations

import ast

from attrs import frozen

__all__ = ["Decision", "Tree", "instrumented"]

Tree = int | tuple[str, tuple["Tree", ...]]
"""A condition by its number, or ``and``, ``or``, ``not`` of parts."""


@frozen
class Decision:
    """Where a decision stands, how it combines its conditions, and their texts by number.

    ``values`` holds the numbers of those that are values where they don't come out as a ``bool``.
    """

    module: str
    line: int
    tree: Tree
    conditions: tuple[str, ...]
    values: frozenset[int]


def instrumented(module: str, text: str) -> tuple[ast.Module, tuple[Decision, ...]]:
    """The module's tree, which reports to ``_condition``, ``_value`` and ``_decided``, and its decisions by number."""
    rewriting = _Rewriting(module)
    tree = rewriting.visit(ast.parse(text))
    assert isinstance(tree, ast.Module)
    return ast.fix_missing_locations(tree), tuple(rewriting.decisions)


class _Rewriting(ast.NodeTransformer):
    def __init__(self, module: str) -> None:
        self._module = module
        self._without_names = False
        self.decisions: list[Decision] = []

    def visit_Assert(self, node: ast.Assert) -> ast.Assert:
        return node

    def visit_If(self, node: ast.If) -> ast.AST:
        return self._tested(node)

    def visit_While(self, node: ast.While) -> ast.AST:
        return self._tested(node)

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        return self._tested(node)

    def _tested(self, node: ast.If | ast.While | ast.IfExp) -> ast.AST:
        test = self._decided(node.test, is_test=True)
        node.test = ast.Constant(value=True)
        self.generic_visit(node)
        node.test = test
        return node

    def visit_comprehension(self, node: ast.comprehension) -> ast.AST:
        before, self._without_names = self._without_names, True
        node.iter = self.visit(node.iter)
        self._without_names = before
        node.ifs = [self._decided(each, is_test=True) for each in node.ifs]
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        return self._decided(node, is_test=False)

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        return self._decided(node, is_test=False)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        return self._decided(node, is_test=False) if isinstance(node.op, ast.Not) else self.generic_visit(node)

    def _decided(self, node: ast.expr, *, is_test: bool) -> ast.expr:
        if isinstance(node, ast.Constant):
            return node
        parts = _Parts(f"_{len(self.decisions)}")
        place = len(self.decisions)
        self.decisions.append(Decision(self._module, node.lineno, 0, (), frozenset()))
        tree, body = self._part(node, parts, is_value=not is_test)
        self.decisions[place] = Decision(
            self._module, node.lineno, tree, tuple(parts.conditions), frozenset(parts.values)
        )
        seen = ast.Name(parts.seen, ast.Load())
        if not self._without_names:
            start = ast.NamedExpr(ast.Name(parts.seen, ast.Store()), ast.List([], ast.Load()))
            return _call("_decided", ast.Constant(place), start, body)
        wanted = ast.arguments([], [ast.arg(parts.seen)], None, [], [], None, [])
        return ast.Call(
            ast.Lambda(wanted, _call("_decided", ast.Constant(place), seen, body)), [ast.List([], ast.Load())], []
        )

    def _part(self, node: ast.expr, parts: _Parts, *, is_value: bool) -> tuple[Tree, ast.expr]:
        if isinstance(node, ast.BoolOp):
            last = len(node.values) - 1
            pairs = [self._part(each, parts, is_value=is_value and at == last) for at, each in enumerate(node.values)]
            name = "and" if isinstance(node.op, ast.And) else "or"
            return (name, tuple(tree for tree, _ in pairs)), ast.BoolOp(node.op, [body for _, body in pairs])
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            tree, body = self._part(node.operand, parts, is_value=False)
            return ("not", (tree,)), ast.UnaryOp(node.op, body)
        if isinstance(node, ast.Compare) and len(node.ops) > 1 and not self._without_names:
            pairs = [self._condition(link, parts, text=text) for link, text in _links(node, parts)]
            return ("and", tuple(tree for tree, _ in pairs)), ast.BoolOp(ast.And(), [body for _, body in pairs])
        return self._condition(
            node, parts, text=ast.unparse(node), is_value=is_value and not isinstance(node, ast.Compare)
        )

    def _condition(self, node: ast.expr, parts: _Parts, *, text: str, is_value: bool = False) -> tuple[int, ast.expr]:
        number = len(parts.conditions)
        parts.conditions.append(text)
        if is_value:
            parts.values.add(number)
        inner = self.generic_visit(node) if isinstance(node, ast.Compare) else self.visit(node)
        assert isinstance(inner, ast.expr)
        told = "_value" if is_value else "_condition"
        return number, _call(told, ast.Name(parts.seen, ast.Load()), ast.Constant(number), inner)


class _Parts:
    """What is known of a decision while it is rewritten."""

    def __init__(self, suffix: str) -> None:
        self.seen = f"_seen{suffix}"
        self.conditions: list[str] = []
        self.values: set[int] = set()


def _links(node: ast.Compare, parts: _Parts) -> list[tuple[ast.expr, str]]:
    """A chain as comparisons of two, each operand evaluated once, with its text as it was."""
    operands = [node.left, *node.comparators]
    left, found = node.left, list[tuple[ast.expr, str]]()
    for at, (operator, right) in enumerate(zip(node.ops, node.comparators, strict=True)):
        text = ast.unparse(ast.Compare(operands[at], [operator], [right]))
        name = f"{parts.seen}_{at}"
        kept = right if at == len(node.ops) - 1 else ast.NamedExpr(ast.Name(name, ast.Store()), right)
        found.append((ast.copy_location(ast.Compare(left, [operator], [kept]), node), text))
        left = ast.Name(name, ast.Load())
    return found


def _call(name: str, *arguments: ast.expr) -> ast.expr:
    return ast.Call(ast.Name(name, ast.Load()), list(arguments), [])
