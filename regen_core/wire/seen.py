"""Which names a load has seen and where, in a few bytes each: for files with millions of documents.

Owns fingerprints and the table that maps them to a number. It knows no document and no file.
"""

from __future__ import annotations

from array import array
from hashlib import blake2b
from typing import Final

__all__ = ["SeenNames", "fingerprint"]

_FIRST_SIZE: Final = 1 << 10
_UNUSED: Final = 0


def fingerprint(*parts: str) -> int:
    """64 bits for a tuple of names that hold no control characters; never zero.

    Two different names among five million share their fingerprint in one load of a million; the second would then be
    reported as if it were the first.

    >>> fingerprint("Invoice", "INV-1") == fingerprint("Invoice", "INV-2")
    False
    """
    digest = blake2b("\x1f".join(parts).encode(), digest_size=8, person=b"regen_core seen").digest()
    return int.from_bytes(digest, "little") or 1


class SeenNames:
    """A map from fingerprints to numbers below 2³², 12 bytes a slot and at most two thirds full.

    A name costs 18 to 36 bytes, where a dictionary of integers takes more than 100.

    >>> seen = SeenNames()
    >>> seen.put(fingerprint("Invoice", "INV-1"), 7)
    >>> seen.get(fingerprint("Invoice", "INV-1")), seen.get(fingerprint("Invoice", "INV-2"))
    (7, None)
    """

    __slots__ = ("_count", "_mask", "_names", "_numbers")

    def __init__(self) -> None:
        self._count = 0
        self._allocate(_FIRST_SIZE)

    def __len__(self) -> int:
        return self._count

    def _allocate(self, size: int) -> None:
        self._mask = size - 1
        self._names = array("Q", bytes(8 * size))
        self._numbers = array("I", bytes(4 * size))

    def _slot(self, name: int) -> int:
        names, mask = self._names, self._mask
        slot = name & mask
        while names[slot] not in (_UNUSED, name):
            slot = (slot + 1) & mask
        return slot

    def get(self, name: int) -> int | None:
        """The number of a fingerprint, or ``None`` where it wasn't seen."""
        slot = self._slot(name)
        return self._numbers[slot] if self._names[slot] else None

    def put(self, name: int, number: int) -> None:
        """Note the number of a fingerprint, in place of an earlier one."""
        slot = self._slot(name)
        if not self._names[slot]:
            if 3 * (self._count + 1) > 2 * (self._mask + 1):
                self._grow()
                slot = self._slot(name)
            self._names[slot] = name
            self._count += 1
        self._numbers[slot] = number

    def _grow(self) -> None:
        names, numbers = self._names, self._numbers
        self._allocate(2 * (self._mask + 1))
        for name, number in zip(names, numbers, strict=True):
            if name:
                slot = self._slot(name)
                self._names[slot], self._numbers[slot] = name, number
