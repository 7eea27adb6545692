"""What each command does, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from regen_core import DocumentKey, DocumentType, transaction_id
from regen_core.adapters.cli.main import cli
from regen_core.explain import FORMATS, TABLES, table

KEY = DocumentKey(tenant="default", entity="default", type=DocumentType.INVOICE, id="invoice-1")
FIRST = transaction_id(KEY, "item-1-0")
SECOND = transaction_id(KEY, "item-1-1")
REFERENCE = ("--type", "Invoice", "--number", "INV-1")


class TestLoad:
    """DOC-1 … DOC-4: what is new, what changed, what is refused."""

    def test_documents_are_new_then_unchanged_then_changed(self, regen: Any, invoice: Any) -> None:
        """Loading again replaces and says what is different (DOC-1)."""
        file = regen.write("a.ndjson", invoice())
        assert regen("load", file).rows == [["new", "Invoice", "INV-1", "invoice-1", file]]
        assert regen("load", file).rows[0][0] == "unchanged"
        regen.write("a.ndjson", invoice(items=("12.00",)))
        said = regen("load", file)
        assert said.rows[0][0] == "changed"
        assert "change    items[item-1-0].amount: 10.00 → 12.00" in said.out
        assert said.out.endswith("1 document: 1 changed\n")

    def test_items_that_came_and_went_are_told(self, loaded: Any, invoice: Any) -> None:
        """Added and gone, each with its amount."""
        replaced = invoice(items=("10.00", {"id": "other", "chargeAmount": 7}))
        said = loaded("load", loaded.write("b.ndjson", replaced))
        assert "items[item-1-1]: gone, was -2.50" in said.out
        assert "items[other]: added, 7" in said.out

    def test_good_documents_are_loaded_and_bad_ones_are_reported_whole(self, regen: Any, invoice: Any) -> None:
        """DOC-4: a bad document stops no other; all that is wrong with it is told at once."""
        bad = {**invoice("2"), "invoiceDate": "31.01.2026", "currency": "euro"}
        said = regen("load", regen.write("a.ndjson", invoice("1"), bad, invoice("3")))
        assert said.code == 1
        assert sorted(row[0] for row in said.rows) == ["new", "new", "refused"]
        assert "$.invoiceDate" in said.out
        assert "$.currency" in said.out
        assert "a.ndjson:2" in said.out
        assert said.out.endswith("3 documents: 2 new, 1 refused\n")

    def test_a_number_or_an_item_of_a_stored_document_is_refused(self, loaded: Any, invoice: Any) -> None:
        """DOC-2, DOC-3: with the owner's id, and what was stored stays."""
        number = {**invoice("2"), "invoiceNumber": "INV-1"}
        item = invoice("3", items=({"id": "item-1-0", "chargeAmount": 1},))
        said = loaded("load", loaded.write("b.ndjson", number, item))
        assert said.code == 1
        assert "the number INV-1 belongs to the Invoice with id invoice-1 (DOC-2)" in said.out
        assert "the item item-1-0 belongs to the Invoice with id invoice-1 (DOC-3)" in said.out
        assert len(loaded("show", "documents").rows) == 1

    def test_standard_input_is_a_file_too(self, regen: Any, invoice: Any) -> None:
        """A dash reads it, and messages call it by its name."""
        said = regen("load", "-", stdin=json.dumps(invoice()).encode())
        assert said.rows[0][-1].startswith("standard input")

    def test_quiet_prints_only_what_was_refused(self, regen: Any, invoice: Any) -> None:
        """A million good documents are one line."""
        said = regen("load", "-q", regen.write("a.ndjson", invoice("1"), {"id": 3}))
        assert [row[0] for row in said.rows] == ["refused"]
        assert said.out.endswith("2 documents: 1 new, 1 refused\n")

    def test_more_documents_than_a_batch_are_all_stored(self, regen: Any, invoice: Any, monkeypatch: Any) -> None:
        """Batches are units of work; none is forgotten at the end."""
        monkeypatch.setattr("regen_core.adapters.cli.loading.BATCH_ITEMS", 5)
        many = [invoice(str(number)) for number in range(17)]
        assert regen("load", regen.write("a.ndjson", *many)).out.endswith("17 documents: 17 new\n")
        assert len(regen("show", "documents").rows) == 17

    def test_an_org_is_given_to_documents_that_name_none(self, regen: Any, invoice: Any) -> None:
        """FCT-11, ACC-4: then only those who see that organisation see the document."""
        regen("load", regen.write("a.ndjson", invoice()), "--org", "north")
        assert regen("plan", *REFERENCE, "--org", "north").code == 0
        assert regen("plan", *REFERENCE, "--org", "south", "--org", "west").code == 1
        assert regen("plan", *REFERENCE).code == 0

    def test_many_changes_are_cut_for_people_and_whole_for_programs(self, regen: Any, invoice: Any) -> None:
        """Twenty lines are enough to see what kind of change it is."""
        file = regen.write("a.ndjson", invoice(items=["1.00"] * 30))
        regen("load", file)
        regen.write("a.ndjson", invoice(items=["2.00"] * 30))
        assert "and 10 more; --json shows all" in regen("load", file).out
        regen.write("a.ndjson", invoice(items=["3.00"] * 30))
        assert len(regen("load", file, "--json").json["documents"][0]["changes"]) == 30


