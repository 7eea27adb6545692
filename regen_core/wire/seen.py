"""What the documents of a load have said so far, in a few bytes each: for files with millions of them.

Owns the checks across documents: an id with two contents, a number or an item of two documents (DOC-2, DOC-3), and the
currency of an adjustment's invoice (FCT-7). It keeps fingerprints instead of names.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

from regen_core.documents import BillingDocument, DocumentType
from regen_core.wire.facts import Fault
from regen_core.wire.shown import shown_value
from regen_core.wire.texts import Where

__all__ = ["SeenDocuments", "SeenNames", "fingerprint", "two_contents"]

_FIRST_SIZE: Final = 1 << 10
_RELEASED: Final = (1 << 32) - 1


def fingerprint(kind: str, name: str) -> int:
    """64 bits for a name within its kind, never zero; neither holds control characters.

    That two of five million names share theirs happens in one load of a million; the second is then reported as if it
    were the first.

    >>> fingerprint("Invoice", "INV-1") == fingerprint("Invoice", "INV-2")
    False
    """
    return int.from_bytes(blake2b(f"{kind}\x1f{name}".encode(), digest_size=8).digest(), "little") or 1


class SeenNames:
    """A map from fingerprints to numbers below 2³² - 1: 12 bytes a slot, at most two thirds of them in use.

    A name costs 18 to 36 bytes, where a dictionary of integers takes more than 100.

    >>> seen = SeenNames()
    >>> seen.claim(fingerprint("Invoice", "INV-1"), 7), seen.claim(fingerprint("Invoice", "INV-1"), 8)
    (None, 7)
    """

    __slots__ = ("_count", "_mask", "_names", "_numbers")

    def __init__(self) -> None:
        self._count = 0
        self._allocate(_FIRST_SIZE)

    def _allocate(self, size: int) -> None:
        self._mask = size - 1
        self._names = array("Q", bytes(8 * size))
        self._numbers = array("I", bytes(4 * size))

    def _slot(self, name: int) -> int:
        """Where the name stands, or the free slot where it would."""
        names, mask = self._names, self._mask
        slot = name & mask
        found = names[slot]
        while found and found != name:
            slot = (slot + 1) & mask
            found = names[slot]
        return slot

    def get(self, name: int) -> int | None:
        """The number of a name, or ``None`` where nobody has it."""
        slot = self._slot(name)
        number = self._numbers[slot]
        return number if self._names[slot] and number != _RELEASED else None

    def claim(self, name: int, number: int) -> int | None:
        """Give the number to a name that nobody has; else the number that the name has already."""
        slot = self._slot(name)
        if self._names[slot]:
            earlier = self._numbers[slot]
            if earlier != _RELEASED:
                return earlier
        else:
            self._names[slot] = name
            self._count += 1
        self._numbers[slot] = number
        if 3 * self._count > 2 * self._mask:
            self._grow()
        return None

    def put(self, name: int, number: int) -> None:
        """Give the number to a name, whoever had it."""
        self.release(name)
        self.claim(name, number)

    def release(self, name: int) -> None:
        """Let a name be claimed again."""
        slot = self._slot(name)
        if self._names[slot]:
            self._numbers[slot] = _RELEASED

    def _grow(self) -> None:
        names, numbers = self._names, self._numbers
        self._allocate(2 * (self._mask + 1))
        for name, number in zip(names, numbers, strict=True):
            if name:
                slot = self._slot(name)
                self._names[slot], self._numbers[slot] = name, number


def two_contents(path: str, earlier: Where) -> Fault:
    """One id, two contents: which of them is right can't be told."""
    return Fault(
        path=path,
        found=f"the document of {earlier} again with different content",
        expected="one content per document",
        do="Remove the one that is out of date",
    )


class SeenDocuments:
    """The documents that one load has given out, file by file.

    What clashes within a file is a fault. Across files a later document may replace an earlier one (DOC-1), so numbers
    and items are compared within a file only; what else clashes is for the store to say.
    """

    def __init__(self) -> None:
        self._ids, self._currencies = SeenNames(), SeenNames()
        self._numbers, self._items = SeenNames(), SeenNames()
        self._contents, self._files, self._lines = array("q"), array("I"), array("Q")
        self._paths: dict[int, Where] = {}
        self._file_numbers: dict[str, int] = {}
        self._codes: dict[str, int] = {}

    def begin_file(self, name: str) -> None:
        """Another file begins."""
        self._file_numbers.setdefault(name, len(self._file_numbers))
        self._numbers, self._items = SeenNames(), SeenNames()

    def currency_of(self, invoice_id: str) -> str | None:
        """The currency of an invoice that was given out, or ``None`` (FCT-7)."""
        code = self._currencies.get(fingerprint(DocumentType.INVOICE.value, invoice_id))
        return None if code is None else tuple(self._codes)[code]

    def note(self, document: BillingDocument, where: Where) -> tuple[Fault, ...] | None:
        """Note a document that is about to be given out: its clashes, or ``None`` if the same came before."""
        kind, content = document.type.value, hash(document)
        own = fingerprint(kind, document.id)
        earlier = self._ids.get(own)
        if earlier is not None and self._contents[earlier] == content:
            return None
        if earlier is not None and self._files[earlier] >= self._file_numbers[where.name]:
            return (two_contents(where.path, self._where(earlier)),)
        at = len(self._contents)
        number = fingerprint(kind, document.header.number)
        items = [fingerprint(kind, item.id) for item in document.items]
        owner = self._numbers.claim(number, at)
        owners = [self._items.claim(name, at) for name in items]
        if owner is not None or any([each is not None for each in owners]):
            self._release(number, owner, items, owners)
            return self._clashes(document, where, owner, owners)
        self._remember(document, where, own, content)
        return ()

    def _release(self, number: int, owner: int | None, items: Sequence[int], owners: Sequence[int | None]) -> None:
        """A document that isn't given out owns nothing."""
        if owner is None:
            self._numbers.release(number)
        for name, of_item in zip(items, owners, strict=True):
            if of_item is None:
                self._items.release(name)

    def _clashes(
        self, document: BillingDocument, where: Where, owner: int | None, owners: Sequence[int | None]
    ) -> tuple[Fault, ...]:
        faults: list[Fault] = []
        if owner is not None:
            what = f"the number {shown_value(document.header.number)} of another document, at {self._where(owner)}"
            faults.append(_clash(where.path, what, "a number of its own (DOC-2)"))
        for item, of_item in zip(document.items, owners, strict=True):
            if of_item is not None:
                what = f"the item {shown_value(item.id)} of another document, at {self._where(of_item)}"
                faults.append(_clash(where.path, what, "items of its own (DOC-3)"))
        return tuple(faults)

    def _remember(self, document: BillingDocument, where: Where, own: int, content: int) -> None:
        at = len(self._contents)
        self._contents.append(content)
        self._files.append(self._file_numbers[where.name])
        self._lines.append(where.line or 0)
        if where.path != "$":
            self._paths[at] = where
        self._ids.put(own, at)
        if document.type is DocumentType.INVOICE:
            code = self._codes.setdefault(document.header.currency, len(self._codes))
            self._currencies.put(own, code)

    def _where(self, at: int) -> Where:
        return self._paths.get(at) or Where(tuple(self._file_numbers)[self._files[at]], self._lines[at] or None)


def _clash(path: str, found: str, expected: str) -> Fault:
    return Fault(path=path, found=found, expected=expected, do="Correct the export, in which the two are mixed up")
