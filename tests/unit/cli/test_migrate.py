"""``regen migrate`` and ``regen show runs``: all documents, what was refused, and a run that goes on (MIG)."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from regen_core.adapters.sql import SqlStore
from regen_core.adapters.sql.faults import DatabaseFull
from regen_core.migration import Run, fail

POSIX = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
GOING_ON = re.compile(r"regen migrate --resume (\S+)")

PAUSED = """
import sys
from regen_core.adapters.cli.main import main
from regen_core.adapters.sql import SqlStore

batch = SqlStore.migrate_batch

def paused(store, scope, name, limit):
    run = batch(store, scope, name, limit)
    if run.counts.documents == 2:
        print("two are done", file=sys.stderr, flush=True)
        sys.stdin.readline()
    return run

SqlStore.migrate_batch = paused
main()
"""
"""The command line, which after two documents waits for a line on standard input."""


@pytest.fixture
def many(regen: Any, invoice: Any) -> Any:
    """A command line on a database with five invoices, of which the third is a draft."""
    documents = [invoice(str(n), status="Draft" if n == 3 else "Posted") for n in range(1, 6)]
    assert regen("load", regen.write("many.ndjson", *documents)).code == 0
    return regen


def begun(said: Any) -> str:
    """The id of the run that a command began."""
    found = GOING_ON.search(said.err)
    assert found is not None, said
    return found[1]


class TestMigrating:
    """MIG-1, MIG-6: every document is done as by 'regen run', and what was refused is listed."""

    def test_all_documents_are_regenerated(self, loaded: Any) -> None:
        """The summary says what was done and what to do next."""
        said = loaded("migrate")
        assert said.code == 0
        assert "1 document: 1 regenerated, 0 refused; 2 transactions written, 2 deliveries" in said.out
        assert "regen deliver --to ledger|file:PATH|URL" in said.out
        assert len(loaded("show", "transactions").rows) == 2
        assert len(loaded("show", "deliveries").rows) == 2

    def test_what_to_do_next_is_a_command_for_the_same_place(self, regen: Any, invoice: Any) -> None:
        """As it would be typed; a URL, which may hold a password, is left out."""
        place = ("--tenant", "acme", "--db", f"sqlite:///{regen.directory / 'other.db'}")
        assert regen("load", regen.write("one.json", invoice()), *place).code == 0
        assert "regen deliver --tenant acme --db … --to ledger|file:PATH|URL\n" in regen("migrate", *place).out

    def test_it_overrides_and_resends_as_a_single_request_does(self, loaded: Any) -> None:
        """TBL-M: the flags mean the same."""
        assert loaded("migrate", "--only-re-send").code == 1
        assert loaded("show", "transactions").rows == []
        assert loaded("migrate", "--re-migrate").code == 0
        assert loaded("migrate", "--re-migrate").code == 0
        assert [row[4] for row in loaded("show", "transactions").rows] == ["2", "2"]
        assert loaded("migrate", "--only-re-send").code == 0
        assert [row[4] for row in loaded("show", "deliveries").rows] == ["Y"] * 6
        assert "RESEND" in loaded("show", "runs").out

    def test_a_refused_document_stops_no_other(self, many: Any) -> None:
        """It is listed with the reason, and the exit status tells."""
        said = many("migrate", "--batch", "2")
        assert said.code == 1
        assert said.rows[0][:5] == ["Invoice", "INV-3", "invoice-3", "DocumentNotPosted", "50000030"]
        assert "5 documents: 4 regenerated, 1 refused" in said.out
        assert "refused   DocumentNotPosted 1" in said.out
        assert "Mend what was refused, load it again" in said.out
        assert len(many("show", "transactions").rows) == 4

    def test_documents_of_one_type(self, many: Any) -> None:
        """And no others."""
        assert "no documents" in many("migrate", "--type", "CreditMemo").out
        assert "5 documents" in many("migrate", "--type", "Invoice").out

    def test_a_second_run_does_what_was_mended(self, many: Any, invoice: Any) -> None:
        """Without flags what is stored stays as it is."""
        many("migrate")
        many("load", many.write("mended.ndjson", invoice("3")))
        assert "5 documents: 5 regenerated, 0 refused; 1 transaction written, 5 deliveries" in many("migrate").out

    def test_programs_hear_the_same(self, many: Any) -> None:
        """One JSON object."""
        said = many("migrate", "--json", "--re-migrate")
        told = said.json
        assert (said.code, told["success"], told["is_dry_run"]) == (1, False, False)
        run = told["run"]
        assert (run["status"], run["mode"], run["re_migrate"]) == ("Completed-Warning", "REMIGRATE", True)
        counts = {"documents": 5, "regenerated": 4, "transactions": 4, "deliveries": 4}
        assert run["counts"] == {**counts, "refused": {"DocumentNotPosted": 1}}
        (reject,) = told["rejects"]
        assert (reject["type"], reject["number"], reject["document_id"]) == ("Invoice", "INV-3", "invoice-3")
        assert (reject["refusal"], reject["code"]) == ("DocumentNotPosted", 50000030)
        assert run["id"] == begun(said)

    def test_few_rejects_are_listed_and_it_says_where_the_rest_is(self, many: Any, invoice: Any) -> None:
        """And the command that it names shows all."""
        many("load", many.write("drafts.ndjson", *[invoice(f"x{n}", status="Draft") for n in range(4)]))
        said = many("migrate", "--limit", "2")
        assert len(said.rows) == 2
        assert f"2 of 5 refused documents are listed. To see all: regen show runs --id {begun(said)}" in said.out
        assert len(many("show", "runs", "--id", begun(said)).rows) == 5
        dry = many("migrate", "--dry-run", "--limit", "0")
        assert "0 of 5 refused documents are listed. To see all: give --limit 5" in dry.out

    def test_without_documents_it_says_what_to_check(self, loaded: Any) -> None:
        """A mistyped tenant looks like that."""
        said = loaded("migrate", "--tenant", "acme", "--entity", "eu")
        assert said.code == 0
        assert "No document is stored in tenant 'acme', entity 'eu'. Check these" in said.out
        assert begun(said) in said.err
        assert "--tenant acme --entity eu" in said.err


class TestDryRun:
    """A dry run says what a run would do, and changes nothing."""

    @pytest.mark.parametrize("flags", [(), ("--re-migrate",), ("--only-re-send",)])
    def test_it_says_what_the_run_then_does(self, many: Any, flags: tuple[str, ...]) -> None:
        """Counts and rejects."""
        planned = many("migrate", "--dry-run", "--json", *flags)
        assert many("show", "runs").rows == many("show", "transactions").rows == many("show", "deliveries").rows == []
        done = many("migrate", "--json", *flags)
        assert (planned.code, planned.json["rejects"]) == (done.code, done.json["rejects"])
        assert planned.json["run"]["counts"] == done.json["run"]["counts"]
        assert (planned.json["run"]["id"], planned.json["is_dry_run"]) == (None, True)

    def test_people_hear_that_nothing_was_changed(self, many: Any) -> None:
        """In the words of a plan."""
        said = many("migrate", "--dry-run")
        assert "dry run (GENERATE): 5 documents: 4 would be regenerated, 1 would be refused" in said.out
        assert "Dry run, nothing was changed." in said.out
        assert said.err == ""


def breaks_at(monkeypatch: Any, number: int, fault: BaseException) -> None:
    """Let the batch of that number fail."""
    batch: Callable[..., Run | None] = SqlStore.migrate_batch
    calls = iter(range(1, 100))

    def failing(store: SqlStore, *given: Any) -> Run | None:
        if next(calls) == number:
            raise fault
        return batch(store, *given)

    monkeypatch.setattr(SqlStore, "migrate_batch", failing)


class TestResuming:
    """MIG-7, MIG-10: a run goes on behind the last document done, as it was begun."""

    def test_the_world_fails(self, many: Any, monkeypatch: Any) -> None:
        """The log says why, and the sentence how to go on."""
        with monkeypatch.context() as broken:
            breaks_at(broken, 3, DatabaseFull("sqlite:///regen.db"))
            said = many("migrate", "--re-migrate", "--batch", "2")
        assert said.code == 3
        assert "the disk is full. Nothing of this batch was stored; make room" in said.err
        assert (
            f"The run {begun(said)} had done 4 documents, and that stays. To go on: regen migrate --resume" in said.err
        )
        (row,) = many("show", "runs").rows
        assert row[1:4] == ["Error", "REMIGRATE", "–"]
        assert "fault     The database" in many("show", "runs", "--id", begun(said)).out
        again = many("migrate", "--resume", begun(said))
        assert f"run {begun(said)} goes on after 4 documents." in again.err
        assert again.code == 1
        assert "5 documents: 4 regenerated, 1 refused" in again.out
        assert [row[4] for row in many("show", "transactions").rows] == ["1"] * 4

    def test_somebody_interrupts_a_batch(self, many: Any, monkeypatch: Any) -> None:
        """By a second Ctrl-C: the run is as if it had been killed."""
        with monkeypatch.context() as broken:
            breaks_at(broken, 2, KeyboardInterrupt())
            said = many("migrate", "--batch", "2", "--json")
        assert (said.code, said.json["success"]) == (3, False)
        assert "Interrupted. The batch under way is stored as a whole or not at all." in said.json["error"]
        assert many("show", "runs").rows[0][1] == "In progress"
        assert many("migrate", "--resume", begun(said)).code == 1

    @POSIX
    def test_ctrl_c_ends_it_between_two_batches(self, many: Any) -> None:
        """And says how to go on; the process waits for the signal, so that it comes where it should on any machine."""
        command = [sys.executable, "-c", PAUSED, "migrate", "--batch", "1"]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=many.environment) as child:
            assert child.stderr is not None
            line = child.stderr.readline().decode()
            assert child.stderr.readline() == b"two are done\n"
            child.send_signal(signal.SIGINT)
            out, err = child.communicate(b"\n", timeout=60)
        name = GOING_ON.search(line)
        assert name is not None
        assert (child.returncode, err) == (3, b"")
        assert f"To go on: regen migrate --resume {name[1]}" in out.decode()
        assert "In progress" in out.decode()
        assert len(many("show", "transactions").rows) == 2
        again = many("migrate", "--resume", name[1])
        assert "goes on after 2 documents" in again.err
        assert (again.code, "5 documents: 4 regenerated, 1 refused" in again.out) == (1, True)
        assert len(many("show", "transactions").rows) == 4

    def test_a_complete_run_stays_as_it_is(self, many: Any) -> None:
        """It says so, and ends as it ended: who resumes until it is done needs no more."""
        said = many("migrate")
        before = many("show", "runs", "--json").json
        again = many("migrate", "--resume", begun(said))
        assert again.code == said.code == 1
        assert again.out == said.out
        assert "is complete: nothing is left to do" in again.err
        assert many("show", "runs", "--json").json == before
        assert len(many("show", "deliveries").rows) == 4

    def test_another_process_gave_it_up(self, many: Any, monkeypatch: Any) -> None:
        """Then this one stops as well, and tells why."""
        batch: Callable[..., Run | None] = SqlStore.migrate_batch

        def failed_elsewhere(store: SqlStore, scope: Any, name: str, limit: int) -> Run | None:
            store.change_run(scope, name, lambda run: fail(run, "no disk there", run.accepted.at))
            return batch(store, scope, name, limit)

        monkeypatch.setattr(SqlStore, "migrate_batch", failed_elsewhere)
        said = many("migrate")
        assert said.code == 3
        assert "fault     no disk there" in said.out
        assert "To go on: regen migrate --resume" in said.out

    def test_flags_are_those_it_was_begun_with(self, many: Any) -> None:
        """Naming them again is fine, naming others is not."""
        name = begun(many("migrate", "--re-migrate", "--type", "Invoice"))
        assert many("migrate", "--resume", name, "--re-migrate", "--type", "Invoice").code == 1
        said = many("migrate", "--resume", name, "--only-re-send", "--type", "CreditMemo")
        assert said.code == 2
        assert f"The run {name} was begun without --type and --only-re-send" in said.err

    @pytest.mark.parametrize(
        ("args", "told"),
        [
            (("migrate", "--resume", "nope"), "There is no run 'nope' in tenant 'default', entity 'default'."),
            (("show", "runs", "--id", "nope"), "'regen show runs' lists those that there are."),
            (("migrate", "--resume", "nope", "--org", "n"), "org 'n'. 'regen show runs --org n' lists"),
            (("migrate", "--resume", " "), "is blank"),
            (("migrate", "--resume", "r", "--dry-run"), "leave out --resume"),
            (("migrate", "--batch", "0"), "0 is not in the range"),
            (("migrate", "--batch", "1001"), "1001 is not in the range"),
            (("migrate", "--limit", "-1"), "-1 is not in the range"),
            (("migrate", "--type", "Bill"), "is not one of 'Invoice'"),
            (("show", "runs", "--number", "1"), "takes --id RUN, and neither --type nor --number"),
            (("show", "runs", "--type", "Invoice"), "takes --id RUN, and neither --type nor --number"),
            (("show", "runs", "--pending"), "goes with 'regen show deliveries'"),
        ],
    )
    def test_wrong_usage(self, loaded: Any, args: tuple[str, ...], told: str) -> None:
        """Exit code 2, a sentence, and nothing done."""
        said = loaded(*args)
        assert (said.code, told in said.err) == (2, True), said.err
        assert loaded(*args, "--json").json["exit_code"] == 2
        assert loaded("show", "runs").rows == []

    @pytest.mark.parametrize("more", [("--tenant", "acme"), ("--entity", "eu"), ("--org", "north")])
    def test_a_foreign_run_is_as_one_that_does_not_exist(self, many: Any, more: tuple[str, ...]) -> None:
        """MIG-12: the same sentence, the same exit code."""
        name = begun(many("migrate"))
        for args in (("migrate", "--resume"), ("show", "runs", "--id")):
            foreign, missing = many(*args, name, *more), many(*args, "nope", *more)
            assert (foreign.code, foreign.out) == (missing.code, missing.out) == (2, "")
            assert foreign.err == missing.err.replace("nope", name)
        assert many("show", "runs", *more).rows == []

    def test_both_flags_are_refused_as_for_one_document(self, loaded: Any) -> None:
        """REQ-5; no run is begun, also none that is dry."""
        for more in ((), ("--dry-run",)):
            said = loaded("migrate", "--re-migrate", "--only-re-send", "--json", *more)
            assert (said.code, said.json["refusal"]["name"]) == (1, "ConflictingFlags")
        assert loaded("show", "runs").rows == []


class TestShowingRuns:
    """MIG-6: who ran what, when, and what came of it."""

    def test_a_run_is_a_row(self, many: Any) -> None:
        """In the order in which they were begun."""
        first, second = begun(many("migrate")), begun(many("migrate", "--re-migrate", "--type", "Invoice"))
        said = many("show", "runs")
        assert said.out.splitlines()[0].split("\t")[:6] == ["run", "status", "mode", "type", "documents", "refused"]
        assert [row[0] for row in said.rows] == sorted((first, second))
        row = next(row for row in said.rows if row[0] == second)
        assert row[1:4] == ["Completed-Warning", "REMIGRATE", "Invoice"]
        assert row[4:8] == ["5", "1", "4", "4"]
        assert len(many("show", "runs", "--limit", "1").rows) == 1

    def test_its_rejects_with_its_log(self, many: Any) -> None:
        """For people and for programs."""
        name = begun(many("migrate"))
        said = many("show", "runs", "--id", name)
        assert said.code == 0
        assert [row[1] for row in said.rows] == ["INV-3"]
        assert f"run {name} (GENERATE): Completed-Warning." in said.out
        assert re.search(r"^by +\S+, accepted 20\d\d-\d\d-\d\d .*Z, ended 20", said.out, re.MULTILINE)
        told = many("show", "runs", "--id", name, "--json").json
        assert [each["number"] for each in told["rejects"]] == ["INV-3"]
        assert told["run"]["id"] == name

    def test_a_database_named_on_the_command_line_is_not_repeated(self, many: Any) -> None:
        """Its URL may have a password in it."""
        other = f"sqlite:///{many.directory / 'other.db'}"
        many("load", str(many.directory / "many.ndjson"), "--db", other)
        said = many("migrate", "--db", other)
        assert "--db …" in said.err
        assert other not in said.err + said.out


def test_the_warning_is_in_the_help(regen: Any) -> None:
    """Zuora's, and why ours may be repeated."""
    text = " ".join(regen("migrate", "--help").out.split())
    assert "migrate only once, before going live" in text
    assert "CNV-1 to CNV-3" in text


@POSIX
def test_progress_is_shown_on_a_terminal(many: Any) -> None:
    """And a table of what was refused; nothing of it is JSON's."""
    said = many.on_a_terminal("migrate")
    assert said.code == 1
    assert "DocumentNotPosted" in said.out
    assert json.loads(many("migrate", "--json").out)["success"] is False