class TestPlanAndRun:
    """A plan changes nothing; a run does what the plan said."""

    def test_a_plan_names_item_action_rules_flag_and_reason(self, loaded: Any) -> None:
        """On one line each."""
        said = loaded("plan", *REFERENCE)
        line = next(line for line in said.out.splitlines() if line.startswith("item-1-0"))
        assert line.split()[:5] == ["item-1-0", "generate", "1", "INV", "10.00"]
        assert "line N" in line
        assert "TBL-W1 TBL-S1" in line
        assert "item present, none stored → live, never sent" in line
        assert "Dry run, nothing was changed" in said.out

    def test_a_plan_changes_nothing(self, loaded: Any) -> None:
        """Not even with the flag that overrides."""
        loaded("plan", *REFERENCE, "--re-migrate")
        assert loaded("show", "transactions").rows == []
        assert loaded("show", "deliveries").rows == []

    def test_a_run_prints_the_id_list(self, loaded: Any) -> None:
        """TBL-R: one id per line, to be found by its label."""
        said = loaded("run", *REFERENCE)
        ids = [line.split()[1] for line in said.out.splitlines() if line.startswith("idList")]
        assert ids == [FIRST, SECOND]
        assert said.code == 0

    def test_a_run_does_what_the_plan_said(self, loaded: Any) -> None:
        """The same lines, by the same rules."""
        planned, ran = loaded("plan", *REFERENCE, "--json").json, loaded("run", *REFERENCE, "--json").json
        assert planned["idList"] == ran["idList"]
        assert [line["rules"] for line in planned["lines"]] == [line["rules"] for line in ran["lines"]]
        assert (planned["is_done"], ran["is_done"]) == (False, True)

    def test_amounts_in_json_are_text(self, loaded: Any) -> None:
        """No reader makes a float of them."""
        assert loaded("plan", *REFERENCE, "--json").json["lines"][1]["after"]["amount"] == "-2.50"

    def test_a_plan_shows_drift_and_explained_it_shows_the_difference(self, loaded: Any, invoice: Any) -> None:
        """The document was fixed after its transactions were generated."""
        loaded("run", *REFERENCE)
        loaded("load", loaded.write("fix.ndjson", invoice(items=("11.00", "-2.50"))))
        assert "drifted in item.amount" in loaded("plan", *REFERENCE).out
        said = loaded("plan", *REFERENCE, "--explain").out
        assert "  drift     item.amount: 10.00 → 11.00" in said
        loaded("load", loaded.write("fix.ndjson", invoice(items=("11.00",))))
        said_of_gone = loaded("plan", *REFERENCE, "--explain").out
        assert "  drift     item gone: nothing would be generated today" in said_of_gone
        loaded("load", loaded.write("fix.ndjson", invoice(items=("11.00", "-2.50"))))
        assert "  assumed   booking excluded: no (FCT-1)" in said
        assert "  TBL-W2    `GENERATE`, item present, active transaction: keep. [documented]" in said
        overriding = loaded("plan", *REFERENCE, "--re-migrate", "-v").out
        assert "  change    item.amount: 10.00 → 11.00" in overriding

    def test_an_id_names_a_document_too(self, loaded: Any) -> None:
        """REQ-4: by id, by number, or by both."""
        assert loaded("plan", "--type", "Invoice", "--id", "invoice-1").code == 0
        assert loaded("plan", "--type", "Invoice", "--id", "invoice-1", "--number", "INV-1").code == 0

    @pytest.mark.parametrize(
        ("request_", "name"),
        [
            (("--type", "Invoice", "--number", "INV-2"), "DocumentNotFound"),
            (("--type", "CreditMemo", "--number", "INV-1"), "DocumentNotFound"),
            ((*REFERENCE, "--re-migrate", "--only-re-send"), "ConflictingFlags"),
            ((*REFERENCE, "--only-re-send"), "NothingToResend"),
            ((*REFERENCE, "--tenant", "other"), "DocumentNotFound"),
            ((*REFERENCE, "--entity", "other"), "DocumentNotFound"),
        ],
    )
    @pytest.mark.parametrize("command", ["plan", "run"])
    def test_a_refusal_ends_with_1_and_says_why(
        self, loaded: Any, command: str, request_: tuple[str, ...], name: str
    ) -> None:
        """For people with the rule's words, for programs with name and code; nothing is stored (PRE-4)."""
        said = loaded(command, *request_)
        assert said.code == 1
        assert f"refused: {name} (500000" in said.out + said.err
        told = loaded(command, *request_, "--json")
        assert told.code == 1
        assert told.json["success"] is False
        assert told.json["refusal"]["name"] == name
        assert loaded("show", "transactions").rows == []

    @pytest.mark.parametrize(
        ("more", "told", "rule_id"),
        [
            (("--number", "INV-2"), "number 'INV-2' in tenant 'default', entity 'default', any org", "REQ-7"),
            (("--id", "x", "--tenant", "acme"), "id 'x' in tenant 'acme', entity 'default', any org", "REQ-7"),
            (("--number", "x", "--org", "north", "--org", "south"), "org 'north' or 'south'. Check each", "ACC-4"),
            (("--id", "x", "--number", "INV-1"), "id 'x' and number 'INV-1' in tenant", "REQ-4"),
        ],
    )
    def test_a_document_that_is_not_found_is_told_with_where_it_was_looked_for(
        self, loaded: Any, more: tuple[str, ...], told: str, rule_id: str
    ) -> None:
        """A local operator may know; of the rules the one that matters, for programs all."""
        said = loaded("plan", "--type", "Invoice", *more)
        assert f"There is no Invoice with {told}" in said.out or told in said.out
        assert [each for each in ("REQ-4", "REQ-7", "ACC-4") if f"  {each}  " in said.out] == [rule_id]
        rules = loaded("plan", "--type", "Invoice", *more, "--json").json["refusal"]["rules"]
        assert [each["id"] for each in rules] == ["REQ-4", "REQ-7", "ACC-4"]

    def test_what_went_wrong_in_a_run_is_a_complaint_and_in_a_plan_the_result(self, loaded: Any) -> None:
        """Ids on standard output stay ids."""
        assert loaded("run", *REFERENCE, "--only-re-send").out == ""
        assert loaded("plan", *REFERENCE, "--only-re-send").err == ""

    def test_a_repeat_under_a_key_is_a_replay(self, loaded: Any) -> None:
        """IDM-1, IDM-8: the same ids, and nothing is sent again."""
        first = loaded("run", *REFERENCE, "--idempotency-key", "k1", "--json").json
        again = loaded("run", *REFERENCE, "--idempotency-key", "k1", "--json").json
        assert again == {"success": True, "idList": first["idList"], "is_replayed": True}
        assert len(loaded("show", "deliveries").rows) == 2
        assert "Replayed" in loaded("run", *REFERENCE, "--idempotency-key", "k1").out

    def test_a_refusal_is_replayed_as_a_refusal(self, loaded: Any) -> None:
        """IDM-6: the first result stands, although the cause has passed."""
        key = ("--idempotency-key", "k2")
        assert loaded("run", *REFERENCE, "--only-re-send", *key).code == 1
        loaded("run", *REFERENCE)
        said = loaded("run", *REFERENCE, "--only-re-send", *key)
        assert said.code == 1
        assert "(50000030)" in said.out

    def test_another_request_under_a_key_is_refused(self, loaded: Any) -> None:
        """IDM-4."""
        loaded("run", *REFERENCE, "--idempotency-key", "k1")
        said = loaded("run", *REFERENCE, "--re-migrate", "--idempotency-key", "k1", "--json")
        assert said.json["refusal"]["name"] == "IdempotencyKeyReused"


