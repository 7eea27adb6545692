"""How a load ends that can't go on, and what it does about numbers and items that another document still has."""

from __future__ import annotations

import inspect
import io
import json
import os
import subprocess
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from regen_core.adapters.cli.load_report import LoadReport
from regen_core.adapters.cli.output import PlainOutput
from regen_core.adapters.cli.progress import Progress
from regen_core.adapters.sql import SqlStore, faults
from regen_core.ports import StoreFault

POSIX = pytest.mark.skipif(os.name != "posix", reason="limits and devices of POSIX")


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two invoices of one item make a batch."""
    monkeypatch.setattr("regen_core.adapters.cli.loading.BATCH_ITEMS", 4)


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes the store fail at the batch of a number, counted from 0."""

    def fail(at: int, fault: BaseException) -> None:
        load_all, calls = SqlStore.load_all, iter(range(99))

        def loading(self: SqlStore, documents: Any) -> Any:
            if next(calls) == at:
                raise fault
            return load_all(self, documents)

        monkeypatch.setattr(SqlStore, "load_all", loading)

    return fail


@pytest.mark.usefixtures("small_batches")
class TestALoadThatBreaksOff:
    """It says how much is stored, that it stays, and that the same files may be loaded again (DOC-1)."""

    @pytest.mark.parametrize("more", [(), ("-q",), ("--json",), ("-q", "--json")], ids=" ".join)
    @pytest.mark.parametrize(
        ("fault", "cause"),
        [
            (faults.DatabaseFull("sqlite:///x.db"), "the disk is full. Nothing of this batch was stored; make room"),
            (faults.DatabaseUnavailable("sqlite:///x.db", "ioerr"), "failed (ioerr). Nothing of this batch was stored"),
            (OSError(28, "No space left on device"), "The output can't be written: the disk is full"),
            (KeyboardInterrupt(), "Interrupted."),
        ],
        ids=["full", "failed", "output", "Ctrl-C"],
    )
    def test_it_tells_what_was_stored_before(
        self, regen: Any, invoice: Any, failing: Any, fault: BaseException, cause: str, more: tuple[str, ...]
    ) -> None:
        """On standard error always; the summary counts what is stored, quiet or not; JSON stays valid and has all."""
        file = regen.write("a.ndjson", *[invoice(str(at)) for at in range(7)])
        failing(2, fault)
        said = regen("load", file, *more)
        assert said.code == 3
        assert said.err.startswith("regen: ")
        assert cause in said.err
        assert "4 documents had been stored before (4 new), and that stays." in said.err
        assert "Load the same files again for the rest: loading again is safe (DOC-1)." in said.err
        assert "this operation" not in said.err
        if "--json" in more:
            told = said.json
            assert (told["success"], told["exit_code"], told["new"]) == (False, 3, 4)
            assert f"regen: {told['error']}\n" == said.err
        else:
            assert said.out.endswith("broken off: 4 documents: 4 new\n")
        again = regen("load", file)
        assert (again.code, again.out.splitlines()[-1]) == (0, "7 documents: 3 new, 4 unchanged")

    def test_where_nothing_was_stored_that_is_told(self, regen: Any, invoice: Any, failing: Any) -> None:
        """The first batch fails."""
        failing(0, faults.DatabaseFull("sqlite:///x.db"))
        said = regen("load", regen.write("a.ndjson", *[invoice(str(at)) for at in range(3)]))
        assert "No document had been stored before." in said.err
        assert said.out.endswith("broken off: no documents\n")

    def test_an_interrupt_within_a_batch_leaves_open_whether_it_is_stored(
        self, regen: Any, invoice: Any, failing: Any
    ) -> None:
        """The commit may have been made before Ctrl-C came."""
        failing(1, KeyboardInterrupt())
        said = regen("load", regen.write("a.ndjson", *[invoice(str(at)) for at in range(3)]))
        assert "The batch under way is stored as a whole or not at all." in said.err

    def test_what_is_stored_counts_although_it_could_not_be_printed(
        self, regen: Any, invoice: Any, monkeypatch: Any
    ) -> None:
        """The output fills up at the second row."""
        rows = iter([None, OSError(28, "No space left on device")])

        def printing(*_: Any) -> None:
            fault = next(rows)
            if fault is not None:
                raise fault

        monkeypatch.setattr(LoadReport, "_row", printing)
        said = regen("load", regen.write("a.ndjson", invoice("1"), invoice("2")))
        assert "2 documents had been stored before (2 new)" in said.err

    @POSIX
    def test_an_input_that_can_not_be_read_on_is_named(self, regen: Any, invoice: Any) -> None:
        """What was read and stored before stays."""
        if not Path("/proc/self/mem").exists():
            pytest.skip("no file whose reading fails")
        file = regen.write("a.ndjson", *[invoice(str(at)) for at in range(2)])
        said = regen("load", file, "/proc/self/mem")
        assert "'/proc/self/mem' can't be read or written: the device reports an error." in said.err
        assert "2 documents had been stored before" in said.err


