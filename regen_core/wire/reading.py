"""Files of documents, read as a stream: which document each part of a file belongs to, and what is wrong with it.

Owns the joining of documents with the pages of their items, the currency of adjustments (FCT-7) and the checks across
the documents of one load. It opens nothing: a file is a name and its lines. What a file's text may look like is
:mod:`regen_core.wire.texts`; what a document looks like is :mod:`regen_core.wire.shapes`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

from attrs import frozen

from regen_core.documents import BillingDocument, DocumentType
from regen_core.wire.pages import ITEM_KEYS, incomplete, ownerless, page_order, page_owner
from regen_core.wire.seen import SeenDocuments, two_contents
from regen_core.wire.shapes import COMPANION, ENVELOPE, SHAPES, Fault, document_type, read_document
from regen_core.wire.shown import JsonValue, shown_value
from regen_core.wire.strict_json import DEFAULT_LIMITS, Limits, dump, parse
from regen_core.wire.texts import Unread, Where, values_of

__all__ = ["BadInput", "DocumentReader", "Fault", "ReadDocument", "Where", "read_file"]


@frozen
class ReadDocument:
    """A document that a file states, and where it begins."""

    document: BillingDocument
    where: Where


@frozen
class BadInput:
    """What could not be read: where it begins, and everything that is wrong with it.

    ``is_file`` tells that it is a whole file, of which nobody knows whether it holds a document.
    """

    where: Where
    faults: tuple[Fault, ...]
    is_file: bool = False

    @property
    def message(self) -> str:
        """One line per fault, each with file, line and path."""
        place = Where(self.where.name, self.where.line)
        return "\n".join([f"{place}: {fault.message}" for fault in self.faults])


Read = ReadDocument | BadInput


def _no_invoice(invoice_id: str) -> str | None:  # noqa: ARG001  # stands in for a look-up
    return None


def read_file(
    lines: Iterable[bytes],
    *,
    name: str,
    tenant: str,
    entity: str,
    default_org: str | None = None,
    currency_of_invoice: Callable[[str], str | None] = _no_invoice,
) -> Iterator[Read]:
    """The documents of one file, and what is wrong with the rest of it; see :class:`DocumentReader` for several.

    >>> adjustment = b'{"Id":"a1","AdjustmentNumber":"IIA-1","AdjustmentDate":"2026-01-31","Status":"Processed"}'
    >>> [read] = read_file([adjustment], name="a.json", tenant="t", entity="e")
    >>> [fault.path for fault in read.faults]
    ['$.Amount', '$.Type', '$.regenCore.currency']
    """
    reader = DocumentReader(
        tenant=tenant, entity=entity, default_org=default_org, currency_of_invoice=currency_of_invoice
    )
    yield from reader.read(lines, name=name)
    yield from reader.finish()


@frozen
class _Waiting:
    """A part whose other part has not come yet, as canonical text: a tenth of the parsed value's memory."""

    where: Where
    text: str

    @property
    def raw(self) -> dict[str, JsonValue]:
        value = parse(self.text, limits=_CANONICAL)
        assert isinstance(value, dict), "only objects wait"
        return value


_CANONICAL: Final = Limits(number_length=2 * DEFAULT_LIMITS.number_length)
"""The canonical text of a number may be a little longer than what was read: ``1e9`` becomes ``1E+9``."""

_OwnerKey = tuple[DocumentType, str]

_BESIDE_PAGES: Final = ENVELOPE | {COMPANION, "reasons", *ITEM_KEYS}
_LIST_KEYS: Final = ("invoices", "creditmemos", "creditMemos", "debitmemos", "debitMemos", "records")
"""Where Zuora's own lists of documents have them: lists of invoices and memos, and query results."""