class TestShow:
    """Rows separated by tabs, or JSON; nothing that isn't asked for."""

    def test_documents_transactions_deliveries_and_revenue_are_listed(self, loaded: Any) -> None:
        """From the document to what Revenue holds."""
        loaded("run", *REFERENCE)
        assert loaded("show", "documents").rows[0][1:4] == ["INV-1", "invoice-1", "Posted"]
        transactions = loaded("show", "transactions").rows
        assert [(row[0], row[8], row[10]) for row in transactions] == [(FIRST, "10.00", "1"), (SECOND, "-2.50", "1")]
        assert [row[0] for row in loaded("show", "deliveries").rows] == [f"{FIRST}-1", f"{SECOND}-1"]
        assert loaded("show", "revenue").rows == []
        loaded("deliver", "--to", "ledger")
        assert [row[4] for row in loaded("show", "revenue").rows] == ["line", "line"]

    def test_deliveries_that_wait_are_told_from_those_that_don_t(self, loaded: Any) -> None:
        """Before and after the relay."""
        loaded("run", *REFERENCE)
        assert len(loaded("show", "deliveries", "--pending").rows) == 2
        loaded("deliver", "--to", "ledger")
        assert loaded("show", "deliveries", "--pending").rows == []
        assert len(loaded("show", "deliveries", "--acknowledged").rows) == 2

    def test_rows_of_one_document_can_be_picked(self, loaded: Any, invoice: Any) -> None:
        """By type, id and number, matched exactly (REQ-7)."""
        loaded("load", loaded.write("b.ndjson", invoice("2"), invoice("3")))
        assert [row[1] for row in loaded("show", "documents", "--number", "INV-2").rows] == ["INV-2"]
        assert loaded("show", "documents", "--type", "CreditMemo").rows == []
        assert len(loaded("show", "documents", "--limit", "2").rows) == 2

    def test_more_rows_than_a_page_are_all_shown_once(self, regen: Any, invoice: Any, monkeypatch: Any) -> None:
        """Pages are ours, not the user's."""
        monkeypatch.setattr("regen_core.adapters.cli.paging.PAGE", 3)
        regen("load", regen.write("a.ndjson", *[invoice(f"{number:02}") for number in range(10)]))
        assert [row[1] for row in regen("show", "documents").rows] == [f"INV-{number:02}" for number in range(10)]

    def test_the_flat_row_has_every_documented_field_once(self, loaded: Any) -> None:
        """126 fields per transaction, filled or with the reason why not."""
        loaded("run", *REFERENCE)
        rows = loaded("show", "transactions", "--flat").rows
        assert [row[1] for row in rows] == [record["name"] for record in table("fields").records] * 2
        assert all(row[3].startswith("unfilled: ") == (row[2] == "–") for row in rows)
        told = loaded("show", "transactions", "--flat", "--json").json["transactions"]
        assert [len(each["values"]) + len(each["unfilled"]) for each in told] == [126, 126]

    def test_another_tenant_sees_nothing(self, loaded: Any) -> None:
        """ACC-4."""
        loaded("run", *REFERENCE)
        for what in ("documents", "transactions", "deliveries", "revenue"):
            assert loaded("show", what, "--tenant", "other").rows == []

    def test_amounts_are_written_in_full_for_people_and_as_they_are_for_programs(
        self, regen: Any, invoice: Any
    ) -> None:
        """No exponent, and no zero below zero."""
        items = [
            {"id": f"i{at}", "chargeAmount": amount, "sourceItemType": "SubscriptionComponent"}
            for at, amount in enumerate(("1E+5", "1E-10", "-0.00"))
        ]
        regen("load", regen.write("a.ndjson", invoice(items=items)))
        people = [regen("plan", *REFERENCE).out, regen("plan", *REFERENCE, "-v").out, regen("run", *REFERENCE).out]
        regen("deliver", "--to", "ledger")
        people += [regen("show", what).out for what in ("transactions", "deliveries", "revenue")]
        for said in people:
            assert all(amount in said for amount in ("100000", "0.0000000001", "0.00"))
            assert not any(amount in said for amount in ("E+5", "E-10", "-0.00"))
        flat = regen("show", "transactions", "--flat").out + regen("show", "documents").out
        assert not any(amount in flat for amount in ("E+5", "E-10"))
        told = regen("show", "transactions", "--json").json["transactions"]
        assert [each["transaction"]["item"]["amount"] for each in told] == ["1E+5", "1E-10", "-0.00"]

    def test_text_of_a_document_can_t_steer_a_terminal(self, regen: Any, invoice: Any) -> None:
        """Escapes of a document are shown, not obeyed."""
        item = {"id": "i", "chargeAmount": 1, "sourceItemType": "SubscriptionComponent", "chargeName": "a\x1b[2J\tb"}
        regen("load", regen.write("a.ndjson", invoice(items=(item,))))
        regen("run", *REFERENCE)
        said = regen("show", "transactions", "--flat").out
        assert "\x1b" not in said
        assert "a\\x1b[2J\\tb" in said


