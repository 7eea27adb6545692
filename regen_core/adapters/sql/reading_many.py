"""Finding what many requests name, with a few statements instead of a few per request."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from attrs import define, field

from regen_core.access import Scope
from regen_core.adapters.sql.conditions import org_count, org_values
from regen_core.adapters.sql.lookups import in_parts
from regen_core.adapters.sql.reading import FoundRows, Question, Reader
from regen_core.adapters.sql.unit import Row
from regen_core.documents import DocumentType
from regen_core.request import RegenerateRequest

__all__ = ["find_many"]

_NAMES = ("document_id", "number")


@define
class _Group:
    """Requests of one type that name their documents in one way: the names, and by name the answers about them."""

    type: DocumentType
    name: str
    names: set[str] = field(factory=set)
    locked: dict[str, list[Row]] = field(factory=lambda: defaultdict(list))
    found: dict[str, list[Row]] = field(factory=lambda: defaultdict(list))
    lines: dict[str, list[Row]] = field(factory=lambda: defaultdict(list))


def find_many(reader: Reader, scope: Scope, requests: Sequence[RegenerateRequest]) -> list[FoundRows]:
    """What each request names, as :meth:`Reader.find` says; one that gives two names is looked up by itself.

    Documents are locked before any is read, in one order for all batches.
    """
    groups: dict[tuple[str, str], _Group] = {}
    named = [_named(request, groups) for request in requests]
    parts = [(group, part) for _, group in sorted(groups.items()) for part in in_parts(sorted(group.names))]
    _ask(reader, scope, parts)
    return [_answer(reader, scope, *each) for each in zip(requests, named, strict=True)]


def _named(request: RegenerateRequest, groups: dict[tuple[str, str], _Group]) -> _Group | None:
    """The group of a request, which gets the name that it gives; ``None`` where it gives two."""
    if request.id is not None and request.number is not None:
        return None
    name, value = ("document_id", request.id) if request.id is not None else ("number", request.number)
    key = (request.type._value_, name)
    group = groups.get(key)
    if group is None:
        group = groups[key] = _Group(request.type, name)
    group.names.add(value or "")
    return group


def _ask(reader: Reader, scope: Scope, parts: Sequence[tuple[_Group, tuple[str, ...]]]) -> None:
    look, orgs = reader.statements.lookups, org_count(scope)
    locks: list[Question] = []
    reads: list[Question] = []
    for group, part in parts:
        of_type = (scope.tenant, scope.entity, group.type._value_, *part)
        visible = (*of_type, *org_values(scope))
        if reader.unit.locks_rows:
            locks.append((look.lock_documents(group.name, orgs, len(part)), visible))
        reads.append((look.documents_of(group.name, orgs, len(part)), visible))
        reads.append((look.transactions_of_all(group.name, len(part)), of_type))
    answers = reader.unit.ask([*locks, *reads])
    told = answers[len(locks) :]
    for place, (group, _) in enumerate(parts):
        column = _NAMES.index(group.name)
        for row in answers[place] if locks else ():
            group.locked[row[column]].append(row)
        for row in told[2 * place]:
            group.found[row[column]].append(row)
        for row in told[2 * place + 1]:
            group.lines[row[0]].append(row[1:])


def _answer(reader: Reader, scope: Scope, request: RegenerateRequest, group: _Group | None) -> FoundRows:
    if group is None:
        return reader.find(scope, request)
    value = request.id or request.number or ""
    found = group.found.get(value, ())
    lines = group.lines.get(found[0][0], ()) if found else ()
    return reader.found(scope, request, group.locked.get(value, ()) if reader.unit.locks_rows else None, found, lines)