class DocumentReader:
    """Reads the files of one load and joins what belongs together, in whatever order it comes.

    A document is given out as soon as it is complete: at once where its items are nested, at :meth:`finish` where they
    come in pages or where an adjustment's invoice comes later. Within one file an id with two contents, and a number or
    an item of two documents of a type, are faults of the later one (DOC-2, DOC-3); the same content again is told once.
    Across files the later document replaces the earlier (DOC-1), and what it clashes with is for the store to say.
    ``currency_of_invoice`` looks up invoices that were loaded before (FCT-7).

    Memory: these checks keep some 60 bytes per document and 30 per number and item; what waits is kept as text.
    """

    def __init__(
        self,
        *,
        tenant: str,
        entity: str,
        default_org: str | None = None,
        currency_of_invoice: Callable[[str], str | None] = _no_invoice,
    ) -> None:
        self._tenant, self._entity, self._default_org = tenant, entity, default_org
        self._stored_currency = currency_of_invoice
        self.elements = 0
        """Parts seen so far: documents, pages, and what is neither."""
        self._seen = SeenDocuments()
        self._headers: dict[_OwnerKey, _Waiting] = {}
        self._pages: list[tuple[DocumentType | None, str, _Waiting]] = []
        self._adjustments: list[_Waiting] = []

    def read(self, lines: Iterable[bytes], *, name: str) -> Iterator[Read]:
        """What one file holds, as a stream; parts that wait for others come with :meth:`finish`."""
        self._seen.begin_file(name)
        for value, where in values_of(lines, name=name):
            if isinstance(value, Unread):
                self.elements += 1
                yield BadInput(where, (value.fault,), value.is_file)
            elif isinstance(value, list):
                for at, each in enumerate(value):
                    yield from self._element(each, where.at(f"[{at}]"))
            else:
                yield from self._element(value, where)

    def finish(self) -> Iterator[Read]:
        """What waited for its other part: documents with their pages, then adjustments; and what waited in vain."""
        pages: dict[_OwnerKey, list[_Waiting]] = {}
        for kind, document_id, page in self._pages:
            owner = self._owner(kind, document_id)
            if owner is None:
                yield BadInput(page.where, (ownerless(page.where, kind, document_id),))
            else:
                pages.setdefault(owner, []).append(page)
        for owner, header in self._headers.items():
            yield from self._joined(owner[0], header, pages.get(owner))
        for adjustment in self._adjustments:
            yield from self._document(adjustment.raw, adjustment.where, DocumentType.INVOICE_ITEM_ADJUSTMENT)
        self._headers, self._pages, self._adjustments = {}, [], []

    def _element(self, value: JsonValue, where: Where) -> Iterator[Read]:
        if not isinstance(value, dict):
            self.elements += 1
            expected = "a document, a page of items, or a list of them"
            yield _bad(where, shown_value(value), expected, "Remove or correct it")
        elif value.get("success") is False:
            self.elements += 1
            yield _bad(where, _zuora_error(value), "a document", "Repeat the call that was to export it")
        elif any([key in value for key in ITEM_KEYS]) and _BESIDE_PAGES.issuperset(value):
            yield from self._page(value, where)
        else:
            key = next((key for key in _LIST_KEYS if isinstance(value.get(key), list)), None)
            if key is None or "id" in value:
                yield from self._whole(value, where)
            else:
                elements = value[key]
                assert isinstance(elements, list), "chosen so"
                for at, each in enumerate(elements):
                    yield from self._element(each, where.at(f".{key}[{at}]"))

    def _whole(self, raw: dict[str, JsonValue], where: Where) -> Iterator[Read]:
        """A document object: given out at once, or put aside until its items or its currency are known."""
        self.elements += 1
        kind = document_type(raw, where.path)
        if isinstance(kind, Fault):
            yield BadInput(where, (kind,))
        elif kind is DocumentType.INVOICE_ITEM_ADJUSTMENT:
            if self._waits_for_invoice(raw):
                self._adjustments.append(_Waiting(where, dump(raw)))
            else:
                yield from self._document(raw, where, kind)
        elif any([raw.get(key) is not None for key in SHAPES[kind].item_keys]) or not isinstance(raw.get("id"), str):
            yield from self._document(raw, where, kind)
        else:
            yield from self._header(kind, raw, where)

    def _header(self, kind: DocumentType, raw: dict[str, JsonValue], where: Where) -> Iterator[Read]:
        """A document without items: its pages come before or after it."""
        header = _Waiting(where, dump(raw))
        earlier = self._headers.setdefault((kind, str(raw["id"])), header)
        if earlier.text != header.text:
            if earlier.where.name == where.name:
                yield BadInput(where, (two_contents(where.path, earlier.where),))
            else:
                self._headers[kind, str(raw["id"])] = header

    def _waits_for_invoice(self, raw: Mapping[str, JsonValue]) -> bool:
        companion, invoice_id = raw.get(COMPANION), raw.get("InvoiceId")
        if isinstance(companion, dict) and companion.get("currency") is not None:
            return False
        return isinstance(invoice_id, str) and self._currency(invoice_id) is None

    def _currency(self, invoice_id: str) -> str | None:
        return self._seen.currency_of(invoice_id) or self._stored_currency(invoice_id)

    def _document(
        self,
        raw: Mapping[str, JsonValue],
        where: Where,
        kind: DocumentType,
        items: Sequence[JsonValue] | None = None,
        item_paths: Sequence[str] | None = None,
    ) -> Iterator[Read]:
        read = read_document(
            raw,
            items,
            tenant=self._tenant,
            entity=self._entity,
            kind=kind,
            default_org=self._default_org,
            path=where.path,
            item_paths=item_paths,
            currency_of_invoice=self._currency,
        )
        if not isinstance(read, BillingDocument):
            yield BadInput(where, read)
            return
        faults = self._seen.note(read, where)
        if faults is None:
            return
        yield BadInput(where, faults) if faults else ReadDocument(read, where)

    def _page(self, raw: dict[str, JsonValue], where: Where) -> Iterator[Read]:
        self.elements += 1
        owner = page_owner(raw, where)
        if isinstance(owner, Fault):
            yield BadInput(where, (owner,))
        else:
            self._pages.append((*owner, _Waiting(where, dump(raw))))

    def _owner(self, kind: DocumentType | None, document_id: str) -> _OwnerKey | None:
        """The document without items that a page belongs to; a page of memo items may leave the type open."""
        kinds = DocumentType if kind is None else (kind,)
        owners = [(each, document_id) for each in kinds if (each, document_id) in self._headers]
        return owners[0] if len(owners) == 1 else None

    def _joined(self, kind: DocumentType, header: _Waiting, pages: Sequence[_Waiting] | None) -> Iterator[Read]:
        if pages is None:
            yield from self._document(header.raw, header.where, kind)
            return
        distinct = list({page.text: page for page in pages}.values())
        read = sorted([(page.where, page.raw) for page in distinct], key=lambda page: page_order(page[1]))
        if all([raw.get("nextPage") is not None for _, raw in read]):
            last = read[-1][0]
            yield BadInput(header.where, (incomplete(f"{last} nextPage"),))
            return
        items: list[JsonValue] = []
        paths: list[str] = []
        for where, raw in read:
            key = next(key for key in ITEM_KEYS if isinstance(raw.get(key), list))
            own = raw[key]
            assert isinstance(own, list), "checked when the page came"
            items.extend(own)
            paths.extend([f"{where} {key}[{at}]" for at in range(len(own))])
        yield from self._document(header.raw, header.where, kind, items, paths)


def _bad(where: Where, found: str, expected: str, do: str) -> BadInput:
    return BadInput(where, (Fault(path=where.path, found=found, expected=expected, do=do),))


def _zuora_error(answer: Mapping[str, JsonValue]) -> str:
    """An answer of Zuora's that holds no document but the reasons why."""
    reasons = answer.get("reasons")
    told = [
        f"{shown_value(reason.get('code'))} {shown_value(reason.get('message'))}"
        for reason in (reasons[:3] if isinstance(reasons, list) else ())
        if isinstance(reason, dict)
    ]
    return f"an error answer of Zuora's ({'; '.join(told) or 'without a reason'})"