class TestDeliver:
    """The outbox reaches Revenue at least once, under stable ids (REV-0)."""

    def test_the_ledger_collects_and_the_outbox_is_empty(self, loaded: Any) -> None:
        """REV-1: what Revenue doesn't hold is collected; sent again with N it is ignored."""
        loaded("run", *REFERENCE)
        assert loaded("deliver", "--to", "ledger", "--json").json == {
            "success": True, "to": "ledger", "delivered": 2, "collected": 2, "ignored": 0, "waiting": 0,
            "parked": 0,
        }  # fmt: skip
        loaded("run", *REFERENCE)
        assert "2 deliveries to the ledger: 0 collected, 2 ignored" in loaded("deliver", "--to", "ledger").out
        assert "0 deliveries to the ledger" in loaded("deliver", "--to", "ledger").out

    def test_lines_are_appended_to_a_file(self, loaded: Any, tmp_path: Path) -> None:
        """One JSON object per delivery, in the order of the outbox; amounts are text."""
        path = tmp_path / "out.ndjson"
        loaded("run", *REFERENCE)
        assert loaded("deliver", "--to", f"file:{path}").code == 0
        loaded("run", *REFERENCE, "--re-migrate")
        loaded("deliver", "--to", f"file:{path}")
        told = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        assert [(each["id"], each["regenerate_flag"], each["action"]) for each in told] == [
            (f"{FIRST}-1", "N", "line"),
            (f"{SECOND}-1", "N", "line"),
            (f"{FIRST}-2", "Y", "line"),
            (f"{SECOND}-2", "Y", "line"),
        ]
        assert told[1]["transaction"]["amount"] == "-2.50"

    def test_more_deliveries_than_a_batch_all_arrive(
        self, regen: Any, invoice: Any, tmp_path: Path, monkeypatch: Any
    ) -> None:
        """Until nothing waits."""
        monkeypatch.setattr("regen_core.adapters.cli.delivering.BATCH", 2)
        regen("load", regen.write("a.ndjson", invoice(items=["1.00"] * 5)))
        regen("run", *REFERENCE)
        assert regen("deliver", "--to", f"file:{tmp_path / 'out'}", "--json").json["delivered"] == 5
        regen("run", *REFERENCE)
        assert regen("deliver", "--to", "ledger", "--json").json["delivered"] == 5


