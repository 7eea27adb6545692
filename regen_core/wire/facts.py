"""How the facts of one REST object are taken by a table, and what is noticed meanwhile: faults and assumptions.

Owns the rows of such tables, the companion object beside Zuora's fields, and the rule that a companion value wins
(FCT-10). It knows no document type; :mod:`regen_core.wire.tables` has the tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import attrs
from attrs import frozen

from regen_core.documents import Assumption, CarriedFields
from regen_core.wire.kinds import Kind, Unfit
from regen_core.wire.shown import JsonValue, path_step, shown_value
from regen_core.wire.strict_json import dump

__all__ = ["COMPANION", "Fact", "Fault", "Otherwise", "RestObject", "or_nothing", "required"]

COMPANION: Final = "regenCore"
"""The one key under which our own fields stand beside Zuora's."""


@frozen(kw_only=True)
class Fault:
    """What is wrong at one place of a document: where, what was found, what was expected and what to do."""

    path: str
    found: str
    expected: str
    do: str

    @property
    def message(self) -> str:
        """The four as one line."""
        return f"{self.path}: found {self.found}; expected {self.expected}. {self.do}."


_RawObject = Mapping[str, JsonValue]


class RestObject:
    """One REST object on its way into facts.

    ``raw`` is what it holds, ``within`` the raw object of the document that it is an item of, or its own; ``faults`` is
    the list of the whole document, ``assumed`` and ``kept`` are its own: what was taken by a rule, and which of its
    fields the facts hold completely.
    """

    __slots__ = ("assumed", "companion", "faults", "kept", "path", "raw", "within")

    def __init__(self, raw: _RawObject, path: str, faults: list[Fault], within: _RawObject | None = None) -> None:
        self.raw, self.path, self.faults = raw, path, faults
        self.within = raw if within is None else within
        self.companion: _RawObject = {}
        self.assumed: list[Assumption] = []
        self.kept: list[str] = []

    def fault(self, name: str, found: str, expected: str, do: str) -> None:
        """Note what is wrong with a field, or with a step further down."""
        self.faults.append(Fault(path=f"{self.path}.{name}", found=found, expected=expected, do=do))

    def open_companion(self, known: frozenset[str]) -> None:
        """Take the companion object for what follows; a field that it can't have is a fault."""
        companion = self.raw.get(COMPANION)
        if companion is None:
            return
        if not isinstance(companion, dict):
            self.fault(COMPANION, shown_value(companion), "an object", "Correct or remove it")
            return
        for name in companion:
            if name not in known:
                step = f"{COMPANION}{path_step(name)}"
                self.fault(step, "an unknown companion field", ", ".join(sorted(known)), "Correct the name")
        self.companion = companion

    def read(self, kind: Kind, name: str, value: JsonValue, do: str) -> Any:
        """The fact that a value gives, or ``None`` after noting a fault."""
        try:
            return kind.read(value)
        except Unfit as unfit:
            self.fault(name, str(unfit), kind.expected, do)
            return None

    def facts(self, rows: Iterable[Fact]) -> dict[str, Any]:
        """The facts of a table by attribute, ``None`` where one isn't told or is at fault."""
        return {row.attribute: self._fact(row) for row in rows}

    def _fact(self, row: Fact) -> Any:
        """The companion field, else Zuora's, else what the rule says."""
        if self.companion and row.companion is not None:
            given = self.companion.get(row.companion)
            if given is not None:
                return self._given(row, given)
        name = row.field
        if name is None:
            return row.otherwise(self, row)
        found = self.raw.get(name)
        if found is None:
            self.kept.append(name)
            return row.otherwise(self, row)
        try:
            value = row.kind.read(found)
        except Unfit as unfit:
            self.fault(name, str(unfit), row.kind.expected, row.do)
            return None
        if value is None:
            return row.otherwise(self, row)
        if row.kind.keeps is None or row.kind.keeps(found, value):
            self.kept.append(name)
        return value

    def _given(self, row: Fact, given: JsonValue) -> Any:
        """A companion's value; where the shape says something else, that it was overruled is noted (FCT-10)."""
        value = self.read(
            row.companion_kind or row.kind, f"{COMPANION}.{row.companion}", given, "Correct it or leave it out"
        )
        if row.field is not None and value is not None:
            self._compare(row, row.field, given, value)
        return value

    def _compare(self, row: Fact, name: str, given: JsonValue, value: Any) -> None:
        """What the shape says beside a companion's value: the same, nothing, or something that is overruled."""
        found = self.raw.get(name)
        if found is None:
            self.kept.append(name)
            return
        try:
            said = row.kind.read(found)
        except Unfit:
            said = Unfit
        if said == value and (row.kind.keeps is None or row.kind.keeps(found, value)):
            self.kept.append(name)
        elif said is not None and said != value:
            told = f"{shown_value(given)} of the companion field, where {name} is {shown_value(found)}"
            self.assumed.append(Assumption(row.says, told, "FCT-10"))

    def carried(self, dropped: frozenset[str] = frozenset()) -> CarriedFields:
        """What no attribute keeps; of the companion only its ``fields``."""
        left = dict(self.raw)
        for name in self.kept:
            left.pop(name, None)
        for name in dropped:
            left.pop(name, None)
        if COMPANION in left:
            del left[COMPANION]
            fields = self.companion.get("fields")
            if fields is not None:
                left[COMPANION] = {"fields": fields}
        return CarriedFields(dump(left))


Otherwise = Callable[[RestObject, "Fact"], Any]


def required(found: RestObject, row: Fact) -> None:
    """Neither told: a fault."""
    assert row.field is not None, "what is required has a field"
    found.fault(row.field, "nothing", row.kind.expected, row.do)


def or_nothing(found: RestObject, row: Fact) -> None:
    """Neither told: the fact stays unknown."""


@frozen
class Fact:
    """A row of a shape's table: an attribute and where it comes from.

    Fields: ``attribute`` of the header or item; ``says`` names the fact for people; ``field`` is Zuora's and ``None``
    where the shape has none; ``companion`` is ours, ``companion_kind`` its kind where it differs; ``otherwise`` is what
    holds where neither tells; ``rule_ids`` are the rules behind it.
    """

    attribute: str
    says: str
    kind: Kind
    field: str | None = None
    companion: str | None = attrs.field(default=None, kw_only=True)
    companion_kind: Kind | None = attrs.field(default=None, kw_only=True)
    otherwise: Otherwise = attrs.field(default=or_nothing, kw_only=True)
    rule_ids: tuple[str, ...] = attrs.field(default=(), kw_only=True)

    @property
    def do(self) -> str:
        """What to do about a value that is missing or wrong."""
        if self.companion is None:
            return "Correct it, or export the document again"
        return f'Correct it, or give "{self.companion}" in "{COMPANION}"'
