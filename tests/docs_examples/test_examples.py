"""What the examples claim, found by playing their own script over the core, and what is wrong with the bad ones."""

from __future__ import annotations

import re
import shlex
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from attrs import define, field

from regen_core import (
    DECISION_TABLE,
    BillingDocument,
    BillingTransaction,
    DocumentKey,
    DocumentType,
    Occasion,
    RegenerateRequest,
    Regeneration,
    RevenueLedger,
    TransactionStore,
    collect_all,
    decide,
    map_item,
)
from regen_core.fields import FIELD_ROWS, flat_row
from regen_core.refusals import DocumentNotPosted, UnmappableItem
from regen_core.revenue import HeldAs
from regen_core.store import ItemTaken, Loaded, NumberTaken
from regen_core.transactions import NO_TRANSACTIONS
from regen_core.type_mapping import MAPPING_ROWS
from regen_core.wire.reading import BadInput, DocumentReader, ReadDocument

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


def read(*names: str) -> tuple[list[BillingDocument], list[BadInput]]:
    """The documents of some example files, as one load would read them, and what is wrong with the rest."""
    reader = DocumentReader(tenant="t", entity="e")
    found: list[ReadDocument | BadInput] = []
    for name in names:
        with (EXAMPLES / name).open("rb") as lines:
            found.extend(reader.read(lines, name=name))
    found.extend(reader.finish())
    documents = [each.document for each in found if isinstance(each, ReadDocument)]
    return documents, [each for each in found if isinstance(each, BadInput)]


def files_of(folder: str) -> list[str]:
    return sorted(str(path.relative_to(EXAMPLES)) for path in (EXAMPLES / folder).iterdir())


def named_by(pattern: str) -> list[str]:
    return sorted(str(path.relative_to(EXAMPLES)) for path in EXAMPLES.glob(pattern))


def commands_of(script: str) -> list[list[str]]:
    """The arguments of every ``regen`` that a script calls, in order."""
    calls = re.findall(r"^(?:shown|summed|quietly|\$) regen (.*)$", script, re.MULTILINE)
    return [shlex.split(call) for call in calls]


@define
class Played:
    """What has happened so far: the store, Revenue, and every operation that was decided."""

    store: TransactionStore = field(factory=TransactionStore)
    ledger: RevenueLedger = field(factory=RevenueLedger)
    decided: list[Regeneration] = field(factory=list)

    def play(self, command: list[str]) -> None:
        verb, *arguments = command
        if verb == "load":
            self.load(*(name for argument in arguments for name in named_by(argument)))
        elif verb in ("plan", "run"):
            self.regenerate(arguments, persist=verb == "run")
        elif verb == "deliver":
            self.deliver(lost=arguments[1] != "ledger")
        else:
            assert verb == "show", f"the story has a command that this test doesn't know: {verb}"

    def load(self, *names: str) -> None:
        documents, bad = read(*names)
        assert [each.message for each in bad] == []
        for document in documents:
            loaded = self.store.load(document)
            assert isinstance(loaded, Loaded), loaded
            self.store = loaded.store

    def stored(self, kind: DocumentType, number: str) -> DocumentKey:
        keys = [stored.document.key for _, stored in self.store.documents.items()]
        [key] = [key for key in keys if key.type is kind and self._number_of(key) == number]
        return key

    def _number_of(self, key: DocumentKey) -> str:
        stored = self.store.get(key)
        assert stored is not None
        return stored.document.header.number

    def regenerate(self, arguments: list[str], *, persist: bool) -> None:
        given = dict(pairwise(arguments))
        request = RegenerateRequest(
            type=DocumentType(given["--type"]),
            number=given["--number"],
            only_re_send="--only-re-send" in arguments,
            re_migrate="--re-migrate" in arguments,
        )
        stored = self.store.get(self.stored(request.type, given["--number"]))
        assert stored is not None
        done = decide(stored.document, stored.transactions, request)
        assert isinstance(done, Regeneration), done
        self.decided.append(done)
        if persist:
            after = self.store.apply(done)
            assert isinstance(after, TransactionStore), after
            self.store = after

    def deliver(self, *, lost: bool) -> None:
        waiting = tuple(delivery for _, delivery in self.store.outbox.items())
        self.ledger = self.ledger if lost else collect_all(self.ledger, waiting)
        for delivery in waiting:
            self.store = self.store.delivered(delivery.id)