class TestTable:
    """Every table in every format; without a name the three that decide."""

    @pytest.mark.parametrize("form", FORMATS)
    def test_a_format_is_what_the_renderer_makes(self, regen: Any, form: str) -> None:
        """Byte for byte, so that it can be redirected into a file."""
        assert regen("table", "writes", "sends", "--format", form).out == FORMATS[form](
            [table("writes"), table("sends")]
        )

    def test_without_a_name_the_deciding_tables_are_printed(self, regen: Any) -> None:
        """All of TBL-M, TBL-W and TBL-S, and nothing else."""
        said = regen("table").out
        ids = [record["id"] for name in ("modes", "writes", "sends") for record in table(name).records]
        assert all(each in said for each in ids)
        assert "MAP-1" not in said

    def test_all_tables_can_be_had_at_once_as_json(self, regen: Any) -> None:
        """In the order of the index, without a database."""
        told = regen("table", "all", "--json").json["tables"]
        assert [each["name"] for each in told] == list(TABLES)
        assert list(regen.directory.iterdir()) == []


class TestExplain:
    """A case on the command line, answered by the tables alone."""

    CASE = (
        "explain", "--type", "Invoice", "--source", "subscription", "--amount", "10", "--booking-amount", "-5",
        "--stored", "active", "--sent", "--excluded", "--re-migrate",
    )  # fmt: skip

    def test_a_case_says_which_cells_and_which_row_apply(self, regen: Any) -> None:
        """TBL-W7 overrides, TBL-S8 sends a void, MAP-5 makes it CM-C."""
        said = regen(*self.CASE).out
        assert all(each in said for each in ("TBL-M2", "TBL-W7", "TBL-S8", "MAP-5 → CM-C, not standalone"))
        told = regen(*self.CASE, "--json").json
        [line] = told["lines"]
        assert [rule["id"] for rule in line["rules"]] == ["TBL-W7", "TBL-S8"]
        assert line["mapping"]["row"] == "MAP-5"

    @pytest.mark.parametrize(
        ("case", "row"),
        [
            (("--type", "Invoice", "--source", "standalone"), "MAP-6"),
            (("--type", "Invoice", "--source", "order line item", "--order-line-category", "Sales"), "MAP-7"),
            (("--type", "CreditMemo", "--source", "invoice", "--reason-code", "Invoice reversal"), "MAP-10"),
            (("--type", "CreditMemo", "--source", "product-rate-plan-charge"), "MAP-12"),
            (("--type", "DebitMemo", "--from-reversal"), "MAP-14"),
            (("--type", "InvoiceItemAdjustment", "--adjustment-kind", "Charge"), "MAP-16"),
            (("--type", "Invoice", "--booking-excluded"), "MAP-1"),
            (("--type", "Invoice", "--no-booking-excluded", "--account-level-discount"), "MAP-1"),
            (("--type", "Invoice", "--calculated-charge-model"), "MAP-2"),
            (("--type", "CreditMemo", "--charge-deleted"), "MAP-3"),
        ],
    )
    def test_the_facts_of_a_case_reach_the_mapping(self, regen: Any, case: tuple[str, ...], row: str) -> None:
        """Each option is a fact of the item."""
        assert regen("explain", *case, "--json").json["lines"][0]["mapping"]["row"] == row

    def test_a_case_that_would_be_refused_ends_with_1(self, regen: Any) -> None:
        """MAP-U, and ELI-1 for a draft."""
        assert "refused: UnmappableItem" in regen("explain", "--type", "Invoice").out
        said = regen("explain", "--type", "Invoice", "--source", "standalone", "--status", "Draft")
        assert (said.code, said.out.split()[1]) == (1, "DocumentNotPosted")

    def test_a_tax_line_is_skipped(self, regen: Any) -> None:
        """TAX-1."""
        told = regen("explain", "--type", "Invoice", "--processing-type", "Tax", "--json").json
        assert told["skipped"][0]["rule"]["id"] == "TAX-1"

    def test_rules_are_explained_by_their_ids(self, regen: Any) -> None:
        """Statement, origin, source, reason and what was turned down."""
        said = regen("explain", "TBL-S2", "MAP-U").out
        assert "TBL-S2 (" in said
        assert "Kept and not sent." in said
        assert [each["id"] for each in regen("explain", "TBL-S2", "MAP-U", "--json").json["rules"]] == [
            "TBL-S2",
            "MAP-U",
        ]