@POSIX
def test_a_database_that_may_not_grow_breaks_off_a_load_of_many_batches(regen: Any, invoice: Any) -> None:
    """A real limit, as ``ulimit -f`` sets it: what the sentence says is what the database has."""
    resource = pytest.importorskip("resource")
    file = regen.write("a.ndjson", *[invoice(str(at), items=["1.00"] * 20) for at in range(1500)])
    limit = 3_000_000
    done = subprocess.run(
        [*regen.start, "load", "-q", "--json", file],
        capture_output=True,
        env=regen.environment,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        check=False,
        timeout=300,
    )
    told = json.loads(done.stdout)
    assert done.returncode == 3
    assert 0 < told["new"] < 1500
    assert f"{told['new']} documents had been stored before" in done.stderr.decode()
    assert len(regen("show", "documents").rows) == told["new"]


def test_no_fault_of_a_store_speaks_for_the_whole_load() -> None:
    """Every sentence that the databases have, as a load tells it after some batches."""
    report = LoadReport(PlainOutput(io.StringIO()).listing("x", ()), Progress(None), is_quiet=True)
    report.counts["new"] = 5
    kinds = [kind for _, kind in inspect.getmembers(faults, inspect.isclass) if issubclass(kind, StoreFault)]
    assert len(kinds) > 9
    for kind in kinds:
        if kind is not StoreFault:
            told = str(report.broken_off(kind("sqlite:///x.db", "a", "b", "c"), is_storing=True))
            assert "Nothing of this operation" not in told
            assert "Nothing was stored" not in told
            assert "5 documents had been stored before (5 new), and that stays." in told


def renamed(invoice: dict[str, Any], number: str) -> dict[str, Any]:
    """The same invoice under another number."""
    return {**invoice, "invoiceNumber": number}


