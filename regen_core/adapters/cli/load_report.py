"""What ``regen load`` says: a row per document, what was wrong with it, and how much was stored, whatever happened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from attrs import define, field

from regen_core.adapters.cli.change_lines import change_lines
from regen_core.adapters.cli.faults import BrokenOff, ExitCode, cause_of_batch
from regen_core.adapters.cli.output import Listing
from regen_core.adapters.cli.progress import Progress
from regen_core.documents import BillingDocument
from regen_core.explain.as_json import changes_as_json
from regen_core.explain.blocks import Cell, Line, Tone, printable
from regen_core.explain.words import times
from regen_core.plain_values import plain
from regen_core.ports import DocumentLoaded
from regen_core.store import ItemTaken, NumberTaken
from regen_core.wire.reading import BadInput, ReadDocument

__all__ = ["COLUMNS", "LoadReport", "Taken"]

SHOWN_CHANGES: Final = 20
"""Changes of one document that people are shown; programs get all."""

SHOWN_FILES: Final = 5
"""Files without documents that are named; of more only the number is told."""

COLUMNS: Final = ("outcome", "document", "number", "id", "from")
_TONES: Final = {
    "new": Tone.GENERATE,
    "changed": Tone.OVERRIDE,
    "unchanged": Tone.QUIET,
    "refused": Tone.REFUSED,
}
_STORED: Final = ("new", "changed", "unchanged")

Taken = NumberTaken | ItemTaken


@define
class LoadReport:
    """Prints a row per document as it is stored, and counts."""

    listing: Listing
    progress: Progress
    is_quiet: bool
    counts: Counter[str] = field(factory=Counter, init=False)
    files_refused: int = field(default=0, init=False)
    without_documents: list[str] = field(factory=list, init=False)

    def stored(self, loaded: Sequence[tuple[ReadDocument, DocumentLoaded]]) -> None:
        """Documents of one batch; they count before the first is printed, for they are stored whatever happens."""
        told = [(read, outcome, _word(outcome)) for read, outcome in loaded]
        self.counts.update(word for _, _, word in told)
        for read, outcome, word in told:
            if not self.is_quiet:
                changes = {"changes": changes_as_json(outcome.changes)}
                self._row(word, read, _change_lines(read.document, outcome), changes)

    def taken(self, read: ReadDocument, outcome: Taken, *, by_one_refused: bool) -> None:
        """A document refused for a number or an item that another one has (DOC-2, DOC-3)."""
        self.counts["refused"] += 1
        told = _taken(outcome, by_one_refused=by_one_refused)
        self._row("refused", read, [Line(told, "fault", Tone.REFUSED, 1)], {"faults": [{"message": told}]})

    def bad(self, bad: BadInput) -> None:
        """Something that is no document, or a file that holds none."""
        if bad.is_file:
            self.files_refused += 1
        else:
            self.counts["refused"] += 1
        faults = [{**plain(fault), "message": fault.message} for fault in bad.faults]
        lines = [Line(fault.message, "fault", Tone.REFUSED, 1) for fault in bad.faults]
        cells = (Cell("refused", tone=Tone.REFUSED), *[Cell("–")] * 3, Cell(str(bad.where)))
        self._print(cells, {"outcome": "refused", "from": str(bad.where), "faults": faults}, lines)

    def empty(self, name: str) -> None:
        """A file that is well formed and holds no document."""
        self.without_documents.append(name)

    def _row(self, word: str, read: ReadDocument, lines: Sequence[Line], told: Mapping[str, object]) -> None:
        document: BillingDocument = read.document
        names = (document.type.value, document.header.number, document.id)
        cells = (Cell(word, tone=_TONES[word]), *map(Cell, names), Cell(str(read.where)))
        own = dict(zip(("type", "number", "id"), names, strict=True))
        self._print(cells, {"outcome": word, **own, "from": str(read.where), **told}, lines)

    def _print(self, cells: Sequence[Cell], value: object, lines: Sequence[Line]) -> None:
        self.progress.clear()
        self.listing.row(cells, value, lines)

    # the end

    def end(self) -> ExitCode:
        """The summary, and whether all was loaded."""
        self.progress.clear()
        is_whole = not self.counts["refused"] and not self.files_refused
        tone = Tone.STRONG if is_whole else Tone.WARNING
        self.listing.end([Line(self._summary(), tone=tone)], {"success": is_whole, **self._counts()})
        return ExitCode.DONE if is_whole else ExitCode.REFUSED

    def broken_off(self, fault: BaseException, *, is_storing: bool) -> BrokenOff:
        """The summary of a load that ended half-way, and the fault as it is to be told: what is stored stays (DOC-1).

        ``is_storing`` tells that a batch was under way.
        """
        told = BrokenOff(self._broken_off(fault, is_storing=is_storing))
        value = {"success": False, "exit_code": int(ExitCode.ENVIRONMENT_FAILED), "error": str(told)}
        with suppress(OSError):
            self.progress.clear()
            self.listing.end([Line(f"broken off: {self._summary()}", tone=Tone.WARNING)], value | self._counts())
        return told

    def _broken_off(self, fault: BaseException, *, is_storing: bool) -> str:
        stored = sum(self.counts[word] for word in _STORED)
        cause = "Interrupted." if isinstance(fault, KeyboardInterrupt) else cause_of_batch(fault)
        parts = [f"{self.counts[word]} {word}" for word in _STORED if self.counts[word]]
        before = "No document had been stored before"
        if stored:
            before = f"{times(stored, 'document')} had been stored before ({', '.join(parts)}), and that stays"
        batch = ""
        if is_storing and isinstance(fault, KeyboardInterrupt):
            batch = " The batch under way is stored as a whole or not at all."
        return f"{cause} {before}.{batch} Load the same files again for the rest: loading again is safe (DOC-1)."

    def _counts(self) -> dict[str, Any]:
        return {**{word: self.counts[word] for word in _TONES}, "files_refused": self.files_refused}

    def _summary(self) -> str:
        parts = ", ".join(f"{self.counts[word]} {word}" for word in _TONES if self.counts[word])
        told = [f"{times(sum(self.counts.values()), 'document')}: {parts}" if parts else "no documents"]
        if self.files_refused:
            told.append(f"{times(self.files_refused, 'file')} refused")
        if self.without_documents:
            told.append(f"none in {self._named_files()}")
        return "; ".join(told)

    def _named_files(self) -> str:
        names = [printable(name) for name in self.without_documents[:SHOWN_FILES]]
        left = len(self.without_documents) - len(names)
        return ", ".join(names) + (f" and {times(left, 'other file')}" if left else "")


def _word(outcome: DocumentLoaded) -> str:
    return "new" if outcome.is_new else "changed" if outcome.changes else "unchanged"


def _change_lines(document: BillingDocument, outcome: DocumentLoaded) -> list[Line]:
    told = change_lines(document.type, outcome.changes)
    lines = [Line(each, "change", Tone.OVERRIDE, 1) for each in told[:SHOWN_CHANGES]]
    if len(told) > SHOWN_CHANGES:
        lines.append(Line(f"and {len(told) - SHOWN_CHANGES} more; --json shows all", depth=1))
    return lines


def _taken(outcome: Taken, *, by_one_refused: bool) -> str:
    """Who has it, and what helps; ``by_one_refused``: that one waits for another's in turn, so neither can go first."""
    owner = f"the {outcome.owner.type.value} with id {outcome.owner.id}"
    if isinstance(outcome, NumberTaken):
        told = f"the number {outcome.number} belongs to {owner} (DOC-2)."
        if not by_one_refused:
            return f"{told} Correct the number, or load that document under its new number first."
        return (
            f"{told} That one is refused as well, for what another has. Where documents exchange numbers, load one of "
            "them under a temporary number first, then all of them as they are to be."
        )
    told = f"the item {outcome.item_id} belongs to {owner} (DOC-3)."
    if not by_one_refused:
        return f"{told} Correct the export, or load that document without the item first."
    return (
        f"{told} That one is refused as well, for what another has. Where documents exchange items, load one of them "
        "without them first, then all of them as they are to be."
    )
