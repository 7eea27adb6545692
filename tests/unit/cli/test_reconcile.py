"""``regen reconcile`` on a real database: lost, altered, stale, still there, unknown (RCN-1 … RCN-3)."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve, frozen

from regen_core.access import Scope
from regen_core.adapters.cli.paging import PAGE
from regen_core.adapters.sql import SqlStore
from regen_core.decision_table import RegenerateFlag, SendAction
from regen_core.documents import DocumentKey, DocumentType
from regen_core.revenue import Delivery
from regen_core.transactions import BillingTransaction, transaction_id
from tests.postgresql_server import Server
from tests.unit.cli.conftest import Regen

REFERENCE = ("--type", "Invoice", "--number", "INV-1")
JANUARY = ("--from", "2026-01-01", "--to", "2026-01-31")
FEBRUARY = ("--from", "2026-02-01", "--to", "2026-02-28")
SCOPE = Scope(tenant="default", entity="default", orgs=None)


@frozen
class OnAServer(Regen):
    """The command line on a schema of a PostgreSQL server."""

    url: str = ""

    @property
    def environment(self) -> dict[str, str]:
        """As on a file, but for the database."""
        return {**super().environment, "REGEN_DB": self.url}


BOTH = pytest.mark.parametrize("regen", ["sqlite", "postgresql"], indirect=True)
"""On each kind of database; a file where nothing is said."""


@pytest.fixture
def regen(request: pytest.FixtureRequest, tmp_path: Path) -> Regen:
    """A command line on a database without documents."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return Regen(tmp_path)
    server: Server = request.getfixturevalue("postgresql")
    return OnAServer(tmp_path, url=server.url(server.new_schema()))


@pytest.fixture
def collected(loaded: Any) -> Any:
    """A database in which Revenue holds both lines of INV-1, 10.00 and -2.50."""
    assert loaded("run", *REFERENCE).code == 0
    assert loaded("deliver", "--to", "ledger").code == 0
    return loaded


def variances(regen: Any, *period: str) -> list[tuple[str, ...]]:
    """Name, item, amounts, and what is known of the sending and of the remedy, in a pipe."""
    return [(row[0], *row[3:8]) for row in regen("reconcile", *(period or JANUARY)).rows]


def told_revenue(regen: Any, change: Any) -> BillingTransaction:
    """Let Revenue collect the first line changed by somebody else than Billing."""
    with SqlStore.open(regen.environment["REGEN_DB"]) as store:
        now = store.transactions(SCOPE).rows[0].transaction
        changed: BillingTransaction = change(now)
        store.collect([Delivery(changed, 9, RegenerateFlag.Y, SendAction.LINE)])
    return changed


def lost(regen: Any) -> None:
    """The outbox goes to a file that nobody reads."""
    assert regen("deliver", "--to", f"file:{regen.directory / 'lost.ndjson'}").code == 0


DOCS = Path(__file__).parents[3] / "docs"
PAGE_OF_HELP = DOCS / "how-to" / "reconcile.md"
BLOCK = re.compile(r"(?<=^```console\n).*?(?=^```$)|(?<=^```sh\n).*?(?=^```$)", re.MULTILINE | re.DOTALL)