TOLD = {
    "story.sh": (EXAMPLES / "story.sh").read_text(),
    "README.md": (EXAMPLES / "README.md").read_text().partition("## Deliberately bad")[0],
}
"""The two texts that tell the story, each with commands of its own."""


@pytest.fixture(scope="module", params=TOLD)
def story(request: pytest.FixtureRequest) -> Played:
    """The story as one of the texts tells it, played to its end in memory."""
    played = Played()
    for command in commands_of(TOLD[request.param]):
        played.play(command)
    return played


NOT_IN_THE_EXAMPLES = {"OrgName", "ExcludeItemBookingFromRevenueAccounting", "OriginalInvoiceLineId"}
"""Organisations, and facts that rarely go with a memo or an adjustment."""


def request_of(document: BillingDocument) -> RegenerateRequest:
    return RegenerateRequest(type=document.type, id=document.id)


class TestWhatIsPosted:
    """``01-posted`` is well formed and reaches every row of the mapping."""

    def test_it_is_read_without_a_fault_and_holds_every_type(self) -> None:
        documents, bad = read(*files_of("01-posted"))
        assert bad == []
        assert len(documents) == 14
        assert {document.type for document in documents} == set(DocumentType)

    def test_every_row_of_the_mapping_is_reached(self) -> None:
        documents, _ = read(*files_of("01-posted"))
        rows = {map_item(document.header, item) for document in documents for item in document.revenue_items}
        assert rows == set(MAPPING_ROWS)

    def test_tax_lines_are_among_it(self) -> None:
        """TAX-1: an item and an adjustment."""
        documents, _ = read(*files_of("01-posted"))
        taxed = {document.type for document in documents if any(item.is_tax for item in document.items)}
        assert taxed == {DocumentType.INVOICE, DocumentType.INVOICE_ITEM_ADJUSTMENT}

    def test_every_document_can_be_regenerated(self) -> None:
        documents, _ = read(*files_of("01-posted"))
        for document in documents:
            assert isinstance(decide(document, NO_TRANSACTIONS, request_of(document)), Regeneration)

    def test_every_form_of_file_is_shown(self) -> None:
        texts = {name: (EXAMPLES / name).read_text() for name in files_of("01-posted")}
        assert any(text.startswith("[") for text in texts.values())
        assert any(name.endswith(".ndjson") and text.count("\n") > 1 for name, text in texts.items())
        assert any('"invoiceItems"' in text and '"documentId"' in text for text in texts.values())

    @pytest.mark.parametrize("kind", DocumentType)
    def test_nearly_every_field_with_a_source_is_filled_by_some_document(self, kind: DocumentType) -> None:
        documents, _ = read(*files_of("01-posted"))
        filled: set[str] = set()
        for document in documents:
            if document.type is kind:
                done = decide(document, NO_TRANSACTIONS, request_of(document), Occasion(datetime.now(UTC), "importer"))
                assert isinstance(done, Regeneration)
                filled.update(*(flat_row(transaction).values for transaction in done.writes))
        has_source = {row.name for row in FIELD_ROWS if row.origins[kind].sources}
        assert has_source - filled <= NOT_IN_THE_EXAMPLES