@pytest.mark.parametrize("where", ["before", "after", "both"])
def test_shared_options_stand_before_or_after_the_command(regen: Any, invoice: Any, where: str) -> None:
    """What stands after the command wins."""
    shared = ("--tenant", "acme", "--entity", "eu", "--json")
    file = regen.write("a.ndjson", invoice())
    args = {
        "before": (*shared, "load", file),
        "after": ("load", file, *shared),
        "both": ("--tenant", "other", "--entity", "us", "load", file, *shared),
    }[where]
    assert regen(*args).json["new"] == 1
    assert len(regen("show", "documents", "--tenant", "acme", "--entity", "eu").rows) == 1


def test_a_database_is_named_by_option_before_environment(regen: Any, invoice: Any, tmp_path: Path) -> None:
    """--db, then REGEN_DB, then regen.db in the working directory."""
    file = regen.write("a.ndjson", invoice())
    regen("--db", f"sqlite:///{tmp_path / 'own.db'}", "load", file)
    assert (tmp_path / "own.db").exists()
    assert not (tmp_path / "regen.db").exists()


@pytest.mark.parametrize(
    ("spelled", "name"), [("a%20b.db", "a b.db"), ("a b.db", "a b.db"), ("50%25%3F.db", "50%?.db")]
)
def test_what_a_load_made_is_found_again(regen: Any, invoice: Any, tmp_path: Path, spelled: str, name: str) -> None:
    """A path in a URL may be encoded, and what would end it or be taken for a code has to be."""
    url = f"sqlite:///{tmp_path}/{spelled}"
    assert regen("--db", url, "load", regen.write("a.ndjson", invoice())).code == 0
    assert (tmp_path / name).is_file()
    assert len(regen("--db", url, "show", "documents").rows) == 1


