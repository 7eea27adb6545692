"""What relays must have brought to Revenue, whenever they died: each committed delivery at least once, as committed.

A relay's deliveries are read from the store that it works on and from where they go, a file of lines or the ledger.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Final

from attrs import frozen

from regen_core.adapters.sql import SqlStore
from regen_core.ports import OutboxEntry, Store
from regen_core.request import RegenerateRequest
from regen_core.revenue import Delivery, RevenueLedger, collect_all
from regen_core.testing.edits import SLOTS, edited, initial
from regen_core.wire.canonical import delivery_of
from tests.crash.history import SCOPES
from tests.crash.verdict import Verdict

__all__ = ["Lines", "fill", "judge_file", "judge_ledger", "judge_receiver", "read_lines", "tear"]

_SCOPE: Final = SCOPES[0]
_KEYS: Final = tuple([key for key in SLOTS if (key.tenant, key.entity) == (_SCOPE.tenant, _SCOPE.entity)])


def fill(url: str, deliveries: int) -> None:
    """Make a store in which at least so many deliveries wait: lines and voids of up to five documents."""
    keys = _KEYS[: 1 + deliveries // 10]
    with SqlStore.open(url) as store:
        documents = {key: initial(key) for key in keys}
        store.load_all(documents.values())
        turn = 0
        while len(_entries(store)) < deliveries:
            turn += 1
            for key, document in documents.items():
                documents[key] = edited(document, ("fix an amount", "add an item", "drop an item")[turn % 3], turn)
            store.load_all(documents.values())
            for key in keys:
                store.regenerate(_SCOPE, RegenerateRequest(type=key.type, id=key.id, re_migrate=True))


def _entries(store: Store) -> Sequence[OutboxEntry]:
    """The whole outbox in commit order."""
    entries: list[OutboxEntry] = []
    page = store.deliveries(_SCOPE, limit=1000)
    entries.extend(page.rows)
    while page.next is not None:
        page = store.deliveries(_SCOPE, limit=1000, after=page.next)
        entries.extend(page.rows)
    return entries


@frozen
class Lines:
    """A file of deliveries: the complete lines with where each ends, and how long the file is."""

    deliveries: tuple[Delivery, ...]
    ends: tuple[int, ...]
    size: int

    @property
    def is_whole(self) -> bool:
        """Whether the last line is complete."""
        return self.size == (self.ends[-1] if self.ends else 0)


def read_lines(path: Path) -> Lines:
    """The complete lines of a file; what follows the last of them was torn by a crash."""
    content = path.read_bytes() if path.exists() else b""
    deliveries, ends, end = [], [], 0
    for line in content.split(b"\n")[:-1]:
        end += len(line) + 1
        deliveries.append(delivery_of(json.loads(line)))
        ends.append(end)
    return Lines(tuple(deliveries), tuple(ends), len(content))


def judge_file(store: Store, path: Path, *, is_finished: bool) -> Verdict:
    """Whether every acknowledged delivery is in the file, and nothing that was not committed; finished: all of them."""
    entries = _entries(store)
    try:
        lines = read_lines(path)
    except ValueError:
        return Verdict.UNREADABLE
    committed = {entry.delivery.id: entry.delivery for entry in entries}
    if any(committed.get(each.id) != each for each in lines.deliveries) or (is_finished and not lines.is_whole):
        return Verdict.BROKEN
    arrived = {each.id for each in lines.deliveries}
    owed = {entry.delivery.id for entry in entries if is_finished or entry.acknowledged_at is not None}
    return Verdict.SOUND if owed <= arrived else Verdict.LOST


def judge_ledger(store: Store, *, is_finished: bool) -> Verdict:
    """Whether the ledger is what collecting the acknowledged deliveries leads to; finished: all of them (REV-4)."""
    entries = [entry for entry in _entries(store) if is_finished or entry.acknowledged_at is not None]
    ledger = collect_all(RevenueLedger(), tuple([entry.delivery for entry in entries]))
    held = {each.transaction.id: each for each in store.revenue(_SCOPE, limit=1000).rows}
    wanted = dict(ledger.held.items())
    if held == wanted:
        return Verdict.SOUND
    return Verdict.LOST if held.keys() < wanted.keys() else Verdict.BROKEN


def judge_receiver(store: Store, received: Sequence[Delivery], *, is_finished: bool) -> Verdict:
    """Whether a receiver has every acknowledged delivery, each as committed; finished: all of them, by rule REV-4."""
    entries = _entries(store)
    committed = {entry.delivery.id: entry.delivery for entry in entries}
    if any(committed.get(each.id) != each for each in received):
        return Verdict.BROKEN
    owed = {entry.delivery.id for entry in entries if is_finished or entry.acknowledged_at is not None}
    if not owed <= {each.id for each in received}:
        return Verdict.LOST
    if is_finished and collect_all(RevenueLedger(), tuple(received)) != collect_all(
        RevenueLedger(), tuple(committed.values())
    ):
        return Verdict.BROKEN
    return Verdict.SOUND


def tear(store: Store, path: Path, rng: Random) -> None:
    """What a loss of power may do to lines that were not acknowledged yet: cut the file anywhere behind the others."""
    owed = {entry.delivery.id for entry in _entries(store) if entry.acknowledged_at is not None}
    lines, certain = read_lines(path), 0
    for delivery, end in zip(lines.deliveries, lines.ends, strict=True):
        if delivery.id in owed:
            owed.remove(delivery.id)
            certain = end
    if path.exists():
        with path.open("ab") as file:
            file.truncate(rng.randint(certain, lines.size))
