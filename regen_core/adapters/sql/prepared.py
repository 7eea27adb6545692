"""Statements that SQLAlchemy compiles once and that then run on the driver's cursor.

Owns the way from parameters in an order of our own to what a driver's parameter style wants. All values travel as bound
parameters. This is where the cost of building and compiling statements is taken out of the work on one document.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any, Final

from attrs import frozen
from sqlalchemy import Dialect
from sqlalchemy.sql.elements import ClauseElement

__all__ = ["Prepared", "StatementsOfDialect", "prepare", "together"]

_SAME: Final[Callable[[tuple[object, ...]], Any]] = tuple


@frozen
class Prepared:
    """The text of a statement, and how a row of values in declared order becomes the driver's parameters.

    ``several`` gives the statement for so many rows at once, which takes their values one after the other; ``copy`` is
    what copies rows in where a database can do that. Both are ``None`` for a statement that adds no rows.
    """

    sql: str
    bind: Callable[[tuple[object, ...]], Any]
    several: Callable[[int], Prepared] | None = None
    copy: str | None = None


_SIZES: Final = (64, 16)
"""Rows of one statement where there are that many, so there are few texts of it; any fewer go into one as they are."""


def together(
    several: Callable[[int], Prepared], rows: Sequence[tuple[object, ...]]
) -> Iterator[tuple[Prepared, tuple[object, ...]]]:
    """The statements that add the rows, each with the values of as many as it takes."""
    start, end = 0, len(rows)
    while start < end:
        left = end - start
        size = next((each for each in _SIZES if each <= left), left)
        yield several(size), tuple(chain.from_iterable(rows[start : start + size]))
        start += size


def prepare(statement: ClauseElement, dialect: Dialect, parameters: tuple[str, ...]) -> Prepared:
    """Compile a statement whose bound parameters are given in the order of ``parameters``.

    Raises ``ValueError`` where the statement and the declared names differ.
    """
    compiled = statement.compile(dialect=dialect)
    values: Mapping[str, object] = compiled.params or {}
    names: list[str] = list(getattr(compiled, "positiontup", None) or values)
    unknown = set(parameters) - set(names)
    constants = {name: values[name] for name in names if name not in parameters}
    if unknown or None in constants.values():
        raise ValueError(f"parameters differ: {sorted(unknown)} unused, {sorted(constants)} not declared")
    order = (*parameters, *constants)
    binder = _positional if getattr(compiled, "positional", False) else _named
    return Prepared(str(compiled), binder(names, order, tuple(constants.values())))


class StatementsOfDialect:
    """Statements that are compiled for one dialect when they are first asked for, and remembered by their shape."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._by_shape: dict[tuple[object, ...], Prepared] = {}

    def _prepared(self, statement: ClauseElement, *parameters: str) -> Prepared:
        return prepare(statement, self._dialect, parameters)

    def _remembered(self, shape: tuple[object, ...], build: Callable[[], Prepared]) -> Prepared:
        found = self._by_shape.get(shape)
        if found is None:
            found = self._by_shape[shape] = build()
        return found


def _positional(
    names: list[str], order: tuple[str, ...], constants: tuple[object, ...]
) -> Callable[[tuple[object, ...]], Any]:
    places = [order.index(name) for name in names]
    if not constants and places == list(range(len(order))):
        return _SAME
    if len(places) == 1:
        return lambda row: ((*row, *constants)[places[0]],)
    pick = itemgetter(*places)
    return lambda row: pick((*row, *constants))


def _named(
    names: list[str], order: tuple[str, ...], constants: tuple[object, ...]
) -> Callable[[tuple[object, ...]], Any]:
    del names
    return lambda row: dict(zip(order, (*row, *constants), strict=True))