class TestNumbersAndItemsMove:
    """What one document takes over another gives up, in the same load (DOC-2, DOC-3)."""

    @pytest.mark.parametrize("batch", [1, 4, 1000])
    @pytest.mark.parametrize("turn", [1, -1])
    def test_a_chain_of_new_numbers_is_loaded_in_any_order(
        self, regen: Any, invoice: Any, monkeypatch: Any, batch: int, turn: int
    ) -> None:
        """Each invoice takes the number of the next."""
        monkeypatch.setattr("regen_core.adapters.cli.loading.BATCH_ITEMS", batch)
        before = [invoice(str(at)) for at in range(10)]
        regen("load", regen.write("a.ndjson", *before))
        after = [renamed(one, other["invoiceNumber"]) for one, other in pairwise(before)]
        after.append(renamed(before[-1], "INV-new"))
        said = regen("load", regen.write("b.ndjson", *after[::turn]))
        assert (said.code, said.out.splitlines()[-1]) == (0, "10 documents: 10 changed")

    def test_an_item_that_moves_to_an_earlier_document_is_loaded(self, regen: Any, invoice: Any) -> None:
        """The later one no longer has it."""
        regen("load", regen.write("a.ndjson", invoice("1"), invoice("2", items=("1.00", "2.00"))))
        moved = invoice("1")
        moved["invoiceItems"].append(invoice("2", items=("1.00", "2.00"))["invoiceItems"][1])
        one, other = regen.write("b.ndjson", moved), regen.write("c.ndjson", invoice("2", items=("1.00",)))
        assert regen("load", one, other).code == 0

    def test_two_documents_that_exchange_numbers_are_told_what_helps(self, regen: Any, invoice: Any) -> None:
        """A temporary number; following the advice works."""
        one, other = invoice("1"), invoice("2")
        regen("load", regen.write("a.ndjson", one, other))
        swapped = regen.write("b.ndjson", renamed(one, "INV-2"), renamed(other, "INV-1"))
        said = regen("load", swapped)
        assert said.code == 1
        assert said.out.count("load one of them under a temporary number first, then all of them") == 2
        assert "under its new number first" not in said.out
        assert regen("load", regen.write("c.ndjson", renamed(one, "temporary"))).code == 0
        assert regen("load", swapped).out.splitlines()[-1] == "2 documents: 2 changed"

    def test_documents_that_exchange_items_are_told_what_helps(self, regen: Any, invoice: Any) -> None:
        """Without the items first."""
        one, other = invoice("1"), invoice("2")
        regen("load", regen.write("a.ndjson", one, other))
        one["invoiceItems"], other["invoiceItems"] = other["invoiceItems"], one["invoiceItems"]
        said = regen("load", regen.write("b.ndjson", one, other))
        assert said.out.count("load one of them without them first") == 2

    def test_an_owner_that_stays_is_told_as_before(self, loaded: Any, invoice: Any) -> None:
        """Nothing of this load would free the number."""
        said = loaded("load", loaded.write("b.ndjson", renamed(invoice("2"), "INV-1")))
        assert "load that document under its new number first" in said.out

    def test_an_earlier_version_never_comes_after_a_later_one(self, regen: Any, invoice: Any, monkeypatch: Any) -> None:
        """It waits for a number; the version of the next file is stored meanwhile (DOC-1)."""
        monkeypatch.setattr("regen_core.adapters.cli.loading.BATCH_ITEMS", 1)
        one, other = invoice("1"), invoice("2")
        regen("load", regen.write("a.ndjson", one, other))
        old = regen.write("old.ndjson", renamed({**one, "status": "Draft"}, "INV-2"))
        new = regen.write("new.ndjson", one | {"reasonCode": "new"}, renamed(other, "INV-3"))
        said = regen("load", old, new)
        assert [row[0] for row in said.rows].count("refused") == 1
        assert [row[1:4] for row in regen("show", "documents", "--id", "invoice-1").rows] == [
            ["INV-1", "invoice-1", "Posted"]
        ]

    def test_no_more_wait_than_there_is_room_for(self, regen: Any, invoice: Any, monkeypatch: Any) -> None:
        """Those beyond are refused at once, and may be loaded again."""
        monkeypatch.setattr("regen_core.adapters.cli.loading.WAITING_ITEMS", 4)
        before = [invoice(str(at)) for at in range(5)]
        regen("load", regen.write("a.ndjson", *before))
        after = [renamed(one, other["invoiceNumber"]) for one, other in pairwise(before)]
        after.append(renamed(before[-1], "INV-new"))
        file = regen.write("b.ndjson", *after)
        said = regen("load", file)
        assert (said.code, said.out.splitlines()[-1]) == (1, "5 documents: 1 changed, 4 refused")


class TestFilesWithoutDocuments:
    """They are named, and not counted as documents."""

    @pytest.mark.parametrize("text", ["[]", '{"invoices": []}'])
    def test_a_file_that_lists_none_is_named(self, regen: Any, invoice: Any, tmp_path: Path, text: str) -> None:
        """It is no fault."""
        (tmp_path / "none.json").write_text(text, encoding="utf-8")
        said = regen("load", str(tmp_path / "none.json"))
        assert (said.code, said.out.splitlines()[-1]) == (0, f"no documents; none in {tmp_path / 'none.json'}")
        said = regen("load", regen.write("a.ndjson", invoice()), str(tmp_path / "none.json"))
        assert said.out.splitlines()[-1] == f"1 document: 1 new; none in {tmp_path / 'none.json'}"

    def test_of_many_such_files_some_are_named(self, regen: Any, tmp_path: Path) -> None:
        """The line stays a line."""
        for at in range(9):
            (tmp_path / f"{at}.json").write_text("[]", encoding="utf-8")
        said = regen("load", *[str(tmp_path / f"{at}.json") for at in range(9)])
        assert said.out.endswith("4.json and 4 other files\n")

    def test_a_page_whose_document_comes_later_is_no_empty_file(self, regen: Any, invoice: Any) -> None:
        """It is joined in the end."""
        whole = invoice()
        items = {"invoiceItems": whole.pop("invoiceItems"), "regenCore": {"documentId": whole["id"]}}
        said = regen("load", regen.write("items.json", items), regen.write("a.json", whole))
        assert said.out.splitlines()[-1] == "1 document: 1 new"

    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("", "an empty file"),
            ("\n \n", "an empty file"),
            ("Id,Number,Amount\n8ad0,INV-1,10.00\n", "a table such as CSV"),
            ('"Id";"Number"\n"8ad0";"INV;1"\n', "a table such as CSV"),
            ("Id\tNumber\n8ad0\tINV-1\n", "a table such as CSV"),
            ("Id,Number,Amount\n", "a table such as CSV"),
            ("<!DOCTYPE html>\n<title>Log in</title>\n", "HTML or XML"),
            ("  <records/>", "HTML or XML"),
            ('{\0"\0i\0d\0"\0:\0', "text in UTF-16"),
            ('\0[\0{\0"', "text in UTF-16"),
        ],
    )
    def test_what_is_no_text_of_documents_is_one_refused_file(
        self, regen: Any, tmp_path: Path, text: str, found: str
    ) -> None:
        """What it is instead is told."""
        (tmp_path / "a.csv").write_text(text, encoding="utf-8")
        said = regen("load", str(tmp_path / "a.csv"))
        assert said.code == 1
        assert f"found {found};" in said.out
        assert said.out.splitlines()[-1] == "no documents; 1 file refused"
        told = regen("load", "--json", str(tmp_path / "a.csv")).json
        assert (told["success"], told["refused"], told["files_refused"]) == (False, 0, 1)

    def test_a_bad_first_line_of_documents_is_no_table(self, regen: Any, invoice: Any, tmp_path: Path) -> None:
        """Commas are in it, too; the others are loaded."""
        lines = [json.dumps(invoice(str(at))) for at in range(2)]
        for first, told in (("date,of,export", "2 new"), ("<!-- exported today -->", "2 unchanged")):
            (tmp_path / "a.ndjson").write_text("\n".join([first, *lines]), encoding="utf-8")
            said = regen("load", str(tmp_path / "a.ndjson"))
            assert said.out.splitlines()[-1] == f"3 documents: {told}, 1 refused"

    def test_quiet_prints_no_header_without_rows(self, regen: Any, invoice: Any) -> None:
        """One line is the summary."""
        assert regen("load", "-q", regen.write("a.ndjson", invoice())).out == "1 document: 1 new\n"
        assert regen("load", "-q", regen.write("b.ndjson", {"id": 3})).out.startswith("outcome\tdocument")


