"""The naive model's answers to requests for a few documents, each asked for once and kept.

What the model says of a request depends on the document, the request and, of each stored line, on its item, its state,
whether that item is excluded and whether it was ever sent: on the *shape* of what is stored. Revisions, delivery
numbers and occasions are only counted on. So an answer is kept by shape, as what becomes of each line, and whoever asks
does the counting.
"""

from __future__ import annotations

from random import Random
from typing import Any, Final, NamedTuple

from attrs import evolve

from regen_core.decision_table import RegenerateFlag, SendAction
from regen_core.documents import BillingDocument, BillingItem, DocumentHeader
from regen_core.request import RegenerateRequest
from regen_core.testing.asking import NAMINGS, asked
from regen_core.testing.edits import EDITS, SLOTS, edited, initial
from regen_core.testing.model import NaiveModel, Plain
from regen_core.testing.translation import plain_document, plain_request
from regen_core.transactions import RevenueType

__all__ = ["Plan", "Said", "Slot", "Variant", "Written", "slots_of"]

KEPT, GENERATED, OVERRIDDEN, VOIDED = range(4)
"""What becomes of a line."""

_VARIANTS: Final = 16
"""Versions of a document, among which a history goes to and fro."""

_MOST_EDITS: Final = 4
"""From one version of a document to another."""

_EDITS: Final = (*EDITS, *["add an item", "change an item's source"] * 2)
"""Every edit, and more of those that make documents longer or their items hard to map."""

_FLAGS: Final = ((False, False), (False, True), (True, False), (True, True))
_WAYS: Final = tuple([(flags, naming) for flags in _FLAGS for naming in NAMINGS])
_CHOICES: Final = [
    place
    for place, (flags, naming) in enumerate(_WAYS)
    for _ in range((1 if flags == (True, True) else 4) * (8 if naming == "id" else 1))
]
"""Places of the ways to ask, most often by id and with flags that go together."""

_THEN, _NOW = "then", "now"
_COUNTED: Final = {
    KEPT: (1, _THEN, _THEN),
    GENERATED: (1, _NOW, _NOW),
    OVERRIDDEN: (2, _THEN, _NOW),
    VOIDED: (2, _THEN, _NOW),
}
"""Revision, creation and update of a line that was stored at revision 1 then, by what becomes of it now."""

_Shape = tuple[tuple[str, str, bool, bool], ...]
"""Of each stored line: its item, its state, whether the item is excluded, whether the line was ever sent."""


class Written(NamedTuple):
    """A line whose transaction is created or changed.

    Fields: ``place`` among the lines afterwards; ``item_id`` the line's; ``content`` what is generated or what replaces
    the stored one, ``None`` where that is voided.
    """

    place: int
    item_id: str
    content: tuple[DocumentHeader, BillingItem, RevenueType, bool] | None


class Said(NamedTuple):
    """What Revenue is told of the line at a ``place``, in the core's values."""

    place: int
    flag: RegenerateFlag
    action: SendAction


class Plan(NamedTuple):
    """What the model answers: a refusal by name with its details, or the lines afterwards.

    Fields: ``lines`` has each one's place before, -1 for none, and how many deliveries are added to it; ``written`` and
    ``said`` the lines to which that happens; ``listed`` the places of those in the answer (TBL-R); ``shape`` is the
    number of the shape afterwards, which a refusal leaves as it was.
    """

    refused: str | None
    details: object
    lines: tuple[tuple[int, int], ...]
    written: tuple[Written, ...]
    said: tuple[Said, ...]
    listed: tuple[int, ...]
    shape: int


