"""``regen load``: documents from files or standard input into the store, and what changed by it."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Final

import click
from attrs import define, field

from regen_core.adapters.cli.connecting import opened
from regen_core.adapters.cli.faults import WORLD, ExitCode
from regen_core.adapters.cli.load_report import COLUMNS, LoadReport, Taken
from regen_core.adapters.cli.progress import Progress
from regen_core.adapters.cli.settings import RegenCommand, Settings, settings_of
from regen_core.documents import DocumentKey
from regen_core.ports import DocumentLoaded, Store
from regen_core.wire.reading import BadInput, DocumentReader, ReadDocument

__all__ = ["load"]

BATCH_ITEMS: Final = 2000
"""Items written in one unit of work: enough that its commit costs little, few enough to hold and to lose to Ctrl-C."""

WAITING_ITEMS: Final = 20_000
"""Documents and items that wait for another try: enough to renumber some thousand invoices, some ten megabytes."""

_STDIN: Final = "-"


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
        listing = settings.output.listing("documents", COLUMNS, is_quiet=quiet)
        report = LoadReport(listing, Progress(total), is_quiet=quiet)
        _Load(store, report).run(_everything(_reader(store, settings), files, report))
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


def _lines(stream: IO[bytes], name: str, progress: Progress) -> Iterator[bytes]:
    """The lines of a file; a fault names it."""
    try:
        yield from progress.lines(stream)
    except OSError as fault:
        raise type(fault)(fault.errno, fault.strerror, _told_name(name)) from fault


def _told_name(name: str) -> str:
    return "standard input" if name == _STDIN else name


@define
class _Load:
    """One load: documents are stored in batches, and those refused for what another has get a second chance.

    A number or an item may be given up by a document that comes later, so a refused document waits until all others are
    stored (DOC-2, DOC-3). Fields: ``waiting`` have them with their refusals; ``room`` is how much more may wait.
    """

    store: Store
    report: LoadReport
    waiting: dict[DocumentKey, tuple[ReadDocument, Taken]] = field(factory=dict, init=False)
    room: int = field(factory=lambda: WAITING_ITEMS, init=False)
    is_storing: bool = field(default=False, init=False)

    def run(self, reads: Iterable[ReadDocument | BadInput]) -> None:
        """Store all; what the world does to it is told with what was stored before."""
        try:
            for batch in _batches(self._good(reads)):
                self._store(batch)
            self._again()
        except WORLD as fault:
            raise self.report.broken_off(fault, is_storing=self.is_storing) from fault

    def _good(self, reads: Iterable[ReadDocument | BadInput]) -> Iterator[ReadDocument]:
        for read in reads:
            if isinstance(read, BadInput):
                self.report.bad(read)
            else:
                yield read

    def _store(self, batch: Sequence[ReadDocument]) -> set[DocumentKey]:
        """Store a batch; whose documents were."""
        self.is_storing = True
        outcomes = self.store.load_all([read.document for read in batch])
        self.is_storing = False
        both = tuple(zip(batch, outcomes, strict=True))
        stored = [(read, outcome) for read, outcome in both if isinstance(outcome, DocumentLoaded)]
        self.report.stored(stored)
        for read, outcome in both:
            self._supersede(read.document.key)
            if not isinstance(outcome, DocumentLoaded):
                self._wait(read, outcome)
        return {outcome.key for _, outcome in stored}

    def _supersede(self, key: DocumentKey) -> None:
        """A later version of a document that waits: the earlier one must not come after it (DOC-1)."""
        earlier = self.waiting.pop(key, None)
        if earlier is not None:
            self.room += _size_of(earlier[0])
            self.report.taken(*earlier, by_one_refused=False)

    def _wait(self, read: ReadDocument, outcome: Taken) -> None:
        size = _size_of(read)
        if size > self.room:
            self.report.taken(read, outcome, by_one_refused=False)
        else:
            self.room -= size
            self.waiting[read.document.key] = read, outcome

    def _again(self) -> None:
        """Try those that wait once more, then again each whose owner has moved on; what is left is refused."""
        ready = list(self.waiting)
        while ready:
            moved: set[DocumentKey] = set()
            tried = [self.waiting.pop(key)[0] for key in ready]
            self.room += sum(map(_size_of, tried))
            for batch in _batches(tried):
                moved |= self._store(batch)
            ready = [key for key, (_, outcome) in self.waiting.items() if outcome.owner in moved]
        for read, outcome in self.waiting.values():
            self.report.taken(read, outcome, by_one_refused=outcome.owner in self.waiting)


def _batches(reads: Iterable[ReadDocument]) -> Iterator[list[ReadDocument]]:
    batch: list[ReadDocument] = []
    items = 0
    for read in reads:
        batch.append(read)
        items += _size_of(read)
        if items >= BATCH_ITEMS:
            yield batch
            batch, items = [], 0
    if batch:
        yield batch


def _size_of(read: ReadDocument) -> int:
    return 1 + len(read.document.items)


def _reader(store: Store, settings: Settings) -> DocumentReader:
    return DocumentReader(
        tenant=settings.tenant,
        entity=settings.entity,
        default_org=settings.orgs[0] if settings.orgs else None,
        currency_of_invoice=lambda invoice_id: store.invoice_currency(settings.scope, invoice_id),
    )


def _everything(reader: DocumentReader, files: Sequence[str], report: LoadReport) -> Iterator[ReadDocument | BadInput]:
    for name in files:
        before = reader.elements
        with _stream_of(name) as stream:
            yield from reader.read(_lines(stream, name, report.progress), name=_told_name(name))
        if reader.elements == before:
            report.empty(_told_name(name))
    yield from reader.finish()
