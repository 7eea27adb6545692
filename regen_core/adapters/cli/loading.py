"""``regen load``: documents from files or standard input into the store, and what changed by it."""

from __future__ import annotations

import os
import stat
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import IO, Final

import click
from attrs import define, field

from regen_core.adapters.cli.connecting import opened
from regen_core.adapters.cli.faults import ExitCode
from regen_core.adapters.cli.output import Listing
from regen_core.adapters.cli.progress import Progress
from regen_core.adapters.cli.settings import RegenCommand, Settings, settings_of
from regen_core.changes import FieldChange
from regen_core.documents import BillingDocument, BillingItem
from regen_core.explain.as_json import changes_as_json, plain
from regen_core.explain.blocks import Cell, Line, Tone
from regen_core.explain.sentences import change_text
from regen_core.explain.words import times
from regen_core.ports import DocumentLoaded, LoadOutcome, Store
from regen_core.store import ItemTaken, NumberTaken
from regen_core.wire.reading import BadInput, DocumentReader, ReadDocument

__all__ = ["load"]

BATCH_ITEMS: Final = 2000
"""Items written in one unit of work: enough that its commit costs little, few enough to hold and to lose to Ctrl-C."""

SHOWN_CHANGES: Final = 20
"""Changes of one document that people are shown; programs get all."""

_STDIN: Final = "-"
_TONES: Final = {
    "new": Tone.GENERATE,
    "changed": Tone.OVERRIDE,
    "unchanged": Tone.QUIET,
    "refused": Tone.REFUSED,
}
_COLUMNS: Final = ("outcome", "document", "number", "id", "from")


@click.command(cls=RegenCommand)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("-q", "--quiet", is_flag=True, help="Print only what was refused, and the summary.")
@click.pass_context
def load(ctx: click.Context, files: tuple[str, ...], quiet: bool) -> ExitCode:
    """Load billing documents in the JSON of Zuora's REST API, or NDJSON; - reads standard input.

    A file may hold one document, a list, NDJSON, or a page of items that belongs to a document of another file given
    with it. A document that was loaded before is replaced; its transactions stay until it is regenerated. Bad documents
    are reported, with all that is wrong with them, and the good ones of the same file are loaded.

    \b
    Examples:
      regen load invoice.json invoice-items.json
      zcat invoices.ndjson.gz | regen load -
    """
    settings = settings_of(ctx)
    if len(settings.orgs) > 1:
        raise click.UsageError("Documents that name no organisation can get one of them: give --org once.", ctx)
    if files.count(_STDIN) > 1:
        raise click.UsageError("Standard input (-) can be read once.", ctx)
    total = _total_size(files)
    with opened(settings.db, may_create=True) as store:
        report = _Report(settings.output.listing("documents", _COLUMNS), Progress(total), is_quiet=quiet)
        _load(store, settings, files, report)
    return report.end()


def _total_size(files: Sequence[str]) -> int | None:
    """How many bytes there are to read; raises ``OSError`` for a file that can't be read, before any is."""
    sizes = [None if name == _STDIN else _size(name) for name in files]
    return None if None in sizes else sum(size or 0 for size in sizes)


def _size(name: str) -> int | None:
    """A file's size; ``None`` for a pipe, which may be opened once only."""
    status = os.stat(name)
    if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
        return None
    with open(name, "rb"):
        return status.st_size


@contextmanager
def _stream_of(name: str) -> Iterator[IO[bytes]]:
    if name == _STDIN:
        yield sys.stdin.buffer
        return
    with open(name, "rb") as stream:
        yield stream


def _load(store: Store, settings: Settings, files: Sequence[str], report: _Report) -> None:
    reader = DocumentReader(
        tenant=settings.tenant,
        entity=settings.entity,
        default_org=settings.orgs[0] if settings.orgs else None,
        currency_of_invoice=lambda invoice_id: store.invoice_currency(settings.scope, invoice_id),
    )
    batch: list[ReadDocument] = []
    items = 0
    for read in _everything(reader, files, report.progress):
        if isinstance(read, BadInput):
            report.bad(read)
            continue
        batch.append(read)
        items += 1 + len(read.document.items)
        if items >= BATCH_ITEMS:
            _store(store, batch, report)
            batch, items = [], 0
    _store(store, batch, report)