class TestChanges:
    """Each fact once, in words; programs get all of it."""

    def changes(self, regen: Any, before: dict[str, Any], after: dict[str, Any]) -> list[str]:
        regen("load", regen.write("a.json", before))
        said = regen("load", regen.write("a.json", after)).out
        return [line.removeprefix("  change    ") for line in said.splitlines() if line.startswith("  change")]

    def test_a_fact_and_the_raw_field_that_tells_it_are_one_line(self, regen: Any, invoice: Any) -> None:
        """The source is typed, and its raw word is carried for the flat row."""
        before, after = invoice(), invoice()
        after["invoiceItems"][0]["sourceItemType"] = "OrderLineItem"
        assert self.changes(regen, before, after) == ["items[item-1-0].source: subscription → order line item"]
        regen("load", regen.write("a.json", before))
        told = regen("load", "--json", regen.write("a.json", after)).json["documents"][0]["changes"]
        assert [each["path"] for each in told] == [
            "items[item-1-0].source",
            "items[item-1-0].carried.sourceItemType",
        ]

    def test_a_raw_field_with_the_same_numbers_is_another_fact(self, regen: Any, invoice: Any) -> None:
        """The price of one piece is not the amount, though both are 12."""
        item = {"id": "i", "chargeAmount": "10.00", "unitPrice": "10.00", "processingType": "Charge"}
        dearer = {**item, "chargeAmount": "12.00", "unitPrice": "12.00"}
        assert self.changes(regen, invoice(items=(item,)), invoice(items=(dearer,))) == [
            "items[i].amount: 10.00 → 12.00",
            "items[i].carried.unitPrice: 10.00 → 12.00",
        ]

    def test_an_assumption_is_told_in_words_where_nothing_else_changed(self, regen: Any, invoice: Any) -> None:
        """That it isn't excluded was assumed, and is told now."""
        before, after = invoice(), invoice()
        after["invoiceItems"][0]["excludeItemBillingFromRevenueAccounting"] = False
        fact = "excluded from revenue accounting: no (FCT-5)"
        assert self.changes(regen, before, after) == [f"items[item-1-0]: no longer assumed: {fact}"]
        assert self.changes(regen, after, before) == [f"items[item-1-0]: assumed now: {fact}"]

    def test_an_amount_less_tax_is_told_once(self, regen: Any) -> None:
        """FCT-9: the net amount follows from the raw one, and the assumption from both."""
        memo = {"id": "cm", "number": "CM-1", "creditMemoDate": "2026-01-31", "status": "Posted", "currency": "EUR"}
        items = [{"id": "i", "amount": amount, "sourceItemType": "SubscriptionComponent"} for amount in (10, 12)]
        before, after = ({**memo, "items": [item]} for item in items)
        assert self.changes(regen, before, after) == ["items[i].amount: 10 → 12"]