class TestPage:
    """The commands of the page on reconciling do what it says."""

    def test_it_shows_what_is_printed(self, regen: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """``REGEN_WRITE_TRANSCRIPTS=1`` writes what is printed today, for a reader to approve."""
        shutil.copytree(DOCS / "examples", regen.directory / "examples")
        monkeypatch.chdir(regen.directory / "examples")

        def typed(block: re.Match[str]) -> str:
            commands = [line.removeprefix("$ ") for line in block[0].splitlines() if re.match(r"(\$ )?regen ", line)]
            said = [regen(*shlex.split(command)[1:]) for command in commands]
            assert {each.code for each in said} <= {0, 1}, said
            told = "".join(f"$ {command}\n{each.out}" for command, each in zip(commands, said, strict=True))
            return told if block[0].startswith("$ ") else block[0]

        written = PAGE_OF_HELP.read_text(encoding="utf-8")
        printed = BLOCK.sub(typed, written)
        if os.environ.get("REGEN_WRITE_TRANSCRIPTS"):
            PAGE_OF_HELP.write_text(printed, encoding="utf-8")
        assert printed == written


@BOTH
class TestAgreement:
    """Exit status 0."""

    def test_what_was_collected_agrees(self, collected: Any) -> None:
        said = collected("reconcile", *JANUARY)
        assert (said.code, said.rows) == (0, [])
        assert "EUR: Billing 2 lines, 7.50; Revenue 2 lines, 7.50; difference 0 lines, 0.00" in said.out
        assert said.out.endswith("Billing and Revenue agree from 2026-01-01 to 2026-01-31\n")

    def test_a_period_without_lines_agrees(self, collected: Any) -> None:
        said = collected("reconcile", *FEBRUARY)
        assert said.code == 0
        assert said.out.endswith("agree from 2026-02-01 to 2026-02-28: no live lines\n")

    def test_another_type_is_another_question(self, loaded: Any) -> None:
        loaded("run", *REFERENCE)
        assert loaded("reconcile", *JANUARY, "--type", "CreditMemo").code == 0
        assert loaded("reconcile", *JANUARY, "--type", "Invoice").code == 1

    def test_a_document_that_moved_to_another_org_agrees_there(self, collected: Any, invoice: Any) -> None:
        """ACC-5: whose Revenue's lines are, the document says as it is today."""
        moved = invoice(items=("10.00", "-2.50"), organizationLabel="south")
        collected("load", collected.write("moved.ndjson", moved))
        for org, count in (("south", 2), ("north", 0)):
            said = collected("reconcile", *JANUARY, "--org", org, "--json")
            assert (said.code, [each["revenue"]["count"] for each in said.json["totals"]]) == (0, [count] * bool(count))
            assert len(collected("show", "revenue", "--org", org).rows) == count

    def test_another_tenant_has_nothing(self, loaded: Any) -> None:
        """ACC-4."""
        loaded("run", *REFERENCE)
        assert loaded("reconcile", *JANUARY, "--tenant", "other").code == 0


@BOTH
class TestVariances:
    """Exit status 1, and each line by name; then the advice is followed, and both sides agree."""

    def follow(self, regen: Any) -> None:
        for each in regen("reconcile", *JANUARY, "--json").json["variances"]:
            for command in each["commands"]:
                assert regen(*command.split()[1:]).code == 0
        assert regen("reconcile", *JANUARY).code == 0

    def test_the_advice_is_about_the_place_that_was_asked_about(self, regen: Any, invoice: Any) -> None:
        """ACC-4: typed as it stands it mends the tenant's, the entity's and the organisation's lines."""
        place = ("--tenant", "a b", "--entity", "e1", "--org", "north")
        assert regen("load", regen.write("one.json", invoice()), *place).code == 0
        assert regen("run", *REFERENCE, *place).code == 0
        assert regen("deliver", "--to", f"file:{regen.directory / 'lost'}", *place).code == 0
        said = regen("reconcile", *JANUARY, *place)
        assert "  regen run --type TYPE --id ID --only-re-send --org north --tenant 'a b' --entity e1\n" in said.out
        for command in regen("reconcile", *JANUARY, *place, "--json").json["variances"][0]["commands"]:
            assert regen(*shlex.split(command)[1:]).code == 0
        assert regen("reconcile", *JANUARY, *place).code == 0

    def test_what_waits_is_to_be_delivered(self, loaded: Any) -> None:
        loaded("run", *REFERENCE)
        assert variances(loaded) == [
            ("missing in Revenue", "item-1-0", "10.00 EUR", "–", "waits in the outbox", "deliver"),
            ("missing in Revenue", "item-1-1", "-2.50 EUR", "–", "waits in the outbox", "deliver"),
        ]
        self.follow(loaded)

    def test_a_lost_line_is_to_be_sent_again(self, loaded: Any) -> None:
        loaded("run", *REFERENCE)
        lost(loaded)
        assert [row[-2:] for row in variances(loaded)] == [("sent", "re-send")] * 2
        self.follow(loaded)

    def test_an_altered_line(self, collected: Any) -> None:
        told_revenue(collected, lambda now: evolve(now, item=evolve(now.item, amount=now.item.amount + 1)))
        assert variances(collected) == [("altered in Revenue", "item-1-0", "10.00 EUR", "11.00 EUR", "sent", "re-send")]
        assert "item.amount: 11.00 → 10.00" in collected("reconcile", *JANUARY).out
        self.follow(collected)

    def test_a_stale_line_and_one_that_is_still_there(self, collected: Any, invoice: Any) -> None:
        collected("load", collected.write("again.ndjson", invoice(items=("12.00",))))
        collected("run", *REFERENCE, "--re-migrate")
        lost(collected)
        assert variances(collected) == [
            ("stale in Revenue", "item-1-0", "12.00 EUR", "10.00 EUR", "sent", "re-send"),
            ("voided but still there", "item-1-1", "–", "-2.50 EUR", "sent", "re-send"),
        ]
        said = collected("reconcile", *JANUARY)
        assert "EUR: Billing 1 line, 12.00; Revenue 2 lines, 7.50; difference -1 lines, 4.50" in said.out
        assert "re-send (2): Regenerate its document with onlyReSend" in said.out
        self.follow(collected)

    def test_a_line_that_waits_in_vain(self, collected: Any, invoice: Any) -> None:
        """REV-1: with N, Revenue keeps the old amount."""
        collected("load", collected.write("again.ndjson", invoice(items=("12.00", "-2.50"))))
        collected("run", *REFERENCE, "--re-migrate")
        lost(collected)
        collected("run", *REFERENCE)
        assert {row[-2:] for row in variances(collected)} == {("waits, won't settle it", "re-send")}
        self.follow(collected)

    def test_a_line_that_billing_does_not_know(self, collected: Any) -> None:
        def elsewhere(now: BillingTransaction) -> BillingTransaction:
            key = DocumentKey(tenant="default", entity="default", type=DocumentType.CREDIT_MEMO, id="gone")
            header = evolve(now.header, key=key, number="CM-9", currency="USD")
            return evolve(now, id=transaction_id(key, now.item.id), header=header)

        unknown = told_revenue(collected, elsewhere)
        said = collected("reconcile", *JANUARY, "--json")
        (variance,) = said.json["variances"]
        assert said.code == 1
        assert said.json["success"] is False
        assert (variance["variance"], variance["transaction_id"]) == ("unknown to Billing", unknown.id)
        assert (variance["billing"], variance["revenue"]["counted"]) == (None, "-10.00")
        assert (variance["next"], variance["commands"]) == ("correct by hand", [])
        dollars = {"count": 0, "amount": "0"}, {"count": 1, "amount": "-10.00"}, {"count": -1, "amount": "10.00"}
        names = ("billing", "revenue", "difference")
        assert said.json["totals"][1] == {"currency": "USD", **dict(zip(names, dollars, strict=True))}

    def test_a_document_that_moved_to_another_period_is_in_both(self, collected: Any, invoice: Any) -> None:
        moved = invoice(items=("10.00", "-2.50"), invoiceDate="2026-02-01")
        collected("load", collected.write("again.ndjson", moved))
        collected("run", *REFERENCE, "--re-migrate")
        lost(collected)
        assert {(row[0], row[2]) for row in variances(collected, *JANUARY)} == {("stale in Revenue", "–")}
        assert {(row[0], row[3]) for row in variances(collected, *FEBRUARY)} == {("stale in Revenue", "–")}
        assert "header.date: 2026-01-31 → 2026-02-01" in collected("reconcile", *JANUARY).out

    def test_a_newer_revenue_is_caught_up_with(self, collected: Any) -> None:
        told_revenue(collected, lambda now: evolve(now, revision=2))
        assert variances(collected) == [("newer in Revenue", "item-1-0", "10.00 EUR", "10.00 EUR", "sent", "catch up")]
        self.follow(collected)

    def test_more_lines_than_a_page_are_compared(self, regen: Any, invoice: Any) -> None:
        regen("load", regen.write("long.ndjson", invoice(items=["0.01"] * (PAGE + 7))))
        regen("run", *REFERENCE)
        regen("deliver", "--to", "ledger")
        said = regen("reconcile", *JANUARY)
        assert said.code == 0
        assert f"Billing {PAGE + 7} lines, 5.07; Revenue {PAGE + 7} lines, 5.07" in said.out


class TestEndings:
    """Exit status 2 and 3, and a terminal."""

    @pytest.mark.parametrize(
        ("period", "told"),
        [
            (("--from", "2026-02-01", "--to", "2026-01-31"), "--from is after --to"),
            (("--from", "2026-02-30", "--to", "2026-03-31"), "'2026-02-30' is no day of the calendar"),
            (("--from", "2026-W05-6", "--to", "2026-03-31"), "'2026-W05-6' is no day of the calendar"),
            (("--from", "31.01.2026", "--to", "2026-03-31"), "written as 2026-01-31"),
            (("--to", "2026-03-31"), "Missing option '--from'"),
        ],
    )
    def test_a_wrong_period_is_wrong_usage(self, loaded: Any, period: tuple[str, ...], told: str) -> None:
        said = loaded("reconcile", *period)
        assert said.code == 2
        assert told in said.err

    def test_no_database_is_the_environments_fault(self, regen: Any) -> None:
        said = regen("reconcile", *JANUARY)
        assert said.code == 3
        assert "does not exist" in said.err

    def test_a_terminal_gets_a_table(self, loaded: Any) -> None:
        loaded("run", *REFERENCE)
        said = loaded.on_a_terminal("reconcile", *JANUARY, environment={"NO_COLOR": "1"}, columns=160)
        assert said.code == 1
        assert "missing in Revenue" in said.out
        assert "2 variances from 2026-01-01 to 2026-01-31" in said.out