def _everything(reader: DocumentReader, files: Sequence[str], progress: Progress) -> Iterator[ReadDocument | BadInput]:
    for name in files:
        with _stream_of(name) as stream:
            yield from reader.read(progress.lines(stream), name="standard input" if name == _STDIN else name)
    yield from reader.finish()


def _store(store: Store, batch: Sequence[ReadDocument], report: _Report) -> None:
    if batch:
        outcomes = store.load_all([read.document for read in batch])
        for read, outcome in zip(batch, outcomes, strict=True):
            report.loaded(read, outcome)


@define
class _Report:
    """Prints a row per document as it is stored, and counts."""

    listing: Listing
    progress: Progress
    is_quiet: bool
    counts: Counter[str] = field(factory=Counter, init=False)

    def loaded(self, read: ReadDocument, outcome: LoadOutcome) -> None:
        """A document that was stored, or refused because of one that is stored."""
        if isinstance(outcome, DocumentLoaded):
            word = "new" if outcome.is_new else "changed" if outcome.changes else "unchanged"
            self._row(word, read, _change_lines(outcome.changes), {"changes": changes_as_json(outcome.changes)})
        else:
            told = _taken(outcome)
            self._row("refused", read, [Line(told, "fault", Tone.REFUSED, 1)], {"faults": [{"message": told}]})

    def bad(self, bad: BadInput) -> None:
        """Something that is no document."""
        faults = [{**plain(fault), "message": fault.message} for fault in bad.faults]
        lines = [Line(fault.message, "fault", Tone.REFUSED, 1) for fault in bad.faults]
        cells = (Cell("refused", tone=Tone.REFUSED), *[Cell("–")] * 3, Cell(str(bad.where)))
        value = {"outcome": "refused", "from": str(bad.where), "faults": faults}
        self._print("refused", cells, value, lines)

    def _row(self, word: str, read: ReadDocument, lines: Sequence[Line], told: dict[str, object]) -> None:
        document: BillingDocument = read.document
        names = (document.type.value, document.header.number, document.id)
        cells = (Cell(word, tone=_TONES[word]), *map(Cell, names), Cell(str(read.where)))
        own = dict(zip(("type", "number", "id"), names, strict=True))
        self._print(word, cells, {"outcome": word, **own, "from": str(read.where), **told}, lines)

    def _print(self, word: str, cells: Sequence[Cell], value: object, lines: Sequence[Line]) -> None:
        self.counts[word] += 1
        if not self.is_quiet or word == "refused":
            self.progress.clear()
            self.listing.row(cells, value, lines)

    def end(self) -> ExitCode:
        """The summary, and whether all was loaded."""
        self.progress.clear()
        refused = self.counts["refused"]
        parts = ", ".join(f"{self.counts[word]} {word}" for word in _TONES if self.counts[word])
        summary = f"{times(sum(self.counts.values()), 'document')}: {parts}" if parts else "no documents"
        tone = Tone.WARNING if refused else Tone.STRONG
        self.listing.end(
            [Line(summary, tone=tone)], {"success": not refused, **{word: self.counts[word] for word in _TONES}}
        )
        return ExitCode.REFUSED if refused else ExitCode.DONE


def _change_lines(changes: Sequence[FieldChange]) -> list[Line]:
    lines = [Line(_change(change), "change", Tone.OVERRIDE, 1) for change in islice(changes, SHOWN_CHANGES)]
    if len(changes) > SHOWN_CHANGES:
        lines.append(Line(f"and {len(changes) - SHOWN_CHANGES} more; --json shows all", depth=1))
    return lines


def _change(change: FieldChange) -> str:
    if isinstance(change.after, BillingItem):
        return f"{change.path}: added, {change.after.amount}"
    if isinstance(change.before, BillingItem):
        return f"{change.path}: gone, was {change.before.amount}"
    return change_text(change)


def _taken(outcome: NumberTaken | ItemTaken) -> str:
    owner = f"the {outcome.owner.type.value} with id {outcome.owner.id}"
    if isinstance(outcome, NumberTaken):
        return (
            f"the number {outcome.number} belongs to {owner} (DOC-2). Correct the number, or load that document under "
            "its new number first."
        )
    return (
        f"the item {outcome.item_id} belongs to {owner} (DOC-3). Correct the export, or load that document without the "
        "item first."
    )