class Variant:
    """A version of a document, and the requests for it with the answers that were asked for so far, by shape."""

    def __init__(self, slot: Slot, document: BillingDocument) -> None:
        self.document = document
        self._slot, self._plain = slot, plain_document(document)
        ways = [asked(document.key, document.header.number, way, *flags, "everything")[1] for flags, way in _WAYS]
        known = [(each, dict[int, Plan]()) for each in ways]
        self.requests = [known[place] for place in _CHOICES]

    def ask(self, request: RegenerateRequest, shape: int) -> Plan:
        """Ask the model, which has this document alone with what is stored in a shape."""
        key, model = self._slot.place, NaiveModel()
        model.documents[key] = self._plain
        before = model.transactions[key] = [_line(key, *each) for each in self._slot.shapes[shape]]
        model.deliveries_so_far = {
            line["identity"]: 1 for line, each in zip(before, self._slot.shapes[shape], strict=True) if each[3]
        }
        scope = {"tenant": key[0], "entity": key[1], "orgs": None}
        done = model.regenerate(scope, plain_request(request), _NOW)
        if done["refused"] is not None:
            return Plan(done["refused"], done["details"], (), (), (), (), shape)
        after, sent = model.transactions[key], model.deliveries_so_far
        places = {line["identity"]: place for place, line in enumerate(after)}
        said = tuple([_said(each, places, sent) for each in done["deliveries"]])
        told = {each.place for each in said}
        came_from = [_place_before(before, line) for line in after]
        written = [_written(place, at, before, after) for place, at in enumerate(came_from)]
        return Plan(
            refused=None,
            details=None,
            lines=tuple([(at, int(place in told)) for place, at in enumerate(came_from)]),
            written=tuple([each for each in written if each is not None]),
            said=said,
            listed=tuple([places[identity] for identity in done["ids"]]),
            shape=self._slot.numbered(tuple([_told(line, sent) for line in after])),
        )


class Slot:
    """A document of the universe in several versions; ``shapes`` has the shapes that were met, the empty one first."""

    def __init__(self, place: int, rng: Random) -> None:
        key = SLOTS[place]
        self.place = (key.tenant, key.entity, key.type.value, key.id)
        self.shapes: list[_Shape] = [()]
        self._numbers: dict[_Shape, int] = {(): 0}
        documents = [initial(key)]
        while len(documents) < _VARIANTS:
            documents.append(_varied(rng.choice(documents), rng))
        self.variants = [Variant(self, document) for document in documents]

    def numbered(self, shape: _Shape) -> int:
        """The number of a shape."""
        number = self._numbers.setdefault(shape, len(self.shapes))
        if number == len(self.shapes):
            self.shapes.append(shape)
        return number


def _varied(document: BillingDocument, rng: Random) -> BillingDocument:
    """Another version; of one in eight it isn't told where any item comes from (MAP-U)."""
    for _ in range(rng.randrange(1, _MOST_EDITS + 1)):
        document = edited(document, rng.choice(_EDITS), rng.getrandbits(8))
    if rng.getrandbits(3) == 0:
        document = evolve(document, items=tuple([evolve(item, source=None) for item in document.items]))
    return document


def slots_of(number: int) -> tuple[Slot, ...]:
    """The documents of a universe; a number is the same one everywhere."""
    rng = Random(number)  # noqa: S311  # documents to try, no secret
    return tuple([Slot(place, rng) for place in range(len(SLOTS))])


def _line(key: tuple[str, ...], item_id: str, state: str, excluded: bool, _sent: bool) -> Plain:
    """A stored line as far as the model looks at it."""
    item = {"id": item_id, "excluded": excluded}
    return {
        "identity": (*key, item_id),
        "item": item,
        "state": state,
        "revision": 1,
        "created": _THEN,
        "updated": _THEN,
    }


def _told(line: Plain, sent: dict[Any, int]) -> tuple[str, str, bool, bool]:
    return line["item"]["id"], line["state"], line["item"]["excluded"], line["identity"] in sent


def _place_before(before: list[Plain], line: Plain) -> int:
    places = [place for place, old in enumerate(before) if old["item"]["id"] == line["item"]["id"]]
    return places[0] if places else -1


def _written(place: int, at: int, before: list[Plain], after: list[Plain]) -> Written | None:
    line, write, content = after[place], KEPT, None
    if at < 0 or line is not before[at]:
        write = GENERATED if at < 0 else OVERRIDDEN if "as_given" in line["item"] else VOIDED
    counted = (line["revision"], line["created"], line["updated"])
    assert counted == _COUNTED[write], f"the model counts {counted}, not {_COUNTED[write]}"
    if write in (GENERATED, OVERRIDDEN):
        kind = RevenueType(line["revenue_type"])
        content = (line["document"]["as_given"], line["item"]["as_given"], kind, line["standalone"])
    return None if write == KEPT else Written(place, line["item"]["id"], content)


def _said(delivery: Plain, places: dict[Any, int], sent: dict[Any, int]) -> Said:
    identity, flag, action = delivery["transaction"]["identity"], delivery["flag"], delivery["action"]
    assert delivery["number"] == sent[identity], f"the model counts {delivery['number']}, not {sent[identity]}"
    return Said(places[identity], RegenerateFlag(flag), SendAction(action))