@pytest.mark.parametrize("args", [[], *[[name] for name in cli.list_commands(None)]])  # type: ignore[arg-type]  # needs none
def test_every_command_has_help(regen: Any, args: list[str]) -> None:
    """-h and --help, each with the shared options."""
    for flag in ("-h", "--help"):
        said = regen(*args, flag)
        assert said.code == 0
        assert all(option in said.out for option in ("--db", "--tenant", "--entity", "--org", "--json"))


@pytest.mark.parametrize("name", cli.list_commands(None))  # type: ignore[arg-type]  # needs none
def test_help_is_read_in_a_window_of_80_characters(regen: Any, name: str) -> None:
    """Nothing is broken by the window; a command's own options stand before those of every command."""
    said = regen(name, "--help")
    assert [line for line in said.out.splitlines() if len(line) > 80] == []
    own, shared = said.out.split("\nOptions of every command, after it or before it:\n")
    assert "--db" not in own.partition("\nOptions:\n")[2]
    assert [line.split()[0] for line in shared.splitlines() if line.startswith("  --")] == [
        "--db", "--tenant", "--entity", "--org", "--json",
    ]  # fmt: skip


def test_the_first_help_is_read_in_a_window_of_80_characters(regen: Any) -> None:
    """With the first steps, each of which is a command that there is."""
    told = regen("--help").out.splitlines()
    assert [line for line in told if len(line) > 80] == []
    steps = [line.split()[1] for line in told if line.startswith("    regen ")]
    assert steps == ["load", "plan", "run", "deliver", "COMMAND"]


def test_the_version_is_printed(regen: Any) -> None:
    """The name and the installed version."""
    assert regen("--version").out.startswith("regen 0.")
