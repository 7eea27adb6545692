"""What a place that takes deliveries must offer, and the form in which it gets them: one line of JSON each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from types import TracebackType
from typing import Any, Final, Protocol, Self

from attrs import frozen

from regen_core.attempts import Answer
from regen_core.ports import OutboxEntry
from regen_core.revenue import Delivery
from regen_core.wire.canonical import delivery_json
from regen_core.wire.strict_json import dump

__all__ = ["Part", "Sink", "delivery_line", "joined", "part_of"]

_END: Final = b"\n"


def delivery_line(delivery: Delivery) -> bytes:
    """A delivery as one line of JSON in UTF-8, its end included; the id comes first, for people who look.

    Numbers stay exact and text can't hold the end of a line, so the line reads back as the delivery that it was.
    """
    parts: dict[str, Any] = delivery_json(delivery)
    text = ",".join([f'"{name}":{dump(part)}' for name, part in parts.items()])
    return f"{{{text}}}".encode() + _END


@frozen
class Part:
    """Deliveries that travel together and share one answer, each with its line."""

    entries: tuple[OutboxEntry, ...]
    lines: tuple[bytes, ...]

    @property
    def size(self) -> int:
        """Bytes of all lines."""
        return sum(map(len, self.lines))

    def halves(self) -> tuple[Part, Part]:
        """The deliveries as two parts, where there are at least two."""
        middle = len(self.entries) // 2
        return Part(self.entries[:middle], self.lines[:middle]), Part(self.entries[middle:], self.lines[middle:])


def part_of(entries: Sequence[OutboxEntry]) -> Part:
    """Deliveries as one part."""
    return Part(tuple(entries), tuple([delivery_line(entry.delivery) for entry in entries]))


def joined(parts: Sequence[Part]) -> Part:
    """Several parts as one."""
    return Part(
        tuple([entry for part in parts for entry in part.entries]),
        tuple([line for part in parts for line in part.lines]),
    )


class Sink(Protocol):
    """A place that takes deliveries, opened as a context.

    Fields: ``shown`` its name for people, without secrets; ``lease`` how long deliveries must be claimed to be sent
    there, nothing where the place itself lets only one relay in; ``patience`` the longest that one answer takes.
    """

    @property
    def shown(self) -> str: ...

    @property
    def lease(self) -> timedelta: ...

    @property
    def patience(self) -> timedelta: ...

    def parts(self, entries: Sequence[OutboxEntry]) -> list[Part]:
        """How deliveries would be sent, in order; each is in exactly one part."""
        ...

    def send(self, part: Part) -> Answer:
        """Send, and say what came back. What no answer can say raises, and then nobody knows whether they arrived."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, traceback: TracebackType | None
    ) -> None: ...