class TestTheStory:
    """The steps of ``story.sh`` reach every cell of both tables, and Revenue ends as the documents say."""

    def test_every_cell_of_both_tables_is_reached(self, story: Played) -> None:
        reached = {rule_id for done in story.decided for line in done.lines for rule_id in line.rule_ids}
        writes = {cell.id for cell in DECISION_TABLE.writes.values()}
        sends = {cell.id for cell in DECISION_TABLE.sends.values()}
        assert reached == writes | sends

    def test_the_backfill_changes_adds_removes_and_excludes(self, story: Played) -> None:
        mended = next(done for done in story.decided if done.rule.id == "TBL-M2")
        told = {line.rule_ids for line in mended.lines}
        assert {("TBL-W7", "TBL-S6"), ("TBL-W6", "TBL-S5"), ("TBL-W9", "TBL-S8"), ("TBL-W7", "TBL-S8")} <= told

    def test_revenue_ends_with_what_the_story_stored(self, story: Played) -> None:
        for done in story.decided:
            stored = story.store.get(done.document.key)
            assert stored is not None
            for line in stored.transactions.lines:
                held = story.ledger.held.get(line.transaction.id)
                if line.deliveries == 0:
                    assert held is None
                else:
                    assert held is not None
                    assert held.transaction == line.transaction
                    assert (held.kind is HeldAs.LINE) == line.transaction.is_live

    def test_the_lost_batch_left_revenue_behind_until_the_resend(self) -> None:
        played = Played()
        commands = commands_of(TOLD["story.sh"])
        lost = next(at for at, command in enumerate(commands) if command[2:] and command[2].startswith("file:"))
        resend = next(at for at, command in enumerate(commands) if command[0] == "run" and "--only-re-send" in command)
        assert lost < resend
        for command in commands[: resend + 1]:
            played.play(command)
        sent = [line.delivery for line in played.decided[-1].lines if line.delivery is not None]
        assert any(self._held(played, delivery.transaction.id) != delivery.transaction for delivery in sent)
        played.play(["deliver", "--to", "ledger"])
        assert all(self._held(played, delivery.transaction.id) == delivery.transaction for delivery in sent)

    @staticmethod
    def _held(played: Played, transaction_id: str) -> BillingTransaction | None:
        held = played.ledger.held.get(transaction_id)
        return None if held is None else held.transaction


FAULTS = {
    "bad/adjustment-without-currency.json": [(None, "$.regenCore.currency")],
    "bad/cut-off.json": [(15, "$")],
    "bad/endless-digits.json": [(14, "$.invoiceItems[0].chargeAmount")],
    "bad/key-twice.json": [(8, "$.currency")],
    "bad/many-faults.json": [
        (None, "$.invoiceNumber"),
        (None, "$.status"),
        (None, "$.invoiceDate"),
        (None, "$.currency"),
        (None, "$.invoiceItems[0].chargeAmount"),
        (None, "$.invoiceItems[0].excludeItemBillingFromRevenueAccounting"),
    ],
    "bad/misspelt-companion.json": [
        (None, "$.invoiceItems[0].regenCore.bookingExclude"),
        (None, "$.invoiceItems[0].regenCore.fields.SellPrize"),
    ],
    "bad/no-items.json": [(None, "$.invoiceItems")],
    "bad/not-a-number.json": [(14, "$.invoiceItems[0].chargeAmount")],
    "bad/not-json.json": [(1, "$")],
    "bad/one-bad-line.ndjson": [(2, "$")],
    "bad/one-id-twice.ndjson": [(2, "$")],
}
"""Each file that can't be read, with line and path of every fault in it."""

REFUSED_LATER = {
    "bad/draft.json": DocumentNotPosted,
    "bad/item-of-another-invoice.json": ItemTaken,
    "bad/number-taken.json": NumberTaken,
    "bad/unmappable.json": UnmappableItem,
}
"""Each file that is well formed, with what the store or the decision says to it."""


class TestBadInput:
    """Each file in ``bad`` is wrong in its own way, is told so where it is, and costs nothing that is good."""

    def test_every_bad_file_is_told_of(self) -> None:
        assert files_of("bad") == sorted([*FAULTS, *REFUSED_LATER])

    @pytest.mark.parametrize("name", FAULTS)
    def test_the_fault_is_found_where_it_is(self, name: str) -> None:
        _, bad = read(name)
        assert [(each.where.line, fault.path) for each in bad for fault in each.faults] == FAULTS[name]

    def test_the_good_lines_around_a_bad_one_are_read(self) -> None:
        documents, _ = read("bad/one-bad-line.ndjson")
        assert [document.header.number for document in documents] == ["INV00000211", "INV00000212"]

    @pytest.mark.parametrize("name", REFUSED_LATER)
    def test_what_is_well_formed_is_refused_by_the_rule_it_breaks(self, name: str) -> None:
        posted, _ = read(*files_of("01-posted"))
        played = Played()
        played.load(*files_of("01-posted"))
        [document], bad = read(name)
        assert bad == []
        loaded = played.store.load(document)
        found = decide(document, NO_TRANSACTIONS, request_of(document)) if isinstance(loaded, Loaded) else loaded
        assert isinstance(found, REFUSED_LATER[name])
        assert len(posted) == len(played.store.documents)
